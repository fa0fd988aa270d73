"""What all pages share: language, times, forms that only our own pages can send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from itsdangerous import BadData
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import FormData

from domain import telephone, words
from domain.for_customers.matter import matter
from domain.instants import instant
from domain.issue.actions import ActionName
from domain.issue.entries import without_ways
from domain.issue.follow_up import asks_whether_it_runs
from domain.roles import rank
from domain.staff.access import Reach, Right, reach
from domain.terms import Terms
from domain.vocabulary import SUPERVISORS, Role
from domain.vocabulary import Language as Spoken
from web.auth import sessions
from web.context import Here
from web.problems import RETRY_AFTER, Problem, not_yours
from web.sent import form_of

HERE = Path(__file__).parent
Language = Literal["zh", "en"]


def language(request: Request) -> Language:
    """Chinese, unless the browser wants English rather (RFC 9110, 12.5.4)."""
    weights: dict[str, float] = {}
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, quality = part.partition(";")
        try:
            weight = float(quality.partition("=")[2] or 1)
        except ValueError:
            weight = 0.0
        name = tag.strip().lower().partition("-")[0]
        weights[name] = max(weight, weights.get(name, 0.0))
    return "en" if weights.get("en", 0.0) > weights.get("zh", 0.0) else "zh"


Lang = Annotated[Language, Depends(language)]

Reason = tuple[str, str]
"""Chinese and English."""


def remaining(at: datetime, now: datetime, lang: Language) -> str:
    """Say how long there is until an instant, or since it passed; desk.js says it each second."""
    seconds = (at - now).total_seconds()
    minutes, second = divmod(int(abs(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    zh = lang == "zh"
    if days:
        span = f"{days} 天 {hour} 小时" if zh else f"{days} d {hour} h"
    elif hours:
        span = f"{hours} 小时 {minute:02} 分" if zh else f"{hours} h {minute:02} min"
    else:
        span = f"{minute} 分 {second:02} 秒" if zh else f"{minute} min {second:02} s"
    if seconds < 0:
        return f"已逾期 {span}" if zh else f"overdue by {span}"
    return f"还剩 {span}" if zh else f"{span} left"


def rooms(role: Role) -> list[tuple[str, Reason]]:
    """Return the pages a role works at, by path."""
    open_to: tuple[tuple[str, Reason, bool], ...] = (
        ("/board", ("部门看板", "Board"), role in SUPERVISORS),
        ("/approvals", ("审批", "Approvals"), role in SUPERVISORS),
        ("/my", ("我的问题", "My issues"), handles(role)),
        ("/intake", ("登记", "Intake"), reach(role, Right.FIND_CUSTOMERS) is not Reach.NONE),
        ("/queue", ("网上来件", "Queue"), reach(role, Right.FIND_CUSTOMERS) is not Reach.NONE),
        (
            "/reading",
            ("客户意见", "Opinions"),
            reach(role, Right.READ_OPINIONS) is not Reach.NONE,
        ),
        (
            "/evaluations",
            ("评价", "Evaluations"),
            reach(role, Right.RECORD_OPINIONS) is not Reach.NONE,
        ),
        ("/calls", ("回访", "Callbacks"), reach(role, Right.LIST_CALLBACKS) is not Reach.NONE),
        ("/reports", ("报表", "Reports"), reach(role, Right.READ_REPORTS) is not Reach.NONE),
    )
    return [(path, called) for path, called, theirs in open_to if theirs]


def handles(role: Role) -> bool:
    """Say whether a role can have issues of its own: a lead takes major complaints (R19)."""
    return reach(role, ActionName.ACCEPT) is not Reach.NONE


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"without_ways": without_ways}
_ENVIRONMENT.globals |= {"words": words, "rooms": rooms, "dial": telephone.read}
_ENVIRONMENT.globals |= {
    "asks_whether_it_runs": asks_whether_it_runs,
    "matter": matter,
    "rank": rank,
}


async def with_terms(request: Request, here: Here) -> None:
    """Let a page know what the desk calls its own (R4, R37)."""
    request.state.terms = await here.desk.terms()


def terms_of(request: Request) -> Terms:
    """Return what the desk calls its own; where nobody came as far as a room, what is usual."""
    known: Terms = getattr(request.state, "terms", None) or Terms()
    return known


def render(request: Request, template: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
    """Write a page in the reader's language, or in ``lang``. In templates ``say(zh, en)`` chooses
    between two sentences, ``name(words.STAGES, code)`` says a code,
    ``terms`` those of the policy; ``csrf`` goes into every form.
    """
    lang: Language = facts.pop("lang", None) or language(request)
    which = 0 if lang == "zh" else 1
    now, terms = request.app.state.doors.now(), terms_of(request)

    def name(table: Mapping[str, tuple[str, str]], code: str) -> str:
        return table[code][which] if code in table else str(code)

    page = _ENVIRONMENT.get_template(template).render(
        request=request,
        lang=lang,
        say=lambda zh, en: (zh, en)[which],
        name=name,
        terms=terms,
        department=lambda code: terms.department(code).said(Spoken(lang)),
        csrf=csrf(request),
        remaining=lambda at: remaining(at, now, lang),
        when=lambda at, zone: instant(at, zone, Spoken(lang)),
        **{"now": now} | facts,
    )
    headers = {"Content-Language": lang, "Vary": "Accept-Language, Cookie"}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = str(RETRY_AFTER)
    return HTMLResponse(page, status, headers=headers)


def csrf(request: Request) -> str:
    """Return what a form of this session carries to show that it is ours; empty without one."""
    here = request.app.state.doors
    session = sessions.read(request, here)
    return str(here.signer.timed("csrf").dumps(session.id)) if session else ""


async def checked_form(request: Request, here: Here) -> FormData:
    """Return a form that one of our pages sent.

    Raises:
        Problem: 403; it came from elsewhere, or its page is too old.
    """
    form = await form_of(request)
    session = sessions.read(request, here)
    try:
        named = here.signer.timed("csrf").loads(_bytes(form.get("csrf", "")), sessions.LASTS)
    except BadData:
        named = None
    if session is None or named != session.id:
        raise not_yours("this form is not from one of our pages, or it is too old: load it again")
    return form


def _bytes(said: object) -> bytes:
    return str(said).encode(errors="replace")  # it may be no text at all: half a character


Form = Annotated[FormData, Depends(checked_form)]


_SAID: Mapping[HTTPStatus, Reason] = {
    HTTPStatus.UNAUTHORIZED: ("请先登录", "Please sign in first"),
    HTTPStatus.FORBIDDEN: ("这不在您的权限之内", "This is not yours to see or do"),
    HTTPStatus.NOT_FOUND: ("没有这个页面或问题", "There is no such page or issue"),
    HTTPStatus.CONFLICT: ("现在不能这样做", "This cannot be done now"),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("填写的内容有误", "What was sent is not right"),
    HTTPStatus.TOO_MANY_REQUESTS: ("太频繁了，请稍后再试", "Too often: try again in a moment"),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "系统暂时没有回应，什么也没有丢失：请稍后再试",
        "The desk does not answer just now, nothing is lost: try again in a moment",
    ),
}
_FAULT: Reason = ("出错了", "Something went wrong")


def problem(request: Request, why: Problem) -> HTMLResponse:
    """Tell a person why their request is not answered as they wished."""
    said = _SAID.get(why.status, _FAULT)
    page = render(request, "problem.html", why.status.value, why=why, said=said)
    page.headers.update(why.headers)
    return page
