"""A mail server with one mailbox, which speaks as much IMAP as fetching letters takes."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "service@example.com", "open sesame"
_COMMAND = re.compile(rb"(\S+) (?:UID )?(\S+)(?: (.*?))?\r\n")


@dataclass
class MailServer:
    """``letters`` by their UID, ``flags`` as a mail program shows them."""

    port: int = 0
    letters: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    troubles: dict[tuple[str, int], bytes | None] = field(default_factory=dict)
    """What a command gets for an answer about a letter; None: the server hangs up."""
    calls: int = 0
    longest: int = 0
    """Bytes of the most that was fetched at once."""
    answered: threading.Event = field(default_factory=threading.Event)
    """Set when a caller has logged out."""

    def receive(self, raw: bytes) -> int:
        uid = len(self.letters) + 1
        self.letters[uid] = raw
        self.flags[uid] = set()
        return uid


def self_signed(address: str, path: Path) -> Path:
    """Write a certificate for an address, and its key, for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server")])
    subject = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(subject, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    own = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(own + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def mail_server(certificate: Path) -> Iterator[MailServer]:
    """Keep one running on a port of its own, over TLS."""
    mailbox = MailServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Caller(_Caller):
        box = mailbox

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Caller) as server:
        # The greeting is read in the caller's own thread: one who goes away holds up nobody.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield mailbox
        server.shutdown()
        thread.join()


class _Caller(socketserver.StreamRequestHandler):
    box: MailServer

    def handle(self) -> None:
        try:
            self.request.do_handshake()
        except OSError:  # whoever called does not trust us
            return
        self.box.calls += 1
        self._say(b"* OK ready")
        for line in self.rfile:
            command = _COMMAND.fullmatch(line)
            assert command, line
            tag, name, rest = command.groups()
            try:
                answer = self._trouble(name, rest or b"")
            except KeyError:
                answer = getattr(self, f"_{name.decode().lower()}")(rest or b"")
            if answer is None:
                return
            self._say(tag + b" " + answer)
            if name == b"LOGOUT":
                self.box.answered.set()
                return

    def _trouble(self, name: bytes, rest: bytes) -> bytes | None:
        uid = rest.partition(b" ")[0]
        return self.box.troubles[name.decode(), int(uid) if uid.isdigit() else 0]

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _capability(self, _: bytes) -> bytes:
        self._say(b"* CAPABILITY IMAP4rev1")
        return b"OK done"

    def _login(self, said: bytes) -> bytes:
        right = f'{USER} "{PASSWORD}"'.encode()
        return b"OK done" if said == right else b"NO [AUTHENTICATIONFAILED] wrong password"

    def _select(self, folder: bytes) -> bytes:
        if folder != b'"INBOX"':
            return b"NO no such mailbox"
        self._say(b"* %d EXISTS" % len(self.box.letters))
        return b"OK [READ-WRITE] done"

    def _search(self, wanted: bytes) -> bytes:
        assert wanted == b"UNSEEN", wanted
        unseen = [uid for uid, flags in self.box.flags.items() if r"\Seen" not in flags]
        self._say(b"* SEARCH " + b" ".join(b"%d" % uid for uid in unseen))
        return b"OK done"

    def _fetch(self, wanted: bytes) -> bytes:
        found = re.fullmatch(rb"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", wanted)
        assert found, wanted
        uid, most = map(int, found.groups())
        raw = self.box.letters.get(uid)
        if raw is not None:
            part = raw[:most]
            self.box.longest = max(self.box.longest, len(part))
            self._say(b"* 1 FETCH (UID %d BODY[]<0> {%d}" % (uid, len(part)))
            self.wfile.write(part)
            self._say(b")")
        return b"OK done"

    def _store(self, wanted: bytes) -> bytes:
        found = re.fullmatch(r"(\d+) \+FLAGS \((.*)\)", wanted.decode())
        assert found, wanted
        self.box.flags[int(found[1])] |= set(found[2].split())
        return b"OK done"

    def _logout(self, _: Any) -> bytes:
        self._say(b"* BYE")
        return b"OK done"
