"""What came of one call to a customer, recorded in each issue it was about (R22, R23)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from domain.callbacks import Called, check_one_customer, check_what_was_asked
from domain.errors import Refused
from domain.issue.actions import ActionName, RecordCallback
from domain.issue.thread import Door
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
    desk: Desk, acts: Mapping[str, RecordCallback], code: str, door: Door
) -> AsyncIterator[OneRecorded]:
    """Send the same call for each issue, and tell of each as it is done. It is safe to repeat under
    the same ``code`` at the same ``door``; all that can be wrong with the call is found before the
    first.

    Raises:
        Refused: they are not issues of one customer; ``OtherContent``: under that code something
            else was recorded.
    """
    issues = await desk.called(list(acts), code)
    check_one_customer(list(acts), issues)
    check_what_was_asked(acts, issues)
    coded = {written: act.model_copy(update={"call": code}) for written, act in acts.items()}
    await _compare(desk, coded, issues, f"{door}:{code}")
    for written, act in coded.items():
        issue = issues[written]
        if issue.recorded_by:
            yield OneRecorded(issue.number, recorded_by=issue.recorded_by)
            continue
        try:
            view = await desk.act(
                issue.number,
                ActionName.RECORD_CALLBACK,
                act,
                key=_key(f"{door}:{code}", issue),
            )
        except (Refused, Unavailable) as failure:
            yield OneRecorded(issue.number, failure=failure)
        else:
            yield OneRecorded(issue.number, view)


def _key(code: str, issue: Called) -> str:
    return f"{code}:{issue.number}"


async def _compare(
    desk: Desk, acts: Mapping[str, RecordCallback], issues: Mapping[str, Called], code: str
) -> None:
    """See that what was recorded before is what is said now, by whichever clerk."""
    for written, act in acts.items():
        issue = issues[written]
        if issue.recorded_by:
            same = act.model_copy(
                update={"by": act.by.model_copy(update={"id": issue.recorded_by})}
            )
            await desk.compare_act(
                issue.number, ActionName.RECORD_CALLBACK, same, _key(code, issue)
            )
