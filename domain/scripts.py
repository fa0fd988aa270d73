"""What the desk's people say on the telephone (R40): which scripts there are, which places each may
name, and how one is filled in. The words themselves are the desk's own, ``policies/wording.toml``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import product
from typing import Annotated, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import StringConstraints

from domain.callbacks import CaseSummary
from domain.for_customers.situation import staff_number
from domain.issue.follow_up import asks_whether_it_runs
from domain.issue.state import Person
from domain.sla.policy import Bilingual, Desk
from domain.vocabulary import Language, Model


class Script(StrEnum):
    """What is said when."""

    GREETING = "greeting"
    SEARCHING = "searching"
    COMPLAINT = "complaint"
    PASSING_ON = "passing_on"
    PUTTING_THROUGH = "putting_through"
    CALLBACK_GREETING = "callback_greeting"
    CALLBACK_REPAIRED = "callback_repaired"
    CALLBACK_ON_THE_LINE = "callback_on_the_line"
    CALLBACK_ANSWERED = "callback_answered"
    CALLBACK_WELL = "callback_well"
    CALLBACK_NOT_WELL = "callback_not_well"


class Place(StrEnum):
    """What is filled in: ``{machine}``."""

    COMPANY = "company"
    SPEAKER = "speaker"
    NUMBER = "number"
    DEPARTMENT = "department"
    MACHINE = "machine"
    ENGINEER = "engineer"
    ENGINEER_NUMBER = "engineer_number"
    DAY = "day"
    REPORTED = "reported"


class _Places(NamedTuple):
    """The places of a script: those that are known whenever it is said, and those that may be."""

    always: frozenset[Place]
    perhaps: frozenset[Place] = frozenset()


_SPEAKER = frozenset({Place.SPEAKER, Place.NUMBER})
_HERE = _Places(frozenset({Place.COMPANY}), _SPEAKER)
_ON_ITS_WAY = _Places(_HERE.always, _SPEAKER | {Place.DEPARTMENT})
_CALLED_BACK = _Places(
    _HERE.always | {Place.REPORTED},
    _SPEAKER | {Place.DAY, Place.MACHINE, Place.ENGINEER, Place.ENGINEER_NUMBER},
)
PLACES: Mapping[Script, _Places] = {
    Script.GREETING: _HERE,
    Script.SEARCHING: _HERE,
    Script.COMPLAINT: _HERE,
    Script.PASSING_ON: _ON_ITS_WAY,
    Script.PUTTING_THROUGH: _ON_ITS_WAY,
    Script.CALLBACK_GREETING: _HERE,
    Script.CALLBACK_REPAIRED: _CALLED_BACK,
    Script.CALLBACK_ON_THE_LINE: _CALLED_BACK,
    Script.CALLBACK_ANSWERED: _CALLED_BACK,
    Script.CALLBACK_WELL: _HERE,
    Script.CALLBACK_NOT_WELL: _HERE,
}

Known: TypeAlias = Mapping[Place, str]
"""What is known when a script is said. A company may have no name: nothing is said then."""
_NOTHING: Known = {}

_PLACE = re.compile(r"\{(\w+)\}")
_SPACES = re.compile(r"  +")

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Saying(Model):
    """One way to say it, in both languages."""

    zh: Sentence
    en: Sentence

    def said(self, language: Language) -> str:
        """Return the sentence as it is written, with its places."""
        return self.zh if language is Language.ZH else self.en


class Wording(Model):
    """The desk's scripts, and ``when`` each is said. Of the sayings of a script the first is said
    for which all that it names is known. ``never`` are phrases that no script may have: nobody is
    refused outright, or told that they do not matter. What an earlier version kept may lack scripts
    of a later one.
    """

    when: dict[Script, Bilingual]
    scripts: dict[Script, tuple[Saying, ...]]
    never: dict[Language, tuple[Phrase, ...]]

    @property
    def version(self) -> str:
        """Name it by its content, in whatever order the register gives it back."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def say(self, script: Script, language: Language, known: Known) -> str | None:
        """Fill a script in; None: there is none that can be said with what is known."""
        for saying in self.scripts.get(script, ()):
            written = saying.said(language)
            if places(written) <= known.keys():
                filled = _PLACE.sub(lambda place: known[Place(place[1])], written)
                return _SPACES.sub(" ", filled)
        return None


UNWORDED = Wording(when={}, scripts={}, never={})
"""A desk whose scripts were not loaded yet."""

Where: TypeAlias = tuple[str | int, ...]


def places(written: str) -> set[str]:
    """Return what a sentence wants filled in."""
    return set(_PLACE.findall(written))


def mistakes(wording: Wording) -> Iterator[tuple[Where, str]]:
    """Name what a wording lacks, and what it says that it may not, each with its place in the file
    (R40).
    """
    yield from _missing(wording)
    for script, sayings in wording.scripts.items():
        for (number, saying), language in product(enumerate(sayings), Language):
            written = saying.said(language)
            reasons = (
                *_misplaced(script, written, last=saying is sayings[-1]),
                *_rude(written, wording.never.get(language, ())),
            )
            yield from (((script, number, language), reason) for reason in reasons)


def _missing(wording: Wording) -> Iterator[tuple[Where, str]]:
    for script in Script:
        if not all(wording.when.get(script, Bilingual()).model_dump().values()):
            yield ("when", script), "is missing: write in zh and en when this is said"
        if not wording.scripts.get(script):
            yield (script,), f"is missing: write [[{script}]] with zh and en"
    for language in Language:
        if not wording.never.get(language):
            yield ("never", language), "is missing: list the phrases that nobody may say"


def _misplaced(script: Script, written: str, *, last: bool) -> Iterator[str]:
    always, perhaps = PLACES[script]
    there_are = ", ".join(f"{{{each}}}" for each in Place if each in always | perhaps)
    for each in sorted(places(written) - (always | perhaps)):
        yield f"there is no {{{each}}} here; there are: {there_are}"
    if re.search(r"[{}｛｝]", _PLACE.sub("", written)):
        yield f"a place is written like {{{Place.COMPANY}}}; no other braces"
    if last and (uncertain := sorted(places(written) & perhaps)):
        named = ", ".join(f"{{{each}}}" for each in uncertain)
        yield f"{named} may not be known: write one more [[{script}]] below that goes without"


def _rude(written: str, never: Iterable[str]) -> Iterator[str]:
    for phrase in never:
        if phrase.casefold() in written.casefold():
            yield f'nobody may say "{phrase}" ([never]): say what is done instead'


# Who speaks, and of what -----------------------------------------------------------------------


class Spoken(NamedTuple):
    """A script as it is to be said, what stands above it for whoever says it, and its language."""

    script: Script
    when: Bilingual
    words: str
    language: Language


@dataclass(frozen=True)
class Speaker:
    """Somebody of the desk on the telephone; those whose id is no number are called by their name
    alone. None: they are not on the roster.
    """

    wording: Wording
    desk: Desk
    person: Person | None = None

    def say(
        self, script: Script, language: Language | None = None, known: Known = _NOTHING
    ) -> Spoken | None:
        """Fill a script in, in the customer's language or else the desk's; None: the desk has no
        such script.
        """
        language = language or self.desk.language
        words = self.wording.say(script, language, {**self._known(language), **known})
        when = self.wording.when.get(script, Bilingual())
        return Spoken(script, when, words, language) if words else None

    def opening(self, case: CaseSummary, today: date, zone: ZoneInfo) -> Spoken | None:
        """Fill in what a call about this issue asks first (R22): whether the machine runs is asked
        about faults.
        """
        if not asks_whether_it_runs(case.behaviour):
            script = Script.CALLBACK_ANSWERED
        else:
            script = Script.CALLBACK_ON_THE_LINE if case.first_contact else Script.CALLBACK_REPAIRED
        language = case.customer.language or self.desk.language
        return self.say(script, language, _of_case(case, language, today, zone))

    def _known(self, language: Language) -> Known:
        known = {Place.COMPANY: self.desk.company.said(language)}
        if self.person:
            known[Place.SPEAKER] = self.person.name
            if number := staff_number(self.person.id):
                known[Place.NUMBER] = number
        return known


def _of_case(case: CaseSummary, language: Language, today: date, zone: ZoneInfo) -> Known:
    """Say of a callback what was reported when, who saw to it, and when, as far as it is known."""

    def day(at: datetime) -> str:
        return said_day(at.astimezone(zone).date(), today, language)

    model, line, handler = case.model or "", case.product_line, case.handler
    said = {
        Place.REPORTED: day(case.reported_at),
        Place.DAY: day(case.resolved_at) if case.resolved_at else None,
        Place.MACHINE: model if line in model else f"{line} {model}".strip(),
        Place.ENGINEER: handler.name if handler else None,
        Place.ENGINEER_NUMBER: staff_number(handler.id) if handler else None,
    }
    return {place: words for place, words in said.items() if words}


_WEEKDAYS = "一二三四五六日"


def said_day(day: date, today: date, language: Language) -> str:
    """Say a day as people do on the telephone: 昨天（11月29日）, 11月27日（周五）."""
    ago = (today - day).days
    if language is Language.ZH:
        written = f"{day.month}月{day.day}日"
        near = {0: "今天", 1: "昨天"}.get(ago)
        return f"{near}（{written}）" if near else f"{written}（周{_WEEKDAYS[day.weekday()]}）"
    written = f"{day.day} {day:%B}"
    near = {0: "today", 1: "yesterday"}.get(ago)
    return f"{near} ({written})" if near else f"on {day:%A} {written}"
