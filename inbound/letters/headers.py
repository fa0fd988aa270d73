"""What the head of a letter says, as people write it."""

from __future__ import annotations

import binascii
import quopri
import re
from codecs import BOM_UTF8
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32
from typing import TypeAlias

from inbound.letters.charsets import unicode_of

Head: TypeAlias = "Message[str, str]"

_LONGEST = 64 * 1024
"""Characters of one header that are read; a subject has two hundred."""
_LONGEST_HEAD = 1024 * 1024
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
_SPACE_BEFORE_COLON = re.compile(rb"^([!-9;-~]+)[ \t]+:", re.MULTILINE)
_WORD = re.compile(rb"=\?([\w.:+-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?(?:([^?]*)\?=|([^?\s]*))")
"""An encoded word (RFC 2047); some are never ended."""
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_PIECE = re.compile(rb"([^=]+)(=*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class _AsWritten(Compat32):
    """Gives headers as they stand in the letter, bytes that are none of ASCII as surrogates: the
    library would drop what is not in the encoding it names, and what names none.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002  the library's
        return value


AS_WRITTEN = _AsWritten()


def mended(raw: bytes) -> bytes:
    """Write the head of a letter as the library wants it: obsolete spellings end it there."""
    raw = raw.removeprefix(BOM_UTF8).lstrip(b"\r\n")
    end = _head_ends(raw)
    return _SPACE_BEFORE_COLON.sub(rb"\1:", raw[:end]) + raw[end:]


def head_of(raw: bytes) -> Head:
    """Read the head of a letter, and nothing else of it."""
    letter = mended(raw[: 2 * _LONGEST_HEAD])
    return BytesHeaderParser(policy=AS_WRITTEN).parsebytes(letter[: _head_ends(letter)])


def _head_ends(raw: bytes) -> int:
    blank = _BLANK_LINE.search(raw, 0, _LONGEST_HEAD)
    return blank.end() if blank else min(len(raw), _LONGEST_HEAD)


def _raw_headers(letter: Head, name: str) -> list[str]:
    """Return all headers of a name as they are written, each on one line."""
    wanted = name.lower()
    found = (str(value) for key, value in letter.raw_items() if key.lower() == wanted)
    return [" ".join(value[:_LONGEST].split()) for value in found]


def raw_header(letter: Head, name: str) -> str:
    """Return a header as it is written, on one line; empty: there is none."""
    return next(iter(_raw_headers(letter, name)), "")


def header(letter: Head, name: str) -> str:
    """Return what a header says; empty: nothing."""
    return decoded(raw_header(letter, name))


def titles(letter: Head) -> list[str]:
    """Return what the letter is called, each once: some have several subjects."""
    found = map(decoded, _raw_headers(letter, "Subject"))
    return [title for title in dict.fromkeys(found) if title]


def decoded(raw: str) -> str:
    """Read what a header holds: words in any encoding, also cut in the middle of a character."""
    said: list[tuple[bytes, str]] = []
    written, end = raw.encode("utf-8", "surrogateescape"), 0
    for word in _WORD.finditer(written):
        between, charset = written[end : word.start()], word[1].decode().lower()
        encoded = word[3] if word[3] is not None else word[4]
        plain = b"".join(from_base64(encoded)) if word[2] in b"bB" else _from_q(encoded)
        if between.strip() or not (said and said[-1][1]):
            said += [(between, ""), (plain, charset)]
        elif said[-1][1] == charset:
            said[-1] = (said[-1][0] + plain, charset)
        else:
            said.append((plain, charset))
        end = word.end()
    said.append((written[end:], ""))
    text = "".join(unicode_of(part, charset) for part, charset in said)
    return " ".join(_CONTROL.sub(" ", text).split())


def parameter(part: Head, name: str, parameter: str) -> str:
    """Return a parameter of a header, ``charset`` or ``filename``, in whichever of the three ways
    it is encoded; empty: there is none.
    """
    try:
        found = part.get_param(parameter, "", header=name)
    except Exception:  # noqa: BLE001  the library trips over wrong ones in many ways
        found = _searched(raw_header(part, name), parameter)
    if isinstance(found, tuple):  # RFC 2231
        charset, _, value = found
        written = value.encode("latin-1", "surrogateescape")
        return " ".join(_CONTROL.sub(" ", unicode_of(written, charset or "")).split())
    return decoded(found or "").strip('"')


def _searched(value: str, parameter: str) -> str:
    found = re.search(rf"\b{parameter}[*0-9]*\s*=\s*\"?([^\";]*)", value, re.IGNORECASE)
    return found[1] if found else ""


def from_base64(encoded: bytes) -> list[bytes]:
    """Decode as much as there is, piece by piece if it was joined out of several; an equals sign
    that ends none is passed over.
    """
    decoded, piece = [], b""
    for characters, ends in _PIECE.findall(_NO_BASE64.sub(b"", encoded)):
        piece += characters
        if len(piece) % 4 + len(ends) >= 4 > len(ends):
            decoded.append(_piece(piece))
            piece = b""
    return [*decoded, _piece(piece)] if piece else decoded


def _piece(piece: bytes) -> bytes:
    if len(piece) % 4 == 1:  # six bits are no byte
        piece = piece[:-1]
    return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))


def _from_q(encoded: bytes) -> bytes:
    return quopri.decodestring(encoded.replace(b"_", b" "))
