"""A workflow whose register is ahead of it: a crash after the commit, and the causes come again in
another order.
"""

import pytest
from temporalio import activity

from activities import names
from activities.recording import Recording
from domain.actions import ActionName, ReportProgress
from domain.issue import Recorded, Step
from domain.lifecycle import decide
from store import reading
from tests.workflows import harness
from tests.workflows.conftest import Begin
from tests.workflows.harness import engineer, stand


class AheadOfTheWorkflow(Recording):
    """Before the first acceptance it records a step the workflow knows nothing of, as if the task
    that took it had been lost.
    """

    lost = "lost-update"

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        issue = await reading.state(self._pool, step.issue_id)
        if issue is not None and step.action is ActionName.ACCEPT and issue.seq == 1:
            act = ReportProgress(by=step.by, at=step.at, note="备件在途")
            # The rule that it comes after the acceptance is not what is tried here.
            working = issue.model_copy(update={"stage": "in_progress"})
            other = decide(working, ActionName.REPORT_PROGRESS, act, step.recorded_at, self.lost)
            same = {"run": step.run, "stage_before": issue.stage, "stage": issue.stage}
            ahead = other.model_copy(update=same)
            await super().record_step(ahead)
        return await super().record_step(step)


@pytest.fixture(autouse=True)
def _ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "Recording", AheadOfTheWorkflow)


async def test_a_step_found_in_the_place_of_ours_is_caught_up_with_and_ours_comes_next(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, view = await desk.open()
    view = await desk.accept(handle, view)
    assert [step.action for step in view.steps] == ["registered", "report_progress", "accept"]
    assert stand(view)["response.1"] == "kept"
    # The lost update comes again: it was done.
    act = ReportProgress(by=engineer(view), note="备件在途")
    again = await handle.execute_update(
        "report_progress", act, id=AheadOfTheWorkflow.lost, result_type=type(view)
    )
    assert again.steps == view.steps
    view = await desk.resolve(handle, view)
    assert view.stage == "resolved"
