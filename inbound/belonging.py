"""What belongs to an issue: words that name one, by whichever door they come.

Issues are named by number, and whoever names one need not be its customer. Who wrote is known by
the address that the issue has, by that of the letter that opened it, or by a link that was sent to
the customer and comes back with the words. An address can be forged: so words alone move what words
may, and decide nothing (``domain.issue.conversation``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain import telephone
from domain.errors import Refused
from domain.issue.actions import ActionName, CustomerWrote
from domain.issue.view import IssueView
from domain.letters import mailbox
from domain.links import CUSTOMER, Link
from domain.texts import can_be_seen
from domain.vocabulary import Actor, Role
from runtime.signing import LinkRefused, Signer
from starter.client import Desk, OtherContent
from starter.registers import Correspondents, Named

NO_WORDS = "（没有文字 no words）"
"""Stands for what was written where there is nothing to see."""
_LINK = re.compile(r"/l/([A-Za-z0-9_.=-]{20,600})")
_MOST_LINKS = 20
_LONGEST_SENDER = 200


class Wrote(NamedTuple):
    """Who wrote what; ``numbers`` are those of the issues that it names, first the one that was
    meant most likely. ``key`` tells it from anything else that was ever written.
    """

    key: str
    words: str
    numbers: tuple[str, ...]
    sender: str
    email: str | None = None
    phone: str | None = None
    links: tuple[Link, ...] = ()


class Belongs(NamedTuple):
    """The issue that words belong to, and whether its customer wrote them."""

    issue: Named
    known: bool


@dataclass(frozen=True)
class Belonging:
    """Brings words to their issue; ``source`` is who acts."""

    desk: Desk
    known: Correspondents
    source: str

    async def found(self, wrote: Wrote) -> Belongs | None:
        """Find the issue that is meant, of those that are named: the first whose customer wrote, or
        else the first; None: there is none of these numbers.

        Raises:
            Unavailable: nobody knows.
        """
        numbers = dict.fromkeys((*wrote.numbers, *(link.number for link in wrote.links)))
        named = await self.known.named(list(numbers))
        for issue in named:
            if await self.desk.taken_at(issue.id, wrote.key):
                return Belongs(issue, known=True)
        theirs = next((issue for issue in named if _is_by_its_customer(wrote, issue)), None)
        if theirs is not None:
            return Belongs(theirs, known=True)
        return Belongs(named[0], known=False) if named else None

    async def add(self, wrote: Wrote, to: Belongs) -> IssueView | None:
        """Add words to their issue, once; None: it is over, and what is written now is another.

        Raises:
            Refused: they cannot be taken.
            Busy, Unavailable: they are to come again.
        """
        act = CustomerWrote(
            by=Actor(id=self.source, role=Role.INTAKE),
            words=wrote.words if can_be_seen(wrote.words) else NO_WORDS,
            sender=wrote.sender[:_LONGEST_SENDER].strip() or None,
            known=to.known,
        )
        if await self.desk.taken_at(to.issue.id, wrote.key):
            return await self.desk.show(to.issue.id)
        try:
            return await self.desk.act(to.issue.id, ActionName.CUSTOMER_WROTE, act, key=wrote.key)
        except OtherContent:  # it came twice at once
            return await self.desk.show(to.issue.id)
        except Refused as refused:
            if refused.type != "NotAllowed":
                raise
            return None


def _is_by_its_customer(wrote: Wrote, issue: Named) -> bool:
    known = {mailbox(each) for each in (issue.email, issue.opened_from) if each}
    called = telephone.read(issue.phone), telephone.read(wrote.phone)
    return (
        (bool(wrote.email) and mailbox(wrote.email or "") in known)
        or (called[0] is not None and called[0] == called[1])
        or any(link.number == issue.number and _is_of(link, issue) for link in wrote.links)
    )


def _is_of(link: Link, issue: Named) -> bool:
    return link.is_of(issue.id, issue.registered_at, issue.redirected)


def links_in(text: str, signer: Signer | None, now: datetime) -> tuple[Link, ...]:
    """Find the links of ours that customers were sent, and that still hold."""
    found = dict.fromkeys(match[1].rstrip(".") for match in _LINK.finditer(text))
    return tuple(_read(list(found)[:_MOST_LINKS], signer, now)) if signer else ()


def _read(written: Iterable[str], signer: Signer, now: datetime) -> Iterator[Link]:
    for each in written:
        try:
            link = signer.read_link(each, now)
        except LinkRefused:
            continue
        if link.person == CUSTOMER:
            yield link
