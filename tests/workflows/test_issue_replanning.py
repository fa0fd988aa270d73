"""A notice, a calendar or a policy is loaded while issues are open: all is planned again (R32)."""

from datetime import date
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.calendars.national_days import NationalDays
from domain.issue.actions import ActionName, Replan
from domain.sla.promise import PromiseEnd
from domain.sla.rulebook import Rulebook
from domain.vocabulary import DESK, Stage
from tests.support.harness import LEAD, Handle, StoryDesk, engineer, history_length, refusal
from tests.workflows.conftest import Begin

OFF = ["2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04"]


def notice(book: Rulebook, holidays: list[str], makeup: list[str]) -> NationalDays:
    """The desk's notices and one for 2027, which is made up: the real one is not out yet."""
    known = book.national["CN"].model_dump()
    year: dict[str, Any] = {"notice": "made up", "holidays": holidays, "makeup_workdays": makeup}
    return NationalDays.model_validate(known | {"years": known["years"] | {2027: year}})


def with_notice(desk: StoryDesk, holidays: list[str], makeup: list[str]) -> Rulebook:
    return desk.rulebook.with_national(notice(desk.rulebook, holidays, makeup))


async def timers(handle: Handle) -> list[str]:
    """Summaries of the timers that were ever started."""
    history = await handle.fetch_history()
    return [
        event.user_metadata.summary.data.decode().strip('"')
        for event in history.events
        if event.HasField("timer_started_event_attributes")
    ]


async def test_a_promise_into_an_unannounced_year_is_firm_once_the_notice_is_loaded(
    begin: Begin,
) -> None:
    desk = await begin("2026-12-29 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    resolution = (await desk.view(handle)).promises[1]
    assert (desk.story(resolution.due_at), resolution.provisional) == ("2027-01-04 18:00", True)
    await desk.until("2026-12-30 10:00")

    report = await desk.load(with_notice(desk, OFF, ["2027-01-09"]))

    resolution = (await desk.view(handle)).promises[1]
    assert (desk.story(resolution.due_at), resolution.provisional) == ("2027-01-05 18:00", False)
    assert (await desk.ledger(handle))["resolution.1"] == ("2027-01-05 18:00", "open")
    assert (report.tally.issues, report.tally.changed, report.left) == (1, 1, 0)
    assert (report.tally.later, report.tally.earlier, report.tally.firm) == (1, 0, 1)
    told = await desk.told(handle, "2026-12-30 09:59")
    assert [(to, template) for _, to, template in told] == [
        ("customer", "replanned"),
        (engineer(view).id, "replanned_staff"),
    ]
    provisional = ["暂定" in summary for summary in await timers(handle) if "resolution" in summary]
    assert provisional == [True, False]


async def test_alarms_ring_by_the_new_instants_and_not_by_the_old_ones(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.load(with_notice(desk, OFF, ["2027-01-09"]))
    await desk.until("2027-01-05 17:59")
    assert "overdue" not in {template for _, _, template in await desk.told(handle)}
    await desk.until("2027-01-05 18:01")
    assert [(at, to) for at, to, what in await desk.told(handle) if what == "overdue"] == [
        ("2027-01-05 18:00", engineer(view).id)
    ]


async def test_a_promise_may_come_earlier_and_only_the_desk_is_told(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    # A Sunday worked: without New Year's Day the third day comes before the weekend is over.
    report = await desk.load(with_notice(desk, ["2027-01-01"], ["2027-01-03"]))
    assert (await desk.ledger(handle))["resolution.1"] == ("2027-01-03 18:00", "open")
    assert (report.tally.earlier, report.tally.later) == (1, 0)
    told = [template for _, _, template in await desk.told(handle)]
    assert "replanned_staff" in told
    assert "replanned" not in told


async def test_an_issue_that_comes_out_the_same_hears_nothing_and_goes_by_the_new_version(
    begin: Begin,
) -> None:
    desk = await begin("2026-11-23 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.settle()
    before = await history_length(handle)
    loaded = with_notice(desk, OFF, [])
    report = await desk.load(loaded)
    assert report.tally.issues == 0
    assert await history_length(handle) == before
    for table in ("issues WHERE id", "promises WHERE ended_at IS NULL AND issue_id"):
        version = await desk.pool.fetchval(f"SELECT rulebook FROM {table} = $1", handle.id)  # noqa: S608
        assert version == loaded.version
    kept = await desk.pool.fetchval(
        "SELECT rulebook FROM promises WHERE issue_id = $1 AND kind = 'response'", handle.id
    )
    assert kept == desk.rulebook.version


async def test_what_is_kept_or_broken_is_left_as_it_is(begin: Begin) -> None:
    desk = await begin("2026-12-31 10:00")
    late, view = await desk.open()
    await desk.until("2026-12-31 15:00")  # the two working hours are over
    await desk.load(with_notice(desk, [*OFF, "2027-01-05"], []))
    promises = {p.key: p for p in (await desk.view(late)).promises}
    assert promises["response.1"].end is PromiseEnd.BROKEN
    assert desk.story(promises["response.1"].due_at) == "2026-12-31 12:00"
    assert desk.story(promises["resolution.1"].due_at) == "2027-01-08 18:00"
    await desk.accept(late, view)
    assert (await desk.ledger(late))["response.1"] == ("2026-12-31 12:00", "broken")


async def test_a_waiting_issue_runs_on_by_the_new_calendar(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.until("2026-12-31 09:00")  # 14.5 of the working hours used up, 15 are left
    view = await desk.wait(handle, await desk.view(handle))
    assert view.promises[1].consumed is not None
    await desk.load(with_notice(desk, OFF, []))
    await desk.until("2027-01-05 09:00")
    await desk.resume(handle, view)
    assert (await desk.ledger(handle))["resolution.1"] == ("2027-01-06 18:00", "open")


async def test_a_run_that_was_interrupted_is_taken_up_and_its_report_is_whole(
    begin: Begin,
) -> None:
    desk = await begin("2026-12-29 10:00")
    opened = [await desk.open() for _ in range(3)]
    adoption = await desk.adopt(loaded := with_notice(desk, OFF, []))
    act = Replan(by=DESK, version=loaded.version, adoption=adoption)
    first, _ = opened[0]
    await desk.act(first, ActionName.REPLAN, act, update_id=f"replan:{adoption}")

    for _ in range(2):  # done again it does nothing again
        report = await desk.replan(adoption)
        assert (report.tally.issues, report.left) == (3, 0)
    for handle, _ in opened:
        assert (await desk.steps(handle)).count("replan") == 1


async def test_an_issue_that_cannot_answer_is_left_and_named(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    lost, view = await desk.open()
    fine, _ = await desk.open()
    await lost.terminate("by an operator")
    report = await desk.load(with_notice(desk, OFF, []))
    assert (report.left, report.numbers, report.tally.issues) == (1, (view.number,), 1)
    assert "replan" in await desk.steps(fine)


async def test_a_rulebook_that_counts_no_more_plans_nothing(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    handle, view = await desk.open()
    old = await desk.adopt(first := with_notice(desk, OFF, []))
    await desk.adopt(with_notice(desk, OFF, ["2027-01-09"]))
    report = await desk.replan(old)
    assert report.superseded
    assert report.tally.issues == 0
    act = Replan(by=DESK, version=first.version, adoption=old)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.act(handle, ActionName.REPLAN, act)
    assert refusal(refused.value).type == "Invalid"
    assert (await desk.view(handle)).promises == view.promises


async def test_only_the_desk_itself_plans_again(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    handle, _ = await desk.open()
    act = Replan(by=LEAD, version=desk.rulebook.version, adoption=1)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.act(handle, ActionName.REPLAN, act)
    assert refusal(refused.value).type == "NotYours"


async def test_new_issues_are_promised_by_what_was_loaded_last(begin: Begin) -> None:
    desk = await begin("2026-12-29 10:00")
    loaded = with_notice(desk, OFF, [])
    await desk.adopt(loaded)
    handle, view = await desk.open()
    assert desk.story(view.promises[1].due_at) == "2027-01-05 18:00"
    assert not view.promises[1].provisional
    assert view.stage is Stage.ASSIGNED
    assert await desk.pool.fetchval("SELECT rulebook FROM issues WHERE id = $1", handle.id) == (
        loaded.version
    )
    assert date(2027, 1, 4) in loaded.calendar("desk").holidays
