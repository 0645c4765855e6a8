"""Read the actor of each update from its header, in the worker. The API never imports the SDK's worker."""

from typing import Any

from temporalio import worker

from workflows.actors import acting_as, read_actor


class ReadActors(worker.Interceptor):
    """Make the actor whom the header names the current one while an update is handled."""

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: ARG002
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Put the reading of the header before each update's handler."""
        return _ReadActor


class _ReadActor(worker.WorkflowInboundInterceptor):
    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        with acting_as(read_actor(input.headers)):
            return await super().handle_update_handler(input)
