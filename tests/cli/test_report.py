"""`yinuo report`, against registers alone (R27)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner

from cli.console import Commands, ExitCode
from cli.reports import commands
from domain.reports.definitions import REPORTS
from domain.reports.editions import Issued, Order
from runtime import postgres
from tests.store.test_quality import STANDARD, a_callback, adopt, an_issue
from tests.support.running_desk import Ran

IN_OCTOBER = datetime(2025, 10, 15, 4, tzinfo=UTC)

app = typer.Typer(cls=Commands)
app.add_typer(commands.app, name="report")


def yinuo(*arguments: str) -> Ran:
    result = CliRunner().invoke(app, ("report", *arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
async def register(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirteen issues of October 2025, and a call about each; one customer is not satisfied."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("COLUMNS", "140")
    async with postgres.pool(postgres_url, size=2) as pool:
        await adopt(pool, STANDARD)
        for n in range(13):
            at = IN_OCTOBER + timedelta(hours=n)
            changes = {"reported_at": at, "registered_at": at, "closed_at": at}
            id_ = await an_issue(pool, f"20251015-07-{n:04}", **changes)
            words = "还是吞卡[red]" if n == 0 else ""
            await a_callback(pool, id_, called_at=at, satisfied=n > 0, words=words)


def test_reports_are_listed_with_the_periods_they_are_made_for() -> None:
    shown = yinuo("list").out
    assert "…" not in shown
    for report in REPORTS.values():
        assert report.name in shown
        assert report.zh in shown
    assert json.loads(yinuo("list", "--json").out).keys() == REPORTS.keys()


def test_a_report_is_shown_with_its_shares_what_they_are_made_of_and_what_customers_said(
    register: None,
) -> None:
    shown = yinuo("show", "callbacks", "--period", "2025-10").out
    assert "回访核实报告 · 2025 年 10 月" in shown
    assert "92.3% (12/13)" in shown
    assert "20251015-07-0000  还是吞卡[red]" in shown
    assert "无数据" in shown  # no call was promised, so none of those due was made
    assert "█" in shown
    english = yinuo("show", "callbacks", "--period", "2025-10", "--english", "--rules").out
    assert "Satisfied" in english
    assert "those who are; the goal is the policy's" in " ".join(english.split())


def test_a_report_as_json_says_what_every_figure_is_made_of(register: None) -> None:
    found = json.loads(yinuo("show", "satisfaction", "--period", "2025-W42", "--json").out)
    (all_together,) = next(s for s in found["sections"] if s["key"] == "all")["rows"]
    assert all_together["values"]["satisfied"] == {"value": 12 / 13, "n": 12, "of": 13}
    assert found["over"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "answers"), ExitCode.NOT_FOUND, "there are: callbacks, effectiveness"),
        (("show", "callbacks", "--period", "W47"), ExitCode.INVALID, "write 2026-W47, 2026-11"),
        (("show", "pay", "--period", "2025-W42"), ExitCode.INVALID, "made for: month, quarter"),
        (("show", "callbacks", "--department", "moon"), ExitCode.INVALID, "there is no moon"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_what_to_do(
    register: None, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    refused = yinuo(*arguments)
    assert refused.code == code
    assert said in refused.err


def test_a_month_without_data_and_one_that_is_not_over_say_so(register: None) -> None:
    before = yinuo("show", "callbacks", "--period", "2024-01")
    assert "本期没有数据" in before.out
    assert "There is no data of 2024-01" in before.err
    assert "0.0%" not in before.out
    running = yinuo("show", "callbacks", "--period", f"{datetime.now(UTC).year}")
    assert "本期尚未结束" in running.out


# Issuing ------------------------------------------------------------------------------------------


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """What Temporal was asked for; it answers that two figures changed."""
    given: list[Order] = []

    async def ordered(_: object, order: Order) -> Issued:
        given.append(order)
        keys = ("report:1", "report:2")
        about = {"report": order.report, "period": order.period, "keys": keys}
        return Issued(**about, edition=2, new=not order.again, changed=2)

    @asynccontextmanager
    async def servers(_: object) -> AsyncIterator[tuple[None, None]]:
        yield None, None

    monkeypatch.setattr(commands, "ordered", ordered)
    monkeypatch.setattr(commands, "servers", servers)
    return given


def test_a_report_is_issued_with_the_reason_that_its_readers_are_told(
    register: None, orders: list[Order]
) -> None:
    made = yinuo("make", "callbacks", "2025-10", "--reason", "三次回访补录")
    assert "Edition 2 of 2025-10 is issued, 2 figures differ from the one before; 2 are told." in (
        made.err
    )
    (order,) = orders
    assert (order.report, order.reason, order.again) == ("callbacks", "三次回访补录", False)
    assert order.request


def test_what_cannot_be_issued_or_sent_is_said_with_what_to_do(
    register: None, orders: list[Order]
) -> None:
    for arguments, code, said in (
        (("make", "callbacks", "2999"), ExitCode.INVALID, "2999 is not over"),
        (
            ("make", "callbacks", "2020-10"),
            ExitCode.INVALID,
            "2020-10 ended before the desk's first",
        ),
        (("make", "callbacks", "last week"), ExitCode.INVALID, "PERIOD"),
        (("make", "difficulty", "2025-W40"), ExitCode.INVALID, "difficulty is made for: month"),
        (("make", "weather", "2025-10"), ExitCode.NOT_FOUND, "there is no report weather"),
        (("make", "callbacks", "2025-10", "--reason", "很" * 201), ExitCode.INVALID, "--reason"),
        (("send", "callbacks", "2025-10"), ExitCode.NOT_FOUND, "`yinuo report make callbacks 2025"),
    ):
        ran = yinuo(*arguments)
        assert (ran.code, said in ran.err) == (code, True), ran.err
    assert orders == []
