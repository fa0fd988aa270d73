"""The forms of actions: of pages, with all there is to say, and of links, with less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from domain.for_customers.turn import DECISIONS, WRITINGS, Turn
from domain.issue.actions import PUBLIC_ACTIONS, Act, ActionName, CustomerWrote
from domain.issue.arrival import FORMS
from domain.issue.intake import Intake
from domain.issue.notes import CORRECTABLE, standing
from domain.links import PURPOSES, Purpose
from domain.texts import can_be_seen
from domain.vocabulary import ServiceItem
from web.forms.form import Filled, Form, fields_of
from web.forms.wording import CALLED, CORRECTIONS, LINKS, OF_REMEDIES

_NOT_ASKED = frozenset({"by", "call", "person", "remove", "known", "of", "proposal"})
ASKED: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.ACCEPT: ("expected_at",),
    Purpose.COMPLETE: ("result", "cause", "fault", "known_solution"),
    Purpose.TEST: ("worked", "words"),
    Purpose.CONFIRM: ("agreed", "words"),
    Purpose.EVALUATE: ("item", "technical", "attitude", "comment"),
    Purpose.APPROVE: ("approved", "reason"),
    Purpose.REMEDY: ("approved", "reason"),
    Purpose.RATE: ("difficulty", "note"),
    Purpose.ADVISE: ("advice",),
    Purpose.REOPEN: ("worked",),
}
"""What people are asked for by a link; those that only show have no form."""
_USUAL: Mapping[str, Mapping[str, str]] = {
    Purpose.EVALUATE: {"item": ServiceItem.AFTER_SALES.value}
}


_STOOD = "stood_"
"""Before the name of a field, of what stood there when its form was shown."""


class Corrections(Form[Act]):
    """What stands, to be corrected in place (R44). Only what somebody changed is said: what others
    corrected since the form was shown is not undone by it.
    """

    def read(self, filled: Filled, zone: str, **known: Any) -> Act:
        """Read what differs from what stood there; what was emptied is removed."""
        said = {name: filled[name].strip() for name in CORRECTABLE}
        changed = {name for name in said if said[name] != filled[_STOOD + name].strip()}
        emptied = {name for name in changed if not can_be_seen(said[name])}
        removed = tuple(name for name in CORRECTABLE if name in emptied - {"name"})
        values = {n: text for n, text in filled.values.items() if n not in {*said} - changed}
        known |= {"name": ""} if "name" in emptied else {}
        return super().read(replace(filled, values=values), zone, remove=removed, **known)


def correcting(intake: Intake) -> Filled:
    """Return the form of corrections, filled in with what stands."""
    stands = {name: str(said or "") for name, said in standing(intake).items()}
    return Filled().saying(stands | {_STOOD + name: said for name, said in stands.items()})


@cache
def of_action(action: ActionName) -> Form[Act]:
    """Return the form of an action."""
    model, called = FORMS[action], CALLED.get(action, {})
    fields = tuple(
        replace(each, label=called.get(each.name, each.label))
        for each in fields_of(model, without=_NOT_ASKED)
    )
    if action is ActionName.AMEND:
        beside = tuple(_STOOD + name for name in CORRECTABLE)
        return Corrections(model, fields, wording=CORRECTIONS, beside=beside)
    return Form(model, fields)


@cache
def of_link(purpose: Purpose) -> Form[Act] | None:
    """Return the form behind a link; None: it only shows."""
    action = PURPOSES[purpose].action
    if action is None:
        return None
    asked = [each for each in of_action(action).fields if each.name in ASKED[purpose]]
    worded = OF_REMEDIES if purpose is Purpose.REMEDY else LINKS
    return Form(PUBLIC_ACTIONS[action], tuple(asked), wording=worded)


def of_turn(turn: Turn) -> Form[Act]:
    """Return the form of what a customer can do on their page."""
    if turn in WRITINGS:
        return _WRITTEN
    form = of_link(DECISIONS[turn])
    assert form  # noqa: S101  what decides asks for something
    return replace(form, beside=("quoted",)) if turn is Turn.CONFIRM else form


_WRITTEN: Form[Act] = Form(
    CustomerWrote,
    tuple(each for each in fields_of(CustomerWrote) if each.name in {"words", "means"}),
    wording=LINKS,
)


def blank(purpose: Purpose | Turn) -> Filled:
    """Return a link's form as it is before anybody wrote in it."""
    return Filled().saying(_USUAL.get(purpose, MappingProxyType({})))
