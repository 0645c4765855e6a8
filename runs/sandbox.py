"""How runs are isolated from the outside: the SDK's sandbox, without two costs that our workflows needn't pay."""

from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info


class Sandbox(SandboxedWorkflowRunner):
    """The workflow files are deterministic by contract: importing them anew for every run costs half the throughput."""

    def __init__(self, *also: str) -> None:
        super().__init__(restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows", *also))

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Isolate one run."""
        return _ContextFree(super().create_instance(det))


class _ContextFree(WorkflowInstance):
    """A run that isn't asked, inside its sandbox and for each payload, in which context that payload is converted.

    Our converter is the same in all contexts and stores nothing elsewhere: what it writes stays the same to the byte.
    """

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Let the run take note of what has happened."""
        return self._inner.activate(act)

    def get_info(self) -> Info:
        """Which run it is."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """Where it is running."""
        return self._inner.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> SerializationContext | None:  # noqa: ARG002
        """None: the converter as it is."""
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002
        """Nothing is stored outside."""
        return StorageDriverStoreContext()
