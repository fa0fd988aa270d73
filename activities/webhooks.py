"""Plain webhooks, which is what gateways are to a desk: ``json://`` and ``jsons://``.

Apprise reads the URL and says what is to be sent; only the sending is ours, over connections that
stay open for a while. A webhook is one if all that its URL asks for is known here to the last bit;
whatever else may be asked goes to Apprise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Mapping
from contextlib import aclosing, suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx2
import requests
from apprise import Apprise
from apprise.plugins.custom_json import NotifyJSON
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy

from activities.mail import MailSender
from activities.sending import ASSET, About, DeliveryFailed, DeliveryUnknown

KEPT_OPEN = 1.0
"""Seconds after which an unused connection is not used again: servers keep them longer. A message
on one that is just being closed may have arrived, and would be a person's.
"""
REST_WITHIN = 1.0
"""Seconds for the rest of an answer that is known already, or its connection is not kept."""
REMEMBERED = 1000
"""Addresses whose URL need not be read anew: those of the staff come again and again."""

_KNOWN = frozenset({"method", "verify", "redirect", "cto", "rto"})
"""What a URL may ask for besides headers, parameters and fields of its own."""
_PREFIXES = ("+", "-", ":")
_LENGTH = "Content-Length"
_HEADER = re.compile(r"[\w!#$%&'*.^`|~-]+: (?:[!-~](?:[ -~]*[!-~])?)?", re.ASCII)
_SET_BY_THE_CLIENT = frozenset(
    {"connection", "content-length", "cookie", "expect", "host", "transfer-encoding", "upgrade"}
)


class Webhook(NamedTuple):
    """What is to be sent where. Confidential: URL and headers may hold addresses and secrets."""

    url: httpx2.URL
    headers: Mapping[str, str]
    fields: Mapping[str, str]
    """Fields besides the usual ones, or what these are called here; nothing: they are left out."""
    trusts: str
    """A file or folder of certificates; nothing: whoever answers."""
    redirects: bool
    connect_within: float
    """Seconds."""

    @property
    def server(self) -> tuple[str, int | None]:
        """Its host and port."""
        return self.url.host, self.url.port

    def content(self, subject: str, body: str) -> str:
        """The words of a message as this webhook wants them."""
        said: dict[str, object] = {
            "version": NotifyJSON.json_version,
            "title": subject.strip(),
            "message": body.rstrip(),
            "attachments": [],
            "type": "info",
        }
        for name, value in self.fields.items():
            if name not in said:
                said[name] = value
            elif value:
                said[value] = said.pop(name)
            else:
                del said[name]
        return json.dumps(said)


class WebhookSender:
    """Sends to plain webhooks, and leaves letters and all others to those who know them.
    ``timeout`` is in seconds.
    """

    def __init__(self, timeout: float = 20.0) -> None:
        self._timeout = timeout
        self._others = MailSender(timeout)
        self._webhook = lru_cache(REMEMBERED)(read)
        self._transports: dict[str, httpx2.AsyncHTTPTransport] = {}
        self._breaking: set[tuple[str, int | None]] = set()
        for name in ("httpx2", "httpcore2"):  # they tell the URL of every message
            logging.getLogger(name).setLevel(logging.WARNING)

    async def send(
        self, url: str, to: str, subject: str, body: str, about: About | None = None
    ) -> None:
        """Send one message; see ``Sender``."""
        webhook = self._webhook(url.replace("{to}", quote(to, safe="")))
        if webhook and body.strip():
            await self._post(webhook, subject, body)
        else:
            await self._others.send(url, to, subject, body, about)

    async def _post(self, webhook: Webhook, subject: str, body: str) -> None:
        headers = dict(webhook.headers)
        if webhook.server in self._breaking:
            headers["Connection"] = "close"
        request = httpx2.Request(
            "POST", webhook.url, headers=headers, content=webhook.content(subject, body)
        )
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._answer(webhook, request)
        except TimeoutError:
            late = f"no answer within {self._timeout:g} s: it may have arrived"
            raise DeliveryUnknown(late) from None
        with suppress(Exception):  # whatever else it says, and if it breaks off: its status counts
            async with aclosing(response), asyncio.timeout(REST_WITHIN):
                async for _ in response.aiter_raw():
                    pass
        if not response.is_success:
            error = f"Failed to send JSON POST notification: error={response.status_code}"
            raise DeliveryFailed(error)

    async def _answer(self, webhook: Webhook, request: httpx2.Request) -> httpx2.Response:
        """Send it, and say honestly what became of it if there is no answer."""
        # A client for each message, or one webhook's cookies were sent to another. What is dear are
        # connections, and these are kept by the transport.
        client = httpx2.AsyncClient(
            transport=self._transport(webhook.trusts),
            trust_env=False,
            follow_redirects=webhook.redirects,
            max_redirects=requests.models.DEFAULT_REDIRECT_LIMIT,
            timeout=httpx2.Timeout(None, connect=webhook.connect_within),
        )
        try:
            return await client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as failure:
            if failure.request is request:
                raise DeliveryFailed("Connection error: the webhook is not to be reached") from None
            raise DeliveryUnknown("it led on to where nobody is: it may have arrived") from None
        except httpx2.TooManyRedirects:
            raise DeliveryFailed("it leads on and on") from None
        except Exception as failure:  # noqa: BLE001 - its text may quote the message
            # Also where a kept connection was closed just then: nobody can know what came first. A
            # server that does so gets a connection for each message from now on.
            self._breaking.add(webhook.server)
            kind = type(failure).__name__
            raise DeliveryUnknown(f"no answer ({kind}): it may have arrived") from None

    def _transport(self, trusts: str) -> httpx2.AsyncHTTPTransport:
        if trusts not in self._transports:
            try:
                verify = trusts and _trusting(trusts)
            except OSError as error:
                raise DeliveryFailed(f"certificates cannot be read: {error.strerror}") from None
            self._transports[trusts] = httpx2.AsyncHTTPTransport(
                verify=verify or False,
                # As many as there are lanes of channels.
                limits=httpx2.Limits(max_connections=None, keepalive_expiry=KEPT_OPEN),
            )
        return self._transports[trusts]

    async def aclose(self) -> None:
        """Close what is open; what Apprise is doing ends by itself."""
        await self._others.aclose()
        for transport in self._transports.values():
            await transport.aclose()


def read(url: str) -> Webhook | None:
    """Read a URL of Apprise's; None: it is for Apprise to send to."""
    if not url.startswith(("json://", "jsons://")):
        return None
    service = Apprise.instantiate(url, asset=ASSET)
    if type(service) is not NotifyJSON or not _is_plain(service, url):
        return None
    with suppress(requests.RequestException, httpx2.InvalidURL, ValueError):
        return _ready(service)
    return None


def _is_plain(service: NotifyJSON, url: str) -> bool:
    """Whether all that the URL asks for is known here."""
    wishes: Mapping[str, str] = NotifyJSON.parse_url(url)["qsd"]  # type: ignore[no-untyped-call]
    return (
        service.enabled
        and service.method == "POST"
        and (service.user is None) == (service.password is None)
        and all(wish in _KNOWN or wish.startswith(_PREFIXES) for wish in wishes)
        and not any(name.lower() in _SET_BY_THE_CLIENT for name in service.headers)
    )


def _ready(service: NotifyJSON) -> Webhook | None:
    """Have what Apprise sends with write it all as it would, and say what this machine's
    environment asks for: if that is more than the webhook, it is for Apprise.
    """
    headers = {"User-Agent": ASSET.app_id, "Content-Type": "application/json", **service.headers}
    asked = requests.Request(
        "POST", service.request_url, headers, params=service.params, auth=service.request_auth
    )
    with requests.Session() as session:
        ready = session.prepare_request(asked)
        url = httpx2.URL(str(ready.url))
        around = session.merge_environment_settings(
            str(ready.url), {}, None, service.verify_certificate, None
        )
    verify = around["verify"]
    written = {name: str(value) for name, value in ready.headers.items() if name != _LENGTH}
    if (
        url.raw_path.decode() != ready.path_url
        or select_proxy(str(ready.url), around["proxies"])
        or not all(_HEADER.fullmatch(f"{name}: {value}") for name, value in written.items())
    ):
        return None
    return Webhook(
        url,
        written,
        service.payload_extras,
        trusts=DEFAULT_CA_BUNDLE_PATH if verify is True else verify or "",
        redirects=service.redirects,
        connect_within=service.socket_connect_timeout,
    )


def _trusting(certificates: str) -> ssl.SSLContext:
    if Path(certificates).is_dir():
        return ssl.create_default_context(capath=certificates)
    return ssl.create_default_context(cafile=certificates)
