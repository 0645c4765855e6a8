"""A world of its own for a test that breaks things: a fresh database, and a fresh namespace of Temporal."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from psycopg import sql
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from db.roles import OWNER
from embedded.postgres import Postgres
from tests.support.service import Service, running_service, temporal_client
from workflows import search_attributes


def new_database(postgres: Postgres, name: str | None = None) -> str:
    """The URL of an empty database with the schema."""
    name = name or f"world-{uuid4()}"
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE template OWNER {} STRATEGY file_copy")  # half the time of `wal_log`
    with postgres.connect() as connection:
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(OWNER)))
    return postgres.url(name)


async def new_namespace(temporal: Client) -> Client:
    """Create a namespace without workers and return a client of it."""
    name = f"world-{uuid4()}"
    await temporal.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=24 * 3600)),
        retry=True,  # the server closes a connection that has grown old, whatever is asked over it
    )
    await temporal.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=name,
            search_attributes={
                key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in search_attributes.ALL
            },
        ),
        retry=True,
    )
    return await temporal_client(temporal.service_client.config.target_host, namespace=name)


async def _delete_schedules(temporal: Client) -> None:
    """Delete the schedules of a namespace that a test has finished with.

    The server would work for each of them until the session ends: one that starts a run each second takes 2.5 % of a
    processor, even if no worker takes the run.
    """
    async for schedule in await temporal.list_schedules():
        try:
            await temporal.get_schedule_handle(schedule.id).delete()
        except RPCError as error:  # the list may be older than a test's own deletion
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


@asynccontextmanager
async def idle_service(postgres: Postgres, temporal: Client, **settings: Any) -> AsyncIterator[Service]:
    """The service in a world of its own, without a worker: `async with work(service)` is one."""
    namespace = await new_namespace(temporal)
    async with running_service(new_database(postgres), namespace, work=False, **settings) as service:
        yield service
    await _delete_schedules(namespace)


def work(service: Service) -> AbstractAsyncContextManager[None]:
    """A worker of that service, for as long as an `async with` block runs."""
    return service.worker()
