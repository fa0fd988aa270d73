"""What a test needs is told by its fixtures: nobody writes a mark, so none can be forgotten.

Every fixture that starts a server stands on the fixture `servers`, and so does, by
`pytest.mark.usefixtures("servers")`, a test that starts one itself. All others start no program at
all: whoever tries fails, in every run. So `-m "not server"`, which is `make quick`, starts none.
"""

import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

MARKS = {"server": "servers", "browser": "chromium"}
"""Each mark, and the fixture whose users have it."""
PROGRAM = "program"
"""The one mark that is written: this test starts programs of its own that are no servers."""

DESK = "running_desk"
"""The fixture of whoever needs a whole desk, which takes a while to come up."""
AT_DESKS = (
    ("tests/web/browser/", "browsers"),
    ("tests/web/test_access_matrix.py", "matrices"),
    ("tests/web/test_thread_matrix.py", "matrices"),
    ("tests/web/", "doors"),
    ("", "desk"),
)
"""Who shares a desk, by the file's beginning: few desks, as each takes a while, but several, as
what is done at one desk is done by one process.
"""
LONGEST_FIRST = (
    *("doors", "browsers", "matrices", "tests/e2e/", "tests/workflows/test_random_lives.py"),
    *("tests/demo/", "desk"),
    *("tests/cli/", "tests/starter/", "tests/inbound/", "tests/web/"),
    *("tests/workflows/", "tests/runtime/"),
)
"""What is kept together, by how its name begins."""

_LONGEST_NAME = 100
"""Characters."""
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
    # A shell without job control has what it starts in the background ignore SIGINT, and so would
    # everything that the tests start: a Ctrl-C sent to it would change nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name what is long by its length: processes tell each other the names of tests all the time,
    and one tries a photograph of twenty megabytes.
    """
    if isinstance(val, str | bytes) and len(val) > _LONGEST_NAME:
        return f"{argname} of {len(val)}"
    return None


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for mark, fixture in MARKS.items():
            if fixture in _fixtures(item):
                item.add_marker(mark)
        if item.get_closest_marker("server"):
            item.add_marker(pytest.mark.xdist_group(_kept_together(item)))
    if hasattr(config, "workerinput"):  # one of several processes
        items.sort(key=_turn)


def _fixtures(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


def _kept_together(item: pytest.Item) -> str:
    """What one process has to run: all that is done at one desk, or else the tests of a file."""
    file = item.nodeid.partition("::")[0]
    if DESK in _fixtures(item):
        return next(shared for begins, shared in AT_DESKS if file.startswith(begins))
    return file


def _turn(item: pytest.Item) -> int:
    """What takes longest begins first: then no process has much left when the others are done."""
    if not item.get_closest_marker("server"):
        return len(LONGEST_FIRST) + 1
    kept = _kept_together(item)
    takes = (n for n, name in enumerate(LONGEST_FIRST) if kept.startswith(name))
    return next(takes, len(LONGEST_FIRST))


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
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A desk that nobody is left to use goes down at once, not at the end: also one that only waits
    keeps the machine from others.
    """
    result = yield
    desk = _desk_of(item)
    if desk and nextitem and _desk_of(nextitem) is not desk:
        desk.finish(cast("Any", item)._request)
    return result


def _desk_of(item: pytest.Item) -> Any:
    """Return the fixture that its desk comes from, as its conftest or the plugin defines it."""
    found = getattr(item, "_fixtureinfo", None)
    return found.name2fixturedefs[DESK][-1] if found and DESK in _fixtures(item) else None


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
