"""Issues live longer than a release: today's code must still replay what earlier code began."""

import json
from base64 import b64decode
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from domain.issue.intake import Intake, issue_id
from domain.issue.naming import Manner
from domain.issue.state import Issue
from domain.issue.step import Recorded
from domain.issue.view import IssueView
from runtime.settings import ROOT
from runtime.temporal import plugin
from tests.histories.fingerprint import (
    FINGERPRINTS,
    HISTORIES,
    SOURCES,
    commands,
    fingerprint,
    stored,
)
from tests.histories.paths import PATHS
from worker import WORKFLOWS
from workflows.issue import IssueWorkflow

RECORDED = sorted(path.stem for path in HISTORIES.glob("*.json") if path != FINGERPRINTS)


def history(name: str) -> WorkflowHistory:
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")
    return WorkflowHistory.from_json(_workflow_id(json.loads(text)) or f"issue:{name}", text)


def _workflow_id(history: dict[str, Any]) -> str | None:
    """Find whose it is: what was started with an intake asks whether that is its own."""
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    for payload in started.get("input", {}).get("payloads", []):
        said = json.loads(b64decode(payload.get("data", "")) or "null")
        if isinstance(said, dict) and "reference" in said:
            return issue_id(said["source"], said["reference"])
    return None


def test_every_path_has_a_committed_history() -> None:
    assert set(PATHS) <= set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
async def test_todays_code_replays_every_committed_history(name: str) -> None:
    replayer = Replayer(workflows=[*WORKFLOWS], plugins=[plugin()])
    await replayer.replay_workflow(history(name))


@workflow.defn(name="IssueWorkflow")
class ThoughtlesslyChanged(IssueWorkflow):
    """Somebody found that nobody needs the labels."""

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
        self._follow()
        for batch in recorded.batches:
            self._send(self._deliver(batch), batch.keys)


async def test_a_change_of_the_commands_is_caught_by_the_replay() -> None:
    replayer = Replayer(
        workflows=[ThoughtlesslyChanged],
        plugins=[plugin()],
    )
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(history("on_time"))


@pytest.mark.parametrize("name", RECORDED)
def test_a_committed_history_says_nothing_of_the_machine_it_was_recorded_on(name: str) -> None:
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")
    for word in ('"identity"', "site-packages", str(ROOT), "/home/", "/tmp/"):  # noqa: S108
        assert word not in text


@pytest.mark.parametrize("name", SOURCES)
def test_the_commands_are_those_the_histories_were_recorded_with(name: str) -> None:
    assert fingerprint(name) == stored()[name], (
        f"the commands of {name} changed: record histories anew only if no such workflow is "
        "running in production; otherwise guard the change with workflow.patched()"
    )


def test_the_fingerprint_sees_a_command_that_moved() -> None:
    before = "async def f():\n    await workflow.sleep(1)\n    await execute_activity(X)\n"
    after = "async def f():\n    await execute_activity(X)\n    await workflow.sleep(1)\n"
    assert commands(before) == ["f: sleep(1)", "f: execute_activity(X)"]
    assert commands(after) != commands(before)
