"""The trail as a state machine on real PostgreSQL: in whatever order events are written, each follows from the last."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db import changes, leases, marks, pauses, results
from db.claims import CLAIM_STATEMENT, EXPIRE_STATEMENT, Claim
from db.models import CommerceUser, ScheduledActivity, StatusEvent, TargetUser
from db.reconciliation import run_note_statement
from db.rows import address, fetch_row
from db.snapshots import EVENT_IS_VISIBLE, MARKED_STATUS
from embedded.postgres import Postgres
from tests.support.builders import COMMERCE_ID, Tenant, insert_tenant
from tests.support.worlds import new_database
from workflows.hand_off import Accepted, ReportedResult, ResultStatus, judge
from workflows.messages import (
    ActivityRef,
    Apply,
    AssignTarget,
    Cancel,
    Change,
    ExecuteNow,
    MarkDue,
    Rejection,
    Reschedule,
    RetryResolution,
)
from workflows.words import ActivityType, Channel, EventType

CHANGES = st.one_of(
    st.just(Cancel()),
    st.just(ExecuteNow()),
    st.just(RetryResolution()),
    st.builds(Reschedule, score=st.integers(0, 9)),
    st.builds(Reschedule, scheduled_at=st.just(datetime(2031, 1, 1, tzinfo=UTC))),
    st.just(Reschedule(score=1, if_versions=(0,))),
)

TESTER = leases.Sender("tester", None)


ONE = st.integers(0, 1)
"""The place of an activity among those of the machine."""


class TrailMachine(RuleBasedStateMachine):
    """Runs, executors, operators and the passing of time, one step at a time."""

    def __init__(self, runner: asyncio.Runner, engine: AsyncEngine) -> None:
        super().__init__()
        self.runner = runner
        self.engine = engine
        self.tenant = self.run(self._insert_tenant())
        self.ids = [uuid4(), uuid4()]
        self.tokens: list[UUID] = []

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        """Do it now."""
        return self.runner.run(step)

    async def _insert_tenant(self) -> Tenant:
        async with self.engine.begin() as connection:
            return await insert_tenant(connection)

    def rows(self, statement: Any, parameters: dict[str, Any] | None = None) -> list[Any]:
        """Execute the statement in a transaction of its own."""
        return self.run(self._execute(statement, parameters))  # type: ignore[no-any-return]

    async def _execute(self, statement: Any, parameters: dict[str, Any] | None) -> list[Any]:
        async with self.engine.begin() as connection:
            answer = await connection.execute(statement, parameters)
            return list(answer.all()) if answer.returns_rows else []

    @initialize()
    def create(self) -> None:
        """Insert activities that are READY for a time to come."""
        row = {"tenant_id": self.tenant.id, "type": "MESSAGE", "channel": "WHATSAPP", "commerce_id": COMMERCE_ID}
        row |= {"reason_code": "r", "reason_label": "R", "request": {}, "run_id": "r", "status": "READY"}
        event = {"tenant_id": self.tenant.id, "event_key": "created", "event_type": "CREATED", "to_status": "READY"}
        target = {"tenant_id": self.tenant.id, "commerce_user_id": self.tenant.owner_id, "status": "RESOLVED"}
        for one in self.ids:
            key = {"id": one, "idempotency_key": str(one), "scheduled_at": datetime(2030, 1, 1, tzinfo=UTC)}
            self.rows(insert(ScheduledActivity).values(**row, **key))
            self.rows(insert(StatusEvent).values(**event, activity_id=one))
            self.rows(insert(TargetUser).values(**target, activity_id=one, strategy="ON_CREATION"))

    @rule(place=ONE)
    def mark(self, place: int) -> None:
        """Mark the activity as its run does: ahead of its time, unless time has passed."""
        this = address(self.tenant.id, self.ids[place])
        ((version,),) = self.rows(select(ScheduledActivity.version).where(this))
        mark = MarkDue(tenant_id=self.tenant.id, id=self.ids[place], version=version)
        self.rows(*marks.mark_due_statement(mark))

    @rule(place=ONE)
    def let_time_pass(self, place: int) -> None:
        """Let the activity's time come: a mark that was made ahead becomes visible."""
        this = address(self.tenant.id, self.ids[place])
        is_ahead = (this, ScheduledActivity.status == "DUE", ScheduledActivity.marked_at > func.clock_timestamp())
        ahead = self.rows(select(ScheduledActivity.marked_at).where(*is_ahead))
        now = datetime.now(UTC) - timedelta(milliseconds=1)
        if ahead:
            self.rows(update(ScheduledActivity).where(this).values(scheduled_at=now, due_at=now, marked_at=now))
            event = (StatusEvent.activity_id == self.ids[place], StatusEvent.occurred_at == ahead[0][0])
            self.rows(update(StatusEvent).where(*event).values(occurred_at=now))

    @rule(place=ONE, change=CHANGES, is_withdrawn=st.booleans())
    def change(self, place: int, change: Change, is_withdrawn: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
        """Carry a change out, or record that it is not allowed."""

        async def apply() -> None:
            async with self.engine.begin() as connection:
                await changes.apply_or_reject_change(connection, self._apply(place, change, is_withdrawn=is_withdrawn))

        self.run(apply())

    def _apply(self, place: int, change: Any, *, is_withdrawn: bool) -> Apply:
        withdrawal = Rejection(code="unavailable", detail="x") if is_withdrawn else None
        key, activity = str(uuid4()), self.ids[place]
        return Apply(
            tenant_id=self.tenant.id, id=activity, key=key, actor="tester", change=change, withdrawal=withdrawal
        )

    @rule(place=ONE)
    def reset(self, place: int) -> None:
        """Note that the activity continues in another run."""
        ref = ActivityRef(tenant_id=self.tenant.id, id=self.ids[place])
        self.rows(run_note_statement(ref, str(uuid4()), EventType.RUN_RESET, "tester", key_id=None))

    @rule(is_active=st.booleans())
    def claim(self, is_active: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
        """Claim what is due; a target that was lost makes it UNRESOLVED."""
        owner = (CommerceUser.tenant_id == self.tenant.id, CommerceUser.id == self.tenant.owner_id)
        self.rows(update(CommerceUser).where(*owner).values(is_active=is_active))
        of_all = (self.tenant.id, [Channel.WHATSAPP], list(ActivityType), 9, timedelta(minutes=5), "robot", "tester")
        self.rows(EXPIRE_STATEMENT, Claim(*of_all).parameters())
        taken = self.rows(CLAIM_STATEMENT, Claim(*of_all).parameters())
        self.rows(update(CommerceUser).where(*owner).values(is_active=True))
        self.tokens += [row.lease_token for row in taken if row.status == "DISPATCHED"]

    @rule(place=ONE)
    def mark_again_after_a_claim(self, place: int) -> None:
        """Claim the activity, lose its target, assign another, and mark it ahead of a later time."""
        self.change(place, ExecuteNow(), False)  # noqa: FBT003
        self.claim(is_active=True)
        self.let_leases_end()
        self.claim(is_active=False)
        self.assign(place)
        self.change(place, Reschedule(scheduled_at=datetime(2031, 1, 1, tzinfo=UTC)), False)  # noqa: FBT003
        self.mark(place)

    @rule(place=ONE)
    def assign(self, place: int) -> None:
        """Assign a user where the target was lost."""
        these = (TargetUser.tenant_id == self.tenant.id, TargetUser.activity_id == self.ids[place])
        ((target,),) = self.rows(select(TargetUser.id).where(*these))
        self.change(place, AssignTarget(target_user_id=target, commerce_user_id=self.tenant.owner_id), False)  # noqa: FBT003

    @rule()
    def let_leases_end(self) -> None:
        """Let every lease run out; it is written later."""
        leased = (ScheduledActivity.tenant_id == self.tenant.id, ScheduledActivity.status == "DISPATCHED")
        self.rows(update(ScheduledActivity).where(*leased).values(lease_expires_at=func.clock_timestamp()))

    @rule(ends=st.booleans(), place=ONE)
    def keep_lease(self, ends: bool, place: int) -> None:  # noqa: FBT001 - Hypothesis draws it
        """Extend or release an executor's latest lease."""
        for token in self.tokens[-1 - place :]:
            extend = leases.extend_lease_statement(self.tenant.id, token, timedelta(minutes=5), TESTER)
            self.rows(leases.release_lease_statement(self.tenant.id, token, TESTER, None) if ends else extend)

    @rule(place=ONE, status=st.sampled_from(ResultStatus), hard_override=st.booleans())
    def report(self, place: int, status: ResultStatus, hard_override: bool) -> None:  # noqa: FBT001
        """Report a result of the latest lease, in time or late."""
        self.run(self._report(self.ids[place], status, hard_override=hard_override))

    async def _report(self, activity: UUID, status: ResultStatus, *, hard_override: bool) -> None:
        said = ReportedResult(
            status=status, fingerprint=str(uuid4()), occurred_at=datetime.now(UTC), hard_override=hard_override
        )
        async with self.engine.begin() as connection:
            await connection.execute(results.activity_statement(self.tenant.id, activity).with_for_update())
            await connection.execute(leases.expire_leases_statement(address(self.tenant.id, activity)))
            judged = results.judged_activity_statement(self.tenant.id, activity)
            seen = await fetch_row(connection, results.JudgedActivity, judged)
            assert seen is not None
            verdict = judge(seen.as_hand_off(), said)
            if isinstance(verdict, Accepted):
                values = said.model_dump(include={"status", "fingerprint", "occurred_at", "hard_override"})
                new = results.NewResult(seen.result_id, values, "tester", None, None)
                await connection.execute(results.record_result_statement(new, seen, verdict))

    @rule()
    def pause(self) -> None:
        """Pause the tenant."""
        self.rows(pauses.pause_statement(self.tenant.id, "counting", "tester"))

    @rule()
    def resume(self) -> None:
        """Resume the tenant; what was held becomes due."""
        self.run(self._resume())

    async def _resume(self) -> None:
        async with self.engine.begin() as connection:
            paused = await fetch_row(connection, pauses.LockedPause, pauses.lock_pause_statement(self.tenant.id))
            if paused:
                await connection.execute(pauses.release_held_statement(paused, paused.now, None, "tester"))
                await connection.execute(pauses.end_pause_statement(self.tenant.id))

    @invariant()
    def every_trail_is_a_chain(self) -> None:
        """Check that each visible event begins with the status that the one before has left, up to the row's own."""
        for activity in self.ids:
            of_activity = (StatusEvent.tenant_id == self.tenant.id, StatusEvent.activity_id == activity)
            columns = (StatusEvent.number, StatusEvent.event_type, StatusEvent.from_status, StatusEvent.to_status)
            trail = select(*columns).where(*of_activity).order_by(StatusEvent.number)
            seen, written = self.rows(trail.where(EVENT_IS_VISIBLE)), self.rows(trail)
            row = self.rows(select(MARKED_STATUS).where(address(self.tenant.id, activity)))
            assert [one.from_status for one in seen] == [None, *(one.to_status for one in seen)][: len(seen)]
            assert [seen[-1].to_status] == [status for (status,) in row] if seen else row == []
            assert seen == written[: len(seen)]
            assert [one.event_type for one in written[len(seen) :]] in ([], ["DUE"])


def test_each_event_follows_from_the_one_before(postgres: Postgres) -> None:
    engine = create_async_engine(new_database(postgres), pool_size=1)
    with asyncio.Runner() as runner:

        class OnThisServer(TrailMachine):
            def __init__(self) -> None:
                super().__init__(runner, engine)

        run_state_machine_as_test(
            OnThisServer,
            settings=settings(
                max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
        runner.run(engine.dispose())
