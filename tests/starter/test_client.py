import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import Refused
from domain.issue.actions import (
    Accept,
    ActionName,
    Escalate,
    Reassign,
    RecordCallback,
    ReportProgress,
    Resolve,
    WaitForCustomer,
    Withdraw,
)
from domain.issue.intake import SAID, Intake
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Outcome, Role, Severity, Stage
from starter.client import Busy, Desk, Opened, OtherContent
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


@pytest.mark.parametrize("processes", [1, 8], ids=["one process", "eight processes"])
async def test_of_those_who_say_something_else_under_one_reference_at_once_one_is_registered(
    running_desk: RunningDesk, processes: int
) -> None:
    intake, desks = an_intake_of_now(), [running_desk.desk for _ in range(processes)]
    said = [intake.model_copy(update={"title": f"This is the {n}th"}) for n in range(8)]
    answers = await asyncio.gather(
        *(desks[n % processes].register(each) for n, each in enumerate(said)),
        return_exceptions=True,
    )
    (opened,) = (each for each in answers if isinstance(each, Opened))
    assert opened.view
    others = [each for each in answers if isinstance(each, OtherContent)]
    assert [each.fields for each in others] == [("title",)] * 7
    assert {each.stands.number for each in others if each.stands} == {opened.view.number}
    title = "SELECT array_agg(title) FROM issues WHERE reference = $1"
    assert await running_desk.pool.fetchval(title, intake.reference) == [opened.view.title]


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


async def told_otherwise(desk: Desk, intake: Intake) -> OtherContent:
    """Say something else under the reference of an issue."""
    with pytest.raises(OtherContent, match=intake.reference) as refused:
        await desk.register(intake.model_copy(update={"description": "Something else."}))
    return refused.value


async def test_what_says_something_else_hears_what_stands_and_what_differs_also_when_it_has_ended(
    running_desk: RunningDesk,
) -> None:
    desk, intake = running_desk.desk, an_intake_of_now()
    stands = await desk.open(intake)
    while_open = await told_otherwise(desk, intake)
    await desk.act(stands.number, ActionName.WITHDRAW, Withdraw(by=CLERK, reason="it works"))
    ended = await told_otherwise(running_desk.desk, intake)
    for told in (while_open, ended):
        assert told.stands
        assert (told.fields, told.stands.number) == (("description",), stands.number)
        assert told.at == stands.registered_at
    assert (await desk.register(intake)).new is False


async def test_the_same_words_stay_the_same_issue_whatever_became_of_it(desk: Desk) -> None:
    intake = an_intake_of_now()
    seen = await desk.open(intake)
    await desk.act(seen.number, ActionName.ACCEPT, Accept(by=LEAD))
    await desk.act(seen.number, ActionName.RESOLVE, Resolve(by=LEAD, result="reset"))
    broken = RecordCallback(by=CLERK, reached=True, running=False, words="again")
    again = await desk.act(seen.number, ActionName.RECORD_CALLBACK, broken)
    assert again.severity is Severity.MAJOR, "it is more severe by now than when it came in"
    later = intake.model_copy(
        update={"reported_at": datetime.now(UTC), "ring_seconds": 3, "answering": True}
    )
    assert (await desk.open(later)).number == seen.number


async def test_what_a_door_filled_in_tells_no_repeat_from_another_message(desk: Desk) -> None:
    intake = an_intake_of_now()
    seen = await desk.open(intake)
    other = intake.model_copy(update={"agent": "98"})
    assert (await desk.register(other, SAID - {"agent"})).view == await desk.show(seen.number)
    with pytest.raises(OtherContent) as refused:
        await desk.register(other)
    assert refused.value.fields == ("agent",)


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


async def test_the_same_key_with_something_else_is_not_taken_for_the_same(desk: Desk) -> None:
    seen, key = await desk.open(an_intake_of_now()), uuid4().hex
    await desk.act(seen.number, ActionName.ACCEPT, Accept(by=LEAD), key=key)
    at = seen.reported_at
    for name, act, fields in (
        (ActionName.ACCEPT, Accept(by=LEAD, at=at), ("at",)),
        (ActionName.ESCALATE, Escalate(by=LEAD, reason="the branch opens"), ("action",)),
    ):
        with pytest.raises(OtherContent) as refused:
            await desk.act(seen.number, name, act, key=key)
        assert refused.value.fields == fields
        assert refused.value.stands
        assert refused.value.stands.number == seen.number
    steps = [step.action for step in (await desk.show(seen.number)).steps]
    # On a busy machine a message may have failed meanwhile and been handed to somebody.
    assert [each for each in steps if each is not ActionName.HAND_OVER] == [
        ActionName.REGISTERED,
        ActionName.ACCEPT,
    ]


async def test_of_two_who_use_one_key_at_once_for_different_things_one_is_done(
    running_desk: RunningDesk,
) -> None:
    seen, key = await running_desk.desk.open(an_intake_of_now()), uuid4().hex
    said = [Escalate(by=LEAD, reason=reason) for reason in ("the branch opens", "it smokes")]
    answers = await asyncio.gather(
        *(running_desk.desk.act(seen.number, ActionName.ESCALATE, act, key=key) for act in said),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in answers) == ["IssueView", "OtherContent"]
    assert (await running_desk.desk.show(seen.number)).escalation_level == 1


@pytest.mark.parametrize("processes", [1, 4], ids=["one process", "four processes"])
async def test_forty_who_act_on_one_issue_at_once_are_all_served(
    running_desk: RunningDesk, processes: int
) -> None:
    desks = [running_desk.desk for _ in range(processes)]
    seen = await desks[0].open(an_intake_of_now())
    await desks[0].act(seen.number, ActionName.ACCEPT, Accept(by=LEAD))
    acts = [ReportProgress(by=LEAD, note=f"the {n}th note") for n in range(40)]
    answers = await asyncio.gather(
        *(
            desks[n % processes].act(seen.number, ActionName.REPORT_PROGRESS, act)
            for n, act in enumerate(acts)
        ),
        return_exceptions=True,
    )
    assert [each for each in answers if not isinstance(each, IssueView | Busy)] == []
    served = sum(isinstance(each, IssueView) for each in answers)
    noted = "SELECT count(*) FROM issue_events WHERE issue_id = $1 AND action = 'report_progress'"
    assert await running_desk.pool.fetchval(noted, seen.id) == served, "nothing is half-made"
    assert served == 40 or processes > 1


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
        called = {"product_line": "DRONE", "channel": "telephone"}
        seen, waiting = [await desk.open(an_intake_of_now(**called)) for _ in range(2)]
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
