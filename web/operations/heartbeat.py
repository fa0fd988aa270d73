"""The operator's heartbeat: silent, or red, when the desk may not be what it says it is."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter

from domain.findings import Heartbeat
from web.context import Here
from web.problems import Problem

router = APIRouter(tags=["health"])


@router.get(
    "/auditz",
    summary="Whether the last deep audit is recent and found nothing",
    responses={503: {"description": "it is not, or did: `findings` says of which kind how many"}},
)
async def audited(here: Here) -> Heartbeat:
    """For a monitor, or a dead man's switch: needs no token, and says nothing of any issue.

    Raises:
        Problem: 503.
    """
    found = await here.condition.heartbeat()
    if found is None:
        raise _red("the register does not answer", Heartbeat())
    if found.sound(datetime.now(UTC)):
        return found
    if not found.findings:
        raise _red("no deep audit of late: does a worker run?", found)
    raise _red("the last deep audit found something: `yinuo audit --deep`, `yinuo repair`", found)


def _red(detail: str, found: Heartbeat) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        type_="urn:yinuo:Unsound",
        **found.model_dump(mode="json"),
    )
