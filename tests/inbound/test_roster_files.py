"""Roster files: read as spreadsheet programs write them, refused with file, line and column."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from domain.errors import SetupError
from domain.staff.roster import Certification, Contact
from domain.vocabulary import Role
from inbound.files.roster import EXAMPLE, RosterError, first_of, read_roster
from runtime.rulebook import load
from runtime.settings import ROOT


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    directory = tmp_path / "roster"
    shutil.copytree(EXAMPLE, directory)
    return directory


def change(file: Path, right: str, wrong: str) -> int:
    """Replace the first occurrence; return its line."""
    text = file.read_text(encoding="utf-8")
    place = text.index(right)
    file.write_text(text[:place] + wrong + text[place + len(right) :], encoding="utf-8")
    return text.count("\n", 0, place) + 1


def refusal(directory: Path) -> str:
    with pytest.raises(RosterError) as refused:
        read_roster(directory)
    return str(refused.value).replace(f"{directory}{'/'}", "")


# --- As it stands --------------------------------------------------------------------------------


def test_a_roster_is_read_with_its_lists_dates_and_empty_cells() -> None:
    roster = read_roster(EXAMPLE)
    assert (len(roster.centres), len(roster.members), len(roster.channels)) == (8, 55, 5)
    guangzhou = roster.centres[0]
    assert guangzhou.id == "guangzhou"
    assert guangzhou.regions == ("广东", "广西", "海南")
    assert guangzhou.nearest == ("shenzhen", "wuhan", "shanghai")

    people = {member.id: member for member in roster.members}
    assert people["huang.minyi"].certified == (
        Certification(product_line="VEHICLE"),
        Certification(product_line="SECURITY", until=date(2030, 6, 30)),
    )
    assert people["zhao.gang"].contacts == (
        Contact(channel="feishu", address="shenyang"),
        Contact(channel="sms", address="+8613900000012"),
    )
    assert people["07"].role is Role.AGENT
    assert people["07"].certified == ()

    channels = {channel.id: channel for channel in roster.channels}
    assert channels["dingtalk"].per_minute == 20
    assert channels["sms"].per_minute is None
    assert (channels["sms"].customers, channels["wecom"].customers) == ("phone", None)


def test_the_example_reaches_nobody_but_this_machine() -> None:
    for channel in read_roster(EXAMPLE).channels:
        assert channel.url == f"json://127.0.0.1:8234/{channel.id}/{{to}}"


def test_a_byte_order_mark_windows_lines_quotes_and_empty_lines_do_no_harm(roster: Path) -> None:
    for file in roster.iterdir():
        lines = file.read_text(encoding="utf-8").splitlines()
        cells = ["," * lines[0].count(",") if n == 2 else line for n, line in enumerate(lines)]
        cells.insert(2, lines[2])
        text = "\r\n".join((*cells, "", ""))
        file.write_bytes(text.replace("ATM;KIOSK,", '"ATM; KIOSK",').encode("utf-8-sig"))
    assert read_roster(roster) == read_roster(EXAMPLE)


def test_columns_can_be_in_any_order(roster: Path) -> None:
    file = roster / "channels.csv"
    rows = [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("\n".join(",".join(reversed(row)) for row in rows), encoding="utf-8")
    assert read_roster(roster) == read_roster(EXAMPLE)


def test_the_days_of_another_shift_are_read_with_the_roster() -> None:
    exceptions = read_roster(EXAMPLE).exceptions
    assert exceptions
    assert [(e.person, str(e.first), str(e.until), e.shift) for e in exceptions] == [
        ("liang.jiahao", "2030-02-04", "2030-02-15", "off"),
        ("li.na", "2030-02-04", "2030-02-08", "off"),
        ("chen.zhiqiang", "2030-02-09", "2030-02-10", "night"),
        ("deng.wei", "2030-02-09", "2030-02-10", "everyday"),
    ]


def test_a_roster_without_that_file_says_nothing_of_them_and_an_empty_one_that_there_are_none(
    roster: Path,
) -> None:
    (roster / "duty.csv").write_text("person,from,until,shift,reason\n", "utf-8")
    assert read_roster(roster).exceptions == ()
    (roster / "duty.csv").unlink()
    assert read_roster(roster).exceptions is None


def test_the_same_line_twice_is_found_at_the_second(roster: Path) -> None:
    with (roster / "duty.csv").open("a", encoding="utf-8") as file:
        file.write("li.na,2030-02-04,2030-02-08,off,again\n")
    assert refusal(roster).startswith("duty.csv, line 6: duty of li.na from 2030-02-04: from: over")


def test_a_shift_the_policy_does_not_know_is_named_with_whose_and_when(roster: Path) -> None:
    change(roster / "duty.csv", ",night,", ",moon,")
    with pytest.raises(ValueError, match=r"duty of chen\.zhiqiang from 2030-02-09: shift: moon is"):
        read_roster(roster).check_against(load(ROOT / "policies" / "standard.toml"))


# --- A wrong cell --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "right", "wrong", "says"),
    [
        (
            "people.csv",
            ",ATM;KIOSK,desk",
            ",ATM KIOSK,desk",
            "column certified: String should match pattern '^[\\w.+-]+$'; list product lines like",
        ),
        (
            "people.csv",
            "2030-06-30",
            "2030-06-31",
            "column certified: Input should be a valid date",
        ),
        ("people.csv", "SECURITY=2030-06-30", "SECURITY=", "column certified: Input should be"),
        (
            "people.csv",
            ",engineer,",
            ",enginer,",
            "column role: Input should be 'engineer', 'clerk', 'lead', 'manager', 'gm_office' or",
        ),
        (
            "people.csv",
            ",sms:+8613900000002",
            ",+8613900000002",
            "column contacts: may not be empty; list channel:address like sms:",
        ),
        (
            "people.csv",
            ",sms:+8613900000002",
            ",",
            "column contacts: may not be empty; list channel:address like sms:",
        ),
        ("people.csv", "liang.jiahao", "liang jiahao", "column person: String should match"),
        (
            "centres.csv",
            "Asia/Shanghai",
            "Shanghai",
            'column zone: "Shanghai" is no time zone: give an IANA name such as Asia/Shanghai',
        ),
        ("centres.csv", ",desk,", ",,", "column calendar: may not be empty; the cell is empty"),
        (
            "channels.csv",
            ",20,",
            ",twenty,",
            "column per_minute: Input should be a valid integer",
        ),
        ("channels.csv", ",20,", ",0,", "column per_minute: Input should be greater than 0"),
        ("channels.csv", "json://", "127.0.0.1/", "column url: String should match pattern"),
        ("channels.csv", ",phone", ",fax", "column customers: Input should be 'phone' or 'email'"),
        (
            "duty.csv",
            "2030-02-15",
            "2030-02-03",
            "column until: 2030-02-03 is before 2030-02-04, the day from which it holds; write the",
        ),
        ("duty.csv", "2030-02-04", "4.2.2030", "column from: Input should be a valid date"),
        ("duty.csv", ",off,", ",day shift,", "column shift: String should match pattern"),
        (
            "duty.csv",
            ",年假 annual leave",
            ",",
            "column reason: may not be empty; the cell is empty",
        ),
    ],
)
def test_a_wrong_cell_is_named_with_what_it_holds_and_what_is_expected(
    roster: Path, file: str, right: str, wrong: str, says: str
) -> None:
    line = change(roster / file, right, wrong)
    message = refusal(roster)
    assert message.startswith(f"{file}, line {line}, {says}")
    assert message.endswith(("the cell is empty", '"'))
    assert "; the cell " in message


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        (
            "sms:+8613900000002",
            "sms:8.61390E+12",
            "column contacts: sms:8.61390E+12: a spreadsheet has rounded it",
        ),
        (
            "sms:+8613900000002",
            "sms:liang",
            "column contacts: sms:liang: holds no telephone number",
        ),
        ("sms:+8613900000002", "sms:110", "column contacts: sms:110: has too few or too many"),
        (
            "sms:+8613900000002",
            "sms:020-55500101",
            "column contacts: sms:020-55500101: is no mobile number",
        ),
        (
            "sms:+8613900000002",
            "sms:13900000002转8",
            "column contacts: sms:13900000002转8: is no mobile number",
        ),
        (
            "email:ou.zixuan@example.com",
            "email:ou.zixuan@example",
            "column contacts: email:ou.zixuan@example: is no e-mail address",
        ),
        (
            "wecom:guangzhou",
            "wecom:1.23457E+11",
            "column contacts: wecom:1.23457E+11: a spreadsheet has rounded it",
        ),
        ("07,何晓彤", "7,何晓彤", "column person: an agent's number has 2 to 4 digits: write 07"),
        ("12,邱志远", "qiu,邱志远", "column person: an agent's number has 2 to 4 digits"),
        ("12,邱志远", "12.0,邱志远", "column person: an agent's number has 2 to 4 digits"),
    ],
)
def test_what_a_spreadsheet_does_to_numbers_is_named_with_its_line(
    roster: Path, right: str, wrong: str, says: str
) -> None:
    line = change(roster / "people.csv", right, wrong)
    message = refusal(roster)
    assert message.startswith(f"people.csv, line {line}, {says}")
    assert "; the cell holds " in message


def test_a_number_of_the_staff_may_be_written_as_people_write_and_is_kept_as_gateways_want_it(
    roster: Path,
) -> None:
    change(roster / "people.csv", "sms:+8613900000002", "sms:139 0000-0002.")
    assert read_roster(roster) == read_roster(EXAMPLE)


def test_what_is_wrong_in_several_files_is_told_in_one_pass(roster: Path) -> None:
    places = {
        change(roster / file, right, wrong): file
        for file, right, wrong in (
            ("channels.csv", ",20,", ",twenty,"),
            ("people.csv", "07,何晓彤", "7,何晓彤"),
            ("people.csv", "sms:+8613900000002", "sms:8.61390E+12"),
        )
    }
    duty = change(roster / "duty.csv", "2030-02-15", "soon")
    assert [line.split(", column")[0] for line in refusal(roster).splitlines()] == [
        *(f"{file}, line {line}" for line, file in places.items()),
        f"duty.csv, line {duty}",
    ]


def test_all_wrong_cells_of_a_file_are_named_at_once(roster: Path) -> None:
    first = change(roster / "people.csv", ",agent,", ",agend,")
    second = change(roster / "people.csv", "2030-06-30", "next year")
    lines = refusal(roster).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"people.csv, line {first}, column role",
        f"people.csv, line {second}, column certified",
    ]


def test_lists_separated_by_commas_are_noticed(roster: Path) -> None:
    change(roster / "centres.csv", "广东;广西", "广东,广西")
    assert refusal(roster) == (
        "centres.csv, line 2: 7 cells instead of 6: lists inside a cell are separated by ; "
        "not by commas"
    )


def test_a_quotation_mark_left_open_is_named_where_it_was_opened(roster: Path) -> None:
    line = change(roster / "people.csv", "黄敏仪", '"黄敏仪')
    assert refusal(roster).startswith(f"people.csv, line {line}: no valid CSV: ")


# --- A wrong file --------------------------------------------------------------------------------


def test_missing_and_unknown_columns_are_named(roster: Path) -> None:
    change(roster / "people.csv", "certified,shift", "certfied,shift")
    assert refusal(roster) == (
        "people.csv, line 1: columns missing: certified; unknown: certfied. The first line must be "
        "person,name,role,department,centre,certified,shift,contacts"
    )


def test_a_column_that_is_there_twice_is_named(roster: Path) -> None:
    change(roster / "channels.csv", "customers", "channel")
    assert "missing: customers; there twice: channel" in refusal(roster)


def test_an_empty_file_lacks_every_column(roster: Path) -> None:
    (roster / "channels.csv").write_bytes(b"")
    assert refusal(roster).startswith("channels.csv, line 1: columns missing: channel, url")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_another_encoding_is_refused_with_the_line_and_how_to_save_it(
    roster: Path, encoding: str
) -> None:
    file = roster / "people.csv"
    file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    line = 2 if encoding == "gb18030" else 1  # the header is ASCII
    message = refusal(roster)
    assert message.startswith(f"people.csv, line {line}: not UTF-8")
    assert 'save it again as "CSV UTF-8"' in message


def test_a_missing_file_is_named(roster: Path) -> None:
    (roster / "channels.csv").unlink()
    with pytest.raises(SetupError, match=r"channels\.csv: there is no such file"):
        read_roster(roster)


# --- A wrong whole -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "right", "wrong", "says"),
    [
        ("centres.csv", "shenzhen;wuhan", "shenzen;wuhan", "centre guangzhou: nearest: shenzen is"),
        ("centres.csv", "深圳;香港", "广东;香港", "region 广东 is on the roster twice"),
        ("people.csv", "wecom:hotline", "wechat:hotline", "person 07: contacts: wechat is unknown"),
        ("people.csv", "12,邱志远", "07,邱志远", "person 07 is on the roster twice"),
        ("people.csv", "lead,legal", "clerk,legal", "department legal has no lead"),
        ("people.csv", "gm_office,general", "clerk,general", "department general_office has no"),
        ("channels.csv", "dingtalk,", "sms,", "channel sms is on the roster twice"),
        (
            "duty.csv",
            "li.na,",
            "li.ming,",
            "line 3: duty of li.ming from 2030-02-04: person: li.ming is unknown; there are: 07, ",
        ),
        (
            "duty.csv",
            "li.na,2030-02-04",
            "liang.jiahao,2030-02-05",
            "line 3: duty of liang.jiahao from 2030-02-05: from: overlaps with off from 2030-02-04",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_with_its_file(
    roster: Path, file: str, right: str, wrong: str, says: str
) -> None:
    change(roster / file, right, wrong)
    assert refusal(roster).startswith((f"{file}: {says}", f"{file}, {says}"))


def test_a_roster_with_no_channel_to_customers_is_refused(roster: Path) -> None:
    change(roster / "channels.csv", ",phone", ",")
    change(roster / "channels.csv", ",email\n", ",\n")
    assert refusal(roster).startswith("channels.csv: no channel is for customers")


# Examinations (R46) -------------------------------------------------------------------------------

SAT = "person,product_line,on,score,until\n"


def test_r46_a_certificate_takes_the_place_of_the_bare_line_and_a_test_stands_beside_it(
    roster: Path,
) -> None:
    (roster / "examinations.csv").write_text(
        SAT + "huang.minyi,VEHICLE,2026-01-16,88,2027-01-15\nhuang.minyi,,2026-10-12,93,\n",
        encoding="utf-8",
    )
    found = {member.id: member for member in read_roster(roster).members}
    assert found["huang.minyi"].certified == (
        Certification(product_line="SECURITY", until=date(2030, 6, 30)),
        Certification(
            product_line="VEHICLE",
            until=date(2027, 1, 15),
            passed_on=date(2026, 1, 16),
            score=88,
        ),
    )
    assert [test.score for test in found["huang.minyi"].tests] == [93]
    assert found["li.na"].tests == ()


def test_r46_a_roster_of_before_has_neither_skills_nor_examinations(roster: Path) -> None:
    (roster / "examinations.csv").unlink()
    members = read_roster(roster).members
    assert not any(each.skills or each.tests for each in members)
    assert any(each.certified for each in members)


def test_r46_what_an_agent_can_do_stands_in_a_column_of_its_own(roster: Path) -> None:
    people = roster / "people.csv"
    head, *rows = people.read_text(encoding="utf-8").splitlines()
    skilled = [f"{row},{'ATM;投诉处理;英语' * row.startswith('07,')}" for row in rows]
    people.write_text("\n".join([f"{head},skills", *skilled]), encoding="utf-8")
    found = {member.id: member.skills for member in read_roster(roster).members if member.skills}
    assert found == {"07": ("ATM", "投诉处理", "英语")}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("nobody,ATM,2026-01-16,88,", "column person: nobody is not in people.csv"),
        ("li.na,ATM,2026-01-16,101,", "column score: Input should be less than or equal to 100"),
        ("li.na,ATM,yesterday,88,", "column on: Input should be a valid date"),
        ("li.na,ATM,2026-01-16,88,2025-01-16", "column until: 2025-01-16 is before 2026-01-16"),
        ("li.na,,2026-01-16,88,2027-01-16", "column until: a quarterly test has no last day"),
    ],
)
def test_r46_a_wrong_examination_is_named_by_its_line(roster: Path, row: str, says: str) -> None:
    (roster / "examinations.csv").write_text(SAT + row + "\n", encoding="utf-8")
    assert refusal(roster).startswith(f"examinations.csv, line 2, {says}")


def test_a_new_desk_takes_the_roster_beside_its_policy_or_that_of_the_examples(
    tmp_path: Path,
) -> None:
    assert first_of(tmp_path / "policy.toml") == EXAMPLE
    (tmp_path / "roster").mkdir()
    assert first_of(tmp_path / "policy.toml") == tmp_path / "roster"
