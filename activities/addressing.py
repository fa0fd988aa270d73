"""From "tell the handler" to a message for a person: who that is, on which channel, in which words.

A message's key says what it is about, so that whatever is retried, nobody is told twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from activities import wording
from activities.wording import Context
from domain.actions import ActionName
from domain.issue import Errand, Recorded, Step, Tell
from domain.policy import Rulebook, TimeBudget, WrittenPeriod
from domain.promises import Promise
from domain.roster import OFF, DeliveryChannel, Member, superior
from domain.vocabulary import ESCALATION, Audience, Model, Role
from store import outbox, roster
from store.outbox import Message
from store.register import Case, Connection

CUSTOMER = "customer"
_LEVELS = {Audience(role): level for level, role in enumerate(ESCALATION) if level}


class Recipient(Model):
    """Who gets a message and how; no channel means nobody knows how to reach them."""

    id: str
    name: str
    channel: str | None = None
    address: str | None = None


class Directory:
    """Turns audiences into recipients, for one issue at one instant."""

    def __init__(
        self,
        members: Sequence[Member],
        channels: Sequence[DeliveryChannel],
        case: Case,
        recorded: Recorded,
        rulebook: Rulebook,
    ) -> None:
        self._members = {member.id: member for member in members}
        self._channels = channels
        self._case = case
        self._recorded = recorded
        self._rulebook = rulebook

    def find(self, audience: Audience, at: datetime) -> Recipient | None:
        """Return the one to tell; None only where the roster has nobody at all."""
        if audience is Audience.CUSTOMER:
            return self._customer()
        if level := _LEVELS.get(audience):
            return self.superior(level)
        if audience is Audience.CLERK:
            return self._clerk(at) or self.superior(1)
        engineer = self._recorded.engineer
        handler = self._members.get(engineer.id) if engineer else None
        return _staff(handler) if handler else self.superior(1)

    def superior(self, level: int) -> Recipient | None:
        """Return who answers at that escalation level, or at the next one that has somebody."""
        found = superior(self._members.values(), self._recorded.department, level)
        return _staff(found) if found else None

    def _customer(self) -> Recipient:
        addresses = {"phone": self._case.phone, "email": self._case.email}
        for channel in self._channels:
            if channel.customers and (address := addresses[channel.customers]):
                return Recipient(
                    id=CUSTOMER, name=self._case.customer_name, channel=channel.id, address=address
                )
        return Recipient(id=CUSTOMER, name=self._case.customer_name)

    def _clerk(self, at: datetime) -> Recipient | None:
        rehearsal = self._rulebook.policy.rehearsal
        now = rehearsal.to_story(at) if rehearsal else at
        clerks = [m for m in self._members.values() if m.role is Role.CLERK and m.shift != OFF]
        calendars = self._rulebook.calendars
        first = min(
            clerks,
            key=lambda m: (m.shift not in calendars or not calendars[m.shift].is_open(now), m.id),
            default=None,
        )
        return _staff(first) if first else None


def _staff(member: Member) -> Recipient:
    contact = member.contacts[0]
    return Recipient(
        id=member.id, name=member.name, channel=contact.channel, address=contact.address
    )


async def address(
    connection: Connection,
    step: Step,
    case: Case,
    recorded: Recorded,
    rulebook: Rulebook,
    people: Sequence[Member],
) -> tuple[Errand | None, list[Message]]:
    """Write the step's messages to some of ``people``: the errand for the workflow, the rows for
    the outbox.
    """
    if not step.tell:
        return None, []
    directory = Directory(
        people,
        await roster.channels(connection),
        case,
        recorded,
        rulebook,
    )
    if step.hand_over:
        messages = await _handed_over(connection, step, case, recorded, directory)
    else:
        messages = list(_told(step, case, recorded, directory))
    if not messages:
        return None, []
    delivery = rulebook.policy.delivery
    errand = Errand(
        keys=tuple(message.key for message in messages),
        reply=step.generation if step.action is ActionName.RESOLVE else 0,
        give_up_after=_elapsed(delivery.give_up_after),
        first_retry=_elapsed(delivery.first_retry),
        longest_retry=_elapsed(delivery.longest_retry),
    )
    return errand, messages


def _elapsed(period: WrittenPeriod) -> timedelta:
    if not isinstance(period, TimeBudget):
        raise TypeError("delivery is counted in elapsed time")
    return period.span


def _told(step: Step, case: Case, recorded: Recorded, directory: Directory) -> Iterator[Message]:
    keys: set[str] = set()
    for tell in step.tell:
        if not _applies(tell, recorded):
            continue
        recipient = directory.find(tell.to, step.recorded_at)
        if recipient is None:
            continue
        message = _message(step, case, recorded, tell, recipient)
        if message.key not in keys:  # somebody may be both handler and lead: told once
            keys.add(message.key)
            yield message


def _applies(tell: Tell, recorded: Recorded) -> bool:
    return tell.when == "always" or (tell.when == "assigned") == (recorded.engineer is not None)


async def _handed_over(
    connection: Connection, step: Step, case: Case, recorded: Recorded, directory: Directory
) -> list[Message]:
    """What no channel could deliver goes to the person above its recipient, to be brought by hand;
    above the GM office there is nobody, and the message stays with them.
    """
    messages = []
    waiting = await outbox.not_delivered(connection, step.hand_over)
    for level in sorted({_above(row) for row in waiting}):
        keys = [row.key for row in waiting if _above(row) == level]
        top = level >= len(ESCALATION)
        person = directory.superior(min(level, len(ESCALATION) - 1))
        left = await outbox.hand_over(
            connection, keys, person.id if person else "nobody", step.recorded_at
        )
        if left and person and not top:
            tell = Tell(template="undelivered", to=Audience(ESCALATION[level]))
            messages.append(_message(step, case, recorded, tell, person, left))
    return messages


def _above(message: Message) -> int:
    return _LEVELS.get(Audience(message.audience), 0) + 1


def _message(
    step: Step,
    case: Case,
    recorded: Recorded,
    tell: Tell,
    recipient: Recipient,
    undelivered: Sequence[Message] = (),
) -> Message:
    promise = _promise(step)
    written = wording.write(
        tell.template,
        Context(
            number=case.number,
            title=case.title,
            kind=case.facts.kind,
            severity=step.severity,
            product_line=case.facts.product_line,
            region=case.facts.region,
            site=case.site,
            customer_name=case.customer_name,
            recipient_name=recipient.name,
            engineer_name=recorded.engineer.name if recorded.engineer else None,
            zone=recorded.zone,
            promises=tuple(p for p in (*step.promises, *recorded.promises) if p.running),
            promise=promise,
            mark_name=step.content.get("threshold"),
            expected_at=step.handling.expected_at if step.handling else None,
            reason=_reason(step.content),
            result=step.content.get("result"),
            level=step.level,
            reopen_count=step.generation - 1,
            undelivered=tuple(
                (row.audience, row.recipient, row.subject, row.body) for row in undelivered
            ),
        ),
    )
    about = (
        f"{promise.key}:{step.content['threshold']}" if promise else f"{step.seq}:{tell.template}"
    )
    return Message(
        key=f"{case.number}:{about}:{recipient.id}",
        issue_id=step.issue_id,
        seq=step.seq,
        template=tell.template,
        audience=tell.to,
        recipient=recipient.id,
        channel=recipient.channel,
        address=recipient.address,
        subject=written.subject,
        body=written.body,
        created_at=step.recorded_at,
    )


def _promise(step: Step) -> Promise | None:
    """The promise an alarm is about."""
    return step.promises[0] if step.action is ActionName.THRESHOLD else None


def _reason(content: dict[str, Any]) -> str | None:
    return content.get("reason") or content.get("note") or content.get("words") or None
