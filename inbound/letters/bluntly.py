"""A letter read line by line, without a thought for how it is built: for those that cannot be read
otherwise. It takes a time that grows with their length alone, and goes wrong with none.
"""

from __future__ import annotations

import re
from dataclasses import replace

from inbound.letters.headers import decoded
from inbound.letters.pages import stripped
from inbound.letters.said import NO_TEXT, Said, joined, page_of, text_of, unpacked

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
_HEADER = re.compile(rb"\s*[!-9;-~]+[ \t]*:")


def said_in(raw: bytes) -> Said:
    """Read what there is."""
    said = [_piece(piece, within=place > 0) for place, piece in enumerate(_BETWEEN.split(raw))]
    return replace(joined(said), whole=False)


def _piece(piece: bytes, *, within: bool) -> Said:
    blank = _BLANK.search(piece)
    head, body = (piece[: blank.start()], piece[blank.end() :]) if blank else (b"", piece)
    if within and not _HEADER.match(head):
        head, body = b"", piece
    forwarded = ""
    kind, subtype = _kind(head)
    if kind == "message" and (inner := _BLANK.search(body)):
        head, body = body[: inner.start()], body[inner.end() :]
        forwarded, (kind, subtype) = text_of([head], ""), _kind(head)
    if kind in NO_TEXT:
        return Said(forwarded, (_name(head) or f"{kind}/{subtype}",))
    text = _text(head, body, is_page=subtype == "html")
    return Said("\n\n".join(filter(None, (forwarded, text))))


def _kind(head: bytes) -> tuple[str, str]:
    found = _TYPE.search(head)
    return (found[1].decode().lower(), found[2].decode().lower()) if found else ("text", "plain")


def _text(head: bytes, body: bytes, *, is_page: bool) -> str:
    encoding, charset = _ENCODING.search(head), _CHARSET.search(head)
    written = unpacked(body, encoding[1].decode() if encoding else "")
    declared = charset[1].decode() if charset else ""
    if not is_page:
        return text_of(written, declared)
    return stripped(page_of(written, declared))


def _name(head: bytes) -> str:
    found = _FILENAME.search(head)
    return decoded(found[1].decode("ascii", "surrogateescape")) if found else ""
