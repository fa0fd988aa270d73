"""Letters out of a mailbox on a server that is not of our making: good and bad ones mixed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inbound.imap import Mailbox
from inbound.mail import LetterBox
from tests.inbound.test_letters import WRONG
from tests.support.dovecot import HERE, PASSWORD, USER, Dovecot, dovecot
from tests.support.letters import FIELD, form, letter
from tests.support.mail_server import self_signed
from tests.support.running_desk import RunningDesk

GOOD = [
    "m06-html-openhead",
    "m08-textimgtext",
    "m11-calendar",
    "m25-html",
    "m28-nocharset-gbk-html",
]


@pytest.fixture
async def server(
    servers: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Dovecot]:
    certificate = self_signed(HERE, tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with dovecot(certificate) as running:
        yield running


async def test_good_and_bad_letters_of_one_folder_are_all_dealt_with(
    server: Dovecot, running_desk: RunningDesk
) -> None:
    sent = 0
    for good, (wrong, _) in zip(GOOD, list(WRONG.values())[::4], strict=False):
        server.receive((FIELD / f"{good}.eml").read_bytes())
        server.receive(b"X-Sent: 1\r\n" + wrong)
        sent += 2
    server.receive(letter("末一封 the last").as_bytes())
    box = LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)
    mailbox = Mailbox(HERE, server.port, USER, PASSWORD)
    assert await mailbox.empty_into(box) == sent + 1
    assert {*server.flags()} <= {"S", "FS"}
    assert await mailbox.empty_into(box) == 0
    titles = {
        row["title"]
        for row in await running_desk.pool.fetch("SELECT title FROM issues WHERE source = 'mail'")
    }
    assert {"报修：读卡器不读卡", "现场维修时间", "故障：ATM 无法出钞"} <= titles
