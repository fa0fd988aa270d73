"""What the desk's people look at besides the issues: the clerk's list while they run; the quality
sample, and a register to hand out, when the day is over.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain import quality, telephone
from domain.calendars.timeline import midnight
from domain.callbacks import Call
from domain.quality import Lot, Sample
from domain.vocabulary import DESK
from store import callbacks
from store import quality as samples
from store.connection import Pool
from store.exports import registers
from store.exports.registers import Asked, RegisterSize
from store.exports.spreadsheets import Format, Look, writing

_LOOKS = 1.0
_SHOWN = 4
_NUMBERS = 3
"""Customers to be called, and records of the sample, that are shown."""
_COLUMNS = {"期限 Due": 8, "客户 Customer": 22, "电话 Phone": 18, "问题 Issues": 42}
"""Of the callback list, with their widths."""
_EXPORTED = "complaints"
_DAY = timedelta(days=1)


class CallList:
    """The callback clerk's list as it was when it was longest."""

    def __init__(self, pool: Pool, zone: ZoneInfo) -> None:
        self._pool = pool
        self._zone = zone
        self.calls: Sequence[Call] = ()
        self.at: datetime | None = None

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            now = datetime.now(UTC).astimezone(self._zone)
            calls = await callbacks.todays(
                self._pool, midnight(now.date() + _DAY, self._zone), self._zone
            )
            if len(calls) > len(self.calls):
                self.calls, self.at = calls, now
            await asyncio.sleep(_LOOKS)

    def shown(self) -> RenderableType:
        """Whom to call first, and about what (R22)."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
        for head, width in _COLUMNS.items():
            table.add_column(head, no_wrap=True, overflow="ellipsis", width=width)
        for call in self.calls[:_SHOWN]:
            case = call.cases[0]
            more = f"（另 {len(call.cases) - 1} 个 more）" if len(call.cases) > 1 else ""
            table.add_row(
                f"{call.due_at.astimezone(self._zone):%H:%M:%S}",
                call.customer.name,
                telephone.shown(call.customer.phone or "") or call.customer.email or "—",
                f"{case.number}{more} {case.title}",
            )
        at = f"{self.at:%H:%M:%S}" if self.at else "—"
        head = f"回访清单 The callback list at {at}: {len(self.calls)} customers to call"
        return Group(Text(head, style="bold"), table)


async def sample(pool: Pool, zone: ZoneInfo, began: datetime) -> Sample:
    """Draw a quality sample of the play's day or days (R28), as it will be drawn when that is over:
    nothing is closed any more, so the day counts as past.
    """
    now = datetime.now(UTC)
    first, last = began.astimezone(zone).date(), now.astimezone(zone).date()
    lot = Lot(first=first, last=last, seed=quality.usual_seed(first, last))
    number, _ = await samples.draw(pool, lot, DESK, now + _DAY)
    drawn = await samples.sample(pool, number)
    assert drawn is not None  # noqa: S101  it was drawn just now
    return drawn


def sampled(drawn: Sample) -> RenderableType:
    """Which records are to be checked."""
    of = sum(drawn.population.values())
    head = (
        f"质量抽检 Quality sample {drawn.number}: {len(drawn.records)} of {of} records, "
        f"at least {drawn.share:.0%} of each of {len(drawn.population)} people's"
    )
    numbers = ", ".join(record.number for record in drawn.records[:_NUMBERS])
    how = f"{numbers}, …  种子 seed {drawn.seed}"
    return Group(Text(head, style="bold"), Text(how, style="dim"))


async def export(pool: Pool, zone: ZoneInfo, home: Path) -> Path:
    """Write the complaint register to a spreadsheet in ``home``, replacing an earlier one."""
    register = registers.named(_EXPORTED)
    out = home / f"{register.name}.{Format.XLSX}"
    look = Look(register.zh, register.columns, zone)
    with writing(out, Format.XLSX, look, force=True) as sheet:
        async with registers.reading(pool, register, Asked(zone=zone.key)) as rows:
            async for row in rows:
                sheet.add(tuple(row.values()))
    return out


def exported(out: Path, held: Sequence[RegisterSize]) -> RenderableType:
    """Where it is, and what the other registers hold."""
    register = registers.named(_EXPORTED)
    filled = ", ".join(f"{each.zh} {each.rows}" for each in held if each.rows)
    head = f"《{register.zh}》 {register.en} → "
    return Group(Text.assemble((head, "bold"), str(out)), Text(filled, style="dim"))
