"""A letter read line by line, without a thought for how it is built: for those that cannot be read
otherwise. It takes a time that grows with their length alone, and goes wrong with none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from inbound.letters.headers import decoded
from inbound.letters.pages import stripped
from inbound.letters.said import (
    NO_TEXT,
    Attached,
    Said,
    joined,
    page_of,
    text_of,
)
from inbound.letters.transfer import texts_in, unpacked

_BETWEEN = re.compile(
    rb"^--[^\s-][^\r\n]{0,200}\r?\n(?=[!-9;-~]+:|\r?\n)|^--\S{1,200}--[ \t]*\r?$", re.MULTILINE
)
_BLANK = re.compile(rb"\r?\n\r?\n|\A\r?\n|\r\r")
_ENCODING = re.compile(
    rb"^content-transfer-encoding[ \t]*:\s*\"?([\w-]+)", re.IGNORECASE | re.MULTILINE
)
_TYPE = re.compile(
    rb"^content-type[ \t]*:\s*\"?([\w.+-]+)/?([\w.+-]*)", re.IGNORECASE | re.MULTILINE
)
_CHARSET = re.compile(rb"charset\*?[ \t]*=\s*[\"']*([\w.:+-]+)", re.IGNORECASE)
_FILENAME = re.compile(rb"\b(?:file)?name[*0-9]*[ \t]*=\s*\"?([^\";\r\n]{1,300})", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]+")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)")
_HEAD = re.compile(
    rb"^(?:content-[\w-]+|mime-version|from|to|subject|date|message-id|received)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
TITLE = "主题 Subject: {}"


def said_in(raw: bytes, *, letter: bool = False) -> Said:
    """Read what there is; the head of a whole ``letter`` is read elsewhere."""
    first, *others = _BETWEEN.split(raw)
    said = [_piece(first, own=letter), *map(_piece, others)]
    return replace(joined(said), whole=False)


def _piece(piece: bytes, *, own: bool = False) -> Said:
    blank = _BLANK.search(piece)
    head, body = (piece[: blank.start()], piece[blank.end() :]) if blank else (b"", piece)
    if not _HEAD.search(head):
        head, body = b"", piece
    told = [] if own else _told(head)
    kind, subtype = _kind(head)
    if kind == "message" and (inner := _BLANK.search(body)):
        head, body = body[: inner.start()], body[inner.end() :]
        told, (kind, subtype) = [*told, text_of([head], "")], _kind(head)
    if kind in NO_TEXT:
        content = partial(unpacked, body, _encoding(head))
        return Said("\n".join(told), (Attached(_name(head) or f"{kind}/{subtype}", content),))
    text = _text(head, body, is_page=subtype == "html")
    return Said("\n\n".join(filter(None, ("\n".join(told), text))))


def _told(head: bytes) -> list[str]:
    """Return what a head says: what the letter is called, and lines that are no header's."""
    said: list[str] = []
    for line in _FOLD.sub(b" ", head).splitlines():
        field = _FIELD.match(line)
        if field is None:
            said.append(_unicode(line))
        elif field[1].lower() == b"subject":
            said.append(TITLE.format(_unicode(field[2])))
    return said


def _unicode(written: bytes) -> str:
    return decoded(written.decode("utf-8", "surrogateescape"))


def _kind(head: bytes) -> tuple[str, str]:
    found = _TYPE.search(head)
    return (found[1].decode().lower(), found[2].decode().lower()) if found else ("text", "plain")


def _text(head: bytes, body: bytes, *, is_page: bool) -> str:
    charset = _CHARSET.search(head)
    declared = charset[1].decode() if charset else ""
    written = texts_in(body, _encoding(head), declared)
    if not is_page:
        return text_of(written, declared)
    return stripped(page_of(written, declared))


def _encoding(head: bytes) -> str:
    found = _ENCODING.search(head)
    return found[1].decode() if found else ""


def _name(head: bytes) -> str:
    found = _FILENAME.search(head)
    return decoded(found[1].decode("ascii", "surrogateescape")) if found else ""
