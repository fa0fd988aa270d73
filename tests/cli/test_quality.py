"""`yinuo quality`, against registers alone: it needs no Temporal (R28)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner

from cli import quality as quality_commands
from cli.console import Commands
from inbound.files.roster import read_roster
from runtime import postgres
from runtime.settings import ROOT
from store import roster
from tests.store.test_quality import STANDARD, a_callback, adopt, an_issue
from tests.support.running_desk import Ran

IN_OCTOBER = datetime(2025, 10, 15, 4, tzinfo=UTC)
OCTOBER = ("--from", "2025-10-01", "--until", "2025-10-31")

app = typer.Typer(cls=Commands)
app.add_typer(quality_commands.app, name="quality")


def yinuo(*arguments: str) -> Ran:
    result = CliRunner().invoke(app, ("quality", *arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
async def empty(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Migrated registers that hold nothing."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("COLUMNS", "140")
    return postgres_url


@pytest.fixture
async def register(empty: str) -> str:
    """Twenty records of two engineers and one of an agent, closed in October, and some calls."""
    async with postgres.pool(empty, size=2) as pool:
        await adopt(pool, STANDARD)
        async with pool.acquire() as connection, connection.transaction():
            await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        for n in range(20):
            whose = {"engineer": "li.na" if n < 12 else "zhou.jianguo"}
            id_ = await an_issue(pool, f"20251015-07-{n:04}", closed_at=IN_OCTOBER, **whose)
            await a_callback(pool, id_, called_at=IN_OCTOBER, satisfied=n > 0)
        hotline: dict[str, Any] = {"engineer": None, "first_contact": True}
        await an_issue(pool, "20251015-12-0001", agent="12", closed_at=IN_OCTOBER, **hotline)
    return empty


def drawn(*arguments: str) -> Any:
    ran = yinuo("draw", *OCTOBER, "--by", "sun.li", "--json", *arguments)
    assert ran.code == 0, ran.err
    return ran.json


def numbers(sample: Any, handler: str) -> list[str]:
    return [each["number"] for each in sample["records"] if each["handler"] == handler]


def test_a_sample_is_drawn_checked_and_added_up(register: str) -> None:
    sample = drawn()
    assert (sample["number"], sample["seed"]) == (1, "2025-10-01/2025-10-31")
    assert sample["population"] == {"li.na": 12, "zhou.jianguo": 8, "12": 1}
    assert [len(numbers(sample, who)) for who in ("li.na", "zhou.jianguo", "12")] == [2, 2, 1]
    assert "phone" not in str(sample)  # no customer data (R30)

    bad, good = numbers(sample, "li.na")
    wrong = yinuo("check", "1", bad, "--by", "sun.li", "--error", "the cause is missing")
    assert wrong.out == f"{bad}: 差错 error, by sun.li.\n"
    assert yinuo("check", "1", good, "--by", "zhou.jianguo", "--ok").code == 0
    (agents,) = numbers(sample, "12")
    yinuo("check", "1", agents, "--by", "sun.li", "--error", "typing error of mine")
    corrected = yinuo("check", "1", agents, "--by", "sun.li", "--ok", "--json")
    assert (corrected.json["revision"], corrected.json["error"]) == (2, None)

    report = yinuo("report", "1", "--json").json
    people = {each["person"]: each for each in report["people"]}
    assert (people["li.na"]["error_rate"], people["li.na"]["retraining"]) == (0.5, True)
    assert (people["12"]["error_rate"], people["12"]["retraining"]) == (0.0, False)
    assert people["zhou.jianguo"]["error_rate"] is None
    assert (report["total"]["checked"], report["total"]["errors"]) == (3, 1)
    assert report["satisfaction"] == {
        "asked": 20,
        "satisfied": 19,
        "rate": 0.95,
        "goal": 0.9,
        "reached": True,
    }

    shown = yinuo("report", "1").out
    assert "李娜 (li.na)" in shown
    assert "50.0%" in shown
    assert "需培训 yes" in shown
    assert "95.0% (19 of 20), goal of 90 % reached" in shown
    page = yinuo("show", "1").out
    assert "5 of 21 records" in page
    assert f"✗ {bad} · sun.li: the cause is missing" in page
    assert "At least 15 % of every handler's" in page
    (line,) = yinuo("list", "--json").json
    assert (line["records"], line["drawn"], line["checked"]) == (21, 5, 3)


def test_drawing_again_shows_what_was_drawn_before(register: str) -> None:
    first = drawn()
    assert drawn() == first
    again = yinuo("draw", *OCTOBER)
    assert again.out.startswith("This was drawn before; it stays as it was.\n")
    assert all(each["number"] in again.out for each in first["records"])
    other = drawn("--seed", "08 11 19 23 30 33 + 07")
    assert other["number"] == 2
    assert "sun.li" in yinuo("list").out


def test_what_nobody_is_named_for_the_desk_draws(register: str) -> None:
    assert yinuo("draw", *OCTOBER, "--json").json["drawn_by"] == "desk"


def test_a_draw_that_cannot_be_is_refused_with_field_and_reason(register: str) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    expected = {
        ("--from", "2025-10-31", "--until", "2025-10-01"): (2, "until: 2025-10-01 lies before"),
        ("--from", "2025-10-32", "--until", "2025-10-31"): (2, "does not match the format"),
        ("--from", "0001-01-01", "--until", "2025-10-01"): (2, "more than a year"),
        ("--from", f"{today}", "--until", f"{today}"): (2, f"until: {today} is not over yet"),
        ("--from", "2020-01-01", "--until", "2020-01-31"): (2, "from: nothing was closed"),
        (*OCTOBER, "--seed", "one\ntwo"): (2, "seed:"),
        (*OCTOBER, "--by", "nobody"): (3, "nobody is not on the roster"),
        (*OCTOBER, "--by", "li.na"): (5, "by: quality checks are for gm_office, lead, manager"),
    }
    for arguments, (code, sentence) in expected.items():
        ran = yinuo("draw", *arguments)
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert sentence in ran.err
    assert yinuo("list").out == "No sample was drawn yet: `yinuo quality draw` draws one.\n"


def test_a_check_that_cannot_be_is_refused_with_field_and_reason(register: str) -> None:
    sample = drawn()
    leads, _ = numbers(sample, "zhou.jianguo")
    drawn_too = {each["number"] for each in sample["records"]}
    left_out = next(n for n in (f"20251015-07-{k:04}" for k in range(20)) if n not in drawn_too)
    ok = ("--by", "sun.li", "--ok")
    expected = {
        ("9", leads, *ok): (3, "there is no sample 9"),
        ("99999999999", leads, *ok): (2, "for 'SAMPLE'"),
        ("1", "20200101-07-0001", *ok): (3, "20200101-07-0001 is not in sample 1"),
        ("1", left_out, *ok): (3, f"{left_out} is not in sample 1"),
        ("1", leads, "--by", "nobody", "--ok"): (3, "nobody is not on the roster"),
        ("1", leads, "--by", "fan.meiling", "--ok"): (5, "by: quality checks are for"),
        ("1", leads, "--by", "zhou.jianguo", "--ok"): (5, f"{leads} is zhou.jianguo's own work"),
        ("1", leads, "--by", "sun.li"): (2, "give either --ok, or --error"),
        ("1", leads, *ok, "--error", "wrong"): (2, "give either --ok, or --error"),
        ("1", leads, "--by", "sun.li", "--error", " "): (2, "error: may not be empty"),
        ("1", leads, "--by", "sun.li", "--error", "x" * 10_001): (2, "error: "),
    }
    for arguments, (code, sentence) in expected.items():
        ran = yinuo("check", *arguments)
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert sentence in ran.err
    assert yinuo("report", "1", "--json").json["total"]["checked"] == 0


def test_a_sample_that_is_not_there_is_not_found(register: str) -> None:
    for command in ("show", "report"):
        ran = yinuo(command, "4")
        assert (ran.code, ran.out) == (3, "")
        assert "there is no sample 4: `yinuo quality list` lists them" in ran.err


def test_a_desk_without_a_policy_says_how_it_gets_one(empty: str) -> None:
    ran = yinuo("draw", *OCTOBER)
    assert (ran.code, "the desk has no policy yet" in ran.err) == (3, True)


def test_what_people_wrote_is_no_command_to_the_terminal(register: str) -> None:
    sample = drawn()
    number = numbers(sample, "li.na")[0]
    yinuo("check", "1", number, "--by", "sun.li", "--error", "[red]bad\x1b[31m")
    assert "[red]bad[31m" in yinuo("show", "1").out
