"""Plant a violation of each invariant of a chaos run in a clean record, and find it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chaos.faults import FULL_DISK, KINDS, WRONG_CLOCKS, list_left_out, plan
from chaos.invariants import INVARIANTS, audit
from chaos.record import Answer, Click, Event, Operation, Record, Result, Row, Run

TENANT, OTHER = "tenant", "other"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def answer(action: str, moment: float, status: int | None = 200, **known: Any) -> Answer:
    """An answer a second after its request; its call is named by action and time."""
    defaults: dict[str, Any] = {"call": f"call-{action}-{moment:g}", "tenant": TENANT, "answered_at": at(moment + 1)}
    return Answer(action=action, sent_at=at(moment), status=status, **(defaults | known))


def creation(activity: str | None, status: int = 201, **known: Any) -> Answer:
    key = known.pop("key", f"key-{activity}")
    return answer("create", 0, status, activity=activity, sent={"idempotency_key": key}, **known)


def row(activity: str, status: str, **known: Any) -> Row:
    run = f"{TENANT}:key-{activity}"
    defaults: dict[str, Any] = {
        "key": f"key-{activity}",
        "scheduled_at": at(10),
        "version": 9,
        "run": run,
        "tenant": TENANT,
    }
    return Row(id=activity, status=status, **(defaults | known))


def trail(*steps: str | tuple[str, float, dict[str, Any]]) -> tuple[Event, ...]:
    """Events as `type status`, each from the status of the one before, five seconds apart."""
    events: list[Event] = []
    for n, step in enumerate(steps):
        said, seconds, known = (step, 5.0 * n, {}) if isinstance(step, str) else step
        kind, status = said.split()
        events.append(Event(kind, events[-1].to_status if events else None, status, at(seconds), **known))
    return tuple(events)


def claimed(activity: str, until: float, *, holder: str = "one", attempt: int = 1) -> dict[str, Any]:
    return {"id": activity, "attempt": attempt, "leaseToken": holder, "leaseExpiresAt": at(until).isoformat()}


def moved_to(seconds: float) -> dict[str, Any]:
    return {"scheduledAt": {"before": at(0).isoformat(), "after": at(seconds).isoformat()}}


EXECUTED, CANCELED, ASLEEP, MOVED, NOW = "executed", "canceled", "asleep", "moved", "now"
CLEAN = Record(
    answers=(
        *(creation(one) for one in (EXECUTED, CANCELED, MOVED, NOW)),
        creation(ASLEEP, 202),
        answer("create faulty", 0, 400, sent={"idempotency_key": "key-faulty"}),
        creation(None, 409, key="key-asleep", body={"activity": {"id": ASLEEP}, "sameRequest": True}),
        answer("read", 2, activity=EXECUTED, body={"status": "READY"}, version=1),
        answer("cancel", 5, activity=CANCELED, body={"status": "CANCELED"}, version=2),
        answer("cancel", 8, activity=CANCELED, body={"status": "CANCELED"}, version=2),
        answer("reschedule", 5, 202, activity=MOVED, body={"status": "READY"}),
        answer("score", 5, 409, activity=CANCELED),
        answer("score", 6, 503, activity=CANCELED, body={"detail": "Nothing was changed."}, retry_after=True),
        answer("execute now", 5, activity=NOW, body={"status": "DUE"}),
        answer("read", 8, activity=EXECUTED, body={"status": "READY"}, version=2),
        answer("pause", 100, tenant=OTHER),
        answer("resume", 110, tenant=OTHER),
        answer("claim", 12, body={"data": [claimed(EXECUTED, 20)]}),
        answer("extend", 16, body={"activityId": EXECUTED, "attempt": 1, "leaseExpiresAt": at(30).isoformat()}),
        answer("result", 19, 201, sent={"external_status": "result-1"}),
        answer("bulk reschedule", 3, 202, body={"id": "operation"}),
        answer("stop", 30, body={"id": "operation", "counts": {"applied": 1}}),
        answer("read", 9, None, activity=EXECUTED),
    ),
    rows=(
        row(EXECUTED, "COMPLETED"),
        row(CANCELED, "CANCELED"),
        row(ASLEEP, "READY"),
        row(MOVED, "READY"),
        row(NOW, "DUE"),
        row("later", "READY", key="follow-up:result"),
    ),
    trails={
        EXECUTED: trail(
            "CREATED READY",
            ("DUE DUE", 10, {}),
            ("DISPATCHED DISPATCHED", 13, {"details": {"attempt": 1}}),
            ("RESULT_RECEIVED COMPLETED", 19, {"details": {"resultId": "result"}}),
        ),
        CANCELED: trail(
            "CREATED READY",
            ("CANCELED CANCELED", 5, {"actor": "call-cancel-5"}),
            ("CHANGE_REFUSED CANCELED", 6, {"actor": "call-score-5"}),
        ),
        ASLEEP: trail("CREATED READY"),
        MOVED: trail(
            "CREATED READY",
            ("RESCHEDULED READY", 5, {"actor": "call-reschedule-5", "details": moved_to(5)}),
            ("RESCHEDULED READY", 6, {"actor": "call-bulk reschedule-3", "details": moved_to(10)}),
        ),
        NOW: trail("CREATED READY", ("DUE DUE", 6, {"actor": "call-execute now-5", "details": {"executeNow": True}})),
        "later": trail("CREATED READY"),
    },
    runs=(
        Run(f"{TENANT}:key-executed", "COMPLETED", failed_tasks=("RESET_WORKFLOW chaos",)),
        *(Run(f"{TENANT}:key-{one}", "RUNNING") for one in (ASLEEP, MOVED, "later")),
    ),
    clicks=(Click(f"{TENANT}:key-executed", "reset", at(1)),),
    operations=(
        Operation("operation", "STOPPED", "call-bulk reschedule-3", {MOVED: "APPLIED", ASLEEP: "PENDING"}, at(20)),
    ),
    results=(Result("result", EXECUTED, "result-1", "COMPLETED", None, at(60), "later", None),),
)
"""One of everything that a run may leave behind."""


def with_answer(*answers: Answer) -> Record:
    return replace(CLEAN, answers=(*CLEAN.answers, *answers))


def without_answers(action: str) -> Record:
    return replace(CLEAN, answers=tuple(one for one in CLEAN.answers if one.action != action))


def without_row(activity: str) -> Record:
    return replace(CLEAN, rows=tuple(one for one in CLEAN.rows if one.id != activity))


def with_row(added: Row) -> Record:
    return replace(without_row(added.id), rows=(*without_row(added.id).rows, added))


def with_trail(activity: str, *steps: str | tuple[str, float, dict[str, Any]]) -> Record:
    return replace(CLEAN, trails={**CLEAN.trails, activity: trail(*steps)})


def with_events(activity: str, *added: Event) -> Record:
    return replace(CLEAN, trails={**CLEAN.trails, activity: (*CLEAN.trails[activity], *added)})


def with_operation(**changes: Any) -> Record:
    return replace(CLEAN, operations=tuple(replace(one, **changes) for one in CLEAN.operations))


def with_result(**changes: Any) -> Record:
    return replace(CLEAN, results=(*CLEAN.results, replace(CLEAN.results[0], **changes)))


PLANTED: tuple[tuple[str, Record], ...] = (
    ("accepted_creation_has_its_row", without_row(EXECUTED)),
    ("accepted_creation_has_its_row", replace(without_row(ASLEEP), runs=())),
    ("accepted_creation_has_its_row", with_row(row(EXECUTED, "COMPLETED", key="another"))),
    ("key_has_one_row", with_row(row("twin", "READY", key="key-asleep"))),
    ("refused_creation_has_no_row", with_row(row("faulty", "READY"))),
    (
        "refused_creation_has_no_row",
        with_answer(creation(None, 500, key="key-asleep", body={"detail": "The activity could not be created."})),
    ),
    ("sound_request_is_not_refused", with_answer(creation(None, 404, key="key-unheard"))),
    ("sound_request_is_not_refused", with_answer(answer("claim", 9, 400))),
    ("sound_request_is_not_refused", with_answer(answer("cancel", 9, 401, activity=MOVED))),
    (
        "conflict_names_the_activity",
        with_answer(creation(None, 409, key="key-moved", body={"activity": {"id": ASLEEP}, "sameRequest": True})),
    ),
    (
        "conflict_names_the_activity",
        with_answer(creation(None, 409, key="key-moved", body={"activity": {"id": MOVED}, "sameRequest": False})),
    ),
    ("accepted_change_is_decided", with_answer(answer("cancel", 7, 202, activity=MOVED))),
    ("confirmed_change_is_written", with_answer(answer("score", 7, activity=MOVED))),
    ("confirmed_change_is_written", with_answer(answer("cancel", 7, activity=MOVED))),
    ("confirmed_change_is_written", with_answer(answer("execute now", 7, activity=ASLEEP))),
    (
        "refused_change_is_not_applied",
        with_events(CANCELED, Event("RESCHEDULED", "CANCELED", "CANCELED", at(9), "call-score-5")),
    ),
    (
        "refused_change_is_not_applied",
        with_events(CANCELED, Event("RESCHEDULED", "CANCELED", "CANCELED", at(9), "call-score-6")),
    ),
    (
        "call_changes_once",
        with_events(MOVED, Event("RESCHEDULED", "READY", "READY", at(9), "call-reschedule-5")),
    ),
    (
        "canceled_is_never_executed",
        with_trail(CANCELED, "CREATED READY", "CANCELED CANCELED", "DUE DUE", "DISPATCHED DISPATCHED"),
    ),
    ("activity_is_marked_once", with_trail(NOW, "CREATED READY", "DUE DUE", "CANCELED CANCELED", "DUE DUE")),
    ("nothing_happens_early", with_trail(EXECUTED, "CREATED READY", ("DUE DUE", 9.9, {}))),
    (
        "nothing_happens_early",
        with_trail(EXECUTED, "CREATED READY", ("DUE DUE", 10, {}), ("DISPATCHED DISPATCHED", 9.9, {})),
    ),
    (
        "nothing_happens_in_a_pause",
        with_answer(answer("pause", 8), answer("resume", 14)),
    ),
    ("nothing_happens_in_a_pause", with_answer(answer("pause", 11))),
    (
        "lease_has_one_holder",
        with_answer(answer("claim", 12.5, body={"data": [claimed(EXECUTED, 20, holder="another")]})),
    ),
    ("lease_has_one_holder", with_answer(answer("claim", 12.5, body={"data": [claimed(EXECUTED, 20)]}))),
    (
        "lease_has_one_holder",
        with_trail(
            EXECUTED,
            "CREATED READY",
            "DUE DUE",
            ("DISPATCHED DISPATCHED", 13, {"details": {"attempt": 1}}),
            ("LEASE_EXPIRED DUE", 29, {}),
        ),
    ),
    (
        "lease_has_one_holder",
        with_trail(
            EXECUTED,
            "CREATED READY",
            "DUE DUE",
            ("DISPATCHED DISPATCHED", 13, {"details": {"attempt": 1}}),
            ("DISPATCHED DISPATCHED", 29, {"details": {"attempt": 2}}),
        ),
    ),
    ("result_is_recorded_once", replace(CLEAN, results=())),
    ("result_is_recorded_once", with_result(id="twin", overrides="result")),
    ("result_is_recorded_once", with_answer(answer("result", 25, 201, sent={"external_status": "result-2"}))),
    (
        "result_is_recorded_once",
        replace(
            with_answer(answer("result", 25, 409, sent={"external_status": "result-2"})),
            results=(*CLEAN.results, Result("second", EXECUTED, "result-2", "PENDING")),
        ),
    ),
    ("result_counts_once", with_result(id="second", external="result-2")),
    ("result_counts_once", with_trail(EXECUTED, "CREATED READY")),
    ("follow_up_exists_once", replace(CLEAN, results=(replace(CLEAN.results[0], follow_up=None),))),
    ("follow_up_exists_once", without_row("later")),
    ("follow_up_exists_once", with_result(id="second", external="result-2", overrides="result", follow_up_at=None)),
    ("version_never_goes_back", with_answer(answer("read", 12, activity=EXECUTED, version=1))),
    ("version_never_goes_back", with_answer(answer("read", 12, activity=EXECUTED, version=10))),
    ("accepted_activity_is_found", with_answer(answer("read", 2, 404, activity=ASLEEP))),
    ("row_and_run_agree", replace(CLEAN, runs=CLEAN.runs[1:2])),
    ("row_and_run_agree", replace(CLEAN, runs=(*CLEAN.runs, Run(f"{TENANT}:key-now", "RUNNING")))),
    ("trail_is_gapless", with_events(MOVED, Event("RESCHEDULED", "DUE", "READY", at(9)))),
    ("trail_is_gapless", with_row(row(MOVED, "UNRESOLVED"))),
    ("trail_is_gapless", replace(CLEAN, trails={})),
    ("trail_is_gapless", with_trail(ASLEEP, "RESCHEDULED READY")),
    ("move_is_in_the_row", with_row(row(MOVED, "READY", scheduled_at=at(5)))),
    ("seen_status_is_in_the_trail", with_answer(answer("read", 2, activity=EXECUTED, body={"status": "DUE"}))),
    ("seen_status_is_in_the_trail", with_answer(answer("read", 9, activity=MOVED, body={"status": "DUE"}))),
    ("operation_outcomes_are_its_events", with_operation(items={MOVED: "REFUSED"})),
    ("operation_outcomes_are_its_events", with_operation(items={MOVED: "APPLIED", ASLEEP: "APPLIED"})),
    ("operation_outcomes_are_its_events", with_operation(items={MOVED: "APPLIED", ASLEEP: "ACCEPTED"})),
    ("operation_outcomes_are_its_events", with_operation(items={})),
    ("ended_operation_changes_nothing", with_operation(finished_at=at(5.5))),
    ("ended_operation_changes_nothing", with_operation(items={MOVED: "ACCEPTED"})),
    ("accepted_operation_exists", replace(CLEAN, operations=())),
    ("accepted_operation_exists", with_operation(finished_at=None)),
    ("errors_say_what_to_do", with_answer(answer("read", 9, 500, activity=MOVED))),
    ("errors_say_what_to_do", with_answer(answer("read", 9, 503, activity=MOVED))),
    (
        "workflow_tasks_succeed",
        replace(CLEAN, runs=(*CLEAN.runs, Run("x", "COMPLETED", "", ("NON_DETERMINISTIC_ERROR",)))),
    ),
    *(("load_was_carried_out", without_answers(action)) for action in ("create", "claim", "result")),
    ("everything_settles", replace(CLEAN, unsettled=("activity asleep is READY",))),
)


def test_a_clean_record_passes() -> None:
    assert {name: found for name, found in audit(CLEAN).items() if found} == {}


@pytest.mark.parametrize(("invariant", "record"), PLANTED, ids=[name for name, _ in PLANTED])
def test_a_planted_violation_is_found(invariant: str, record: Record) -> None:
    assert audit(record)[invariant]


def test_every_invariant_has_a_planted_violation() -> None:
    assert {name for name, _ in PLANTED} == {invariant.__name__ for invariant in INVARIANTS}


ALLOWED: tuple[tuple[str, Callable[[], Record]], ...] = (
    (
        "call_changes_once",  # a bulk operation tries a withdrawn change again, under another key
        lambda: with_events(MOVED, Event("CHANGE_WITHDRAWN", "READY", "READY", at(9), "call-bulk reschedule-3")),
    ),
    (
        "accepted_creation_has_its_row",
        lambda: replace(with_answer(creation("gone", 202)), clicks=(Click(f"{TENANT}:key-gone", "terminate", at(1)),)),
    ),
    (
        "accepted_change_is_decided",
        lambda: replace(
            with_answer(answer("score", 7, 202, activity=MOVED)),
            clicks=(Click(f"{TENANT}:key-moved", "terminate", at(8)),),
        ),
    ),
    (
        "nothing_happens_in_a_pause",
        lambda: with_answer(answer("resume", 4, None), answer("pause", 8), answer("resume", 14)),
    ),
    (
        "activity_is_marked_once",
        lambda: with_trail(NOW, "CREATED READY", "DUE DUE", "RESOLUTION_FAILED UNRESOLVED", "X READY", "DUE DUE"),
    ),
)


@pytest.mark.parametrize(("invariant", "record"), ALLOWED, ids=[name for name, _ in ALLOWED])
def test_what_a_promise_leaves_open_is_no_violation(invariant: str, record: Callable[[], Record]) -> None:
    assert audit(record())[invariant] == []


def test_the_page_of_promises_names_every_invariant() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    assert re.findall(r"\| `(\w+)` \|", page) == [invariant.__name__ for invariant in INVARIANTS]


def test_a_seed_decides_the_schedule_and_three_minutes_inject_every_kind() -> None:
    schedule = plan(7, 180)
    assert schedule == plan(7, 180) != plan(8, 180)
    assert {planned.kind for planned in schedule} == set(KINDS) - {FULL_DISK}
    assert all(planned.at + planned.seconds <= 180 for planned in schedule)


def test_what_was_not_injected_is_named_whatever_the_reason() -> None:
    injected = dict.fromkeys(KINDS, 1) | {"kill": 0, FULL_DISK: 0}
    assert list_left_out(injected, wrong_clocks=False) == [
        "kill",
        "full disk (--small-disk)",
        "clocks 5 minutes off (--libfaketime)",
    ]
    assert list_left_out(dict.fromkeys(KINDS, 1), wrong_clocks=True) == []
    assert list_left_out({}, wrong_clocks=False) == [
        *list(KINDS)[:-1],
        *list_left_out(injected, wrong_clocks=False)[1:],
    ]
    assert WRONG_CLOCKS not in KINDS
