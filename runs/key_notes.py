"""Note in a run's input which key encrypts it, so that the row can store the id."""

from collections.abc import Sequence
from typing import Any, NoReturn

from temporalio import client, worker

from runs.key_ring import KeyRing, key_ids
from runs.payloads import encryption_of
from workflows.messages import ScheduledActivityInput


class KeyNotes(client.Interceptor, worker.Interceptor):
    """Add the id of the first key to the input of each run of an activity that this process starts or continues."""

    def __init__(self, keys: KeyRing | None) -> None:
        self._key_id = keys.first if keys else None

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Put the note between the client and Temporal."""
        return _NoteStart(next, self._key_id)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: ARG002
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Put the note between a run and the run that continues it."""
        key_id = self._key_id

        class _NoteContinuation(worker.WorkflowInboundInterceptor):
            def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, key_id))

        return _NoteContinuation


class _NoteStart(client.OutboundInterceptor):
    def __init__(self, next: client.OutboundInterceptor, key_id: str | None) -> None:
        super().__init__(next)
        self._key_id = key_id

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        input.args = _add_note(input.args, self._key_id)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.args = _add_note(start.args, self._key_id)
        return await super().start_update_with_start_workflow(input)


class _Outbound(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, key_id: str | None) -> None:
        super().__init__(next)
        self._key_id = key_id

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> NoReturn:
        input.args = _add_note(input.args, self._key_id)
        super().continue_as_new(input)


def _add_note(arguments: Sequence[Any], key_id: str | None) -> list[Any]:
    return [
        one.model_copy(update={"payload_key_id": key_id}) if isinstance(one, ScheduledActivityInput) else one
        for one in arguments
    ]


def key_ids_of(connected: client.Client) -> frozenset[str]:
    """Return the ids of the keys that a client can decrypt with."""
    encryption = encryption_of(connected.data_converter)
    return key_ids(encryption.keys if encryption else None)


def first_key_id(connected: client.Client) -> str | None:
    """Return the id of the key that a client encrypts with, or None if it encrypts nothing."""
    encryption = encryption_of(connected.data_converter)
    return encryption.keys.first if encryption else None
