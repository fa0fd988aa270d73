"""Very long issues begin a new run and lose nothing; on a real server, which asks for it early."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import Accept, ActionName, ReportProgress, Withdraw
from domain.vocabulary import Outcome
from store import issue_reader
from tests.histories.paths import grown
from tests.support.harness import (
    AGENT,
    Handle,
    StoryDesk,
    engineer,
    eventually,
    history_length,
    refusal,
    stand,
)
from tests.support.soundness import assert_sound


async def delivered(desk: StoryDesk, handle: Handle) -> bool:
    return not await issue_reader.unsettled(desk.pool, handle.id)


async def test_a_new_run_keeps_state_clocks_and_first_run_id(desk: StoryDesk) -> None:
    handle = await grown(desk)
    description = await handle.describe()
    stored = await issue_reader.living(desk.pool)
    assert description.raw_info.first_run_id == stored[0].run
    view = await desk.view(handle)
    assert stand(view) == {"response.1": "kept", "resolution.1": "open"}
    await assert_sound(desk.pool, handle.id, view)
    history = await handle.fetch_history()
    timers = [e for e in history.events if e.HasField("timer_started_event_attributes")]
    assert len(timers) == 1, "the resolution's clock runs on in the new run"


async def test_an_update_of_the_former_run_sent_again_does_nothing(desk: StoryDesk) -> None:
    handle = await grown(desk)
    before = await desk.steps(handle)
    view = await desk.view(handle)
    again = ReportProgress(by=engineer(view), note="still at it")
    for n in range(6):
        await desk.act(handle, ActionName.REPORT_PROGRESS, again, update_id=f"progress-{n}")
    accept = Accept(by=engineer(view))  # the stage would not allow it, had it not been done
    await desk.act(handle, ActionName.ACCEPT, accept, update_id="accept-1")
    assert await desk.steps(handle) == before
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.act(handle, ActionName.ACCEPT, accept, update_id="accept-2")
    assert refusal(refused.value).type == "NotAllowed"


async def test_an_issue_ends_in_its_new_run_like_any_other(desk: StoryDesk) -> None:
    handle = await grown(desk)
    withdraw = Withdraw(by=AGENT, reason="it works again")
    view = await desk.act(handle, ActionName.WITHDRAW, withdraw)
    assert view.outcome is Outcome.WITHDRAWN
    ended = await handle.result()
    assert ended.number == view.number
    await assert_sound(desk.pool, handle.id, ended)
    assert await delivered(desk, handle)


async def test_the_same_intake_finds_the_issue_in_its_new_run(desk: StoryDesk) -> None:
    handle = await grown(desk)
    view = await desk.view(handle)
    _, found = await desk.open(reference=view.reference)
    assert found.number == view.number


async def test_on_a_real_server_a_refused_action_adds_no_event(desk: StoryDesk) -> None:
    handle, view = await desk.open()

    async def quiet() -> bool:
        return await delivered(desk, handle)

    await eventually(quiet)
    await desk.view(handle)
    before = await history_length(handle)
    for _ in range(3):
        with pytest.raises(WorkflowUpdateFailedError):
            await desk.resume(handle, view)
    assert await history_length(handle) == before
