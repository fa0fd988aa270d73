"""A receiver of events, as small as one can be that loses nothing and believes nobody.

It needs nothing but Python. Run it with the secret that `yinuo webhook add` showed:

    YINUO_WEBHOOK_SECRET=whsec_… python receiver.py --port 8900 --inbox inbox.db

Whatever you build instead, keep the order: check the signature over the bytes as they came, put the
event down under its id, answer 204, and only then do something with it.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 5 * 60
"""Seconds by which clocks may differ: what is older may be somebody's recording of it."""
LARGEST = 1_000_000
"""Bytes of a body; events have some two thousand."""


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
    """Return the id of a message that was signed by our secret; None: it is not to be believed."""
    id_, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (id_ and at.isascii() and at.isdigit() and abs(now - int(at)) <= TOLERANCE):
        return None
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, f"{id_}.{at}.".encode() + body, sha256).digest()
    for signature in headers.get("webhook-signature", "").split():
        version, _, written = signature.partition(",")
        try:
            given = base64.b64decode(written, validate=True)
        except (binascii.Error, ValueError):
            continue
        # In a time that does not tell how much of it was right.
        if version == "v1" and hmac.compare_digest(given, expected):
            return id_
    return None


class Inbox:
    """Keeps each event once, on disk, before it is answered for."""

    def __init__(self, path: str) -> None:
        self._path = path
        with self._opened() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body TEXT)")

    def put(self, id_: str, body: bytes) -> bool:
        """Keep an event; False: it came before."""
        with self._opened() as database:
            kept = database.execute(
                "INSERT OR IGNORE INTO events VALUES (?, ?)", (id_, body.decode())
            )
            return kept.rowcount == 1

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10)) as database, database:
            yield database


def handler(secret: str, inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    """Make what answers requests."""

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > LARGEST:
                self.close_connection = True
                self._answer(413)
                return
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            id_ = verified(secret, headers, body, time.time())
            if id_ is None:
                self._answer(401)
                return
            if inbox.put(id_, body):
                event = json.loads(body)
                print(event["type"], event["data"].get("number", ""), flush=True)
            self._answer(204)  # also for what came before: it is not to come again

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    return Receiver


def main() -> None:
    """Receive until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--inbox", default="inbox.db", help="where events are kept")
    asked = parser.parse_args()
    secret = os.environ.get("YINUO_WEBHOOK_SECRET", "")
    if not secret.startswith("whsec_"):
        sys.exit("set YINUO_WEBHOOK_SECRET to what `yinuo webhook add` showed")
    made = handler(secret, Inbox(asked.inbox))
    with ThreadingHTTPServer((asked.host, asked.port), made) as server:
        print(f"listening at http://{asked.host}:{server.server_port}/", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
