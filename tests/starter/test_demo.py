import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from activities.notification import AppriseSender, DeliveryFailed
from domain.promises import PromiseEnd, PromiseKind
from domain.vocabulary import Model, Outcome, Severity, Stage
from runtime import rulebook
from runtime.child import Child
from runtime.errors import SetupError
from runtime.settings import ROOT
from starter.cli import app
from starter.console import InputError
from starter.demo import play, summary
from starter.demo.checks import Evidence, check
from starter.demo.receiver import Outside, Received, Receiver
from starter.demo.script import Sample, Script, read_samples, rises
from starter.demo.staff import Played
from starter.demo.stage import stage
from starter.roster_files import read_roster
from store.ledger import (
    CallRow,
    EventRow,
    FormRow,
    IssueRow,
    Ledger,
    MessageRow,
    PromiseRow,
)
from tests.builders import MONDAY, an_intake
from tests.conftest import free_ports

RULEBOOK = rulebook.load(play.POLICY)
NOW = MONDAY + timedelta(seconds=1)
SECOND = timedelta(seconds=1)


# The checks: on a play that went well, fabricated, and then falsified in one place. ---------------


def a_sample(reference: str, calls: tuple[Any, ...], **script: Any) -> Sample:
    severity = Severity.MAJOR if "bad" in calls else Severity.GENERAL
    return Sample(
        intake=an_intake(reference=reference, severity=severity),
        script=Script(callback=calls or None, **script),
        calls=calls,
        trial=False,
    )


@dataclass
class Desk:
    """A fabricated desk that does exactly what the scripts demand."""

    samples: Sequence[Sample]

    def evidence(self) -> Evidence:
        played = [Played(sample) for sample in self.samples]
        for number, each in enumerate(played, start=1):
            each.numbers = [_number(number)] * (2 if each.sample.script.duplicate else 1)
        rows: dict[str, list[Any]] = {name: [] for name in Ledger.model_fields}
        for number, sample in enumerate(self.samples, start=1):
            for name, made in _rows(number, sample).items():
                rows[name] += made
        return Evidence(
            played=played,
            ledger=Ledger(**{name: tuple(made) for name, made in rows.items()}),
            workflows=[(sample.intake.issue_id, "COMPLETED") for sample in self.samples],
            received=[
                Received(m.channel, m.address, m.subject, m.body, NOW)
                for m in rows["messages"]
                if m.status == "delivered"
            ],
            dead=frozenset({"feishu"}),
        )


def _number(serial: int) -> str:
    return f"20261123-07-{serial:04d}"


def _rows(serial: int, sample: Sample) -> dict[str, list[Any]]:
    id_, expected = sample.intake.issue_id, sample.expected
    generation = expected.reopened + 1
    issue = IssueRow(
        **sample.intake.model_dump(include={"source", "reference", "kind", "severity"}),
        id=id_,
        number=_number(serial),
        stage=Stage.CLOSED,
        outcome=expected.outcome,
        answered=expected.outcome is not Outcome.WITHDRAWN,
        generation=generation,
        escalation_level=int(rises(sample)),
        seq=3,
    )
    withdrawn = expected.outcome is Outcome.WITHDRAWN
    replies = ["withdrawn"] if withdrawn else ["resolved"] * generation
    broken = [key for key, end in expected.promises.items() if end is PromiseEnd.BROKEN]
    return {
        "issues": [issue],
        "events": [
            EventRow(issue_id=id_, seq=seq, action="accept", actor="e01") for seq in (1, 2, 3)
        ],
        "promises": [_promise(id_, key, end) for key, end in expected.promises.items()],
        "forms": [
            FormRow(
                issue_id=id_,
                generation=each,
                engineer="e01",
                resolved_at=None if withdrawn else NOW,
                result=None if withdrawn else "repaired",
            )
            for each in range(1, generation + 1)
        ],
        "calls": [
            CallRow(
                issue_id=id_,
                generation=in_generation,
                attempt=attempt,
                clerk="c01",
                reached=call != "not_reached",
                running={"good": True, "bad": False, "not_reached": None}[call],
            )
            for in_generation, attempt, call in expected.calls
        ],
        "messages": [
            *(_message(id_, f"{n}:{name}", name, "customer") for n, name in enumerate(replies)),
            *(_message(id_, f"{key}:100%", "alarm", "lead") for key in broken),
            _message(id_, "1:assigned", "assigned", "handler", channel="feishu"),
        ],
    }


def _promise(id_: str, key: str, end: PromiseEnd) -> PromiseRow:
    kind, generation, attempt = (*key.split("."), "1")[:3]
    late = end is PromiseEnd.BROKEN
    return PromiseRow(
        issue_id=id_,
        kind=PromiseKind(kind),
        generation=int(generation),
        attempt=int(attempt),
        due_at=NOW,
        outcome=end,
        ended_at=NOW + SECOND if late else NOW,
    )


def _message(
    id_: str, about: str, template: str, audience: str, channel: str = "sms"
) -> MessageRow:
    dead = channel == "feishu"
    return MessageRow(
        key=f"{id_}:{about}",
        issue_id=id_,
        template=template,
        audience=audience,
        channel=channel,
        address=f"{audience}-1",
        subject=about,
        body=f"{template} {id_}",
        status="handed_over" if dead else "delivered",
        handed_to="l01" if dead else None,
    )


SAMPLES = (
    a_sample("plain", ("good",), duplicate=True),
    a_sample("reopened", ("bad", "not_reached", "good"), accept="late"),
    a_sample("unreached", ("not_reached", "not_reached"), resolve="late"),
    a_sample("withdrawn", (), withdraw="registered"),
)
GOOD = Desk(SAMPLES).evidence()

Falsify = Callable[[Evidence], Evidence]


def _changed(register: str, find: Callable[[Any], bool], **changes: Any) -> Falsify:
    """Change the first row of a register that is found."""

    def falsify(evidence: Evidence) -> Evidence:
        rows: list[Model] = list(getattr(evidence.ledger, register))
        place = next(index for index, row in enumerate(rows) if find(row))
        rows[place] = rows[place].model_copy(update=changes)
        ledger = evidence.ledger.model_copy(update={register: tuple(rows)})
        return replace(evidence, ledger=ledger)

    return falsify


def _gone(register: str, find: Callable[[Any], bool] = lambda _: True) -> Falsify:
    def falsify(evidence: Evidence) -> Evidence:
        rows: list[Model] = list(getattr(evidence.ledger, register))
        rows.remove(next(row for row in rows if find(row)))
        ledger = evidence.ledger.model_copy(update={register: tuple(rows)})
        return replace(evidence, ledger=ledger)

    return falsify


def _twice(register: str, **changes: Any) -> Falsify:
    def falsify(evidence: Evidence) -> Evidence:
        rows = getattr(evidence.ledger, register)
        more = (*rows, rows[0].model_copy(update=changes))
        return replace(evidence, ledger=evidence.ledger.model_copy(update={register: more}))

    return falsify


def _trouble(evidence: Evidence) -> Evidence:
    stuck = Played(SAMPLES[0])
    stuck.numbers, stuck.trouble = evidence.played[0].numbers, "NotAllowed: no"
    return replace(evidence, played=[stuck, *evidence.played[1:]])


def _told_another_number(evidence: Evidence) -> Evidence:
    told = Played(SAMPLES[0])
    told.numbers = [_number(1), _number(5)]
    return replace(evidence, played=[told, *evidence.played[1:]])


def _ends(key: str) -> Callable[[Any], bool]:
    return lambda row: f"{row.kind}.{row.generation}" == key


FALSIFIED: list[tuple[str, Falsify]] = [
    ("Every script could be played to its end", _trouble),
    ("Every reference became exactly one issue", _gone("issues")),
    ("Every reference became exactly one issue", _twice("issues", number=_number(5))),
    (
        "Every reference became exactly one issue",
        _twice("issues", number=_number(5), reference="nobody-reported"),
    ),
    ("Every reference became exactly one issue", _told_another_number),
    ("The numbers have no gaps", _changed("issues", lambda _: True, number=_number(9))),
    (
        "Every issue closed as its script demands",
        _changed("issues", lambda row: row.outcome is Outcome.SOLVED, outcome=Outcome.NOT_REACHED),
    ),
    (
        "Every issue closed as its script demands",
        _changed("issues", lambda _: True, stage=Stage.REPLIED),
    ),
    ("Nobody was left unanswered", _changed("issues", lambda _: True, answered=False)),
    ("Nobody was left unanswered", _gone("messages", lambda row: row.template == "resolved")),
    ("Nobody was left unanswered", _gone("messages", lambda row: row.template == "withdrawn")),
    (
        "Every promise ended as scripted",
        _changed("promises", _ends("response.1"), outcome=PromiseEnd.BROKEN),
    ),
    ("Every promise ended as scripted", _gone("promises", _ends("callback.1"))),
    ("Every promise ended as scripted", _twice("promises", generation=7)),
    (
        "Kept means in time, broken means late",
        _changed("promises", _ends("response.1"), ended_at=NOW + SECOND),
    ),
    (
        "Kept means in time, broken means late",
        _changed("promises", lambda row: row.outcome is PromiseEnd.BROKEN, ended_at=NOW - SECOND),
    ),
    (
        "Kept means in time, broken means late",
        _changed("promises", _ends("response.1"), ended_at=None),
    ),
    (
        "Every broken promise reached the lead",
        _changed("issues", lambda row: row.escalation_level == 1, escalation_level=0),
    ),
    (
        "Every broken promise reached the lead",
        _gone("messages", lambda row: row.template == "alarm"),
    ),
    (
        "Issues were reopened as scripted",
        _changed("issues", lambda row: row.generation == 2, generation=1),
    ),
    ("Issues were reopened as scripted", _changed("issues", lambda _: True, generation=2)),
    ("The registers are whole", _gone("events", lambda row: row.seq == 2)),
    ("The registers are whole", _twice("events", seq=4)),
    ("The registers are whole", _gone("forms", lambda row: row.generation == 2)),
    ("The registers are whole", _changed("forms", lambda _: True, result=None)),
    ("The registers are whole", _gone("calls")),
    ("The registers are whole", _changed("calls", lambda _: True, running=False)),
    ("Every message arrived once", lambda e: replace(e, received=[*e.received, e.received[0]])),
    ("Every message arrived once", lambda e: replace(e, received=e.received[1:])),
    (
        "Only a dead channel's messages were handed over",
        _changed("messages", lambda row: row.channel == "sms", status="handed_over"),
    ),
    (
        "Only a dead channel's messages were handed over",
        _changed("messages", lambda row: row.channel == "feishu", status="delivered"),
    ),
    (
        "Only a dead channel's messages were handed over",
        _changed("messages", lambda row: row.channel == "feishu", handed_to=None),
    ),
    (
        "Only a dead channel's messages were handed over",
        _changed("messages", lambda row: row.channel == "sms", status="pending"),
    ),
    (
        "Every workflow completed",
        lambda e: replace(e, workflows=[(e.workflows[0][0], "FAILED"), *e.workflows[1:]]),
    ),
    ("Every workflow completed", lambda e: replace(e, workflows=e.workflows[1:])),
    ("Every workflow completed", lambda e: replace(e, workflows=[*e.workflows, e.workflows[0]])),
    (
        "Every workflow completed",
        lambda e: replace(e, workflows=[*e.workflows, ("issue:web:other", "COMPLETED")]),
    ),
]


def failing(evidence: Evidence) -> set[str]:
    return {each.english for each in check(evidence) if each.problems}


def test_a_play_that_went_as_scripted_passes_every_check() -> None:
    assert failing(GOOD) == set()


@pytest.mark.parametrize(("sentence", "falsify"), FALSIFIED)
def test_a_check_fails_when_what_it_says_is_not_so(sentence: str, falsify: Falsify) -> None:
    assert sentence in failing(falsify(GOOD))


def test_every_check_is_proved_to_bite() -> None:
    assert {sentence for sentence, _ in FALSIFIED} == {each.english for each in check(GOOD)}


def test_the_summary_shows_the_figures_and_what_speaks_against_a_check() -> None:
    console = Console(file=io.StringIO(), width=110)
    console.print(summary.tables(GOOD.ledger), summary.findings(check(_trouble(GOOD))))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "守诺率" in shown
    assert "✗  脚本全部演完" in shown
    assert "plain: NotAllowed: no" in shown
    assert "✓  一个来源编号，一个问题" in shown
    # Kept, broken, withdrawn, and the share of those kept among those that came due.
    responses = next(line for line in shown.splitlines() if "响应 response" in line)
    assert responses.split()[2:6] == ["3", "1", "1", "75%"]


# The scripts -------------------------------------------------------------------------------------


def test_what_a_script_implies_is_worked_out_from_it() -> None:
    _, reopened, unreached, withdrawn = (sample.expected for sample in SAMPLES)
    assert reopened.outcome is Outcome.SOLVED
    assert reopened.reopened == 1
    assert reopened.calls == ((1, 1, "bad"), (2, 1, "not_reached"), (2, 2, "good"))
    assert reopened.promises == {
        "response.1": PromiseEnd.BROKEN,
        "resolution.1": PromiseEnd.KEPT,
        "callback.1": PromiseEnd.KEPT,
        "response.2": PromiseEnd.KEPT,
        "resolution.2": PromiseEnd.KEPT,
        "callback.2": PromiseEnd.KEPT,
        "callback.2.2": PromiseEnd.KEPT,
    }
    assert unreached.outcome is Outcome.NOT_REACHED
    assert unreached.promises["resolution.1"] is PromiseEnd.BROKEN
    assert set(withdrawn.promises.values()) == {PromiseEnd.WITHDRAWN}


def test_the_forty_examples_can_be_played_and_have_everything_in_them() -> None:
    samples = read_samples(play.ISSUES, RULEBOOK)
    assert len(samples) == 40
    assert {sample.intake.channel for sample in samples} == {
        "telephone",
        "website",
        "email",
        "chat",
        "walk_in",
    }
    assert len({sample.intake.kind for sample in samples}) == 6
    assert {sample.expected.outcome for sample in samples} == {
        Outcome.SOLVED,
        Outcome.NOT_REACHED,
        Outcome.WITHDRAWN,
    }
    scripts = [sample.script for sample in samples]
    assert {script.accept for script in scripts} == {"on_time", "late", "never"}
    assert {script.resolve for script in scripts} == {"on_time", "late", "signal"}
    assert sum(script.duplicate for script in scripts) >= 3
    served = {region for centre in read_roster(play.ROSTER).centres for region in centre.regions}
    assert {sample.intake.region for sample in samples} <= served


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"script": {"accept": "never ever"}}, r"line 2: accept: .*never ever"),
        ({"script": {"acept": "late"}}, r"line 2: acept: is not known here"),
        ({"script": {"callback": ["bad"]}}, r"line 2: script.callback: the calls must end with"),
        (
            {"script": {"callback": ["good", "good"]}},
            r"line 2: script.callback: the calls must end",
        ),
        ({"script": {"callback": ["not_reached"]}}, r"line 2: script.callback: the calls must end"),
        ({"script": {"callback": []}}, r"line 2: script.callback: the calls must end"),
        ({"kind": "sales", "script": {"callback": ["good"]}}, r"line 2: .* sales has none"),
        (
            {"script": {"callback": ["good"], "withdraw": "registered"}},
            r"line 2: .* it is withdrawn before",
        ),
        ({"kind": "riddle"}, r"line 2: kind: "),
        ({"reference": "first"}, r"issue:web:first is there 2 times"),
    ],
)
def test_a_script_that_cannot_be_played_is_named_with_its_line(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    good = an_intake(reference="first").model_dump(mode="json", exclude={"reported_at"})
    second = good | {"reference": "second"} | changes
    path = tmp_path / "issues.jsonl"
    path.write_text(f"{json.dumps(good)}\n{json.dumps(second)}\n", encoding="utf-8")
    with pytest.raises(InputError, match=reason):
        read_samples(path, RULEBOOK)


def test_a_line_that_is_no_json_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "issues.jsonl"
    path.write_text("{\n[]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)line 1: .*no valid JSON.*line 2: write an object"):
        read_samples(path, RULEBOOK)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="0 issues: give at least one"):
        read_samples(path, RULEBOOK)


def test_without_a_script_everything_goes_well_and_a_call_is_made_where_one_is_promised(
    tmp_path: Path,
) -> None:
    path = tmp_path / "issues.jsonl"
    lines = [
        an_intake(reference=kind, kind=kind).model_dump_json() for kind in ("fault", "suggestion")
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    fault, suggestion = read_samples(path, RULEBOOK)
    assert (fault.calls, suggestion.calls) == (("good",), ())


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
    sender = AppriseSender()
    with Receiver(outside) as receiver:
        led_here = receiver.channels_of(roster, speed=60)
        urls = {channel.id: channel.url for channel in led_here.channels}
        await sender.send(urls["sms"], "+86 20 5550 0101", "已登记", "第一行\n第二行")
        await sender.send(urls["email"], "someone@example.com", "Hello", "slowly")
        for channel in ("feishu", "dingtalk"):
            with pytest.raises(DeliveryFailed):
                await sender.send(urls[channel], "shenyang", "lost", "lost")
    sender.close()
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

EIGHT = ("H-0005", "H-0011", "H-0006", "H-0004", "H-0021", "C-0001", "H-0020", "M-0004")
"""Late, never answered, reopened and doubled, by signal, withdrawn, no call, not reached, late."""


def _some_of_the_examples(tmp_path: Path) -> Path:
    lines = play.ISSUES.read_text("utf-8").splitlines()
    path = tmp_path / "eight.jsonl"
    wanted = [line for line in lines if json.loads(line)["reference"] in EIGHT]
    path.write_text("\n".join(wanted), encoding="utf-8")
    return path


@pytest.mark.timeout(300)
async def test_eight_issues_come_out_as_scripted_and_a_falsified_register_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever servers the environment names, a demonstration keeps away from them.
    monkeypatch.setenv("DATABASE_URL", "postgresql://real@192.0.2.1/desk")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "192.0.2.1:7233")
    roster = read_roster(play.ROSTER)
    samples = read_samples(_some_of_the_examples(tmp_path), RULEBOOK)
    assert len(samples) == len(EIGHT)
    console = Console(file=io.StringIO(), width=110)
    ports = dict(zip(("temporal_port", "temporal_ui_port"), free_ports(2), strict=True))
    async with stage(
        tmp_path / "home",
        play.POLICY,
        roster,
        outside=Outside(dead=play.DEAD),
        speed=play.SPEED,
        overrides=ports,
    ) as place:
        found = await play.perform(place, roster, samples, console)
        assert [each for each in check(found) if each.problems] == []
        assert any(message.status == "handed_over" for message in found.ledger.messages)

        pool = place.servers.pool
        await pool.execute(
            "UPDATE promises SET outcome = 'kept' WHERE outcome = 'broken' AND kind = 'response'"
        )
        await pool.execute("DELETE FROM callback_records WHERE attempt = 2")
        await pool.execute("UPDATE outbox SET status = 'pending' WHERE template = 'resolved'")
        falsified = await play.evidence(place, found.played)
    assert os.environ["TEMPORAL_ADDRESS"] == "192.0.2.1:7233"
    assert failing(falsified) == {
        "Every promise ended as scripted",
        "Kept means in time, broken means late",
        "The registers are whole",
        "Every message arrived once",
        "Only a dead channel's messages were handed over",
    }


@pytest.mark.timeout(180)
async def test_ctrl_c_in_the_middle_stops_everything_and_the_next_one_starts_from_nothing(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        log = tmp_path / "demo.log"
        log.unlink(missing_ok=True)
        demo = Child(
            "demo",
            [sys.executable, "-P", "-m", "starter", "demo", "--home", str(home)],
            log,
            environment={**os.environ, **_own_ports(), "PYTHONPATH": str(ROOT)},
            stop_signal=signal.SIGINT,
        )
        await demo.start()
        await _until(lambda log=log: "promises:" in log.read_text("utf-8"))  # type: ignore[misc]
        await demo.stop(60)
        assert await demo.wait() == 130, log.read_text("utf-8")
        assert "Traceback" not in log.read_text("utf-8")


def _own_ports() -> dict[str, str]:
    names = ("YINUO_TEMPORAL_PORT", "YINUO_TEMPORAL_UI_PORT")
    return {name: str(port) for name, port in zip(names, free_ports(2), strict=True)}


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.1)
