"""Ends before the end: withdrawn, cancelled by an operator; and what is refused."""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)

from domain.issue.actions import ActionName, Resolve
from domain.vocabulary import Actor, Outcome, Role, Stage
from tests.support.harness import Handle, StoryDesk, refusal, stand, status, traces
from tests.workflows.conftest import Begin

Walk = Callable[[StoryDesk], Awaitable[Handle]]


async def unassigned(desk: StoryDesk) -> Handle:
    handle, _ = await desk.open(category="out_of_scope")
    return handle


async def assigned(desk: StoryDesk) -> Handle:
    handle, _ = await desk.open()
    return handle


async def in_progress(desk: StoryDesk) -> Handle:
    handle = await assigned(desk)
    await desk.accept(handle, await desk.view(handle))
    return handle


async def waiting(desk: StoryDesk) -> Handle:
    handle = await in_progress(desk)
    await desk.wait(handle, await desk.view(handle))
    return handle


async def replied(desk: StoryDesk) -> Handle:
    handle = await in_progress(desk)
    await desk.resolve(handle, await desk.view(handle))
    await desk.settle()
    return handle


async def resolved(desk: StoryDesk) -> Handle:
    desk.mailbox.dead.add("sms")
    return await replied(desk)


async def called_in_vain(desk: StoryDesk) -> Handle:
    handle = await replied(desk)
    await desk.until("2026-03-16 10:00")
    await desk.callback(handle, running=None)
    return handle


async def reopened(desk: StoryDesk) -> Handle:
    handle, view = await desk.open(kind="consultation", category="out_of_scope")
    await desk.resolve(handle, view)
    await desk.until("2026-03-13 18:30")  # only one may handle it, who has gone home
    await desk.callback(handle, running=False)
    return handle


STAGES: dict[Stage, Walk] = {
    Stage.REGISTERED: unassigned,
    Stage.ASSIGNED: assigned,
    Stage.IN_PROGRESS: in_progress,
    Stage.WAITING: waiting,
    Stage.RESOLVED: resolved,
    Stage.REPLIED: replied,
    Stage.CALLBACK: called_in_vain,
    Stage.REOPENED: reopened,
}
FRIDAY_EVENING = "2026-03-13 18:30"
FRIDAY = "2026-03-13 16:00"


def begins(stage: Stage) -> str:
    return FRIDAY_EVENING if stage is Stage.REGISTERED else FRIDAY


@pytest.mark.parametrize("stage", STAGES)
async def test_an_issue_can_be_withdrawn_at_every_stage(begin: Begin, stage: Stage) -> None:
    desk = await begin(begins(stage))
    handle = await STAGES[stage](desk)
    before = await desk.view(handle)
    assert before.stage is stage
    desk.mailbox.dead.clear()
    view = await desk.withdraw(handle)
    assert view.outcome is Outcome.WITHDRAWN
    open_ones = [key for key, end in stand(before).items() if end == "open"]
    assert open_ones
    assert {stand(view)[key] for key in open_ones} == {"withdrawn"}
    ended = await desk.ended(handle)
    assert ended.stage is Stage.CLOSED
    told = [(who, wording) for _, who, wording in await desk.told(handle) if "withdrawn" in wording]
    staff = [(before.engineer.id, "withdrawn_staff")] if before.engineer else []
    assert told == [("customer", "withdrawn"), *staff]


@pytest.mark.parametrize("stage", STAGES)
async def test_an_operator_who_cancels_asks_the_lead_at_every_stage_and_the_issue_goes_on(
    begin: Begin, stage: Stage
) -> None:
    """R6: the big button of the Web UI closes nothing that is unanswered."""
    desk = await begin(begins(stage))
    handle = await STAGES[stage](desk)
    before = await desk.view(handle)
    await desk.cancel(handle)
    after = await desk.view(handle)
    assert (after.stage, after.outcome, after.sla_state) == (stage, None, before.sla_state)
    assert stand(after) == stand(before)
    assert before.lead is not None
    asked = (await desk.told(handle))[-1]
    assert asked[1:] == (before.lead.id, "cancellation_asked")
    assert (await desk.steps(handle))[-1] == "cancellation_asked"
    desk.mailbox.dead.clear()
    await desk.withdraw(handle)
    assert (await desk.ended(handle)).outcome is Outcome.WITHDRAWN
    assert await status(handle) == "completed"


async def test_an_operator_who_cancels_what_is_closed_ends_the_wait_for_scores(
    begin: Begin,
) -> None:
    desk = await begin(FRIDAY, whole=True)
    handle = await replied(desk)
    await desk.until("2026-03-16 10:00")
    await desk.callback(handle, running=True)
    await desk.cancel(handle)
    view = await desk.ended(handle)
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert stand(view)["evaluation.1"] == "withdrawn"


async def test_what_waits_for_an_intake_can_be_cancelled(begin: Begin) -> None:
    desk = await begin(FRIDAY)
    handle = await desk.start(await desk.intake())
    await desk.settle()
    await desk.cancel(handle)
    with pytest.raises(WorkflowFailureError):
        await desk.ended(handle)
    assert await status(handle) == "canceled"


async def test_an_issue_withdrawn_while_a_message_is_tried_still_brings_it(begin: Begin) -> None:
    desk = await begin(FRIDAY)
    desk.mailbox.dead.add("sms")
    handle, _ = await desk.open()
    await desk.until("2026-03-13 16:10")
    await desk.cancel(handle)
    await desk.withdraw(handle)
    await desk.until("2026-03-13 16:20")
    desk.mailbox.dead.clear()
    await desk.ended(handle)
    rows = await desk.pool.fetch("SELECT status FROM outbox WHERE issue_id = $1", handle.id)
    assert {row["status"] for row in rows} == {"delivered"}


async def test_a_refused_action_leaves_no_trace(begin: Begin) -> None:
    desk = await begin(FRIDAY)
    handle, view = await desk.open()
    await desk.settle()
    before = await traces(handle)
    stranger = Resolve(by=Actor(id="xu.jing", role=Role.ENGINEER), result="done")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.act(handle, ActionName.RESOLVE, stranger)
    assert refusal(refused.value).type == "NotYours"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.resume(handle, view)
    assert refusal(refused.value).type == "NotAllowed"
    assert "possible now: answer, accept, " in refusal(refused.value).message
    assert await traces(handle) == before
    assert await desk.steps(handle) == ["registered"]


async def test_a_refused_signal_does_no_harm_and_is_shown(begin: Begin) -> None:
    desk = await begin(FRIDAY)
    handle, view = await desk.open()
    stranger = Actor(id="xu.jing", role=Role.ENGINEER)
    await desk.complete(handle, Resolve(by=stranger, result="done"))
    await desk.settle()
    page = await handle.query("__temporal_workflow_metadata")
    assert "`complete` by xu.jing was refused" in str(page)
    assert (await desk.view(handle)).stage is Stage.ASSIGNED
    await desk.resolve(handle, view)
    assert (await desk.steps(handle))[:2] == ["registered", "resolve"]  # the answer may be there


async def test_a_signal_before_the_intake_does_no_harm(begin: Begin) -> None:
    desk = await begin(FRIDAY)
    intake = await desk.intake()
    handle = await desk.start(intake)
    stranger = Actor(id="xu.jing", role=Role.ENGINEER)
    await desk.complete(handle, Resolve(by=stranger, result="done"))
    _, view = await desk.register(intake)
    assert view.stage is Stage.ASSIGNED
    failed = [
        event
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    assert not failed
