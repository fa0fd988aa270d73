"""A letter under the id of an earlier one that says something else: it is no issue of its own, and
vanishes behind no success.
"""

from __future__ import annotations

from datetime import UTC, datetime

from domain.issue.intake import Intake, said_digest
from starter.client import Desk, Kept, OtherContent, Unavailable, Why


async def with_the_first(desk: Desk, other: OtherContent, intake: Intake, via: str) -> str:
    """Keep its words with the issue of the first, once however often it comes; return the number.

    Raises:
        Unavailable: they cannot be kept now, the letter is to come again.
    """
    first = other.stands
    if first is None:
        raise Unavailable(other.message) from other
    await desk.keep(
        Kept(
            key=f"letter:{first.id}:{said_digest(intake)}",
            issue_id=first.id,
            at=datetime.now(UTC),
            door=via,
            sender=intake.customer.email or intake.customer.name,
            subject=intake.title,
            body=intake.description,
            why=Why.SAME_ID,
        )
    )
    return first.number
