"""Fault codes (R43): a list of the policy for a product line, and what is entered of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.sla.faults import entered, list_for, offered
from domain.sla.policy import Policy
from tests.support.rulebooks import facts, policy

READER = {"zh": "读卡器故障", "en": "Card reader"}
ATM = {"name": "atm", "for": {"product_line": ["ATM"]}, "codes": {"A01": READER}}
KIOSK = {
    "name": "kiosk",
    "for": {"product_line": ["KIOSK"]},
    "required": True,
    "codes": {"K01": {"zh": "触摸屏故障", "en": "Touch screen"}},
}


def of(*lists: dict[str, Any], **more: Any) -> Policy:
    return policy(fault_list=list(lists), **more)


def test_r43_the_first_list_that_fits_the_issue_is_its_own() -> None:
    rules = of(ATM, KIOSK, {"name": "rest", "codes": {"Z99": READER}})
    assert [
        found.name if (found := list_for(rules, facts(product_line=line))) else None
        for line in ("ATM", "KIOSK", "VEHICLE")
    ] == ["atm", "kiosk", "rest"]


def test_r43_a_code_is_called_as_the_desk_calls_it() -> None:
    assert entered(of(ATM), facts(), "A01") == "读卡器故障"
    assert entered(of(ATM, desk={"language": "en"}), facts(), "A01") == "Card reader"


@pytest.mark.parametrize("code", ["A02", "a01", "K01"])
def test_r43_a_code_of_no_list_is_refused_and_the_list_is_named(code: str) -> None:
    with pytest.raises(Refused, match=f"fault: {code} is no fault code; the list atm has: A01 读"):
        entered(of(ATM, KIOSK), facts(), code)


def test_r43_a_code_is_required_where_the_policy_says_so_and_nowhere_else() -> None:
    assert entered(of(ATM, KIOSK), facts(), None) is None
    with pytest.raises(Refused, match="fault: give the fault code; the list kiosk has: K01"):
        entered(of(ATM, KIOSK), facts(product_line="KIOSK"), None)


def test_r43_a_desk_with_lists_takes_no_code_where_it_has_none() -> None:
    with pytest.raises(Refused, match="there is no list of fault codes for VEHICLE"):
        entered(of(ATM), facts(product_line="VEHICLE"), "A01")
    assert entered(of(ATM), facts(product_line="VEHICLE"), None) is None


def test_r43_a_desk_without_any_list_takes_every_code_as_it_is() -> None:
    assert entered(policy(), facts(), "E-17") is None
    assert offered(policy(), facts()) == []


def test_r43_what_is_offered_has_code_and_name_in_both_languages() -> None:
    assert offered(of(ATM), facts()) == [("A01", ("A01 读卡器故障", "A01 Card reader"))]
    assert offered(of(ATM), facts(product_line="KIOSK")) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (ATM | {"codes": {}}, "codes"),
        (ATM | {"codes": {"A01": {"zh": "读卡器故障"}}}, "codes.A01.en"),
        (ATM | {"codes": {"A01": READER | {"zh": ""}}}, "codes.A01.zh"),
        (ATM | {"codes": {"A 01": READER}}, "codes.A 01"),
        (ATM | {"for": {"customer": ["individual"]}}, "atm: for.customer: a list of faults is not"),
        (ATM | {"for": {"product": ["ATM"]}}, "product"),
    ],
)
def test_r43_a_list_that_says_nothing_is_refused_with_its_field(
    wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        of(wrong)
    said = "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in refused.value.errors()
    )
    assert reason in said


def test_r43_no_two_lists_have_one_name() -> None:
    with pytest.raises(ValidationError, match="fault_list atm: there are two"):
        of(ATM, ATM)
