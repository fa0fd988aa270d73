"""Customers whom nothing can be written to: only the agent's call answers them (R6, R34)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from domain.issue.actions import ActionName
from domain.vocabulary import Actor, Outcome, Role, Stage
from tests.support.harness import CUSTOMER, STANDARD, Handle, StoryDesk, engineer, stand
from tests.support.registers import said
from tests.workflows.conftest import Begin

LI = Actor(id="07", role=Role.AGENT)
SWITCHBOARD = {"customer": {"name": "林芬", "phone": "+86 20 5550 0101"}}
"""No e-mail, and a telephone that takes no texts."""
AWAY: dict[str, Any] = {"reached": False}
TOLD: dict[str, Any] = {"reached": True, "told": "the card reader is replaced"}


async def resolved(desk: StoryDesk, **intake: object) -> Handle:
    handle, view = await desk.open(**SWITCHBOARD, **intake)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    return handle


async def test_r6_that_the_agent_was_told_to_call_is_no_answer_the_call_is(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await resolved(desk)
    view = await desk.view(handle)
    assert (view.stage, view.answered, stand(view)["reply.1"]) == (Stage.RESOLVED, False, "open")
    assert "card reader replaced" in await said(desk, handle, "call_with_result", LI.id)
    for _ in range(5):  # they cannot be written to instead
        view = await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **AWAY)
        assert (view.stage, view.answered, stand(view)["reply.1"]) == (
            Stage.RESOLVED,
            False,
            "open",
        )
    view = await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **TOLD)
    assert (view.stage, view.answered) == (Stage.REPLIED, True)
    assert (stand(view)["reply.1"], stand(view)["callback.1"]) == ("kept", "open")
    await desk.settle()
    wordings = [wording for _, _, wording in await desk.told(handle)]
    assert "told_by_call" not in wordings, "nobody is to call about the call"
    assert "resolved" not in wordings


async def test_r6_what_the_hotline_sends_them_and_what_was_not_wanted_is_told_by_call_too(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, _ = await desk.open(**SWITCHBOARD, answering=True, kind="consultation")
    await desk.do(handle, ActionName.ANSWER, LI, solution="pull the lever", on_the_line=False)
    await desk.settle()
    assert (await desk.view(handle)).answered is False
    assert "pull the lever" in await said(desk, handle, "answered", LI.id)
    view = await desk.do(handle, ActionName.CONTACT_CUSTOMER, LI, **TOLD)
    assert (view.answered, stand(view)["customer_test.1"]) == (True, "open")

    other, view = await desk.open(**SWITCHBOARD, kind="paid_service", reference="paid")
    await desk.accept(other, view)
    await desk.do(other, ActionName.SURVEY, engineer(view), findings="two power lines")
    await desk.do(other, ActionName.QUOTE, engineer(view), work="wire it", amount="800.00")
    await desk.do(other, ActionName.CONFIRM, CUSTOMER, agreed=False)
    await desk.settle()
    assert (await desk.view(other)).answered is False
    await desk.do(other, ActionName.CONTACT_CUSTOMER, LI, **TOLD)
    ended = await desk.ended(other)
    assert (ended.outcome, ended.answered) == (Outcome.DECLINED, True)
    assert "customer_test.1" not in stand(ended), "no work was done that they could accept"


async def test_r34_a_policy_without_such_a_rule_means_what_it_meant(
    begin: Begin, tmp_path: Path
) -> None:
    before = tmp_path / "before.toml"  # the agent is told to call, and that is all
    rules = STANDARD.read_text("utf-8").split("[[promise]]\n")
    kept = (rule for rule in rules if "in_writing" not in rule)
    before.write_text("[[promise]]\n".join(kept), encoding="utf-8")
    desk = await begin("2026-09-29 10:00", before, whole=True)
    handle = await resolved(desk)
    await desk.until("2026-09-29 10:05")
    view = await desk.view(handle)
    assert (view.stage, view.answered) == (Stage.REPLIED, True)
    assert "reply.1" not in stand(view)
