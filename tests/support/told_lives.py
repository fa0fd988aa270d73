"""Lives of issues in which everybody says something of their own at every step, written into real
registers by the activity that writes them, and no workflow: for whoever wants to see where words
come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from activities.recording import Recording
from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, Act, ActionName
from domain.issue.asked import fields
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.issue.thread import Door, Holds
from domain.sla.promise import PromiseKind
from domain.sla.rulebook import Rulebook
from domain.vocabulary import DESK, Actor, Role
from runtime import rulebook
from runtime.settings import ROOT
from tests.support.builders import an_intake

MORNING = datetime.fromisoformat("2026-11-23T10:00+08:00")
MINUTE = timedelta(minutes=1)
RUN = "run-1"
CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
AGENT = Actor(id="07", role=Role.AGENT)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)


class Deed(NamedTuple):
    """Something that is done: by whom, through which door, and what besides words is said."""

    action: ActionName
    by: Role
    more: Mapping[str, Any] = {}
    door: Door = Door.PAGE


class Word(NamedTuple):
    """A word that nobody else says: with which action, in which field, by which door; and whether
    it was written for the customer.
    """

    action: ActionName
    field: str
    door: Door
    said: str
    for_customer: bool
    strangers: bool


@dataclass
class Told:
    """An issue that was led through its life, and all that was said in it."""

    issue: Issue
    words: list[Word] = field(default_factory=list)


_A = ActionName
_GIVEN_AGAIN = (
    Deed(_A.ACCEPT, Role.ENGINEER, {"expected_at": MORNING + timedelta(days=9)}),
    Deed(_A.RESOLVE, Role.ENGINEER, {"known_solution": False}),
    Deed(_A.REPLIED, Role.SYSTEM),
)
_TO_SOFTWARE = {"to": "software_development", "consent": "yes"}
_GIVEN_BY_CALL = (*_GIVEN_AGAIN[:-1], Deed(_A.CONTACT_CUSTOMER, Role.AGENT, {"reached": True}))
"""Of what is major by then (R34)."""
_CALLED = {"reached": True, "satisfied": False}
LIVES: Mapping[str, tuple[Mapping[str, Any], Sequence[Deed]]] = {
    "fault": (
        {},
        (
            Deed(_A.ESCALATE, Role.AGENT, {}, Door.COMMAND_LINE),
            Deed(_A.ACCEPT, Role.ENGINEER, {}, Door.LINK),
            Deed(_A.REPORT_PROGRESS, Role.ENGINEER, {"expected_at": MORNING + timedelta(days=8)}),
            Deed(_A.WAIT_FOR_CUSTOMER, Role.ENGINEER),
            Deed(_A.RESUME, Role.AGENT),
            Deed(_A.CHASE, Role.AGENT),
            Deed(_A.ADD_NOTE, Role.LEAD),
            Deed(_A.ADD_NOTE, Role.AGENT, {"for_customer": True}),
            Deed(_A.AMEND, Role.AGENT, {"site": "二楼大堂"}, Door.API),
            Deed(_A.CUSTOMER_WROTE, Role.CUSTOMER, {}, Door.LETTER),
            Deed(_A.CUSTOMER_WROTE, Role.CUSTOMER, {"known": False}, Door.LETTER),
            Deed(_A.CONSULT, Role.ENGINEER, {"advice": "", "experts": ("li.na",)}),
            Deed(_A.CONSULT, Role.LEAD, {"question": ""}),
            Deed(_A.REASSIGN, Role.LEAD, {"to": "chen.zhiqiang", "consent": "not_asked"}),
            *_GIVEN_AGAIN,
            Deed(_A.REPORT_TEST, Role.CUSTOMER, {"worked": False}, Door.LINK),
            *_GIVEN_BY_CALL,
            Deed(_A.RECORD_CALLBACK, Role.CLERK, {**_CALLED, "running": False}),
            *_GIVEN_BY_CALL,
            Deed(_A.RECORD_CALLBACK, Role.CLERK, {**_CALLED, "running": True}, Door.COMMAND_LINE),
            Deed(
                _A.EVALUATE,
                Role.CUSTOMER,
                {"item": "after_sales", "technical": 120, "attitude": 90},
                Door.LINK,
            ),
            Deed(_A.RATE_DIFFICULTY, Role.MANAGER, {"difficulty": 4}),
        ),
    ),
    "call": (
        {},
        (
            Deed(_A.ACCEPT, Role.ENGINEER),
            Deed(_A.RESOLVE, Role.ENGINEER),
            Deed(_A.REPLIED, Role.SYSTEM),
            Deed(_A.REPORT_TEST, Role.CUSTOMER, {"worked": True}, Door.LINK),
        ),
    ),
    "told": (
        {"kind": "suggestion", "channel": "telephone"},
        (
            Deed(_A.ACCEPT, Role.ENGINEER),
            Deed(_A.RESOLVE, Role.ENGINEER),
            Deed(_A.CONTACT_CUSTOMER, Role.AGENT, {"reached": True}),
        ),
    ),
    "question": (
        {"kind": "consultation", "answering": True, "channel": "telephone"},
        (
            Deed(_A.ANSWER, Role.AGENT, {}, Door.API),
            Deed(_A.REPORT_TEST, Role.CUSTOMER, {"worked": False}, Door.LINK),
        ),
    ),
    "letter": (
        {"kind": "consultation", "channel": "email"},
        (Deed(_A.TAKE, Role.AGENT), Deed(_A.TRANSFER, Role.AGENT, _TO_SOFTWARE)),
    ),
    "stays": (
        {"answering": True, "channel": "telephone"},
        (
            Deed(_A.REASSIGN, Role.AGENT, {"consent": "no"}),
            Deed(_A.REASSIGN, Role.AGENT, {"consent": "yes"}),
        ),
    ),
    "complaint": (
        {"kind": "complaint", "category": "service", "agitated": True},
        (
            Deed(_A.CALM, Role.LEAD),
            Deed(_A.ACCEPT, Role.ENGINEER),
            Deed(_A.VERIFY, Role.ENGINEER, {"verdict": "general"}),
            Deed(_A.PROPOSE_REMEDY, Role.ENGINEER, {"remedy": "exchange"}),
            Deed(_A.DECIDE_REMEDY, Role.MANAGER, {"approved": False}, Door.API),
            Deed(_A.PROPOSE_REMEDY, Role.ENGINEER, {"remedy": "exchange"}),
            Deed(_A.DECIDE_REMEDY, Role.MANAGER, {"approved": True}, Door.LINK),
            Deed(_A.RECORD_REMEDY, Role.ENGINEER, {"accepted": True}),
        ),
    ),
    "paid": (
        {"kind": "paid_service"},
        (
            Deed(_A.ACCEPT, Role.ENGINEER),
            Deed(_A.SURVEY, Role.ENGINEER),
            Deed(_A.QUOTE, Role.ENGINEER, {"amount": "25800.00"}),
            Deed(_A.CONFIRM, Role.CUSTOMER, {"agreed": True}, Door.LINK),
            Deed(_A.APPROVE, Role.MANAGER, {"approved": True}),
        ),
    ),
    "survivor": ({}, (Deed(_A.ACCEPT, Role.ENGINEER),)),
    "merged": (
        {"customer": {"name": "李娜", "phone": "+8613900000002"}},
        (Deed(_A.CUSTOMER_WROTE, Role.CUSTOMER, {}, Door.LETTER),),
    ),
    "passed on": (
        {},
        (
            Deed(_A.TRANSFER, Role.AGENT, _TO_SOFTWARE),
            Deed(_A.WITHDRAW, Role.LEAD, {}, Door.API),
        ),
    ),
}
"""By name: what of the intake is its own, and what is done in turn."""


_THE_AGENT_CALLS = """
[[promise]]
name = "reply"
promise = "reply"
for = { kind = ["suggestion"] }
within = "2h"
attempts = 3
marks = "feedback"
"""
"""R34: what the agent brings by telephone."""


def rulebook_of_lives(folder: Path) -> Rulebook:
    """Make the rulebook that these lives are led by: the standard one, and one promise more."""
    policy = (ROOT / "policies" / "standard.toml").read_text("utf-8")
    (folder / "calls.toml").write_text(policy + _THE_AGENT_CALLS, "utf-8")
    return rulebook.load(folder / "calls.toml")


async def lead(recording: Recording, name: str) -> Told:
    """Lead one of these lives."""
    changes, deeds = LIVES[name]
    slug = name.replace(" ", "")
    intake = an_intake(
        **{
            "reference": slug,
            "region": "广东",
            "reported_at": MORNING,
            "occurred_at": None,
            "title": f"title{slug}z",
            "description": f"description{slug}z",
            **changes,
        }
    )
    step = register(intake, MORNING).model_copy(update={"run": RUN})
    issue = registered(intake, await recording.record_step(step))
    told = Told(issue)
    for place, deed in enumerate(deeds):
        told.issue = await does(recording, told, deed, f"{slug}{place:02}")
    return told


async def bring_together(recording: Recording, one: Told, into: Told) -> None:
    """Link an issue with another, merge it into that in vain, and then for good."""
    other = into.issue.number
    for place, deed in enumerate(
        (
            Deed(_A.LINK, Role.AGENT, {"to": other}),
            Deed(_A.MERGE, Role.AGENT, {"into": other}, Door.API),
            Deed(_A.MERGED, Role.SYSTEM, {"into": other}, Door.DESK),
            Deed(_A.MERGE, Role.LEAD, {"into": other}),
        )
    ):
        one.issue = await does(recording, one, deed, f"together{place:02}")
    issue = one.issue
    taken = {"issue_id": issue.id, "number": issue.number, "department": issue.department}
    absorbs = Deed(_A.ABSORB, Role.SYSTEM, {**taken, "kind": issue.intake.kind}, Door.DESK)
    into.issue = await does(recording, into, absorbs, "absorbed")
    ends = {"into": other, "survivor": into.issue.id, "reason": ""}
    one.issue = await does(recording, one, Deed(_A.MERGED, Role.SYSTEM, ends, Door.DESK), "ended")


async def does(recording: Recording, told: Told, deed: Deed, mark: str) -> Issue:
    """Let a deed be done, with words that end in ``mark`` and a z; return the issue after it."""
    issue, form = told.issue, ACTIONS[deed.action].form
    said: dict[str, Any] = {**dict(_own_words(deed, mark)), **deed.more}
    act: Act = form.model_validate({"by": _who(issue, deed.by), **said})
    now = issue.last_at + MINUTE
    if (call := issue.promise(PromiseKind.CALLBACK)) and deed.action is _A.RECORD_CALLBACK:
        now = max(now, call.opens_at or now)
    step = decide(issue, deed.action, act, now, f"{deed.door}:{mark}")
    recorded = await recording.record_step(step.model_copy(update={"run": RUN}))
    told.words += (
        Word(
            deed.action,
            name,
            deed.door,
            str(value),
            bool(deed.more.get("for_customer")),
            deed.more.get("known") is False,
        )
        for name, value in said.items()
        if str(value).endswith(f"{mark}z")
    )
    return recorded.applied_to(issue)


def _own_words(deed: Deed, mark: str) -> Iterator[tuple[str, str]]:
    if deed.action not in {*PUBLIC_ACTIONS, _A.ABSORB, _A.MERGED}:
        return
    for name, asked in fields(deed.action).items():
        if asked.holds is Holds.TEXT and name in ACTIONS[deed.action].form.model_fields:
            yield name, f"{name}{mark}z"


def _who(issue: Issue, role: Role) -> Actor:
    by = {Role.CUSTOMER: CUSTOMER, Role.AGENT: AGENT, Role.CLERK: CLERK, Role.SYSTEM: DESK}
    if role is Role.ENGINEER:
        assert issue.engineer
        return Actor(id=issue.engineer.id, role=role)
    return by.get(role) or Actor(id=OVER[issue.department][role], role=role)


OVER: Mapping[str, Mapping[Role, str]] = {
    "technical_service": {Role.LEAD: "zhou.jianguo", Role.MANAGER: "sun.li"},
    "software_development": {Role.LEAD: "xie.dong", Role.MANAGER: "cheng.yu"},
    "customer_service": {Role.LEAD: "tan.rui", Role.MANAGER: "lu.hong"},
    "business_unit": {Role.LEAD: "cai.jun", Role.MANAGER: "wei.qiang"},
    "customer_success": {Role.LEAD: "long.yuchen", Role.MANAGER: "shi.wenbo"},
    "legal": {Role.LEAD: "mo.yan", Role.MANAGER: "qin.feng"},
}
"""Who answers for a department of the example roster."""
