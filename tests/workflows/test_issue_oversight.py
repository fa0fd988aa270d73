"""What follows the closing: the customer scores us, the manager rates the repair; and one call
about several faults (R18, R22, R26).
"""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.errors import Refused
from domain.issue.actions import ActionName, Evaluate
from domain.vocabulary import Actor, Outcome, Role, Stage
from starter.client import Desk
from tests.support.harness import (
    AGENT,
    CLERK,
    CUSTOMER,
    LEAD,
    MANAGER,
    Handle,
    StoryDesk,
    has_ended,
    refusal,
    stand,
)
from tests.support.registers import counted, form, forms, said, versions
from tests.workflows.conftest import Begin

ASIDE = (ActionName.ADD_NOTE, ActionName.AMEND, ActionName.LINK, ActionName.CUSTOMER_WROTE)
"""What may be written into an issue at any time."""
SCORES = {
    "item": "after_sales",
    "technical": 120,
    "attitude": 95,
    "comment": "quick and friendly",
}


async def replied(desk: StoryDesk, **intake: object) -> Handle:
    handle, view = await desk.open(**intake)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    return handle


async def closed(desk: StoryDesk) -> Handle:
    """A fault that was repaired on Tuesday and called back on Wednesday 09-30 at 10:00."""
    handle = await replied(desk)
    await desk.until("2026-09-30 10:00")
    view = await desk.callback(handle, running=True)
    assert (view.stage, view.outcome, view.can) == (
        Stage.CLOSED,
        Outcome.SOLVED,
        (ActionName.EVALUATE, ActionName.RATE_DIFFICULTY, *ASIDE),
    )
    return handle


# --- How difficult it was (R18) ------------------------------------------------------------------


async def test_the_manager_is_reminded_of_the_rating_until_nobody_expects_it_any_more(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await closed(desk)
    await desk.until("2026-10-27 17:59")  # ten working days after it was due
    assert not await has_ended(handle)
    await desk.until("2026-10-27 18:01")
    assert await has_ended(handle)
    ended = await desk.ended(handle)
    assert (ended.escalation_level, ended.sla_state) == (0, "met"), "no promise to the customer"
    assert await desk.told(handle, "2026-09-30 09:59") == [
        ("2026-09-30 10:00", "customer", "thanks"),
        ("2026-10-12 14:30", MANAGER.id, "rating_wanted"),
        ("2026-10-13 18:00", MANAGER.id, "rating_wanted"),
    ]
    ledger = await desk.ledger(handle)
    assert ledger["difficulty.1"] == ("2026-10-13 18:00", "broken")
    assert ledger["evaluation.1"] == ("2026-10-07 10:00", "withdrawn")
    assert await forms(desk, handle, "difficulty_ratings") == []


async def test_a_second_rating_replaces_the_first_which_history_keeps(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await closed(desk)
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=4, note="no manual")
    assert (await desk.ledger(handle))["difficulty.1"] == ("2026-10-13 18:00", "kept")
    await desk.until("2026-09-30 16:00")
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2, note="there was one")
    assert await form(desk, handle, "difficulty_ratings") == {
        "generation": 1,
        "engineer": "liang.jiahao",
        "difficulty": 2,
        "note": "there was one",
        "rated_by": MANAGER.id,
        "rated_at": "2026-09-30 16:00",
    }
    (first,) = await versions(desk, handle, "difficulty_ratings")
    assert (first["difficulty"], first["note"]) == (4, "no manual")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.RATE_DIFFICULTY, LEAD, difficulty=1)
    assert refusal(refused.value).type == "NotYours"
    await desk.until("2026-10-07 10:01")
    assert await has_ended(handle), "rated, and the time to score us is over"
    assert "rating_wanted" not in {wording for _, _, wording in await desk.told(handle)}


async def test_what_was_rated_before_the_callback_is_not_asked_for_again(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await replied(desk)
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=3)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    assert "difficulty.1" not in await desk.ledger(handle)
    await desk.ended(handle)


async def test_a_repair_that_was_done_again_is_rated_again(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await replied(desk)
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=3)
    await desk.until("2026-09-30 10:00")
    view = await desk.callback(handle, running=False)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    told = {"reached": True, "told": "it is repaired for good"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, **told)
    await desk.until("2026-10-08 10:00")
    await desk.callback(handle, running=True)
    assert (await desk.ledger(handle))["difficulty.2"][1] == "open"
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=5)
    ratings = await forms(desk, handle, "difficulty_ratings")
    assert [(row["generation"], row["difficulty"]) for row in ratings] == [(1, 3), (2, 5)]


# --- What the customer thinks of it (R26) --------------------------------------------------------


async def test_a_customer_has_a_week_to_score_us_once(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await closed(desk)
    assert (await desk.ledger(handle))["evaluation.1"] == ("2026-10-07 10:00", "open")
    assert "分别评分（-50 至 200，" in await said(desk, handle, "thanks", "customer")
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2)
    await desk.until("2026-10-07 09:00")
    await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **SCORES)
    assert await form(desk, handle, "evaluations") == {
        "item": "after_sales",
        "person": CUSTOMER.id,
        "written_by": CUSTOMER.id,
        "at": "2026-10-07 09:00",
        "engineer": "liang.jiahao",
        "department": "technical_service",
        "technical": 120,
        "attitude": 95,
        "comment": "quick and friendly",
    }
    before = await counted(desk)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **SCORES | {"technical": 200})
    assert refusal(refused.value).type == "NotAllowed"
    assert "chen.hong has scored after_sales" in refusal(refused.value).message
    with pytest.raises(WorkflowUpdateFailedError) as refused:  # nor by somebody else's hand
        await desk.do(handle, ActionName.EVALUATE, AGENT, **SCORES | {"person": CUSTOMER.id})
    assert refusal(refused.value).type == "NotAllowed"
    assert await counted(desk) == before
    await desk.until("2026-10-07 10:01")
    ended = await desk.ended(handle)
    assert stand(ended)["evaluation.1"] == "kept"


async def test_each_person_scores_each_item_once(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await closed(desk)
    await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **SCORES)
    await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **SCORES | {"item": "project"})
    await desk.do(handle, ActionName.EVALUATE, AGENT, **SCORES | {"person": "li.hua"})
    rows = await forms(desk, handle, "evaluations")
    assert [(row["item"], row["person"], row["written_by"]) for row in rows] == [
        ("after_sales", "chen.hong", "chen.hong"),
        ("after_sales", "li.hua", AGENT.id),
        ("project", "chen.hong", "chen.hong"),
    ]
    engineer = Actor(id="liang.jiahao", role=Role.ENGINEER)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.EVALUATE, engineer, **SCORES)
    assert refusal(refused.value).type == "NotYours"


async def test_after_the_week_it_is_too_late_also_while_the_rating_is_awaited(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await closed(desk)
    await desk.until("2026-10-07 10:01")
    assert stand(await desk.view(handle))["evaluation.1"] == "withdrawn"
    assert not await has_ended(handle), "the rating is still awaited"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **SCORES)
    assert refusal(refused.value).type == "NotAllowed"
    assert "could be scored until" in refusal(refused.value).message
    assert await forms(desk, handle, "evaluations") == []


async def test_who_scores_when_everything_is_over_is_told_so_by_the_client(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await closed(desk)
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2)
    ended = await desk.ended(handle)
    client = Desk(desk.env.client, desk.pool)
    act = Evaluate.model_validate({"by": CUSTOMER} | SCORES)
    with pytest.raises(Refused) as refused:
        await client.act(ended.number, ActionName.EVALUATE, act)
    assert refused.value.type == "NotAllowed"
    assert refused.value.message == f"{ended.number} is closed (solved): evaluate comes too late"
    assert await forms(desk, handle, "evaluations") == []


# --- One call (R22, R25) -------------------------------------------------------------------------


async def test_one_call_may_be_about_two_faults_of_one_day(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    good, bad = await replied(desk), await replied(desk, title="printer jams")
    await desk.until("2026-09-30 10:00")
    call = {"reached": True, "satisfied": True, "call": "call-17", "words": "one is fine"}
    await desk.do(good, ActionName.RECORD_CALLBACK, CLERK, running=True, **call)
    view = await desk.do(bad, ActionName.RECORD_CALLBACK, CLERK, running=False, **call)
    assert (await desk.view(good)).outcome is Outcome.SOLVED
    assert (view.stage, view.reopen_count) == (Stage.ASSIGNED, 1)
    rows = [await form(desk, each, "callback_records") for each in (good, bad)]
    assert [(row["call"], row["running"], row["called_at"]) for row in rows] == [
        ("call-17", True, "2026-09-30 10:00"),
        ("call-17", False, "2026-09-30 10:00"),
    ]


async def test_a_customer_who_was_not_reached_is_rated_but_not_asked_for_a_score(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await replied(desk)
    for day in ("2026-09-30", "2026-10-08", "2026-10-09"):
        await desk.until(f"{day} 10:00")
        view = await desk.callback(handle, running=None)
    assert view.outcome is Outcome.NOT_REACHED
    ledger = await desk.ledger(handle)
    assert ("evaluation.1" in ledger, ledger["difficulty.1"][1]) == (False, "open")
    assert (await desk.told(handle))[-1] == ("2026-10-09 10:00", "customer", "not_reached")
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=1)
    await desk.ended(handle)
