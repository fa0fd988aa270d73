"""What a letter brings is attached to its issue before it is acknowledged, and once."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from domain.attachments import Attachment, ShownTo
from domain.vocabulary import Role
from inbound.mail import LetterBox, LetterFate
from runtime.apart import TooMuch
from starter.attachments import Attachments
from starter.client import Unavailable
from starter.registers import Kept, Letters, Why
from tests.inbound.test_belonging import reported, stranger
from tests.support.hostile_files import PDF, SVG, photograph, picture
from tests.support.letters import form, letter
from tests.support.running_desk import RunningDesk

PHOTO, SHOT = photograph(), picture("PNG")


@pytest.fixture
def box(running_desk: RunningDesk) -> LetterBox:
    return LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)


def with_files(*given: tuple[str, bytes], text: str = "请看附件", **headers: str) -> EmailMessage:
    message = letter(text, **headers)
    for name, content in given:
        message.add_attachment(content, maintype="image", subtype="jpeg", filename=name)
    return message


async def take(box: LetterBox, message: EmailMessage) -> tuple[LetterFate, str]:
    outcome = await box.take(message.as_bytes(policy=SMTP), "192.0.2.7")
    return outcome.fate, outcome.said


async def attached(desk: RunningDesk, number: str) -> list[Attachment]:
    return await desk.attachments.of((await desk.desk.show(number)).id)


async def not_taken(desk: RunningDesk, number: str) -> list[Kept]:
    kept = await desk.desk.kept_words((await desk.desk.show(number)).id)
    return [each for each in kept if each.why is Why.NOT_ATTACHED]


def names(found: Sequence[Attachment]) -> list[str]:
    return [each.name for each in found]


async def test_photographs_and_files_come_with_the_issue_in_the_letters_order(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    fate, number = await take(
        box, with_files(("出钞口.jpg", PHOTO), ("b.png", SHOT), ("报告", PDF))
    )
    assert fate is LetterFate.REGISTERED
    found = await attached(running_desk, number)
    assert names(found) == ["出钞口.jpg", "b.png", "报告.pdf"]
    assert {(each.actor, each.role, each.door, each.shown_to) for each in found} == {
        ("mail", Role.INTAKE, "mailbox", ShownTo.CUSTOMER)
    }
    pieces = await running_desk.attachments.content(found[0])
    assert b"".join([piece async for piece in pieces]) == PHOTO
    assert not await not_taken(running_desk, number)


async def test_those_of_a_letter_that_is_passed_on_come_too(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    passed_on = letter("转给你们")
    passed_on.add_attachment(with_files(("现场.jpg", PHOTO)))
    _, number = await take(box, passed_on)
    assert names(await attached(running_desk, number)) == ["现场.jpg"]


async def test_the_same_letter_again_attaches_nothing_twice(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    sent = with_files(("a.jpg", PHOTO), ("x.svg", SVG.encode()))
    first, again = await take(box, sent), await take(box, sent)
    assert first == again
    assert names(await attached(running_desk, first[1])) == ["a.jpg"]
    assert len(await not_taken(running_desk, first[1])) == 1


async def test_for_no_file_is_a_letter_refused_and_each_that_is_not_taken_is_named_with_the_reason(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    sent = with_files(
        ("good.jpg", PHOTO), ("图.svg", SVG.encode()), ("cut.jpg", PHOTO[:3000]), ("empty.jpg", b"")
    )
    fate, number = await take(box, sent)
    assert fate is LetterFate.REGISTERED
    assert names(await attached(running_desk, number)) == ["good.jpg"]
    [kept] = await not_taken(running_desk, number)
    lines = kept.body.splitlines()
    assert [line.partition("：")[0] for line in lines] == ["图.svg", "cut.jpg", "empty.jpg"]
    assert "不收" in lines[0]
    assert "cannot be opened" in lines[1]
    issue = await running_desk.desk.show(number)
    [original] = await Letters(running_desk.pool).of_issue(issue.id)
    raw = await Letters(running_desk.pool).read(issue.id, original.id)
    assert raw == sent.as_bytes(policy=SMTP)


async def test_what_is_one_too_many_is_named(box: LetterBox, running_desk: RunningDesk) -> None:
    many = [(f"{place}.jpg", picture(size=(40 + place, 30))) for place in range(32)]
    fate, number = await take(box, with_files(*many))
    assert fate is LetterFate.REGISTERED
    assert len(await attached(running_desk, number)) == 30
    [kept] = await not_taken(running_desk, number)
    assert [line.partition("：")[0] for line in kept.body.splitlines()] == ["30.jpg", "31.jpg"]


async def test_a_text_that_was_read_is_not_missed_as_a_file(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    message = letter("看下面")
    message.add_attachment(
        "<p>网页里的话</p>", subtype="html", filename="a.html", disposition="inline"
    )
    _, number = await take(box, message)
    assert not await not_taken(running_desk, number)
    assert not await attached(running_desk, number)


class _Away(Attachments):
    """Takes so many files, and then is away."""

    takes = 1

    async def add(self, *given: Any, **more: Any) -> Attachment:
        self.takes -= 1
        if self.takes < 0:
            raise Unavailable("away")
        return await super().add(*given, **more)


@pytest.mark.parametrize("takes", [0, 1])
async def test_a_letter_whose_files_cannot_be_kept_now_comes_again_and_then_is_whole(
    running_desk: RunningDesk, box: LetterBox, takes: int
) -> None:
    its = running_desk.attachments
    away = _Away(its._pool, its._contents, its._examiner)
    away.takes = takes
    interrupted = LetterBox(running_desk.desk, running_desk.pool, form(), away)
    sent = with_files(("a.jpg", PHOTO), ("b.png", SHOT))
    assert (await take(interrupted, sent))[0] is LetterFate.AWAY
    fate, number = await take(box, sent)
    assert fate is LetterFate.REGISTERED
    assert names(await attached(running_desk, number)) == ["a.jpg", "b.png"]
    assert (await take(box, sent)) == (fate, number)
    assert len(await attached(running_desk, number)) == 2


async def test_files_that_cannot_be_taken_out_are_told_of(
    box: LetterBox, running_desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(_: object, __: bytes) -> None:
        raise TooMuch

    monkeypatch.setattr("inbound.letters.apart.Reader.files", too_much)
    fate, number = await take(box, with_files(("a.jpg", PHOTO)))
    assert fate is LetterFate.REGISTERED
    [kept] = await not_taken(running_desk, number)
    assert "原信" in kept.body


# Letters that belong to an issue ------------------------------------------------------------------


@pytest.mark.parametrize(("known", "shown_to"), [(True, ShownTo.CUSTOMER), (False, ShownTo.STAFF)])
async def test_the_files_of_an_answer_are_the_issues_and_a_strangers_are_for_staff_alone(
    box: LetterBox, running_desk: RunningDesk, *, known: bool, shown_to: ShownTo
) -> None:
    theirs = await reported(running_desk)
    sender = theirs.email if known else stranger()
    sent = with_files(("a.jpg", PHOTO), Subject=f"Re: {theirs.number}", From=sender)
    assert await take(box, sent) == (LetterFate.ADDED, theirs.number)
    found = await attached(running_desk, theirs.number)
    assert [(each.name, each.shown_to) for each in found] == [("a.jpg", shown_to)]


async def test_an_answer_whose_files_could_not_be_kept_comes_again_and_then_is_whole(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await reported(running_desk)
    its = running_desk.attachments
    away = _Away(its._pool, its._contents, its._examiner)
    interrupted = LetterBox(running_desk.desk, running_desk.pool, form(), away)
    sent = with_files(
        ("a.jpg", PHOTO), ("b.png", SHOT), Subject=f"Re: {theirs.number}", From=theirs.email
    )
    assert (await take(interrupted, sent))[0] is LetterFate.AWAY
    for _ in range(2):
        assert await take(box, sent) == (LetterFate.ADDED, theirs.number)
        assert names(await attached(running_desk, theirs.number)) == ["a.jpg", "b.png"]
