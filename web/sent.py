"""What was sent in a body, in whatever encoding it says it is in. Nothing is guessed: what cannot
be read is refused, for what is read wrongly is lost.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from email.message import Message
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from fastapi import Request
from starlette.datastructures import FormData

from runtime.charsets import CHINESE, NO_TEXT
from web.problems import Problem

FORM = "application/x-www-form-urlencoded"
_UTF_8 = "utf-8"
_NAMED = b"_charset_"
"""The field in which a browser names the encoding of a form (HTML, 4.10.21.5)."""
_FIELDS = 1000
"""How many a form may have."""
_PLAIN = "a=b&c%20+1"
"""What a form is written with, whatever it says: no encoding is of use that writes it otherwise."""


async def form_of(request: Request) -> FormData:
    """Read a form.

    Raises:
        Problem: 415, its encoding is not known; 422, it is not in the one it should be in.
    """
    kind, named = content_type(request)
    if kind != FORM:
        return await request.form()
    pairs = list(_pairs(await request.body()))
    if len(pairs) > _FIELDS:
        raise _unreadable(f"the form has more than {_FIELDS} fields")
    inside = next((value for name, value in pairs if name == _NAMED), b"").decode("latin-1")
    named = named or inside or _UTF_8
    return FormData([(text(name, named), text(value, named)) for name, value in pairs])


def content_type(request: Request) -> tuple[str, str | None]:
    """Say what a body is, and in which encoding, if its sender says so."""
    said = Message()
    said["Content-Type"] = request.headers.get("content-type", "")
    return said.get_content_type(), said.get_content_charset()


def text(written: bytes, named: str) -> str:
    """Read what is written in an encoding.

    Raises:
        Problem: as ``form_of``.
    """
    encoding = _encoding(named)
    if encoding is None:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the encoding {named[:40]!r} is not known here: send it in UTF-8",
            type_="urn:yinuo:Invalid",
        )
    try:
        return written.decode(encoding)
    except ValueError:
        raise _unreadable(
            f"the body is not {named}: name the encoding that it is in, as in charset=GBK"
        ) from None


def _encoding(named: str) -> str | None:
    try:
        name = codecs.lookup(named.strip()).name
        plain = _PLAIN.encode(name) == _PLAIN.encode("ascii")
    except (LookupError, ValueError):
        return None
    return CHINESE.get(name, name) if plain and name not in NO_TEXT else None


def _pairs(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in body.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            yield unquote_to_bytes(name), unquote_to_bytes(value)


def _unreadable(reason: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        reason,
        type_="urn:yinuo:Invalid",
        errors=[{"field": "", "reason": reason}],
    )
