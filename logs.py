"""How every process logs: JSON for machines, readable lines in a terminal, never a request's content."""

import logging
import sys
from typing import TextIO

import structlog


def _without_duplicates(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Uvicorn says everything a second time, in colours."""
    event.pop("color_message", None)
    return event


def configure_logging(process: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records through one pipeline to `stream`, or to standard error."""
    stream = stream or sys.stderr

    def named(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        """Outside of the context variables: a request clears them, and threads have their own."""
        event["process"] = process
        return event

    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        named,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _without_duplicates,
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
    logging.getLogger("alembic").setLevel(logging.WARNING)  # else it tells at each start how it was built
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
