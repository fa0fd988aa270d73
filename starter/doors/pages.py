"""What all pages share: language, times, forms that only our own pages can send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from itsdangerous import BadSignature
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import FormData

from domain import view, words
from starter.doors import sessions
from starter.doors.context import Here
from starter.doors.problems import not_yours

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

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["local"] = view.local
_ENVIRONMENT.globals["words"] = words


def render(request: Request, template: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
    """Write a page in the reader's language. In templates ``say(zh, en)`` chooses between two
    sentences, ``name(words.STAGES, code)`` says a code, ``csrf`` goes into every form.
    """
    lang = language(request)
    which = 0 if lang == "zh" else 1

    def name(table: Mapping[str, tuple[str, str]], code: str) -> str:
        return table[code][which] if code in table else str(code)

    page = _ENVIRONMENT.get_template(template).render(
        request=request,
        lang=lang,
        say=lambda zh, en: (zh, en)[which],
        name=name,
        csrf=csrf(request),
        **facts,
    )
    return HTMLResponse(
        page, status, headers={"Content-Language": lang, "Vary": "Accept-Language, Cookie"}
    )


def csrf(request: Request) -> str:
    """Return what a form of this session carries to show that it is ours; empty without one."""
    here = request.app.state.doors
    session = sessions.read(request, here)
    return here.signer.timed("csrf").sign(session.id).decode() if session else ""


async def checked_form(request: Request, here: Here) -> FormData:
    """Return a form that one of our pages sent.

    Raises:
        Problem: 403; it came from elsewhere, or its page is too old.
    """
    form = await request.form()
    session = sessions.read(request, here)
    try:
        signed = here.signer.timed("csrf").unsign(str(form.get("csrf", "")), sessions.LASTS)
    except BadSignature:
        signed = b""
    if session is None or signed.decode() != session.id:
        raise not_yours("this form is not from one of our pages, or it is too old: load it again")
    return form


Form = Annotated[FormData, Depends(checked_form)]


def at(instant: datetime, zone: str) -> str:
    """Write an instant in the promise's own zone, for whoever looks without JavaScript."""
    return f"{view.local(instant, zone)} {zone}"
