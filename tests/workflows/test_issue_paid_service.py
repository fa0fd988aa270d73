"""Paid service (R17): survey, quotation, the customer's yes or no, the manager's, the work, and the
customer's acceptance; each with its promise, and with what its silence means.
"""

from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName
from domain.vocabulary import Actor, Outcome, Role, Severity, Stage
from tests.support.harness import (
    CUSTOMER,
    LEAD,
    MANAGER,
    Handle,
    StoryDesk,
    engineer,
    refusal,
    stand,
)
from tests.support.registers import counted, form, forms, said, versions
from tests.support.soundness import assert_sound
from tests.workflows.conftest import Begin

CHEAP, DEAR = "20000.00", "20000.01"
"""At the manager's limit, and a fen above it."""


async def surveying(desk: StoryDesk, **intake: object) -> tuple[Handle, Actor]:
    """A paid service that an engineer has accepted, and who that is."""
    handle, view = await desk.open(**{"kind": "paid_service", "title": "move an ATM"} | intake)
    view = await desk.accept(handle, view)
    assert view.stage is Stage.SURVEYING
    return handle, engineer(view)


async def quoted(desk: StoryDesk, amount: str = CHEAP) -> tuple[Handle, Actor]:
    """One whose customer has our quotation."""
    handle, by = await surveying(desk)
    await desk.do(handle, ActionName.SURVEY, by, findings="two more power lines")
    await desk.do(handle, ActionName.QUOTE, by, work="move it and wire it", amount=amount)
    return handle, by


async def working(desk: StoryDesk) -> tuple[Handle, Actor]:
    """One that the customer has agreed to."""
    handle, by = await quoted(desk)
    view = await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True, words="go on")
    assert view.stage is Stage.IN_PROGRESS
    return handle, by


async def done(desk: StoryDesk) -> Handle:
    """One whose work is done, and not accepted yet."""
    handle, by = await working(desk)
    await desk.do(handle, ActionName.RESOLVE, by, result="moved and wired")
    await desk.settle()
    return handle


# --- From the survey to the customer's acceptance ------------------------------------------------


async def test_up_to_the_limit_nobody_has_to_approve_and_every_step_has_its_promise(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await surveying(desk)
    assert (await desk.ledger(handle))["survey.1"] == ("2026-10-08 18:00", "open")
    await desk.until("2026-09-29 14:00")
    view = await desk.do(handle, ActionName.SURVEY, by, findings="two more power lines")
    assert view.stage is Stage.QUOTING
    await desk.until("2026-09-29 15:00")
    work = {"work": "move it and wire it", "amount": CHEAP}
    view = await desk.do(handle, ActionName.QUOTE, by, **work)
    assert view.stage is Stage.CONFIRMING
    assert "20,000.00" in await said(desk, handle, "quotation", "customer")
    await desk.until("2026-09-29 16:00")
    view = await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True, words="go on")
    assert view.stage is Stage.IN_PROGRESS
    await desk.until("2026-09-29 17:00")
    view = await desk.do(handle, ActionName.RESOLVE, by, result="moved and wired")
    await desk.until("2026-09-30 10:00")
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True, words="fine")
    assert view.outcome is Outcome.SOLVED
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2)
    await desk.ended(handle)
    assert await desk.ledger(handle) == {
        "response.1": ("2026-09-29 12:00", "kept"),
        "survey.1": ("2026-10-08 18:00", "kept"),
        "quotation.1": ("2026-09-30 18:00", "kept"),
        "confirmation.1": ("2026-10-19 18:00", "kept"),
        "resolution.1": ("2026-10-09 18:00", "kept"),
        "customer_test.1": ("2026-10-12 18:00", "kept"),
        "difficulty.1": ("2026-10-13 18:00", "kept"),
        "evaluation.1": ("2026-10-07 10:00", "withdrawn"),
    }
    assert sorted(await desk.told(handle)) == [
        ("2026-09-29 10:00", "customer", "accepted"),
        ("2026-09-29 10:00", "customer", "registered"),
        ("2026-09-29 10:00", by.id, "assigned"),
        ("2026-09-29 15:00", "customer", "quotation"),
        ("2026-09-29 16:00", "customer", "approved"),
        ("2026-09-29 16:00", by.id, "confirmed"),
        ("2026-09-29 17:00", "07", "result_back"),
        ("2026-09-29 17:00", "customer", "acceptance"),
        ("2026-09-30 10:00", "customer", "thanks"),
    ]
    assert await form(desk, handle, "paid_services") == {
        "generation": 1,
        "surveyed_by": by.id,
        "surveyed_at": "2026-09-29 14:00",
        "findings": "two more power lines",
        "quoted_by": by.id,
        "quoted_at": "2026-09-29 15:00",
        "quotation": 1,
        "work": "move it and wire it",
        "amount": Decimal(CHEAP),
        "approval": False,
        "confirmed_by": CUSTOMER.id,
        "confirmed_at": "2026-09-29 16:00",
        "agreed": True,
        "words": "go on",
        "accepted_at": "2026-09-30 10:00",
        "accepted": True,
    }


async def test_above_the_limit_the_manager_approves_before_the_work_begins(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await quoted(desk, DEAR)
    view = await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    assert view.stage is Stage.APPROVING
    assert "resolution.1" not in stand(view), "the work is not promised yet"
    assert (await desk.ledger(handle))["approval.1"] == ("2026-09-30 18:00", "open")
    assert "20,000.01" in await said(desk, handle, "approval_wanted", MANAGER.id)
    for who, name, what, type_ in (
        (LEAD, ActionName.APPROVE, {"approved": True}, "NotYours"),
        (by, ActionName.RESOLVE, {"result": "done already"}, "NotAllowed"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.do(handle, name, who, **what)
        assert refusal(refused.value).type == type_
    await desk.until("2026-09-29 11:00")
    view = await desk.do(handle, ActionName.APPROVE, MANAGER, approved=True)
    assert view.stage is Stage.IN_PROGRESS
    assert sorted(await desk.told(handle, "2026-09-29 10:59")) == [
        ("2026-09-29 11:00", "customer", "approved"),
        ("2026-09-29 11:00", by.id, "confirmed"),
    ]
    row = await form(desk, handle, "paid_services")
    assert (row["approval"], row["approved"], row["approved_by"], row["approved_at"]) == (
        True,
        True,
        MANAGER.id,
        "2026-09-29 11:00",
    )
    assert (await desk.ledger(handle))["resolution.1"] == ("2026-10-09 18:00", "open")


async def test_what_the_manager_does_not_approve_ends_with_the_reason(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await quoted(desk, DEAR)
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    reason = "not before next year's budget"
    await desk.do(handle, ActionName.APPROVE, MANAGER, approved=False, reason=reason)
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.answered) == (Outcome.NOT_APPROVED, True)
    assert reason in await said(desk, handle, "not_approved", "customer")
    assert (stand(ended)["approval.1"], "resolution.1" in stand(ended)) == ("kept", False)
    row = await form(desk, handle, "paid_services")
    assert (row["approved"], row["reason"]) == (False, reason)


async def test_of_an_approval_that_is_overdue_manager_and_gm_office_hear(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await quoted(desk, DEAR)
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    await desk.until("2026-09-30 18:01")
    assert sorted(await desk.told(handle, "2026-09-29 10:01")) == [
        ("2026-09-30 14:30", MANAGER.id, "warning"),
        ("2026-09-30 18:00", "07", "contact_wanted"),
        ("2026-09-30 18:00", MANAGER.id, "alarm"),
        ("2026-09-30 18:00", "tian.hui", "alarm"),
    ]
    view = await desk.do(handle, ActionName.APPROVE, MANAGER, approved=True)
    assert (view.escalation_level, stand(view)["approval.1"]) == (3, "broken")


# --- No, nothing, or something else --------------------------------------------------------------


async def test_a_customer_who_says_no_is_answered_and_the_handler_knows(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await quoted(desk)
    await desk.until("2026-09-29 11:00")
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=False, words="too dear")
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.answered, stand(ended)["confirmation.1"]) == (
        Outcome.DECLINED,
        True,
        "kept",
    )
    assert sorted(await desk.told(handle, "2026-09-29 10:59")) == [
        ("2026-09-29 11:00", "customer", "declined"),
        ("2026-09-29 11:00", by.id, "quotation_over"),
    ]
    row = await form(desk, handle, "paid_services")
    assert (row["agreed"], row["words"]) == (False, "too dear")


async def test_a_quotation_nobody_answers_is_called_to_mind_and_lapses(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await quoted(desk)
    await desk.until("2026-10-19 17:59")
    view = await desk.view(handle)
    assert (view.stage, view.next_due_at) == (Stage.CONFIRMING, None)
    await desk.until("2026-10-19 18:00")
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.escalation_level) == (Outcome.LAPSED, 0)
    assert await desk.told(handle, "2026-09-29 10:01") == [
        ("2026-10-15 11:07", "customer", "quotation_reminder"),  # 75%
        ("2026-10-19 18:00", "customer", "lapsed"),
        ("2026-10-19 18:00", by.id, "quotation_over"),
    ]
    assert (await desk.ledger(handle))["confirmation.1"] == ("2026-10-19 18:00", "withdrawn")
    assert "agreed" not in await form(desk, handle, "paid_services")


async def test_a_question_about_a_quotation_keeps_it_until_its_handler_has_seen_to_that(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await quoted(desk)
    await desk.until("2026-10-19 17:00")
    words = {"words": "does that include taking the old door away?"}
    await desk.do(handle, ActionName.CUSTOMER_WROTE, CUSTOMER, **words)
    await desk.until("2026-10-21 18:00")
    view = await desk.view(handle)
    assert (view.stage, view.unread) == (Stage.CONFIRMING, True)
    told = {(who, what) for _, who, what in await desk.told(handle, "2026-10-19 17:00")}
    assert {(by.id, "customer_wrote"), (by.id, "reminder"), (by.id, "overdue")} <= told
    assert "customer" not in {who for who, _ in told}
    view = await desk.do(handle, ActionName.RESUME, by, note="it does, and they know")
    assert (view.stage, view.unread) == (Stage.CONFIRMING, False)
    ledger = await desk.ledger(handle)
    assert (ledger["confirmation.1"][1], ledger["confirmation.1.2"][1]) == ("withdrawn", "open")
    ended = await desk.ended(handle)
    assert ended.outcome is Outcome.LAPSED
    await assert_sound(desk.pool, handle.id, ended)


async def test_a_revised_quotation_takes_the_place_of_the_last(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await quoted(desk, DEAR)
    await desk.until("2026-09-30 10:00")
    view = await desk.do(handle, ActionName.QUOTE, by, work="move it only", amount="9000.00")
    assert view.stage is Stage.CONFIRMING
    ledger = await desk.ledger(handle)
    assert (ledger["confirmation.1"][1], ledger["confirmation.1.2"]) == (
        "withdrawn",
        ("2026-10-20 18:00", "open"),
    )
    row = await form(desk, handle, "paid_services")
    assert (row["quotation"], row["work"], row["amount"], row["approval"]) == (
        2,
        "move it only",
        Decimal("9000.00"),
        False,
    )
    (before,) = (v for v in await versions(desk, handle, "paid_services") if v["quotation"] == 1)
    assert (before["work"], str(before["amount"])) == ("move it and wire it", DEAR)
    view = await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    assert view.stage is Stage.IN_PROGRESS, "the new price needs no approval"
    assert "approval_wanted" not in {wording for _, _, wording in await desk.told(handle)}


@pytest.mark.parametrize(
    ("surveyed", "promise", "reminded", "due", "manager"),
    [
        (False, "survey.1", "2026-10-08 11:07", "2026-10-08 18:00", "2026-10-09 11:00"),
        (True, "quotation.1", "2026-09-30 14:30", "2026-09-30 18:00", "2026-10-08 11:00"),
    ],
)
async def test_a_survey_or_quotation_that_is_overdue_rises(
    begin: Begin, *, surveyed: bool, promise: str, reminded: str, due: str, manager: str
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await surveying(desk)
    if surveyed:
        await desk.do(handle, ActionName.SURVEY, by, findings="two more power lines")
    await desk.until("2026-10-09 11:00")
    assert (await desk.ledger(handle))[promise] == (due, "broken")
    told = [each for each in await desk.told(handle, "2026-09-29 10:01") if each[0] <= manager]
    assert sorted(told) == [
        (reminded, by.id, "reminder"),
        (due, "07", "contact_wanted"),
        (due, "customer", "apology"),
        (due, by.id, "overdue"),
        (due, "zhou.jianguo", "alarm"),
        (f"{manager[:10]} 10:30", "07", "reminder"),
        (manager, "07", "overdue"),  # nor has the agent called the customer
        (manager, "sun.li", "alarm"),
        (manager, "zhou.jianguo", "alarm"),
    ]
    assert (await desk.view(handle)).escalation_level >= 2


# --- Accepted or refused -------------------------------------------------------------------------


async def test_work_that_nobody_objects_to_is_accepted_after_a_reminder(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await done(desk)
    assert (await desk.ledger(handle))["customer_test.1"] == ("2026-10-12 18:00", "open")
    await desk.until("2026-10-12 17:59")
    assert (await desk.view(handle)).stage is Stage.REPLIED
    await desk.until("2026-10-12 18:00")
    view = await desk.view(handle)
    assert (view.outcome, stand(view)["customer_test.1"]) == (Outcome.SOLVED, "withdrawn")
    assert await desk.told(handle, "2026-09-29 10:01") == [
        ("2026-10-10 14:30", "customer", "test_reminder"),  # 75%, on a make-up workday
        ("2026-10-12 18:00", "customer", "thanks"),
    ]
    assert "accepted" not in await form(desk, handle, "paid_services")
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2)
    await desk.ended(handle)


async def test_work_that_the_customer_refuses_is_done_again_as_major(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await done(desk)
    await desk.until("2026-09-29 11:00")
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="crooked")
    assert (view.stage, view.severity, view.answered) == (Stage.ASSIGNED, Severity.MAJOR, False)
    assert sorted(await desk.told(handle, "2026-09-29 10:59")) == [
        ("2026-09-29 11:00", "customer", "reopened"),
        ("2026-09-29 11:00", "liang.jiahao", "assigned"),
        ("2026-09-29 11:00", LEAD.id, "work_refused"),
    ]
    ledger = await desk.ledger(handle)
    assert (ledger["response.2"], ledger["resolution.2"]) == (
        ("2026-09-29 11:30", "open"),
        ("2026-10-09 18:00", "open"),
    )
    assert "survey.2" not in ledger, "it was offered and agreed already"
    assert (await form(desk, handle, "paid_services"))["accepted"] is False
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    told = {"reached": True, "told": "it is straight now"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, Actor(id="07", role=Role.AGENT), **told)
    await desk.until("2026-09-30 10:00")
    await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    assert (await desk.view(handle)).outcome is Outcome.SOLVED
    assert [row["accepted"] for row in await forms(desk, handle, "paid_services")] == [False, True]


async def test_no_step_can_be_skipped(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await surveying(desk)
    await desk.settle()
    before = await counted(desk)
    for name, who, what in (
        (ActionName.QUOTE, by, {"work": "all of it", "amount": CHEAP}),
        (ActionName.CONFIRM, CUSTOMER, {"agreed": True}),
        (ActionName.APPROVE, MANAGER, {"approved": True}),
        (ActionName.RESOLVE, by, {"result": "done"}),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.do(handle, name, who, **what)
        assert refusal(refused.value).type == "NotAllowed"
        assert "survey" in refusal(refused.value).message
    assert await counted(desk) == before
    await desk.do(handle, ActionName.SURVEY, by, findings="two more power lines")


async def test_what_the_hotlines_answer_did_not_solve_is_surveyed_first(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await desk.open(kind="paid_service", answering=True)
    agent = Actor(id="07", role=Role.AGENT)
    await desk.do(handle, ActionName.ANSWER, agent, solution="turn it round yourself")
    await desk.until("2026-09-29 11:00")
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    assert (await desk.ledger(handle))["survey.2"] == ("2026-10-08 18:00", "open")
    assert (await desk.accept(handle, view)).stage is Stage.SURVEYING
