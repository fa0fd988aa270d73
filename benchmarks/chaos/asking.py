"""How callers ask, at the doors and by the client, and what was promised to them.

Whoever hears an error, or nothing in time, sends the same again, as often as they have patience.
What the desk acknowledged is written down here, and nowhere in the desk.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeVar

import httpx2

from domain.errors import Refused
from domain.issue.actions import Act, ActionName, Resolve
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.staff.access import Caller
from domain.vocabulary import Role
from starter.client import Desk, Unavailable
from web.api.shapes import update_id

T = TypeVar("T")
Deed = Literal["intake", "accepted", "act", "signal"]
"""``accepted``: an intake that was answered 202, with no number yet."""
_PAUSE = (0.2, 1.5)
_DOORS_WAIT = 35.0


class Acknowledged(NamedTuple):
    """What somebody was told is done, when; ``key`` is the cause under which it must stand in the
    register, ``word`` something of what was said that nobody else says.
    """

    deed: Deed
    at: datetime
    issue_id: str
    number: str | None
    name: str
    by: str
    key: str
    word: str


class Patience(NamedTuple):
    """How many seconds somebody waits for an answer, and for how many they ask again."""

    answer: float
    lasts: float


class GaveUp(Exception):
    """Nobody answered, and the caller has something else to do."""


class Asking:
    """Everybody who asks, and what they were answered. ``let_in`` are their tokens."""

    def __init__(
        self, desk: Desk, http: httpx2.AsyncClient, let_in: Mapping[tuple[Role, str], str]
    ) -> None:
        self._desk = desk
        self._http = http
        self._let_in = let_in
        self.acknowledged: list[Acknowledged] = []
        self.heard: Counter[str] = Counter()
        """What callers heard that was no answer, and how often."""

    async def open(
        self, intake: Intake, patience: Patience, chance: random.Random, *, by_door: bool
    ) -> IssueView:
        """Register an intake; see ``_insist`` for what it raises."""

        def note(deed: Deed, number: str | None) -> None:
            self._note(deed, intake.issue_id, number, "registered", intake.source, "", intake.title)

        async def at_the_door() -> IssueView:
            body = intake.model_dump_json(exclude_unset=True)
            answer = await self._post("/issues", body, (Role.INTAKE, intake.source))
            if answer.status_code == HTTPStatus.ACCEPTED:
                note("accepted", None)
                raise Unavailable("accepted, the number follows")
            return IssueView.model_validate_json(answer.content)

        ways = (at_the_door, lambda: self._desk.open(intake))
        view = await self._insist(ways[not by_door], patience, chance)
        note("intake", view.number)
        return view

    async def act(
        self,
        view: IssueView,
        name: ActionName,
        act: Act,
        word: str,
        *,
        patience: Patience,
        chance: random.Random,
    ) -> IssueView:
        """Take an action: at the door where somebody has a token, else by the client."""
        by = act.by
        at_door = (by.role, by.id) in self._let_in and chance.random() < 0.6
        caller = Caller(id=by.id, role=by.role, name=by.id)
        key = (update_id(caller, name, word) if at_door else word) or word

        async def at_the_door() -> IssueView:
            body = act.model_dump_json(exclude={"by"}, exclude_none=True)
            path = f"/issues/{view.number}/{name}"
            answer = await self._post(path, body, (by.role, by.id), word)
            if answer.status_code == HTTPStatus.NO_CONTENT:  # done, and theirs to see no more
                return view
            return IssueView.model_validate_json(answer.content)

        def by_the_client() -> Awaitable[IssueView]:
            return self._desk.act(view.number, name, act, key=key)

        after = await self._insist(at_the_door if at_door else by_the_client, patience, chance)
        self._note("act", view.id, view.number, name, by.id, key, word)
        return after

    async def complete(
        self, view: IssueView, act: Resolve, word: str, patience: Patience, chance: random.Random
    ) -> None:
        """Signal completion, at the door or by the client."""

        async def at_the_door() -> None:
            body = act.model_dump_json(exclude={"by"}, exclude_none=True)
            path = f"/issues/{view.number}/complete"
            await self._post(path, body, (act.by.role, act.by.id))

        at_door = (act.by.role, act.by.id) in self._let_in and chance.random() < 0.6
        ways = (at_the_door, lambda: self._desk.complete(view.number, act))
        await self._insist(ways[not at_door], patience, chance)
        self._note("signal", view.id, view.number, "complete", act.by.id, "", word)

    async def look(self, number: str, patience: Patience, chance: random.Random) -> IssueView:
        """See how the issue stands."""
        return await self._insist(lambda: self._desk.show(number), patience, chance)

    async def _insist(
        self, ask: Callable[[], Awaitable[T]], patience: Patience, chance: random.Random
    ) -> T:
        """Ask until there is an answer.

        Raises:
            Refused: that is the answer.
            GaveUp: there was none.
        """
        until = time.monotonic() + patience.lasts
        while True:
            try:
                async with asyncio.timeout(patience.answer):
                    return await ask()
            except Refused as refused:
                self.heard[f"refused: {refused.type}"] += 1
                raise
            except Exception as error:  # whatever it was, a caller tries again
                self.heard[f"no answer: {type(error).__name__}"] += 1
                if time.monotonic() > until:
                    self.heard["gave up"] += 1
                    raise GaveUp from error
                await asyncio.sleep(chance.uniform(*_PAUSE))

    async def _post(
        self, path: str, body: str, who: tuple[Role, str], key: str | None = None
    ) -> httpx2.Response:
        headers = {
            "Authorization": f"Bearer {self._let_in[who]}",
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
        }
        answer = await self._http.post(path, content=body, headers=headers, timeout=_DOORS_WAIT)
        if answer.is_server_error or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable(f"the doors answer with {answer.status_code}")
        if answer.is_error:
            problem: dict[str, Any] = answer.json()
            raise Refused.told(str(problem["type"]).rpartition(":")[2], str(problem["detail"]))
        return answer

    def _note(self, deed: Deed, issue_id: str, number: str | None, *rest: str) -> None:
        name, by, key, word = rest
        said = Acknowledged(deed, datetime.now(UTC), issue_id, number, name, by, key, word)
        self.acknowledged.append(said)
