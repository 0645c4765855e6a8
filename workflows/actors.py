"""The actor of a change or a creation, in a header: a person can type every argument into the web UI's forms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter

from workflows.limits import is_storable

UI_ACTOR = "temporal-ui"
"""The actor of everything that comes without the header: the web UI and Temporal's command line can't send it."""

_HEADER = "actor"
_CONVERTER = PayloadConverter.default
_current: ContextVar[str | None] = ContextVar("actor", default=None)


@contextmanager
def acting_as(actor: str | None) -> Iterator[None]:
    """Make `actor` the current actor of the block."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)


def current_actor() -> str:
    """Return the actor of the block that `acting_as` has begun; outside one, that of the web UI."""
    return _current.get() or UI_ACTOR


def actor_headers() -> dict[str, Payload]:
    """Return the header that names the current actor; none outside a block of `acting_as`."""
    actor = _current.get()
    return {_HEADER: _CONVERTER.to_payload(actor)} if actor else {}


def read_actor(headers: Mapping[str, Payload]) -> str:
    """Return the actor whom the headers name; a header that this service could not have sent names none."""
    try:
        actor = _CONVERTER.from_payload(headers[_HEADER], str)
    except Exception:  # noqa: BLE001 - a failure here would fail the workflow task, and be retried for ever
        return UI_ACTOR
    return actor if isinstance(actor, str) and actor and is_storable(actor) else UI_ACTOR
