"""The roster as people see it in a terminal: who is on duty when, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.sla.policy import Qualification
from domain.staff.duty import OFF, Duty, shift_on
from domain.staff.qualification import Certification
from domain.staff.roster import Member
from domain.staff.staffing import Findings, Qualified


class OnDuty(NamedTuple):
    """One person's day. ``hours`` are local, ``09:00-12:00``; ``why`` it is not the usual shift."""

    person: str
    name: str
    role: str
    department: str
    centre: str
    shift: str
    hours: tuple[str, ...]
    why: str


def duties(members: Iterable[Member], duty: Duty, day: date) -> list[OnDuty]:
    """Say who is on duty when on a day of the desk, by department and service centre."""
    zone = ZoneInfo(duty.policy.zone)
    ordered = sorted(members, key=lambda m: (m.department, m.centre, m.role, m.id))
    return [
        OnDuty(
            person=member.id,
            name=member.name,
            role=member.role,
            department=member.department,
            centre=member.centre,
            shift=shift_on(member, day),
            hours=tuple(
                f"{opening.astimezone(zone):%H:%M}-{_closing(closing.astimezone(zone))}"
                for opening, closing in duty.hours_on(member, day)
            ),
            why=next((e.reason for e in member.exceptions if e.covers(day)), ""),
        )
        for member in ordered
    ]


def day(rows: Sequence[OnDuty], when: date, zone: str) -> RenderableType:
    """Show one day as a table: who works first, in the order of the rows."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    for header in ("人员\nPerson", "部门\nDepartment", "中心\nCentre", "班次\nShift"):
        table.add_column(header, no_wrap=True)
    table.add_column("在岗\nOn duty")
    table.add_column("原因\nWhy", overflow="fold", ratio=1)
    for row in rows:
        table.add_row(
            f"{row.name} ({row.person})",
            row.department,
            row.centre,
            Text(row.shift, style="dim" if row.shift == OFF else "bold" if row.why else ""),
            " ".join(row.hours) or "—",
            row.why,
            style="" if row.hours else "dim",
        )
    there = sum(bool(row.hours) for row in rows)
    return Group(
        table, Text(f"{when:%Y-%m-%d}: {there} of {len(rows)} on duty. Times are in {zone}.", "dim")
    )


def findings(found: Findings, within: timedelta) -> RenderableType:
    """Show what is wrong with the roster, by what it is about."""
    if not found:
        return Text("Nothing is wrong with the roster.")
    parts: list[RenderableType] = []
    for title, lines in (
        (
            f"认证与考核 Certificates and tests that ended, or end within {within.days} days",
            found.certifications,
        ),
        ("技能不足 Agents with too few skills", found.skills),
        ("待命不足 Core groups under their stand-by share", found.standby),
        ("需要交接 Issues that need somebody else: `yinuo roster hand-over`", found.stranded),
        ("无人认证 Product lines that nobody certified serves", found.uncovered),
    ):
        if lines:
            parts.append(Text(title, style="bold"))
            parts += (Text(f"  {line}") for line in lines)
    return Group(*parts)


def qualifications(
    people: Sequence[Qualified], asked: Qualification, month: date
) -> RenderableType:
    """Show what each agent and engineer has, and mark what is too little (R46)."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    for header in ("人员\nPerson", "案例\nCases", "技能\nSkills", "季度考核\nTest"):
        table.add_column(header, no_wrap=True)
    table.add_column("上岗证\nCertificates", overflow="fold", ratio=1)
    for each in people:
        short = {"cases": each.cases_short, "skills": each.skills_short}
        table.add_row(
            f"{each.name} ({each.person})",
            Text("" if each.cases is None else str(each.cases), "bold red" * short["cases"]),
            Text(str(len(each.skills) or ""), "bold red" * short["skills"]),
            f"{each.test.score} ({each.test.on})" if each.test else "—",
            "; ".join(map(_certificate, each.certified)),
        )
    wanted = f"{asked.cases_a_month} cases a month and {asked.skills} skills of each agent"
    return Group(table, Text(f"{month:%Y-%m}: asked are {wanted}.", "dim"))


def _certificate(held: Certification) -> str:
    parts = (
        f"{held.score} on {held.passed_on}" if held.passed_on else "",
        f"until {held.until}" if held.until else "",
    )
    said = ", ".join(filter(None, parts))
    return f"{held.product_line} ({said})" if said else held.product_line


def _closing(at: datetime) -> str:
    """Midnight closes the day that it ends."""
    return f"{at:%H:%M}" if (at.hour, at.minute) != (0, 0) else "24:00"
