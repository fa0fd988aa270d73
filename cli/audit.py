"""`yinuo audit --deep` and `yinuo repair`: what is wrong with the desk, and mending it. Both are
workflows: they go on in the desk when you press Ctrl-C, and two at once are one.
"""

from __future__ import annotations

from typing import Annotated

import typer
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from cli.connections import servers
from cli.console import AsJson, ExitCode, tell, write_json
from cli.tables import plain
from domain.contract import ISSUES
from domain.findings import AuditReport, Finding, RepairOrder, RepairReport
from runtime import aio, settings
from workflows import repair as workflows

Issues = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ISSUE]…", help="numbers or workflow ids", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would be done")]


def deep_audit(*, contents: bool, json: bool) -> None:
    """Audit the desk, and show what is wrong; ``contents``: every attachment is read, too."""
    report = aio.run(_audited(contents=contents))
    if json:
        write_json(report)
    else:
        _show_audit(report)
    if report.findings:
        raise typer.Exit(ExitCode.OTHER)


async def _audited(*, contents: bool) -> AuditReport:

    async with servers(settings.load()) as (client, _):
        return await audit_now(client, contents=contents)


async def audit_now(client: Client, *, contents: bool = False) -> AuditReport:
    """Have the desk audited, or wait for the audit that runs. One that reads every attachment is a
    workflow of its own.
    """
    return await client.execute_workflow(
        workflows.DeepAuditWorkflow.run,
        args=[True] if contents else [],
        id=f"{workflows.AUDIT_ID}-contents" if contents else workflows.AUDIT_ID,
        task_queue=ISSUES,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="全面核对 Everything is compared with everything",
    )


def repair(issues: Issues = None, *, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Do something about what `yinuo audit --deep` finds: all of it, or of these issues.

    Each line says what was wrong, what was done, and whether that helped; ends with 1 if anything
    is left. docs/audit.md says what each finding means.

    Example: yinuo repair --dry-run
    """
    report = aio.run(_repaired(RepairOrder(issues=tuple(issues or ()), dry_run=dry_run)))
    if json:
        write_json(report)
    else:
        _show_repair(report)
    if not (report.whole or (dry_run and not report.unknown)):
        raise typer.Exit(ExitCode.OTHER)


async def _repaired(order: RepairOrder) -> RepairReport:

    async with servers(settings.load()) as (client, _):
        return await repair_now(client, order)


async def repair_now(client: Client, order: RepairOrder) -> RepairReport:
    """Have the desk repaired. A repair that runs already is waited for in its stead; a dry run
    disturbs nobody, and is a workflow of its own.
    """
    return await client.execute_workflow(
        workflows.RepairWorkflow.run,
        order,
        id=f"{workflows.REPAIR_ID}-dry-run" if order.dry_run else workflows.REPAIR_ID,
        task_queue=ISSUES,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="修复 What the deep audit finds is repaired",
    )


def _show_audit(report: AuditReport) -> None:
    for finding in report.findings:
        _line(f"{_of(finding)}  {finding.advice.zh} {finding.advice.en}: {finding.seen}")
        _line(f"    → {finding.advice.to_do}")
    found = len(report.findings)
    tell(f"{report.issues} issues, {report.workflows} workflows: {found or 'no'} findings.")


def _show_repair(report: RepairReport) -> None:
    for each in report.repaired:
        mark = "·" if report.dry_run else "✓" if each.done else "✗"
        wrong = f"{each.finding.advice.zh} {each.finding.advice.en}: {each.finding.seen}"
        _line(f"{mark} {_of(each.finding)}  {wrong}  → {each.remedy}: {each.outcome}")
    for name in report.unknown:
        tell(f"{name}: neither the register nor Temporal has such an issue")
    if report.released:
        tell(report.released)
    found, left = len(report.repaired), sum(not each.done for each in report.repaired)
    if report.dry_run:
        tell(f"{found or 'no'} findings; nothing was changed.")
    else:
        tell(f"{found or 'no'} findings, {left or 'none'} left.")


def _of(finding: Finding) -> str:
    return finding.number or finding.issue_id or "—"


def _line(text: str) -> None:

    typer.echo(plain(text))
