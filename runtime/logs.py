"""Logging, configured once: for people on a console, or one JSON object a line for programs.

What repeats itself is told once, and then how often (runtime/repeats.py).
"""

import contextlib
import logging
import sys
from typing import TextIO

import structlog
import temporalio.activity
import temporalio.workflow
from structlog.types import Processor
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from runtime.repeats import Once
from runtime.settings import LogFormat, LogLevel


def configure(format: LogFormat, level: LogLevel, stream: TextIO = sys.stderr) -> None:  # noqa: A002 - the setting's name
    """Send structlog and the standard library's logging, one format, to `stream`.

    Values bound with `structlog.contextvars` and `extra={…}` of standard loggers become fields.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(format, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [Once(handler)]
    root.setLevel(level)
    # Temporal's loggers repeat all they know in the message; as fields it is enough.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.activity.logger.activity_info_on_message = False
    _hear_the_core()


def _hear_the_core() -> None:
    """Have the core of Temporal's library log where we do; by itself it writes to the console."""
    core = logging.getLogger("temporalio.core")
    core.filters[:] = [_CoreRecords()]
    heard = LogForwardingConfig(
        core,
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    logged = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), heard)
    with contextlib.suppress(RuntimeError):  # somebody was connected before logging was configured
        Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=logged)))


class _CoreRecords(logging.Filter):
    """Puts what the core tells besides its words into a field."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, with `core` in place of an object that cannot be written."""
        fields = record.__dict__.pop("temporal_log").fields
        record.core = {name: fields[name] for name in fields if not name.startswith("payload_")}
        return True


def _renderers(format: LogFormat, stream: TextIO) -> list[Processor]:  # noqa: A002
    # Tracebacks without local variables: those are customers' data (R30), and slow to write.
    if format == "json":
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [
            structlog.processors.ExceptionRenderer(frames),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]
