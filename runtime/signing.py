"""Signing what leaves the house and has to come back unchanged: links and cookies.

All of a desk's processes sign with one secret: ``YINUO_SECRET``, or else one that is made once and
kept in the desk's home, readable by its owner alone.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from itsdangerous import BadSignature, URLSafeSerializer
from itsdangerous.timed import TimestampSigner
from pydantic import ValidationError

from domain.links import Link
from runtime.errors import SetupError
from runtime.settings import Settings

_SHORTEST = 32


class LinkRefused(Exception):  # noqa: N818  an answer, not a fault
    """The link is not one of ours, or its time is over."""

    def __init__(self, why: Literal["forged", "expired"]) -> None:
        super().__init__(why)
        self.why = why


class Signer:
    """Makes links and reads them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._links = URLSafeSerializer(secret, salt="yinuo.link")

    def link(self, link: Link) -> str:
        """Write a link as the last part of an address."""
        until = int(link.until.timestamp())
        parts = [link.number, link.purpose, link.person, link.generation, until]
        return str(self._links.dumps(parts))

    def read_link(self, text: str, now: datetime) -> Link:
        """Read a link that came back.

        Raises:
            LinkRefused: it is forged, or expired at ``now``.
        """
        try:
            number, purpose, person, generation, until = self._links.loads(text)
            link = Link(
                number=number,
                purpose=purpose,
                person=person,
                generation=generation,
                until=datetime.fromtimestamp(until, now.tzinfo),
            )
        except (BadSignature, ValidationError, ValueError, TypeError):
            raise LinkRefused("forged") from None
        if link.until <= now:
            raise LinkRefused("expired")
        return link

    def timed(self, salt: str) -> TimestampSigner:
        """Make a signer for something else, such as cookies, which no link can be taken for."""
        return TimestampSigner(self._secret, salt=f"yinuo.{salt}")


def link_id(text: str) -> str:
    """Name a link without revealing it, in the register and as the id of the action it takes."""
    return sha256(text.encode()).hexdigest()[:32]


def signer(own: Settings) -> Signer:
    """Make the desk's signer.

    Raises:
        SetupError: the secret is too short, or cannot be read or kept.
    """
    if own.secret is not None:
        given = own.secret.get_secret_value()
        if len(given) < _SHORTEST:
            raise SetupError(
                f"YINUO_SECRET: at least {_SHORTEST} characters, for example of "
                "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
        return Signer(given)
    return Signer(_kept(own.home / "secret"))


def _kept(path: Path) -> str:
    """Read the secret of this desk, or make it: whoever is first makes it for all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
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
