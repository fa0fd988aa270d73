"""That a clock breaks and that a person is told are two things: general matters wait for the
recipient's working hours, major ones do not, and customers are told at once (R13).
"""

from domain.vocabulary import Severity
from tests.support.harness import LEAD, Handle, StoryDesk
from tests.workflows.conftest import Begin


async def delivered(desk: StoryDesk, handle: Handle, wording: str) -> dict[str, str]:
    """Say when (in the story) each recipient first got a message of that wording."""
    rows = await desk.pool.fetch(
        "SELECT recipient, settled_at FROM outbox WHERE issue_id = $1 AND template = $2"
        " AND status = 'delivered' ORDER BY settled_at DESC",
        *(handle.id, wording),
    )
    return {row["recipient"]: desk.story(row["settled_at"]) for row in rows}


async def test_a_lead_hears_in_the_morning_of_a_promise_broken_in_the_evening(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 19:00")
    handle, _ = await desk.open(kind="complaint", region="深圳")  # two hours, day and night
    await desk.until("2026-03-10 21:30")
    assert (await desk.ledger(handle))["response.1"] == ("2026-03-10 21:00", "broken")
    assert await delivered(desk, handle, "apology") == {"customer": "2026-03-10 21:00"}
    assert await delivered(desk, handle, "alarm") == {}
    written = [what for _, to, what in await desk.told(handle) if to == LEAD.id]
    assert "alarm" in written
    await desk.until("2026-03-11 12:00")
    assert await delivered(desk, handle, "alarm") == {
        LEAD.id: "2026-03-11 08:00",  # whoever is on the shift of every day comes an hour earlier
        "sun.li": "2026-03-11 09:00",
    }


async def test_what_waits_for_the_morning_is_not_called_undelivered(begin: Begin) -> None:
    desk = await begin("2026-03-10 19:00")
    handle, _ = await desk.open(kind="complaint", region="深圳")
    await desk.until("2026-03-10 23:30")
    waiting = await desk.pool.fetch(
        "SELECT not_before FROM outbox WHERE issue_id = $1 AND status = 'pending'", handle.id
    )
    assert waiting
    assert {desk.story(row["not_before"]) for row in waiting} == {
        "2026-03-11 08:00",
        "2026-03-11 09:00",
    }


async def test_a_lead_hears_of_a_major_matter_day_and_night(begin: Begin) -> None:
    desk = await begin("2026-03-10 23:00")
    handle, _ = await desk.open(severity=Severity.MAJOR)
    await desk.until("2026-03-10 23:40")
    assert (await delivered(desk, handle, "alarm"))[LEAD.id] == "2026-03-10 23:30"


async def test_over_a_holiday_a_manager_hears_on_the_first_working_day(begin: Begin) -> None:
    desk = await begin("2026-09-30 19:00")  # the evening before National Day
    handle, _ = await desk.open(kind="complaint", region="深圳")
    await desk.until("2026-10-07 20:00")
    assert "sun.li" not in await delivered(desk, handle, "alarm")
    await desk.until("2026-10-08 12:00")
    alarms = await delivered(desk, handle, "alarm")
    assert (alarms[LEAD.id], alarms["sun.li"]) == ("2026-10-01 08:00", "2026-10-08 09:00")
