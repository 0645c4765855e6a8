"""Note which key encrypts the input of a run that continues another, in the worker, which encrypts it."""

from typing import NoReturn

from temporalio import worker

from runs.key_notes import add_note


class NoteKeyOfContinuation(worker.Interceptor):
    """Add the id of the worker's first key to the input of each run with which another continues."""

    def __init__(self, key_id: str | None) -> None:
        self._key_id = key_id

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


class _Outbound(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, key_id: str | None) -> None:
        super().__init__(next)
        self._key_id = key_id

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> NoReturn:
        input.args = add_note(input.args, self._key_id)
        super().continue_as_new(input)
