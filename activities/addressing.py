"""From "tell the handler" to a message for a person: who that is, on which channel, in which words.

A message's key says what it is about, so that whatever is retried, nobody is told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from activities import robots, wording
from activities.wording import Context, Style, Undelivered
from domain import words
from domain.calendars.periods import Period, TimeBudget
from domain.for_customers.saying import PROMISED
from domain.issue.actions import ThresholdReached
from domain.issue.duplicates import addresses_of
from domain.issue.state import NotificationRequest, When
from domain.issue.step import DeliveryBatch, Recorded, Step
from domain.links import CUSTOMER, PURPOSES, Link, Purpose, mark_of, offered, the_one
from domain.sla.policy import Desk, Policy
from domain.sla.promise import CALLS, PromiseKind
from domain.sla.rulebook import Rulebook
from domain.staff.access import Reach, reach
from domain.staff.duty import OFF, Duty
from domain.staff.roster import DeliveryChannel, Member, reached_by
from domain.staff.staffing import responsible
from domain.strangers import ADDRESSED_AS, Stranger, may_be_one
from domain.terms import Terms
from domain.vocabulary import ESCALATION, Actor, Audience, Language, Model, Role, Stage
from runtime.signing import Links
from store import outbox, strangers
from store.connection import Connection
from store.issue_writer import IssueContext
from store.outbox import Message
from store.roster import Staff

UNKNOWN_AND_OFTEN = (
    "nobody vouches for this address, and it heard from us as often as the policy allows in an hour"
)
CALL_CUSTOMER = "call_customer"
"""The wording for the agent who is to telephone what cannot be written."""
SPOKEN = frozenset({"told_by_call", "missed_call"})
"""Wordings about a call, which say nothing new to a customer whom only a call can reach."""
OWN_AFFAIRS = frozenset(
    {"amended", "thanks", "merged", "test_reminder", "waiting", "waiting_reminder"}
)
"""Wordings that concern the issue's own customer alone, whomever else it answers."""
AT_ONCE = frozenset({"conflict", "dissatisfied", "calm_wanted"})
"""What whoever is responsible hears day and night (R24, R47)."""
CORRECTED = "amended"
"""The wording for a customer whose address was corrected."""
_LEVELS = {Audience(role): level for level, role in enumerate(ESCALATION) if level}


class Recipient(Model):
    """Who gets a message and how; no channel means nobody knows how to reach them. ``shift`` names
    the calendar of their duty hours; None: no one asks.
    """

    id: str
    name: str
    channel: str | None = None
    address: str | None = None
    shift: str | None = None


class Directory:
    """Turns audiences into recipients, for one issue at one instant. ``rulebook`` is the one that
    counts now: it knows the roster's calendars. ``links`` writes what each can answer by. A
    customer who is a ``stranger`` is told none of the words that came in, and not too often.
    """

    def __init__(
        self,
        staff: Staff,
        case: IssueContext,
        recorded: Recorded,
        rulebook: Rulebook,
        links: Links,
        stranger: Stranger | None = None,
    ) -> None:
        self._members = staff.members
        self._channels = staff.channels
        self._centres = staff.centres
        self._rulebook = rulebook
        self._links = links
        self.case = case
        self.recorded = recorded
        self._stranger = stranger
        self.missed: Sequence[Message] = ()
        self.number = case.number
        self.whose: str | None = None

    def others(self) -> Iterator[Directory]:
        """Return it for each customer whom the issue answers besides its own (R6), and who is not
        reached at the same address as one before.
        """
        told = addresses_of(self.case.phone, self.case.email)
        for party in self.case.parties:
            addresses = addresses_of(party.phone, party.email)
            if told.isdisjoint(addresses):
                told |= addresses
                other = copy(self)
                other.case, other.whose = self.case.told_to(party), party.party_id
                other._stranger = None  # noqa: SLF001  whoever merged it vouches for them
                yield other

    def about(self, recorded: Recorded, missed: Sequence[Message] = ()) -> Directory:
        """Return it for another step of the issue, or with what the customer ``missed`` before:
        that is theirs to read when they are reached at last.
        """
        other = copy(self)
        other.recorded, other.missed = recorded, missed
        return other

    def find(self, audience: Audience, at: datetime, person: str | None = None) -> Recipient | None:
        """Return the one to tell; None only where the roster has nobody at all."""
        if audience is Audience.CUSTOMER:
            return self._customer()
        if level := _LEVELS.get(audience):
            return self.superior(level, at)
        if audience is Audience.CLERK:
            return self._clerk(at) or self.superior(1, at)
        engineer = self.recorded.engineer
        named = {
            Audience.HANDLER: engineer.id if engineer else "",
            Audience.AGENT: self.case.agent,
            Audience.EXPERT: person or "",
        }
        member = self._members.get(named[audience])
        return _staff(member) if member else self.superior(1, at)

    def told_of(self, audience: Audience) -> IssueContext:
        """Return the issue as somebody is told of it."""
        if not self.is_stranger(audience):
            return self.case
        called = ADDRESSED_AS[self.case.language or self.desk.language]
        unsaid = {"title": self.case.number, "customer_name": called, "site": None}
        return self.case.model_copy(update=unsaid)

    def is_stranger(self, audience: Audience) -> bool:
        """Say whether nobody vouches for the reader's address (``domain.strangers``)."""
        return self._stranger is not None and audience is Audience.CUSTOMER

    def unsent(self, audience: Audience) -> str | None:
        """Say why no channel is to take a message, though there may be one; None: one is."""
        too_often = self._stranger is not None and not self._stranger.may_hear
        return UNKNOWN_AND_OFTEN if too_often and audience is Audience.CUSTOMER else None

    def name_of(self, person: str) -> str:
        """Call somebody by the roster's name; who is not on it, as they are known."""
        member = self._members.get(person)
        return member.name if member else person

    def called(self, actor: Actor) -> str:
        """Say whose step it is."""
        if actor.id in self._members or actor.role not in words.PARTIES:
            return self.name_of(actor.id)
        return words.PARTIES[actor.role][self.desk.language is Language.EN]

    def group(self, code: str | None) -> str | None:
        """Name the service centre of a core group, ``department/centre`` (R16)."""
        department, _, centre = (code or "").partition("/")
        home = self._centres.get(centre)
        return f"{department}/{home.name}" if home else code

    def agent(self) -> Recipient | None:
        """Return the agent who took the issue, if they are still on the roster."""
        member = self._members.get(self.case.agent)
        return _staff(member) if member else None

    def agent_follows(self) -> bool:
        """Say whether the agent who took the issue in is told how it goes: they are still on the
        roster, and the policy has them call the customer about such issues (R13, R34).
        """
        policy, facts = self._rulebook.policy, self.case.facts
        calls = any(policy.rule(kind, facts) for kind in CALLS)
        return calls and self.agent() is not None

    def promises_now(self, kind: PromiseKind) -> bool:
        """Say whether the step promises something of that kind."""
        return any(each.kind is kind and each.running for each in self.recorded.promises)

    def superior(self, level: int, at: datetime) -> Recipient | None:
        """Return who answers at that escalation level, or at the next one that has somebody."""
        people, department = self._members.values(), self.recorded.department
        found = responsible(people, department, level, Duty(self._rulebook), at)
        return _staff(found) if found else None

    def at_work(self, recipient: Recipient, at: datetime) -> datetime | None:
        """Return when somebody is at work again; None: they are now, or nobody knows when."""
        member = self._members.get(recipient.id) if recipient.shift else None
        again = Duty(self._rulebook).next_duty(member, at) if member else None
        return again if again and again > at else None

    @property
    def desk(self) -> Desk:
        """Who writes."""
        return self._rulebook.policy.desk

    @property
    def terms(self) -> Terms:
        """What the desk calls its own."""
        return self._rulebook.policy.terms

    def style(self, to: Recipient) -> Style:
        """Say how somebody is written to: a customer in their language, and short where it goes to
        a telephone; everybody else as the desk speaks; nobody more than their channel carries.
        """
        if to.id != CUSTOMER:
            return style_on(to.channel, self._channels, self.desk.language)
        channel = _channel(to.channel, self._channels)
        short = channel is not None and channel.customers == "phone"
        theirs = style_on(to.channel, self._channels, self.case.language or self.desk.language)
        return theirs.model_copy(update={"short": short})

    def links(
        self, step: Step, tell: NotificationRequest, to: Recipient, style: Style
    ) -> tuple[tuple[Purpose, str], ...]:
        """Return what a message's reader can do by a link, and its address; a short message has
        one link, and that is short.
        """
        known = (*step.promises, *self.recorded.promises)
        running = {promise.kind for promise in known if promise.running}
        stage = step.stage_with(self.recorded.engineer)
        purposes = self._theirs(to, offered(tell.template, tell.to, stage, running))
        return tuple(
            (purpose, self._address(step, purpose, to, style))
            for purpose in (the_one(purposes) if style.short else purposes)
        )

    def _theirs(self, to: Recipient, purposes: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
        """Leave out what somebody may not do who reads it in place of whoever it is for."""
        if self.whose:  # what is done is done to the issue that goes on: they look at their own
            return tuple(each for each in purposes if PURPOSES[each].action is None)
        member = self._members.get(to.id)
        if member is None:
            return purposes
        actions = {purpose: PURPOSES[purpose].action for purpose in purposes}
        return tuple(
            purpose
            for purpose, action in actions.items()
            if action is None or reach(member.role, action) is not Reach.NONE
        )

    def _address(self, step: Step, purpose: Purpose, to: Recipient, style: Style) -> str:
        return self._links.address(self._link(step, purpose, to, style), brief=style.short)

    def _link(self, step: Step, purpose: Purpose, to: Recipient, style: Style) -> Link:
        until = step.recorded_at + PURPOSES[purpose].lasts
        if style.short:  # minutes are shorter than seconds
            until += -(until - datetime.min.replace(tzinfo=UTC)) % timedelta(minutes=1)
        return Link(
            number=self.case.number,
            purpose=purpose,
            person=to.id,
            generation=step.generation,
            until=until,
            mark=mark_of(
                self.whose or step.issue_id, self.case.redirected if to.id == CUSTOMER else 0
            ),
        )

    def _customer(self) -> Recipient:
        name = self.told_of(Audience.CUSTOMER).customer_name
        reached = reached_by(self.case.phone, self.case.email, self._channels)
        if reached is None or self.unsent(Audience.CUSTOMER):
            return Recipient(id=CUSTOMER, name=name)
        channel, address = reached
        return Recipient(id=CUSTOMER, name=name, channel=channel, address=address)

    def _clerk(self, at: datetime) -> Recipient | None:
        """The clerk who is at work, or else is so first."""
        clerks = [m for m in self._members.values() if m.role is Role.CLERK and m.shift != OFF]
        if not clerks:
            return None
        return min(map(_staff, clerks), key=lambda clerk: (self.at_work(clerk, at) or at, clerk.id))


def style_on(channel: str | None, channels: Sequence[DeliveryChannel], language: Language) -> Style:
    """Say how a message is written that goes by a channel: no longer than that carries."""
    found = _channel(channel, channels)
    robot = robots.kind_of(found.url) if found else None
    return Style(language=language, holds=robot.holds if robot else None)


def _channel(id_: str | None, channels: Sequence[DeliveryChannel]) -> DeliveryChannel | None:
    return next((each for each in channels if each.id == id_), None)


async def stranger(
    connection: Connection,
    step: Step,
    case: IssueContext,
    policy: Policy,
    channels: Sequence[DeliveryChannel],
) -> Stranger | None:
    """Find out whether a step tells somebody something for whose address nobody vouches, and count
    it then. None: it does not.
    """
    rule, reached = policy.strangers, reached_by(case.phone, case.email, channels)
    tells = any(tell.to is Audience.CUSTOMER for tell in step.tell)
    if not (tells and reached and may_be_one(case.channel, step.action, step.by.role, rule)):
        return None
    _, address = reached
    known = await strangers.acquaintance(connection, step.issue_id, address, rule.channels)
    if known.made:
        return None
    hears = await strangers.may_hear(connection, address, step.recorded_at, rule.per_hour)
    return Stranger(may_hear=hears)


def _staff(member: Member) -> Recipient:
    contact = member.contacts[0]
    return Recipient(
        id=member.id,
        name=member.name,
        channel=contact.channel,
        address=contact.address,
        shift=member.shift,
    )


async def address(
    connection: Connection, step: Step, policy: Policy, directory: Directory
) -> tuple[tuple[DeliveryBatch, ...], list[Message]]:
    """Write the step's messages: the batches that bring them out, the rows for the outbox."""
    if not step.tell:
        return (), []
    if step.hand_over:
        messages = await _handed_over(connection, step, policy, directory)
    else:
        messages = written(step, policy, directory)
    waiting = [(message.key, message.not_before, message.audience) for message in messages]
    by_call = directory.promises_now(PromiseKind.REPLY)
    reply = step.generation if step.replies and not by_call else 0
    return _batches(waiting, reply, policy), messages


async def left_lying(
    connection: Connection, step: Step, policy: Policy
) -> tuple[DeliveryBatch, ...]:
    """Make batches of all that was to be told of the issue and neither arrived nor was handed to a
    person; with the answer that its customer still waits for (R6).
    """
    waiting = [
        (key, not_before if not_before and not_before > step.recorded_at else None, audience)
        for key, not_before, audience in await outbox.left_of(connection, step.issue_id)
    ]
    return _batches(waiting, step.generation if step.stage is Stage.RESOLVED else 0, policy)


def _batches(
    waiting: Sequence[tuple[str, datetime | None, Audience]], reply: int, policy: Policy
) -> tuple[DeliveryBatch, ...]:
    """Send together what may be sent at the same instant; what answers the customer, at once."""
    instants = dict.fromkeys(not_before for _, not_before, _ in waiting)
    return tuple(
        DeliveryBatch(
            keys=tuple(key for key, not_before, _ in waiting if not_before == instant),
            to=tuple(dict.fromkeys(to for _, not_before, to in waiting if not_before == instant)),
            reply=reply if instant is None else 0,
            not_before=instant,
            give_up_after=_elapsed(policy.delivery.give_up_after),
            first_retry=_elapsed(policy.delivery.first_retry),
            longest_retry=_elapsed(policy.delivery.longest_retry),
        )
        for instant in ({None: None} if reply else {}) | instants
    )


def _elapsed(period: Period) -> timedelta:
    if not isinstance(period, TimeBudget):
        raise TypeError("delivery is counted in elapsed time")
    return period.span


def written(step: Step, policy: Policy, directory: Directory) -> list[Message]:
    """Put into words what a step tells people, and find out how they are reached."""
    return list(_told(step, policy, directory))


def _told(step: Step, policy: Policy, directory: Directory) -> Iterator[Message]:
    """Write to everybody; what cannot be written to the customer is the agent's to telephone
    (R34). It is still to the customer: at once, and their answer when it has arrived (R6).
    """
    agent = directory.agent()
    for message in _written(step, policy, directory):
        if message.may_be_spoken and message.template in SPOKEN and not message.for_issue:
            continue
        if agent and message.audience is Audience.CUSTOMER and message.may_be_spoken:
            tell = NotificationRequest(template=CALL_CUSTOMER, to=Audience.AGENT)
            call = _message(step, policy, directory, tell, agent, (message,))
            by_way_of = {name: getattr(call, name) for name in _WAY}
            yield message.model_copy(update={"key": f"{message.key}:{agent.id}", **by_way_of})
        else:
            yield message


_WAY = ("recipient", "channel", "address", "subject", "body", "full_text")
"""What of a message says how it gets there."""


def _written(step: Step, policy: Policy, directory: Directory) -> Iterator[Message]:
    keys: set[str] = set()
    for tell in step.tell:
        if not _APPLIES[tell.when](tell, directory):
            continue
        recipient = directory.find(tell.to, step.recorded_at, tell.person)
        if recipient is None:
            continue
        missed = directory.missed if tell.template == CORRECTED else ()
        message = _message(step, policy, directory, tell, recipient, missed)
        if message.key not in keys:  # somebody may be both handler and lead: told once
            keys.add(message.key)
            yield message
        if tell.to is Audience.CUSTOMER and tell.template not in OWN_AFFAIRS:
            for other in directory.others():
                to = other.find(tell.to, step.recorded_at)
                yield _message(step, policy, other, tell, to or recipient)


_APPLIES: Mapping[When, Callable[[NotificationRequest, Directory], bool]] = {
    "always": lambda _, __: True,
    "assigned": lambda _, found: found.recorded.engineer is not None,
    "unassigned": lambda _, found: found.recorded.engineer is None,
    "changed": lambda _, found: found.recorded.engineer not in {None, found.case.engineer},
    "moved": lambda tell, found: any(_moves(tell, found.recorded)),
    "later": lambda tell, found: any(m > timedelta() for m in _moves(tell, found.recorded)),
    "thin": lambda _, found: found.recorded.thin is not None,
    "dissatisfied": lambda _, found: found.recorded.dissatisfied,
    "agent": lambda _, found: found.agent_follows(),
    "overdue": lambda _, found: found.promises_now(PromiseKind.CONTACT),
    "by_call": lambda _, found: found.promises_now(PromiseKind.REPLY),
    "in_writing": lambda _, found: not found.promises_now(PromiseKind.REPLY),
    "in_writing_and_agent": lambda _, found: (
        found.agent_follows() and not found.promises_now(PromiseKind.REPLY)
    ),
    "invited": lambda _, found: found.promises_now(PromiseKind.EVALUATION),
}
"""Whether what a message hangs on is what the register found."""


def _moves(tell: NotificationRequest, recorded: Recorded) -> list[timedelta]:
    """By how much the promises moved that whoever is told knows of."""
    before = {
        p.key: p.due_at
        for p in recorded.step.promises
        if tell.to is not Audience.CUSTOMER or p.kind in PROMISED
    }
    return [p.due_at - before[p.key] for p in recorded.promises if p.key in before]


async def _handed_over(
    connection: Connection, step: Step, policy: Policy, directory: Directory
) -> list[Message]:
    """What no channel could deliver goes to the person above its recipient, to be brought by hand;
    above the GM office there is nobody, and the message stays with them.
    """
    messages = []
    waiting = await outbox.not_delivered(connection, step.hand_over)
    for level in sorted({above(row) for row in waiting}):
        keys = [row.key for row in waiting if above(row) == level]
        top = level >= len(ESCALATION)
        person = directory.superior(min(level, len(ESCALATION) - 1), step.recorded_at)
        left = await outbox.bring_by_hand(
            connection, keys, person.id if person else "nobody", step.recorded_at
        )
        if left and person and not top:
            tell = NotificationRequest(template="undelivered", to=Audience(ESCALATION[level]))
            messages.append(_message(step, policy, directory, tell, person, left))
    return messages


def above(message: Message) -> int:
    """Say at which level of escalation somebody is above a message's recipient; as many as there
    are levels: nobody is.
    """
    return _LEVELS.get(Audience(message.audience), 0) + 1


def _message(
    step: Step,
    policy: Policy,
    directory: Directory,
    tell: NotificationRequest,
    recipient: Recipient,
    undelivered: Sequence[Message] = (),
) -> Message:
    case, recorded = directory.told_of(tell.to), directory.recorded
    act = step.act
    said = {} if directory.is_stranger(tell.to) else step.content
    reached = act if isinstance(act, ThresholdReached) else None
    promise = next((p for p in step.promises if reached and p.key == reached.promise), None)
    style = directory.style(recipient)
    written = wording.write(
        tell.template,
        Context(
            number=case.number,
            title=case.title,
            kind=case.facts.kind,
            behaves=case.behaviour,
            terms=directory.terms,
            severity=step.severity,
            stage=step.stage,
            product_line=case.facts.product_line,
            region=case.facts.region,
            site=case.site,
            customer_name=case.customer_name,
            recipient_name=recipient.name,
            engineer_name=recorded.engineer.name if recorded.engineer else None,
            zone=recorded.zone,
            promises=tuple(p for p in (*step.promises, *recorded.promises) if p.running),
            promise=promise,
            at=step.recorded_at,
            own_word=tuple(p for p in step.promises if p.own_word_at == step.recorded_at),
            happened_at=step.at,
            by=directory.called(step.by),
            experts=tuple(map(directory.name_of, said.get("experts") or ())),
            on_duty_at=recorded.assign_again_at,
            mark_name=reached.threshold if reached else None,
            expected_at=step.handling.expected_at if step.handling else None,
            reason=_reason(said),
            result=step.result or said.get("result"),
            level=step.level,
            said=said,
            department=recorded.department,
            outside=case.out_of_scope,
            answering=any(p.kind is PromiseKind.HAND_OVER for p in recorded.promises),
            against=case.against,
            thin=directory.group(recorded.thin),
            reopen_count=step.generation - 1,
            undelivered=tuple(_left(each, directory) for each in undelivered),
            links=directory.links(step, tell, recipient, style),
            desk=directory.desk,
        ),
        style,
    )
    about = f"{step.seq}:{tell.template}"
    if reached and promise:  # with the pauses: an alarm that a pause took back is given again
        about = f"{promise.key}:{reached.threshold}:{promise.pauses}"
    facts = case.facts.model_copy(update={"severity": step.severity})
    waits = tell.to is not Audience.CUSTOMER and tell.template not in AT_ONCE
    in_hours = waits and policy.told(facts) == "working hours"
    key = f"{directory.number}:{about}:{recipient.id}"
    return Message(
        key=f"{key}:{case.number}" if directory.whose else key,
        issue_id=step.issue_id,
        seq=step.seq,
        template=tell.template,
        audience=tell.to,
        recipient=recipient.id,
        channel=recipient.channel,
        address=recipient.address,
        subject=written.subject,
        body=written.body,
        full_text=written.full_text,
        created_at=step.recorded_at,
        not_before=directory.at_work(recipient, step.recorded_at) if in_hours else None,
        for_issue=directory.whose,
        last_error=directory.unsent(tell.to),
    )


def _left(message: Message, directory: Directory) -> Undelivered:
    return Undelivered(
        audience=message.audience,
        recipient=directory.name_of(message.recipient),
        subject=message.subject or message.key,
        text=message.full_text or wording.without_links(message.body),
        why=message.last_error,
    )


def _reason(content: dict[str, Any]) -> str | None:
    return content.get("reason") or content.get("note") or content.get("words") or None
