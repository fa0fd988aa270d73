"""The rulebook that pages go by."""

from __future__ import annotations

from http import HTTPStatus

from domain.sla.rulebook import Rulebook
from web.context import Doors
from web.problems import Problem


async def adopted(here: Doors) -> Rulebook:
    """Return the policy and calendars that count now.

    Raises:
        Problem: 503, nobody adopted any yet.
    """
    rulebook = await here.registers.staff.rulebook()
    if rulebook is None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the desk has no policy yet")
    return rulebook
