"""The callback clerk's room: whom to call today, what to read first, what they said (R22-R25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from domain.calendars.timeline import midnight
from domain.callbacks import Call, CaseSummary
from domain.issue.actions import ActionName
from domain.issue.thread import Door, Entry
from domain.scripts import Script, Speaker, Spoken
from domain.staff.access import Reach, Right, reach
from domain.vocabulary import Language
from starter import calls
from starter.calls import OneRecorded
from web import audit
from web.audit import Deed
from web.auth.identity import SignedIn, Visitor, has, require
from web.context import Doors, Here
from web.forms import callback
from web.forms.form import Filled
from web.forms.submitting import Submitted, submit
from web.pages.policy import adopted
from web.pages.spoken import speaker
from web.problems import Problem
from web.rendering import Form, render

router = APIRouter(include_in_schema=False)

_LATELY = 12
"""Entries of a thread that are read before a call."""


class _Said(NamedTuple):
    """What a call begins with, what is asked about an issue, and its two endings (R40)."""

    greeting: Spoken | None
    asks: Spoken | None
    well: Spoken | None
    not_well: Spoken | None


@dataclass(frozen=True)
class _Today:
    day: date
    zone: ZoneInfo
    calls: Sequence[Call]
    """Whom to call; whoever was called about everything comes last."""
    threads: Mapping[str, Sequence[Entry]]
    """What was said about each issue lately, by its number: whoever calls works on it."""
    said: Mapping[str, _Said]
    """What to say about each issue, by its number."""


@router.get("/calls")
async def calls_page(request: Request, here: Here, who: SignedIn) -> Response:
    """Show today's calls, with what to read before each."""
    require(who, Right.LIST_CALLBACKS)
    return await _page(request, here, who)


@router.post("/calls")
async def record_call(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Record one call in each of its issues, all of which have to be the caller's to call about;
    the same form sent twice records it once.
    """
    numbers = callback.numbers_of(form)
    asked = callback.of_call(numbers)
    filled = asked.filled(form)

    async def do(deed: Deed) -> list[OneRecorded]:
        require(who, ActionName.RECORD_CALLBACK)
        if not numbers:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "number: name the issues of the call",
                type_="urn:yinuo:Invalid",
            )
        kinds = {}
        for number in numbers:
            seen = await here.desk.show(number)
            require(who, ActionName.RECORD_CALLBACK, seen)
            kinds[number] = seen.behaviour
        acts = callback.acts(asked, filled, who.caller.by, kinds)
        done = [each async for each in calls.record(here.desk, acts, filled.key, Door.PAGE)]
        deed.numbers = [each.number for each in done]
        deed.apart = {each.number: _apart(each) for each in done if not each.view}
        return done

    known = [each for number in numbers for each in audit.known_number(number)]
    result = await submit(here, who, ActionName.RECORD_CALLBACK, asked, filled, do, *known)
    if result.done is None:
        return await _again(request, here, who, result)
    if "hx-request" in request.headers:
        return render(request, "clerk_done.html", filled=result.form, done=result.done)
    return await _page(request, here, who, result)


def _apart(recorded: OneRecorded) -> str | None:
    """Say what became of a call in one issue; what was recorded before was written down before."""
    return audit.outcome_of(recorded.failure) if recorded.failure else None


async def _again(
    request: Request, here: Doors, who: Visitor, result: Submitted[list[OneRecorded]]
) -> Response:
    """Show the call again with all that was written, and the reasons beside it."""
    if "hx-request" not in request.headers:
        return await _page(request, here, who, result)
    today = await _today(request, here, who)
    call = next((each for each in today.calls if _is_about(result.form, each)), None)
    await _seen(here, who, [call] if call else [])
    part = render(
        request,
        "clerk_again.html",
        result.status.value,
        today=today,
        call=call,
        filled=result.form,
        now=here.now(),
    )
    part.headers["X-Part"] = "call"  # shown whatever its status
    return part


async def _page(
    request: Request,
    here: Doors,
    who: Visitor,
    result: Submitted[list[OneRecorded]] | None = None,
) -> Response:
    """Show the day; ``result`` is what became of what was written about a call."""
    today = await _today(request, here, who)
    await _seen(here, who, today.calls)
    kept = result.form if result and not result.done else None
    forms = [kept if kept and _is_about(kept, call) else Filled() for call in today.calls]
    return render(
        request,
        "clerk_calls.html",
        (result.status if result else HTTPStatus.OK).value,
        who=who,
        today=today,
        cards=list(zip(today.calls, forms, strict=True)),
        filled=result.form if result else None,
        done=(result.done if result else None) or [],
        unrecorded=kept is not None and kept not in forms,
        now=here.now(),
    )


def _is_about(filled: Filled, call: Call) -> bool:
    """Say whether it is this call that was written about."""
    return any(case.number in filled.all(callback.NUMBER) for case in call.cases)


async def _seen(here: Doors, who: Visitor, shown: Sequence[Call]) -> None:
    """Write down the look, before customers are shown (R30)."""
    if not has(who, Right.LIST_CALLBACKS):
        return
    numbers: list[str | None] = [case.number for call in shown for case in call.cases]
    entries = (who.entry(Right.LIST_CALLBACKS, "seen", number) for number in numbers or [None])
    await here.registers.audit_trail.note(*entries)


async def _today(request: Request, here: Doors, who: Visitor) -> _Today:
    """Find whom to call. The list is for those who reach all of it: others, who may record a call
    about an issue of theirs, see nobody on it.
    """
    zone = ZoneInfo((await adopted(here)).policy.zone)
    day = here.now().astimezone(zone).date()
    found: Sequence[Call] = ()
    if reach(who.caller.role, Right.LIST_CALLBACKS) is Reach.ALL:
        found = await here.registers.calls.todays(midnight(day + timedelta(days=1), zone), zone)
    numbers = [case.number for call in found for case in call.cases]
    threads = await here.desk.threads(numbers, _LATELY) if numbers else {}
    speaks = await speaker(request, here, who)
    said = {
        case.number: _said(speaks, case, call.customer.language, day, zone)
        for call in found
        for case in call.cases
    }
    return _Today(day, zone, sorted(found, key=lambda call: call.done_today), threads, said)


def _said(
    speaks: Speaker, case: CaseSummary, language: Language | None, day: date, zone: ZoneInfo
) -> _Said:
    """Fill in what to say in a call about an issue, in the language of whom one talks to."""
    return _Said(
        speaks.say(Script.CALLBACK_GREETING, language),
        speaks.opening(case, day, zone),
        speaks.say(Script.CALLBACK_WELL, language),
        speaks.say(Script.CALLBACK_NOT_WELL, language),
    )
