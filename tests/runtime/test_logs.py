import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime import logs


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_our_lines_and_the_libraries_are_one_json_stream_with_the_bound_values() -> None:
    stream = io.StringIO()
    logs.configure("json", "INFO", stream)
    structlog.contextvars.bind_contextvars(issue="20240108-001")
    structlog.get_logger("activities").info("assigned", engineer="李工")
    logging.getLogger("library").warning("slow", extra={"seconds": 3})
    logging.getLogger("library").debug("too fine")
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert (ours["event"], ours["engineer"], ours["level"]) == ("assigned", "李工", "info")
    assert (theirs["event"], theirs["seconds"], theirs["level"]) == ("slow", 3, "warning")
    assert ours["issue"] == theirs["issue"] == "20240108-001"
    assert ours["timestamp"].endswith("Z")


def test_an_exception_in_json_stays_one_line() -> None:
    stream = io.StringIO()
    logs.configure("json", "INFO", stream)
    try:
        raise ValueError("坏了")  # noqa: TRY301 - a traceback is wanted
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["exception"][0]["exc_value"] == "坏了"


def test_the_console_is_plain_text_when_nobody_looks_at_it() -> None:
    stream = io.StringIO()
    logs.configure("console", "INFO", stream)
    structlog.get_logger().info("assigned", engineer="李工")
    assert "engineer=李工" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
