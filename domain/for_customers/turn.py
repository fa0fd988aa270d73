"""What a customer can do now on the page of their issue, and by which of their links.

Whoever holds any of a customer's links may read and write: what is written moves nothing that the
customer would have to answer for. What decides for them (a price, whether it works, a score) takes
a link that was sent when it was asked for, or later: older ones live for months, and may have been
passed on to people who knew of no such question.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from domain.issue.state import Issue
from domain.links import PURPOSES, Link, Purpose, sensible
from domain.sla.promise import Promise, PromiseEnd


class Turn(StrEnum):
    """What there may be to do, in the order in which a page offers it."""

    CONFIRM = "confirm"
    TEST = "test"
    EVALUATE = "evaluate"


DECISIONS: Mapping[Turn, Purpose] = {
    Turn.CONFIRM: Purpose.CONFIRM,
    Turn.TEST: Purpose.TEST,
    Turn.EVALUATE: Purpose.EVALUATE,
}
"""What decides for the customer, and the link that is sent for it."""


class Offer(NamedTuple):
    """Something to do now; ``by_this_link``: else a newer one does it."""

    turn: Turn
    by_this_link: bool = True


def turns(issue: Issue, link: Link, *, used: bool) -> tuple[Offer, ...]:
    """List what can be done now by whoever holds that link; ``used``: it did what it was sent for,
    and that is not asked again.
    """
    running = {promise.kind for promise in issue.running}
    return tuple(
        Offer(turn, decides(link, purpose, issue))
        for turn, purpose in DECISIONS.items()
        if sensible(purpose, issue.stage, running) and not (used and purpose is link.purpose)
    )


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
