"""Letters as a correspondence: which mailboxes are ours, which issue a letter belongs to, who
writes too many, which of ours came back.

What is kept instead of becoming an issue, and what came back, is an issue's: its lead is told by
one step more (``escalate``), under a key of its own, so that however often it happens they hear it
once.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from domain.errors import Refused
from domain.issue.actions import ActionName, Escalate
from domain.issue.intake import Intake, said_digest
from domain.issue.view import IssueView
from domain.letters import key_of, mailbox, words_of
from domain.vocabulary import Actor, Role
from inbound.belonging import Belonging, Belongs, Wrote
from inbound.machines import undelivered
from starter.client import Desk, Opened, OtherContent, Unavailable
from starter.registers import Correspondents, Kept, KeptWith, TooMany, Why, Written
from store.connection import Pool

TOO_MANY = (
    "同一寄件人一小时内来信过多：其余来信附在本问题内，未另行登记，也未自动回复，请查看。"
    " More letters within an hour than one sender may write: the others are kept with this issue,"
    " without an issue or an answer of their own. Please look at them."
)
CAME_BACK = (
    "发给客户或同事的邮件被退回，未送达，请设法转告（见未送达通知）。"
    " A letter of ours came back undelivered: please see that it is told (undelivered messages)."
)
REPORTED = "the mail server reports that it was not delivered"
log = structlog.get_logger("inbound.mail")


class Came(NamedTuple):
    """How a letter came: from which address, under which id of its own, by which door."""

    sender: str
    message_id: str
    door: str


@dataclass(frozen=True)
class Correspondence:
    """Stands between letters and the desk; ``source`` is who acts."""

    desk: Desk
    pool: Pool
    source: str
    own: tuple[str, ...] = ()

    @cached_property
    def known(self) -> Correspondents:
        """What the register knows of them."""
        return Correspondents(self.pool)

    @cached_property
    def belonging(self) -> Belonging:
        """What brings letters to the issues that they name."""
        return Belonging(self.desk, self.known, self.source)

    async def ours(self) -> frozenset[str]:
        """Return the desk's own mailboxes: those that are named, and those it sends from."""
        channels: list[str] = []
        with suppress(Unavailable):  # then no letter becomes an issue either
            channels = await self.known.channels()
        sent_from = filter(None, map(sender_of, channels))
        return frozenset(map(mailbox, (*self.own, *sent_from)))

    async def open(self, intake: Intake, said: AbstractSet[str], came: Came) -> Opened | KeptWith:
        """Open the issue of a letter; or keep its words, with the first issue of the hour if its
        sender writes too many, or with the issue that has its id and is of other words. What was
        kept once stays where it is. ``said`` are the fields that the letter itself tells.

        Raises:
            Refused: as ``Desk.register``.
            Unavailable: nothing was done: it is to come again.
        """
        if kept := await self.known.kept_with(_key(intake)):
            return await self._seen_to(kept)
        try:
            await self.known.admit(
                Written(
                    issue_id=intake.issue_id,
                    message_id=came.message_id or None,
                    sender=mailbox(came.sender),
                    words=words_of(intake.title, intake.description),
                    at=datetime.now(UTC),
                )
            )
            return await self.desk.register(intake, said)
        except TooMany as too_many:
            if too_many.first is None:
                raise Unavailable("its sender's first letters are just being registered") from None
            await self._keep(intake, came, too_many.first, Why.TOO_MANY)
            return await self._seen_to(too_many.first)
        except OtherContent as other:
            if other.stands is None:
                raise Unavailable(other.message) from other
            first = KeptWith(other.stands.id, other.stands.number, Why.SAME_ID)
            await self._keep(intake, came, first, Why.SAME_ID)
            return first
        except Refused:
            await self.known.forget(intake.issue_id)
            raise

    async def add(self, wrote: Wrote, to: Belongs, came: Came) -> KeptWith | IssueView | None:
        """Add a letter to the issue that it names; or keep its words with it if its sender writes
        too many. None: that issue is over, and the letter is another.

        Raises:
            Refused: it cannot be taken.
            Unavailable: it is to come again.
        """
        if kept := await self.known.kept_with(wrote.key):
            return await self._seen_to(kept)
        try:
            await self.known.admit(
                Written(
                    issue_id=wrote.key,
                    message_id=came.message_id or None,
                    sender=mailbox(came.sender),
                    words=words_of(wrote.words),
                    at=datetime.now(UTC),
                    about=to.issue.id,
                )
            )
        except TooMany:
            first = KeptWith(to.issue.id, to.issue.number, Why.TOO_MANY)
            await self._keep_words(wrote.key, first, came, "", wrote.words)
            return await self._seen_to(first)
        added = await self.belonging.add(wrote, to)
        if added is None:
            await self.known.forget(wrote.key)
        return added

    async def _keep(self, intake: Intake, came: Came, first: KeptWith, why: Why) -> None:
        first = first._replace(why=why)
        await self._keep_words(_key(intake), first, came, intake.title, intake.description)

    async def _keep_words(
        self, key: str, first: KeptWith, came: Came, subject: str, body: str
    ) -> None:
        await self.known.keep(
            Kept(
                key=key,
                issue_id=first.issue_id,
                at=datetime.now(UTC),
                door=came.door,
                sender=came.sender,
                subject=subject,
                body=body,
                why=first.why,
            )
        )

    async def _seen_to(self, kept: KeptWith) -> KeptWith:
        """Have the lead told, once, that a sender writes too many; also where the first attempt
        ended between the two.
        """
        if kept.why is Why.TOO_MANY:
            await self._tell(kept.issue_id, TOO_MANY, f"letters:{kept.issue_id}")
        return kept

    async def note_returned(self, raw: bytes) -> int:
        """If a letter reports that some of ours came back, give these to a person; say how many.

        Raises:
            Unavailable: it is to come again.
        """
        keys = [key for id_ in undelivered(raw) if (key := key_of(id_))]
        if not keys:
            return 0
        came_back = await self.known.came_back(keys, REPORTED)
        for key, issue_id in came_back.items():
            if issue_id:  # a report's is handed over, and told, by the schedule of reports
                await self._tell(issue_id, CAME_BACK, f"came back:{key}")
        return len(came_back)

    async def _tell(self, issue_id: str, reason: str, key: str) -> None:
        """Tell whoever stands above an issue, once."""
        if await self.desk.taken_at(issue_id, key):
            return
        act = Escalate(by=Actor(id=self.source, role=Role.INTAKE), reason=reason)
        try:
            await self.desk.act(issue_id, ActionName.ESCALATE, act, key=key)
        except Refused as refused:  # it is over, or with the GM office: it stands on its page
            log.warning("nobody was told", issue=issue_id, reason=refused.type)


def _key(intake: Intake) -> str:
    """Name a letter by its id and its words: another letter under the same id is another."""
    return f"letter:{intake.issue_id}:{said_digest(intake)}"


def sender_of(url: str) -> str | None:
    """Say from which address a channel sends, as Apprise reads its URL; None: it is no mail."""
    parts = urlsplit(url)
    if parts.scheme not in {"mailto", "mailtos"}:
        return None
    wished = parse_qs(parts.query).get("from", [""])[0]
    if "@" in wished:
        return wished.rpartition("<")[2].rstrip("> ")
    user = unquote(parts.username or "")
    return user if "@" in user else f"{user.split(' ')[0]}@{parts.hostname or ''}"
