"""A report's letter carries its edition as files, printed of what was frozen and as far as its
reader reads it (R27, R30): through real SMTP, read back as a mail program does.
"""

from __future__ import annotations

import re
import zlib
from base64 import a85decode
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from email.message import EmailMessage
from io import BytesIO
from zipfile import ZipFile

import openpyxl
import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities import enclosing
from activities.enclosing import Enclosing
from activities.mail import MailSender
from activities.notification import Notification
from activities.recording import Recording
from activities.reports import Reports
from domain.letters import key_of
from domain.reports.counted import Counted, CountedRow, CountedSection, Quoted, Value
from domain.reports.definitions import REPORTS
from domain.reports.editions import Edition, Issued, Order
from store import outbox
from store.connection import Pool
from store.reports import editions
from tests.support.counted_reports import AT, made
from tests.support.mail_reader import MailReader, a_mail_reader
from tests.support.patience import PATIENCE

REPORT = REPORTS["effectiveness"]
OURS, THEIRS = "technical_service", "sales"
OFFICE, MANAGER, OTHER = "tian.hui", "sun.li", "ruan.qi"
NAMED = {OURS: "only-ours", THEIRS: "only-theirs"}
REGISTERED = {OURS: 918_273, THEIRS: 645_372}
LINK = "https://desk.example/reports/effectiveness/2026-W47"
XLSX, PDF = "服务效能报告-2026-W47.xlsx", "服务效能报告-2026-W47.pdf"
ATTACHED = "附件为本报表的 Excel 和 PDF 文件，不含客户原话；客户原话请登录后查看。"
SAID = "wait-forever"


def counted(seed: int, *departments: str) -> Counted:
    """Figures with a row of each department, and what one of its customers said."""
    rows = tuple(
        CountedRow(
            of=each,
            zh=NAMED[each],
            en=NAMED[each],
            values={"registered": Value(value=REGISTERED[each], n=REGISTERED[each])},
        )
        for each in departments
    )
    words = (Quoted(issue="20261118-07-0001", at=AT, words=SAID),)
    theirs = CountedSection(key="departments", rows=rows, words=words)
    found = made(REPORT, seed)
    return found.model_copy(
        update={
            "sections": tuple(theirs if s.key == theirs.key else s for s in found.sections),
            "department": departments[0] if len(departments) == 1 else None,
        }
    )


@dataclass
class Office:
    """A desk that issued one edition, and the mail server of its people."""

    pool: Pool
    post: MailReader
    sender: MailSender

    async def write(self) -> list[str]:
        """Write to everybody of the edition; return the keys of those one speaks of here."""
        order = Order(report=REPORT.name, period="2026-W47", request="r1", again=True)
        reports = Reports(self.pool, "https://desk.example", lambda: AT)
        issued: Issued = await ActivityEnvironment().run(reports.issue_report, order)
        return [key for key in issued.keys if key.split(":")[4] in (OFFICE, MANAGER, OTHER)]

    async def deliver(self, keys: list[str]) -> dict[str, EmailMessage]:
        """Bring them out; return the letters by their readers."""
        delivering = Notification(self.pool, self.sender, lambda: AT)
        assert await ActivityEnvironment().run(delivering.deliver_messages, keys) == []
        return {each.to[0].partition("@")[0]: each.letter for each in self.post.received}


@pytest.fixture
async def office(database: Pool, recording: Recording) -> AsyncIterator[Office]:
    """Those of whom one speaks here are reached by e-mail."""
    del recording  # it brought up roster and policy
    edition = Edition(
        report=REPORT.name,
        period="2026-W47",
        edition=1,
        counted=counted(1, OURS, THEIRS),
        departments={OURS: counted(2, OURS), THEIRS: counted(3, THEIRS)},
        issued_at=AT,
    )
    async with a_mail_reader() as post, aclosing(MailSender(timeout=PATIENCE)) as sender:
        async with database.acquire() as connection:
            await editions.add(connection, edition)
        await database.execute("UPDATE channels SET url = $1 WHERE id = 'email'", post.url())
        await database.execute(
            "UPDATE members SET contacts = $2 WHERE id = $1",
            *(OFFICE, [{"channel": "email", "address": f"{OFFICE}@example.com"}]),
        )
        yield Office(database, post, sender)


async def test_r30_a_letter_encloses_what_its_reader_reads_and_nothing_of_another_department(
    office: Office,
) -> None:
    letters = await office.deliver(await office.write())
    for to, own, others in (
        (OFFICE, (OURS, THEIRS), ()),
        (MANAGER, (OURS,), (THEIRS,)),
        (OTHER, (THEIRS,), (OURS,)),
    ):
        files = {part.get_filename(): content_of(part) for part in letters[to].iter_attachments()}
        assert list(files) == [XLSX, PDF]
        for content in map(everything_in, files.values()):
            for each in own:
                assert NAMED[each].encode() in content
            for each in others:
                assert NAMED[each].encode() not in content
                assert str(REGISTERED[each]).encode() not in content
                assert f"{REGISTERED[each]:,}".encode() not in content
            assert SAID.encode() not in content
        sheet = openpyxl.load_workbook(BytesIO(files[XLSX]))["按部门"]
        lines = sheet.iter_rows(min_row=5, values_only=True)
        assert {name: registered for name, registered, *_ in lines} == {
            NAMED[each]: REGISTERED[each] for each in own
        }
        body = letters[to].get_body()
        assert body
        *_, address, _, attached = body.get_content().splitlines()
        assert (address[-len(LINK) :], attached) == (LINK, ATTACHED)
        key = key_of(letters[to]["Message-ID"])
        assert key == f"report:effectiveness:2026-W47:1:{to}:r1"


async def test_sent_once_more_the_files_are_the_same_and_no_file_is_kept(office: Office) -> None:
    keys = await office.write()
    (queue,) = await outbox.look(office.pool, [keys], AT)
    posting = next(each for each in queue.ready if each.recipient == MANAGER)
    first, again = [await Enclosing(office.pool).with_(posting) for _ in range(2)]
    assert first
    assert first == again
    kept = await office.pool.fetchval("SELECT encloses FROM outbox WHERE key = $1", posting.key)
    assert kept == {
        "report": "effectiveness",
        "period": "2026-W47",
        "edition": 1,
        "department": OURS,
        "language": "zh",
    }


@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE members SET department = 'sales' WHERE id = 'sun.li'",
        "UPDATE members SET role = 'engineer' WHERE id = 'sun.li'",
        "UPDATE members SET left_at = now(), shift = 'off' WHERE id = 'sun.li'",
        "UPDATE channels SET url = replace(url, '{to}', 'everybody@example.com')",
        "UPDATE outbox SET encloses = jsonb_set(encloses, '{department}', 'null')",
        "UPDATE outbox SET encloses = jsonb_set(encloses, '{department}', '\"sales\"')",
        "UPDATE outbox SET encloses = jsonb_set(encloses, '{edition}', '2')",
    ],
)
async def test_r30_who_does_not_read_just_that_by_now_is_sent_the_link_alone(
    office: Office, meanwhile: str
) -> None:
    key = next(each for each in await office.write() if MANAGER in each)
    await office.pool.execute(meanwhile)
    (letter,) = (await office.deliver([key])).values()
    assert not letter.is_multipart()
    assert letter.get_content().rstrip().endswith(LINK)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("too large", "too large: sent without files"),
        ("unprintable", "its files cannot be printed"),
    ],
)
async def test_a_report_whose_files_cannot_go_along_still_arrives_and_claims_none(
    office: Office, trouble: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    if trouble == "too large":
        monkeypatch.setattr(enclosing, "LARGEST", 1_000)
    else:
        monkeypatch.setattr(enclosing, "laid_out", broken)
    key = next(each for each in await office.write() if MANAGER in each)
    with capture_logs() as logged:
        (letter,) = (await office.deliver([key])).values()
    assert not letter.is_multipart()
    assert letter.get_content().rstrip().endswith(LINK)
    assert said in {each["event"] for each in logged}


async def test_what_is_no_letter_takes_no_files(office: Office) -> None:
    await office.pool.execute("UPDATE channels SET url = 'json://127.0.0.1:1/{to}'")
    (queue,) = await outbox.look(office.pool, [await office.write()], AT)
    assert {each.encloses for each in queue.ready} == {None}


def content_of(part: EmailMessage) -> bytes:
    content = part.get_content()
    assert isinstance(content, bytes)
    return content


def everything_in(file: bytes) -> bytes:
    """All bytes of a file, unpacked."""
    if file.startswith(b"%PDF-"):
        streams = re.findall(rb"stream\r?\n(.*?)~>endstream", file, re.DOTALL)
        assert streams
        return file + b"\n".join(zlib.decompress(a85decode(each)) for each in streams)
    with ZipFile(BytesIO(file)) as parts:
        return file + b"\n".join(parts.read(name) for name in parts.namelist())
