"""What ``policies/standard.toml`` promises whom and when, figure by figure, as the regulation has
it (R9-R12, R17-R19, R22, R26). Which kinds a step asks for is the lifecycle's to say, not ours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.issue.actions import ActionName
from domain.issue.lifecycle import register
from domain.issue.state import Issue
from domain.issue.step import Step
from domain.sla.planning import Planner
from domain.sla.promise import CUSTOMERS, PromiseKind
from domain.vocabulary import CustomerType, Role, Severity, Stage
from runtime.rulebook import load
from tests.support.builders import (
    DAY,
    HOUR,
    MONDAY,
    a_promise,
    actor,
    an_intake,
    an_issue,
    decided,
)
from tests.support.rulebooks import facts

STANDARD = load(Path(__file__).parents[2] / "policies" / "standard.toml")
KINDS = STANDARD.policy.terms.kinds
GENERAL, MAJOR = Severity.GENERAL, Severity.MAJOR


def planner(**changes: Any) -> Planner:
    return Planner(STANDARD, facts(**changes), "desk")


def promised(step: Step, **changes: Any) -> dict[str, str]:
    """What the standard policy promises of what a step asks for: kind and target."""
    made = planner(**changes).promised(step.make, MONDAY, step.attempt)
    return {str(promise.kind): promise.target for promise in made}


# --- at registration ------------------------------------------------------------------------------

THREE_DAYS = {"resolution": "3 working days"}
AT_FIRST: dict[tuple[str, Severity], dict[str, str]] = {
    **{(kind, GENERAL): {"response": "2h", **THREE_DAYS} for kind in KINDS},
    **{(kind, MAJOR): {"response": "30min", **THREE_DAYS} for kind in KINDS},
    ("complaint", GENERAL): {
        "response": "2h",
        "resolution": "3 working days",
        "verification": "1 working day",
    },
    ("complaint", MAJOR): {
        "response": "30min",
        "resolution": "3 working days",
        "verification": "2h",
    },
    ("paid_service", GENERAL): {"response": "2h", "survey": "2 working days"},
    ("paid_service", MAJOR): {"response": "30min", "survey": "2 working days"},
}


@pytest.mark.parametrize(("kind", "severity"), AT_FIRST)
def test_r11_r12_r17_r19_a_customer_is_promised_this_when_they_tell_us(
    kind: str, severity: Severity
) -> None:
    step = register(an_intake(kind=kind, severity=severity), MONDAY)
    assert promised(step, kind=kind, severity=severity) == AT_FIRST[kind, severity]


@pytest.mark.parametrize(("severity", "within"), [(GENERAL, "2h"), (MAJOR, "30min")])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "complaint"])
def test_r10_what_the_hotline_tries_first_is_passed_on_in_two_working_hours_or_half_an_hour(
    kind: str, severity: Severity, within: str
) -> None:
    step = register(an_intake(kind=kind, severity=severity, answering=True), MONDAY)
    expected = AT_FIRST[kind, severity] | {"hand_over": within}
    assert promised(step, kind=kind, severity=severity) == expected


def test_r10_two_hours_to_pass_it_on_are_working_hours_and_half_an_hour_is_not() -> None:
    friday_evening = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)  # 17:30 in Shanghai
    slow, fast = (
        planner(severity=severity).make(PromiseKind.HAND_OVER, friday_evening)
        for severity in (GENERAL, MAJOR)
    )
    assert slow
    assert fast
    assert slow.due_at == datetime(2026, 11, 30, 2, 30, tzinfo=UTC)  # Monday 10:30
    assert fast.due_at == friday_evening + HOUR / 2


# --- after an answer, a result, the end -----------------------------------------------------------


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("severity", list(Severity))
def test_r9_the_customer_has_a_day_to_try_what_the_hotline_answered(
    kind: str, severity: Severity
) -> None:
    step = decided(an_issue(), ActionName.ANSWER, actor(Role.AGENT))
    now = {"kind": kind, "severity": severity, "first_contact": True}
    called = CALLED if kind in {"fault", "complaint"} else {}  # R22: on the line, too
    assert promised(step, **now) == {"customer_test": "24h"} | called
    test = planner(**now).make(PromiseKind.CUSTOMER_TEST, MONDAY)
    assert test
    assert test.due_at == MONDAY + DAY


TRIED = {"customer_test": "24h"}
CALLED = {"callback": "1 working day"}
AFTER_THE_RESULT = {
    "consultation": TRIED,
    "fault": CALLED,
    "complaint": CALLED,
    "suggestion": TRIED,
    "sales": TRIED,
    "partners": TRIED,
    "jobs": TRIED,
    "training": TRIED,
    "paid_service": {"customer_test": "5 working days"},
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("severity", list(Severity))
def test_r17_r22_after_the_result_a_customer_is_called_or_tries_it_or_accepts_the_work(
    kind: str, severity: Severity
) -> None:
    step = decided(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    by_call = kind == "complaint" or severity is MAJOR
    if by_call:  # R34: what follows the answer begins with the agent's call
        step = decided(a_call_owed(), ActionName.CONTACT_CUSTOMER, actor(Role.AGENT))
    assert promised(step, kind=kind, severity=severity) == AFTER_THE_RESULT[kind]


def a_call_owed() -> Issue:
    reply = a_promise(PromiseKind.REPLY)
    return an_issue(Stage.RESOLVED).model_copy(update={"promises": (reply,)})


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("severity", list(Severity))
def test_r34_complaints_and_what_is_major_the_agents_call_answers(
    kind: str, severity: Severity
) -> None:
    step = decided(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    within = "1h" if severity is MAJOR else "4h" if kind == "complaint" else None
    made = promised(step, kind=kind, severity=severity)
    assert made.get("reply") == within
    assert within is None or set(made) == {"reply"}


@pytest.mark.parametrize(("severity", "within"), [(GENERAL, "2h"), (MAJOR, "30min")])
@pytest.mark.parametrize("kind", list(KINDS))
def test_r13_of_what_is_late_the_agent_calls_within_two_working_hours_or_half_an_hour(
    kind: str, severity: Severity, within: str
) -> None:
    promise = planner(kind=kind, severity=severity).make(PromiseKind.CONTACT, MONDAY)
    assert promise
    assert (promise.target, promise.attempts) == (within, 3)
    told = [set(mark.tell) for mark in promise.marks]
    assert told == [{"agent"}, {"agent", "lead"}, {"manager"}]


@pytest.mark.parametrize("kind", ["fault", "complaint"])
def test_r4_nobody_is_called_back_about_what_is_not_ours_to_solve(kind: str) -> None:
    step = decided(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    by_call = {"reply": "4h"} if kind == "complaint" else {}
    assert promised(step, kind=kind, category="out_of_scope") == by_call
    called = decided(a_call_owed(), ActionName.CONTACT_CUSTOMER, actor(Role.AGENT))
    assert promised(called, kind=kind, category="out_of_scope") == {}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("first_contact", [True, False])
def test_r18_r26_after_the_end_the_customer_scores_and_the_manager_rates_what_was_repaired(
    *, kind: str, first_contact: bool
) -> None:
    issue = an_issue(Stage.REPLIED, first_contact=first_contact)
    step = decided(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), issue.last_at + DAY)
    rated = kind == "fault" or (kind == "paid_service" and not first_contact)
    expected = {"evaluation": "7d"} | ({"difficulty": "5 working days"} if rated else {})
    assert promised(step, kind=kind, first_contact=first_contact) == expected


@pytest.mark.parametrize(
    ("kind", "within"),
    [
        (PromiseKind.QUOTATION, "1 working day"),
        (PromiseKind.CONFIRMATION, "10 working days"),
        (PromiseKind.APPROVAL, "1 working day"),
        (PromiseKind.PANEL, "4h"),
    ],
)
@pytest.mark.parametrize("severity", list(Severity))
def test_r15_r17_every_step_between_has_its_time(
    kind: PromiseKind, within: str, severity: Severity
) -> None:
    promise = planner(kind="paid_service", severity=severity).make(kind, MONDAY)
    assert promise
    assert promise.target == within


def test_r17_the_work_is_promised_with_the_go_ahead() -> None:
    step = decided(an_issue(Stage.APPROVING), ActionName.APPROVE, actor(Role.MANAGER))
    assert promised(step, kind="paid_service") == THREE_DAYS


@pytest.mark.parametrize("kind", sorted(CUSTOMERS))
def test_r6_nobody_is_alarmed_when_the_customers_own_time_is_over(kind: PromiseKind) -> None:
    facts = {"kind": "paid_service"}
    promise = planner(**facts).make(kind, MONDAY)
    assert promise
    reminded = {"customer", "handler", "lead"} if kind is PromiseKind.WAITING else {"customer"}
    assert {who for mark in promise.marks for who in mark.tell} <= reminded
    assert {mark.level for mark in promise.marks} == {0}


# --- the other figures ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "department"),
    [
        ({"category": "technical"}, "technical_service"),
        ({"category": "software"}, "software_development"),
        ({"category": "service"}, "customer_service"),
        ({"category": "commerce"}, "business_unit"),
        ({"category": "out_of_scope"}, "legal"),
        ({"kind": "sales", "category": "commerce"}, "customer_success"),
        ({"kind": "sales", "existing": False}, "sales"),
        ({"kind": "sales", "existing": False, "customer": "individual"}, "sales"),
        (
            {"kind": "sales", "customer": CustomerType.INDIVIDUAL, "category": "commerce"},
            "customer_service",
        ),
        ({"kind": "consultation", "customer": CustomerType.INDIVIDUAL}, "customer_service"),
        ({"kind": "consultation"}, "customer_success"),
        ({"kind": "consultation", "existing": False}, "sales"),
        ({"kind": "consultation", "customer": CustomerType.PARTNER}, "partner_recruitment"),
        (
            {"kind": "sales", "existing": False, "customer": CustomerType.PARTNER},
            "partner_recruitment",
        ),
        ({"kind": "fault", "customer": CustomerType.PARTNER}, "technical_service"),
        ({"kind": "consultation", "category": "out_of_scope"}, "legal"),
        ({"kind": "consultation", "category": "jobs", "existing": False}, "human_resources"),
        ({"kind": "partners", "existing": False}, "partner_recruitment"),
        ({"kind": "jobs", "customer": CustomerType.INDIVIDUAL}, "human_resources"),
        ({"kind": "training"}, "teaching"),
        ({"kind": "complaint", "category": "training"}, "teaching"),
        ({"kind": "fault", "customer": CustomerType.INDIVIDUAL}, "technical_service"),
    ],
)
def test_r4_r37_who_asks_decides_who_answers_and_all_else_goes_by_its_category(
    changes: dict[str, Any], department: str
) -> None:
    assert STANDARD.policy.department(facts(**changes)) == department


def test_r16_r17_r21_r28_the_limits_are_those_of_the_regulation() -> None:
    policy = STANDARD.policy
    assert policy.standby.share == 0.2
    assert policy.paid_service.approval_above == Decimal(20000)
    assert policy.evaluations.complaint_below == 0
    assert (policy.quality.sample, policy.quality.errors) == (0.15, 0.05)
    assert policy.quality.satisfaction == 0.9


def test_r16_a_major_issue_does_not_wait_for_its_handlers_next_shift() -> None:
    assert STANDARD.policy.relieved(facts(severity="major"))
    assert not STANDARD.policy.relieved(facts())
