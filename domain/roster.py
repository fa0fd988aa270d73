"""Who works where, when, on what, and how they are reached (R4, R16, R33)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from domain.calendar import CalendarExhausted
from domain.issue import Person
from domain.rulebook import Rulebook
from domain.vocabulary import ESCALATION, Code, Line, Model, Role, Zone, repeated

OFF = "off"
"""The shift of somebody who is not on duty until the roster says otherwise."""

StaffRole = Literal[Role.ENGINEER, Role.CLERK, Role.LEAD, Role.MANAGER, Role.GM_OFFICE, Role.AGENT]


class Centre(Model):
    """A service centre: its regions, its hours, and the centres that help out, nearest first."""

    id: Code = Field(alias="centre")
    name: Line
    regions: tuple[Code, ...]
    zone: Zone
    calendar: Code
    nearest: tuple[Code, ...] = ()


class Certification(Model):
    """The right to work on a product line, perhaps until a last day (R16)."""

    product_line: Code
    until: date | None = None

    def covers(self, product_line: str, day: date) -> bool:
        """Say whether it allows work on that line on that local day."""
        return self.product_line == product_line and (self.until is None or day <= self.until)


class Contact(Model):
    """An address on one of the roster's channels: ``sms:+8613800000000``."""

    channel: Code
    address: Line


class Member(Model):
    """Somebody on the roster. ``shift`` names the calendar of their duty hours, or ``off``."""

    id: Code = Field(alias="person")
    name: Line
    role: StaffRole
    department: Code
    centre: Code
    certified: tuple[Certification, ...] = ()
    shift: Code
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1)]

    @property
    def person(self) -> Person:
        """As an issue refers to them."""
        return Person(id=self.id, name=self.name)


class DeliveryChannel(Model):
    """A way to reach people: an Apprise URL with ``{to}`` where the address goes.

    ``customers`` says which contact of a customer it needs, if it may be used for customers; the
    first such channel of the roster that the customer has an address for is taken.
    """

    id: Code = Field(alias="channel")
    url: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+]*://")]
    per_minute: Annotated[int, Field(gt=0)] | None = None
    customers: Literal["phone", "email"] | None = None


class Roster(Model):
    """The whole roster, checked for gaps that would leave an issue with nobody."""

    centres: tuple[Centre, ...]
    members: tuple[Member, ...]
    channels: tuple[DeliveryChannel, ...]

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
    departments = {member.department for member in members}
    for category, department in rulebook.policy.routing.items():
        _known(department, departments, f"routing of {category}: department")


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


def choose(candidates: Iterable[Candidate], need: Need, rulebook: Rulebook, at: datetime) -> Choice:
    """Assign (R16): certified, of the nearest centre, on duty, with the fewest open issues, then
    the longest idle. ``at`` is real time and so is ``again_at``.
    """
    rehearsal = rulebook.policy.rehearsal
    now = rehearsal.to_story(at) if rehearsal else at
    day = now.astimezone(ZoneInfo(rulebook.policy.zone)).date()
    fit = [c for c in candidates if _qualified(c.member, need, day)]
    on_duty = [c for c in fit if rulebook.calendar(c.member.shift).is_open(now)]
    if on_duty:
        best = min(
            on_duty,
            key=lambda c: (
                c.member.id != need.prefer,
                need.centres.index(c.member.centre),
                c.open_issues,
                c.idle_since,
                c.member.id,
            ),
        )
        return Choice(member=best.member)
    opening = min(_openings(fit, rulebook, now), default=None)
    if opening is None:
        return Choice()
    return Choice(again_at=rehearsal.to_reality(opening) if rehearsal else opening)


def _openings(fit: Iterable[Candidate], rulebook: Rulebook, now: datetime) -> Iterator[datetime]:
    """When each comes on duty; somebody whose shift has run out never does."""
    for candidate in fit:
        with suppress(CalendarExhausted):
            yield rulebook.calendar(candidate.member.shift).next_opening(now).at


def _qualified(member: Member, need: Need, day: date) -> bool:
    return (
        member.role is Role.ENGINEER
        and member.department == need.department
        and member.centre in need.centres
        and member.shift != OFF
        and any(c.covers(need.product_line, day) for c in member.certified)
    )


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
