"""Configure the log of every process: JSON for machines, readable lines in a terminal, never a request's content."""

import logging
import sys
from collections.abc import Iterator
from traceback import format_tb
from types import TracebackType
from typing import TextIO

import structlog

LONGEST_FIELD = 300


def _drop_colour_message(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Remove Uvicorn's second copy of each message, in colours."""
    event.pop("color_message", None)
    return event


def _unfold_core_line(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replace the record that the Rust part of Temporal's SDK attaches to a line by its fields."""
    record = event.pop("temporal_log", None)
    if record is not None:
        fields = {f"core_{name}": str(value)[:LONGEST_FIELD] for name, value in record.fields.items()}
        event.update(fields, target=record.target)
    return event


def _shorten_lines_of_asyncio(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Keep the first line of asyncio's messages: those after it show a task with its exception's message."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


_SAYS_NO_DATA = frozenset({"NondeterminismError", "UnreadablePayloadError"})
"""The exceptions whose messages are logged: they name commands of a workflow and keys of the encryption."""


def _format_failure(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """Format an exception and its causes without their messages, which may quote a payload, a row or a request."""
    return "\n".join(
        f"{''.join(format_tb(one.__traceback__))}{_name_failure(one)}" for one in _list_causes(exc_info[1])
    )


def _name_failure(failure: BaseException) -> str:
    name = type(failure).__qualname__
    return f"{name}: {failure}" if name in _SAYS_NO_DATA else name


def _list_causes(failure: BaseException) -> Iterator[BaseException]:
    """List what led to an exception, the first cause first, then the members of a group, then the exception."""
    cause = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    members = failure.exceptions if isinstance(failure, BaseExceptionGroup) else ()
    for one in (*filter(None, (cause,)), *members):
        yield from _list_causes(one)
    yield failure


class _WithoutFailedSteps(logging.Filter):
    """Drops the SDK's line of a failed step, with its stack trace, if `LogSteps` has logged the failure."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for such a line."""
        failure = record.exc_info[1] if record.exc_info else None
        is_of_step = getattr(record, "__temporal_error_identifier", None) == "ActivityFailure"
        return not (is_of_step and type(failure).__name__ == "ApplicationError")


def configure_logging(process: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records through one pipeline to `stream`, or to standard error."""
    stream = stream or sys.stderr

    def add_process(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        """Add the process's name; context variables can't hold it, because requests clear them."""
        event["process"] = process
        return event

    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_process,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _drop_colour_message,
        _shorten_lines_of_asyncio,
        _unfold_core_line,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[structlog.types.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if stream.isatty()
        else [structlog.processors.ExceptionRenderer(_format_failure), structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_WithoutFailedSteps())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # its INFO lines repeat its configuration at each start
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
