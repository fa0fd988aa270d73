"""Issuing the reports (R27): what is due, an edition with its messages in one transaction, and the
morning's digests for leads. A report is about no issue, and so are its messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beyond_issues import Of, ToStaff, bring_by_hand
from activities.guard import Guard
from domain import contract as names
from domain.calendars.timeline import midnight
from domain.errors import Refused
from domain.reports import digest as digests
from domain.reports import telling
from domain.reports.access import department_for, reach_into
from domain.reports.counted import Counted
from domain.reports.definitions import REPORTS, Report
from domain.reports.editions import (
    DIGEST,
    SHOWN,
    Edition,
    Enclosed,
    Issued,
    Order,
    changes,
    due,
    morning_after,
    morning_of,
)
from domain.reports.figures import FIGURES
from domain.reports.periods import Period
from domain.sla.rulebook import Rulebook
from domain.staff.access import Reach, as_caller
from runtime.aio import every
from store import outbox, roster, rulebooks, standing
from store.connection import Connection, Pool
from store.reports import counting, editions
from store.reports import digest as mornings
from store.roster import Staff

TEMPLATE = "report"
_SIGN_OF_LIFE = 4.0


class Reports:
    """Issues what is due, and whatever else an order wants; ``base_url`` is how people reach the
    pages. A rehearsal has days of its own: nothing is due there by itself.
    """

    def __init__(
        self, pool: Pool, base_url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._pool = pool
        self._base_url = base_url
        self._clock = clock
        self._guard = Guard(pool)
        # Counting takes its time and a connection: issues are not to wait for a dozen of them.
        self._counting = asyncio.Semaphore(1)

    @activity.defn(name=names.REPORTS_DUE)
    async def reports_due(self) -> list[Order]:
        """List what is to be issued now and was not, or was and lies about unsaid."""
        return await self._guard.kept(self._due)

    async def _due(self) -> list[Order]:
        now = self._clock()
        async with self._pool.acquire() as connection:
            rulebook = await rulebooks.current(connection)
            begun = await editions.begun(connection)
            lying = await editions.left_lying(connection)
            kept = await editions.kept(connection)
            if rulebook is None or rulebook.policy.rehearsal:
                return []
            found = [_order_of(key) for key in lying]
            zone = ZoneInfo(rulebook.policy.zone)
            today = now.astimezone(zone).date()
            if begun is not None:
                issued = [r for r in REPORTS.values() if rulebook.policy.reports.issues(r.name)]
                first = begun.astimezone(zone).date()
                found += [
                    Order(report=each.report, period=each.period.name)
                    for each in due(
                        issued, kept, first, today, now, partial(morning_after, rulebook)
                    )
                ]
                # On its first day a desk had no morning.
                if first < today and await _digest_is_due(connection, rulebook, today, now):
                    found.append(Order(report=DIGEST, period=today.isoformat()))
        return list(dict.fromkeys(found))

    @activity.defn(name=names.ISSUE_REPORT)
    async def issue_report(self, order: Order) -> Issued:
        """Do what an order says, once however often that is tried.

        Raises:
            ApplicationError: ``Invalid`` (not retried): there is no such report or period, or the
                report is not made for such periods, or the period is not over.
        """
        async with every(_SIGN_OF_LIFE, activity.heartbeat):
            try:
                work = self._digest if order.report == DIGEST else self._issue
                return await self._guard.kept(partial(work, order))
            except (Refused, LookupError, ValueError) as error:
                raise ApplicationError(str(error), type="Invalid", non_retryable=True) from error

    @activity.defn(name=names.REPORTS_BY_HAND)
    async def reports_by_hand(self, keys: list[str]) -> list[str]:
        """Give what could not be delivered to whoever is above its recipient, and return the keys
        of the messages that tell them, once however often that is tried.
        """
        return await self._guard.kept(partial(self._by_hand, keys))

    async def _by_hand(self, keys: list[str]) -> list[str]:
        async with self._pool.acquire() as connection, connection.transaction():
            await standing.require(connection)
            staff, rulebook = await roster.staff(connection), await _rulebook(connection)
            desk = ToStaff(staff, rulebook, self._clock())
            return await bring_by_hand(connection, desk, _order_of(keys[0]), keys)

    # Editions -------------------------------------------------------------------------------------

    async def _issue(self, order: Order) -> Issued:
        report, period = REPORTS[order.report], Period.named(order.period)
        if order.again:
            return await self._send_again(report, order)
        async with self._pool.acquire() as connection:
            if known := await _known(connection, order):
                return known
            rulebook = await _rulebook(connection)
            staff = await roster.staff(connection)
        async with self._counting:
            counted, departments = await self._counted(report, period, rulebook, staff)
        async with self._pool.acquire() as connection, connection.transaction():
            await standing.require(connection)
            await editions.lock(connection, order.report, order.period)
            if known := await _known(connection, order):
                return known
            before = await editions.newest(connection, order.report, order.period)
            changed = changes(before.counted, counted) if before else ()
            # What somebody else issued meanwhile may know more than was counted here before.
            outdated = before and before.counted.counted_at > counted.counted_at
            if before and (outdated or not changed):
                return _result(order, before, new=False)
            edition = Edition(
                report=order.report,
                period=order.period,
                edition=before.edition + 1 if before else 1,
                counted=counted,
                departments=departments,
                changes=changed,
                reason=order.reason,
                request=order.request,
                issued_at=self._clock(),
            )
            await editions.add(connection, edition)
            desk = ToStaff(staff, rulebook, self._clock())
            keys = await self._tell(connection, report, edition, desk, order)
            return _result(order, edition, new=True, keys=keys)

    async def _send_again(self, report: Report, order: Order) -> Issued:
        async with self._pool.acquire() as connection, connection.transaction():
            await standing.require(connection)
            edition = await editions.newest(connection, order.report, order.period)
            if edition is None:
                raise LookupError(f"{order.report} of {order.period} was not issued yet")
            staff, rulebook = await roster.staff(connection), await _rulebook(connection)
            desk = ToStaff(staff, rulebook, self._clock())
            keys = await self._tell(connection, report, edition, desk, order)
        return _result(order, edition, new=False, keys=keys)

    async def _counted(
        self, report: Report, period: Period, rulebook: Rulebook, staff: Staff
    ) -> tuple[Counted, dict[str, Counted]]:
        """Count it at one moment: all of it, and for each department of whose people some read no
        more than that.
        """
        policy, now = rulebook.policy, self._clock()
        zone = ZoneInfo(policy.zone)
        if not period.is_over(now, zone):
            raise Refused("Invalid", f"period: {period.name} is not over: wait for the next one")
        narrow = {role for role, reach in report.readers.items() if reach is Reach.DEPARTMENT}
        theirs = {m.department for m in staff.members.values() if m.role in narrow}
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            count = partial(
                counting.count_in,
                *(connection, report, period),
                zone=zone,
                terms=policy.terms,
                now=now,
            )
            whole = await count()
            return whole, {each: await count(department=each) for each in sorted(theirs)}

    async def _tell(
        self,
        connection: Connection,
        report: Report,
        edition: Edition,
        desk: ToStaff,
        order: Order,
    ) -> list[str]:
        """Write to everybody the policy names who may read it; return the keys."""
        roles = desk.rulebook.policy.reports.readers(report.name)
        tail = f":{order.request}" if order.again else ""
        keys = []
        for member in desk.people:
            reader = as_caller(member)
            if member.role not in roles or reach_into(reader, report) is Reach.NONE:
                continue
            narrow = department_for(reader, report, None)
            key = f"{order.about}{edition.edition}:{member.id}{tail}"
            said = self._said(report, edition, edition.for_department(narrow))
            if narrow:  # by its name as of now: it may have no figures in there
                name = desk.rulebook.policy.terms.department(narrow)
                said["reach"] = _both(*name.both)
            message = desk.message(
                key, member, member.contacts[0], TEMPLATE, Of(edition.period, said)
            )
            files = Enclosed(
                report=edition.report,
                period=edition.period,
                edition=edition.edition,
                department=narrow,
                language=desk.language,
            )
            await outbox.add(connection, message.model_copy(update={"encloses": files}))
            keys.append(key)
        return keys

    def _said(self, report: Report, edition: Edition, counted: Counted) -> dict[str, object]:
        """Return what a message says of an edition: no customer's words, no names (R30)."""
        zh, en = telling.period(Period.named(edition.period))
        figures = [] if counted.empty else [_both(*each) for each in headline(report, counted)]
        said: dict[str, object] = {
            "report": _both(report.zh, report.en),
            "period": _both(zh, en),
            "edition": edition.edition,
            "figures": figures,
            "changes": len(edition.changes),
            "address": f"{self._base_url}/reports/{edition.report}/{edition.period}",
        }
        if edition.reason:
            said["reason"] = edition.reason
        return said

    # The morning ----------------------------------------------------------------------------------

    async def _digest(self, order: Order) -> Issued:
        """Write to each lead of whose department there is something to say, once a day."""
        day = date.fromisoformat(order.period)
        async with self._pool.acquire() as connection, connection.transaction():
            await standing.require(connection)
            await editions.lock(connection, order.report, order.period)
            if await editions.digest_written(connection, day):
                keys = await editions.undelivered(connection, order.about)
                return Issued(
                    report=DIGEST, period=order.period, edition=1, new=False, keys=tuple(keys)
                )
            rulebook = await _rulebook(connection)
            staff = await roster.staff(connection)
            keys = await self._write_digests(connection, staff, rulebook, order, day)
            await editions.note_digest(connection, day, len(keys), self._clock())
        return Issued(report=DIGEST, period=order.period, edition=1, new=True, keys=tuple(keys))

    async def _write_digests(
        self, connection: Connection, staff: Staff, rulebook: Rulebook, order: Order, day: date
    ) -> list[str]:
        ends = midnight(day + timedelta(days=1), ZoneInfo(rulebook.policy.zone))
        found = digests.digests(await mornings.standing(connection, ends))
        desk, terms = ToStaff(staff, rulebook, self._clock()), rulebook.policy.terms
        keys = []
        for member in desk.people:
            morning = found.get(member.department)
            wanted = member.role in rulebook.policy.reports.digest
            if not (wanted and morning and morning.says_something):
                continue
            key = f"{order.about}1:{member.id}"
            said = morning.said() | {
                "reach": _both(*terms.department(member.department).both),
                "address": f"{self._base_url}/board",
            }
            message = desk.message(key, member, member.contacts[0], DIGEST, Of(order.period, said))
            await outbox.add(connection, message)
            keys.append(key)
        return keys


def headline(report: Report, counted: Counted) -> Iterable[tuple[str, str]]:
    """Say the figures that stand in a report's message, each with its name."""
    for section, key in report.headline:
        figure, value = FIGURES[key], counted.value(section, key)
        zh, en = telling.value(figure.holds, value)
        made_of = telling.made_of(value)
        yield (
            f"{figure.zh} {zh}" + (f"（{made_of}）" if made_of else ""),
            f"{figure.en} {en}" + (f" ({made_of})" if made_of else ""),
        )


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


async def _known(connection: Connection, order: Order) -> Issued | None:
    """Return what an order has come to already; None: it is still to be done."""
    if order.request:
        edition = await editions.asked_for(connection, order.request)
    else:
        edition = await editions.newest(connection, order.report, order.period)
    if edition is None:
        return None
    about = f"{order.about}{edition.edition}:" if order.request else order.about
    keys = await editions.undelivered(connection, about)
    return _result(order, edition, new=edition.request == order.request, keys=keys)


def _result(order: Order, edition: Edition, *, new: bool, keys: Sequence[str] = ()) -> Issued:
    return Issued(
        report=order.report,
        period=order.period,
        edition=edition.edition,
        new=new,
        changed=len(edition.changes) if new else 0,
        changes=edition.changes[:SHOWN] if new else (),
        keys=tuple(keys),
    )


def _order_of(key: str) -> Order:
    """Read off a message's key what it belongs to."""
    _, report, period, *_ = key.split(":")
    return Order(report=report, period=period)


async def _digest_is_due(
    connection: Connection, rulebook: Rulebook, today: date, now: datetime
) -> bool:
    if not rulebook.policy.reports.digest or not rulebook.reporting.is_working_day(today):
        return False
    come = morning_of(rulebook, today) <= now
    return come and not await editions.digest_written(connection, today)


async def _rulebook(connection: Connection) -> Rulebook:
    current = await rulebooks.current(connection)
    if current is None:
        raise LookupError(rulebooks.NO_POLICY)
    return current
