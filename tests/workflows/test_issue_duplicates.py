"""Two issues about the same on a whole desk: the surviving one answers both customers (R6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Outcome, Role, Stage
from store import auditing, duplicates, issue_reader
from tests.support.harness import AGENT, CUSTOMER, Handle, StoryDesk, has_ended, refusal
from tests.workflows.conftest import Begin

HOTLINE = Actor(id="07", role=Role.AGENT)


async def pair(desk: StoryDesk, **other: Any) -> tuple[Handle, IssueView, Handle, IssueView]:
    """Two faults of two customers at one machine: the one that goes on, and the other."""
    said: dict[str, Any] = {"name": "李娜", "phone": "+8613900000002"}
    survivor, goes_on = await desk.open()
    handle, view = await desk.open(**{"customer": said} | other)
    return survivor, goes_on, handle, view


async def merge(desk: StoryDesk, handle: Handle, into: IssueView) -> None:
    await desk.do(handle, ActionName.MERGE, HOTLINE, into=into.number, reason="同一台机器")
    await desk.settle()


async def told(desk: StoryDesk, handle: Handle, template: str) -> list[tuple[str, str | None]]:
    """List the addresses a message went to, and for whose issue."""
    rows = await desk.pool.fetch(
        "SELECT address, for_issue FROM outbox"
        " WHERE issue_id = $1 AND template = $2 AND audience = 'customer' ORDER BY key",
        *(handle.id, template),
    )
    return [tuple(row) for row in rows]


async def test_the_other_customer_is_told_with_the_surviving_issue_and_answered_by_it(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00")
    survivor, goes_on, handle, view = await pair(desk)
    await merge(desk, handle, goes_on)
    await desk.settle()
    assert await has_ended(handle)
    ended: IssueView = await handle.result()
    assert (ended.stage, ended.outcome, ended.merged_into) == (
        *(Stage.CLOSED, Outcome.MERGED),
        goes_on.number,
    )
    assert {end for _, end in (await desk.ledger(handle)).values()} == {"withdrawn"}
    assert await told(desk, handle, "merged") == [("+8613900000002", None)]
    assert (await desk.view(survivor)).merged == (view.number,)
    await desk.accept(survivor, goes_on)
    await desk.resolve(survivor, await desk.view(survivor))
    await desk.settle()
    both = await told(desk, survivor, "resolved")
    assert {each[0] for each in both} == {"+8613800000001", "+8613900000002"}
    assert {each[1] for each in both} == {None, handle.id}
    texts = await desk.pool.fetch(
        "SELECT body FROM outbox WHERE template = 'resolved' AND for_issue = $1", handle.id
    )
    assert view.number in texts[0]["body"], "they know it by their own number"
    assert goes_on.number not in texts[0]["body"]
    await desk.until("2026-09-30 10:00")
    again = await desk.callback(survivor, running=False)
    await desk.settle()
    assert len(await told(desk, survivor, "reopened")) == 2
    await desk.accept(survivor, again)
    await desk.resolve(survivor, await desk.view(survivor))
    await desk.until("2026-10-08 10:00")
    await desk.callback(survivor, running=True)


async def test_one_customer_of_both_is_told_once(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00")
    survivor, goes_on = await desk.open()
    handle, _ = await desk.open()
    await merge(desk, handle, goes_on)
    await desk.accept(survivor, goes_on)
    await desk.settle()
    assert len(await told(desk, survivor, "accepted")) == 1
    await desk.withdraw(survivor)


async def test_what_answers_somebody_else_cannot_be_withdrawn(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00")
    survivor, goes_on, handle, _ = await pair(desk)
    await merge(desk, handle, goes_on)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await desk.do(survivor, ActionName.WITHDRAW, CUSTOMER, reason="works again")
    assert "ends with an answer" in refusal(error.value).message
    await desk.accept(survivor, goes_on)
    await desk.resolve(survivor, await desk.view(survivor))
    await desk.until("2026-09-30 10:00")
    await desk.callback(survivor, running=True)


@pytest.mark.parametrize(
    ("into", "why"),
    [
        ("itself", "this very issue"),
        ("20260101-07-0001", "there is no issue"),
    ],
)
async def test_what_cannot_be_is_refused_at_once_and_nothing_changes(
    begin: Begin, into: str, why: str
) -> None:
    desk = await begin("2026-09-29 10:00")
    handle, view = await desk.open()
    number = view.number if into == "itself" else into
    for name, field in ((ActionName.MERGE, "into"), (ActionName.LINK, "to")):
        with pytest.raises(WorkflowUpdateFailedError) as error:
            await desk.do(handle, name, HOTLINE, **{field: number})
        assert why in refusal(error.value).message
        with pytest.raises(WorkflowUpdateFailedError) as error:
            await desk.do(handle, name, CUSTOMER, **{field: "20260101-07-0001"})
        assert refusal(error.value).type == "NotYours"
    assert await desk.steps(handle) == ["registered"]
    await desk.withdraw(handle)


async def test_neither_into_what_is_answered_nor_in_a_circle(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00")
    survivor, goes_on, handle, view = await pair(desk)
    await desk.accept(survivor, goes_on)
    await desk.resolve(survivor, await desk.view(survivor))
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await desk.do(handle, ActionName.MERGE, HOTLINE, into=goes_on.number)
    assert "has an answer" in refusal(error.value).message
    third, stays = await desk.open()
    await merge(desk, third, view)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await desk.do(handle, ActionName.MERGE, HOTLINE, into=stays.number)
    assert "closed" in refusal(error.value).message
    await desk.until("2026-09-30 10:00")
    await desk.callback(survivor, running=True)
    await desk.accept(handle, view)
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-10-08 10:00")
    await desk.callback(handle, running=True)


async def test_two_that_are_merged_into_each_other_at_once_lose_nobody(begin: Begin) -> None:
    """One of them goes on, or both do; never none."""
    desk = await begin("2026-09-29 10:00")
    survivor, goes_on, handle, view = await pair(desk)
    await asyncio.gather(
        desk.do(survivor, ActionName.MERGE, HOTLINE, into=view.number),
        desk.do(handle, ActionName.MERGE, HOTLINE, into=goes_on.number),
        return_exceptions=True,
    )
    await desk.settle()
    open_ = [each for each in (survivor, handle) if not await has_ended(each)]
    assert open_
    for each in open_:
        seen = await desk.view(each)
        assert seen.merged_into is None
        await desk.accept(each, seen)
        await desk.resolve(each, await desk.view(each))
    await desk.until("2026-09-30 10:00")
    for each in open_:
        await desk.callback(each, running=True)


async def test_linked_issues_show_each_other_and_go_on_by_themselves(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00")
    one, first, other, second = await pair(desk)
    await desk.do(one, ActionName.LINK, AGENT, to=second.number, reason="同一网点")
    assert (await duplicates.related(desk.pool, one.id)).linked == (second.number,)
    assert (await duplicates.related(desk.pool, other.id)).linked == (first.number,)
    with pytest.raises(WorkflowUpdateFailedError, match="failed") as error:
        await desk.do(other, ActionName.LINK, AGENT, to=first.number)
    assert "already" in refusal(error.value).message
    for each in (one, other):
        await desk.withdraw(each)
    async with desk.pool.acquire() as connection:
        (papers,) = await auditing.papers(connection, [one.id])
    assert ("issue_links", other.id) in papers.standing.forms
    assert await issue_reader.issue(desk.pool, one.id)
