"""What a test needs is told by its fixtures: nobody writes a mark, so none can be forgotten.

Every fixture that starts a server stands on the fixture `servers`, and so does, by
`pytest.mark.usefixtures("servers")`, a test that starts one itself. All others start no program at
all: whoever tries fails, in every run. So `-m "not server"`, which is `make quick`, starts none.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

MARKS = {"server": "servers", "browser": "chromium"}
"""Each mark, and the fixture whose users have it."""
PROGRAM = "program"
"""The one mark that is written: this test starts programs of its own that are no servers."""

_DESCRIBED = (
    "server: needs PostgreSQL, Temporal or a whole desk (told by its fixtures)",
    "browser: needs Chromium as well (told by its fixtures)",
    f"{PROGRAM}: starts a program that is no server, such as another Python",
)
_at_work: list[pytest.Item] = []
"""The test that is prepared or runs now."""


def pytest_configure(config: pytest.Config) -> None:
    for line in _DESCRIBED:
        config.addinivalue_line("markers", line)


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark, fixture in MARKS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


@pytest.fixture(scope="session")
def servers() -> None:
    """Ask for it, and you may start servers."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    _at_work.append(item)
    try:
        return (yield)
    finally:
        _at_work.pop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    _at_work.append(item)
    try:
        return (yield)
    finally:
        _at_work.pop()


def refuse_to_start(program: str, *allowed: str) -> None:
    """Fail the test at work if none of these marks, and not `server` either, lets it start that."""
    for item in _at_work:
        if not any(item.get_closest_marker(mark) for mark in ("server", *allowed)):
            pytest.fail(
                f"{item.nodeid} starts {program}: let it, or the fixture that does so, ask for the"
                f" fixture `servers`; mark it `{PROGRAM}` if what it starts is no server."
            )


def _watch(event: str, arguments: Sequence[Any]) -> None:
    if event == "subprocess.Popen" and _at_work:
        refuse_to_start(str(arguments[0]), PROGRAM)


sys.addaudithook(_watch)
