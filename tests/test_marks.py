"""The marks are told by the fixtures, and whoever starts something without one fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import ROOT

CONFTEST = """
import pytest
from tests import marks


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
"""
TESTS = """
import subprocess
import sys

import pytest

from tests.skipping import skipping_server


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
    start()


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
WITH_A_SERVER = {"with_a_desk", "that_starts_servers_itself", "in_a_browser"}
REFUSED = {
    *("that_says_nothing", "that_swallows_every_exception", "that_asks_late"),
    "that_wants_a_clock",
}


def passed_and_failed(directory: Path, *options: str) -> tuple[set[str], set[str]]:
    """Run those tests in a process of their own, and tell which passed and which did not."""
    (directory / "conftest.py").write_text(CONFTEST, "utf-8")
    (directory / "test_some.py").write_text(TESTS, "utf-8")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-rA", "--tb=line", "-pno:cacheprovider"),
            *("--rootdir", str(directory), "--override-ini=asyncio_mode=auto"),
            *(str(directory), *options),
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    told: dict[str, set[str]] = {"PASSED": set(), "FAILED": set()}
    for line in ran.stdout.splitlines():
        how, _, which = line.partition(" test_some.py::test_")
        if how in told:
            told[how].add(which.split(" ")[0])
    assert told["PASSED"], ran.stdout + ran.stderr
    return told["PASSED"], told["FAILED"]


@pytest.mark.program
def test_without_the_fixture_nothing_is_started_and_the_test_fails_whatever_it_catches(
    tmp_path: Path,
) -> None:
    passed, failed = passed_and_failed(tmp_path)
    assert passed == {*WITH_A_SERVER, "pure", "that_starts_a_program"}
    assert failed == REFUSED


@pytest.mark.program
@pytest.mark.parametrize(
    ("mark", "chosen"), [("server", WITH_A_SERVER), ("browser", {"in_a_browser"})]
)
def test_whoever_stands_on_a_servers_fixture_is_marked(
    tmp_path: Path, mark: str, chosen: set[str]
) -> None:
    passed, failed = passed_and_failed(tmp_path, "-m", mark)
    assert (passed, failed) == (chosen, set())
