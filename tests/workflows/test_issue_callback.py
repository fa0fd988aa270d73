"""The call on the next day (R22-R25)."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.vocabulary import Outcome, Severity, Stage
from tests.support.harness import CLERK, Handle, StoryDesk, refusal, stand, traces
from tests.workflows.conftest import Begin


async def replied(desk: StoryDesk, **intake: object) -> Handle:
    """An issue whose customer has the result and waits for the call."""
    handle, view = await desk.open(**intake)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    assert (await desk.view(handle)).stage is Stage.REPLIED
    return handle


async def test_a_repair_that_did_not_help_is_done_again_as_a_major_fault(begin: Begin) -> None:
    desk = await begin("2025-09-29 10:00")
    handle = await replied(desk)
    await desk.until("2025-09-30 17:30")
    view = await desk.callback(handle, running=False)
    assert view.stage is Stage.ASSIGNED
    assert (view.severity, view.reopen_count, view.escalation_level) == (Severity.MAJOR, 1, 0)
    assert view.engineer is not None
    assert view.engineer.id == "liang.jiahao"
    assert sorted(await desk.told(handle, "2025-09-30 17:00")) == [
        ("2025-09-30 17:30", "customer", "reopened"),
        ("2025-09-30 17:30", "liang.jiahao", "assigned"),
        ("2025-09-30 17:30", "zhou.jianguo", "repair_failed"),
    ]
    await desk.accept(handle, view)
    await desk.until("2025-10-09 10:00")
    await desk.resolve(handle, view)
    await desk.until("2025-10-10 10:00")
    view = await desk.callback(handle, running=True)
    assert view.outcome is Outcome.SOLVED
    assert view.results == ("card reader replaced", "card reader replaced")
    await desk.ended(handle)
    assert await desk.ledger(handle) == {
        "resolution.1": ("2025-10-10 18:00", "kept"),
        "response.1": ("2025-09-29 12:00", "kept"),
        "callback.1": ("2025-09-30 18:00", "kept"),
        "resolution.2": ("2025-10-11 18:00", "kept"),
        "response.2": ("2025-09-30 18:00", "kept"),
        "callback.2": ("2025-10-10 18:00", "kept"),
    }


async def test_a_major_fault_that_comes_back_rises_to_the_lead(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle = await replied(desk, severity="major")
    await desk.until("2026-03-11 10:00")
    view = await desk.callback(handle, running=False)
    assert (view.severity, view.escalation_level) == (Severity.MAJOR, 1)


async def test_a_repair_that_fails_again_and_again_has_a_form_for_each_time(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle = await replied(desk)
    for day in (11, 12):
        await desk.until(f"2026-03-{day} 10:00")
        view = await desk.callback(handle, running=False)
        await desk.accept(handle, view)
        await desk.resolve(handle, view)
    await desk.until("2026-03-13 10:00")
    view = await desk.callback(handle, running=True)
    assert (view.reopen_count, len(view.results)) == (2, 3)
    assert set(stand(view).values()) == {"kept"}


async def test_a_customer_who_is_never_reached_is_written_to(begin: Begin) -> None:
    desk = await begin("2026-02-12 10:00")
    handle = await replied(desk)
    opened = []
    for day in ("2026-02-13", "2026-02-14", "2026-02-24"):
        await desk.until(f"{day} 10:00")
        view = await desk.callback(handle, running=None)
        opened += [desk.story(p.opens_at) for p in view.promises if p.ended_at is None]
    assert opened == ["2026-02-14 09:30", "2026-02-24 09:30"]
    ended = await desk.ended(handle)
    assert ended.outcome is Outcome.NOT_REACHED
    assert await desk.ledger(handle) == {
        "resolution.1": ("2026-02-24 18:00", "kept"),
        "response.1": ("2026-02-12 12:00", "kept"),
        "callback.1": ("2026-02-13 18:00", "kept"),
        "callback.1.2": ("2026-02-14 18:00", "kept"),
        "callback.1.3": ("2026-02-24 18:00", "kept"),
    }
    assert (await desk.told(handle))[-1] == ("2026-02-24 10:00", "customer", "not_reached")


async def test_a_callback_nobody_makes_goes_to_the_clerk_and_then_the_lead(begin: Begin) -> None:
    desk = await begin("2025-09-30 10:00")
    handle = await replied(desk)
    await desk.until("2025-10-09 19:00")
    assert await desk.told(handle, "2025-10-08 00:00") == [
        # 75% of what was worked between the result and the end of that day
        ("2025-10-09 14:52", CLERK.id, "reminder"),
        ("2025-10-09 18:00", "zhou.jianguo", "alarm"),
        ("2025-10-09 18:00", CLERK.id, "overdue"),
    ]
    view = await desk.callback(handle, running=True)
    assert stand(view)["callback.1"] == "broken"


async def test_nobody_is_called_before_the_next_day(begin: Begin) -> None:
    desk = await begin("2026-03-13 10:00")
    handle = await replied(desk)
    await desk.until("2026-03-16 09:00")
    before = await traces(handle)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.callback(handle, running=True)
    assert refusal(refused.value).type == "NotAllowed"
    assert "R22" in refusal(refused.value).message
    assert await traces(handle) == before
    await desk.until("2026-03-16 09:30")
    assert (await desk.callback(handle, running=True)).outcome is Outcome.SOLVED
