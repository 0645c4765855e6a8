"""Note in a run's input which key encrypts it, so that the row can store the id."""

from collections.abc import Sequence
from typing import Any

from temporalio import client

from workflows.messages import ScheduledActivityInput


class NoteKey(client.Interceptor):
    """Add the id of the first key to the input of each run of an activity that a client starts."""

    def __init__(self, key_id: str | None) -> None:
        self._key_id = key_id

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Put the note between the client and Temporal."""
        return _NoteStart(next, self._key_id)


class _NoteStart(client.OutboundInterceptor):
    def __init__(self, next: client.OutboundInterceptor, key_id: str | None) -> None:
        super().__init__(next)
        self._key_id = key_id

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        input.args = add_note(input.args, self._key_id)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.args = add_note(start.args, self._key_id)
        return await super().start_update_with_start_workflow(input)


def add_note(arguments: Sequence[Any], key_id: str | None) -> list[Any]:
    """Return the arguments of a run with the id of the key in the input of an activity's run."""
    return [
        one.model_copy(update={"payload_key_id": key_id}) if isinstance(one, ScheduledActivityInput) else one
        for one in arguments
    ]
