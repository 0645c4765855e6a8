"""The promises that hold whatever dies, each a pure function from the record of a run to the violations it finds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from chaos.record import NOT_APPLIED, Answer, Event, Record

CREATIONS = ("create", "create differing")
CHANGES = ("cancel", "reschedule", "score", "execute now", "retry resolution", "assign target")
BULK = ("bulk cancel", "bulk reschedule")
OPEN = ("READY", "UNRESOLVED")
DECISIVE = ("COMPLETED", "TRANSFERRED", "NOT_EXECUTED", "CANCELED")
Lease = tuple[str, int]
"""An activity and the number of its claim."""

LONGEST_CALL = timedelta(seconds=60)
"""A call without an answer may still be carried out within this time: no freeze and no time-out is longer."""

SHOWN_PRECISION = timedelta(milliseconds=1)
"""Answers and trails show times with milliseconds, rows have microseconds."""

HARMLESS_TASK_FAILURES = ("RESET_WORKFLOW", "UNHANDLED_COMMAND", "FORCE_CLOSE_COMMAND")
"""Causes of failed workflow tasks that are part of Temporal's protocol: a reset, a race, a stop of the worker."""

OK, CREATED, ACCEPTED, BAD, NOT_FOUND, CONFLICT, TOO_MANY, FAILED, UNAVAILABLE = (
    200,
    201,
    202,
    400,
    404,
    409,
    429,
    500,
    503,
)
WRONG = (BAD, 401, 403, 405, 413, 415, 422)
NOTHING_CHANGED = "Nothing was changed"
NOT_CREATED = "could not be created"


def accepted_creation_has_its_row(record: Record) -> Iterator[str]:
    """Every 201 and 202 to a creation has a row under its id and key; only an operator can end the run of a 202."""
    for answer in record.of(*CREATIONS):
        if answer.status not in {CREATED, ACCEPTED}:
            continue
        row = record.row.get(answer.activity or "")
        if row and row.key != answer.sent["idempotency_key"]:
            yield f"{answer}: the row has the key {row.key}"
        if row is None and not (answer.status == ACCEPTED and _may_have_no_row(record, answer)):
            yield f"{answer}: no row"


def _may_have_no_row(record: Record, answer: Answer) -> bool:
    workflow = f"{answer.tenant}:{answer.sent.get('idempotency_key')}"
    return workflow in record.clicked or record.open_runs.get(workflow, 0) > 0


def key_has_one_row(record: Record) -> Iterator[str]:
    """No idempotency key of a tenant has two rows."""
    for (tenant, key), rows in record.rows_of_key.items():
        if len(rows) > 1:
            yield f"key {key} of tenant {tenant}: rows {', '.join(row.id for row in rows)}"


def refused_creation_has_no_row(record: Record) -> Iterator[str]:
    """A faulty creation never has a row, and neither has one that was answered "could not be created"."""
    for answer in record.of("create faulty", *CREATIONS):
        is_refused = answer.action == "create faulty" or (answer.status == FAILED and NOT_CREATED in answer.detail)
        if is_refused and (answer.tenant, answer.sent["idempotency_key"]) in record.rows_of_key:
            yield f"{answer}: it has a row"


def sound_request_is_not_refused(record: Record) -> Iterator[str]:
    """A valid request is never called wrong or forbidden; nor is a creation with a key of its own answered 404."""
    for answer in record.answers:
        is_creation, status = answer.action == "create", answer.status or 0
        is_refused = status in WRONG or (is_creation and BAD <= status < FAILED and status not in {CONFLICT, TOO_MANY})
        if is_refused and answer.action != "create faulty":
            yield str(answer)


def conflict_names_the_activity(record: Record) -> Iterator[str]:
    """A 409 to a creation names the activity that has the key, and says truly whether the request is the same."""
    for answer in record.of(*CREATIONS):
        if answer.status != CONFLICT:
            continue
        rows = record.rows_of_key.get((answer.tenant, answer.sent["idempotency_key"]), [])
        is_true = rows[0].id == answer.body["activity"]["id"] if rows else _may_have_no_row(record, answer)
        if not is_true:
            yield f"{answer}: the key has {[row.id for row in rows]}"
        if answer.body["sameRequest"] != (answer.action == "create"):
            yield f"{answer}: sameRequest is {answer.body['sameRequest']}"


def accepted_change_is_decided(record: Record) -> Iterator[str]:
    """A change that was answered 202 ends applied or refused, with an event, unless an operator has ended its run."""
    for answer in record.of(*CHANGES):
        is_decided = record.applied(answer) or record.refused(answer) or _was_canceled_before(record, answer)
        if answer.status == ACCEPTED and not is_decided and not _was_ended_by_operator(record, answer):
            yield f"{answer}: neither applied nor refused"


def confirmed_change_is_written(record: Record) -> Iterator[str]:
    """A change that was answered 200 is in the trail under its caller, an execute-now as the mark itself."""
    for answer in record.of(*CHANGES):
        if answer.status != OK or _was_canceled_before(record, answer):
            continue
        types = {event.type for event in record.applied(answer)}
        if not types or (answer.action == "execute now" and types != {"DUE"}):
            yield f"{answer}: the trail has {types or 'nothing'} of it"


def _was_canceled_before(record: Record, answer: Answer) -> bool:
    """Return whether a cancel found the activity canceled: it writes no second event."""
    canceled = (event for event in record.trail(answer.activity) if event.to_status == "CANCELED")
    return answer.action == "cancel" and any(event.at <= answer.answered_at for event in canceled)


def _was_ended_by_operator(record: Record, answer: Answer) -> bool:
    row = record.row.get(answer.activity or "")
    return row is not None and row.run in record.clicked


def refused_change_is_not_applied(record: Record) -> Iterator[str]:
    """A change that was answered 4xx, or "Nothing was changed, and nothing will be", is applied at no time."""
    for answer in record.of(*CHANGES):
        is_refused = BAD <= (answer.status or 0) < FAILED or NOTHING_CHANGED in answer.detail
        applied = [event.type for event in record.applied(answer)]
        if answer.action == "execute now":  # its 409 says why the activity became UNRESOLVED
            applied = [one for one in applied if one != "RESOLUTION_FAILED"]
        if is_refused and applied:
            yield f"{answer}: {applied} applied"


def call_changes_once(record: Record) -> Iterator[str]:
    """No call changes an activity twice, however often its step or its run is repeated."""
    for call, events in record.events_of_call.items():
        applied = Counter(activity for activity, event in events if event.type not in NOT_APPLIED)
        for activity, number in applied.items():
            if call.startswith("call-") and number > 1:
                yield f"{call} of {activity}: {[event.type for of, event in events if of == activity]}"


def canceled_is_never_executed(record: Record) -> Iterator[str]:
    """Nothing that was canceled is handed to an executor afterwards."""
    for activity, trail in record.trails.items():
        statuses = [event.to_status for event in trail]
        if "CANCELED" in statuses and "DISPATCHED" in statuses[statuses.index("CANCELED") :]:
            yield f"{activity}: {statuses}"


def activity_is_marked_once(record: Record) -> Iterator[str]:
    """An activity is marked once, unless it was made READY or UNRESOLVED again in between."""
    for activity, trail in record.trails.items():
        is_marked = False
        for event in trail:
            if event.type == "DUE" and is_marked:
                yield f"{activity}: marked again at {event.at}"
            is_marked = event.to_status not in OPEN and (is_marked or event.type == "DUE")


def nothing_happens_early(record: Record) -> Iterator[str]:
    """No activity is due or claimed before its time, unless it was executed now."""
    for activity, trail in record.trails.items():
        row, is_early = record.row.get(activity), False
        last_move = max((n for n, event in enumerate(trail) if event.type == "RESCHEDULED"), default=-1)
        for event in trail[last_move + 1 :]:
            is_early = is_early or (event.type == "DUE" and bool(event.details.get("executeNow")))
            if row and event.type in {"DUE", "DISPATCHED"} and event.at < row.scheduled_at and not is_early:
                yield f"{activity}: {event.type} at {event.at}, scheduled at {row.scheduled_at}"


def nothing_happens_in_a_pause(record: Record) -> Iterator[str]:
    """From the 200 to a pause until its end is asked for, no activity of the tenant becomes due or is claimed."""
    tenants = {row.id: row.tenant for row in record.rows}
    for tenant, since, until in _pauses(record):
        for activity, trail in record.trails.items():
            for event in trail:
                is_in_it = tenants.get(activity) == tenant and since < event.at < until
                if is_in_it and event.type in {"DUE", "DISPATCHED"}:
                    yield f"{activity}: {event.type} at {event.at}, in a pause from {since} to {until}"


def _pauses(record: Record) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield the pauses; not those during which an earlier end without an answer may still have been carried out."""
    for pause in record.of("pause"):
        ends = [end for end in record.of("resume") if end.tenant == pause.tenant]
        until = min(
            (end.sent_at for end in ends if end.sent_at > pause.sent_at),
            default=datetime.max.replace(tzinfo=UTC),
        )
        lost = [end for end in ends if end.status != OK and end.sent_at < pause.sent_at < end.sent_at + LONGEST_CALL]
        if pause.status == OK and not lost:
            yield pause.tenant, pause.answered_at, until


def lease_has_one_holder(record: Record) -> Iterator[str]:
    """No lease has two tokens or two claims, and none is over before the end that its holder was told."""
    holders: dict[Lease, set[tuple[str, str]]] = defaultdict(set)
    told: dict[Lease, datetime] = {}
    for lease, holder, until in _leases(record):
        told[lease] = max(told.get(lease, until), until)
        holders[lease] |= {holder} if holder else set()
    yield from (
        f"attempt {one[1]} of {one[0]}: {len(found)} holders" for one, found in holders.items() if len(found) > 1
    )
    for activity, trail in record.trails.items():
        yield from _leases_cut_short(activity, trail, told)


def _leases(record: Record) -> Iterator[tuple[Lease, tuple[str, str] | None, datetime]]:
    """Yield each lease and its end as claims and extensions were answered; a claim's with its token and its claim."""
    for answer in record.of("claim"):
        for claimed in answer.body.get("data", ()):
            holder = claimed["leaseToken"], answer.sent.get("claim_id") or answer.call
            yield (claimed["id"], claimed["attempt"]), holder, _time(claimed["leaseExpiresAt"])
    for answer in record.of("extend"):
        if answer.status == OK:
            body = answer.body
            yield (body["activityId"], body["attempt"]), None, _time(body["leaseExpiresAt"])


def _leases_cut_short(activity: str, trail: tuple[Event, ...], told: dict[Lease, datetime]) -> Iterator[str]:
    """Yield the leases that another claim or their expiry has ended before the end that was told."""
    held: datetime | None = None
    for event in trail:
        if event.type in {"DISPATCHED", "LEASE_EXPIRED", "DISPATCH_EXHAUSTED"} and held and event.at < held:
            yield f"{activity}: {event.type} at {event.at}, held until {held}"
        if event.type == "DISPATCHED":
            held = told.get((activity, event.details.get("attempt", 0)))
        elif event.from_status == "DISPATCHED" != event.to_status:
            held = None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def result_is_recorded_once(record: Record) -> Iterator[str]:
    """A result that was answered 200 or 201 is recorded exactly once, and one that was only refused is not."""
    stored = Counter(result.external for result in record.results)
    statuses: dict[str, set[int | None]] = defaultdict(set)
    for answer in record.of("result"):
        statuses[answer.sent["external_status"]].add(answer.status)
    for external, answered in statuses.items():
        least = int(bool(answered & {OK, CREATED}))
        most = int(any(status is None or status < BAD or status >= FAILED for status in answered))
        if not least <= stored[external] <= most:
            yield f"{external}: recorded {stored[external]} times, answered {answered}"


def result_counts_once(record: Record) -> Iterator[str]:
    """Every recorded result has one event, and an activity has one decisive result unless later ones override it."""
    decisive = Counter(one.activity for one in record.results if one.status in DECISIVE and one.overrides is None)
    yield from (f"{activity}: {number} decisive results" for activity, number in decisive.items() if number > 1)
    for result in record.results:
        events = [event for event in record.trail(result.activity) if event.details.get("resultId") == result.id]
        if len(events) != 1:
            yield f"result {result.id} of {result.activity}: {len(events)} events"


def follow_up_exists_once(record: Record) -> Iterator[str]:
    """A result that asks for a follow-up has one, or the reason why not; that of an overridden result is taken back."""
    overridden = {result.overrides for result in record.results}
    tenants = {row.id: row.tenant for row in record.rows}
    for result in record.results:
        rows = record.rows_of_key.get((tenants.get(result.activity, ""), f"follow-up:{result.id}"), [])
        if result.id in overridden:
            yield from (
                f"{row.id} of the overridden {result.id} is {row.status}"
                for row in rows
                if row.status in (*OPEN, "DUE")
            )
        elif result.follow_up_at and not result.follow_up_error and [row.id for row in rows] != [result.follow_up]:
            yield f"result {result.id}: follow-up {result.follow_up}, rows {[row.id for row in rows]}"


def version_never_goes_back(record: Record) -> Iterator[str]:
    """An ETag that was answered is never followed by a smaller one, neither in an answer nor in the row."""
    by_activity: dict[str, list[Answer]] = defaultdict(list)
    for answer in record.answers:
        if answer.version and answer.activity:
            by_activity[answer.activity].append(answer)
    for activity, answers in by_activity.items():
        yield from (str(later) for later in answers if later.version < _version_before(later, answers))
        row = record.row.get(activity)
        if row and row.version < max(one.version for one in answers):
            yield f"{activity}: its row has version {row.version}, which is less than was answered"


def _version_before(later: Answer, answers: list[Answer]) -> int:
    """Return the greatest version that was answered before the request was sent."""
    return max((one.version for one in answers if one.answered_at < later.sent_at), default=0)


def accepted_activity_is_found(record: Record) -> Iterator[str]:
    """No activity is unknown after its 201 or 202."""
    known = {one.activity: one.answered_at for one in record.of(*CREATIONS) if one.status in {CREATED, ACCEPTED}}
    for answer in record.of("read", *CHANGES):
        since = known.get(answer.activity)
        if answer.status == NOT_FOUND and since and since < answer.sent_at and answer.activity in record.row:
            yield str(answer)


def row_and_run_agree(record: Record) -> Iterator[str]:
    """An open row has exactly one open run, and a closed row has none."""
    for row in record.rows:
        expected, found = int(row.status in OPEN), record.open_runs.get(row.run, 0)
        if found != expected:
            yield f"{row.id} ({row.key}) is {row.status}, with {found} open runs"


def trail_is_gapless(record: Record) -> Iterator[str]:
    """Every trail begins with CREATED, each event goes on from the one before, and the last one ends at the row."""
    for row in record.rows:
        trail = record.trail(row.id)
        steps = [(event.from_status, event.to_status) for event in trail]
        is_gapless = all(before[1] == after[0] for before, after in pairwise(steps))
        if not trail or trail[0].type != "CREATED" or not is_gapless or trail[-1].to_status != row.status:
            shown = ", ".join(f"{event.type} {event.from_status}→{event.to_status}" for event in trail)
            yield f"{row.id} is {row.status}: {shown}"


def move_is_in_the_row(record: Record) -> Iterator[str]:
    """The time of every activity is the one that its last move says."""
    for row in record.rows:
        moves = [event.details["scheduledAt"]["after"] for event in record.trail(row.id) if _is_move(event)]
        if moves and abs(_time(moves[-1]) - row.scheduled_at) > SHOWN_PRECISION:
            yield f"{row.id} is scheduled at {row.scheduled_at}, its last move says {moves[-1]}"


def _is_move(event: Event) -> bool:
    return event.type == "RESCHEDULED" and "scheduledAt" in event.details


def seen_status_is_in_the_trail(record: Record) -> Iterator[str]:
    """No caller sees a status that the activity did not have, or did not have yet."""
    for answer in record.of("read", *CHANGES):
        status, trail = answer.body.get("status"), record.trail(answer.activity)
        if answer.status not in {OK, ACCEPTED} or not trail or status == "RESOLVING":
            continue
        if not any(event.to_status == status and event.at <= answer.answered_at for event in trail):
            yield f"{answer}: it saw {status}, the trail has {[(one.to_status, str(one.at)) for one in trail]}"


def operation_outcomes_are_its_events(record: Record) -> Iterator[str]:
    """An item of a bulk operation is APPLIED if and only if its trail has the change; an ACCEPTED one is decided."""
    for operation in record.operations:
        events: dict[str, list[str]] = {activity: [] for activity in operation.items}
        for activity, event in record.events_of_call.get(operation.actor, ()):
            events.setdefault(activity, []).append(event.type)
        for activity, types in events.items():
            outcome = operation.items.get(activity, "not chosen")
            was_canceled = any(event.to_status == "CANCELED" for event in record.trail(activity))
            if not _fits(outcome, types, was_canceled=was_canceled):
                yield f"operation {operation.id}: {activity} is {outcome}, its trail has {types}"


def _fits(outcome: str, types: list[str], *, was_canceled: bool) -> bool:
    """Return whether the events of an item's change fit its outcome; a second cancel writes none."""
    applied = [one for one in types if one not in NOT_APPLIED]
    if outcome == "APPLIED":
        return len(applied) == 1 or (not applied and was_canceled)
    return len(types) > 0 if outcome == "ACCEPTED" else not applied


def ended_operation_changes_nothing(record: Record) -> Iterator[str]:
    """After the end of a bulk operation nothing is changed by it, and the answer to its stop counts all of it."""
    applied: dict[str, int] = {}
    for operation in record.operations:
        applied[operation.id] = Counter(operation.items.values())["APPLIED"]
        for activity, event in record.events_of_call.get(operation.actor, ()):
            is_applied = operation.items.get(activity) == "APPLIED"
            if is_applied and operation.finished_at and event.at > operation.finished_at:
                yield f"{operation.id}, ended {operation.finished_at}: {event.type} of {activity} at {event.at}"
    for answer in record.of("stop"):
        if answer.status == OK and answer.body["counts"]["applied"] != applied.get(answer.body["id"]):
            yield f"{answer}: {answer.body['counts']} answered, {applied.get(answer.body['id'])} applied"


def accepted_operation_exists(record: Record) -> Iterator[str]:
    """A bulk operation that was answered 202 exists under its id, and has ended."""
    operations = {operation.id: operation for operation in record.operations}
    for answer in record.of(*BULK):
        if answer.status == ACCEPTED:
            found = operations.get(answer.body["id"])
            if found is None or found.finished_at is None:
                yield f"{answer}: {found.state if found else 'no operation'}"


def errors_say_what_to_do(record: Record) -> Iterator[str]:
    """No answer is a 5xx other than 503, and every 503 and 429 says when to try again."""
    for answer in record.answers:
        is_busy = answer.status in {UNAVAILABLE, TOO_MANY}
        if (answer.status or 0) >= FAILED and not is_busy:
            yield f"{answer} {dict(answer.body)}"
        if is_busy and not answer.retry_after:
            yield f"{answer}: no Retry-After"


def workflow_tasks_succeed(record: Record) -> Iterator[str]:
    """No workflow task has failed by non-determinism or another defect."""
    for run in record.runs:
        faults = [cause for cause in run.failed_tasks if not cause.startswith(HARMLESS_TASK_FAILURES)]
        if faults:
            yield f"{run.kind} {run.workflow}: {faults}"


def load_was_carried_out(record: Record) -> Iterator[str]:
    """Creations, claims and results were accepted: the audit of an idle run would say nothing."""
    for action in ("create", "claim", "result"):
        if not any(answer.status in {OK, CREATED, ACCEPTED} for answer in record.of(action)):
            yield f"no {action} was accepted"


def everything_settles(record: Record) -> Iterator[str]:
    """After the last fault everything that was accepted is done within four rounds of reconciliation."""
    yield from record.unsettled


INVARIANTS: tuple[Callable[[Record], Iterator[str]], ...] = (
    accepted_creation_has_its_row,
    key_has_one_row,
    refused_creation_has_no_row,
    sound_request_is_not_refused,
    conflict_names_the_activity,
    accepted_change_is_decided,
    confirmed_change_is_written,
    refused_change_is_not_applied,
    call_changes_once,
    canceled_is_never_executed,
    activity_is_marked_once,
    nothing_happens_early,
    nothing_happens_in_a_pause,
    lease_has_one_holder,
    result_is_recorded_once,
    result_counts_once,
    follow_up_exists_once,
    version_never_goes_back,
    accepted_activity_is_found,
    row_and_run_agree,
    trail_is_gapless,
    move_is_in_the_row,
    seen_status_is_in_the_trail,
    operation_outcomes_are_its_events,
    ended_operation_changes_nothing,
    accepted_operation_exists,
    errors_say_what_to_do,
    workflow_tasks_succeed,
    load_was_carried_out,
    everything_settles,
)


def audit(record: Record) -> dict[str, list[str]]:
    """Return the violations by the name of their invariant; every invariant is a key."""
    return {invariant.__name__: list(invariant(record)) for invariant in INVARIANTS}
