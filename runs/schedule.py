"""Create the Temporal Schedule that starts a round of reconciliation again and again."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
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
from workflows.findings import Reconcile
from workflows.reconciliation import ReconciliationWorkflow

SCHEDULE_ID = "reconciliation"
PAGES = 2
"""The pages of a round, after the soonest one. A round costs the same for any number of sleepers, and passes a million
of them in two days."""


async def ensure_schedule(client: Client, every: timedelta) -> None:
    """Create the schedule, or update an earlier version's; a pause that an operator has set stays."""
    wanted = _build_schedule(every)
    try:
        await client.create_schedule(SCHEDULE_ID, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(SCHEDULE_ID).update(lambda seen: _replace_schedule(seen, wanted))


def _build_schedule(every: timedelta) -> Schedule:
    """Build the schedule: rounds never overlap, and rounds that were missed are not made up for."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ReconciliationWorkflow.run,
            Reconcile(pages=PAGES, ended_within_seconds=10 * every.total_seconds()),
            id=SCHEDULE_ID,
            task_queue=TASK_QUEUE,
            static_summary="compares open rows with open runs",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )


def _replace_schedule(seen: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    """Replace everything but the state, which holds an operator's pause."""
    wanted.state = seen.description.schedule.state
    return ScheduleUpdate(schedule=wanted)
