"""What is written into an issue beside its course: notes, for colleagues or for the customer, and
corrections of what is kept of customer and machine (R44). Neither moves a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationError, model_validator

from domain import telephone
from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import ALWAYS, STAFF
from domain.issue.intake import Customer, Email, Intake, Phone
from domain.issue.state import Issue, NotificationRequest
from domain.letters import mailbox
from domain.vocabulary import SUPERVISORS, Audience, Language, Line, Role, Text, Words, repeated


class AddNote(Act):
    """Write into the issue, for colleagues; or for the customer, who is sent the words. No clock
    moves, whatever it says.
    """

    words: Words = Field(description="what is to stand in the issue")
    for_customer: bool = Field(
        default=False, description="the customer is sent these words; else only staff reads them"
    )


def add_note(issue: Issue, act: AddNote, _: datetime) -> Changes:
    """R6, R14: written down, and told to whom it is for; whoever handles the issue hears of it."""
    told = [NotificationRequest(template="note", to=Audience.CUSTOMER)] if act.for_customer else []
    if issue.engineer and not issue.is_with(act.by):
        told.append(NotificationRequest(template="note_staff", to=Audience.HANDLER))
    return {"tell": tuple(told)}


class Removable(StrEnum):
    """What is kept of customer and machine and need not be there."""

    ORGANISATION = "organisation"
    CONTACT = "contact"
    PHONE = "phone"
    EMAIL = "email"
    LANGUAGE = "language"
    MODEL = "model"
    SERIAL_NUMBER = "serial_number"
    SITE = "site"


OF_CUSTOMER = ("name", "organisation", "contact", "phone", "email", "language")
OF_MACHINE = ("model", "serial_number", "site")
CORRECTABLE = (*OF_CUSTOMER, *OF_MACHINE)
"""All that may be corrected (R44). Region and type of customer may not: centre, department and
every promise follow from them, so what is wrong there is passed on (``transfer``).
"""
_REACHED_BY = ("phone", "email")


class Amend(Act):
    """Correct what is kept of the customer and the machine (R44); what is left out stays. Messages
    not sent yet go to the corrected address, and links sent to a wrong one open nothing any more.
    """

    name: Line | None = Field(default=None, description="the customer's name")
    organisation: Line | None = None
    contact: Line | None = Field(default=None, description="contact person, if not the customer")
    phone: Phone | None = None
    email: Email | None = None
    language: Language | None = Field(
        default=None, description="what the customer is written to in"
    )
    model: Line | None = None
    serial_number: Line | None = None
    site: Line | None = None
    remove: tuple[Removable, ...] = Field(
        default=(),
        max_length=len(Removable),
        description="what is wrong and has nothing instead",
        exclude_if=lambda removed: not removed,
    )
    reason: Text = Field(default="", description="how it was found out")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Amend:
        both = [name for name in self.remove if getattr(self, name) is not None]
        if both:
            msg = f"remove: {both[0]} is given and removed: one of the two"
            raise ValueError(msg)
        if twice := repeated(self.remove):
            msg = f"remove: {twice} is named twice"
            raise ValueError(msg)
        if not self.corrections:
            msg = "name: say what is to be corrected"
            raise ValueError(msg)
        return self

    @property
    def corrections(self) -> Mapping[str, str | None]:
        """What is to stand there, by field; None: nothing."""
        given = {name: getattr(self, name) for name in CORRECTABLE}
        return {name: said for name, said in given.items() if said is not None} | dict.fromkeys(
            map(str, self.remove)
        )


class Amended(Amend):
    """With what stood there before, as far as it was something else; ``redirects`` if what was sent
    before may have gone to somebody else.
    """

    was: dict[str, str | None] = Field(default_factory=dict)
    redirects: bool = False


def amend(issue: Issue, act: Amend, _: datetime) -> Changes:
    """R44: kept with what it was; nothing else of the intake is rewritten. Who is reached elsewhere
    now hears so there, with what did not reach them before.
    """
    stands, comes = standing(issue.intake), act.corrections
    was = {name: stands[name] for name in comes if comes[name] != stands[name]}
    if not was:
        raise Refused("Invalid", f"name: {issue.number} says that already, nothing is to correct")
    corrected(issue.intake, comes)
    moved = [name for name in was if name in _REACHED_BY and _elsewhere(was[name], comes[name])]
    content = act.content() | {"was": was}  # also of what was nothing
    if any(was[name] for name in moved):
        content |= {"redirects": True}
    told = (NotificationRequest(template="amended", to=Audience.CUSTOMER),) if moved else ()
    return {"content": content, "tell": told}


def _elsewhere(was: str | None, comes: str | None) -> bool:
    """Whether another telephone or mailbox is reached now, not only one spelt otherwise."""
    return _address(was) != _address(comes)


def _address(written: str | None) -> str | None:
    if written is None:
        return None
    return mailbox(written) if "@" in written else str(telephone.read(written) or written)


def standing(intake: Intake) -> dict[str, str | None]:
    """Say what is kept of customer and machine, by field."""
    customer = intake.customer
    return {name: getattr(customer, name) for name in OF_CUSTOMER} | {
        name: getattr(intake, name) for name in OF_MACHINE
    }


def corrected(intake: Intake, corrections: Mapping[str, str | None]) -> Intake:
    """Return an intake with what was corrected.

    Raises:
        Refused: ``Invalid``: nobody could be reached any more, or it is none of such.
    """
    customers = {name: said for name, said in corrections.items() if name in OF_CUSTOMER}
    machines = {name: said for name, said in corrections.items() if name in OF_MACHINE}
    try:
        customer = Customer.model_validate(dict(intake.customer) | customers)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)[0]
        field = found["loc"][0] if found["loc"] else "phone"
        raise Refused("Invalid", f"{field}: {found['msg'].removeprefix('Value error, ')}") from None
    return intake.model_copy(update={"customer": customer, **machines})


def as_told(intake: Intake, was: Mapping[str, str | None]) -> Intake:
    """Return an intake as it came in, before it was corrected; ``was`` is what stood first."""
    return corrected(intake, was) if was else intake


def first(amended: Iterable[Mapping[str, str | None]]) -> dict[str, str | None]:
    """Say what stood first of all that was corrected, by what stood before each correction."""
    stood: dict[str, str | None] = {}
    for was in amended:
        stood = {**was, **stood}
    return stood


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.ADD_NOTE,
        AddNote,
        Rule(ALWAYS, STAFF | {Role.CLERK}, own=True),
        add_note,
        aside=True,
    ),
    Action(
        ActionName.AMEND,
        Amend,
        Rule(ALWAYS, SUPERVISORS | {Role.AGENT}),
        amend,
        keeps=Amended,
        aside=True,
    ),
)
