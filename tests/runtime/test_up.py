import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from domain.errors import SetupError
from runtime.embedded.ports import free_ports
from runtime.settings import Settings
from starter.up import desk
from store.connection import Pool
from tests.conftest import DeskServers

pytestmark = pytest.mark.usefixtures("servers")

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
        issues = Worker(client, task_queue="issues", workflows=[Nothing], activities=[nothing])
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

    async def first_roster(pool: Pool, client: Client) -> None:
        tables.append(await pool.fetchval("SELECT count(*) FROM pg_tables"))
        assert client.namespace == "default"

    async with desk(settings, progress=told, after_migrations=first_roster) as running:
        assert running.temporal_address == f"127.0.0.1:{port}"
        assert running.web_ui == f"http://127.0.0.1:{ui_port}"
        assert running.workers[0].running
    assert tables
    parts = ["PostgreSQL", "Temporal", "migrations", "search attributes", "register", "policy"]
    parts += ["scripts", "worker 1", "doors"]
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


def _own_servers(home: Path, **changes: Any) -> Settings:
    port, ui_port, http_port = free_ports(3)
    ports = {"http_port": http_port, "temporal_port": port, "temporal_ui_port": ui_port}
    return Settings(**{"home": home, "durable": False, "doors": False, **ports, **changes})


async def test_servers_that_are_killed_are_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    told = Told()
    async with desk(_own_servers(tmp_path / "home"), progress=told) as running:
        assert running.postgres is not None
        assert running.temporal is not None
        for part in (running.postgres, running.temporal):
            first = part.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await told.wait_for(part.name, "restarted")
            assert part.pid not in {None, first}
        assert await running.pool.fetchval("SELECT count(*) FROM issues") == 0
        assert (await running.client.count_workflows()).count >= 0


async def test_a_server_that_was_stopped_on_purpose_stays_down_until_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    told = Told()
    async with desk(_own_servers(tmp_path / "home"), progress=told) as running:
        assert running.postgres is not None
        assert running.temporal is not None
        await running.postgres.stop()
        running.temporal.kill()
        await told.wait_for("Temporal", "restarted")
        assert running.postgres.pid is None
        await running.postgres.start()
        running.postgres.kill()
        await running.postgres.restart()
        assert await running.pool.fetchval("SELECT count(*) FROM issues") == 0
        await running.temporal.restart()
    restarted = [part for part, state, _ in told if state == "restarting"]
    assert "Temporal" in restarted
    assert restarted.count("PostgreSQL") <= 1, "of the kill, if it was seen before the restart"


async def test_a_worker_waits_for_its_servers_rather_than_end_the_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    told = Told()
    async with desk(_own_servers(tmp_path / "home"), progress=told) as running:
        assert running.postgres is not None
        assert running.temporal is not None
        await running.postgres.stop()
        running.workers[0].kill()
        await told.wait_for("worker 1", "restarting")
        running.temporal.kill()
        await told.wait_for("Temporal", "restarted")
        assert running.workers[0].pid is None
        assert [state for part, state, _ in told if part == "worker 1"][-1] == "restarting"
        await running.postgres.start()
        await told.wait_for("worker 1", "restarted")
        assert running.workers[0].pid is not None


UNTIL_GONE = """
from pathlib import Path
if Path({gone!r}).exists():
    raise SystemExit("its time is over")
"""


@pytest.mark.parametrize("part", ["worker 1", "Temporal"])
async def test_a_part_that_does_not_stay_up_ends_the_desk_and_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    gone = tmp_path / "gone"
    _provide(UNTIL_GONE.format(gone=str(gone)) + WORKER, tmp_path, monkeypatch)
    monkeypatch.setattr("starter.up._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("starter.up._LONGEST_PAUSE", 0.001)
    told = Told()
    processes: list[int | None] = []

    async def lose_it() -> None:
        async with desk(_own_servers(tmp_path / "home"), progress=told) as running:
            assert running.postgres is not None
            assert running.temporal is not None
            processes.extend((running.postgres.pid, running.workers[0].pid))
            gone.touch()
            if part == "Temporal":
                (tmp_path / "home" / "temporal.db").write_bytes(b"no database" * 1000)
                running.temporal.kill()
            else:
                running.workers[0].kill()
            await asyncio.Event().wait()

    what = (
        rf"(?s)^{part} does not stay up: it was started 10 times in a row.*`yinuo up` again.*log:"
    )
    with pytest.raises(SetupError, match=what):
        await lose_it()
    assert sum(told[:2] == (part, "restarting") for told in told) >= 10
    assert not [pid for pid in processes if pid is None or psutil.pid_exists(pid)]


async def test_a_fault_within_the_desk_is_raised_as_it_is(
    desk_servers: DeskServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    closed = desk_servers.settings.model_copy(update={"doors": False})
    with pytest.raises(ZeroDivisionError):
        async with desk(closed):
            raise ZeroDivisionError


async def test_the_role_for_migrations_is_not_handed_to_workers(
    desk_servers: DeskServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    monkeypatch.setenv("YINUO_MIGRATION_URL", desk_servers.postgres.owner_url)
    own = desk_servers.settings.model_copy(
        update={"doors": False, "migration_url": SecretStr(desk_servers.postgres.owner_url)}
    )
    told = Told()
    async with desk(own, progress=told) as running:
        environment = psutil.Process(running.workers[0].pid).environ()
        assert await running.pool.fetchval("SELECT current_user") == "yinuo"
    assert environment["DATABASE_URL"] == desk_servers.postgres.url
    assert "yinuo_owner" not in str(environment)
    assert not [state for _, state, _ in told if state == "warning"]


async def test_an_application_that_owns_its_tables_is_warned(
    desk_servers: DeskServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _provide(WORKER, tmp_path, monkeypatch)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    one_role = desk_servers.settings.model_copy(
        update={"doors": False, "database_url": desk_servers.postgres.owner_url}
    )
    told = Told()
    async with desk(one_role, progress=told):
        pass
    (warning,) = [detail for _, state, detail in told if state == "warning"]
    assert "yinuo_owner could rewrite its audit trail" in warning
    assert "YINUO_MIGRATION_URL" in warning


async def test_doors_without_any_worker_come_up_too(
    desk_servers: DeskServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk_servers.temporal.address)
    alone = desk_servers.settings.model_copy(update={"workers": 0})
    async with desk(alone), httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{alone.base_url}/readyz")
    assert answer.status_code == 503
    assert (answer.json()["working"], answer.json()["writable"]) == (False, True)


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
