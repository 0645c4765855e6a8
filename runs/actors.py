"""Send the actor of each call to Temporal in a header; the worker reads it by `runs/worker_actors.py`."""

from typing import Any

from temporalio import client

from workflows.actors import actor_headers


class ActorHeaders(client.Interceptor):
    """Add the header to updates and starts."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Put the header between the client and Temporal."""
        return _SendActor(next)


class _SendActor(client.OutboundInterceptor):
    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        input.headers = {**input.headers, **actor_headers()}
        return await super().start_workflow(input)

    async def start_workflow_update(self, input: client.StartWorkflowUpdateInput) -> client.WorkflowUpdateHandle[Any]:
        input.headers = {**input.headers, **actor_headers()}
        return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.headers = {**start.headers, **actor_headers()}
        return await super().start_update_with_start_workflow(input)
