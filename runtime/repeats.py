"""A trouble is told once, and after that how often: a server that is away for a minute would fill
the log with a thousand tracebacks that all say the same.

What is the same is decided narrowly, so that nothing new is swallowed: a failure is the same as an
earlier one if it was logged with the same words and raised by the same error, saying the same, in
the same place. Only of a server that is away the same type of error is enough, and of what the core
of Temporal's library tells by itself the words without ids and numbers. What is no failure is never
held back.
"""

import copy
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

import asyncpg
from temporalio.service import RPCError, RPCStatusCode

_EVERY_SECONDS = 60.0
_NAMED = 3
"""Of the workflows that met it, so many are named."""
_DRIVER = str(Path(asyncpg.__file__).parent)
_DATABASE_IS_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
_TEMPORAL_IS_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)
_CODE = re.compile(r"\bcode: (\w+)")
"""In what the core tells of a call that it tries again."""
_CHANGING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+(?![\d\]])")
"""Ids and numbers, but for the number of a rule in brackets."""


@dataclass
class _Trouble:
    """What was told once, and how often it was met since."""

    what: str
    told: dict[str, Any]
    """Where, and how loudly."""
    times: int = 0
    """Since it was last told of."""
    total: int = 1
    workflows: set[str] = field(default_factory=set)

    def met(self, workflow: str | None) -> None:
        self.times += 1
        self.total += 1
        if workflow is not None:
            self.workflows.add(workflow)

    def summary(self, said: str) -> logging.LogRecord:
        record = {**self.told, "msg": f"{self.what}: {said}"}
        if self.workflows:
            record |= {"workflows": len(self.workflows), "some": sorted(self.workflows)[:_NAMED]}
        self.times = 0
        self.workflows.clear()
        return logging.makeLogRecord(record)


class Once(logging.Handler):
    """Stands before another handler, and tells it of a trouble once, then every minute how often it
    was met, and when it is over.
    """

    def __init__(self, inner: logging.Handler, every: float = _EVERY_SECONDS) -> None:
        super().__init__()
        self._inner = inner
        self._every = every
        self._lock = threading.RLock()
        self._troubles: dict[object, _Trouble] = {}
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, unless it was told."""
        with self._lock:
            error = _error(record)
            server = _away(record, error)
            key = server or _same(record, error)
            if key is None:
                self._inner.handle(record)
                return
            if known := self._troubles.get(key):
                known.met(_workflow(record))
                return
            what = _words(record) if server is None else f"{server[0]} is away ({server[1]})"
            told = {name: getattr(record, name) for name in ("name", "levelno", "levelname")}
            self._troubles[key] = _Trouble(what, told)
            self._inner.handle(record if server is None else _in_a_line(record, what, error))
            self._look_again()

    def sum_up(self) -> None:
        """Tell how often each trouble was met since the last time; one that was not is over."""
        with self._lock:
            self._timer = None
            for key, trouble in list(self._troubles.items()):
                if trouble.times:
                    said = f"the same {trouble.times} times in the last {self._every:g} s"
                    self._inner.handle(trouble.summary(said))
                    continue
                del self._troubles[key]
                if trouble.total > 1:
                    self._inner.handle(trouble.summary(f"over, after {trouble.total} times"))
            if self._troubles:
                self._look_again()

    def close(self) -> None:
        """Tell what is still untold."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self.sum_up()
            self._troubles.clear()
            if self._timer is not None:
                self._timer.cancel()
        super().close()

    def _look_again(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._every, self.sum_up)
            self._timer.daemon = True
            self._timer.start()


def _error(record: logging.LogRecord) -> BaseException | None:
    """The error that a record tells of; of structlog it is a field."""
    told = record.msg.get("exc_info") if isinstance(record.msg, dict) else record.exc_info
    if isinstance(told, BaseException):
        return told
    error: BaseException | None = told[1] if isinstance(told, tuple) else sys.exc_info()[1]
    return error if told else None


def _away(record: logging.LogRecord, error: BaseException | None) -> tuple[str, str] | None:
    """The server that does not answer, if that is what it tells of, and how that shows."""
    if core := getattr(record, "core", None):
        code = _CODE.search(str(core.get("error")))
        return ("Temporal", code[1]) if code else None
    if isinstance(error, RPCError):
        return ("Temporal", error.status.name) if error.status in _TEMPORAL_IS_AWAY else None
    if isinstance(error, _DATABASE_IS_AWAY) or _while_connecting(error):
        return "PostgreSQL", type(error).__name__
    return None


def _same(record: logging.LogRecord, error: BaseException | None) -> tuple[object, ...] | None:
    """What makes another record tell of the same; None if it tells of no trouble."""
    about = record.name, record.levelno, _words(record)
    if error is not None:
        return (*about, *_chain(error))
    if hasattr(record, "core"):
        return (*about[:2], _CHANGING.sub("", about[2]))
    return None


def _while_connecting(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and any(
        code.co_filename.startswith(_DRIVER) for code, _ in _lines(error)
    )


def _words(record: logging.LogRecord) -> str:
    return str(record.msg["event"]) if isinstance(record.msg, dict) else record.getMessage()


def _chain(error: BaseException | None) -> Iterator[tuple[object, ...]]:
    """What makes two errors the same: type, words and place, of their causes too."""
    while error is not None:
        place = [(code.co_filename, line) for code, line in _lines(error)]
        yield type(error), str(error), *place
        error = error.__cause__


def _lines(error: BaseException) -> Iterator[tuple[CodeType, int]]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield frame.f_code, line


def _in_a_line(
    record: logging.LogRecord, what: str, error: BaseException | None
) -> logging.LogRecord:
    """The same record with what happened in place of a traceback through other people's code."""
    told = copy.copy(record)
    said = f"{_words(record)}: {what}"
    if error is not None and str(error):
        said = f"{said}: {error}"
    told.args, told.exc_info = (), None
    if isinstance(record.msg, dict):
        told.msg = {**record.msg, "event": said}
        told.msg.pop("exc_info", None)
    else:
        told.msg = said
    return told


def _workflow(record: logging.LogRecord) -> str | None:
    about = getattr(record, "temporal_activity", None) or getattr(record, "temporal_workflow", None)
    return str(about["workflow_id"]) if about else None
