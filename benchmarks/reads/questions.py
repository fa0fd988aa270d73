"""What is asked of the register: by the functions that the pages and commands ask by, each time for
something else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from benchmarks.reads.plan import a_customer
from domain.calendars.timeline import midnight
from domain.vocabulary import Stage
from starter.register import Filter, Place, Register
from starter.registers import Registers
from store import auditing, gauges, issue_reader, quality, replanning, roster
from store.auditing import LATELY
from store.connection import Pool
from store.exports import registers

_ON_A_PAGE = 60
_ON_MY_PAGE = 200
"""As the board and the engineer's page have them."""


class Sort(StrEnum):
    """What kind of question it is; the aim is for the first two."""

    PAGE = "page"
    SEARCH = "search"
    REPORT = "report"
    AUDIT = "audit"


AIMED_AT = frozenset({Sort.PAGE, Sort.SEARCH})


@dataclass(frozen=True)
class Known:
    """What is in the register, to ask about."""

    numbers: Sequence[str]
    engineers: Sequence[str]
    departments: Sequence[str]
    agents: Sequence[str]
    regions: Sequence[str]
    phones: Sequence[str]
    words: Sequence[str]
    contacts: Sequence[str]
    places: Sequence[Place]
    rulebook: str
    office: str
    """Somebody of the GM office."""
    zone: ZoneInfo

    @classmethod
    async def of(cls, pool: Pool, zone: ZoneInfo) -> Known:
        """Look what there is."""

        async def values(what: str, which: str = "true") -> list[str]:
            # Columns and conditions are of this file.
            query = f"SELECT DISTINCT {what} AS value FROM issues WHERE {which} ORDER BY 1"  # noqa: S608
            return [row["value"] for row in await pool.fetch(query)]

        open_ = "closed_at IS NULL"
        return cls(
            numbers=await values("number"),
            engineers=await values("engineer", f"{open_} AND engineer IS NOT NULL"),
            departments=await values("department", open_),
            agents=await values("agent", open_),
            regions=await values("region"),
            phones=await values("phone"),
            words=await values("customer_name"),
            contacts=await values("contact_person", "contact_person IS NOT NULL"),
            places=[Place(**dict(row)) for row in await pool.fetch(_PLACES)],
            rulebook=await pool.fetchval("SELECT version FROM adoptions ORDER BY id DESC LIMIT 1"),
            office=await pool.fetchval("SELECT id FROM members WHERE role = 'gm_office' LIMIT 1"),
            zone=zone,
        )


_PLACES = """
SELECT min(due_at) AS next_due_at, registered_at, id FROM issues
JOIN promises ON issue_id = id AND ended_at IS NULL WHERE closed_at IS NULL GROUP BY id ORDER BY id
"""


@dataclass(frozen=True)
class Asked:
    """Whom to ask, what there is, and the chance that chooses among it. The registers are asked as
    the doors have them: one for all that is asked, which knows the roster until it changes.
    """

    pool: Pool
    known: Known
    chance: random.Random
    registers: Registers
    http: httpx2.AsyncClient
    """Somebody of the GM office at the doors, who is shown everything."""

    @property
    def register(self) -> Register:
        """As whoever only looks has it."""
        return Register(self.pool)

    def any(self, what: Sequence[str]) -> str:
        """Choose one."""
        return self.chance.choice(what)


Ask = Callable[[Asked], Awaitable[object]]


@dataclass(frozen=True)
class Question:
    """Something that is asked, and of which sort."""

    name: str
    sort: Sort
    ask: Ask


# Boards and lists ---------------------------------------------------------------------------------


async def _board(asked: Asked, wanted: Filter, after: Place | None = None) -> None:
    await asyncio.gather(_staff(asked, wanted.department), asked.register.page(wanted, after))


async def _staff(asked: Asked, department: str | None) -> None:
    await asked.registers.staff.loads(department)
    await _roster(asked)
    await _rulebook(asked)
    await asked.registers.staff.centre_names()


async def _shown(asked: Asked, path: Callable[[Asked], str]) -> None:
    """Be shown a page, as far as the browser."""
    (await asked.http.get(path(asked), headers={"Accept": "text/html"})).raise_for_status()


def _departments_page(asked: Asked) -> str:
    return f"/board?department={asked.any(asked.known.departments)}"


async def _loads(asked: Asked) -> None:
    await asked.registers.staff.loads(None)


async def _roster(asked: Asked) -> None:
    await asked.registers.staff.members()


async def _rulebook(asked: Asked) -> None:
    await asked.registers.staff.rulebook()


async def _whole_board(asked: Asked, **more: Any) -> None:
    await _board(asked, Filter(limit=_ON_A_PAGE, **more))


async def _departments_board(asked: Asked, **more: Any) -> None:
    await _whole_board(asked, department=asked.any(asked.known.departments), **more)


async def _further_on(asked: Asked) -> None:
    """Begin the page behind an issue from anywhere in the list, as a link of a board does."""
    after = asked.chance.choice(asked.known.places)
    await _board(asked, Filter(limit=_ON_A_PAGE), after)


async def _mine(asked: Asked) -> None:
    await asked.register.issues(
        Filter(engineer=asked.any(asked.known.engineers), limit=_ON_MY_PAGE)
    )


async def _agents(asked: Asked) -> None:
    await asked.register.issues(Filter(agent=asked.any(asked.known.agents)))


async def _list(asked: Asked, **wanted: Any) -> None:
    await asked.register.issues(Filter(**wanted))


async def _list_of_a_region(asked: Asked) -> None:
    await _list(asked, region=asked.any(asked.known.regions))


async def _list_of_an_engineer(asked: Asked) -> None:
    await _list(asked, engineer=asked.any(asked.known.engineers), open_only=False)


async def _list_of_a_department(asked: Asked) -> None:
    await _list(asked, department=asked.any(asked.known.departments), open_only=False)


async def _one(asked: Asked) -> None:
    await asked.register.show(asked.any(asked.known.numbers))


async def _record(asked: Asked) -> None:
    await asked.register.record(asked.any(asked.known.numbers))


async def _calls(asked: Asked) -> None:
    zone = asked.known.zone
    tomorrow = datetime.now(zone).date() + timedelta(days=1)
    await asked.registers.calls.todays(midnight(tomorrow, zone), zone)


async def _undelivered(asked: Asked) -> None:
    await asked.register.undelivered()


async def _trail(asked: Asked) -> None:
    await asked.registers.audit_trail.entries()


async def _trail_of_one(asked: Asked) -> None:
    await asked.registers.audit_trail.entries(number=asked.any(asked.known.numbers))


# Searches -----------------------------------------------------------------------------------------


async def _find(asked: Asked, said: Callable[[Asked], str]) -> None:
    await asked.registers.customers.find(said(asked))


def _phone(asked: Asked) -> str:
    return asked.any(asked.known.phones)


def _beginning(asked: Asked) -> str:
    return _phone(asked)[4:9]


def _last_digits(asked: Asked) -> str:
    return _phone(asked)[-4:]


def _name(asked: Asked) -> str:
    return asked.any(asked.known.words)


def _place(asked: Asked) -> str:
    return _name(asked)[:2]


def _kind(asked: Asked) -> str:
    return _name(asked)[-2:]


def _contact(asked: Asked) -> str:
    return asked.any(asked.known.contacts)


def _strangers(asked: Asked) -> str:
    """Ask for two words each of which many are called, and nobody both."""
    return f"{_kind(asked)} {a_customer(asked.chance).organisation[:2]}行长"


def _two_words(asked: Asked) -> str:
    return f"{_kind(asked)} {_contact(asked)[1:]}"


async def _customer_of(asked: Asked) -> None:
    await asked.registers.customers.of_issue(asked.any(asked.known.numbers))


# Reports and gauges -------------------------------------------------------------------------------


async def _gauges(asked: Asked) -> None:
    await gauges.read(asked.pool)


async def _quality_sample(asked: Asked) -> None:
    for each in (await quality.samples(asked.pool))[:1]:
        await quality.sample(asked.pool, each.number)


async def _quality_report(asked: Asked) -> None:
    for each in (await quality.samples(asked.pool))[:1]:
        await quality.report(asked.pool, each.number)


async def _held(asked: Asked) -> None:
    await registers.held(asked.pool, asked.known.zone.key)


async def _export(asked: Asked, name: str, reach: timedelta | None) -> None:
    now = datetime.now(UTC)
    since = now - asked.chance.random() * timedelta(days=600) if reach else None
    until = since + reach if since and reach else None
    wanted = registers.Asked(since=since, until=until, zone=asked.known.zone.key)
    async with registers.reading(asked.pool, registers.REGISTERS[name], wanted) as rows:
        async for _ in rows:
            pass


# Audits -------------------------------------------------------------------------------------------


async def _living(asked: Asked) -> None:
    await issue_reader.living(asked.pool)


async def _lately(asked: Asked) -> None:
    await auditing.lately(asked.pool, datetime.now(UTC) - LATELY)


async def _missed(asked: Asked) -> None:
    await auditing.missed(asked.pool, datetime.now(UTC))


async def _lying(asked: Asked) -> None:
    await auditing.lying(asked.pool, datetime.now(UTC))


async def _serials(asked: Asked) -> None:
    await auditing.serials_behind(asked.pool, ())


async def _to_hand_over(asked: Asked) -> None:
    async with asked.pool.acquire() as connection:
        await roster.open_issues(connection)


async def _engineers(asked: Asked) -> None:
    async with asked.pool.acquire() as connection:
        await roster.engineers(connection)


async def _behind(asked: Asked) -> None:
    await replanning.numbers_behind(asked.pool, asked.known.rulebook)


_SAID: Mapping[str, Callable[[Asked], str]] = {
    "a telephone number": _phone,
    "how it begins": _beginning,
    "its last four digits": _last_digits,
    "a name": _name,
    "a name's place": _place,
    "a kind that many are of": _kind,
    "a contact person": _contact,
    "two words": _two_words,
    "words that nobody has both": _strangers,
}
_PAGES: Mapping[str, Ask] = {
    "board, all": _whole_board,
    "board of a department": _departments_board,
    "board, overdue": partial(_whole_board, overdue=True),
    "board, with nobody": partial(_whole_board, unassigned=True),
    "board, waiting": partial(_departments_board, stage=Stage.WAITING),
    "board, further on": _further_on,
    "board of all as a page": partial(_shown, path=lambda _: "/board"),
    "board of a department as a page": partial(_shown, path=_departments_page),
    "of a board, who has how much": _loads,
    "of a board, the roster": _roster,
    "of a board, the rulebook": _rulebook,
    "my issues": _mine,
    "an agent's page": _agents,
    "list, open": _list,
    "list of a region": _list_of_a_region,
    "list, complaints": partial(_list, kind="complaint"),
    "list, provisional": partial(_list, provisional=True),
    "list, closed as well": partial(_list, open_only=False),
    "list of an engineer, closed as well": _list_of_an_engineer,
    "list of a department, closed as well": _list_of_a_department,
    "an issue": _one,
    "an issue with its customer": _record,
    "the calls of the day": _calls,
    "messages not delivered": _undelivered,
    "audit trail": _trail,
    "audit trail of an issue": _trail_of_one,
}
_REPORTS: Mapping[str, Ask] = {
    "gauges": _gauges,
    "quality sample": _quality_sample,
    "quality report": _quality_report,
    "export, issues of a week": partial(_export, name="issues", reach=timedelta(days=7)),
    "export, callbacks of a month": partial(_export, name="callbacks", reach=timedelta(days=30)),
    "export, telephone of a month": partial(_export, name="telephone", reach=timedelta(days=30)),
    "export, all issues": partial(_export, name="issues", reach=None),
    "how large registers are": _held,
}
_AUDITS: Mapping[str, Ask] = {
    "living issues": _living,
    "issues of late": _lately,
    "alarms missed": _missed,
    "messages lying": _lying,
    "serials behind": _serials,
    "issues to hand over": _to_hand_over,
    "engineers and their load": _engineers,
    "issues to plan again": _behind,
}
QUESTIONS: Sequence[Question] = (
    *(Question(name, Sort.PAGE, ask) for name, ask in _PAGES.items()),
    *(
        Question(f"search: {name}", Sort.SEARCH, partial(_find, said=said))
        for name, said in _SAID.items()
    ),
    Question("search: an issue's customer", Sort.SEARCH, _customer_of),
    *(Question(name, Sort.REPORT, ask) for name, ask in _REPORTS.items()),
    *(Question(name, Sort.AUDIT, ask) for name, ask in _AUDITS.items()),
)
