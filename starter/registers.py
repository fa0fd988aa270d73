"""The registers beside the issues, for whoever is at a door: one small facade a concern.

Everything here raises ``Unavailable`` when there is no answer, or none in time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.callbacks import Call
from domain.calls import PhoneCall, Told
from domain.errors import Refused
from domain.finding import Answer
from domain.issue.intake import Customer
from domain.knowledge.cases import KnownCase
from domain.links import Link
from domain.opinions import FromAnybody, FromStaff, Opinion, Waits
from domain.scripts import UNWORDED, Wording
from domain.sla import policy
from domain.sla.rulebook import Rulebook
from domain.staff.access import Caller
from domain.staff.roster import Member
from domain.vocabulary import Actor
from runtime.aio import within
from starter.answering import OnRegisters, Unavailable, answered
from starter.remarks import ReadingList
from starter.reports import Reports
from store import (
    callbacks,
    cases,
    customers,
    door_log,
    ended_sessions,
    event_log,
    finding,
    kept_words,
    letter_senders,
    letters,
    opinions,
    outbox,
    roster,
    tokens,
    workload,
)
from store import calls as phone_calls
from store.cases import Found
from store.connection import Pool
from store.customers import Known, Reported
from store.door_log import UNKNOWN, Entry
from store.event_log import BEGINNING, Page, Position, Whose
from store.finding import Searcher
from store.kept_words import Kept, KeptWith, Why
from store.letter_senders import Named, TooMany, Written
from store.letters import KeptLetter
from store.roster import KnownStaff
from store.rulebooks import Rulebooks
from store.tokens import Admitted
from store.wordings import Wordings
from store.workload import Load

__all__ = [
    "BEGINNING",
    "UNKNOWN",
    "Admission",
    "Admitted",
    "AuditTrail",
    "CallList",
    "CaseLibrary",
    "Correspondents",
    "Customers",
    "Entry",
    "Events",
    "Finding",
    "Found",
    "Kept",
    "KeptLetter",
    "KeptWith",
    "Known",
    "Letters",
    "Load",
    "Named",
    "Opinions",
    "Page",
    "Position",
    "Registers",
    "Reported",
    "Reports",
    "Scripts",
    "Staff",
    "Telephone",
    "TooMany",
    "UsedLinks",
    "Whose",
    "Why",
    "Written",
]


_GLANCE = 2.0
"""Seconds within which PostgreSQL says what a page can do without."""


class Staff(OnRegisters):
    """Who works here, when, and on what. Roster and rulebook are read again only when they have
    changed: pages need them all the time.
    """

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._roster = KnownStaff()
        self._rulebooks = Rulebooks()
        self._letterhead = policy.Desk()

    async def members(self) -> list[Member]:
        """Return everybody on the roster."""
        async with self._connected() as connection:
            now = await self._roster.now(connection)
        return list(now.members.values())

    async def regions(self) -> list[str]:
        """List the regions that some centre serves."""
        async with self._connected() as connection:
            return await roster.regions(connection)

    async def centre_names(self) -> dict[str, str]:
        """Say what the service centres are called, by their codes."""
        async with self._connected() as connection:
            now = await self._roster.now(connection)
        return {code: centre.name for code, centre in now.centres.items()}

    async def rulebook(self) -> Rulebook | None:
        """Return the policy and calendars that count now; None before the first was adopted."""
        async with self._connected() as connection:
            return await self._rulebooks.newest(connection)

    async def letterhead(self) -> policy.Desk:
        """Say who we are to customers, and whom they can call: as it was known last while there is
        no answer, for then they want to know it all the more. Raises nothing.
        """
        with suppress(Unavailable, TimeoutError):
            current = await within(_GLANCE, self.rulebook())
            self._letterhead = current.policy.desk if current else policy.Desk()
        return self._letterhead

    async def loads(self, department: str | None) -> list[Load]:
        """Count what every engineer has open, in a department or in all, and what nobody has."""
        return await answered(workload.loads(self._pool, department))


class Customers(OnRegisters):
    """Who called before (R30: every look is to be written down)."""

    async def find(self, asked: str) -> list[Known]:
        """Find customers by what one knows of them."""
        return await answered(customers.find(self._pool, asked))

    async def of_issue(self, number: str) -> Known | None:
        """Return the customer of an issue, with what else they reported."""
        return await answered(customers.known(self._pool, number))

    async def of(self, numbers: Sequence[str]) -> dict[str, Customer]:
        """Return the customers of these issues, by their numbers."""
        return await answered(customers.of(self._pool, numbers))


class CaseLibrary(OnRegisters):
    """Known solutions that may be told (R8, R29)."""

    async def search(self, words: str, product_line: str | None, limit: int) -> list[Found]:
        """Find approved cases by what a customer says, best first."""
        return await answered(cases.search(self._pool, words, product_line, limit))

    async def approved(self, number: str) -> KnownCase | None:
        """Return an approved case; None: there is none of that number, or it is not."""
        async with self._connected() as connection:
            return await cases.approved(connection, number)


class Finding(OnRegisters):
    """Issues by what one knows of them (R30: looks at customers are to be written down)."""

    async def find(self, who: Caller, typed: str, limit: int = finding.MOST) -> Answer:
        """Find those that somebody reaches, by what they may read of them."""
        return await answered(finding.find(self._pool, Searcher.of(who), typed, limit))


class CallList(OnRegisters):
    """Whom to call back (R22)."""

    async def todays(self, until: datetime, zone: ZoneInfo) -> list[Call]:
        """List the calls that are due before an instant, by customer."""
        return await answered(callbacks.todays(self._pool, until, zone))


class Opinions(OnRegisters):
    """What customers say of the service without a link (R26)."""

    async def from_website(
        self, key: str, opinion: FromAnybody, now: datetime, zone: ZoneInfo
    ) -> None:
        """Keep what somebody filled in at the open door, whoever they are.

        Raises:
            Refused: ``Invalid``.
        """
        _refuse_impossible(opinion, now, zone)
        await answered(opinions.from_website(self._pool, key, opinion, now, zone))

    async def from_staff(
        self, key: str, opinion: FromStaff, by: Actor, now: datetime, zone: ZoneInfo
    ) -> None:
        """Keep what somebody of ours heard or has on paper.

        Raises:
            Refused: ``Invalid``, ``NotAllowed``.
        """
        _refuse_impossible(opinion, now, zone)
        await answered(opinions.from_staff(self._pool, key, opinion, by, now, zone))

    async def waiting(self) -> list[Waits]:
        """List those of which nobody knows yet whose they are."""
        return await answered(opinions.waiting(self._pool))

    async def settle(self, key: str, who: Caller, now: datetime, *, counts: bool) -> None:
        """Say whether one counts.

        Raises:
            Refused: ``NotFound``, ``NotAllowed``.
        """
        settled = opinions.settle(
            self._pool, key, who.by, now, counts=counts, department=who.department
        )
        await answered(settled)


def _refuse_impossible(opinion: Opinion, now: datetime, zone: ZoneInfo) -> None:
    if wrong := "\n".join(opinion.impossible(now.astimezone(zone).date())):
        raise Refused("Invalid", wrong)


class Telephone(OnRegisters):
    """What the telephone system recorded (R45)."""

    async def record(self, source: str, calls: Sequence[PhoneCall], now: datetime) -> Told:
        """Write calls down, all or none; those that were sent before are told apart."""
        return await answered(phone_calls.record(self._pool, source, calls, now))


class Admission(OnRegisters):
    """Whom a token, a name or a session lets in."""

    async def by_token(self, digest: bytes) -> Admitted | None:
        """Say whom a token lets in, by its digest."""
        return await answered(tokens.by_digest(self._pool, digest))

    async def by_token_id(self, id_: str) -> Admitted | None:
        """Say whom a token lets in, by its id."""
        return await answered(tokens.by_id(self._pool, id_))

    async def by_person(self, person: str) -> Admitted | None:
        """Say as whom somebody of the roster is let in."""
        return await answered(tokens.by_person(self._pool, person))

    async def is_over(self, session: str) -> bool:
        """Say whether a session was ended."""
        return await answered(ended_sessions.is_over(self._pool, session))

    async def end(self, sessions: Collection[str], at: datetime, over: datetime) -> None:
        """Write down that sessions ended; forget those that ended before ``over``."""
        await answered(ended_sessions.end(self._pool, sessions, at, over))


class AuditTrail(OnRegisters):
    """Who saw and did what (R30)."""

    async def note(self, *entries: Entry) -> None:
        """Write down what somebody saw or did."""
        await answered(door_log.note(self._pool, *entries))

    async def entries(
        self, *, number: str | None = None, before: datetime | None = None, limit: int = 100
    ) -> list[Entry]:
        """Return a piece of it, newest first."""
        return await answered(
            door_log.entries(self._pool, number=number, before=before, limit=limit)
        )


class Correspondents(OnRegisters):
    """What is known of those who write letters, and of the letters that we wrote."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._roster = KnownStaff()
        self._rulebooks = Rulebooks()

    async def channels(self) -> list[str]:
        """Return the URLs of the channels that the desk sends over. Confidential."""
        async with self._connected() as connection:
            return [each.url for each in (await self._roster.now(connection)).channels]

    async def admit(self, letter: Written) -> None:
        """Let a letter become an issue, as often as the policy lets its sender.

        Raises:
            TooMany: it may not.
        """
        async with self._connected() as connection:
            current = await self._rulebooks.newest(connection)
        allowed = current.policy.letters if current else policy.Letters()
        await answered(letter_senders.admit(self._pool, letter, allowed))

    async def named(self, numbers: Sequence[str]) -> list[Named]:
        """Find the issues that somebody's words name, in the order in which they do."""
        return await answered(letter_senders.named(self._pool, numbers)) if numbers else []

    async def forget(self, issue_id: str) -> None:
        """Take back that a letter becomes an issue, or belongs to one."""
        await answered(letter_senders.forget(self._pool, issue_id))

    async def keep(self, kept: Kept) -> bool:
        """Keep words with an issue that is in the register; False if they were kept before."""
        return await answered(kept_words.keep(self._pool, kept))

    async def kept_with(self, key: str) -> KeptWith | None:
        """Say with which issue words were kept; None: they were not."""
        return await answered(kept_words.kept_with(self._pool, key))

    async def came_back(self, keys: Sequence[str], says: str) -> dict[str, str | None]:
        """Write down that messages came back, and give them to a person; return the issues of those
        that counted as delivered until now, by their keys.
        """
        return await answered(outbox.came_back(self._pool, keys, says))


class UsedLinks(OnRegisters):
    """Links in messages do what they are for once; so much is written by them within an hour."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._rulebooks = Rulebooks()

    async def admit(self, name: str, link: Link, at: datetime, address: str) -> bool:
        """Let something be written by a customer's link, as often as the policy lets them."""
        async with self._connected() as connection:
            current = await self._rulebooks.newest(connection)
        rule = current.policy.conversation if current else policy.Conversation()
        return await answered(
            door_log.admit(self._pool, name, link, at, address, rule.by_link_per_hour)
        )

    async def used_at(self, id_: str) -> datetime | None:
        """Say when a link was used; None: it was not."""
        return await answered(door_log.link_used(self._pool, id_))

    async def use(self, id_: str, link: Link, at: datetime, address: str) -> None:
        """Write down that a link was used."""
        await answered(door_log.use_link(self._pool, id_, link, at, address))


class Letters(OnRegisters):
    """Letters as they came (R30: every look is to be written down)."""

    async def keep(self, issue_id: str, raw: bytes, at: datetime) -> str:
        """Keep a letter with an issue, once; return what it is known by there."""
        return await answered(letters.keep(self._pool, issue_id, raw, at))

    async def has(self, issue_id: str, raw: bytes) -> bool:
        """Say whether that very letter is kept with an issue."""
        return await answered(letters.has(self._pool, issue_id, raw))

    async def of_issue(self, issue_id: str) -> list[KeptLetter]:
        """List what is kept of an issue's letters, in the order they came."""
        return await answered(letters.of_issue(self._pool, issue_id))

    async def read(self, issue_id: str, id_: str) -> bytes | None:
        """Return a letter as it came; None: it is not kept (any more)."""
        return await answered(letters.read(self._pool, issue_id, id_))


class Scripts(OnRegisters):
    """What is said on the telephone (R40)."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._wordings = Wordings()

    async def wording(self) -> Wording:
        """Return the desk's scripts that count now; none before any were loaded."""
        async with self._connected() as connection:
            return await self._wordings.newest(connection) or UNWORDED


class Events(OnRegisters):
    """Every step of every issue, for other systems: no customer data. Who may see which is the
    caller's to know.
    """

    async def now(self) -> Position:
        """Say from where on to read for what is written from now on."""
        async with self._connected() as connection:
            return await event_log.now(connection)

    async def page(self, whose: Whose, after: Position, limit: int) -> Page:
        """Read on behind a position."""
        async with self._connected() as connection:
            return await event_log.page(connection, whose, after, limit)


@dataclass(frozen=True)
class Registers:
    """All of them."""

    staff: Staff
    customers: Customers
    cases: CaseLibrary
    finding: Finding
    calls: CallList
    telephone: Telephone
    opinions: Opinions
    reading: ReadingList
    admission: Admission
    audit_trail: AuditTrail
    links: UsedLinks
    letters: Letters
    events: Events
    correspondents: Correspondents
    scripts: Scripts
    reports: Reports

    @classmethod
    def on(cls, pool: Pool) -> Registers:
        """Read and write them on a pool, which stays its maker's to close."""
        return cls(
            Staff(pool),
            Customers(pool),
            CaseLibrary(pool),
            Finding(pool),
            CallList(pool),
            Telephone(pool),
            Opinions(pool),
            ReadingList(pool),
            Admission(pool),
            AuditTrail(pool),
            UsedLinks(pool),
            Letters(pool),
            Events(pool),
            Correspondents(pool),
            Scripts(pool),
            Reports(pool),
        )
