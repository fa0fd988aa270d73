"""Traps that the timers of service desks fall into: pauses, late starts, silence, and closed days
beyond anybody's look-ahead (R11-R15, R31).
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName, WaitForCustomer
from domain.issue.state import SlaState
from domain.vocabulary import Stage
from tests.support.harness import (
    LEAD,
    STANDARD,
    Handle,
    StoryDesk,
    engineer,
    history_length,
    refusal,
    stand,
)
from tests.workflows.conftest import Begin

ENGINEER, MANAGER, GM = "liang.jiahao", "sun.li", "tian.hui"
Told = list[tuple[str, str, str]]


async def alarms(desk: StoryDesk, handle: Handle) -> Told:
    """List when, whom and in which wording the thresholds told somebody."""
    wordings = {"reminder", "overdue", "apology", "alarm", "warning", "progress"}
    return [told for told in await desk.told(handle) if told[2] in wordings]


def breach(at: str) -> Told:
    """Say whom a promise tells that breaks at that instant."""
    return [(at, LEAD.id, "alarm"), (at, "customer", "apology"), (at, ENGINEER, "overdue")]


def rising(risk: str, due: str, manager: str, gm: str) -> Told:
    """Say what the four thresholds of a promise bring, each once, at these instants."""
    above = [(manager, MANAGER, "alarm"), (gm, GM, "alarm")]
    return [(risk, ENGINEER, "reminder"), *breach(due), *above]


async def resolution(desk: StoryDesk, handle: Handle) -> tuple[str, str]:
    return (await desk.ledger(handle))["resolution.1"]


async def timers_running(handle: Handle) -> int:
    """Count the durable timers that were started and neither fired nor were cancelled."""
    seen = Counter(EventType.Name(e.event_type) for e in (await handle.fetch_history()).events)
    ended = seen["EVENT_TYPE_TIMER_FIRED"] + seen["EVENT_TYPE_TIMER_CANCELED"]
    return seen["EVENT_TYPE_TIMER_STARTED"] - ended


class Wait(NamedTuple):
    reported: str
    due_before: str
    begins: str
    ends: str
    thresholds: tuple[str, str, str, str]
    """75 %, due, two hours and a working day later, with the wait."""


WAITS = {
    # an hour is left of the day and half an hour of the next is over: one and a half, not 16
    "over_a_night": Wait(
        "2026-03-10 10:00",
        "2026-03-13 18:00",
        "2026-03-11 17:00",
        "2026-03-12 09:30",
        ("2026-03-13 10:45", "2026-03-16 10:30", "2026-03-16 14:00", "2026-03-17 10:30"),
    ),
    # 2 h of Friday and 1 h of Monday, not 66
    "over_a_weekend": Wait(
        "2026-03-12 10:00",
        "2026-03-17 18:00",
        "2026-03-13 16:00",
        "2026-03-16 10:00",
        ("2026-03-17 13:45", "2026-03-18 12:00", "2026-03-18 15:30", "2026-03-19 12:00"),
    ),
    # closed from beginning to end: nothing moves
    "over_nothing_but_a_weekend": Wait(
        "2026-03-12 10:00",
        "2026-03-17 18:00",
        "2026-03-13 18:00",
        "2026-03-16 08:30",
        ("2026-03-17 09:15", "2026-03-17 18:00", "2026-03-18 11:00", "2026-03-18 18:00"),
    ),
    # 3 h of the 30th, two days, and 3 h of the Saturday that makes up for them: 21 h of 11 days
    "over_national_day_2025": Wait(
        "2025-09-29 10:00",
        "2025-10-10 18:00",
        "2025-09-30 15:00",
        "2025-10-11 12:00",
        ("2025-10-13 16:45", "2025-10-14 16:30", "2025-10-15 09:30", "2025-10-15 16:30"),
    ),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
async def test_a_wait_leaves_the_same_working_time_and_every_threshold(
    begin: Begin, wait: Wait
) -> None:
    desk = await begin(wait.reported)
    handle, view = await desk.open()
    await desk.accept(handle, view)
    assert await resolution(desk, handle) == (wait.due_before, "open")
    await desk.until(wait.begins)
    view = await desk.wait(handle, view)
    await desk.until(wait.ends)
    await desk.resume(handle, view)
    assert await resolution(desk, handle) == (wait.thresholds[1], "open")
    await desk.until(f"{wait.thresholds[3][:10]} 20:00")
    assert await alarms(desk, handle) == rising(*wait.thresholds)
    assert await resolution(desk, handle) == (wait.thresholds[1], "broken")


async def test_a_wait_before_each_threshold_skips_none_and_loses_no_breach(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    due = []
    for begins, ends in (
        ("2026-03-16 15:00", "2026-03-19 15:00"),  # over every threshold there is: 22.5 h
        ("2026-03-20 10:00", "2026-03-21 10:00"),  # at risk, over the due instant: 6.5 h
        ("2026-03-23 17:30", "2026-03-24 09:30"),  # overdue, over the manager's: 1 h
        ("2026-03-24 13:45", "2026-03-25 13:45"),  # overdue, over the last: 7.5 h
    ):
        await desk.until(begins)
        view = await desk.wait(handle, view)
        await desk.until(ends)
        view = await desk.resume(handle, view)
        due.append(await resolution(desk, handle))
    assert due == [
        ("2026-03-20 18:00", "open"),
        ("2026-03-23 17:00", "open"),
        ("2026-03-23 17:00", "broken"),
        ("2026-03-23 17:00", "broken"),
    ]
    await desk.until("2026-03-30 10:00")
    assert await alarms(desk, handle) == rising(
        "2026-03-20 09:15", "2026-03-23 17:00", "2026-03-24 11:00", "2026-03-25 18:00"
    )
    assert (await desk.steps(handle)).count("threshold") == 4
    view = await desk.resolve(handle, view)
    assert stand(view)["resolution.1"] == "broken"


async def test_a_wait_that_begins_with_a_threshold_does_not_repeat_it(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.until("2026-03-17 09:15")
    view = await desk.wait(handle, view)
    await desk.until("2026-03-18 09:15")
    await desk.resume(handle, view)
    await desk.until("2026-03-23 10:00")
    assert await alarms(desk, handle) == rising(
        "2026-03-17 09:15", "2026-03-18 18:00", "2026-03-19 11:00", "2026-03-19 18:00"
    )
    assert (await desk.steps(handle)).count("threshold") == 4


async def test_a_wait_reported_after_the_alarm_takes_the_breach_back_and_not_for_good(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.until("2026-03-17 19:00")
    assert await resolution(desk, handle) == ("2026-03-17 18:00", "broken")
    at = desk.real("2026-03-17 17:00")
    act = WaitForCustomer(by=engineer(view), at=at, reason="the vault has been shut since five")
    view = await desk.act(handle, ActionName.WAIT_FOR_CUSTOMER, act)
    assert (view.sla_state, await resolution(desk, handle)) == (
        SlaState.PAUSED,
        ("2026-03-17 18:00", "open"),
    )
    await desk.until("2026-03-18 11:00")
    assert await timers_running(handle) == 0
    await desk.resume(handle, view)
    assert await resolution(desk, handle) == ("2026-03-18 12:00", "open")
    await desk.until("2026-03-23 10:00")
    assert await resolution(desk, handle) == ("2026-03-18 12:00", "broken")
    risk, *after = rising(
        "2026-03-17 09:15", "2026-03-18 12:00", "2026-03-18 15:30", "2026-03-19 12:00"
    )
    assert await alarms(desk, handle) == [risk, *breach("2026-03-17 18:00"), *after]


async def test_an_issue_that_waits_from_its_first_moment_has_its_whole_time_when_it_resumes(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    view = await desk.wait(handle, view)
    assert {step.at for step in view.steps} == {desk.real("2026-03-12 10:00")}
    assert (view.sla_state, view.next_due_at) == (SlaState.PAUSED, None)
    await desk.until("2026-03-20 15:00")
    assert await alarms(desk, handle) == []
    view = await desk.resume(handle, view)
    # 29 working hours were promised and 29 are ahead
    assert await resolution(desk, handle) == ("2026-03-26 14:00", "open")
    assert await timers_running(handle) == 1
    await desk.until("2026-03-30 10:00")
    assert await alarms(desk, handle) == rising(
        "2026-03-25 14:15", "2026-03-26 14:00", "2026-03-26 16:00", "2026-03-27 14:00"
    )
    assert await desk.ledger(handle) == {
        "resolution.1": ("2026-03-26 14:00", "broken"),
        "response.1": ("2026-03-12 12:00", "kept"),
    }


async def test_an_issue_nobody_has_accepted_cannot_wait_and_its_clocks_run_on(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.wait(handle, view)
    assert refusal(refused.value).type == "NotAllowed"
    assert (await desk.view(handle)).stage is Stage.ASSIGNED
    await desk.until("2026-03-12 14:00")
    assert (
        await alarms(desk, handle)
        == rising("2026-03-12 11:30", "2026-03-12 12:00", "2026-03-12 15:30", "2026-03-13 18:00")[
            :4
        ]
    )
    assert await desk.ledger(handle) == {
        "resolution.1": ("2026-03-17 18:00", "open"),
        "response.1": ("2026-03-12 12:00", "broken"),
    }


async def test_a_thousand_hours_of_waiting_leave_the_history_as_one_hour_does(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    view = await desk.accept(handle, view)
    await desk.settle()
    assert await timers_running(handle) == 1
    view = await desk.wait(handle, view)
    await desk.until("2026-03-12 11:00")
    after_one_hour = await history_length(handle)
    assert await timers_running(handle) == 0
    await desk.until("2026-04-23 02:00")
    assert await history_length(handle) == after_one_hour
    assert (await desk.view(handle)).stage is Stage.WAITING
    await desk.until("2026-04-23 09:00")
    await desk.resume(handle, view)
    assert await timers_running(handle) == 1
    # 29 h are ahead: Thursday, Friday, Monday, and 6.5 h of Tuesday
    assert await resolution(desk, handle) == ("2026-04-28 17:00", "open")


async def test_the_solution_is_watched_although_nobody_has_responded(begin: Begin) -> None:
    desk = await begin("2026-03-13 17:00")
    handle, view = await desk.open()
    assert await timers_running(handle) == 2
    await desk.until("2026-03-20 10:00")
    response = rising(
        "2026-03-16 09:30", "2026-03-16 10:00", "2026-03-16 12:00", "2026-03-17 18:00"
    )
    assert await alarms(desk, handle) == response + rising(
        "2026-03-18 10:37", "2026-03-18 18:00", "2026-03-19 11:00", "2026-03-19 18:00"
    )
    view = await desk.view(handle)
    assert (view.stage, view.escalation_level) == (Stage.ASSIGNED, 3)
    assert stand(view) == {"response.1": "broken", "resolution.1": "broken"}


async def test_every_clock_starts_at_the_report_and_not_with_the_workflow(begin: Begin) -> None:
    desk = await begin("2026-03-16 09:05")
    intake = await desk.intake(reported_at=desk.real("2026-03-13 17:00"))
    handle = await desk.start(intake)
    await desk.until("2026-03-16 09:20")
    _, view = await desk.register(intake)
    assert desk.story(view.registered_at) == "2026-03-16 09:20"
    assert await desk.ledger(handle) == {
        "resolution.1": ("2026-03-18 18:00", "open"),
        "response.1": ("2026-03-16 10:00", "open"),
    }
    await desk.until("2026-03-16 10:30")
    assert (
        await alarms(desk, handle)
        == rising("2026-03-16 09:30", "2026-03-16 10:00", "2026-03-16 12:00", "2026-03-17 18:00")[
            :4
        ]
    )


def closed(file: Path, last: str) -> Path:
    """Write the standard policy with the ``desk`` calendar closed from Monday 2026-03-16 on."""
    first = date(2026, 3, 16)
    days = (date.fromisoformat(last) - first).days + 1
    overrides = "\n".join(f"{first + timedelta(days=day)} = []" for day in range(days))
    standard = STANDARD.read_text(encoding="utf-8")
    file.write_text(f"{standard}\n[calendars.desk.overrides]\n{overrides}\n", encoding="utf-8")
    return file


def open_only(file: Path, days: Iterable[str]) -> Path:
    """Write the standard policy with a ``desk`` calendar that has no week, only these days."""
    hours = '["09:00-12:00", "13:30-18:00"]'
    overrides = "\n".join(f"{day} = {hours}" for day in days)
    table = f"[calendars.desk]\nweek = {{}}\n\n[calendars.desk.overrides]\n{overrides}\n"
    standard = STANDARD.read_text(encoding="utf-8")
    text, found = re.subn(r"\[calendars\.desk\]\n(.+\n)+", table, standard)
    assert found == 1
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("last", "days"),
    [
        ("2026-05-24", ("2026-05-25", "2026-05-26", "2026-05-27", "2026-05-28")),
        ("2027-04-19", ("2027-04-20", "2027-04-21", "2027-04-22", "2027-04-23")),
    ],
    ids=["seventy_days", "four_hundred_days"],
)
async def test_promises_fall_due_when_the_desk_opens_after_any_number_of_closed_days(
    begin: Begin, tmp_path: Path, last: str, days: tuple[str, str, str, str]
) -> None:
    desk = await begin("2026-03-13 17:00", closed(tmp_path / "closed.toml", last))
    handle, _ = await desk.open()
    first, second, third, fourth = days
    assert await desk.ledger(handle) == {
        "resolution.1": (f"{third} 18:00", "open"),
        "response.1": (f"{first} 10:00", "open"),
    }
    await desk.until(f"{first} 08:59")
    assert await alarms(desk, handle) == []
    await desk.until(f"{fourth} 19:00")
    told = rising(f"{first} 09:30", f"{first} 10:00", f"{first} 12:00", f"{second} 18:00")
    told += rising(f"{third} 10:37", f"{third} 18:00", f"{fourth} 11:00", f"{fourth} 18:00")
    assert await alarms(desk, handle) == told


async def test_a_desk_that_opens_only_on_days_named_one_by_one_keeps_its_word_on_them(
    begin: Begin, tmp_path: Path
) -> None:
    named = ("2026-03-13", "2027-06-05", "2027-06-06", "2027-06-20", "2027-06-21")
    desk = await begin("2026-03-13 17:00", open_only(tmp_path / "named.toml", named))
    handle, _ = await desk.open()
    assert await desk.ledger(handle) == {
        "resolution.1": ("2027-06-20 18:00", "open"),
        "response.1": ("2027-06-05 10:00", "open"),
    }
    await desk.until("2027-06-22 10:00")
    assert await alarms(desk, handle) == [
        *rising("2027-06-05 09:30", "2027-06-05 10:00", "2027-06-05 12:00", "2027-06-06 18:00"),
        *rising("2027-06-20 10:37", "2027-06-20 18:00", "2027-06-21 11:00", "2027-06-21 18:00"),
    ]


async def test_a_wait_over_seventy_closed_days_moves_the_due_instant_by_the_open_hours_only(
    begin: Begin, tmp_path: Path
) -> None:
    desk = await begin("2026-03-13 10:00", closed(tmp_path / "closed.toml", "2026-05-24"))
    handle, view = await desk.open()
    view = await desk.accept(handle, view)
    await desk.until("2026-03-13 17:30")
    view = await desk.wait(handle, view)
    await desk.until("2026-05-25 09:30")
    await desk.resume(handle, view)
    assert (await desk.ledger(handle))["resolution.1"] == ("2026-05-28 10:00", "open")
    await desk.until("2026-05-29 12:00")
    told = rising("2026-05-27 10:15", "2026-05-28 10:00", "2026-05-28 12:00", "2026-05-29 10:00")
    assert (await alarms(desk, handle))[-6:] == told


async def test_with_nobody_on_duty_for_seventy_days_the_first_to_come_gets_the_issue(
    begin: Begin, tmp_path: Path
) -> None:
    desk = await begin("2026-03-14 11:00", closed(tmp_path / "closed.toml", "2026-05-24"))
    handle, view = await desk.open(category="out_of_scope")
    assert (view.stage, view.engineer) == (Stage.REGISTERED, None)
    await desk.until("2026-05-25 08:59")
    assert (await desk.view(handle)).stage is Stage.REGISTERED
    await desk.until("2026-05-25 11:01")
    assert await desk.told(handle) == [
        ("2026-03-14 11:00", "customer", "registered"),
        ("2026-03-14 11:00", "mo.yan", "unassigned"),
        ("2026-05-25 09:00", "jin.lan", "assigned"),
        ("2026-05-25 10:30", "jin.lan", "reminder"),
        ("2026-05-25 11:00", "mo.yan", "alarm"),
        ("2026-05-25 11:00", "customer", "apology"),
        ("2026-05-25 11:00", "jin.lan", "overdue"),
    ]
