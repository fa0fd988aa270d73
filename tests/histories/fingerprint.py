"""The commands of a workflow's code in the order they are written, as one hash.

A history replays only if the code gives the same commands in the same order. Whoever moves one is
to notice before production does.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from runtime.settings import ROOT

HISTORIES = ROOT / "tests" / "histories"
FINGERPRINTS = HISTORIES / "fingerprints.json"
SOURCES = {
    "IssueWorkflow": ("workflows/issue.py", "workflows/turns.py", "workflows/timers.py"),
    "AuditWorkflow": ("workflows/audit.py",),
    "ReplanWorkflow": ("workflows/replan.py",),
    "RepairWorkflow": ("workflows/repair.py",),
    "ReportWorkflow": ("workflows/reports.py",),
}
"""The files whose functions give the commands of each workflow."""

COMMANDS = frozenset(
    {
        *("execute_activity", "execute_local_activity", "start_activity", "start_local_activity"),
        *("execute_child_workflow", "start_child_workflow", "continue_as_new", "sleep"),
        *("wait_condition", "wait", "wait_for", "gather", "create_task", "shield", "patched"),
        *("upsert_search_attributes", "upsert_memo", "random", "uuid4", "signal", "cancel"),
    }
)


def commands(source: str) -> list[str]:
    """List the command-giving calls, each as ``function: call(first argument)``."""
    return [
        f"{function.name}: {_name(call)}({_first(call)})"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in _calls(function)
    ]


def fingerprint(workflow: str) -> str:
    """Hash the commands of a workflow's files."""
    lines = [line for file in SOURCES[workflow] for line in commands(_read(ROOT / file))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def write() -> None:
    """Store the fingerprints of the code as it is."""
    found = {workflow: fingerprint(workflow) for workflow in SOURCES}
    FINGERPRINTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def stored() -> dict[str, str]:
    """Return the fingerprints of the code the histories were recorded with."""
    known: dict[str, str] = json.loads(_read(FINGERPRINTS))
    return known


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _calls(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    yield from (call for call in calls if _name(call) in COMMANDS)


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _first(call: ast.Call) -> str:
    return ast.unparse(call.args[0]) if call.args else ""
