import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from demo.replay import (
    SHANGHAI,
    Act,
    Derived,
    Figures,
    Incident,
    IncidentState,
    LogError,
    LogRepair,
    LogRow,
    derive,
    figures,
    read_log,
)

LOG = Path(__file__).parent / "data" / "made_up_incident_log.csv"
DAY = date(2024, 5, 6)
"""A Monday, so that the third working day after it is Thursday the 9th."""
NEXT_MONTH = datetime(2024, 6, 1, tzinfo=SHANGHAI)


def local(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2024, 5, day, hour, minute, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def rows() -> list[LogRow]:
    return list(read_log(LOG))


@pytest.fixture(scope="module")
def derived(rows: list[LogRow]) -> Derived:
    return derive(rows, DAY)


@pytest.fixture(scope="module")
def stories(derived: Derived) -> dict[str, Incident]:
    return {incident.reference: incident for incident in derived.incidents}


def acts(incident: Incident) -> str:
    return " ".join(step.act for step in incident.steps)


def of(rows: list[LogRow], number: str) -> list[LogRow]:
    return [row for row in rows if row.number == number]


def broken(tmp_path: Path, change: Callable[[str], str], name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_text(change(LOG.read_text()))
    return path


# --- reading


def test_a_time_of_the_log_is_a_local_time_of_the_given_zone() -> None:
    row = next(read_log(LOG))
    assert row.opened_at == datetime(2024, 5, 6, 1, 0, tzinfo=UTC)
    assert row.opened_at.tzinfo is UTC
    row = next(read_log(LOG, ZoneInfo("America/Sao_Paulo")))
    assert row.opened_at == datetime(2024, 5, 6, 12, 0, tzinfo=UTC)


def test_a_compressed_log_reads_as_the_plain_one(tmp_path: Path, rows: list[LogRow]) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(LOG.read_bytes()))
    assert list(read_log(path)) == rows


def test_a_byte_order_mark_and_carriage_returns_change_nothing(
    tmp_path: Path, rows: list[LogRow]
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbf" + LOG.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_log(path)) == rows


def test_a_question_mark_is_no_fact_and_a_rank_may_carry_its_name(
    stories: dict[str, Incident],
) -> None:
    incident = stories["FACTS-MISSING"]
    assert incident.category is None
    assert incident.location is None
    assert incident.impact is None
    assert incident.assignment_group is None
    assert (incident.urgency, incident.priority) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("6/5/2024 09:30", "2024-05-06 09:30", "line 3, column sys_updated_at: found '2024-05-06"),
        ("6/5/2024 09:30", "31/6/2024 09:30", "line 3, column sys_updated_at: found '31/6/2024"),
        ("6/5/2024 09:30", "?", r"line 3, column sys_updated_at: found '\?', expected a time"),
        ("PLAIN,Active", "PLAIN,Dormant", "line 3, column incident_state: .* expected one of New"),
        ("PLAIN,Active", "?,Active", "line 3, column number: .* expected the incident's number"),
        ("Active,true,0", "Active,true,-1", "line 3, column reassignment_count: found '-1'"),
        ("PLAIN,Active,", "PLAIN,Active,,", "line 3: found 37 fields, expected 36"),
        ("PLAIN,Active,", "PLAIN;Active,", "line 3: found 35 fields, expected 36"),
        ("8,80,70,?,2,2,3", "8,80,70,?,2,2,high", "line 2, column priority: found 'high'"),
        (",opened_at,", ",opened,", "line 1: .* expected also opened_at, separated by commas"),
        ("PLAIN,Active", '"PLAIN,Active', "not comma-separated"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line_and_column(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    path = broken(tmp_path, lambda text: text.replace(old, new, 1))
    with pytest.raises(LogError, match=complaint) as refused:
        list(read_log(path))
    assert str(path) in str(refused.value)


def test_a_wrong_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(LOG.read_bytes().replace(b"Phone", "电话".encode("gb18030"), 1))
    with pytest.raises(LogError, match="line 2: found byte 0xb5, expected UTF-8"):
        list(read_log(path))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(LOG.read_bytes())[:-20])
    with pytest.raises(LogError, match="not a whole gzip file"):
        list(read_log(path))
    path.write_bytes(LOG.read_bytes())
    with pytest.raises(LogError, match="not a whole gzip file"):
        list(read_log(path))


def test_a_file_that_is_missing_empty_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read: No such file"):
        list(read_log(tmp_path / "log.csv"))
    with pytest.raises(LogError, match=r"line 1: found the columns \(none\)"):
        list(read_log(broken(tmp_path, lambda _: "")))
    with pytest.raises(LogError, match=r"ending in \.csv or \.csv\.gz"):
        list(read_log(tmp_path / "log.zip"))


def test_a_day_without_incidents_is_refused_with_the_days_there_are(rows: list[LogRow]) -> None:
    with pytest.raises(LogError, match=r"2016-03-07; .* from 2024-05-05 to 2024-05-07"):
        derive(rows, date(2016, 3, 7))
    with pytest.raises(LogError, match="on no day at all"):
        figures([], DAY, NEXT_MONTH)


# --- deriving


def test_only_the_incidents_opened_on_the_day_are_told_in_the_order_they_were_opened(
    derived: Derived,
) -> None:
    told = [incident.reference for incident in derived.incidents]
    assert len(told) == 19
    assert {"THE-DAY-BEFORE", "THE-DAY-AFTER"}.isdisjoint(told)
    assert (told[0], told[-1]) == ("A-MINUTE-LATE", "DUE-TO-THE-MINUTE")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("PLAIN", "accept resolve close"),
        ("ACTIVE-AT-FIRST", "accept resolve close"),
        ("NEVER-ACTIVE", "accept resolve close"),
        ("PAUSED", "accept wait resume resolve close"),
        ("REOPENED", "accept resolve reopen accept resolve close"),
        ("CLOSED-THEN-REOPENED", "accept resolve reopen reassign accept wait"),
        ("BACKWARDS", "accept resolve"),
        ("NO-STATE", "accept resolve"),
        ("NEVER-RESOLVED", "accept resolve close"),
        ("SAME-MINUTE", "accept wait resume resolve"),
        ("REASSIGNED", "reassign accept wait reassign resume resolve"),
        ("PASSED-ON", "accept reassign reassign accept reassign accept wait"),
        ("REASSIGNED-WHEN-DONE", "accept resolve"),
        ("FACTS-MISSING", "accept"),
    ],
)
def test_the_states_of_the_log_become_steps_our_desk_allows(
    stories: dict[str, Incident], number: str, told: str
) -> None:
    assert acts(stories[number]) == told


def test_a_step_has_the_instant_of_the_row_and_never_that_of_resolved_at(
    stories: dict[str, Incident],
) -> None:
    assert [step.at for step in stories["PLAIN"].steps] == [
        local(6, 9, 30),
        local(7, 11),
        local(12, 11, 5),
    ]


def test_a_wait_says_for_what(stories: dict[str, Incident]) -> None:
    wait = next(step for step in stories["PAUSED"].steps if step.act is Act.WAIT)
    assert wait.state is IncidentState.AWAITING_USER_INFO


def test_no_step_is_earlier_than_the_opening_or_the_step_before(derived: Derived) -> None:
    for incident in derived.incidents:
        instants = [incident.opened_at, *(step.at for step in incident.steps)]
        assert instants == sorted(instants)


def test_every_repair_is_counted(derived: Derived) -> None:
    assert derived.repairs == {
        LogRepair.ACCEPT_IMPLIED: 5,
        LogRepair.RESUME_IMPLIED: 3,
        LogRepair.RESOLVE_IMPLIED: 1,
        LogRepair.NOT_NEW_AT_FIRST: 13,
        LogRepair.BEFORE_OPENED: 1,
        LogRepair.OUT_OF_ORDER: 1,
        LogRepair.STATE_UNKNOWN: 2,
        LogRepair.CLOSED_TOO_EARLY: 1,
        LogRepair.REASSIGNED_WHEN_DONE: 2,
        LogRepair.FACT_MISSING: 1,
    }


# --- figures


def test_the_figures_of_the_day_are_those_counted_by_hand(rows: list[LogRow]) -> None:
    assert figures(rows, DAY, NEXT_MONTH) == Figures(
        opened=19,
        reassigned=3,
        waited=8,
        resolved_in_time=13,
        resolved_late=3,
        reopened=2,
        still_open=3,
        closed=6,
    )


@pytest.mark.parametrize(
    ("number", "in_time"),
    [
        ("PLAIN", True),
        ("DUE-TO-THE-MINUTE", True),
        ("A-MINUTE-LATE", False),
        ("PAUSED", True),
        ("PAUSED-OVER-A-WEEKEND", True),
        ("PAUSED-BUT-LATE", False),
        ("PAUSED-TOO-LATE", False),
        ("REOPENED", True),
    ],
)
def test_the_third_working_day_ends_at_midnight_and_waiting_moves_it(
    rows: list[LogRow], number: str, *, in_time: bool
) -> None:
    counted = figures(of(rows, number), DAY, NEXT_MONTH)
    assert (counted.resolved_in_time, counted.resolved_late) == (int(in_time), int(not in_time))


def test_saturday_and_sunday_are_no_working_days(rows: list[LogRow]) -> None:
    friday = [row._replace(opened_at=local(10, 9), updated_at=local(10, 9)) for row in rows[:1]]
    for resolved_at, in_time in ((local(16), 1), (local(16, 0, 1), 0)):
        case = [*friday, friday[0]._replace(state=IncidentState.RESOLVED, updated_at=resolved_at)]
        assert figures(case, date(2024, 5, 10), NEXT_MONTH).resolved_in_time == in_time


def test_what_comes_after_the_horizon_has_not_happened(rows: list[LogRow]) -> None:
    case = of(rows, "REOPENED")
    resolved = figures(case, DAY, local(7, 10))
    assert (resolved.resolved_in_time, resolved.reopened, resolved.still_open) == (1, 0, 0)
    reopened = figures(case, DAY, local(7, 12))
    assert (reopened.resolved_in_time, reopened.reopened, reopened.still_open) == (0, 1, 1)
    assert figures(case, DAY, local(6, 8)).opened == 0


def test_a_horizon_without_a_zone_is_refused(rows: list[LogRow]) -> None:
    with pytest.raises(ValueError, match="horizon: expected a time with a zone"):
        figures(rows, DAY, NEXT_MONTH.replace(tzinfo=None))


@pytest.mark.parametrize("hours", range(0, 24 * 16, 7))
def test_the_steps_and_the_figures_agree_at_every_horizon(
    rows: list[LogRow], derived: Derived, hours: int
) -> None:
    horizon = local(6) + timedelta(hours=hours)
    opened = [incident for incident in derived.incidents if incident.opened_at <= horizon]
    done = [[step.act for step in i.steps if step.at <= horizon] for i in opened]
    counted = figures(rows, DAY, horizon)
    assert counted.opened == len(opened)
    assert counted.reassigned == sum(Act.REASSIGN in steps for steps in done)
    assert counted.waited == sum(Act.WAIT in steps for steps in done)
    assert counted.reopened == sum(Act.REOPEN in steps for steps in done)
    resolved = [steps.count(Act.RESOLVE) > steps.count(Act.REOPEN) for steps in done]
    assert counted.still_open == resolved.count(False)
    assert counted.resolved_in_time + counted.resolved_late == resolved.count(True)
