"""Letters that come in as SMTP: acknowledged once the issue is there, and not before."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import smtplib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any

import pytest

from inbound.mail import LetterBox
from inbound.smtp import _LARGE_AT_ONCE, listening
from runtime.embedded.ports import free_ports
from runtime.settings import ROOT
from starter.client import Desk, Unavailable
from starter.registers import Letters
from store import letters
from tests.inbound.test_letters import WRONG
from tests.support.hostile_files import picture
from tests.support.letters import FIELD, MAPPING, form, letter
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk

HERE = "127.0.0.1"
SENDER, MAILBOX = "zhang.wei@example.com", "service@example.com"


def _posted(port: int, message: EmailMessage | bytes, sender: str) -> tuple[int, str]:
    raw = message if isinstance(message, bytes) else message.as_bytes()
    with smtplib.SMTP(HERE, port, timeout=PATIENCE) as server:
        server.ehlo()
        server.mail(sender)
        server.rcpt(MAILBOX)
        code, said = server.data(raw)
        return code, said.decode()


async def post(port: int, message: EmailMessage | bytes, sender: str = SENDER) -> tuple[int, str]:
    return await asyncio.to_thread(_posted, port, message, sender)


@pytest.fixture
async def port(running_desk: RunningDesk) -> AsyncIterator[int]:
    box = LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)
    async with listening(box, HERE, 0) as port:
        yield port


@dataclass
class OutOfOrder(Desk):
    """A desk whose servers are away, or that has a fault."""

    error: Exception

    async def register(self, *_: Any) -> Any:
        raise self.error


async def test_a_letter_is_an_issue_before_it_is_acknowledged(
    port: int, running_desk: RunningDesk
) -> None:
    sent = letter()
    code, said = await post(port, sent)
    assert code == 250
    number = said.split()[-1]
    assert (await running_desk.desk.show(number)).title == "故障：ATM 无法出钞"
    assert await post(port, sent) == (code, said)


GOOD = ["m06-html-openhead", "m11-calendar", "m12-longline", "m22-longbody", "m25-html"]


async def test_good_and_bad_letters_of_one_sender_are_all_answered_once(
    port: int, running_desk: RunningDesk
) -> None:
    """By a real client, over one connection: what is wrong with one is nothing to the next."""
    sent = [
        letter_
        for good, (wrong, _) in zip(itertools.cycle(GOOD), list(WRONG.values())[::2], strict=False)
        for letter_ in ((FIELD / f"{good}.eml").read_bytes(), b"X-Sent: 1\r\n" + wrong)
    ]

    def all_posted() -> list[int]:
        codes = []
        with smtplib.SMTP(HERE, port, timeout=PATIENCE) as server:
            for raw in sent:
                server.ehlo_or_helo_if_needed()
                server.mail(SENDER)
                server.rcpt(MAILBOX)
                codes.append(server.data(raw)[0])
        return codes

    codes = await asyncio.to_thread(all_posted)
    assert set(codes[::2]) == {250}
    assert set(codes[1::2]) <= {250, 550}
    assert 250 in codes[1::2]


async def test_a_letter_in_one_line_is_taken(port: int) -> None:
    raw = (FIELD / "m12-longline.eml").read_bytes()
    assert max(map(len, raw.split(b"\r\n"))) > 10_000
    assert (await post(port, raw))[0] == 250


async def test_what_was_acknowledged_is_kept_as_it_came(
    port: int, running_desk: RunningDesk
) -> None:
    sent = letter("words").as_bytes(policy=SMTP_POLICY)
    number = (await post(port, sent))[1].split()[-1]
    issue = await running_desk.desk.show(number)
    kept = Letters(running_desk.pool)
    [original] = await kept.of_issue(issue.id)
    raw = await kept.read(issue.id, original.id)
    assert raw
    assert raw.rstrip() == sent.rstrip()


async def test_a_letter_whose_original_cannot_be_kept_is_to_come_again(
    port: int, running_desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = letter()

    async def away(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(letters, "keep", away)
        assert (await post(port, sent))[0] == 451
    code, said = await post(port, sent)
    assert code == 250
    issue = await running_desk.desk.show(said.split()[-1])
    assert len(await Letters(running_desk.pool).of_issue(issue.id)) == 1


async def test_a_bounce_is_taken_and_dropped(port: int) -> None:
    assert await post(port, letter(), sender="") == (250, "2.0.0 taken, automatic")


async def test_nobody_who_writes_gets_into_the_log(
    port: int, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert (await post(port, letter()))[0] == 250
    assert SENDER not in caplog.text + "".join(capsys.readouterr())


async def test_what_cannot_be_an_issue_is_refused_with_the_reason(port: int) -> None:
    code, said = await post(port, letter(From="nobody"))
    assert code == 550
    assert "customer.email" in said


async def test_a_letter_with_25_mib_of_photographs_is_taken_with_all_of_them(
    port: int, running_desk: RunningDesk
) -> None:
    message, size = letter("看照片"), 5 * 1024**2
    for place in range(5):
        photo = picture(size=(60 + place, 40)).ljust(size, b"\0")
        message.add_attachment(photo, maintype="image", subtype="jpeg", filename=f"{place}.jpg")
    code, said = await post(port, message)
    assert code == 250, said
    issue = await running_desk.desk.show(said.split()[-1])
    kept = await running_desk.attachments.of(issue.id)
    assert [(each.name, each.size) for each in kept] == [(f"{n}.jpg", size) for n in range(5)]


async def test_a_letter_that_is_too_large_is_refused_as_soon_as_it_is_known(
    running_desk: RunningDesk,
) -> None:
    """Before it is sent, if its sender says how large (RFC 1870); and nothing of it is kept."""
    largest = 64 * 1024
    box = LetterBox(
        *(running_desk.desk, running_desk.pool, form(), running_desk.attachments), largest=largest
    )
    before = await running_desk.pool.fetchval("SELECT count(*) FROM letters")

    def announced(port: int) -> int:
        with smtplib.SMTP(HERE, port, timeout=PATIENCE) as server:
            server.ehlo()
            assert int(server.esmtp_features["size"]) == largest
            assert server.mail(SENDER, [f"size={largest}"])[0] == 250
            server.rset()
            return server.mail(SENDER, [f"size={largest + 1}"])[0]

    async with listening(box, HERE, 0) as port:
        assert await asyncio.to_thread(announced, port) == 552
        long = b"Subject: x\r\n\r\n" + (b"a" * 98 + b"\r\n") * (largest // 100 + 1)
        assert (await post(port, long))[0] == 552
        assert (await post(port, letter()))[0] == 250
    assert await running_desk.pool.fetchval("SELECT count(*) FROM letters") == before + 1


async def test_large_letters_come_in_some_at_a_time_and_small_ones_meanwhile(port: int) -> None:
    """So memory stays flat, however many come at once."""
    *first, (reader, writer) = [await _begun(port) for _ in range(_LARGE_AT_ONCE + 1)]
    for each in first:
        assert await _asked(*each) == b"354"
    waits = asyncio.create_task(_asked(reader, writer))
    small = letter()

    def sent() -> int:
        with smtplib.SMTP(HERE, port, timeout=PATIENCE) as server:
            server.ehlo()
            server.mail(SENDER, [f"size={len(small.as_bytes())}"])
            server.rcpt(MAILBOX)
            return server.data(small.as_bytes())[0]

    assert await asyncio.to_thread(sent) == 250
    assert not waits.done(), "there is no room for it yet"
    for _, goes_away in first:
        goes_away.close()
    assert await waits == b"354"
    writer.close()


async def _begun(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Say to whom a letter is, and not how large it is."""
    reader, writer = await asyncio.open_connection(HERE, port)
    greeting = await reader.readline()
    assert greeting.startswith(b"220")
    for said in ("HELO x", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{MAILBOX}>"):
        writer.write(f"{said}\r\n".encode())
        assert (await reader.readline()).startswith(b"250")
    return reader, writer


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Ask to send it; the first three letters of the answer."""
    writer.write(b"DATA\r\n")
    return (await reader.readline())[:3]


@pytest.mark.parametrize("error", [Unavailable("secret"), ZeroDivisionError("secret")])
async def test_while_the_desk_is_away_the_sender_is_to_come_again(
    running_desk: RunningDesk, error: Exception
) -> None:
    box = LetterBox(OutOfOrder(error), running_desk.pool, form(), running_desk.attachments)
    async with listening(box, HERE, 0) as port:
        code, said = await post(port, letter())
    assert code == 451
    assert "send it again" in said
    assert "secret" not in said


async def test_whoever_is_still_connected_holds_up_no_stop(running_desk: RunningDesk) -> None:
    box = LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)
    async with listening(box, HERE, 0) as port:
        reader, writer = await asyncio.open_connection(HERE, port)
        assert (await reader.readline()).startswith(b"220")
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    writer.close()


async def started(desk: RunningDesk, port: int) -> asyncio.subprocess.Process:
    command = ["inbound", "smtp", str(MAPPING), "--port", str(port)]
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *command),
        cwd=ROOT,
        env={**os.environ, **desk.environment},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )


async def test_the_command_listens_until_it_is_stopped(running_desk: RunningDesk) -> None:
    (port,) = free_ports(1)
    process = await started(running_desk, port)
    assert process.stderr
    async for line in process.stderr:
        if b"Ctrl-C stops" in line:
            break
    assert (await post(port, letter()))[0] == 250
    process.send_signal(signal.SIGTERM)
    assert b"Traceback" not in await process.stderr.read()
    assert await process.wait() == 0


async def test_a_port_that_is_taken_is_told(running_desk: RunningDesk, port: int) -> None:
    process = await started(running_desk, port)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert f"{HERE}:{port}: " in said.decode()
    assert b"Traceback" not in said
