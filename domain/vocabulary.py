"""The desk's words (regulation, vocabulary and R1-R5) as closed sets, and the models' base."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WrapValidator,
)

from domain import texts


class Model(BaseModel):
    """Base of every value that crosses a boundary: immutable, and a misspelt field is an error.
    What was wrong is named by its field, not quoted: it may be a customer's (R30), and long.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True
    )


_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)
_WRITTEN_BY_US = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII)


def _instant(said: object, read: Callable[[object], datetime]) -> datetime:
    """Bring an instant into UTC, where most are already, as what we wrote ourselves: an issue has
    dozens. No bare number is taken for seconds since 1970, for nobody means that.
    """
    if isinstance(said, datetime) and said.tzinfo is UTC:
        return said
    if isinstance(said, str) and _WRITTEN_BY_US.fullmatch(said):
        try:
            return datetime.fromisoformat(said)
        except ValueError:  # there is no such day, which pydantic says better
            pass
    if isinstance(said, int | float) or (isinstance(said, str) and _NUMBER.fullmatch(said.strip())):
        raise ValueError("write date, time and offset, like 2026-11-23T09:00:00+08:00")
    try:
        return read(said).astimezone(UTC)
    except OverflowError:
        raise ValueError("no such instant in UTC: the calendar ends before it") from None


Instant = Annotated[AwareDatetime, WrapValidator(_instant)]
"""A point in time. Naive input is refused; whatever zone comes in, UTC is kept."""


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        raise ValueError(
            f'"{zone}" is no time zone: give an IANA name such as Asia/Shanghai'
        ) from None
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone by name."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.+-]+$")]
"""A short identifier out of a roster, a policy or an intake system."""

Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$"),
    BeforeValidator(texts.clean_line),
]
"""One line of text that a person reads."""

CalledBy = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$"),
    BeforeValidator(texts.clean_line),
]
"""A name short enough for a column."""

LONGEST_TEXT = 10_000
"""Characters: Temporal refuses payloads over 2 MB, people long before."""
_WRITTEN = r"^[^\x00]*$"  # PostgreSQL keeps every character but this one

Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=_WRITTEN),
    BeforeValidator(texts.clean),
]
"""Free text that may not be empty."""

Text = Annotated[
    str,
    StringConstraints(max_length=LONGEST_TEXT, pattern=_WRITTEN),
    BeforeValidator(texts.clean),
    BeforeValidator(texts.nothing_if_blank),
]
"""Free text, or none."""

Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
"""Yuan, to the fen."""

LOWEST_SCORE, HIGHEST_SCORE = -50, 200
Score = Annotated[int, Field(ge=LOWEST_SCORE, le=HIGHEST_SCORE)]
"""Per cent of what was to be expected (R26)."""


class Language(StrEnum):
    """What somebody is written to in."""

    ZH = "zh"
    EN = "en"


def _in_both(written: object) -> object:
    """Take one text for both languages."""
    return {"zh": written, "en": written} if isinstance(written, str) else written


class Named(Model):
    """What something is called in Chinese and in English."""

    zh: CalledBy
    en: CalledBy

    def said(self, language: Language) -> str:
        """Say it in that language."""
        return self.zh if language is Language.ZH else self.en

    @property
    def both(self) -> tuple[str, str]:
        """Chinese and English."""
        return self.zh, self.en


Name = Annotated[Named, BeforeValidator(_in_both)]
"""A name in both languages, or one text that is it in both."""


class Channel(StrEnum):
    """How the issue reached the desk (R1)."""

    TELEPHONE = "telephone"
    WEBSITE = "website"
    EMAIL = "email"
    CHAT = "chat"
    WALK_IN = "walk_in"


class Behaviour(StrEnum):
    """What the desk does about a kind of issue (R3, R37): which kinds there are and how they are
    called is the policy's, what becomes of them is one of these. A fault is to run again; a
    complaint is verified and has a form of its own; a paid service is surveyed, quoted and
    accepted; an enquiry is answered, a suggestion thanked for; and all else is seen to.
    """

    FAULT = "fault"
    COMPLAINT = "complaint"
    PAID_SERVICE = "paid_service"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"
    PLAIN = "plain"


class Severity(StrEnum):
    """R5."""

    GENERAL = "general"
    MAJOR = "major"


class Verdict(StrEnum):
    """What looking into a complaint showed (R19)."""

    UNFOUNDED = "unfounded"
    GENERAL = "general"
    MAJOR = "major"


class Means(StrEnum):
    """What a customer who writes means, as far as they or whoever takes it down say: any words;
    their part is done; they need more time for it; the announced time suits them or does not; it is
    not solved.
    """

    WORDS = "words"
    DONE = "done"
    MORE_TIME = "more_time"
    FITS = "fits"
    DOES_NOT_FIT = "does_not_fit"
    NOT_SOLVED = "not_solved"


class Consent(StrEnum):
    """What a customer says to it that their issue is passed on (R35)."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


class ServiceItem(StrEnum):
    """What a customer scores (R26)."""

    PRE_SALES = "pre_sales"
    PROJECT = "project"
    AFTER_SALES = "after_sales"


class CustomerType(StrEnum):
    """R2."""

    INDIVIDUAL = "individual"
    ENTERPRISE = "enterprise"
    PARTNER = "partner"
    """An agent of ours, a partner, or who wants to be one (R37)."""


class Role(StrEnum):
    """Who somebody is when they act on an issue; an auditor only looks."""

    INTAKE = "intake"
    CUSTOMER = "customer"
    AGENT = "agent"
    ENGINEER = "engineer"
    CLERK = "clerk"
    LEAD = "lead"
    MANAGER = "manager"
    GM_OFFICE = "gm_office"
    AUDITOR = "auditor"
    SYSTEM = "system"


ESCALATION: tuple[Role, ...] = (Role.ENGINEER, Role.LEAD, Role.MANAGER, Role.GM_OFFICE)
"""Escalation levels 0 to 3: the engineer and the three above (regulation, vocabulary; R13)."""

SUPERVISORS = frozenset(ESCALATION[1:])


class Audience(StrEnum):
    """Whom a message is for; the roster turns it into a person with a contact."""

    CUSTOMER = "customer"
    AGENT = "agent"
    HANDLER = "handler"
    EXPERT = "expert"
    CLERK = "clerk"
    LEAD = "lead"
    MANAGER = "manager"
    GM_OFFICE = "gm_office"


class Stage(StrEnum):
    """Where an issue is in its life."""

    REGISTERED = "registered"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    SURVEYING = "surveying"
    QUOTING = "quoting"
    CONFIRMING = "confirming"
    APPROVING = "approving"
    WAITING = "waiting"
    RESOLVED = "resolved"
    REPLIED = "replied"
    CALLBACK = "callback"
    REOPENED = "reopened"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a closed issue ended: solved; the complaint was unfounded; not ours to solve; the
    quotation was declined, not approved or never answered; another issue speaks for it; or the work
    was broken off.
    """

    SOLVED = "solved"
    NOT_REACHED = "not_reached"
    UNFOUNDED = "unfounded"
    OUT_OF_SCOPE = "out_of_scope"
    DECLINED = "declined"
    NOT_APPROVED = "not_approved"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"


class Actor(Model):
    """Who does something: a person of the roster, or a system."""

    id: Code
    role: Role

    def __str__(self) -> str:
        return f"{self.id} ({self.role})"


DESK = Actor(id="desk", role=Role.SYSTEM)
"""The desk itself, for what happens by the clock."""


def repeated(names: Iterable[str]) -> str | None:
    """Return the first name that comes a second time, if any."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
