"""`yinuo serve` as a process: opens whatever is away, tells who asked, closes in order."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runtime.embedded.ports import free_ports
from runtime.settings import ROOT, Settings
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("servers")


def _away(home: Path) -> dict[str, str]:
    """Settings that name two servers of which there is neither."""
    http_port, nobody = free_ports(2)
    return Settings(
        home=home,
        http_port=http_port,
        temporal_port=nobody,
        database_url=f"postgresql://desk@127.0.0.1:{nobody}/desk",
        log_format="json",
    ).environment()


@asynccontextmanager
async def _serving(
    environment: dict[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "serve", *arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until_it_answers(process: asyncio.subprocess.Process, url: str) -> httpx2.Response:
    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                return await client.get(url)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
    raise AssertionError("it ended")


async def _rest_of(process: asyncio.subprocess.Process) -> list[dict[str, Any]]:
    _, err = await process.communicate()
    return [json.loads(line) for line in err.splitlines()]


async def test_the_doors_open_while_both_servers_are_away_and_say_so(tmp_path: Path) -> None:
    environment = _away(tmp_path)
    url = f"http://127.0.0.1:{environment['YINUO_HTTP_PORT']}"
    async with _serving(environment) as process:
        alive = await _until_it_answers(process, f"{url}/healthz")
        ready = await _until_it_answers(process, f"{url}/readyz")
        lost = await _until_it_answers(process, f"{url}/lost?phone=13800000001")
        process.send_signal(signal.SIGTERM)
        lines = await _rest_of(process)
    assert process.returncode == 0
    assert alive.status_code == 200
    assert "server" not in alive.headers
    assert ready.status_code == 503
    assert (ready.json()["temporal"], ready.json()["postgresql"]) == (False, False)
    assert lost.status_code == 404
    (asked,) = [line for line in lines if line["event"] == "request"]
    assert (asked["method"], asked["route"], asked["status"]) == ("GET", "none", 404)
    assert asked["request"] == lost.headers["x-request-id"]
    assert "13800000001" not in str(lines)
    assert (lines[0]["event"], lines[-1]["event"]) == ("open", "closing")


async def test_what_is_being_answered_is_answered_before_the_doors_close(tmp_path: Path) -> None:
    environment = _away(tmp_path)
    port = environment["YINUO_HTTP_PORT"]
    async with _serving(environment) as process:
        await _until_it_answers(process, f"http://127.0.0.1:{port}/healthz")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"POST /issues HTTP/1.1\r\nHost: desk\r\nContent-Length: 2\r\n\r\n{")
        await writer.drain()
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        async for line in process.stderr:
            if json.loads(line)["event"] == "closing":
                break
        writer.write(b"}")
        answer = await reader.readline()
        await process.communicate()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 401")
    assert process.returncode == 0


async def test_options_say_where_to_listen_rather_than_the_environment(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with _serving(_away(tmp_path), "--host", "localhost", "--port", str(port)) as process:
        answer = await _until_it_answers(process, f"http://localhost:{port}/healthz")
    assert answer.text == "ok\n"


async def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    environment = _away(tmp_path)
    with socket.create_server(("127.0.0.1", int(environment["YINUO_HTTP_PORT"]))):
        async with _serving(environment) as process:
            _, err = await process.communicate()
    assert process.returncode == 1
    assert "set YINUO_HTTP_PORT to a free port" in err.decode()
    assert "Traceback" not in err.decode()


async def test_only_a_trusted_proxys_word_on_the_address_counts(tmp_path: Path) -> None:
    """Seen by how often an address may ask: the limit follows the address that counts."""
    for trusted, last in (("127.0.0.1", 200), ("192.0.2.1", 429)):
        environment = _away(tmp_path) | {
            "YINUO_TRUSTED_PROXIES": trusted,
            "YINUO_CALLS_PER_MINUTE": "100",
        }
        url = f"http://127.0.0.1:{environment['YINUO_HTTP_PORT']}"
        async with _serving(environment) as process:
            await _until_it_answers(process, f"{url}/healthz")
            async with httpx2.AsyncClient(trust_env=False) as client:
                codes = [
                    (
                        await client.get(
                            f"{url}/openapi.json", headers={"X-Forwarded-For": f"192.0.2.{n}"}
                        )
                    ).status_code
                    for n in range(3)
                ]
        assert codes == [200, 200, last]
