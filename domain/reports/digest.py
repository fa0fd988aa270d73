"""The morning's digest of a department, for its lead: what is overdue, what is due today, whose
customers have no answer, and who it waits for. Issues by number, nobody's customer by name (R30).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from domain.vocabulary import Model

NAMED = 5
"""So many issues are named in a digest; how many there are it says."""


class WaitsFor(StrEnum):
    """Who is to do something about an open issue, if it is nobody who handles it."""

    CUSTOMER = "customer"
    MANAGER = "manager"
    AGENT = "agent"
    CLERK = "clerk"
    NOBODY = "nobody"


WAITS_FOR: Mapping[WaitsFor, tuple[str, str]] = {
    WaitsFor.CUSTOMER: ("客户", "the customer"),
    WaitsFor.MANAGER: ("审批", "an approval"),
    WaitsFor.AGENT: ("热线", "the hotline"),
    WaitsFor.CLERK: ("回访", "the callback"),
    WaitsFor.NOBODY: ("尚无人接手", "nobody yet"),
}


class Standing(NamedTuple):
    """How an open issue of a department stands this morning; ``waits_for`` is somebody's name, or
    one of ``WaitsFor``.
    """

    department: str
    number: str
    waits_for: str
    overdue: bool
    due_today: bool
    answered: bool


class Digest(Model):
    """What a lead reads in the morning."""

    department: str
    open: int
    overdue: tuple[str, ...]
    due_today: tuple[str, ...]
    unanswered: int
    waiting: tuple[tuple[str, int], ...]

    @property
    def says_something(self) -> bool:
        """Whether anybody has to read it."""
        return bool(self.overdue or self.due_today or self.unanswered)

    def said(self) -> dict[str, object]:
        """Return what a message says of it, in both languages."""
        return {
            "open": self.open,
            "overdue": len(self.overdue),
            "overdue_issues": _named(self.overdue),
            "due_today": len(self.due_today),
            "due_today_issues": _named(self.due_today),
            "unanswered": self.unanswered,
            "waiting": {
                "zh": "、".join(f"{_who(whom)[0]} {number}" for whom, number in self.waiting),
                "en": ", ".join(f"{_who(whom)[1]} {number}" for whom, number in self.waiting),
            },
        }


def digests(issues: Iterable[Standing]) -> dict[str, Digest]:
    """Sum up the open issues, department by department; those that are late come as they came."""
    by_department: dict[str, list[Standing]] = {}
    for each in issues:
        by_department.setdefault(each.department, []).append(each)
    return {department: _of(department, found) for department, found in by_department.items()}


def _of(department: str, issues: list[Standing]) -> Digest:
    waiting = Counter(each.waits_for for each in issues)
    return Digest(
        department=department,
        open=len(issues),
        overdue=tuple(each.number for each in issues if each.overdue),
        due_today=tuple(each.number for each in issues if each.due_today and not each.overdue),
        unanswered=sum(not each.answered for each in issues),
        waiting=tuple(sorted(waiting.items(), key=lambda found: (-found[1], found[0]))),
    )


def _named(numbers: tuple[str, ...]) -> dict[str, str]:
    more = len(numbers) > NAMED
    return {
        "zh": "、".join(numbers[:NAMED]) + " 等" * more,
        "en": ", ".join(numbers[:NAMED]) + " and others" * more,
    }


def _who(whom: str) -> tuple[str, str]:
    """Call somebody by name, or by what they are waited for."""
    return WAITS_FOR[WaitsFor(whom)] if whom in set(WaitsFor) else (whom, whom)
