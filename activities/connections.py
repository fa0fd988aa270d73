"""Connections that stay open for a while, and an honest word on what became of what was sent."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import NamedTuple

import httpx2
import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy

from activities.sending import DeliveryFailed, DeliveryUnknown

KEPT_OPEN = 1.0
"""Seconds after which an unused connection is not used again: servers keep them longer. A message
on one that is just being closed may have arrived, and would be a person's.
"""
REST_WITHIN = 1.0
"""Seconds for the rest of an answer, or its connection is not kept."""
TOO_MANY_REQUESTS = 429
READ_OF_AN_ANSWER = 65_536
"""Bytes of an answer that are looked at."""


class Way(NamedTuple):
    """How a server is to be reached."""

    trusts: str
    """A file or folder of certificates; nothing: whoever answers."""
    redirects: bool
    connect_within: float
    """Seconds."""
    proxy: str | None = None


class Around(NamedTuple):
    """What this machine's environment asks for of those who send to a URL."""

    trusts: str
    proxy: str | None


class Reply(NamedTuple):
    """What a server said."""

    status: int
    body: bytes
    """As much of it as came in time."""

    @property
    def taken(self) -> bool:
        """Whether its status is one of success."""
        return 200 <= self.status < 300


class Connections:
    """Those of a process. ``timeout`` is in seconds, for a message."""

    def __init__(self, timeout: float = 20.0) -> None:
        self.timeout = timeout
        self.transports: dict[tuple[str, str | None], httpx2.AsyncHTTPTransport] = {}
        self._breaking: set[tuple[str, int | None]] = set()
        for name in ("httpx2", "httpcore2"):  # they tell the URL of every message
            logging.getLogger(name).setLevel(logging.WARNING)

    async def post(
        self,
        url: httpx2.URL,
        headers: Mapping[str, str],
        content: str,
        way: Way,
        rest_within: float | None = None,
    ) -> Reply:
        """Send it once, and listen so many seconds to the rest of the answer.

        Raises:
            DeliveryFailed: nothing went out.
            DeliveryUnknown: it may have arrived.
        """
        server = (url.host, url.port)
        if server in self._breaking:
            headers = {**headers, "Connection": "close"}
        request = httpx2.Request("POST", url, headers=headers, content=content)
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._answer(request, way)
        except TimeoutError:
            late = f"no answer within {self.timeout:g} s: it may have arrived"
            raise DeliveryUnknown(late) from None
        said = bytearray()
        with suppress(Exception):  # whatever else it says, and if it breaks off: its status counts
            async with aclosing(response), asyncio.timeout(rest_within or REST_WITHIN):
                async for part in response.aiter_bytes():
                    said += part[: READ_OF_AN_ANSWER - len(said)]
        return Reply(response.status_code, bytes(said))

    async def _answer(self, request: httpx2.Request, way: Way) -> httpx2.Response:
        """Send it, and say honestly what became of it if there is no answer."""
        # A client for each message, or one webhook's cookies were sent to another. What is dear are
        # connections, and these are kept by the transport.
        client = httpx2.AsyncClient(
            transport=self._transport(way.trusts, way.proxy),
            trust_env=False,
            follow_redirects=way.redirects,
            max_redirects=requests.models.DEFAULT_REDIRECT_LIMIT,
            timeout=httpx2.Timeout(None, connect=way.connect_within),
        )
        try:
            return await client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as failure:
            if failure.request is request:
                raise DeliveryFailed("Connection error: the webhook is not to be reached") from None
            raise DeliveryUnknown("it led on to where nobody is: it may have arrived") from None
        except httpx2.TooManyRedirects:
            raise DeliveryFailed("it leads on and on") from None
        except Exception as failure:  # noqa: BLE001 - its text may quote the message
            # Also where a kept connection was closed just then: nobody can know what came first. A
            # server that does so gets a connection for each message from now on.
            self._breaking.add((request.url.host, request.url.port))
            kind = type(failure).__name__
            raise DeliveryUnknown(f"no answer ({kind}): it may have arrived") from None

    def _transport(self, trusts: str, proxy: str | None) -> httpx2.AsyncHTTPTransport:
        if (trusts, proxy) not in self.transports:
            try:
                verify = trusts and _trusting(trusts)
            except OSError as error:
                raise DeliveryFailed(f"certificates cannot be read: {error.strerror}") from None
            self.transports[trusts, proxy] = httpx2.AsyncHTTPTransport(
                verify=verify or False,
                proxy=proxy,
                # As many as there are lanes of channels.
                limits=httpx2.Limits(max_connections=None, keepalive_expiry=KEPT_OPEN),
            )
        return self.transports[trusts, proxy]

    async def aclose(self) -> None:
        """Close what is open."""
        for transport in self.transports.values():
            await transport.aclose()


def around(url: str, *, verify: bool) -> Around:
    """Say what the environment asks for of those who send to ``url``, as ``requests`` reads it."""
    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, None, verify, None)
    trusts = found["verify"]
    return Around(
        trusts=DEFAULT_CA_BUNDLE_PATH if trusts is True else trusts or "",
        proxy=select_proxy(url, found["proxies"]),
    )


def _trusting(certificates: str) -> ssl.SSLContext:
    if Path(certificates).is_dir():
        return ssl.create_default_context(capath=certificates)
    return ssl.create_default_context(cafile=certificates)
