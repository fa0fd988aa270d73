"""Which messages carry which links: what each allows, to whom, at which stage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain.errors import Refused
from domain.issue.actions import ACTIONS, ActionName
from domain.issue.lifecycle import decide
from domain.issue.state import Issue
from domain.links import OFFERED, PURPOSES, Link, Purpose, mark_of, offered, sensible
from domain.sla.promise import PromiseKind
from domain.vocabulary import Audience, Role, Stage
from tests.support.builders import DAY, a_promise, actor, an_act, an_issue

A, C = Purpose.ACCEPT, Purpose.COMPLETE
P, T, Q, E = Purpose.PROGRESS, Purpose.TEST, Purpose.CONFIRM, Purpose.EVALUATE
Y, D, X, R = Purpose.APPROVE, Purpose.RATE, Purpose.ADVISE, Purpose.REOPEN
AGENT = Audience.AGENT
MANAGER, OFFICE = Audience.MANAGER, Audience.GM_OFFICE
HANDLER, CUSTOMER = Audience.HANDLER, Audience.CUSTOMER
EVERYTHING = frozenset(PromiseKind)
HOLDERS = {HANDLER: Role.ENGINEER, Audience.EXPERT: Role.ENGINEER} | {
    each: Role(each) for each in (CUSTOMER, AGENT, Audience.LEAD, MANAGER, OFFICE)
}
"""As whom somebody acts who was sent a link."""
K = PromiseKind


@pytest.mark.parametrize(
    ("template", "to", "stage", "running", "links"),
    [
        ("assigned", HANDLER, Stage.ASSIGNED, {K.RESPONSE, K.RESOLUTION}, (A, C)),
        ("assigned", HANDLER, Stage.ASSIGNED, {K.RESPONSE, K.VERIFICATION}, (A,)),
        ("assigned", HANDLER, Stage.ASSIGNED, {K.RESPONSE, K.SURVEY}, (A,)),
        ("assigned", HANDLER, Stage.CONFIRMING, {K.CONFIRMATION}, ()),
        ("taken", HANDLER, Stage.ASSIGNED, {K.RESPONSE}, (A, C)),
        ("reminder", HANDLER, Stage.ASSIGNED, {K.RESPONSE}, (A, C)),
        ("reminder", HANDLER, Stage.IN_PROGRESS, {K.RESOLUTION}, (C,)),
        ("reminder", Audience.CLERK, Stage.REPLIED, {K.CALLBACK}, ()),
        ("overdue", HANDLER, Stage.WAITING, {K.RESOLUTION}, (C,)),
        ("overdue", HANDLER, Stage.VERIFYING, {K.VERIFICATION}, ()),
        ("confirmed", HANDLER, Stage.IN_PROGRESS, {K.RESOLUTION}, (C,)),
        ("confirmed", HANDLER, Stage.APPROVING, {K.APPROVAL}, ()),
        ("registered", CUSTOMER, Stage.ASSIGNED, {K.RESPONSE, K.RESOLUTION}, (P,)),
        ("accepted", CUSTOMER, Stage.IN_PROGRESS, {K.RESPONSE}, (P,)),
        ("resolved", CUSTOMER, Stage.RESOLVED, {K.CALLBACK}, (P, T)),
        ("resolved", CUSTOMER, Stage.RESOLVED, {K.CUSTOMER_TEST}, (P, T)),
        ("resolved", CUSTOMER, Stage.RESOLVED, set(), (P,)),
        ("answered", CUSTOMER, Stage.RESOLVED, {K.CUSTOMER_TEST}, (P, T)),
        ("answered", CUSTOMER, Stage.RESOLVED, set(), (P,)),
        ("test_reminder", CUSTOMER, Stage.REPLIED, {K.CUSTOMER_TEST}, (P, T)),
        ("quotation", CUSTOMER, Stage.CONFIRMING, {K.CONFIRMATION}, (Q, P)),
        ("quotation_reminder", CUSTOMER, Stage.CONFIRMING, {K.CONFIRMATION}, (Q, P)),
        ("declined", CUSTOMER, Stage.RESOLVED, set(), (P,)),
        ("thanks", CUSTOMER, Stage.CLOSED, {K.EVALUATION}, (E,)),
        ("thanks", CUSTOMER, Stage.CLOSED, set(), ()),
        ("undelivered", Audience.LEAD, Stage.ASSIGNED, EVERYTHING, ()),
        ("approval_wanted", MANAGER, Stage.APPROVING, {K.APPROVAL}, (Y,)),
        ("approval_wanted", MANAGER, Stage.IN_PROGRESS, {K.RESOLUTION}, ()),
        ("warning", MANAGER, Stage.APPROVING, {K.APPROVAL}, (Y,)),
        ("alarm", OFFICE, Stage.APPROVING, {K.APPROVAL}, (Y,)),
        ("alarm", Audience.LEAD, Stage.APPROVING, {K.APPROVAL}, ()),
        ("alarm", MANAGER, Stage.IN_PROGRESS, {K.RESOLUTION}, ()),
        ("rating_wanted", MANAGER, Stage.CLOSED, {K.DIFFICULTY}, (D,)),
        ("panel_asked", Audience.EXPERT, Stage.IN_PROGRESS, {K.PANEL}, (X,)),
        ("panel_asked", Audience.LEAD, Stage.WAITING, {K.PANEL}, (X,)),
        ("panel_asked", Audience.EXPERT, Stage.RESOLVED, set(), ()),
        ("did_it_help", AGENT, Stage.REPLIED, {K.FEEDBACK}, (R,)),
        ("did_it_help", AGENT, Stage.CLOSED, set(), (R,)),  # it runs since they wrote before
        ("did_it_help", HANDLER, Stage.REPLIED, {K.FEEDBACK}, ()),
    ],
)
def test_a_message_carries_what_makes_sense_at_its_stage(
    template: str,
    to: Audience,
    stage: Stage,
    running: set[PromiseKind],
    links: tuple[Purpose, ...],
) -> None:
    assert offered(template, to, stage, running) == links


def test_nobody_is_given_a_link_but_whoever_it_is_for() -> None:
    for template, to, stage in product(OFFERED, Audience, Stage):
        for purpose in offered(template, to, stage, EVERYTHING):
            assert PURPOSES[purpose].is_for(to)
    for purpose, terms in PURPOSES.items():
        staff = {HANDLER, AGENT, MANAGER, OFFICE, Audience.EXPERT, Audience.LEAD}
        theirs = {to for to in Audience if terms.is_for(to)}
        assert theirs == {CUSTOMER} or theirs <= staff, purpose


def test_every_link_is_carried_by_some_message() -> None:
    assert {purpose for purposes in OFFERED.values() for purpose in purposes} == set(Purpose)


def test_whoever_is_sent_a_link_has_the_right_to_what_it_does() -> None:
    for terms in PURPOSES.values():
        for to in (terms.audience, *terms.also):
            assert terms.action is None or HOLDERS[to] in ACTIONS[terms.action].rule.roles


def test_every_purpose_has_a_letter_of_its_own() -> None:
    letters = [terms.letter for terms in PURPOSES.values()]
    assert len(set(letters)) == len(Purpose)
    assert {len(letter) for letter in letters} == {1}


_ADVICE = {"question": "", "advice": "measure the voltage first"}
_UNASKED = {ActionName.EVALUATE, ActionName.RATE_DIFFICULTY}
"""What is taken also from whoever was not asked: a score by telephone, a rating before its time."""


def _issues() -> list[Issue]:
    usual = [an_issue(stage) for stage in Stage]
    fresh = [an_issue(Stage.ASSIGNED, kind) for kind in ("complaint", "paid_service")]
    heard = [
        an_issue(stage, promises=(a_promise(each),))
        for stage in (Stage.REPLIED, Stage.CLOSED)
        for each in (K.CUSTOMER_TEST, K.FEEDBACK)
    ]
    scored = [
        an_issue(Stage.CLOSED, promises=(a_promise(each),)) for each in (K.EVALUATION, K.DIFFICULTY)
    ]
    panel = (a_promise(K.RESOLUTION), a_promise(K.PANEL))
    asked = [an_issue(Stage.IN_PROGRESS, promises=panel, panels=1, panel_sits=True)]
    return usual + fresh + heard + scored + asked


@pytest.mark.parametrize("issue", _issues(), ids=lambda i: f"{i.intake.kind}-{i.stage}")
@pytest.mark.parametrize("purpose", [p for p in Purpose if PURPOSES[p].action])
def test_what_a_link_offers_the_issue_does_and_what_it_does_not_offer_the_issue_refuses(
    issue: Issue, purpose: Purpose
) -> None:
    action = PURPOSES[purpose].action
    assert action
    holder = HOLDERS[PURPOSES[purpose].audience]
    # Who has it is a matter of the register's, not of the stage.
    by = actor(holder, issue.engineer.id if holder is Role.ENGINEER and issue.engineer else None)
    if issue.engineer is None and holder is Role.ENGINEER:
        by = actor(Role.LEAD)
    act = an_act(action, by, **_ADVICE if purpose is X else {})
    now = issue.last_at + 2 * DAY
    if sensible(purpose, issue.stage, {p.kind for p in issue.running}):
        assert decide(issue, action, act, now).action is action
    elif action not in _UNASKED:
        with pytest.raises(Refused) as refused:
            decide(issue, action, act, now)
        assert refused.value.type == "NotAllowed"


SENT = datetime(2026, 11, 23, 1, 0, 0, 500_000, tzinfo=UTC)


def a_link(purpose: Purpose, mark: str | None) -> Link:
    """As the register writes it; read back it tells whole seconds."""
    until = (SENT + PURPOSES[purpose].lasts).replace(microsecond=0)
    said = {"number": "20261123-07-0001", "person": "customer", "generation": 1}
    return Link(**said, purpose=purpose, until=until, mark=mark)


def test_a_link_is_of_the_issue_it_was_sent_about_whoever_else_has_its_number() -> None:
    link = a_link(P, mark_of("issue:hotline:r-1"))
    assert link.is_of("issue:hotline:r-1", SENT, 0)
    for stranger in ("issue:hotline:r-2", "issue:web:r-1", "issue:hotline:R-1"):
        assert not link.is_of(stranger, SENT - timedelta(days=1), 0)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_without_a_mark_is_of_no_issue_that_was_registered_after_it_was_sent(
    purpose: Purpose,
) -> None:
    """Its number was given out again: by a register that had forgotten the first."""
    link = a_link(purpose, None)
    assert link.is_of("issue:hotline:r-1", SENT, 0)
    assert link.is_of("issue:hotline:r-1", SENT - timedelta(days=80), 0)
    assert not link.is_of("issue:hotline:r-1", SENT + timedelta(seconds=1), 0)


def test_the_marks_of_a_hundred_thousand_issues_are_short_and_all_but_never_the_same() -> None:
    marks = {mark_of(f"issue:hotline:{n}") for n in range(100_000)}
    assert {len(mark) for mark in marks} == {6}
    assert len(marks) > 99_990
