"""The marks are told by the fixtures, and whoever starts something without one fails."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from runtime.settings import ROOT
from tests.support import marks
from tests.support.patience import PATIENCE

CONFTEST = """
import pytest
from tests.support import marks


def pytest_configure(config):
    config.pluginmanager.register(marks)


@pytest.fixture(scope="session")
def register(servers):
    yield


@pytest.fixture
def desk(register):
    return register


@pytest.fixture
def chromium(): ...


@pytest.fixture(autouse=True)
def told(request):
    marks = " ".join(mark.name for mark in request.node.iter_markers())
    with (request.config.rootpath / "marks.txt").open("a") as file:
        print(request.node.name.removeprefix("test_"), marks, file=file)
"""
TESTS = """
import subprocess
import sys

import pytest

from tests.support.skipping import skipping_server


def start():
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_pure(): ...


def test_with_a_desk(desk):
    start()


@pytest.mark.usefixtures("servers")
def test_that_starts_servers_itself():
    start()


@pytest.mark.program
def test_that_starts_a_program():
    started = "import signal as s; assert s.getsignal(s.SIGINT) is s.default_int_handler"
    subprocess.run([sys.executable, "-c", started], check=True)


def test_in_a_browser(desk, chromium): ...


def test_that_says_nothing():
    start()


def test_that_swallows_every_exception():
    try:
        start()
    except Exception:
        pass


def test_that_asks_late(request):
    request.getfixturevalue("desk")
    start()


async def test_that_wants_a_clock():
    async with skipping_server():
        pass
"""
TOGETHER = """
import os

import pytest


@pytest.mark.parametrize("time", range(4))
def test_that_needs_servers(servers, request, time):
    with (request.config.rootpath / "who.txt").open("a") as file:
        print(request.path.stem, os.environ["PYTEST_XDIST_WORKER"], file=file)
"""
IN_THE_BACKGROUND = ("/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""As a script starts something beside it: deaf for Ctrl-C, unless it wants to hear."""
WITH_A_SERVER = {"with_a_desk", "that_starts_servers_itself", "in_a_browser"}
REFUSED = {
    *("that_says_nothing", "that_swallows_every_exception", "that_asks_late"),
    "that_wants_a_clock",
}


@pytest.mark.program
def test_a_mark_comes_with_the_fixture_and_without_it_nothing_is_started_whatever_a_test_catches(
    tmp_path: Path,
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "test_some.py").write_text(TESTS, "utf-8")
    ran = _pytest(tmp_path, "-rA", "--tb=line", before=IN_THE_BACKGROUND)
    told = dict(_outcome(line) for line in ran.stdout.splitlines() if " test_some.py::" in line)
    assert told == {
        **dict.fromkeys((*WITH_A_SERVER, "pure", "that_starts_a_program"), "PASSED"),
        **dict.fromkeys(REFUSED, "FAILED"),
    }, ran.stdout + ran.stderr
    marks = [line.split() for line in (tmp_path / "marks.txt").read_text("utf-8").splitlines()]
    assert {name for name, *its in marks if "server" in its} == WITH_A_SERVER
    assert {name for name, *its in marks if "browser" in its} == {"in_a_browser"}


@pytest.mark.program
def test_the_tests_of_a_file_that_needs_servers_are_run_by_one_process(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    for name in ("here", "there", "elsewhere"):
        (tmp_path / f"test_{name}.py").write_text(TOGETHER, "utf-8")
    recipes = (ROOT / "Makefile").read_text("utf-8")
    made = re.search(r"^PYTEST = .*?pytest -n \S+ (.*)$", recipes, re.MULTILINE)
    assert made
    ran = _pytest(tmp_path, "-n", "2", *made[1].split())
    assert ran.returncode == 0, ran.stdout + ran.stderr
    by = [line.split() for line in (tmp_path / "who.txt").read_text("utf-8").splitlines()]
    assert len(by) == 12
    assert len({tuple(each) for each in by}) == 3
    assert len({process for _, process in by}) == 2


def _pytest(home: Path, *options: str, before: Sequence[str] = ()) -> CompletedProcess[str]:
    return subprocess.run(
        [
            *(*before, sys.executable, "-m", "pytest", "-pno:cacheprovider", *options),
            *("--rootdir", str(home), "--override-ini=asyncio_mode=auto", str(home)),
        ],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def _outcome(line: str) -> tuple[str, str]:
    how, _, which = line.partition(" test_some.py::test_")
    return which.split(" ")[0], how


def test_no_name_of_a_test_is_longer_than_people_read(request: pytest.FixtureRequest) -> None:
    assert marks.pytest_make_parametrize_id(b"\xff" * 101, "content") == "content of 101"
    assert marks.pytest_make_parametrize_id("x" * 100, "words") is None
    longest = max(len(item.nodeid) for item in request.session.items)
    assert longest < 4_000  # of a text of a hundred characters each is escaped, some twice
