"""A version of the issue's workflow that gave one command more, for what it leaves behind."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.naming import Manner
from domain.issue.state import Issue
from domain.issue.step import Recorded
from domain.issue.view import IssueView
from workflows.issue import IssueWorkflow


@workflow.defn(name="IssueWorkflow")
class OneCommandMore(IssueWorkflow):
    """Starts a timer with every acceptance, which today's code does not."""

    @workflow.init
    def __init__(
        self,
        carried: Issue | None = None,
        intake: Intake | None = None,
        manner: Manner | None = None,
    ) -> None:
        super().__init__(carried, intake, manner)

    @workflow.run
    async def run(
        self,
        carried: Issue | None = None,
        intake: Intake | None = None,
        manner: Manner | None = None,
    ) -> IssueView | None:
        return await super().run(carried, intake, manner)

    def go_on(self, recorded: Recorded) -> None:
        if recorded.step.action is ActionName.ACCEPT:
            self._send(workflow.sleep(timedelta(hours=1)))
        super().go_on(recorded)
