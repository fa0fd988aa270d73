"""Why promises are due when they are, as people see it in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.calendar.pictures import convention, days
from domain.issue.view import local
from domain.sla.why import Reminder, Why
from domain.vocabulary import ESCALATION
from domain.words import AUDIENCES, DOUBTS, ENDS, PROMISES, ROLES, both


def explained(found: Iterable[Why]) -> Iterator[RenderableType]:
    """Promise by promise: when and by what, each day, each pause, who is told, what is in doubt."""
    for each in found:
        promise = each.promise
        yield Text(f"\n{both(PROMISES, promise.kind)} · {promise.key}", style="bold")
        yield _facts(each)
        if each.days:
            yield Padding(days(each.days), (0, 0, 0, 2))
        if each.pauses:
            yield Padding(_pauses(each), (0, 0, 0, 2))
        yield Padding(_reminders(each), (0, 0, 0, 2))
        yield _verdict(each)


def _facts(each: Why) -> Table:
    promise, zone = each.promise, each.zone
    due = Text(local(promise.due_at, zone), style="bold")
    if promise.provisional:
        due += Text("  暂定 provisional", style="bold yellow")
    ended = f" {local(promise.ended_at, zone)}" if promise.ended_at else ""
    rule = f" · {each.rule}" if each.rule else ""
    within = convention(each.days, each.days.period) if each.days else promise.target
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in (
        ("到期 Due", due),
        ("起算 From", Text(local(promise.made_at, zone))),
        ("时限 Within", Text(within)),
        ("日历 Calendar", Text(promise.calendar)),
        ("政策 Policy", Text(f"{each.policy} · {each.version}{rule}")),
        ("状态 State", Text(f"{both(ENDS, promise.end)}{ended}")),
    ):
        grid.add_row(Text(f"  {label}", style="dim"), value)
    return grid


def _pauses(each: Why) -> Table:
    table = _table("暂停 Stood still from", "到 To", "计时 Of its time", "期限改为 Then due")
    for pause in each.pauses:
        table.add_row(
            local(pause.begin, each.zone),
            local(pause.end, each.zone) if pause.end else "仍在暂停 still does",
            str(pause.counted) if pause.counted is not None else "",
            local(pause.due_after, each.zone) if pause.end else "",
        )
    return table


def _reminders(each: Why) -> Table:
    table = _table("提醒 Reminder", "时间 At", "通知 Tells", "状态 State")
    for reminder in each.reminders:
        mark = reminder.mark
        told = [both(AUDIENCES, audience) for audience in mark.tell]
        if mark.level:
            told.append(f"升级至 rises to {both(ROLES, ESCALATION[mark.level])}")
        table.add_row(
            mark.name,
            local(mark.at, each.zone),
            "\n".join(told) or "-",
            _state(reminder, running=each.promise.running),
        )
    return table


def _state(reminder: Reminder, *, running: bool) -> str:
    if reminder.mark.skipped:
        return "跳过 skipped"
    if reminder.reached:
        return "已到 reached"
    return "未到 ahead" if running else "不再需要 not needed"


def _verdict(each: Why) -> Text:
    if each.doubts:
        said = "\n".join(f"  ! {both(DOUBTS, doubt)}" for doubt in each.doubts)
        return Text(said, style="bold yellow")
    return Text("  ✓ 重新计算，与登记一致 Worked out again: as it is kept.", style="green")


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
