"""At the hotline: answered at once, tried by the customer, passed on (R4, R8-R10, R14, R29)."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName
from domain.knowledge.cases import Change, Draft, Ruling
from domain.vocabulary import Actor, Outcome, Role, Stage
from store import callbacks, cases
from tests.support.harness import (
    AGENT,
    CUSTOMER,
    LEAD,
    MANAGER,
    Handle,
    StoryDesk,
    engineer,
    refusal,
    stand,
    traces,
)
from tests.support.registers import counted, form, forms, said
from tests.workflows.conftest import Begin

SOLUTION = "hold the reset button for five seconds"


async def answered(desk: StoryDesk, kind: str = "consultation", **how: object) -> Handle:
    """An issue that the hotline has just answered."""
    handle, view = await desk.open(answering=True, kind=kind)
    assert (view.stage, view.engineer, view.answered) == (Stage.REGISTERED, None, False)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution=SOLUTION, **how)
    return handle


# --- Answered (R8) and tried (R9) ----------------------------------------------------------------


async def test_what_the_agent_knows_is_answered_on_the_line_and_nobody_is_sent(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await answered(desk)
    view = await desk.view(handle)
    assert (view.answered, view.first_contact, view.engineer) == (True, True, None)
    await desk.until("2026-09-29 15:00")
    assert (await desk.view(handle)).stage is Stage.REPLIED
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True, words="it runs")
    assert (view.stage, view.outcome, view.results) == (
        Stage.CLOSED,
        Outcome.SOLVED,
        (SOLUTION,),
    )
    await desk.ended(handle)
    assert await desk.ledger(handle) == {
        "hand_over.1": ("2026-09-29 12:00", "kept"),
        "response.1": ("2026-09-29 12:00", "kept"),
        "resolution.1": ("2026-10-09 18:00", "kept"),
        "customer_test.1": ("2026-09-30 10:00", "kept"),
        "evaluation.1": ("2026-10-06 15:00", "withdrawn"),
    }
    assert await desk.told(handle) == [
        ("2026-09-29 10:00", "customer", "registered"),
        ("2026-09-29 10:00", "customer", "answered"),
        ("2026-09-29 15:00", "customer", "thanks"),
    ]
    assert await form(desk, handle, "consultation_records") == {
        "generation": 1,
        "agent": AGENT.id,
        "answered_at": "2026-09-29 10:00",
        "question": "ATM does not dispense",
        "answer": SOLUTION,
        "on_the_line": True,
        "to_be_tested": True,
        "worked": True,
        "tested_at": "2026-09-29 15:00",
        "words": "it runs",
    }
    assert await forms(desk, handle, "handling_forms") == []


async def test_an_answer_that_needs_no_test_closes_the_issue_at_once(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await answered(desk, test=False)
    await desk.settle()
    view = await desk.view(handle)
    assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert "customer_test.1" not in await desk.ledger(handle)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=1)
    assert "nothing to rate" in refusal(refused.value).message


async def test_r22_a_fault_solved_on_the_line_is_called_back_the_next_day_and_rated(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await answered(desk, kind="fault")
    await desk.until("2026-09-29 15:00")
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    assert (view.stage, stand(view)["callback.1"]) == (Stage.REPLIED, "open")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.callback(handle, running=True)
    assert "nobody is called twice" in refusal(refused.value).message
    until = await desk.pool.fetchval("SELECT max(due_at) FROM promises WHERE kind = 'callback'")
    (call,) = await callbacks.todays(
        desk.pool, until + timedelta(days=1), ZoneInfo("Asia/Shanghai")
    )
    assert [case.handler and case.handler.id for case in call.cases] == ["07"]
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    view = await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2)
    assert (await desk.view(handle)).outcome is Outcome.SOLVED
    assert (await form(desk, handle, "difficulty_ratings"))["engineer"] == "07"
    ledger = await desk.ledger(handle)
    assert (ledger["callback.1"][1], ledger["difficulty.1"][1]) == ("kept", "kept")


async def test_silence_for_a_day_counts_as_solved(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await answered(desk)
    await desk.until("2026-09-30 09:59")
    assert (await desk.view(handle)).stage is Stage.REPLIED
    await desk.until("2026-09-30 10:00")
    view = await desk.view(handle)
    assert (view.outcome, stand(view)["customer_test.1"]) == (Outcome.SOLVED, "withdrawn")
    record = await form(desk, handle, "consultation_records")
    assert "worked" not in record, "nobody said so"
    await desk.ended(handle)


async def test_an_answer_that_did_not_work_is_dispatched_with_new_clocks(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await answered(desk)
    await desk.until("2026-09-29 15:00")
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="still dead")
    assert (view.stage, view.answered, view.first_contact) == (Stage.ASSIGNED, False, False)
    assert (view.reopen_count, view.severity) == (1, "general")
    assert await desk.told(handle, "2026-09-29 14:59") == [
        ("2026-09-29 15:00", "bai.xuefei", "assigned"),
        ("2026-09-29 15:00", "customer", "dispatched"),
    ]
    await desk.accept(handle, view)
    view = await desk.resolve(handle, view)
    assert view.results == (SOLUTION, "card reader replaced")
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    assert (await desk.ended(handle)).outcome is Outcome.SOLVED
    ledger = await desk.ledger(handle)
    assert (ledger["response.2"], ledger["resolution.2"]) == (
        ("2026-09-29 17:00", "kept"),
        ("2026-10-09 18:00", "kept"),
    )
    record, _ = await forms(desk, handle, "consultation_records")  # and what was passed on
    assert (record["answer"], record["worked"], record["words"]) == (SOLUTION, False, "still dead")
    assert (await form(desk, handle, "handling_forms"))["generation"] == 2


async def test_an_answer_in_writing_counts_when_it_arrived(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await answered(desk, on_the_line=False)
    assert (await desk.view(handle)).answered is False
    await desk.settle()
    view = await desk.view(handle)
    assert (view.stage, view.answered) == (Stage.REPLIED, True)
    assert SOLUTION in await said(desk, handle, "answered", "customer")


async def test_an_answer_that_no_channel_takes_counts_when_somebody_is_to_bring_it(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    desk.mailbox.dead.add("sms")
    handle = await answered(desk, on_the_line=False)
    await desk.until("2026-09-30 09:00")
    view = await desk.view(handle)
    assert (view.stage, view.answered) == (Stage.RESOLVED, False)
    await desk.until("2026-09-30 10:00")  # a day of trying, and of silence
    view = await desk.view(handle)
    assert (view.answered, view.outcome) == (True, Outcome.SOLVED)
    handed = await desk.pool.fetch(
        "SELECT template, handed_to FROM outbox WHERE issue_id = $1 AND status = 'handed_over'",
        handle.id,
    )
    assert ("answered", "long.yuchen") in {tuple(row) for row in handed}
    desk.mailbox.dead.clear()
    await desk.ended(handle)


# --- Passed on (R10) -----------------------------------------------------------------------------


async def test_what_the_agent_passes_on_keeps_the_hand_over_and_the_clocks(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await desk.open(answering=True)
    promised = await desk.ledger(handle)
    await desk.until("2026-09-29 11:00")
    view = await desk.do(handle, ActionName.REASSIGN, AGENT, reason="needs an engineer")
    assert (view.stage, engineer(view).id) == (Stage.ASSIGNED, "liang.jiahao")
    assert await desk.ledger(handle) == promised | {"hand_over.1": ("2026-09-29 12:00", "kept")}
    assert sorted(await desk.told(handle, "2026-09-29 10:59")) == [
        ("2026-09-29 11:00", "customer", "transferred"),
        ("2026-09-29 11:00", "liang.jiahao", "assigned"),
    ]
    assert (await form(desk, handle, "handling_forms"))["engineer"] == "liang.jiahao"


async def test_the_agent_may_pass_it_on_to_another_department(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await desk.open(answering=True)
    view = await desk.do(
        handle, ActionName.TRANSFER, AGENT, to="software_development", reason="its firmware"
    )
    assert (view.department, engineer(view).id) == ("software_development", "gao.yuan")
    assert stand(view)["hand_over.1"] == "kept"


async def test_what_the_agent_neither_answers_nor_passes_on_the_desk_passes_on(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(answering=True, kind="suggestion")
    await desk.until("2026-09-29 11:59")
    view = await desk.view(handle)
    assert (view.stage, view.engineer) == (Stage.REGISTERED, None)
    assert ("2026-09-29 11:30", "07", "reminder") in await desk.told(handle)
    await desk.until("2026-09-29 12:00")
    view = await desk.view(handle)
    assert (view.stage, stand(view)["hand_over.1"]) == (Stage.ASSIGNED, "broken")
    told = await desk.told(handle, "2026-09-29 11:59")
    assert ("2026-09-29 12:00", "07", "overdue") in told
    assert ("2026-09-29 12:00", engineer(view).id, "assigned") in told
    assert ("2026-09-29 12:00", "customer", "transferred") in told


async def test_a_major_fault_stays_with_the_hotline_for_half_an_hour(begin: Begin) -> None:
    desk = await begin("2026-09-29 19:00", whole=True)
    handle, _ = await desk.open(answering=True, severity="major")
    assert (await desk.ledger(handle))["hand_over.1"] == ("2026-09-29 19:30", "open")
    await desk.until("2026-09-29 19:30")
    assert (await desk.view(handle)).stage is Stage.ASSIGNED


async def test_a_complaint_is_never_held_by_the_hotline(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(answering=True, kind="complaint", category="service")
    assert view.stage is Stage.ASSIGNED
    assert "hand_over.1" not in await desk.ledger(handle)


async def test_of_a_complex_matter_the_lead_hears_at_once(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(complex=True)
    assert view.escalation_level == 1
    assert sorted(await desk.told(handle)) == [
        ("2026-09-29 10:00", "customer", "registered"),
        ("2026-09-29 10:00", "liang.jiahao", "assigned"),
        ("2026-09-29 10:00", "zhou.jianguo", "complex"),
    ]


# --- Known cases (R29) ---------------------------------------------------------------------------


async def propose(desk: StoryDesk) -> str:
    draft = Draft(
        title="card reader jams",
        question="the card does not come out",
        solution=SOLUTION,
        proposed_by="liang.jiahao",
        proposed_at=await desk.minute(),
    )
    async with desk.pool.acquire() as connection, connection.transaction():
        return await cases.propose(connection, draft)


async def approve(desk: StoryDesk, number: str) -> None:
    ruling = Ruling(change=Change.APPROVE, by=LEAD, at=await desk.minute())
    async with desk.pool.acquire() as connection, connection.transaction():
        assert await cases.rule(connection, number, ruling)


async def test_only_an_approved_case_is_told_and_its_use_is_counted(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    number = await propose(desk)
    handle, _ = await desk.open(answering=True)
    before = await counted(desk)
    for unknown in (number, "C-9999"):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.do(handle, ActionName.ANSWER, AGENT, solution=SOLUTION, case=unknown)
        assert refusal(refused.value).type == "Invalid"
        assert f"case: {unknown} is no approved case" in refusal(refused.value).message
    assert await counted(desk) == before
    assert (await desk.view(handle)).stage is Stage.REGISTERED

    await approve(desk, number)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution=SOLUTION, case=number)
    assert (await form(desk, handle, "consultation_records"))["known_case"] == number
    known = await cases.get(desk.pool, number)
    assert known is not None
    assert (known.used, known.last_used_at) == (1, await desk.minute())


# --- Told (R4, R14) and routed (R4) --------------------------------------------------------------


async def test_what_is_not_ours_to_solve_is_answered_and_not_called_back(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(category="out_of_scope", title="lawsuit over a lease")
    assert (view.department, engineer(view).id) == ("legal", "jin.lan")
    assert "由法务部负责，我们已为您转交" in await said(desk, handle, "registered", "customer")
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    ended = await desk.ended(handle)
    assert (ended.outcome, ended.answered) == (Outcome.OUT_OF_SCOPE, True)
    assert {key: how for key, (_, how) in (await desk.ledger(handle)).items()} == {
        "response.1": "kept",
        "resolution.1": "kept",
    }
    assert (await desk.told(handle))[-2:] == [
        ("2026-09-29 10:00", "customer", "resolved"),
        ("2026-09-29 10:00", "07", "result_back"),
    ]


async def test_the_customer_is_told_the_time_that_the_handler_expects(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open()
    first = await desk.minute() + timedelta(hours=5)
    await desk.do(handle, ActionName.ACCEPT, engineer(view), expected_at=first)
    told = await said(desk, handle, "accepted", "customer")
    assert f"{first.astimezone(ZoneInfo(view.zone)):%H:%M}前处理完成" in told
    await desk.until("2026-09-29 14:00")
    later = await desk.minute() + timedelta(days=1)
    note, told = "their guard lost the key", "the spare part is on its way"
    progress = {"note": note, "told": told, "expected_at": later}
    await desk.do(handle, ActionName.REPORT_PROGRESS, engineer(view), **progress)
    words = await said(desk, handle, "progress", "customer")
    assert f"{later.astimezone(ZoneInfo(view.zone)):%H:%M}前处理完成" in words
    assert told in words
    assert note not in words, "that is for colleagues"
    assert (await form(desk, handle, "handling_forms"))["expected_at"] == "2026-09-30 14:00"


@pytest.mark.parametrize(
    ("intake", "customer", "department", "who"),
    [
        ({"kind": "sales", "category": "commerce"}, {}, "customer_success", "bai.xuefei"),
        ({"kind": "sales", "category": "commerce"}, {"existing": False}, "sales", "ding.yi"),
        (
            {"kind": "sales", "category": "technical"},
            {"existing": False, "type": "individual"},
            "sales",
            "ding.yi",
        ),
        (
            {"kind": "sales", "category": "commerce"},
            {"type": "individual"},
            "customer_service",
            "dong.qing",
        ),
        ({"kind": "consultation"}, {}, "customer_success", "bai.xuefei"),
        ({"kind": "consultation"}, {"existing": False}, "sales", "ding.yi"),
        ({"kind": "consultation"}, {"type": "partner"}, "partner_recruitment", "xia.yu"),
        ({"kind": "jobs", "category": "jobs"}, {"type": "individual"}, "human_resources", "yan.li"),
        ({"kind": "training", "category": "training"}, {}, "teaching", "fang.qi"),
        ({"category": "commerce"}, {"existing": False}, "business_unit", "su.mingzhe"),
        ({"category": "software"}, {}, "software_development", "gao.yuan"),
    ],
)
async def test_who_gets_it_depends_on_what_it_is_about_and_on_the_customer(
    begin: Begin,
    intake: dict[str, str],
    customer: dict[str, object],
    department: str,
    who: str,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    known = {"name": "Chen Hong", "phone": "+86 138 0000 0001"}
    handle, view = await desk.open(customer=known | customer, **intake)
    assert (view.department, engineer(view).id) == (department, who)
    assert (await form(desk, handle, "handling_forms"))["department"] == department


async def test_a_customer_may_report_on_a_repair_before_they_are_called(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    assert view.stage is Stage.REPLIED, "they are called all the same (R22)"
    before = await traces(handle)
    stranger = Actor(id="hu.bin", role=Role.ENGINEER)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.REPORT_TEST, stranger, worked=True)
    assert refusal(refused.value).type == "NotYours"
    assert await traces(handle) == before
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="dead again")
    assert (view.reopen_count, view.stage) == (1, Stage.ASSIGNED)
