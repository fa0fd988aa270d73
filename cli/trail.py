"""The audit trail of the command line: who looked at customers there, and at which (R30)."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from store import door_log
from store.door_log import Entry

if TYPE_CHECKING:
    from store.connection import Pool


VIA = "command line"


def who() -> str:
    """Name whoever runs this process; not by the environment, which says what they like."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container knows few of its users by name
        return f"uid {uid}"


async def seen(pool: Pool, what: str, numbers: Sequence[str] = ()) -> None:
    """Write down a look at customers, before it is shown; by the issues they are of, if named."""
    named: Sequence[str | None] = numbers or [None]
    entries = [
        Entry(
            at=datetime.now(UTC),
            person=who(),
            role=None,
            via=VIA,
            address=socket.gethostname(),
            what=what,
            number=number,
            outcome="seen",
        )
        for number in named
    ]
    await door_log.note(pool, *entries)
