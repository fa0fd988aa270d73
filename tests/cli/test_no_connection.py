"""Programs that find no PostgreSQL say what to do, in a sentence and without a traceback."""

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest

from runtime.embedded.ports import free_ports
from runtime.settings import ROOT
from tests.conftest import DeskServers
from tests.support.patience import PATIENCE

PROGRAMS = {
    "migrate": ("cli", "migrate"),
    "up": ("cli", "up"),
    "worker": ("cli", "worker"),
    "worker as a module": ("worker",),
    "issue list": ("cli", "issue", "list"),
}


@pytest.mark.parametrize("program", PROGRAMS)
async def test_without_a_connection_left(desk_servers: DeskServers, program: str) -> None:
    administration = await asyncpg.connect(desk_servers.postgres.url_of("postgres"))
    await administration.execute("ALTER DATABASE yinuo CONNECTION LIMIT 0")
    await administration.close()
    (doors,) = free_ports(1)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", *PROGRAMS[program]],
        cwd=ROOT,
        env={
            **os.environ,
            **desk_servers.settings.environment(),
            "TEMPORAL_ADDRESS": desk_servers.temporal.address,
            "YINUO_HTTP_PORT": str(doors),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = ended.stderr.strip()
    assert ended.returncode != 0
    assert said.startswith("PostgreSQL has no connection left: stop workers, doors")
    assert "\n" not in said


@pytest.mark.program
def test_a_worker_without_temporal_says_so_in_a_sentence() -> None:
    (nobody,) = free_ports(1)
    ended = subprocess.run(
        [sys.executable, "-m", "worker"],
        cwd=ROOT,
        env={**os.environ, "YINUO_TEMPORAL_PORT": str(nobody)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    assert "Start the desk with `yinuo up`" in ended.stderr
    assert "Traceback" not in ended.stderr
