"""The desk as those reach it who have no client of its own: over HTTP, and by links in messages.

What does not come in over the hotline goes this way, and so do the people who work on it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2

from demo.receiver import LOOPBACK, Received, Receiver
from demo.stage import Theatre
from domain.errors import Refused
from domain.for_customers.turn import Turn
from domain.issue.actions import Act, ActionName, CustomerWrote
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.links import CUSTOMER, PURPOSES, Link
from domain.staff.access import Right
from domain.staff.roster import Roster
from domain.vocabulary import Actor, Audience, Means, Role
from inbound.mail import LetterBox, LetterFate
from inbound.mapping import read_file
from runtime.settings import ROOT
from runtime.signing import LinkRefused, signer
from starter.attachments import Attachments
from starter.client import Desk, Unavailable
from store import tokens
from store.connection import Pool
from store.tokens import Token
from web.album import FILES
from web.auth.identity import PREFIX, digest
from web.pages.customers import FORM

SOURCES = ("web", "mail", "chat", "counter")
"""The intake systems of the samples that come in at the doors."""
LETTERS = ROOT / "examples" / "inbound" / "mail.toml"
_ANSWER_SECONDS = 35.0
_LOOKS = 0.2


class DoorDeed(NamedTuple):
    """Something that was done at the doors, and was to leave a row in their trail."""

    what: str
    number: str
    person: str


class ByDoors:
    """Answers as ``Desk`` does; ``done`` is what was done this way."""

    def __init__(
        self, place: Theatre, http: httpx2.AsyncClient, let_in: Mapping[tuple[Role, str], str]
    ) -> None:
        self._desk: Desk = place.desk
        self._receiver: Receiver = place.receiver
        self._signer = signer(place.settings)
        pool = place.servers.pool
        files = Attachments.on(pool, place.settings)
        self._box = LetterBox(place.desk, pool, read_file(LETTERS), files, signer=self._signer)
        self._http = http
        self._let_in = let_in
        self.done: list[DoorDeed] = []

    async def open(self, intake: Intake) -> IssueView:
        """Register an issue; see ``Desk.open``."""
        system = Actor(id=intake.source, role=Role.INTAKE)
        view = await self._asked("/issues", intake.model_dump_json(), system)
        assert view  # noqa: S101  what a system registers is its own
        self.done.append(DoorDeed(Right.OPEN, view.number, system.id))
        return view

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        """Take an action; see ``Desk.act``. Customers have links for it, or call the hotline."""
        if act.by.role is Role.CUSTOMER:
            return await self._by_link(number, name, act, key)
        said = act.model_dump_json(exclude={"by"})
        view = await self._asked(f"/issues/{number}/{name}", said, act.by, key)
        if view is None:  # not theirs any more
            view = await self._desk.show(number)
        self.done.append(DoorDeed(name, number, act.by.id))
        return view

    async def _by_link(self, number: str, name: ActionName, act: Act, key: str | None) -> IssueView:
        address = self._link(number, name)
        if address is None:
            return await self._desk.act(number, name, act, key=key)
        form = {
            field: _as_typed(said)
            for field, said in act.model_dump(mode="json", exclude={"by", "at"}).items()
            if said is not None
        }
        if isinstance(act, CustomerWrote):
            turn = Turn.WAITING if act.means is Means.DONE else Turn.WRITE
            form |= {FORM: turn, "key": key or uuid4().hex}
        answer = await self._sent("POST", address, data=form)
        if answer.is_error:
            raise Refused("Invalid", f"the link for {name} was answered with {answer.status_code}")
        self.done.append(DoorDeed(name, number, act.by.id))
        return await self._desk.show(number)

    def _link(self, number: str, name: ActionName) -> str | None:
        """Find the latest link for it in what the customer was sent, as its path."""
        for message in reversed(self._receiver.received):
            for word in message.body.split():
                before, mark, signed = word.rpartition("/l/")
                link = self._read(signed) if mark and before else None
                if link and link.number == number and _leads_to(link, name):
                    return f"/l/{signed}"
        return None

    async def add_photograph(self, number: str, photograph: Path) -> None:
        """Add a photograph on the customer's page, once they were sent a link to it."""
        while (address := self._link(number, ActionName.CUSTOMER_WROTE)) is None:
            await asyncio.sleep(_LOOKS)
        content = await asyncio.to_thread(photograph.read_bytes)
        files = {FILES: (photograph.name, content, "image/jpeg")}
        answer = await self._sent("POST", f"{address}/files", files=files)
        if answer.is_error:
            raise Refused("Invalid", f"the photograph was answered with {answer.status_code}")
        self.done.append(DoorDeed(Right.ATTACH, number, CUSTOMER))

    async def write_letter(self, number: str, sender: str, words: str) -> IssueView:
        """Answer the latest letter to the customer of an issue, once there is one, by a letter."""
        while (told := self._letter(number, sender)) is None:
            await asyncio.sleep(_LOOKS)
        source, own = self._box.form.source, self._box.form.own[0]
        became = await self._box.take(_answer(told, sender, own, words), LOOPBACK, sender=sender)
        if became.fate is LetterFate.AWAY:
            raise Unavailable(became.said)
        if became != (LetterFate.ADDED, number):
            raise Refused("Invalid", f"a letter about {number} was {became.fate}: {became.said}")
        self.done.append(DoorDeed(ActionName.CUSTOMER_WROTE, number, source))
        return await self._desk.show(number)

    def _letter(self, number: str, to: str) -> Received | None:
        latest_first = reversed(self._receiver.received)
        return next((m for m in latest_first if m.to == to and number in m.title), None)

    def _read(self, signed: str) -> Link | None:
        try:
            return self._signer.read_link(signed, datetime.now(UTC))
        except LinkRefused:
            return None

    async def _asked(
        self, path: str, content: str, by: Actor, key: str | None = None
    ) -> IssueView | None:
        """Send it; None: it is done, and not theirs to see."""
        headers = {
            "Authorization": f"Bearer {self._let_in[by.role, by.id]}",
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
        }
        answer = await self._sent("POST", path, content=content, headers=headers)
        if answer.status_code == HTTPStatus.ACCEPTED:
            raise Unavailable("accepted, the number follows")
        if answer.is_error:
            problem = answer.json()
            raise Refused(problem["type"].rpartition(":")[2], problem["detail"])
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        return IssueView.model_validate_json(answer.content)

    async def _sent(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            answer = await self._http.request(method, path, **more)
        except httpx2.TransportError as error:
            raise Unavailable(f"the doors do not answer ({type(error).__name__})") from error
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"the doors answer with {answer.status_code}")
        return answer


@asynccontextmanager
async def by_doors(place: Theatre, roster: Roster) -> AsyncIterator[ByDoors]:
    """Everybody who may come in at the doors, with tokens of their own."""
    people = [Actor(id=member.id, role=member.role) for member in roster.members]
    systems = [Actor(id=source, role=Role.INTAKE) for source in SOURCES]
    let_in = await admit(place.servers.pool, (*people, *systems))
    # On this machine, past any proxy for the rest of the world.
    async with httpx2.AsyncClient(
        base_url=place.settings.base_url, timeout=_ANSWER_SECONDS, trust_env=False
    ) as http:
        yield ByDoors(place, http, let_in)


async def admit(pool: Pool, actors: Iterable[Actor]) -> dict[tuple[Role, str], str]:
    """Make a token for each of them."""
    let_in = {(actor.role, actor.id): PREFIX + secrets.token_urlsafe(32) for actor in actors}
    async with pool.acquire() as connection, connection.transaction():
        for (role, person), written in let_in.items():
            token = Token(
                id=secrets.token_hex(4),
                role=role,
                person=person,
                label="demonstration",
                created_at=datetime.now(UTC),
            )
            await tokens.create(connection, token, digest(written))
    return let_in


def _answer(told: Received, sender: str, to: str, words: str) -> bytes:
    """Write what a customer's program makes of their words: what they answer is quoted below."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, to, f"Re: {told.title}"
    letter["Message-ID"], letter["Date"] = make_msgid(), format_datetime(told.at)
    quoted = "".join(f"> {line}\n" for line in told.body.splitlines())
    letter.set_content(f"{words}\n\n{quoted}")
    return letter.as_bytes(policy=SMTP)


def _leads_to(link: Link, name: ActionName) -> bool:
    """Whether that can be done by it: what a customer writes, by any of theirs."""
    terms = PURPOSES[link.purpose]
    if name is ActionName.CUSTOMER_WROTE:
        return terms.audience is Audience.CUSTOMER
    return terms.action is name


def _as_typed(said: object) -> str:
    """Write a value as a browser sends it."""
    return {True: "yes", False: "no"}[said] if isinstance(said, bool) else str(said)
