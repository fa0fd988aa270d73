"""What other systems are told: each step, in codes, and nothing that anybody said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.contract import StepName
from domain.errors import Refused
from domain.issue.actions import ACTIONS, ActionName
from domain.issue.events import TYPES, Event, Issue, event_id, event_of
from domain.issue.lifecycle import register
from domain.issue.step import Recorded
from domain.sla.promise import PromiseKind
from domain.vocabulary import Role, Stage
from tests.support.builders import (
    DAY,
    MONDAY,
    Desk,
    actor,
    an_act,
    an_intake,
    an_issue,
    decided,
)
from tests.support.clock_lives import ENTITLED, SAID

WEB = Issue(source="web", reference="r-1", kind="fault")


def told(recorded: Recorded) -> Event:
    return event_of(recorded, WEB)


def taken() -> Iterator[Recorded]:
    """Every action in every stage that it may be taken in, saying all that it may say."""
    for name in ActionName:
        if name is ActionName.REGISTERED:
            continue
        for stage in sorted(ACTIONS[name].rule.stages):
            for said in SAID[name]:
                issue = an_issue(stage)
                try:
                    step = decided(issue, name, ENTITLED[name], issue.last_at + DAY, **said)
                except Refused:
                    continue
                yield Desk().record(step, issue)


def test_every_step_has_a_type() -> None:
    assert TYPES.keys() == set(StepName)
    assert len(set(TYPES.values())) == len(TYPES)


def test_an_event_says_how_the_issue_stands_since() -> None:
    event = told(Desk().record(register(an_intake(), MONDAY)))
    assert event.type == "issue.registered"
    assert event.data.stage is Stage.ASSIGNED, "as it was found: somebody has it"
    assert event.data.stage_before is None
    assert {each.kind for each in event.data.promises} == {
        PromiseKind.RESPONSE,
        PromiseKind.RESOLUTION,
    }


def test_a_promise_that_moves_is_told_as_it_came_to_stand() -> None:
    waiting = an_issue(Stage.WAITING)
    step = decided(waiting, ActionName.RESUME, actor(Role.ENGINEER), waiting.last_at + DAY)
    recorded = Desk().record(step, waiting)
    told_of = {each.kind: each for each in told(recorded).data.promises}
    assert told_of[PromiseKind.RESOLUTION].due_at == next(
        each.due_at for each in recorded.promises if each.kind is PromiseKind.RESOLUTION
    )


def test_no_event_holds_what_anybody_said_or_who_they_are() -> None:
    """Whatever is no code, number or instant in it came from somewhere: it is looked for."""
    intake = an_intake()
    private = {
        *(intake.title, intake.description, intake.site, intake.serial_number),
        *intake.customer.model_dump(
            exclude_none=True, include={"name", "organisation", "contact"}
        ).values(),
        *("13800001234", "zhang.wei", "Zhou Wei", "Fang Min", "Sun Li"),
    }
    found = [*taken(), Desk().record(register(intake, MONDAY))]
    assert len(found) > 50
    for recorded in found:
        written = told(recorded).model_dump_json()
        words = {each for each in _words(recorded.step.content) if len(each) > 12}
        assert not [each for each in private | words if each and each in written], written


def _words(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        for key, each in said.items():
            # Which promise and which threshold it was are codes.
            if key not in {"promise", "threshold", "messages", "skipped", "missed", "version"}:
                yield from _words(each)
    elif isinstance(said, list | tuple):
        for each in said:
            yield from _words(each)


def test_a_step_written_again_is_the_same_event_and_another_in_its_place_is_not() -> None:
    issue = an_issue(Stage.ASSIGNED)
    step = decided(issue, ActionName.ACCEPT, actor(Role.ENGINEER))
    recorded = Desk().record(step, issue)
    again = Recorded.model_validate_json(recorded.model_dump_json())
    assert event_id(again) == event_id(recorded)
    later = recorded.model_copy(
        update={"step": step.model_copy(update={"recorded_at": step.recorded_at + DAY})}
    )
    other = recorded.model_copy(update={"step": step.model_copy(update={"key": "another's"})})
    assert len({event_id(each) for each in (recorded, later, other)}) == 3


@pytest.mark.parametrize(
    ("stage", "action", "role", "said", "type_"),
    [
        (Stage.ASSIGNED, ActionName.ACCEPT, Role.ENGINEER, {}, "issue.accepted"),
        (Stage.IN_PROGRESS, ActionName.RESOLVE, Role.ENGINEER, {}, "issue.resolved"),
        (Stage.IN_PROGRESS, ActionName.WAIT_FOR_CUSTOMER, Role.ENGINEER, {}, "issue.progressed"),
        (Stage.IN_PROGRESS, ActionName.ESCALATE, Role.ENGINEER, {}, "issue.escalated"),
        (Stage.REPLIED, ActionName.RECORD_CALLBACK, Role.CLERK, {}, "issue.closed"),
        (
            Stage.REPLIED,
            ActionName.RECORD_CALLBACK,
            Role.CLERK,
            {"running": False, "satisfied": False},
            "issue.reopened",
        ),
    ],
)
def test_the_type_is_the_most_that_a_step_brought_about(
    stage: Stage, action: ActionName, role: Role, said: dict[str, bool], type_: str
) -> None:
    issue = an_issue(stage)
    step = decided(issue, action, actor(role), issue.last_at + DAY, **said)
    assert told(Desk().record(step, issue)).type == type_
    assert an_act(action, actor(role)).by.role is role
