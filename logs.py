"""Configure the log of every process: JSON for machines, readable lines in a terminal, never a request's content."""

import logging
import sys
from typing import TextIO

import structlog


def _drop_colour_message(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Remove Uvicorn's second copy of each message, in colours."""
    event.pop("color_message", None)
    return event


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
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[structlog.types.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if stream.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(stream)
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
