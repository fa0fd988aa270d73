"""What is checked after a demonstration: every check bites, and a branch not taken is noticed."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from rich.console import Console

from demo.play import play, summary
from demo.play.board import Board
from demo.play.branches import names, taken
from demo.play.checks import check
from demo.play.doors import DoorDeed
from demo.play.evidence import Evidence
from demo.play.ledger import StandbyRow
from demo.play.samples import read_samples
from demo.play.screen import Screen
from demo.play.staff import Played
from demo.receiver import Outside, Receiver
from demo.stage import Theatre
from domain.files.kinds import FileKind
from domain.issue.view import view
from domain.knowledge.cases import CaseStatus
from domain.reports.counted import Counted
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Model, Outcome, Stage, Verdict
from tests.support.builders import MONDAY, a_promise, an_issue
from tests.support.demo_desk import NOW, RULEBOOK, SAMPLES, SECOND, number, played_on

GOOD = played_on(SAMPLES)

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


def _more(register: str, row: Model) -> Falsify:
    def falsify(evidence: Evidence) -> Evidence:
        rows = (*getattr(evidence.ledger, register), row)
        return replace(evidence, ledger=evidence.ledger.model_copy(update={register: rows}))

    return falsify


def _trouble(evidence: Evidence) -> Evidence:
    stuck = Played(SAMPLES[0])
    stuck.numbers, stuck.trouble = evidence.played[0].numbers, "NotAllowed: no"
    return replace(evidence, played=[stuck, *evidence.played[1:]])


def _told_another_number(evidence: Evidence) -> Evidence:
    told = Played(SAMPLES[0])
    told.numbers = [number(1), number(5)]
    return replace(evidence, played=[told, *evidence.played[1:]])


def _reported(figure: str, n: int) -> Falsify:
    """Let the last of the reports say something else."""

    def falsify(evidence: Evidence) -> Evidence:
        counted = evidence.reports[-1].model_dump()
        counted["sections"][0]["rows"][0]["values"][figure] |= {"value": n, "n": n}
        others = evidence.reports[:-1]
        return replace(evidence, reports=[*others, Counted.model_validate(counted)])

    return falsify


def _ends(key: str) -> Callable[[Any], bool]:
    return lambda row: f"{row.kind}.{row.generation}" == key


FALSIFIED: list[tuple[str, Falsify]] = [
    ("Every script could be played to its end", _trouble),
    ("Every reference became exactly one issue", _gone("issues")),
    ("Every reference became exactly one issue", _twice("issues", number=number(5))),
    (
        "Every reference became exactly one issue",
        _twice("issues", number=number(5), reference="nobody-reported"),
    ),
    ("Every reference became exactly one issue", _told_another_number),
    ("The numbers have no gaps", _changed("issues", lambda _: True, number=number(9))),
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
        "Every broken promise was reported upwards",
        _changed("issues", lambda row: row.escalation_level == 1, escalation_level=0),
    ),
    (
        "Every broken promise was reported upwards",
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
        "The manager heard of every thin core group",
        _more("standby", StandbyRow(department="technical_service", centre="urumqi")),
    ),
    (
        "The manager heard of every thin core group",
        _changed("messages", lambda _: True, template="thin", audience="manager"),
    ),
    (
        "What was done at the doors stands in their trail",
        lambda e: replace(e, deeds=[DoorDeed("accept", number(1), "e01")]),
    ),
    (
        "What was done at the doors stands in their trail",
        lambda e: replace(e, deeds=[], trail=[]),
    ),
    (
        "Every workflow completed",
        lambda e: replace(e, workflows=[(e.workflows[0][0], "FAILED"), *e.workflows[1:]]),
    ),
    ("The week's reports say what was played", _reported("registered", 5)),
    ("The week's reports say what was played", _reported("backlog", 1)),
    ("The week's reports say what was played", lambda e: replace(e, reports=())),
    ("The week's reports say what was played", lambda e: replace(e, reports=[*e.reports] * 2)),
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


# The branches: on all the examples, played as scripted, and falsified in one place each. ---------

EXAMPLES = played_on(read_samples(play.ISSUES, RULEBOOK))
BY_REFERENCE = {sample.intake.reference: issue.id for sample, issue in EXAMPLES.pairs}


def _of(reference: str) -> Callable[[Any], bool]:
    """Any row of that example."""
    id_ = BY_REFERENCE[reference]
    return lambda row: getattr(row, "issue_id", None) == id_ or getattr(row, "id", None) == id_


def _letter(reference: str, template: str) -> Falsify:
    """It was not written."""
    return _gone("messages", lambda row: _of(reference)(row) and row.template == template)


def _step(reference: str, action: str) -> Falsify:
    """It was not done."""
    return _gone("events", lambda row: _of(reference)(row) and row.action == action)


def _outcome(reference: str) -> Falsify:
    return _changed("issues", _of(reference), outcome=Outcome.CANCELLED)


def _promise_ends(reference: str, kind: str, end: PromiseEnd) -> Falsify:
    return _changed("promises", lambda row: _of(reference)(row) and row.kind == kind, outcome=end)


NOT_TAKEN: list[tuple[str, Falsify]] = [
    (
        "Answered by the hotline, and it works",
        _changed("consultations", _of("H-0024"), worked=None),
    ),
    ("Answered by the hotline, and it works", _outcome("H-0024")),
    (
        "Answered; silence counts as solved",
        _promise_ends("C-0004", "customer_test", PromiseEnd.KEPT),
    ),
    ("Answered; silence counts as solved", _outcome("C-0004")),
    ("The answer fails: somebody is sent", _letter("H-0025", "dispatched")),
    ("The answer fails: somebody is sent", _changed("forms", _of("H-0025"), result=None)),
    (
        "Not passed on in time: the desk does",
        _promise_ends("H-0026", "hand_over", PromiseEnd.KEPT),
    ),
    ("Not passed on in time: the desk does", _gone("forms", _of("H-0026"))),
    ("Taken out of the queue by an agent", _step("M-0001", "take")),
    (
        "Taken out of the queue by an agent",
        _promise_ends("M-0001", "hand_over", PromiseEnd.BROKEN),
    ),
    ("Passed on with the customer's consent", _changed("issues", _of("H-0001"), consent=None)),
    ("Not to be passed on: the hotline answers", _letter("H-0024", "kept_back")),
    ("Answered out of the case library", _changed("consultations", _of("H-0027"), known_case=None)),
    ("Answered out of the case library", _changed("cases", lambda _: True, used=0)),
    ("Complex: the lead hears at once", _letter("H-0028", "complex")),
    ("Complex: the lead hears at once", _changed("issues", _of("H-0028"), escalation_level=0)),
    ("Out of scope, and told so", _outcome("H-0015")),
    ("Out of scope, and told so", _letter("H-0015", "told_by_call")),
    ("A new prospect goes to sales", _changed("issues", _of("M-0003"), department="business_unit")),
    (
        "A customer's goes to customer success",
        _changed("issues", _of("M-0005"), department="sales"),
    ),
    ("The clock stands still for the customer", _step("H-0010", "resume")),
    ("Progress and a new time are told", _letter("H-0010", "progress")),
    ("Late: the agent asks, and calls", _letter("H-0005", "chased")),
    (
        "Late: the agent asks, and calls",
        _promise_ends("H-0005", "contact", PromiseEnd.BROKEN),
    ),
    ("The agent's call brings the result", _step("H-0019", "contact_customer")),
    (
        "The agent's call brings the result",
        _promise_ends("H-0019", "reply", PromiseEnd.BROKEN),
    ),
    ("Given to somebody else", _step("H-0016", "reassign")),
    ("Transferred to another department", _step("H-0029", "transfer")),
    ("Transferred to another department", _letter("H-0029", "transferred")),
    ("An expert panel advised", _changed("panels", _of("H-0028"), advice=None)),
    ("An expert panel advised", _letter("H-0028", "panel_asked")),
    (
        "Handed over when somebody left",
        _changed("events", lambda row: row.actor == "roster", actor="l01"),
    ),
    (
        "A solution joins the case library",
        _changed("cases", lambda _: True, status=CaseStatus.PROPOSED),
    ),
    ("The manager rated the difficulty", _gone("ratings", _of("H-0012"))),
    ("Below the limit: the customer's yes", _changed("paid_services", _of("H-0008"), agreed=None)),
    (
        "Above the limit: the manager approves",
        _changed("paid_services", _of("V-0002"), approved=None),
    ),
    ("Not approved, and told why", _outcome("H-0034")),
    ("The customer declines", _changed("paid_services", _of("V-0004"), agreed=None)),
    ("Never answered: the quotation lapses", _letter("W-0007", "quotation_reminder")),
    ("Never answered: the quotation lapses", _outcome("W-0007")),
    ("Work refused once, then accepted", _changed("paid_services", _of("H-0035"), accepted=True)),
    ("The GM office hears of every one", _letter("H-0003", "complaint_received")),
    ("Agitated: calmed first", _step("H-0003", "calm")),
    ("Agitated: calmed first", _promise_ends("H-0003", "calming", PromiseEnd.BROKEN)),
    ("Unfounded, and explained", _changed("complaints", _of("H-0033"), verdict=Verdict.GENERAL)),
    ("Unfounded, and explained", _letter("H-0033", "told_by_call")),
    ("General: the department solves it", _changed("complaints", _of("H-0003"), archived_at=None)),
    ("General: the department solves it", _changed("complaints", _of("H-0003"), handled_by=None)),
    (
        "Major: the lead takes it",
        _changed("events", lambda row: _of("H-0009")(row) and row.action == "accept", actor="e01"),
    ),
    ("A conflict in the callback becomes one", _changed("calls", _of("H-0031"), conflict=False)),
    ("A conflict in the callback becomes one", _step("H-0031", "complaint_raised")),
    (
        "A conflict in the callback becomes one",
        _changed("issues", lambda row: row.arises_from == BY_REFERENCE["H-0031"], arises_from=None),
    ),
    ("A score below zero becomes one", _changed("evaluations", _of("H-0032"), attitude=0)),
    ("A score below zero becomes one", _step("H-0032", "complaint_raised")),
    ("Called back, and it runs", _gone("calls", _of("H-0002"))),
    ("Solved on the line, called back", _gone("calls", _of("H-0027"))),
    ("Called back, and reopened", _letter("H-0017", "reopened")),
    ("Never reached: written to", _letter("H-0020", "not_reached")),
    ("Scored, and well", _gone("evaluations", _of("C-0002"))),
    ("They write, and it goes on", _step("W-0001", "customer_wrote")),
    (
        "They write, and it goes on",
        _changed(
            "events",
            lambda row: _of("W-0004")(row) and row.action == "customer_wrote",
            action="resume",
        ),
    ),
    ("A note for colleagues, one for them", _step("W-0001", "add_note")),
    ("A note for colleagues, one for them", _letter("W-0001", "note")),
    ("A telephone number is corrected", _step("H-0037", "amend")),
    ("A telephone number is corrected", _letter("H-0037", "amended")),
    ("The customer adds a photograph", _gone("attachments")),
    (
        "The customer adds a photograph",
        _changed("attachments", lambda _: True, kind=FileKind.PDF),
    ),
    ("Writing after the answer is seen to", _letter("W-0003", "did_it_help")),
    (
        "Writing after the answer is seen to",
        _promise_ends("W-0003", "feedback", PromiseEnd.BROKEN),
    ),
    ("Linked with another about the same", _gone("links")),
    ("Linked with another about the same", _step("H-0037", "link")),
    ("Merged: one answer for both", _outcome("H-0036")),
    ("Merged: one answer for both", _changed("issues", _of("H-0036"), merged_into=None)),
    ("Merged: one answer for both", _letter("H-0036", "merged")),
    (
        "Merged: one answer for both",
        _gone("messages", lambda row: row.for_issue == BY_REFERENCE["H-0036"]),
    ),
]


def not_taken(evidence: Evidence) -> set[str]:
    return {
        each.english for several in taken(evidence).values() for each in several if each.problems
    }


def test_the_examples_take_every_branch_there_is() -> None:
    found = [each for several in taken(EXAMPLES).values() for each in several]
    assert [each.english for each in found] == list(names())
    assert all(each.times > 0 and not each.problems for each in found)
    assert failing(EXAMPLES) == set()


@pytest.mark.parametrize(("branch", "falsify"), NOT_TAKEN)
def test_a_branch_that_did_not_happen_is_noticed(branch: str, falsify: Falsify) -> None:
    assert branch in not_taken(falsify(EXAMPLES))


def test_every_branch_is_proved_to_be_noticed() -> None:
    assert {branch for branch, _ in NOT_TAKEN} == set(names())


def test_a_branch_that_no_script_has_is_noticed_too() -> None:
    lapsed = _changed("issues", _of("C-0002"), outcome=Outcome.OUT_OF_SCOPE)
    assert "Out of scope, and told so" in not_taken(lapsed(EXAMPLES))


def test_a_play_is_not_asked_for_branches_that_are_not_in_it() -> None:
    found = {each.english for several in taken(GOOD).values() for each in several}
    assert found == {
        *("The manager rated the difficulty", "Called back, and it runs"),
        *("Called back, and reopened", "Never reached: written to"),
        *("Late: the agent asks, and calls", "The agent's call brings the result"),
    }


def test_the_summary_shows_the_figures_and_what_speaks_against_a_check() -> None:
    console = Console(file=io.StringIO(), width=110)
    console.print(summary.tables(GOOD.ledger), summary.findings(check(_trouble(GOOD))))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "守诺率" in shown
    assert "✗  脚本全部演完" in shown
    assert "plain: NotAllowed: no" in shown
    assert "✓  一个来源编号，一个问题" in shown
    assert "勘察" not in shown, "only what occurs"
    # Kept, broken, withdrawn, and the share of those kept among those that came due.
    responses = next(line for line in shown.splitlines() if "响应 response" in line)
    assert responses.split()[2:6] == ["3", "1", "1", "75%"]


def test_the_summary_of_the_examples_fits_a_hundred_columns() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(
        summary.tables(EXAMPLES.ledger),
        summary.branches(taken(_outcome("W-0007")(EXAMPLES))),
        summary.findings(check(EXAMPLES)),
    )
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "…" not in shown, "nothing is cut off"
    assert "热线 At the hotline" in shown
    assert "✗  报价逾期未复，失效" in shown
    assert ": it did not happen" in shown
    assert "×2" in shown


def test_the_screen_shows_what_occurs_and_cuts_off_no_number() -> None:
    console = Console(file=io.StringIO(), width=100, height=48)
    nobody = cast("Any", None)
    board = Board(nobody)
    for place, kind in enumerate(PromiseKind):
        if kind is not PromiseKind.PANEL:
            promise = a_promise(kind).fulfil(MONDAY)
            board.views[str(place)] = view(an_issue(promises=(promise,)))
    with Receiver(Outside()) as receiver:
        screen = Screen(console, Theatre(nobody, nobody, receiver, nobody), board, expected=20)
        console.print(screen.picture())
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "处理中 in progress" not in shown
    assert "已派工 assigned" in shown
    assert "专家会诊 expert panel" not in shown
    for head in ("Run", "Overdue", "Kept", "Broken", "Arrived", "Pending", "Handed"):
        assert head in shown
    confirmation = next(line for line in shown.splitlines() if "客户确认" in line)
    assert confirmation.split()[-4:] == ["·", "·", "1", "·"]
