"""How issues are shown to people in a terminal. Times are in the desk's zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.approvals import offered
from cli.issues import thread
from cli.issues.actions import COMMANDS
from cli.names import Names, department
from cli.tables import plain, table_of
from domain.attachments import Attachment, Standing
from domain.finding import Answer, Passage
from domain.issue.forms import PaidService
from domain.issue.state import Person, SlaState
from domain.issue.thread import Entry
from domain.issue.view import IssueView, PromiseView, local
from domain.roles import rank
from domain.sla.promise import PromiseEnd
from domain.terms import Terms
from domain.vocabulary import Severity
from domain.words import ACTIONS, KEPT_BECAUSE, OUTCOMES, STAGES, both, both_of
from store.issue_reader import Unsettled
from store.kept_words import Kept


class Said(NamedTuple):
    """What was said about an issue: the ``whole`` thread, or its last entries."""

    entries: Sequence[Entry]
    open_words: Sequence[Entry]
    next: bool
    whole: bool


_SLA_STYLE = {
    SlaState.OVERDUE: "bold red",
    SlaState.AT_RISK: "yellow",
    SlaState.PAUSED: "cyan",
    SlaState.ON_TIME: "green",
    SlaState.MISSED: "red",
    SlaState.MET: "green",
    SlaState.BROKEN_OFF: "bold red",
}
_END_STYLE = {PromiseEnd.BROKEN: "red", PromiseEnd.KEPT: "green", PromiseEnd.WITHDRAWN: "dim"}


def listing(views: Sequence[IssueView]) -> RenderableType:
    """One line an issue, nearest due first."""
    if not views:
        return Text("No such issues.")
    table = table_of(
        "编号\nNumber", "阶段\nStage", "期限\nDue", "时效\nSLA", "处理人\nWith", "地区\nRegion"
    )
    table.add_column("产品\nProduct", no_wrap=True, max_width=12)
    table.add_column("标题\nTitle", no_wrap=True, overflow="ellipsis", ratio=1)
    for view in views:
        table.add_row(
            Text(view.number, style="bold" if view.severity is Severity.MAJOR else ""),
            view.outcome or view.stage,
            _next_due(view),
            Text(view.sla_state, style=_SLA_STYLE[view.sla_state]),
            plain(_holder(view)),
            view.region,
            view.product_line,
            plain(view.title),
        )
    count = f"{len(views)} issue{'s' if len(views) > 1 else ''}"
    return Group(table, _zones(views, f"{count}; bold: major. "))


_USUAL = Terms()


def page(view: IssueView, said: Said | None = None, own: Terms = _USUAL) -> RenderableType:
    """One issue: what it is, who has it, what was promised, what happened, what can be done; with
    what was ``said`` about it, if that is known, and in the desk's ``own`` words.
    """
    urgency = "重大 major" if view.severity is Severity.MAJOR else "一般 general"
    what = (
        *(both_of(each.both) for each in (own.kind(view.kind), own.category(view.category))),
        *(urgency, view.product_line, view.region),
    )
    parts: list[RenderableType] = [
        Text(f"{view.number} · {plain(view.title)}", style="bold"),
        Text(" · ".join(what)),
        *(
            [Text(), thread.waiting(said.open_words, view.zone, own)]
            if said and said.open_words
            else []
        ),
        Padding(_facts(view, own), (1, 0)),
        _promises(view),
        *(_thread(view, said, own) if said else _last_steps(view)),
    ]
    if view.results and not said:
        parts.append(Text("\n结果 Results", style="bold"))
        parts += (Padding(Text(plain(result)), (0, 0, 0, 2)) for result in view.results)
    commands = {command.action: command.name for command in COMMANDS}
    possible = " ".join(commands[name] for name in view.can) or "—"
    parts += (Text.assemble(("\n可做 Possible next  ", "bold"), possible), _zones([view]))
    return Group(*parts)


def found(answer: Answer) -> RenderableType:
    """What was looked for: an issue, and by what it was found."""
    parts: list[RenderableType] = []
    for each in answer.found:
        state = both(STAGES, each.stage) if each.outcome is None else both(OUTCOMES, each.outcome)
        day = f"{each.registered_at.astimezone(ZoneInfo(each.zone)):%Y-%m-%d}"
        who = each.engineer.name if each.engineer else "nobody"
        parts.append(Text.assemble((each.number, "bold"), " · ", _marked(each.title)))
        lines = [Text(f"{state} · {day} · {plain(who)}", style="dim")]
        lines += [_marked(each.customer)] if each.customer else []
        lines += [
            Text.assemble((f"{both(ACTIONS, hit.action) if hit.action else '—'}  ", "dim"))
            + _marked(hit.passage)
            for hit in each.hits
        ]
        parts += (Padding(line, (0, 0, 0, 2)) for line in lines)
    return Group(*parts, *(Text(said, style="dim") for said in _remarks(answer)))


def _remarks(answer: Answer) -> list[str]:
    said = {
        "Too short: write at least two characters, or four digits of a number.": answer.short,
        "Nothing found.": not (answer.found or answer.short or answer.partly),
        "Nothing has all of it; these have nearly all.": answer.nearly,
        "So common that older issues were looked through in part only: add a word.": answer.partly,
        "There are more: add a word, or --limit.": answer.more and not answer.partly,
    }
    return [sentence for sentence, true in said.items() if true]


def _marked(passage: Passage) -> Text:
    pieces = ((plain(text), "bold yellow" if hit else "") for text, hit in passage.pieces)
    return Text.assemble(*pieces)


def paid(service: PaidService, called: Names) -> RenderableType:
    """What a survey found, and what is offered at which price, by whom."""
    said = Text("\n".join(offered(service, called)))
    return Group(Text("\n有费服务 Paid service", style="bold"), Padding(said, (0, 0, 0, 2)))


def _last_steps(view: IssueView) -> Iterator[RenderableType]:
    yield Text("\n最近 Last steps", style="bold")
    yield Padding(_steps(view), (0, 0, 0, 2))


def _thread(view: IssueView, said: Said, own: Terms) -> Iterator[RenderableType]:
    yield Text("\n来往 Thread", style="bold")
    yield Padding(thread.thread(said.entries, view.zone, own, short=not said.whole), (0, 0, 0, 2))
    if not said.whole and said.next:
        yield Text(f"  更早的 Earlier: yinuo issue show {view.number} --thread", style="dim")


def unsettled(messages: Sequence[Unsettled]) -> RenderableType:
    """Messages that did not arrive."""
    if not messages:
        return Text("Every message has arrived.")
    table = table_of(
        *("编号\nNumber", "给\nFor", "收件人\nRecipient", "渠道\nChannel", "状态\nStatus")
    )
    table.add_column("次数\nTried", justify="right")
    table.add_column("错误\nLast error", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in messages:
        table.add_row(
            each.number or "—",
            each.audience,
            plain(each.recipient),
            each.channel or "—",
            each.status,
            str(each.attempts),
            plain(each.last_error or ""),
        )
    return table


def kept(words: Sequence[Kept]) -> RenderableType:
    """What else was written about an issue, oldest first."""
    if not words:
        return Text("Nothing else was written.")
    parts: list[RenderableType] = []
    for each in words:
        because = " ".join(KEPT_BECAUSE[each.why])
        where = " · ".join(filter(None, (each.door, plain(each.sender))))
        parts.append(Text(f"{each.at.isoformat(timespec='minutes')} · {because} · {where}", "dim"))
        if each.subject:
            parts.append(Text(plain(each.subject), style="bold"))
        parts.append(Padding(Text(plain(each.body)), (0, 0, 1, 2)))
    return Group(*parts)


def attached(found: Sequence[Attachment]) -> RenderableType:
    """One line an attachment, oldest first."""
    if not found:
        return Text("Nothing is attached.")
    table = table_of("附件\nAttachment", "添加 UTC\nAt", "添加人\nBy", "字节\nBytes")
    table.add_column("类型\nKind", no_wrap=True, overflow="ellipsis", max_width=12)
    table.add_column("名称\nName", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in found:
        kind = each.kind if each.standing is Standing.SERVED else f"{each.kind}, {each.standing}"
        table.add_row(
            *(each.id, f"{each.at:%m-%d %H:%M}", each.actor),
            *(str(each.size), kind, plain(each.name)),
        )
    return table


def _facts(view: IssueView, own: Terms) -> Table:
    state = view.stage + (f" ({view.outcome})" if view.outcome else "")
    facts = (
        ("阶段 Stage", Text(state, style="bold")),
        ("时效 SLA", Text(view.sla_state, style=_SLA_STYLE[view.sla_state])),
        ("处理人 With", plain(_holder(view, with_id=True))),
        ("部门 Department", f"{department(view.department, own)}, {view.centre}"),
        ("报告 Reported", local(view.reported_at, view.zone)),
        ("登记 Registered", local(view.registered_at, view.zone)),
        ("来源 Reference", f"{view.source} {view.reference}"),
        ("已答复 Answered", "yes" if view.answered else "not yet"),
        ("升级 Escalation", both_of(rank(view.escalation_level))),
        ("重开 Reopened", str(view.reopen_count)),
    )
    grid = Table.grid(padding=(0, 2, 0, 0))
    named = [(Text(name, style="dim"), value) for name, value in facts]
    for left, right in zip(named[::2], named[1::2], strict=True):
        grid.add_row(*left, *right)
    return grid


def _promises(view: IssueView) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for header in ("承诺 Promise", "时限 Within", "期限 Due", "状态 State", "用时"):
        table.add_column(header, no_wrap=True)
    for promise in view.promises:
        until = local(promise.due_at, view.zone) + (" 暂定" if promise.provisional else "")
        used = _hours(promise.consumed) if promise.consumed is not None else ""
        table.add_row(promise.key, promise.target, until, _standing(promise, view.zone), used)
    return table


def _steps(view: IssueView) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for step in reversed(view.steps):
        who = Text.assemble(step.action, (f" · {step.by}", "dim"))
        said = f" (said {local(step.said_at, view.zone)})" if step.said_at else ""
        grid.add_row(Text(local(step.at, view.zone), style="dim"), who, plain(step.note) + said)
    return grid


def _standing(promise: PromiseView, zone: str) -> Text:
    if promise.ended_at:
        said = " 自述 by own word" if promise.by_own_word else ""
        ended = f"{promise.end} {_short(promise.ended_at, zone)}{said}"
        return Text(ended, style="yellow" if said else _END_STYLE.get(promise.end, ""))
    if promise.paused:
        return Text("standing still", style="cyan")
    if promise.end is PromiseEnd.BROKEN:
        return Text("overdue", style="bold red")
    if promise.end is PromiseEnd.SKIPPED:
        return Text("past by a later plan", style="yellow")
    if promise.opens_at:
        return Text(f"from {_short(promise.opens_at, zone)}")
    return Text("running")


def _hours(span: timedelta) -> str:
    """Write time on a promise's own clock: ``14 h 30 min``."""
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    parts = (f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else "")
    return " ".join(filter(None, parts))


def _holder(view: IssueView, *, with_id: bool = False) -> str:
    def called(person: Person) -> str:
        return f"{person.name} ({person.id})" if with_id else person.name

    if view.engineer:
        return called(view.engineer)
    if view.taken_by and not view.lead:
        return f"热线 hotline {view.taken_by}"
    return f"{called(view.lead)}, nobody free" if view.lead and with_id else "nobody"


def _next_due(view: IssueView) -> str:
    """The next due instant; with a question mark where the next notice may move it (R32)."""
    at = view.next_due_at
    if at is None:
        return "—"
    uncertain = any(p.provisional and p.due_at == at and not p.ended_at for p in view.promises)
    return f"{_short(at, view.zone)}{'?' if uncertain else ''}"


def _short(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}"


def _zones(views: Sequence[IssueView], before: str = "") -> Text:
    zones = ", ".join(sorted({view.zone for view in views}))
    return Text(f"{before}Times are in {zones}.", style="dim")


def same(view: IssueView, linked: Sequence[str]) -> str:
    """Name the issues that are about the same; nothing if there are none."""
    facts = {
        "并入 Merged into": view.merged_into or "",
        "并有 Speaks for": ", ".join(view.merged),
        "相关 Linked": ", ".join(linked),
    }
    return " · ".join(f"{name} {numbers}" for name, numbers in facts.items() if numbers)
