"""An issue's thread: all that was said and done about it, who said it, when and by which door, in
the order in which the desk heard of it; and who reads which of the words (R30).

It is made of what is kept anyway: events, kept words, letters, attachments, messages. What an
action says is read off its model, so that a new one shows its words by itself; whether they may
leave the house is a row of ``READ``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from pydantic import Field, TypeAdapter

from domain.issue.actions import ACTIONS, Act, ActionName
from domain.issue.lateness import Registered
from domain.vocabulary import DESK, LONGEST_TEXT, Audience, Instant, Means, Model, Role, Stage

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
    ActionName.ANSWER: _reading(told="solution"),
    ActionName.REPORT_TEST: _reading("worked words"),
    ActionName.VERIFY: _reading(told="findings"),
    ActionName.ACCEPT: _reading(told="expected_at"),
    ActionName.REPORT_PROGRESS: _reading(told="expected_at told"),
    ActionName.WAIT_FOR_CUSTOMER: _reading(told="ask"),
    ActionName.RESUME: _reading(),
    ActionName.TRANSFER: _reading(),
    ActionName.REASSIGN: _reading(),
    ActionName.CONSULT: _reading(internal=True),
    ActionName.SURVEY: _reading(),
    ActionName.QUOTE: _reading(told="work amount"),
    ActionName.CONFIRM: _reading("agreed words", "work amount"),
    ActionName.APPROVE: _reading(),
    ActionName.RESOLVE: _reading(told="result"),
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

INTAKE: Mapping[str, Said] = {
    "title": Said(field="title", holds=Holds.TEXT, value="", visibility=Visibility.CUSTOMER),
    "description": Said(
        field="description",
        holds=Holds.TEXT,
        value="",
        visibility=Visibility.CUSTOMER,
        confidential=True,
    ),
}
"""What an intake says in words; the title is on every list."""


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
    reading = READ.get(entry.action, _BY_ITSELF) if entry.action else _BY_ITSELF
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
            return reader.internal
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


# Made of what is kept -----------------------------------------------------------------------------

People = Mapping[str, str]
"""Names of the roster, by the codes of people."""
Row = Mapping[str, Any]
"""What is kept of an entry, by name."""

_OUR_LINKS = re.compile(r"[!-~]*/l/[A-Za-z0-9_.-]{16,}")
"""Whoever has a link acts as whom it was sent to: nobody reads it over their shoulder."""

_WAYS = re.compile(r"\n*^[^\n:]{1,60}: …$", re.MULTILINE)


def without_ways(message: str) -> str:
    """Leave out of a message that is shown the lines that were a link of ours and nothing else:
    whom they led here is here.
    """
    return _WAYS.sub("", message)


def made_of(sort: Sort, row: Row, people: People) -> Entry:
    """Make an entry of what is kept: of a ``row`` of its sort's table, see ``store.thread``."""
    said = tuple(_named(each, people) for each in _SAID[sort](row) if each.value != "")
    entry = _MADE[sort](row, people).model_copy(update={"said": said})
    if sort is Sort.ACT:
        entry = entry.model_copy(update={"visibility": _widest(row, said)})
    return entry


def _act(row: Row, people: People) -> Entry:
    role = Role(row["role"])
    first = row["seq"] == 1
    return Entry(
        id=f"{Sort.ACT}:{row['number']}:{row['seq']}",
        number=row["number"],
        sort=Sort.ACT,
        seq=row["seq"],
        action=row["action"],
        at=row["at"],
        recorded_at=row["recorded_at"],
        said_at=row["content"].get("at"),
        who=_who(row["actor"], role, people),
        door=row["channel"] if first else door_of(row["key"], role),
        stage=row["stage"],
        to=Who(**row["engineer"]) if row["engineer"] else None,
    )


def _words(row: Row, people: People) -> Entry:
    return Entry(
        id=f"{Sort.WORDS}:{row['key']}",
        number=row["number"],
        sort=Sort.WORDS,
        at=row["at"],
        recorded_at=row["at"],
        who=_who(row["sender"] or Role.CUSTOMER, None, people)
        if row["why"] in BY_OURS
        else Who(id=Role.CUSTOMER, role=Role.CUSTOMER),
        door=row["door"],
        visibility=_of_kept(row),
    )


def _letter(row: Row, _: People) -> Entry:
    return Entry(
        id=f"{Sort.LETTER}:{row['id']}",
        number=row["number"],
        sort=Sort.LETTER,
        at=row["received_at"],
        recorded_at=row["received_at"],
        who=Who(id=Role.CUSTOMER, role=Role.CUSTOMER),
        door=Door.LETTER,
        visibility=Visibility.INTERNAL,
    )


def _attachment(row: Row, people: People) -> Entry:
    return Entry(
        id=f"{Sort.ATTACHMENT}:{row['id']}",
        number=row["number"],
        sort=Sort.ATTACHMENT,
        at=row["at"],
        recorded_at=row["at"],
        who=_who(row["actor"], Role(row["role"]), people),
        door=row["door"],
        visibility=_of_attached(row),
    )


def _message(row: Row, people: People) -> Entry:
    others = row["others"]
    theirs = Audience(row["audience"]) is Audience.CUSTOMER and not others
    handed_to = row["handed_to"]
    return Entry(
        id=f"{Sort.MESSAGE}:{row['key']}",
        number=row["number"],
        sort=Sort.MESSAGE,
        seq=row["seq"],
        at=row["created_at"],
        recorded_at=row["created_at"],
        who=Who(id=DESK.id, role=DESK.role),
        to=_who(
            others or row["recipient"], Role.CUSTOMER if _is_to_a_customer(row) else None, people
        ),
        sent=Sent(
            handed_to=_who(handed_to, None, people) if handed_to else None,
            **{name: row[name] for name in Sent.model_fields if name != "handed_to"},
        ),
        visibility=Visibility.CUSTOMER if theirs else Visibility.STAFF,
    )


_MADE: Mapping[Sort, Callable[[Row, People], Entry]] = {
    Sort.ACT: _act,
    Sort.WORDS: _words,
    Sort.LETTER: _letter,
    Sort.ATTACHMENT: _attachment,
    Sort.MESSAGE: _message,
}


def _who(id_: str, role: Role | None, people: People) -> Who:
    return Who(id=id_, role=role, name=people.get(id_))


def _is_to_a_customer(row: Row) -> bool:
    """Whether a message is a customer's to read: an agent may have to telephone it. Whose that is,
    if not this issue's, its number says in ``others``: theirs was merged into this one (R30).
    """
    return bool(row["audience"] == row["recipient"] == Audience.CUSTOMER)


def _of_kept(row: Row) -> Visibility:
    return Visibility.CUSTOMER if row["why"] in THEIRS else Visibility.INTERNAL


def _of_attached(row: Row) -> Visibility:
    return Visibility.CUSTOMER if row["shown_to"] == "customer" else Visibility.INTERNAL


def _widest(row: Row, said: tuple[Said, ...]) -> Visibility:
    if row["seq"] == 1:
        return Visibility.CUSTOMER
    reached = {each.visibility for each in said}
    only_internal = reached == {Visibility.INTERNAL}
    usual = Visibility.INTERNAL if only_internal else Visibility.STAFF
    return Visibility.CUSTOMER if Visibility.CUSTOMER in reached else usual


# What was said ------------------------------------------------------------------------------------


def _said_with_act(row: Row) -> Iterator[Said]:
    for name, intake in (INTAKE if row["seq"] == 1 else {}).items():
        yield intake.model_copy(update={"value": _shown(row[name])})
    asked = fields(ActionName(row["action"]))
    content = {name: said for name, said in row["content"].items() if name != "at"}
    reading = _reading_of(row, content)
    for name in dict.fromkeys((*(name for name in asked if name in content), *content)):
        holds, usual_is_no = asked.get(name, _UNKNOWN)
        if content[name] is False and usual_is_no:
            continue
        visibility, confidential = _reach(reading, name, holds)
        for part, value in _flat(name, content[name]):
            yield Said(
                field=part,
                holds=holds,
                value=_shown(value),
                visibility=visibility,
                confidential=confidential,
            )


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Take one thing after the other: of several people each, of a whole its parts."""
    if isinstance(value, Mapping):
        for part, each in value.items():
            yield from _flat(f"{name}.{part}", each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _flat(name, each)
    elif value is not None:
        yield name, value


def _reading_of(row: Row, content: Mapping[str, Any]) -> Reading:
    usual = READ.get(row["action"], _BY_ITSELF)
    if content.get("known") is False:  # a stranger's, whatever they say: not the customer's to read
        return replace(usual, by_customer=frozenset(), internal=True)
    if content.get("of"):
        return replace(usual, by_customer=frozenset(), by_another=usual.by_customer)
    if usual.told_if and not content.get(usual.told_if):
        usual = replace(usual, told=frozenset())
    if row["role"] == Role.CUSTOMER:
        usual = replace(usual, by_customer=frozenset(content) - usual.told)
    return usual


def _reach(reading: Reading, name: str, holds: Holds) -> tuple[Visibility, bool]:
    if name in reading.by_customer:
        return Visibility.CUSTOMER, holds in {Holds.TEXT, Holds.NAME}
    if name in reading.told:
        return Visibility.CUSTOMER, False
    if name in reading.by_another:
        return Visibility.STAFF, holds in {Holds.TEXT, Holds.NAME}
    return Visibility.INTERNAL if reading.internal else Visibility.STAFF, False


def _said_with_words(row: Row) -> Iterator[Said]:
    visibility = _of_kept(row)
    for name in ("subject", "body"):
        yield _text(name, row[name], visibility, confidential=True)
    yield Said(field="why", holds=Holds.CODE, value=row["why"])
    if row["why"] not in BY_OURS:
        internal = Visibility.INTERNAL
        yield Said(field="sender", holds=Holds.NAME, value=row["sender"], visibility=internal)


def _said_with_letter(row: Row) -> Iterator[Said]:
    internal = Visibility.INTERNAL
    yield Said(field="letter", holds=Holds.NAME, value=row["id"], visibility=internal)
    yield Said(field="size", holds=Holds.NUMBER, value=row["size"], visibility=internal)


def _said_with_attachment(row: Row) -> Iterator[Said]:
    for name, holds, value in (
        ("file", Holds.NAME, row["name"]),
        ("kind", Holds.CODE, row["kind"]),
        ("size", Holds.NUMBER, row["size"]),
    ):
        confidential = holds is Holds.NAME
        visibility = _of_attached(row)
        yield Said(
            field=name, holds=holds, value=value, visibility=visibility, confidential=confidential
        )


def _said_with_message(row: Row) -> Iterator[Said]:
    confidential = _is_to_a_customer(row)
    theirs = confidential and not row["others"]
    visibility = Visibility.CUSTOMER if theirs else Visibility.INTERNAL
    for name in ("subject", "body", "full_text"):
        yield _text(name, row[name] or "", visibility, confidential=confidential)


_SAID: Mapping[Sort, Callable[[Row], Iterator[Said]]] = {
    Sort.ACT: _said_with_act,
    Sort.WORDS: _said_with_words,
    Sort.LETTER: _said_with_letter,
    Sort.ATTACHMENT: _said_with_attachment,
    Sort.MESSAGE: _said_with_message,
}


def _text(field: str, value: str, visibility: Visibility, *, confidential: bool) -> Said:
    return Said(
        field=field,
        holds=Holds.TEXT,
        value=_shown(value),
        visibility=visibility,
        confidential=confidential,
    )


def _shown(value: Any) -> str | bool | int:
    if isinstance(value, bool | int):
        return value
    return _OUR_LINKS.sub("…", str(value)).strip()


def _named(said: Said, people: People) -> Said:
    if said.holds is not Holds.NAME or str(said.value) not in people:
        return said
    return said.model_copy(update={"name": people[str(said.value)]})


# What a model asks for ----------------------------------------------------------------------------


class Asked(NamedTuple):
    """A field of an action's model: what it holds, and whether "no" goes without saying."""

    holds: Holds
    usual_is_no: bool = False


_UNKNOWN = Asked(Holds.TEXT)
"""What an earlier version asked for, and nobody knows any more."""


@cache
def fields(action: ActionName) -> Mapping[str, Asked]:
    """Say what an action is kept with, by the names under which it is kept, in its order."""
    form: type[Act] = ACTIONS[action].kept if action in ACTIONS else Registered
    schema = form.model_json_schema()
    defs = schema.get("$defs", {})
    return {
        name: Asked(_holds(each, defs), each.get("default") is False)
        for name, each in schema["properties"].items()
        if name not in Act.model_fields
    }


_BY_TYPE: Mapping[str, Holds] = {
    "boolean": Holds.YES_NO,
    "integer": Holds.NUMBER,
    "number": Holds.AMOUNT,
}


def _holds(each: Mapping[str, Any], defs: Mapping[str, Any]) -> Holds:
    """Say what a field holds, from its JSON Schema."""
    kinds = [kind for kind in each.get("anyOf", [each]) if kind.get("type") != "null"]
    said = kinds[0] | defs.get(str(kinds[0].get("$ref", "")).rpartition("/")[2], {})
    if said.get("type") == "array":
        return _holds(said.get("items", {}), defs)
    if said.get("type") in _BY_TYPE:
        return _BY_TYPE[said["type"]]
    if "enum" in said:
        return Holds.CODE
    if said.get("format") == "date-time":
        return Holds.INSTANT
    return Holds.TEXT if said.get("maxLength") == LONGEST_TEXT else Holds.NAME
