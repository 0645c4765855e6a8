"""A connection to Temporal on which a test decides what happens around each call."""

from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message
from temporalio.client import Client
from temporalio.service import ServiceClient

from runs.limits import WrappedConnection

Intercept = Callable[[str, Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Receives the name of a call and the call itself, and returns its answer."""


class InterceptedServiceClient(WrappedConnection):
    """A connection whose calls pass through a function of the test."""

    def __init__(self, inner: ServiceClient, intercept: Intercept) -> None:
        super().__init__(inner)
        self._intercept = intercept

    async def _rpc_call(self, rpc: str, req: Message, resp_type: Any, **options: Any) -> Any:
        return await self._intercept(rpc, lambda: self._inner._rpc_call(rpc, req, resp_type, **options))


def intercepted(temporal: Client, intercept: Intercept) -> Client:
    """Return a client whose calls pass through `intercept`."""
    return Client(
        **temporal.config() | {"service_client": InterceptedServiceClient(temporal.service_client, intercept)}
    )
