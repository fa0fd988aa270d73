"""Who is not called back has time to try the answer; silence counts as solved (R9)."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName, RecordCallback
from domain.issue.view import IssueView
from domain.vocabulary import Outcome, Severity, Stage
from tests.support.harness import CLERK, Handle, StoryDesk, refusal, stand
from tests.workflows.conftest import Begin


async def answered(desk: StoryDesk) -> tuple[Handle, IssueView]:
    handle, view = await desk.open(kind="consultation")
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    return handle, await desk.view(handle)


async def test_a_consultation_closes_by_itself_when_the_customer_was_silent_for_a_day(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, view = await answered(desk)
    assert (view.stage, view.next_due_at) == (Stage.REPLIED, None)
    due = {promise.key: desk.story(promise.due_at) for promise in view.promises}
    assert due["customer_test.1"] == "2026-03-11 10:00"
    await desk.until("2026-03-11 09:59")
    assert (await desk.view(handle)).stage is Stage.REPLIED
    ended = await desk.ended(handle)
    assert ended.outcome is Outcome.SOLVED
    assert stand(ended) == {
        "response.1": "kept",
        "resolution.1": "kept",
        "customer_test.1": "withdrawn",
    }
    closed_at = await desk.pool.fetchval("SELECT closed_at FROM issues WHERE id = $1", handle.id)
    assert desk.story(closed_at) == "2026-03-11 10:00"
    assert await desk.steps(handle) == ["registered", "accept", "resolve", "replied", "threshold"]
    assert (await desk.told(handle))[-1][1:] == ("customer", "resolved")


async def test_a_customer_who_calls_in_time_gets_an_engineer_again(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await answered(desk)
    await desk.until("2026-03-10 16:00")
    view = await desk.callback(handle, running=False)
    assert (view.stage, view.severity, view.reopen_count) == (Stage.ASSIGNED, Severity.MAJOR, 1)
    assert stand(view)["customer_test.1"] == "kept"
    await desk.until("2026-03-11 10:30")
    assert (await desk.view(handle)).stage is Stage.ASSIGNED


async def test_a_customer_who_says_that_it_works_need_not_wait_for_the_end_of_the_day(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await answered(desk)
    view = await desk.callback(handle, running=True)
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)


async def test_nobody_calls_a_customer_who_is_to_try_the_answer(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await answered(desk)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.act(handle, ActionName.RECORD_CALLBACK, RecordCallback(by=CLERK, reached=False))
    assert refusal(refused.value).message.startswith("no callback is due")
