"""The week's reports (R27) of what was played: counted and shown as the management reads them, and
held against the scripts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.text import Text

from demo.play.evidence import Evidence
from demo.play.samples import SampleIssue
from demo.reported import said
from domain.reports.counted import Counted
from domain.reports.definitions import REPORTS, Report
from domain.reports.figures import FIGURES
from domain.reports.weekly import CALLBACKS, EFFECTIVENESS
from domain.sla.promise import CUSTOMERS, PromiseEnd, PromiseKind
from domain.vocabulary import Outcome

ShowReport = Callable[[Report, Counted], Iterable[RenderableType]]
"""How a terminal shows a counted report."""

_SHOWN: Mapping[str, tuple[str, ...]] = {
    CALLBACKS.name: ("all", "outcomes"),
    EFFECTIVENESS.name: ("all", "kinds", "promises"),
}
"""The sections that are shown of each report."""

COUNTED = tuple(REPORTS[name] for name in _SHOWN)


def shown(reports: Sequence[Counted], show: ShowReport) -> Iterator[RenderableType]:
    """What of the newest week's reports a terminal has room for. Nobody's words stand in it: all
    customers of a demonstration say the same.
    """
    head = (
        "\n本周至今的报表，时长里一小时按一秒计 "
        "The week's reports so far; an hour is a second in them, too"
    )
    yield Text(head, style="bold")
    for each in reports[-len(_SHOWN) :]:
        whole = REPORTS[each.report]
        some = replace(whole, sections=tuple(map(whole.section, _SHOWN[whole.name])))
        yield Text()
        yield from show(some, each.without_words())


def address(base_url: str, reports: Sequence[Counted]) -> str:
    """Where people read the newest week's service effectiveness in a browser."""
    return f"{base_url}/reports/{EFFECTIVENESS.name}/{reports[-1].period}"


def problems(evidence: Evidence) -> Iterator[str]:
    """Say which figures of the reports are not what was played."""
    for figure, wanted in _played([each.sample for each in evidence.played]).items():
        found = said(evidence.reports, figure)
        if found != wanted:
            yield f"{FIGURES[figure].en}: the reports say {found}, the scripts {wanted}"


def _played(samples: Sequence[SampleIssue]) -> dict[str, int]:
    """Work out what the figures must be, without asking the desk."""
    lives = [each.expected for each in samples]
    outcomes = Counter(each.outcome for each in lives)
    calls = Counter(call for each in lives for _, _, call in each.calls)
    ends = Counter(
        end
        for each in lives
        for key, end in each.promises.items()
        if PromiseKind(key.partition(".")[0]) not in CUSTOMERS
    )
    return {
        "registered": len(lives),
        "closed": len(lives) - outcomes[Outcome.MERGED],
        "merged": outcomes[Outcome.MERGED],
        "given_up": outcomes[Outcome.WITHDRAWN],
        "reopened": sum(each.reopened > 0 for each in lives),
        "first_contact": sum(each.rounds[-1].by_hotline for each in samples if each.rounds),
        "kept": ends[PromiseEnd.KEPT],
        "broken": ends[PromiseEnd.BROKEN],
        "backlog": 0,
        "overdue": 0,
        "called": calls.total(),
        "reached": calls.total() - calls["not_reached"],
        "not_running": calls["bad"],
        "conflicts": calls["conflict"],
    }
