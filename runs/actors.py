"""Send the actor of each call to Temporal in a header, and read it in the workflow."""

from typing import Any

from temporalio import client, worker

from workflows.actors import acting_as, actor_headers, read_actor


class ActorHeaders(client.Interceptor, worker.Interceptor):
    """Add the header to updates and starts; a worker of such a client reads it for each update."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Put the header between the client and Temporal."""
        return _SendActor(next)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: ARG002
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Put the reading of the header before each update's handler."""
        return _ReadActor


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


class _ReadActor(worker.WorkflowInboundInterceptor):
    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        with acting_as(read_actor(input.headers)):
            return await super().handle_update_handler(input)
