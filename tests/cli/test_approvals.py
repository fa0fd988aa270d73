"""`yinuo approvals`: what waits for a yes, with its price; and the price in `yinuo issue show`."""

from __future__ import annotations

from tests.cli.test_app import BY_HAND
from tests.support.running_desk import Yinuo


def test_what_waits_for_a_yes_is_listed_with_its_price_and_the_look_recorded(
    yinuo: Yinuo,
) -> None:
    opened = yinuo("issue", "open", *BY_HAND.split(), "--kind", "paid_service", "--json").json
    number, engineer = opened["number"], opened["engineer"]["id"]
    yinuo("issue", "accept", number, "--by", engineer)
    yinuo("issue", "survey", number, "--by", engineer, "--findings", "要换整扇门")
    (listed,) = [e for e in yinuo("approvals", "--json").json if e["number"] == number]
    assert (listed["awaits"], listed["paid"]["findings"]) == ("quotation", "要换整扇门")
    offer = ("--work", "换一扇库门", "--amount", "31200.50")
    yinuo("issue", "quote", number, "--by", engineer, *offer)
    agreed = ("--agreed", "--words", "尽快动工", "--role", "customer")
    yinuo("issue", "confirm", number, "--by", "chen", *agreed)
    (listed,) = [e for e in yinuo("approvals", "--json").json if e["number"] == number]
    assert (listed["awaits"], listed["paid"]["amount"]) == ("approval", "31200.50")
    text = yinuo("approvals", "--department", opened["department"]).out
    assert number in text
    assert "¥ 31,200.50" in text
    by = f"{opened['engineer']['name']} {engineer}"
    assert f"报价 Quoted by {by}" in text
    assert f"技术服务部 {opened['department']}" in text
    assert number not in yinuo("approvals", "--department", "sales").out
    trail = yinuo("audit", "--number", number, "--json").json
    assert {each["what"] for each in trail if each["outcome"] == "seen"} == {"see_customer"}

    shown = yinuo("issue", "show", number, "--json").json
    assert shown["paid_service"]["findings"] == "要换整扇门"
    assert "words" not in shown["paid_service"] or shown["paid_service"]["words"] is None
    page = yinuo("issue", "show", number).out
    assert "¥ 31,200.50" in page
    assert f"报价 Quoted by {by}" in page
    assert "尽快动工" in page, "the customer's words stand in the thread"
