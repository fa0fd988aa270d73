"""The deep audit: register against Temporal both ways, promises against alarms, messages against
deliveries, forms against events. It only looks at issues; ``activities/repairing.py`` mends what it
finds.

Looked at once, a busy desk is full of faults: a step that one side has already and the other not
yet. So whoever is accused is looked at again after a while, and what is still wrong in the same way
was found. Lists of workflows accuse only, for they are eventually consistent.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias, TypeVar

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus

from activities import audit
from activities.audit import Seen, seen
from activities.content_audit import ContentAudit
from activities.judging import Suspect, audit_delivers, judge
from domain import contract as names
from domain.findings import AuditReport, Finding, FindingKind
from domain.issue.folding import folded, form_differences, ledger_differences, missing
from runtime.aio import every
from store import attachments, auditing, issue_reader, letters, rulebooks
from store.auditing import Papers
from store.connection import Pool
from store.issue_reader import Living

T = TypeVar("T")
Held: TypeAlias = "Callable[[Pool], Awaitable[str | None]]"

APART = timedelta(seconds=20)
"""Between the two looks."""
ALARM_LATE = timedelta(minutes=1)
"""An alarm that late was missed."""
UNSAID_FOR = timedelta(minutes=10)
"""A message that lay so long, with nothing bringing it out, lies for good."""
AT_ONCE = 16
"""Workflows asked after at a time."""
PAGE = 50
"""Issues compared with their events at a stretch: nobody else waits longer for it."""
CLOSED_LATELY = timedelta(days=7)
"""Workflows that ended within this time are compared with the register, as far as kept."""


_NEED_NO_ROW = {
    *(WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT),
    WorkflowExecutionStatus.FAILED,
}


async def _nothing(_: Pool) -> str | None:
    return None


class Listed(NamedTuple):
    """What Temporal's list says of a workflow."""

    id: str
    status: WorkflowExecutionStatus | None
    said: Seen

    @property
    def should_have_a_row(self) -> bool:
        """An issue that an operator ended need not; what failed was never registered."""
        if self.status is WorkflowExecutionStatus.RUNNING:
            return True
        return self.status not in _NEED_NO_ROW and self.said.number is not None

    def is_unlike(self, row: Living) -> bool:
        """It knows more, or goes on with what is over: perhaps only until all is said."""
        running = self.status is WorkflowExecutionStatus.RUNNING
        return (self.said.steps or 0) > row.seq or (running and not row.open)


class _Glance(NamedTuple):
    """What one look saw."""

    issues: int
    workflows: int
    findings: list[Finding]


class DeepAudit:
    """Looks at the whole desk, or at some issues. ``held`` says why nothing works on the register
    now, if that is so: no alarm is missed then, and no message lies about.
    """

    def __init__(
        self,
        pool: Pool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        held: Held = _nothing,
        contents: ContentAudit | None = None,
    ) -> None:
        self._pool = pool
        self._contents = contents
        self._clock = clock
        self._held = held

    @activity.defn(name=names.DEEP_AUDIT)
    async def deep_audit(self, contents: bool = False) -> AuditReport:  # noqa: FBT001, FBT002  an argument in Temporal
        """Look at everything, and keep what was found for metrics and heartbeat; ``contents``: read
        every attachment, too. What is kept for a time only is looked after by the way.
        """
        async with every(4.0, activity.heartbeat):
            await self.forget()
            found = await self.look(activity.client(), contents=contents)
            return await auditing.keep(self._pool, found)

    async def forget(self) -> None:
        """Keep letters and attachments no longer than the policy says that counts now, and no
        content that no attachment speaks of: while the register is held it may come to speak of
        more.
        """
        now = self._clock()
        async with self._pool.acquire() as connection:
            current = await rulebooks.current(connection)
        if current:
            await letters.forget(self._pool, now - current.policy.letters.keep.span)
            await attachments.forget(self._pool, now - current.policy.attachments.keep.span)
        if self._contents and not await self._held(self._pool):
            await self._contents.tidy(now)

    async def look(
        self, client: Client, ids: Collection[str] | None = None, *, contents: bool = False
    ) -> AuditReport:
        """Say what is wrong: with these issues, or with any; and with the desk as a whole."""
        began = self._clock()
        first = await self._glance(client, ids)
        found: dict[tuple[str, ...], Finding] = {}
        if accused := {finding.same for finding in first.findings}:
            await asyncio.sleep(APART.total_seconds())
            again = await self._glance(client, {f.issue_id for f in first.findings if f.issue_id})
            found = {f.same: f for f in again.findings if f.same in accused}
        return AuditReport(
            began_at=began,
            ended_at=self._clock(),
            issues=first.issues,
            workflows=first.workflows,
            findings=(*found.values(), *await self._broken(ids, contents=contents)),
        )

    async def _broken(self, ids: Collection[str] | None, *, contents: bool) -> list[Finding]:
        """Look at attachments once: what is wrong with one is so until somebody mends it."""
        if self._contents is None:
            return []
        return await self._contents.look(self._clock(), ids, everything=contents)

    async def _glance(self, client: Client, ids: Collection[str] | None) -> _Glance:
        listed = await self.listed(client)
        living = (
            {row.id: row for row in await issue_reader.living(self._pool)} if ids is None else {}
        )
        suspects: dict[str, Living | None] = {**living}
        if ids is None:
            suspects |= await self._unlike_the_register(listed)
        else:
            suspects |= dict.fromkeys(ids) | await issue_reader.lived(self._pool, ids)
        findings = await self._numbers(listed)
        findings += await self._workflows(client, suspects, everything=ids is None)
        findings += [f async for f in self._against_events(ids)]
        findings += await auditing.receivers_failed(self._pool)
        return _Glance(len(suspects), len(listed), findings)

    # Register against Temporal ----------------------------------------------------------------

    async def listed(self, client: Client) -> list[Listed]:
        """List what runs, and what came to its end lately."""
        since = (self._clock() - CLOSED_LATELY).isoformat()
        query = (
            "WorkflowType = 'IssueWorkflow' AND (ExecutionStatus = 'Running' OR"
            f" ExecutionStatus != 'ContinuedAsNew' AND CloseTime > '{since}')"
        )
        return [
            Listed(found.id, found.status, seen(found))
            async for found in client.list_workflows(query, page_size=1000)
        ]

    async def _unlike_the_register(self, listed: Sequence[Listed]) -> dict[str, Living | None]:
        """Find workflows without a row, those that know more steps than their row, and those that
        run though it is over.
        """
        suspects: dict[str, Living | None] = {}
        for some in _pages(listed, 1000):
            rows = await issue_reader.lived(self._pool, [workflow.id for workflow in some])
            for workflow in some:
                row = rows.get(workflow.id)
                lacking = row is None and workflow.should_have_a_row
                if lacking or (row and workflow.is_unlike(row)):
                    suspects[workflow.id] = row
        return suspects

    async def _numbers(self, listed: Sequence[Listed]) -> list[Finding]:
        """Find numbers that two issues go by, and those about to be given out again. Who goes by
        one no more, because an operator ended their workflow, was told another.
        """
        known = {workflow.said.number for workflow in listed if workflow.said.number}
        owners = await auditing.owners(self._pool, known)
        others: defaultdict[str, set[str]] = defaultdict(set)
        for workflow in listed:
            number = workflow.said.number
            if number and workflow.should_have_a_row and workflow.id != owners.get(number):
                others[number].add(workflow.id)
        twice = [
            _given_twice(number, owners.get(number), sorted(ids))
            for number, ids in others.items()
            if number in owners or len(ids) > 1
        ]
        return twice + await auditing.serials_behind(self._pool, known)

    async def _workflows(
        self, client: Client, suspects: dict[str, Living | None], *, everything: bool
    ) -> list[Finding]:
        """Ask after each of the issues; if ``everything`` is looked at, also after those that have
        ended and still have something to say.
        """
        now = self._clock()
        held = await self._held(self._pool)
        missed = [] if held else await auditing.missed(self._pool, now - ALARM_LATE)
        lying = [] if held else await auditing.lying(self._pool, now - UNSAID_FOR)
        unsaid = {each.id: each for each in lying}
        if everything:
            suspects |= await issue_reader.lived(self._pool, unsaid.keys() - suspects.keys())
        audits = bool(lying) and await audit_delivers(client)
        found = [finding for finding in missed if finding.issue_id in suspects]
        for some in _pages(list(suspects.items()), AT_ONCE):
            asked = (Suspect(id_, row, _is_quiet(row, now), unsaid.get(id_)) for id_, row in some)
            answers = await asyncio.gather(*(judge(client, s, now, audits=audits) for s in asked))
            found += [finding for answer in answers for finding in answer]
        return found

    # Forms and ledger against events ----------------------------------------------------------

    async def _against_events(self, ids: Collection[str] | None) -> AsyncIterator[Finding]:
        wanted = ids
        if wanted is None:
            wanted = await auditing.lately(self._pool, self._clock() - auditing.LATELY)
        for some in _pages(sorted(wanted), PAGE):
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                papers = await auditing.papers(connection, some)
            for each in papers:
                for finding in _differences(each):
                    yield finding
            await asyncio.sleep(0)


def _given_twice(number: str, owner: str | None, others: Sequence[str]) -> Finding:
    here = f"{number} is {owner} in the register, and" if owner else f"{number} has no row, and"
    return Finding(
        kind=FindingKind.NUMBER_TWICE,
        number=number,
        about=number,
        seen=f"{here} was given to {' and to '.join(others)}"[:300],
    )


def _is_quiet(row: Living | None, now: datetime) -> bool:
    return row is None or now - row.updated_at >= audit.SETTLING


def _pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[place : place + size] for place in range(0, len(items), size))


def _differences(papers: Papers) -> Iterator[Finding]:
    """Compare an issue's registers with its events. Without all events nothing can be said."""

    def found(kind: FindingKind, about: str, said: str) -> Finding:
        return Finding(
            kind=kind, issue_id=papers.id, number=papers.number, about=about[:300], seen=said[:300]
        )

    standing = papers.standing
    if gaps := missing(standing.seqs, int(standing.facts["seq"] or 0)):
        said = f"no event in place {', '.join(map(str, gaps))}"
        yield found(FindingKind.EVENTS_BROKEN, said, said)
        return
    issue = folded(papers.intake, papers.recorded)
    if differ := ", ".join(ledger_differences(issue, standing)):
        yield found(FindingKind.LEDGER_DIFFERS, differ, f"not what the events say: {differ}")
    if differ := ", ".join(form_differences(papers.recorded, standing)):
        yield found(FindingKind.FORMS_DIFFER, differ, f"missing (-), or of no event (+): {differ}")
