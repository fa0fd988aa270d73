"""Who works at the desk that a recorded day is replayed on, and how they take its steps.

The log names no persons: its locations become regions, its assignment groups service centres with
two engineers each, so that every reassignment of the log is one from an engineer to another.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any
from zlib import crc32

from demo.replay.story import Act, Incident, StaffStep
from domain.issue import actions
from domain.issue.actions import ActionName
from domain.issue.intake import Customer, Intake
from domain.issue.view import IssueView
from domain.staff.roster import Centre, Certification, Contact, DeliveryChannel, Member, Roster
from domain.vocabulary import Actor, Channel, Role, Severity

SOURCE_SYSTEM = "uci498"
"""The intake system that the incidents come from."""

PRODUCT_LINE = "IT"
GROUPS = 9
"""So many of the busiest groups are service centres of their own; the others share one."""

_ZONE = "Asia/Shanghai"
_DEPARTMENT = "technical_service"
_OTHERS = "group-others"
_MAJOR = 2
"""Priorities 1 (critical) and 2 (high) are major faults (R5)."""

_LEAD = Actor(id="lead", role=Role.LEAD)
_CLERK = Actor(id="clerk", role=Role.CLERK)
_AGENTS = 20
"""Hotline agents: issue numbers are allotted agent by agent, one at a time."""

_CHANNELS = {
    "phone": Channel.TELEPHONE,
    "ivr": Channel.TELEPHONE,
    "email": Channel.EMAIL,
    "self service": Channel.WEBSITE,
    "direct opening": Channel.WALK_IN,
}

_TAKEN: Mapping[Act, tuple[ActionName, type[actions.Act], Mapping[str, Any]]] = {
    Act.ACCEPT: (ActionName.ACCEPT, actions.Accept, {}),
    Act.WAIT: (ActionName.WAIT_FOR_CUSTOMER, actions.WaitForCustomer, {}),
    Act.RESUME: (ActionName.RESUME, actions.Resume, {}),
    Act.REASSIGN: (ActionName.REASSIGN, actions.Reassign, {"reason": "转下一组 passed on"}),
    Act.RESOLVE: (ActionName.RESOLVE, actions.Resolve, {"result": "已解决 Resolved."}),
    Act.REOPEN: (
        ActionName.RECORD_CALLBACK,
        actions.RecordCallback,
        {"reached": True, "running": False},
    ),
    Act.CLOSE: (
        ActionName.RECORD_CALLBACK,
        actions.RecordCallback,
        {"reached": True, "running": True},
    ),
}
"""The desk's action for each act of the log, and what is said with it."""


def roster(incidents: Iterable[Incident]) -> Roster:
    """Staff the desk for these incidents: a location belongs to the group that had most of it.

    Everybody is on duty day and night, as in the log.
    """
    of_group: Counter[str] = Counter()
    of_location: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for incident in incidents:
        group = _code("group", incident.assignment_group)
        of_group[group] += 1
        of_location[_region(incident)][group] += 1
    own = [group for group, _ in of_group.most_common(GROUPS)]
    served: defaultdict[str, list[str]] = defaultdict(list)
    for location, groups in of_location.items():
        group = groups.most_common(1)[0][0]
        served[group if group in own else _OTHERS].append(location)
    centres = [*own, _OTHERS]
    return Roster(
        centres=tuple(_centre(centre, served[centre]) for centre in centres),
        members=(
            *(_engineer(centre, number) for centre in centres for number in (1, 2)),
            _member("lead", "组长 Lead", Role.LEAD),
            _member("manager", "部门经理 Manager", Role.MANAGER),
            _member("clerk", "回访专员 Callback clerk", Role.CLERK),
            _member("gm-office", "总经办 GM office", Role.GM_OFFICE, "general_office"),
        ),
        channels=(
            DeliveryChannel(channel="email", url="json://localhost/email/{to}", customers="email"),
            DeliveryChannel(channel="wecom", url="json://localhost/wecom/{to}"),
        ),
    )


def intake(incident: Incident, reported_at: datetime) -> Intake:
    """Hand an incident in as its intake system would, reported at a real instant."""
    return Intake(
        source=SOURCE_SYSTEM,
        reference=incident.reference,
        channel=_CHANNELS.get((incident.contact_type or "").casefold(), Channel.TELEPHONE),
        kind="fault",
        category="technical",
        severity=Severity.MAJOR if (incident.priority or 5) <= _MAJOR else Severity.GENERAL,
        product_line=PRODUCT_LINE,
        region=_region(incident),
        agent=f"{1 + crc32(incident.reference.encode()) % _AGENTS:02}",
        customer=Customer(
            name=f"来电人 Caller of {incident.reference}",
            email=f"{_slug(incident.reference)}@example.com",
        ),
        title=f"事件 Incident {incident.reference}, {_code('category', incident.category)}",
        reported_at=reported_at,
    )


class Crew:
    """Who does what: the handler of an issue its steps, the clerk the calls."""

    def __init__(self, people: Roster) -> None:
        self._roles: dict[str, Role] = {member.id: member.role for member in people.members}
        self._successors = _successors(people)

    def act(
        self, step: StaffStep, issue: IssueView, at: datetime
    ) -> tuple[ActionName, actions.Act]:
        """Say which action of the desk the step is, and who takes it at the real instant ``at``."""
        name, model, said = _TAKEN[step.act]
        by = _CLERK if name is ActionName.RECORD_CALLBACK else self._handler(issue)
        facts: dict[str, Any] = {"by": by, "at": at, **said}
        if step.act is Act.WAIT:
            facts["reason"] = step.state
        if step.act is Act.REASSIGN:
            facts["to"] = self._successors[issue.engineer.id if issue.engineer else ""]
        return name, model.model_validate(facts)

    def _handler(self, issue: IssueView) -> Actor:
        """Whoever has the issue; the lead if nobody has."""
        if issue.engineer is None:
            return _LEAD
        return Actor(id=issue.engineer.id, role=self._roles[issue.engineer.id])


def _successors(people: Roster) -> dict[str, str]:
    """Say to whom each engineer passes an issue on: round the groups, first their first engineers,
    then their second, so that it is never the same person. What nobody has goes to the first.
    """
    of_centre: defaultdict[str, list[str]] = defaultdict(list)
    for member in people.members:
        if member.role is Role.ENGINEER:
            of_centre[member.centre].append(member.id)
    rounds = chain.from_iterable(zip_longest(*of_centre.values()))
    ring = [id_ for id_ in rounds if id_]
    others = {member.id: ring[0] for member in people.members} | {"": ring[0]}
    return others | dict(zip(ring, [*ring[1:], ring[0]], strict=True))


def _centre(group: str, regions: Sequence[str]) -> Centre:
    return Centre(
        centre=group,
        name=_name(group),
        regions=tuple(regions),
        zone=_ZONE,
        calendar="weekdays",
    )


def _engineer(group: str, number: int) -> Member:
    return _member(f"{group}.{number}", f"{_name(group)} {number}", Role.ENGINEER, centre=group)


def _member(
    id_: str, name: str, role: Role, department: str = _DEPARTMENT, centre: str = _OTHERS
) -> Member:
    return Member.model_validate(
        {
            "person": id_,
            "name": name,
            "role": role,
            "department": department,
            "centre": centre,
            "certified": (Certification(product_line=PRODUCT_LINE),),
            "shift": "always",
            "contacts": (Contact(channel="wecom", address=id_),),
        }
    )


def _name(group: str) -> str:
    return "其他组 Other groups" if group == _OTHERS else f"工作组 {group.capitalize()}"


def _region(incident: Incident) -> str:
    return _code("location", incident.location)


def _code(kind: str, fact: str | None) -> str:
    """Make ``location-143`` of ``143`` and of ``Location 143``: the log is published both ways."""
    if fact is None:
        return f"{kind}-unknown"
    slug = _slug(fact)
    return slug if slug.startswith(f"{kind}-") else f"{kind}-{slug}"


def _slug(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text.casefold())[:40]
