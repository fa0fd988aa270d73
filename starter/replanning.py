"""Loading a rulebook: it is checked, kept, made the one that counts, and open issues are planned
again by it (R32).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from domain.contract import ISSUES
from domain.errors import Refused, SetupError
from domain.sla.feasibility import obstacles
from domain.sla.replanning import PER_SECOND, Move, Order, Report, Tally, moves, replanned, tally
from domain.sla.rulebook import Rulebook
from runtime import rulebook as files
from runtime.home import user
from store import replanning, rulebooks
from store.connection import Pool
from store.rulebooks import Adoption
from workflows import replan


async def adopt(
    pool: Pool, rulebook: Rulebook, note: str, *, file: str | None = None
) -> Adoption | None:
    """Make a rulebook the one that counts; None if it does already. Open issues are not told yet.

    Raises:
        Refused: ``Invalid``: it lacks a calendar or department that is needed, or promises what
            cannot be planned.
    """
    _require_feasible(rulebook)
    try:
        async with pool.acquire() as connection, connection.transaction():
            return await rulebooks.adopt(connection, rulebook, by=user(), note=note, file=file)
    except rulebooks.Unfit as unfit:
        raise Refused("Invalid", str(unfit)) from None


def _require_feasible(rulebook: Rulebook) -> None:
    if found := obstacles(rulebook, datetime.now(UTC)):
        raise Refused("Invalid", "; ".join(map(str, found)))


async def policy_at_start(client: Client, pool: Pool, path: Path) -> str:
    """Adopt the policy file if it is new or was changed, and have open issues planned again by it;
    say in a few words what happened. A desk that has a policy goes on by that if the file does not
    go with its roster: with the desk down nobody could mend the roster.

    Raises:
        SetupError: the file cannot be read, or the desk has no policy yet and its roster does not
            go with this one.
    """
    try:
        adoption = await adopt_file(pool, path)
    except Refused as refused:
        async with pool.acquire() as connection:
            current = await rulebooks.current(connection)
        if current is None:
            raise SetupError(f"{path}: {refused.message}") from None
        return (
            f"{path.name} is NOT loaded, rulebook {current.version} goes on: {refused.message}. "
            f"Mend the roster or the file, then: yinuo policy import {path}"
        )
    if adoption is None:
        return "as loaded before"
    open_issues, _ = await replanning.numbers_behind(pool, adoption.version)
    if open_issues:
        await start(client, adoption.id)
    return f"{path.name}, rulebook {adoption.version}"


async def adopt_file(pool: Pool, path: Path) -> Adoption | None:
    """Adopt a policy file unless that was done before: what was loaded since then stands. It does
    not make the desk forget a notice.

    Raises:
        RulebookError: the file cannot be read.
        Refused: as ``adopt``.
    """
    read = files.load(path)
    async with pool.acquire() as connection:
        if await rulebooks.was_loaded(connection, read.version):
            return None
        older = await rulebooks.current(connection)
    return await adopt(pool, read.keeping_notices_of(older), path.name, file=read.version)


async def start(
    client: Client, adoption: int, per_second: float = PER_SECOND
) -> WorkflowHandle[Any, Report]:
    """Have open issues planned again by the desk, in the place of an older run."""
    return await client.start_workflow(
        replan.ReplanWorkflow.run,
        Order(adoption=adoption, per_second=per_second),
        id=replan.WORKFLOW_ID,
        task_queue=ISSUES,
        id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        static_summary="重新计算期限 Open promises are planned again",
    )


async def adopt_and_replan(
    client: Client, pool: Pool, rulebook: Rulebook, note: str, *, file: str | None = None
) -> Report | None:
    """Adopt a rulebook and wait until open issues are planned again; None if it counts already.

    Raises:
        Refused: as ``adopt``.
    """
    adoption = await adopt(pool, rulebook, note, file=file)
    if adoption is None:
        return None
    return await (await start(client, adoption.id)).result()


async def again(client: Client, pool: Pool, per_second: float) -> Report:
    """Take up the newest adoption where it was left, and wait until it is carried through.

    Raises:
        Refused: ``NotFound``: nothing was ever adopted.
    """
    async with pool.acquire() as connection:
        newest = await rulebooks.adoption(connection)
    if newest is None:
        raise Refused("NotFound", "the desk has no rulebook yet: bring it up with `yinuo up`")
    return await (await start(client, newest.id, per_second)).result()


async def dry_run(pool: Pool, rulebook: Rulebook) -> Report:
    """Say what planning open issues again by ``rulebook`` would change, promise by promise. Nothing
    is changed.

    Raises:
        Refused: as ``adopt`` would be.
    """
    now = datetime.now(UTC)
    _require_feasible(rulebook)
    try:
        async with pool.acquire() as connection:
            await rulebooks.check(connection, rulebook)
    except rulebooks.Unfit as unfit:
        raise Refused("Invalid", str(unfit)) from None
    total, looked, moved = Tally(), 0, list[Move]()
    async for page in replanning.every_behind(pool, rulebook.version):
        looked += len(page)
        for issue in page:
            pairs = replanned(rulebook, issue.facts, issue.calendar, issue.promises, now)
            total += tally(pairs)
            moved += moves(issue.number, pairs)
    moved.sort(key=lambda move: (move.number, move.key))
    return Report(
        adoption=0, version=rulebook.version, tally=total, looked=looked, moves=tuple(moved)
    )
