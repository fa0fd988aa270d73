"""`yinuo callback`, on real registers and a desk that only takes note (R22, R23)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner

from cli import callbacks as callback_commands
from cli.connections import explained
from cli.console import Commands
from domain.calendars.timeline import midnight
from domain.errors import Refused
from domain.issue.actions import Act, ActionName, RecordCallback
from domain.issue.view import IssueView, view
from domain.vocabulary import Actor, Stage
from inbound.files.roster import read_roster
from runtime import postgres
from runtime.settings import ROOT
from starter import wording
from starter.client import Register, Unavailable
from starter.register import Called
from store import door_log, roster
from store.door_log import Entry
from tests.store.test_callbacks import a_promise
from tests.store.test_quality import STANDARD, a_callback, adopt, an_issue, insert
from tests.support.builders import an_issue as an_issue_in
from tests.support.running_desk import Ran

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = datetime.now(SHANGHAI).date()
BEGINS = midnight(TODAY, SHANGHAI)
HOUR = timedelta(hours=1)
CLERK = ("--by", "fan.meiling")
GOOD = ("--reached", "--running", "--satisfied", "--words", "好的")

app = typer.Typer(cls=Commands)
app.add_typer(callback_commands.app, name="callback")


def yinuo(*arguments: str) -> Ran:
    result = CliRunner().invoke(app, ("callback", *arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


class FakeDesk:
    """Takes note of what it is told, and refuses what the test wants refused."""

    def __init__(self) -> None:
        self.told: dict[str, RecordCallback] = {}
        self.asked: list[str] = []
        self.refuses: dict[str, Exception] = {}
        self.register: Register | None = None

    async def actor(self, id_: str) -> Actor:
        assert self.register
        return await self.register.actor(id_)

    async def called(self, numbers: Sequence[str], call: str) -> dict[str, Called]:
        assert self.register
        return await self.register.called(numbers, call)

    async def compare_act(self, number: str, name: ActionName, act: Act, key: str) -> None:
        """What the register has of a call says the same as this."""
        assert name is ActionName.RECORD_CALLBACK
        assert (act.by.id, key) == ("fan.meiling", f"cli:c-1:{number}")

    async def act(self, number: str, name: ActionName, act: Act, *, key: str) -> IssueView:
        assert name is ActionName.RECORD_CALLBACK
        assert isinstance(act, RecordCallback)
        self.asked.append(number)
        if refusal := self.refuses.get(number):
            raise refusal
        self.told.setdefault(key, act)
        stage = Stage.CLOSED if act.running else Stage.REOPENED
        return view(an_issue_in(stage)).model_copy(update={"number": number})


@pytest.fixture
async def register(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A desk with a roster and a policy; two issues of one customer and one of another to call."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("COLUMNS", "120")
    # Midnight may come while tests run.
    monkeypatch.setattr(callback_commands, "_today", lambda _: TODAY)
    async with postgres.pool(postgres_url, size=2) as pool:
        await adopt(pool, STANDARD)
        async with pool.acquire() as connection, connection.transaction():
            await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        first = await an_issue(pool, "0001", organisation="珠江银行", description="上午起吞卡")
        await a_promise(pool, first, opens_at=BEGINS, due_at=BEGINS + 18 * HOUR)
        second = await an_issue(pool, "0002", phone="13800001234", title="黑屏")
        await a_promise(pool, second, opens_at=BEGINS - 24 * HOUR, due_at=BEGINS + 12 * HOUR)
        third = await an_issue(pool, "0003", phone="021 5555 0101", severity="major")
        await a_promise(pool, third, opens_at=BEGINS, due_at=BEGINS + 15 * HOUR)
        await insert(
            pool,
            "handling_forms",
            issue_id=first,
            generation=1,
            engineer="liang.jiahao",
            handed_over_at=BEGINS - 20 * HOUR,
            resolved_at=BEGINS - 10 * HOUR,
            result="card reader replaced",
        )
        late: dict[str, Any] = {"kind": "response", "outcome": "broken", "target": "2h"}
        await a_promise(pool, first, **late, ended_at=BEGINS - 15 * HOUR)
        await a_callback(
            pool,
            second,
            called_at=BEGINS - HOUR,
            reached=False,
            running=None,
            satisfied=None,
            words="",
        )
    return postgres_url


def write_call(url: str, issue_id: str, **changes: Any) -> None:
    """Write a callback record of today."""

    async def written() -> None:
        async with postgres.pool(url, size=1) as pool:
            usual: dict[str, Any] = {"attempt": 2, "called_at": BEGINS + HOUR}
            await a_callback(pool, issue_id, **(usual | changes))

    asyncio.run(written())


@pytest.fixture
def desk(register: str, monkeypatch: pytest.MonkeyPatch) -> FakeDesk:
    """Stands in for the desk; roster and registers are real."""
    fake = FakeDesk()

    @asynccontextmanager
    async def connected() -> AsyncIterator[tuple[Any, Any]]:
        async with explained(), postgres.pool(register, size=2) as pool:
            fake.register = Register(pool)
            yield fake, pool

    monkeypatch.setattr(callback_commands, "_desk", connected)
    return fake


# The list -----------------------------------------------------------------------------------------


def test_r40_the_list_says_what_to_say_about_each_fault(register: str) -> None:
    async def with_scripts() -> None:
        async with postgres.pool(register, size=1) as pool:
            await wording.at_start(pool, ROOT / "policies" / "standard.toml")

    before = yinuo("list")
    assert "问 Ask" not in before.out
    asyncio.run(with_scripts())
    told = " ".join(yinuo("list", "--clerk", "fan.meiling").out.split())
    other = " ".join(yinuo("list", "--clerk", "jiang.wen").out.split())
    assert "我是范美玲，给您做个回访" in told or "我是蒋雯，给您做个回访" in other
    everybody = "".join(yinuo("list").out.split())
    assert "给您做个回访，现在方便吗？" in everybody
    assert "工程师梁家豪为您修好了，请问今天运行正常吗？" in everybody


def test_the_list_of_today_is_what_a_clerk_reads_before_each_call(register: str) -> None:
    ran = yinuo("list")
    assert ran.code == 0, ran.err
    assert ran.out.count("☎") == 2
    for said in (
        "珠江银行 · 张伟",
        "0001 · 吞卡",
        "上午起吞卡",
        "card reader replaced",
        "梁家豪 (liang.jiahao)",
        "response was promised until",
        "fan.meiling, not reached",
        f"2 to call about 3 issues on {TODAY}. Times are in Asia/Shanghai. Confidential.",
    ):
        assert said in ran.out, ran.out


def test_programs_get_the_same_list(register: str) -> None:
    calls = {call["key"]: call for call in yinuo("list", "--json").json}
    call = calls["phone +8613800001234"]
    assert [case["number"] for case in call["cases"]] == ["0002", "0001"]
    assert call["customer"]["phone"] == "13800001234"
    (missed,) = call["cases"][1]["missed"]
    assert missed["kind"] == "response"
    assert call["called_today"] == []


def test_r30_who_listed_which_customers_is_in_the_audit_trail(register: str) -> None:
    async def trail() -> list[Entry]:
        async with postgres.pool(register, size=1) as pool:
            return await door_log.entries(pool)

    assert yinuo("list").code == 0
    rows = asyncio.run(trail())
    assert {each.number for each in rows} == {"0001", "0002", "0003"}
    assert {(e.what, e.role, e.via, e.outcome) for e in rows} == {
        ("list_callbacks", None, "command line", "seen")
    }


def test_another_day_has_another_list(register: str) -> None:
    yesterday = TODAY - timedelta(days=1)
    (call,) = yinuo("list", "--day", f"{yesterday}", "--json").json
    assert {each["number"] for each in call["called_today"]} == {"0002"}
    none = yinuo("list", "--day", "2020-01-01")
    assert none.out == "Nobody is to be called on 2020-01-01.\n"


def test_whoever_was_called_about_everything_today_is_not_called_again(register: str) -> None:
    write_call(register, "issue:web:0001", reached=False, running=None, satisfied=None)
    half = yinuo("list").out
    assert "今天已致电 called today" in half
    assert "about 0001 by fan.meiling, not reached" in half
    assert "not again" not in half
    write_call(register, "issue:web:0002")
    assert "今天已回访 called today: not again" in yinuo("list").out


def a_working_day() -> date:
    """A day on which all clerks of the sample roster work."""
    shift = STANDARD.calendar("callback")
    day = TODAY
    while not shift.is_working_day(day):
        day += timedelta(days=1)
    return day


def test_the_clerks_of_a_day_share_the_list(register: str) -> None:
    day = ("--day", f"{a_working_day()}", "--json")
    everything = {call["key"] for call in yinuo("list", *day).json}
    parts = [
        {call["key"] for call in yinuo("list", *day, "--clerk", clerk).json}
        for clerk in ("fan.meiling", "jiang.wen")
    ]
    assert parts[0] | parts[1] == everything
    assert not parts[0] & parts[1]


def test_a_list_that_cannot_be_is_refused_with_field_and_reason(register: str) -> None:
    holiday = "2026-10-01"
    expected = {
        ("--day", "tomorrow"): (2, "does not match the format"),
        ("--day", "9999-12-31"): (2, "--day: 9999-12-31: give a year from"),
        ("--day", "0001-01-01"): (2, "--day: 0001-01-01: give a year from"),
        ("--clerk", "nobody"): (3, "--clerk: nobody is not on the roster"),
        ("--clerk", "sun.li"): (2, "--clerk: sun.li is manager, not a clerk"),
        ("--clerk", "fan.meiling", "--day", holiday): (
            2,
            f"fan.meiling does not work on {holiday}",
        ),
    }
    for arguments, (code, sentence) in expected.items():
        ran = yinuo("list", *arguments)
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert sentence in ran.err


# A call -------------------------------------------------------------------------------------------


def test_one_call_about_two_faults_has_one_code(desk: FakeDesk) -> None:
    ran = yinuo("record", "0001", "0002=not-running", *CLERK, *GOOD)
    assert ran.code == 0, ran.err
    first, second = desk.told.values()
    assert first.call is not None
    assert first.call == second.call
    assert list(desk.told) == [f"cli:{first.call}:0001", f"cli:{first.call}:0002"]
    assert (first.running, second.running) == (True, False)
    assert (first.by.id, first.words, second.words) == ("fan.meiling", "好的", "好的")
    assert ran.out == f"✓ 0001 closed (solved)\n✓ 0002 reopened\nCall {first.call}.\n"


def test_a_call_in_vain_says_nothing_of_machines(desk: FakeDesk) -> None:
    assert yinuo("record", "0001", "0002", *CLERK, "--not-reached").code == 0
    assert {(act.reached, act.running) for act in desk.told.values()} == {(False, None)}


def test_a_quarrel_is_one_complaint_however_many_faults_it_was_about(desk: FakeDesk) -> None:
    ran = yinuo("record", "0002", "0001", *CLERK, *GOOD, "--conflict", "--call", "c-1")
    assert ran.code == 0, ran.err
    assert {key: act.conflict for key, act in desk.told.items()} == {
        "cli:c-1:0002": True,
        "cli:c-1:0001": False,
    }


def test_the_same_command_again_is_the_same_call(desk: FakeDesk) -> None:
    for _ in range(2):
        assert yinuo("record", "0001", "issue:web:0002", *CLERK, *GOOD).code == 0
    assert desk.asked == ["0001", "0002"] * 2
    assert len(desk.told) == 2


@pytest.mark.parametrize(
    ("refusal", "code", "sentence"),
    [
        (Refused("NotAllowed", "no callback is due for 0001"), 4, "no callback is due for 0001"),
        (Refused("NotYours", "record_callback is for clerk"), 5, "record_callback is for clerk"),
        (Unavailable("the desk does not answer now"), 6, "the desk does not answer now"),
    ],
)
def test_what_could_not_be_recorded_is_told_and_the_rest_is_recorded(
    desk: FakeDesk, refusal: Exception, code: int, sentence: str
) -> None:
    desk.refuses["0001"] = refusal
    ran = yinuo("record", "0001", "0002", *CLERK, *GOOD, "--call", "c-1")
    assert ran.code == code
    assert ran.out == "✓ 0002 closed (solved)\n"
    assert f"✗ 0001: {sentence}" in ran.err
    assert "1 of 2 not recorded. To try again, repeat the command with --call c-1" in ran.err


def test_what_the_register_has_of_a_call_is_not_sent_again(register: str, desk: FakeDesk) -> None:
    """Its issue may be closed since, and would refuse it."""
    write_call(register, "issue:web:0002", call="c-1")
    ran = yinuo("record", "0001", "0002", *CLERK, *GOOD, "--call", "c-1")
    assert ran.code == 0, ran.err
    assert desk.asked == ["0001"]
    assert "✓ 0002 was recorded before, by fan.meiling" in ran.out


def test_a_call_that_cannot_be_is_refused_before_anything_is_sent(desk: FakeDesk) -> None:
    expected = {
        ("0001", "0003", *GOOD): (2, "NUMBER: 0001, 0003 are of 2 customers"),
        ("0001", "0001", *GOOD): (2, "NUMBER: 0001 is named twice"),
        ("0001", "issue:web:0001", *GOOD): (2, "NUMBER: 0001 is named twice"),
        ("0001", "0002=broken", *GOOD): (2, '0002: "broken" is no state: write running or not'),
        ("0001", "0002=", *GOOD): (2, '0002: "" is no state'),
        ("0001", "0009", *GOOD): (3, "there is no issue 0009"),
        ("0001", "--reached", "--words", "好"): (2, "running: say whether the machine runs"),
        ("0001", "0002=running", "--not-reached"): (2, "reached: a customer who was not reached"),
        ("0001", "--not-reached", "--conflict"): (2, "words: write down what the customer"),
        ("0001", "--reached", "--running"): (2, "words: write down what the customer said"),
        ("0001", *GOOD, "--call", "my call"): (2, "call: "),
        ("0001", *GOOD, "--words", "x" * 10_001): (2, "words: "),
        ("0001", *GOOD, "--by", "nobody"): (3, "nobody is not on the roster"),
    }
    for arguments, (code, sentence) in expected.items():
        ran = yinuo("record", *CLERK, *arguments)
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert sentence in ran.err
    assert yinuo("record", "0001", *CLERK, "--words", "好").code == 2  # reached or not?
    assert desk.asked == []


def test_no_refusal_names_a_customer(desk: FakeDesk) -> None:
    for numbers in (("0001", "0003"), ("0001", "0009")):
        ran = yinuo("record", *numbers, *CLERK, *GOOD)
        for secret in ("张伟", "138", "5555", "珠江"):
            assert secret not in ran.out + ran.err


def test_what_a_customer_said_is_no_command_to_the_terminal(register: str) -> None:
    write_call(register, "issue:web:0001", called_at=BEGINS - HOUR, words="[red]坏\x1b[31m")
    assert "“[red]坏\ufffd[31m”" in yinuo("list").out
