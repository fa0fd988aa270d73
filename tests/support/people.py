"""People as they come: what they want of the desk, what they do about an issue, what they say and
for how long they keep silent. Chance decides, and what it decided once it decides again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from domain.staff.roster import Roster
from domain.terms import CATEGORIES
from domain.vocabulary import (
    Channel,
    Means,
    Role,
    ServiceItem,
    Severity,
    Stage,
    Verdict,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

T = TypeVar("T")


def weighted(chance: Random, weights: Mapping[T, float]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


# What people say ----------------------------------------------------------------------------------

_WORDS = ("客户在现场", "换了读卡器", "it took long", "they were friendly", "再等等", "说不清")


def _words(chance: Random) -> str:
    return f"{chance.choice(_WORDS)} {chance.randrange(10**6)}"


def _accept(chance: Random, now: datetime, _: Roster, __: IssueView) -> dict[str, Any]:
    hours = chance.choice([None, None, 3, 30])
    return {} if hours is None else {"expected_at": now + hours * HOUR}


def _progress(chance: Random, now: datetime, roster: Roster, issue: IssueView) -> dict[str, Any]:
    return {"note": _words(chance)} | _accept(chance, now, roster, issue)


_CONSENTS: dict[str | None, float] = {None: 6, "yes": 3, "no": 1, "not_asked": 1}
"""What is said to it that somebody else gets the issue."""


def _agreed(issue: IssueView) -> dict[str, Any]:
    """By chance of its own: what else people do in a life hangs on none of it."""
    chance = Random(f"consent {issue.number} {len(issue.steps)}")  # noqa: S311
    said = weighted(chance, _CONSENTS)
    return {"consent": said, "consent_words": _words(chance)} if said else {}


def _transfer(chance: Random, _: datetime, roster: Roster, issue: IssueView) -> dict[str, Any]:
    departments = sorted({m.department for m in roster.members if m.role is Role.ENGINEER})
    to = chance.choice([*departments, "nowhere"])
    return {"to": to, "reason": _words(chance)} | _agreed(issue)


def _reassign(chance: Random, _: datetime, roster: Roster, issue: IssueView) -> dict[str, Any]:
    colleagues = [
        *(m.id for m in roster.members if m.department == issue.department),
        *(None, None, "nobody"),
    ]
    return {"to": chance.choice(colleagues), "reason": _words(chance)} | _agreed(issue)


def _consult(chance: Random, _: datetime, roster: Roster, __: IssueView) -> dict[str, Any]:
    if chance.random() < 0.5:
        return {"advice": _words(chance)}
    experts = [m.id for m in roster.members if m.role is Role.ENGINEER]
    return {"question": _words(chance), "experts": chance.sample(experts, chance.randrange(3))}


def _answer(chance: Random, _: datetime, __: Roster, ___: IssueView) -> dict[str, Any]:
    known = {"case": "K-0"} if chance.random() < 0.05 else {}  # there is no such case
    flags = {name: chance.random() < 0.6 for name in ("on_the_line", "test")}
    return {"solution": _words(chance)} | flags | known


def _approve(chance: Random, _: datetime, __: Roster, ___: IssueView) -> dict[str, Any]:
    return {"approved": chance.random() < 0.5, "reason": _words(chance)}


def _callback(chance: Random, _: datetime, __: Roster, ___: IssueView) -> dict[str, Any]:
    if chance.random() < 0.55:
        return {"reached": False}
    said = {"reached": True, "running": chance.random() < 0.7, "words": _words(chance)}
    return (
        said
        | {"satisfied": chance.choice([None, True, False])}
        | ({"conflict": True} if chance.random() < 0.15 else {})
    )


def _evaluate(chance: Random, _: datetime, __: Roster, ___: IssueView) -> dict[str, Any]:
    lowest = -50 if chance.random() < 0.15 else 0
    return {
        "item": chance.choice(list(ServiceItem)),
        "technical": chance.randint(lowest, 200),
        "attitude": chance.randint(lowest, 200),
        "comment": _words(chance),
        "person": chance.choice(["li.wei", "wang.fang", "zhao.min"]),
    }


def _near(chance: Random, issue: IssueView) -> str:
    """Another issue of that agent and day, if there is one."""
    begins, _, serial = issue.number.rpartition("-")
    return f"{begins}-{max(int(serial) + chance.choice([-2, -1, 1]), 1):04d}"


def _amend(chance: Random, *_: object) -> dict[str, Any]:
    """Mostly the telephone; now and then somebody who could not be reached any more."""
    said: dict[str, Any] = {"reason": _words(chance)}
    if chance.random() < 0.3:
        return said | {"remove": [chance.choice(["phone", "email", "site"])]}
    wrong = {
        "phone": f"+8613800{chance.randrange(100000, 999999)}",
        "email": f"{chance.randrange(1000)}@corrected.example",
        "contact": f"Corrected {chance.randrange(10)}",
        "language": chance.choice(["zh", "en"]),
        "serial_number": f"SN-{chance.randrange(100)}",
    }
    return said | {name: wrong[name] for name in chance.sample(sorted(wrong), chance.randint(1, 3))}


Said = dict[str, Any]
_Says = Callable[[Random, datetime, Roster, IssueView], dict[str, Any]]
SAID: dict[ActionName, _Says] = {
    ActionName.TAKE: lambda *_: {},
    ActionName.ANSWER: _answer,
    ActionName.REPORT_TEST: lambda c, *_: {"worked": c.random() < 0.6, "words": _words(c)},
    ActionName.CALM: lambda c, *_: {"spoken": _words(c)},
    ActionName.VERIFY: lambda c, *_: {
        "verdict": c.choice([*Verdict, Verdict.UNFOUNDED]),
        "findings": _words(c),
    },
    ActionName.ACCEPT: _accept,
    ActionName.REPORT_PROGRESS: _progress,
    ActionName.WAIT_FOR_CUSTOMER: lambda c, *_: {"reason": _words(c)},
    ActionName.RESUME: lambda c, *_: {"note": _words(c)},
    ActionName.TRANSFER: _transfer,
    ActionName.REASSIGN: _reassign,
    ActionName.CONSULT: _consult,
    ActionName.SURVEY: lambda c, *_: {"findings": _words(c)},
    ActionName.QUOTE: lambda c, *_: {
        "work": _words(c),
        "amount": f"{c.choice([800, 20_000, 20_001, 31_000])}.50",
    },
    ActionName.CONFIRM: lambda c, *_: {"agreed": c.random() < 0.7, "words": _words(c)},
    ActionName.APPROVE: _approve,
    ActionName.PROPOSE_REMEDY: lambda c, *_: {
        "remedy": c.choice(["money", "exchange", "apology", "nonsense"]),
        "what": _words(c),
        "amount": f"{c.choice([50, 1_000, 1_001])}.00",
        "reason": _words(c),
    },
    ActionName.DECIDE_REMEDY: _approve,
    ActionName.RECORD_REMEDY: lambda c, *_: {
        "accepted": c.random() < 0.7,
        "receipt": _words(c),
        "words": _words(c),
    },
    ActionName.RESOLVE: lambda c, *_: {
        "result": _words(c),
        "cause": _words(c),
        "known_solution": c.random() < 0.2,
    },
    ActionName.CONTACT_CUSTOMER: lambda c, *_: (
        {"reached": True, "told": _words(c)} if c.random() < 0.7 else {"reached": False}
    ),
    ActionName.CHASE: lambda c, *_: {"asks": _words(c)},
    ActionName.RECORD_CALLBACK: _callback,
    ActionName.EVALUATE: _evaluate,
    ActionName.RATE_DIFFICULTY: lambda c, *_: {"difficulty": c.randint(1, 5)},
    ActionName.ESCALATE: lambda c, *_: {"reason": _words(c)},
    ActionName.WITHDRAW: lambda c, *_: {"reason": _words(c)},
    ActionName.ADD_NOTE: lambda c, *_: {"words": _words(c), "for_customer": c.random() < 0.5},
    ActionName.AMEND: _amend,
    ActionName.CUSTOMER_WROTE: lambda c, *_: {
        "words": _words(c),
        "means": c.choice(list(Means)),
        "known": c.random() < 0.8,
    },
    ActionName.LINK: lambda c, _, __, issue: {"to": _near(c, issue), "reason": _words(c)},
    ActionName.MERGE: lambda c, _, __, issue: {"into": _near(c, issue), "reason": _words(c)},
}

# What people are likely to do ---------------------------------------------------------------------

_HEARD: dict[ActionName, float] = {
    ActionName.RECORD_CALLBACK: 2,
    ActionName.REPORT_TEST: 1,
    ActionName.CUSTOMER_WROTE: 0.5,
    ActionName.RESUME: 0.5,
}
_BRINGS_ON: dict[Stage, dict[ActionName, float]] = {
    Stage.REGISTERED: {ActionName.ANSWER: 3, ActionName.ACCEPT: 2, ActionName.REASSIGN: 1},
    Stage.REOPENED: {ActionName.ACCEPT: 2, ActionName.REASSIGN: 1},
    Stage.ASSIGNED: {ActionName.ACCEPT: 6, ActionName.TRANSFER: 1},
    Stage.VERIFYING: {ActionName.VERIFY: 1},
    Stage.SURVEYING: {ActionName.SURVEY: 1},
    Stage.QUOTING: {ActionName.QUOTE: 1},
    Stage.CONFIRMING: {ActionName.CONFIRM: 4, ActionName.QUOTE: 1},
    Stage.APPROVING: {ActionName.APPROVE: 1},
    Stage.IN_PROGRESS: {ActionName.RESOLVE: 3, ActionName.WAIT_FOR_CUSTOMER: 1},
    Stage.WAITING: {ActionName.RESUME: 2, ActionName.CUSTOMER_WROTE: 1, ActionName.RESOLVE: 1},
    Stage.RESOLVED: _HEARD,
    Stage.REPLIED: _HEARD,
    Stage.CALLBACK: _HEARD,
    Stage.CLOSED: {
        ActionName.EVALUATE: 1,
        ActionName.RATE_DIFFICULTY: 1,
        ActionName.CUSTOMER_WROTE: 0.3,
        ActionName.RESUME: 0.3,
    },
}
"""What brings an issue on from there."""
CUSTOMERS_TURN = {Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK}
_SELDOM = {ActionName.WITHDRAW: 0.2, ActionName.ADD_NOTE: 0.3, ActionName.AMEND: 0.3}
_SELDOM |= {ActionName.LINK: 0.2, ActionName.CHASE: 0.5}


def likely(chance: Random, issue: IssueView) -> ActionName:
    """Choose something that the stage allows: mostly what brings the issue on."""
    first_of_all = (ActionName.CALM, ActionName.TAKE, ActionName.DECIDE_REMEDY)
    for first in (*first_of_all, ActionName.CONTACT_CUSTOMER):
        if first in issue.can and chance.random() < 0.8:
            return first
    for aside in (ActionName.PROPOSE_REMEDY, ActionName.RECORD_REMEDY):
        if aside in issue.can and chance.random() < 0.3:
            return aside
    if chance.random() < 0.7:
        return weighted(chance, _BRINGS_ON[issue.stage])
    return weighted(chance, {name: _SELDOM.get(name, 1) for name in issue.can})


def pause(chance: Random, stage: Stage) -> timedelta:
    """Say for how long nobody does anything: minutes to weeks."""
    shares = (1, 2, 12, 1, 0.2) if stage in CUSTOMERS_TURN else (7, 7, 3, 1, 0.2)
    spans = [
        (timedelta(minutes=1), HOUR),
        (HOUR, 8 * HOUR),
        (14 * HOUR, 30 * HOUR),
        (2 * DAY, 5 * DAY),
        (7 * DAY, 14 * DAY),
    ]
    lowest, highest = chance.choices(spans, shares)[0]
    return lowest + chance.random() * (highest - lowest)


def wants(chance: Random, now: datetime, name: str, roster: Roster) -> dict[str, Any]:
    """Think of a customer, and what they want."""
    regions = [region for centre in roster.centres for region in centre.regions]
    reach = chance.choice([{"phone": "+86 138 0000 0001"}, {"email": f"{name}@example.com"}])
    kinds = {"fault": 6, "complaint": 3, "paid_service": 5, "consultation": 2}
    kind = weighted(chance, kinds | {"suggestion": 1, "sales": 2})
    lines = {"ATM": 4, "KIOSK": 3, "VEHICLE": 2, "SECURITY": 2, "DRONE": 0.4}
    late = {0: 8, 0.5: 2, 6: 1, 40: 0.5}
    return {
        "reference": name,
        "channel": chance.choice(list(Channel)),
        "kind": kind,
        "category": weighted(chance, dict.fromkeys(CATEGORIES, 1) | {"technical": 3}),
        "severity": weighted(chance, {Severity.GENERAL: 6, Severity.MAJOR: 1}),
        "product_line": weighted(chance, lines),
        "region": chance.choice(regions),
        "agent": chance.choice([m.id for m in roster.members if m.role is Role.AGENT]),
        "customer": {
            "name": f"Customer {name}",
            "type": chance.choice(["individual", "enterprise"]),
            "existing": chance.random() < 0.6,
        }
        | reach,
        "title": _words(chance),
        "reported_at": now - weighted(chance, late) * HOUR,
        "answering": chance.random() < 0.25,
        "complex": chance.random() < 0.1,
        "agitated": kind == "complaint" and chance.random() < 0.4,
        "consent": weighted(Random(f"consent {name}"), _CONSENTS),  # noqa: S311
    }
