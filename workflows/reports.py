"""The reports as workflows (R27): one run by the schedule starts another for whatever is due, and
each of those issues its edition, once, and sees its messages brought out.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from domain import contract as names
from domain.reports.editions import Issued, Order

SCHEDULE_ID = "reports"
EVERY = timedelta(minutes=10)
"""So often it is asked what is due: the policy, which may change, says when that is."""
ISSUED = "issued"
"""The update that tells what became of an order, as soon as that is known."""
_SIGN_OF_LIFE = timedelta(seconds=30)
_TRIED_FOR = timedelta(days=1)


@workflow.defn
class ReportsWorkflow:
    """Runs by a schedule; see ``activities/reports.py``."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the ids of the workflows that it started."""
        orders = await workflow.execute_activity(
            names.REPORTS_DUE,
            result_type=list[Order],
            start_to_close_timeout=timedelta(minutes=2),
            # The schedule comes again: a run that fails for long is not worth keeping.
            retry_policy=RetryPolicy(maximum_attempts=5),
            summary="查看到期报表 which reports are due",
        )
        begun = []
        for order in orders:
            with suppress(WorkflowAlreadyStartedError):  # it is at it
                handle = await workflow.start_child_workflow(
                    ReportWorkflow.run,
                    order,
                    id=order.workflow_id,
                    # It goes on however long a channel is away.
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    static_summary=f"报表 Report {order.report} · {order.period}",
                )
                begun.append(handle.id)
        return begun


@workflow.defn
class ReportWorkflow:
    """Does what an order says; whoever gave it may wait for the update ``issued``."""

    def __init__(self) -> None:
        self._issued: Issued | None = None

    @workflow.run
    async def run(self, order: Order) -> Issued:
        """Return what came of it, when every message was delivered or is a person's."""
        issued: Issued = await workflow.execute_activity(
            names.ISSUE_REPORT,
            order,
            result_type=Issued,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=_SIGN_OF_LIFE,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=f"{order.report} {order.period}",
        )
        self._issued = issued
        workflow.set_current_details(_page(issued))
        await self._bring_out(list(issued.keys))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return issued

    @workflow.update(name=ISSUED)
    async def issued(self) -> Issued:
        """Tell what came of the order, without waiting for the messages."""
        await workflow.wait_condition(lambda: self._issued is not None)
        assert self._issued is not None  # noqa: S101  for the type checker
        return self._issued

    async def _bring_out(self, keys: list[str]) -> None:
        """See messages brought out. What no channel takes becomes a person's, who is told of it by
        a message like them.
        """
        while keys:
            left = await self._delivered(keys)
            keys = await self._by_hand(left) if left else []

    async def _delivered(self, keys: list[str]) -> list[str]:
        """Return those that no channel took."""
        left = keys
        with suppress(ActivityError):
            left = await workflow.execute_activity(
                names.DELIVER,
                keys,
                result_type=list[str],
                task_queue=names.NOTIFICATIONS,
                schedule_to_close_timeout=_TRIED_FOR,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=15),
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(seconds=30),
                    maximum_interval=timedelta(minutes=30),
                ),
                summary=f"通知 {len(keys)} 人 tell {len(keys)} people",
            )
        return left

    async def _by_hand(self, left: list[str]) -> list[str]:
        """Return the messages that tell of it."""
        told: list[str] | None = await workflow.execute_activity(
            names.REPORTS_BY_HAND,
            left,
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=f"{len(left)} 条未送达 not delivered",
        )
        return told or []  # nothing: as histories have it from before anybody was told


def _page(issued: Issued) -> str:
    """What a supervisor reads in the Web UI."""
    if not issued.new:
        return f"第 {issued.edition} 版，没有变化 edition {issued.edition}, nothing new"
    changed = f" · {issued.changed} 项变化 changes" if issued.changed else ""
    return f"第 {issued.edition} 版 edition {issued.edition}{changed}"
