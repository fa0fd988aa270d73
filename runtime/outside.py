"""Sending to addresses that others choose, and never inside: to no machine of the company's that is
not allowed, whatever its name resolves to and whenever.

A name is resolved here, each of its addresses is looked at, and the connection is made to one that
was: between the two nobody can change it. TLS still checks the name.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, suppress
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import httpcore2
import httpx2
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from domain.errors import InputError
from domain.network import Address, may_be_reached

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

_LONGEST_URL = 2000
_USUAL_PORTS = {"https": 443, "http": 80}
_FREE_PORTS = range(1024, 65_536)
"""These may be anybody's; below there is one for each way to be posted to."""
_READ_OF_AN_ANSWER = 4096
"""Bytes of an answer that are looked at."""
_REST_WITHIN = 0.5
"""Seconds for the rest of an answer, whose status is known; or its connection is not kept."""
_KEPT_OPEN = 1.0
"""Seconds after which an unused connection is closed: receivers keep them longer."""
_LOOKED_UP_WITHIN = 5.0
"""Seconds for a name to be resolved, and as much again for a connection."""
_LOOK_UPS = 32
"""Names that are resolved at once: threads of their own, for who answers slowly blocks one."""


class Inside(Exception):
    """It leads to an address inside, or to where nothing may go unencrypted."""


class NotAnswered(Exception):
    """There was no answer; why, in words that quote nothing of what was sent."""


class Answer(NamedTuple):
    """What a receiver said."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: str
    """The beginning of it, as far as it came in time."""

    @property
    def taken(self) -> bool:
        """Whether its status is one of success."""
        return 200 <= self.status < 300

    @property
    def wait(self) -> float | None:
        """How many seconds it wants to be left in peace, if it says so in seconds."""
        said = self.headers.get("retry-after", "")
        return float(said) if said.isascii() and said.isdigit() and len(said) < 9 else None


def read_url(text: str) -> httpx2.URL:
    """Read the address of a receiver.

    Raises:
        InputError: it is none that anything may be posted to.
    """
    try:
        url = httpx2.URL(text.strip())
        port = _USUAL_PORTS.get(url.scheme, 0) if url.port is None else url.port
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise InputError(f"url: {text[:200]} is no address") from None
    wrong = {
        "write https://… (http://… only to a network that the policy allows)": url.scheme
        not in _USUAL_PORTS,
        "it names no host": not url.host,
        "leave user and password out: what we send is signed": bool(url.userinfo),
        "leave out what follows #": "#" in text,
        f"at most {_LONGEST_URL} characters": len(str(url)) > _LONGEST_URL,
        f"port {port}: {_USUAL_PORTS.get(url.scheme)}, or one from {_FREE_PORTS.start} on": not (
            port in _FREE_PORTS or port == _USUAL_PORTS.get(url.scheme)
        ),
    }
    for reason, found in wrong.items():
        if found:
            raise InputError(f"url: {reason}")
    return url


def resolved(host: str, port: int) -> list[Address]:
    """Ask the system for the addresses of a name, of which it has at least one.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [*dict.fromkeys(ip_address(str(place[0])) for *_, place in found)]


class Outside:
    """Posts to receivers outside, and to those of ``allow`` inside. One for each list of these."""

    def __init__(
        self,
        allow: Networks = (),
        *,
        resolve: Callable[[str, int], list[Address]] = resolved,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.allow = allow
        self._resolve = resolve
        self._look_ups = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="look-up")
        trust = trust or _trust()
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=trust,
                max_connections=None,
                keepalive_expiry=_KEPT_OPEN,
                network_backend=_Checked(self, in_clear=scheme == "http"),
            )
            for scheme in _USUAL_PORTS
        }
        logging.getLogger("httpcore2").setLevel(logging.WARNING)

    async def check(self, url: httpx2.URL) -> None:
        """See whether anything may be sent there, as its name resolves now.

        Raises:
            Inside: it may not.
            NotAnswered: nobody knows the name.
        """
        port = url.port or _USUAL_PORTS[url.scheme]
        await self.addresses(url.host, port, in_clear=url.scheme == "http")

    async def addresses(self, host: str, port: int, *, in_clear: bool) -> list[Address]:
        """Resolve a name.

        Raises:
            Inside: one of its addresses may not be sent to. Then none is: it may have several to
                slip through.
            NotAnswered: nobody knows the name.
        """
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._look_ups, self._resolve, host, port)
        try:
            async with asyncio.timeout(_LOOKED_UP_WITHIN):
                found = await asked
        except TimeoutError:
            raise NotAnswered("nobody resolves its name in time") from None
        except (OSError, UnicodeError):
            raise NotAnswered("nobody knows its name") from None
        for address in found:
            if not may_be_reached(address, self.allow, in_clear=in_clear):
                where = "not encrypted, and not" if in_clear else "inside, and not"
                # Which address that is would tell a stranger of our network.
                raise Inside(
                    f"{host} is {where} in a network that the policy allows ([webhooks] allow)"
                )
        return found

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Post once, and hear within so many seconds; a redirection is an answer like any other.

        Raises:
            Inside: nothing was sent.
            NotAnswered: perhaps it was.
        """
        try:
            pool = self._pools[httpx2.URL(url).scheme]
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(within):
                    response = await stack.enter_async_context(
                        pool.stream("POST", url, headers=[*headers.items()], content=body)
                    )
                return Answer(response.status, _read_headers(response), await _beginning(response))
        except TimeoutError:
            raise NotAnswered(f"no answer within {within:g} s") from None
        except (Inside, NotAnswered):
            raise
        except httpcore2.ConnectError as error:
            raise NotAnswered(f"no connection: {_why(error)}") from None
        except Exception as error:  # noqa: BLE001 - whatever a receiver may do to a connection
            raise NotAnswered(f"no answer: {_why(error)}") from None

    async def aclose(self) -> None:
        """Close what is open."""
        for pool in self._pools.values():
            await pool.aclose()
        self._look_ups.shutdown(wait=False, cancel_futures=True)


class _Checked(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were looked at, and to nothing else."""

    def __init__(self, outside: Outside, *, in_clear: bool) -> None:
        self._outside = outside
        self._in_clear = in_clear
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002  theirs; ours is by address
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers."""
        *others, last = await self._outside.addresses(host, port, in_clear=self._in_clear)
        more = (_LOOKED_UP_WITHIN, local_address, socket_options)
        for address in others:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._network.connect_tcp(str(address), port, *more)
        return await self._network.connect_tcp(str(last), port, *more)

    async def sleep(self, seconds: float) -> None:
        """Wait, as the library asks."""
        await self._network.sleep(seconds)


def _read_headers(response: httpcore2.Response) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }


async def _beginning(response: httpcore2.Response) -> str:
    """Read as much of an answer as comes at once: its status is what counts."""
    said = bytearray()
    with suppress(Exception):
        async with asyncio.timeout(_REST_WITHIN), aclosing(response.aiter_stream()) as parts:
            async for part in parts:
                said += part[: _READ_OF_AN_ANSWER - len(said)]
                if len(said) >= _READ_OF_AN_ANSWER:
                    break
    return said.decode(errors="replace")


def _why(error: Exception) -> str:
    """Say what went wrong by its kind: its words may quote what was sent."""
    kind = type(error).__name__
    return f"{kind}, {error.__cause__.strerror}" if isinstance(error.__cause__, OSError) else kind


def _trust() -> ssl.SSLContext:
    """Trust whom everything else here trusts that sends to a URL."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    found = Path(named or DEFAULT_CA_BUNDLE_PATH)
    if found.is_dir():
        return ssl.create_default_context(capath=found)
    return ssl.create_default_context(cafile=found)
