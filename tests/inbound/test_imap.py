"""Letters of a mailbox: read once they are registered, flagged if they cannot be."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.inbound import PASSWORD as VARIABLE
from domain.issue.intake import issue_id
from inbound.imap import Mailbox, MailboxError
from inbound.mail import LetterBox
from runtime.embedded.ports import free_ports
from runtime.settings import ROOT
from starter.client import Unavailable
from store import issue_reader
from tests.inbound.test_belonging import OWN, said, waiting
from tests.inbound.test_smtp import OutOfOrder
from tests.support.letters import MAPPING, form, letter
from tests.support.mail_server import PASSWORD, USER, MailServer, mail_server, self_signed
from tests.support.running_desk import RunningDesk

HERE = "127.0.0.1"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(HERE, tmp_path_factory.mktemp("certificate") / "server.pem")


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A server whose certificate this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate) as running:
        yield running


@pytest.fixture
def mailbox(server: MailServer) -> Mailbox:
    return Mailbox(HERE, server.port, USER, PASSWORD)


@pytest.fixture
def box(running_desk: RunningDesk) -> LetterBox:
    return LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)


async def registered(desk: RunningDesk, raw: bytes) -> bool:
    """Whether a letter has an issue."""
    message_id = raw.partition(b"Message-ID: ")[2].partition(b"\n")[0].strip().decode()
    reference = form()._cleaned("reference", message_id)
    return await issue_reader.by_reference(desk.pool, "mail", reference) is not None


async def description(desk: RunningDesk, raw: bytes) -> str:
    """What the issue of a letter says."""
    message_id = raw.partition(b"Message-ID: ")[2].partition(b"\n")[0].strip().decode()
    issue = await desk.desk.record(issue_id("mail", form()._cleaned("reference", message_id)))
    assert issue
    return issue.intake.description


async def test_unread_letters_become_issues_and_count_as_read(
    server: MailServer, mailbox: Mailbox, box: LetterBox, running_desk: RunningDesk
) -> None:
    sent = [letter().as_bytes() for _ in range(2)]
    first, second = map(server.receive, sent)
    read_before = server.receive(letter().as_bytes())
    server.flags[read_before] = {r"\Seen"}
    assert await mailbox.empty_into(box) == 2
    assert server.flags[first] == server.flags[second] == {r"\Seen"}
    assert [await registered(running_desk, each) for each in sent] == [True, True]
    assert not await registered(running_desk, server.letters[read_before])
    assert await mailbox.empty_into(box) == 0


async def test_what_cannot_become_an_issue_is_flagged_for_a_person(
    server: MailServer, mailbox: Mailbox, box: LetterBox
) -> None:
    unusable = server.receive(letter(From="nobody").as_bytes())
    automatic = server.receive(letter(**{"Auto-Submitted": "auto-replied"}).as_bytes())
    assert await mailbox.empty_into(box) == 2
    assert server.flags[unusable] == {r"\Seen", r"\Flagged"}
    assert server.flags[automatic] == {r"\Seen"}


async def test_while_the_desk_is_away_letters_are_left_as_they_are(
    server: MailServer, mailbox: Mailbox, running_desk: RunningDesk
) -> None:
    uid = server.receive(letter().as_bytes())
    away = LetterBox(
        OutOfOrder(Unavailable("away")), running_desk.pool, form(), running_desk.attachments
    )
    assert await mailbox.empty_into(away) == 0
    assert server.flags[uid] == set()
    assert server.answered.wait(5), "the mailbox was left open"


async def test_of_a_letter_that_is_too_large_the_beginning_is_taken_and_a_person_is_told(
    server: MailServer, mailbox: Mailbox, box: LetterBox, running_desk: RunningDesk
) -> None:
    """It stays where it is, flagged, and stops none of those after it."""
    sent, after = letter("a" * 60 + "\n" * 10_000).as_bytes(), letter().as_bytes()
    large, next_ = server.receive(sent), server.receive(after)
    assert await mailbox.empty_into(replace(box, largest=2000)) == 2
    assert server.longest == 2001, "one more says that there is more"
    assert server.flags[large] == {r"\Seen", r"\Flagged"}
    assert server.flags[next_] == {r"\Seen"}
    said = await description(running_desk, sent)
    assert said.startswith("（此信过大")
    assert "a" * 60 in said
    assert await registered(running_desk, after)


async def test_a_letter_as_large_as_may_be_is_whole(
    server: MailServer, mailbox: Mailbox, box: LetterBox, running_desk: RunningDesk
) -> None:
    sent = letter("a" * 60).as_bytes()
    uid = server.receive(sent)
    assert await mailbox.empty_into(replace(box, largest=len(sent))) == 1
    assert server.flags[uid] == {r"\Seen"}
    assert "过大" not in await description(running_desk, sent)


async def test_an_answer_counts_as_read_once_its_words_are_with_the_issue(
    server: MailServer, mailbox: Mailbox, box: LetterBox, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    headers = {"From": theirs.email, "Subject": f"回复：{theirs.number}"}
    uid = server.receive(letter(OWN, **headers).as_bytes())
    assert await mailbox.empty_into(box) == 1
    assert server.flags[uid] == {r"\Seen"}
    assert [each["words"] for each in await said(running_desk, theirs.number)] == [OWN]


@pytest.mark.parametrize("command", ["FETCH", "STORE"])
@pytest.mark.parametrize("answer", [b"NO no", b"BAD what", None], ids=["no", "bad", "hangs up"])
async def test_a_letter_that_the_server_trips_over_does_not_stop_the_others(
    server: MailServer,
    mailbox: Mailbox,
    box: LetterBox,
    running_desk: RunningDesk,
    command: str,
    answer: bytes | None,
) -> None:
    sent = [letter().as_bytes() for _ in range(3)]
    first, second, third = map(server.receive, sent)
    server.troubles[command, second] = answer
    await mailbox.empty_into(box)
    assert server.flags[first] == server.flags[third] == {r"\Seen"}
    assert server.flags[second] == set()
    server.troubles.clear()
    await mailbox.empty_into(box)
    assert [await registered(running_desk, each) for each in sent] == [True, True, True]


async def test_a_server_that_marks_nothing_is_asked_for_each_letter_once(
    server: MailServer, mailbox: Mailbox, box: LetterBox
) -> None:
    uid = server.receive(letter().as_bytes())
    server.troubles["STORE", uid] = b"NO read-only"
    assert await mailbox.empty_into(box) == 1
    assert await mailbox.empty_into(box) == 0


async def test_a_server_that_hangs_up_at_every_letter_is_told(
    server: MailServer, mailbox: Mailbox, box: LetterBox
) -> None:
    for _ in range(4):
        server.troubles["FETCH", server.receive(letter().as_bytes())] = None
    with pytest.raises(MailboxError):
        await mailbox.empty_into(box)


async def test_a_fault_of_ours_does_not_stop_the_other_letters(
    server: MailServer, mailbox: Mailbox, running_desk: RunningDesk, box: LetterBox
) -> None:
    uid = server.receive(letter().as_bytes())
    faulty = LetterBox(
        OutOfOrder(ZeroDivisionError("secret")), running_desk.pool, form(), running_desk.attachments
    )
    assert await mailbox.empty_into(faulty) == 0
    assert server.flags[uid] == {r"\Flagged"}
    assert await mailbox.empty_into(box) == 1
    assert server.flags[uid] == {r"\Flagged", r"\Seen"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "AUTHENTICATIONFAILED"),
        ({"folder": "Nowhere"}, "no such mailbox"),
        ({"port": free_ports(1)[0]}, HERE),
    ],
)
async def test_a_mailbox_that_cannot_be_read_is_told_without_its_password(
    mailbox: Mailbox, box: LetterBox, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(MailboxError, match=said) as refused:
        await replace(mailbox, **changes).empty_into(box)  # type: ignore[arg-type]
    assert PASSWORD not in str(refused.value)


async def test_a_server_that_anybody_could_be_is_not_told_the_password(
    server: MailServer, mailbox: Mailbox, box: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(MailboxError, match="CERTIFICATE_VERIFY_FAILED"):
        await mailbox.empty_into(box)
    assert server.calls == 0


@dataclass(frozen=True)
class Command:
    """`yinuo inbound imap`, as a scheduler starts it."""

    server: MailServer
    desk: RunningDesk

    async def start(self, *more: str, password: str = PASSWORD) -> asyncio.subprocess.Process:
        where = ("--host", HERE, "--port", str(self.server.port), "--user", USER)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "inbound", "imap", str(MAPPING), *where, *more),
            cwd=ROOT,
            env={**os.environ, **self.desk.environment, VARIABLE: password},
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def run(self, *more: str, password: str = PASSWORD) -> tuple[int | None, str]:
        process = await self.start(*more, password=password)
        _, said = await process.communicate()
        return process.returncode, said.decode()


@pytest.fixture
def command(server: MailServer, running_desk: RunningDesk) -> Command:
    return Command(server, running_desk)


async def test_the_command_looks_once_for_a_scheduler(
    server: MailServer, command: Command, running_desk: RunningDesk
) -> None:
    sent = letter().as_bytes()
    server.receive(sent)
    code, said = await command.run("--once")
    assert (code, "1 letter" in said) == (0, True), said
    assert await registered(running_desk, sent)


@pytest.mark.parametrize(
    ("password", "code", "told"), [("wrong", 6, "AUTHENTICATIONFAILED"), ("", 2, VARIABLE)]
)
async def test_the_command_takes_the_password_from_the_environment(
    command: Command, password: str, code: int, told: str
) -> None:
    ended, said = await command.run("--once", password=password)
    assert (ended, told in said) == (code, True), said
    assert "Traceback" not in said


async def test_the_command_goes_on_until_it_is_stopped(
    server: MailServer, command: Command
) -> None:
    server.receive(letter().as_bytes())
    process = await command.start()
    assert await asyncio.to_thread(server.answered.wait, 60)
    assert server.flags[1] == {r"\Seen"}
    process.send_signal(signal.SIGTERM)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
