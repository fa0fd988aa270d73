"""Traps of workflow code that no story shows: they bite in production only."""

import ast
from pathlib import Path

import pytest

from domain.issue.actions import ActionName
from runtime.settings import ROOT
from workflows import search_attributes
from workflows.issue import IssueWorkflow
from workflows.search_attributes import SEARCH_ATTRIBUTES

FILES = sorted((ROOT / "workflows").glob("*.py"))
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
LOGGED = "import x\nworkflow.logger.info('x', issue=1)\n"
POLLED = "async def f():\n    while True:\n        await workflow.sleep(60)\n"


def keywords_logged(source: str) -> list[str]:
    """Find what ``workflow.logger`` would fail the workflow task over, for ever, at INFO."""
    return [
        f"line {call.lineno}: {keyword.arg}"
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in LEVELS
        and ast.unparse(call.func.value).endswith("logger")
        for keyword in call.keywords
        if keyword.arg not in {"extra", "exc_info", "stack_info", "stacklevel"}
    ]


def sleeps_in_loops(source: str) -> list[str]:
    """Find polling: a sleep inside a loop, which costs history all the time."""
    return [
        f"line {call.lineno}"
        for loop in ast.walk(ast.parse(source))
        if isinstance(loop, ast.While | ast.For | ast.AsyncFor)
        for call in ast.walk(loop)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("sleep")
    ]


def test_the_traps_are_recognised() -> None:
    assert keywords_logged(LOGGED) == ["line 2: issue"]
    assert sleeps_in_loops(POLLED) == ["line 3"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_workflows_log_with_extra_only(file: Path) -> None:
    assert keywords_logged(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_workflows_never_poll(file: Path) -> None:
    assert sleeps_in_loops(file.read_text(encoding="utf-8")) == []


def test_every_label_a_workflow_sets_is_registered() -> None:
    named = {
        value.name
        for name, value in vars(search_attributes).items()
        if name.isupper() and name != "SEARCH_ATTRIBUTES"
    }
    assert named == {key.name for key in SEARCH_ATTRIBUTES}
    source = (ROOT / "workflows" / "labels.py").read_text(encoding="utf-8")
    used = {
        ast.unparse(call.func.value)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"value_set", "value_unset"}
    }
    assert {getattr(search_attributes, name).name for name in used} == named


def test_every_action_of_people_has_an_update_and_a_validator() -> None:
    of_the_desk = {
        *(ActionName.ASSIGN, ActionName.THRESHOLD, ActionName.REPLIED),
        *(ActionName.HAND_OVER, ActionName.COMPLAINT_RAISED),
        *(ActionName.CANCEL, ActionName.CANCELLATION_ASKED, ActionName.MERGED),
    }
    for name in set(ActionName) - of_the_desk:
        definition = getattr(IssueWorkflow, name.value)._defn
        assert definition.name == name.value
        assert definition.validator is not None, f"{name}: a refusal would write history"
