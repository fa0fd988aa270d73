"""When a customer hears from us next, and what they have time for: their promises in words, the
broken ones honestly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.for_customers.saying import Both
from domain.for_customers.turn import DONE_AS
from domain.instants import instant
from domain.issue.common import DONE
from domain.issue.state import Issue
from domain.sla.promise import THEIR_SAY, Promise, PromiseEnd, PromiseKind
from domain.vocabulary import Language, Stage

OWED: Mapping[PromiseKind, Both] = {
    PromiseKind.RESPONSE: Both("与您联系", "contact you"),
    PromiseKind.VERIFICATION: Both("告诉您核实的结果", "tell you what we found"),
    PromiseKind.SURVEY: Both("到现场勘察", "look at the site"),
    PromiseKind.QUOTATION: Both("给您报价", "send you our quotation"),
    PromiseKind.APPROVAL: Both("给您最后确认", "confirm it"),
    PromiseKind.RESOLUTION: Both("给您结果", "give you the result"),
    PromiseKind.REMEDY: Both("兑现我们答应您的补偿", "give you what we agreed to make up for it"),
    PromiseKind.REPLY: Both("打电话告诉您结果", "call you with the result"),
    PromiseKind.CALLBACK: Both("打电话回访您", "call you"),
}
"""What the desk is to do."""
THEIRS: Mapping[PromiseKind, Both] = {
    PromiseKind.CONFIRMATION: Both(
        "请您在{at}前答复报价；到时没有答复，报价失效，不收费用。",
        "Please answer the quotation by {at}; without an answer it lapses then, at no cost.",
    ),
    PromiseKind.CUSTOMER_TEST: Both(
        "请您在{at}前告诉我们是否正常；到时没有消息，我们就当作没有问题了。",
        "Please tell us by {at} whether all is well; if we hear nothing, we take it that it is.",
    ),
    PromiseKind.EVALUATION: Both("您可以在{at}前为我们评分。", "You can score us until {at}."),
}
"""What the customer has time for."""

_AHEAD = Both("我们最迟{at}前{do}。", "We will {do} by {at} at the latest.")
_LATE = Both(
    "我们答应{at}前{do}，到现在还没有做到，很抱歉。我们正在催办。",
    "We promised to {do} by {at} and have not done so yet. We are sorry, and are urging those"
    " responsible.",
)
_WAS_LATE = Both(
    "我们答应{at}前{do}，没有按时做到，很抱歉。",
    "We promised to {do} by {at} and were late. We are sorry.",
)
_SOON = Both("我们会尽快{do}。", "We will {do} as soon as we can.")
_EXPECTED = Both("预计{at}前完成。", "We expect to finish by {at}.")
_NOT_AS_EXPECTED = Both(
    "原来预计{at}前完成，现在还没有完成，很抱歉。",
    "We expected to finish by {at} and have not. We are sorry.",
)
_AFTER_THEM = Both(
    "您这边完成以后，我们马上继续，并告诉您新的时间。",
    "As soon as you have done your part we will go on, and tell you the new time.",
)
_COMES_BACK = Both(
    "如果问题又出现，请在{at}前在这里告诉我们，我们接着处理。",
    "If it comes back, please tell us here by {at}, and we go on with it.",
)
_UNSURE = Both("（暂定）", " (provisional)")


class Heard(NamedTuple):
    """One sentence; ``late``: it says sorry."""

    said: str
    late: bool = False


def hears(
    issue: Issue, now: datetime, language: Language, expected_at: datetime | None = None
) -> tuple[Heard, ...]:
    """Say what a customer is promised in the life that their issue has now: first what we are late
    with, then what is next. ``expected_at`` is the handler's word (R14). What their silence would
    mean is not told to whoever has just written (R9, R17, R24).
    """
    unsaid = THEIR_SAY if issue.promise(PromiseKind.FEEDBACK) else frozenset()
    theirs = [
        each
        for each in issue.promises
        if each.generation == issue.generation or each.kind is PromiseKind.REMEDY
        if each.kind not in unsaid
    ]
    theirs.sort(key=lambda promise: promise.due_at)
    found = list(_expected(issue, now, language, expected_at))
    for promise in theirs:
        if (said := _said(promise, now)) is not None:
            at = at_length(promise.due_at, issue.zone, now, language)
            unsure = _UNSURE.said(language) if promise.provisional and promise.running else ""
            do = OWED[promise.kind].said(language) if promise.kind in OWED else ""
            late = said in {_LATE, _WAS_LATE}
            found.append(Heard(said.said(language).format(at=at + unsure, do=do), late))
    if issue.stage is Stage.WAITING:
        found.append(Heard(_AFTER_THEM.said(language)))
    found += _comes_back(issue, now, language)
    return tuple(sorted(found, key=lambda heard: not heard.late))


def _said(promise: Promise, now: datetime) -> Both | None:
    """Choose what is said of a promise; None: nothing, as it was kept, is nobody's to hear of, or
    stands still.
    """
    if promise.kind in THEIRS:
        ahead = promise.running and promise.paused_at is None and now < promise.due_at
        return THEIRS[promise.kind] if ahead else None
    if promise.kind not in OWED:
        return None
    if not promise.running:
        return _WAS_LATE if promise.end is PromiseEnd.BROKEN else None
    if promise.end is PromiseEnd.SKIPPED:
        return _SOON
    if promise.end is PromiseEnd.BROKEN or (promise.paused_at is None and promise.due_at <= now):
        return _LATE
    return None if promise.paused_at else _AHEAD


def _expected(
    issue: Issue, now: datetime, language: Language, at: datetime | None
) -> Iterator[Heard]:
    if at is None or issue.stage in DONE or issue.stage is Stage.WAITING:
        return
    late = at <= now
    said = (_NOT_AS_EXPECTED if late else _EXPECTED).said(language)
    yield Heard(said.format(at=at_length(at, issue.zone, now, language)), late)


def _comes_back(issue: Issue, now: datetime, language: Language) -> Iterator[Heard]:
    """R24: until when it is opened again, as it was promised when it was closed."""
    until = issue.reopens_until
    if issue.closed and not issue.over and issue.outcome in DONE_AS and until and now <= until:
        at = at_length(until, issue.zone, now, language)
        yield Heard(_COMES_BACK.said(language).format(at=at))


def at_length(at: datetime, zone: str, now: datetime, language: Language) -> str:
    """Write an instant, with its year if that is another one than now."""
    here = ZoneInfo(zone)
    return instant(at, zone, language, year=at.astimezone(here).year != now.astimezone(here).year)
