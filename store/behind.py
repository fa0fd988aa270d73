"""Is the register older than Temporal? Asked when the desk is prepared, when a worker starts, by
every audit, and whenever the register is found on another server than before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from domain.standing import Behind, Epoch, Lived, Standing
from domain.vocabulary import Model
from store import standing
from store.connection import Connection, Pool
from store.standing import Unproved

_CHECKING = 0x59494E554F31
"""Advisory lock: one check at a time."""
_AT_ONCE = 16
"""Workflows that are asked for at the same time."""
_ENOUGH = 16
"""Issues that prove a register to be behind."""
_NAMED = 3
"""Issues that a reason names."""


class Workflows(Protocol):
    """What Temporal knows; see ``runtime.lives``."""

    async def epoch(self) -> Epoch | None:
        """Return the epoch that Temporal keeps; None: none, or nowhere to keep it."""

    async def keep_epoch(self, epoch: Epoch) -> bool:
        """Let Temporal keep an epoch, unless it has a later one; False: there is no place."""

    def pages(self, closed_since: datetime | None) -> AsyncIterator[list[Lived]]:
        """Go through the workflows that run, and those that came to their end since. The list may
        be a moment old.
        """

    async def describe(self, id_: str) -> Lived | None:
        """Say how a workflow stands right now; None: there is none."""

    async def numbers(self) -> list[str]:
        """List every issue number that Temporal knows, of open and of closed issues."""


class Checked(Model):
    """What came of a check."""

    standing: Standing
    epoch: Epoch | None = None
    temporal_behind: str | None = None
    """That Temporal is the older one, in a sentence: the audit heals that."""


async def check(
    pool: Pool, workflows: Workflows, *, advance: bool = False, thorough: bool = False
) -> Checked:
    """Compare the register with Temporal, and hold it if it is the older one; else it counts as
    proved where it is. What is held stays held.

    Where it is proved already only the epochs are compared, unless ``thorough``: going through all
    workflows takes Temporal a second for every thousand. With ``advance`` the next epoch begins, in
    the register first.

    Raises:
        Unproved: somebody else is at it, or the register moved meanwhile: once more.
    """
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _CHECKING):
            raise Unproved("the register is just being compared with Temporal: send the same again")
        before = await standing.standing(connection)
        if before.held:
            return Checked(standing=before)
        server = await standing.here(connection)
        theirs = await workflows.epoch()
        why = [lives] if (lives := await _other_lives(connection, theirs)) else []
        if why or thorough or not before.proved:
            found = await behind(workflows, connection, enough=_ENOUGH)
            why += [reason(found)] if found else []
        if why:
            await standing.hold(connection, "; ".join(why))
            return Checked(standing=await standing.standing(connection))
        checked = Checked(
            standing=Standing(proved=True),
            epoch=theirs,
            temporal_behind=await _temporal_behind(connection, theirs),
        )
        await standing.prove(connection, server)
        if advance:
            epoch = await standing.begin_epoch(connection, theirs.number if theirs else 0)
    if not advance:
        return checked
    # After the commit: an epoch that Temporal has and the register has not is a lost commit.
    if await workflows.keep_epoch(epoch):
        await standing.confirm_epoch(pool, epoch)
    return checked.model_copy(update={"epoch": epoch})


async def check_in_turn(
    pool: Pool, workflows: Workflows, *, advance: bool = False, thorough: bool = False
) -> Checked:
    """Do what ``check`` does, waiting for whoever is at it: several workers may start at once.

    Raises:
        Unproved: it did not come to an end in two minutes.
    """
    for _ in range(240):
        try:
            return await check(pool, workflows, advance=advance, thorough=thorough)
        except Unproved:
            await asyncio.sleep(0.5)
    return await check(pool, workflows, advance=advance, thorough=thorough)


class Released(Model):
    """What came of letting a register go: ``left`` are issues in which it is behind yet, and then
    it stays held. ``given_up`` messages may have arrived before, and go to a person.
    """

    left: tuple[Behind, ...] = ()
    given_up: int = 0
    epoch: Epoch | None = None


async def release(pool: Pool, workflows: Workflows) -> Released:
    """Let a held register be worked on again, once it has been caught up: numbers go on above all
    that Temporal knows, and both sides begin the next epoch. One that is not held stays as it is.
    """
    known = await workflows.numbers()
    async with pool.acquire() as connection, connection.transaction():
        if left := await behind(workflows, connection):
            return Released(left=tuple(left))
        given_up = await standing.release(connection, known)
        if theirs := await workflows.epoch():
            await standing.learn_epoch(connection, theirs)
    begun = await check_in_turn(pool, workflows, advance=True, thorough=True)
    return Released(given_up=given_up, epoch=begun.epoch)


class Checking:
    """Compares once for all in a process who find the register unproved at once; what is begun goes
    on when they hang up, for many workflows take longer than any of them waits.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._under_way: asyncio.Task[Checked] | None = None

    async def prove(self, workflows: Workflows) -> Checked:
        """Do what ``check`` does."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(check(self._pool, workflows))
            self._under_way.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._under_way)


async def _other_lives(connection: Connection, theirs: Epoch | None) -> str | None:
    """Say that Temporal went on into an epoch that the register did not live through."""
    if theirs is None or await standing.knows(connection, theirs):
        return None
    ours = await standing.newest_epoch(connection)
    return (
        f"Temporal is in epoch {theirs.number}, begun {_at(theirs.begun_at)}; the register knows"
        f" {f'none after {ours.number}, begun {_at(ours.begun_at)}' if ours else 'none'}"
    )


def reason(found: Sequence[Behind]) -> str:
    """Say in which issues the register is behind."""
    named = "; ".join(map(str, found[:_NAMED]))
    return f"{named}; and more" if len(found) > _NAMED else named


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


async def _temporal_behind(connection: Connection, theirs: Epoch | None) -> str | None:
    seen = await standing.newest_epoch(connection, confirmed=True)
    if seen is None or (theirs and theirs.number >= seen.number):
        return None
    has = f"is in epoch {theirs.number}, begun {_at(theirs.begun_at)}" if theirs else "knows none"
    return (
        f"Temporal is older than the register: it {has}, and had been in {seen.number}, begun"
        f" {_at(seen.begun_at)}. The audit gives issues their workflows back"
    )


async def behind(
    workflows: Workflows, connection: Connection, *, enough: int | None = None
) -> list[Behind]:
    """Find the issues of which Temporal knows more than the register; ``enough`` of them, if given.

    A list accuses, a description convicts: that is the workflow's own state. The register is read
    after either, so that a desk at work is never behind.
    """
    newest = await standing.newest_epoch(connection)
    accused: list[str] = []
    async for page in workflows.pages(newest.begun_at if newest else None):
        accused += [each.id for each in await compare(connection, page)]
        if enough and len(accused) >= enough * 4:
            break
    found: list[Behind] = []
    for first in range(0, len(accused), _AT_ONCE):
        some = accused[first : first + _AT_ONCE]
        described = await asyncio.gather(*map(workflows.describe, some))
        found += await compare(connection, [each for each in described if each])
        if enough and len(found) >= enough:
            break
    return found


async def compare(connection: Connection, lived: Sequence[Lived]) -> list[Behind]:
    """Say of which of these issues the register knows less."""
    rows = await connection.fetch(
        "SELECT id, number, seq FROM issues WHERE id = ANY($1)", [each.id for each in lived]
    )
    known = {row["id"]: row for row in rows}
    found = []
    for each in lived:
        row = known.get(each.id)
        said = Behind(
            id=each.id,
            number=each.number,
            step=each.step,
            seq=row["seq"] if row else None,
            registered=row["number"] if row else None,
        )
        if _is_behind(said):
            found.append(said)
    return found


def _is_behind(said: Behind) -> bool:
    if said.seq is None:
        return said.number is not None or said.step is not None
    another = said.number is not None and said.number != said.registered
    return another or (said.step or 0) > said.seq


async def accuse(
    pool: Pool, workflows: Workflows, id_: str, run: str, step: int
) -> Standing | None:
    """Look into a step that does not follow the register's last. The register is held if it lacks
    steps that the workflow of that run has; None: it does not, something else is wrong.
    """
    async with pool.acquire() as connection:
        now = await standing.standing(connection)
        if now.held:
            return now
        last = await connection.fetchval("SELECT seq FROM issues WHERE id = $1", id_)
        if step <= (last or 0) + 1:
            return None
        lived = await workflows.describe(id_)
        if lived is None or not lived.running or lived.first_run != run:
            return None
        if lived.step is None:  # one of before it told: what it asks for is all there is
            lived = lived.model_copy(update={"step": step - 1})
        found = await compare(connection, [lived])
        if not found:
            return None
        await standing.hold(connection, reason(found))
        return await standing.standing(connection)
