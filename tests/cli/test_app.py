import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rich.cells import cell_len

from cli.issues import tables
from cli.tables import show
from domain.errors import InputError
from domain.issue.intake import Intake
from domain.issue.view import IssueView, view
from inbound.files.intakes import read_intakes
from runtime.embedded.ports import free_ports
from tests.support.builders import an_intake, an_issue
from tests.support.patience import PATIENCE
from tests.support.running_desk import Ran, RunningDesk, Yinuo, run_yinuo

NOW = datetime.now(UTC)
BY_HAND = "--product-line ATM --region 上海 --title 吞卡 --customer 张伟 --phone 13800001234"


def a_document(**changes: Any) -> dict[str, Any]:
    """An intake as an intake system writes it."""
    usual = {"reference": uuid4().hex, "region": "上海", "occurred_at": None, "reported_at": NOW}
    intake: Intake = an_intake(**usual)
    return intake.model_dump(mode="json") | changes


def lines(*documents: object) -> str:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in documents)


def seen(ran: Ran) -> IssueView:
    assert ran.code == 0, ran.err
    said = {"open_words", "thread"}  # as an issue is shown with
    return IssueView.model_validate({k: v for k, v in ran.json.items() if k not in said})


def test_an_issue_lives_its_whole_life_from_the_command_line(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    opened = seen(yinuo("issue", "open", *BY_HAND.split(), "--json"))
    assert opened.source == "cli"
    assert opened.engineer is not None
    by = ("--by", opened.engineer.id, "--json")
    number = opened.number
    assert seen(yinuo("issue", "accept", number, *by)).stage == "in_progress"
    expected = (NOW + timedelta(days=1)).isoformat()
    told = ("--note", "the part is on its way", "--expected-at", expected)
    assert seen(yinuo("issue", "progress", number, *told, *by)).steps[-1].note == told[1]
    waits = seen(yinuo("issue", "wait", number, "--reason", "no key", *by))
    assert (waits.stage, waits.sla_state) == ("waiting", "paused")
    assert seen(yinuo("issue", "resume", number, *by)).stage == "in_progress"
    taken = ("--to", "zhou.jianguo", "--reason", "night shift")
    lead = ("--by", "zhou.jianguo")
    moved = seen(yinuo("issue", "reassign", number, *taken, *lead, "--json"))
    assert moved.engineer is not None
    assert moved.engineer.id == "zhou.jianguo"
    raised = seen(yinuo("issue", "escalate", number, "--reason", "bank opens", *by))
    assert raised.escalation_level == 1
    yinuo("issue", "resolve", number, "--result", "cleaned", *lead)
    closed = yinuo(
        *("issue", "callback", number, "--running", "--satisfied", "--words", "好的"),
        *("--by", "fan.meiling"),
    )
    assert closed.code == 0, closed.err
    assert f"{number} · 吞卡" in closed.out
    assert "closed (solved)" in closed.out
    assert "Times are in Asia/Shanghai." in closed.out


def test_a_result_can_be_signalled_and_a_system_can_withdraw(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    opened = seen(yinuo("issue", "open", *BY_HAND.split(), "--json"))
    number = opened.number
    sent = yinuo(
        "issue", "resolve", number, "--signal", "--result", "reset", "--by", "zhou.jianguo"
    )
    assert sent.out == f"Sent. `yinuo issue show {number}` tells what came of it.\n"
    # Messages of one issue are taken in their order: what comes after it finds it resolved.
    withdrawn = yinuo(
        *("issue", "withdraw", number, "--by", "web", "--role", "intake", "--reason", "gone"),
        "--json",
    )
    assert seen(withdrawn).outcome == "withdrawn"
    assert seen(withdrawn).results == ("reset",)


def test_every_refusal_has_its_exit_code_and_one_sentence(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    number = seen(yinuo("issue", "open", *BY_HAND.split(), "--json")).number
    lead = ("--by", "zhou.jianguo")
    expected = {
        ("show", "20200101-07-0001"): (3, "there is no issue 20200101-07-0001"),
        ("accept", number, "--by", "nobody"): (3, "nobody is not on the roster"),
        ("resume", number, *lead): (4, f"resume is not possible while {number} is assigned"),
        ("accept", number, "--by", "fan.meiling"): (5, "accept is for engineer, gm_office, lead"),
        ("accept", number, "--by", "gao.yuan"): (5, f"{number} is with "),
        ("accept", number, *lead, "--at", "2026-11-23T10:00"): (
            2,
            "at: Input should have timezone",
        ),
        ("accept", number, *lead, "--at", "2099-01-01T10:00Z"): (2, "lies in the future"),
        ("wait", number, *lead, "--reason", ""): (2, "reason: may not be empty"),
        ("callback", number, *lead, "--not-reached", "--running"): (
            2,
            "reached: a customer who was not reached",
        ),
    }
    for arguments, (code, sentence) in expected.items():
        ran = yinuo("issue", *arguments)
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert sentence in ran.err
        assert "Traceback" not in ran.err


def test_a_desk_that_is_not_running_is_said_to_be_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("YINUO_TEMPORAL_PORT", str(port))
    monkeypatch.setenv("YINUO_HOME", str(tmp_path))
    away = run_yinuo("issue", "list", "--json")
    assert (away.code, away.out) == (6, "")
    assert "Start the desk with `yinuo up`" in away.err
    no_database = run_yinuo("migrate")
    assert no_database.code == 6
    assert "PostgreSQL does not answer. Start the desk" in no_database.err


def test_a_file_is_opened_in_its_order_and_the_same_reference_is_the_same_issue(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    first, second = a_document(title="first"), a_document(title="second")
    content = lines(first, second, first).encode()
    ran = yinuo("issue", "open", "-", "--json", stdin=content)
    assert ran.code == 0, ran.err
    assert [each["title"] for each in ran.json] == ["first", "second", "first"]
    assert ran.json[0]["number"] == ran.json[2]["number"] != ran.json[1]["number"]
    again = yinuo("issue", "open", "-", stdin=json.dumps(first).encode())
    assert again.code == 0, again.err
    assert again.out.count(ran.json[0]["number"]) == 1


def test_a_file_that_says_two_things_under_one_reference_opens_nothing(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    good, first = a_document(), a_document(title="甲处")
    other = first | {"title": "乙处", "site": "二楼"}
    ran = yinuo("issue", "open", "-", stdin=lines(good, first, first, other).encode())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"standard input, line 4: reference: {first['reference']} is that of standard input, "
        "line 2, which says something else: title, site\n"
    )
    assert yinuo("issue", "show", f"issue:web:{good['reference']}").code == 3


def test_a_file_that_says_something_else_than_is_registered_opens_nothing(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    good, first = a_document(), a_document()
    (opened,) = yinuo("issue", "open", "-", "--json", stdin=lines(first).encode()).json
    other = first | {"description": "Something else."}
    ran = yinuo("issue", "open", "-", stdin=lines(good, other).encode())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"standard input, line 2: web {first['reference']} is")
    assert opened["number"] in ran.err
    assert "description" in ran.err
    assert yinuo("issue", "show", f"issue:web:{good['reference']}").code == 3


def test_by_hand_a_reference_that_says_something_else_is_refused(yinuo: Yinuo) -> None:
    by_hand = (*BY_HAND.split(), "--reference", uuid4().hex)
    opened = seen(yinuo("issue", "open", *by_hand, "--json"))
    assert seen(yinuo("issue", "open", *by_hand, "--json")).number == opened.number
    ran = yinuo("issue", "open", *by_hand, "--site", "二楼")
    assert (ran.code, ran.out) == (4, "")
    assert opened.number in ran.err
    assert "site" in ran.err


def test_nothing_of_a_file_is_opened_if_the_roster_or_the_clock_contradicts_one_line(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    good = a_document()
    ahead = (NOW + timedelta(days=2)).isoformat()
    content = lines(good, a_document(region="Mars"), a_document(reported_at=ahead)).encode()
    ran = yinuo("issue", "open", "-", stdin=content)
    assert (ran.code, ran.out) == (2, "")
    region, date = ran.err.splitlines()
    assert region.startswith(
        "standard input, line 2: region: no service centre serves Mars; known:"
    )
    assert date.startswith("standard input, line 3: reported_at:")
    assert yinuo("issue", "show", f"issue:web:{good['reference']}").code == 3


def test_a_file_may_write_regions_and_product_lines_otherwise_and_come_from_a_clock_ahead(
    yinuo: Yinuo,
) -> None:
    ahead = (NOW + timedelta(hours=8)).isoformat()
    content = lines(a_document(region="廣東省", product_line="atm", reported_at=ahead)).encode()
    (opened,) = (yinuo("issue", "open", "-", "--json", stdin=content)).json
    assert (opened["region"], opened["product_line"]) == ("广东", "ATM")
    assert opened["reported_at"] < ahead


def test_a_list_of_a_kind_that_nobody_heard_of_is_refused_with_those_there_are(
    yinuo: Yinuo,
) -> None:
    ran = yinuo("issue", "list", "--kind", "wish")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("--kind: the policy has no wish; it has: consultation (咨询), fault")
    assert yinuo("issue", "list", "--kind", "fault").code == 0
    ran = yinuo("issue", "list", "--category", "wish")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("--category: the policy has no wish; it has: technical (技术质量)")


def test_lists_are_for_people_or_for_programs(yinuo: Yinuo) -> None:
    line = json.dumps(a_document(region="辽宁", title="[bold]吞卡[/bold]")).encode()
    (opened,) = (yinuo("issue", "open", "-", "--json", stdin=line)).json
    shown = yinuo("issue", "list", "--region", "辽宁")
    machine = yinuo("issue", "list", "--region", "辽宁", "--stage", "assigned", "--json")
    overdue = yinuo("issue", "list", "--region", "辽宁", "--overdue")
    messages = yinuo("issue", "list", "--undelivered", "--json")
    assert opened["number"] in shown.out
    assert "[bold]吞卡" in shown.out
    assert opened["number"] in {each["number"] for each in machine.json}
    assert overdue.out == "No such issues.\n"
    unheard = {(each["number"], each["recipient"]) for each in messages.json}
    assert (opened["number"], opened["engineer"]["id"]) in unheard


def test_r34_whom_agents_are_to_call_is_a_list_with_why_and_by_when(yinuo: Yinuo) -> None:
    by_hand = ("--severity", "major", "--agent", "09", "--phone", "+86 471 5550 0130")
    opened = seen(yinuo("issue", "open", *BY_HAND.split(), *by_hand, "--json"))
    assert opened.engineer
    assert "Nobody is to be called." in yinuo("issue", "list", "--calls", "--agent", "09").out
    by = ("--by", opened.engineer.id)
    yinuo("issue", "accept", opened.number, *by)
    yinuo("issue", "resolve", opened.number, *by, "--result", "new reader")
    shown = yinuo("issue", "list", "--calls", "--agent", "09").out
    for said in (opened.number, "0130", "已有结果"):
        assert said in shown
    listed = yinuo("issue", "list", "--calls", "--agent", "09", "--json").json
    assert [each["number"] for each in listed] == [opened.number]
    assert yinuo("audit", "--number", opened.number, "--json").json, "the look is written down"


def test_who_only_looks_needs_the_registers_alone(
    yinuo: Yinuo, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = seen(yinuo("issue", "open", *BY_HAND.split(), "--json"))
    (port,) = free_ports(1)
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    assert seen(yinuo("issue", "show", opened.number, "--json")).promises == opened.promises
    assert opened.number in yinuo("issue", "list").out
    refused = yinuo("issue", "withdraw", opened.number, "--by", "zhou.jianguo", "--reason", "gone")
    assert (refused.code, "Temporal at" in refused.err) == (6, True)


def test_a_new_roster_has_somebody_for_what_nobody_had(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    sheet = running_desk.roster / "people.csv"
    people = sheet.read_text("utf-8")
    by_hand = BY_HAND.replace("ATM", "HOVERCRAFT").split()
    try:
        lapsed = people.replace(",ATM=2025-12-31;", ",ATM=2025-12-31;HOVERCRAFT=2025-12-31;")
        sheet.write_text(lapsed, "utf-8")
        assert yinuo("roster", "import", str(running_desk.roster)).code == 0
        opened = seen(yinuo("issue", "open", *by_hand, "--json"))
        assert opened.engineer is None
        sheet.write_text(people.replace(",ATM;SECURITY,", ",ATM;SECURITY;HOVERCRAFT,"), "utf-8")
        imported = yinuo("roster", "import", str(running_desk.roster))
        assert imported.code == 0, imported.err
        assert "waiting; asked again." in imported.out
        found = seen(yinuo("issue", "show", opened.number, "--json"))
        assert found.engineer is not None
        assert found.engineer.id == "xu.jing"

        staying = (line for line in people.splitlines() if not line.startswith("xu.jing,"))
        sheet.write_text("\n".join(staying), "utf-8")
        imported = yinuo("roster", "import", str(running_desk.roster))
        assert imported.code == 0, imported.err
        assert f"Handed over: {opened.number}, xu.jing has left." in imported.out
        assert seen(yinuo("issue", "show", opened.number, "--json")).engineer is None
    finally:
        sheet.write_text(people, "utf-8")


def test_migrating_a_running_desk_again_changes_nothing(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    ran = yinuo("migrate")
    assert ran.code == 0, ran.err
    assert "✓ migrations         revision " in ran.out


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("people.csv", lambda text: text.encode("gbk"), "people.csv, line 2: not UTF-8"),
        (
            "people.csv",
            lambda text: text.replace("shift", "hours", 1).encode(),
            "people.csv, line 1: columns missing: shift; unknown: hours",
        ),
        (
            "centres.csv",
            lambda text: text.replace(",west,", ",moon,").encode(),
            "centre urumqi: calendar: moon is unknown; there are: always, callback",
        ),
        (
            "people.csv",
            lambda text: text.replace(",lead,legal", ",clerk,legal").encode(),
            "people.csv: department legal has no lead",
        ),
    ],
    ids=["encoding", "columns", "calendar", "gap"],
)
def test_a_bad_roster_is_refused_with_file_line_and_reason(
    tmp_path: Path, file: str, change: Any, sentence: str
) -> None:
    for sheet in Path("examples/roster").resolve().iterdir():
        text = sheet.read_text("utf-8")
        (tmp_path / sheet.name).write_bytes(change(text) if sheet.name == file else text.encode())
    ran = run_yinuo("roster", "check", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


def test_a_good_roster_is_said_to_be_good_without_any_server() -> None:
    ran = run_yinuo("roster", "check", "examples/roster")
    assert ran.code == 0, ran.err
    assert "8 centres, 55 people, 5 channels" in ran.out


NAIVE = "2026-11-23T10:00:00"
_IDS = (
    *("naive", "no such day", "5 MB", "no contact", "rounded", "kind", "last line", "first line"),
    *("document", "entry", "unknown field", "nested", "empty"),
)


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (lines(a_document(reported_at=NAIVE)), "reported_at: Input should have timezone info"),
        (lines(a_document(reported_at="2026-02-30T10:00:00Z")), "reported_at: .*day value"),
        (
            lines(a_document(description="很" * 1_700_000)),
            "description: String should have at most 10000 characters",
        ),
        (lines(a_document(customer={"name": "张伟"})), "customer: contact missing: give a phone"),
        (
            lines(a_document(customer={"name": "张伟", "phone": "8.6139E+12"})),
            "customer.phone: a spreadsheet has rounded it",
        ),
        (
            lines(a_document(), a_document(severity="wish")),
            "line 2: severity: Input should be",
        ),
        (lines(a_document()) + "{broken\n", "line 2, column 2: no valid JSON"),
        ("{broken\n" + lines(a_document()), "line 1, column 2: no valid JSON"),
        ('{\n "source": "web",\n}', "line 3, column 1: no valid JSON"),
        (json.dumps([a_document(), 7]), "entry 2: Input should be"),
        (lines(a_document(script={})), "script: is not known here"),
        ("[" * 100_000, "nested too deeply"),
        ("", "no valid JSON"),
    ],
    ids=_IDS,
)
def test_a_bad_intake_is_refused_with_line_field_and_reason(
    tmp_path: Path, content: str, findings: str
) -> None:
    file = tmp_path / "intakes.jsonl"
    file.write_text(content, "utf-8")
    with pytest.raises(InputError, match=f"^{file}.*{findings}") as refused:
        read_intakes(file)
    assert len(str(refused.value)) < 500


def test_a_number_in_a_file_is_read_as_at_every_door(tmp_path: Path) -> None:
    file = tmp_path / "intakes.jsonl"
    phones = ("（020）5550-0101 转 801", 13800000001, 13800000001.0, "13800000001/13900000001")
    file.write_text(
        lines(*(a_document(customer={"name": "张伟", "phone": each}) for each in phones)), "utf-8"
    )
    assert [found.intake.customer.phone for found in read_intakes(file)] == [
        "+862055500101(801)",
        *["+8613800000001"] * 3,
    ]


def test_all_that_is_wrong_in_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "intakes.jsonl"
    bad = a_document(agent="seven", region="")
    file.write_text("\n" + lines(a_document(), bad, {}) + "{\n", "utf-8")
    with pytest.raises(InputError) as refused:
        read_intakes(file)
    named = [
        line.removeprefix(f"{file}, ").split(":")[:2] for line in str(refused.value).split("\n")
    ]
    assert [place for place, _ in named[:2]] == ["line 3", "line 3"]
    assert ["line 4", " reported_at"] in named
    assert named[-1][0] == "line 5, column 2"


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "intakes.jsonl"
    file.write_bytes(lines(a_document()).encode() + lines(a_document()).encode("gbk"))
    with pytest.raises(InputError, match="line 2: not UTF-8"):
        read_intakes(file)


def test_when_it_was_reported_is_only_made_up_if_asked_for(tmp_path: Path) -> None:
    document = a_document()
    del document["reported_at"]
    file = tmp_path / "intake.json"
    file.write_text(json.dumps(document, indent=2), "utf-8")
    with pytest.raises(InputError, match="reported_at: is missing"):
        read_intakes(file)
    (found,) = read_intakes(file, now=NOW)
    assert found.intake.reported_at == NOW


@pytest.mark.program
def test_wrong_usage_ends_the_process_with_two() -> None:
    command = [sys.executable, "-m", "cli", "issue", "open", "some.json", "--title", "吞卡"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "give a FILE, or the fields of one issue" in ran.stderr


def test_chinese_names_do_not_push_a_column_out_of_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    person = {"id": "ma", "name": "艾尔肯·买买提"}
    one = view(an_issue()).model_copy(update={"title": "first"})
    two = IssueView.model_validate(one.model_dump() | {"engineer": person, "title": "second"})
    show(tables.listing([one, two]))
    shown = capsys.readouterr().out.splitlines()
    starts = {
        cell_len(line[: line.index(title)])
        for title in ("first", "second", "Title")
        for line in shown
        if title in line
    }
    assert len(starts) == 1


def test_what_a_customer_wrote_is_no_command_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    title = "[red]吞卡[/red] :warning: \x1b[31m\u202e"
    show(tables.page(view(an_issue()).model_copy(update={"title": title})))
    assert "[red]吞卡[/red] :warning: \ufffd[31m\ufffd" in capsys.readouterr().out
