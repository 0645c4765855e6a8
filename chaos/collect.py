"""Wait until the system has settled, then read what PostgreSQL and Temporal hold into a record."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowExecution
from temporalio.service import RPCError

from chaos.faults import Faults
from chaos.load import Load
from chaos.record import Event, Operation, Record, Result, Row, Run
from chaos.stack import Stack
from runs.client import workflow_id

ROUNDS = 2
"""The rounds of reconciliation that begin after the last fault and end, at least."""
SETTLED_WITHIN_SECONDS = 250
AT_ONCE = 8

ROWS = "SELECT id, tenant_id, idempotency_key, status, scheduled_at, version FROM scheduled_activities"
EVENTS = "SELECT * FROM status_events ORDER BY number"
OPERATIONS = "SELECT id, state, actor, finished_at FROM bulk_operations"
ITEMS = "SELECT operation_id, activity_id, outcome FROM bulk_operation_items"
RESULTS = """
SELECT id, activity_id, external_status, status, overrides_id, follow_up_at, follow_up_id, follow_up_error
FROM activity_results ORDER BY id
"""
OPEN_WORK = """
SELECT format('%s %s is %s, due %s', 'activity', id, status, scheduled_at) FROM scheduled_activities
WHERE (status = 'READY' AND scheduled_at < now()) OR status = 'DISPATCHED' OR (status = 'DUE' AND marked_at > now())
UNION ALL SELECT format('operation %s is %s', id, state) FROM bulk_operations WHERE finished_at IS NULL
UNION ALL SELECT format('follow-up of result %s is missing', id) FROM activity_results AS made
WHERE follow_up_at IS NOT NULL AND follow_up_id IS NULL AND follow_up_error IS NULL
AND NOT EXISTS (SELECT FROM activity_results AS later WHERE later.overrides_id = made.id)
"""


async def settle(stack: Stack) -> tuple[str, ...]:
    """Wait until no work is open and reconciliation has gone round; return what is still open after the limit."""
    since, loop = datetime.now(UTC), asyncio.get_running_loop()
    give_up_at = loop.time() + SETTLED_WITHIN_SECONDS
    while True:
        still_open = await _list_open_work(stack, since)
        if not still_open or loop.time() > give_up_at:
            return tuple(still_open)
        await asyncio.sleep(2)


async def _list_open_work(stack: Stack, since: datetime) -> list[str]:
    completed_rounds = "WorkflowType = 'ReconciliationWorkflow' AND ExecutionStatus = 'Completed'"
    with closing(stack.connect()) as connection:
        found = [str(text) for (text,) in connection.execute(OPEN_WORK)]
        is_open = "SELECT tenant_id, idempotency_key FROM scheduled_activities WHERE status IN ('READY', 'UNRESOLVED')"
        expected = {workflow_id(tenant, key) for tenant, key in connection.execute(is_open)}
    try:
        completed = await stack.temporal.count_workflows(f"{completed_rounds} AND StartTime > '{since.isoformat()}'")
        query = "WorkflowType = 'ScheduledActivityWorkflow' AND ExecutionStatus = 'Running'"
        running = {run.id async for run in stack.temporal.list_workflows(query)}
    except RPCError as failure:
        return [*found, f"Temporal doesn't answer: {failure}"]
    found += [f"run {one} is {'missing' if one in expected else 'open'}" for one in running ^ expected]
    return found if completed.count >= ROUNDS else [*found, f"{completed.count} rounds of reconciliation are complete"]


async def collect(stack: Stack, load: Load, faults: Faults, unsettled: Iterable[str]) -> Record:
    """Read rows, trails, results and operations from PostgreSQL, and runs with their histories from Temporal."""
    with closing(stack.connect()) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        rows, events, operations, items, results = (
            cursor.execute(statement).fetchall() for statement in (ROWS, EVENTS, OPERATIONS, ITEMS, RESULTS)
        )
    outcomes: dict[Any, dict[str, str]] = defaultdict(dict)
    for item in items:
        outcomes[item["operation_id"]][str(item["activity_id"])] = item["outcome"]
    trails: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        trails[str(event["activity_id"])].append(_build_event(event))
    return Record(
        answers=tuple(load.answers),
        rows=tuple(map(_build_row, rows)),
        trails={activity: tuple(trail) for activity, trail in trails.items()},
        runs=await _read_runs(stack),
        clicks=tuple(faults.clicks),
        operations=tuple(
            Operation(str(one["id"]), one["state"], one["actor"], outcomes[one["id"]], one["finished_at"])
            for one in operations
        ),
        results=tuple(map(_build_result, results)),
        unsettled=tuple(unsettled),
    )


def _build_row(row: dict[str, Any]) -> Row:
    tenant, key = row["tenant_id"], row["idempotency_key"]
    run = workflow_id(tenant, key)
    return Row(str(row["id"]), str(tenant), key, row["status"], row["scheduled_at"], row["version"], run)


def _build_event(event: dict[str, Any]) -> Event:
    return Event(
        event["event_type"],
        event["from_status"],
        event["to_status"],
        event["occurred_at"],
        event["actor"],
        event["details"] or {},
    )


def _build_result(result: dict[str, Any]) -> Result:
    overrides, follow_up = (value and str(value) for value in (result["overrides_id"], result["follow_up_id"]))
    return Result(
        str(result["id"]),
        str(result["activity_id"]),
        result["external_status"],
        result["status"],
        overrides,
        result["follow_up_at"],
        follow_up,
        result["follow_up_error"],
    )


async def _read_runs(stack: Stack) -> tuple[Run, ...]:
    """Read every run of the service's workflows, with the causes of its failed workflow tasks."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def read(run: WorkflowExecution) -> Run:
        async with slots:
            handle = stack.temporal.get_workflow_handle(run.id, run_id=run.run_id)
            failed = [
                event.workflow_task_failed_event_attributes
                async for event in handle.fetch_history_events()
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
            ]
        causes = (WorkflowTaskFailedCause.Name(one.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_") for one in failed)
        shown = tuple(f"{cause} {one.failure.message}" for cause, one in zip(causes, failed, strict=True))
        return Run(run.id, run.status.name if run.status else "", run.workflow_type, shown)

    return tuple(await asyncio.gather(*[read(run) async for run in stack.temporal.list_workflows()]))
