"""`yinuo case`, on a migrated database without Temporal: the library needs PostgreSQL alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from typer.testing import CliRunner

from cli.cases import commands as case_commands
from cli.console import Commands
from inbound.files.roster import read_roster
from runtime.settings import ROOT
from store import roster
from store.connection import Pool
from tests.store.test_cases import a_result, an_issue
from tests.support.running_desk import Ran

ONE = ("--title", "出钞口卡钞", "--question", "钞票半露", "--solution", "清洁皮带")
AGENT, LEAD, MANAGER = (("--by", who) for who in ("07", "zhou.jianguo", "sun.li"))

Case = Callable[..., Ran]


@pytest.fixture
async def _roster(database: Pool) -> None:
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))


@pytest.fixture
def case(_roster: None, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Case:
    """The command line of a desk with the example roster."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("COLUMNS", "100")
    return run


def run(*arguments: str) -> Ran:
    app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
    app.add_typer(case_commands.app, name="case")
    result = CliRunner().invoke(app, ["case", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def done(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    return ran.json


def listed(case: Case) -> list[tuple[str, str]]:
    return [(each["number"], each["status"]) for each in done(case("list", "--json"))]


# From proposal to answer --------------------------------------------------------------------------


def test_a_case_is_added_by_an_agent_approved_by_a_lead_and_found(case: Case) -> None:
    added = done(case("add", *ONE, *AGENT, "--product", "ATM", "--keyword", "夹钞", "--json"))
    assert (added["number"], added["status"]) == ("C-0001", "proposed")
    assert done(case("search", "卡钞", "--json")) == []
    better = ("--title", "出钞口卡钞，钞票半露", "--note", "写明白")
    reviewed = done(case("review", "c-0001", "--approve", *LEAD, *better, "--json"))
    assert (reviewed["title"], reviewed["status"]) == ("出钞口卡钞，钞票半露", "approved")
    (found,) = done(case("search", "客户说", "夹钞了", "--product", "ATM", "--json"))
    assert found["case"] == reviewed
    assert found["matched"] == ["夹钞"]
    assert done(case("search", "夹钞", "--product", "KIOSK", "--json")) == []


def test_a_proposal_can_be_rejected_with_a_reason(case: Case) -> None:
    done(case("add", *ONE, *AGENT, "--json"))
    ran = case("review", "C-0001", "--reject", *MANAGER)
    assert (ran.code, ran.err.strip()) == (2, "note: to reject C-0001, say why")
    done(case("review", "C-0001", "--reject", *MANAGER, "--note", "与 C-0007 重复", "--json"))
    assert listed(case) == [("C-0001", "retired")]


def test_an_approved_case_is_revised_and_retired_and_shows_all_of_it(case: Case) -> None:
    done(case("add", *ONE, *LEAD, "--approve", "--json"))
    done(case("revise", "C-0001", *LEAD, "--solution", "换皮带", "--keyword", "夹钞", "--json"))
    done(case("retire", "C-0001", *MANAGER, "--reason", "型号退役", "--json"))
    shown = done(case("show", "C-0001", "--json"))
    assert (shown["status"], shown["solution"], shown["keywords"]) == (
        "retired",
        "换皮带",
        ["夹钞"],
    )
    assert [(each["change"], each["changed_by"]) for each in shown["history"]] == [
        ("propose", "zhou.jianguo"),
        ("approve", "zhou.jianguo"),
        ("revise", "zhou.jianguo"),
        ("retire", "sun.li"),
    ]
    assert shown["history"][1]["said"]["solution"] == "清洁皮带"
    page = case("show", "C-0001").out
    assert "停用 retired" in page
    assert re.search(r"retire · sun.li +型号退役", page)


@pytest.fixture
async def issue(database: Pool) -> Pool:
    await an_issue(database)
    return database


@pytest.fixture
async def solved(issue: Pool) -> Pool:
    await a_result(issue, 1, "为张伟换了皮带")
    return issue


def test_a_solved_issue_is_proposed_once_without_the_customers_own_data(
    solved: Pool, case: Case
) -> None:
    for who in (LEAD, AGENT):
        proposed = done(case("propose", "20261123-07-0001", *who, "--json"))
        assert (proposed["number"], proposed["proposed_by"]) == ("C-0001", "zhou.jianguo")
        assert proposed["issue_number"] == "20261123-07-0001"
        assert proposed["question"] == "…说钞票半露"
        assert proposed["solution"] == "为…换了皮带\n原因：老化"
    assert "20261123-07-0001" in case("show", "C-0001").out


# Many at once -------------------------------------------------------------------------------------


def test_the_example_cases_are_added_and_approved_at_once(case: Case) -> None:
    file = str(ROOT / "examples" / "cases.json")
    added = done(case("add", "--file", file, *MANAGER, "--approve", "--json"))
    assert len(added) == len(json.loads(Path(file).read_text("utf-8")))
    assert {each["status"] for each in added} == {"approved"}
    table = case("search", "取款时钞票卡住了", "--limit", "3").out
    assert "出钞口卡钞，钞票半露" in table
    assert "断电后打开下柜门" in table
    assert max(map(cell_len, table.splitlines())) <= 100
    again = case("add", "--file", file, *MANAGER)
    assert again.code == 2
    assert f"{file}, entry 1: title: C-0001 has it already" in again.err


GOOD = {"title": "卡钞", "question": "问", "solution": "答"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([GOOD, GOOD | {"title": ""}], "entry 2: title: may not be empty"),
        ([GOOD, {"title": "白屏", "question": "问"}], "entry 2: solution: is missing: add it"),
        ([GOOD, GOOD | {"titel": "x"}], "entry 2: titel: is not known here"),
        ([GOOD, GOOD | {"keywords": "卡钞"}], "entry 2: keywords: Input should be a valid tuple"),
        ([GOOD, GOOD | {"keywords": ["好", ""]}], "entry 2: keywords.1: may not be empty"),
        ([GOOD, GOOD | {"product_line": "A T M"}], "entry 2: product_line: String should match"),
        ([GOOD, GOOD | {"title": "？！"}], "entry 2: title: holds no word it could be found by"),
        ([GOOD, GOOD], "entry 2: title: {file}, entry 1 has it already"),
        ([GOOD, "卡钞"], "entry 2: Input should be a valid dictionary"),
        ([], "{file}: holds no case"),
        (7, "entry 1: Input should be a valid dictionary"),
        (GOOD | {"question": "\ud800"}, "entry 1: question: "),
        (GOOD | {"solution": "\0"}, "entry 1: solution: String should match"),
    ],
)
def test_one_bad_entry_refuses_the_file_with_entry_field_and_reason(
    case: Case, tmp_path: Path, content: Any, says: str
) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(content), "utf-8")
    ran = case("add", "--file", str(file), *LEAD)
    assert ran.code == 2
    assert says.format(file=file) in ran.err
    assert listed(case) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[{"title": "\xbf\xa8"}]', "line 1: not UTF-8"),
        (b'[\n{"title": }]', ", line 2, column 11: no valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (None, "there is no such file"),
    ],
)
def test_a_file_that_is_no_list_of_cases_is_refused_with_its_place(
    case: Case, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "cases.json"
    if content is not None:
        file.write_bytes(content)
    ran = case("add", "--file", str(file), *LEAD)
    assert ran.code == 2
    assert says in ran.err


def test_all_that_is_wrong_with_a_file_is_told_at_once(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([GOOD | {"title": ""}, GOOD, {"title": "白屏"}]), "utf-8")
    lines = case("add", "--file", str(file), *LEAD).err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{file}, entry 1", "title"],
        [f"{file}, entry 3", "question"],
        [f"{file}, entry 3", "solution"],
    ]


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("add", *ONE, "--by", "nobody"), 3, "nobody is not on the roster"),
        (("add", *ONE, *AGENT, "--approve"), 5, "07 (agent) cannot review cases"),
        (("add", *AGENT), 2, "title: is missing"),
        (("add", *ONE[:4], *AGENT), 2, "solution: is missing"),
        (("add", *ONE, *AGENT, "--product", "A T M"), 2, "product_line: String should match"),
        (("add", *ONE, *AGENT, "--keyword", ""), 2, "keywords.0: may not be empty"),
        (("add", *ONE, *AGENT, "--file", "x.json"), 2, "give a --file, or the fields of one"),
        (("add", *ONE[:1], "卡钞。", *ONE[2:], *AGENT), 2, "title: C-0001 has it already"),
        (("review", "C-0001", *LEAD), 2, "Missing option"),
        (("review", "C-0001", "--approve", *AGENT), 5, "07 (agent) cannot review cases"),
        (("review", "C-0001", "--approve", *LEAD, "--title", ""), 2, "title: may not be empty"),
        (("review", "C-0001", "--reject", *LEAD), 2, "note: to reject C-0001, say why"),
        (("review", "C-0009", "--approve", *LEAD), 3, "there is no case C-0009"),
        (("revise", "C-0001", *LEAD), 2, "nothing is changed"),
        (("revise", "C-0001", *LEAD, "--for-all", "--product", "ATM"), 2, "product_line: give one"),
        (("retire", "C-0001", *LEAD, "--reason", "x"), 4, "is proposed: retire is for what is app"),
        (("retire", "C-0001", *LEAD), 2, "Missing option"),
        (("show", "C-0009"), 3, "there is no case C-0009"),
        (("list", "--status", "new"), 2, "Invalid value for '--status'"),
        (("search", "卡钞", "--limit", "0"), 2, "Invalid value for '--limit'"),
        (("propose", "20261123-07-0001", *LEAD), 3, "there is no issue 20261123-07-0001"),
        (("propose", "20261123-07-0001", "--by", "nobody"), 3, "nobody is not on the roster"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason_and_changes_nothing(
    case: Case, command: tuple[str, ...], code: int, says: str
) -> None:
    done(case("add", *ONE[:1], "卡钞。", *ONE[2:], *AGENT, "--json"))
    before = case("show", "C-0001", "--json").out
    ran = case(*command)
    assert ran.code == code, ran.err
    assert says in re.sub(r"[\s│]+", " ", ran.err)
    assert case("show", "C-0001", "--json").out == before
    assert listed(case) == [("C-0001", "proposed")]


def test_an_issue_still_being_handled_is_told_apart_from_one_that_is_not_there(
    issue: Pool, case: Case
) -> None:
    ran = case("propose", "20261123-07-0001", *LEAD)
    assert ran.code == 4, ran.err
    assert "20261123-07-0001 is assigned: no solution stands in its forms" in ran.err
    assert listed(case) == []


# Tables -------------------------------------------------------------------------------------------


def test_lists_are_one_line_a_case(case: Case) -> None:
    assert case("list").out.strip() == "No such cases."
    done(case("add", *ONE, *AGENT, "--json"))
    table = case("list", "--status", "proposed").out
    assert re.search(r"C-0001 +待审 proposed +全部 all +出钞口卡钞", table)
    assert case("list", "--status", "approved").out.strip() == "No such cases."


def test_a_solution_is_shown_to_its_end_however_its_lines_break(case: Case) -> None:
    solution = (
        "核对身份后由网点管理员打开上柜门，在回收盒内取卡；检查退卡超时设置是否小于 30 秒" * 3
    )
    text = ("--title", "吞卡", "--question", "不退卡", "--solution", solution)
    done(case("add", *text, *LEAD, "--approve", "--json"))
    for shown in (case("search", "吞卡").out, case("show", "C-0001").out):
        for part in re.split(r"\W", solution):
            assert part in re.sub(r"\s+(吞卡|1/1)?", "", shown)
        assert "…" not in shown


def test_nothing_found_says_what_to_try(case: Case) -> None:
    assert "Try other words" in case("search", "卡钞").out


def test_what_a_terminal_would_obey_is_taken_out(case: Case) -> None:
    text = ("--title", "卡钞", "--question", "\x1b[31m红", "--solution", "清\u202e洁")
    done(case("add", *text, *LEAD, "--approve", "--json"))
    for shown in (case("show", "C-0001").out, case("search", "卡钞").out):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
