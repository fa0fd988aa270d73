"""`yinuo call`, against registers alone (R45)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import calls as call_commands
from cli.console import Commands
from runtime import postgres
from store import door_log
from store.connection import Pool
from tests.support.filled import an_issue
from tests.support.running_desk import Ran

HEADING = "id,at,direction,number,ring_seconds,talk_seconds,agent,recording\n"
FILE = (
    HEADING
    + """1,2026-11-23 09:00,incoming,138 0000 1234,5,60,07,rec/1
2,2026-11-23T02:00:00Z,incoming,,31,,,
"""
)

app = typer.Typer(cls=Commands)
app.add_typer(call_commands.app, name="call")


@pytest.fixture
def yinuo(
    database: Pool, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        result = CliRunner().invoke(app, ("call", *arguments))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
async def filled(database: Pool) -> str:
    """The number of an issue whose customer calls."""
    await an_issue(database, "20261123-07-0001")
    return "20261123-07-0001"


async def looks(url: str) -> set[tuple[str, str]]:
    async with postgres.pool(url, size=1) as pool:
        trail = await door_log.entries(pool, number=None, before=None, limit=5)
    return {(each.what, each.outcome) for each in trail}


def test_r45_a_file_is_read_once_and_lost_calls_are_listed(
    yinuo: Callable[..., Ran], filled: str, postgres_url: str
) -> None:
    number = filled
    Path("cdr.csv").write_text(FILE, "utf-8-sig")
    assert yinuo("import", "cdr.csv", "--source", "pbx").out == "2 new, 0 known before\n"
    assert yinuo("import", "cdr.csv", "--source", "pbx").out == "0 new, 2 known before\n"
    lost, talked = yinuo("list", "--json").json
    assert (lost["call"]["id"], talked["call"]["issue"]) == ("2", number)
    assert talked["call"]["at"] == "2026-11-23T01:00:00Z"  # 09:00 in Shanghai
    shown = yinuo("list", "--lost", "--from", "2026-11-23", "--until", "2026-11-23").out
    assert "呼损 lost" in shown
    assert "rec/1" not in shown
    assert asyncio.run(looks(postgres_url)) == {("calls", "seen")}


def test_r45_what_is_wrong_in_a_file_is_named_with_its_line_and_nothing_is_kept(
    yinuo: Callable[..., Ran],
) -> None:
    Path("bad.csv").write_text(FILE + "3,later,incoming,x,-1,,,\n4,2026-11-23 09:00,,,,,,,,\n")
    ran = yinuo("import", "bad.csv")
    assert (ran.code, yinuo("list", "--json").json) == (2, [])
    assert "bad.csv, line 4: at: " in ran.err
    assert "bad.csv, line 4: ring_seconds: " in ran.err
    assert "bad.csv, line 5: more: " in ran.err
    for text, said in (
        ("id,when\n", "no column when; there are: id, at, "),
        ("id\n", "column at is missing"),
        (HEADING, "holds no call"),
    ):
        Path("bad.csv").write_text(text)
        assert said in yinuo("import", "bad.csv").err


def test_r45_a_call_is_written_down_and_later_completed(
    yinuo: Callable[..., Ran],
) -> None:
    call = ("record", "--id", "4711", "--at", "2026-11-23 09:00")
    assert yinuo(*call, "--number", "13800001234").out == "1 new, 0 known before\n"
    assert yinuo(*call, "--talk", "214", "--recording", "rec/1").code == 0
    (kept,) = yinuo("list", "--json").json
    assert (kept["call"]["talk_seconds"], kept["call"]["recording"]) == (214, "rec/1")
    refused = yinuo(*call, "--talk", "1")
    assert (refused.code, "talk_seconds" in refused.err) == (4, True)
    assert yinuo(*call, "--issue", "20261123-07-0001").code == 2  # there is none
