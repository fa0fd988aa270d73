"""What came of one call to a customer, recorded in each issue it was about (R22, R23)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from domain import callbacks as callback_list
from domain.errors import Refused
from domain.issue.actions import ActionName, RecordCallback
from domain.issue.view import IssueView
from domain.vocabulary import Actor, repeated
from starter.client import Desk, Unavailable
from starter.register import Called


class Recorded(NamedTuple):
    """What became of the record in one issue: where that is now, who had recorded the call before,
    or why it was not recorded.
    """

    number: str
    view: IssueView | None = None
    recorded_by: str | None = None
    failure: Refused | Unavailable | None = None


def about(
    by: Actor, running: Mapping[str, bool | None], *, conflict: bool, **said: Any
) -> dict[str, RecordCallback]:
    """Write down what was said for each issue, by number; ``running`` says of each whether that
    machine runs. A conflict becomes one complaint, from the first (R21).

    Raises:
        ValidationError: it cannot have been so.
    """
    first = next(iter(running), None)
    return {
        number: RecordCallback(by=by, running=runs, conflict=conflict and number == first, **said)
        for number, runs in running.items()
    }


async def record(
    desk: Desk, acts: Mapping[str, RecordCallback], code: str
) -> AsyncIterator[Recorded]:
    """Send the same call for each issue, and tell of each as it is done. It is safe to repeat under
    the same ``code``; all that can be wrong with the call is found before the first.

    Raises:
        Refused: they are not issues of one customer.
    """
    issues = await desk.called(list(acts), code)
    _check_customer(list(acts), issues)
    for written, act in acts.items():
        issue = issues[written]
        if issue.recorded_by:
            yield Recorded(issue.number, recorded_by=issue.recorded_by)
            continue
        try:
            view = await desk.act(
                issue.number,
                ActionName.RECORD_CALLBACK,
                act.model_copy(update={"call": code}),
                key=f"{code}:{issue.number}",
            )
        except (Refused, Unavailable) as failure:
            yield Recorded(issue.number, failure=failure)
        else:
            yield Recorded(issue.number, view)


def _check_customer(numbers: Sequence[str], issues: Mapping[str, Called]) -> None:
    """Refuse a call about issues that are not there, or not of one customer."""
    if missing := [number for number in numbers if number not in issues]:
        raise Refused("NotFound", f"there is no issue {', '.join(missing)}")
    if twice := repeated(issues[number].number for number in numbers):
        raise Refused("Invalid", f"NUMBER: {twice} is named twice")
    customers = {callback_list.identity(issue.customer) for issue in issues.values()}
    if len(customers) > 1:
        raise Refused(
            "Invalid",
            f"NUMBER: {', '.join(numbers)} are of {len(customers)} customers: "
            "record a call to each",
        )
