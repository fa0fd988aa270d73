"""Entries of a thread, made of what is kept: events, words, letters, attachments, messages. What an
action says is read off its model, so that a new one shows its words by itself; how far each may go
is ``READ``'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from domain.issue.actions import ActionName
from domain.issue.asked import UNKNOWN, fields
from domain.issue.thread import (
    BY_OURS,
    BY_THE_DESK,
    INTAKE,
    THEIRS,
    Door,
    Entry,
    Holds,
    Reading,
    Said,
    Sent,
    Sort,
    Visibility,
    Who,
    door_of,
    reading_of,
)
from domain.vocabulary import DESK, Audience, Role

People = Mapping[str, str]
"""Names of the roster, by the codes of people."""
Row = Mapping[str, Any]
"""What is kept of an entry, by name."""

_OUR_LINKS = re.compile(r"[!-~]*/l/[A-Za-z0-9_.-]{16,}")
"""Whoever has a link acts as whom it was sent to: nobody reads it over their shoulder."""

_WAYS = re.compile(r"\n*^[^\n:：]{1,60}(?:: |：)…$", re.MULTILINE)


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
        who=_who_wrote(row, people),
        door=row["door"],
        visibility=_of_kept(row),
    )


def _who_wrote(row: Row, people: People) -> Who:
    """Say whose kept words are; what the desk says of a letter's files nobody else said."""
    if row["why"] in BY_OURS:
        return _who(row["sender"] or Role.CUSTOMER, None, people)
    if row["why"] in BY_THE_DESK:
        return Who(id=DESK.id, role=DESK.role)
    return Who(id=Role.CUSTOMER, role=Role.CUSTOMER)


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


def _call(row: Row, people: People) -> Entry:
    theirs = row["direction"] == "incoming"
    agent = row["agent"]
    return Entry(
        id=f"{Sort.CALL}:{row['key']}",
        number=row["number"],
        sort=Sort.CALL,
        at=row["at"],
        recorded_at=row["heard_at"],
        who=Who(id=Role.CUSTOMER, role=Role.CUSTOMER)
        if theirs
        else _who(agent or DESK.id, None if agent else DESK.role, people),
        door=Door.TELEPHONE,
    )


_MADE: Mapping[Sort, Callable[[Row, People], Entry]] = {
    Sort.ACT: _act,
    Sort.WORDS: _words,
    Sort.LETTER: _letter,
    Sort.ATTACHMENT: _attachment,
    Sort.MESSAGE: _message,
    Sort.CALL: _call,
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
        yield intake.model_copy(update={"value": _shown(row[name] or "")})
    asked = fields(ActionName(row["action"]))
    content = {name: said for name, said in row["content"].items() if name != "at"}
    reading = _reading_of(row, content)
    for name in dict.fromkeys((*(name for name in asked if name in content), *content)):
        holds, usual_is_no = asked.get(name, UNKNOWN)
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
    usual = reading_of(row["action"])
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


def _said_with_call(row: Row) -> Iterator[Said]:
    """Who works on the issue and may read its conversation may hear the recording."""
    lost = row["direction"] == "incoming" and row["talk_seconds"] is None
    for name, holds, value in (
        ("direction", Holds.CODE, row["direction"]),
        ("lost", Holds.YES_NO, True if lost else ""),
        ("ring_seconds", Holds.NUMBER, row["ring_seconds"]),
        ("talk_seconds", Holds.NUMBER, row["talk_seconds"]),
        ("answered_by", Holds.NAME, row["agent"] if row["direction"] == "incoming" else None),
    ):
        yield Said(field=name, holds=holds, value="" if value is None else value)
    yield Said(
        field="recording",
        holds=Holds.NAME,
        value=row["recording"] or "",
        visibility=Visibility.INTERNAL,
        confidential=True,
    )


_SAID: Mapping[Sort, Callable[[Row], Iterator[Said]]] = {
    Sort.ACT: _said_with_act,
    Sort.WORDS: _said_with_words,
    Sort.LETTER: _said_with_letter,
    Sort.ATTACHMENT: _said_with_attachment,
    Sort.MESSAGE: _said_with_message,
    Sort.CALL: _said_with_call,
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
