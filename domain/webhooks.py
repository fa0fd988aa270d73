"""Receivers of events: whom, of what, and how they can tell that it comes from us.

What is sent is signed as Standard Webhooks has it (https://www.standardwebhooks.com): HMAC-SHA256
of id, time and body, by a secret that the receiver has too.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.issue.events import TYPES, Event
from domain.vocabulary import Code, Instant, Model

SECRET = "whsec_"  # noqa: S105  how every secret begins
FAILS = 5
"""Failures in a row after which a receiver is left in peace, and then tried by one event alone."""
TEST = "webhook.test"
"""The type of what `yinuo webhook test` sends."""


class State(StrEnum):
    """Whether a receiver is told."""

    ON = "on"
    OFF = "off"
    """Somebody disabled it: its events wait."""
    FAILED = "failed"
    """The desk disabled it: it took nothing for as long as the policy has patience, or is gone."""


class NewEndpoint(Model):
    """A receiver as somebody adds it. What is left out does not narrow what it is told."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    types: tuple[str, ...] = Field(default=(), description="of events; none: all")
    source: Code | None = Field(default=None, description="of issues of this intake system")
    department: Code | None = Field(default=None, description="of issues of this department")
    label: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""

    def unknown_types(self) -> tuple[str, ...]:
        """Name the types that no event ever has."""
        return tuple(sorted(set(self.types) - set(TYPES.values())))


class Endpoint(NewEndpoint):
    """A receiver, and how it does. Its secret is nobody's to see again."""

    id: Code
    state: State = State.ON
    why: str | None = Field(default=None, description="why it is disabled")
    created_at: Instant
    failures: int = Field(default=0, description="in a row")
    rests_until: Instant | None = Field(default=None, description="not tried again before")
    tried_at: Instant | None = None
    taken_at: Instant | None = Field(default=None, description="when it last accepted anything")
    last_error: str | None = None
    former_until: Instant | None = Field(
        default=None, description="so long the secret of before signs as well"
    )

    def wants(self, event: Event) -> bool:
        """Say whether it is told of that type."""
        return not self.types or event.type in self.types

    @property
    def stumbles(self) -> bool:
        """Say whether it took nothing lately: then it is tried by one event alone."""
        return self.failures >= FAILS


class Waiting(Model):
    """What waits for a receiver: how many events were looked out for it, and since when the first
    of them is tried; whether there are more behind these.
    """

    endpoint: Endpoint
    waiting: int
    since: Instant | None = None


def pause(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """Say how long after so many attempts the next is made: each time twice as long."""
    doubled: int = 2 ** min(attempts - 1, 30)
    return min(first * doubled, longest)


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for.

    Raises:
        ValueError: it is none.
    """
    if not secret.startswith(SECRET):
        raise ValueError(f"a secret begins with {SECRET}")
    return b64decode(secret.removeprefix(SECRET), validate=True)


def signature(secret: str, id_: str, at: int, body: bytes) -> str:
    """Sign a message; ``at`` is in seconds since 1970."""
    said = f"{id_}.{at}.".encode() + body
    return "v1," + b64encode(hmac.new(key_of(secret), said, sha256).digest()).decode()


def headers(id_: str, at: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Write what goes with a message, signed by each of the secrets: while one is changed for
    another, the receiver may know either.
    """
    seconds = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "Yinuo",
        "webhook-id": id_,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signature(each, id_, seconds, body) for each in secrets),
    }
