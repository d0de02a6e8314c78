"""Logs are events with fields, one JSON object a line on standard output.

They carry ids and counts, never names, marks or tokens. The correlation id of the request or event at hand is added to
every line.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from traceback import extract_tb
from typing import Any

import structlog

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def _with_correlation(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (correlation := correlation_id.get()) is not None:
        event.setdefault("correlationId", correlation)
    return event


def configure_logs(service: str, level: str = "info") -> None:
    """Send everything, also what libraries log, through one JSON renderer. Call once per process."""
    shared_processors: list[Any] = [
        _with_correlation,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def _with_service(_l: Any, _m: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _with_service,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # uvicorn's access line repeats ours without the correlation id; nats-py narrates every reconnect attempt.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("nats").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def failure_fields(failure: BaseException) -> dict[str, Any]:
    """What may be logged of an unforeseen failure: its type and where it arose, never its message.

    Messages of databases and parsers quote the values that broke them, and those are names and marks of children.
    """
    cause = getattr(failure, "orig", None) or failure
    fields: dict[str, Any] = {
        "error": type(failure).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(failure.__traceback__)],
    }
    if (state := getattr(cause, "sqlstate", None)) is not None:
        fields["sqlstate"] = state
    return fields


def logger(name: str) -> structlog.stdlib.BoundLogger:
    return structlog.stdlib.get_logger(name)
