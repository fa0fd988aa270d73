"""Whom the desk does not know yet. At an open door anybody can give anybody's address: until
somebody vouches for it, what goes there carries none of the words that came in, and goes there
rarely.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.issue.act import ActionName
from domain.sla.policy import Strangers
from domain.vocabulary import Channel, Language, Model, Role

VOUCHING = frozenset(Role) - {Role.INTAKE, Role.SYSTEM, Role.AUDITOR}
"""Whoever acts on an issue as one of these has looked at it, or has the link that was sent; except
for its registration, which bears an agent's number whoever wrote it.
"""
ADDRESSED_AS: Mapping[Language, str] = {Language.ZH: "尊敬的客户", Language.EN: "Customer"}
"""What strangers are called: a name is among the words that came in."""


class Acquaintance(Model):
    """What the register knows of an address for which an issue came in."""

    taken_up: bool = False
    """Somebody vouched for it by a step of this issue."""
    spoken_with: bool = False
    """Another issue of theirs came in by a door at which people are spoken with."""
    solved: bool = False
    """Another issue of theirs was solved."""
    answered: bool = False
    """They used a link that was sent to them about another issue."""

    @property
    def made(self) -> bool:
        """Whether somebody vouches for it."""
        return self.taken_up or self.spoken_with or self.solved or self.answered


def may_be_one(channel: Channel, action: ActionName, by: Role, rule: Strangers) -> bool:
    """Say whether a customer may be a stranger: of an issue that came in by that door, told of such
    a step by somebody of that role.
    """
    looked_at = action is not ActionName.REGISTERED and by in VOUCHING
    return channel in rule.channels and not looked_at


class Stranger(Model):
    """A customer who is one; whether they may hear of us, so often as they did."""

    may_hear: bool
