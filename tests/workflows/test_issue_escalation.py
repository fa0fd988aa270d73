"""Broken promises: who is told, in which order, at which instant, and how high the issue rises
(R11-R13).
"""

from temporalio.client import WorkflowHandle

from domain.issue.actions import ActionName, Escalate
from domain.issue.state import SlaState
from domain.vocabulary import Actor, Outcome, Role, Stage
from tests.support.harness import AGENT, Handle, StoryDesk, stand
from tests.workflows.conftest import Begin
from workflows.search_attributes import ESCALATION_LEVEL, SLA_STATE

ENGINEER, LEAD, MANAGER, GM = "liang.jiahao", "zhou.jianguo", "sun.li", "tian.hui"
LI = "07"
"""The agent who took it in."""
AGENT_LI = Actor(id=LI, role=Role.AGENT)


async def _calls(desk: StoryDesk, handle: Handle) -> None:
    """R13: the agent calls the customer about what is late."""
    told = {"reached": True, "told": "the part comes today; we are sorry"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT_LI, **told)


async def labels(handle: WorkflowHandle[object, object]) -> list[tuple[str, int]]:
    """Every state of promises and level that supervisors could filter by, in order of time."""
    found: list[tuple[str, int]] = []
    known: dict[str, str] = {}
    async for event in handle.fetch_history_events():
        fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes
        if fields.indexed_fields:
            known |= {name: each.data.decode() for name, each in fields.indexed_fields.items()}
            now = (known[SLA_STATE.name].strip('"'), int(known[ESCALATION_LEVEL.name]))
            if found[-1:] != [now]:
                found.append(now)
    return found


async def test_a_response_broken_over_national_day_week_rises_level_by_level(
    begin: Begin,
) -> None:
    desk = await begin("2025-09-30 17:00", whole=True)
    handle, _ = await desk.open()
    seen = {}
    for instant in (
        *("2025-10-08 23:59", "2025-10-09 09:45", "2025-10-09 10:15", "2025-10-09 13:00"),
        "2025-10-10 18:30",
    ):
        await desk.until(instant)
        view = await desk.view(handle)
        seen[instant] = (view.sla_state, view.escalation_level)
    assert seen == {
        "2025-10-08 23:59": (SlaState.ON_TIME, 0),
        "2025-10-09 09:45": (SlaState.AT_RISK, 0),
        "2025-10-09 10:15": (SlaState.OVERDUE, 1),
        "2025-10-09 13:00": (SlaState.OVERDUE, 2),
        "2025-10-10 18:30": (SlaState.OVERDUE, 3),
    }
    assert sorted(await desk.told(handle, "2025-09-30 17:01")) == [
        ("2025-10-09 09:30", ENGINEER, "reminder"),
        ("2025-10-09 10:00", LI, "contact_wanted"),
        ("2025-10-09 10:00", "customer", "apology"),
        ("2025-10-09 10:00", ENGINEER, "overdue"),
        ("2025-10-09 10:00", LEAD, "alarm"),
        ("2025-10-09 11:30", LI, "reminder"),
        ("2025-10-09 12:00", MANAGER, "alarm"),
        ("2025-10-09 13:30", LI, "overdue"),  # nor have they called the customer
        ("2025-10-09 13:30", LEAD, "alarm"),
        ("2025-10-10 18:00", MANAGER, "alarm"),
        ("2025-10-10 18:00", GM, "alarm"),
    ]
    assert await labels(handle) == [
        *(("on_time", 0), ("at_risk", 0), ("overdue", 1), ("overdue", 2), ("overdue", 3))
    ]
    await desk.accept(handle, view)
    assert stand(await desk.view(handle)) == {
        "response.1": "broken",
        "resolution.1": "open",
        "contact.1": "broken",
    }


async def test_a_resolution_broken_on_a_make_up_saturday_rises_level_by_level(
    begin: Begin,
) -> None:
    desk = await begin("2025-09-30 17:00", whole=True)
    handle, view = await desk.open()
    await desk.until("2025-10-09 09:10")
    await desk.accept(handle, view)
    await desk.until("2025-10-13 09:30")
    await desk.do(handle, ActionName.CHASE, AGENT_LI, asks="when will it be done?")
    await _calls(desk, handle)
    await desk.until("2025-10-13 19:00")
    assert await desk.told(handle, "2025-10-09 09:15") == [
        ("2025-10-11 10:37", ENGINEER, "reminder"),
        ("2025-10-11 18:00", LEAD, "alarm"),
        ("2025-10-11 18:00", "customer", "apology"),
        ("2025-10-11 18:00", LI, "contact_wanted"),
        ("2025-10-11 18:00", ENGINEER, "overdue"),
        ("2025-10-13 09:30", ENGINEER, "chased"),
        ("2025-10-13 11:00", MANAGER, "alarm"),
        ("2025-10-13 18:00", GM, "alarm"),
    ]
    view = await desk.view(handle)
    assert (view.sla_state, view.escalation_level) == (SlaState.OVERDUE, 3)
    await desk.resolve(handle, view)
    await desk.until("2025-10-14 10:00")
    view = await desk.callback(handle, running=True)
    assert (view.outcome, view.sla_state) == (Outcome.SOLVED, SlaState.MISSED)
    assert await desk.ledger(handle) == {
        "resolution.1": ("2025-10-11 18:00", "broken"),
        "response.1": ("2025-10-09 10:00", "kept"),
        "contact.1": ("2025-10-13 11:00", "kept"),
        "callback.1": ("2025-10-14 18:00", "kept"),
        "evaluation.1": ("2025-10-21 10:00", "open"),
        "difficulty.1": ("2025-10-21 18:00", "open"),
    }


async def test_a_major_fault_rises_through_the_night(begin: Begin) -> None:
    desk = await begin("2026-02-16 23:00", whole=True)  # in the Spring Festival
    handle, view = await desk.open(severity="major")
    assert view.engineer is not None
    assert view.engineer.id == "deng.wei"
    await desk.until("2026-02-17 02:00")
    assert sorted(await desk.told(handle, "2026-02-16 23:01")) == [
        ("2026-02-16 23:22", "deng.wei", "reminder"),
        ("2026-02-16 23:22", LEAD, "warning"),
        ("2026-02-16 23:30", LI, "contact_wanted"),
        ("2026-02-16 23:30", "customer", "apology"),
        ("2026-02-16 23:30", "deng.wei", "overdue"),
        ("2026-02-16 23:30", LEAD, "alarm"),
        ("2026-02-16 23:52", LI, "reminder"),
        ("2026-02-17 00:00", LI, "overdue"),
        ("2026-02-17 00:00", MANAGER, "alarm"),
        ("2026-02-17 00:00", LEAD, "alarm"),
        ("2026-02-17 01:30", GM, "alarm"),
    ]


async def test_both_promises_broken_tell_each_person_once_for_each(begin: Begin) -> None:
    desk = await begin("2026-03-13 17:00", whole=True)
    handle, view = await desk.open()
    for called in ("2026-03-16 10:30", "2026-03-19 09:30"):
        await desk.until(called)
        await _calls(desk, handle)
    await desk.until("2026-03-20 09:00")
    told = await desk.told(handle, "2026-03-13 17:01")
    assert [(who, wording) for _, who, wording in told if who in {LEAD, MANAGER, GM}] == [
        *((LEAD, "alarm"), (MANAGER, "alarm"), (GM, "alarm")),
        *((LEAD, "alarm"), (MANAGER, "alarm"), (GM, "alarm")),
    ]
    await desk.resolve(handle, view)
    assert stand(await desk.view(handle)) == {
        "response.1": "broken",
        "resolution.1": "broken",
        "contact.1": "kept",
        "contact.1.2": "kept",
        "callback.1": "open",
    }


async def test_an_issue_that_comes_in_late_has_one_alarm_for_all_it_missed(begin: Begin) -> None:
    desk = await begin("2026-03-12 10:00", whole=True)
    handle, _ = await desk.open(reported_at=desk.real("2026-03-10 10:00"))
    await desk.until("2026-03-12 10:05")
    assert await desk.told(handle) == [
        ("2026-03-12 10:00", ENGINEER, "assigned"),
        ("2026-03-12 10:00", GM, "late"),
        ("2026-03-12 10:00", "customer", "registered"),
    ]
    view = await desk.view(handle)
    assert (view.sla_state, view.escalation_level) == (SlaState.OVERDUE, 3)
    assert await desk.ledger(handle) == {
        "resolution.1": ("2026-03-13 18:00", "open"),
        "response.1": ("2026-03-10 12:00", "broken"),
    }
    assert await desk.steps(handle) == ["registered"]
    await desk.until("2026-03-13 09:20")  # at 75 % of the time for a result its own clock rings
    assert await desk.told(handle, "2026-03-12 10:05") == [
        ("2026-03-13 09:15", ENGINEER, "reminder")
    ]


async def test_by_hand_an_issue_rises_to_the_top_and_no_higher(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, _ = await desk.open()
    up = Escalate(by=AGENT, reason="the branch opens tomorrow")
    for _ in range(3):
        view = await desk.act(handle, ActionName.ESCALATE, up)
    assert view.escalation_level == 3
    assert view.stage is Stage.ASSIGNED
    told = await desk.told(handle)
    assert [who for _, who, wording in told if wording == "escalated"] == [LEAD, MANAGER, GM]
