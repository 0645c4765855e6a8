"""A world of its own for a test that breaks things: a fresh database, and a fresh namespace of Temporal."""

from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from embedded.postgres import Postgres
from tests.service import temporal_client
from workflows import search_attributes


def new_database(postgres: Postgres) -> str:
    """The URL of an empty database with the schema."""
    name = f"world-{uuid4()}"
    postgres.create_database(name, template="template")
    return postgres.url(name)


async def new_namespace(temporal: Client) -> Client:
    """A client of a namespace in which nobody works yet."""
    name = f"world-{uuid4()}"
    await temporal.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=24 * 3600))
    )
    await temporal.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=name,
            search_attributes={key.name: key.indexed_value_type for key in search_attributes.ALL},
        )
    )
    return await temporal_client(temporal.service_client.config.target_host, namespace=name)
