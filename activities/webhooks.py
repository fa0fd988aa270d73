"""Plain webhooks, which is what gateways are to a desk: ``json://`` and ``jsons://``.

Apprise reads the URL and says what is to be sent; only the sending is ours, over connections that
stay open for a while. A webhook is one if all that its URL asks for is known here to the last bit;
whatever else may be asked goes to Apprise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

import httpx2
import requests
from apprise import Apprise
from apprise.plugins.custom_json import NotifyJSON

from activities import robots
from activities.connections import TOO_MANY_REQUESTS, Connections, Way, around
from activities.mail import MailSender
from activities.sending import ASSET, About, DeliveryFailed, DeliveryTooFast

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
    way: Way

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

    async def send(self, connections: Connections, subject: str, body: str) -> None:
        """Send one message; see ``Sender``."""
        content = self.content(subject, body)
        reply = await connections.post(self.url, self.headers, content, self.way)
        if reply.taken:
            return
        error = f"Failed to send JSON POST notification: error={reply.status}"
        if reply.status == TOO_MANY_REQUESTS:
            raise DeliveryTooFast(error)
        raise DeliveryFailed(error)


class WebhookSender:
    """Sends to plain webhooks and to robots, and leaves letters and all others to those who know
    them. ``timeout`` is in seconds.
    """

    def __init__(self, timeout: float = 20.0) -> None:
        self.connections = Connections(timeout)
        self._others = MailSender(timeout)
        self._known = lru_cache(REMEMBERED)(lambda url: read(url) or robots.read(url))

    async def send(
        self, url: str, to: str, subject: str, body: str, about: About | None = None
    ) -> None:
        """Send one message; see ``Sender``."""
        known = self._known(url.replace("{to}", quote(to, safe="")))
        if known and body.strip():
            await known.send(self.connections, subject, body)
        else:
            await self._others.send(url, to, subject, body, about)

    async def aclose(self) -> None:
        """Close what is open; what Apprise is doing ends by itself."""
        await self._others.aclose()
        await self.connections.aclose()


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
    here = around(str(ready.url), verify=service.verify_certificate)
    written = {name: str(value) for name, value in ready.headers.items() if name != _LENGTH}
    if (
        url.raw_path.decode() != ready.path_url
        or here.proxy
        or not all(_HEADER.fullmatch(f"{name}: {value}") for name, value in written.items())
    ):
        return None
    way = Way(here.trusts, service.redirects, service.socket_connect_timeout)
    return Webhook(url, written, service.payload_extras, way)
