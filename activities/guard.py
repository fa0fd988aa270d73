"""Nothing works on a register that is older than Temporal: what every activity that writes or sends
goes through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.issue.step import Step
from runtime.lives import Lives
from store import behind
from store.behind import Checked, Checking
from store.connection import Pool
from store.issue_writer import OutOfStep
from store.standing import Held, Unproved

T = TypeVar("T")

_SOON = timedelta(seconds=1)
"""When to come again while somebody compares the register with Temporal."""
_log = structlog.get_logger(__name__)


class Guard:
    """One for each kind of activity; asks Temporal by the client of the activity under way."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._checking = Checking(pool)

    async def kept(self, work: Callable[[], Awaitable[T]], step: Step | None = None) -> T:
        """Do what requires a register that may be worked on, comparing it with Temporal first if
        nobody has where it now is. ``step`` is what is to be recorded.

        Raises:
            ApplicationError: ``Held``, to be retried: nothing was written or sent.
        """
        try:
            try:
                return await work()
            except Unproved:
                told(await self._checking.prove(Lives(activity.client())))
                return await work()
        except OutOfStep as error:
            if step and await self._is_behind(step):
                raise _later(f"the register is held: {error}") from error
            raise
        except Held as held:
            raise _later(str(held)) from None
        except Unproved as unproved:
            raise _later(str(unproved), _SOON) from None

    async def next_epoch(self) -> bool:
        """Compare the register with Temporal and begin the next epoch; False: it is held."""
        checked = await behind.check_in_turn(self._pool, Lives(activity.client()), advance=True)
        return told(checked)

    async def _is_behind(self, step: Step) -> bool:
        if not activity.in_activity():
            return False
        lives = Lives(activity.client())
        found = await behind.accuse(self._pool, lives, step.issue_id, step.run, step.seq)
        if found:
            told(Checked(standing=found))
        return found is not None


def told(checked: Checked) -> bool:
    """Tell loudly what a check found wrong; whether the register may be worked on."""
    if checked.temporal_behind:
        _log.error("Temporal is older than the register", detail=checked.temporal_behind)
    if checked.standing.held:
        _log.error(
            "the register is older than Temporal: nothing works on it before `yinuo repair`",
            reason=checked.standing.reason,
            since=str(checked.standing.since),
        )
    return not checked.standing.held


def _later(message: str, when: timedelta | None = None) -> ApplicationError:
    return ApplicationError(
        message, type="Held", next_retry_delay=when, category=ApplicationErrorCategory.BENIGN
    )
