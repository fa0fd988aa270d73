"""A report as it might have been counted, made by chance: for whoever only looks at reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random

from domain.reports.counted import Counted, CountedRow, CountedSection, Quoted, Value
from domain.reports.definitions import REPORTS, Report, Section
from domain.reports.dimensions import DIMENSIONS
from domain.reports.figures import Figure, Holds

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
SAID = "等太久，服务<太差>了 & 还行\n=1+1"
_NAMED = {
    "week": [(f"2026-W{week}",) * 3 for week in range(40, 48)],
    "person": [("liang.jiahao", "梁家豪", "梁家豪"), ("rare", "𠮷田<b>", "𠮷田<b>")],
}


def made(report: Report, seed: int = 1, *, empty: bool = False, over: bool = True) -> Counted:
    """Make up figures of the 47th week of 2026; ``empty``: there was nothing."""
    chance = Random(seed)  # noqa: S311  no secret
    return Counted(
        report=report.name,
        period="2026-W47",
        zone="Asia/Shanghai",
        rulebook="0" * 64,
        counted_at=AT,
        over=over,
        data_since=AT,
        aims={"satisfied": 0.9},
        sections=tuple(_section(each, chance, empty=empty) for each in report.sections),
    )


_CALLED: Mapping[str, tuple[float, float]] = {
    "callbacks_due": (1.08, 0),
    "callbacks_done": (1, 1.08),
    "called": (1, 0),
    "reached": (0.92, 1),
    "running": (0.88, 0.92),
    "satisfied": (0.84, 0.9),
    "not_running": (0.04, 0),
    "dissatisfied": (0.06, 0),
    "conflicts": (0.02, 0),
}
"""So many of each call, and of how many a share is one."""
_OUTCOMES = dict(zip("123456", (0.8, 0.04, 0.04, 0.08, 0.02, 0.02), strict=True))


def called(calls: Mapping[str, int], words: Sequence[str]) -> Counted:
    """Make up a week's callbacks, so many of each engineer, and what customers said: figures that
    go together, to be looked at.
    """
    report, all_of_them = REPORTS["callbacks"], sum(calls.values())
    people = {f"p{n}": (each, each, calls[each]) for n, each in enumerate(calls)}
    rows: dict[str, Mapping[str, tuple[str, str, float]]] = {
        "engineers": people,
        "departments": {"technical_service": ("技术服务部", "technical service", all_of_them)},
        "outcomes": {
            code: (*both, all_of_them * _OUTCOMES[code])
            for code, both in DIMENSIONS["call"].called.items()  # type: ignore[union-attr]
        },
        "weeks": {
            f"2026-W{week}": (f"2026-W{week}",) * 2 + (all_of_them - 3 * (47 - week),)
            for week in range(40, 48)
        },
    }
    return made(report, empty=True).model_copy(
        update={
            "sections": tuple(
                CountedSection(
                    key=each.key,
                    rows=(
                        *(_called(each, code, *of) for code, of in rows.get(each.key, {}).items()),
                        _called(each, None, "合计", "All", all_of_them),
                    ),
                    words=tuple(
                        Quoted(issue=f"20261118-07-{n:04}", at=AT, words=said)
                        for n, said in enumerate(words, start=1)
                        if each.words
                    ),
                )
                for each in report.sections
            ),
        }
    )


def _called(section: Section, code: str | None, zh: str, en: str, calls: float) -> CountedRow:
    values = {}
    for figure in section.counted:
        part, whole = _CALLED.get(figure.key, (0.02, 0.04))
        n, of = round(part * calls), round(whole * calls)
        share = (n / of if of else None) if figure.among else n
        values[figure.key] = Value(value=share, n=n, of=of if figure.among else None)
    return CountedRow(of=code, zh=zh, en=en, values=values)


def _section(section: Section, chance: Random, *, empty: bool) -> CountedSection:
    names = [] if empty or section.dimension is None else _names(section)
    rows = [
        CountedRow(of=of, zh=zh, en=en, values={f.key: _value(f, chance) for f in section.counted})
        for of, zh, en in names
    ]
    nothing = {each.key: Value(of=0 if each.among else None) for each in section.counted}
    total = nothing if empty else {each.key: _value(each, chance) for each in section.counted}
    words = (Quoted(issue="20261118-07-0001", at=AT, words=SAID),) if section.words else ()
    return CountedSection(
        key=section.key,
        rows=(*rows, CountedRow(zh="合计", en="All", values=total)),
        words=() if empty else words,
    )


def _names(section: Section) -> list[tuple[str, str, str]]:
    by = section.dimension
    assert by
    if by.key in _NAMED:
        return _NAMED[by.key]
    if isinstance(by.called, Mapping):
        return [(code, *both) for code, both in by.called.items()]
    return [("one", "甲", "one"), ("other", "乙", "other")]


def _value(figure: Figure, chance: Random) -> Value:
    if chance.random() < 0.1:
        return Value(of=0 if figure.among else None)
    n = chance.randrange(1, 300)
    match figure.holds:
        case Holds.SHARE:
            of = n + chance.randrange(100)
            return Value(value=n / of, n=n, of=of)
        case Holds.COUNT:
            return Value(value=n, n=n)
        case _:
            return Value(value=chance.random() * 100_000, n=n)
