"""Kinds, categories and departments are the policy's (R3, R4, R37)."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from domain.issue.arrival import arrived
from domain.issue.complaints import arising
from domain.issue.conversation import following
from domain.issue.duplicates import Side, Sort, unfit
from domain.issue.follow_up import RecordCallback
from domain.issue.intake import Intake, differing
from domain.issue.lifecycle import register
from domain.sla.policy import Policy
from domain.sla.promise import PromiseKind
from domain.sla.rulebook import Rulebook
from domain.staff.known import Known
from domain.terms import CATEGORIES, KINDS, Category, Department, Kind, Terms
from domain.vocabulary import Behaviour, Named, Role, Stage
from tests.support.builders import MONDAY, actor, an_intake, an_issue
from tests.support.rulebooks import facts, policy


def name(zh: str, en: str | None = None) -> Named:
    return Named(zh=zh, en=en or zh)


SOFTWARE = Terms(
    kinds={
        "returns": Kind(name=name("退换货", "returns")),
        "bill": Kind(name=name("账单", "billing"), behaves=Behaviour.ENQUIRY),
        "claim": Kind(name=name("客诉", "claim"), behaves=Behaviour.COMPLAINT),
    },
    categories={
        "account": Category(name=name("账户", "account"), department="finance"),
        "else": Category(name=name("其他", "other"), department="finance", outside=True),
    },
    departments={"finance": Department(name=name("财务部", "finance"))},
)
FINANCE = {
    "kinds": SOFTWARE.model_dump()["kinds"],
    "categories": SOFTWARE.model_dump()["categories"],
    "departments": SOFTWARE.model_dump()["departments"],
    "routing": {},
    "route": [],
    "standby": {},
}


def own(**changes: Any) -> Policy:
    return policy(**FINANCE | changes)


def test_a_policy_that_names_none_has_the_kinds_and_categories_of_the_regulation() -> None:
    usual = policy()
    assert [*usual.terms.kinds] == [*KINDS]
    assert [*usual.terms.categories] == [*CATEGORIES]
    assert not usual.model_dump(exclude_defaults=True).keys() & {"kinds", "categories"}


def test_a_desk_defines_its_own_in_the_order_in_which_it_lists_them() -> None:
    assert own().terms == SOFTWARE
    assert own().department(facts(kind="bill", category="account")) == "finance"
    assert SOFTWARE.kind("bill").both == ("账单", "billing")


def test_the_order_survives_a_store_that_has_one_of_its_own() -> None:
    desk = Rulebook(policy=own(), calendars={})
    again = Rulebook.model_validate(jsonb(json.loads(desk.dump())))
    assert [*again.policy.kinds] != [*SOFTWARE.kinds], "or nothing is shown"
    assert [*again.policy.terms.kinds] == [*SOFTWARE.kinds]
    assert [*again.policy.terms.categories] == [*SOFTWARE.categories]
    assert again.version == desk.version


def jsonb(said: Any) -> Any:
    """Put keys into the order in which PostgreSQL keeps them."""
    if isinstance(said, dict):
        return {key: jsonb(said[key]) for key in sorted(said, key=lambda key: (len(key), key))}
    return [jsonb(each) for each in said] if isinstance(said, list) else said


def test_r40_what_a_customer_reads_of_theirs_is_the_policys_or_befits_how_it_behaves() -> None:
    claim = {"name": "客诉", "behaves": "complaint"}
    returns = {"name": "退换货", "called": {"zh": "退换货申请", "en": "return request"}}
    terms = own(kinds={"claim": claim, "returns": returns}).terms
    assert terms.called("returns") == name("退换货申请", "return request")
    assert (terms.called("claim"), terms.called("fault")) == (None, None)
    too_long = {"claim": claim | {"called": "退" * 21}}
    with pytest.raises(ValidationError, match="at most 20 characters: it stands in short"):
        own(kinds=too_long)


def test_what_is_not_there_any_more_is_called_as_it_was_or_by_its_code() -> None:
    assert SOFTWARE.kind("fault").zh == "故障报修"
    assert SOFTWARE.department("legal").en == "the legal department"
    assert SOFTWARE.kind("oddity").both == ("oddity", "oddity")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kinds": {}}, "kinds: none behaves"),
        (
            {"kinds": {"claim": {"name": "客诉", "behaves": "lawsuit"}}},
            "Input should be 'fault', 'complaint', 'paid_service', 'enquiry', 'suggestion'",
        ),
        (
            {
                "kinds": {
                    "claim": {"name": {"zh": "客诉", "en": "claim"}, "behaves": "complaint"},
                    "other": {"name": {"zh": "客诉", "en": "another"}},
                }
            },
            'kinds: two are called "客诉"',
        ),
        ({"kinds": {"claim": {"name": {"zh": "", "en": "claim"}}}}, "kinds.claim.name.zh"),
        ({"routing": {"hardware": "finance"}}, "routing hardware: no such category; there are"),
        ({"routing": {"account": "finance"}}, "says its department already"),
        (
            {"categories": {"account": {"name": "账户"}}},
            "routing: no department for account",
        ),
        (
            {"categories": {"account": {"name": "账户", "department": "sales"}}},
            "categories account: no department sales; there are: finance (财务部)",
        ),
        (
            {"route": [{"name": "r", "for": {"kind": ["fault"]}, "department": "finance"}]},
            "route r: no kind fault; there are: returns (退换货)",
        ),
        (
            {"relief": [{"name": "r", "for": {"category": ["software"]}}]},
            "relief r: no category software; there are: account (账户)",
        ),
        ({"standby": {"departments": ["field"]}}, "standby: no department field"),
        (
            {"route": [{"name": "r", "department": "field"}]},
            "route r: no department field; there are: finance (财务部)",
        ),
        (
            {"consultation": [{"name": "c", "departments": ["finance", "field"]}]},
            "consultation c: no department field; there are: finance (财务部)",
        ),
        (
            {
                "fault_list": [
                    {
                        "name": "f",
                        "for": {"kind": ["fault"]},
                        "codes": {"A": {"zh": "甲", "en": "a"}},
                    }
                ]
            },
            "fault_list f: no kind fault; there are: returns (退换货)",
        ),
    ],
)
def test_a_policy_that_speaks_of_what_it_does_not_have_is_refused(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        own(**changes)
    assert says in str(refused.value)


def test_an_intake_says_what_was_always_so_of_its_kind_by_leaving_it_out() -> None:
    old = an_intake()
    assert old.in_terms_of(Terms()) == old
    assert old.in_terms_of(Terms()).digest == old.digest
    assert "behaves" not in old.model_dump_json()
    assert old.behaviour is Behaviour.FAULT
    assert an_intake(category="out_of_scope").out_of_scope


def test_an_intake_keeps_what_the_policy_said_of_its_kind_when_it_came_in() -> None:
    said = an_intake(kind="claim", category="else").in_terms_of(SOFTWARE)
    assert (said.behaves, said.outside) == (Behaviour.COMPLAINT, True)
    assert Intake.model_validate_json(said.model_dump_json()) == said
    assert said.in_terms_of(Terms()) == said
    plain = an_intake(kind="returns", category="account").in_terms_of(SOFTWARE)
    assert (plain.behaviour, plain.out_of_scope) == (Behaviour.PLAIN, False)


def test_a_kind_is_treated_as_the_policy_says_that_it_behaves() -> None:
    claim = register(an_intake(kind="claim", category="account").in_terms_of(SOFTWARE), MONDAY)
    assert PromiseKind.VERIFICATION in claim.make
    assert "complaint_received" in {tell.template for tell in claim.tell}
    work = Terms(kinds={"project": Kind(name=name("项目"), behaves=Behaviour.PAID_SERVICE)})
    assert PromiseKind.SURVEY in register(an_intake(kind="project").in_terms_of(work), MONDAY).make
    assert PromiseKind.SURVEY not in register(an_intake(kind="project"), MONDAY).make


def test_two_complaints_of_different_kinds_are_answered_by_one_answer() -> None:
    claim, complaint = (
        Side(each, each, Stage.ASSIGNED, Sort(each, Behaviour.COMPLAINT), "finance")
        for each in ("claim", "complaint")
    )
    assert unfit(claim, complaint) is None
    bill = complaint._replace(id="b", sort=Sort("bill", Behaviour.ENQUIRY))
    assert "a claim" in str(unfit(claim, bill))


def test_whoever_sends_an_intake_does_not_say_how_its_kind_behaves() -> None:
    with pytest.raises(ValidationError) as refused:
        arrived(an_intake().model_dump(mode="json") | {"behaves": "complaint", "outside": True})
    assert {each["loc"] for each in refused.value.errors()} == {("behaves",), ("outside",)}


def test_a_repeat_is_the_same_though_the_policy_says_something_else_of_its_kind_now() -> None:
    first = an_intake(kind="claim").in_terms_of(SOFTWARE)
    assert differing(first, an_intake(kind="claim")) == ()


def test_what_the_policy_does_not_have_is_refused_with_what_it_has() -> None:
    known = Known(regions=frozenset({"shanghai"}), terms=SOFTWARE)
    ours = known.in_our_words(an_intake(kind="fault", category="account"))
    assert [*known.unknown(ours)] == [
        "kind: the policy has no fault; it has: returns (退换货), bill (账单), claim (客诉)"
    ]
    assert [*known.unknown(an_intake(kind="bill", category="technical"))] == [
        "category: the policy has no technical; it has: account (账户), else (其他)"
    ]


def test_r21_what_arises_from_a_call_is_a_complaint_as_the_policy_calls_it() -> None:
    issue = an_issue(Stage.REPLIED)
    called = RecordCallback(
        by=actor(Role.CLERK), reached=True, running=True, satisfied=False, conflict=True, words="不"
    )
    filed = arising(issue, called, 9, MONDAY).as_complaint(SOFTWARE)
    assert (filed.kind, filed.category) == ("claim", "account")
    assert filed.behaviour is Behaviour.COMPLAINT
    as_ever = arising(issue, called, 9, MONDAY)
    assert as_ever.as_complaint(Terms()) == as_ever


def test_r24_what_follows_an_issue_of_a_kind_that_is_gone_is_of_the_kind_it_came_in_as() -> None:
    wrote = an_intake(reference="r-2", kind="bill", category="account").in_terms_of(SOFTWARE)
    after = following(an_intake(), wrote)
    assert (after.kind, after.category) == ("fault", "technical")
    after = following(an_intake(), wrote, SOFTWARE)
    assert (after.kind, after.category) == ("bill", "account")
