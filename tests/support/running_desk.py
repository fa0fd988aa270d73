"""The desk as a person starts it, `yinuo up`, once for all tests of the client and the commands."""

import asyncio
import functools
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.testing
from temporalio.client import Client
from typer.main import get_command
from typer.testing import CliRunner

from cli.app import app
from runtime import postgres, temporal
from runtime.embedded.ports import free_ports
from runtime.embedded.servers import database_url
from runtime.settings import ROOT, Settings
from starter.attachments import Attachments
from starter.client import Desk
from store.connection import Pool
from tests.support.memory import in_memory

command_line = functools.cache(get_command)
"""Seventy commands are made of the signatures of their functions, which takes as long as some tests
do: once, and not for every call.
"""
typer.testing._get_command = command_line  # type: ignore[attr-defined]


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class RunningDesk:
    """A desk that `yinuo up` brought up, and all there is to talk to it."""

    roster: Path
    settings: Settings
    environment: dict[str, str]
    client: Client
    pool: Pool

    @property
    def desk(self) -> Desk:
        return Desk(self.client, self.pool)

    @functools.cached_property
    def attachments(self) -> Attachments:
        return Attachments.on(self.pool, self.settings)


Yinuo = Callable[..., Ran]
"""Runs a command: ``yinuo("issue", "show", number, stdin=b"…")``."""


def run_yinuo(*arguments: str, stdin: bytes = b"") -> Ran:
    """Run a command of `yinuo` in this process: starting one takes as long as ten commands."""
    result = CliRunner().invoke(app, arguments, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def yinuo(running_desk: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> Yinuo:
    """The command line of the running desk."""
    for name, value in (running_desk.environment | {"COLUMNS": "100"}).items():
        monkeypatch.setenv(name, value)
    return run_yinuo


class _Channels(BaseHTTPRequestHandler):
    """Takes every message, except on the channel feishu, which is broken."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500 if self.path.startswith("/feishu/") else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def channels() -> Iterator[int]:
    """The port at which the roster's channels are."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Channels) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
async def running_desk(
    servers: None, channels: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningDesk]:
    with in_memory(tmp_path_factory.mktemp("desk")) as home:
        async with brought_up(channels, home) as running:
            yield running


@asynccontextmanager
async def brought_up(channels: int, directory: Path) -> AsyncIterator[RunningDesk]:
    """Bring a desk up by the command that people type, with the example roster."""
    port, ui_port, http_port = free_ports(3)
    settings = Settings(
        home=directory / "home",
        http_port=http_port,
        policy=_open_day_and_night(directory / "policy.toml"),
        temporal_port=port,
        temporal_ui_port=ui_port,
        calls_per_minute=60_000,  # everybody of the tests has one address
    )
    environment = settings.environment()
    process = await _start(environment, "up")
    assert process.stdout
    said = []
    async for line in process.stdout:
        said.append(line.decode())
        if "Ctrl-C" in said[-1]:
            break
    assert process.returncode is None, "".join(said)
    assert "roster             8 centres, 55 people" in "".join(said)

    client = await temporal.connect(settings)
    async with postgres.pool(database_url(settings), size=10) as pool:
        roster = _roster(directory / "roster", channels)
        importing = await _start(environment, "roster", "import", str(roster))
        assert (await importing.communicate())[0].startswith(b"Imported: 8 centres")
        running = RunningDesk(roster, settings, environment, client, pool)
        yield running

    process.send_signal(signal.SIGINT)
    rest, err = await process.communicate()
    assert await process.wait() == 0, err.decode()
    parts = ["doors", "worker 1", "Temporal", "PostgreSQL"]
    assert re.findall(r"■ (.+?) +stopped", rest.decode()) == parts


async def _start(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "cli", *arguments]
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, **environment}, stdin=pipe, stdout=pipe, stderr=pipe
    )


def _open_day_and_night(path: Path) -> Path:
    """The standard policy, except that somebody is always on duty and callbacks may be made at
    once: a test is run at any hour and waits for none.
    """
    text = (ROOT / "policies" / "standard.toml").read_text("utf-8")
    week = '"mon", "tue", "wed", "thu", "fri", "sat", "sun"'
    text = re.sub(r"^days = .*", f"days = [{week}]", text, flags=re.MULTILINE)
    text = re.sub(r"^hours = .*", 'hours = ["00:00-24:00"]', text, flags=re.MULTILINE)
    text = re.sub(r"^(national|opens) = .*", "", text, flags=re.MULTILINE)
    path.write_text(text, "utf-8")
    return path


def _roster(directory: Path, channels: int) -> Path:
    shutil.copytree(ROOT / "examples" / "roster", directory)
    sheet = directory / "channels.csv"
    sheet.write_text(sheet.read_text("utf-8").replace(":8234/", f":{channels}/"), "utf-8")
    return directory
