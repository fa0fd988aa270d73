"""Policy: every figure of the regulation as data. First match wins.

A ``Rulebook`` is a policy together with the calendars it speaks of. It is stored once under the
hash of its content and never changed; an issue remembers the version it was promised under.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from domain.calendar import WorkingCalendar
from domain.promises import DUE, PromiseKind
from domain.vocabulary import (
    Audience,
    Category,
    Code,
    CustomerType,
    Instant,
    Kind,
    Model,
    Role,
    Severity,
    Zone,
)

Clock = Literal["working", "elapsed"]
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h|d)")
_DAYS = re.compile(r"(\d+) working days?")
_PERCENT = re.compile(r"(\d{1,3})%")


class WorkingDays(Model):
    """A period in working days (R31): the first is not counted, it ends at close of business."""

    days: Annotated[int, Field(gt=0)]

    def __str__(self) -> str:
        return f"{self.days} working day{'s' if self.days > 1 else ''}"


class TimeBudget(Model):
    """A period in time, from the moment itself (R31); working or elapsed is the clock's matter."""

    span: Annotated[timedelta, Field(gt=timedelta(0))]
    written: str

    def __str__(self) -> str:
        return self.written


Period = WorkingDays | TimeBudget


def read_period(text: object) -> Period:
    """Read ``"30min"``, ``"2h"``, ``"1d"`` (24 hours) or ``"3 working days"``.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(text, WorkingDays | TimeBudget):
        return text
    written = text if isinstance(text, str) else ""
    if days := _DAYS.fullmatch(written):
        return WorkingDays(days=int(days[1]))
    if span := _SPAN.fullmatch(written):
        return TimeBudget(span=timedelta(seconds=float(span[1]) * _UNITS[span[2]]), written=written)
    found = f'"{text}"' if isinstance(text, str) else text
    raise ValueError(f'{found} is no period: write "30min", "2h", "1d" or "3 working days"')


WrittenPeriod = Annotated[
    Period, BeforeValidator(read_period), PlainSerializer(str, when_used="json")
]


class MarkRule(Model):
    """A threshold: when it is reached, who is told, and how high the issue rises."""

    at: str = Field(description='"75%", "100%", "+2h", "+1 working day"')
    tell: tuple[Audience, ...] = ()
    level: Literal[Role.LEAD, Role.MANAGER, Role.GM_OFFICE] | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> MarkRule:
        if self.share is None and not self.at.startswith("+"):
            msg = f'"{self.at}" is no threshold: write "75%", "100%", "+2h" or "+1 working day"'
            raise ValueError(msg)
        if self.share is None:
            read_period(self.at[1:])
        return self

    @property
    def share(self) -> float | None:
        """The share of the promised time, 0 to 1, or None for a threshold after the due instant."""
        percent = _PERCENT.fullmatch(self.at)
        if percent is None or not 0 < int(percent[1]) <= 100:
            return None
        return int(percent[1]) / 100

    @property
    def after_due(self) -> Period:
        """How long after the due instant; only where there is no ``share``."""
        return read_period(self.at[1:])


class Facts(Model):
    """What a policy may ask about an issue."""

    kind: Kind
    severity: Severity
    category: Category
    product_line: str
    region: str
    centre: str
    customer: CustomerType
    generation: int = 1


# Sorted on the way out: the same rule is the same JSON in every process.
_Sorted = PlainSerializer(sorted, return_type=list[str], when_used="json")


class Selector(Model):
    """Which issues a rule is for; what is left out matches everything."""

    kind: Annotated[frozenset[Kind], _Sorted] = frozenset()
    severity: Annotated[frozenset[Severity], _Sorted] = frozenset()
    category: Annotated[frozenset[Category], _Sorted] = frozenset()
    product_line: Annotated[frozenset[Code], _Sorted] = frozenset()
    region: Annotated[frozenset[Code], _Sorted] = frozenset()
    centre: Annotated[frozenset[Code], _Sorted] = frozenset()
    customer: Annotated[frozenset[CustomerType], _Sorted] = frozenset()

    def matches(self, facts: Facts) -> bool:
        """Say whether the rule is for such an issue."""
        return all(
            not (wanted := getattr(self, name)) or getattr(facts, name) in wanted
            for name in type(self).model_fields
        )


class PromiseRule(Model):
    """One kind of promise for one kind of issue."""

    name: Code
    promise: PromiseKind
    select: Selector = Field(default=Selector(), alias="for")
    within: WrittenPeriod
    clock: Clock = "working"
    calendar: Code = Field(default="centre", description="a calendar, or the centre's own")
    opens: WrittenPeriod | None = Field(
        default=None, description="not before this; working days: from opening time on"
    )
    attempts: Annotated[int, Field(gt=0)] = 1
    marks: tuple[MarkRule, ...]

    @model_validator(mode="after")
    def _breaking_is_noticed(self) -> PromiseRule:
        if DUE not in (mark.at for mark in self.marks):
            msg = f'{self.name}: no "{DUE}" among the marks: nobody would notice a broken promise'
            raise ValueError(msg)
        return self


class Delivery(Model):
    """How long a message is tried before a person is asked to see to it."""

    give_up_after: WrittenPeriod
    first_retry: WrittenPeriod
    longest_retry: WrittenPeriod

    @model_validator(mode="after")
    def _in_elapsed_time(self) -> Delivery:
        periods = (self.give_up_after, self.first_retry, self.longest_retry)
        if any(isinstance(period, WorkingDays) for period in periods):
            msg = 'delivery: write "24h", not working days: channels are tried day and night'
            raise ValueError(msg)
        return self


class Rehearsal(Model):
    """A story played back on real servers, ``speed`` times as fast: calendars are consulted in the
    story's time, timers run in real time.
    """

    story_begins: Instant
    really_begins: Instant
    speed: Annotated[float, Field(gt=0)]

    def to_story(self, at: datetime) -> datetime:
        """Turn a real instant into the story's."""
        return self.story_begins + (at - self.really_begins) * self.speed

    def to_reality(self, at: datetime) -> datetime:
        """Turn an instant of the story into the real one."""
        return self.really_begins + (at - self.story_begins) / self.speed


class Policy(Model):
    """The desk's figures, as written in ``policies/*.toml``."""

    name: Code
    zone: Zone
    routing: dict[Category, Code]
    promises: tuple[PromiseRule, ...] = Field(alias="promise")
    delivery: Delivery
    rehearsal: Rehearsal | None = None

    @model_validator(mode="after")
    def _every_category_has_a_department(self) -> Policy:
        if missing := [category for category in Category if category not in self.routing]:
            msg = f"routing: no department for {', '.join(missing)} (R4)"
            raise ValueError(msg)
        return self

    def rule(self, kind: PromiseKind, facts: Facts) -> PromiseRule | None:
        """Return the first rule for such a promise on such an issue; none means not promised."""
        return next(
            (r for r in self.promises if r.promise is kind and r.select.matches(facts)), None
        )


class Rulebook(Model):
    """A policy with the calendars it was read with: all it takes to plan a promise again."""

    policy: Policy
    calendars: dict[Code, WorkingCalendar]

    @model_validator(mode="after")
    def _calendars_exist(self) -> Rulebook:
        for rule in self.policy.promises:
            if rule.calendar != "centre" and rule.calendar not in self.calendars:
                known = ", ".join(sorted(self.calendars))
                msg = (
                    f"promise {rule.name}: no calendar {rule.calendar}; there are: centre, {known}"
                )
                raise ValueError(msg)
        return self

    @property
    def version(self) -> str:
        """Name it by its content: twelve hex digits of the SHA-256 of its JSON."""
        return hashlib.sha256(self.dump().encode()).hexdigest()[:12]

    def dump(self) -> str:
        """Write it so that ``Rulebook.model_validate_json`` reads the same rulebook back.

        Keys are in order, so that it is the same text, and the same version, also after ``jsonb``
        has put them into an order of its own.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    def calendar(self, name: str) -> WorkingCalendar:
        """Return a calendar by name.

        Raises:
            KeyError: there is none of that name.
        """
        return self.calendars[name]


def calendar_fields(entry: dict[str, Any], national: dict[str, Any]) -> dict[str, Any]:
    """Turn a ``[calendars.x]`` table into ``WorkingCalendar`` fields: ``hours`` on ``days`` (a list
    of weekdays, or a ``week`` table), with the ``national`` days it names.

    Raises:
        ValueError: it names a country whose days were not loaded.
    """
    fields = {
        key: value for key, value in entry.items() if key not in {"hours", "days", "national"}
    }
    if "hours" in entry:
        fields["week"] = dict.fromkeys(entry["days"], entry["hours"])
    if country := entry.get("national"):
        if country not in national:
            msg = f'national = "{country}": there is no such file of national days'
            raise ValueError(msg)
        fields |= national[country]
    return fields
