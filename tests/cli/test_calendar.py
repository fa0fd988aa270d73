"""`yinuo calendar`: asked of a policy file, so no server runs but where one is the point."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from domain.calendars.national_days import NationalDays
from domain.sla.account import Account
from runtime import postgres
from runtime.rulebook import load
from runtime.settings import ROOT
from store import rulebooks
from tests.support.running_desk import Ran, run_yinuo

STANDARD = ROOT / "policies" / "standard.toml"
NOTICES = ROOT / "policies" / "cn_workdays.json"
SHANGHAI = ZoneInfo("Asia/Shanghai")
OWN = """
[calendars.harbin]
days = ["mon", "tue", "wed", "thu", "fri"]
hours = ["08:30-11:30", "13:00-17:00"]
zone = "Asia/Shanghai"
national = "CN"

[calendars.harbin.overrides]
2026-10-08 = []
2026-10-11 = ["09:00-12:00"]
"""
OVERRIDDEN = """
[calendars.desk.overrides]
2026-10-08 = []
2026-10-11 = ["09:00-12:00"]

[calendars.west]"""


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty columns, and no desk: nothing of these commands may need one."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("YINUO_HOME", "/nonexistent")


def calendar(*arguments: str) -> Ran:
    return run_yinuo("calendar", *arguments, "--policy", str(STANDARD))


def lines(*arguments: str) -> list[str]:
    ran = calendar(*arguments)
    assert ran.code == 0, ran.err
    return [line.rstrip() for line in ran.out.splitlines()]


def refused(*arguments: str) -> str:
    ran = run_yinuo("calendar", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
    return ran.err


# --- A month -------------------------------------------------------------------------------------


def test_a_month_is_a_picture_in_which_every_day_has_a_mark() -> None:
    shown = lines("show", "desk", "--month", "2026-10")
    assert shown[:9] == [
        "2026 年 10 月 · October 2026 · desk",
        "",
        " 一 Mon   二 Tue   三 Wed   四 Thu   五 Fri   六 Sat   日 Sun   工时 Hours",
        " " + "─" * 73,
        "                             1 休     2 休     3 休     4 休           0 h",
        "  5 休     6 休     7 休     8 工     9 工    10 班    11 －        22.5 h",
        " 12 工    13 工    14 工    15 工    16 工    17 －    18 －        37.5 h",
        " 19 工    20 工    21 工    22 工    23 工    24 －    25 －        37.5 h",
        " 26 工    27 工    28 工    29 工    30 工    31 －                 37.5 h",
    ]
    assert "10-01 Thu - 10-07 Wed  休 节假日 holiday    关 closed" in shown
    assert "10-10 Sat              班 调休上班 make-up  09:00-12:00 13:30-18:00" in shown
    assert "工作日 Working days 18 · 工时 Working hours 135 h" in shown
    assert "营业 Hours       周一至周五 Mon-Fri: 09:00-12:00 13:30-18:00" in shown
    assert "节假日 Holidays  CN, 确定至 firm until 2026-12-27" in shown
    assert "?" not in "".join(shown)


@pytest.mark.parametrize("month", ["2026-02", "2026-03", "2026-10", "2027-01", "2027-02"])
def test_a_month_fits_into_eighty_columns(month: str) -> None:
    assert max(map(cell_len, lines("show", "desk", "--month", month))) <= 80


def test_days_that_no_notice_covers_are_marked_and_explained() -> None:
    shown = lines("show", "desk", "--month", "2026-12", "--months", "2")
    december, january = (" ".join(shown).partition("2027 年 1 月"))[::2]
    assert "28 工?   29 工?   30 工?   31 工?" in december  # the next notice has moved such days
    assert december.count("?") == 4
    assert "1 休?    2 －?    3 －?" in january  # New Year's Day is fixed by law
    assert "4 工?" in january
    assert "Firm when the CN notice for 2027 is loaded: yinuo calendar import FILE" in january


def test_the_centres_own_exceptions_are_marked_and_listed_with_their_hours(
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.toml"
    text = STANDARD.read_text("utf-8").replace("\n[calendars.west]", OVERRIDDEN, 1)
    policy.write_text(text, "utf-8")
    ran = run_yinuo(*("calendar", "show", "desk", "--month", "2026-10", "--policy", str(policy)))
    assert "7 休     8 例     9 工    10 班    11 例          18 h" in ran.out
    assert "10-08 Thu              例 例外 exception    关 closed" in ran.out
    assert "10-11 Sun              例 例外 exception    09:00-12:00" in ran.out


def test_a_month_is_for_programs_too() -> None:
    ran = calendar("show", "desk", "--month", "2026-02", "--months", "2", "--json")
    february, march = ran.json
    assert (february["calendar"], february["zone"]) == ("desk", "Asia/Shanghai")
    assert (february["working_days"], march["working_days"]) == (16, 22)
    assert february["days"][13] == {
        "day": "2026-02-14",
        "reason": "makeup_workday",
        "hours": ["09:00-12:00", "13:30-18:00"],
        "announced": True,
    }


def test_the_month_shown_is_this_one_unless_said_otherwise() -> None:
    before = datetime.now(SHANGHAI)
    (shown,) = calendar("show", "desk", "--json").json
    assert shown["first"][:7] in {f"{each:%Y-%m}" for each in (before, datetime.now(SHANGHAI))}


def test_without_a_name_all_calendars_are_listed_with_what_is_counted_on_them() -> None:
    shown = "\n".join(lines("show"))
    names = ["desk", "west", "callback", "everyday", "night", "always"]
    assert [name for name in names if f"\n {name} " in shown] == names
    assert "complaint_response" in shown
    own = "服务中心自己的 On the centre's own: major_response, general_response"
    assert own in shown
    assert "时区 Zone: Asia/Shanghai" in shown


# --- Why something is due ------------------------------------------------------------------------


def due(start: str, within: str, *more: str) -> list[str]:
    return lines("due", "--calendar", "desk", "--from", start, "--within", within, *more)


def test_a_due_instant_is_shown_with_every_day_that_was_counted() -> None:
    shown = due("2026-09-30 17:00", "3 working days")
    assert shown[:4] == [
        "到期 Due       2026-10-10 Sat 18:00",
        "起算 From      2026-09-30 Wed 17:00",
        "时限 Within    3 working days after the start day, to close of business (R31)",
        "日历 Calendar  desk, Asia/Shanghai",
    ]
    assert shown[7:14] == [
        " 09-30 Wed               工 工作日 working     09:00-12:00 13:30-18:00        0",
        " 10-01 Thu - 10-07 Wed   休 节假日 holiday     关 closed",
        " 10-08 Thu               工 工作日 working     09:00-12:00 13:30-18:00        1",
        " 10-09 Fri               工 工作日 working     09:00-12:00 13:30-18:00        2",
        " 10-10 Sat               班 调休上班 make-up   09:00-12:00 13:30-18:00        3",
        "",
        " 合计 Total                                    3 working days",
    ]


def test_a_budget_of_hours_is_shown_with_every_interval_that_was_counted() -> None:
    shown = due("2026-10-09 19:00", "5.5h")
    assert shown[0] == "到期 Due       2026-10-10 Sat 16:00"
    assert shown[7:11] == [
        " 10-09 Fri    工 工作日 working     已下班 over by then",
        " 10-10 Sat    班 调休上班 make-up   09:00-12:00 13:30-16:00       5.5 h",
        "",
        " 合计 Total                                                       5.5 h",
    ]


def test_elapsed_hours_run_through_the_night() -> None:
    shown = due("2026-09-30 19:00", "6h", "--clock", "elapsed")
    assert shown[0] == "到期 Due       2026-10-01 Thu 01:00"
    assert " 09-30 Wed    工 工作日 working   19:00-24:00          5 h" in shown
    assert " 10-01 Thu    休 节假日 holiday   00:00-01:00          1 h" in shown


def test_the_last_working_day_can_end_at_the_same_time_of_day() -> None:
    shown = due("2026-09-30 17:00", "3 working days", "--ends", "same time")
    assert shown[0] == "到期 Due       2026-10-10 Sat 17:00"


def test_what_is_not_known_yet_is_called_provisional_with_what_would_make_it_firm() -> None:
    shown = due("2026-12-30 17:00", "3 working days")
    assert shown[0] == "到期 Due       2027-01-05 Tue 18:00  暂定 provisional"
    assert " 01-01 Fri ?               休 节假日 holiday   关 closed" in shown
    assert " 01-02 Sat - 01-03 Sun ?   － 周休 day off     关 closed" in shown
    assert "they go by the law alone" in shown[-2]
    assert shown[-1] == "  Firm when the CN notice for 2027 is loaded: yinuo calendar import FILE"


def test_a_year_beyond_the_list_of_days_off_by_law_is_told_in_other_words() -> None:
    shown = due("2031-02-05 17:00", "3 working days")
    assert "by the law alone" not in "".join(shown)
    assert shown[-3].endswith("these days lie beyond the list of days off by law,")
    assert shown[-2].startswith("  which ends with 2030-12-31: they are counted as if")
    across = " ".join(due("2030-12-30 17:00", "3 working days")[-3:])
    assert "law alone." in across
    assert "Of 2031 not even that is listed" in across
    assert "the CN notice for 2030, 2031 is loaded" in across


def test_a_due_instant_is_for_programs_too() -> None:
    ran = calendar(
        *("due", "--calendar", "desk", "--from", "2026-09-30T09:00Z", "--within", "2h", "--json")
    )
    found = Account.model_validate_json(ran.out)
    assert found.start == datetime(2026, 9, 30, 9, tzinfo=UTC)
    assert found.due_at == datetime(2026, 10, 8, 2, tzinfo=UTC)
    assert found.total == timedelta(hours=2)


def test_a_clock_that_is_not_told_when_it_starts_starts_now() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    ran = calendar("due", "--calendar", "always", "--within", "1h", "--json")
    assert before <= Account.model_validate_json(ran.out).start <= datetime.now(UTC)


def test_a_time_that_the_clock_skips_is_the_instant_of_the_change(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    text = STANDARD.read_text("utf-8").replace('national = "CN"', "")
    policy.write_text(text.replace("Asia/Shanghai", "America/New_York", 1), "utf-8")
    ran = run_yinuo(
        *("calendar", "due", "--calendar", "always", "--from", "2026-03-08 02:30"),
        *("--within", "1h", "--json", "--policy", str(policy)),
    )
    assert ran.json["start"] == "2026-03-08T07:00:00Z"


# --- Files ---------------------------------------------------------------------------------------


def test_a_file_of_notices_is_checked_and_told_by_year() -> None:
    ran = run_yinuo("calendar", "check", str(NOTICES))
    assert ran.code == 0, ran.err
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["2024", "28", "8", "251"] in rows
    assert ["2026", "33", "6", "248"] in rows
    for year in ("2027", "2028", "2029", "2030"):  # weekdays less those 13 days, of 2028 12
        assert any(row[:2] == [year, "?"] and row[3:] == ["?", "248"] for row in rows)
    assert "CN · 公布至 announced until 2026-12-31" in ran.out


def test_a_file_of_calendars_alone_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "north.toml"
    file.write_text(OWN, "utf-8")
    ran = run_yinuo("calendar", "check", str(file))
    assert ran.code == 0, ran.err
    assert "harbin" in ran.out
    assert "08:30-11:30 13:00-17:00" in ran.out


def test_what_is_wrong_with_a_file_is_said_with_its_place_also_before_an_import(
    tmp_path: Path,
) -> None:
    own, notices = tmp_path / "own.toml", tmp_path / "cn.json"
    own.write_text(OWN.replace("11:30", "11.30"), "utf-8")
    year = json.loads(NOTICES.read_text("utf-8"))
    year["years"]["2026"]["holidays"].append("2026-10-10")
    notices.write_text(json.dumps(year), "utf-8")
    for command in ("check", "import"):
        assert refused(command, str(own)).startswith(
            f'{own}, line 4: calendars.harbin.hours[1]: "08:30-11.30" is no interval'
        )
        assert "2026-10-10 is both a holiday and a make-up workday" in refused(
            command, str(notices)
        )
        assert "there is no such file" in refused(command, str(tmp_path / "none.json"))
        assert "notices in a .json file" in refused(command, str(ROOT / "README.md"))


@pytest.fixture
async def register(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A register with the standard policy, and without Temporal."""
    async with postgres.pool(postgres_url, size=1) as pool, pool.acquire() as connection:
        await rulebooks.adopt(connection, load(STANDARD), by="test", note="")
    monkeypatch.setenv("DATABASE_URL", postgres_url)


def test_the_desk_is_asked_for_its_own_calendars(register: None) -> None:
    asked = ("show", "desk", "--month", "2026-10")
    assert run_yinuo("calendar", *asked).out == calendar(*asked).out


def test_what_the_desks_policy_cannot_take_is_refused(register: None, tmp_path: Path) -> None:
    own, notices = tmp_path / "own.toml", tmp_path / "jp.json"
    own.write_text(OWN.replace('"CN"', '"JP"'), "utf-8")
    days = json.loads(NOTICES.read_text("utf-8"))
    notices.write_text(json.dumps(days | {"country": "JP"}), "utf-8")
    assert "calendars harbin: there are no national days of JP" in refused("import", str(own))
    assert "no calendar follows JP; they follow: CN" in refused("import", str(notices))


def test_a_dry_run_of_a_new_notice_changes_nothing(register: None, tmp_path: Path) -> None:
    notices = tmp_path / "cn.json"
    days = json.loads(NOTICES.read_text("utf-8"))
    notice = {"notice": "made up", "holidays": ["2027-01-01"], "makeup_workdays": ["2027-01-03"]}
    days["years"]["2027"] = notice
    notices.write_text(json.dumps(days), "utf-8")
    asked = ("calendar", "show", "desk", "--month", "2027-01")
    before = run_yinuo(*asked).out
    ran = run_yinuo("calendar", "import", str(notices), "--dry-run")
    assert ran.code == 0, ran.err
    assert ran.out
    assert run_yinuo(*asked).out == before


@pytest.fixture
async def register_of_next_year(register: None, postgres_url: str) -> None:
    """It has the notice for 2027 already, which is made up."""
    standard = load(STANDARD)
    days = standard.national["CN"].model_dump(mode="json")
    notice = {"notice": "made up", "holidays": ["2027-01-01"], "makeup_workdays": ["2027-01-03"]}
    newer = NationalDays.model_validate(
        days | {"dated": "2026-12-01", "years": days["years"] | {2027: notice}}
    )
    async with postgres.pool(postgres_url, size=1) as pool, pool.acquire() as connection:
        await rulebooks.adopt(connection, standard.learning(newer), by="test", note="")


def test_an_older_file_makes_the_desk_forget_nothing_and_says_what_it_did_not_take(
    register_of_next_year: None, tmp_path: Path
) -> None:
    ran = run_yinuo("calendar", "import", str(NOTICES), "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Nothing to do: the desk goes by this already")
    wrong = tmp_path / "cn.json"
    wrong.write_text(NOTICES.read_text("utf-8").replace("2026-01-04", "2026-01-10"), "utf-8")
    ran = run_yinuo("calendar", "import", str(wrong), "--dry-run")
    assert "looked up later (2026-12-01): the notice for 2026." in ran.err


def test_a_notice_is_forgotten_by_a_command_of_its_own(register_of_next_year: None) -> None:
    ran = run_yinuo("calendar", "forget", "2027", "--dry-run")
    assert ran.code == 0, ran.err
    assert "Nothing was changed" in ran.out
    assert refused("forget", "2025", "--dry-run").startswith("YEAR: 2025 lies between others")
    assert "there are no notices of JP" in refused("forget", "2027", "--country", "JP")


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("show nowhere", "there is no calendar nowhere; there are: always, callback, desk"),
        ("show desk --month 2026-13", '--month: "2026-13" is no month: write it like "2026-10"'),
        ("show desk --month 0000-01", '--month: "0000-01" is no month'),
        ("show --json", "--json shows one calendar: name it"),
        ("due --calendar desk --within 3days", '"3days" is no period: write "30min", "2h"'),
        ("due --calendar desk --within 2h --from noon", '--from: "noon" is no time'),
        ("due --calendar desk --within 2h --from 9999-12-31", "a year from 1900 to 2999"),
        ("due --calendar desk --within 99999h", "is more than ten years: ask for less"),
        ("due --calendar desk --within 29999h", "ask for less than ten years"),
        (f"due --calendar desk --within {'9' * 12}h", "is longer than any calendar"),
        ("due --calendar desk --within 9999999d --clock elapsed", "is more than ten years"),
        ("due --calendar nowhere --within 2h", "there is no calendar nowhere"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(arguments: str, sentence: str) -> None:
    assert sentence in refused(*arguments.split(), "--policy", str(STANDARD))


def test_more_working_days_than_anybody_reads_are_refused_at_once() -> None:
    asked = ("due", "--calendar", "desk", "--within", "9999999 working days")
    said = refused(*asked, "--policy", str(STANDARD))
    assert said == '--within: "9999999 working days" is more than ten years: ask for less\n'


def test_an_end_is_for_working_days_only() -> None:
    asked = ("due", "--calendar", "desk", "--within", "2h", "--ends", "same time")
    said = refused(*asked, "--policy", str(STANDARD))
    assert said == '--ends: "same time" is for working days, not for "2h"\n'


def test_a_policy_file_that_is_not_there_is_named() -> None:
    assert refused("show", "--policy", "none.toml") == "none.toml: there is no such file\n"


def test_a_desk_that_is_away_leaves_the_way_by_a_file() -> None:
    away = run_yinuo("calendar", "show")
    assert (away.code, away.out) == (6, "")
    assert "--policy FILE asks a policy file instead" in away.err
