"""The demonstration as a whole: its options, the world outside, its stage, a play on servers."""

import asyncio
import io
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import pytest
from openpyxl import load_workbook
from rich.console import Console
from typer.testing import CliRunner

from activities.sending import DeliveryFailed
from activities.webhooks import WebhookSender
from cli.app import app
from cli.issues.thread import thread
from cli.reports import pictures
from demo.play import evening, lines, play, week
from demo.play.branches import taken
from demo.play.checks import check
from demo.play.doors import DoorDeed, admit
from demo.play.evidence import Evidence
from demo.play.samples import read_samples
from demo.receiver import Outside, Receiver
from demo.reported import said
from demo.stage import Theatre, stage
from domain.errors import SetupError
from domain.reports.counted import Counted
from domain.vocabulary import Language, Role
from inbound.files.roster import read_roster
from runtime.embedded.ports import free_ports
from runtime.embedded.process import Child
from runtime.settings import PORTS, ROOT
from tests.support.demo_desk import RULEBOOK
from tests.support.patience import PATIENCE

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOWN_REPORT = partial(pictures.report, language=Language.ZH, rules=False)


@pytest.mark.parametrize(
    "options",
    [
        ["--speed", "100"],
        ["--day", "2016-03-07"],
        ["--incidents", "log.csv"],
        ["--incidents", "log.csv", "--day", "2016-03-07", "--keep"],
        ["--incidents", "log.csv", "--day", "2016-03-07", "--issues", "mine.jsonl"],
        ["--day", "7.3.2016"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(options: list[str]) -> None:
    assert CliRunner().invoke(app, ["demo", *options]).exit_code == 2


# The world outside and the stage -----------------------------------------------------------------


async def test_the_world_outside_remembers_what_it_took_and_refuses_where_it_is_told_to() -> None:
    roster = read_roster(play.ROSTER)
    outside = Outside(
        dead=frozenset({"feishu"}), failing=frozenset({"dingtalk"}), slow={"email": 0.05}
    )
    sender = WebhookSender()
    with Receiver(outside) as receiver:
        led_here = receiver.channels_of(roster, speed=60)
        urls = {channel.id: channel.url for channel in led_here.channels}
        await sender.send(urls["sms"], "+86 20 5550 0101", "已登记", "第一行\n第二行")
        await sender.send(urls["email"], "someone@example.com", "Hello", "slowly")
        for channel in ("feishu", "dingtalk"):
            with pytest.raises(DeliveryFailed):
                await sender.send(urls[channel], "shenyang", "lost", "lost")
    await sender.aclose()
    assert [message[:4] for message in receiver.received] == [
        ("sms", "+86 20 5550 0101", "已登记", "第一行\n第二行"),
        ("email", "someone@example.com", "Hello", "slowly"),
    ]
    limits = {channel.id: channel.per_minute for channel in led_here.channels}
    assert limits == {"sms": None, "email": None, "wecom": None, "dingtalk": 1200, "feishu": 6000}


async def test_a_directory_that_no_demonstration_made_is_never_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    with pytest.raises(SetupError, match=r"not made by a demonstration.*--home"):
        async with stage(tmp_path, play.POLICY, read_roster(play.ROSTER)):
            pass
    assert precious.read_text(encoding="utf-8") == "mine"


async def test_a_roster_that_does_not_fit_the_policy_is_refused_before_anything_starts(
    tmp_path: Path,
) -> None:
    roster = read_roster(play.ROSTER)
    stranger = roster.members[0].model_copy(update={"shift": "moonlight"})
    roster = roster.model_copy(update={"members": (stranger, *roster.members[1:])})
    with pytest.raises(SetupError, match="moonlight"):
        async with stage(tmp_path / "home", play.POLICY, roster):
            pass
    assert not (tmp_path / "home").exists()


# The whole of it, on real servers -----------------------------------------------------------------

SOME = (
    *("H-0005", "H-0011", "H-0006", "H-0004", "H-0021", "C-0001", "H-0020", "M-0004"),
    *("H-0001", "H-0027", "H-0026", "H-0028", "H-0029", "H-0009", "H-0031", "V-0002", "W-0007"),
    *("H-0002", "H-0036", "H-0037", "W-0001", "W-0003", "W-0004"),
)
"""Late, never answered, reopened and doubled, by signal, withdrawn, no call, not reached, late;
a solution for the library and an answer out of it, held by the hotline, panel, transfer, a major
complaint, one out of a callback, work that is approved, a quotation that lapses; one merged into
another, one linked with another and its telephone corrected, customers who write on their page, by
letter, and after the answer.
"""


def _some_of_the_examples(tmp_path: Path) -> Path:
    lines = play.ISSUES.read_text("utf-8").splitlines()
    path = tmp_path / "some.jsonl"
    wanted = [line for line in lines if json.loads(line)["reference"] in SOME]
    path.write_text("\n".join(wanted), encoding="utf-8")
    return path


class Played(NamedTuple):
    """A play that is over, on its stage."""

    place: Theatre
    began: datetime
    calls: evening.CallList
    found: Evidence


@asynccontextmanager
async def _played(tmp_path: Path, console: Console) -> AsyncIterator[Played]:
    """Play them. What others do on the machine may cost a play the seconds that it has for hours:
    then it is played once more, and only what comes out wrong every time is wrong.
    """
    roster = read_roster(play.ROSTER)
    samples = read_samples(_some_of_the_examples(tmp_path), RULEBOOK)
    assert len(samples) == len(SOME)
    for turn in range(_TURNS):
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        async with stage(
            tmp_path / f"home-{turn}",
            play.POLICY,
            roster,
            outside=Outside(dead=play.DEAD),
            speed=play.SPEED,
            overrides=ports,
        ) as place:
            began, calls = datetime.now(UTC), evening.CallList(place.servers.pool, SHANGHAI)
            watching = asyncio.create_task(calls.watch())
            found = await play.perform(place, roster, samples, console)
            watching.cancel()
            if turn == _TURNS - 1 or not any(each.problems for each in check(found)):
                yield Played(place, began, calls, found)
                return


_TURNS = 3


@pytest.mark.usefixtures("servers")
async def test_some_issues_come_out_as_scripted_and_a_falsified_register_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever servers the environment names, a demonstration keeps away from them.
    monkeypatch.setenv("DATABASE_URL", "postgresql://real@192.0.2.1/desk")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "192.0.2.1:7233")
    console = Console(file=io.StringIO(), width=110)
    assert isinstance(console.file, io.StringIO)
    async with _played(tmp_path, console) as (place, began, calls, found):
        assert [each for each in check(found) if each.problems] == []
        branches = [each for several in taken(found).values() for each in several]
        assert [each for each in branches if each.problems] == []
        assert len(branches) >= 18
        assert len(found.played) == len(SOME) + 1, "the complaint out of the callback"
        assert any(message.status == "handed_over" for message in found.ledger.messages)

        pool, zone = place.servers.pool, SHANGHAI
        drawn = await evening.sample(pool, zone, began)
        assert sum(drawn.population.values()) == len(found.played)
        assert len(drawn.records) >= 0.15 * len(found.played)
        out = await evening.export(pool, zone, tmp_path)
        assert len(list(load_workbook(out).active.values)) == 1 + 2, "headings, two complaints"
        assert calls.calls, "somebody was to be called meanwhile"
        console.print(await play.conversation(place, found, partial(thread, short=True)))
        shown = console.file.getvalue()
        assert "自助充值机触摸屏失灵" in shown
        console.print(*week.shown(found.reports, SHOWN_REPORT), sep="\n")
        report = console.file.getvalue().removeprefix(shown)
        assert re.search(rf"登记问题 +{len(found.played)} *\n", report), report
        for title in ("回访核实报告", "服务效能报告", "按类别", "各项时限", "█", "本期尚未结束"):
            assert title in report
        of_theirs = sum(row.department == "technical_service" for row in found.ledger.issues)
        assert await _readers(place, week.address(place.settings.base_url, found.reports)) == {
            Role.GM_OFFICE: len(found.played),
            Role.MANAGER: of_theirs,
            Role.LEAD: of_theirs,
        }
        for said in (lines.DONE_NOW, lines.NOTED, lines.CALLS["bad"]["words"], "photograph.jpg"):
            assert str(said) in shown
        await pool.execute(
            "UPDATE promises SET outcome = 'kept' WHERE outcome = 'broken' AND kind = 'response'"
        )
        assert place.servers.postgres is not None
        owner = await asyncpg.connect(place.servers.postgres.owner_url)
        await owner.execute("DELETE FROM callback_records WHERE attempt = 2")
        await owner.close()
        await pool.execute("UPDATE outbox SET status = 'pending' WHERE template = 'resolved'")
        await pool.execute("UPDATE issues SET arises_from = NULL")
        await pool.execute("UPDATE known_cases SET used = 0")
        falsified = await play.evidence(place, found.played, [DoorDeed("open", "none", "web")])
    assert os.environ["TEMPORAL_ADDRESS"] == "192.0.2.1:7233"
    assert {e.english for several in taken(falsified).values() for e in several if e.problems} == {
        "Answered out of the case library",
        "A conflict in the callback becomes one",
    }
    assert {each.english for each in check(falsified) if each.problems} == {
        "Every promise ended as scripted",
        "Kept means in time, broken means late",
        "The registers are whole",
        "Every message arrived once",
        "Only a dead channel's messages were handed over",
        "What was done at the doors stands in their trail",
        "The week's reports say what was played",
    }


async def _readers(place: Theatre, address: str) -> dict[Role, int]:
    """How many issues came in by that report, for each of those one may look around as."""
    let_in = await admit(place.servers.pool, play.VISITORS)
    found = {}
    async with httpx2.AsyncClient(trust_env=False) as http:
        for (role, _), token in let_in.items():
            answer = await http.get(address, headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != 403:
                counted = Counted.model_validate(answer.json()["counted"])
                found[role] = said([counted], "registered")
    return found


@pytest.mark.usefixtures("servers")
async def test_ctrl_c_in_the_middle_stops_everything_and_the_next_one_starts_from_nothing(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        log = tmp_path / "demo.log"
        log.unlink(missing_ok=True)
        demo = Child(
            "demo",
            [sys.executable, "-P", "-m", "cli", "demo", "--home", str(home)],
            log,
            environment={**os.environ, **_own_ports(), "PYTHONPATH": str(ROOT)},
            stop_signal=signal.SIGINT,
        )
        await demo.start()
        await _until(lambda log=log: "promises:" in log.read_text("utf-8"))  # type: ignore[misc]
        await demo.stop(PATIENCE)
        assert await demo.wait() == 130, log.read_text("utf-8")
        assert "Traceback" not in log.read_text("utf-8")


def _own_ports() -> dict[str, str]:
    free = free_ports(len(PORTS))
    return {f"YINUO_{name.upper()}": str(port) for name, port in zip(PORTS, free, strict=True)}


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.1)
