"""Who wrote a letter: a person, a robot for a person, or a machine that nobody stands behind.

An answer to a machine may go round in circles for ever (RFC 3834), and a machine's letter is no
issue. But people must arrive: through lists, and through forms that send from an address of their
own and name the person in ``Reply-To``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice

from domain.letters import ids_in, mailbox, numbers_in
from inbound.letters.addresses import Mailbox, mailboxes

_NO_REPLY = re.compile(r"(?:^|[._-])(?:no|not|dont|do[._-]?not)[._-]?repl(?:y|ies)(?![a-z])")
_DAEMON = re.compile(
    r"(?:mailer[._-]?daemon|postmaster|daemon|bounces?|auto[._-]?(?:reply|responder|response))"
    r"(?![a-z])"
)
_ANSWERING = re.compile(
    r"x-(?:[\w-]+-)?auto-?(?:reply|respond|responder|response|answer)(?:-?from)?"
    r"|x-failed-recipients|x-fc-machinegenerated"
)
_SAYS_NO = frozenset({"", "no", "false", "none", "off", "0"})
_REPORTS = frozenset(
    {"message/delivery-status", "message/disposition-notification", "message/feedback-report"}
)
_WORDS_OF_A_ROBOT = re.compile(
    r"[\s\[【(（<《]*"
    r"(?:(?:系统|系統|邮件|郵件|休假|假期|节日|外出)\s*)?"
    r"(?:自动(?:回复|答复|应答|回信)|自動(?:回覆|回復|應答|応答|返信|回信)"
    r"|(?:已读|已讀|阅读|閱讀)(?:回执|回執|回條)?|不在办公室|不在辦公室|外出(?:答复|回复|回覆)?"
    r"|auto(?:matic|mated)?[ -]?(?:re(?:ply|sponse|sponder)?)"
    r"|(?:i(?: am|'m) )?(?:currently )?out of (?:the )?office(?: (?:auto[ -]?)?reply)?|read receipt"
    r"|automatische antwort|abwesenheit\w*|réponse automatique|respuesta automática)"
    r"\s*(?:[:：\]】)）>》]|$|(?:re|回复|答复|回覆)\s*[:：])",
    re.IGNORECASE,
)
"""What robots begin a subject with, in brackets or before a colon, the subject that they answer, or
nothing more.
"""
_COPIED_ID = re.compile(r"^message-id:\s*(<[^>\s]+>)", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"\([^()]*\)")
_TO = ("to", "delivered-to", "x-original-to")
_LONGEST_HEADER = 8 * 1024
"""Characters of a header that are looked at: of the longest list of recipients the beginning."""
_PARTS = 60
"""Parts of a report that are looked at: they have three."""
_LONGEST_REPORT = 256 * 1024
"""Bytes of a report that are looked at: it may bring the letter along, attachments included."""


class Headers:
    """A letter's headers by their names in small letters, whatever is wrong with them."""

    def __init__(self, letter: Message) -> None:
        self._said: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in letter.raw_items():
            self._said[name.lower()].append(" ".join(str(value)[:_LONGEST_HEADER].split()))

    def first(self, name: str) -> str:
        """Return what stands in a header, its first if there are several; nothing if there is
        none.
        """
        return next(iter(self._said.get(name, ())), "")

    def word(self, name: str) -> str:
        """Return the word that a header begins with, in small letters; comments are none of it."""
        found = re.match(r"[\w-]+", _COMMENT.sub("", self.first(name)).strip())
        return found[0].lower().replace("_", "-") if found else ""

    def named(self, pattern: re.Pattern[str]) -> list[str]:
        """Return what stands in all headers of such a name."""
        return [
            value for name, said in self._said.items() if pattern.fullmatch(name) for value in said
        ]

    def author(self, name: str) -> list[Mailbox]:
        """Return the addresses of a header."""
        found = (each for said in self._said.get(name, []) for each in mailboxes(said))
        return [each for each in found if "@" in each.address]


def answered_to(letter: Message, ours: Collection[str] = ()) -> Mailbox | None:
    """Return who wants the answer (``Reply-To``), if that is a person other than the sender, whose
    name they have if they give none; None: the sender does. A list says where to answer to all; who
    wrote is in ``From`` then. ``ours`` are mailboxes of the desk's own, as ``mailbox`` writes them.
    """
    headers = Headers(letter)
    sender = next(iter(headers.author("from")), Mailbox("", headers.first("from")))
    person = _answered_to(headers, sender, ours)
    if person is None:
        return None
    robot = _is_no_person(sender.address, ours)
    return Mailbox(person.name or ("" if robot else sender.name), person.address)


def machine(letter: Message, ours: Collection[str] = ()) -> str | None:
    """Say by what one sees that no person waits for an answer to a letter; None: one may."""
    headers = Headers(letter)
    if sign := _seen(_NOBODY, headers):
        return sign
    sender = next(iter(headers.author("from")), Mailbox("", ""))
    for_somebody = _answered_to(headers, sender, ours) is not None
    if mailbox(sender.address) in ours:
        return None if for_somebody else "from ourselves"
    return None if for_somebody else _seen(_ROBOT, headers)


def undelivered(raw: bytes) -> tuple[str, ...]:
    """Name the letters that a mail server gives up for good by a report (RFC 3464), by their ids;
    none, if this is no such report, or none that can be read.
    """
    if not _is_report(Headers(BytesHeaderParser().parsebytes(raw[:_LONGEST_REPORT]))):
        return ()
    try:
        return tuple(_given_up(message_from_bytes(raw[:_LONGEST_REPORT])))
    except (MessageError, ValueError, LookupError, RecursionError):
        return ()


def _given_up(report: Message) -> Iterator[str]:
    parts = list(islice(report.walk(), _PARTS))
    if not any(Headers(part).word("action") == "failed" for part in parts):
        return
    about = [Headers(report).first(name) for name in ("in-reply-to", "references")]
    about += [Headers(part).first("message-id") for part in parts[1:]]
    about += [_copied(part) for part in parts if part.get_content_type() == "text/rfc822-headers"]
    for said in about:
        yield from ids_in(said)


def _answered_to(headers: Headers, sender: Mailbox, ours: Collection[str]) -> Mailbox | None:
    """Return who wants the answer, if that is a person other than the sender, and not whoever the
    letter went to, which is us.
    """
    if _is_list(headers):
        return None
    others = {mailbox(each.address) for name in _TO for each in headers.author(name)}
    others.add(mailbox(sender.address))
    for each in headers.author("reply-to"):
        known = mailbox(each.address) in others or _is_no_person(each.address, ours)
        if each.can_be_answered and not known:
            return each
    return None


def _is_no_person(address: str, ours: Collection[str]) -> bool:
    return mailbox(address) in ours or _is_daemon(address) or _is_no_reply(address)


def _local(address: str) -> str:
    return mailbox(address).rpartition("@")[0]


def _is_daemon(address: str) -> bool:
    return _DAEMON.match(_local(address)) is not None


def _is_no_reply(address: str) -> bool:
    return _NO_REPLY.search(_local(address)) is not None


def _is_list(headers: Headers) -> bool:
    """Whether people write to each other through it: a mailbox of several people is one, too."""
    post = headers.first("list-post")
    return headers.word("precedence") == "list" or (bool(post) and post.upper() != "NO")


def _is_report(headers: Headers) -> bool:
    kind = headers.first("content-type").lower()
    written = kind.partition(";")[0].strip()
    return written == "multipart/report" or "report-type=" in kind or written in _REPORTS


def _is_newsletter(headers: Headers) -> bool:
    return bool(headers.first("list-unsubscribe")) and not _is_list(headers)


def _wants_no_robot(headers: Headers) -> bool:
    """Exchange's word for it. A list of people may say it, too."""
    wishes = {each.strip() for each in headers.first("x-auto-response-suppress").lower().split(",")}
    return bool(wishes & {"all", "autoreply"}) and not _is_list(headers)


def _answers_by_its_subject(headers: Headers) -> bool:
    """Words alone prove nothing: people quote them. With a letter that it answers, they do, or with
    the number of an issue, which ours have in their subject.
    """
    subject = _decoded(headers.first("subject"))
    answers = headers.first("in-reply-to") or headers.first("references") or numbers_in(subject)
    return bool(answers) and _WORDS_OF_A_ROBOT.match(subject) is not None


def _decoded(raw: str) -> str:
    written = raw.encode("utf-8", "surrogateescape")
    try:
        plain = written.decode()
    except UnicodeDecodeError:
        plain = written.decode("gb18030", errors="replace")
    try:
        return str(make_header(decode_header(plain)))
    except (MessageError, ValueError, LookupError):
        return plain


def _copied(part: Message) -> str:
    """Return the id in the headers of a letter that a report has a copy of."""
    payload = part.get_payload(decode=True)
    copied = payload if isinstance(payload, bytes) else b""
    found = _COPIED_ID.search(copied.decode("latin-1"))
    return found[1] if found else ""


def _from(headers: Headers) -> str:
    return next((each.address for each in headers.author("from")), "")


_Sign = Callable[[Headers], bool]
_NOBODY: Mapping[str, _Sign] = {
    "a report": _is_report,
    "no return path": lambda said: said.first("return-path") == "<>",  # RFC 5321, 4.5.5
    "auto-submitted": lambda said: said.word("auto-submitted") not in {"", "no", "auto-generated"},
    "an automatic answer": lambda said: any(
        value.lower() not in _SAYS_NO for value in said.named(_ANSWERING)
    ),
    "bulk": lambda said: said.word("precedence") in {"auto-reply", "autoreply", "bulk", "junk"},
    "a newsletter": _is_newsletter,
    "a loop": lambda said: bool(said.first("x-loop")) and not _is_list(said),
    "a mail server": lambda said: _is_daemon(_from(said)),
    "an automatic answer by its subject": _answers_by_its_subject,
}
"""By what one sees that nobody stands behind a letter."""
_ROBOT: Mapping[str, _Sign] = {
    "auto-submitted": lambda said: said.word("auto-submitted") == "auto-generated",
    "no automatic answers": _wants_no_robot,
    "no-reply": lambda said: _is_no_reply(_from(said)),
}
"""By what one sees that a robot wrote, which may do so for a person."""


def _seen(signs: Mapping[str, _Sign], headers: Headers) -> str | None:
    return next((name for name, shows in signs.items() if shows(headers)), None)
