"""The interface's own description (OpenAPI): how every answer is told, and what the framework would
tell otherwise than the doors do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from web.api.examples import SHOWN
from web.problems import PROBLEM, ProblemDetails

_ABOUT = """
The service desk for programs: hand in issues, look at them, act on them.

- **Idempotent.** The same `source` and `reference`, or `Idempotency-Key`, is the same issue.
- **Errors** are problem details (RFC 9457), `application/problem+json`.
- **Instants** are ISO 8601 with an offset; answers are in UTC.

客服台的程序接口:受理、查询、处理。出错时返回 RFC 9457 问题说明。
"""
_TAGS = [
    {"name": "issues", "description": "受理与查询 Hand in issues and look at them"},
    {"name": "actions", "description": "处理 What people do with an issue"},
    {"name": "events", "description": "事件 What happened, for other systems"},
    {"name": "webhooks", "description": "推送 Who else is told what happened"},
    {"name": "evaluations", "description": "评价 What customers score without a link"},
    {"name": "telephone", "description": "通话 What a telephone system recorded"},
    {"name": "reports", "description": "报表 What the management reads of the desk"},
    {"name": "cases", "description": "案例库 Known solutions"},
    {"name": "audit", "description": "审计 Who did or saw what"},
]
_ALWAYS = {
    "401": "nobody knows who is asking: no token, or one that does not count (any more)",
    "403": "the caller has no right to it",
    "422": "something in the request is wrong: `errors` names the fields",
    "429": "too many requests, or acts on one issue at once: go on after `Retry-After`",
    "503": "a server is away: nothing is lost or half-done, send the same again",
}
_BODY = {"400": "the body cannot be read", "413": "the body is too large"}
_NAMED = {"404": "there is none of that number or name"}
NO_REPORT = {"description": "there is no such report"}
NO_REMARK = {"description": "there is no such remark among those that the caller may read"}
_DEED = {
    "409": "not at this stage: `stage` says which it is, `allowed` what may be done there; or the "
    "key was used for something else: `differs` names the fields"
}
LOCATION = {"Location": {"description": "where the issue is", "schema": {"type": "string"}}}
OTHER_CONTENT = {
    "description": "the reference is that of an issue of which something else was told: `differs` "
    "names the fields; or of one that is not the caller's to see. Nothing of it is registered"
}
_WAITING = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
_DEFINED = "#/components/schemas/"


def told(description: str, model: type[BaseModel]) -> dict[str, Any]:
    """Describe an answer for ``responses`` of a route."""
    return {"model": model, "description": description}


def install(app: FastAPI) -> None:
    """Let the app describe itself. What has no tag is a page for people, and left out."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's own way


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="一诺客服台 A service desk that keeps its promises",
        description=_ABOUT,
        routes=app.routes,
        tags=_TAGS,
    )
    paths = {
        path: {method: each for method, each in item.items() if each.get("tags")}
        for path, item in document["paths"].items()
    }
    document["paths"] = {path: item for path, item in paths.items() if item}
    for path, operation in _operations(document):
        _complete(path, operation)
    schemas = document["components"]["schemas"]
    problem = ProblemDetails.model_json_schema(ref_template=_DEFINED + "{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _complete(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
    for status, each in answers.items():
        _give_example(each)
        if status >= "400" and "content" not in each:
            each.update(_problem(status, each["description"]))
    if "security" in operation:
        for status, description in _may_come(path, operation).items():
            answers.setdefault(status, _problem(status, description))


def _may_come(path: str, operation: Mapping[str, Any]) -> dict[str, str]:
    sent = _BODY | _DEED if "requestBody" in operation else {}
    return _ALWAYS | sent | (_NAMED if "{" in path else {})


def _give_example(answer: dict[str, Any]) -> None:
    """Show what such an answer looks like. The framework would leave out what is null."""
    content = answer.get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").removeprefix(_DEFINED)
    if name in SHOWN:
        content["example"] = SHOWN[name]


def _problem(status: str, description: str) -> dict[str, Any]:
    told = {
        "description": description,
        "content": {PROBLEM: {"schema": {"$ref": f"{_DEFINED}Problem"}}},
    }
    return told | ({"headers": _WAITING} if status in ("429", "503") else {})
