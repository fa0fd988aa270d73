"""An issue's thread: all that was said and done about it, who said it, when and by which door, in
the order in which the desk heard of it; and who reads which of the words (R30).

It is made of what is kept anyway (``domain.issue.entries``). Whether what an action says may leave
the house is a row of ``READ``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field, TypeAdapter

from domain.issue.actions import ActionName
from domain.vocabulary import Audience, Instant, Means, Model, Role, Stage

_instant: TypeAdapter[datetime] = TypeAdapter(Instant)


class Visibility(StrEnum):
    """How far something may go."""

    CUSTOMER = "customer"
    """The customer said it, or is told it."""
    STAFF = "staff"
    """What staff write of their work, for whoever sees the issue; the customer is not quoted it."""
    INTERNAL = "internal"
    """Between those who work on the issue."""


class Sort(StrEnum):
    """What an entry is made of, in the order of one instant: a step before what it tells."""

    ACT = "act"
    WORDS = "words"
    """What came in beside the issue, and was kept with it."""
    LETTER = "letter"
    """A letter as it came."""
    ATTACHMENT = "attachment"
    MESSAGE = "message"
    """What the desk wrote to somebody."""
    CALL = "call"
    """A call that the telephone system recorded (R45)."""


class Holds(StrEnum):
    """What kind of thing was said."""

    TEXT = "text"
    """In somebody's words."""
    NAME = "name"
    """Somebody or something by their code."""
    CODE = "code"
    """One of a set of the vocabulary."""
    YES_NO = "yes_no"
    NUMBER = "number"
    AMOUNT = "amount"
    """Yuan."""
    INSTANT = "instant"


class Said(Model):
    """One thing that was said. ``field`` is what the form calls it; ``name`` is whose code a value
    is, if that is known. ``confidential``: the customer's own words, or words to them (R30).
    """

    field: str
    holds: Holds
    value: str | bool | int
    name: str | None = None
    visibility: Visibility = Visibility.STAFF
    confidential: bool = False

    @property
    def instant(self) -> datetime:
        """The value of what holds an instant."""
        return _instant.validate_python(self.value)


class Who(Model):
    """Somebody: a person of the roster, the customer, a system. ``name`` if the roster has one; no
    role: nobody wrote it down.
    """

    id: str
    role: Role | None = None
    name: str | None = None


class Sent(Model):
    """What became of a message; ``handed_to`` is who was to bring what no channel could."""

    template: str
    audience: Audience
    channel: str | None
    status: str
    settled_at: Instant | None
    handed_to: Who | None = None


class Entry(Model):
    """One entry of the thread. ``at`` is when it happened, ``recorded_at`` when the desk heard of
    it; ``said_at`` when it happened by a word that does not count so far. ``door``: by which it
    came in, None where nobody kept that. ``to``: who has the issue from then on, or for whom a
    message is. ``withheld``: there are words here that its reader may not see.
    """

    id: str = Field(description="of this entry, the same for ever")
    number: str = Field(description="of the issue that it belongs to")
    sort: Sort
    seq: int | None = Field(
        default=None, description="the step that it is, or that gave rise to it"
    )
    action: ActionName | None = None
    at: Instant
    recorded_at: Instant
    said_at: Instant | None = None
    who: Who
    door: str | None = None
    stage: Stage | None = None
    to: Who | None = None
    sent: Sent | None = None
    said: tuple[Said, ...] = ()
    visibility: Visibility = Visibility.STAFF
    withheld: bool = False

    @property
    def quotes(self) -> bool:
        """Whether the customer's own words, or a stranger's, are in it, or words to them."""
        theirs = self.action is ActionName.CUSTOMER_WROTE
        return any((each.confidential or theirs) and each.holds is Holds.TEXT for each in self.said)

    @property
    def by_stranger(self) -> bool:
        """Whether nobody knows whose words these are."""
        return self.says("known") is False

    def says(self, field: str) -> str | bool | int | None:
        """Return what was said in a field; None: nothing."""
        return next((each.value for each in self.said if each.field == field), None)


# By which door ------------------------------------------------------------------------------------


class Door(StrEnum):
    """By which way in something came, told by the first part of its step's key."""

    PAGE = "page"
    LINK = "link"
    API = "api"
    COMMAND_LINE = "cli"
    LETTER = "letter"
    WEBHOOK = "webhook"
    SIGNAL = "complete"
    DESK = "desk"
    """Nobody's: it happened by the clock."""
    TELEPHONE = "telephone"
    """The telephone system's."""


_DOORS: Mapping[str, Door] = {
    **{door.value: door for door in Door},
    **dict.fromkeys(("letters", "came back"), Door.LETTER),
}
_KEYED = re.compile(r"[0-9a-f]{64}")
"""A key of the HTTP interface that its caller chose: a hash of it."""


def door_of(key: str, role: Role) -> Door | None:
    """Say by which door a step came in; None: nobody kept that."""
    if role is Role.SYSTEM:
        return Door.DESK
    if _KEYED.fullmatch(key):
        return Door.API
    return _DOORS.get(key.partition(":")[0])


# Who reads what an action says --------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """Who reads what is said with an action. ``by_customer``: it is theirs, whoever wrote it down;
    ``told``: they are told it; ``by_another``: it is another customer's, whose issue was merged
    into this one. All else is for staff, or if ``internal``, for whoever works on it.
    """

    by_customer: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    by_another: frozenset[str] = frozenset()
    internal: bool = False
    told_if: str | None = None
    """The yes by which they are told it; None: always."""


def _reading(
    by_customer: str = "", told: str = "", *, internal: bool = False, told_if: str | None = None
) -> Reading:
    return Reading(
        frozenset(by_customer.split()),
        frozenset(told.split()),
        internal=internal,
        told_if=told_if,
    )


READ: Mapping[ActionName, Reading] = {
    ActionName.TAKE: _reading(),
    ActionName.ANSWER: _reading(told="solution"),
    ActionName.REPORT_TEST: _reading("worked words"),
    ActionName.CALM: _reading(internal=True),
    ActionName.VERIFY: _reading(told="findings"),
    ActionName.ACCEPT: _reading(told="expected_at"),
    ActionName.REPORT_PROGRESS: _reading(told="expected_at told"),
    ActionName.WAIT_FOR_CUSTOMER: _reading(told="ask"),
    ActionName.RESUME: _reading(),
    ActionName.TRANSFER: _reading("consent_words"),
    ActionName.REASSIGN: _reading("consent_words"),
    ActionName.CONSULT: _reading(internal=True),
    ActionName.SURVEY: _reading(),
    ActionName.QUOTE: _reading(told="work amount"),
    ActionName.CONFIRM: _reading("agreed words", "work amount"),
    ActionName.APPROVE: _reading(),
    ActionName.PROPOSE_REMEDY: _reading(internal=True),
    ActionName.DECIDE_REMEDY: _reading(told="what amount", internal=True, told_if="approved"),
    ActionName.RECORD_REMEDY: _reading("accepted words"),
    ActionName.RESOLVE: _reading(told="result"),
    ActionName.CONTACT_CUSTOMER: _reading("reached words", "told result"),
    ActionName.CHASE: _reading(internal=True),
    ActionName.RECORD_CALLBACK: _reading("reached running satisfied words"),
    ActionName.EVALUATE: _reading("item technical attitude comment person"),
    ActionName.RATE_DIFFICULTY: _reading(internal=True),
    ActionName.ESCALATE: _reading(),
    ActionName.WITHDRAW: _reading(told="told"),
    ActionName.CUSTOMER_WROTE: _reading("words means sender"),
    ActionName.ADD_NOTE: _reading(told="words", internal=True, told_if="for_customer"),
    ActionName.AMEND: _reading(internal=True),
    ActionName.LINK: _reading(),
    ActionName.MERGE: _reading(),
    ActionName.ABSORB: _reading(),
    ActionName.MERGED: _reading(),
    ActionName.REPLAN: _reading(),
}
"""Of every action that people take, and what comes of a merge, which has their reason with it; what
the customer does themselves is theirs to the last word. What else the desk does is staff's to read.
"""

_BY_ITSELF = Reading()


def reading_of(action: ActionName | None) -> Reading:
    """Say who reads what is said with an action; None: it is none."""
    return READ.get(action, _BY_ITSELF) if action else _BY_ITSELF


def _their_words(field: str) -> Said:
    return Said(
        field=field,
        holds=Holds.TEXT,
        value="",
        visibility=Visibility.CUSTOMER,
        confidential=True,
    )


INTAKE: Mapping[str, Said] = {
    "title": Said(field="title", holds=Holds.TEXT, value="", visibility=Visibility.CUSTOMER),
    "description": _their_words("description"),
    "consent": Said(field="consent", holds=Holds.CODE, value=""),
    "consent_words": _their_words("consent_words"),
}
"""What an intake says in words, and to being passed on (R35); the title is on every list."""


class Reader(NamedTuple):
    """What somebody reads of a thread: the customer's words and those to them, what staff write of
    their work, what those who work on it say among each other.
    """

    conversation: bool
    work: bool
    internal: bool


CUSTOMER = Reader(conversation=True, work=False, internal=False)
"""The customer, and whoever registered the issue for them."""


def read_by(reader: Reader, entries: Iterable[Entry]) -> list[Entry]:
    """Show somebody what is theirs to read. Who sees the work sees that something happened, also
    where the words are not theirs. Others see what concerns the customer; and what a message told
    them of a step stands for that step.
    """
    if reader.work:
        return [_cut(entry, reader) for entry in entries]
    theirs = [e for e in entries if e.visibility is Visibility.CUSTOMER]
    told = {(e.number, e.seq) for e in theirs if e.sort is Sort.MESSAGE and _speaks_to_them(e)}
    return [
        _cut(entry, reader)
        for entry in theirs
        if entry.sort is not Sort.ACT or is_theirs(entry) or (entry.number, entry.seq) not in told
    ]


def for_customer(entries: Iterable[Entry]) -> list[Entry]:
    """Show the customer what they said and what they were told, and nothing else."""
    return read_by(CUSTOMER, entries)


def is_confidential(entries: Iterable[Entry]) -> bool:
    """Say whether a customer's words are among what is shown: a look to be written down (R30)."""
    return any(each.confidential for entry in entries for each in entry.said)


def _speaks_to_them(entry: Entry) -> bool:
    """Whether a message is the customer's to read; an agent may have to telephone it."""
    return any(each.visibility is Visibility.CUSTOMER for each in entry.said)


def is_theirs(entry: Entry) -> bool:
    """Whether the customer said something with it."""
    reading = reading_of(entry.action)
    by_them = entry.seq == 1 or entry.who.role is Role.CUSTOMER
    return by_them or any(each.field in reading.by_customer for each in entry.said)


def _cut(entry: Entry, reader: Reader) -> Entry:
    said = tuple(each for each in entry.said if _readable(each, reader))
    hidden = any(each.holds is Holds.TEXT for each in entry.said if each not in said)
    if not reader.work:  # nothing hints at what is between colleagues
        return entry.model_copy(update={"said": said})
    return entry.model_copy(update={"said": said, "withheld": hidden})


def _readable(said: Said, reader: Reader) -> bool:
    match said.visibility:
        case Visibility.INTERNAL:
            return reader.internal and (reader.conversation or not said.confidential)
        case Visibility.STAFF:
            return reader.work and (reader.conversation or not said.confidential)
    return reader.conversation or not said.confidential


# Words that wait for somebody ---------------------------------------------------------------------

ACTED = frozenset(
    {
        *(ActionName.ACCEPT, ActionName.REPORT_PROGRESS, ActionName.WAIT_FOR_CUSTOMER),
        *(ActionName.ANSWER, ActionName.VERIFY, ActionName.SURVEY, ActionName.QUOTE),
        *(ActionName.RESOLVE, ActionName.RESUME),
    }
)
"""By these somebody acts on what the customer said before."""

_ASKS: Mapping[ActionName, Callable[[Entry], bool]] = {
    ActionName.REPORT_TEST: lambda entry: entry.says("worked") is False,
    ActionName.RECORD_CALLBACK: lambda entry: (
        entry.says("running") is False
        or entry.says("satisfied") is False
        or entry.says("conflict") is True
    ),
    ActionName.CONFIRM: lambda _: True,
    ActionName.CUSTOMER_WROTE: lambda entry: entry.says("means") != Means.FITS,
}
"""With which acts a customer's words ask for something; a thank-you waits for nobody."""
ASKING = frozenset(_ASKS)
_HEARD: Mapping[ActionName, str] = {
    ActionName.REPORT_TEST: "worked",
    ActionName.RECORD_CALLBACK: "running",
}
"""By these somebody may write down what the customer told them, and that all is well."""


def open_words(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Find what the customer said since somebody last acted on what they say, oldest first: they
    stand on top until somebody does.
    """
    found: list[Entry] = []
    for entry in entries:
        if entry.action in ACTED or _all_is_well(entry):
            found.clear()
        elif _asks(entry) and entry.quotes:
            found.append(entry)
    return tuple(found)


BY_OURS = frozenset({"added", "note"})
"""Why words are kept that somebody of ours wrote down."""
BY_THE_DESK = frozenset({"not_attached"})
"""Why words are kept that the desk itself wrote about what came in."""
THEIRS = frozenset({"added", "passed_on"})
"""Why words are kept that are the customer's. A letter that came under the id of an issue may be
anybody's, and what staff note of an issue that is over is between them.
"""
ASK_NOTHING = frozenset({"note", "passed_on"})
"""Why words are kept that wait for nobody here."""


def _asks(entry: Entry) -> bool:
    if entry.action is None:
        return entry.sort is Sort.WORDS and entry.says("why") not in ASK_NOTHING
    asks = _ASKS.get(entry.action)
    return asks is not None and asks(entry)


def _all_is_well(entry: Entry) -> bool:
    """Whether one of us spoke with the customer, and there is nothing left to act on."""
    ours = entry.who.role not in {Role.CUSTOMER, Role.INTAKE}
    field = _HEARD.get(entry.action) if entry.action else None
    return ours and field is not None and entry.says(field) is True and not _asks(entry)
