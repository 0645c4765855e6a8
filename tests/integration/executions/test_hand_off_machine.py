"""The hand-off as a state machine on real PostgreSQL: in whatever order, nothing is done twice and nothing is stuck."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db import changes, leases, results
from db.claims import CLAIM_STATEMENT, Claim
from db.models import ScheduledActivity, StatusEvent
from db.rows import address, fetch_row
from embedded.postgres import Postgres
from tests.support.builders import Tenant, insert_tenant
from tests.support.hand_off import insert_rows
from tests.support.worlds import new_database
from workflows.hand_off import FINISHED, Accepted, ReportedResult, ResultStatus, judge
from workflows.messages import Apply, Cancel, RejectedError
from workflows.words import ActivityStatus, ActivityType, Channel

Held = tuple[UUID, UUID]
"""An activity and the token of a lease of it, old or new."""

GIVEN_BACK = {"LEASE_EXPIRED", "LEASE_RELEASED"}

TESTER = leases.Sender("tester", None)


@dataclass
class Expected:
    """The expected state of one activity."""

    holder: UUID | None = None
    last: UUID | None = None
    finished: bool = False
    expired: int = 0


@dataclass
class Model:
    """The expected state of all activities."""

    of: dict[UUID, Expected] = field(default_factory=dict)

    def free(self) -> set[UUID]:
        """Return the activities that a claim may take, and must take if the limit allows."""
        return {key for key, one in self.of.items() if one.holder is None and not one.finished}

    def in_turn(self, limit: int) -> list[UUID]:
        """Return what a claim takes: all have the same score and are due since the same time."""
        order = sorted(self.free())[:limit]
        last = [self.of[key].expired == leases.MAX_ATTEMPTS - 1 for key in order]
        return order[: max(1, last.index(True))] if True in last else order


class HandOffMachine(RuleBasedStateMachine):
    """Executors, operators and the passing of time, one step at a time."""

    tokens = Bundle("tokens")

    def __init__(self, runner: asyncio.Runner, engine: AsyncEngine) -> None:
        super().__init__()
        self.runner = runner
        self.engine = engine
        self.model = Model()
        self.tenant = self.run(self._tenant())

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        """Do it now."""
        return self.runner.run(step)

    async def _tenant(self) -> Tenant:
        async with self.engine.begin() as connection:
            return await insert_tenant(connection)

    async def _rows(self, statement: Any, parameters: dict[str, Any] | None = None) -> list[Any]:
        async with self.engine.begin() as connection:
            answer = await connection.execute(statement, parameters)
            return list(answer.all()) if answer.returns_rows else []

    @initialize(count=st.integers(4, 8), score=st.sampled_from([None, 1, 2]))
    def become_due(self, count: int, score: int | None) -> None:
        """Marks come true."""

        async def insert() -> None:
            async with self.engine.begin() as connection:
                await insert_rows(connection, self.tenant.id, count, prefix=str(uuid4()), score=score)

        self.run(insert())
        for (key,) in self.run(self._rows(select(ScheduledActivity.id).where(self._mine))):
            self.model.of.setdefault(key, Expected())

    @property
    def _mine(self) -> Any:
        return ScheduledActivity.tenant_id == self.tenant.id

    @rule(target=tokens, limit=st.integers(1, 8))
    def take(self, limit: int) -> MultipleResults[Held]:
        """Claim, and expect the free activities in their order, up to the limit or to one that has its last lease."""
        self.reconcile()
        free = self.model.free()
        wanted = Claim(
            self.tenant.id, [Channel.WHATSAPP], list(ActivityType), limit, timedelta(minutes=5), "robot", "tester"
        )
        taken = self.run(self._rows(CLAIM_STATEMENT, wanted.parameters()))
        assert {row.id for row in taken} <= free
        assert [row.id for row in taken] == self.model.in_turn(limit)
        for row in taken:
            self.model.of[row.id].holder = self.model.of[row.id].last = row.lease_token
        return multiple(*((row.id, row.lease_token) for row in taken))

    @rule(held=tokens)
    def extend(self, held: Held) -> None:
        """Only who has it can."""
        key, token = held
        rows = self.run(self._rows(leases.extend_lease_statement(self.tenant.id, token, timedelta(minutes=5), TESTER)))
        assert bool(rows) == (self.model.of[key].holder == token)

    @rule(held=tokens)
    def release(self, held: Held) -> None:
        """Only who has it can."""
        key, token = held
        rows = self.run(self._rows(leases.release_lease_statement(self.tenant.id, token, TESTER, None)))
        assert bool(rows) == (self.model.of[key].holder == token)
        if rows:
            self.model.of[key].holder = None

    @rule(held=tokens, is_seen=st.booleans())
    def run_out(self, held: Held, is_seen: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
        """Let an executor's lease run out; it is noticed at once, or at the next claim."""
        key, token = held
        expected = self.model.of[key]
        if expected.holder == token:
            now = update(ScheduledActivity).where(self._mine, ScheduledActivity.id == key)
            self.run(self._rows(now.values(lease_expires_at=func.clock_timestamp())))
            expected.holder, expected.expired = None, expected.expired + 1
            expected.finished = expected.expired >= leases.MAX_ATTEMPTS
        if is_seen:
            self.reconcile()

    @rule(target=tokens, held=tokens)
    def take_over(self, held: Held) -> MultipleResults[Held]:
        """One was killed, and others go on."""
        self.run_out(held, is_seen=False)
        return self.take(8)

    @rule()
    def reconcile(self) -> None:
        """Expect the end of each expired lease to be written."""
        self.run(self._rows(leases.expire_leases_statement(self._mine)))

    @rule(held=tokens)
    def cancel(self, held: Held) -> None:
        """Cancel an activity, which works only while no executor holds it."""
        expected = self.model.of[held[0]]
        if self.run(self._canceled(held[0])):
            assert expected.holder is None
            assert not expected.finished
            expected.finished = True

    async def _canceled(self, key: UUID) -> bool:
        wanted = Apply(tenant_id=self.tenant.id, id=key, key=str(uuid4()), actor="tester", change=Cancel())
        try:
            async with self.engine.begin() as connection:
                before = await changes.lock_activity(connection, wanted)
                await changes.apply_change(connection, wanted)
        except RejectedError:
            return False
        return before.status is not ActivityStatus.CANCELED

    @rule(held=tokens, status=st.sampled_from(ResultStatus), hard_override=st.booleans())
    def report(self, held: Held, status: ResultStatus, hard_override: bool) -> None:  # noqa: FBT001
        """In time, late, or too late."""
        key, token = held
        expected = self.model.of[key]
        accepted = self.run(self._report(key, token, status, hard_override=hard_override))
        if accepted is None:
            assert expected.finished or expected.last != token
        elif not expected.finished:
            assert expected.last == token
            if accepted.to_status in FINISHED:
                expected.finished, expected.holder = True, None

    async def _report(self, key: UUID, token: UUID, status: ResultStatus, *, hard_override: bool) -> Accepted | None:
        said = ReportedResult(
            status=status,
            fingerprint=str(uuid4()),
            occurred_at=datetime.now(UTC),
            hard_override=hard_override,
            lease_token=token,
        )
        async with self.engine.begin() as connection:
            await connection.execute(results.activity_statement(self.tenant.id, key).with_for_update())
            await connection.execute(leases.expire_leases_statement(address(self.tenant.id, key)))
            judged = results.judged_activity_statement(self.tenant.id, key)
            seen = await fetch_row(connection, results.JudgedActivity, judged)
            assert seen is not None
            verdict = judge(seen.as_hand_off(), said)
            if not isinstance(verdict, Accepted):
                return None
            values = said.model_dump(include={"status", "fingerprint", "occurred_at", "hard_override"})
            await connection.execute(
                results.record_result_statement(
                    results.NewResult(seen.result_id, values, "tester", None, None), seen, verdict
                )
            )
            return verdict

    def every_trail_is_a_chain(self) -> None:
        """Check that events follow one another up to the row's status, and that no leases overlap."""
        statement = (
            select(StatusEvent.activity_id, StatusEvent.event_type, StatusEvent.from_status, StatusEvent.to_status)
            .where(StatusEvent.tenant_id == self.tenant.id)
            .order_by(StatusEvent.activity_id, StatusEvent.number)
        )
        stands: dict[UUID, str] = {}
        before: dict[UUID, str] = {}
        for event in self.run(self._rows(statement)):
            assert event.from_status == stands.get(event.activity_id, "DUE")
            if event.event_type == "DISPATCHED":
                assert before.get(event.activity_id, "LEASE_EXPIRED") in GIVEN_BACK
            if event.event_type not in {"LEASE_EXTENDED", "RESULT_RECEIVED"}:
                before[event.activity_id] = event.event_type
            stands[event.activity_id] = event.to_status
        for row in self.run(self._rows(select(ScheduledActivity.id, ScheduledActivity.status).where(self._mine))):
            assert row.status == stands.get(row.id, "DUE")

    def teardown(self) -> None:
        """Nothing is stuck: with executors that only die, everything ends within the attempts it has."""
        for _ in range(leases.MAX_ATTEMPTS + len(self.model.of)):  # each is claimed alone for its last lease
            all_out = update(ScheduledActivity).where(self._mine, ScheduledActivity.status == ActivityStatus.DISPATCHED)
            self.run(self._rows(all_out.values(lease_expires_at=func.clock_timestamp())))
            self.reconcile()
            wanted = Claim(self.tenant.id, [Channel.WHATSAPP], list(ActivityType), 100, timedelta(minutes=5), "r", "t")
            self.run(self._rows(CLAIM_STATEMENT, wanted.parameters()))
        self.every_trail_is_a_chain()
        left = self.run(self._rows(select(ScheduledActivity.status).where(self._mine)))
        assert {row.status for row in left} <= set(FINISHED)


def test_nothing_is_executed_twice_without_a_lease_given_back_in_between_and_nothing_is_stuck(
    postgres: Postgres,
) -> None:
    engine = create_async_engine(new_database(postgres), pool_size=1)
    with asyncio.Runner() as runner:

        class OnThisServer(HandOffMachine):
            def __init__(self) -> None:
                super().__init__(runner, engine)

        run_state_machine_as_test(
            OnThisServer,
            settings=settings(
                max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
        runner.run(engine.dispose())
