"""What came of one call to a customer, recorded in each issue it was about (R22, R23)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from domain.callbacks import check_one_customer
from domain.errors import Refused
from domain.issue.actions import ActionName, RecordCallback
from domain.issue.view import IssueView
from starter.client import Desk, Unavailable


class OneRecorded(NamedTuple):
    """What became of the record in one issue: where that is now, who had recorded the call before,
    or why it was not recorded.
    """

    number: str
    view: IssueView | None = None
    recorded_by: str | None = None
    failure: Refused | Unavailable | None = None


async def record(
    desk: Desk, acts: Mapping[str, RecordCallback], code: str
) -> AsyncIterator[OneRecorded]:
    """Send the same call for each issue, and tell of each as it is done. It is safe to repeat under
    the same ``code``; all that can be wrong with the call is found before the first.

    Raises:
        Refused: they are not issues of one customer.
    """
    issues = await desk.called(list(acts), code)
    check_one_customer(list(acts), issues)
    for written, act in acts.items():
        issue = issues[written]
        if issue.recorded_by:
            yield OneRecorded(issue.number, recorded_by=issue.recorded_by)
            continue
        try:
            view = await desk.act(
                issue.number,
                ActionName.RECORD_CALLBACK,
                act.model_copy(update={"call": code}),
                key=f"{code}:{issue.number}",
            )
        except (Refused, Unavailable) as failure:
            yield OneRecorded(issue.number, failure=failure)
        else:
            yield OneRecorded(issue.number, view)
