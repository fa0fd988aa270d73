"""E-mail as the desk compares and names it: which mailbox an address leads to, the ids that its own
letters carry, and by what a letter names an issue; which words of an answer are its writer's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import accumulate

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_ESCAPED = re.compile(r"(?:=[0-9A-F]{2})+")
_ID = re.compile(r"<([!-;=?A-~]{1,900})@([!-;=?A-~]{1,255})>")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{8}-[0-9]{2,4}-[0-9]{4,}(?![0-9])")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"), "-")
_MOST_NAMED = 8
"""Issues that one letter names: a header may hold thousands."""


def mailbox(address: str) -> str:
    """Return what addresses are compared by: two that lead to the same mailbox come out the same,
    whatever their case, quotes, tag (``desk+web@``) or the script of their domain.
    """
    plain = unicodedata.normalize("NFKC", address).strip().casefold()
    local, at, domain = plain.rpartition("@")
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = local[1:-1].replace("\\", "")
    untagged = local.partition("+")[0]
    return f"{untagged or local}{at}{_ascii(domain.rstrip('.'))}"


def message_id(key: str, domain: str) -> str:
    """Name the letter that brings a message of the outbox: the same one however often it is sent,
    and told from its name (``key_of``).
    """
    return f"<{_UNFIT.sub(_escaped, key)}@{_ascii(domain)}>"


def key_of(id_: str) -> str | None:
    """Say which message of the outbox a letter of that name would bring; None: it is no name."""
    found = _ID.fullmatch(id_)
    if found is None:
        return None
    return _ESCAPED.sub(_unescaped, found[1])


def ids_in(said: str) -> tuple[str, ...]:
    """Find the ids of letters in a header, such as ``References`` or one that was copied."""
    return tuple(dict.fromkeys(match[0] for match in _ID.finditer(said)))


def words_of(*said: str) -> str:
    """Tell letters apart by what they say: a hash, the same for two that differ in nothing but
    numbers, times and punctuation, as a robot's letters do.
    """
    plain = unicodedata.normalize("NFKC", " ".join(said)).casefold()
    return sha256("".join(filter(str.isalpha, plain)).encode()).hexdigest()[:32]


def numbers_in(*said: str) -> tuple[str, ...]:
    """Find the numbers of issues in texts, in their order and however wide they are written."""
    plain = (unicodedata.normalize("NFKC", each).translate(_DASHES) for each in said)
    found = dict.fromkeys(match[0] for each in plain for match in _NUMBER.finditer(each))
    return tuple(found)[:_MOST_NAMED]


def tag_of(address: str) -> str:
    """Return what stands behind the plus of an address: ``20261123-07-0001`` of
    ``desk+20261123-07-0001@…``.
    """
    return address.rpartition("@")[0].partition("+")[2]


# What of an answer is its writer's own ------------------------------------------------------------

_QUOTES = re.compile(r"^[\s>|\ufeff]+")
_MARKED = re.compile(r"[\s\ufeff]*(?:[>|]|$)")
_WROTE = r"(?:wrote|schrieb|写道|寫道)\s*[:：]\s*$"
_ANNOUNCED = re.compile(
    rf"{_WROTE}|^[\s>]*(?:[-_]{{8,}}|[-_]{{2,}}\s*(?:original|forwarded|(?:回复|转发)的原|原始|原邮件|转发"
    r"|轉寄)[^-_]*[-_]{2,})\s*$",
    re.IGNORECASE,
)
_BEGUN = re.compile(
    r"^[\s>]*(?:(?:on|am|在|于|於)\b.*[0-9]|.*\S@\S+\s+(?:于|於).*[0-9])", re.IGNORECASE
)
_ENDED = re.compile(rf"^[\s>]*(?:<?\S+@\S+?>?|[0-9:]{{4,8}})\s*{_WROTE}", re.IGNORECASE)
"""A line too long for a program: "On Monday, 23 November, the desk" and "<desk@…> wrote:"."""
_ENDS_THE_NAME = r"\s*[*|]*\s*[:：|]"
_FROM = re.compile(
    rf"^[>|\s*]*(?:from|发件人|寄件者|差出人)(?:{_ENDS_THE_NAME}|\s.*@)", re.IGNORECASE
)
_HEADER = re.compile(
    r"^[>|\s*]*(?:from|sent|date|to|cc|subject|importance|发件人|发送时间|发送日期|时间|日\s*期|收件人"
    r"|抄\s*送|主\s*题|重要性|寄件者|寄件日期|收件者|副本|主旨|差出人|送信日時|日時|宛先|件名)"
    rf"(?:{_ENDS_THE_NAME}|\s)",
    re.IGNORECASE,
)
_LONGEST_ANNOUNCEMENT = 2_000
_MOST_HEADERS = 20
_FEWEST_HEADERS = 3
"""In a row, the sender first: one alone may be the writer's own word."""
_SHORTEST_QUOTE = 16
"""Characters: what is shorter anybody may have written."""


def own_words(written: str, ours: Iterable[str]) -> str:
    """Leave out the end of an answer, where it is marked as quoted and word for word what we wrote:
    whoever has the issue has that already. In doubt it stays.
    """
    lines = written.splitlines()
    plain = [_squeezed(line) for line in lines]
    sent = tuple(map(_squeezed, ours))
    longest = max(map(len, sent), default=0)
    left = list(accumulate(map(len, reversed(plain)), initial=0))[::-1]
    for start in range(len(lines)):
        if left[start] > longest + _LONGEST_ANNOUNCEMENT:
            continue
        quoted = start + _announced(lines[start : start + _MOST_HEADERS])
        marked = quoted > start or all(_MARKED.match(each) for each in lines[start:])
        if not (marked and _SHORTEST_QUOTE <= left[quoted] <= longest):
            continue
        rest = "".join(plain[quoted:])
        if any(rest in each for each in sent):
            return "\n".join(lines[:start]).strip() or written
    return written


def _announced(lines: Sequence[str]) -> int:
    """Count the lines that only say that what follows is quoted."""
    at = 0
    if _ANNOUNCED.search(lines[0]):
        at = 1
    elif _BEGUN.match(lines[0]) and lines[1:] and _ENDED.match(lines[1]):
        at = 2
    if not lines[at:] or not _FROM.match(lines[at]):
        return at
    end = next((n for n, each in enumerate(lines[at:]) if not _HEADER.match(each)), 0)
    return at + end if end >= _FEWEST_HEADERS else at


def _squeezed(text: str) -> str:
    return "".join(_QUOTES.sub("", text).split())


def _escaped(unfit: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in unfit[0].encode())


def _unescaped(escaped: re.Match[str]) -> str:
    return bytes.fromhex(escaped[0].replace("=", "")).decode(errors="replace")


def _ascii(domain: str) -> str:
    """Write a domain as mail servers look it up, if it can be."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
