"""Signing what leaves the house and has to come back unchanged: links and cookies.

All of a desk's processes sign with one secret: ``YINUO_SECRET``, or else one that is made once and
kept in the desk's home, readable by its owner alone.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from itsdangerous import BadData
from itsdangerous import Signer as Seal
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.url_safe import URLSafeTimedSerializer
from pydantic import ValidationError

from domain.errors import SetupError
from domain.links import CUSTOMER, PURPOSES, Link
from runtime import brief_links
from runtime.home import make_private
from runtime.settings import Settings

_SHORTEST = 32
_OF_LINKS = "yinuo links"
_OF_BRIEF_LINKS = "yinuo brief links"
"""No other signature is of these salts: theirs begin with another character after the name."""
_BRIEF = 34
"""Characters of a link in a text message. The last fourteen are its signature: 84 bits of the HMAC,
which nobody can try but at the door.
"""
_BRIEF_SIGNATURE = 14


class LinkRefused(Exception):
    """The link is not one of ours, or its time is over."""

    def __init__(self, why: Literal["forged", "expired"]) -> None:
        super().__init__(why)
        self.why = why


class Signer:
    """Makes links and reads them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._links = Seal(secret, salt=_OF_LINKS)
        self._brief_links = Seal(secret, salt=_OF_BRIEF_LINKS)

    def link(self, link: Link) -> str:
        """Write a link as the last part of an address; its time counts in whole seconds. A customer
        is not spelt out: that is the mark's room.
        """
        until = f"{int(link.until.timestamp()):x}"
        parts = [link.number, link.terms.letter, link.person, str(link.generation), until]
        if link.mark is not None:
            parts = [*parts, link.mark]
            parts[2] = "" if link.person == CUSTOMER else link.person
        return self._links.sign(base64_encode(" ".join(parts))).decode()

    def brief_link(self, link: Link) -> str:
        """Write a link as short as a text message wants it, or as ``link`` does where it does not
        fit.
        """
        packed = brief_links.pack(link)
        if packed is None:
            return self.link(link)
        text = base64_encode(packed).decode()
        return text + self._brief_links.get_signature(text).decode()[:_BRIEF_SIGNATURE]

    def read_link(self, text: str, now: datetime) -> Link:
        """Read a link that came back, however it was written.

        Raises:
            LinkRefused: it is forged, or expired at ``now``.
        """
        brief = len(text) == _BRIEF and "." not in text
        try:
            link = self._read_brief(text) if brief else self._read(text)
        except (BadData, ValidationError, LookupError, ValueError):
            raise LinkRefused("forged") from None
        # Some signatures can be spelt in several ways; used up is one link, not one spelling of it.
        if (self.brief_link(link) if brief else self.link(link)) != text:
            raise LinkRefused("forged")
        if link.until <= now:
            raise LinkRefused("expired")
        return link

    def _read(self, text: str) -> Link:
        parts = base64_decode(self._links.unsign(text)).decode().split(" ")
        number, letter, person, generation, until, *mark = parts
        return Link(
            number=number,
            purpose=_BY_LETTER[letter],
            person=person or CUSTOMER,
            generation=int(generation),
            until=datetime.fromtimestamp(int(until, 16), UTC),
            mark=mark[0] if mark else None,
        )

    def _read_brief(self, text: str) -> Link:
        packed, signature = text[:-_BRIEF_SIGNATURE], text[-_BRIEF_SIGNATURE:]
        known = self._brief_links.get_signature(packed)[:_BRIEF_SIGNATURE]
        if not hmac.compare_digest(known, signature.encode()):
            raise BadData("another signature")
        return brief_links.unpack(base64_decode(packed))

    def secret_for(self, use: str) -> str:
        """Derive a secret for somebody else's signing, which tells nothing of ours."""
        return hmac.new(self._secret.encode(), f"yinuo.{use}".encode(), sha256).hexdigest()

    def timed(self, use: str) -> URLSafeTimedSerializer:
        """Make what writes something else down, such as cookies, which no link can be taken for."""
        return URLSafeTimedSerializer(self._secret, salt=f"yinuo.{use}")


_BY_LETTER = {terms.letter: purpose for purpose, terms in PURPOSES.items()}


@dataclass(frozen=True)
class Links:
    """Makes the addresses that go into messages; ``base_url`` is how people reach the doors."""

    signer: Signer
    base_url: str

    def address(self, link: Link, *, brief: bool = False) -> str:
        """Write a link as people can open it; ``brief`` for a text message."""
        written = self.signer.brief_link(link) if brief else self.signer.link(link)
        return f"{self.base_url}/l/{written}"


def link_id(text: str) -> str:
    """Name a link without revealing it, in the register and as the id of the action it takes."""
    return sha256(text.encode()).hexdigest()[:32]


def signer(settings: Settings) -> Signer:
    """Make the desk's signer.

    Raises:
        SetupError: the secret is too short, or cannot be read or kept.
    """
    if settings.secret is not None:
        given = settings.secret.get_secret_value()
        if len(given) < _SHORTEST:
            raise SetupError(
                f"YINUO_SECRET: at least {_SHORTEST} characters, for example of "
                "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
        return Signer(given)
    return Signer(_kept(settings.home / "secret"))


def links(settings: Settings) -> Links:
    """Make what writes the desk's links.

    Raises:
        SetupError: as ``signer``.
    """
    return Links(signer(settings), settings.base_url)


def _kept(path: Path) -> str:
    """Read the secret of this desk, or make it: whoever is first makes it for all."""
    try:
        make_private(path.parent)
        fresh = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(fresh, path)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return path.read_text("ascii").strip()
    except OSError as error:
        raise SetupError(f"{path}: the desk's secret cannot be kept: {error.strerror}") from None
