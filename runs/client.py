"""Connect to Temporal, and start runs so that they are found by key, shown by their attributes and fair."""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

from runs.patience import ANSWER_PATIENCE
from workflows.display import headline
from workflows.messages import ScheduledActivityInput, Standing
from workflows.search_attributes import (
    ACTIVITY_ID,
    ACTIVITY_STATUS,
    ACTIVITY_TYPE,
    CHANNEL,
    COMMERCE_ID,
    SCHEDULED_AT,
    TENANT_ID,
)
from workflows.words import ActivityStatus

TASK_QUEUE = "scheduled-activities"

TASK_TIMEOUT = timedelta(seconds=5)
"""The time after which the server gives a killed worker's task to another, well within a request's deadline."""

_PLAIN_KEY = re.compile(r"(?!sha256:)[A-Za-z0-9._~:-]+", re.ASCII)


def workflow_id(tenant_id: UUID, idempotency_key: str) -> str:
    """Return `{tenant}:{key}`, or `{tenant}:sha256:{hex}` for a key with other characters than `A-Za-z0-9._~:-`.

    Different keys have different ids. An id is ASCII and at most 237 bytes long; a cluster on PostgreSQL stores 255.
    """
    if _PLAIN_KEY.fullmatch(idempotency_key):
        return f"{tenant_id}:{idempotency_key}"
    return f"{tenant_id}:sha256:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"


def start_options(scheduled: ScheduledActivityInput, status: ActivityStatus, scheduled_at: datetime) -> dict[str, Any]:
    """Return the options with which every run is started."""
    request = scheduled.request
    return {
        "id": workflow_id(scheduled.tenant_id, request.idempotency_key),
        "task_queue": TASK_QUEUE,
        "task_timeout": TASK_TIMEOUT,
        "memo": {"idempotency_key": request.idempotency_key},
        "search_attributes": TypedSearchAttributes(
            [
                SearchAttributePair(TENANT_ID, str(scheduled.tenant_id)),
                SearchAttributePair(ACTIVITY_ID, str(scheduled.id)),
                SearchAttributePair(COMMERCE_ID, str(request.commerce_id)),
                SearchAttributePair(CHANNEL, request.channel.value),
                SearchAttributePair(ACTIVITY_TYPE, request.type.value),
                SearchAttributePair(ACTIVITY_STATUS, status.value),
                SearchAttributePair(SCHEDULED_AT, scheduled_at),
            ]
        ),
        "static_summary": headline(scheduled, scheduled_at),
        "priority": Priority(fairness_key=str(scheduled.tenant_id)),
    }


async def resume(client: Client, scheduled: ScheduledActivityInput, standing: Standing) -> str:
    """Start a run that continues from the row, and return its run id.

    Raises:
        WorkflowAlreadyStartedError: the activity has an open run.
    """
    handle = await client.start_workflow(
        "ScheduledActivityWorkflow",
        scheduled,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        rpc_timeout=ANSWER_PATIENCE,
        **start_options(scheduled, standing.status, standing.scheduled_at),
    )
    return handle.first_execution_run_id or ""


async def connect(*, runtime: Runtime | None = None, lazy: bool = False) -> Client:
    """Connect as the environment describes (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …).

    `lazy` connects at the first call, so that a process can start while Temporal is away.
    """
    environment: dict[str, Any] = {"target_host": "localhost:7233", **ClientConfig.load_client_connect_config()}
    return await Client.connect(
        **environment,
        data_converter=pydantic_data_converter,
        runtime=runtime,
        lazy=lazy,
    )
