import csv
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group

from cli.console import ExitCode, Failed
from cli.issues import acting as issue_acting
from cli.issues import commands as issue_commands
from cli.issues.actions import COMMANDS, Command
from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, Act, ActionName
from domain.issue.arrival import FORMS
from domain.issue.intake import Intake
from domain.issue.view import IssueView, view
from domain.terms import Terms
from domain.vocabulary import Actor, Role
from tests.support.builders import an_issue
from tests.support.running_desk import Ran, run_yinuo

NUMBER = "20261123-07-0001"
PEOPLE_CSV = Path("examples/roster/people.csv").read_text("utf-8-sig")
STAFF = {each["person"]: Role(each["role"]) for each in csv.DictReader(PEOPLE_CSV.splitlines())}
BY_NAME = {command.name: command for command in COMMANDS}
every_command = pytest.mark.parametrize("command", COMMANDS, ids=[each.name for each in COMMANDS])


class FakeDesk:
    """Knows the people of the example roster and keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Act]] = []
        self.opened: list[Intake] = []

    async def actor(self, id_: str) -> Actor:
        if id_ not in STAFF:
            raise Failed(ExitCode.NOT_FOUND, f"{id_} is not on the roster")
        return Actor(id=id_, role=STAFF[id_])

    async def act(self, number: str, name: ActionName, act: Act, *, key: str) -> IssueView:
        assert key.startswith("cli:"), "by which door it came"
        self.sent.append((number, name, act))
        return view(an_issue())

    async def open(self, intake: Intake) -> IssueView:
        self.opened.append(intake)
        return view(an_issue())

    async def terms(self) -> Terms:
        return Terms()

    async def complete(self, number: str, act: Act) -> None:
        self.sent.append((number, "complete", act))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDesk:
    """The desk that the commands talk to."""
    fake = FakeDesk()

    @asynccontextmanager
    async def desk() -> AsyncIterator[FakeDesk]:
        yield fake

    monkeypatch.setattr(issue_acting, "desk", desk)
    monkeypatch.setattr(issue_commands, "desk", desk)
    monkeypatch.setenv("COLUMNS", "200")
    return fake


@pytest.fixture
def sent(fake: FakeDesk) -> list[tuple[str, str, Act]]:
    """What it gets to hear about an issue."""
    return fake.sent


def run(line: str) -> Ran:
    """Run ``accept --by liang.jiahao`` on an issue, with its number put in."""
    name, *options = shlex.split(line)
    return run_yinuo("issue", name, NUMBER, *options)


def options_of(name: str) -> dict[str, Any]:
    """The options of a command, each name on the terminal with what it is."""
    issue: Any = get_group(issue_commands.app)
    command = issue.commands[name]
    return {
        spelt: parameter
        for parameter in command.params
        for spelt in (*parameter.opts, *parameter.secondary_opts)
    }


def test_every_action_of_people_has_one_command_except_planning_again() -> None:
    actions = [command.action for command in COMMANDS]
    assert sorted(actions) == sorted(PUBLIC_ACTIONS.keys() - {ActionName.REPLAN})
    assert len(BY_NAME) == len(COMMANDS)


@every_command
def test_every_field_of_an_action_can_be_said_in_a_terminal(command: Command) -> None:
    options = options_of(command.name)
    for name, field in PUBLIC_ACTIONS[command.action].model_fields.items():
        option = options[f"--{name.replace('_', '-')}"]
        assert option.name == name
        assert option.required == (field.is_required() and name not in command.usual)
    assert {"--role", "--json"} <= options.keys()
    assert ("--signal" in options) == (command.action is ActionName.RESOLVE)


def test_a_field_becomes_the_option_that_suits_what_it_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "<pre_sales|project|after_sales>" in run_yinuo("issue", "evaluate", "--help").out
    evaluate, answer = options_of("evaluate"), options_of("answer")
    assert (evaluate["--technical"].metavar, evaluate["--at"].metavar) == ("-50…200", "TIME")
    assert options_of("consult")["--experts"].multiple
    assert options_of("quote")["--amount"].metavar == "AMOUNT"
    assert answer["--not-test"] is answer["--test"]
    assert (answer["--test"].default, answer["--test"].help) == (
        True,
        "the customer has to try it and report (R9)",
    )
    assert options_of("callback")["--running"].default is None


@every_command
def test_the_example_of_a_help_text_is_sent_by_somebody_who_may(
    command: Command, sent: list[tuple[str, str, Act]]
) -> None:
    asked = run_yinuo("issue", command.name, "--help")
    assert (asked.code, command.summary in asked.out) == (0, True)
    issue: Any = get_group(issue_commands.app)
    text = issue.commands[command.name].help
    program, *arguments = shlex.split(text.partition("Example: ")[2])
    ran = run_yinuo(*arguments, "--json")
    assert (program, ran.code) == ("yinuo", 0), ran.err
    ((number, name, act),) = sent
    assert (number, name, type(act)) == (NUMBER, command.action, FORMS[command.action])
    assert act.by.role in ACTIONS[command.action].rule.roles
    assert IssueView.model_validate_json(ran.out) == view(an_issue())


def test_what_is_left_out_is_what_the_model_says(sent: list[tuple[str, str, Act]]) -> None:
    run('answer --by 07 --solution "restart it"')
    run("callback --by fan.meiling --running")
    run("callback --by fan.meiling --not-reached --at 2026-11-23T10:00+08:00")
    run('consult --by liang.jiahao --question "?" --experts deng.wei --experts gao.yuan')
    said = [act.model_dump(mode="json", exclude={"by"}) for *_, act in sent]
    called = {"words": "", "conflict": False, "call": None, "satisfied": None}
    answered = {"case": None, "on_the_line": True, "test": True, "fault": None}
    assert said == [
        {"at": None, "solution": "restart it"} | answered,
        {"at": None, "reached": True, "running": True} | called,
        {"at": "2026-11-23T02:00:00Z", "reached": False, "running": None} | called,
        {"at": None, "question": "?", "experts": ["deng.wei", "gao.yuan"], "advice": ""},
    ]


def test_a_customer_who_is_on_no_roster_says_their_role(
    sent: list[tuple[str, str, Act]],
) -> None:
    stranger = run("confirm --by chen.hong --agreed")
    assert (stranger.code, stranger.err) == (3, "chen.hong is not on the roster\n")
    assert sent == []
    assert run("confirm --by chen.hong --role customer --agreed").code == 0
    ((_, _, act),) = sent
    assert act.by == Actor(id="chen.hong", role=Role.CUSTOMER)


def test_only_a_result_can_be_signalled(sent: list[tuple[str, str, Act]]) -> None:
    ran = run("resolve --by liang.jiahao --result reset --known-solution --signal --json")
    assert (ran.code, ran.json) == (0, {"number": NUMBER, "sent": "complete"})
    told = run("resolve --by liang.jiahao --result reset --signal")
    assert told.out == f"Sent. `yinuo issue show {NUMBER}` tells what came of it.\n"
    assert [name for _, name, _ in sent] == ["complete", "complete"]
    assert sent[0][2].model_dump(include={"result", "known_solution"}) == {
        "result": "reset",
        "known_solution": True,
    }
    assert run("accept --by liang.jiahao --signal").code == 2


LONG = "很" * 10_001
EVALUATED = "evaluate --by w --role customer --item project --technical 1 --attitude 1"


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ('answer --by 07 --solution ""', "solution: may not be empty"),
        ("answer --by 07 --solution x --case 'K 1'", "case: String should match pattern"),
        (f"test --by 07 --worked --words {LONG}", "words: String should have at most 10000 char"),
        ("verify --by feng.xue --verdict major --findings ' '", "findings: may not be empty"),
        ("accept --by xu.jing --expected-at tomorrow", "expected_at: Input should be a valid date"),
        ("progress --by xu.jing --note x --expected-at 2026-11-23T10:00", "expected_at: Input sho"),
        ("wait --by xu.jing --reason ''", "reason: may not be empty"),
        (f"resume --by xu.jing --note {LONG}", "note: String should have at most"),
        ("transfer --by xu.jing --to 'the lawyers' --reason x", "to: String should match pattern"),
        ("transfer --by xu.jing --to legal --reason ''", "reason: may not be empty"),
        ("reassign --by xu.jing --to '' --reason x", "to: may not be empty"),
        ("consult --by xu.jing", "question: give either the question for the panel, or its advice"),
        ("consult --by xu.jing --question x --advice y", "question: give either the question"),
        ("consult --by xu.jing --advice y --experts li.na", "experts: they are named with the"),
        (
            "consult --by xu.jing --question x --experts li.na --experts li.na",
            "experts: li.na is named twice",
        ),
        ("consult --by xu.jing --question x --experts '李 娜'", "experts.0: String should match"),
        ("survey --by xu.jing --findings ''", "findings: may not be empty"),
        ("quote --by xu.jing --work x --amount 12,800", "amount: Input should be a valid decimal"),
        ("quote --by xu.jing --work x --amount -1", "amount: Input should be greater than or eq"),
        ("quote --by xu.jing --work x --amount 0.001", "amount: Decimal input should have no mo"),
        ("quote --by xu.jing --work x --amount nan", "amount: Input should be a finite number"),
        ("quote --by xu.jing --work '' --amount 1", "work: may not be empty"),
        (f"confirm --by w --role customer --agreed --words {LONG}", "words: String should have"),
        ("approve --by sun.li --not-approved", "reason: say why it is not approved, the customer"),
        ("resolve --by xu.jing --result ''", "result: may not be empty"),
        ("resolve --by xu.jing --result '' --signal", "result: may not be empty"),
        ("callback --by fan.meiling --not-reached --running", "reached: a customer who was not"),
        ("callback --by fan.meiling --running --conflict", "words: write down what the customer"),
        ("callback --by fan.meiling --not-reached --call 'a b'", "call: String should match"),
        (f"{EVALUATED} --comment ''", "comment: may not be empty"),
        (f"{EVALUATED} --comment x --technical 201", "technical: Input should be less than or eq"),
        (f"{EVALUATED} --comment x --attitude -51", "attitude: Input should be greater than or"),
        (f"{EVALUATED} --comment x --attitude good", "attitude: Input should be a valid integer"),
        (f"{EVALUATED} --comment x --person '陈 红'", "person: String should match pattern"),
        ("rate --by sun.li --difficulty 6", "difficulty: Input should be less than or equal to 5"),
        ("rate --by sun.li --difficulty 4 --at 2026-11-23T10:00", "at: Input should have timezone"),
        ("escalate --by xu.jing --reason ''", "reason: may not be empty"),
        ("withdraw --by web --role intake --reason ''", "reason: may not be empty"),
        ("withdraw --by 'the web' --role intake --reason x", "by.id: String should match pattern"),
    ],
)
def test_a_bad_form_is_refused_with_field_and_reason_and_nothing_is_sent(
    line: str, finding: str, sent: list[tuple[str, str, Act]]
) -> None:
    ran = run(line)
    assert (ran.code, ran.out, sent) == (2, "", [])
    assert ran.err.startswith(finding)
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("test --by 07", "Missing option '--worked'"),
        ("confirm --by 07", "Missing option '--agreed'"),
        ("approve --by sun.li", "Missing option '--approved'"),
        ("quote --by xu.jing --work x", "Missing option '--amount'"),
        ("rate --by sun.li", "Missing option '--difficulty'"),
        ("verify --by feng.xue --findings x --verdict sad", "Invalid value for '--verdict'"),
        (f"{EVALUATED} --comment x --item lunch", "Invalid value for '--item'"),
        ("survey --findings x", "Missing option '--by'"),
        ("transfer --by xu.jing --to legal --reason x --role boss", "Invalid value for '--role'"),
        ("answer --by 07 --solution x --price 3", "No such option: --price"),
    ],
)
def test_a_form_with_a_gap_or_a_wrong_choice_is_wrong_usage(
    line: str, said: str, sent: list[tuple[str, str, Act]]
) -> None:
    ran = run(line)
    assert (ran.code, ran.out, sent) == (2, "", [])
    assert said in ran.err


BY_HAND = "--product-line ATM --region 上海 --title 吞卡 --customer 张伟 --phone 13800001234"


def test_an_issue_by_hand_says_how_the_hotline_takes_it(fake: FakeDesk) -> None:
    for told in ((), ("--ring-seconds", "12", "--answering", "--complex")):
        ran = run_yinuo("issue", "open", *BY_HAND.split(), *told)
        assert ran.code == 0, ran.err
    said = [(each.ring_seconds, each.answering, each.complex) for each in fake.opened]
    assert said == [(None, False, False), (12, True, True)]


def test_a_number_by_hand_is_read_as_at_every_door(fake: FakeDesk) -> None:
    usual = BY_HAND.split()[:-1]
    for phone in ("（020）5550-0101", "tel:+862055500101", "020-55500101转801"):
        ran = run_yinuo("issue", "open", *usual, phone)
        assert ran.code == 0, ran.err
    kept = ["+862055500101", "+862055500101", "+862055500101(801)"]
    assert [each.customer.phone for each in fake.opened] == kept
    ran = run_yinuo("issue", "open", *usual, "110")
    assert (ran.code, len(fake.opened)) == (2, 3)
    assert ran.err.startswith("customer.phone: has too few or too many digits")


def test_a_telephone_that_rang_for_a_day_is_a_typing_error(fake: FakeDesk) -> None:
    ran = run_yinuo("issue", "open", *BY_HAND.split(), "--ring-seconds", "86400")
    assert (ran.code, fake.opened) == (2, [])
    assert ran.err.startswith("ring_seconds: Input should be less than or equal to 3600")


def test_an_issue_by_hand_says_in_which_language_its_customer_is_written_to(
    fake: FakeDesk,
) -> None:
    for told in ((), ("--language", "en")):
        ran = run_yinuo("issue", "open", *BY_HAND.split(), *told)
        assert ran.code == 0, ran.err
    assert [each.customer.language for each in fake.opened] == [None, "en"]
