"""Whoever gives an address at an open door is a stranger until somebody vouches for it."""

import pytest

from domain.issue.act import ActionName
from domain.sla.policy import Strangers
from domain.strangers import Acquaintance, may_be_one
from domain.vocabulary import Channel, Role

NEW = ActionName.REGISTERED
"""Which bears an agent's number, whoever wrote."""


@pytest.mark.parametrize("channel", Channel)
def test_only_at_an_open_door_somebody_is_a_stranger(channel: Channel) -> None:
    spoken_with = channel in {Channel.TELEPHONE, Channel.WALK_IN}
    assert may_be_one(channel, NEW, Role.AGENT, Strangers()) != spoken_with


@pytest.mark.parametrize("role", Role)
def test_whoever_acts_on_it_vouches_for_it_but_no_system_does(role: Role) -> None:
    system = role in {Role.INTAKE, Role.SYSTEM, Role.AUDITOR}
    assert may_be_one(Channel.EMAIL, ActionName.ESCALATE, role, Strangers()) == system


def test_which_doors_are_open_is_the_desks_to_say() -> None:
    rule = Strangers(channels=(Channel.CHAT,))
    assert not may_be_one(Channel.EMAIL, NEW, Role.AGENT, rule)
    assert may_be_one(Channel.CHAT, NEW, Role.AGENT, rule)


@pytest.mark.parametrize("known", Acquaintance.model_fields)
def test_one_thing_that_is_known_makes_an_acquaintance(known: str) -> None:
    assert not Acquaintance().made
    assert Acquaintance.model_validate({known: True}).made
