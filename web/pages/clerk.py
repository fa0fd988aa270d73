"""The callback clerk's room: whom to call today, what to read first, what they said (R22-R25)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from http import HTTPStatus
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from domain.calendars.timeline import midnight
from domain.callbacks import Call, about
from domain.errors import Refused
from domain.issue.actions import ActionName, RecordCallback
from domain.staff.access import Reach, Right, reach
from domain.vocabulary import Actor
from starter import calls
from starter.calls import OneRecorded
from starter.client import Unavailable
from store import callbacks, door_log, rulebooks
from web import audit
from web.auth.identity import Signed, Visitor, has, require
from web.context import Doors, Here
from web.forms.intake import Reason, reasons
from web.problems import Problem
from web.rendering import Form, render

router = APIRouter(include_in_schema=False)

_KEY = re.compile(r"[0-9a-f]{32}")
_YES_OR_NO = {"yes": True, "no": False}
_CHOOSE: Reason = ("请选择", "choose one")
_WORDS: Reason = ("请按原话记下客户所说", "write down what the customer said, as said")
_NOBODY: Reason = (
    "没有联系上的客户不会投诉：请取消勾选",
    "a customer who was not reached cannot have complained: take the mark away",
)


@dataclass(frozen=True)
class Sheet:
    """What a clerk wrote about one call. ``running`` says of each issue whether that machine runs;
    ``key`` makes a form that is sent twice one call.
    """

    key: str
    running: Mapping[str, bool | None]
    reached: bool | None = None
    satisfied: bool | None = None
    words: str = ""
    conflict: bool = False
    wrong: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))

    def faults(self) -> dict[str, Reason]:
        """Say what is missing, by field."""
        if self.reached is None:
            return {"reached": _CHOOSE}
        if not self.reached:
            return {"conflict": _NOBODY} if self.conflict else {}
        found = {
            f"running.{number}": _CHOOSE for number, runs in self.running.items() if runs is None
        }
        return found if self.words.strip() else {**found, "words": _WORDS}

    def is_about(self, call: Call) -> bool:
        """Whether it is this call that was written about."""
        return any(case.number in self.running for case in call.cases)

    def acts(self, by: Actor) -> dict[str, RecordCallback]:
        """Say it for each issue; of whom was not reached nothing else is known."""
        heard = bool(self.reached)
        return about(
            by,
            {number: runs if heard else None for number, runs in self.running.items()},
            conflict=self.conflict,
            reached=heard,
            satisfied=self.satisfied if heard else None,
            words=self.words,
            call=self.key,
        )


@dataclass(frozen=True)
class _Today:
    day: date
    zone: ZoneInfo
    calls: Sequence[Call]
    """Whom to call; whoever was called about everything comes last."""


@router.get("/calls")
async def calls_page(request: Request, here: Here, who: Signed) -> Response:
    """Show today's calls, with what to read before each."""
    require(who, Right.LIST_CALLBACKS)
    return await _page(request, here, who)


@router.post("/calls")
async def record_call(request: Request, here: Here, who: Signed, form: Form) -> Response:
    """Record one call in each of its issues, all of which have to be the caller's to call about;
    the same form sent twice records it once.
    """
    require(who, ActionName.RECORD_CALLBACK)
    sheet = _written(form)
    if not sheet.running:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "number: name the issues of the call")
    try:
        for number in sheet.running:
            require(who, ActionName.RECORD_CALLBACK, await here.desk.show(number))
        if wrong := sheet.faults():
            return await _again(request, here, who, sheet, wrong)
        acts = sheet.acts(who.caller.by)
        done = [each async for each in calls.record(here.desk, here.pool, acts, sheet.key)]
    except ValidationError as error:
        return await _again(request, here, who, sheet, reasons(error))
    except Refused as refused:
        said = refused.message
        return await _again(request, here, who, sheet, {"form": (said, said)})
    await _note(here, who, done)
    if "hx-request" in request.headers:
        return render(request, "clerk_done.html", sheet=sheet, done=done)
    return await _page(request, here, who, sheet, done)


async def _note(here: Doors, who: Visitor, done: Sequence[OneRecorded]) -> None:
    """Write into the audit trail what was recorded now, and what was refused."""
    for each in done:
        if not each.recorded_by:
            with suppress(Refused, Unavailable):
                async with audit.written(here, who, ActionName.RECORD_CALLBACK, each.number):
                    if each.failure:
                        raise each.failure


async def _again(
    request: Request, here: Doors, who: Visitor, sheet: Sheet, wrong: Mapping[str, Reason]
) -> Response:
    """Show the call again with all that was written, and the reasons beside it."""
    sheet = replace(sheet, wrong=wrong)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if "hx-request" not in request.headers:
        return await _page(request, here, who, sheet, status=status)
    today = await _today(here, who)
    call = next((each for each in today.calls if sheet.is_about(each)), None)
    await _seen(here, who, [call] if call else [])
    return render(
        request,
        "clerk_again.html",
        status.value,
        today=today,
        call=call,
        sheet=sheet,
        now=here.now(),
    )


async def _page(
    request: Request,
    here: Doors,
    who: Visitor,
    sheet: Sheet | None = None,
    done: Sequence[OneRecorded] = (),
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Show the day; ``sheet`` is what was written about a call, ``done`` what came of that."""
    today = await _today(here, who)
    await _seen(here, who, today.calls)
    sheets = [
        sheet if sheet and sheet.is_about(call) and not done else _blank(call)
        for call in today.calls
    ]
    return render(
        request,
        "clerk_calls.html",
        status.value,
        who=who,
        today=today,
        cards=list(zip(today.calls, sheets, strict=True)),
        sheet=sheet,
        done=done,
        now=here.now(),
    )


async def _seen(here: Doors, who: Visitor, shown: Sequence[Call]) -> None:
    """Write down the look, before customers are shown (R30)."""
    if not has(who, Right.LIST_CALLBACKS):
        return
    numbers: list[str | None] = [case.number for call in shown for case in call.cases]
    entries = (who.entry(Right.LIST_CALLBACKS, "seen", number) for number in numbers or [None])
    await door_log.note(here.pool, *entries)


async def _today(here: Doors, who: Visitor) -> _Today:
    """Find whom to call. The list is for those who reach all of it: others, who may record a call
    about an issue of theirs, see nobody on it.
    """
    async with here.pool.acquire() as connection:
        rulebook = await rulebooks.current(connection)
    if rulebook is None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the desk has no policy yet")
    zone = ZoneInfo(rulebook.policy.zone)
    day = here.now().astimezone(zone).date()
    found: Sequence[Call] = ()
    if reach(who.caller.role, Right.LIST_CALLBACKS) is Reach.ALL:
        found = await callbacks.todays(here.pool, midnight(day + timedelta(days=1), zone), zone)
    return _Today(day, zone, sorted(found, key=lambda call: call.done_today))


def _blank(call: Call) -> Sheet:
    return Sheet(secrets.token_hex(16), {case.number: None for case in call.cases})


def _written(form: FormData) -> Sheet:
    """Read what a clerk wrote."""

    def answer(name: str) -> bool | None:
        return _YES_OR_NO.get(str(form.get(name, "")))

    key = str(form.get("key", ""))
    return Sheet(
        key=key if _KEY.fullmatch(key) else secrets.token_hex(16),
        running={str(each): answer(f"running.{each}") for each in form.getlist("number")},
        reached=answer("reached"),
        satisfied=answer("satisfied"),
        words=str(form.get("words", "")),
        conflict="conflict" in form,
    )
