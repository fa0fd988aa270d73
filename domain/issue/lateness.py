"""Lateness, said honestly: what was overdue before the desk knew of it, and what only somebody's
own word makes punctual (R11-R13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import Field

from domain.issue.act import Act
from domain.issue.state import NotificationRequest
from domain.issue.thresholds import SILENCE
from domain.sla.promise import Promise, PromiseEnd
from domain.vocabulary import ESCALATION, Actor, Audience, Model

_ABOVE: Mapping[Audience, int] = {Audience(role): n for n, role in enumerate(ESCALATION) if n}


class Registered(Act):
    """What an event of a registration says beside its intake: the thresholds, by promise, that had
    passed before the issue was registered, and count as one.
    """

    missed: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=lambda v: not v)


class Late(Model):
    """What had passed before an issue was registered: the promises, ticked off that far; how high
    it rises by that, and who is told besides customer and handler, who read it with the news that
    it is registered, and theirs.
    """

    promises: tuple[Promise, ...]
    missed: dict[str, tuple[str, ...]]
    level: int
    tell: tuple[NotificationRequest, ...]


def late(promises: Iterable[Promise], now: datetime) -> Late:
    """R13: what was missed before the desk knew of it counts as one. Of the superiors only the
    highest is told that it would have come to by now: the customer had nobody below to hear from.
    What passes on by itself (R10) is left to its clock.
    """
    were = tuple(promises)
    are = tuple(p if p.kind in SILENCE else p.overtaken(now) for p in were)
    passed = {p.key: p.marks[: p.reached] for p in are if p.reached}
    marks = [mark for each in passed.values() for mark in each]
    return Late(
        promises=are,
        missed={key: tuple(mark.name for mark in each) for key, each in passed.items()},
        level=max((mark.level for mark in marks), default=0),
        tell=_told(tuple(to for mark in marks for to in mark.tell)),
    )


def _told(audiences: Sequence[Audience]) -> tuple[NotificationRequest, ...]:
    highest = max((to for to in audiences if to in _ABOVE), key=_ABOVE.__getitem__, default=None)
    others = (to for to in audiences if to in {Audience.AGENT, Audience.CLERK})
    told = dict.fromkeys((*others, *((highest,) if highest else ())))
    return tuple(NotificationRequest(template="late", to=to) for to in told)


def by_own_word(
    promises: Iterable[Promise], before: Iterable[Promise], by: Actor, now: datetime
) -> tuple[tuple[Promise, ...], tuple[NotificationRequest, ...]]:
    """Mark the promises that only a word about the past makes kept, or lets stand still in time. Of
    those that people were told are broken somebody above whoever gave that word hears.
    """
    was = {promise.key: promise for promise in before}
    marked = tuple(p.heard(now, was[p.key]) if p.key in was else p for p in promises)
    changed = (was[p.key] for p in marked if p.key in was and p.own_word_at == now)
    if not any(promise.end is PromiseEnd.BROKEN for promise in changed):
        return marked, ()
    level = ESCALATION.index(by.role) if by.role in ESCALATION else 0
    above = Audience(ESCALATION[min(level + 1, len(ESCALATION) - 1)])
    return marked, (NotificationRequest(template="own_word", to=above),)
