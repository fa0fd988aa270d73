"""The callback list (R22): each customer once, however their number was written."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.callbacks import (
    Call,
    Called,
    CalledToday,
    CaseSummary,
    about,
    call_code,
    check_one_customer,
    grouped,
    identity,
    share_of,
)
from domain.errors import Refused
from domain.issue.actions import RecordCallback
from domain.issue.intake import Customer
from domain.vocabulary import Actor, Behaviour, Role

MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TODAY = date(2026, 11, 24)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
CLERKS = ("fan.meiling", "jiang.wen", "wu.yan")


def a_customer(phone: str | None = "+86 138 0000 1234", **changes: Any) -> Customer:
    usual = {"name": "张伟", "organisation": "浦江商业银行", "email": "zhang@customer.example"}
    return Customer.model_validate(usual | {"phone": phone} | changes)


def a_case(number: str = "1", due_at: datetime = MORNING, **changes: Any) -> CaseSummary:
    usual = {
        "number": number,
        "kind": "fault",
        "severity": "general",
        "title": "吞卡",
        "description": "",
        "product_line": "ATM",
        "model": None,
        "serial_number": None,
        "site": None,
        "customer": a_customer(),
        "reported_at": MORNING - 24 * HOUR,
        "answered": True,
        "handler": None,
        "result": "card reader replaced",
        "cause": None,
        "resolved_at": MORNING - 20 * HOUR,
        "reopen_count": 0,
        "attempt": 1,
        "attempts": 3,
        "opens_at": None,
        "due_at": due_at,
        "overdue": False,
    }
    return CaseSummary.model_validate(usual | changes)


def called(number: str, at: datetime = MORNING) -> CalledToday:
    return CalledToday(number=number, called_at=at, clerk="fan.meiling", reached=False)


# Who is who ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phones",
    [
        ("+86 138 0000 1234", "13800001234", "0086-138-0000-1234", "86 138 0000 1234"),
        ("0755 8888 0101", "+86 755 8888 0101", "+86 (0)755 8888-0101", "0086 755 88880101"),
        ("+1 650 555 0101", "001 650 555 0101", "+1 (650) 555-0101"),
        ("400-800-0101", "4008000101"),
    ],
)
def test_a_number_is_the_same_however_it_was_written(phones: tuple[str, ...]) -> None:
    assert len({identity(a_customer(phone, name=phone)) for phone in phones}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("13800001234", "13800001235"),
        ("13800001234", "+1 380 000 1234"),  # abroad, the same digits
        ("021 5555 0101", "022 5555 0101"),
    ],
)
def test_other_numbers_are_other_customers(one: str, other: str) -> None:
    assert identity(a_customer(one)) != identity(a_customer(other))


def test_without_a_number_the_e_mail_tells_customers_apart() -> None:
    written = a_customer(None, email="Zhang@Customer.example", name="Z.")
    assert identity(written) == identity(a_customer(None))
    assert identity(written) != identity(a_customer(None, email="li@customer.example"))


@pytest.mark.parametrize("phone", ["1-2-3", "0000000"])
def test_what_is_no_number_does_not_make_one_customer_of_many(phone: str) -> None:
    assert identity(a_customer(phone)) == identity(a_customer(None))
    alone = a_customer(phone, email=None)
    assert identity(alone) == identity(a_customer(phone, email=None, name=" 张伟 "))
    assert identity(alone) != identity(a_customer(phone, email=None, organisation=None))
    assert identity(alone) != identity(a_customer(phone, email=None, name="李娜"))


def test_r22_a_call_is_about_issues_of_one_customer_that_are_there() -> None:
    issues = {
        "1": Called(
            number="1",
            behaves=Behaviour.FAULT,
            customer=a_customer("138 0000 1234"),
            recorded_by=None,
        ),
        "2": Called(
            number="2",
            behaves=Behaviour.FAULT,
            customer=a_customer("+86 138 0000 1234"),
            recorded_by=None,
        ),
        "3": Called(
            number="3",
            behaves=Behaviour.FAULT,
            customer=a_customer("138 0000 9999"),
            recorded_by=None,
        ),
    }
    check_one_customer(["1", "2"], {n: issues[n] for n in "12"})
    with pytest.raises(Refused, match="1, 3 are of 2 customers"):
        check_one_customer(["1", "3"], {n: issues[n] for n in "13"})
    with pytest.raises(Refused, match="there is no issue 4"):
        check_one_customer(["1", "4"], {"1": issues["1"]})
    with pytest.raises(Refused, match="1 is named twice"):
        check_one_customer(["1", "issue:web:1"], {"1": issues["1"], "issue:web:1": issues["1"]})


def test_r23_whoever_reached_a_customer_writes_down_what_they_said() -> None:
    reached: dict[str, Any] = {"conflict": False, "reached": True, "satisfied": True}
    with pytest.raises(Refused, match="as said"):
        about(CLERK, {"1": True}, words="  ", **reached)
    assert set(about(CLERK, {"1": True}, words="好的", **reached)) == {"1"}
    assert set(about(CLERK, {"1": None}, conflict=False, reached=False, satisfied=None)) == {"1"}


def test_r21_a_quarrel_is_one_complaint_from_the_first_issue_of_the_call() -> None:
    said = about(CLERK, {"2": True, "1": True}, conflict=True, reached=True, words="太慢了")
    assert [act.conflict for act in said.values()] == [True, False]


# Grouping -----------------------------------------------------------------------------------------


def test_a_customer_with_several_faults_is_called_once_about_all_of_them() -> None:
    calls = grouped(
        [
            a_case("1", MORNING + 3 * HOUR),
            a_case("2", MORNING + HOUR, customer=a_customer("021 5555 0101")),
            a_case("3", MORNING, customer=a_customer("13800001234", name="李娜")),
        ]
    )
    assert [[case.number for case in call.cases] for call in calls] == [["3", "1"], ["2"]]
    assert [call.due_at for call in calls] == [MORNING, MORNING + HOUR]
    assert calls[0].customer.name == "李娜"


phones = st.sampled_from(["13800001234", "+86 138 0000 1234", "02155550101", "+1 650 555 0101"])
some_cases = st.lists(st.tuples(phones, st.integers(0, 9)), max_size=20).map(
    lambda drawn: [
        a_case(f"{n:02}", MORNING + hours * HOUR, customer=a_customer(phone))
        for n, (phone, hours) in enumerate(drawn)
    ]
)


@given(st.data(), some_cases)
def test_every_issue_is_in_one_call_and_the_nearest_due_comes_first(
    data: st.DataObject, cases: list[CaseSummary]
) -> None:
    calls = grouped(cases)
    assert Counter(c.number for call in calls for c in call.cases) == Counter(
        c.number for c in cases
    )
    assert len({call.key for call in calls}) == len(calls)
    assert [call.due_at for call in calls] == sorted(call.due_at for call in calls)
    for call in calls:
        assert {identity(case.customer) for case in call.cases} == {call.key}
        assert call.due_at == min(case.due_at for case in call.cases)
    assert grouped(data.draw(st.permutations(cases))) == calls


def test_a_customer_who_was_called_today_is_shown_as_such_about_whichever_issue() -> None:
    stranger = a_customer("021 5555 0101")
    (call,) = grouped(
        [a_case("1")],
        [
            (a_customer("138-0000-1234"), called("9", MORNING + HOUR)),
            (stranger, called("8")),
        ],
    )
    assert call.called_today == (called("9", MORNING + HOUR),)
    assert not call.done_today


def test_nobody_is_called_twice_about_one_fault_on_one_day() -> None:
    both = [a_case("1"), a_case("2")]
    (one_left,) = grouped(both, [(a_customer(), called("1"))])
    assert not one_left.done_today
    (done,) = grouped(both, [(a_customer(), called("1")), (a_customer(), called("2"))])
    assert done.done_today


# Sharing out --------------------------------------------------------------------------------------


def calls_of(count: int) -> list[Call]:
    return grouped(a_case(f"{n:03}", customer=a_customer(f"138{n:08}")) for n in range(count))


def test_each_customer_is_one_clerks_and_none_is_forgotten() -> None:
    calls = calls_of(300)
    parts = [share_of(clerk, CLERKS, calls, TODAY) for clerk in CLERKS]
    assert Counter(call.key for part in parts for call in part) == Counter(c.key for c in calls)
    assert all(60 < len(part) < 140 for part in parts)


def test_a_customer_stays_with_their_clerk_when_others_come_or_a_clerk_falls_ill() -> None:
    calls = calls_of(60)
    mine = share_of("fan.meiling", CLERKS, calls[:30], TODAY)
    more = share_of("fan.meiling", reversed(CLERKS), calls, TODAY)
    assert [call for call in more if call in calls[:30]] == mine
    left = share_of("fan.meiling", CLERKS[:2], calls[:30], TODAY)
    assert {c.key for c in mine} <= {c.key for c in left}


# The call -----------------------------------------------------------------------------------------


def said(words: str = "好的", *, running: bool = True) -> RecordCallback:
    return RecordCallback(by=CLERK, reached=True, running=running, words=words)


def test_the_same_record_sent_again_is_the_same_call() -> None:
    code = call_code(TODAY, {"1": said(), "2": said(running=False)})
    assert code == call_code(TODAY, {"2": said(running=False), "1": said()})
    assert RecordCallback(by=CLERK, reached=False, call=code).call == code
    others = (
        call_code(TODAY + timedelta(days=1), {"1": said(), "2": said(running=False)}),
        call_code(TODAY, {"1": said()}),
        call_code(TODAY, {"1": said(running=False), "2": said()}),
        call_code(TODAY, {"1": said("不好"), "2": said(running=False)}),
    )
    assert code not in others
    assert len(set(others)) == len(others)
