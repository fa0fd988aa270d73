"""The reading list (R41): what customers say of the service, for whoever answers for it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from domain.errors import Refused
from domain.opinions import marked
from domain.staff.access import Reach, Right, reach
from starter.client import Unavailable
from web.audit import written
from web.auth.identity import SignedIn, Visitor, require
from web.context import Doors, Here
from web.problems import refusal
from web.rendering import Form, Reason, render

router = APIRouter(include_in_schema=False)

_AWAY: Reason = (
    "系统暂时没有回应：什么也没有丢失，请稍后再按一次。",
    "The desk does not answer now. Nothing is lost: please press again in a moment.",
)
_REFUSED: dict[str, Reason] = {
    "NotFound": ("名单上没有这条意见。", "This is not on the list."),
    "NotAllowed": (
        "这条意见没有对应的问题：请按客户信息在“登记”页登记投诉。",
        "It is about no issue: please register the complaint with its customer at the intake page.",
    ),
}


@router.get("/reading")
async def reading_page(request: Request, here: Here, who: SignedIn) -> Response:
    """Show what nobody has read first, strong words marked; the look is recorded."""
    require(who, Right.READ_OPINIONS)
    return await _page(request, here, who)


@router.post("/reading")
async def act(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Write down that it was read, or make a complaint of it; sent twice it is done once."""
    key, what = str(form.get("remark", "")), str(form.get("do", ""))
    try:
        async with written(here, who, Right.READ_OPINIONS) as deed:
            require(who, Right.READ_OPINIONS)
            if what == "complaint":
                number = await here.registers.reading.become_complaint(
                    here.desk, who.caller, key, here.now()
                )
                deed.is_about(number)
            else:
                await here.registers.reading.read(who.caller, key, here.now())
    except Refused as error:
        said = _REFUSED.get(error.type, (error.message, error.message))
        return await _page(request, here, who, said, refusal(error).status)
    except Unavailable:
        return await _page(request, here, who, _AWAY, HTTPStatus.SERVICE_UNAVAILABLE)
    return RedirectResponse("/reading", HTTPStatus.SEE_OTHER)


async def _page(
    request: Request,
    here: Doors,
    who: Visitor,
    wrong: Reason | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    remarks = await here.registers.reading.listed(who.caller)
    strong = await here.registers.reading.strong()
    if remarks:
        looks = [
            who.entry(Right.READ_OPINIONS, "seen", number)
            for number in dict.fromkeys(each.number for each in remarks)
        ]
        await here.registers.audit_trail.note(*looks)
    shown: list[dict[str, Any]] = [
        {"said": each, "pieces": marked(each.text, strong)} for each in remarks
    ]
    return render(
        request,
        "reading.html",
        status.value,
        who=who,
        remarks=shown,
        wrong=wrong,
        everywhere=reach(who.caller.role, Right.READ_OPINIONS) is Reach.ALL,
        zone=here.settings.zone.key,
    )
