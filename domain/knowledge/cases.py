"""The case library (R8, R29): known solutions, who proposed them, what reviewers make of them.

A case is proposed, by hand or out of a resolved issue; a lead or a manager approves it, perhaps in
better words, and only then do agents find it. What is wrong or out of date is retired, not deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from domain.errors import Refused
from domain.knowledge.search_terms import normalised, stored_terms
from domain.vocabulary import Actor, Code, Instant, Line, Model, Role, Text, Words

REVIEWERS = frozenset({Role.LEAD, Role.MANAGER})
"""Who may say what the hotline tells customers."""


class CaseStatus(StrEnum):
    """Agents find approved cases only."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RETIRED = "retired"


class Change(StrEnum):
    """What happened to a case: what its history is told by."""

    PROPOSE = "propose"
    APPROVE = "approve"
    REJECT = "reject"
    REVISE = "revise"
    RETIRE = "retire"


def _distinct(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """Keep each keyword once, however it is written."""
    kept: dict[str, str] = {}
    for word in keywords:
        kept.setdefault(normalised(word), word)
    return tuple(kept.values())


Keyword = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$")]
Keywords = Annotated[tuple[Keyword, ...], Field(max_length=20), AfterValidator(_distinct)]


class Content(Model):
    """What a case says."""

    title: Line
    question: Words = Field(description="what customers report, in their words")
    solution: Words = Field(description="what helps, in words that can be told to the customer")
    product_line: Code | None = Field(default=None, description="None: for all of them")
    keywords: Keywords = Field(default=(), description="what else it is asked by")


class Draft(Content):
    """A case as it is proposed. One that comes out of an issue is proposed once a generation."""

    issue_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    generation: Annotated[int, Field(ge=1)] | None = None
    proposed_by: Code
    proposed_at: Instant

    @model_validator(mode="after")
    def _names_the_generation(self) -> Self:
        if (self.issue_id is None) != (self.generation is None):
            msg = "generation: it goes with an issue_id, and only with one"
            raise ValueError(msg)
        return self


class KnownCase(Draft):
    """A case as the register has it. ``note`` is what was said about the last change; the ones
    before are in its history.
    """

    number: Code
    issue_number: str | None = None
    revision: int = Field(description="counts the changes")
    status: CaseStatus
    reviewed_by: Code | None = None
    reviewed_at: Instant | None = None
    change: Change
    changed_by: Code
    changed_at: Instant
    note: Text = ""
    used: int = 0
    last_used_at: Instant | None = None


class Correction(Model):
    """What a reviewer changes of a case's content; None leaves a field as it is. A product line is
    taken away, so that the case is for all, by ``for_all``.
    """

    title: Line | None = None
    question: Words | None = None
    solution: Words | None = None
    product_line: Code | None = None
    keywords: Keywords | None = None
    for_all: bool = False

    @model_validator(mode="after")
    def _one_or_all(self) -> Self:
        if self.for_all and self.product_line:
            msg = "product_line: give one, or take it away, not both"
            raise ValueError(msg)
        return self

    def applied_to(self, case: KnownCase) -> KnownCase:
        """Return the case in the corrected words."""
        given = self.model_dump(exclude_none=True, exclude={"for_all"})
        return case.model_copy(update=given | ({"product_line": None} if self.for_all else {}))


class Ruling(Model):
    """What a lead or a manager decides about a case."""

    change: Change
    by: Actor
    at: Instant
    note: Text = Field(default="", description="why; a reason is needed to reject and to retire")
    correction: Correction = Correction()


class _Rule(NamedTuple):
    """From which statuses to which; whether a reason must be given, and words may be corrected."""

    stands: frozenset[CaseStatus]
    becomes: CaseStatus | None
    reason: bool = False
    corrects: bool = False


_RULES: Mapping[Change, _Rule] = {
    Change.APPROVE: _Rule(
        frozenset({CaseStatus.PROPOSED, CaseStatus.RETIRED}), CaseStatus.APPROVED, corrects=True
    ),
    Change.REJECT: _Rule(frozenset({CaseStatus.PROPOSED}), CaseStatus.RETIRED, reason=True),
    Change.REVISE: _Rule(
        frozenset({CaseStatus.PROPOSED, CaseStatus.APPROVED}), None, corrects=True
    ),
    Change.RETIRE: _Rule(frozenset({CaseStatus.APPROVED}), CaseStatus.RETIRED, reason=True),
}
_REVIEWS = frozenset({Change.APPROVE, Change.REJECT})


def ruled(case: KnownCase, ruling: Ruling) -> KnownCase:
    """Return the case as it is after the ruling.

    Raises:
        Refused: ``NotYours`` unless a lead or a manager says so; ``NotAllowed`` for a case of
            another status; ``Invalid`` where a reason is missing, or nothing is changed.
    """
    rule = _RULES[ruling.change]
    if ruling.by.role not in REVIEWERS:
        raise Refused("NotYours", f"{ruling.by} cannot review cases: a lead or a manager does")
    if case.status not in rule.stands:
        possible = " or ".join(sorted(rule.stands))
        raise Refused(
            "NotAllowed",
            f"{case.number} is {case.status}: {ruling.change} is for what is {possible}",
        )
    if rule.reason and not ruling.note:
        raise Refused("Invalid", f"note: to {ruling.change} {case.number}, say why")
    corrected = ruling.correction.applied_to(case)
    if corrected != case and not rule.corrects:
        raise Refused("Invalid", f"title: to {ruling.change} a case leaves its words as they are")
    if corrected == case and rule.becomes is None:
        raise Refused("Invalid", f"{case.number} says that already: nothing is changed")
    if rule.becomes is CaseStatus.APPROVED and not stored_terms(corrected.title):
        raise Refused(
            "Invalid", f"title: {case.number} could not be found by it: give a better one"
        )
    reviewed = {"reviewed_by": ruling.by.id, "reviewed_at": ruling.at}
    return corrected.model_copy(
        update={
            "status": rule.becomes or case.status,
            "revision": case.revision + 1,
            "change": ruling.change,
            "changed_by": ruling.by.id,
            "changed_at": ruling.at,
            "note": ruling.note,
            **(reviewed if ruling.change in _REVIEWS else {}),
        }
    )


def findable(title: str) -> bool:
    """Say whether a title has words: an issue may be called "???", a case may not."""
    return bool(stored_terms(title))


def unusable_titles(titles: Iterable[tuple[str, str]], known: Mapping[str, str]) -> list[str]:
    """Say which titles of new cases cannot be found, or are there already: each with what stands
    before a reason (``cases.json, entry 3: ``); ``known`` are those of the library with numbers.
    """
    wrong = []
    earlier: dict[str, str] = {}
    for where, title in titles:
        if not findable(title):
            wrong.append(f"{where}title: holds no word it could be found by")
        elif before := known.get(title) or earlier.get(title):
            wrong.append(f"{where}title: {before} has it already: revise that case, or say more")
        earlier.setdefault(title, where.removesuffix(": "))
    return wrong


class Solved(Model):
    """What the forms of a solved issue say, and what in them is the customer's own."""

    issue_id: str
    generation: int
    product_line: Code
    title: Line
    description: Text
    result: Words
    cause: Text = ""
    private: tuple[str, ...] = Field(description="names, addresses, numbers of this customer")

    def draft(self, by: str, at: datetime) -> Draft:
        """Propose it, without what is the customer's own (R30): every agent reads a case, and tells
        it to other customers. The reviewer puts it into words.
        """
        solution = f"{self.result}\n原因：{self.cause}" if self.cause else self.result
        return Draft(
            title=without(self.title, self.private),
            question=without(self.description or self.title, self.private),
            solution=without(solution, self.private)[:_LONGEST],
            product_line=self.product_line,
            issue_id=self.issue_id,
            generation=self.generation,
            proposed_by=by,
            proposed_at=at,
        )


_LONGEST = 10_000
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?\d(?:[ ()-]?\d){6,}", re.ASCII)
"""Mail addresses; telephone, card and account numbers, however they are grouped."""


def without(text: str, private: Iterable[str]) -> str:
    """Take out of a text the words that are private, and numbers that look it. Longer ones go
    first, so that of 天河支行 in 广州天河支行 no half stays; single characters are words of others.
    """
    for each in sorted(private, key=len, reverse=True):
        text = text.replace(each, "…") if len(each) > 1 else text
    return _PERSONAL.sub("…", text)
