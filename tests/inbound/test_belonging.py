"""A letter that names an issue belongs to it, and who wrote it decides what it moves there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from domain.errors import Refused
from domain.issue.actions import (
    Accept,
    ActionName,
    AddNote,
    Answer,
    CustomerWrote,
    Merge,
    ReportTest,
    WaitForCustomer,
    Withdraw,
)
from domain.issue.thread import for_customer
from domain.issue.view import IssueView
from domain.letters import message_id
from domain.links import CUSTOMER, PURPOSES, Link, Purpose, mark_of
from domain.sla.promise import PromiseKind
from domain.vocabulary import Actor, Outcome, Role, Stage
from inbound.correspondence import TOO_MANY
from inbound.mail import LetterBox, LetterFate, LetterOutcome
from inbound.smtp import listening
from runtime import signing
from starter.registers import Letters
from store import kept_words
from tests.inbound.test_correspondence import escalations
from tests.inbound.test_smtp import HERE, post
from tests.support.builders import an_intake
from tests.support.letters import form, letter
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk

AGENT = Actor(id="07", role=Role.AGENT)
OWN = "钥匙已经放在保安处，可以来了。"


class Theirs(NamedTuple):
    """An issue, and the address of its customer."""

    issue: IssueView
    email: str

    @property
    def number(self) -> str:
        return self.issue.number


@pytest.fixture
def box(running_desk: RunningDesk) -> LetterBox:
    signer = signing.signer(running_desk.settings)
    return LetterBox(
        *(running_desk.desk, running_desk.pool, form(), running_desk.attachments), signer=signer
    )


def stranger() -> str:
    """An address of this test's own, for nobody may write too many letters."""
    return f"who@{uuid4().hex[:8]}.example.org"


async def reported(desk: RunningDesk, email: str = "", **changes: Any) -> Theirs:
    """Let somebody have reported something, by telephone."""
    email = email or f"wang.fang@{uuid4().hex[:8]}.example.com"
    customer = {"name": "王芳", "organisation": "天河支行", "email": email}
    usual = {
        "reference": uuid4().hex,
        "channel": "telephone",
        "region": "上海",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": customer,
    }
    return Theirs(await desk.desk.open(an_intake(**usual | changes)), email)


async def waiting(desk: RunningDesk, email: str = "") -> Theirs:
    """It is their turn."""
    theirs = await reported(desk, email)
    assert theirs.issue.engineer
    by = Actor(id=theirs.issue.engineer.id, role=Role.ENGINEER)
    await desk.desk.act(theirs.number, ActionName.ACCEPT, Accept(by=by))
    wait = WaitForCustomer(by=by, reason="请把钥匙交给保安")
    view = await desk.desk.act(theirs.number, ActionName.WAIT_FOR_CUSTOMER, wait)
    assert view.stage is Stage.WAITING
    return theirs._replace(issue=view)


async def answered(desk: RunningDesk) -> Theirs:
    """They have our answer, and time to try it."""
    theirs = await reported(desk, kind="consultation", answering=True)
    act = Answer(by=AGENT, solution="按住复位键十秒")
    await desk.desk.act(theirs.number, ActionName.ANSWER, act)
    view = await until(desk, theirs.number, lambda seen: seen.stage is Stage.REPLIED)
    return theirs._replace(issue=view)


async def over(desk: RunningDesk) -> Theirs:
    theirs = await reported(desk)
    act = Withdraw(by=AGENT, reason="又好了")
    view = await desk.desk.act(theirs.number, ActionName.WITHDRAW, act)
    assert view.can == ()
    return theirs._replace(issue=view)


async def until(desk: RunningDesk, number: str, so: Callable[[IssueView], bool]) -> IssueView:
    async with asyncio.timeout(PATIENCE):
        while not so(seen := await desk.desk.show(number)):
            await asyncio.sleep(0.02)
    return seen


async def said(desk: RunningDesk, number: str) -> list[dict[str, Any]]:
    """What was written about an issue."""
    rows = await desk.pool.fetch(
        "SELECT e.content, e.role FROM issue_events e JOIN issues i ON i.id = e.issue_id"
        " WHERE i.number = $1 AND e.action = 'customer_wrote' ORDER BY e.seq",
        number,
    )
    return [{**row["content"], "role": row["role"]} for row in rows]


async def told(desk: RunningDesk, number: str, template: str) -> list[dict[str, Any]]:
    """Messages of that wording."""
    rows = await desk.pool.fetch(
        "SELECT o.* FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND o.template = $2 ORDER BY o.seq",
        *(number, template),
    )
    return [dict(row) for row in rows]


async def take(box: LetterBox, text: str = OWN, **headers: str) -> LetterOutcome:
    return await box.take(letter(text, **headers).as_bytes(), "192.0.2.7")


def added(number: str) -> LetterOutcome:
    return LetterOutcome(LetterFate.ADDED, number)


def key(number: str) -> str:
    return f"{number}:4:waiting:customer"


# --- by what it is named --------------------------------------------------------------------------

Named = Callable[[str], dict[str, str]]
WAYS: dict[str, Named] = {
    "in the subject": lambda n: {"Subject": f"Re: 问题 {n} 需要您配合"},
    "in brackets": lambda n: {"Subject": f"回复：[{n}]"},
    "in full width": lambda n: {
        "Subject": "答复：" + n.translate({ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789-"})
    },
    "by our letter": lambda n: {
        "Subject": "Re:",
        "In-Reply-To": message_id(key(n), "desk.example"),
    },
    "by the thread": lambda n: {
        "Subject": "Re:",
        "References": f"<other@example.com> {message_id(key(n), 'desk.example')}",
    },
    "by the address": lambda n: {"Subject": "你好", "To": f"Desk <service+{n}@example.com>"},
    "by a copy's address": lambda n: {"Subject": "你好", "Cc": f"service+{n}@example.com"},
}


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_to_a_waiting_issue_lets_it_go_on_and_its_handler_reads_the_words(
    box: LetterBox, running_desk: RunningDesk, way: str
) -> None:
    theirs = await waiting(running_desk)
    sent = letter(OWN, From=f"王芳 <{theirs.email}>", **WAYS[way](theirs.number)).as_bytes()
    assert await box.take(sent, "192.0.2.7") == added(theirs.number)
    view = await running_desk.desk.show(theirs.number)
    assert view.stage is Stage.IN_PROGRESS
    assert await said(running_desk, theirs.number) == [
        {
            "words": OWN,
            "means": "words",
            "known": True,
            "sender": f"王芳 <{theirs.email}>",
            "role": "intake",
        }
    ]
    (message,) = await told(running_desk, theirs.number, "customer_wrote")
    assert view.engineer
    assert message["recipient"] == view.engineer.id
    assert OWN in message["body"]
    (kept,) = await Letters(running_desk.pool).of_issue(view.id)
    assert await Letters(running_desk.pool).read(view.id, kept.id) == sent


async def test_a_letter_that_opened_an_issue_is_gone_on_with_from_where_it_was_written(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    home = f"zhang.wei@{uuid4().hex[:8]}.example.com"
    number = (await take(box, From=home)).said
    taken = await take(box, "补充：还有一台", From=home.upper(), Subject=f"Re: {number}")
    assert taken == added(number)
    ((content),) = await said(running_desk, number)
    assert content["known"] is True


async def test_a_number_that_there_is_not_names_nothing(box: LetterBox) -> None:
    taken = await take(box, Subject="Re: 20200101-07-0001")
    assert taken.fate is LetterFate.REGISTERED


# --- who wrote it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_a_strangers_letter_moves_no_clock_and_the_handler_hears_that_it_is_a_strangers(
    box: LetterBox, running_desk: RunningDesk, way: str
) -> None:
    theirs = await waiting(running_desk)
    taken = await take(box, From=stranger(), **WAYS[way](theirs.number))
    assert taken == added(theirs.number)
    view = await running_desk.desk.show(theirs.number)
    assert (view.stage, view.promises) == (Stage.WAITING, theirs.issue.promises)
    ((content),) = await said(running_desk, theirs.number)
    assert (content["known"], content["words"]) == (False, OWN)
    assert len(await told(running_desk, theirs.number, "stranger_wrote")) == 1
    assert await told(running_desk, theirs.number, "customer_wrote") == []


def link(box: LetterBox, theirs: Theirs, desk: RunningDesk, **changes: Any) -> str:
    usual = {
        "number": theirs.number,
        "purpose": Purpose.PROGRESS,
        "person": CUSTOMER,
        "generation": 1,
        "until": datetime.now(UTC).replace(microsecond=0) + timedelta(days=9),
        "mark": mark_of(theirs.issue.id),
    }
    assert box.signer
    written = Link(**usual | changes)
    return signing.Links(box.signer, desk.settings.base_url).address(written)


async def test_who_has_a_link_that_was_sent_to_the_customer_is_known_wherever_they_write_from(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    text = f"{OWN}\n\n> 查看进展: {link(box, theirs, running_desk)}.\n"
    assert await take(box, text, From=stranger(), Subject="Re:") == added(theirs.number)
    ((content),) = await said(running_desk, theirs.number)
    assert content["known"] is True
    assert (await running_desk.desk.show(theirs.number)).stage is Stage.IN_PROGRESS


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "liang.jiahao", "purpose": Purpose.ACCEPT},
        {"until": datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)},
        {"mark": mark_of("issue:of:another")},
    ],
    ids=["a handler's", "expired", "another's"],
)
async def test_no_other_link_proves_anything(
    box: LetterBox, running_desk: RunningDesk, changes: dict[str, Any]
) -> None:
    assert set(PURPOSES) == set(Purpose)
    theirs = await waiting(running_desk)
    text = f"{OWN}\n> {link(box, theirs, running_desk, **changes)}"
    taken = await take(box, text, From=stranger(), Subject=f"Re: {theirs.number}")
    assert taken == added(theirs.number)
    ((content),) = await said(running_desk, theirs.number)
    assert content["known"] is False


# --- where it names several -----------------------------------------------------------------------


async def test_what_somebody_typed_counts_before_what_their_program_carries_along(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    """An old thread is taken up to write about another issue of theirs."""
    thread = await waiting(running_desk)
    typed = await waiting(running_desk, thread.email)
    taken = await take(
        box,
        From=thread.email,
        Subject=f"Re: {typed.number}",
        References=message_id(key(thread.number), "desk.example"),
    )
    assert taken == added(typed.number)
    assert (await running_desk.desk.show(thread.number)).stage is Stage.WAITING


async def test_of_several_that_are_named_it_is_the_one_whose_customer_wrote(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    """Who mistypes a number, or would move somebody else's issue, writes about their own."""
    others, own = await waiting(running_desk), await waiting(running_desk)
    taken = await take(
        box,
        From=own.email,
        Subject=f"Re: {others.number}",
        References=message_id(key(own.number), "desk.example"),
    )
    assert taken == added(own.number)
    assert await said(running_desk, others.number) == []


# --- once -----------------------------------------------------------------------------------------


async def test_the_same_letter_is_added_once_however_often_and_at_once_it_comes(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    sent = letter(OWN, From=theirs.email, Subject=f"Re: {theirs.number}")
    taken = await asyncio.gather(*(box.take(sent.as_bytes(), "") for _ in range(3)))
    sent["Received"] = "from another.example"  # by another of our mailboxes
    taken += [await box.take(sent.as_bytes(), "")]
    assert set(taken) == {added(theirs.number)}
    assert len(await said(running_desk, theirs.number)) == 1


async def test_two_letters_at_once_are_both_added(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await answered(running_desk)
    texts = [f"还是不行，第 {n} 次" for n in ("一", "二", "三")]
    headers = {"From": theirs.email, "Subject": f"Re: {theirs.number}"}
    taken = await asyncio.gather(*(take(box, text, **headers) for text in texts))
    assert set(taken) == {added(theirs.number)}
    assert {each["words"] for each in await said(running_desk, theirs.number)} == set(texts)
    view = await running_desk.desk.show(theirs.number)
    assert [p.kind for p in view.promises].count(PromiseKind.FEEDBACK) == 1


async def test_what_comes_again_after_the_issue_has_ended_is_no_other_issue(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await reported(running_desk)
    sent = letter(OWN, From=theirs.email, Subject=f"Re: {theirs.number}")
    assert await box.take(sent.as_bytes(), "") == added(theirs.number)
    act = Withdraw(by=AGENT, reason="又好了")
    await running_desk.desk.act(theirs.number, ActionName.WITHDRAW, act)
    sent["Received"] = "from another.example"
    assert await box.take(sent.as_bytes(), "") == added(theirs.number)


# --- what it does ---------------------------------------------------------------------------------


async def test_after_our_answer_the_agent_is_asked_whether_it_did_not_help(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await answered(running_desk)
    taken = await take(box, "还是吞卡", From=theirs.email, Subject=f"Re: {theirs.number}")
    assert taken == added(theirs.number)
    (message,) = await told(running_desk, theirs.number, "did_it_help")
    assert (message["recipient"], "还是吞卡" in message["body"]) == (AGENT.id, True)
    view = await running_desk.desk.show(theirs.number)
    assert (view.stage, view.reopen_count) == (Stage.REPLIED, 0)
    assert PromiseKind.FEEDBACK in {p.kind for p in view.promises if p.ended_at is None}


async def test_a_closed_issue_that_still_lives_is_asked_about_too(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await answered(running_desk)
    fine = ReportTest(by=AGENT, worked=True)
    view = await running_desk.desk.act(theirs.number, ActionName.REPORT_TEST, fine)
    assert view.stage is Stage.CLOSED
    await take(box, "今天又吞卡了", From=theirs.email, Subject=f"Re: {theirs.number}")
    assert len(await told(running_desk, theirs.number, "did_it_help")) == 1
    failed = ReportTest(by=AGENT, worked=False)
    view = await running_desk.desk.act(theirs.number, ActionName.REPORT_TEST, failed)
    assert (view.stage in {Stage.ASSIGNED, Stage.REOPENED}, view.outcome) == (True, None)
    assert view.reopen_count == 1


async def test_what_is_written_when_it_is_over_is_another_issue_of_the_same_customer(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    first = await over(running_desk)
    sent = letter("今天又卡了", From=first.email, Subject=f"Re: {first.number}")
    taken = await box.take(sent.as_bytes(), "")
    assert taken.fate is LetterFate.REGISTERED
    assert await box.take(sent.as_bytes(), "") == taken
    record = await running_desk.desk.record(taken.said)
    old = await running_desk.desk.record(first.number)
    assert record
    assert old
    now, before = record.intake, old.intake
    assert now.arises_from == before.issue_id
    assert (now.customer, now.product_line, now.site) == (
        before.customer,
        before.product_line,
        before.site,
    )
    assert (now.kind, now.region, now.serial_number) == (
        before.kind,
        before.region,
        before.serial_number,
    )
    assert (now.description, now.channel) == ("今天又卡了", "email")
    assert first.issue.outcome is Outcome.WITHDRAWN
    assert await said(running_desk, first.number) == []


async def test_a_strangers_letter_about_what_is_over_is_an_issue_that_says_nothing_of_it(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    first, who = await over(running_desk), stranger()
    taken = await take(box, From=who, Subject=f"Re: {first.number}")
    assert taken.fate is LetterFate.REGISTERED
    record = await running_desk.desk.record(taken.said)
    assert record
    assert record.intake.arises_from is None
    assert record.intake.customer.email == who


async def test_what_we_wrote_ourselves_is_not_told_again_and_the_letter_is_kept_whole(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    (ours,) = await told(running_desk, theirs.number, "waiting")
    quoted = "\n".join(f"> {line}" for line in ours["body"].splitlines())
    text = f"{OWN}\n\n在 2026-11-23 09:12，华信服务 写道：\n{quoted}"
    sent = letter(text, From=theirs.email, Subject=f"Re: {ours['subject']}").as_bytes()
    assert await box.take(sent, "") == added(theirs.number)
    ((content),) = await said(running_desk, theirs.number)
    assert content["words"] == OWN
    (kept,) = await Letters(running_desk.pool).of_issue(theirs.issue.id)
    assert await Letters(running_desk.pool).read(theirs.issue.id, kept.id) == sent


async def test_a_letter_without_a_word_says_so(box: LetterBox, running_desk: RunningDesk) -> None:
    theirs = await waiting(running_desk)
    await take(box, "\u200b", From=theirs.email, Subject=f"Re: {theirs.number}")
    ((content),) = await said(running_desk, theirs.number)
    assert content["words"]


# --- machines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"X-Autoreply": "yes"},
        {"Subject": "自动回复：Re: 问题"},
        {"Precedence": "auto_reply"},
    ],
    ids=["auto-submitted", "x-autoreply", "by its subject", "precedence"],
)
async def test_an_automatic_answer_to_a_letter_of_ours_belongs_to_nothing(
    box: LetterBox, running_desk: RunningDesk, headers: dict[str, str]
) -> None:
    theirs = await waiting(running_desk)
    answers = {"In-Reply-To": message_id(key(theirs.number), "desk.example")}
    usual = {"From": theirs.email, "Subject": f"Re: {theirs.number}"}
    taken = await take(box, "我在休假", **usual | answers | headers)
    assert taken.fate is LetterFate.IGNORED
    assert await said(running_desk, theirs.number) == []
    assert (await running_desk.desk.show(theirs.number)).stage is Stage.WAITING


async def test_a_robot_that_answers_again_and_again_comes_to_an_end_and_a_lead_hears_of_it(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await reported(running_desk)
    headers = {"From": theirs.email, "Subject": f"Re: {theirs.number}"}
    sent = [letter(f"我在休假 {n}", **headers).as_bytes() for n in range(6)]
    fates = [(await box.take(each, "")).fate for each in sent]
    assert fates == [LetterFate.ADDED] * 3 + [LetterFate.KEPT] * 3
    assert [(await box.take(each, "")).fate for each in sent[3:]] == [LetterFate.KEPT] * 3
    view = await running_desk.desk.show(theirs.number)
    assert len(await kept_words.of_issue(running_desk.pool, view.id)) == 3
    assert escalations(view, TOO_MANY) == 1
    assert len(await said(running_desk, theirs.number)) == 3


# --- by real programs -----------------------------------------------------------------------------


async def test_an_answer_that_comes_in_as_smtp_is_acknowledged_once_it_is_there(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    sent = letter(OWN, From=theirs.email, Subject=f"Re: {theirs.number}")
    async with listening(box, HERE, 0) as port:
        said_back = [await post(port, sent, theirs.email) for _ in range(2)]
    assert said_back == [(250, f"2.0.0 added to {theirs.number}")] * 2
    assert len(await said(running_desk, theirs.number)) == 1


# --- two about the same ---------------------------------------------------------------------------


async def two_about_the_same(desk: RunningDesk) -> tuple[Theirs, Theirs]:
    """Have an issue that waits for its customer, and another's that was merged into it."""
    goes_on, merged = await waiting(desk), await reported(desk)
    act = Merge(by=AGENT, into=goes_on.number, reason="同一台机器")
    await desk.desk.act(merged.number, ActionName.MERGE, act)
    await until(desk, merged.number, lambda seen: seen.stage is Stage.CLOSED)
    return goes_on, merged


async def test_what_the_customer_of_a_merged_issue_writes_reaches_whoever_speaks_for_it(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    goes_on, merged = await two_about_the_same(running_desk)
    sent = letter(OWN, From=merged.email, Subject=f"Re: {merged.number}").as_bytes()
    for _ in range(2):
        assert await box.take(sent, "192.0.2.7") == added(merged.number)
    ((content),) = await said(running_desk, goes_on.number)
    assert (content["words"], content["of"]) == (OWN, merged.number)
    seen = await running_desk.desk.show(goes_on.number)
    assert seen.stage is Stage.WAITING, "it waits for its own customer"
    (message,) = await told(running_desk, goes_on.number, "customer_wrote")
    assert seen.engineer
    assert message["recipient"] == seen.engineer.id
    assert OWN in await read_by_customer(running_desk, merged)
    assert OWN not in await read_by_customer(running_desk, goes_on)
    thread = await running_desk.desk.thread(goes_on.issue.id)
    assert [entry.says("words") for entry in thread.open_words] == [OWN], "once"


async def test_whoever_is_answered_by_another_issue_may_name_that_and_is_known(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    goes_on, merged = await two_about_the_same(running_desk)
    outcome = await take(box, From=merged.email, Subject=f"Re: {goes_on.number}")
    assert outcome == added(merged.number)
    ((content),) = await said(running_desk, goes_on.number)
    assert (content["words"], content["of"]) == (OWN, merged.number)
    assert OWN not in await read_by_customer(running_desk, goes_on)


async def read_by_customer(desk: RunningDesk, theirs: Theirs) -> list[Any]:
    thread = await desk.desk.thread(theirs.issue.id)
    return [each.value for entry in for_customer(thread.entries) for each in entry.said]


async def test_nobody_writes_for_an_issue_that_was_not_merged(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    one, other = await waiting(running_desk), await waiting(running_desk)
    act = CustomerWrote(by=AGENT, words=OWN, of=other.number)
    with pytest.raises(Refused, match="was not merged into"):
        await running_desk.desk.act(one.number, ActionName.CUSTOMER_WROTE, act)


async def test_what_staff_note_of_an_issue_that_is_over_stays_between_them(
    running_desk: RunningDesk,
) -> None:
    theirs = await over(running_desk)
    await running_desk.client.get_workflow_handle(theirs.issue.id).result()
    note = "他上次很生气，下次由组长接待。"
    await running_desk.desk.act(theirs.number, ActionName.ADD_NOTE, AddNote(by=AGENT, words=note))
    thread = await running_desk.desk.thread(theirs.issue.id)
    assert note in [entry.says("body") for entry in thread.entries]
    assert note not in await read_by_customer(running_desk, theirs)
    assert thread.open_words == ()
