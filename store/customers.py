"""Who is calling: customers, out of the issues they reported. There is no register of customers
beside the issues, so nothing of theirs is kept for longer than the issues are (R2, R30).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import asyncpg

from domain import telephone
from domain.callbacks import identity
from domain.issue.intake import Customer
from domain.telephone import Telephone
from domain.vocabulary import Code, Instant, Model, Outcome, Stage
from store.connection import Pool
from store.issue_writer import customer_of

MOST = 8
"""Customers of an answer: whoever wants others types more."""
_ISSUES = 5
"""Issues shown of each."""
_READ = 300
"""Issues read for an answer, the newest ones: it takes no longer if thousands would fit."""
_FEWEST_DIGITS = 4
_FEWEST_CHARACTERS = 2
_NUMBER = re.compile(r"\+?[\d()\s./-]+")
_COUNTRY = "86"


class Reported(Model):
    """An issue of a customer, as far as it helps to write down the next."""

    number: str
    title: str
    kind: Code
    stage: Stage
    outcome: Outcome | None
    product_line: str
    model: str | None
    serial_number: str | None
    site: str | None
    region: str
    zone: str
    registered_at: Instant

    @property
    def open(self) -> bool:
        """Whether the desk is still at it."""
        return self.stage is not Stage.CLOSED


class Known(Model):
    """A customer with what they reported: what is open comes first, then the newest."""

    customer: Customer
    origin: Reported
    """The issue that these data are from: the newest, or the one that was asked about."""
    issues: tuple[Reported, ...]


def _whole(asked: str) -> Telephone | None:
    """Read what is a whole telephone number and nothing else."""
    try:
        number, alone = telephone.understand(asked)
    except telephone.Unreadable:
        return None
    return number if alone and (number.kind != "unknown" or number.extension) else None


def digits_of(asked: str) -> str | None:
    """Return the digits of what may be a part of a telephone number, None if it is none. Who has an
    extension is found by the number before it.
    """
    if number := _whole(asked):
        return _bare(number)
    written = unicodedata.normalize("NFKC", asked).strip()
    digits = re.sub(r"\D", "", written)
    if len(digits) < _FEWEST_DIGITS or not _NUMBER.fullmatch(written):
        return None
    return digits


async def find(pool: Pool, asked: str) -> list[Known]:
    """Find customers by what an agent hears, those who reported something last first.

    Either the beginning of a telephone number, with or without 0086 or 0, or its last digits, at
    least four; or words of two characters and more, each somewhere in name, organisation or contact
    person. Anything shorter finds nobody.
    """
    if digits := digits_of(asked):
        found, number = _customers(await _by_telephone(pool, digits), _READ), _whole(asked)
        # Whoever has that very extension comes first, then whoever else is behind the switchboard.
        return sorted(found, key=lambda each: telephone.read(each.customer.phone) != number)[:MOST]
    return _customers(await _by_words(pool, asked.split()))


async def known(pool: Pool, number: str) -> Known | None:
    """Return the customer of an issue, with what else they reported; None if there is none."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM issues WHERE number = $1", number)  # noqa: S608
    if row is None:
        return None
    customer = customer_of(row)
    number_of = telephone.read(customer.phone)
    others = await (
        _by_telephone(pool, _bare(number_of)) if number_of else _by_words(pool, [customer.name])
    )
    theirs = [each for each in others if _same(customer_of(each)) == _same(customer)]
    (found,) = _customers(theirs or [row])
    return found.model_copy(update={"customer": customer, "origin": _reported(row)})


async def of(pool: Pool, numbers: Sequence[str]) -> dict[str, Customer]:
    """Return the customers of these issues, by their numbers."""
    query = f"SELECT number, {_OF_CUSTOMER} FROM issues WHERE number = ANY($1)"  # noqa: S608
    return {row["number"]: customer_of(row) for row in await pool.fetch(query, list(numbers))}


_OF_CUSTOMER = (
    "customer_name, customer_type, customer_existing, organisation, contact_person, phone, email,"
    " language"
)
_COLUMNS = f"{', '.join(Reported.model_fields)}, {_OF_CUSTOMER}"
# Found first, then put in order: who plans it thinks that dialled() costs nothing, and would rather
# try it on one issue after the other by their registration, all of them if few fit.
_TELEPHONE = f"""
    WITH fitting AS MATERIALIZED (
        SELECT {_COLUMNS} FROM issues
        WHERE dialled(phone) LIKE $1 OR dialled(phone) LIKE $2 OR reverse(dialled(phone)) LIKE $3
    )
    SELECT * FROM fitting ORDER BY registered_at DESC LIMIT {_READ}
"""  # noqa: S608  columns are the model's
_SAID = "said_of(customer_name, organisation, contact_person)"


def _said_all(words: int) -> str:
    """Write the search for so many words. Each is a condition of its own: that is looked at before
    ``pairs``, which takes ten times as long, where the issues are read by their registration.
    """
    each = "".join(f" AND strpos({_SAID}, ${place}) > 0" for place in range(2, words + 2))
    return f"""
        SELECT {_COLUMNS} FROM issues WHERE pairs({_SAID}) @> pairs($1){each}
        ORDER BY registered_at DESC LIMIT {_READ}
    """  # noqa: S608  columns are the model's


def _dialled(digits: str) -> tuple[str, str, str]:
    """Write how a number may begin, at home and from abroad, and how it ends, from its end."""
    bare = digits.lstrip("0")
    at_home = bare.removeprefix(_COUNTRY).lstrip("0")
    # What is left of too few digits is compared with its zeros, which nobody's begin with.
    begins = [each for each in (bare, at_home) if len(each) >= _FEWEST_DIGITS] or [digits]
    return begins[0] + "%", begins[-1] + "%", digits[::-1] + "%"


def dialled_like(digits: str, value: Callable[[object], str], phone: str = "i.phone") -> str:
    """Write which of the telephones have these digits; ``value`` makes parameters."""
    begins, at_home, ends = map(value, _dialled(digits))
    return (
        f"(dialled({phone}) LIKE {begins} OR dialled({phone}) LIKE {at_home}"
        f" OR reverse(dialled({phone})) LIKE {ends})"
    )


def called_like(asked: str, value: Callable[[object], str]) -> str:
    """Write which issues ``i`` are of a customer with all these words in their names; nothing where
    there are none long enough.
    """
    words = _called(asked.split())
    if not words:
        return ""
    said = "said_of(i.customer_name, i.organisation, i.contact_person)"
    pairs = f"pairs({said}) @> pairs({value(_LINE.join(words))})"
    return " AND ".join((pairs, *(f"strpos({said}, {value(word)}) > 0" for word in words)))


_LINE = "\n"


def _called(asked: Sequence[str]) -> list[str]:
    """Write words as said_of() has them; none if all are too short."""
    words = [*dict.fromkeys(unicodedata.normalize("NFKC", each).lower() for each in asked)]
    return words if any(len(word) >= _FEWEST_CHARACTERS for word in words) else []


async def _by_telephone(pool: Pool, digits: str) -> list[asyncpg.Record]:
    return await _fetch(pool, _TELEPHONE, *_dialled(digits))


async def _by_words(pool: Pool, asked: Sequence[str]) -> list[asyncpg.Record]:
    if not (words := _called(asked)):
        return []
    return await _fetch(pool, _said_all(len(words)), _LINE.join(words), *words)


async def _fetch(pool: Pool, query: str, *arguments: object) -> list[asyncpg.Record]:
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        # What is quickest depends on what is asked: half of them are a bank, one is Zhang Wei.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        return rows


def _customers(rows: Sequence[asyncpg.Record], most: int = MOST) -> list[Known]:
    """Make one of all the issues of a customer; ``rows`` are newest first, and so are they. Whom
    somebody may be is not looked into once there are enough: a telephone number takes long to read.
    """
    of: dict[tuple[str, str], list[asyncpg.Record]] = {}
    for row in rows:
        name = row["customer_name"].casefold()
        if len(of) < most or any(name == of_them for _, of_them in of):
            of.setdefault(_same(customer_of(row)), []).append(row)
    return [_known(theirs) for theirs in [*of.values()][:most]]


def _known(theirs: Sequence[asyncpg.Record]) -> Known:
    shown = sorted(theirs, key=lambda row: row["stage"] == Stage.CLOSED)[:_ISSUES]
    return Known(
        customer=customer_of(theirs[0]),
        origin=_reported(theirs[0]),
        issues=tuple(map(_reported, shown)),
    )


def _bare(number: Telephone) -> str:
    return number.number.removeprefix(f"+{_COUNTRY}").removeprefix("+")


def _same(customer: Customer) -> tuple[str, str]:
    """Tell people apart who share a telephone."""
    return identity(customer), customer.name.casefold()


def _reported(row: asyncpg.Record) -> Reported:
    return Reported(**{name: row[name] for name in Reported.model_fields})
