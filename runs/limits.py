"""Report a rate limit of Temporal to the caller at once, and repeat a call whose connection was closed."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from temporalio.api.enums.v1 import ResourceExhaustedCause as Cause
from temporalio.api.errordetails.v1 import ResourceExhaustedFailure
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

REPEATED = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.ABORTED,
    RPCStatusCode.DATA_LOSS,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.RESOURCE_EXHAUSTED,
}
"""The failures after which the SDK repeats a call."""

CLOSED = RPCStatusCode.CANCELLED
"""The failure of a call whose connection the server closes, because it is old; the SDK doesn't repeat it."""

PASSING = REPEATED | {RPCStatusCode.DEADLINE_EXCEEDED, CLOSED}
"""The failures of Temporal or of the connection, which may pass; any other concerns the call."""


class WrappedConnection(ServiceClient):
    """Base of a connection that does more around the calls of another; subclasses define `_rpc_call`."""

    def __init__(self, inner: ServiceClient) -> None:
        super().__init__(inner.config)
        self._inner = inner

    @property
    def worker_service_client(self) -> Any:
        """Return the SDK's own connection, which a worker needs."""
        return self._inner.worker_service_client

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Replace the headers of every call."""
        self._inner.update_rpc_metadata(metadata)

    def update_api_key(self, api_key: str | None) -> None:
        """Replace the API key of every call."""
        self._inner.update_api_key(api_key)


class ReportLimits(WrappedConnection):
    """A connection on which a call that a rate limit refuses fails at once, and one that was cut off is repeated.

    The SDK repeats what a limit refuses for longer than a request waits, so that the limit looks like silence. It still
    does so where only one run is busy, and a limit that is met while it waits for the end of an outage stays hidden.
    """

    async def _rpc_call(self, rpc: str, req: Message, resp_type: Any, *, retry: bool, **options: Any) -> Any:
        """Make a first attempt without the SDK's repetitions, and leave what they may cure to them."""
        call = self._inner._rpc_call  # noqa: SLF001 - the method that the SDK has its subclasses implement
        if retry and not rpc.startswith("poll_"):
            try:
                return await call(rpc, req, resp_type, retry=False, **options)
            except RPCError as failure:
                if failure.status not in REPEATED | {CLOSED} or (
                    is_limit(failure) and not _is_of_one_run(rpc, failure)
                ):
                    raise
        return await call(rpc, req, resp_type, retry=retry, **options)


def report_limits(client: Client) -> Client:
    """Return the same client over a connection that reports limits at once."""
    return Client(**client.config() | {"service_client": ReportLimits(client.service_client)})


def is_limit(failure: BaseException | None) -> bool:
    """Return whether Temporal has refused a call because a limit is reached."""
    return isinstance(failure, RPCError) and failure.status is RPCStatusCode.RESOURCE_EXHAUSTED


def _is_of_one_run(rpc: str, failure: RPCError) -> bool:
    """Return whether only this run is busy, or has ten updates in flight: that passes within a request's deadline."""
    details = ResourceExhaustedFailure()
    if not any(detail.Unpack(details) for detail in failure.grpc_status.details):
        return False
    if rpc == "update_workflow_execution" and details.cause == Cause.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT:
        return True
    return details.cause == Cause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
