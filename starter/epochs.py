"""Beginning an epoch: what `yinuo up` and `yinuo migrate` do before the desk works.

A register that is older than Temporal is held, which is said as loudly as a terminal can.
"""

from __future__ import annotations

from collections.abc import Callable

from temporalio.client import Client

from runtime.lives import Lives
from store import behind, standing
from store.behind import Checked
from store.connection import Pool

Progress = Callable[[str, str, str], None]


async def begun(client: Client, pool: Pool) -> Checked:
    """Compare the register with Temporal, and begin the next epoch unless it is held."""
    return await behind.check_in_turn(pool, Lives(client), advance=True, thorough=True)


async def begin(client: Client, pool: Pool, progress: Progress) -> Checked:
    """Do so, and tell."""
    checked = await begun(client, pool)
    if because := await standing.held_because(pool):
        progress("register", "HELD", because)
    elif checked.epoch:
        progress("register", "ready", f"epoch {checked.epoch.number}")
    if checked.temporal_behind:
        progress("Temporal", "BEHIND", checked.temporal_behind)
    return checked
