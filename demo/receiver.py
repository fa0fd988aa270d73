"""The world outside a demonstration: takes every message that Apprise posts, and remembers it.

The roster's channels are pointed here. One may be slow, answer with an error, or not be there.
"""

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

from domain.staff.roster import Roster

LOOPBACK = "127.0.0.1"


class Received(NamedTuple):
    """A message as it came in; ``at`` is when, in UTC."""

    channel: str
    to: str
    title: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Outside:
    """How the channels behave that do not just take every message at once."""

    dead: frozenset[str] = frozenset()
    """Nobody listens at their address."""
    failing: frozenset[str] = frozenset()
    """They answer HTTP 500."""
    slow: Mapping[str, float] = field(default_factory=dict)
    """Seconds each takes for an answer."""


class Receiver:
    """Listens while the ``with`` block runs."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._closing = threading.Event()
        self._received: list[Received] = []

    @property
    def received(self) -> tuple[Received, ...]:
        """What came in so far, in order."""
        return tuple(self._received)

    def channels_of(self, roster: Roster, speed: float = 1.0) -> Roster:
        """Return the roster with its channels leading here, their rate limits ``speed`` times as
        high: where an hour is a second, so is theirs.
        """
        channels = tuple(
            channel.model_copy(
                update={
                    "url": self._url(channel.id),
                    "per_minute": channel.per_minute and max(1, round(channel.per_minute * speed)),
                }
            )
            for channel in roster.channels
        )
        return roster.model_copy(update={"channels": channels})

    def __enter__(self) -> Self:
        self._server = _Server((LOOPBACK, 0), self._answer)
        # Taken but not listened at: whoever knocks is turned away at once.
        self._nobody = socket.socket()
        self._nobody.bind((LOOPBACK, 0))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._nobody.close()

    def _url(self, channel: str) -> str:
        port = (
            self._nobody if channel in self._outside.dead else self._server.socket
        ).getsockname()[1]
        return f"json://{LOOPBACK}:{port}/{channel}/{{to}}"

    def _answer(self, path: str, body: bytes) -> HTTPStatus:
        _, channel, to = (unquote(part) for part in path.split("/", 2))
        if channel in self._outside.failing:
            return HTTPStatus.INTERNAL_SERVER_ERROR
        if seconds := self._outside.slow.get(channel):
            self._closing.wait(seconds)
        said: dict[str, str] = json.loads(body)
        self._received.append(
            Received(channel, to.rstrip("/"), said["title"], said["message"], datetime.now(UTC))
        )
        return HTTPStatus.OK


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Any) -> None:
        self.answer = answer
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections, as gateways do
    timeout = 5
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.answer(self.path, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing: the terminal belongs to the demonstration."""
