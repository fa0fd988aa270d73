"""Beginning an epoch: what `yinuo up`, `yinuo migrate` and `yinuo repair` do before the desk works.

A register that is older than Temporal is held, which is said as loudly as a terminal can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
from temporalio.client import Client

from domain.standing import Behind, Epoch
from domain.vocabulary import Model
from runtime.lives import Lives
from store import behind, standing
from store.behind import Checked

Progress = Callable[[str, str, str], None]


async def begun(client: Client, pool: asyncpg.Pool[Any]) -> Checked:
    """Compare the register with Temporal, and begin the next epoch unless it is held."""
    return await behind.check_in_turn(pool, Lives(client), advance=True, thorough=True)


async def begin(client: Client, pool: asyncpg.Pool[Any], progress: Progress) -> Checked:
    """Do so, and tell."""
    checked = await begun(client, pool)
    if because := await standing.held_because(pool):
        progress("register", "HELD", because)
    elif checked.epoch:
        progress("register", "ready", f"epoch {checked.epoch.number}")
    if checked.temporal_behind:
        progress("Temporal", "BEHIND", checked.temporal_behind)
    return checked


class Released(Model):
    """What came of letting a register go: ``left`` are issues in which it is behind yet, and then
    it stays held. ``given_up`` messages may have arrived before, and go to a person.
    """

    left: tuple[Behind, ...] = ()
    given_up: int = 0
    epoch: Epoch | None = None


async def release(client: Client, pool: asyncpg.Pool[Any]) -> Released:
    """Let a held register be worked on again, once it has been caught up: numbers go on above all
    that Temporal knows, and both sides begin the next epoch.
    """
    lives = Lives(client)
    known = await lives.numbers()
    async with pool.acquire() as connection, connection.transaction():
        if left := await behind.behind(lives, connection):
            return Released(left=tuple(left))
        given_up = await standing.release(connection, known)
        if theirs := await lives.epoch():
            await standing.learn_epoch(connection, theirs)
    return Released(given_up=given_up, epoch=(await begun(client, pool)).epoch)
