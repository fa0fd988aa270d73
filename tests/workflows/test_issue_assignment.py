"""Who has the issue: reassigned, nobody on duty, and back (R15, R16)."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.vocabulary import Stage
from inbound.files.roster import read_roster
from runtime.settings import ROOT
from store import roster
from tests.support.harness import StoryDesk, refusal, stand
from tests.workflows.conftest import Begin


async def test_the_clock_does_not_restart_for_another_handler(begin: Begin) -> None:
    desk = await begin("2025-09-30 10:00")
    handle, view = await desk.open()
    promised = await desk.ledger(handle)
    await desk.accept(handle, view)
    await desk.until("2025-10-09 11:00")
    view = await desk.reassign(handle, "chen.zhiqiang")
    assert view.stage is Stage.ASSIGNED
    assert view.engineer is not None
    assert view.engineer.id == "chen.zhiqiang"
    assert {key: due for key, (due, _) in (await desk.ledger(handle)).items()} == {
        key: due for key, (due, _) in promised.items()
    }
    assert await desk.told(handle, "2025-10-09 10:59") == [
        ("2025-10-09 11:00", "chen.zhiqiang", "assigned")
    ]
    await desk.until("2025-10-11 19:00")
    told = await desk.told(handle, "2025-10-09 11:01")
    assert ("2025-10-11 18:00", "chen.zhiqiang", "overdue") in told
    assert "liang.jiahao" not in {who for _, who, _ in told}
    view = await desk.resolve(handle, view)
    assert stand(view)["resolution.1"] == "broken"


async def test_the_former_handler_may_not_act_any_more(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, before = await desk.open()
    await desk.reassign(handle, "chen.zhiqiang")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.accept(handle, before)
    assert refusal(refused.value).type == "NotYours"


async def test_only_somebody_certified_can_be_named(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, before = await desk.open()
    for who, why in {"huang.minyi": "not certified for ATM", "nobody": "not an engineer"}.items():
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.reassign(handle, who)
        assert why in refusal(refused.value).message
    after = await desk.view(handle)
    assert (after.engineer, after.stage) == (before.engineer, before.stage)
    assert await desk.steps(handle) == ["registered"]


async def test_with_nobody_on_duty_the_lead_holds_it_until_the_shift_begins(begin: Begin) -> None:
    desk = await begin("2025-10-01 11:00")
    handle, view = await desk.open(category="out_of_scope")
    assert (view.stage, view.engineer) == (Stage.REGISTERED, None)
    assert view.lead is not None
    await desk.until("2025-10-09 08:59")
    assert (await desk.view(handle)).engineer is None
    assert await desk.told(handle) == [
        ("2025-10-01 11:00", "customer", "registered"),
        ("2025-10-01 11:00", "mo.yan", "unassigned"),
    ]
    await desk.until("2025-10-09 09:01")
    view = await desk.view(handle)
    assert view.stage is Stage.ASSIGNED
    assert await desk.told(handle, "2025-10-09 08:59") == [
        ("2025-10-09 09:00", "jin.lan", "assigned")
    ]
    assert await desk.steps(handle) == ["registered", "assign"]
    await desk.accept(handle, view)


async def test_the_night_shift_takes_what_the_day_shift_of_other_centres_cannot(
    begin: Begin,
) -> None:
    desk = await begin("2025-10-04 11:00")
    handle, view = await desk.open(region="辽宁")
    assert view.engineer is None
    await desk.until("2025-10-04 20:01")
    view = await desk.view(handle)
    assert view.engineer is not None
    assert view.engineer.id == "deng.wei"


async def test_when_the_shift_begins_with_nobody_the_lead_is_not_told_again(begin: Begin) -> None:
    desk = await begin("2026-03-14 11:00")
    handle, _ = await desk.open(category="out_of_scope")
    await _send_home(desk, "jin.lan")
    await desk.until("2026-03-16 09:30")
    told = [wording for _, _, wording in await desk.told(handle)]
    assert told.count("unassigned") == 1
    assert (await desk.view(handle)).engineer is None
    assert await desk.steps(handle) == ["registered", "assign"]


async def _send_home(desk: StoryDesk, who: str) -> None:
    """Take somebody off duty for good."""
    current = read_roster(ROOT / "examples" / "roster")
    members = tuple(
        member.model_copy(update={"shift": "off"}) if member.id == who else member
        for member in current.members
    )
    async with desk.pool.acquire() as connection, connection.transaction():
        await roster.replace(connection, current.model_copy(update={"members": members}))


async def test_a_lead_who_takes_an_issue_nobody_has_becomes_its_handler(begin: Begin) -> None:
    desk = await begin("2026-03-14 11:00")
    handle, view = await desk.open(region="辽宁")
    assert view.engineer is None
    view = await desk.reassign(handle, "zhou.jianguo")
    assert (view.stage, view.engineer) == (Stage.ASSIGNED, view.lead)
    await desk.until("2026-03-14 21:00")  # the shift that would have been asked has begun
    assert (await desk.view(handle)).engineer == view.lead


async def test_an_issue_that_waits_for_the_customer_still_finds_an_engineer(begin: Begin) -> None:
    desk = await begin("2026-03-13 16:00")
    handle, view = await desk.open(category="out_of_scope")
    await desk.accept(handle, view)
    await desk.wait(handle, view)
    await desk.until("2026-03-14 10:00")
    view = await desk.reassign(handle, None)
    assert (view.stage, view.engineer) == (Stage.WAITING, None)
    await desk.until("2026-03-16 09:01")
    view = await desk.view(handle)
    assert (view.stage, view.engineer is not None) == (Stage.WAITING, True)
    await desk.resume(handle, view)
