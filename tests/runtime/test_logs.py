"""Logs: fields for programs, sentences for people, and nobody's data by accident."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime import logs
from runtime.settings import LogFormat


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_shows_where_but_no_values(format_: LogFormat) -> None:
    stream = io.StringIO()
    logs.configure(format_, "INFO", stream)
    _fail_with("+86 138 0000 0001")
    assert "test_logs" in stream.getvalue()
    assert "138 0000 0001" not in stream.getvalue()


def test_values_of_a_standard_logger_are_fields_too() -> None:
    stream = io.StringIO()
    logs.configure("json", "INFO", stream)
    logging.getLogger("elsewhere").warning("refused", extra={"by": "liang.jiahao"})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["by"], line["level"]) == ("refused", "liang.jiahao", "warning")


def _fail_with(phone: str) -> None:
    try:
        int(phone[:0])
    except ValueError:
        logging.getLogger("elsewhere").exception("it failed")
