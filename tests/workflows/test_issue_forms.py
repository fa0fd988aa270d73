"""Bad input for every form, through the same door as good: refused with field and reason, and
nothing is half-made (R2, R8, R9, R15, R17-R19, R23, R26).
"""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.view import IssueView
from domain.vocabulary import Stage
from tests.support.harness import CLERK, Handle, engineer, refusal, status, traces
from tests.support.registers import counted
from tests.support.wrong_forms import FORMS, HANDLER, Form, accepted, filled_in, to_be_called
from tests.workflows.conftest import Begin

NOT_A_FORM: tuple[Any, ...] = ("text", None, 7, [], [{"worked": True}])


async def send(handle: Handle, action: ActionName, *payload: Any) -> IssueView:
    """Send an update as any system can, without our models in between."""
    view: IssueView = await handle.execute_update(
        action.value, args=list(payload), result_type=IssueView
    )
    return view


async def refused(handle: Handle, action: ActionName, *payload: Any) -> tuple[str | None, str]:
    """Send what is to be refused; return the refusal's type and sentence."""
    with pytest.raises(WorkflowUpdateFailedError) as answer:
        await send(handle, action, *payload)
    return refusal(answer.value).type, refusal(answer.value).message


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.action)
async def test_a_wrong_form_is_refused_with_field_and_reason_and_a_right_one_is_taken(
    begin: Begin, form: Form
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await form.waits(desk)
    await desk.settle()
    before, happened = await counted(desk), await traces(handle)
    for changes, words in form.wrong:
        type_, said = await refused(handle, form.action, filled_in(form, changes))
        assert (type_, words in said) == ("Invalid", True), (changes, said)
        assert "Value error" not in said
    for payload in NOT_A_FORM:
        type_, said = await refused(handle, form.action, payload)
        assert (type_, "Input should be" in said) == ("Invalid", True), (payload, said)
    assert (await refused(handle, form.action))[0] == "Invalid"
    for stranger in form.not_theirs:
        type_, said = await refused(
            handle, form.action, filled_in(form, {"by": stranger.model_dump()})
        )
        assert (type_, stranger.id in said) == ("NotYours", True), (stranger, said)
    assert await counted(desk) == before
    assert await traces(handle) == happened
    view = await send(handle, form.action, filled_in(form, {}))
    assert view.steps[-1].action is form.action


def test_no_form_that_people_fill_in_is_left_out() -> None:
    known_before = {
        *(ActionName.ACCEPT, ActionName.REPORT_PROGRESS, ActionName.WAIT_FOR_CUSTOMER),
        *(ActionName.RESUME, ActionName.ESCALATE, ActionName.WITHDRAW),
        ActionName.REPLAN,
    }
    of_two = {ActionName.LINK, ActionName.MERGE}  # test_issue_duplicates.py
    calls = {ActionName.CONTACT_CUSTOMER}  # by another policy: tests/domain/test_agent.py
    assert {form.action for form in FORMS} == set(PUBLIC_ACTIONS) - known_before - of_two - calls


async def test_a_form_that_comes_at_the_wrong_time_is_refused_with_what_is_possible(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle, view = await desk.open()
    await desk.settle()
    before, happened = await counted(desk), await traces(handle)
    too_early = {form.action for form in FORMS} - set(view.can)
    # Possible at this stage, were it a complaint: the refusal says that it is none.
    of_complaints = {ActionName.CALM, ActionName.PROPOSE_REMEDY}
    of_complaints |= {ActionName.DECIDE_REMEDY, ActionName.RECORD_REMEDY}
    assert len(too_early) == 14
    for form in FORMS:
        if form.action not in too_early:
            continue
        type_, said = await refused(handle, form.action, filled_in(form, {}))
        assert type_ == "NotAllowed"
        too_early_for_all = f"{form.action} is not possible while {view.number} is assigned"
        assert (too_early_for_all in said) == (form.action not in of_complaints)
        assert "accept" in said.split("possible now: ")[1]
    assert await counted(desk) == before
    assert await traces(handle) == happened
    assert (await desk.accept(handle, view)).stage is Stage.IN_PROGRESS


async def test_what_the_customer_said_is_not_repeated_in_the_refusal(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await to_be_called(desk)
    private = "my number is 138 0000 0001"
    said = {"by": CLERK.model_dump(), "reached": private, "words": private}
    assert private not in (await refused(handle, ActionName.RECORD_CALLBACK, said))[1]


async def test_a_wrong_intake_is_refused_with_field_and_reason_and_can_be_corrected(
    begin: Begin,
) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    intake = await desk.intake()
    handle = await desk.start(intake)
    right = intake.model_dump(mode="json")
    for changes, words in (
        ({"ring_seconds": -1}, "ring_seconds: Input should be greater than or equal to 0"),
        ({"answering": "perhaps"}, "answering: Input should be a valid boolean"),
        ({"complex": None}, "complex: Input should be a valid boolean"),
        ({"customer": {"name": "Chen Hong"}}, "customer: contact missing"),
        ({"customer": right["customer"] | {"existing": "so-so"}}, "customer.existing: "),
        ({"arises_from": 7}, "arises_from: Input should be a valid string"),
        ({"agent": "seven"}, "agent: String should match pattern"),
        ({"consent": "perhaps"}, "consent: Input should be 'yes', 'no' or 'not_asked'"),
    ):
        type_, said = await refused(handle, ActionName.REGISTERED, right | changes)
        assert (type_, words in said) == ("Invalid", True), (changes, said)
    type_, said = await refused(
        handle, ActionName.REGISTERED, right | {"arises_from": "issue:hotline:none"}
    )
    assert (type_, said) == ("Invalid", "arises_from: there is no issue issue:hotline:none")
    assert set((await counted(desk)).values()) == {0}
    assert (await send(handle, ActionName.REGISTERED, right)).stage is Stage.ASSIGNED


async def test_a_signal_with_a_wrong_form_harms_nobody(begin: Begin) -> None:
    desk = await begin("2026-09-29 10:00", whole=True)
    handle = await accepted(desk)
    before = await counted(desk)
    for payload in ({"by": HANDLER.model_dump()}, "text"):
        await handle.signal("complete", payload)
        await handle.query("view")
    assert await status(handle) != "failed"
    assert (await counted(desk))["issue_events"] == before["issue_events"]
    view = await desk.view(handle)
    assert view.stage is Stage.IN_PROGRESS
    await desk.passes(timedelta(minutes=1))
    right = {"by": engineer(view).model_dump(), "result": "done"}
    await handle.signal("complete", right)
    await handle.query("view")
    assert (await desk.view(handle)).results == ("done",)
