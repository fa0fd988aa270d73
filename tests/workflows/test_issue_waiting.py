"""Waiting for the customer: the resolution clock stands still, and nothing is lost (R15)."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.state import SlaState
from domain.vocabulary import Stage
from tests.support.harness import Handle, StoryDesk, history_length, refusal, stand
from tests.workflows.conftest import Begin


async def accepted(desk: StoryDesk) -> Handle:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    return handle


async def resolution_due(desk: StoryDesk, handle: Handle) -> str:
    return (await desk.ledger(handle))["resolution.1"][0]


async def test_a_wait_over_a_weekend_moves_the_due_instant_by_working_time_only(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00")
    handle = await accepted(desk)
    assert await resolution_due(desk, handle) == "2026-03-17 18:00"
    await desk.until("2026-03-13 16:00")
    view = await desk.wait(handle, await desk.view(handle))
    assert (view.stage, view.sla_state) == (Stage.WAITING, SlaState.PAUSED)
    await desk.until("2026-03-16 10:00")
    view = await desk.resume(handle, view)
    # stood still from Friday 16:00 to 18:00 and Monday 9:00 to 10:00: three working hours
    assert await resolution_due(desk, handle) == "2026-03-18 12:00"
    assert view.stage is Stage.IN_PROGRESS


async def test_a_wait_over_national_day_week_counts_the_make_up_saturday(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00")
    handle = await accepted(desk)
    assert await resolution_due(desk, handle) == "2026-10-09 18:00"
    await desk.until("2026-09-30 15:00")
    view = await desk.wait(handle, await desk.view(handle))
    await desk.until("2026-10-10 12:00")
    await desk.resume(handle, view)
    # stood still 3 h on the 30th, two whole days, and 3 h of Saturday: 21 working hours
    assert await resolution_due(desk, handle) == "2026-10-13 16:30"


async def test_a_threshold_the_wait_passed_over_comes_when_the_clock_runs_on(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle = await accepted(desk)
    # 75% of 29 working hours would be Tuesday 9:15
    await desk.until("2026-03-16 15:00")
    view = await desk.wait(handle, await desk.view(handle))
    await desk.until("2026-03-17 15:00")
    assert await desk.told(handle, "2026-03-16 15:01") == []
    await desk.resume(handle, view)
    assert await resolution_due(desk, handle) == "2026-03-18 18:00"
    await desk.until("2026-03-20 19:00")
    assert await desk.told(handle, "2026-03-16 15:01") == [
        ("2026-03-18 09:15", "liang.jiahao", "reminder"),
        ("2026-03-18 18:00", "zhou.jianguo", "alarm"),
        ("2026-03-18 18:00", "customer", "apology"),
        ("2026-03-18 18:00", "liang.jiahao", "overdue"),
        ("2026-03-19 11:00", "sun.li", "alarm"),
        ("2026-03-19 18:00", "tian.hui", "alarm"),
    ]


async def test_an_overdue_issue_that_waits_goes_on_rising_from_where_it_was(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle = await accepted(desk)
    await desk.until("2026-03-16 09:30")  # due on Friday at 18:00, 30 min ago on its clock
    view = await desk.wait(handle, await desk.view(handle))
    await desk.until("2026-03-17 09:30")
    await desk.resume(handle, view)
    assert await desk.ledger(handle) == {
        "resolution.1": ("2026-03-13 18:00", "broken"),
        "response.1": ("2026-03-10 12:00", "kept"),
    }
    await desk.until("2026-03-18 19:00")
    assert await desk.told(handle, "2026-03-16 09:31") == [
        ("2026-03-17 11:00", "sun.li", "alarm"),
        ("2026-03-17 18:00", "tian.hui", "alarm"),
    ]


async def test_weeks_of_waiting_add_nothing_to_the_history(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle = await accepted(desk)
    view = await desk.wait(handle, await desk.view(handle))
    await desk.until("2026-03-12 11:00")
    before = await history_length(handle)
    for month in ("04", "05", "06", "07"):
        await desk.until(f"2026-{month}-12 10:00")
    assert await history_length(handle) == before
    await desk.resume(handle, view)
    assert await desk.steps(handle) == ["registered", "accept", "wait_for_customer", "resume"]


async def test_what_was_promised_is_kept_if_it_is_done_while_the_clock_stands_still(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00")
    handle = await accepted(desk)
    view = await desk.wait(handle, await desk.view(handle))
    await desk.until("2026-04-13 10:00")
    view = await desk.resolve(handle, view)
    assert stand(view)["resolution.1"] == "kept"


async def test_somebody_else_cannot_end_the_wait(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle = await accepted(desk)
    view = await desk.wait(handle, await desk.view(handle))
    assert view.engineer is not None
    stranger = view.model_copy(
        update={"engineer": view.engineer.model_copy(update={"id": "xu.jing"})}
    )
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.resume(handle, stranger)
    assert refusal(refused.value).type == "NotYours"
    assert (await desk.view(handle)).stage is Stage.WAITING


async def test_waits_one_after_the_other_add_up(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle = await accepted(desk)
    for day in ("2026-03-12", "2026-03-13"):
        await desk.until(f"{day} 14:00")
        view = await desk.wait(handle, await desk.view(handle))
        await desk.until(f"{day} 16:00")
        view = await desk.resume(handle, view)
    assert await resolution_due(desk, handle) == "2026-03-18 14:30"
