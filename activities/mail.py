"""Letters of the desk's own: ``mailto://`` and ``mailtos://``.

Apprise reads the URL. The letter is written here, for it has to say that a machine wrote it and
what it answers (RFC 3834, RFC 5322), and to have the same name whenever it is sent; and it is
brought out step by step, for only then is known how far it came. Copies, and what is to be
encrypted, are left to Apprise.
"""

from __future__ import annotations

import email.policy
import smtplib
import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy
from email.utils import format_datetime, formataddr
from functools import lru_cache, partial
from typing import Any, NamedTuple

from apprise import Apprise

from activities.sending import (
    ASSET,
    About,
    AppriseSender,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUnknown,
    masked,
)
from domain.letters import ids_in, message_id

with warnings.catch_warnings():  # what is deprecated in it is not ours to mend
    warnings.simplefilter("ignore", DeprecationWarning)
    from apprise.plugins.email.base import PGP_MODE_DEFAULT, NotifyEmail
    from apprise.plugins.email.common import SecureMailMode

SUPPRESSED = "DR, RN, NRN, OOF, AutoReply"
"""What Exchange is not to answer with: all there is but word that a letter did not arrive."""
ACKNOWLEDGES, TELLS = "auto-replied", "auto-generated"
_SOMEBODY = "somebody@example.com"
"""Stands for the reader while a URL is read: whom we write to is not Apprise's to judge."""
_GO_ON, _DONE = 354, 250
_TOO_LARGE = 552, b"larger than it takes"
_FOR_GOOD = range(500, 600)
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})
"""What is said of a mailbox that takes nothing, now or later (RFC 5321, 4.2.3)."""
_END = b".\r\n"
"""No line of a letter of ours is that: its words and files are in base64."""


class MailServer(NamedTuple):
    """Where letters are handed in, and from whom they are. Confidential."""

    host: str
    port: int
    mode: str
    verify: bool
    user: str | None
    password: str | None
    name: str
    address: str
    reply_to: str
    headers: Mapping[str, str]
    to: str | None
    """The one mailbox that all go to; None: each has its own."""

    @property
    def domain(self) -> str:
        """Where our letters have their names from."""
        return self.address.rpartition("@")[2]


class MailSender:
    """Sends letters, and leaves all else to Apprise. ``timeout`` is in seconds."""

    def __init__(self, timeout: float = 20.0) -> None:
        self._timeout = timeout
        self._others = AppriseSender(timeout)
        self._server = lru_cache(read)

    async def send(
        self, url: str, to: str, subject: str, body: str, about: About | None = None, /
    ) -> None:
        """Send one message; see ``Sender``."""
        server = self._server(url)
        if server is None:
            await self._others.send(url, to, subject, body)
            return
        reader = _as_servers_know_it(server.to or to)
        now = datetime.now(UTC)
        letters = [written(server, reader, subject, body, about, now)]
        if about and about.encloses:
            bare = about._replace(encloses=None)
            letters.append(written(server, reader, subject, body, bare, now))
        post = partial(_post, server, reader, letters, self._timeout)
        try:
            await self._others.in_thread(url, post)
        except (DeliveryFailed, DeliveryRefused) as failure:
            raise type(failure)(masked(str(failure), reader)) from None

    async def aclose(self) -> None:
        """Let the threads go; what they are doing ends by itself."""
        await self._others.aclose()


def read(url: str) -> MailServer | None:
    """Read a URL of Apprise's; None: it is for Apprise to send to."""
    if not url.startswith(("mailto://", "mailtos://")):
        return None
    service = Apprise.instantiate(url.replace("{to}", _SOMEBODY), asset=ASSET)
    if type(service) is not NotifyEmail or service.cc or service.bcc:
        return None
    if service.pgp_mode != PGP_MODE_DEFAULT or len(service.targets) != 1:
        return None
    name, address = service.from_addr
    return MailServer(
        host=service.smtp_host,
        port=int(service.port or 0),
        mode=str(service.secure_mode),
        verify=service.verify_certificate,
        user=service.user,
        password=service.password,
        name=str(name or ""),
        address=str(address),
        reply_to=", ".join(sorted(service.reply_to)),
        headers=dict(service.headers),
        to=None if "{to}" in url else service.targets[0][1],
    )


# What it says ------------------------------------------------------------------------------------


class _Ids(UnstructuredHeader, BaseHeader):
    """Ids of letters: the library would encode one that is too long for a line."""

    max_count = 1

    def fold(self, *, policy: Policy[Any]) -> str:
        """Write each on a line of its own."""
        return f"{self.name}: {f'{policy.linesep} '.join(self.split())}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references"):
    _HEADERS.map_to_type(_name, _Ids)
_POLICY = email.policy.SMTP.clone(header_factory=_HEADERS)


def written(
    server: MailServer, to: str, subject: str, body: str, about: About | None, now: datetime
) -> EmailMessage:
    """Write a letter to a mailbox: in the words of the message, by a machine, under the name that
    its message always has, in the thread of what it is about, and with what it encloses.
    """
    letter = EmailMessage(policy=_POLICY if to.isascii() else _POLICY.clone(utf8=True))
    letter["From"] = formataddr((server.name, server.address))
    letter["To"] = to
    letter["Subject"] = " ".join(subject.split())
    letter["Date"] = format_datetime(now)
    for name, value in _by_a_machine(server, about).items():
        letter[name] = value
    for name, value in server.headers.items():
        if name not in letter:
            letter[name] = " ".join(value.split())
    enclosed = about.encloses if about else None
    said = f"{body.rstrip()}\n\n{enclosed.says}" if enclosed else body.rstrip()
    letter.set_content(said + "\n", cte="base64")
    for file in enclosed.files if enclosed else ():
        kind, _, subtype = file.media_type.partition("/")
        letter.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
    return letter


def _by_a_machine(server: MailServer, about: About | None) -> dict[str, str]:
    thread = _thread(server, about) if about else ()
    acknowledges = about and about.answers and not about.follows
    headers = {
        "Message-ID": message_id(about.key, server.domain) if about else "",
        "In-Reply-To": thread[-1] if thread else "",
        "References": " ".join(thread),
        "Reply-To": server.reply_to,
        "Auto-Submitted": ACKNOWLEDGES if acknowledges else TELLS,
        "X-Auto-Response-Suppress": SUPPRESSED,
    }
    return {name: value for name, value in headers.items() if value}


def _thread(server: MailServer, about: About) -> tuple[str, ...]:
    """Name the letters that it goes on from, the latest last."""
    ours = (message_id(key, server.domain) for key in about.follows)
    return (*ids_in(about.answers or "")[:1], *ours)


def _as_servers_know_it(address: str) -> str:
    """Write the domain of an address as mail servers look it up."""
    local, at, domain = address.strip().rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        raise DeliveryFailed("the domain of the address is none that can exist") from None


# How it is brought out ---------------------------------------------------------------------------


def _post(server: MailServer, to: str, letters: Sequence[EmailMessage], timeout: float) -> None:
    """Hand a letter in, in this thread; see ``Sender``. Until all of it is said it has not gone
    out, whatever happens. ``letters`` are the same with less and less: one that is refused for
    good, as too large or for its files, gives way to the next.
    """
    with _not_sent():
        connection = _connected(server, timeout)
    try:
        for letter in letters:
            code, said = _handed_in(connection, server, to, letter.as_bytes(), timeout)
            if code not in _FOR_GOOD:
                break
        if code != _DONE:
            raise DeliveryFailed(_reason(code, said))
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
    finally:
        connection.close()


def _handed_in(
    connection: smtplib.SMTP, server: MailServer, to: str, letter: bytes, timeout: float
) -> tuple[int, bytes]:
    """Say a letter, and return what the server answers. How much it takes at most it may have said
    already (RFC 1870).
    """
    with _not_sent():
        connection.ehlo_or_helo_if_needed()
        most = connection.esmtp_features.get("size", "")
        if most.isdecimal() and 0 < int(most) < len(letter):
            return _TOO_LARGE
        _address(connection, server, to)
        code, said = connection.docmd("DATA")
        if code != _GO_ON:
            raise smtplib.SMTPDataError(code, said)
    # Who waits gives up before we do: then it counts as lost, and not as refused.
    if connection.sock is not None:
        connection.sock.settimeout(timeout + 5)
    try:
        connection.send(letter + _END)
        return connection.getreply()
    except (OSError, smtplib.SMTPException) as failure:
        kind = type(failure).__name__
        raise DeliveryUnknown(f"no answer ({kind}): it may have arrived") from None


@contextmanager
def _not_sent() -> Iterator[None]:
    """Whatever goes wrong within: the letter did not go out."""
    try:
        yield
    except smtplib.SMTPResponseException as refusal:
        raise DeliveryFailed(_reason(refusal.smtp_code, refusal.smtp_error)) from None
    except (OSError, smtplib.SMTPException) as failure:
        raise DeliveryFailed(f"the mail server is not to be reached: {failure}") from None


def _connected(server: MailServer, timeout: float) -> smtplib.SMTP:
    """Connect as the URL says. Half the time: a server that is away is to be known in time."""
    trusted = ssl.create_default_context()
    if not server.verify:
        trusted.check_hostname = False
        trusted.verify_mode = ssl.CERT_NONE
    connection: smtplib.SMTP
    if server.mode == SecureMailMode.SSL:
        connection = smtplib.SMTP_SSL(
            server.host, server.port, timeout=timeout / 2, context=trusted
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=timeout / 2)
    try:
        if server.mode == SecureMailMode.STARTTLS:
            connection.starttls(context=trusted)
        if server.user and server.password:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _address(connection: smtplib.SMTP, server: MailServer, to: str) -> None:
    """Say from whom and to whom it is."""
    options = []
    if not to.isascii():
        if not connection.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("it knows no addresses beyond ASCII")
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    code, said = connection.mail(server.address, options)
    if code != _DONE:
        raise smtplib.SMTPResponseException(code, said)
    code, said = connection.rcpt(to)
    if code in _NO_SUCH_MAILBOX:
        raise DeliveryRefused(_reason(code, said))
    if code not in {_DONE, 251}:
        raise smtplib.SMTPResponseException(code, said)


def _reason(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"the mail server refuses: {code} {text}"
