"""What is written into an issue beside its course: notes, and corrections of its data (R44)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.act import KeptAct
from domain.issue.actions import ActionName, Amend, Amended
from domain.issue.arrival import Correction
from domain.issue.complaints import arising
from domain.issue.folding import facts_of
from domain.issue.intake import Intake
from domain.issue.notes import CORRECTABLE, as_told, standing
from domain.issue.state import Issue
from domain.links import mark_of
from domain.vocabulary import Role, Stage
from tests.support.builders import (
    COLLEAGUE,
    DAY,
    HOUR,
    MINUTE,
    Desk,
    actor,
    an_intake,
    an_issue,
    decided,
    ends,
    messages,
)

AGENT = actor(Role.AGENT)
NOTE, AMEND = ActionName.ADD_NOTE, ActionName.AMEND


def amended(issue: Issue, **said: Any) -> Issue:
    return Desk().do(issue, AMEND, AGENT, **{"phone": None, "reason": ""} | said)


# --- notes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "for_customer"), [*product(Stage, (True, False))])
def test_a_note_changes_nothing_but_that_it_stands_there(
    stage: Stage, *, for_customer: bool
) -> None:
    issue = an_issue(stage)
    after = Desk().do(issue, NOTE, AGENT, for_customer=for_customer)
    assert ends(after) == ends(issue)
    same = issue.model_copy(update={"seq": after.seq, "steps": after.steps, "seen": after.seen})
    assert after == same


@pytest.mark.parametrize("stage", Stage)
def test_a_note_makes_no_promise_kept_however_late_it_is(stage: Stage) -> None:
    issue = an_issue(stage)
    for ago in (0 * HOUR, 2 * HOUR):
        now = issue.last_at + 9 * DAY
        step = decided(issue, NOTE, AGENT, now, at=now - ago, words="已经修好了")
        assert (step.promises, step.make, step.answered) == ((), (), None)


def test_whoever_it_is_for_is_told_and_the_handler_of_what_others_write() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    to_customer: dict[str, Any] = {"words": "备件明天到", "for_customer": True}
    assert messages(decided(issue, NOTE, AGENT, **to_customer)) == {
        "note: customer",
        "note_staff: handler",
    }
    internal: dict[str, Any] = {"words": "x", "for_customer": False}
    assert messages(decided(issue, NOTE, AGENT, **internal)) == {"note_staff: handler"}
    assert messages(decided(issue, NOTE, actor(Role.ENGINEER), **internal)) == set()
    assert messages(decided(an_issue(Stage.REGISTERED), NOTE, AGENT, **internal)) == set()


def test_an_engineer_writes_into_their_own_issues_only() -> None:
    with pytest.raises(Refused, match="a lead can reassign it"):
        decided(an_issue(Stage.WAITING), NOTE, actor(Role.ENGINEER, COLLEAGUE.id))


def test_what_is_written_aside_stands_in_no_way_of_an_earlier_deed() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    noted = Desk().do(issue, NOTE, AGENT, issue.last_at + 2 * HOUR)
    noted = Desk().do(noted, AMEND, AGENT, noted.last_at + 2 * HOUR)
    assert noted.last_at == issue.last_at
    step = decided(
        noted,
        ActionName.RESOLVE,
        actor(Role.ENGINEER),
        issue.last_at + 3 * HOUR,
        at=issue.last_at + MINUTE,
    )
    assert step.at == issue.last_at + MINUTE


def test_a_note_may_be_of_an_hour_before_the_last_step_but_not_before_the_report() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    earlier = issue.intake.reported_at
    assert earlier < issue.last_at
    assert decided(issue, NOTE, AGENT, at=earlier).at == earlier
    with pytest.raises(Refused, match="before the report"):
        decided(issue, NOTE, AGENT, at=earlier - MINUTE)


# --- corrections ----------------------------------------------------------------------------------


def test_r44_what_is_corrected_is_kept_with_what_it_was_and_nothing_else_changes() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    step = decided(
        issue,
        AMEND,
        AGENT,
        phone="+8613900000002",
        name="张为",
        site="二楼大厅",
        remove=("contact",),
        reason="客户来电",
    )
    act = step.act
    assert isinstance(act, Amended)
    assert act.was == {
        "name": "张伟",
        "phone": "+86 138 0000 1234",
        "contact": "李娜",
        "site": "Century Avenue branch, lobby",
    }
    after = Desk().record(step, issue).applied_to(issue)
    customer = after.intake.customer
    assert (customer.name, customer.phone, customer.contact) == ("张为", "+8613900000002", None)
    assert after.intake.site == "二楼大厅"
    untouched = set(Intake.model_fields) - {"customer", "site"}
    assert {n: getattr(after.intake, n) for n in untouched} == {
        n: getattr(issue.intake, n) for n in untouched
    }
    assert ends(after) == ends(issue)
    assert after.stage is issue.stage


def test_only_what_stands_there_otherwise_is_what_it_was() -> None:
    issue = an_issue()
    act = decided(issue, AMEND, AGENT, name="张伟", site="新址", phone=None).act
    assert isinstance(act, Amended)
    assert act.was == {"site": "Century Avenue branch, lobby"}


def test_what_it_was_first_is_known_however_often_it_is_corrected() -> None:
    issue = an_issue(Stage.ASSIGNED)
    after = issue
    for said in (
        {"phone": "+8613900000002", "model": "ST-200"},
        {"phone": "+8613900000003", "remove": ("email", "model")},
        {"email": "li.na@customer.example", "organisation": "浦江银行"},
    ):
        after = amended(after, **said)
    assert after.intake != issue.intake
    assert as_told(after.intake, after.was) == issue.intake
    assert as_told(after.intake, after.was).digest == issue.intake.digest


@pytest.mark.parametrize(
    ("said", "redirects", "told"),
    [
        ({"phone": "+8613900000002"}, 1, {"amended: customer"}),
        ({"phone": "+8613800001234"}, 0, set()),
        ({"email": "Zhang.Wei@Customer.example"}, 0, set()),
        ({"email": "zhang@customer.example"}, 1, {"amended: customer"}),
        ({"remove": ("email",)}, 1, {"amended: customer"}),
        ({"name": "张为", "site": "二楼"}, 0, set()),
        ({"language": "en"}, 0, set()),
    ],
)
def test_links_of_before_are_void_if_they_may_have_gone_to_somebody_else(
    said: dict[str, Any], redirects: int, told: set[str]
) -> None:
    issue = an_issue()
    step = decided(issue, AMEND, AGENT, **{"phone": None, **said})
    assert messages(step) == told
    after = Desk().record(step, issue).applied_to(issue)
    assert after.redirected == redirects
    assert (mark_of(issue.id, after.redirected) == mark_of(issue.id)) is not redirects


def test_an_address_that_was_missing_is_told_and_nothing_becomes_void() -> None:
    customer = {"name": "张伟", "phone": "+86 20 5550 0101"}
    issue = Desk().open(an_intake(customer=customer))
    step = decided(issue, AMEND, AGENT, phone=None, email="zhang@customer.example")
    assert messages(step) == {"amended: customer"}
    assert Desk().record(step, issue).applied_to(issue).redirected == 0


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"remove": ("phone", "email")}, "phone"),
        ({"name": "张伟"}, "name"),
        ({"phone": "+86 138 0000 1234"}, "name"),
    ],
)
def test_what_cannot_be_or_corrects_nothing_is_refused(said: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused, match=f"^{field}: ") as refused:
        decided(an_issue(), AMEND, AGENT, **{"phone": None, **said})
    assert refused.value.type == "Invalid"


@pytest.mark.parametrize(
    "said",
    [
        *({}, {"reason": "nothing"}, {"name": ""}, {"email": "none"}, {"remove": ["name"]}),
        *({"remove": ["region"]}, {"region": "上海"}, {"title": "x"}, {"reference": "r-2"}),
        *({"phone": "abc"}, {"site": "x", "remove": ["site"]}, {"remove": ["site", "site"]}),
    ],
)
def test_nothing_else_of_an_intake_can_be_corrected_nor_to_what_is_none(
    said: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        Amend.model_validate({"by": AGENT} | said)


def test_a_door_reads_a_number_as_people_write_it_and_asks_for_one() -> None:
    read = Correction.model_validate({"by": AGENT, "phone": "020-55500101 转 801"})
    assert read.phone == "+862055500101(801)"
    assert Correction.model_validate(read.model_dump()) == read
    with pytest.raises(ValidationError, match="more than one number"):
        Correction.model_validate({"by": AGENT, "phone": "13800000001 或 13900000002"})


def test_what_a_door_read_is_told_from_something_else_under_the_same_key() -> None:
    issue = an_issue()
    again = Correction.model_validate({"by": AGENT, "phone": "139 0000 0002", "reason": "来电"})
    step = decided(issue, AMEND, AGENT, **dict(again) | {"by": AGENT})
    kept = _kept(step)
    assert again.differing(kept) == ()
    other = again.model_copy(update={"phone": "+8613900000003"})
    assert other.differing(kept) == ("phone",)


def _kept(step: Any) -> Any:
    return KeptAct(step.action, step.by.id, step.at, step.recorded_at, step.content)


def test_the_page_of_the_issue_says_what_was_corrected_and_nothing_of_it() -> None:
    after = amended(an_issue(), phone="+8613900000002", site="二楼大厅", reason="来电更正")
    note = after.steps[-1].note
    assert note == "phone, site", "how it was found out is in the thread"
    assert "139" not in after.steps[-1].model_dump_json()


def test_an_issue_without_corrections_is_written_as_ever() -> None:
    written = an_issue().model_dump(mode="json")
    assert {"was", "redirected"}.isdisjoint(written)
    assert Issue.model_validate(written) == an_issue()


def test_all_that_may_be_corrected_is_compared_with_the_register() -> None:
    issue = an_issue()
    assert set(standing(issue.intake)) == set(CORRECTABLE)
    assert len(facts_of(issue)) == 13 + len(CORRECTABLE)
    assert facts_of(issue)["contact_person"] == "李娜"


def test_what_arises_from_a_corrected_issue_is_about_the_right_customer() -> None:
    issue = amended(an_issue(Stage.REPLIED), phone="+8613900000002")
    call = {"reached": True, "running": True, "conflict": True, "words": "等了三天"}
    now = issue.last_at + DAY + timedelta(hours=1)
    step = decided(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), now, **call)
    assert arising(issue, step.act, step.seq, step.at).customer.phone == "+8613900000002"
