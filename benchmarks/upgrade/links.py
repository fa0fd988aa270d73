"""The links that the earlier version sent: they are in people's pockets, and must open."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus

import httpx2

from benchmarks.chaos.findings import Count, Finding
from demo.receiver import Received

AT_ONCE = 4
_LINK = re.compile(r"/l/[\w.~-]+")
_OPENS = {HTTPStatus.OK, HTTPStatus.GONE, HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN}
"""It opens, or says why it is too late for what it was for."""


def sent_in(messages: Iterable[Received]) -> list[str]:
    """List the links of messages, as paths."""
    return sorted({link for message in messages for link in _LINK.findall(message.body)})


async def dead(links: Sequence[str], http: httpx2.AsyncClient) -> list[Finding]:
    """Look at every link, and find those that nobody knows."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def look(link: str) -> Finding | None:
        async with turn:
            status = (await http.get(link)).status_code
        if status in _OPENS:
            return None
        return Finding(Count.LOST, "", f"the earlier version's {link} is answered with {status}")

    looked = await asyncio.gather(*(look(link) for link in links))
    return [finding for finding in looked if finding]
