"""Receivers of events, for whoever looks after them: adding, trying, changing their secret."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

from pydantic_core import to_json

from domain.errors import InputError, Refused
from domain.issue.events import TYPES
from domain.sla.policy import Webhooks
from domain.webhooks import TEST, Endpoint, NewEndpoint, State, Waiting, headers
from runtime.outside import Answer, Inside, NotAnswered, Outside, read_url
from runtime.sealing import Sealer, Unreadable, fresh_secret
from starter.answering import OnRegisters, answered
from store import rulebooks, webhooks
from store.connection import Pool

__all__ = ["Answer", "Endpoint", "NewEndpoint", "NotAnswered", "Receivers", "State", "Waiting"]

KEPT = timedelta(hours=24)
"""How long a secret signs on beside the one that takes its place."""


class Receivers(OnRegisters):
    """Those of a desk. What is refused is ``Refused``: ``Invalid`` or ``NotFound``."""

    def __init__(self, pool: Pool, sealer: Sealer) -> None:
        super().__init__(pool)
        self._sealer = sealer

    async def add(self, wanted: NewEndpoint) -> tuple[Endpoint, str]:
        """Tell somebody of what happens from now on; return the secret that they are to have.

        Raises:
            Refused: ``Invalid``: nothing may be posted there, or there is no such type.
        """
        checked = await self._checked(wanted)
        secret = fresh_secret()
        async with self._connected() as connection, connection.transaction():
            added = await webhooks.add(
                connection,
                checked,
                secrets.token_hex(4),
                self._sealer.seal(secret),
                datetime.now(UTC),
            )
        return added, secret

    async def change(self, id_: str, wanted: NewEndpoint) -> None:
        """Have somebody elsewhere, or tell them something else; what waits for them goes there.

        Raises:
            Refused: ``NotFound``; ``Invalid`` as when one is added. All is as before then.
        """
        checked = await self._checked(wanted)
        async with self._connected() as connection:
            if not await webhooks.change(connection, id_, checked):
                raise _no_such(id_)

    async def listed(self) -> list[Waiting]:
        """List all, the oldest first, and what waits for each."""
        return await answered(webhooks.listed(self._pool))

    async def test(self, id_: str) -> Answer:
        """Post something that is no event, signed like one, and return what is answered.

        Raises:
            Refused: ``NotFound``; ``Invalid``: nothing may be posted there any more.
            NotAnswered: there was no answer.
        """
        async with self._connected() as connection:
            served = await webhooks.served(connection, id_)
        if served is None:
            raise _no_such(id_)
        now = datetime.now(UTC)
        told = {"id": f"test_{secrets.token_hex(8)}", "type": TEST, "timestamp": now, "data": {}}
        body = to_json(told)
        try:
            signed = headers(str(told["id"]), now, body, [self._sealer.open(served.secret)])
            async with self._outside() as (outside, policy):
                within = policy.answer_within.span.total_seconds()
                return await outside.post(served.url, signed, body, within)
        except (Inside, Unreadable) as error:
            raise Refused("Invalid", str(error)) from None

    async def rotate(self, id_: str, keep: timedelta = KEPT) -> str:
        """Make another secret and return it; so long the one before signs as well.

        Raises:
            Refused: ``NotFound``.
        """
        secret = fresh_secret()
        async with self._connected() as connection:
            sealed, until = self._sealer.seal(secret), datetime.now(UTC) + keep
            if not await webhooks.rotate(connection, id_, sealed, until):
                raise _no_such(id_)
        return secret

    async def enable(self, id_: str) -> None:
        """Tell somebody again, from where they were left.

        Raises:
            Refused: ``NotFound``.
        """
        async with self._connected() as connection, connection.transaction():
            if not await webhooks.enable(connection, id_):
                raise _no_such(id_)

    async def disable(self, id_: str) -> None:
        """Tell somebody nothing for a while; what happens waits for them.

        Raises:
            Refused: ``NotFound``: also one that is disabled already.
        """
        async with self._connected() as connection:
            if not await webhooks.disable(connection, id_, State.OFF, "disabled by hand"):
                raise _no_such(id_, " that is told")

    async def remove(self, id_: str) -> None:
        """Forget somebody, and what waits for them.

        Raises:
            Refused: ``NotFound``.
        """
        async with self._connected() as connection:
            if not await webhooks.remove(connection, id_):
                raise _no_such(id_)

    async def _checked(self, wanted: NewEndpoint) -> NewEndpoint:
        if unknown := wanted.unknown_types():
            known = ", ".join(sorted(TYPES.values()))
            raise Refused("Invalid", f"types: there is no {', '.join(unknown)}; there are: {known}")
        try:
            url = read_url(wanted.url)
            async with self._outside() as (outside, _):
                await outside.check(url)
        except InputError as error:
            raise Refused("Invalid", str(error)) from None
        except (Inside, NotAnswered) as error:
            raise Refused("Invalid", f"url: {error}") from None
        return wanted.model_copy(update={"url": str(url)})

    @asynccontextmanager
    async def _outside(self) -> AsyncIterator[tuple[Outside, Webhooks]]:
        async with self._connected() as connection:
            rulebook = await rulebooks.current(connection)
        policy = rulebook.policy.webhooks if rulebook else Webhooks()
        async with aclosing(Outside(policy.allow)) as outside:
            yield outside, policy


def _no_such(id_: str, more: str = "") -> Refused:
    return Refused("NotFound", f"there is no receiver {id_}{more}: see `yinuo webhook list`")
