"""What supervisors read of an issue in the Temporal Web UI: its page, a line for each clock, step
and message. The desk's words beside the codes, instants in its zone; no customer data (R30), and
whatever people wrote is text.
"""

from __future__ import annotations

from domain import words
from domain.instants import instant
from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.state import Called, Issue, Person
from domain.issue.step import DeliveryBatch, Step
from domain.issue.view import IssueView, PromiseView, due, local, view
from domain.markdown import cell, plain
from domain.roles import PARTIES, rank
from domain.sla.promise import Promise, PromiseEnd
from domain.terms import Terms
from domain.vocabulary import Actor, Language, Named, Role
from domain.words import (
    ACTIONS,
    AUDIENCES,
    CHANNELS,
    ENDS,
    OUTCOMES,
    PROMISES,
    SEVERITIES,
    STAGES,
    STANDINGS,
    Names,
    both,
    both_of,
)

LONGEST = 200
"""Bytes of UTF-8 in a line: Temporal takes a few more."""

# A line of the timeline ---------------------------------------------------------------------------


def clock(promise: Promise, threshold: str, zone: str) -> str:
    """Say which threshold of a promise is waited for, and when the promise is due:
    ``响应 75% · 11月30日11:00 到期 response``.
    """
    zh, en = PROMISES[promise.kind]
    at = instant(promise.due_at, zone, Language.ZH, year=False, weekday=False)
    unsure = "（暂定）" if promise.provisional else ""
    return f"{zh} {_mark(threshold)} · {at} 到期{unsure} {en}"


def shift(issue: Issue) -> str:
    """Say what the desk looks again for: somebody to hand over to, or somebody at all."""
    if issue.engineer:
        return "处理人下班时改派 the handler's shift ends"
    return "有人上班时派工 somebody comes on duty"


def taken(step: Step, issue: Issue | None) -> str:
    """Say what a step is, of which clock, and whose: ``受理 accept · 李娜``."""
    said = [both(ACTIONS, step.action)]
    if step.action is ActionName.THRESHOLD:
        promise, threshold = (str(step.content[name]) for name in ("promise", "threshold"))
        said.append(f"{words.promise(promise)[0]} {_mark(threshold)}")
    return _short(" · ".join((*said, _whose(step.by, issue))))


def coming(step: Step) -> str:
    """Say what is the next to be recorded."""
    return f"下一步 next: {both(ACTIONS, step.action)}"


def telling(batch: DeliveryBatch, *, at_work: bool = False) -> str:
    """Say whom messages are for: ``通知：客户、组长 to customer, lead``; ``at_work``: not before
    they are.
    """
    called = [AUDIENCES[each] for each in batch.to]
    zh = "、".join(name for name, _ in called) or f"{len(batch.keys)} 条消息"
    en = ", ".join(name for _, name in called) or f"{len(batch.keys)} messages"
    return _short(f"等上班再通知：{zh} once at work: {en}" if at_work else f"通知：{zh} to {en}")


def _mark(threshold: str) -> str:
    return f"+{words.period(threshold[1:])[0]}" if threshold.startswith("+") else threshold


def _whose(by: Actor, issue: Issue | None) -> str:
    known = (issue.engineer, issue.lead) if issue else ()
    if name := next((each.name for each in known if each and each.id == by.id), None):
        return plain(name)
    zh, en = PARTIES[by.role]
    return f"{zh} {en}" if by.role in _UNNAMED else f"{zh} {plain(by.id)}"


_UNNAMED = frozenset({Role.CUSTOMER, Role.SYSTEM})


def _short(line: str) -> str:
    return line.encode()[:LONGEST].decode(errors="ignore")


# What is known from the start ---------------------------------------------------------------------


def summary(intake: Intake, own: Terms) -> str:
    """Say in one line of Markdown what an issue is, its kind by the desk's ``own`` name. It has no
    number yet, and Temporal lets nobody change it afterwards.
    """
    begins = (
        f"{plain(_beside(own.kind(intake.kind), intake.kind))} · {plain(intake.product_line)} · "
    )
    title = intake.title
    while len((begins + plain(title)).encode()) > LONGEST:
        title = title[:-1]
    return begins + plain(title)


def origin(intake: Intake, own: Terms) -> str:
    """Say in Markdown what is known of an issue from the start."""
    kind, category = own.kind(intake.kind), own.category(intake.category)
    came = f"{intake.source} {intake.reference}"
    product = f"{intake.product_line} {intake.model or ''}"
    what = (
        plain(_beside(kind, intake.kind)),
        plain(_beside(category, intake.category)),
        _coded(SEVERITIES, intake.severity),
    )
    return "\n".join(
        (
            f"**标题 Title** {plain(intake.title)}",
            "",
            f"- 来源 Source: {plain(came)} ({both(CHANNELS, intake.channel)})",
            f"- 类别 Kind: {', '.join(what)}",
            f"- 产品 Product: {plain(product)}",
            f"- 地区 Region: {plain(intake.region)}",
        )
    )


# The page -----------------------------------------------------------------------------------------


def details(issue: Issue) -> str:
    """Write the issue as a short page of Markdown: what it is, who has it, what was promised, what
    happened last, what can be done next.
    """
    seen, zone = view(issue), issue.zone
    rose = both_of(rank(seen.escalation_level))
    lines = [
        f"### {seen.number} · {plain(seen.title)}",
        " · ".join((*_what(seen, issue.called), plain(seen.product_line), plain(seen.region))),
        "",
        f"**阶段 Stage** {_coded(STAGES, seen.stage)}"
        + (f" · {_coded(OUTCOMES, seen.outcome)}" if seen.outcome else "")
        + f" · **时效 SLA** {_coded(STANDINGS, seen.sla_state)}",
        f"**处理人 With** {_holder(seen)} · {', '.join(_where(seen, issue.called))}",
        f"**升级 Escalation** {rose} · **重开 Reopened** {seen.reopen_count}",
        *_related(seen),
        "",
        "| 承诺 Promise | 期限 Due | 状态 State |",
        "|---|---|---|",
        *(
            f"| {PROMISES[p.kind][0]} {p.key} ({cell(both_of(words.period(p.target)))})"
            f" | {due(p, zone)} | {_standing(p, zone)} |"
            for p in seen.promises
        ),
        "",
        "**最近 Last steps**",
        "",
        *(
            f"- {local(s.at, zone)} {_named(ACTIONS, s.action)} · {plain(s.by)}"
            + (f": {plain(s.note)}" if s.note else "")
            + (f" (自述 said {local(s.said_at, zone)})" if s.said_at else "")
            for s in reversed(seen.steps)
        ),
        "",
        f"**来往 Thread** yinuo issue show {seen.number} --thread",
        "",
        f"**可做 Possible next** {', '.join(_named(ACTIONS, each) for each in seen.can) or '—'}",
    ]
    return "\n".join(lines)


def _what(seen: IssueView, called: Called | None) -> tuple[str, str, str]:
    kind, category = (called.kind, called.category) if called else (None, None)
    return (
        plain(_beside(kind, seen.kind)),
        plain(_beside(category, seen.category)),
        _coded(SEVERITIES, seen.severity),
    )


def _where(seen: IssueView, called: Called | None) -> tuple[str, str]:
    department, centre = (called.department, called.centre) if called else (None, seen.centre)
    at = seen.centre if centre == seen.centre else f"{centre} {seen.centre}"
    return plain(_beside(department, seen.department)), plain(at)


def _holder(seen: IssueView) -> str:
    def called(person: Person) -> str:
        return f"{plain(person.name)} ({plain(person.id)})"

    if seen.engineer:
        return called(seen.engineer)
    return f"{called(seen.lead)}, 无人空闲 nobody free" if seen.lead else "无人 nobody"


def _beside(name: Named | None, code: str) -> str:
    """Write what the desk calls something, with its code: ``故障报修 fault``."""
    return code if name is None or name.zh == code else f"{name.zh} {code}"


def _named(names: Names, code: str) -> str:
    return f"{names[code][0]} {code}"


def _coded(names: Names, code: str) -> str:
    """Write a code in words, and itself where the English is another: it is what filters take."""
    said = both(names, code)
    return said if names[code][1] == code else f"{said} `{code}`"


def _related(seen: IssueView) -> list[str]:
    """R8, R21: answered by the hotline; what it arose from, and what arose from it."""
    facts = {
        "首次解决 First contact": "热线 hotline" if seen.first_contact else "",
        "起因 Arises from": plain(seen.arises_from or ""),
        "引出投诉 Complaints": ", ".join(seen.complaints),
        "并入 Merged into": seen.merged_into or "",
        "并有 Speaks for": ", ".join(seen.merged),
    }
    said = [f"**{name}** {fact}" for name, fact in facts.items() if fact]
    return [" · ".join(said)] if said else []


def _standing(promise: PromiseView, zone: str) -> str:
    if promise.ended_at:
        said = " 凭本人陈述 by own word" if promise.by_own_word else ""
        return f"{both(ENDS, promise.end)} {local(promise.ended_at, zone)}{said}"
    if promise.paused:
        return "暂停 standing still"
    return "已逾期 overdue" if promise.end is PromiseEnd.BROKEN else "进行中 running"
