"""The audit trail of the command line: who looked at customers there, and at which (R30)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime

from runtime.home import user
from store import door_log
from store.connection import Pool
from store.door_log import Entry

VIA = "command line"


async def seen(pool: Pool, what: str, numbers: Sequence[str] = ()) -> None:
    """Write down a look at customers, before it is shown; by the issues they are of, if named."""
    named: Sequence[str | None] = numbers or [None]
    entries = [
        Entry(
            at=datetime.now(UTC),
            person=user(),
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
