"""`yinuo roster` on a running desk: who goes off and comes back, and who has the issues (R16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from tests.cli.test_app import seen
from tests.support.running_desk import Ran, RunningDesk, Yinuo

DAY = timedelta(days=1)
REGION = "沈阳"


def today() -> date:
    """The desk's day: it is at home in Shanghai."""
    return (datetime.now(UTC) + timedelta(hours=8)).date()


@pytest.fixture
def roster(running_desk: RunningDesk, yinuo: Yinuo, tmp_path: Path) -> Iterator[Path]:
    """A roster to change; the desk gets its own back."""
    for sheet in running_desk.roster.iterdir():
        (tmp_path / sheet.name).write_bytes(sheet.read_bytes())
    yield tmp_path
    restored = yinuo("roster", "import", str(running_desk.roster))
    assert restored.code == 0, restored.err


def imported(yinuo: Yinuo, roster: Path) -> Ran:
    ran = yinuo("roster", "import", str(roster))
    assert ran.code == 0, ran.err
    return ran


def change(roster: Path, file: str, right: str, wrong: str) -> None:
    sheet = roster / file
    text = sheet.read_text("utf-8")
    assert right in text
    sheet.write_text(text.replace(right, wrong, 1), "utf-8")


def add(roster: Path, *ids: str) -> str:
    """Hire engineers who alone are certified for a product line of this test's own."""
    line = f"LINE-{uuid4().hex[:8]}"
    with (roster / "people.csv").open("a", encoding="utf-8") as people:
        for id_ in ids:
            people.write(
                f"\n{id_},{id_},engineer,technical_service,guangzhou,{line},desk,wecom:guangzhou"
            )
    return line


def opened(yinuo: Yinuo, line: str) -> IssueView:
    ran = yinuo(
        *("issue", "open", "--product-line", line, "--region", "广东", "--title", "吞卡"),
        *("--customer", "天河支行", "--phone", "+86 138 0000 0001", "--json"),
    )
    assert ran.code == 0, ran.err
    return IssueView.model_validate_json(ran.out)


def shown(yinuo: Yinuo, issue: IssueView) -> IssueView:
    return seen(yinuo("issue", "show", issue.number, "--json"))


def holder(issue: IssueView) -> str | None:
    return issue.engineer.id if issue.engineer else None


def off(yinuo: Yinuo, person: str, first: date, until: date) -> Ran:
    return yinuo(
        *("roster", "off", person, "--from", str(first), "--until", str(until)),
        *("--reason", "病假", "--by", "zhou.jianguo"),
    )


def test_whoever_goes_off_hands_over_and_is_back_when_that_is_taken_back(
    yinuo: Yinuo, roster: Path
) -> None:
    line = add(roster, "zz.one", "zz.two")
    imported(yinuo, roster)
    issue = opened(yinuo, line)
    first, second = sorted(["zz.one", "zz.two"], key=lambda id_: id_ != holder(issue))
    assert holder(issue) == first

    until = today() + 9 * DAY
    went = off(yinuo, first, today(), until)
    assert went.code == 0, went.err
    assert f"Entered for {first}: off from {today()} until {until} (病假)." in went.out
    assert f"Handed over: {issue.number}, {first} is off duty until {until}." in went.out
    now = shown(yinuo, issue)
    assert holder(now) == second
    assert now.steps[-1].action is ActionName.REASSIGN
    assert now.steps[-1].note == f"{first} is off duty until {until}"
    assert [p.due_at for p in now.promises] == [p.due_at for p in issue.promises]

    assert off(yinuo, second, today(), until).code == 0
    assert holder(shown(yinuo, issue)) is None
    back = yinuo("roster", "back", second)
    assert back.code == 0, back.err
    assert "waiting; asked again." in back.out
    assert holder(shown(yinuo, issue)) == second


def test_a_day_off_hands_nothing_over_nor_does_a_leave_that_is_yet_to_come(
    yinuo: Yinuo, roster: Path
) -> None:
    line = add(roster, "zz.one", "zz.two")
    imported(yinuo, roster)
    issue = opened(yinuo, line)
    who = holder(issue) or ""
    assert off(yinuo, who, today(), today()).code == 0
    assert off(yinuo, who, today() + 2 * DAY, today() + 9 * DAY).code == 0
    assert holder(shown(yinuo, issue)) == who
    assert yinuo("roster", "back", who).code == 0
    swapped = yinuo(
        *("roster", "shift", who, "night", "--from", str(today()), "--until", str(today())),
    )
    assert swapped.code == 0, swapped.err
    assert holder(shown(yinuo, issue)) == who


def test_whoever_left_or_lost_the_certificate_hands_over_with_the_next_import(
    yinuo: Yinuo, roster: Path
) -> None:
    before = (roster / "people.csv").read_text("utf-8")
    line = add(roster, "zz.one", "zz.two")
    imported(yinuo, roster)
    issue = opened(yinuo, line)
    first, second = sorted(["zz.one", "zz.two"], key=lambda id_: id_ != holder(issue))
    kept = (roster / "people.csv").read_text("utf-8").splitlines()
    staying = [each for each in kept if not each.startswith(f"{first},")]
    (roster / "people.csv").write_text("\n".join(staying), "utf-8")
    assert f"Handed over: {issue.number}, {first} has left." in imported(yinuo, roster).out
    assert holder(shown(yinuo, issue)) == second

    ended = today() - DAY
    change(roster, "people.csv", f",{line},desk", f",{line}={ended},desk")
    reason = f"{second} is not certified for {line} any more: that ended on {ended}"
    assert f"Handed over: {issue.number}, {reason}." in imported(yinuo, roster).out
    assert holder(shown(yinuo, issue)) is None

    (roster / "people.csv").write_text(before, "utf-8")
    imported(yinuo, roster)
    assert (
        yinuo(
            "roster", "off", first, "--from", "2026-01-01", "--until", "2026-01-02", "--reason", "x"
        ).code
        == 3
    )


def test_the_desks_roster_is_looked_over(yinuo: Yinuo, roster: Path) -> None:
    line = add(roster, "zz.one")
    change(roster, "people.csv", f",{line},desk", f",{line}={today() + 20 * DAY},desk")
    imported(yinuo, roster)
    issue = opened(yinuo, line)
    found = yinuo("roster", "check", "--json")
    assert found.code == 0, found.err
    assert f"zz.one: {line} ends on {today() + 20 * DAY}" in found.json["certifications"]
    assert not [each for each in found.json["stranded"] if issue.number in each]
    assert f"legal: nobody certified for {line} serves any region" in found.json["uncovered"]
    served = [each for each in found.json["uncovered"] if each.startswith("technical_service: ")]
    assert not [each for each in served if line in each and "广东" in each]
    soon = yinuo("roster", "check", "--within", "19", "--json").json
    assert not [each for each in soon["certifications"] if line in each]

    assert off(yinuo, "zz.one", today(), today() + DAY).code == 0
    pages = yinuo("roster", "check").out
    assert f"{issue.number}: nobody has it" in pages
    assert "需要交接 Issues that need somebody else" in pages
    again = yinuo("roster", "hand-over")
    assert "waiting; asked again." in again.out


def test_r46_what_agents_can_do_and_gave_to_the_library_is_read_in_one_table(
    yinuo: Yinuo, roster: Path
) -> None:
    people = roster / "people.csv"
    head, *rows = people.read_text(encoding="utf-8").splitlines()
    skilled = [f"{row},{'ATM;英语' * row.startswith('07,')}" for row in rows]
    people.write_text("\n".join([f"{head},skills", *skilled]), encoding="utf-8")
    imported(yinuo, roster)
    found = {each["person"]: each for each in yinuo("roster", "skills", "--json").json}
    assert found["07"]["skills"] == ["ATM", "英语"]
    assert (found["07"]["skills_short"], found["07"]["cases_short"]) == (True, True)
    assert found["liang.jiahao"]["test"] == {"on": "2026-10-12", "score": 93}
    assert found["liang.jiahao"]["cases"] is None
    assert {
        "product_line": "ATM",
        "until": "2030-12-31",
        "passed_on": "2026-01-16",
        "score": 88,
    } in (found["liang.jiahao"]["certified"])
    shown = yinuo("roster", "skills", "--month", "2026-11").out
    assert "88 on 2026-01-16" in " ".join(shown.split())
    assert "2026-11: asked are 5 cases a month and 3 skills of each agent." in shown
    assert "07: 2 of 3 skills" in yinuo("roster", "check").out


def test_who_is_on_duty_on_a_day_is_shown(yinuo: Yinuo, roster: Path) -> None:
    add(roster, "zz.one")
    imported(yinuo, roster)
    day = today() + 30 * DAY
    assert off(yinuo, "zz.one", day, day).code == 0
    ran = yinuo("roster", "show", "--day", str(day), "--json")
    assert ran.code == 0, ran.err
    people = {each["person"]: each for each in ran.json["people"]}
    assert (people["zz.one"]["hours"], people["zz.one"]["why"]) == ([], "病假")
    assert people["li.na"]["hours"] == ["00:00-24:00"]
    assert people["ou.zixuan"]["shift"] == "off"
    table = yinuo("roster", "show", "--day", str(day)).out
    assert (
        f"{day}: {len(people) - 2} of {len(people)} on duty. Times are in Asia/Shanghai." in table
    )
    assert f"{today()}: " in yinuo("roster", "show").out


def test_what_cannot_be_entered_is_refused_with_the_reason_and_changes_nothing(
    yinuo: Yinuo, roster: Path
) -> None:
    add(roster, "zz.one")
    imported(yinuo, roster)
    first, last = today() + 10 * DAY, today() + 12 * DAY
    assert off(yinuo, "zz.one", first, last).code == 0
    days = ("--from", str(last), "--until", str(last + DAY))
    reason = ("--reason", "年假")
    expected: dict[tuple[str, ...], tuple[int, str]] = {
        ("off", "nobody", *days, *reason): (3, "nobody is not on the roster"),
        ("off", "zz.one", *days, *reason, "--by", "nobody"): (3, "nobody is not on the roster"),
        ("off", "zz.one", *days, *reason): (
            4,
            f"duty of zz.one from {last}: overlaps with off from {first} until {last} (病假)",
        ),
        ("shift", "zz.one", "moon", *days): (2, "shift: there is no moon; there are: always,"),
        ("off", "zz.one", *days, "--reason", " "): (2, "reason: may not be empty"),
        ("off", "zz.one", "--from", "1.12.2026", "--until", "2026-12-02", *reason): (
            2,
            '--from: "1.12.2026" is no day: write it like "2026-11-30"',
        ),
        ("off", "zz.one", "--from", "2026-12-02", "--until", "2026-12-01", *reason): (
            2,
            "until: 2026-12-01 is before 2026-12-02",
        ),
        ("off", "zz.one", "--from", "2026-12-02", "--until", "9026-12-01", *reason): (
            2,
            "--until: 9026-12-01: give a year from",
        ),
        ("back", "zz.one"): (3, f"zz.one has the usual shift on {today()} already"),
        ("back", "nobody"): (3, "nobody is not on the roster"),
        ("show", "--day", "tomorrow"): (2, '--day: "tomorrow" is no day'),
    }
    for arguments, (code, sentence) in expected.items():
        ran = yinuo("roster", *arguments)
        assert (ran.code, ran.out) == (code, ""), (arguments, ran.err)
        assert sentence in ran.err
        assert "Traceback" not in ran.err
    shown = yinuo("roster", "show", "--day", str(last + DAY), "--json").json["people"]
    assert next(each for each in shown if each["person"] == "zz.one")["hours"]


def test_a_bad_roster_is_not_imported_and_said_with_file_and_line(
    yinuo: Yinuo, roster: Path
) -> None:
    add(roster, "zz.one")
    imported(yinuo, roster)
    assert off(yinuo, "zz.one", date(2030, 3, 1), date(2030, 3, 2)).code == 0
    with (roster / "duty.csv").open("a", encoding="utf-8") as sheet:
        sheet.write("zz.one,2030-03-02,2030-03-04,night,swapped\n")
    contradicts = yinuo("roster", "import", str(roster))
    assert contradicts.code == 2
    assert "duty.csv: duty of zz.one from 2030-03-02: overlaps with off from" in contradicts.err
    change(roster, "duty.csv", "zz.one,", "zz.two,")
    unknown = yinuo("roster", "import", str(roster))
    assert (unknown.code, "duty.csv, line 6: duty of zz.two" in unknown.err) == (2, True)
    day = yinuo("roster", "show", "--day", "2030-03-04", "--json").json["people"]
    assert {each["person"] for each in day if each["why"]} == set()
