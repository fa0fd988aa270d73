"""What goes along with a report's letter: the edition as files, printed anew whenever the letter is
sent. An edition never changes, so they come out the same, and nothing need be kept (R27).
"""

from __future__ import annotations

import asyncio

import structlog

from activities.sending import Enclosure, File
from domain.errors import Refused
from domain.reports.access import department_for
from domain.reports.definitions import REPORTS, Report
from domain.reports.editions import Enclosed
from domain.reports.layout import Sheets, laid_out
from domain.staff.access import as_caller
from domain.vocabulary import Language
from printing.files import KINDS, called
from store import AWAY, roster
from store.connection import Connection, Pool
from store.outbox import Posting
from store.reports import editions

LARGEST = 5 * 2**20
"""Bytes of all files of a letter. On the way they are a third more: so that is less than the 10 MB
that mail servers take at the least, and what a slow line carries while an answer is waited for.
"""
_SAYS = {
    Language.ZH: "附件为本报表的 Excel 和 PDF 文件。",
    Language.EN: "Attached: this report as a spreadsheet and as PDF.",
}
_SAYS_WITHOUT_WORDS = {
    Language.ZH: "附件为本报表的 Excel 和 PDF 文件，不含客户原话；客户原话请登录后查看。",
    Language.EN: "Attached: this report as a spreadsheet and as PDF, without what customers said: "
    "sign in to read that.",
}

_log = structlog.get_logger(__name__)


class Enclosing:
    """Prints what letters enclose."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        # It is work for a processor, and issues are not to wait for all of them.
        self._printing = asyncio.Semaphore(1)

    async def with_(self, posting: Posting) -> Enclosure | None:
        """Return what goes along with a letter; None: nothing does, and the letter goes without,
        since it was to have nothing, its reader may not read just that any more, it is too large,
        or it cannot be printed.
        """
        if posting.encloses is None:
            return None
        log = _log.bind(key=posting.key)
        try:
            made = await self._made(posting.recipient, posting.encloses)
        except AWAY:
            raise
        except Exception:  # a letter without its files is better than none
            log.exception("its files cannot be printed")
            return None
        if made is None:
            log.warning("not for its reader any more: sent without files")
        elif sum(len(each.content) for each in made.files) > LARGEST:
            log.warning("too large: sent without files")
            return None
        return made

    async def _made(self, recipient: str, wanted: Enclosed) -> Enclosure | None:
        report = REPORTS[wanted.report]
        async with self._pool.acquire() as connection:
            if not await _reads_just_that(connection, recipient, report, wanted):
                return None
            edition = await editions.numbered(
                connection, wanted.report, wanted.period, wanted.edition
            )
        counted = edition.part(wanted.department) if edition else None
        if counted is None:
            return None
        sheets = laid_out(report, counted.without_words(), wanted.language, wanted.edition)
        async with self._printing:
            files = await asyncio.to_thread(_printed, sheets, wanted)
        says = _SAYS_WITHOUT_WORDS if counted.has_words else _SAYS
        return Enclosure(files, says[wanted.language])


async def _reads_just_that(
    connection: Connection, recipient: str, report: Report, wanted: Enclosed
) -> bool:
    """Ask again what the page would ask: the letter may have waited, and the roster changed."""
    member = await roster.member(connection, recipient)
    if member is None:
        return False
    try:
        return department_for(as_caller(member), report, None) == wanted.department
    except Refused:
        return False


def _printed(sheets: Sheets, wanted: Enclosed) -> tuple[File, ...]:
    return tuple(
        File(
            called(sheets, wanted.period, wanted.edition, kind),
            kind.media_type,
            kind.printed(sheets),
        )
        for kind in KINDS
    )
