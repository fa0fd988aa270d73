"""How the doors say no: problem details (RFC 9457) to programs, a page to people."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from domain.attachments import NotTaken
from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.vocabulary import Instant, Stage
from runtime.textfiles import explain
from starter.client import Busy, OtherContent, Unavailable

RETRY_AFTER = 5
"""Seconds after which it is worth asking again when a server is away, or has too much to do."""
PROBLEM = "application/problem+json"
_PROGRAMS = frozenset(
    {
        *("issues", "events", "webhooks", "attachments", "cases", "audit", "inbound"),
        *("telephone", "opinions", "vocabulary"),
        "openapi.json",
        *("healthz", "readyz", "auditz", "metrics", "static"),
    }
)
"""Where programs ask: they get problem details whatever they say they accept."""

_STATUS = {
    "Invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "NotFound": HTTPStatus.NOT_FOUND,
    "NotAllowed": HTTPStatus.CONFLICT,
    "Taken": HTTPStatus.CONFLICT,
    "OtherContent": HTTPStatus.CONFLICT,
    "NotYours": HTTPStatus.FORBIDDEN,
}


_NOT_TAKEN = {
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "kind": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
"""What a file is refused with; for any other reason as whatever is invalid."""


class Wrong(BaseModel):
    """A field that is wrong; the field is empty where it is about several."""

    field: str
    reason: str


class ProblemDetails(BaseModel):
    """Why a request is not answered as it wished (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:yinuo:…` for refusals of the desk, else `about:blank`")
    title: str
    status: int
    detail: str = Field(description="a sentence a person can act on")
    errors: list[Wrong] = Field(default=[], description="422: which fields, and why")
    stage: Stage | None = Field(default=None, description="409: where the issue is")
    allowed: list[ActionName] = Field(
        default=[], description="409: what the caller may do with it there"
    )
    number: str | None = Field(
        default=None, description="409, other content: the issue that stands under the reference"
    )
    recorded_at: Instant | None = Field(
        default=None, description="409, other content: when what stands was recorded"
    )
    differs: list[str] = Field(
        default=[], description="409, other content: the fields in which it is not the same"
    )


class Problem(Exception):
    """Why a request is not answered as it wished; ``more`` goes into the answer as it is."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        type_: str = "about:blank",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.type = type_
        self.headers = headers or {}
        self.more = more


def none_of_ours(field: str, what_to_do: str) -> Problem:
    """Refuse what is no cursor of ours."""
    reason = f"is none of ours: {what_to_do}"
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"{field}: {reason}",
        type_="urn:yinuo:Invalid",
        errors=[{"field": field, "reason": reason}],
    )


class NotLetIn(Problem):
    """Nobody knows who is asking; ``by`` is what they tried to come in by, if they did."""

    def __init__(self, detail: str, by: str = "") -> None:
        headers = {"WWW-Authenticate": 'Bearer realm="yinuo"'}
        super().__init__(HTTPStatus.UNAUTHORIZED, detail, headers=headers)
        self.by = by


def not_let_in(detail: str, by: str = "") -> NotLetIn:
    """Say that nobody knows who is asking."""
    return NotLetIn(detail, by)


class NotYours(Problem):
    """Somebody has no right to it: ``what`` they wanted, with which issue, for the audit trail.
    ``written`` as soon as it stands there.
    """

    def __init__(self, detail: str, what: str | None = None, number: str | None = None) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, detail, type_="urn:yinuo:NotYours")
        self.what = what
        self.number = number
        self.written = False


def not_yours(detail: str, what: str | None = None, number: str | None = None) -> NotYours:
    """Say that this person has no right to it."""
    return NotYours(detail, what, number)


def refusal(refused: Refused) -> Problem:
    """Tell a refusal of the desk; one that names a field first names it for programs too."""
    status = _STATUS.get(refused.type, HTTPStatus.BAD_REQUEST)
    more: dict[str, Any] = {}
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        more["errors"] = [_named(line) for line in refused.message.splitlines()]
    headers: dict[str, str] = {}
    if isinstance(refused, OtherContent):
        more["differs"] = list(refused.fields)
        if refused.stands and refused.at:
            more |= {"number": refused.stands.number, "recorded_at": refused.at.isoformat()}
            headers["Location"] = place(refused.stands.number)
    if isinstance(refused, NotTaken):
        status = _NOT_TAKEN.get(refused.why, status)
    type_ = f"urn:yinuo:{refused.type}"
    return Problem(status, refused.message, type_=type_, headers=headers, **more)


def place(number: str) -> str:
    """Return where an issue is, by its number or its id."""
    return f"/issues/{quote(number, safe=':')}"


def invalid(error: ValidationError | RequestValidationError) -> Problem:
    """Tell which fields are wrong, without quoting what was in them (R30)."""
    requested = isinstance(error, RequestValidationError)
    wrong = [_wrong(each, requested=requested) for each in error.errors()]
    said = "; ".join(": ".join(filter(None, each.values())) for each in wrong)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, type_="urn:yinuo:Invalid", errors=wrong)


def away(detail: str) -> Problem:
    """Say that a server does not answer: nothing is lost, ask again."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        type_="urn:yinuo:Unavailable",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


def too_much(detail: str) -> Problem:
    """Say that too many want something at once: nothing was begun, ask again."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        detail,
        type_="urn:yinuo:Busy",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


def _wrong(each: Any, *, requested: bool) -> dict[str, str]:
    """Name the field. In a request it stands behind where it was: body, path, query or header."""
    if each["type"] == "json_invalid":
        return {"field": "", "reason": "the body is not JSON"}
    place = each["loc"][1:] if requested else each["loc"]
    reason = explain(each, show_found=False)
    return {"field": ".".join(map(str, place)), "reason": reason} if place else _named(reason)


def _named(line: str) -> dict[str, str]:
    field, colon, reason = line.partition(": ")
    known = bool(colon) and field.replace(".", "").replace("_", "").isalnum()
    return {"field": field if known else "", "reason": reason if known else line}


def _of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case Refused():
            return refusal(error)
        case ValidationError() | RequestValidationError():
            return invalid(error)
        case ClientDisconnect():  # whoever types on does so: the next question is under way
            return Problem(HTTPStatus.BAD_REQUEST, "the request broke off")
        case HTTPException():
            return Problem(
                HTTPStatus(error.status_code), str(error.detail), headers=dict(error.headers or {})
            )
        case _:  # Unavailable
            return _unanswered(error)


def _unanswered(error: Exception) -> Problem:
    if isinstance(error, Busy):
        return too_much(str(error))
    return away(f"the desk does not answer now: send the same again ({type(error).__name__})")


def respond(problem: Problem) -> Response:
    """Write a problem down."""
    body = {
        "type": problem.type,
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        **problem.more,
    }
    # What was misspelt is named, and may be no text at all: half of a surrogate pair.
    content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return Response(content, problem.status.value, problem.headers, PROBLEM)


Page = Callable[[Request, Problem], Response]
"""How a problem is told to people."""


def answer(request: Request, problem: Problem) -> Response:
    """Tell a person on a page, and everybody else in problem details."""
    page: Page | None = getattr(request.app.state, "problem_page", None)
    room = request.url.path.split("/")[1]
    person = "text/html" in request.headers.get("accept", "") and room not in _PROGRAMS
    if page is None or not person or problem.status < HTTPStatus.BAD_REQUEST:
        return respond(problem)
    return page(request, problem)


async def _handle(request: Request, error: Exception) -> Response:
    return answer(request, _of(error))


def install(app: FastAPI, page: Page | None = None) -> None:
    """Let the app answer with problem details whatever goes wrong, and people with ``page``."""
    app.state.problem_page = page
    for kind in (
        *(Problem, Refused, Unavailable, ValidationError, RequestValidationError, HTTPException),
        ClientDisconnect,
    ):
        app.add_exception_handler(kind, _handle)
