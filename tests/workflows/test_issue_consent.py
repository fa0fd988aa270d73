"""Passing on is asked (R35): with a no the issue stays with the hotline."""

import re

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import ActionName
from domain.vocabulary import Actor, Consent, Outcome, Role, Stage
from store import issue_reader
from store.issue_list import Filter
from tests.support.harness import AGENT, LEAD, StoryDesk, refusal, stand
from tests.support.registers import said
from tests.workflows.conftest import Begin

WANG = Actor(id="12", role=Role.AGENT)
NO = {"consent": "no", "consent_words": "不用派人，你们告诉我怎么弄就行"}


async def queued(desk: StoryDesk) -> list[str]:
    return [each.id for each in await issue_reader.issues(desk.pool, Filter(queued=True))]


async def test_r35_refused_at_the_intake_it_stays_with_the_agent_who_answers_it(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(**NO)
    assert (view.stage, view.engineer, view.taken_by) == (Stage.REGISTERED, None, "07")
    assert (view.consent, await queued(desk)) == (Consent.NO, [handle.id])
    assert await desk.told(handle) == [
        ("2026-09-29 10:00", "customer", "kept_back"),
        ("2026-09-29 10:00", "zhou.jianguo", "kept_back_staff"),
    ]
    words = await said(desk, handle, "kept_back", "customer")
    assert re.search(r"按照您的意愿，此事不转给其他同事，由热线为您处理，在\S+前答复您。", words)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="按住复位键五秒", test=False)
    await desk.settle()
    assert (await desk.view(handle)).outcome is None, "the fault is called back, as any"
    assert (await desk.ledger(handle))["hand_over.1"] == ("2026-09-29 12:00", "kept")
    assert "response.1" not in await desk.ledger(handle)
    row = await desk.pool.fetchrow(
        "SELECT consent, consent_words FROM issues WHERE id = $1", handle.id
    )
    assert row
    assert dict(row) == NO


async def test_r35_what_is_not_answered_in_time_is_passed_on_by_nobody_but_with_consent(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await desk.open(answering=True)
    view = await desk.do(handle, ActionName.REASSIGN, AGENT, reason="要到现场看", **NO)
    assert (view.stage, view.engineer, view.consent) == (Stage.REGISTERED, None, Consent.NO)
    await desk.until("2026-09-29 15:00")
    view = await desk.view(handle)
    assert (view.stage, view.engineer) == (Stage.REGISTERED, None)
    assert stand(view)["hand_over.1"] == "broken"
    told = await desk.told(handle)
    assert ("2026-09-29 12:00", "zhou.jianguo", "overdue") in told
    for action, more in (
        (ActionName.ACCEPT, {}),
        (ActionName.REASSIGN, {"reason": "等太久了", "to": "deng.wei"}),
        (ActionName.TRANSFER, {"reason": "等太久了", "to": "software_development"}),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await desk.do(handle, action, LEAD, **more)
        assert "does not want that it is passed on" in refusal(refused.value).message
    view = await desk.do(handle, ActionName.REASSIGN, WANG, reason="客户同意了", consent="yes")
    assert (view.stage, view.consent) == (Stage.ASSIGNED, Consent.YES)
    assert view.engineer
    assert await queued(desk) == []
    view = await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    assert (await desk.view(handle)).answered


async def test_r35_what_was_written_waits_for_whoever_takes_it(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open(channel="email", kind="fault", consent="no")
    assert (view.queue, view.taken_by) == ("kept_back", None)
    view = await desk.do(handle, ActionName.TAKE, WANG)
    assert (view.taken_by, view.engineer) == ("12", None)
    view = await desk.do(handle, ActionName.WITHDRAW, WANG, reason="已自行恢复")
    assert view.outcome is Outcome.WITHDRAWN
