"""Two issues about the same: linked, or one speaks for both, and nobody stays unanswered (R6)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Refused
from domain.issue.actions import ActionName, Merging
from domain.issue.common import OPEN
from domain.issue.duplicates import Side, Sort, addresses_of, asking, unfit
from domain.issue.state import Issue, SlaState
from domain.sla.promise import PromiseEnd
from domain.terms import behaviour_of
from domain.vocabulary import DESK, Behaviour, Outcome, Role, Stage
from tests.support.builders import HOUR, Desk, actor, an_issue, decided, ends, messages

AGENT = actor(Role.AGENT)
OTHER = "20261123-07-0009"


def absorbing(**content: Any) -> Issue:
    issue = an_issue(Stage.IN_PROGRESS, department="field")
    step = decided(issue, ActionName.ABSORB, DESK)
    said = step.model_copy(update={"content": step.content | content})
    return Desk().record(said, issue).applied_to(issue)


def test_asking_to_be_merged_changes_nothing_until_the_other_has_taken_it_over() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    after = Desk().do(issue, ActionName.MERGE, AGENT)
    assert (after.stage, ends(after)) == (issue.stage, ends(issue))
    assert after.merging == OTHER
    with pytest.raises(Refused, match="just being merged"):
        decided(after, ActionName.MERGE, AGENT, into="20261123-07-0008")


def test_what_is_merged_ends_and_its_promises_are_neither_kept_nor_broken() -> None:
    issue = Desk().do(an_issue(Stage.IN_PROGRESS), ActionName.MERGE, AGENT)
    step = decided(issue, ActionName.MERGED, DESK)
    assert messages(step) == {"merged: customer", "merged_staff: handler?"}
    after = Desk().record(step, issue).applied_to(issue)
    assert (after.stage, after.outcome) == (Stage.CLOSED, Outcome.MERGED)
    assert (after.merged_into, after.merging, after.answered) == (OTHER, None, False)
    assert {p.end for p in after.promises if p not in issue.promises} == {PromiseEnd.WITHDRAWN}
    assert not after.running
    assert after.over
    assert after.sla_state is SlaState.MET


def test_what_was_broken_before_stays_broken() -> None:
    issue = an_issue(Stage.ASSIGNED)
    key = "response.1"
    for mark in ("75%", "100%"):
        at = next(p for p in issue.running if p.key == key).next_threshold
        assert at
        said = {"promise": key, "threshold": mark}
        issue = Desk().do(issue, ActionName.THRESHOLD, DESK, at.at, **said)
    after = Desk().do(issue, ActionName.MERGED, DESK, issue.last_at + 3 * HOUR)
    assert ends(after)[key] == "broken."


def test_what_could_not_be_merged_goes_on_and_a_lead_hears_why() -> None:
    issue = Desk().do(an_issue(Stage.WAITING), ActionName.MERGE, AGENT)
    failed = {"survivor": None, "reason": "it is closed by now"}
    step = decided(issue, ActionName.MERGED, DESK, **failed)
    assert messages(step) == {"merge_failed: lead"}
    after = Desk().record(step, issue).applied_to(issue)
    assert (after.stage, after.merging, after.merged_into) == (Stage.WAITING, None, None)
    assert ends(after) == ends(issue)


def test_an_issue_that_answers_others_cannot_be_withdrawn() -> None:
    with pytest.raises(Refused, match="ends with an answer"):
        decided(absorbing(others=True), ActionName.WITHDRAW, actor(Role.CUSTOMER))
    same_customer = absorbing(others=False)
    assert same_customer.merged == (OTHER,)
    assert decided(same_customer, ActionName.WITHDRAW, AGENT).outcome is Outcome.WITHDRAWN


def test_nothing_is_taken_over_twice_nor_by_what_is_being_merged_itself() -> None:
    with pytest.raises(Refused, match="already"):
        decided(absorbing(), ActionName.ABSORB, DESK)
    merging = Desk().do(an_issue(Stage.IN_PROGRESS), ActionName.MERGE, AGENT)
    with pytest.raises(Refused, match="itself being merged"):
        decided(merging, ActionName.ABSORB, DESK)


FAULT = Sort("fault", Behaviour.FAULT)


@pytest.mark.parametrize("stage", Stage)
def test_only_what_is_still_to_be_answered_speaks_for_another(stage: Stage) -> None:
    """R6: who is merged into an issue hears its answer, so that must be yet to come."""
    into = Side("a", "1", stage, FAULT, "field")
    this = Side("b", "2", Stage.ASSIGNED, FAULT, "field")
    assert (unfit(into, this) is None) == (stage in OPEN)


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("fault", "fault", True),
        ("fault", "consultation", True),
        ("complaint", "complaint", True),
        ("complaint", "fault", False),
        ("fault", "complaint", False),
        ("paid_service", "paid_service", False),
        ("fault", "paid_service", False),
    ],
)
def test_one_answer_fits_both_kinds_or_they_are_only_linked(
    one: str, other: str, *, fits: bool
) -> None:
    into, this = (
        Side(k, k, Stage.ASSIGNED, Sort(k, behaviour_of(k)), "field") for k in (one, other)
    )
    this = this._replace(id="another")
    assert (unfit(into, this) is None) == fits


def test_neither_into_itself_nor_across_departments() -> None:
    side = Side("a", "1", Stage.ASSIGNED, FAULT, "field")
    assert "this very issue" in str(unfit(side, side))
    other = side._replace(id="b", department="software")
    assert "transfer one of the two first" in str(unfit(side, other))
    issue = an_issue()
    for name, field in ((ActionName.MERGE, "into"), (ActionName.LINK, "to")):
        with pytest.raises(Refused, match="this very issue"):
            decided(issue, name, AGENT, **{field: issue.number})


def test_a_link_changes_nothing_of_either() -> None:
    issue = an_issue(Stage.WAITING)
    after = Desk().do(issue, ActionName.LINK, AGENT)
    assert (after.stage, ends(after), after.last_at) == (issue.stage, ends(issue), issue.last_at)


def test_the_same_merge_asks_under_the_same_key() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    act = Merging(by=AGENT, into=OTHER, survivor="issue:web:r-9")
    assert asking(issue, act, 3) == asking(issue, act, 3)
    assert asking(issue, act, 3).key != asking(issue, act, 4).key


def test_one_customer_is_known_by_number_or_mailbox_however_they_are_written() -> None:
    assert addresses_of("+86 138 0000 1234", None) & addresses_of("13800001234", "a@b.example")
    assert addresses_of(None, "A@B.example") == addresses_of(None, "a@b.example")
    assert not addresses_of("13800001234", None) & addresses_of("13800001235", None)
