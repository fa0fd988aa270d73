"""How the doors say no: problem details (RFC 9457) to programs, a page to people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from runtime.textfiles import explain
from starter.client import Refused, Unavailable
from store import AWAY

RETRY_AFTER = 5
"""Seconds after which it is worth asking again when a server is away."""
PROBLEM = "application/problem+json"

_STATUS = {
    "Invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "NotFound": HTTPStatus.NOT_FOUND,
    "NotAllowed": HTTPStatus.CONFLICT,
    "NotYours": HTTPStatus.FORBIDDEN,
}


class Problem(Exception):  # noqa: N818  a refusal is an answer
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


def not_let_in(detail: str) -> Problem:
    """Say that nobody knows who is asking."""
    headers = {"WWW-Authenticate": 'Bearer realm="yinuo"'}
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers=headers)


def not_yours(detail: str) -> Problem:
    """Say that this person has no right to it."""
    return Problem(HTTPStatus.FORBIDDEN, detail, type_="urn:yinuo:NotYours")


def refusal(refused: Refused) -> Problem:
    """Tell a refusal of the desk; one that names a field first names it for programs too."""
    status = _STATUS.get(refused.type, HTTPStatus.BAD_REQUEST)
    more: dict[str, Any] = {}
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        more["errors"] = [_named(line) for line in refused.message.splitlines()]
    return Problem(status, refused.message, type_=f"urn:yinuo:{refused.type}", **more)


def invalid(error: ValidationError | RequestValidationError) -> Problem:
    """Tell which fields are wrong, without quoting what was in them (R30)."""
    wrong = [
        {
            "field": ".".join(str(part) for part in each["loc"] if part != "body"),
            "reason": explain(each, show_found=False),
        }
        for each in error.errors()
    ]
    said = "; ".join(f"{each['field']}: {each['reason']}" for each in wrong)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, type_="urn:yinuo:Invalid", errors=wrong)


def away(detail: str) -> Problem:
    """Say that a server does not answer: nothing is lost, ask again."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        type_="urn:yinuo:Unavailable",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


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
        case HTTPException():
            return Problem(
                HTTPStatus(error.status_code), str(error.detail), headers=dict(error.headers or {})
            )
        case _:  # Unavailable, or PostgreSQL itself
            return away(
                f"the desk does not answer now: send the same again ({type(error).__name__})"
            )


def respond(problem: Problem) -> Response:
    """Write a problem down."""
    body = {
        "type": problem.type,
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        **problem.more,
    }
    return JSONResponse(body, problem.status.value, headers=problem.headers, media_type=PROBLEM)


async def _handle(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return respond(_of(error))


def install(app: FastAPI) -> None:
    """Let the app answer with problem details whatever goes wrong."""
    for kind in (
        *(Problem, Refused, Unavailable, ValidationError, RequestValidationError, HTTPException),
        *AWAY,
    ):
        app.add_exception_handler(kind, _handle)
