"""What a clerk writes about one call: of the customer once, and of each fault whether it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError
from starlette.datastructures import FormData

from domain.callbacks import about
from domain.issue.actions import RecordCallback
from domain.issue.follow_up import asks_whether_it_runs
from domain.vocabulary import Actor, Behaviour
from web.forms.form import Field, Filled, Form, InvalidForm, fields_of
from web.rendering import Reason

NUMBER = "number"
_YES_OR_NO = {"yes": True, "no": False}
_CHOOSE: Reason = ("请选择", "choose one")
_WORDS: Reason = ("请按原话记下客户所说", "write down what the customer said, as said")
_NOBODY: Reason = (
    "没有联系上的客户不会投诉：请取消勾选",
    "a customer who was not reached cannot have complained: take the mark away",
)
_OF_CALL = {
    each.name: each for each in fields_of(RecordCallback, without=frozenset({"by", "call", "at"}))
}


def of_call(numbers: Sequence[str]) -> Form[RecordCallback]:
    """Return the form of a call about some issues: each has its own answer whether it runs."""
    shared = [each for each in _OF_CALL.values() if each.name != "running"]
    return Form(RecordCallback, (*map(_running, numbers), *shared), beside=(NUMBER,))


def numbers_of(sent: FormData) -> tuple[str, ...]:
    """Say about which issues a call was."""
    return tuple(map(str, sent.getlist(NUMBER)))


def acts(
    form: Form[RecordCallback], filled: Filled, by: Actor, kinds: Mapping[str, Behaviour]
) -> dict[str, RecordCallback]:
    """Say it for each issue; of whom was not reached nothing else is known. ``kinds`` says by
    number which of them are faults: whether the machine runs is asked about these only (R24).

    Raises:
        InvalidForm: with all that is wrong.
    """
    if wrong := _wrong(filled, kinds):
        raise InvalidForm(wrong)
    reached = _YES_OR_NO[filled["reached"]]
    try:
        return about(
            by,
            {
                number: _YES_OR_NO.get(filled[_running(number).name]) if reached else None
                for number in filled.all(NUMBER)
            },
            conflict=bool(filled["conflict"]),
            reached=reached,
            satisfied=_YES_OR_NO.get(filled["satisfied"]) if reached else None,
            words=filled["words"],
            call=filled.key,
        )
    except ValidationError as error:
        raise InvalidForm(form.reasons(error)) from None


def _wrong(filled: Filled, kinds: Mapping[str, Behaviour]) -> dict[str, Reason]:
    """Say what is missing, by field."""
    if filled["reached"] not in _YES_OR_NO:
        return {"reached": _CHOOSE}
    if not _YES_OR_NO[filled["reached"]]:
        return {"conflict": _NOBODY} if filled["conflict"] else {}
    faults = (number for number in filled.all(NUMBER) if asks_whether_it_runs(kinds[number]))
    running = (_running(number).name for number in faults)
    found = {name: _CHOOSE for name in running if filled[name] not in _YES_OR_NO}
    return found if filled["words"].strip() else {**found, "words": _WORDS}


def _running(number: str) -> Field:
    return replace(_OF_CALL["running"], name=f"running.{number}")
