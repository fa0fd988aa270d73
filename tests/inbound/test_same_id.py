"""A letter with the id of an earlier one is that letter again, or says something else: then its
words are kept with the first issue before it is acknowledged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from uuid import uuid4

import pytest

from domain.issue.actions import ActionName, Withdraw
from domain.issue.intake import Intake
from domain.vocabulary import Actor, Role
from inbound.letters.apart import Reader
from inbound.letters.enclosed import Enclosed
from inbound.letters.letter import NOT_READ, Letter, letter_in_hurry
from inbound.mail import LetterBox, LetterFate
from starter.client import Desk, Opened, OtherContent
from store.kept_words import Kept, Why
from tests.support.letters import form, letter
from tests.support.running_desk import RunningDesk

CLERK = Actor(id="fan.meiling", role=Role.CLERK)


@pytest.fixture
def box(running_desk: RunningDesk) -> LetterBox:
    return LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)


class InHurry(Reader):
    """Reads every letter as one that took too long."""

    def read(self, raw: bytes) -> Letter:
        letter = letter_in_hurry(raw, datetime.now(UTC))
        return {**letter, "text": f"{NOT_READ}\n\n{letter['text']}"}

    def files(self, raw: bytes) -> list[Enclosed]:
        assert raw
        return []


def two() -> tuple[EmailMessage, EmailMessage]:
    """Two letters under one id, with different words."""
    id_ = f"<{uuid4().hex}@kehu.example>"
    first = letter("第一封：空调面板不亮", Message_ID=id_, Subject="报修：读卡器不读卡")
    return first, letter("第二封，内容不同：大厅叫号机坏了", Message_ID=id_, Subject="second")


async def take(box: LetterBox, message: EmailMessage) -> str:
    taken = await box.take(message.as_bytes(), "192.0.2.7")
    assert taken.fate in {LetterFate.REGISTERED, LetterFate.KEPT}, taken
    return taken.said


async def kept(box: LetterBox, number: str) -> list[Kept]:
    return await box.desk.kept_words((await box.desk.show(number)).id)


async def test_other_words_under_the_id_of_a_letter_are_kept_with_its_issue_once(
    box: LetterBox,
) -> None:
    first, second = two()
    number = await take(box, first)
    for message in (second, first, second):
        assert await take(box, message) == number
    (words,) = await kept(box, number)
    assert (words.why, words.door, words.sender) == (
        Why.SAME_ID,
        "mailbox",
        parseaddr(second["From"])[1],
    )
    assert words.subject == "second"
    assert "大厅叫号机坏了" in words.body
    assert (await box.desk.show(number)).title == "报修：读卡器不读卡"


async def test_a_third_letter_under_that_id_is_kept_beside_the_second(box: LetterBox) -> None:
    first, second = two()
    third = letter("第三封：门锁坏了", Message_ID=first["Message-ID"])
    number = await take(box, first)
    await take(box, second)
    await take(box, third)
    words = await kept(box, number)
    assert [each.body.strip()[:3] for each in words] == ["第二封", "第三封"]


async def test_they_are_kept_also_when_the_issue_has_ended(box: LetterBox) -> None:
    first, second = two()
    number = await take(box, first)
    await box.desk.act(number, ActionName.WITHDRAW, Withdraw(by=CLERK, reason="it works"))
    assert await take(box, second) == number
    assert len(await kept(box, number)) == 1


async def test_the_same_words_from_another_of_our_mailboxes_are_the_same_letter(
    box: LetterBox,
) -> None:
    first, _ = two()
    number = await take(box, first)
    first["Received"] = "from mx2.kehu.example"
    first.replace_header("To", "other@example.com")
    assert await take(box, first) == number
    assert await kept(box, number) == []


class _NoNumberYet(Desk):
    """A desk that took another letter of that id on while PostgreSQL is away."""

    async def register(self, intake: Intake, *_: object) -> Opened:
        raise OtherContent(f"{intake.reference} is taken", ("title",), None, None)


async def test_while_they_cannot_be_kept_the_letter_is_to_come_again(
    running_desk: RunningDesk,
) -> None:
    desk = _NoNumberYet(running_desk.client, running_desk.pool)
    taken = await LetterBox(desk, running_desk.pool, form(), running_desk.attachments).take(
        letter().as_bytes(), ""
    )
    assert taken.fate is LetterFate.AWAY


async def test_the_very_letter_is_the_same_whatever_was_read_of_it_the_first_time(
    box: LetterBox,
) -> None:
    """A letter that took too long once may be read in full the next time, or by a newer version."""
    first, _ = two()
    hurried = LetterBox(box.desk, box.pool, box.form, box.attachments, reader=InHurry())
    number = await take(hurried, first)
    assert await take(box, first) == number
    assert await kept(box, number) == []
