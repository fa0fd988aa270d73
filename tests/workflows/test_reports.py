"""The reports as workflows, under a clock that skips: issued on the first working morning after
National Day, once, also when a worker dies in between and after three weeks without a server (R27).
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.reports.editions import Order
from starter.issuing import ordered
from store.connection import Pool
from tests.support.reporting import WORKDAY, ReportingDesk, reporting

LONGER = ("2026-09", "2026-Q3")
"""What ended within the holidays, too, and is left out here."""
WEEKLY = ("callbacks", "effectiveness")


def weekly(found: list[str]) -> list[str]:
    """Those of weeks, without what else is due in a morning."""
    return [each for each in found if "-W" in each]


@pytest.fixture
async def desk(clock: WorkflowEnvironment, database: Pool) -> AsyncIterator[ReportingDesk]:
    async with reporting(clock, database, WORKDAY, *LONGER) as found:
        yield found


async def test_r27_the_weekly_reports_are_issued_on_the_morning_after_national_day_once(
    desk: ReportingDesk,
) -> None:
    desk.now = WORKDAY - timedelta(minutes=10)
    assert weekly(await desk.look()) == []
    desk.now = WORKDAY
    desk.dies = True
    both = [f"{name}:2026-W40" for name in WEEKLY]
    assert weekly(await desk.look()) == both
    assert weekly(await desk.editions()) == [f"{each}:1" for each in both]
    office = [subject for to, subject, _ in desk.mailbox.arrived if "W40" in subject]
    assert sorted(set(office)) == ["2026-W40 回访核实报告", "2026-W40 服务效能报告"]
    arrived = len(desk.mailbox.arrived)
    for minutes in (10, 20):
        desk.now = WORKDAY + timedelta(minutes=minutes)
        assert await desk.look() == []
    assert len(desk.mailbox.arrived) == arrived
    assert await desk.pool.fetchval("SELECT count(*) FROM outbox WHERE settled_at IS NULL") == 0


async def test_after_three_weeks_without_a_server_every_weekly_edition_is_issued_once(
    clock: WorkflowEnvironment, database: Pool
) -> None:
    now = WORKDAY + timedelta(days=18)
    async with reporting(clock, database, now, *LONGER, "2026-W40") as desk:
        wanted = [f"{name}:2026-W{week}" for week in (41, 42, 43) for name in WEEKLY]
        assert weekly(await desk.look()) == wanted
        assert await desk.look() == []
        later = [each for each in weekly(await desk.editions()) if "W40" not in each]
        assert sorted(later) == sorted(f"{each}:1" for each in wanted)


async def test_whoever_asks_hears_what_came_of_it_and_what_does_not_arrive_is_a_persons(
    desk: ReportingDesk,
) -> None:
    desk.mailbox.refuses = True
    order = Order(report="effectiveness", period="2026-W39", request="r1")
    issued = await ordered(desk.env.client, order)
    assert (issued.edition, issued.new) == (1, True)
    assert await desk.ended(order.workflow_id) == issued
    rows = await desk.pool.fetch(
        "SELECT key, status, template FROM outbox WHERE starts_with(key, $1)", order.about
    )
    assert {row["status"] for row in rows} == {"handed_over"}
    told = {row["template"] for row in rows if row["key"] not in issued.keys}
    assert told == {"report_undelivered"}, "who is above them was to hear of it, and could not"
