"""Connect to Temporal: the client, the task queue and the IDs of workflows."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from temporalio.client import Client, Interceptor
from temporalio.common import HeaderCodecBehavior
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

from runs.actors import ActorHeaders
from runs.key_notes import NoteKey
from runs.key_ring import KeyRing
from runs.limits import report_limits
from runs.payloads import build_data_converter

TASK_QUEUE = "scheduled-activities"
BULK_TASK_QUEUE = f"{TASK_QUEUE}-bulk"
"""Bulk operations wait in a queue of their own, so that creations and marks never wait behind them."""

_PLAIN_KEY = re.compile(r"(?!sha256:)[A-Za-z0-9._~:-]+", re.ASCII)


def workflow_id(tenant_id: UUID, idempotency_key: str) -> str:
    """Return `{tenant}:{key}`, or `{tenant}:sha256:{hex}` for a key with other characters than `A-Za-z0-9._~:-`.

    Different keys have different ids. An id is ASCII and at most 237 bytes long; a cluster on PostgreSQL stores 255.
    """
    if _PLAIN_KEY.fullmatch(idempotency_key):
        return f"{tenant_id}:{idempotency_key}"
    return f"{tenant_id}:sha256:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"


async def connect(
    keys: KeyRing | None,
    *,
    runtime: Runtime | None = None,
    lazy: bool = False,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """Connect as the environment describes (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …).

    `keys` encrypt what is sent. `interceptors` are put around the service's own.
    `lazy` connects at the first call, so that a process can start while Temporal is away.
    """
    environment: dict[str, Any] = {"target_host": "localhost:7233", **ClientConfig.load_client_connect_config()}
    return await connect_to(**environment, keys=keys, runtime=runtime, lazy=lazy, interceptors=interceptors)


async def connect_to(
    target_host: str, *, keys: KeyRing | None, interceptors: Sequence[Interceptor] = (), **options: Any
) -> Client:
    """Connect to this server with the converter, the headers and the report of limits that the service needs."""
    client = await Client.connect(
        target_host,
        data_converter=build_data_converter(keys),
        header_codec_behavior=HeaderCodecBehavior.CODEC,
        interceptors=[*interceptors, ActorHeaders(), NoteKey(keys.first if keys else None)],
        **options,
    )
    return report_limits(client)
