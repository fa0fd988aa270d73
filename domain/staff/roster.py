"""Who works where, when, on what, and how they are reached (R4, R16, R33)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain import telephone
from domain.issue.state import Person
from domain.sla.rulebook import Rulebook
from domain.staff.duty import OFF, Duty, DutyException, overlapping
from domain.staff.qualification import Certification, KnowledgeTest, lacks
from domain.vocabulary import ESCALATION, Code, Line, Model, Role, Zone, repeated

__all__ = ["OFF", "Certification"]

StaffRole = Literal[Role.ENGINEER, Role.CLERK, Role.LEAD, Role.MANAGER, Role.GM_OFFICE, Role.AGENT]


class Centre(Model):
    """A service centre: its regions, its hours, and the centres that help out, nearest first."""

    id: Code = Field(alias="centre")
    name: Line
    regions: tuple[Code, ...]
    zone: Zone
    calendar: Code
    nearest: tuple[Code, ...] = ()


class Contact(Model):
    """An address on one of the roster's channels: ``sms:+8613800000000``."""

    channel: Code
    address: Line


class Member(Model):
    """Somebody on the roster. ``shift`` names the calendar of their usual hours, or is ``off``.
    ``tests`` are the quarterly ones (R46).
    """

    id: Code = Field(alias="person")
    name: Line
    role: StaffRole
    department: Code
    centre: Code
    certified: tuple[Certification, ...] = ()
    tests: tuple[KnowledgeTest, ...] = ()
    shift: Code
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1)]
    skills: tuple[Line, ...] = ()
    exceptions: tuple[DutyException, ...] = ()

    @property
    def person(self) -> Person:
        """As an issue refers to them."""
        return Person(id=self.id, name=self.name)


class DeliveryChannel(Model):
    """A way to reach people: an Apprise URL with ``{to}`` where the address goes.

    ``customers`` says which contact of a customer it needs, if it may be used for customers; the
    first such channel of the roster that the customer has an address for is taken. ``phone`` is a
    channel of texts, which only a mobile number takes.
    """

    id: Code = Field(alias="channel")
    url: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+]*://")]
    per_minute: Annotated[int, Field(gt=0)] | None = None
    customers: Literal["phone", "email"] | None = None


def reached_by(
    phone: str | None, email: str | None, channels: Sequence[DeliveryChannel]
) -> tuple[str, str] | None:
    """Say by which channel and address a customer is reached; None: nothing can be written to
    them.
    """
    number = telephone.read(phone)
    texted = number.number if number and number.takes_texts else None
    addresses = {"phone": texted, "email": email}
    for channel in channels:
        if channel.customers and (address := addresses[channel.customers]):
            return channel.id, address
    return None


class Roster(Model):
    """The whole roster, checked for gaps that would leave an issue with nobody. ``exceptions`` from
    the usual shifts take the place of those of the roster before; None leaves these as they are.
    """

    centres: tuple[Centre, ...]
    members: tuple[Member, ...]
    channels: tuple[DeliveryChannel, ...]
    exceptions: tuple[DutyException, ...] | None = None

    @model_validator(mode="after")
    def _nothing_twice(self) -> Roster:
        for what, ids in (
            ("centre", [c.id for c in self.centres]),
            ("person", [m.id for m in self.members]),
            ("channel", [c.id for c in self.channels]),
            ("region", [region for c in self.centres for region in c.regions]),
        ):
            if twice := repeated(ids):
                msg = f"{what} {twice} is on the roster twice"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _everything_named_exists(self) -> Roster:
        centres = {centre.id for centre in self.centres}
        channels = {channel.id for channel in self.channels}
        for centre in self.centres:
            for neighbour in centre.nearest:
                _known(neighbour, centres, f"centre {centre.id}: nearest")
        for member in self.members:
            _known(member.centre, centres, f"person {member.id}: centre")
            for contact in member.contacts:
                _known(contact.channel, channels, f"person {member.id}: contacts")
        return self

    @model_validator(mode="after")
    def _exceptions_are_somebodys(self) -> Roster:
        people = {member.id for member in self.members}
        for exception in self.exceptions or ():
            _known(exception.person, people, f"{exception}: person")
        if both := overlapping(self.exceptions or ()):
            msg = f"{both[1]}: from: overlaps with {both[0].said}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _every_issue_has_somebody(self) -> Roster:
        """R13: there is a lead and a manager for every department, and a GM office above all."""
        has = {(member.department, member.role) for member in self.members}
        served = {m.department for m in self.members if m.role is not Role.GM_OFFICE}
        for department in sorted(served):
            for role in (Role.LEAD, Role.MANAGER):
                if (department, role) not in has:
                    msg = f"department {department} has no {role}: escalations would reach nobody"
                    raise ValueError(msg)
        if not any(member.role is Role.GM_OFFICE for member in self.members):
            msg = "nobody has the role gm_office: the last escalation would reach nobody"
            raise ValueError(msg)
        if not any(channel.customers for channel in self.channels):
            msg = "no channel is for customers: set customers to phone or email on at least one"
            raise ValueError(msg)
        return self

    def check_against(self, rulebook: Rulebook) -> None:
        """Refuse a roster that speaks of calendars or lacks departments the policy knows.

        Raises:
            ValueError: naming the entry and what there is.
        """
        check_fit(self.centres, self.members, rulebook)
        _check_shifts(self.exceptions or (), rulebook)


def check_fit(centres: Iterable[Centre], members: Sequence[Member], rulebook: Rulebook) -> None:
    """Refuse people and a rulebook that do not go together.

    Raises:
        ValueError: naming the entry and what there is.
    """
    calendars = set(rulebook.calendars)
    for centre in centres:
        _known(centre.calendar, calendars, f"centre {centre.id}: calendar")
    for member in members:
        _known(member.shift, calendars | {OFF}, f"person {member.id}: shift")
        _check_shifts(member.exceptions, rulebook)
    departments = {member.department for member in members}
    policy = rulebook.policy
    for category in policy.categories:
        _known(policy.department_of(category), departments, f"routing of {category}: department")
    for route in policy.routes:
        _known(route.department, departments, f"route {route.name}: department")


def _check_shifts(exceptions: Iterable[DutyException], rulebook: Rulebook) -> None:
    for exception in exceptions:
        _known(exception.shift, {*rulebook.calendars, OFF}, f"{exception}: shift")


class Candidate(Model):
    """An engineer as assignment sees them, with the load they carry."""

    member: Member
    open_issues: int
    idle_since: datetime


class Need(Model):
    """Whom an issue needs: department and certification, from the centre or those that help out."""

    department: str
    product_line: str
    centres: tuple[str, ...] = Field(description="its own first, then the nearest, in order")
    prefer: str | None = None


class Choice(Model):
    """Who gets the issue; or, if nobody qualified is on duty, when the next one will be."""

    member: Member | None = None
    again_at: datetime | None = None


def choose(candidates: Sequence[Candidate], need: Need, duty: Duty, at: datetime) -> Choice:
    """Assign (R16): certified, of the nearest centre, on duty, with the fewest open issues, then
    the longest idle. ``at`` is real time and so is ``again_at``, which is always later.
    """
    members = [candidate.member for candidate in candidates]
    between = {member.id for member in shortlist(members, need, duty, at)}
    if not between:
        return Choice(again_at=next_on_duty(members, need, duty, at))
    best = min(
        (c for c in candidates if c.member.id in between),
        key=lambda c: (c.open_issues, c.idle_since, c.member.id),
    )
    return Choice(member=best.member)


def shortlist(members: Iterable[Member], need: Need, duty: Duty, at: datetime) -> list[Member]:
    """Return those between whom the load they carry decides (R16): of the qualified who are on duty
    all of the nearest centre, or the one who is preferred. They work in one centre; none: nobody is
    on duty.
    """
    there = [member for member in _fit(members, need, duty, at) if duty.on_duty(member, at)]
    if preferred := [member for member in there if member.id == need.prefer]:
        return preferred
    centres = {member.centre for member in there}
    nearest = next((centre for centre in need.centres if centre in centres), None)
    return [member for member in there if member.centre == nearest]


def next_on_duty(
    members: Iterable[Member], need: Need, duty: Duty, at: datetime
) -> datetime | None:
    """Return when the first of the qualified is on duty; None: nobody knows when."""
    openings = (duty.next_duty(member, at) for member in _fit(members, need, duty, at))
    return min(filter(None, openings), default=None)


def _fit(members: Iterable[Member], need: Need, duty: Duty, at: datetime) -> list[Member]:
    day, asked = duty.day(at), duty.policy.qualification
    return [
        member
        for member in members
        if member.role is Role.ENGINEER
        and member.department == need.department
        and member.centre in need.centres
        and not lacks(member.certified, member.tests, need.product_line, day, asked)
    ]


def superior(members: Iterable[Member], department: str, level: int) -> Member | None:
    """Return who answers for ``department`` at escalation level 1 to 3, or the next level above
    if nobody does; None only for an empty roster.
    """
    by_role: dict[tuple[Role, str], Member] = {
        (member.role, member.department if member.role is not Role.GM_OFFICE else ""): member
        for member in sorted(members, key=lambda member: member.id, reverse=True)
    }
    for role in ESCALATION[level:]:
        if found := by_role.get((role, department if role is not Role.GM_OFFICE else "")):
            return found
    return None


def _known(name: str, known: set[str], where: str) -> None:
    if name not in known:
        msg = f"{where}: {name} is unknown; there are: {', '.join(sorted(known))}"
        raise ValueError(msg)
