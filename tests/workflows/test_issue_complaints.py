"""Complaints: looked into, solved, explained or taken by the lead, on their form from the apology
to the archive; and those that are born of what a customer says (R19-R21, R24).
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName, Evaluate, RecordCallback
from domain.vocabulary import Actor, Outcome, Role, Severity, Stage
from inbound.files.roster import read_roster
from runtime.settings import ROOT
from store import issue_reader, roster
from tests.support.harness import (
    CLERK,
    CUSTOMER,
    MANAGER,
    Handle,
    StoryDesk,
    engineer,
    refusal,
    stand,
)
from tests.support.registers import brought, counted, form, forms, said
from tests.workflows.conftest import Begin

THE_LEAD = Actor(id="tan.rui", role=Role.LEAD)
LI = Actor(id="07", role=Role.AGENT)
EXPLAINED = {"reached": True, "told": "we went there and apologised", "words": "all right"}


async def complaint(desk: StoryDesk, **intake: object) -> tuple[Handle, Actor]:
    """A complaint about the service that somebody looks into, and who that is."""
    handle, view = await desk.open(
        **{"kind": "complaint", "category": "service", "title": "rude and late"} | intake
    )
    view = await desk.accept(handle, view)
    assert view.stage is Stage.VERIFYING
    return handle, engineer(view)


# --- What looking into it showed (R19) -----------------------------------------------------------


async def test_a_general_complaint_is_solved_by_the_department_and_archived(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk)
    await desk.until("2026-09-29 11:00")
    verdict = {"verdict": "general", "findings": "came an hour late"}
    view = await desk.do(handle, ActionName.VERIFY, by, **verdict)
    assert (view.stage, view.severity, view.escalation_level) == (
        Stage.IN_PROGRESS,
        Severity.GENERAL,
        0,
    )
    await desk.until("2026-09-29 15:00")
    await desk.resolve(handle, view)
    await desk.until("2026-09-29 16:00")
    assert (await desk.view(handle)).answered is False, "the agent is to call (R34)"
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.until("2026-09-30 10:00")
    called = {"reached": True, "running": True, "satisfied": False, "words": "well, all right"}
    await desk.do(handle, ActionName.RECORD_CALLBACK, CLERK, **called)
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.complaints) == (Outcome.SOLVED, ())
    assert await desk.ledger(handle) == {
        "response.1": ("2026-09-29 12:00", "kept"),
        "verification.1": ("2026-09-30 18:00", "kept"),
        "resolution.1": ("2026-10-09 18:00", "kept"),
        "reply.1": ("2026-09-30 10:00", "kept"),
        "callback.1": ("2026-09-30 18:00", "kept"),
        "evaluation.1": ("2026-10-07 10:00", "withdrawn"),
    }
    told = await desk.told(handle)
    assert sorted(told[:3]) == [
        ("2026-09-29 10:00", "customer", "registered"),
        ("2026-09-29 10:00", by.id, "assigned"),
        ("2026-09-29 10:00", "tian.hui", "complaint_received"),
    ]
    assert sorted(told[3:]) == [
        ("2026-09-29 10:00", "customer", "accepted"),
        ("2026-09-29 11:00", "customer", "verified"),
        ("2026-09-29 15:00", "07", "call_with_result"),
        ("2026-09-29 16:00", "customer", "told_by_call"),
        ("2026-09-30 10:00", "customer", "thanks"),
        ("2026-09-30 10:00", "tan.rui", "dissatisfied"),
    ]
    assert "深表歉意" in await said(desk, handle, "registered", "customer")
    assert "came an hour late" in await said(desk, handle, "verified", "customer")
    assert await form(desk, handle, "complaint_forms") == {
        "against": "customer_service",
        "received_by": "07",
        "apologised_at": "2026-09-29 10:00",
        "verified_by": by.id,
        "verified_at": "2026-09-29 11:00",
        "verdict": "general",
        "findings": "came an hour late",
        "handled_by": by.id,
        "result": "card reader replaced",
        "result_at": "2026-09-29 15:00",
        "told_at": "2026-09-29 16:00",
        "called_at": "2026-09-30 10:00",
        "satisfied": False,
        "archived_at": "2026-09-30 10:00",
    }


async def test_a_major_complaint_is_taken_by_the_lead_who_has_half_an_hour(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk)
    await desk.until("2026-09-29 11:00")
    verdict = {"verdict": "major", "findings": "the third time"}
    view = await desk.do(handle, ActionName.VERIFY, by, **verdict)
    assert (view.stage, view.severity, view.escalation_level) == (
        Stage.ASSIGNED,
        Severity.MAJOR,
        1,
    )
    assert engineer(view).id == THE_LEAD.id
    assert await desk.told(handle, "2026-09-29 10:59") == [
        ("2026-09-29 11:00", "tan.rui", "taken"),
        ("2026-09-29 11:00", "customer", "verified"),
    ]
    assert (await desk.ledger(handle))["response.1.2"] == ("2026-09-29 11:30", "open")
    await desk.until("2026-09-29 11:31")
    told = await desk.told(handle, "2026-09-29 11:01")
    assert ("2026-09-29 11:30", "customer", "apology") in told
    assert {who for _, who, _ in told} == {"customer", THE_LEAD.id, LI.id}
    assert ("2026-09-29 11:30", LI.id, "contact_wanted") in told
    assert (await desk.ledger(handle))["contact.1"] == ("2026-09-29 12:00", "open")
    await desk.do(handle, ActionName.CHASE, LI, asks="when will you be there?")
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.do(handle, ActionName.ACCEPT, THE_LEAD)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.RESOLVE, by, result="done")
    assert refusal(refused.value).type == "NotYours"
    await desk.do(handle, ActionName.RESOLVE, THE_LEAD, result="went there and apologised")
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    assert (await desk.ended(handle)).outcome is Outcome.SOLVED
    ledger = await desk.ledger(handle)
    assert (ledger["response.1"][1], ledger["response.1.2"][1]) == ("kept", "broken")
    assert (ledger["contact.1"][1], ledger["reply.1"][1]) == ("kept", "kept")
    filed = await form(desk, handle, "complaint_forms")
    assert (filed["verdict"], filed["verified_by"], filed["handled_by"]) == (
        "major",
        by.id,
        THE_LEAD.id,
    )


async def test_an_unfounded_complaint_is_explained_called_back_and_archived(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk)
    findings = "the engineer was there in time"
    view = await desk.do(handle, ActionName.VERIFY, by, verdict="unfounded", findings=findings)
    await desk.settle()
    assert (view.stage, (await desk.view(handle)).answered) == (Stage.RESOLVED, False)
    assert findings in await said(desk, handle, "call_with_result", "07")
    view = await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    assert (view.stage, view.answered) == (Stage.REPLIED, True)
    assert (await desk.ledger(handle))["callback.1"] == ("2026-09-30 18:00", "open")
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    ended = await desk.ended(handle)
    assert ended.outcome is Outcome.UNFOUNDED
    assert set(stand(ended).values()) == {"kept"}
    assert "evaluation.1" not in stand(ended)
    filed = await form(desk, handle, "complaint_forms")
    assert (filed["told_at"], filed["called_at"], filed["archived_at"]) == (
        "2026-09-29 10:00",
        "2026-09-30 10:00",
        "2026-09-30 10:00",
    )
    assert "result" not in filed


async def test_what_is_not_ours_to_solve_is_over_with_the_agents_call(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk, category="out_of_scope")
    verdict = {"verdict": "general", "findings": "the bank is to say"}
    view = await desk.do(handle, ActionName.VERIFY, by, **verdict)
    await desk.resolve(handle, view)
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.answered) == (Outcome.OUT_OF_SCOPE, True)
    assert (await desk.told(handle))[-1][1:] == ("customer", "told_by_call")


async def test_a_customer_who_insists_has_the_complaint_looked_into_again(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk)
    await desk.do(handle, ActionName.VERIFY, by, verdict="unfounded", findings="was in time")
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.until("2026-09-30 10:00")
    view = await desk.callback(handle, running=False)
    assert (view.stage, view.severity, view.reopen_count) == (Stage.ASSIGNED, Severity.MAJOR, 1)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.until("2026-10-08 10:00")
    await desk.callback(handle, running=True)
    assert (await desk.ended(handle)).outcome is Outcome.SOLVED


async def test_there_is_no_result_before_the_complaint_was_looked_into(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(kind="complaint", category="service")
    await desk.settle()
    before = await counted(desk)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.resolve(handle, view)
    assert refusal(refused.value).type == "NotAllowed"
    assert "the verification comes first" in refusal(refused.value).message
    assert await counted(desk) == before
    await desk.accept(handle, view)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.resolve(handle, view)
    assert "resolve is not possible while" in refusal(refused.value).message
    verdict = {"verdict": "general", "findings": "true"}
    await desk.do(handle, ActionName.VERIFY, engineer(view), **verdict)
    await desk.resolve(handle, view)


# --- The GM office (R20) -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "when"), [("general", "2026-09-30 09:00"), ("major", "2026-09-29 20:30")]
)
async def test_the_gm_office_hears_of_a_complaint_when_it_opens_and_of_a_major_one_at_once(
    begin: Begin, severity: str, when: str
) -> None:
    desk = await begin("2026-09-29 20:30", whole=True)
    handle, view = await desk.open(kind="complaint", category="service", severity=severity)
    assert view.stage is Stage.ASSIGNED, "the complaint line is open day and night"
    await desk.until("2026-09-30 09:01")
    assert await brought(desk, handle, "complaint_received") == [(when, "tian.hui")]


# --- Born of what a customer says (R21, R24) -----------------------------------------------------


async def called_back(desk: StoryDesk) -> Handle:
    """A fault that was repaired yesterday: its customer is called now."""
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-09-30 10:00")
    return handle


async def conflict(desk: StoryDesk, **said: Any) -> RecordCallback:
    words = {"words": "he was rude", "conflict": True, "reached": True, "running": True}
    return RecordCallback.model_validate({"by": CLERK, "at": await desk.minute()} | words | said)


async def born(desk: StoryDesk, parent: Handle) -> list[dict[str, Any]]:
    rows = await desk.pool.fetch("SELECT * FROM issues WHERE arises_from = $1", parent.id)
    return [dict(row) for row in rows]


async def test_a_conflict_in_a_callback_becomes_one_linked_complaint(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await called_back(desk)
    act = await conflict(desk)
    for _ in range(2):  # the clerk's tool did not wait for the answer, and sent it again
        await desk.act(handle, ActionName.RECORD_CALLBACK, act, update_id="call-1")
    await desk.until("2026-09-30 10:05")
    (child,) = await born(desk, handle)
    assert (child["kind"], child["category"], child["severity"]) == (
        "complaint",
        "service",
        "major",
    )
    assert (child["description"], child["source"]) == ("he was rude", "desk")
    parent = await desk.view(handle)
    assert (parent.stage, parent.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert parent.complaints == (child["number"],)
    shown = await issue_reader.issue(desk.pool, child["number"])
    assert shown is not None
    assert shown.arises_from == handle.id
    assert (await desk.told(handle, "2026-09-30 09:59"))[0] == (
        "2026-09-30 10:00",
        "zhou.jianguo",
        "conflict",
    )
    other = desk.env.client.get_workflow_handle(child["id"])
    (number,) = {row["number"] for row in await desk.pool.fetch("SELECT number FROM issues")} - {
        child["number"]
    }
    assert number in await said(desk, other, "complaint_received", "tian.hui")
    assert (await form(desk, other, "complaint_forms"))["against"] == "customer_service"
    assert (await form(desk, handle, "callback_records"))["conflict"] is True
    await desk.ended(handle)
    assert (await desk.steps(handle)).count("complaint_raised") == 1
    assert len(await born(desk, handle)) == 1


async def test_a_conflict_over_a_repair_that_failed_does_both(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await called_back(desk)
    act = await conflict(desk, running=False)
    view = await desk.act(handle, ActionName.RECORD_CALLBACK, act)
    assert (view.stage, view.severity) == (Stage.ASSIGNED, Severity.MAJOR)
    await desk.until("2026-09-30 10:05")
    assert len(await born(desk, handle)) == 1
    assert (await desk.view(handle)).complaints
    await desk.accept(handle, view)


@pytest.mark.parametrize(("lowest", "complaints"), [(-1, 1), (0, 0)])
async def test_a_score_below_zero_becomes_a_linked_complaint(
    begin: Begin, lowest: int, complaints: int
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await called_back(desk)
    await desk.callback(handle, running=True)
    scores = {"item": "after_sales", "technical": 120, "attitude": lowest, "comment": "rude"}
    act = Evaluate.model_validate({"by": CUSTOMER, "at": await desk.minute()} | scores)
    await asyncio.gather(
        *(desk.act(handle, ActionName.EVALUATE, act, update_id="score-1") for _ in range(2))
    )
    await desk.until("2026-09-30 10:05")
    found = await born(desk, handle)
    assert [child["severity"] for child in found] == ["general"] * complaints
    assert [child["description"] for child in found] == ["rude"] * complaints
    ended = await desk.ended(handle)
    assert ended.complaints == tuple(child["number"] for child in found)
    assert (ended.outcome, stand(ended)["evaluation.1"]) == (Outcome.SOLVED, "kept")
    assert len(await forms(desk, handle, "evaluations")) == 1


async def test_a_complaint_about_a_complaint_is_one_too(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk)
    await desk.do(handle, ActionName.VERIFY, by, verdict="unfounded", findings="was in time")
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.until("2026-09-30 10:00")
    view = await desk.act(handle, ActionName.RECORD_CALLBACK, await conflict(desk))
    assert view.outcome is Outcome.UNFOUNDED
    ended = await desk.ended(handle)
    (child,) = await born(desk, handle)
    assert ended.complaints == (child["number"],)


async def no_longer_served(desk: StoryDesk, region: str) -> None:
    """Leave a region out of the roster."""
    current = read_roster(ROOT / "examples" / "roster")
    centres = tuple(
        centre.model_copy(update={"regions": tuple(r for r in centre.regions if r != region)})
        for centre in current.centres
    )
    async with desk.pool.acquire() as connection, connection.transaction():
        await roster.replace(connection, current.model_copy(update={"centres": centres}))


async def test_a_complaint_that_cannot_be_registered_is_the_gm_offices_to_see_to(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await called_back(desk)
    await no_longer_served(desk, "广东")
    await desk.act(handle, ActionName.RECORD_CALLBACK, await conflict(desk))
    await desk.until("2026-09-30 10:05")
    assert await born(desk, handle) == []
    assert (await desk.told(handle))[-1][1:] == ("tian.hui", "complaint_failed")
    words = await said(desk, handle, "complaint_failed", "tian.hui")
    assert "no service centre serves 广东" in words
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.complaints) == (Outcome.SOLVED, ())
    assert (await desk.steps(handle)).count("complaint_raised") == 1
    await desk.passes(timedelta(days=1))  # whatever was begun of it has given up


# --- What makes up for it (R42) -------------------------------------------------------------------


async def test_r42_a_complaint_is_closed_when_the_remedy_that_was_agreed_is_given(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await complaint(desk)
    await desk.do(handle, ActionName.VERIFY, by, verdict="general", findings="came an hour late")
    remedy = {"remedy": "money", "what": "the fare", "amount": "300.00", "reason": "twice late"}
    await desk.do(handle, ActionName.PROPOSE_REMEDY, by, **remedy)
    await desk.until("2026-09-29 15:00")
    view = await desk.do(handle, ActionName.DECIDE_REMEDY, MANAGER, approved=True)
    await desk.resolve(handle, view)
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **EXPLAINED)
    await desk.until("2026-09-30 10:00")
    called = {"reached": True, "running": True, "satisfied": True}
    view = await desk.do(handle, ActionName.RECORD_CALLBACK, CLERK, **called)
    assert (view.stage, view.outcome) == (Stage.REPLIED, None)
    await desk.until("2026-09-30 16:00")
    given = {"accepted": True, "receipt": "receipt 0017, signed"}
    view = await desk.do(handle, ActionName.RECORD_REMEDY, by, **given)
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    ledger = await desk.ledger(handle)
    assert ledger["remedy_approval.1"] == ("2026-09-30 18:00", "kept")
    assert ledger["remedy.1"][1] == "kept"
    assert "人民币 300.00 元" in await said(desk, handle, "remedy_agreed", "customer")
    row = await form(desk, handle, "remedies")
    assert (row["approved"], row["decided_by"], row["receipt"]) == (
        True,
        MANAGER.id,
        "receipt 0017, signed",
    )
