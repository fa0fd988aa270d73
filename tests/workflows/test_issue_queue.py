"""What comes in by web and mail waits in a queue until an agent takes it (R36)."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName, Take
from domain.vocabulary import Actor, Channel, Outcome, Role, Severity, Stage
from store import issue_reader
from store.issue_list import Filter
from tests.support.harness import Handle, StoryDesk, refusal, stand
from tests.support.registers import form
from tests.workflows.conftest import Begin

LI = Actor(id="07", role=Role.AGENT)
WANG = Actor(id="12", role=Role.AGENT)


async def enquiry(desk: StoryDesk, **intake: object) -> Handle:
    """A question that came in by e-mail, and is nobody's yet."""
    usual = {"kind": "consultation", "channel": "email", "title": "how do I change the roll?"}
    handle, view = await desk.open(**usual | intake)
    assert (view.stage, view.engineer, view.taken_by) == (Stage.REGISTERED, None, None)
    return handle


async def queued(desk: StoryDesk) -> list[str]:
    return [each.id for each in await issue_reader.issues(desk.pool, Filter(queued=True))]


async def of(desk: StoryDesk, agent: Actor) -> list[str]:
    return [each.id for each in await issue_reader.issues(desk.pool, Filter(agent=agent.id))]


async def test_r36_a_letter_is_nobodys_until_an_agent_takes_it_and_answers_within_a_day(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-30 16:00", whole=True)  # the day before a week of holidays
    handle = await enquiry(desk)
    assert await queued(desk) == [handle.id]
    assert await of(desk, LI) == [], "whoever its number is of has not taken it"
    assert await desk.told(handle) == [("2026-09-30 16:00", "customer", "registered")]
    view = await desk.do(handle, ActionName.TAKE, WANG)
    assert (view.queue, view.taken_by, view.stage) == ("enquiries", "12", Stage.REGISTERED)
    assert (await of(desk, WANG), await of(desk, LI)) == ([handle.id], [])
    said = {"solution": "pull the lever", "on_the_line": False, "test": False}
    await desk.do(handle, ActionName.ANSWER, WANG, **said)
    await desk.settle()
    view = await desk.view(handle)
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    ledger = await desk.ledger(handle)
    assert ledger["hand_over.1"] == ("2026-10-01 16:00", "kept"), "by the clock, not by workdays"
    assert "response.1" not in ledger
    assert await queued(desk) == []
    assert (await form(desk, handle, "consultation_records"))["agent"] == "12"


async def test_r36_of_two_agents_who_reach_for_it_one_gets_it_and_the_other_hears_who(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await enquiry(desk)
    tried = await asyncio.gather(
        *(desk.act(handle, ActionName.TAKE, Take(by=agent)) for agent in (LI, WANG)),
        return_exceptions=True,
    )
    (lost,) = [each for each in tried if isinstance(each, WorkflowUpdateFailedError)]
    winner = (await desk.view(handle)).taken_by
    assert f"was taken by {winner} already" in refusal(lost).message
    again = Take(by=Actor(id=str(winner), role=Role.AGENT))
    assert (await desk.act(handle, ActionName.TAKE, again)).taken_by == winner


async def test_r36_passed_on_it_is_promised_when_its_handler_is_heard_from(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await enquiry(desk)
    await desk.until("2026-09-29 15:00")
    view = await desk.do(handle, ActionName.REASSIGN, LI, reason="needs a look on site")
    assert (view.stage, view.taken_by) == (Stage.ASSIGNED, "07"), "who passes it on has taken it"
    ledger = await desk.ledger(handle)
    assert ledger["hand_over.1"][1] == "kept"
    assert ledger["response.1"] == ("2026-09-29 17:00", "open")
    assert await queued(desk) == []
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.TAKE, WANG)
    assert refusal(refused.value).type == "NotAllowed"
    view = await desk.accept(handle, view)
    assert stand(view)["response.1"] == "kept"


async def test_r36_what_nobody_takes_is_told_to_the_lead_and_passed_on_in_the_end(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await enquiry(desk)
    await desk.until("2026-09-30 09:59")
    told = await desk.told(handle, "2026-09-29 10:01")
    assert {recipient for _, recipient, _ in told} == {"long.yuchen"}
    await desk.until("2026-09-30 10:01")
    view = await desk.view(handle)
    assert (view.stage, view.taken_by) == (Stage.ASSIGNED, None)
    assert stand(view)["hand_over.1"] == "broken"
    assert stand(view)["response.1"] == "open"


@pytest.mark.parametrize(
    "intake",
    [
        {"channel": Channel.TELEPHONE},
        {"severity": Severity.MAJOR},
        {"complex": True},
        {"kind": "fault"},
        {"kind": "complaint", "category": "service"},
    ],
)
async def test_r5_r19_what_is_urgent_a_complaint_or_a_call_waits_in_no_queue(
    begin: Begin, intake: dict[str, object]
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    usual = {"kind": "consultation", "channel": "email"}
    handle, view = await desk.open(**usual | intake)
    assert (view.queue, await queued(desk)) == (None, [])
    assert view.stage is Stage.ASSIGNED
    assert "response.1" in await desk.ledger(handle)
