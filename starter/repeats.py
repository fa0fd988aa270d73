"""The same reference or key again: a repeat, which is answered with what stands, or something else,
whose words would vanish behind that answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime

from temporalio.client import Client

from domain.errors import Refused
from domain.issue.actions import Act, ActionName
from domain.issue.intake import Intake, differing
from domain.issue.view import IssueView
from runtime.aio import within
from runtime.histories import offered
from runtime.lives import described
from store import AWAY, issue_reader
from store.connection import Pool

_GLANCE = 3.0
"""Seconds within which the register answers, or counts as away."""


class OtherContent(Refused):
    """Under this reference or key something else came before, and nothing of this was done.

    ``fields`` are those that differ; ``stands`` is the issue, None while it has no number yet;
    ``at`` is when the register heard of what came first.
    """

    def __init__(
        self, message: str, fields: Sequence[str], stands: IssueView | None, at: datetime | None
    ) -> None:
        super().__init__("OtherContent", message)
        self.fields = tuple(fields)
        self.stands = stands
        self.at = at


class Repeats:
    """Tells one from the other. Client and pool stay their maker's to close."""

    def __init__(self, client: Client, pool: Pool) -> None:
        self._client = client
        self._pool = pool

    async def require_same(
        self, intake: Intake, said: AbstractSet[str], stands: IssueView | None
    ) -> None:
        """Let only what says the same as the first intake of its reference pass for a repeat of it,
        by the fields that somebody ``said``; ``stands`` is the issue, as far as it is known.

        Raises:
            OtherContent: naming the others.
        """
        first = await self._told_first(intake.issue_id, numbered=stands is not None)
        fields = [each for each in differing(first, intake) if each in said] if first else []
        if not fields:
            return
        known = f"is {stands.number}" if stands else "is taken, its number follows"
        raise OtherContent(
            f"{intake.source} {intake.reference} {known}, of which something else was told: "
            f"{', '.join(fields)}. Nothing of this is registered: send it under a reference of its "
            "own if it is another issue, or add it to that one",
            fields,
            stands,
            stands.registered_at if stands else None,
        )

    async def _told_first(self, id_: str, *, numbered: bool) -> Intake | None:
        """Return what an issue was registered with; while there is no number yet, or it cannot be
        looked up, what Temporal took on.
        """
        with suppress(*AWAY):
            if numbered and (registered := await within(_GLANCE, self._registered(id_))):
                return registered
        found = await described(self._client, id_)
        return await offered(self._client, id_, found.run_id) if found else None

    async def _registered(self, id_: str) -> Intake | None:
        async with self._pool.acquire() as connection:
            return await issue_reader.intake(connection, id_)

    async def require_same_act(self, id_: str, name: ActionName, act: Act, key: str) -> None:
        """Let only what says the same as what was done under a key pass for a repeat of it.
        Temporal knows an update by its id alone, and answers with what was done.

        Raises:
            OtherContent: naming the fields.
        """
        kept = await issue_reader.kept_under(self._pool, id_, key)
        if kept is None:
            return
        fields = act.differing(kept) if kept.action is name else ("action",)
        if not fields:
            return
        stands = await issue_reader.issue(self._pool, id_)
        raise OtherContent(
            f"under this key {kept.action} was done before, with something else: "
            f"{', '.join(fields)}. Nothing of this is done: send it under a key of its own",
            fields,
            stands,
            kept.recorded_at,
        )
