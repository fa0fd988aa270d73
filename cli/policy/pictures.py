"""Policies as people see them in a terminal: what one holds, and what it promises on an issue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.calendar.pictures import convention
from domain.issue.view import local
from domain.reports.access import not_readers
from domain.reports.definitions import REPORTS
from domain.sla.explanation import Explained, Explanation, Tried
from domain.sla.policy import Policy, PromiseRule, ReportReader, Reports, ThresholdRule
from domain.sla.promise import PromiseKind
from domain.sla.rulebook import CENTRE, Rulebook
from domain.terms import listed
from domain.words import PROMISES, ROLES, both

_TOLD = {"at once": "随时 at once, day and night", "working hours": "上班时 in working hours"}

_RELIEVED = {True: "换人接手 somebody on duty takes it", False: "由本人继续 its handler keeps it"}


def summary(rulebook: Rulebook) -> RenderableType:
    """What a policy holds."""
    policy = rulebook.policy
    promises = [
        (both(PROMISES, kind), Text(", ".join(names)))
        for kind in PromiseKind
        if (names := [rule.name for rule in policy.promises if rule.promise is kind])
    ]
    national = (
        f"{country} until {days.announced_until}" for country, days in rulebook.national.items()
    )
    return Group(
        Text(f"{policy.name} · {rulebook.version}", style="bold"),
        _grid(
            ("类别 Kinds", Text(listed(policy.kinds))),
            ("性质 Categories", Text(listed(policy.categories))),
            ("部门 Departments", Text(listed(policy.departments) or "those of the roster")),
            *promises,
            ("分流 Routes", Text(_routes(policy))),
            ("备勤 Stand-by", Text(_standby(policy))),
            ("考核 Qualification", Text(_qualification(policy))),
            ("审批 Approval", Text(_approval(policy))),
            ("报表 Reports", Text(_reports(rulebook))),
            ("故障代码 Fault codes", Text(_fault_lists(policy))),
            ("日历 Calendars", Text(", ".join(rulebook.calendars))),
            ("节假日 Holidays", Text(", ".join(national) or "none followed")),
            ("时区 Zone", Text(policy.zone)),
        ),
    )


def _routes(policy: Policy) -> str:
    terms = policy.terms
    routes = (
        f"{rule.name} → {terms.department(rule.department).zh} {rule.department}"
        for rule in policy.routes
    )
    return "; ".join(routes) or "by category"


def _fault_lists(policy: Policy) -> str:
    lists = (f"{each.name}: {', '.join(each.codes)}" for each in policy.fault_lists)
    return "; ".join(lists) or "none: every code is taken as it is"


def _standby(policy: Policy) -> str:
    departments = ", ".join(policy.standby.departments)
    return f"{policy.standby.share:.0%} in {departments}" if departments else "not watched"


def _qualification(policy: Policy) -> str:
    asked = policy.qualification
    if not (asked.certificate or asked.knowledge):
        return "certificates by their last day alone"
    whom = "of everybody" if asked.required else "of whom the roster has examinations"
    return f"certificate {asked.certificate}, quarterly test {asked.knowledge}, {whom}"


def _reports(rulebook: Rulebook) -> str:
    """When they are issued, whom they are not sent though they are named, and which of them nobody
    is sent (R27).
    """
    reports = rulebook.policy.reports
    when = f"{reports.at:%H:%M} on the next working day of {rulebook.reporting.name}"
    unread = ", ".join(reports.unread)
    nobody = f"{when}; 无人接收 sent to nobody: {unread}" if unread else when
    return "\n".join((nobody, *_misaddressed(reports)))


def _misaddressed(reports: Reports) -> Iterator[str]:
    """Whom the policy names for a report that is not for them, and what to do about it."""
    for report in REPORTS.values():
        named, place = reports.readers(report.name), f"[reports.to] {report.name}"
        wrong = not_readers(report, named)
        for role in wrong:
            yield (
                f"注意 Warning: {place}: {both(ROLES, role)} 无权查看，不会收到"
                f" may not read it and is not sent it: leave out {role}"
            )
        if wrong and len(wrong) == len(named):
            may = ", ".join(r for r in get_args(ReportReader) if not not_readers(report, [r]))
            yield f"注意 Warning: {place}: 无人接收 nobody is left to read it: name {may}"


def _approval(policy: Policy) -> str:
    limit = policy.paid_service.approval_above
    return "not needed" if limit is None else f"above ¥{limit:,.2f}"


def explained(found: Explanation) -> RenderableType:
    """Each kind of promise: the rules in order, then what the first match says."""
    facts = found.facts
    said = (
        *(facts.kind, facts.severity, facts.category, facts.product_line, facts.region),
        *(facts.centre or "centre not said", facts.customer),
        *(() if facts.existing else ("prospect",)),
        *(("answered by the hotline",) if facts.first_contact else ()),
    )
    again = f", reopened {facts.generation - 1} x" if facts.generation > 1 else ""
    parts: list[RenderableType] = [
        _grid(
            ("政策 Policy", Text(f"{found.policy} · {found.version}")),
            ("问题 Issue", Text(" · ".join(said) + again)),
            ("起算 From", Text(f"{local(found.at, found.zone)} ({found.zone})")),
            ("部门 Department", Text(found.department)),
            ("通知 Told", Text(_TOLD[found.told])),
            ("交接班 At the end of a shift", Text(_RELIEVED[found.relieved])),
        )
    ]
    for each in found.promises:
        parts += (Text(f"\n{both(PROMISES, each.promise)}", style="bold"), _rules(each))
        if each.taken:
            parts.append(Padding(_taken(found, each, each.taken), (0, 0, 0, 4)))
    return Group(*parts)


def _rules(each: Explained) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    if not each.tried:
        grid.add_row(Text("  no rule: not promised", style="dim"))
    for tried in each.tried:
        grid.add_row(*_rule(tried))
    if each.tried and each.taken is None:
        grid.add_row(Text("  no rule fits: not promised", style="yellow"))
    return grid


def _rule(tried: Tried) -> Iterator[Text]:
    if tried.taken:
        yield Text.assemble(("  ✓ ", "green"), (tried.rule, "bold"))
        yield Text("first match", style="green")
        return
    reasons = [
        f"{wrong.field}: wanted {' or '.join(wrong.wanted)}, is {wrong.found or 'not said'}"
        for wrong in tried.mismatches
    ]
    mark = "✗" if reasons else "-"
    yield Text(f"  {mark} {tried.rule}", style="dim")
    yield Text("; ".join(reasons) or "fits too, but comes later", style="dim")


def _taken(found: Explanation, each: Explained, rule: PromiseRule) -> RenderableType:
    facts = [("时限 Within", Text(_target(rule))), ("日历 Calendar", Text(_calendar(found, rule)))]
    if each.planned:
        if each.planned.opens_at:
            opens = f"{local(each.planned.opens_at, found.zone)} ({rule.opens})"
            facts.append(("不早于 From", Text(opens)))
        due = Text(local(each.planned.due_at, found.zone), style="bold")
        if each.planned.provisional:
            due += Text("  暂定 provisional", style="bold yellow")
        facts.append(("到期 Due", due))
    return Group(_grid(*facts), _marks(found, each, rule))


def _target(rule: PromiseRule) -> str:
    attempts = f", at most {rule.attempts} attempts" if rule.attempts > 1 else ""
    return convention(rule, rule.within) + attempts


def _calendar(found: Explanation, rule: PromiseRule) -> str:
    if rule.calendar != CENTRE:
        return rule.calendar
    if found.centre_calendar is None:
        return "the service centre's own: name it with --calendar to see instants"
    return f"{found.centre_calendar}, the service centre's own"


def _marks(found: Explanation, each: Explained, rule: PromiseRule) -> Table:
    """Who is told when. The planner has put the thresholds in order of time."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for header in ("阈值 Mark", "时间 At", "通知 Tells", "升级 Rises to"):
        table.add_column(header, no_wrap=header != "通知 Tells")  # many may be told
    instants = {mark.name: mark.at for mark in each.planned.marks} if each.planned else {}
    written = sorted(rule.marks, key=lambda mark: instants.get(mark.at, found.at))
    for mark in written:
        table.add_row(*_mark(mark, local(at, found.zone) if (at := instants.get(mark.at)) else "-"))
    return table


def _mark(mark: ThresholdRule, at: str) -> Iterator[str]:
    yield mark.at
    yield at
    yield ", ".join(mark.tell) or "-"
    yield mark.level or ""


def _grid(*rows: tuple[str, Text]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in rows:
        grid.add_row(Text(label, style="dim"), value)
    return grid
