"""The forms of actions: of pages, with all there is to say, and of links, with less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from domain.for_customers.turn import DECISIONS, Turn
from domain.issue.actions import PUBLIC_ACTIONS, Act, ActionName
from domain.links import PURPOSES, Purpose
from domain.vocabulary import ServiceItem
from web.forms.form import Filled, Form, fields_of
from web.forms.wording import LINKS

_NOT_ASKED = frozenset({"by", "call", "person"})
ASKED: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.ACCEPT: ("expected_at",),
    Purpose.COMPLETE: ("result", "cause", "known_solution"),
    Purpose.TEST: ("worked", "words"),
    Purpose.CONFIRM: ("agreed", "words"),
    Purpose.EVALUATE: ("item", "technical", "attitude", "comment"),
    Purpose.APPROVE: ("approved", "reason"),
    Purpose.RATE: ("difficulty", "note"),
    Purpose.ADVISE: ("advice",),
}
"""What people are asked for by a link; those that only show have no form."""
_USUAL: Mapping[Purpose, Mapping[str, str]] = {
    Purpose.EVALUATE: {"item": ServiceItem.AFTER_SALES.value}
}


@cache
def of_action(action: ActionName) -> Form[Act]:
    """Return the form of an action."""
    return Form(PUBLIC_ACTIONS[action], fields_of(PUBLIC_ACTIONS[action], without=_NOT_ASKED))


@cache
def of_link(purpose: Purpose) -> Form[Act] | None:
    """Return the form behind a link; None: it only shows."""
    action = PURPOSES[purpose].action
    if action is None:
        return None
    asked = [each for each in of_action(action).fields if each.name in ASKED[purpose]]
    return Form(PUBLIC_ACTIONS[action], tuple(asked), wording=LINKS)


def of_turn(turn: Turn) -> Form[Act]:
    """Return the form of what a customer can do on their page."""
    form = of_link(DECISIONS[turn])
    assert form  # noqa: S101  what decides asks for something
    return replace(form, beside=("quoted",)) if turn is Turn.CONFIRM else form


def blank(purpose: Purpose) -> Filled:
    """Return a link's form as it is before anybody wrote in it."""
    return Filled().saying(_USUAL.get(purpose, MappingProxyType({})))
