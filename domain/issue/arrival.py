"""What comes in at a door: what people write becomes what is kept, of an intake and of an action.

``Intake`` and ``Act`` read whatever was accepted once, in histories and in the register; so what is
asked of new ones is asked here, and alike at every door.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from domain import telephone
from domain.issue.act import Act, ActionName
from domain.issue.actions import PUBLIC_ACTIONS
from domain.issue.intake import Customer, Intake
from domain.issue.notes import Amend
from domain.vocabulary import LONGEST_TEXT

_NOTE = "电话栏原文 As written for the telephone: {}"


def _as_kept(written: object) -> object:
    if written is None or telephone.left_out(written):
        return None
    try:
        return str(telephone.understand(written).telephone)
    except telephone.Unreadable as unreadable:
        raise PydanticCustomError(unreadable.why, str(unreadable)) from None


_WRITTEN: Mapping[str, Any] = MappingProxyType(
    {
        "type": "string",
        "maxLength": telephone.LONGEST,
        "description": "a telephone number as people write it: 13800000001, 020-55500101 转 801, "
        "400-810-8888, +44 20 7946 0018; kept as +8613800000001, +862055500101(801)",
    }
)
Number = Annotated[
    str | None,
    BeforeValidator(_as_kept),
    WithJsonSchema({"anyOf": [dict(_WRITTEN), {"type": "null"}]}),
]


def _alone(written: object) -> object:
    """Refuse what says more than one number where there is no place for the rest."""
    number = _as_kept(written)
    if number is not None and not telephone.understand(written).alone:
        raise PydanticCustomError(
            "telephone_more",
            "says more than one number: write the one that holds here, and the rest as the reason",
        )
    return number


TheNumber = Annotated[Number, BeforeValidator(_alone)]


class NewCustomer(Customer):
    """Who is promised something (R2), as a door hears of them."""

    phone: Number = None


class Arrival(Intake):
    """An intake that a door was given. What the field of the telephone says beside the number, such
    as a second one, goes into the description.
    """

    customer: NewCustomer
    behaves: SkipJsonSchema[None] = None  # the policy's to say
    outside: SkipJsonSchema[None] = None

    @model_validator(mode="before")
    @classmethod
    def _loses_nothing(cls, said: Any) -> Any:
        written = _written_for_the_telephone(said)
        described = said.get("description") or "" if written else None
        if not isinstance(described, str):
            return said
        note = _NOTE.format(written)
        room = LONGEST_TEXT - len(note) - 2
        if room < len(described) <= LONGEST_TEXT:  # what is longer than that is refused as it is
            described = f"{described[: room - 1]}…"
        return {**said, "description": f"{described.rstrip()}\n\n{note}".lstrip()}

    @model_validator(mode="after")
    def _words_are_about_it(self) -> Arrival:
        if self.consent_words and self.consent is None:
            msg = "consent: say what the customer's words mean: yes, no or not_asked"
            raise ValueError(msg)
        return self

    @property
    def kept(self) -> Intake:
        """As it goes on from the door."""
        return Intake.model_validate(self.model_dump())


def arrived(said: Any) -> Intake:
    """Make an intake of what a door was given.

    Raises:
        ValidationError: with all that is wrong.
    """
    return Arrival.model_validate(said).kept


class Correction(Amend):
    """Correct what is kept of the customer and the machine (R44); what is left out stays. Messages
    not sent yet go to the corrected address, and links sent to a wrong one open nothing any more.
    """

    phone: TheNumber = None


FORMS: Mapping[ActionName, type[Act]] = {**PUBLIC_ACTIONS, ActionName.AMEND: Correction}
"""What people act by, each with its form as doors read it."""


def _written_for_the_telephone(said: Any) -> str | None:
    """Return the words of that field where they are more than a number."""
    customer = said.get("customer") if isinstance(said, Mapping) else None
    written = customer.get("phone") if isinstance(customer, Mapping) else None
    try:
        alone = telephone.understand(written).alone
    except telephone.Unreadable:
        return None
    words = " ".join(str(written).split())
    return None if alone else "".join(each for each in words if each.isprintable())
