import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from temporalio.client import Client

from runtime.errors import SetupError
from runtime.settings import Settings
from starter.up import desk
from tests.conftest import DeskServers, free_ports

# Serves both queues, as the desk's worker does, with nothing else to go wrong.
WORKER = """
import asyncio, signal
from temporalio import activity
from temporalio.worker import Worker
from runtime import aio, settings, temporal

@activity.defn
async def nothing(): pass

async def main():
    client = await temporal.connect(settings.load())
    from worker_flow import Nothing
    with aio.stop_requested() as stop:
        issues = Worker(client, task_queue="issues", workflows=[Nothing])
        async with issues, Worker(client, task_queue="notifications", activities=[nothing]):
            await stop.wait()

aio.run(main())
"""
FLOW = """
from temporalio import workflow

@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: pass
"""


class Told(list[tuple[str, str, str]]):
    """What `desk` reported, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def __call__(self, part: str, state: str, detail: str) -> None:
        self.append((part, state, detail))
        self._more.set()

    async def wait_for(self, part: str, state: str) -> None:
        while not any(told[:2] == (part, state) for told in self):
            self._more.clear()
            await self._more.wait()


def _provide(worker: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "worker.py").write_text(worker)
    (directory / "worker_flow.py").write_text(FLOW)
    monkeypatch.setenv("PYTHONPATH", str(directory))


async def test_the_whole_desk_comes_up_in_order_and_goes_down_in_reverse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    port, ui_port, http_port = free_ports(3)
    settings = Settings(
        home=tmp_path / "home",
        http_port=http_port,
        temporal_port=port,
        temporal_ui_port=ui_port,
    )
    told = Told()
    tables: list[int] = []

    async def first_roster(pool: "asyncpg.Pool[Any]", client: Client) -> None:
        tables.append(await pool.fetchval("SELECT count(*) FROM pg_tables"))
        assert client.namespace == "default"

    async with desk(settings, progress=told, after_migrations=first_roster) as running:
        assert running.temporal_address == f"127.0.0.1:{port}"
        assert running.web_ui == f"http://127.0.0.1:{ui_port}"
        assert running.workers[0].running
    assert tables
    parts = ["PostgreSQL", "Temporal", "migrations", "search attributes", "register", "policy"]
    parts += ["worker 1", "doors"]
    assert [part for part, state, _ in told if state == "ready"] == parts
    stopped = [part for part, state, _ in told if state == "stopped"]
    assert stopped == ["doors", "worker 1", "Temporal", "PostgreSQL"]


async def test_what_is_killed_is_started_again_on_given_servers(
    desk_servers: DeskServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    told = Told()
    async with desk(desk_servers.settings, progress=told) as running:
        assert (running.postgres, running.temporal, running.web_ui) == (None, None, None)
        (worker,) = running.workers
        assert worker.pid is not None
        first = worker.pid
        os.kill(first, signal.SIGKILL)
        await told.wait_for("worker 1", "restarted")
        assert worker.pid not in {None, first}
        assert running.doors is not None
        assert running.doors.pid is not None
        os.kill(running.doors.pid, signal.SIGKILL)
        await told.wait_for("doors", "restarted")
        last = [worker.pid, running.doors.pid]
    for pid in last:
        assert pid is not None
        assert not psutil.pid_exists(pid)


async def test_a_desk_stays_closed_if_it_is_told_to(
    desk_servers: DeskServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    closed = desk_servers.settings.model_copy(update={"doors": False})
    async with desk(closed) as running:
        assert running.doors is None


async def test_a_port_that_somebody_else_has_is_told_before_anything_is_started(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        told = Told()
        with pytest.raises(SetupError, match=f"port {taken} .* is taken.*YINUO_HTTP_PORT"):
            async with desk(Settings(home=tmp_path, http_port=taken), progress=told):
                pass
    assert told == []


async def test_a_worker_that_does_not_start_is_told_with_the_end_of_its_log(
    desk_servers: DeskServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide("raise SystemExit('no policy here')", tmp_path, monkeypatch)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    with pytest.raises(SetupError, match=r"(?s)worker 1 ended while starting.*no policy here"):
        async with desk(desk_servers.settings):
            pass
