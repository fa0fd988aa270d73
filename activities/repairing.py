"""Repairing what a deep audit found, in an order: the register first, for everything else goes by
it. Done twice it does nothing the second time; two at once are one workflow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from temporalio import activity
from temporalio.client import Client

from activities.deep_audit import DeepAudit
from activities.remedies import FAILED, TELLS_WHY, Remedies, said
from domain import contract as names
from domain.findings import Finding, Remedy, Repaired, RepairOrder, RepairReport
from runtime.aio import every
from runtime.lives import Lives
from store import auditing, behind
from store.connection import Pool

_ORDER = list(Remedy)
_LONGEST = 1000
"""Characters of a reason."""


class Repairing:
    """The activity of `yinuo repair`; a register that is held is released when it has caught up."""

    def __init__(self, pool: Pool, deep: DeepAudit, remedies: Remedies) -> None:
        self._pool = pool
        self._deep = deep
        self._remedies = remedies

    @activity.defn(name=names.REPAIR)
    async def repair_issues(self, order: RepairOrder) -> RepairReport:
        """Look for what is wrong, do something about each, tell the issues why, and look again."""
        async with every(4.0, activity.heartbeat):
            return await self._repair(activity.client(), order)

    async def _repair(self, client: Client, order: RepairOrder) -> RepairReport:
        known = await self._known(client, order.issues)
        unknown = tuple(name for name in order.issues if name not in known)
        report = await self._deep.look(client, set(known.values()) if order.issues else None)
        findings = sorted(report.findings, key=lambda f: _ORDER.index(f.advice.remedy))
        if order.dry_run:
            planned = [await self._planned(client, finding) for finding in findings]
            return RepairReport(repaired=tuple(planned), unknown=unknown, dry_run=True)
        to_write = [f for f in findings if f.advice.remedy is Remedy.CATCH_UP]
        done = await self._caught_up(client, to_write)
        released = "" if order.issues else await self._released(client, done)
        done += [await self._mended(client, finding) for finding in findings[len(to_write) :]]
        done = await self._told_why(client, done)
        repaired = await self._looked_again(client, done)
        return RepairReport(repaired=repaired, unknown=unknown, released=released)

    async def _known(self, client: Client, named: Sequence[str]) -> dict[str, str]:
        """Find issues by number or id, in the register or in Temporal."""
        known = await auditing.ids_of(self._pool, named)
        if set(named) - known.keys():
            for workflow in await self._deep.listed(client):
                for name in {workflow.id, workflow.said.number} & set(named):
                    known.setdefault(str(name), workflow.id)
        return known

    async def _planned(self, client: Client, finding: Finding) -> Repaired:
        try:
            outcome = await self._remedies.plan(client, finding)
        except FAILED as error:
            outcome = said(error)
        return Repaired(finding=finding, remedy=finding.advice.remedy, outcome=outcome)

    async def _mended(self, client: Client, finding: Finding) -> Repaired:
        """Apply the remedy; ``done`` says for now that it could be."""
        remedy = finding.advice.remedy
        try:
            outcome = await self._remedies.apply(client, finding)
        except FAILED as error:
            return Repaired(finding=finding, remedy=remedy, outcome=said(error))
        return Repaired(finding=finding, remedy=remedy, outcome=outcome, done=True)

    async def _caught_up(self, client: Client, to_write: Sequence[Finding]) -> list[Repaired]:
        """Complaints come after the issues that they arose from: whatever could not be written is
        tried again, as long as anything can.
        """
        left, done = list(to_write), list[Repaired]()
        while left:
            tried = [await self._mended(client, finding) for finding in left]
            written = [each for each in tried if each.done]
            if not written:
                return done + tried
            done += written
            left = [each.finding for each in tried if not each.done]
        return done

    async def _released(self, client: Client, done: Sequence[Repaired]) -> str:
        if not all(each.done for each in done):
            return ""
        released = await behind.release(self._pool, Lives(client))
        if released.left:
            return f"the register stays held: {behind.reason(released.left)}"
        lost = released.given_up
        return f"{lost} messages may have arrived before: a person is told" if lost else ""

    async def _told_why(self, client: Client, done: Sequence[Repaired]) -> list[Repaired]:
        """Let each issue take one step, whatever was done about it."""
        of_issue: defaultdict[str, list[Repaired]] = defaultdict(list)
        for each in done:
            of_issue[each.finding.issue_id].append(each)
        told = of_issue.pop("", [])
        for id_, repaired in of_issue.items():
            left, failed = await self._tell_why(client, id_, repaired)
            first = repaired[0].model_copy(
                update={"left": left, "outcome": f"{repaired[0].outcome}{failed}"}
            )
            told += [first, *repaired[1:]]
        return told

    async def _tell_why(
        self, client: Client, id_: str, repaired: Sequence[Repaired]
    ) -> tuple[tuple[str, ...], str]:
        why = [
            f"{each.finding.advice.zh} {each.finding.seen}: {each.outcome}"
            for each in repaired
            if each.done and each.remedy in TELLS_WHY
        ]
        if not why:
            return (), ""
        once = activity.info().workflow_run_id or ""
        try:
            return tuple(
                await self._remedies.tell_why(client, id_, "; ".join(why)[:_LONGEST], once)
            ), ""
        except FAILED as error:
            return (), f"; {said(error)}"

    async def _looked_again(self, client: Client, done: Sequence[Repaired]) -> tuple[Repaired, ...]:
        """Say what is still wrong. Messages that are yet to be brought out are not."""
        if not done:
            return ()
        issues = {each.finding.issue_id for each in done if each.finding.issue_id}
        wrong = {finding.same for finding in (await self._deep.look(client, issues)).findings}
        return tuple(
            each.model_copy(update={"done": bool(each.left) or each.finding.same not in wrong})
            for each in done
        )
