"""Links in messages: what each is for, for whom, how long, and which messages carry which.

A link is signed and does one thing for one person on one issue, once. Looking at progress is not
used up. No customer data is in it (R30).

A link carries a mark of the issue itself besides its number: should a number ever be given out
twice, it still opens the one it was sent about, and no stranger's.

The format is ours: a link has to fit into a text message, where no library's token does. How it is
signed is a library's (``runtime/signing.py``).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from pydantic import Field

from domain.issue.actions import ACTIONS, ActionName
from domain.issue.common import PRE_WORK_STAGES, TO_BE_HEARD
from domain.sla.promise import PromiseKind
from domain.vocabulary import Audience, Instant, Model, Stage

CUSTOMER = "customer"
"""Whose links those are that no member of the roster holds."""


class Purpose(StrEnum):
    """What a link is for."""

    ACCEPT = "accept"
    COMPLETE = "complete"
    PROGRESS = "progress"
    TEST = "test"
    CONFIRM = "confirm"
    EVALUATE = "evaluate"
    APPROVE = "approve"
    RATE = "rate"
    REMEDY = "remedy"
    ADVISE = "advise"
    REOPEN = "reopen"


class Terms(Model):
    """What a link allows and until when; no action: it only shows. ``also``: who else may be sent
    it. ``awaits``: makes sense while one of these runs; ``after``: makes none before these are
    over. ``by_name``: who was sent it was asked, whatever issues they reach otherwise. ``letter``
    stands for it in an address: an SMS is short.
    """

    letter: str
    action: ActionName | None
    audience: Audience
    lasts: timedelta
    awaits: frozenset[PromiseKind] = frozenset()
    after: frozenset[PromiseKind] = frozenset()
    also: frozenset[Audience] = frozenset()
    by_name: bool = False

    def is_for(self, audience: Audience) -> bool:
        """Say whether it may be sent to them."""
        return audience is self.audience or audience in self.also


PURPOSES: Mapping[Purpose, Terms] = {
    Purpose.ACCEPT: Terms(
        letter="a",
        action=ActionName.ACCEPT,
        audience=Audience.HANDLER,
        lasts=timedelta(days=7),
    ),
    Purpose.COMPLETE: Terms(
        letter="c",
        action=ActionName.RESOLVE,
        audience=Audience.HANDLER,
        lasts=timedelta(days=30),
        after=frozenset(PRE_WORK_STAGES),
    ),
    Purpose.PROGRESS: Terms(
        letter="p", action=None, audience=Audience.CUSTOMER, lasts=timedelta(days=90)
    ),
    Purpose.TEST: Terms(
        letter="t",
        action=ActionName.REPORT_TEST,
        audience=Audience.CUSTOMER,
        lasts=timedelta(days=14),
        awaits=frozenset(TO_BE_HEARD),
    ),
    Purpose.CONFIRM: Terms(
        letter="q",
        action=ActionName.CONFIRM,
        audience=Audience.CUSTOMER,
        lasts=timedelta(days=60),
        awaits=frozenset({PromiseKind.CONFIRMATION}),
    ),
    Purpose.EVALUATE: Terms(
        letter="e",
        action=ActionName.EVALUATE,
        audience=Audience.CUSTOMER,
        lasts=timedelta(days=30),
        awaits=frozenset({PromiseKind.EVALUATION}),
    ),
    Purpose.APPROVE: Terms(
        letter="y",
        action=ActionName.APPROVE,
        audience=Audience.MANAGER,
        also=frozenset({Audience.GM_OFFICE}),
        lasts=timedelta(days=30),
        awaits=frozenset({PromiseKind.APPROVAL}),
    ),
    Purpose.REMEDY: Terms(
        letter="m",
        action=ActionName.DECIDE_REMEDY,
        audience=Audience.MANAGER,
        also=frozenset({Audience.GM_OFFICE}),
        lasts=timedelta(days=30),
        awaits=frozenset({PromiseKind.REMEDY_APPROVAL}),
    ),
    Purpose.RATE: Terms(
        letter="d",
        action=ActionName.RATE_DIFFICULTY,
        audience=Audience.MANAGER,
        lasts=timedelta(days=60),
        awaits=frozenset({PromiseKind.DIFFICULTY}),
    ),
    Purpose.ADVISE: Terms(
        letter="s",
        action=ActionName.CONSULT,
        audience=Audience.EXPERT,
        also=frozenset({Audience.LEAD}),
        lasts=timedelta(days=30),
        awaits=frozenset({PromiseKind.PANEL}),
        by_name=True,
    ),
    Purpose.REOPEN: Terms(
        letter="r",
        action=ActionName.REPORT_TEST,
        audience=Audience.AGENT,
        lasts=timedelta(days=30),
        awaits=frozenset(TO_BE_HEARD),
    ),
}

_WORK = (Purpose.ACCEPT, Purpose.COMPLETE)
_LOOK = (Purpose.PROGRESS,)
_TRY = (Purpose.PROGRESS, Purpose.TEST)
_ANSWER = (Purpose.CONFIRM, Purpose.PROGRESS)

OFFERED: Mapping[str, tuple[Purpose, ...]] = {
    **dict.fromkeys(("assigned", "taken", "relieved"), _WORK),
    **dict.fromkeys(("reminder", "overdue", "replanned_staff"), _WORK),
    **dict.fromkeys(("confirmed", "panel_advised"), (Purpose.COMPLETE,)),
    **dict.fromkeys(("registered", "transferred", "accepted", "progress", "waiting"), _LOOK),
    **dict.fromkeys(("note", "amended", "merged", "missed_call", "kept_back"), _LOOK),
    "remedy_agreed": _LOOK,
    **dict.fromkeys(("waiting_reminder", "apology", "replanned", "verified", "unfounded"), _LOOK),
    **dict.fromkeys(("approved", "dispatched", "reopened", "not_approved", "declined"), _LOOK),
    **dict.fromkeys(("lapsed", "not_reached", "withdrawn"), _LOOK),
    **dict.fromkeys(("answered", "resolved", "told_by_call", "acceptance", "test_reminder"), _TRY),
    **dict.fromkeys(("quotation", "quotation_reminder"), _ANSWER),
    "thanks": (Purpose.EVALUATE,),
    "approval_wanted": (Purpose.APPROVE,),
    "remedy_wanted": (Purpose.REMEDY,),
    **dict.fromkeys(("warning", "alarm"), (Purpose.APPROVE, Purpose.REMEDY)),
    "rating_wanted": (Purpose.RATE,),
    "panel_asked": (Purpose.ADVISE,),
    "did_it_help": (Purpose.REOPEN,),
}
"""Which links a message may carry, by its wording; whoever else reads it gets none of them."""
_ASKS_ABOUT: Mapping[str, frozenset[PromiseKind]] = {
    "did_it_help": frozenset({PromiseKind.FEEDBACK}),
}
"""What runs whenever a message is so worded: whoever writes twice makes it once."""

BETWEEN_OURSELVES = frozenset(
    {
        *(PromiseKind.CALMING, PromiseKind.HAND_OVER, PromiseKind.PANEL, PromiseKind.WAITING),
        *(PromiseKind.CONTACT, PromiseKind.FEEDBACK, PromiseKind.DIFFICULTY),
        PromiseKind.REMEDY_APPROVAL,
    }
)
"""Promises of which a customer is told nothing."""


def sensible(purpose: Purpose, stage: Stage, running: Collection[PromiseKind]) -> bool:
    """Say whether what a link is for can be done in that stage, while those promises run."""
    terms = PURPOSES[purpose]
    if terms.action is None:
        return True
    awaited = not terms.awaits or not terms.awaits.isdisjoint(running)
    stages = ACTIONS[terms.action].rule.stages
    return awaited and terms.after.isdisjoint(running) and stage in stages


def offered(
    template: str, to: Audience, stage: Stage, running: Collection[PromiseKind]
) -> tuple[Purpose, ...]:
    """Say which links a message to ``to`` carries, now that the issue is at ``stage``; ``running``
    are the promises that the message speaks of.
    """
    running = {*running, *_ASKS_ABOUT.get(template, ())}
    return tuple(
        purpose
        for purpose in OFFERED.get(template, ())
        if PURPOSES[purpose].is_for(to) and sensible(purpose, stage, running)
    )


def the_one(purposes: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
    """Choose of these the link for which a short message has room: by what can be done with it one
    can look, too.
    """
    doing = tuple(purpose for purpose in purposes if PURPOSES[purpose].action)
    return (doing or purposes)[:1]


class Link(Model):
    """One link: ``person`` is somebody's id on the roster, or ``customer``. ``generation`` and
    ``until`` keep a link of yesterday from doing tomorrow's work. ``mark`` is its issue's; links of
    before there were any have none.
    """

    number: str
    purpose: Purpose
    person: str
    generation: int
    until: Instant
    mark: str | None = Field(default=None, pattern=r"^[\w-]{6}$")

    @property
    def terms(self) -> Terms:
        """What it allows."""
        return PURPOSES[self.purpose]

    @property
    def sent_at(self) -> datetime:
        """When it was written, in whole seconds."""
        return self.until - self.terms.lasts

    def is_of(self, issue_id: str, registered_at: datetime, redirected: int) -> bool:
        """Whether it was sent about that issue, and a customer's to where they are reached by now:
        their address was corrected ``redirected`` times (R44). One without a mark is of whichever
        had its number when it was sent: not of one that was registered later. It tells whole
        seconds.
        """
        redirected = redirected if self.terms.audience is Audience.CUSTOMER else 0
        if self.mark is not None:
            return self.mark == mark_of(issue_id, redirected)
        return not redirected and registered_at.replace(microsecond=0) <= self.sent_at

    def went_astray(self, issue_id: str, redirected: int) -> bool:
        """Whether it was sent about that issue to an address that was corrected since."""
        customers = self.terms.audience is Audience.CUSTOMER
        before = (mark_of(issue_id, times) for times in range(redirected))
        return customers and (self.mark is None or self.mark in before) and redirected > 0


def mark_of(issue_id: str, redirected: int = 0) -> str:
    """Tell an issue from any other, 36 bits short: a link must fit into an SMS. Whenever its
    customer proves to be reached elsewhere it is another: whoever holds a link that went to a wrong
    number is to open nothing by it.
    """
    about = f"{issue_id} {redirected}" if redirected else issue_id  # no id has a space
    return urlsafe_b64encode(sha256(about.encode()).digest()).decode()[:6]
