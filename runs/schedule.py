"""How reconciliation comes round: a Temporal Schedule, made by whichever worker starts first; not for workflows."""

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
"""A round costs the same however many sleep: three pages of 200 rows, so a million are gone through in two days."""


async def ensure_schedule(client: Client, every: timedelta) -> None:
    """See to it that reconciliation runs that often; whether an operator has paused it is left as it is."""
    wanted = _schedule(every)
    try:
        await client.create_schedule(SCHEDULE_ID, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(SCHEDULE_ID).update(lambda seen: _as_wanted(seen, wanted))


def _schedule(every: timedelta) -> Schedule:
    """A round that takes longer than the period puts the next one off; rounds that were missed aren't made up for."""
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


def _as_wanted(seen: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    """What an earlier version has asked for is replaced as well."""
    wanted.state = seen.description.schedule.state
    return ScheduleUpdate(schedule=wanted)
