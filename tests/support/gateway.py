"""Somebody's gateway, that does with a request and its connection whatever a test wants of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple


class Then(Enum):
    """What becomes of a connection after an answer."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()


class Heard(NamedTuple):
    """A request as it came in; names of headers in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


class Answer(NamedTuple):
    """The bytes of an answer, which may be none, and what comes then."""

    said: bytes = b""
    then: Then = Then.KEEP


def says(status: int, body: bytes = b"", **headers: str) -> bytes:
    """An answer with headers, whose names have ``_`` for ``-``."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


OK = Answer(says(200, b"ok"))


@dataclass
class Gateway:
    """Keeps what it heard, and over how many connections."""

    answer: Callable[[Heard], Answer] = lambda _: OK
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was heard."""

    def url(self, rest: str = "/?:to={to}", schema: str = "json", user: str = "") -> str:
        return f"{schema}://{user}127.0.0.1:{self.port}{rest}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while await self._answer(reader, writer):
                    pass
        finally:  # also when the block ends while somebody waits
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        method, target, _ = lines[0].split(" ")
        pairs = (line.split(": ", 1) for line in lines[1:-1])
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        heard = Heard(method, target, headers, body.decode())
        self.heard.append(heard)
        said, then = self.answer(heard)
        writer.write(said)
        await writer.drain()
        self.asked.set()
        if then is Then.RESET:
            writer.transport.abort()
        if then is Then.HANG:
            await reader.read()  # until the other side has had enough
        return then is Then.KEEP


@asynccontextmanager
async def a_gateway(certificate: str | None = None) -> AsyncIterator[Gateway]:
    """Keep one open while the block runs, over TLS if it has a certificate."""
    gateway, context = Gateway(), None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    serving: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(gateway._serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
