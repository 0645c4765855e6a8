"""Isolate runs from the outside by the SDK's sandbox, without two of its costs."""

from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info


class Sandbox(SandboxedWorkflowRunner):
    """The SDK's sandbox, with our workflow modules passed through.

    To import them anew for every run costs half the throughput. Lint bans clocks, random values and I/O in them, and
    the recorded histories replay under the SDK's own sandbox as well.
    """

    def __init__(self, *also: str) -> None:
        super().__init__(restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows", *also))

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create the isolated instance of one run."""
        return _ContextFree(super().create_instance(det))


class _ContextFree(WorkflowInstance):
    """A run whose payloads are converted without a context.

    To ask for the context enters the sandbox once for every payload. The converter of this service is the same in all
    contexts and stores nothing elsewhere, so its payloads stay the same to the byte.
    """

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Pass an activation to the run."""
        return self._inner.activate(act)

    def get_info(self) -> Info:
        """Return the run's own information."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that the run is executed in."""
        return self._inner.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> SerializationContext | None:  # noqa: ARG002
        """Return None, so that the converter is used as it is."""
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002
        """Return the empty context: no payload is stored outside."""
        return StorageDriverStoreContext()
