"""Whether the desk is manned (R16): who can go on with an issue, who is left on stand-by, and what
is about to be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from pydantic import Field

from domain.issue.state import Person
from domain.sla.policy import Qualification, Standby
from domain.staff.duty import FOR_GOOD, Duty
from domain.staff.qualification import (
    Certification,
    KnowledgeTest,
    lacks,
    lapsing,
    newest_test,
)
from domain.staff.roster import Candidate, Centre, Member, superior
from domain.vocabulary import ESCALATION, Model, Role

# --- Who can go on -------------------------------------------------------------------------------


def hindrance(member: Member, product_line: str, duty: Duty, at: datetime) -> str | None:
    """Say why somebody cannot handle an issue, or not any more, as what follows their name; None:
    they can. Superiors need no certification.
    """
    if member.role not in ESCALATION:
        return f"handles no issues as {member.role}"
    if off := duty.off_until(member, at):
        until = "until the roster says otherwise" if off == FOR_GOOD else f"until {off}"
        return f"is off duty {until}"
    if member.role is Role.ENGINEER:
        return _lacks(member, product_line, duty, at)
    return None


def working(people: Iterable[Member], role: Role, duty: Duty, day: date) -> list[Member]:
    """Return those of a role who are on duty on that day: among the clerks its calls are shared out
    (R22).
    """
    return [each for each in people if each.role is role and duty.works_on(each, day)]


def responsible(
    people: Iterable[Member], department: str, level: int, duty: Duty, at: datetime
) -> Member | None:
    """Return who answers for a department at an escalation level, or the next above; somebody who
    is away only if nobody else is there.
    """
    people = list(people)
    there = [member for member in people if not duty.off_until(member, at)]
    return superior(there, department, level) or superior(people, department, level)


class OpenIssue(Model):
    """An issue that somebody is to work on: ``engineer`` has it, as ``member`` of the roster unless
    they have left. ``seq`` is its last step.
    """

    id: str
    number: str
    seq: int
    product_line: str
    engineer: Person | None = None
    member: Member | None = None

    def stranded(self, duty: Duty, at: datetime) -> str | None:
        """Say why it needs somebody else, in a sentence; None: it is in good hands."""
        if self.engineer is None:
            return "nobody has it"
        if self.member is None:
            return f"{self.engineer.id} has left"
        hindered = hindrance(self.member, self.product_line, duty, at)
        return f"{self.engineer.id} {hindered}" if hindered else None


class Stranded(Model):
    """An issue that needs somebody else, and why; ``engineer`` is None if nobody had it."""

    id: str
    number: str
    seq: int
    engineer: str | None
    reason: str

    @property
    def update_id(self) -> str:
        """The same state of affairs is handed over once, whoever asks."""
        return f"stranded-{self.seq}"


def stranded(issues: Iterable[OpenIssue], duty: Duty, at: datetime) -> list[Stranded]:
    """Return the issues that nobody has, or that whoever has them cannot go on with."""
    return [
        Stranded(
            id=issue.id,
            number=issue.number,
            seq=issue.seq,
            engineer=issue.engineer.id if issue.engineer else None,
            reason=reason,
        )
        for issue in issues
        if (reason := issue.stranded(duty, at))
    ]


# --- Who is left on stand-by ---------------------------------------------------------------------


def standby_share(group: Iterable[Candidate], duty: Duty, at: datetime) -> float | None:
    """Say which share of those on duty, 0 to 1, has no open issue; None while nobody is on duty."""
    idle = [not each.open_issues for each in group if duty.on_duty(each.member, at)]
    return sum(idle) / len(idle) if idle else None


def below_standby(group: Iterable[Candidate], standby: Standby, duty: Duty, at: datetime) -> bool:
    """Whether a core group has fallen under its stand-by share (R16)."""
    share = standby_share(group, duty, at)
    return share is not None and share < standby.share


# --- What is about to be missing -----------------------------------------------------------------


class Watch(Model):
    """All it takes to look over the roster."""

    centres: tuple[Centre, ...]
    members: tuple[Member, ...]
    engineers: tuple[Candidate, ...] = Field(description="those of them, with their load")
    issues: tuple[OpenIssue, ...]
    within: timedelta = timedelta(days=30)


class Findings(Model):
    """What is wrong with the roster, or will be soon; each in a sentence."""

    certifications: tuple[str, ...]
    standby: tuple[str, ...]
    stranded: tuple[str, ...]
    uncovered: tuple[str, ...]
    skills: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to see to."""
        return any(getattr(self, name) for name in type(self).model_fields)


def look_over(watch: Watch, duty: Duty, at: datetime) -> Findings:
    """Find what R16 asks for and the roster lacks."""
    policy = duty.policy
    departments = {*policy.routing.values(), *(route.department for route in policy.routes)}
    return Findings(
        certifications=tuple(_lapsing(watch, duty, at)),
        standby=tuple(_thin_groups(watch, duty, at)),
        stranded=tuple(
            f"{each.number}: {each.reason}" for each in stranded(watch.issues, duty, at)
        ),
        uncovered=tuple(_uncovered(watch, sorted(departments), duty, at)),
        skills=tuple(_unskilled(watch, policy.qualification.skills)),
    )


def _lapsing(watch: Watch, duty: Duty, at: datetime) -> Iterator[str]:
    day, asked = duty.day(at), duty.policy.qualification
    for member in watch.members:
        for finding in lapsing(member.certified, member.tests, day, day + watch.within, asked):
            yield f"{member.id}: {finding}"


def _unskilled(watch: Watch, wanted: int) -> Iterator[str]:
    """R46: agents of whom the roster says what they can do, and it is too little."""
    for member in watch.members:
        if member.role is Role.AGENT and member.skills and len(member.skills) < wanted:
            yield f"{member.id}: {len(member.skills)} of {wanted} skills"


def _thin_groups(watch: Watch, duty: Duty, at: datetime) -> Iterator[str]:
    standby = duty.policy.standby

    def group(candidate: Candidate) -> tuple[str, str]:
        return candidate.member.department, candidate.member.centre

    core = [c for c in watch.engineers if c.member.department in standby.departments]
    for (department, centre), members in groupby(sorted(core, key=group), group):
        share = standby_share(members, duty, at)
        if share is not None and share < standby.share:
            yield f"{department}/{centre}: {share:.0%} on stand-by, {standby.share:.0%} wanted"


def _uncovered(watch: Watch, departments: Sequence[str], duty: Duty, at: datetime) -> Iterator[str]:
    """Product lines that somebody is or was certified for, where an issue would find nobody."""
    engineers = [member for member in watch.members if member.role is Role.ENGINEER]
    lines = sorted({c.product_line for member in watch.members for c in member.certified})
    everywhere = [region for centre in watch.centres for region in centre.regions]
    for department in departments:
        there = [member for member in engineers if member.department == department]
        if not there:
            yield f"{department}: issues go there, and no engineer works there"
            continue
        for line in lines:
            able = [each for each in there if not _lacks(each, line, duty, at)]
            regions = _without(watch.centres, able)
            if regions:
                where = "any region" if regions == everywhere else ", ".join(regions)
                yield f"{department}: nobody certified for {line} serves {where}"


def _lacks(member: Member, product_line: str, duty: Duty, at: datetime) -> str | None:
    asked = duty.policy.qualification
    return lacks(member.certified, member.tests, product_line, duty.day(at), asked)


def _without(centres: Iterable[Centre], able: Iterable[Member]) -> list[str]:
    """Regions whose centre, with those that help out, has nobody who may do it."""
    manned = {member.centre for member in able}
    return [
        region
        for centre in centres
        if manned.isdisjoint((centre.id, *centre.nearest))
        for region in centre.regions
    ]


# --- What people know, and give to others ---------------------------------------------------------


class Qualified(Model):
    """What an agent or engineer has shown, and how many cases an agent has given to the library in
    a month; ``short`` of what is asked (R46). An engineer is asked for neither cases nor skills.
    """

    person: str
    name: str
    role: Role
    certified: tuple[Certification, ...]
    test: KnowledgeTest | None
    skills: tuple[str, ...]
    cases: int | None
    cases_short: bool
    skills_short: bool


def qualified(
    members: Iterable[Member], cases: Mapping[str, int], asked: Qualification, day: date
) -> list[Qualified]:
    """Say it of each, agents first; ``cases`` by who contributed them."""
    people = [each for each in members if each.role in (Role.AGENT, Role.ENGINEER)]
    return [
        Qualified(
            **{name: getattr(each, name) for name in ("name", "role", "certified", "skills")},
            person=each.id,
            test=newest_test(each.tests, day),
            cases=cases.get(each.id, 0) if each.role is Role.AGENT else None,
            cases_short=each.role is Role.AGENT and cases.get(each.id, 0) < asked.cases_a_month,
            skills_short=each.role is Role.AGENT and len(each.skills) < asked.skills,
        )
        for each in sorted(people, key=lambda each: (each.role, each.id))
    ]
