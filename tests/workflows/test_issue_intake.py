"""One reference is one issue, whatever comes in how often and in which order (R1, R2)."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from domain.issue.actions import Accept, ActionName
from domain.vocabulary import Stage
from tests.support.harness import LEAD, StoryDesk, history_length, refusal, status, traces
from tests.workflows.conftest import Begin


async def registered_issues(desk: StoryDesk) -> int:
    return int(await desk.pool.fetchval("SELECT count(*) FROM issues"))


async def test_the_same_intake_ten_times_at_once_is_one_issue(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    intake = await desk.intake()
    answers = await asyncio.gather(*(desk.register(intake) for _ in range(10)))
    assert len({view.number for _, view in answers}) == 1
    assert await registered_issues(desk) == 1
    assert len(await desk.told(answers[0][0])) == 2


async def test_a_changed_intake_for_the_same_reference_is_the_same_issue(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, first = await desk.open()
    _, second = await desk.open(reference=first.reference, title="Now it smokes", severity="major")
    assert (second.number, second.title, second.severity) == (
        first.number,
        first.title,
        first.severity,
    )
    assert await desk.steps(handle) == ["registered"]


async def test_the_same_update_id_twice_is_carried_out_once(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    intake = await desk.intake()
    handle, first = await desk.register(intake, update_id="registered-1")
    await desk.settle()
    before = await traces(handle)
    _, second = await desk.register(intake, update_id="registered-1")
    assert second == first
    assert await traces(handle) == before


async def test_a_wrong_intake_can_be_corrected(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    right = await desk.intake()
    wrong = right.model_copy(update={"region": "Atlantis"})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.register(wrong)
    assert refusal(refused.value).type == "Invalid"
    assert "region: no service centre serves Atlantis" in refusal(refused.value).message
    assert await registered_issues(desk) == 0
    await desk.until("2026-03-10 11:00")
    handle, view = await desk.register(right)
    assert view.stage is Stage.ASSIGNED
    assert (await desk.ledger(handle))["response.1"] == ("2026-03-10 12:00", "open")


async def test_whoever_starts_an_issue_and_is_cut_off_has_registered_it(begin: Begin) -> None:
    """The start alone was acknowledged: the update that came with it Temporal may lose."""
    desk = await begin("2026-03-10 10:00")
    intake = await desk.intake()
    handle = await desk.begin(intake)
    await desk.settle()
    view = await desk.view(handle)
    assert (view.stage, view.reference) == (Stage.ASSIGNED, intake.reference)
    assert len(await desk.told(handle)) == 2
    _, again = await desk.register(intake)
    assert again == view
    assert await desk.steps(handle) == ["registered"]


async def test_a_start_with_a_wrong_intake_fails_and_its_reference_can_be_used_again(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    right = await desk.intake()
    wrong = right.model_copy(update={"region": "Atlantis"})
    handle = await desk.begin(wrong)
    await desk.settle()
    assert await status(handle) == "failed"
    with desk.env.auto_time_skipping_disabled(), pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert "no service centre serves Atlantis" in failed.value.cause.message
    assert await registered_issues(desk) == 0
    _, view = await desk.register(right)
    assert view.stage is Stage.ASSIGNED


async def test_a_right_intake_that_comes_while_a_wrong_one_is_refused_is_registered(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    right = await desk.intake()
    wrongs = [right.model_copy(update={"region": f"Atlantis {n}"}) for n in range(4)]
    intakes = [wrongs[0], wrongs[1], right, wrongs[2], wrongs[3]]
    answers = await asyncio.gather(*map(desk.register, intakes), return_exceptions=True)
    views = [answer[1] for answer in answers if isinstance(answer, tuple)]
    if not views:  # the wrong ones were quicker than it was
        views.append((await desk.register(right))[1])
    assert {view.region for view in views} == {right.region}
    assert await registered_issues(desk) == 1


async def test_an_impossible_date_leaves_no_trace(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await desk.open()
    await desk.settle()
    before = await traces(handle)
    other = await desk.intake()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.register(other, id_=handle.id)
    assert f"this workflow is not {other.issue_id}" in refusal(refused.value).message
    assert await traces(handle) == before
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.open(reported_at=desk.real("2026-03-12 10:00"))
    assert "lies in the future" in refusal(refused.value).message
    assert await registered_issues(desk) == 1


async def test_what_was_started_without_an_intake_ends_after_a_day(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle = await desk.start(await desk.intake())
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.act(handle, ActionName.ACCEPT, Accept(by=LEAD))
    assert "not registered yet" in refusal(refused.value).message
    await desk.until("2026-03-11 09:59")
    before = await history_length(handle)
    await desk.until("2026-03-11 10:01")
    assert await history_length(handle) > before
    assert await status(handle) == "completed"
    assert await desk.ended(handle) is None
    assert await registered_issues(desk) == 0


async def test_an_intake_that_comes_hours_after_the_start_is_registered(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    intake = await desk.intake()
    handle = await desk.start(intake)
    await desk.until("2026-03-10 22:00")
    _, view = await desk.register(intake)
    assert view.engineer is not None
    await desk.until("2026-03-11 12:00")  # the day's patience is over: it is an issue now
    assert await status(handle) != "completed"


async def test_an_ended_reference_is_not_started_again(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await desk.open()
    await desk.withdraw(handle)
    await desk.ended(handle)
    with pytest.raises(WorkflowAlreadyStartedError):
        await desk.env.client.start_workflow(
            "IssueWorkflow",
            id=handle.id,
            task_queue="issues",
            execution_timeout=timedelta(days=1),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )


async def test_ten_actions_in_flight_at_once_are_all_answered(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await desk.open()
    act = Accept(by=LEAD)
    answers = await asyncio.gather(
        *(desk.act(handle, ActionName.ACCEPT, act) for _ in range(10)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, WorkflowUpdateFailedError)]
    assert len(refused) == 9
    assert {refusal(error).type for error in refused} == {"NotAllowed"}
    assert await desk.steps(handle) == ["registered", "accept"]
