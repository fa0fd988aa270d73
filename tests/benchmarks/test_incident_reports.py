"""The reports say of an incident log what the log comes to, and it is noticed if they do not."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from benchmarks.incidents.__main__ import compare, known_by, lead, tables
from demo.replay import SHANGHAI, Act, read_log, tell
from store.connection import Pool

LOG = Path(__file__).parent.parent / "demo" / "data" / "made_up_incident_log.csv"
UNTIL = date(2024, 6, 3)


@pytest.mark.parametrize(("until", "closed"), [("2024-05-09", True), ("2024-06-03", False)])
def test_what_is_closed_is_so_until_it_is_reopened(*, until: str, closed: bool) -> None:
    horizon = datetime.fromisoformat(until).replace(tzinfo=SHANGHAI)
    told = tell(known_by(read_log(LOG), horizon)).incidents
    acts = next(each.steps for each in told if each.reference == "CLOSED-THEN-REOPENED")
    assert (Act.CLOSE in [each.act for each in acts]) is closed


async def test_what_reports_say_of_a_log_is_what_the_log_comes_to_by_the_same_rules(
    database: Pool,
) -> None:
    await lead(database, LOG, datetime(2024, 6, 3, tzinfo=SHANGHAI))
    found = await compare(database, LOG, UNTIL)
    assert [each for each in found if each.differs] == []
    periods = list(dict.fromkeys(each.period for each in found))
    assert periods == ["2024-W18", "2024-W19", "2024-W20", "2024-W21", "2024-W22", "2024-05"]
    of_may = {each.figure: each.report for each in found if each.period == "2024-05"}
    assert min(of_may[name] or 0 for name in ("registered", "closed", "reopened", "kept")) > 0
    assert len(list(tables(found))) == len(periods)

    await database.execute("UPDATE issues SET closed_at = closed_at - interval '1 day'")
    falsified = {each.figure for each in await compare(database, LOG, UNTIL) if each.differs}
    assert "closed" in falsified
