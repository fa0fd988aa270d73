"""What programs send and get at the HTTP interface, where it is not the domain's own form."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import Header, Path, Response
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)

from domain.finding import LONGEST, Answer
from domain.issue.actions import ActionName, Resolve
from domain.issue.arrival import Arrival
from domain.issue.intake import Intake
from domain.issue.thread import Entry
from domain.issue.view import IssueView, for_outsiders
from domain.staff.access import Caller, Reach, Right, reach
from domain.vocabulary import Code, Instant, Model, Role, Words
from starter.client import Opened
from starter.register import Filter, Kept, Narrowed
from starter.registers import KeptLetter, Position
from web.problems import none_of_ours, place

Number = Annotated[
    str,
    Path(
        max_length=140,
        pattern=r"^[\w.+:-]+$",
        description="the issue's number, or its id `issue:source:reference`",
        examples=["20261123-07-0001"],
    ),
]
LetterId = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{16}$",
        description="the letter's `id` in the list",
        examples=["4f3c2a90d1e7b685"],
    ),
]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="makes a repeated request the same one",
        examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ),
]


def _plus(said: object) -> object:
    """Read the space that a plus sign is in a URL."""
    return said.replace(" ", "+") if isinstance(said, str) and "T" in said else said


When = Annotated[Instant, BeforeValidator(_plus)]
"""An instant in a URL."""

_AGENT = re.compile(r"[0-9]{2,4}")
_code: TypeAdapter[str] = TypeAdapter(Code)
_instant: TypeAdapter[datetime] = TypeAdapter(When)


def body(form: type[Model], *, without: str) -> Any:
    """Make the model of what is sent: the form as it is, without what the door knows better."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in form.model_fields.items()
        if name != without
    }
    return create_model(form.__name__, __base__=Model, __doc__=form.__doc__, **fields)


def _optional(name: str) -> Any:
    field = Intake.model_fields[name]
    kept = Annotated[field.annotation, *field.metadata]  # type: ignore[name-defined]
    return kept | None, Field(default=None, description=field.description)


_FILLED_IN = ("source", "reference", "agent", "reported_at")
NewIssue: Any = create_model(
    Intake.__name__,
    __base__=Arrival,
    __doc__=Intake.__doc__,
    **{name: _optional(name) for name in _FILLED_IN},
)
"""An intake, of which the caller leaves out what the door knows."""
Result = body(Resolve, without="by")


class Wanted(Narrowed):
    """Which issues to list; what is left out does not filter."""

    open: bool = Field(default=True, description="only open ones; false: closed ones too")
    overdue: bool = Field(default=False, description="only those with a broken running promise")
    queued: bool = Field(
        default=False, description="only those in a queue of the hotline, taken or not (R36)"
    )
    calls: bool = Field(
        default=False, description="only those whose customer the agent is to call (R13, R34)"
    )
    provisional: bool = Field(
        default=False, description="only those with a promise the next notice may move (R32)"
    )
    find: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)] | None = Field(
        default=None,
        description="a number or its end, a telephone, a name, words that were said: in this order "
        "the number itself, open issues, the newest; goes with `limit` only",
    )
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(
        default=None, max_length=1000, description="`next` of the page before; opaque"
    )
    updated_since: str | None = Field(
        default=None,
        max_length=1000,
        description="only those with a step written down since: `as_of` of a list, or `next` of "
        "events, misses none; an instant counts from a minute earlier, and takes it for granted "
        "that nothing takes longer to be written. With `open=false`, or those that closed are not "
        "among them",
        examples=["2026-11-23T01:00:00Z"],
    )

    @model_validator(mode="after")
    def _found_is_found_among_all(self) -> Wanted:
        if self.find is not None and (others := self.model_fields_set - {"find", "limit"}):
            msg = f"find: goes with limit only, not with {', '.join(sorted(others))}"
            raise ValueError(msg)
        return self

    @property
    def filter(self) -> Filter:
        """As the register takes it.

        Raises:
            Problem: 422, ``updated_since`` is neither a position nor an instant.
        """
        same = self.model_dump(exclude={"open", "cursor", "find", "updated_since"})
        return Filter(**same, open_only=self.open, updated_since=_since(self.updated_since))


def _since(said: str | None) -> datetime | Position | None:
    if said is None:
        return None
    with suppress(ValueError):
        return Position.read(said)
    with suppress(ValueError):
        return _instant.validate_python(said)
    raise none_of_ours("updated_since", "send `as_of` of a list, or an instant with its offset")


class Issues(BaseModel):
    """A page of the list: nearest due first, then newest."""

    items: list[IssueView]
    next: str | None = Field(description="send it as `cursor` for the next page; null: no more")
    as_of: str = Field(
        description="send that of the first page as `updated_since` later, for what changed since"
    )
    found: Answer | None = Field(
        default=None,
        description="with `find`: by what each of them was found",
        exclude_if=lambda found: found is None,
    )


class KeptWords(BaseModel):
    """What else was written about an issue."""

    items: list[Kept]


class Reading(Model):
    """From where on a thread is read, and how much of it."""

    after: str | None = Field(
        default=None, max_length=2000, description="`next` of the page before; opaque"
    )
    limit: int = Field(default=50, ge=1, le=200)


class ThreadEntry(Entry):
    """One entry of an issue's thread. ``at`` is when it happened, ``recorded_at`` when the desk
    heard of it; ``door``: by which it came in, null where nobody kept that; ``to``: who has the
    issue from then on, or for whom a message is; ``withheld``: there are words here that are not
    the caller's to read.
    """

    @classmethod
    def of(cls, entry: Entry) -> ThreadEntry:
        """Show an entry, which needs no second check."""
        return cls.model_construct(**dict(entry))


class ThreadPage(BaseModel):
    """A page of an issue's thread, oldest first."""

    items: list[ThreadEntry]
    next: str | None = Field(description="send it as `after` for the next page; null: no more yet")
    open_words: list[ThreadEntry] = Field(
        description="what the customer said since somebody last acted on their words"
    )


class NewWords(Model):
    """What is added to an issue."""

    subject: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""
    body: Words


class Added(BaseModel):
    """Words are kept with an issue."""

    number: str = Field(description="of the issue")
    new: bool = Field(description="false: the same words were kept with it before")


class Letters(BaseModel):
    """The letters of an issue that are kept, in the order they came."""

    items: list[KeptLetter]


class Pending(BaseModel):
    """An issue that is accepted; its number follows when PostgreSQL is back."""

    id: str = Field(description="`GET /issues/{id}` tells the number as soon as there is one")
    source: str
    reference: str
    number: None = None
    detail: Literal["accepted, the number follows: ask for the id, or send the same again"] = (
        "accepted, the number follows: ask for the id, or send the same again"
    )


def answer(told: BaseModel, status: int = 200, **headers: str) -> Response:
    """Write an answer: what the desk made needs no second check."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(told.model_dump_json(), int(status), named, "application/json")


def as_seen(caller: Caller, issue: IssueView) -> IssueView:
    """Show an issue as somebody reads it who may see it: what staff noted is not everybody's."""
    outside = reach(caller.role, Right.READ_WORK) is Reach.NONE
    return for_outsiders(issue) if outside else issue


def opened_as(opened: Opened, intake: Intake, caller: Caller) -> Response:
    """Answer whoever registered an issue, at whichever door."""
    if opened.view is None:
        pending = Pending(id=intake.issue_id, source=intake.source, reference=intake.reference)
        return answer(pending, HTTPStatus.ACCEPTED, Location=place(intake.issue_id))
    status = HTTPStatus.CREATED if opened.new else HTTPStatus.OK
    return answer(as_seen(caller, opened.view), status, Location=place(opened.view.number))


def intake_of(said: BaseModel, key: str | None, caller: Caller, now: datetime) -> Intake:
    """Fill in what the caller left out and the door knows.

    Raises:
        ValidationError: something is still missing, or goes with nothing else.
    """
    known: dict[str, Any] = {"reported_at": now}
    if key is not None:
        known["reference"] = _reference(key)
    if caller.role is Role.INTAKE:
        known["source"] = caller.id
    if caller.role is Role.AGENT and _AGENT.fullmatch(caller.id):
        known["agent"] = caller.id
    return Intake.model_validate(known | said.model_dump(exclude_none=True))


def update_id(caller: Caller, name: ActionName, key: str | None) -> str:
    """Make a caller's key an update's id: somebody else's same key is another one. Without a key it
    is an act that nobody sends again, and its id tells no more than the door.
    """
    if key is None:
        return f"api:{uuid4().hex}"
    return sha256(f"{caller.role}\n{caller.id}\n{name}\n{key}".encode()).hexdigest()


def _reference(key: str) -> str:
    """Take the key for the intake system's own reference; 64 hex digits where it is no code."""
    try:
        return _code.validate_python(key)
    except ValidationError:
        return sha256(key.encode()).hexdigest()
