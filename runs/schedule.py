"""Create the Temporal Schedules that start rounds of reconciliation again and again."""

from datetime import timedelta
from functools import partial

from temporalio.client import (
    Client,
    Schedule,
    ScheduleAction,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from runs.client import TASK_QUEUE
from runs.payloads import first_key_id, read_key_id
from workflows.findings import Part, Reconcile
from workflows.reconciliation import ReconciliationWorkflow

SCHEDULE_ID = "reconciliation"
SCHEDULE_IDS = {Part.ROWS: SCHEDULE_ID, Part.LISTS: "reconciliation-lists"}
"""The schedule of each part of a round. Temporal's lists may stand still for minutes; leases can't wait for them."""
PAGES = 2
"""The most pages of a step in a round. A round costs the same for any number of sleepers, and passes a million of them
in two days."""
LISTED_PAGES = 10
"""The same for a list: 5,000 runs."""
LONGEST_ROUND = timedelta(minutes=30)
"""The time after which Temporal ends a round that does not end by itself: the next one starts only then."""


async def ensure_schedule(client: Client, part: Part, every: timedelta, *, is_current: bool = False) -> None:
    """Create the schedule of a part, or update one that differs; a pause that an operator has set stays.

    With `is_current`, an existing one is known to be of this version, and is not read.
    """
    wanted = _build_schedule(part, every)
    try:
        await client.create_schedule(SCHEDULE_IDS[part], wanted)
    except ScheduleAlreadyRunningError:
        if not is_current:
            handle = client.get_schedule_handle(SCHEDULE_IDS[part])
            await handle.update(partial(_replace_schedule, wanted=wanted, client=client))


def _build_schedule(part: Part, every: timedelta) -> Schedule:
    """Build the schedule: rounds never overlap, and rounds that were missed are not made up for."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ReconciliationWorkflow.run,
            Reconcile(parts=(part,), pages=PAGES, listed_pages=LISTED_PAGES),
            id=SCHEDULE_IDS[part],
            task_queue=TASK_QUEUE,
            execution_timeout=LONGEST_ROUND,
            static_summary=f"compares {part} with their counterparts",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )


async def _replace_schedule(seen: ScheduleUpdateInput, wanted: Schedule, client: Client) -> ScheduleUpdate | None:
    """Replace everything but the state, which holds an operator's pause; return None if nothing differs.

    Temporal carries out an update after a pause that comes with it: an update that changes nothing would undo one.
    """
    found = seen.description.schedule
    wanted.state = found.state
    is_same = (found.spec, found.policy) == (wanted.spec, wanted.policy)
    is_same = is_same and await _do_the_same(found.action, wanted.action, client)
    return None if is_same else ScheduleUpdate(schedule=wanted)


async def _do_the_same(found: ScheduleAction, wanted: ScheduleAction, client: Client) -> bool:
    """Return whether two actions start the same run, from arguments that are encrypted with the key of today."""
    if not (isinstance(found, ScheduleActionStartWorkflow) and isinstance(wanted, ScheduleActionStartWorkflow)):
        return False
    if {read_key_id(argument) for argument in found.args} != {first_key_id(client)}:
        return False
    names = ("workflow", "id", "task_queue", "execution_timeout")
    plain = client.data_converter.payload_converter
    arguments = plain.from_payloads(plain.to_payloads(wanted.args))
    return (
        all(getattr(found, name) == getattr(wanted, name) for name in names)
        and await client.data_converter.decode(found.args) == arguments
    )
