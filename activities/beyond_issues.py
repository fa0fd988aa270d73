"""What the desk's people are told that is about no issue: a report, the digest of a morning (R27),
and that such a message did not arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from activities import wording
from activities.addressing import above, style_on
from activities.wording import Context, Undelivered
from domain.reports.editions import Order
from domain.sla.rulebook import Rulebook
from domain.staff.duty import Duty
from domain.staff.roster import Contact, Member
from domain.staff.staffing import responsible
from domain.vocabulary import ESCALATION, Audience, Behaviour, Language, Role
from store import outbox
from store.connection import Connection
from store.outbox import Message
from store.reports import editions
from store.roster import Staff

NOT_ARRIVED = "report_undelivered"
"""The wording for whoever is to bring what no channel took."""
_NOT_BROUGHT = "undelivered"
"""What stands in the keys of such messages, behind what they are about."""
_TOP = len(ESCALATION)
"""Above it is nobody."""
_NOBODY = "nobody"
"""To whom that is handed which nobody on the roster could bring."""


class Of(NamedTuple):
    """What a message speaks of. ``number`` begins its subject, as an issue's does."""

    number: str
    said: Mapping[str, object] = MappingProxyType({})
    undelivered: tuple[Undelivered, ...] = ()


@dataclass(frozen=True)
class ToStaff:
    """Writes to the desk's people, by roster and rulebook as they are ``now``."""

    staff: Staff
    rulebook: Rulebook
    now: datetime

    @property
    def people(self) -> list[Member]:
        """Everybody, in order."""
        return sorted(self.staff.members.values(), key=lambda member: member.id)

    @property
    def language(self) -> Language:
        """What the desk speaks."""
        return self.rulebook.policy.desk.language

    def message(self, key: str, to: Member, by: Contact, template: str, speaks: Of) -> Message:
        """Write to somebody, at an address of theirs."""
        written = wording.write(
            template,
            Context(
                number=speaks.number,
                title=speaks.number,
                kind=template,
                behaves=Behaviour.PLAIN,
                product_line="",
                region="",
                recipient_name=to.name,
                zone=self.rulebook.policy.zone,
                at=self.now,
                said=dict(speaks.said),
                undelivered=speaks.undelivered,
                desk=self.rulebook.policy.desk,
            ),
            style_on(by.channel, self.staff.channels, self.language),
        )
        return Message(
            key=key,
            issue_id=None,
            seq=0,
            template=template,
            audience=Audience(to.role),
            recipient=to.id,
            channel=by.channel,
            address=by.address,
            subject=written.subject,
            body=written.body,
            full_text=written.full_text,
            created_at=self.now,
        )

    def name_of(self, person: str) -> str:
        """Call somebody by the roster's name; who is not on it, as they are known."""
        member = self.staff.members.get(person)
        return member.name if member else person

    # What did not arrive --------------------------------------------------------------------------

    def brought_by(self, missed: Message, unreached: set[str]) -> Member | None:
        """Say who is to bring a message: as an issue's, whoever answers one level above its
        recipient; one of the GM office, to whom another of the office can, or else the recipient,
        who may be reached another way.
        """
        level, recipient = above(missed), self.staff.members.get(missed.recipient)
        department = recipient.department if recipient else ""
        if level < _TOP:
            duty = Duty(self.rulebook)
            return responsible(self.people, department, level, duty, self.now)
        office = [each for each in self.people if each.role is Role.GM_OFFICE]
        return next((each for each in office if each.id not in unreached), recipient)

    def told_of(
        self, bringer: Member, missed: Sequence[Message], order: Order
    ) -> Iterator[Message]:
        """Write to somebody what they are to bring, by another channel than those that failed if
        they have one; nothing that only they missed, if they have none. Above the GM office nobody
        hears that somebody did not hear.
        """
        if all(each.template == NOT_ARRIVED and above(each) == _TOP for each in missed):
            return
        failed = {each.channel for each in missed}
        by = next((each for each in bringer.contacts if each.channel not in failed), None)
        if by is None and all(each.recipient == bringer.id for each in missed):
            return
        first = missed[0].key.removeprefix(order.about)
        yield self.message(
            f"{order.about}{_NOT_BROUGHT}:{bringer.id}:{first}",
            bringer,
            by or bringer.contacts[0],
            NOT_ARRIVED,
            Of(order.period, undelivered=tuple(map(self._missed, missed))),
        )

    def _missed(self, message: Message) -> Undelivered:
        return Undelivered(
            audience=message.audience,
            recipient=self.name_of(message.recipient),
            subject=message.subject,
            text="",  # they sign in for it: what somebody reads is for them alone
            why=message.last_error,
        )


async def bring_by_hand(
    connection: Connection, desk: ToStaff, order: Order, keys: Sequence[str]
) -> list[str]:
    """Give what no channel took of an order's messages to a person, and write to them of it, in the
    caller's transaction. Return the keys of what is still to be brought out of that; done again, it
    is the same.
    """
    missed = await outbox.not_delivered(connection, keys)
    unreached = {each.recipient for each in missed}
    given: dict[str, list[Message]] = {}
    for message in missed:
        bringer = desk.brought_by(message, unreached)
        given.setdefault(bringer.id if bringer else _NOBODY, []).append(message)
    for person, theirs in given.items():
        await outbox.bring_by_hand(connection, [m.key for m in theirs], person, desk.now)
        if person in desk.staff.members:
            for notice in desk.told_of(desk.staff.members[person], theirs, order):
                await outbox.add(connection, notice)
    about = f"{order.about}{_NOT_BROUGHT}:"
    told = await editions.undelivered(connection, about)
    ours = {key.removeprefix(order.about) for key in keys}
    return [key for key in told if key.removeprefix(about).partition(":")[2] in ours]
