"""Who writes too many letters, and which of ours came back: nothing is lost, and a lead hears of
it.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from domain.issue.view import IssueView
from domain.letters import message_id
from inbound.correspondence import CAME_BACK, REPORTED, TOO_MANY, sender_of
from inbound.mail import LetterBox, LetterFate
from starter.client import Desk, Unavailable
from store import kept_words, outbox
from store.kept_words import Why
from tests.inbound.test_machines import COPY, report
from tests.support.letters import form, letter
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk


@pytest.fixture
def box(running_desk: RunningDesk) -> LetterBox:
    return LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)


@pytest.fixture
def sender() -> str:
    return f"robot@{uuid4().hex[:8]}.example.com"


def escalations(issue: IssueView, reason: str) -> int:
    """How often a lead was told so; a step's note is cut."""
    return sum(step.note[:60] == " ".join(reason.split())[:60] for step in issue.steps)


async def test_a_robot_that_says_the_same_again_and_again_makes_few_issues_and_a_note_to_the_lead(
    box: LetterBox, running_desk: RunningDesk, sender: str
) -> None:
    letters = [
        letter(f"我在休假 {n}", From=sender, Subject=f"自动回复 {n}").as_bytes() for n in range(8)
    ]
    taken = [await box.take(each, "192.0.2.7") for each in letters]
    assert [each.fate for each in taken] == [LetterFate.REGISTERED] * 3 + [LetterFate.KEPT] * 5
    assert {each.said for each in taken[3:]} == {taken[0].said}
    first = await running_desk.desk.show(taken[0].said)
    kept = await kept_words.of_issue(running_desk.pool, first.id)
    assert [(each.body, each.why, each.sender) for each in kept] == [
        (f"我在休假 {n}", Why.TOO_MANY, sender) for n in range(3, 8)
    ]
    assert escalations(first, TOO_MANY) == 1
    assert first.escalation_level == 1


async def test_a_letter_that_was_kept_stays_kept_and_is_kept_once(
    box: LetterBox, running_desk: RunningDesk, sender: str
) -> None:
    letters = [letter("同样的话", From=sender).as_bytes() for _ in range(4)]
    taken = [await box.take(each, "192.0.2.7") for each in letters]
    # An hour later there would be room for it again.
    await running_desk.pool.execute(
        "UPDATE letter_senders SET at = at - interval '2 hours' WHERE sender = $1", sender
    )
    again = await box.take(letters[3], "192.0.2.7")
    assert again == taken[3]
    first = await running_desk.desk.show(taken[3].said)
    assert len(await kept_words.of_issue(running_desk.pool, first.id)) == 1
    fresh = await box.take(letter("同样的话", From=sender).as_bytes(), "192.0.2.7")
    assert fresh.fate is LetterFate.REGISTERED


async def test_however_the_sender_spells_the_address_it_is_one_sender(
    box: LetterBox, sender: str
) -> None:
    spelt = (sender, sender.upper(), sender.replace("@", "+1@"), f"Robot <{sender}>")
    letters = [letter("同样的话", From=each).as_bytes() for each in spelt]
    fates = [(await box.take(each, "")).fate for each in letters]
    assert fates == [LetterFate.REGISTERED] * 3 + [LetterFate.KEPT]


async def test_while_the_lead_cannot_be_told_the_letter_is_to_come_again(
    box: LetterBox, running_desk: RunningDesk, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = [letter("同样的话", From=sender).as_bytes() for _ in range(4)]
    for each in letters[:3]:
        assert (await box.take(each, "")).fate is LetterFate.REGISTERED

    async def away(*_: object, **__: object) -> IssueView:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "act", away)
        assert (await box.take(letters[3], "")).fate is LetterFate.AWAY
    taken = await box.take(letters[3], "")
    assert taken.fate is LetterFate.KEPT
    assert escalations(await running_desk.desk.show(taken.said), TOO_MANY) == 1


async def acknowledged(desk: RunningDesk, number: str) -> str:
    """Wait until the customer was told; the message's key."""
    query = """
        SELECT o.key FROM outbox o JOIN issues i ON i.id = o.issue_id
        WHERE i.number = $1 AND o.audience = 'customer' AND o.status = 'delivered'
    """
    async with asyncio.timeout(PATIENCE):
        while (key := await desk.pool.fetchval(query, number)) is None:
            await asyncio.sleep(0.02)
    return str(key)


async def test_a_letter_of_ours_that_came_back_is_a_persons(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    number = (await box.take(letter().as_bytes(), "")).said
    key = await acknowledged(running_desk, number)
    returned = report("failed", COPY.replace("<a=3A1@desk.example>", message_id(key, "d.example")))
    for _ in range(2):
        taken = await box.take(returned, "", sender="")
        assert taken.fate is LetterFate.IGNORED
    row = await running_desk.pool.fetchrow("SELECT * FROM outbox WHERE key = $1", key)
    assert row
    assert (row["status"], row["last_error"]) == ("handed_over", REPORTED)
    issue = await running_desk.desk.show(number)
    assert escalations(issue, CAME_BACK) == 1
    assert row["handed_to"] == (issue.lead.id if issue.lead else "nobody")


async def test_a_report_about_nothing_of_ours_changes_nothing(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    number = (await box.take(letter().as_bytes(), "")).said
    key = await acknowledged(running_desk, number)
    for about in (COPY, "Content-Type: text/plain\r\n\r\n" + message_id(key, "d.example")):
        assert (await box.take(report("failed", about), "")).fate is LetterFate.IGNORED
    delayed = report("delayed", COPY.replace("<a=3A1@desk.example>", message_id(key, "d.example")))
    assert (await box.take(delayed, "")).fate is LetterFate.IGNORED
    assert await outbox.came_back(running_desk.pool, ["a:1"], REPORTED) == {}
    status = await running_desk.pool.fetchval("SELECT status FROM outbox WHERE key = $1", key)
    assert status == "delivered"


async def test_what_the_desk_sends_from_is_its_own_address(
    running_desk: RunningDesk, box: LetterBox
) -> None:
    ours = await box.correspondence.ours()
    assert "desk@example.com" in ours
    mailbox = LetterBox(
        running_desk.desk,
        running_desk.pool,
        form(),
        running_desk.attachments,
        own=("Service@Example.com",),
    )
    taken = await mailbox.take(letter(From="service+x@example.com").as_bytes(), "")
    assert taken.fate is LetterFate.IGNORED


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("mailtos://desk:pw@example.com?smtp=mx&from=hot@example.com&to={to}", "hot@example.com"),
        ("mailtos://desk:pw@example.com?from=Desk%20%3Chot@example.com%3E", "hot@example.com"),
        ("mailto://desk:pw@example.com/{to}", "desk@example.com"),
        ("mailto://desk%40example.com:pw@mx.example.net?from=%E4%B8%80", "desk@example.com"),
        ("json://example.com/{to}?from=a@b.c", None),
    ],
)
def test_a_channels_url_says_from_which_address_it_sends(url: str, sender: str | None) -> None:
    assert sender_of(url) == sender
