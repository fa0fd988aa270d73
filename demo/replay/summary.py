"""What a replay came to, for a person to read: the desk's figures beside the file's, and how late
the desk was.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from temporalio.client import Client

from demo import reported
from demo.replay import tally
from demo.replay.figures import Figures
from demo.replay.log import SOURCE
from demo.replay.people import SOURCE_SYSTEM
from demo.replay.play import Progress
from demo.replay.tally import Alarms, IssueCounts, Lag
from domain.issue.actions import ActionName
from domain.issue.intake import issue_id
from domain.reports.weekly import EFFECTIVENESS
from domain.vocabulary import Model
from store import rulebooks
from store.connection import Pool

_PEOPLES = frozenset(
    {
        *(ActionName.ACCEPT, ActionName.WAIT_FOR_CUSTOMER, ActionName.RESUME),
        *(ActionName.REASSIGN, ActionName.RESOLVE, ActionName.RECORD_CALLBACK),
    }
)
_AT_ONCE = 16

_WORDS = {
    "opened": "登记 opened",
    "reassigned": "改派 reassigned",
    "waited": "等待过 waited",
    "resolved_in_time": "按时解决 resolved in time",
    "resolved_late": "逾期解决 resolved late",
    "reopened": "重开 reopened",
    "still_open": "未结 still open",
    "closed": "办结 closed",
}
_REPORTED = {"opened": "registered", "reopened": "reopened", "closed": "closed"}
"""Figures of the service effectiveness report that count the same."""


class Histories(Model):
    """The issues' workflows in Temporal: how many, and their history events."""

    workflows: int
    events: int
    longest: int


class Summary(Model):
    """The day at the desk, from its registers, ledger and Temporal; ``file`` is the log's own,
    ``reported`` what the report says that the management reads (R27).
    """

    file: Figures
    desk: IssueCounts
    reported: Mapping[str, int] = {}
    references: tuple[str, ...]
    """One for each issue in the register."""
    wanted: tuple[str, ...]
    """The incidents that were to become issues."""
    acts_wanted: int
    steps: dict[str, int]
    messages: dict[str, int]
    histories: Histories
    alarms: Alarms
    answers: Lag
    behind: Lag
    seconds: float
    failures: tuple[str, ...]

    @property
    def acts(self) -> int:
        """The steps that people took."""
        return sum(count for action, count in self.steps.items() if action in _PEOPLES)

    @property
    def problems(self) -> tuple[str, ...]:
        """Whatever is not as it should be, a sentence each."""
        differences = (
            f"{_WORDS[name]}: the desk has {ours}, the file {theirs}"
            for name, ours, theirs in self.side_by_side()
            if ours != theirs
        )
        return (*differences, *self._reported_otherwise(), *self._not_one_each(), *self.failures)

    def side_by_side(self) -> Iterable[tuple[str, int, int]]:
        """Give name, the desk's number and the file's of each figure."""
        ours, theirs = self.desk.model_dump(), self.file.model_dump()
        return ((name, ours[name], theirs[name]) for name in theirs)

    def _reported_otherwise(self) -> Iterable[str]:
        for name, ours, _ in self.side_by_side():
            if self.reported.get(name, ours) != ours:
                yield f"{_WORDS[name]}: the report says {self.reported[name]}, the desk has {ours}"

    def _not_one_each(self) -> Iterable[str]:
        issues = Counter(self.references)
        for reference in sorted(issues.keys() | set(self.wanted)):
            wanted = 1 if reference in self.wanted else 0
            if issues[reference] != wanted:
                yield f"incident {reference} is {issues[reference]} issues instead of {wanted}"
        if self.histories.workflows != len(self.wanted):
            yield (
                f"Temporal has {self.histories.workflows} issue workflows "
                f"for {len(self.wanted)} incidents"
            )
        if self.acts != self.acts_wanted:
            yield f"the register has {self.acts} acts of people instead of {self.acts_wanted}"


async def summarise(
    pool: Pool,
    client: Client,
    file: Figures,
    wanted: Sequence[str],
    progress: Progress,
    seconds: float,
) -> Summary:
    """Ask registers and Temporal what became of the ``wanted`` references; ``seconds`` is how long
    people acted.
    """
    return Summary(
        file=file,
        desk=await tally.tally(pool, SOURCE_SYSTEM),
        reported=await _reported(pool),
        references=tuple(await tally.references(pool, SOURCE_SYSTEM)),
        wanted=tuple(wanted),
        acts_wanted=progress.steps,
        steps=dict(await tally.steps(pool, SOURCE_SYSTEM)),
        messages=dict(await tally.messages(pool, SOURCE_SYSTEM)),
        histories=await _histories(client, wanted),
        alarms=await tally.alarms(pool, SOURCE_SYSTEM),
        answers=_lag(progress.answers),
        behind=_lag(progress.behind),
        seconds=seconds,
        failures=tuple(
            f"incident {failure.reference}, {failure.what}: {failure.reason}"
            for failure in progress.failures
        ),
    )


async def _reported(pool: Pool) -> dict[str, int]:
    """Count as the management reads it, by the real weeks that the replay took place in."""
    async with pool.acquire() as connection:
        adopted = await rulebooks.current(connection)
    if adopted is None:
        raise LookupError(rulebooks.NO_POLICY)
    now = datetime.now(UTC)
    reports = await reported.counted(pool, (EFFECTIVENESS,), adopted.policy, now)
    return {name: reported.said(reports, figure) for name, figure in _REPORTED.items()}


async def _histories(client: Client, references: Sequence[str]) -> Histories:
    room = asyncio.Semaphore(_AT_ONCE)

    async def length(reference: str) -> int:
        async with room:
            handle = client.get_workflow_handle(issue_id(SOURCE_SYSTEM, reference))
            return (await handle.describe()).history_length

    counted = await client.count_workflows("WorkflowType = 'IssueWorkflow'")
    lengths = await asyncio.gather(*map(length, references))
    return Histories(workflows=counted.count, events=sum(lengths), longest=max(lengths, default=0))


def _lag(seconds: Sequence[float]) -> Lag:
    """Take the value that 95 % are not above."""
    if not seconds:
        return Lag(count=0, p95=None, longest=None)
    ordered = sorted(seconds)
    return Lag(
        count=len(ordered), p95=ordered[-(-len(ordered) * 95 // 100) - 1], longest=ordered[-1]
    )


def render(summary: Summary, title: str) -> RenderableType:
    """Lay the summary out for a terminal."""
    beside = Table(title=title, title_justify="left", caption=f"Source: {SOURCE}")
    beside.caption_justify = "left"
    for heading in ("", "一诺 desk", "文件 file", "差 difference", "报表 report"):
        beside.add_column(heading, justify="right" if heading else "left")
    for name, ours, theirs in summary.side_by_side():
        difference = f"{ours - theirs:+d}" if ours != theirs else "0"
        report = str(summary.reported.get(name, "–"))
        beside.add_row(_WORDS[name], str(ours), str(theirs), difference, report)

    late = Table(title="How late the desk was, in seconds", title_justify="left")
    for heading in ("", "count", "p95", "max"):
        late.add_column(heading, justify="right" if heading else "left")
    for what, lag in (
        ("an act, from sending to answer", summary.answers),
        ("an act, from its instant to the answer", summary.behind),
        ("an alarm, from its instant to the record", summary.alarms.recorded),
        ("an alarm, from its instant to the last one told", summary.alarms.told),
    ):
        late.add_row(what, str(lag.count), _seconds(lag.p95), _seconds(lag.longest))
    return Group(beside, late, *_sentences(summary))


def _sentences(summary: Summary) -> Iterable[str]:
    updates = summary.desk.opened + summary.acts
    yield (
        f"{updates} updates in {summary.seconds:.0f} s, {updates / summary.seconds:.1f} a second; "
        f"{sum(summary.steps.values())} steps in the register; "
        f"{summary.histories.events} history events, at most {summary.histories.longest} an issue"
    )
    messages = ", ".join(f"{count} {status}" for status, count in sorted(summary.messages.items()))
    yield f"{sum(summary.messages.values())} messages: {messages or 'none'}"
    if not summary.problems:
        yield "没有差异 No difference: every incident is one issue."
    yield from summary.problems


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
