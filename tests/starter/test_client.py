import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import Refused
from domain.issue.actions import (
    Accept,
    ActionName,
    Reassign,
    RecordCallback,
    Resolve,
    WaitForCustomer,
    Withdraw,
)
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Outcome, Role, Stage
from starter.client import Desk, Opened
from starter.prepare import prepare
from store.issue_list import Filter
from tests.support.builders import an_intake
from tests.support.known_lines import lapsed
from tests.support.running_desk import RunningDesk
from workflows import audit

LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)


@pytest.fixture
def desk(running_desk: RunningDesk) -> Desk:
    return running_desk.desk


def an_intake_of_now(**changes: Any) -> Intake:
    now = datetime.now(UTC)
    usual = {"reference": uuid4().hex, "region": "上海", "occurred_at": None, "reported_at": now}
    return an_intake(**(usual | changes))


async def withdrawn(desk: Desk, intake: Intake) -> IssueView:
    seen = await desk.open(intake)
    act = Withdraw(by=CLERK, reason="it works again")
    return await desk.act(seen.number, ActionName.WITHDRAW, act)


async def test_a_hundred_concurrent_opens_of_one_reference_make_one_issue(
    running_desk: RunningDesk,
) -> None:
    intake = an_intake_of_now()
    answers = await asyncio.gather(*(running_desk.desk.open(intake) for _ in range(100)))
    assert len({answer.number for answer in answers}) == 1
    counted = "SELECT count(*) FROM issues WHERE reference = $1"
    assert await running_desk.pool.fetchval(counted, intake.reference) == 1


async def test_a_hundred_intakes_that_differ_in_a_word_are_one_issue_if_the_reference_is_one(
    running_desk: RunningDesk,
) -> None:
    intake = an_intake_of_now()
    words = (intake.model_copy(update={"title": f"Told for the {n}th time"}) for n in range(100))
    # Ten updates of one workflow may be under way at a time.
    answers = []
    for batch in range(0, 100, 10):
        tellings = [next(words) for _ in range(batch, batch + 10)]
        answers += await asyncio.gather(*map(running_desk.desk.open, tellings))
    assert len({answer.number for answer in answers}) == 1
    assert len({answer.title for answer in answers}) == 1


async def test_those_who_ask_for_the_same_at_once_are_one_question_and_one_of_them_is_first(
    desk: Desk,
) -> None:
    intake = an_intake_of_now()
    answers = await asyncio.gather(*(desk.register(intake) for _ in range(20)))
    assert [answer.new for answer in answers] == [True] + [False] * 19
    assert len({answer.view and answer.view.number for answer in answers}) == 1
    assert not desk._under_way
    again = await desk.register(intake)
    assert (again.new, again.view) == (False, await desk.show(intake.issue_id))


async def test_whoever_hangs_up_leaves_the_others_their_answer(desk: Desk) -> None:
    intake = an_intake_of_now()
    first, second = (asyncio.create_task(desk.register(intake)) for _ in range(2))
    while not desk._under_way:
        await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    found = await second
    assert found.view
    assert found.view.reference == intake.reference


async def test_one_who_asks_rightly_is_not_refused_for_another_who_asks_wrongly(
    desk: Desk,
) -> None:
    intake = an_intake_of_now()
    wrong = intake.model_copy(update={"region": "Mars"})
    refused, opened = await asyncio.gather(
        desk.register(wrong), desk.register(intake), return_exceptions=True
    )
    assert isinstance(refused, Refused)
    assert isinstance(opened, Opened)
    assert opened.view


async def test_an_issue_that_has_ended_is_found_again_by_its_intake(desk: Desk) -> None:
    intake = an_intake_of_now()
    ended = await withdrawn(desk, intake)
    assert ended.outcome is Outcome.WITHDRAWN
    again = await desk.open(intake)
    assert (again.number, again.stage) == (ended.number, Stage.CLOSED)


async def test_an_action_on_an_issue_that_has_ended_comes_too_late(desk: Desk) -> None:
    ended = await withdrawn(desk, an_intake_of_now())
    with pytest.raises(Refused, match=r"nothing any more|too late") as refused:
        await desk.act(ended.number, ActionName.ACCEPT, Accept(by=LEAD))
    assert refused.value.type == "NotAllowed"


async def test_the_same_key_makes_a_repeated_action_the_same_one(desk: Desk) -> None:
    seen = await desk.open(an_intake_of_now())
    act, key = Accept(by=LEAD), uuid4().hex
    first = await desk.act(seen.number, ActionName.ACCEPT, act, key=key)
    assert await desk.act(seen.number, ActionName.ACCEPT, act, key=key) == first


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"region": "Mars"}, "region: no service centre serves Mars; known: 上海"),
        ({"product_line": "ATN"}, "product_line: nobody works on ATN; known: ATM, KIOSK"),
        ({"reported_at": datetime.now(UTC) + timedelta(days=2)}, "reported_at: .* in the future"),
        ({"reported_at": datetime.now(UTC) - timedelta(days=900)}, "more than 366 days ago"),
        ({"occurred_at": datetime.now(UTC) + timedelta(days=2)}, "occurred_at: .* in the future"),
        (
            {
                "reported_at": datetime.now(UTC) - timedelta(days=2),
                "occurred_at": datetime.now(UTC) - timedelta(days=1),
            },
            "occurred_at: .* before",
        ),
        ({"title": "\u200b\u2060"}, "title: there is nothing to see"),
    ],
    ids=["region", "product", "future", "past", "far ahead", "order", "invisible"],
)
async def test_what_only_the_desk_can_know_to_be_wrong_starts_no_workflow(
    running_desk: RunningDesk, changes: dict[str, Any], reason: str
) -> None:
    intake = an_intake_of_now(**changes)
    with pytest.raises(Refused, match=reason) as refused:
        await running_desk.desk.open(intake)
    assert refused.value.type == "Invalid"
    handle = running_desk.client.get_workflow_handle(intake.issue_id)
    with pytest.raises(Exception, match="not found"):
        await handle.describe()


async def test_reassigning_to_somebody_unknown_is_refused_and_changes_nothing(desk: Desk) -> None:
    seen = await desk.open(an_intake_of_now())
    act = Reassign(by=LEAD, to="nobody.at.all", reason="needs somebody on site")
    with pytest.raises(Refused, match=r"nobody\.at\.all") as refused:
        await desk.act(seen.number, ActionName.REASSIGN, act)
    assert refused.value.type == "Invalid"
    assert (await desk.show(seen.number)).engineer == seen.engineer


async def test_an_issue_that_was_resolved_without_anybody_does_not_hold_up_the_others(
    running_desk: RunningDesk,
) -> None:
    """A lead resolves what waits for the customer and was taken from its engineer."""
    desk = running_desk.desk
    async with lapsed(running_desk.pool, "DRONE"):
        seen, waiting = [await desk.open(an_intake_of_now(product_line="DRONE")) for _ in range(2)]
    number = seen.number
    await desk.act(number, ActionName.ACCEPT, Accept(by=LEAD))
    await desk.act(number, ActionName.WAIT_FOR_CUSTOMER, WaitForCustomer(by=LEAD, reason="keys"))
    await desk.act(number, ActionName.REASSIGN, Reassign(by=LEAD, reason="on holiday"))
    resolved = await desk.act(number, ActionName.RESOLVE, Resolve(by=LEAD, result="reset"))
    assert resolved.engineer is None
    assert len(await desk.hand_over_stranded()) >= 1
    steps = (await desk.show(waiting.number)).steps
    assert [step.action for step in steps] == [ActionName.REGISTERED, ActionName.REASSIGN]


async def test_lists_are_filtered_by_who_has_it_and_whether_it_is_closed(desk: Desk) -> None:
    seen = await desk.open(an_intake_of_now())
    await desk.act(seen.number, ActionName.ACCEPT, Accept(by=LEAD))
    mine = Filter(engineer=LEAD.id, stage=Stage.IN_PROGRESS, limit=1000)
    assert seen.number in {view.number for view in await desk.issues(mine)}
    await desk.act(seen.number, ActionName.RESOLVE, Resolve(by=LEAD, result="reset"))
    good = RecordCallback(by=CLERK, reached=True, running=True)
    closed = await desk.act(seen.number, ActionName.RECORD_CALLBACK, good)
    assert (closed.stage, closed.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    listed = await desk.issues(Filter(engineer=LEAD.id, limit=1000))
    assert seen.number not in {view.number for view in listed}
    everything = await desk.issues(Filter(engineer=LEAD.id, open_only=False, limit=1000))
    assert seen.number in {view.number for view in everything}


async def test_preparing_again_keeps_the_audit_paused_that_an_operator_paused(
    running_desk: RunningDesk,
) -> None:
    schedule = running_desk.client.get_schedule_handle(audit.SCHEDULE_ID)
    await schedule.pause(note="migrating the database")
    await prepare(running_desk.client)
    kept = (await schedule.describe()).schedule
    assert (kept.state.paused, kept.state.note) == (True, "migrating the database")
    assert [each.every for each in kept.spec.intervals] == [audit.EVERY]
    await schedule.unpause()
