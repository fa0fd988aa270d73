"""Links for text messages: a customer's link in fifteen bytes, where it fits.

The parts of a link are put one after the other as numbers of so many bits. What does not fit (a
link of the staff, of before there were marks, a number above all bounds) is written at length.
"""

from __future__ import annotations

import re
import string
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from domain.links import CUSTOMER, Link, Purpose

BYTES = 15
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_SIGNS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_NUMBER = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d{2,4})-(\d{4}|[1-9]\d{4})", re.ASCII)
# Their places are in links that went out: new ones come last.
_PURPOSES = (
    *(Purpose.ACCEPT, Purpose.COMPLETE, Purpose.PROGRESS),
    *(Purpose.TEST, Purpose.CONFIRM, Purpose.EVALUATE),
)


class _Parts(NamedTuple):
    """The numbers of a link."""

    day: int
    agent: int
    """With a 1 before it, or its zeros were lost."""
    serial: int
    purpose: int
    generation: int
    until: int
    """Minutes."""
    mark: int


_BITS = _Parts(day=16, agent=15, serial=17, purpose=3, generation=9, until=24, mark=36)


def pack(link: Link) -> bytes | None:
    """Write a link in few bytes; None: it does not fit."""
    parts = _parts(link)
    if parts is None or any(not 0 <= n < 1 << bits for n, bits in zip(parts, _BITS, strict=True)):
        return None
    packed = 0
    for number, bits in zip(parts, _BITS, strict=True):
        packed = packed << bits | number
    return packed.to_bytes(BYTES)


def unpack(packed: bytes) -> Link:
    """Read what ``pack`` wrote.

    Raises:
        ValueError: it wrote no such thing.
    """
    left, found = int.from_bytes(packed), []
    for bits in reversed(_BITS):
        found.append(left & (1 << bits) - 1)
        left >>= bits
    parts = _Parts(*reversed(found))
    if left or parts.purpose >= len(_PURPOSES):
        raise ValueError("no link was written like this")
    day = _EPOCH.date() + timedelta(days=parts.day)
    return Link(
        number=f"{day:%Y%m%d}-{str(parts.agent)[1:]}-{parts.serial:04d}",
        purpose=_PURPOSES[parts.purpose],
        person=CUSTOMER,
        generation=parts.generation,
        until=_EPOCH + parts.until * _MINUTE,
        mark="".join(_SIGNS[parts.mark >> shift & 63] for shift in range(30, -1, -6)),
    )


def _parts(link: Link) -> _Parts | None:
    number = _NUMBER.fullmatch(link.number)
    until, seconds = divmod(link.until - _EPOCH, _MINUTE)
    if link.person != CUSTOMER or link.purpose not in _PURPOSES:
        return None
    if number is None or link.mark is None or seconds:
        return None
    year, month, day, agent, serial = number.groups()
    places = [_SIGNS.find(sign) for sign in link.mark]
    if min(places) < 0:
        return None
    return _Parts(
        day=(date(int(year), int(month), int(day)) - _EPOCH.date()).days,
        agent=int(f"1{agent}"),
        serial=int(serial),
        purpose=_PURPOSES.index(link.purpose),
        generation=link.generation,
        until=until,
        mark=sum(place << shift for place, shift in zip(places, range(30, -1, -6), strict=True)),
    )
