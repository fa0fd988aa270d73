"""A defect of the domain wedges no issue: whoever asked hears of it, and the issue goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Replayer

from domain.issue import lifecycle
from domain.issue.action import Rule
from domain.issue.actions import ACTIONS, OPERATION, PUBLIC_ACTIONS, ActionName
from domain.vocabulary import Actor, Role, Stage
from runtime.temporal import plugin
from tests.support.builders import actor, an_act
from tests.support.harness import AGENT, CLERK, Handle, StoryDesk, refusal
from tests.workflows.conftest import Begin
from worker import WORKFLOWS
from workflows.defects import TRY_AGAIN

Effect = Callable[..., Any]


def raises(error: Exception) -> Effect:
    def effect(*_: Any) -> Any:
        raise error

    return effect


def invalid(*_: Any) -> Any:
    return Actor.model_validate({"id": ""})


BROKEN: dict[str, Effect] = {
    "a type error": raises(TypeError("None + 1")),
    "a missing key": raises(KeyError("threshold")),
    "a model that is none": invalid,
    "nothing": lambda *_: None,
    "an unknown key": lambda *_: {"stag": Stage.CLOSED},
    "a wrong value": lambda *_: {"stage": "nowhere"},
}


def break_(monkeypatch: pytest.MonkeyPatch, name: ActionName, effect: Effect) -> None:
    """Break an action; anybody may take it at any stage."""
    anybody = Rule(stages=frozenset(Stage), roles=frozenset(Role))
    monkeypatch.setitem(ACTIONS, name, replace(ACTIONS[name], rule=anybody, effect=effect))


def once_accepted(broken: Effect) -> Effect:
    """Break an effect for the handler only: its validator sees nothing wrong."""
    return lambda *said: {} if workflow.unsafe.is_read_only() else broken(*said)


async def asked(desk: StoryDesk, handle: Handle, name: ActionName) -> WorkflowUpdateFailedError:
    by = actor(Role.SYSTEM if name in {*OPERATION, ActionName.REPLAN} else Role.LEAD)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await desk.act(handle, name, an_act(name, by))
    return failed.value


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_whoever_asks_for_what_the_program_cannot_do_hears_so_and_the_issue_goes_on(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, broken: Effect
) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, view = await desk.open()
    for name in (*PUBLIC_ACTIONS, *OPERATION):
        for effect in (broken, once_accepted(broken)):
            with monkeypatch.context() as patch:
                break_(patch, name, effect)
                said = refusal(await asked(desk, handle, name))
            assert (said.type, said.non_retryable) == ("Defect", True), name
            assert "nothing was changed, and the issue goes on" in said.message
    assert await desk.view(handle) == view
    assert (await desk.accept(handle, view)).stage is Stage.IN_PROGRESS
    replayer = Replayer(workflows=[*WORKFLOWS], plugins=[plugin()])
    await replayer.replay_workflow(await handle.fetch_history())  # mended, it lives that again


async def test_an_alarm_that_the_program_fell_over_is_given_once_it_is_mended(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await desk.open()
    with monkeypatch.context() as patch:
        break_(patch, ActionName.THRESHOLD, raises(TypeError("None + 1")))
        await desk.until("2026-03-10 13:00")
        assert "threshold" not in await desk.steps(handle)
    await desk.until("2026-03-10 14:00")
    assert (await desk.ledger(handle))["response.1"] == ("2026-03-10 12:00", "broken")
    told = [each for each in await desk.told(handle) if each[2] == "apology"]
    assert len(told) == 1
    replayer = Replayer(workflows=[*WORKFLOWS], plugins=[plugin()])
    await replayer.replay_workflow(await handle.fetch_history())


async def closed(desk: StoryDesk, *, conflict: bool = False) -> Handle:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-03-11 10:00")
    words = "I waited all day" if conflict else ""
    said = {"reached": True, "running": True, "conflict": conflict, "words": words}
    await desk.do(handle, ActionName.RECORD_CALLBACK, CLERK, **said)
    return handle


async def shift_begins(desk: StoryDesk) -> Handle:
    await desk.until("2026-03-10 22:00")
    handle, _ = await desk.open(category="out_of_scope")
    await desk.until("2026-03-11 09:30")
    return handle


async def clock_rings(desk: StoryDesk) -> Handle:
    handle, _ = await desk.open()
    await desk.until("2026-03-10 11:45")
    return handle


async def reply_arrives(desk: StoryDesk) -> Handle:
    handle, view = await desk.open()
    await desk.resolve(handle, view)
    await desk.settle()
    return handle


async def channel_is_dead(desk: StoryDesk) -> Handle:
    desk.mailbox.dead.add("sms")
    handle, _ = await desk.open()
    await desk.until("2026-03-11 10:30")
    return handle


async def operator_cancels(desk: StoryDesk) -> Handle:
    handle, _ = await desk.open()
    await desk.cancel(handle)
    return handle


async def operator_cancels_what_is_closed(desk: StoryDesk) -> Handle:
    handle = await closed(desk)
    await desk.cancel(handle)
    return handle


async def two_are_merged(desk: StoryDesk) -> Handle:
    _, goes_on = await desk.open()
    handle, _ = await desk.open()
    await desk.do(handle, ActionName.MERGE, AGENT, into=goes_on.number)
    return handle


BY_ITSELF: dict[ActionName, Callable[[StoryDesk], Awaitable[Handle]]] = {
    ActionName.ASSIGN: shift_begins,
    ActionName.THRESHOLD: clock_rings,
    ActionName.REPLIED: reply_arrives,
    ActionName.HAND_OVER: channel_is_dead,
    ActionName.COMPLAINT_RAISED: partial(closed, conflict=True),
    ActionName.MERGED: two_are_merged,
    ActionName.CANCEL: operator_cancels_what_is_closed,
    ActionName.CANCELLATION_ASKED: operator_cancels,
}


def test_every_action_there_is_was_broken_here() -> None:
    assert set(BY_ITSELF) | set(PUBLIC_ACTIONS) | set(OPERATION) == set(ACTIONS)


@pytest.mark.parametrize("name", BY_ITSELF)
async def test_what_the_desk_does_by_itself_is_done_within_the_hour_once_the_program_is_mended(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, name: ActionName
) -> None:
    desk = await begin("2026-03-10 10:00", whole=name is ActionName.CANCEL)
    with monkeypatch.context() as patch:
        effect = raises(KeyError("stage"))
        patch.setitem(ACTIONS, name, replace(ACTIONS[name], effect=effect))
        handle = await BY_ITSELF[name](desk)
        await desk.settle()
        assert name not in await desk.steps(handle)
    await desk.passes(TRY_AGAIN + timedelta(minutes=1))
    assert name in await desk.steps(handle)


async def test_an_issue_that_the_program_could_not_register_is_registered_once_it_is_mended(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await begin("2026-03-10 10:00")
    intake = await desk.intake()
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "register", raises(TypeError("None + 1")))
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await desk.register(intake)
        assert refusal(failed.value).type == "Defect"
    await desk.passes(TRY_AGAIN + timedelta(minutes=1))
    assert (await desk.view(desk.handles[0])).stage is Stage.ASSIGNED


async def test_a_complaint_that_the_program_cannot_put_into_words_goes_to_the_gm_office(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.issue.arising", raises(TypeError("None + 1")))
    desk = await begin("2026-03-10 10:00")
    handle = await closed(desk, conflict=True)
    await desk.until("2026-03-11 10:30")
    assert "complaint_failed" in {wording for _, _, wording in await desk.told(handle)}
