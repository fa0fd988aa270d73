"""A clamd of the tests' own: takes files as ClamAV's daemon does, and knows one virus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

VIRUS = b"YINUO-TEST-VIRUS"
"""What it finds; there is nothing to it."""


@dataclass
class FakeClamd:
    """What it was sent; ``says`` goes before what it would find, ``hangs`` lets it say nothing."""

    files: list[bytes] = field(default_factory=list)
    says: str | None = None
    hangs: bool = False
    largest: int = 10**9
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer for one file (clamd(8), INSTREAM)."""
        try:
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            content = bytearray()
            while length := int.from_bytes(await reader.readexactly(4), "big"):
                content += await reader.readexactly(length)
                if len(content) > self.largest:
                    writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.files.append(bytes(content))
            if self.hangs:
                await reader.read()
                return
            found = "Yinuo.Test.Virus FOUND" if VIRUS in content else "OK"
            writer.write(f"{self.says or f'stream: {found}'}\0".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scanning(path: Path | None = None) -> AsyncIterator[FakeClamd]:
    """Have one listen, at a socket or else at a port."""
    clamd = FakeClamd()
    if path:
        server: asyncio.Server = await asyncio.start_unix_server(clamd.answer, path)
        clamd.url = f"unix://{path}"
    else:
        server = await asyncio.start_server(clamd.answer, "127.0.0.1", 0)
        clamd.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield clamd
    finally:
        server.close()
