"""A workflow whose register is ahead of it: a crash after the commit, and the causes come again in
another order.
"""

import pytest
from temporalio import activity

from activities.recording import Recording
from domain import contract as names
from domain.issue.actions import ActionName, ReportProgress, Resolve
from domain.issue.lifecycle import decide
from domain.issue.step import Recorded, Step
from domain.vocabulary import Actor, Role
from store import issue_reader
from tests.support import harness
from tests.support.harness import engineer, has_ended, stand
from tests.workflows.conftest import Begin


class AheadOfTheWorkflow(Recording):
    """Before the first acceptance it records a step the workflow knows nothing of, as if the task
    that took it had been lost.
    """

    lost = "lost-update"

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        issue = await issue_reader.state(self._pool, step.issue_id)
        if issue is not None and step.action is ActionName.ACCEPT and issue.seq == 1:
            act = ReportProgress(by=step.by, at=step.at, note="备件在途")
            # The rule that it comes after the acceptance is not what is tried here.
            working = issue.model_copy(update={"stage": "in_progress"})
            other = decide(working, ActionName.REPORT_PROGRESS, act, step.recorded_at, self.lost)
            same = {"run": step.run, "stage_before": issue.stage, "stage": issue.stage}
            ahead = other.model_copy(update=same)
            await super().record_step(ahead)
        return await super().record_step(step)


class ResolvedBeforeTheAlarm(Recording):
    """Before the first alarm it records a resolution the workflow knows nothing of."""

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        if step.action is ActionName.THRESHOLD:
            issue = await issue_reader.state(self._pool, step.issue_id)
            assert issue is not None
            assert issue.engineer is not None
            by = Actor(id=issue.engineer.id, role=Role.ENGINEER)
            act = Resolve(by=by, result="已修复")
            other = decide(issue, ActionName.RESOLVE, act, step.recorded_at, "lost-resolution")
            await super().record_step(other.model_copy(update={"run": step.run}))
        return await super().record_step(step)


async def test_a_step_found_in_the_place_of_ours_is_caught_up_with_and_ours_comes_next(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "Recording", AheadOfTheWorkflow)
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


async def test_an_alarm_that_was_overtaken_is_not_rung_and_harms_nobody(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "Recording", ResolvedBeforeTheAlarm)
    desk = await begin("2026-03-10 10:00")
    handle, view = await desk.open()
    await desk.until("2026-03-10 11:45")
    view = await desk.view(handle)
    assert [step.action for step in view.steps] == ["registered", "resolve", "replied"]
    assert stand(view) == {"response.1": "kept", "resolution.1": "kept", "callback.1": "open"}
    assert not await has_ended(handle)
