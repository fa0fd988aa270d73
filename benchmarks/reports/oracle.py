"""Every figure counted once more, in plain Python and of the tables themselves: no view, no SQL of
the reports, none of their definitions but which figures stand in which section.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from benchmarks.reports.register import FORMS
from domain.reports.counted import Counted
from domain.reports.definitions import Report, Section, Span
from domain.reports.periods import Cadence, Period
from store.connection import Connection

Fact: TypeAlias = SimpleNamespace
Facts: TypeAlias = Mapping[str, Sequence[Fact]]
Test: TypeAlias = Callable[[Fact, "Time"], Any]

_CUSTOMERS_TIME = {"waiting", "customer_test", "confirmation", "evaluation"}
_BEHIND = {"withdrawn", "cancelled", "terminated"}


class Time(NamedTuple):
    """What is asked: a period in a zone, as of ``now``; calls are to be answered ``within``."""

    period: Period
    zone: ZoneInfo
    now: datetime
    within: int = 20
    department: str | None = None

    @property
    def asof(self) -> datetime:
        """When the period is over, or now."""
        return min(_midnight(self.period.after, self.zone), self.now)

    def bounds(self, when: str, span: Span) -> tuple[datetime, datetime]:
        """From when until when."""
        if when == "next":
            after = self.period.after
            return _midnight(after, self.zone), _midnight(after.after, self.zone)
        since, until = _midnight(self.period, self.zone), _midnight(self.period.after, self.zone)
        if span is Span.TRAIL:
            today = self.now.astimezone(self.zone).date()
            shown = max(min(self.period.last, today), self.period.first)
            week = Period.around(Cadence.WEEK, shown)
            until = min(until, _midnight(week.after, self.zone))
            for _ in range(7):
                week = week.before
            since = _midnight(week, self.zone)
        return (datetime.min.replace(tzinfo=UTC), self.asof) if when == "at_end" else (since, until)


def _midnight(period: Period, zone: ZoneInfo) -> datetime:
    return datetime.combine(period.first, time(), zone).astimezone(UTC)


async def read(connection: Connection) -> dict[str, list[Fact]]:
    """Read the tables as they are."""
    return {
        table: [
            Fact(**dict(row))
            for row in await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608  ours
        ]
        for table in FORMS
    }


def facts_of(tables: Mapping[str, list[Fact]]) -> Facts:
    """Make of the tables what can be counted."""
    issues = {row.id: row for row in tables["issues"]}
    handled = _by(tables["handling_forms"])
    answers = _by(tables["consultation_records"])
    talked: defaultdict[str, list[int]] = defaultdict(list)
    for call in tables["calls"]:
        if call.issue_id and call.talk_seconds is not None:
            talked[call.issue_id].append(call.talk_seconds)
    for issue in issues.values():
        results = [form.resolved_at for form in handled[issue.id] if form.resolved_at]
        results += [form.answered_at for form in answers[issue.id] if form.answered_at]
        issue.handle = (min(results) - issue.reported_at).total_seconds() if results else None
        issue.talk = sum(talked[issue.id]) if talked[issue.id] else None
        issue.hotline = issue.taken_by or issue.agent
        issue.person = (
            issue.hotline if issue.first_contact else issue.engineer or issue.lead or issue.hotline
        )
        issue.has_answer = _spoken_for(issue, issues)
        issue.gave_up = issue.outcome in _BEHIND and not issue.answered
        issue.issue = issue.number
    return {
        "issues": list(issues.values()),
        "calls": [*_calls(tables, issues)],
        "promises": [*_promises(tables["promises"], issues, handled)],
        "callbacks": [*_callbacks(tables, issues, handled)],
        "evaluations": [*_evaluations(tables, issues)],
        "complaints": [*_complaints(tables, issues)],
        "difficulty": [*_difficulty(tables["difficulty_ratings"], issues)],
        "samples": [*_samples(tables, issues)],
        "cases": [*_cases(tables, issues)],
        "standby": [Fact(**vars(row), issue=None) for row in tables["standby_alarms"]],
    }


def _spoken_for(issue: Fact | None, issues: Mapping[str, Fact]) -> bool:
    """Say whether somebody has answered its customer: whoever speaks for it may be spoken for."""
    while issue and not issue.answered:
        issue = issues.get(issue.merged_into)
    return issue is not None


def _by(rows: Iterable[Fact]) -> defaultdict[str, list[Fact]]:
    found: defaultdict[str, list[Fact]] = defaultdict(list)
    for row in rows:
        found[row.issue_id].append(row)
    return found


def _departments(tables: Mapping[str, list[Fact]]) -> dict[str, str]:
    return {row.id: row.department for row in tables["members"]}


def _calls(tables: Mapping[str, list[Fact]], issues: Mapping[str, Fact]) -> Iterator[Fact]:
    of = _departments(tables)
    at_work = {m.department for m in tables["members"] if m.role == "agent" and not m.left_at}
    hotline = at_work.pop() if len(at_work) == 1 else None
    for issue in issues.values():
        if issue.channel == "telephone":
            yield Fact(
                issue=issue.number,
                book="register",
                at=issue.registered_at,
                person=issue.agent,
                kind=issue.kind,
                first=issue.first_contact,
                ring=issue.ring_seconds,
                talk=None,
                direction=None,
                department=of.get(issue.agent),
            )
    for call in tables["calls"]:
        about = issues.get(call.issue_id)
        yield Fact(
            issue=about.number if about else None,
            book="telephone",
            at=call.at,
            person=call.agent,
            kind=None,
            first=False,
            ring=call.ring_seconds,
            talk=call.talk_seconds,
            direction=call.direction,
            department=hotline
            if call.agent is None and call.direction == "incoming"
            else of.get(call.agent),
        )


def _form(handled: Mapping[str, list[Fact]], row: Fact) -> Fact:
    for form in handled[row.issue_id]:
        if form.generation == row.generation:
            return form
    return Fact(engineer=None, department=None)


def _person(issue: Fact, form: Fact) -> str | None:
    if issue.first_contact:
        return str(issue.hotline)
    found: str | None = form.engineer or issue.person
    return found


def _promises(
    rows: Iterable[Fact], issues: Mapping[str, Fact], handled: Mapping[str, list[Fact]]
) -> Iterator[Fact]:
    for row in rows:
        issue, form = issues[row.issue_id], _form(handled, row)
        told = [m for m in row.marks[: row.reached] if not m.get("skipped")]
        yield Fact(
            issue=issue.number,
            promise=row.kind,
            made_at=row.made_at,
            due_at=row.due_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            ours=row.kind not in _CUSTOMERS_TIME,
            own=row.own_word_at is not None and row.outcome == "kept",
            level=max((m["level"] for m in told), default=0),
            severity=issue.severity,
            kind=issue.kind,
            product_line=issue.product_line,
            person=_person(issue, form),
            department=form.department or issue.department,
        )


def _callbacks(
    tables: Mapping[str, list[Fact]],
    issues: Mapping[str, Fact],
    handled: Mapping[str, list[Fact]],
) -> Iterator[Fact]:
    promised = {
        (row.issue_id, row.generation, row.attempt): row
        for row in tables["promises"]
        if row.kind == "callback"
    }
    called = {
        (row.issue_id, row.generation, row.attempt): row for row in tables["callback_records"]
    }
    for key in promised.keys() | called.keys():
        promise, call, issue = promised.get(key), called.get(key), issues[key[0]]
        form = _form(handled, Fact(issue_id=key[0], generation=key[1]))
        yield Fact(
            issue=issue.number,
            due_at=promise.due_at if promise else None,
            outcome=promise.outcome if promise else None,
            called_at=call.called_at if call else None,
            reached=bool(call and call.reached),
            running=call.running if call else None,
            satisfied=call.satisfied if call else None,
            conflict=bool(call and call.conflict),
            person=_person(issue, form),
            kind=issue.kind,
            product_line=issue.product_line,
            department=form.department or issue.department,
        )


def _evaluations(tables: Mapping[str, list[Fact]], issues: Mapping[str, Fact]) -> Iterator[Fact]:
    linked = [(row, "link") for row in tables["evaluations"]]
    said = [(row, row.way) for row in tables["opinions"] if row.counting == "counts"]
    for row, way in (*linked, *said):
        issue = issues.get(row.issue_id)
        yield Fact(
            issue=issue.number if issue else None,
            way=way,
            at=row.at,
            item=row.item,
            technical=row.technical,
            attitude=row.attitude,
            person=row.engineer,
            department=row.department,
            product_line=issue.product_line if issue else None,
        )


def _complaints(tables: Mapping[str, list[Fact]], issues: Mapping[str, Fact]) -> Iterator[Fact]:
    remedies = _by(tables["remedies"])
    for form in tables["complaint_forms"]:
        issue = issues[form.issue_id]
        origin = issues.get(issue.arises_from)
        given = [row for row in remedies[issue.id] if row.accepted]
        amounts = [row.amount for row in given if row.amount is not None]
        told = form.told_at
        yield Fact(
            issue=issue.number,
            registered_at=issue.registered_at,
            closed_at=issue.closed_at,
            verdict=form.verdict,
            told=told,
            satisfied=form.satisfied,
            born=origin is not None,
            given=len(given),
            amount=sum(amounts) if amounts else None,
            took=(told - issue.registered_at).total_seconds() if told else None,
            merged=issue.merged_into is not None,
            person=origin.person if origin else None,
            category=issue.category,
            channel=issue.channel,
            product_line=issue.product_line,
            department=issue.department,
        )


def _difficulty(rows: Iterable[Fact], issues: Mapping[str, Fact]) -> Iterator[Fact]:
    for row in rows:
        issue = issues[row.issue_id]
        yield Fact(
            issue=issue.number,
            rated_at=row.rated_at,
            difficulty=row.difficulty,
            person=row.engineer or issue.hotline,
            line=issue.first_contact,
            product_line=issue.product_line,
            department=issue.department,
        )


def _samples(tables: Mapping[str, list[Fact]], issues: Mapping[str, Fact]) -> Iterator[Fact]:
    samples = {row.number: row for row in tables["quality_samples"]}
    last: dict[tuple[int, str], dict[str, Fact]] = defaultdict(dict)
    for check in sorted(tables["quality_checks"], key=lambda row: row.revision):
        last[check.sample, check.issue_id][check.checker] = check
    for row in tables["quality_records"]:
        sample, issue = samples[row.sample], issues[row.issue_id]
        over = datetime.combine(sample.last_day + timedelta(days=1), time(), ZoneInfo(sample.zone))
        checks = last[row.sample, row.issue_id].values()
        yield Fact(
            issue=issue.number,
            until=over - timedelta.resolution,
            checked=bool(checks),
            wrong=any(check.error is not None for check in checks),
            person=row.handler,
            department=issue.department,
            kind=issue.kind,
        )


def _cases(tables: Mapping[str, list[Fact]], issues: Mapping[str, Fact]) -> Iterator[Fact]:
    of = _departments(tables)
    for row in tables["known_cases"]:
        about = issues.get(row.issue_id)
        yield Fact(
            issue=about.number if about else None,
            department=of.get(row.proposed_by),
            person=row.proposed_by,
            proposed_at=row.proposed_at,
            status=row.status,
            used=row.used,
            product_line=row.product_line,
        )


# Figures ------------------------------------------------------------------------------------------


class Rule(NamedTuple):
    """How a figure is counted here: of which facts, by which instant, which of them."""

    of: str
    at: str
    counts: Test = lambda _, __: True
    among: Test | None = None
    measured: Test | None = None
    how: str = ""
    when: str = "in"


def _open(fact: Fact, asked: Time) -> bool:
    return fact.closed_at is None or fact.closed_at >= asked.asof


def _runs(fact: Fact, asked: Time) -> bool:
    return fact.ended_at is None or fact.ended_at >= asked.asof


def _age(fact: Fact, asked: Time) -> float:
    return float((asked.asof - fact.registered_at).total_seconds())


def _judged(fact: Fact, _: Time) -> bool:
    return fact.ours and fact.outcome in {"kept", "broken"}


def _single(fact: Fact, _: Time) -> bool:
    return bool(fact.outcome != "merged")


def _waits(fact: Fact, _: Time) -> bool:
    return not fact.has_answer and not fact.gave_up


def _due(fact: Fact, _: Time) -> bool:
    return fact.called_at is not None or fact.outcome in {"open", "kept", "broken"}


def _own(fact: Fact, _: Time) -> bool:
    return not fact.merged


def _without_talk(fact: Fact, _: Time) -> float | None:
    return None if fact.handle is None else max(fact.handle - (fact.talk or 0), 0)


def _direction(which: str) -> Test:
    return lambda fact, _: fact.direction == which


def _registered(fact: Fact, _: Time) -> bool:
    return bool(fact.book == "register")


RULES: Mapping[str, Rule] = {
    "registered": Rule("issues", "registered_at"),
    "first_contact": Rule("issues", "registered_at", lambda f, _: f.first_contact, _single),
    "reopened": Rule("issues", "registered_at", lambda f, _: f.generation > 1),
    "closed": Rule("issues", "closed_at", _single),
    "merged": Rule("issues", "closed_at", lambda f, _: f.outcome == "merged"),
    "given_up": Rule("issues", "closed_at", lambda f, _: f.outcome in _BEHIND),
    "handle_time": Rule(
        "issues", "closed_at", _single, measured=lambda f, _: f.handle, how="average"
    ),
    "handle_time_median": Rule(
        "issues", "closed_at", _single, measured=lambda f, _: f.handle, how="median"
    ),
    "handle_time_without_talk": Rule(
        "issues", "closed_at", _single, measured=_without_talk, how="average"
    ),
    "talk_time": Rule("issues", "closed_at", _single, measured=lambda f, _: f.talk, how="average"),
    "backlog": Rule("issues", "registered_at", _open, when="at_end"),
    "backlog_oldest": Rule(
        "issues", "registered_at", _open, measured=_age, how="longest", when="at_end"
    ),
    "answered": Rule(
        "issues", "registered_at", lambda f, _: f.has_answer, lambda f, _: not f.gave_up
    ),
    "unanswered": Rule("issues", "registered_at", _waits),
    "unanswered_age": Rule("issues", "registered_at", _waits, measured=_age, how="longest"),
    "records": Rule("issues", "closed_at"),
    "calls": Rule("calls", "at", _registered),
    "in_time": Rule(
        *("calls", "at", lambda f, asked: f.ring <= asked.within),
        lambda f, _: f.book == "register" and f.ring is not None,
    ),
    "ring_unknown": Rule("calls", "at", lambda f, _: f.book == "register" and f.ring is None),
    "longest_ring": Rule("calls", "at", _registered, measured=lambda f, _: f.ring, how="longest"),
    "first_contact_calls": Rule("calls", "at", lambda f, _: f.first, _registered),
    "incoming": Rule("calls", "at", _direction("incoming")),
    "outgoing": Rule("calls", "at", _direction("outgoing")),
    "lost": Rule("calls", "at", lambda f, _: f.direction == "incoming" and f.talk is None),
    "lost_share": Rule("calls", "at", lambda f, _: f.talk is None, _direction("incoming")),
    "talked": Rule("calls", "at", measured=lambda f, _: f.talk, how="sum"),
    "longest_talk": Rule("calls", "at", measured=lambda f, _: f.talk, how="longest"),
    "promises_kept": Rule("promises", "ended_at", lambda f, _: f.outcome == "kept", _judged),
    "kept": Rule("promises", "ended_at", lambda f, _: f.ours and f.outcome == "kept"),
    "broken": Rule("promises", "ended_at", lambda f, _: f.ours and f.outcome == "broken"),
    "own_word": Rule(
        *("promises", "ended_at", lambda f, _: f.own),
        lambda f, _: f.ours and f.outcome == "kept",
    ),
    "overdue": Rule(
        *("promises", "due_at"),
        lambda f, asked: f.ours and f.outcome == "broken" and _runs(f, asked),
        when="at_end",
    ),
    "coming": Rule("promises", "due_at", lambda f, _: f.ours and f.ended_at is None, when="next"),
    "unrated": Rule(
        *("promises", "made_at", lambda f, asked: f.promise == "difficulty" and _runs(f, asked)),
        when="at_end",
    ),
    "callbacks_due": Rule("callbacks", "due_at", _due),
    "callbacks_done": Rule("callbacks", "due_at", lambda f, _: f.called_at is not None, _due),
    "called": Rule("callbacks", "called_at"),
    "reached": Rule("callbacks", "called_at", lambda f, _: f.reached, lambda *_: True),
    "running": Rule(
        "callbacks", "called_at", lambda f, _: f.running, lambda f, _: f.running is not None
    ),
    "satisfied": Rule(
        "callbacks", "called_at", lambda f, _: f.satisfied, lambda f, _: f.satisfied is not None
    ),
    "not_running": Rule("callbacks", "called_at", lambda f, _: f.running is False),
    "dissatisfied": Rule("callbacks", "called_at", lambda f, _: f.satisfied is False),
    "conflicts": Rule("callbacks", "called_at", lambda f, _: f.conflict),
    "evaluations": Rule("evaluations", "at"),
    "technical": Rule("evaluations", "at", measured=lambda f, _: f.technical, how="average"),
    "attitude": Rule("evaluations", "at", measured=lambda f, _: f.attitude, how="average"),
    "low_scores": Rule("evaluations", "at", lambda f, _: min(f.technical, f.attitude) < 60),
    "complaints": Rule("complaints", "registered_at", _own),
    "complaints_born": Rule("complaints", "registered_at", lambda f, _: f.born and not f.merged),
    "founded": Rule(
        *("complaints", "registered_at", lambda f, _: f.verdict in {"general", "major"}),
        lambda f, _: f.verdict is not None and not f.merged,
    ),
    "complaints_founded": Rule(
        *("complaints", "registered_at"),
        lambda f, _: f.verdict in {"general", "major"} and not f.merged,
    ),
    "complaints_major": Rule(
        "complaints", "registered_at", lambda f, _: f.verdict == "major" and not f.merged
    ),
    "complaints_told": Rule("complaints", "registered_at", lambda f, _: f.told is not None, _own),
    "complaint_time": Rule(
        "complaints", "registered_at", _own, measured=lambda f, _: f.took, how="average"
    ),
    "complaints_satisfied": Rule(
        *("complaints", "registered_at", lambda f, _: f.satisfied),
        lambda f, _: f.satisfied is not None and not f.merged,
    ),
    "complaints_open": Rule("complaints", "registered_at", _open, when="at_end"),
    "remedied": Rule("complaints", "registered_at", lambda f, _: f.given and not f.merged),
    "remedy_amount": Rule(
        "complaints", "registered_at", _own, measured=lambda f, _: f.amount, how="sum"
    ),
    "rated": Rule("difficulty", "rated_at"),
    "rated_on_the_line": Rule("difficulty", "rated_at", lambda f, _: f.line),
    "difficulty_points": Rule(
        "difficulty", "rated_at", measured=lambda f, _: f.difficulty, how="sum"
    ),
    "difficulty_average": Rule(
        "difficulty", "rated_at", measured=lambda f, _: f.difficulty, how="average"
    ),
    "drawn": Rule("samples", "until"),
    "checked": Rule("samples", "until", lambda f, _: f.checked, lambda *_: True),
    "errors": Rule("samples", "until", lambda f, _: f.wrong),
    "error_rate": Rule("samples", "until", lambda f, _: f.wrong, lambda f, _: f.checked),
    "cases_proposed": Rule("cases", "proposed_at"),
    "cases_approved": Rule("cases", "proposed_at", lambda f, _: f.status == "approved"),
    "cases_used": Rule("cases", "proposed_at", lambda f, _: f.used),
    "library": Rule("cases", "proposed_at", lambda f, _: f.status == "approved", when="at_end"),
    "standby_alarms": Rule("standby", "raised_at"),
}
"""Of each figure, by its key."""


def _local(fact: Fact, rule: Rule, asked: Time) -> datetime:
    at: datetime = getattr(fact, rule.at)
    return at.astimezone(asked.zone)


def _week(fact: Fact, rule: Rule, asked: Time) -> str:
    year, week, _ = _local(fact, rule, asked).isocalendar()
    return f"{year}-W{week:02d}"


def _band(fact: Fact, _: Rule, __: Time) -> str:
    mean = (fact.technical + fact.attitude) / 2
    return str(1 + sum(mean >= least for least in (0, 60, 100, 150)))


def _aged(fact: Fact, rule: Rule, asked: Time) -> str:
    days = (asked.asof - getattr(fact, rule.at)) / timedelta(days=1)
    return str(1 + sum(days >= least for least in (1, 3, 7, 30)))


def _brought(fact: Fact, _: Rule, __: Time) -> str:
    if fact.conflict:
        return "5"
    if not fact.reached:
        return "4"
    if fact.running is False:
        return "3"
    return {True: "1", False: "2", None: "6"}[fact.satisfied]


_CODES: Mapping[str, Callable[[Fact, Rule, Time], str]] = {
    "week": _week,
    "score": _band,
    "age": _aged,
    "call": _brought,
    "hour": lambda *of: f"{_local(*of):%H}",
    "weekday": lambda *of: f"{_local(*of).isoweekday()}",
    "day": lambda *of: f"{_local(*of):%Y-%m-%d}",
    "month": lambda *of: f"{_local(*of):%Y-%m}",
}
"""Codes that are no attribute of that name."""


def _code(by: str, fact: Fact, rule: Rule, asked: Time) -> str:
    found = _CODES[by](fact, rule, asked) if by in _CODES else getattr(fact, by)
    return "-" if found is None else str(found)


class Expected(NamedTuple):
    """What a figure should be, and the issues that it is made of, once for each fact."""

    value: float | None
    n: int
    of: int | None
    issues: tuple[str | None, ...]


def expected(
    facts: Facts, report: Report, asked: Time
) -> Iterator[tuple[Section, str | None, str, Expected]]:
    """Count a report: section, row (None: all), figure, and what it should be."""
    for section in report.sections:
        for key in section.figures:
            rule = RULES[key]
            rows: defaultdict[str | None, list[Fact]] = defaultdict(list)
            for fact in _looked_at(facts, rule, section, asked):
                rows[None].append(fact)
                if section.by:
                    rows[_code(section.by, fact, rule, asked)].append(fact)
            shown = _shown(facts, section, asked)
            codes = [code for code in rows if code is not None]
            for row in (None, *(code for code in codes if shown is None or code in shown)):
                made = _made(rows[row], rule, asked)
                known = key not in _TELEPHONES or _rang(facts, rule, section, asked)
                yield section, row, key, made if known else made._replace(value=None)


_TELEPHONES = {"incoming", "outgoing", "lost"}


def _rang(facts: Facts, rule: Rule, section: Section, asked: Time) -> bool:
    """Say whether the telephone system had any call by then, of whichever department."""
    _, until = asked.bounds(rule.when, section.span)
    return any(fact.book == "telephone" and fact.at < until for fact in facts["calls"])


def _shown(facts: Facts, section: Section, asked: Time) -> set[str] | None:
    """Say which rows a section has of which a figure is to be something; None: all."""
    if not (section.only and section.by):
        return None
    rule = RULES[section.only]
    looked = _looked_at(facts, rule, section, asked)
    return {_code(section.by, f, rule, asked) for f in looked if rule.counts(f, asked)}


def _looked_at(facts: Facts, rule: Rule, section: Section, asked: Time) -> Iterator[Fact]:
    since, until = asked.bounds(rule.when, section.span)
    for fact in facts[rule.of]:
        at = getattr(fact, rule.at)
        if at is None or not since <= at < until:
            continue
        if asked.department in {None, fact.department}:
            yield fact


def _made(facts: Sequence[Fact], rule: Rule, asked: Time) -> Expected:
    among = [fact for fact in facts if rule.among is None or rule.among(fact, asked)]
    found = [fact for fact in among if rule.counts(fact, asked)]
    if rule.measured:
        known = [(fact, rule.measured(fact, asked)) for fact in found]
        known = [each for each in known if each[1] is not None]
        found = [fact for fact, _ in known]
        values = [float(value) for _, value in known]
        return Expected(_HOW[rule.how](values) if values else None, len(found), None, _of(found))
    if rule.among:
        share = len(found) / len(among) if among else None
        return Expected(share, len(found), len(among), _of(found))
    return Expected(len(found), len(found), None, _of(found))


def _of(facts: Iterable[Fact]) -> tuple[str | None, ...]:
    return tuple(fact.issue for fact in facts)


_HOW: Mapping[str, Callable[[Sequence[float]], float]] = {
    "average": statistics.fmean,
    "median": statistics.median,
    "sum": sum,
    "longest": max,
}


def differences(facts: Facts, report: Report, counted: Counted, asked: Time) -> Iterator[str]:
    """Say where a counted report is not what it should be; nothing: it is right."""
    told = {
        (section.key, row.of, figure): value
        for section in counted.sections
        for row in section.rows
        for figure, value in row.values.items()
    }
    for section, of, figure, should in expected(facts, report, asked):
        place = (section.key, of, figure)
        found = told.pop(place, None)
        if found is None:
            if should.n or should.of:
                yield f"{place}: not there, should be {should[:3]}"
            continue
        if (found.n, found.of) != (should.n, should.of) or not _same(found.value, should.value):
            yield f"{place}: {found.value} of {found.n}, {found.of}; should be {should[:3]}"
    for place, value in told.items():
        if value.n or value.of:
            yield f"{place}: {value.value} of {value.n}, {value.of}; should not be there"


def _same(one: Any, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(float(one), other, rel_tol=1e-9, abs_tol=1e-6)
