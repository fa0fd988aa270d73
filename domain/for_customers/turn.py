"""What a customer can do now on the page of their issue, and by which of their links.

Whoever holds any of a customer's links may read and write: what is written moves nothing that the
customer would have to answer for. What decides for them (a price, whether it works, a score) takes
a link that was sent when it was asked for, or later: older ones live for months, and may have been
passed on to people who knew of no such question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.for_customers.saying import Both
from domain.issue.common import DONE, TO_BE_HEARD
from domain.issue.state import Issue
from domain.links import PURPOSES, Link, Purpose, sensible
from domain.sla.promise import Promise, PromiseEnd
from domain.vocabulary import Means, Outcome, Stage


class Turn(StrEnum):
    """What there may be to do, in the order in which a page offers it."""

    WAITING = "waiting"
    CONFIRM = "confirm"
    TEST = "test"
    TIME = "time"
    EVALUATE = "evaluate"
    FAILED = "failed"
    WRITE = "write"


DECISIONS: Mapping[Turn, Purpose] = {
    Turn.CONFIRM: Purpose.CONFIRM,
    Turn.TEST: Purpose.TEST,
    Turn.EVALUATE: Purpose.EVALUATE,
}
"""What decides for the customer, and the link that is sent for it."""


class Button(NamedTuple):
    """A way to send what is written. ``says`` is what it says if nothing is; None: something is to
    be written.
    """

    means: Means
    called: Both
    says: Both | None = None


class Writing(NamedTuple):
    """Something to write: what is asked, what the words are about, and how they are sent."""

    asks: Both
    label: Both
    buttons: tuple[Button, ...]

    def button(self, means: str) -> Button | None:
        """Return the one that was pressed; None: there is none such."""
        return next((each for each in self.buttons if each.means == means), None)


_AS_YOU_LIKE = Both("您想说的（可不填）", "What you would like to say (optional)")
WRITINGS: Mapping[Turn, Writing] = {
    Turn.WAITING: Writing(
        Both("办好了吗？", "Is it done?"),
        _AS_YOU_LIKE,
        (
            Button(
                Means.DONE,
                Both("已经办好，请继续", "It is done, please go on"),
                Both("已经办好，请继续。", "It is done, please go on."),
            ),
            Button(
                Means.MORE_TIME,
                Both("我还需要时间", "I need more time"),
                Both("我还需要一些时间。", "I need more time."),
            ),
            Button(Means.WORDS, Both("有疑问，先问一下", "I have a question first")),
        ),
    ),
    Turn.FAILED: Writing(
        Both("还没有办好吗？", "Is it not settled?"),
        Both("哪里还不行", "What is wrong"),
        (
            Button(
                Means.NOT_SOLVED,
                Both("还没有办好，请再处理", "It is not settled, please see to it"),
                Both("还没有办好，请再处理。", "It is not settled, please see to it."),
            ),
        ),
    ),
    Turn.TIME: Writing(
        Both("这个时间您方便吗？", "Does that time suit you?"),
        _AS_YOU_LIKE,
        (
            Button(
                Means.FITS, Both("方便", "It does"), Both("这个时间方便。", "That time suits me.")
            ),
            Button(
                Means.DOES_NOT_FIT,
                Both("不方便，请另约", "No, please find another"),
                Both(
                    "这个时间不方便，请另约。", "That time does not suit me, please find another."
                ),
            ),
        ),
    ),
    Turn.WRITE: Writing(
        Both("写给我们", "Write to us"),
        Both("您的问题，或者要补充的情况", "What you would like to ask, or what we should know"),
        (Button(Means.WORDS, Both("发送", "Send")),),
    ),
}
"""What any of a customer's links is enough for."""

THANKS: Mapping[Means, Both] = {
    Means.WORDS: Both(
        "已经收到，会转给处理您问题的人。",
        "We have it, and whoever is dealing with your issue will read it.",
    ),
    Means.DONE: Both("谢谢您，我们马上继续。", "Thank you, we are going on at once."),
    Means.MORE_TIME: Both(
        "好的，我们等您。办好后请告诉我们。",
        "All right, we will wait. Please tell us when it is done.",
    ),
    Means.FITS: Both("好的，就按这个时间。", "Very well, that time it is."),
    Means.DOES_NOT_FIT: Both(
        "知道了，我们会与您另约时间。", "We see, and will find another time with you."
    ),
    Means.NOT_SOLVED: Both(
        "很抱歉没有解决，我们马上再看。",
        "We are sorry that it is not solved, and will look at it again at once.",
    ),
}
"""What is said once it is sent."""


FILES = Both("（发来照片或文件：{names}）", "(Photographs or files: {names})")
"""What somebody says who sends these alone."""


class Known(NamedTuple):
    """What else counts for what can be done. ``used``: the link did what it was sent for, and that
    is not asked again. ``announced``: a time of which they did not say yet whether it suits.
    """

    at: datetime
    used: bool = False
    announced: datetime | None = None


class Offer(NamedTuple):
    """Something to do now; ``by_this_link``: else a newer one does it."""

    turn: Turn
    by_this_link: bool = True


def turns(issue: Issue, link: Link, known: Known) -> tuple[Offer, ...]:
    """List what can be done now by whoever holds that link."""
    decisions = tuple(_decisions(issue, link, known))
    written = (Offer(turn) for turn, fits in _WRITTEN.items() if fits(issue, decisions, known))
    places = list(Turn)
    return tuple(sorted((*decisions, *written), key=lambda offer: places.index(offer.turn)))


def _decisions(issue: Issue, link: Link, known: Known) -> list[Offer]:
    running = {promise.kind for promise in issue.running}
    return [
        Offer(turn, decides(link, purpose, issue))
        for turn, purpose in DECISIONS.items()
        if sensible(purpose, issue.stage, running) and not (known.used and purpose is link.purpose)
    ]


def decides(link: Link, purpose: Purpose, issue: Issue) -> bool:
    """Say whether a link is as new as what it would decide. Links tell whole seconds, and those of
    text messages whole minutes: nobody is refused who was sent one with the question.
    """
    if link.generation != issue.generation:
        return False
    asked = asked_by(issue, purpose)
    return asked is not None and asked.made_at.replace(microsecond=0) <= link.sent_at


def asked_by(issue: Issue, purpose: Purpose) -> Promise | None:
    """Return the promise with which the customer was first asked what a link is for. A call that is
    tried again asks the same as before; a quotation that was replaced asked something else.
    """
    asked = (
        promise
        for promise in issue.promises
        if promise.kind in PURPOSES[purpose].awaits
        and promise.generation == issue.generation
        and promise.end is not PromiseEnd.WITHDRAWN
    )
    return min(asked, key=lambda promise: promise.made_at, default=None)


# What is written ----------------------------------------------------------------------------------

DONE_AS = frozenset({Outcome.SOLVED, Outcome.NOT_REACHED})
"""How an issue ended of which it can turn out that it is not solved."""
_COMES = frozenset({Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.VERIFYING, Stage.SURVEYING})
"""Where somebody comes at the time that was announced."""


def _their_turn(issue: Issue, _: tuple[Offer, ...], __: Known) -> bool:
    return issue.stage is Stage.WAITING


def _may_have_failed(issue: Issue, decisions: tuple[Offer, ...], _: Known) -> bool:
    """R24: that it failed may be said by any link, unless this one asks whether it works."""
    if issue.closed:
        return issue.outcome in DONE_AS
    heard = issue.stage in DONE and any(issue.promise(kind) for kind in TO_BE_HEARD)
    return heard and Offer(Turn.TEST) not in decisions


def _time_is_announced(issue: Issue, _: tuple[Offer, ...], known: Known) -> bool:
    ahead = known.announced is not None and known.announced > known.at
    return ahead and issue.stage in _COMES


def _can_be_written(issue: Issue, _: tuple[Offer, ...], __: Known) -> bool:
    return issue.stage is not Stage.WAITING


_Fits = Callable[[Issue, tuple[Offer, ...], Known], bool]
_WRITTEN: Mapping[Turn, _Fits] = {
    Turn.WAITING: _their_turn,
    Turn.FAILED: _may_have_failed,
    Turn.TIME: _time_is_announced,
    Turn.WRITE: _can_be_written,
}
"""When what any link is enough for is offered."""
