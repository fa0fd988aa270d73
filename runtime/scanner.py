"""A malware scanner, asked what is in a file: ClamAV's daemon, or whatever speaks as it does.

``YINUO_SCANNER`` names it: ``tcp://10.0.0.9:3310``, ``unix:///run/clamav/clamd.ctl``. The protocol
is clamd's INSTREAM (clamd(8)): a file goes over in pieces, the answer is one line.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

_CONNECTS = 5.0
"""Seconds within which it answers at all."""
_SCANS = 60.0
"""Seconds for one file."""
_LONGEST_ANSWER = 4096
_FOUND = re.compile(r"^stream: (.+) FOUND$", re.DOTALL)
_PORT = 3310


class NotScanned(Exception):
    """Nobody knows what is in the file: the scanner would not look at it, or was not clear."""


class ScannerAway(NotScanned):
    """The scanner does not answer, or not in time: there is no use in asking it of another file."""


class Scanner(Protocol):
    """What a scanner is to the desk."""

    async def found_in(self, content: AsyncIterable[bytes]) -> str | None:
        """Say what malware is in a file; None: none is known.

        Raises:
            NotScanned: it is not known.
        """


@dataclass(frozen=True)
class Clamd:
    """ClamAV's daemon, at a host and port or at a socket of this machine."""

    path: str = ""
    host: str = ""
    port: int = _PORT
    within: float = _SCANS

    @classmethod
    def at(cls, url: str) -> Clamd:
        """Read where it is.

        Raises:
            ValueError: there can be none.
        """
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path and not parts.netloc:
            return cls(path=parts.path)
        if parts.scheme == "tcp" and parts.hostname and parts.path in ("", "/"):
            return cls(host=parts.hostname, port=parts.port or _PORT)
        raise ValueError("write tcp://HOST:PORT or unix:///PATH/OF/ITS/SOCKET")

    async def found_in(self, content: AsyncIterable[bytes]) -> str | None:
        """Ask it, over a connection of its own."""
        try:
            async with asyncio.timeout(self.within):
                said = await self._asked(content)
        except (OSError, TimeoutError) as error:
            raise ScannerAway(f"the scanner does not answer ({type(error).__name__})") from error
        if found := _FOUND.match(said):
            return found[1]
        if said != "stream: OK":
            raise NotScanned(f"the scanner says {said[:200]!r}")
        return None

    async def _asked(self, content: AsyncIterable[bytes]) -> str:
        reader, writer = await asyncio.wait_for(self._connected(), _CONNECTS)
        try:
            await _send(writer, content)
            said = await reader.readuntil(b"\0")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
            # One that has had enough says so and hangs up, in the middle of what it is sent.
            raise NotScanned("the scanner hung up: the file may be larger than it takes") from error
        finally:
            writer.close()
        return said.rstrip(b"\0").decode(errors="replace").strip()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.path:
            return await asyncio.open_unix_connection(self.path, limit=_LONGEST_ANSWER)
        return await asyncio.open_connection(self.host, self.port, limit=_LONGEST_ANSWER)


def scanner_at(url: str | None) -> Scanner | None:
    """Have the scanner that the settings name, if they name one."""
    return Clamd.at(url) if url else None


async def _send(writer: asyncio.StreamWriter, content: AsyncIterable[bytes]) -> None:
    writer.write(b"zINSTREAM\0")
    async for piece in content:
        if piece:  # an empty one is the end
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
    writer.write(bytes(4))
    await writer.drain()
