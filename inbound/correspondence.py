"""Letters as a correspondence: which mailboxes are ours, who writes too many, which of ours came
back.

What is kept instead of becoming an issue, and what came back, is an issue's: its lead is told by
one step more (``escalate``), under a key of its own, so that however often it happens they hear it
once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from domain.errors import Refused
from domain.issue.actions import ActionName, Escalate
from domain.issue.intake import Intake
from domain.letters import key_of, mailbox, words_of
from domain.vocabulary import Actor, Role
from inbound.machines import undelivered
from starter.client import Desk, Opened, Unavailable
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

    async def ours(self) -> frozenset[str]:
        """Return the desk's own mailboxes: those that are named, and those it sends from."""
        channels: list[str] = []
        with suppress(Unavailable):  # then no letter becomes an issue either
            channels = await self.known.channels()
        sent_from = filter(None, map(sender_of, channels))
        return frozenset(map(mailbox, (*self.own, *sent_from)))

    async def open(
        self, intake: Intake, sender: str, message_id: str, door: str
    ) -> Opened | KeptWith:
        """Open the issue of a letter, or keep its words with the first issue of the hour if its
        ``sender`` writes too many. A letter that was kept stays where it is.

        Raises:
            Refused: as ``Desk.register``.
            Unavailable: nothing was done: it is to come again.
        """
        now = datetime.now(UTC)
        written = Written(
            issue_id=intake.issue_id,
            message_id=message_id or None,
            sender=mailbox(sender),
            words=words_of(intake.title, intake.description),
            at=now,
        )
        key = f"letter:{intake.issue_id}"
        kept = await self.known.kept_with(key)
        try:
            if kept is None:
                await self.known.admit(written)
        except TooMany as too_many:
            kept = too_many.first
            if kept is None:
                raise Unavailable("its sender's first letters are just being registered") from None
            words = Kept(
                key=key,
                issue_id=kept.issue_id,
                at=now,
                door=door,
                sender=sender,
                subject=intake.title,
                body=intake.description,
                why=Why.TOO_MANY,
            )
            await self.known.keep(words)
        if kept:
            await self._tell(kept.issue_id, TOO_MANY, f"letters:{kept.issue_id}")
            return kept
        try:
            return await self.desk.register(intake)
        except Refused:
            await self.known.forget(intake.issue_id)
            raise

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
