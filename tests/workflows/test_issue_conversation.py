"""What a customer writes about an issue, with policy, workflow and registers (R9, R15, R24)."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.catching_up import rewritten
from domain.issue.actions import ActionName, CustomerWrote
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Outcome, Role, Stage
from store import issue_reader
from tests.support.harness import AGENT, CUSTOMER, Handle, StoryDesk, engineer, refusal
from tests.support.soundness import assert_sound
from tests.workflows.conftest import Begin

MAIL = Actor(id="mail", role=Role.INTAKE)


async def wrote(desk: StoryDesk, handle: Handle, words: str = "again", **said: object) -> IssueView:
    return await desk.do(handle, ActionName.CUSTOMER_WROTE, MAIL, words=words, **said)


async def replied(desk: StoryDesk) -> Handle:
    """A consultation that has its answer: nobody calls back about it."""
    handle, view = await desk.open(kind="consultation")
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    return handle


async def test_an_answer_lets_the_clock_of_the_work_run_on_from_when_it_came(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.until("2026-03-13 16:00")
    await desk.wait(handle, view)
    await desk.until("2026-03-16 10:00")
    view = await wrote(desk, handle, "the vault is open")
    assert view.stage is Stage.IN_PROGRESS
    # stood still from Friday 16:00 to 18:00 and Monday 9:00 to 10:00: three working hours
    assert (await desk.ledger(handle))["resolution.1"][0] == "2026-03-18 12:00"
    assert ("2026-03-16 10:00", engineer(view).id, "customer_wrote") in await desk.told(handle)


async def test_who_needs_more_time_is_reminded_so_much_later(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00", whole=True)
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.wait(handle, view)
    assert (await desk.ledger(handle))["waiting.1"][0] == "2026-03-19 18:00"
    await desk.until("2026-03-18 10:00")
    view = await wrote(desk, handle, "next week", means="more_time")
    assert view.stage is Stage.WAITING
    ledger = await desk.ledger(handle)
    assert ledger["waiting.1"][1] == "withdrawn"
    assert ledger["waiting.1.2"] == ("2026-03-25 18:00", "open")
    await desk.until("2026-03-25 19:00")
    reminded = [t for t in await desk.told(handle) if t[1:] == ("customer", "waiting_reminder")]
    assert [when for when, *_ in reminded] == ["2026-03-25 18:00"]


async def test_no_silence_closes_it_and_the_agent_is_asked_again_until_it_is_seen_to(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00", whole=True)
    handle = await replied(desk)
    view = await wrote(desk, handle, "it still does not print")
    await desk.until("2026-03-17 18:00")
    view = await desk.view(handle)
    assert view.stage is Stage.REPLIED
    told = {(who, what) for _, who, what in await desk.told(handle)}
    assert {("07", "did_it_help"), ("07", "reminder"), ("07", "overdue")} <= told
    assert (engineer(view).id, "did_it_help") not in told
    view = await desk.do(handle, ActionName.RESUME, AGENT, note="found the manual")
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    await desk.ended(handle)
    await assert_sound(desk.pool, handle.id, await handle.result())


async def test_a_closed_issue_is_opened_again_and_closed_again_and_ends_once_more(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-12 10:00", whole=True)
    handle = await replied(desk)
    await desk.until("2026-03-13 11:00")
    assert (await desk.view(handle)).outcome is Outcome.SOLVED

    async def ended() -> tuple[object, ...]:
        row = "SELECT closed_at, outcome FROM issues WHERE id = $1"
        return tuple(*await desk.pool.fetch(row, handle.id))

    assert all(await ended())
    view = await wrote(desk, handle, "it is broken again", means="not_solved")
    assert (view.stage, view.outcome, view.reopen_count) == (Stage.ASSIGNED, None, 1)
    assert await ended() == (None, None)
    async with desk.pool.acquire() as connection, connection.transaction():
        await rewritten(connection, handle.id)  # as a repair does
    assert await ended() == (None, None)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    told = {"reached": True, "told": "it is solved now"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, **told)
    view = await desk.ended(handle)
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    await assert_sound(desk.pool, handle.id, view)


async def test_after_the_policys_days_it_is_too_late(begin: Begin) -> None:
    """Here the workflow lives longer than these: the agent has not seen to what was written."""
    desk = await begin("2026-03-12 10:00", whole=True)
    handle = await replied(desk)
    await desk.until("2026-03-13 11:00")
    await wrote(desk, handle, "thank you")
    await desk.until("2026-03-20 11:00")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await wrote(desk, handle, means="not_solved")
    assert refusal(refused.value).type == "NotAllowed"
    assert "what is written now is another issue" in refusal(refused.value).message
    view = await desk.do(handle, ActionName.REPORT_TEST, AGENT, worked=False)
    assert view.reopen_count == 1


async def test_the_same_words_are_taken_once(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00")
    handle, _ = await desk.open()
    act = CustomerWrote(by=CUSTOMER, words="the key is with the porter")
    for _ in range(2):
        await desk.act(handle, ActionName.CUSTOMER_WROTE, act, "letter:1")
    assert (await desk.steps(handle)).count("customer_wrote") == 1
    issue = await issue_reader.issue(desk.pool, handle.id)
    assert issue
    assert act.words not in issue.steps[-1].note  # R30: on no page that shows no customer
