"""Handling: passed on to another department, experts asked, the customer waited for, relieved at
the end of a shift, and a core group that has nobody left on stand-by (R15, R16).
"""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName
from domain.vocabulary import Actor, Outcome, Role, Stage
from tests.support.harness import AGENT, LEAD, Handle, StoryDesk, engineer, refusal, stand
from tests.support.registers import brought, counted, form, forms, said, versions
from tests.workflows.conftest import Begin


async def accepted(desk: StoryDesk, **intake: object) -> tuple[Handle, Actor]:
    """An issue that somebody works on, and who that is."""
    handle, view = await desk.open(**intake)
    await desk.accept(handle, view)
    return handle, engineer(view)


# --- Passed on (R15) -----------------------------------------------------------------------------


async def test_another_department_gets_the_form_and_the_clocks_run_on(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    promised = await desk.ledger(handle)
    await desk.until("2026-09-29 14:00")
    to = {"to": "software_development", "reason": "a defect of the firmware"}
    view = await desk.do(handle, ActionName.TRANSFER, by, **to)
    assert (view.stage, view.department, engineer(view).id) == (
        Stage.ASSIGNED,
        "software_development",
        "gao.yuan",
    )
    assert view.lead is not None
    assert view.lead.id == "xie.dong"
    assert await desk.ledger(handle) == promised
    assert sorted(await desk.told(handle, "2026-09-29 13:59")) == [
        ("2026-09-29 14:00", "customer", "transferred"),
        ("2026-09-29 14:00", "gao.yuan", "assigned"),
        ("2026-09-29 14:00", "xie.dong", "transferred_staff"),
    ]
    assert "软件开发部" in await said(desk, handle, "transferred", "customer")
    travelling = await form(desk, handle, "handling_forms")
    assert (travelling["department"], travelling["engineer"]) == (
        "software_development",
        "gao.yuan",
    )
    assert travelling["handed_over_at"] == "2026-09-29 10:00"
    (before,) = (v for v in await versions(desk, handle, "handling_forms") if v["accepted_at"])
    assert (before["department"], before["engineer"]) == ("technical_service", "liang.jiahao")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.RESOLVE, by, result="done")
    assert refusal(refused.value).type == "NotYours"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("accounting", "to: accounting is no department of the roster; there are: business_unit, "),
        ("technical_service", "is with technical_service already"),
    ],
)
async def test_only_another_department_of_the_roster_can_be_passed_on_to(
    begin: Begin, to: str, why: str
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    await desk.settle()
    before = await counted(desk)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.TRANSFER, by, to=to, reason="theirs")
    assert refusal(refused.value).type == "Invalid"
    assert why in refusal(refused.value).message
    assert await counted(desk) == before
    view = await desk.view(handle)
    assert (view.department, view.stage) == ("technical_service", Stage.IN_PROGRESS)
    await desk.resolve(handle, view)


async def test_what_is_passed_on_while_the_customer_is_waited_for_keeps_waiting(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    view = await desk.wait(handle, await desk.view(handle))
    to = {"to": "software_development", "reason": "a defect of the firmware"}
    view = await desk.do(handle, ActionName.TRANSFER, by, **to)
    assert (view.stage, engineer(view).id) == (Stage.WAITING, "gao.yuan")
    await desk.until("2026-09-30 10:00")
    view = await desk.resume(handle, view)
    assert view.stage is Stage.IN_PROGRESS
    assert (await desk.ledger(handle))["resolution.1"] == ("2026-10-10 18:00", "open")


# --- Experts (R15) -------------------------------------------------------------------------------


async def test_experts_are_asked_and_their_advice_is_written_down(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    asked = {"question": "is the board gone?", "experts": ["ye.zihan", "deng.wei"]}
    view = await desk.do(handle, ActionName.CONSULT, by, **asked)
    assert view.stage is Stage.IN_PROGRESS
    assert (await desk.ledger(handle))["panel.1"] == ("2026-09-29 15:30", "open")
    assert sorted(await desk.told(handle))[-3:] == [
        ("2026-09-29 10:00", "liang.jiahao", "assigned"),
        ("2026-09-29 10:00", "ye.zihan", "panel_asked"),
        ("2026-09-29 10:00", "zhou.jianguo", "panel_asked"),
    ]
    assert "is the board gone?" in await said(desk, handle, "panel_asked", "deng.wei")
    await desk.until("2026-09-29 11:00")
    expert = Actor(id="ye.zihan", role=Role.ENGINEER)
    await desk.do(handle, ActionName.CONSULT, expert, advice="change the board")
    assert await desk.told(handle, "2026-09-29 10:59") == [
        ("2026-09-29 11:00", "liang.jiahao", "panel_advised")
    ]
    assert await form(desk, handle, "expert_panels") == {
        "panel": 1,
        "asked_by": "liang.jiahao",
        "asked_at": "2026-09-29 10:00",
        "question": "is the board gone?",
        "experts": ["ye.zihan", "deng.wei"],
        "advised_by": "ye.zihan",
        "advised_at": "2026-09-29 11:00",
        "advice": "change the board",
    }
    await desk.do(handle, ActionName.CONSULT, by, question="and the cable?")
    second = (await forms(desk, handle, "expert_panels"))[1]
    assert (second["panel"], second["experts"]) == (2, [])
    ledger = await desk.ledger(handle)
    assert (ledger["panel.1"][1], ledger["panel.1.2"]) == ("kept", ("2026-09-29 16:30", "open"))
    assert (await desk.resolve(handle, view)).stage is Stage.RESOLVED
    assert (await desk.ledger(handle))["panel.1.2"][1] == "withdrawn"


async def test_of_a_panel_that_is_overdue_the_lead_hears_and_then_the_manager(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    await desk.do(handle, ActionName.CONSULT, by, question="is the board gone?")
    await desk.until("2026-09-29 16:00")
    assert sorted(await desk.told(handle, "2026-09-29 10:01")) == [
        ("2026-09-29 14:30", "zhou.jianguo", "warning"),
        ("2026-09-29 15:30", "sun.li", "alarm"),
        ("2026-09-29 15:30", "zhou.jianguo", "alarm"),
    ]
    await desk.do(handle, ActionName.CONSULT, LEAD, advice="change it")
    assert (await desk.ledger(handle))["panel.1"] == ("2026-09-29 15:30", "broken")


async def test_a_panel_is_asked_by_its_handler_once_at_a_time_of_people_we_have(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    await desk.settle()
    before = await counted(desk)
    other = Actor(id="hu.bin", role=Role.ENGINEER)
    question = {"question": "is the board gone?"}
    for who, what, type_, why in (
        (by, question | {"experts": ["dr.who"]}, "Invalid", "experts: dr.who is not on the roster"),
        (by, {"advice": "change it"}, "NotAllowed", "no panel is asked"),
        (other, question, "NotYours", "its handler asks a panel"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.do(handle, ActionName.CONSULT, who, **what)
        assert refusal(refused.value).type == type_
        assert why in refusal(refused.value).message
    assert await counted(desk) == before
    await desk.do(handle, ActionName.CONSULT, by, **question)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.do(handle, ActionName.CONSULT, by, **question)
    assert "its advice first" in refusal(refused.value).message
    assert len(await forms(desk, handle, "expert_panels")) == 1


# --- Waiting (R15) -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intake", "stage", "promise", "due", "later"),
    [
        (
            {"kind": "paid_service"},
            Stage.SURVEYING,
            "survey.1",
            "2026-10-08 18:00",
            "2026-10-09 18:00",
        ),
        (
            {"kind": "complaint", "category": "service", "region": "深圳"},
            Stage.VERIFYING,
            "verification.1",
            "2026-09-30 20:00",
            "2026-10-01 20:00",
        ),
    ],
)
async def test_what_comes_before_the_work_stands_still_while_the_customer_is_waited_for(
    begin: Begin, intake: dict[str, object], stage: Stage, promise: str, due: str, later: str
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await accepted(desk, **intake)
    view = await desk.view(handle)
    assert (view.stage, (await desk.ledger(handle))[promise]) == (stage, (due, "open"))
    view = await desk.wait(handle, view)
    assert view.stage is Stage.WAITING
    assert {p.key for p in view.promises if p.paused} >= {promise}
    await desk.until("2026-09-30 10:00")
    view = await desk.resume(handle, view)
    assert (view.stage, (await desk.ledger(handle))[promise]) == (stage, (later, "open"))


async def test_whoever_waits_for_the_customer_is_not_forgotten(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await accepted(desk)
    view = await desk.wait(handle, await desk.view(handle))
    assert (await desk.ledger(handle))["waiting.1"] == ("2026-10-12 18:00", "open")
    await desk.until("2026-11-09 18:01")
    view = await desk.view(handle)
    assert (view.stage, view.escalation_level) == (Stage.WAITING, 0)
    assert sorted(await desk.told(handle, "2026-09-29 10:01")) == [
        ("2026-10-12 18:00", "customer", "waiting_reminder"),
        ("2026-10-12 18:00", "liang.jiahao", "still_waiting"),
        ("2026-10-19 18:00", "liang.jiahao", "still_waiting"),
        ("2026-10-19 18:00", "zhou.jianguo", "still_waiting"),
        ("2026-11-09 18:00", "zhou.jianguo", "still_waiting"),
    ]
    view = await desk.resume(handle, view)
    assert stand(view)["waiting.1"] == "kept", "a customer breaks no promise"
    assert (await desk.resolve(handle, view)).sla_state != "missed"


# --- Relief at the end of a shift (R16) ----------------------------------------------------------


async def test_a_major_fault_changes_hands_whenever_a_shift_ends_but_not_over_lunch(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk, severity="major")
    await desk.until("2026-09-29 12:30")
    assert engineer(await desk.view(handle)) == by
    await desk.until("2026-09-29 18:01")
    assert engineer(await desk.view(handle)).id == "chen.zhiqiang"
    await desk.until("2026-09-29 20:01")
    view = await desk.view(handle)
    assert (engineer(view).id, view.stage) == ("deng.wei", Stage.IN_PROGRESS)
    assert await desk.told(handle, "2026-09-29 10:01") == [
        ("2026-09-29 18:00", "chen.zhiqiang", "relieved"),
        ("2026-09-29 20:00", "deng.wei", "relieved"),
    ]
    ledger = await desk.ledger(handle)
    assert ledger["resolution.1"] == ("2026-10-09 18:00", "open")
    view = await desk.resolve(handle, view)
    told = {"reached": True, "told": "it runs again"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, **told)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    assert (await desk.ended(handle)).outcome is Outcome.SOLVED


async def test_whoever_has_a_major_issue_keeps_it_while_nobody_is_on_duty(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk, severity="major", category="out_of_scope")
    await desk.until("2026-09-29 18:01")
    view = await desk.view(handle)
    assert (engineer(view), view.stage) == (by, Stage.IN_PROGRESS)
    assert (await desk.steps(handle))[-1] == "assign"
    await desk.until("2026-09-30 09:01")
    assert engineer(await desk.view(handle)) == by
    assert "relieved" not in {wording for _, _, wording in await desk.told(handle)}


async def test_a_general_fault_stays_with_its_handler_overnight(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, by = await accepted(desk)
    await desk.until("2026-09-30 09:30")
    assert engineer(await desk.view(handle)) == by
    assert await desk.steps(handle) == ["registered", "accept"]


# --- Stand-by (R16) ------------------------------------------------------------------------------


async def test_the_manager_hears_once_a_day_that_a_core_group_has_nobody_on_stand_by(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    first, _ = await desk.open()
    second, _ = await desk.open(product_line="VEHICLE")
    third, _ = await desk.open(product_line="SECURITY")
    await desk.settle()
    thin = [await brought(desk, each, "thin") for each in (first, second, third)]
    assert thin == [[], [("2026-09-29 10:00", "sun.li")], []]
    assert "技术服务部 · 广州维修中心（总部）" in await said(desk, second, "thin", "sun.li")
    await desk.until("2026-09-30 10:00")
    fourth, view = await desk.open(product_line="SECURITY")
    await desk.settle()
    assert engineer(view).id == "huang.minyi"
    assert await brought(desk, fourth, "thin") == [("2026-09-30 10:00", "sun.li")]
    assert stand(view)["response.1"] == "open"


async def test_a_group_that_has_somebody_on_stand_by_is_not_thin(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    for _ in range(2):  # both are for the same one; the other of the two on duty is free
        handle, view = await desk.open(region="广西")
        await desk.settle()
        assert engineer(view).id in {"liang.jiahao", "chen.zhiqiang"}
        assert await brought(desk, handle, "thin") == []
