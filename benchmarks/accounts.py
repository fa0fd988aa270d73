"""Whether anything was lost or doubled: what was asked for, beside what there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.bare.shape import LIFE, Name
from benchmarks.bare.workflow import Told


class Message(NamedTuple):
    """A message as it goes out, and as it comes in."""

    channel: str
    to: str
    subject: str
    body: str


class Lived(NamedTuple):
    """An issue of the register, and what was done about it."""

    id: str
    number: str
    actions: Sequence[str]


def issues_wrong(lived: Sequence[Lived], expected: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Say which issue is missing, is too many, has another's number, or lived otherwise."""
    known = {each.id: each for each in lived}
    for id_ in sorted({*known, *expected}):
        if id_ not in known:
            yield f"{id_} is not in the register"
        elif id_ not in expected:
            yield f"nobody registered {id_}"
        elif list(known[id_].actions) != list(expected[id_]):
            yield f"{id_} lived {', '.join(known[id_].actions)}"
    for number, times in Counter(each.number for each in lived).items():
        if times > 1:
            yield f"{times} issues are {number}"


def messages_wrong(written: Counter[Message], heard: Counter[Message]) -> Iterator[str]:
    """Say which message was heard more or less often than it was written."""
    for message in sorted({*written, *heard}):
        if written[message] != heard[message]:
            yield f"written {written[message]}, heard {heard[message]} times: {message.subject}"


def bare_wrong(told: Told, expected: Collection[Name]) -> str:
    """Say what a bare workflow did not do just once; empty if it did."""
    taken = sorted(done.name for done in told.taken)
    delivered = sorted(done.name for done in told.delivered)
    if taken != sorted(expected):
        return f"took {', '.join(taken)}"
    owed = sorted(name for name in expected for _ in range(LIFE[name].deliveries))
    return "" if delivered == owed else f"delivered for {', '.join(delivered) or 'nothing'}"
