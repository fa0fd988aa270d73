import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from temporalio.client import Client

from domain.errors import SetupError
from runtime.embedded.ports import free_ports
from runtime.embedded.servers import HASTY, EmbeddedPostgres, EmbeddedTemporal
from runtime.home import make_private
from runtime.migrate import migrate
from runtime.settings import Settings
from runtime.temporal import connect
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("servers")


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _value(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_postgres_keeps_its_data_when_stopped_restarted_or_killed(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    async with server:
        await _execute(server.owner_url, "CREATE TABLE note (text text)")
        await _execute(server.owner_url, "INSERT INTO note VALUES ('保留')")
        first = server.pid
        await server.restart()
        assert server.pid != first
        assert await _value(server.owner_url, "SELECT text FROM note") == "保留"
        server.kill()
        await server.restart()
        assert await _value(server.owner_url, "SELECT text FROM note") == "保留"
    assert server.pid is None
    async with EmbeddedPostgres(tmp_path) as again:
        assert await _value(again.owner_url, "SELECT text FROM note") == "保留"


async def test_postgres_listens_on_its_private_socket_only(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        assert server.pid is not None
        process = psutil.Process(server.pid)
        assert not [c for c in process.net_connections() if c.family != socket.AF_UNIX]
        assert (tmp_path / "sockets").stat().st_mode & 0o077 == 0
        if os.geteuid() == 0:
            assert process.uids().real != 0


async def test_what_was_committed_in_haste_survives_a_crash_of_the_server(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        await _value(server.owner_url, "CREATE TABLE told (n integer)")
        for n in range(1, 6):
            await _value(server.owner_url, "INSERT INTO told SELECT count(*) + 1 FROM told")
            server.kill()
            await server.restart()
            assert await _value(server.owner_url, "SELECT max(n) FROM told") == n


async def test_a_home_with_a_very_long_path_works_too(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 20) / ("deeper" * 20)
    async with EmbeddedPostgres(home, HASTY) as server:
        assert await _value(server.url, "SELECT 1") == 1
        query = urllib.parse.urlsplit(server.url).query
        sockets = Path(urllib.parse.parse_qs(query)["host"][0])
        assert sockets.is_dir()
    assert not sockets.exists()


async def test_a_home_that_only_its_owner_can_enter_works_and_stays_so(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    async with EmbeddedPostgres(private / "home", HASTY) as server:
        assert await _value(server.url, "SELECT 1") == 1
    assert private.stat().st_mode & 0o777 == 0o700


async def test_nobody_else_may_read_what_is_in_the_home_nor_what_is_left_from_before(
    tmp_path: Path,
) -> None:
    home, (port, ui_port) = tmp_path / "home", free_ports(2)
    async with EmbeddedPostgres(home, HASTY), EmbeddedTemporal(home, port, ui_port):
        names = {path.name for path in home.iterdir()}
        assert {"temporal.db", "temporal.db-wal", "postgres.log", "temporal.log"} <= names
        assert _open_to_others(home) == {}
    home.chmod(0o755)
    for entry in home.glob("*.*"):
        entry.chmod(0o644)
    async with EmbeddedPostgres(home, HASTY), EmbeddedTemporal(home, port, ui_port):
        assert _open_to_others(home) == {}


def _open_to_others(home: Path) -> dict[str, str]:
    modes = {path.name: path.lstat().st_mode for path in (home, *home.iterdir())}
    return {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


async def test_a_home_that_others_share_is_not_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    make_private(tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


async def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"home cannot be used: Not a directory.*YINUO_HOME"):
        make_private(tmp_path / "file" / "home")


@pytest.mark.skipif(os.geteuid() != 0, reason="a desk of root's")
async def test_postgres_of_roots_desk_belongs_to_an_account_of_its_own(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        assert psutil.Process(server.pid).username() == "yinuo-postgres"
        owners = {path.owner() for path in (tmp_path / "postgres").rglob("*")}
        assert owners == {"yinuo-postgres"}


@pytest.mark.skipif(os.geteuid() != 0, reason="a desk of root's")
async def test_data_that_was_nobodys_is_handed_over_and_anybody_elses_is_not(
    tmp_path: Path,
) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        await _execute(server.owner_url, "CREATE TABLE note AS SELECT '保留' AS text")
    _give_to("nobody", tmp_path / "postgres")
    async with EmbeddedPostgres(tmp_path, HASTY) as again:
        assert await _value(again.owner_url, "SELECT text FROM note") == "保留"
        owners = {path.owner() for path in (tmp_path / "postgres").rglob("*")}
        assert owners == {"yinuo-postgres"}
    _give_to("daemon", tmp_path / "postgres")
    with pytest.raises(SetupError, match="postgres belongs to somebody else"):
        await EmbeddedPostgres(tmp_path, HASTY).start()


def _give_to(account: str, path: Path) -> None:
    for each in (path, *path.rglob("*")):
        shutil.chown(each, account)


@pytest.mark.skipif(os.geteuid() != 0, reason="a desk of root's")
async def test_an_account_that_cannot_be_made_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.home.ACCOUNT", "Not:a:name")
    monkeypatch.setattr("runtime.home._TRIES", 2)
    with pytest.raises(SetupError, match=r"could not be made \(.*invalid.*useradd --system"):
        await EmbeddedPostgres(tmp_path, HASTY).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
async def test_nobody_else_on_the_machine_comes_in_even_if_the_directory_was_opened() -> None:
    home = Path(tempfile.mkdtemp())
    try:
        async with EmbeddedPostgres(home, {**HASTY, "unix_socket_permissions": "0777"}) as server:
            for path in (home, home / "sockets"):
                path.chmod(0o755)
            nobody = pwd.getpwnam("nobody").pw_uid
            for role in ("postgres", "yinuo"):
                os.seteuid(nobody)
                try:
                    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                        await asyncpg.connect(server.url_of("yinuo", role))
                finally:
                    os.seteuid(0)
            assert await _value(server.url, "SELECT current_user") == "yinuo"
    finally:
        shutil.rmtree(home)


WITHOUT_REACH = """
import asyncio, ctypes, sys
from pathlib import Path
from runtime.embedded.servers import EmbeddedPostgres, HASTY
from domain.errors import SetupError

PR_SET_SECUREBITS, NO_CAP_AMBIENT_RAISE = 28, 1 << 6
assert ctypes.CDLL(None).prctl(PR_SET_SECUREBITS, NO_CAP_AMBIENT_RAISE, 0, 0, 0) == 0

async def main():
    try:
        async with EmbeddedPostgres(Path(sys.argv[1]), HASTY) as server:
            print("up as", server.pid)
    except SetupError as error:
        print(str(error).splitlines()[0])

asyncio.run(main())
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="a desk of root's, on Linux"
)
def test_where_root_may_not_hand_on_its_reach_the_home_lets_postgres_through() -> None:
    base = Path(tempfile.mkdtemp())
    try:
        base.chmod(0o711)
        home = base / "home"
        programs = Path(sys.executable).parent.parent
        if not all(path.stat().st_mode & 0o001 for path in (programs, *programs.parents)):
            pytest.skip("only root reaches the Python packages of this checkout")
        first = _without_reach(home)
        assert f"reach {home}, for example by `chgrp yinuo-postgres {home}`" in first
        shutil.chown(home, group="yinuo-postgres")
        assert _without_reach(home).startswith("up as")
        assert home.stat().st_mode & 0o777 == 0o710
    finally:
        shutil.rmtree(base)


def _without_reach(home: Path) -> str:
    arguments = [sys.executable, "-c", WITHOUT_REACH, str(home)]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


async def test_a_desk_from_before_it_had_roles_is_given_to_them(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        for command in (
            "ALTER DATABASE yinuo OWNER TO postgres",
            "DROP OWNED BY yinuo, yinuo_owner",
            "DROP ROLE yinuo",
            "DROP ROLE yinuo_owner",
        ):
            await _execute(server.url_of("postgres"), command)
        await migrate(server.url_of("yinuo"))
        await _execute(server.url_of("yinuo"), "INSERT INTO serials VALUES ('2026-11-23', '07', 1)")
        (tmp_path / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
        await server.restart()
        await migrate(server.owner_url, server.url)
        assert await _value(server.url, "SELECT last FROM serials") == 1
        await _execute(server.url, "UPDATE serials SET last = 2")
        foreign = """
        SELECT count(*) FROM (
            SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relowner <> 'yinuo_owner'::regrole
            UNION ALL SELECT proname FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND proowner <> 'yinuo_owner'::regrole
        ) AS foreign_owned
        """
        assert await _value(server.url, foreign) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
async def test_what_a_killed_server_left_running_is_gone_before_it_recovers(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        connection = await asyncpg.connect(server.url)
        orphan = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        orphan.suspend()
        server.kill()
        await server.restart()
        assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
        assert await _value(server.url, "SELECT 1") == 1
        connection.terminate()


async def test_a_socket_whose_server_was_killed_is_no_hindrance(
    tmp_path: Path, postgres_server: EmbeddedPostgres
) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        server.kill()
        # Its number may be another process's by now, of the same account.
        for left in ("sockets/.s.PGSQL.5432.lock", "postgres/postmaster.pid"):
            _, rest = (tmp_path / left).read_text().split("\n", 1)
            (tmp_path / left).write_text(f"{postgres_server.pid}\n{rest}")
        await server.restart()
        assert await _value(server.url, "SELECT 1") == 1


async def test_a_server_that_ended_by_itself_is_told_from_one_that_was_stopped(
    tmp_path: Path,
) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        ended = asyncio.create_task(server.ended())
        await server.stop()
        await server.again()
        assert server.pid is None, "what was stopped stays so"
        await server.start()
        await server.restart()
        assert not ended.done()
        server.kill()
        assert await ended == -signal.SIGKILL
        await asyncio.gather(server.again(), server.again(), server.again())
        assert await _value(server.url, "SELECT 1") == 1


async def test_a_second_desk_in_the_same_home_is_refused_naming_the_first(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, HASTY) as server:
        with pytest.raises(SetupError, match=rf"in use by process {os.getpid()}.*YINUO_HOME"):
            await EmbeddedPostgres(tmp_path).start()
        assert await _value(server.url, "SELECT 1") == 1


async def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"(?s)ended while starting.*no_such_option"):
        await EmbeddedPostgres(tmp_path, {"no_such_option": "1"}).start()


async def test_a_sockets_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="belongs to somebody else"):
        await EmbeddedPostgres(tmp_path, HASTY).start()


async def test_temporal_keeps_its_workflows_when_stopped_restarted_or_killed(
    tmp_path: Path,
) -> None:
    port, ui_port = free_ports(2)
    server = EmbeddedTemporal(tmp_path, port, ui_port)
    async with server:
        client = await connect(Settings(temporal_port=port))
        await client.start_workflow("Waiting", id="issue:test:1", task_queue="nobody")
        await server.restart()
        await client.get_workflow_handle("issue:test:1").describe()
        server.kill()
        await server.restart()
    async with EmbeddedTemporal(tmp_path, port, ui_port):
        described = await client.get_workflow_handle("issue:test:1").describe()
        assert described.workflow_type == "Waiting"


@pytest.mark.parametrize("again", [False, True])
async def test_a_temporal_that_dies_between_listening_and_answering_is_one_that_did_not_come_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    port, ui_port = free_ports(2)
    server = EmbeddedTemporal(tmp_path, port, ui_port)
    if again:
        await server.start()
        server.kill()
        await server.ended()
    reaches = Client.connect

    async def reaches_it_at_its_end(*where: Any, **how: Any) -> Client:
        client = await reaches(*where, **how)
        server.kill()
        await server.ended()
        return client

    monkeypatch.setattr(Client, "connect", reaches_it_at_its_end)
    with pytest.raises(SetupError, match="Temporal ended while starting"):
        await (server.again() if again else server.start())
    monkeypatch.undo()
    await (server.again() if again else server.start())
    await server.stop()


@pytest.mark.parametrize(
    ("taken", "variable"), [(0, "YINUO_TEMPORAL_PORT"), (1, "YINUO_TEMPORAL_UI_PORT")]
)
async def test_a_port_that_is_taken_is_named_with_its_setting(
    tmp_path: Path, taken: int, variable: str
) -> None:
    ports = port, ui_port = free_ports(2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[taken]))
        other.listen()
        with pytest.raises(SetupError, match=f"port {ports[taken]} .* is taken.*{variable}"):
            await EmbeddedTemporal(tmp_path, port, ui_port).start()


DESK = """
import asyncio, sys
from pathlib import Path
from runtime import aio
from runtime.embedded.servers import EmbeddedPostgres, EmbeddedTemporal
from runtime.settings import Settings
from runtime.temporal import connect

async def main(home, port, ui_port, stay):
    postgres, temporal = EmbeddedPostgres(home), EmbeddedTemporal(home, port, ui_port)
    with aio.stop_requested() as stop:
        async with postgres, temporal:
            client = await connect(Settings(temporal_port=port))
            await client.count_workflows()
            print(postgres.pid, temporal.pid, flush=True)
            if stay:
                await stop.wait()

home, port, ui_port, stay = sys.argv[1:]
aio.run(main(Path(home), int(port), int(ui_port), stay == "stay"))
"""


def _desk(home: Path, stay: str) -> "subprocess.Popen[str]":
    port, ui_port = free_ports(2)
    arguments = [sys.executable, "-c", DESK, str(home), str(port), str(ui_port), stay]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_a_program_that_used_both_servers_ends_with_exit_code_0_every_time(tmp_path: Path) -> None:
    for _ in range(4):
        with _desk(tmp_path, "leave") as desk:
            assert desk.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_its_desk(tmp_path: Path, number: signal.Signals) -> None:
    if number is signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent was killed")
    with _desk(tmp_path, "stay") as desk:
        assert desk.stdout is not None
        servers = [psutil.Process(int(pid)) for pid in desk.stdout.readline().split()]
        assert len(servers) == 2
        desk.send_signal(number)
        assert desk.wait(PATIENCE) == (-number if number is signal.SIGKILL else 0)
        _, alive = psutil.wait_procs(servers, timeout=PATIENCE)
        assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    with _desk(tmp_path, "leave") as again:
        assert again.wait(60) == 0
