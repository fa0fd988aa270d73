"""Two robots that answer each other's letters: the desk's, and somebody's who is away. Whether
theirs says that it is one or not, there are no more issues and answers than the policy allows.
"""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr

import pytest

from activities.webhooks import WebhookSender
from domain.sla.policy import Letters, Strangers
from domain.staff.roster import DeliveryChannel
from inbound.files.roster import read_roster
from inbound.mail import LetterBox
from inbound.smtp import listening
from runtime import postgres, rulebook
from runtime.settings import ROOT
from starter.attachments import Attachments
from starter.client import Desk
from store import roster, rulebooks
from store.connection import Pool
from tests.conftest import DeskServers
from tests.support.letters import form
from tests.support.mail_reader import TAKEN, MailReader, Received, a_mail_reader
from tests.support.patience import PATIENCE
from worker import workers

WU = "wu.qiming@kehu.example"
LIMITS = Letters(per_hour=4, alike=2)
HEARS = 10


@dataclass
class Absent:
    """Wu Qiming's mail server, which answers every letter at once: he is away."""

    says_so: bool
    """By the headers that RFC 3834 asks for."""
    varies: bool
    """With other words each time."""
    quotes: bool = False
    """What it answers, and so the number of an issue."""
    port: int = 0
    """Where the desk takes letters."""
    answers: list[str] = field(default_factory=list)
    """What the desk said to each."""
    posting: set[asyncio.Task[None]] = field(default_factory=set)

    async def take(self, received: Received) -> str:
        task = asyncio.create_task(self.answer(received.letter))
        self.posting.add(task)
        return TAKEN

    async def answer(self, to: EmailMessage) -> None:
        answer = EmailMessage()
        answer["From"], answer["To"] = f"Wu Qiming <{WU}>", parseaddr(str(to["From"]))[1]
        answer["Subject"] = f"Re: {to['Subject']}" if self.quotes else "休假中"
        answer["Message-ID"] = make_msgid(domain="kehu.example")
        if self.says_so:
            answer["Auto-Submitted"] = "auto-replied"
            answer["In-Reply-To"] = str(to["Message-ID"])
        number = len(self.answers)
        answer.set_content("我不在。" + (chr(0x4E00 + number) * 9 if self.varies else str(number)))
        await self.post(answer)

    async def post(self, letter: EmailMessage) -> None:
        self.answers.append(await asyncio.to_thread(self._posted, letter))

    def _posted(self, letter: EmailMessage) -> str:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as server:
            server.ehlo()
            server.mail(WU)
            server.rcpt("desk@desk.example")
            code, said = server.data(letter.as_bytes())
            return f"{code} {said.decode()}"

    async def at_rest(self, pool: Pool) -> None:
        """Wait until nobody has anything left to answer."""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = len(self.answers)
                await asyncio.gather(*self.posting)
                owed = await pool.fetchval(
                    "SELECT count(*) FROM outbox WHERE audience = 'customer' AND settled_at IS NULL"
                )
                if not owed and said == len(self.answers) and all(t.done() for t in self.posting):
                    return
                await asyncio.sleep(0.05)


@pytest.fixture
async def reader() -> AsyncIterator[MailReader]:
    async with a_mail_reader() as reader:
        yield reader


@pytest.fixture
async def pool(desk_servers: DeskServers, reader: MailReader) -> AsyncIterator[Pool]:
    """A desk that writes letters to its customers, by a policy with small limits."""
    people = read_roster(ROOT / "examples" / "roster")
    letters = DeliveryChannel(channel="letters", url=reader.url(), customers="email")
    nowhere = {"customers": None, "url": "json://127.0.0.1:9/{to}"}
    known = tuple(each.model_copy(update=nowhere) for each in people.channels)
    people = people.model_copy(update={"channels": (letters, *known)})
    current = rulebook.load(ROOT / "policies" / "standard.toml")
    limits = {"letters": LIMITS, "strangers": Strangers(per_hour=HEARS)}
    policy = current.policy.model_copy(update=limits)
    current = current.model_copy(update={"policy": policy})
    async with postgres.pool(desk_servers.settings.database_url or "", size=20) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await roster.replace(connection, people)
            await rulebooks.adopt(connection, current, by="test", note="")
        yield pool


async def loop(servers: DeskServers, pool: Pool, reader: MailReader, absent: Absent) -> None:
    """Let Wu Qiming write once, and his robot and the desk go on until both are silent."""
    reader.to_letter = absent.take
    async with aclosing(WebhookSender(timeout=PATIENCE)) as sender:
        issues, notifications = workers(servers.client, pool, servers.settings, sender)
        box = LetterBox(
            Desk(servers.client, pool), pool, form(), Attachments.on(pool, servers.settings)
        )
        async with issues, notifications, listening(box, "127.0.0.1", 0) as absent.port:
            first = EmailMessage()
            first["From"], first["Subject"] = f"Wu Qiming <{WU}>", "故障：卡钞"
            first["Message-ID"] = "<first@kehu.example>"
            first.set_content("出钞口卡钞，请派人。")
            await absent.post(first)
            await absent.at_rest(pool)


async def counted(pool: Pool, table: str) -> int:
    return int(await pool.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608  a test's own


async def test_a_robot_that_says_what_it_is_makes_no_issue(
    desk_servers: DeskServers, pool: Pool, reader: MailReader
) -> None:
    absent = Absent(says_so=True, varies=True)
    await loop(desk_servers, pool, reader, absent)
    assert await counted(pool, "issues") == 1
    (ours,) = reader.letters
    assert (ours["Auto-Submitted"], ours["In-Reply-To"]) == ("auto-replied", "<first@kehu.example>")
    assert [answer[:3] for answer in absent.answers] == ["250", "250"]
    # The robot may be quicker than the 250 that the first letter waits for.
    assert "250 2.0.0 taken, automatic" in absent.answers


async def test_a_robot_that_answers_what_it_read_stays_with_its_issue_and_is_not_answered(
    desk_servers: DeskServers, pool: Pool, reader: MailReader
) -> None:
    absent = Absent(says_so=False, varies=True, quotes=True)
    await loop(desk_servers, pool, reader, absent)
    assert (await counted(pool, "issues"), len(reader.letters)) == (1, 1)
    acts = await pool.fetch("SELECT action FROM issue_events WHERE action = 'customer_wrote'")
    assert len(acts) == 1


@pytest.mark.parametrize(("varies", "most"), [(False, 1 + LIMITS.alike), (True, LIMITS.per_hour)])
async def test_a_robot_that_hides_what_it_is_makes_no_more_than_the_policy_allows(
    desk_servers: DeskServers,
    pool: Pool,
    reader: MailReader,
    varies: bool,  # noqa: FBT001
    most: int,
) -> None:
    absent = Absent(says_so=False, varies=varies)
    await loop(desk_servers, pool, reader, absent)
    assert await counted(pool, "issues") == most
    assert len(reader.letters) == most
    assert sum("250 2.0.0 kept with" in answer for answer in absent.answers) == 1
    assert len(absent.answers) == most + 1
    assert await counted(pool, "kept_words") == 1
    told = await pool.fetchval("SELECT count(*) FROM outbox WHERE template = 'escalated'")
    assert told == 1
    for ours in reader.letters:
        assert "卡钞" not in str(ours["Subject"]) + ours.get_content()
