"""Ask Temporal about the task queues: the workers that poll them, and the tasks that wait."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from runs.ask import limit_time
from runs.client import BULK_TASK_QUEUE, TASK_QUEUE

SEEN_WITHIN = timedelta(seconds=90)
"""A worker polls again within a minute. Temporal lists one that has ended for five minutes."""

KINDS = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class QueueState(NamedTuple):
    """The state of one kind of tasks in one queue. NaN is an unknown number, as in Prometheus."""

    task_queue: str
    kind: str
    workers: float
    """Processes that have polled lately."""
    backlog: float
    backlog_age_seconds: float
    """Seconds for which the oldest task has waited."""


@limit_time
async def describe_task_queues(client: Client) -> list[QueueState]:
    """Return the state of all queues of the workers."""
    queues = [(queue, kind) for queue in (TASK_QUEUE, BULK_TASK_QUEUE) for kind in KINDS]
    return list(await asyncio.gather(*(_describe(client, queue, kind) for queue, kind in queues)))


async def _describe(client: Client, queue: str, kind: str) -> QueueState:
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=KINDS[kind],
            report_stats=True,
        ),
        retry=True,
    )
    since = datetime.now(UTC) - SEEN_WITHIN
    polled = {one.identity for one in described.pollers if one.last_access_time.ToDatetime(UTC) > since}
    age = described.stats.approximate_backlog_age
    return QueueState(
        queue, kind, len(polled), described.stats.approximate_backlog_count, age.seconds + age.nanos / 1e9
    )
