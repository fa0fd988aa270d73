"""Issues whose promises are kept, over the days on which calendars go wrong (R11, R12, R22,
R32).
"""

from typing import NamedTuple

import pytest

from domain.issue.state import SlaState
from domain.vocabulary import Outcome, Stage
from tests.support.harness import history_length, result, stand
from tests.workflows.conftest import Begin

ORDINARY = 60
"""History events an ordinary issue may have."""


class Days(NamedTuple):
    reported: str
    response: str
    resolution: str
    resolved: str
    callback_opens: str
    callback: str


STORIES = {
    "an_ordinary_week": Days(
        "2026-03-10 10:00",
        "2026-03-10 12:00",
        "2026-03-13 18:00",
        "2026-03-11 15:00",
        "2026-03-12 09:30",
        "2026-03-12 18:00",
    ),
    "an_ordinary_weekend": Days(
        "2026-03-13 17:00",
        "2026-03-16 10:00",
        "2026-03-18 18:00",
        "2026-03-16 15:00",
        "2026-03-17 09:30",
        "2026-03-17 18:00",
    ),
    "national_day_week_2025": Days(
        "2025-09-30 17:00",
        "2025-10-09 10:00",
        "2025-10-11 18:00",
        "2025-10-11 17:59",
        "2025-10-13 09:30",
        "2025-10-13 18:00",
    ),
    "national_day_week_2026": Days(
        "2026-09-30 17:00",
        "2026-10-08 10:00",
        "2026-10-10 18:00",
        "2026-10-09 11:00",
        "2026-10-10 09:30",
        "2026-10-10 18:00",
    ),
    "spring_festival_2026": Days(
        "2026-02-14 17:00",
        "2026-02-24 10:00",
        "2026-02-26 18:00",
        "2026-02-24 16:00",
        "2026-02-25 09:30",
        "2026-02-25 18:00",
    ),
    "make_up_saturday_2025_10_11": Days(
        "2025-10-10 16:30",
        "2025-10-11 09:30",
        "2025-10-14 18:00",
        "2025-10-11 11:00",
        "2025-10-13 09:30",
        "2025-10-13 18:00",
    ),
    "make_up_saturday_2026_02_14": Days(
        "2026-02-13 17:00",
        "2026-02-14 10:00",
        "2026-02-25 18:00",
        "2026-02-13 17:45",
        "2026-02-14 09:30",
        "2026-02-14 18:00",
    ),
    "make_up_saturday_2026_02_28": Days(
        "2026-02-26 11:00",
        "2026-02-26 14:30",
        "2026-03-02 18:00",
        "2026-02-27 17:00",
        "2026-02-28 09:30",
        "2026-02-28 18:00",
    ),
    "make_up_saturday_2026_10_10": Days(
        "2026-10-09 17:00",
        "2026-10-10 10:00",
        "2026-10-13 18:00",
        "2026-10-10 16:00",
        "2026-10-12 09:30",
        "2026-10-12 18:00",
    ),
}


@pytest.mark.parametrize("days", STORIES.values(), ids=STORIES)
async def test_an_issue_that_is_handled_in_time_keeps_every_promise(
    begin: Begin, days: Days
) -> None:
    desk = await begin(days.reported)
    handle, view = await desk.open()
    assert view.stage is Stage.ASSIGNED
    assert await desk.ledger(handle) == {
        "resolution.1": (days.resolution, "open"),
        "response.1": (days.response, "open"),
    }
    view = await desk.accept(handle, view)
    assert stand(view) == {"response.1": "kept", "resolution.1": "open"}
    await desk.until(days.resolved)
    view = await desk.resolve(handle, view)
    callback = view.promises[-1]
    assert callback.key == "callback.1"
    assert desk.story(callback.opens_at) == days.callback_opens
    assert desk.story(callback.due_at) == days.callback
    await desk.until(days.callback_opens)
    view = await desk.callback(handle, running=True)
    assert view.stage is Stage.CLOSED
    assert view.outcome is Outcome.SOLVED
    assert view.sla_state is SlaState.MET
    assert stand(await desk.ended(handle)) == {
        "response.1": "kept",
        "resolution.1": "kept",
        "callback.1": "kept",
    }
    steps = [step for step in await desk.steps(handle) if step != "threshold"]
    assert steps == ["registered", "accept", "resolve", "replied", "record_callback"]
    told = [wording for _, _, wording in await desk.told(handle)]
    assert [wording for wording in told if wording != "reminder"] == [
        *("assigned", "registered", "accepted", "resolved")
    ]


async def test_an_ordinary_issue_has_a_short_history(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, view = await desk.open()
    await desk.until("2026-03-10 10:20")
    view = await desk.accept(handle, view)
    await desk.until("2026-03-10 16:00")
    await desk.resolve(handle, view)
    await desk.until("2026-03-11 10:00")
    await desk.callback(handle, running=True)
    await desk.ended(handle)
    told = [wording for _, _, wording in await desk.told(handle)]
    assert told == ["assigned", "registered", "accepted", "resolved"]
    assert await history_length(handle) <= ORDINARY


async def test_a_system_that_can_only_signal_resolves_an_issue(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.complete(handle, result(view))
    await desk.until("2026-03-10 10:05")
    view = await desk.view(handle)
    assert view.stage is Stage.REPLIED
    assert view.results == ("card reader replaced",)
    await desk.until("2026-03-11 09:30")
    await desk.callback(handle, running=True)
    assert (await desk.ended(handle)).outcome is Outcome.SOLVED
