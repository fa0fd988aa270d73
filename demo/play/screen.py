"""What can be seen while the scripts are played: a table that moves, or plain lines."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.play.board import Board
from demo.play.words import ACTIONS, PROMISES, STAGES
from demo.stage import Theatre
from domain.issue.state import StepNote
from domain.issue.view import IssueView
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Stage
from starter.up import Progress
from store.issue_reader import Unsettled

_REFRESH = 0.25
_LINE_EVERY = 2.0
_EVENTS = 10
_BAR = 8
_OTHER_LINES = 32


def reporter(console: Console) -> Progress:
    """Tell which parts of a desk are there; that one goes down in order is no news."""

    def report(part: str, state: str, detail: str) -> None:
        if state not in {"starting", "stopped"}:
            said = detail if state == "ready" else f"{state} {detail}"
            line = Text.assemble(("✓ ", "green"), f"{part:<18} {said}", style="dim")
            console.print(line, soft_wrap=True)

    return report


class Screen:
    """Shows the desk until it is told to stop."""

    def __init__(self, console: Console, place: Theatre, board: Board, expected: int) -> None:
        self._console = console
        self._place = place
        self._board = board
        self._expected = expected
        self._began = time.monotonic()
        self._undelivered: list[Unsettled] = []
        self._stages_seen: set[Stage] = set()

    async def run(self) -> None:
        """Show, until cancelled; the last picture stays."""
        if not self._console.is_terminal:
            await self._lines()
            return
        with Live(
            self.picture(), console=self._console, auto_refresh=False, transient=False
        ) as live:
            try:
                while True:
                    await self._look()
                    live.update(self.picture(), refresh=True)
                    await asyncio.sleep(_REFRESH)
            finally:
                live.update(self.picture(), refresh=True)

    async def _lines(self) -> None:
        while True:
            await asyncio.sleep(_LINE_EVERY)
            await self._look()
            self._console.print(self._line(), soft_wrap=True)

    async def _look(self) -> None:
        self._undelivered = await self._place.desk.undelivered()

    @property
    def _views(self) -> Sequence[IssueView]:
        return tuple(self._board.views.values())

    @property
    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:5.1f} s"

    def _line(self) -> str:
        stages = Counter(view.stage for view in self._views)
        counted = ", ".join(f"{stages[stage]} {stage}" for stage in Stage if stages[stage])
        running, overdue = _running(self._views)
        arrived = len(self._place.receiver.received)
        return (
            f"{self._elapsed}  {counted or 'no issue yet'}; promises: {running} running, "
            f"{overdue} overdue; messages: {arrived} arrived, {self._handed_over} handed over"
        )

    @property
    def _handed_over(self) -> int:
        return sum(each.status == "handed_over" for each in self._undelivered)

    def picture(self) -> RenderableType:
        """Everything, as it stands."""
        halves = Table.grid(expand=True, padding=(0, 2, 0, 0))
        halves.add_column(ratio=3)
        halves.add_column(ratio=4)
        halves.add_row(Group(self._stages(), self._messages()), self._promises())
        return Group(self._head(), halves, self._events())

    def _head(self) -> RenderableType:
        closed = sum(view.stage is Stage.CLOSED for view in self._views)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(
            Text(self._elapsed, style="bold cyan"),
            ProgressBar(total=self._expected, completed=closed, width=40),
            Text(f"{closed}/{self._expected} 已关闭 closed", style="bold"),
        )
        return Group(Text(), grid)

    def _stages(self) -> Table:
        table = _table("阶段 Stage", "问题 Issues")
        table.add_column("", width=_BAR)
        counts = Counter(view.stage for view in self._views)
        self._stages_seen |= counts.keys()
        for stage in (each for each in Stage if each in self._stages_seen):
            count = counts[stage]
            style = "" if count else "dim"
            bar = Text("█" * round(_BAR * count / self._expected), style="cyan", no_wrap=True)
            table.add_row(_label(STAGES[stage], style), Text(f"{count or '·'}", style), bar)
        return table

    def _promises(self) -> Table:
        table = _table("承诺 Promise", "进行 Run", "逾期 Overdue", "守诺 Kept", "失约 Broken")
        for kind in PromiseKind:
            found = [each for view in self._views for each in view.promises if each.kind is kind]
            if not found:
                continue
            ended = Counter(each.end for each in found if each.ended_at)
            running = [each for each in found if each.ended_at is None]
            overdue = sum(each.end is PromiseEnd.BROKEN for each in running)
            table.add_row(
                _label(PROMISES[kind]),
                _number(len(running)),
                _number(overdue, "bold red"),
                _number(ended[PromiseEnd.KEPT], "green"),
                _number(ended[PromiseEnd.BROKEN], "red"),
            )
        return table

    def _messages(self) -> Table:
        table = _table("渠道 Channel", "送达 Arrived", "在途 Pending", "转人工 Handed over")
        arrived = Counter(each.channel for each in self._place.receiver.received)
        handed = Counter(e.channel or "—" for e in self._undelivered if e.status == "handed_over")
        pending = Counter(e.channel or "—" for e in self._undelivered if e.status != "handed_over")
        for channel in sorted(arrived.keys() | handed.keys() | pending.keys()):
            table.add_row(
                _label(channel),
                _number(arrived[channel], "green"),
                _number(pending[channel], "yellow"),
                _number(handed[channel], "red"),
            )
        return table

    def _events(self) -> Table:
        table = Table(
            box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True
        )
        for name, width in {"at": 8, "number": 16, "action": 20, "by": 12}.items():
            table.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
        table.add_column("note", no_wrap=True, overflow="ellipsis", ratio=1)
        shown = max(1, min(_EVENTS, self._console.height - _OTHER_LINES))
        latest = sorted(self._steps(), key=lambda each: each[1].at)[-shown:]
        for view, step in latest:
            table.add_row(
                Text(_clock(step.at, view.zone), style="dim"),
                view.number,
                ACTIONS[step.action],
                step.by,
                Text(" · ".join(filter(None, (step.note, view.title))), style="dim"),
            )
        return table

    def _steps(self) -> Iterator[tuple[IssueView, StepNote]]:
        return ((view, step) for view in self._views for step in view.steps)


def _table(first: str, *numbers: str) -> Table:
    """Make a table whose labels are cut off, not its numbers, where there is little room."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 0), pad_edge=False, expand=True)
    table.add_column(Text(first, no_wrap=True, overflow="ellipsis"), ratio=1)
    for name in numbers:
        widest = max(map(cell_len, name.split()))
        head = name.replace(" ", "\n")
        table.add_column(head, justify="right", no_wrap=True, min_width=widest)
    return table


def _label(said: str, style: str = "") -> Text:
    return Text(said, style, no_wrap=True, overflow="ellipsis")


def _number(count: int, style: str = "") -> Text:
    return Text(str(count), style) if count else Text("·", "dim")


def _running(views: Sequence[IssueView]) -> tuple[int, int]:
    """How many clocks run, and how many of these are past due."""
    running = [each for view in views for each in view.promises if each.ended_at is None]
    return len(running), sum(each.end is PromiseEnd.BROKEN for each in running)


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"
