"""A repeat is told from something else by what somebody said, not by how it is written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.issue.act import ActionName, KeptAct
from domain.issue.actions import Accept, Act, Quote, RecordCallback, Resolve
from domain.issue.intake import CLOCK_AHEAD, SAID, Customer, Intake, differing, said_digest
from domain.vocabulary import Actor, Role
from tests.support.builders import MINUTE, MONDAY, an_intake

OTHERWISE: dict[str, Any] = {
    "channel": "telephone",
    "kind": "complaint",
    "category": "software",
    "severity": "major",
    "product_line": "KIOSK",
    "region": "guangdong",
    "agent": "12",
    "title": "The keys are stuck",
    "description": "",
    "model": None,
    "serial_number": "SN-4712",
    "site": "Century Avenue branch, vault",
    "occurred_at": MONDAY - timedelta(hours=2),
    "complex": True,
    "agitated": True,
    "consent": "yes",
    "consent_words": "that is fine with me",
    "arises_from": "issue:web:other",
    "customer.name": "陈红",
    "customer.type": "individual",
    "customer.existing": False,
    "customer.organisation": None,
    "customer.contact": "刘洋",
    "customer.phone": "+86 138 0000 1235",
    "customer.email": "chen.hong@customer.example",
    "customer.language": "en",
}
"""Of every field something else than the sample intake says."""


def changed(**changes: Any) -> Intake:
    """The sample intake, saying something else in these fields."""
    whole = an_intake().model_dump() | {n: v for n, v in changes.items() if "." not in n}
    own = {n.rpartition(".")[2]: v for n, v in changes.items() if "." in n}
    return Intake.model_validate(whole | {"customer": whole["customer"] | own})


def test_every_field_that_somebody_says_is_tried() -> None:
    assert OTHERWISE.keys() == SAID


@pytest.mark.parametrize("field", sorted(OTHERWISE))
def test_what_is_said_otherwise_is_named_whichever_came_first(field: str) -> None:
    first, again = an_intake(), changed(**{field: OTHERWISE[field]})
    assert differing(first, again) == differing(again, first) == (field,)
    assert said_digest(first) != said_digest(again)


def test_all_that_differs_is_named() -> None:
    assert set(differing(an_intake(), changed(**OTHERWISE))) == SAID


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reported_at": MONDAY + timedelta(days=3)},
        {"ring_seconds": 12},
        {"answering": True},
        {"title": "The card　reader \u200bswallows cards"},
        {"description": "Since this morning,\r\nevery second card.\u202c"},
        {"product_line": "atm"},
        {"serial_number": "ＳＮ－4711"},
        {"occurred_at": (MONDAY - timedelta(hours=1)).isoformat().replace("+00:00", "Z")},
        {"customer.phone": "138-0000-1234"},
        {"customer.phone": "0086 13800001234"},
        {"customer.email": "Zhang.Wei@customer.example"},
    ],
    ids=repr,
)
def test_what_is_only_written_otherwise_or_was_measured_is_the_same(
    changes: dict[str, Any],
) -> None:
    first, again = an_intake(), changed(**changes)
    assert differing(first, again) == ()
    assert said_digest(first) == said_digest(again)


def test_a_clock_that_ran_ahead_when_it_came_first_makes_no_repeat_something_else() -> None:
    """What such a clock said was taken as now, and noted with what the customer said."""
    said = an_intake().description
    note = f"{CLOCK_AHEAD}: occurred_at 2026-11-23T09:40:00+08:00"
    first = changed(description=f"{said}\n\n{note}", occurred_at=MONDAY)
    assert differing(first, changed(occurred_at=MONDAY + 40 * MINUTE)) == ()
    again = changed(description=f"{said}\n\n{note}", occurred_at=MONDAY + 4 * MINUTE)
    assert differing(first, again) == ()
    other = changed(description=f"Something else.\n\n{note}", occurred_at=MONDAY)
    assert differing(first, other) == ("description",)


_WORD = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
_GAP = st.text(st.sampled_from(" \t\n\u3000\u2028\u200b\u200e\u202a\x85"), max_size=3)


@given(st.lists(st.tuples(_WORD, _GAP), min_size=1, max_size=8), st.data())
def test_words_are_the_same_whatever_stands_between_them_unseen(
    said: list[tuple[str, str]], data: st.DataObject
) -> None:
    one = "".join(f"{word} {gap}" for word, gap in said)
    other = "".join(f"{word} {data.draw(_GAP)}" for word, _ in said)
    first, again = changed(description=one), changed(description=other)
    assert differing(first, again) == ()
    more = changed(description=f"{other} {data.draw(_WORD)}")
    assert differing(first, more) == ("description",)


def test_nothing_of_what_is_said_stands_in_its_name() -> None:
    named = said_digest(an_intake())
    assert len(named) == 32
    assert int(named, 16) >= 0


def test_every_field_of_a_customer_is_the_customers() -> None:
    assert {each.removeprefix("customer.") for each in SAID if "." in each} == set(
        Customer.model_fields
    )


# Acts ---------------------------------------------------------------------------------------------

ENGINEER = Actor(id="e01", role=Role.ENGINEER)


def kept(act: Act, name: ActionName, *, at: datetime = MONDAY, by: str = "e01") -> KeptAct:
    """What the register keeps of an act that it heard of on Monday."""
    return KeptAct(name, by, at, MONDAY, act.content())


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (Accept(by=ENGINEER), ActionName.ACCEPT),
        (Resolve(by=ENGINEER, result="reset", cause="dust"), ActionName.RESOLVE),
        (Quote.model_validate({"by": ENGINEER, "work": "x", "amount": "12800"}), ActionName.QUOTE),
        (RecordCallback(by=ENGINEER, reached=True, running=True), ActionName.RECORD_CALLBACK),
    ],
    ids=lambda each: str(each) if isinstance(each, str) else "",
)
def test_an_act_is_what_was_kept_of_it(act: Act, name: ActionName) -> None:
    assert act.differing(kept(act, name)) == ()


def test_an_act_that_says_something_else_names_it() -> None:
    said = Resolve(by=ENGINEER, result="reset", cause="dust")
    stands = kept(said, ActionName.RESOLVE)
    assert Resolve(by=ENGINEER, result="replaced", cause="dust").differing(stands) == ("result",)
    assert Resolve(by=ENGINEER, result="reset").differing(stands) == ("cause",)
    somebody = Actor(id="e02", role=Role.ENGINEER)
    assert said.model_copy(update={"by": somebody}).differing(stands) == ("by",)


def test_the_same_price_is_the_same_however_it_is_written() -> None:
    said = Quote.model_validate({"by": ENGINEER, "work": "x", "amount": "12800.00"})
    again = Quote.model_validate({"by": ENGINEER, "work": "x", "amount": "12800"})
    assert again.differing(kept(said, ActionName.QUOTE)) == ()


def test_what_is_kept_beside_a_form_is_nothing_that_its_sender_said() -> None:
    said = Accept(by=ENGINEER)
    stands = kept(said, ActionName.ACCEPT)._replace(content={"from": "technical_service"})
    assert said.differing(stands) == ()


def test_when_it_happened_counts_if_it_is_said() -> None:
    early = MONDAY - 30 * MINUTE
    stands = kept(Accept(by=ENGINEER), ActionName.ACCEPT, at=early)
    assert Accept(by=ENGINEER, at=early).differing(stands) == ()
    assert Accept(by=ENGINEER).differing(stands) == ()
    assert Accept(by=ENGINEER, at=early + MINUTE).differing(stands) == ("at",)


def test_a_clock_that_was_fast_is_fast_again() -> None:
    stands = kept(Accept(by=ENGINEER), ActionName.ACCEPT, at=MONDAY)
    assert Accept(by=ENGINEER, at=MONDAY + MINUTE).differing(stands) == ()
