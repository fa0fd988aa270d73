"""`yinuo register`: registers under their Chinese names, and what is refused."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner

from cli import registers as register_commands
from cli.console import Commands
from domain.sla.rulebook import Rulebook
from runtime import postgres
from runtime.embedded.servers import APPLICATION, OWNER
from store import door_log, rulebooks
from store.connection import Pool
from store.door_log import Entry
from store.exports.columns import Holds
from store.exports.registers import REGISTERS
from store.exports.spreadsheets import Format
from tests.support.calendars import calendar
from tests.support.filled import CUSTOMERS, a_step, one_of_each
from tests.support.rulebooks import policy, rule
from tests.support.running_desk import Ran
from tests.support.sheets import csv_rows, names, xlsx_rows

Export = Callable[..., Ran]

app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
app.add_typer(register_commands.app, name="register")


@pytest.fixture
def register(
    database: Pool, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Export:
    """Runs `yinuo register` on a database of this test's own, in a directory of its own."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.chdir(tmp_path)
    return run


def run(*arguments: str) -> Ran:
    result = CliRunner().invoke(app, ("register", *arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
async def filled(database: Pool) -> str:
    return await one_of_each(database)


# What is written ----------------------------------------------------------------------------------


def test_a_form_is_exported_under_the_names_of_the_regulation(
    register: Export, filled: str, tmp_path: Path
) -> None:
    ran = register("export", "evaluations")
    assert (ran.code, ran.out) == (0, "evaluations.xlsx\n")
    assert ran.err.startswith("绩效评定表 Evaluations: 1 row. Times are in Asia/Shanghai.")
    book = load_workbook(tmp_path / "evaluations.xlsx")
    assert book.sheetnames == ["绩效评定表"]
    assert book.active.freeze_panes == "B2"
    assert book.active.auto_filter.ref == "A1:AB2"
    (row,) = xlsx_rows(tmp_path / "evaluations.xlsx")
    assert row["问题编号"] == "20261123-07-0002"
    assert row["问题类别"] == "投诉 complaint"
    assert row["评定项目"] == "售后服务 after_sales"
    assert row["评价时间"] == datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - as a sheet has it
    assert (row["技术水平（%）"], row["服务态度（%）"]) == (-50, 200)
    assert row["被评工程师"] == "李娜 li.na"


def test_in_english_headings_and_words_are_english(
    register: Export, filled: str, tmp_path: Path
) -> None:
    assert register("export", "callbacks", "--english", "--out", "calls.xlsx").code == 0
    assert load_workbook(tmp_path / "calls.xlsx").sheetnames == ["Callback records"]
    (row,) = xlsx_rows(tmp_path / "calls.xlsx")
    assert (row["Kind"], row["Reached"], row["Running normally"]) == ("complaint", "yes", "no")
    assert row["Satisfied"] is None


@pytest.fixture
async def own_terms(database: Pool, filled: str) -> None:
    own = policy(
        rule("r"),
        kinds={
            "complaint": {"name": {"zh": "客诉", "en": "grievance"}, "behaves": "complaint"},
            "fault": {"name": {"zh": "报障", "en": "outage"}, "behaves": "fault"},
        },
        departments={
            "service": {"name": "服务部"},
            "technical_service": {"name": {"zh": "现场部", "en": "field"}},
        },
    )
    desk = Rulebook(policy=own, calendars={"desk": calendar(), "everyday": calendar()})
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM members")  # who are not fit for work
        await rulebooks.adopt(connection, desk, by="admin", note="")


def test_r37_kinds_and_departments_are_called_as_the_desks_policy_calls_them(
    register: Export, own_terms: None, tmp_path: Path
) -> None:
    register("export", "issues")
    row, _ = xlsx_rows(tmp_path / "issues.xlsx")
    assert {row["问题类别"], row["责任部门"]} < {
        "客诉 complaint",
        "报障 fault",
        "现场部 technical_service",
    }
    register("export", "telephone", "--english")
    (calls,) = xlsx_rows(tmp_path / "telephone.xlsx")
    assert calls["Calls: outage"] + calls["Calls: grievance"] == calls["Calls"]


def test_csv_has_local_times_with_their_offset_and_plain_numbers(
    register: Export, filled: str
) -> None:
    (paid,) = csv_rows(register("export", "paid_services", "--out", "-").out)
    assert paid["勘查时间"] == "2026-11-23T09:00:00+08:00"
    assert paid["报价（元）"] == "12800.50"
    (promise,) = csv_rows(register("export", "承诺台账", "--out", "-").out)
    assert (promise["承诺事项"], promise["兑现情况"]) == ("解决 resolution", "兑现 kept")
    assert (promise["用时"], promise["暂停时长"]) == ("26:30:00", "1:30:00")
    (calls,) = csv_rows(register("export", "telephone", "--out", "-").out)
    assert (calls["日期"], calls["电话数"], calls["首次解决率"]) == ("2026-11-23", "2", "0.0%")


def test_xlsx_has_money_shares_and_durations_to_calculate_with(
    register: Export, filled: str, tmp_path: Path
) -> None:
    for name in ("paid_services", "promises", "telephone"):
        assert register("export", name).code == 0
    assert xlsx_rows(tmp_path / "paid_services.xlsx")[0]["报价（元）"] == 12800.5
    assert xlsx_rows(tmp_path / "promises.xlsx")[0]["用时"] == timedelta(hours=26, minutes=30)
    (calls,) = xlsx_rows(tmp_path / "telephone.xlsx")
    assert calls["日期"] == datetime(2026, 11, 23)  # noqa: DTZ001 - as a sheet has it
    assert calls["首次解决率"] == 0
    assert calls["时限内接听率"] is None


@pytest.mark.parametrize("format_", Format)
def test_every_register_can_be_exported_in_both_formats(
    register: Export, filled: str, tmp_path: Path, format_: Format
) -> None:
    for name in REGISTERS:
        ran = register("export", name, "--format", format_)
        assert ran.code == 0, ran.err
        path = tmp_path / f"{name}.{format_}"
        rows = xlsx_rows(path) if format_ == "xlsx" else csv_rows(path.read_text("utf-8"))
        assert [*rows[0]] == [column.zh for column in REGISTERS[name].columns]


def test_both_formats_say_the_same_text(register: Export, filled: str, tmp_path: Path) -> None:
    for name in ("handling", "complaint_forms", "issues"):
        register("export", name)
        texts = [c.zh for c in REGISTERS[name].columns if c.holds in {Holds.TEXT, Holds.CODE}]
        for plain, sheet in zip(
            csv_rows(register("export", name, "--out", "-").out),
            xlsx_rows(tmp_path / f"{name}.xlsx"),
            strict=True,
        ):
            for heading in texts:
                assert plain[heading].removeprefix("'") == (sheet[heading] or "")


def test_a_period_has_both_its_days(register: Export, filled: str, tmp_path: Path) -> None:
    for first, last, rows in (
        ("2026-11-23", "2026-11-23", "2 rows"),
        ("2026-11-22", "2026-11-22", "nothing in that period, headings only"),
        ("2026-11-24", "2026-11-30", "nothing in that period, headings only"),
    ):
        ran = register("export", "issues", "--from", first, "--until", last)
        assert f"issues: {rows}" in ran.err.replace("Issue register", "issues")
        name = f"issues_from_{first}_until_{last}.xlsx"
        assert ran.out == f"{name}\n"
        assert (tmp_path / name).exists()


def test_an_empty_register_is_a_file_with_headings_and_is_said_to_be(
    register: Export, tmp_path: Path
) -> None:
    ran = register("export", "panels")
    assert ran.code == 0
    assert "Expert panels: nothing there yet, headings only." in ran.err
    book = load_workbook(tmp_path / "panels.xlsx")
    assert [cell.value for cell in book.active[1]] == [c.zh for c in REGISTERS["panels"].columns]
    assert book.active.max_row == 1


@pytest.fixture
async def revised(database: Pool, filled: str) -> None:
    await a_step(database, filled, 2, "verify", "li.na")
    await database.execute("UPDATE complaint_forms SET verdict = 'general', findings = '部分属实'")


def test_a_history_says_what_a_form_said_before_who_replaced_it_and_why(
    register: Export, revised: None
) -> None:
    ran = register("export", "complaint_forms", "--history", "--out", "-")
    (row,) = csv_rows(ran.out)
    assert (row["核实结论"], row["核实情况"]) == ("重大 major", "属实。")
    assert (row["替换人"], row["替换原因"], row["步骤"]) == ("李娜 li.na", "投诉核实 verify", "2")
    assert "投诉处理表（历史） Complaint forms, history: 1 row." in ran.err


def test_without_customers_the_file_has_nothing_of_theirs(
    register: Export, revised: None, tmp_path: Path
) -> None:
    for name, said in (("issues", "张伟"), ("evaluations", "修不好"), ("complaints", "1234")):
        ran = register("export", name, "--without-customers")
        path = tmp_path / f"{name}_without_customers.xlsx"
        assert ran.out == f"{path.name}\n"
        assert "R30" not in ran.err
        hidden = repr(xlsx_rows(path))
        assert not [each for each in CUSTOMERS if each in hidden]
        ran = register("export", name, "--out", "-")
        assert said in ran.out
        assert "customers' data: only for those who need them (R30)" in ran.err


def test_the_list_names_every_register_with_its_rows(register: Export, revised: None) -> None:
    shown = register("list").out
    assert all(each.zh in shown and each.en in shown for each in REGISTERS.values())
    found = {each["name"]: each for each in register("list", "--json").json}
    assert (found["issues"]["rows"], found["complaint_forms"]["earlier"]) == (2, 1)


# The file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["issues.csv", "issues.xlsx"])
def test_a_file_that_is_there_is_replaced_only_by_force(
    register: Export, filled: str, tmp_path: Path, name: str
) -> None:
    there = tmp_path / name
    there.write_text("mine", "utf-8")
    ran = register("export", "issues", "--out", name)
    assert (ran.code, ran.out) == (2, "")
    assert (
        ran.err == f"--out: there is {name} already: give --force to replace it, or another --out\n"
    )
    assert there.read_text("utf-8") == "mine"
    assert register("export", "issues", "--out", name, "--force").code == 0
    assert there.read_bytes() != b"mine"
    assert names(tmp_path) == [name]


# Wrong input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["grudges"], "NAME: there is no register grudges; there are: issues, handling, "),
        (["issues", "--from", "yesterday"], '--from: "yesterday" is no day: write it like "2026'),
        (["issues", "--until", "2026-11-31"], '--until: "2026-11-31" is no day'),
        (["issues", "--from", "9999-12-31"], "--from: 9999-12-31: give a year from 1900 to 2999"),
        (
            ["issues", "--from", "2026-11-24", "--until", "2026-11-23"],
            "--until: 2026-11-23 is before 2026-11-24, the day of --from",
        ),
        (["issues", "--history"], "--history: of issues none is kept; there is one of: handling, "),
        (["issues", "--out", ".", "--format", "csv"], "--out: . is a directory: name a file in it"),
        (["issues", "--out", "no/such/a.csv"], "--out: no/such/a.csv: cannot be written there: No"),
        (["issues", "--out", "file/a.csv"], "--out: file/a.csv: cannot be written there: Not a "),
        (["issues", "--out", "a.ods"], "--out: a.ods: end it in .csv or .xlsx, or say --format"),
        (["issues", "--out", "a.csv", "--format", "xlsx"], "--format: xlsx is not what a.csv is "),
        (["issues", "--out", "-", "--format", "xlsx"], "--out: - is for csv: name a file for xlsx"),
        (["issues", "--format", "ods"], "'ods' is not one of 'csv'"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_field_and_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")  # not even asked
    (tmp_path / "file").touch()
    ran = run("export", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in " ".join(ran.err.split())
    assert names(tmp_path) == ["file"]


def test_something_that_is_no_file_is_not_even_replaced_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    ran = run("export", "issues", "--out", str(tmp_path / "pipe.csv"), "--force")
    assert ran.code == 2
    assert "pipe.csv is no file that could be replaced" in ran.err
    assert (tmp_path / "pipe.csv").is_fifo()


def test_without_a_database_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    for arguments in (["list"], ["export", "issues"], ["export", "issues", "--out", "-"]):
        ran = run(*arguments)
        assert (ran.code, ran.out) == (6, "")
        assert "PostgreSQL does not answer" in ran.err
    assert names(tmp_path) == []


def trail(url: str, *statements: str) -> list[Entry]:
    """Read the audit trail, the oldest first, once these statements were carried out."""

    async def read() -> list[Entry]:
        async with postgres.pool(url, size=1) as pool:
            for statement in statements:
                await pool.execute(statement)
            return (await door_log.entries(pool))[::-1]

    return asyncio.run(read())


def test_r30_every_export_is_in_the_audit_trail_before_anything_is_written(
    register: Export, filled: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody.else")
    monkeypatch.setenv("USER", "somebody.else")
    period = ("--from", "2026-11-01", "--until", "2026-11-30")
    for asked in (
        ("complaints", *period),
        ("complaints", "--without-customers"),
        ("evaluations", "--history", "--out", "-"),
    ):
        assert register("export", *asked).code == 0
    rows = trail(postgres_url)
    assert [each.what for each in rows] == [
        "export complaints from 2026-11-01 until 2026-11-30",
        "export complaints without customers",
        "export evaluations history",
    ]
    user = pwd.getpwuid(os.getuid()).pw_name
    assert {(e.person, e.role, e.via, e.address, e.number, e.outcome) for e in rows} == {
        (user, None, "command line", socket.gethostname(), None, "seen")
    }
    trail(
        postgres_url.replace(APPLICATION, OWNER, 1),
        "ALTER TABLE door_log ADD CHECK (false) NOT VALID",
    )
    refused = register("export", "complaints", "--out", "-")
    assert refused.code != 0
    assert not [secret for secret in CUSTOMERS if secret in refused.out]
