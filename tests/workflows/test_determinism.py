"""Nothing that a replay repeats hangs on anything but what stands in history.

The SDK's sandbox would watch for it while workflows run, and make each of them import its code anew
(docs/adr/0024). Here it is read off the code: what else these rooms may not import is a contract of
import-linter, in `pyproject.toml`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.settings import ROOT

REPLAYED = ("domain", "workflows")
FILES = sorted(file for room in REPLAYED for file in (ROOT / room).rglob("*.py"))

ANOTHER_EACH_TIME = {"breakpoint", "hash", "id", "input", "open", "print"}
"""Functions that say or do something else in another process."""
THE_MACHINES_TIME = {"now", "today", "utcnow", "fromtimestamp"}
"""What tells the time, unless it is Temporal's or somebody tells it."""
IN_ORDER = {
    *("CancelledError", "Future", "Lock", "Task"),
    *("create_task", "current_task", "get_running_loop", "shield", "sleep"),
}
"""What of asyncio goes by the order in which it was asked, and by no thread and no clock but
Temporal's. Of the rest, `wait` and `as_completed` go by the order of a set.
"""
CHANGEABLE = {"dict", "list", "set"}
"""What may not stand in a module, unless it is annotated as something that the type checker lets
nobody change: what one run changed in it, all others would see.
"""


def offences(code: str) -> Iterator[str]:
    """Name what a replay could not repeat, with the line."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if what := _offence(node):
            yield f"{what} in line {getattr(node, 'lineno', 0)}"
    for statement in tree.body:
        if _mutable(statement):
            yield f"a module's own changeable value in line {statement.lineno}"


def _offence(node: ast.AST) -> str | None:
    found: str | None = None
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in ANOTHER_EACH_TIME:
            found = name
        case ast.Attribute(value=ast.Name(id="workflow"), attr="now"):
            pass
        case ast.Attribute(attr=name) if name in THE_MACHINES_TIME:
            found = name
        case ast.Attribute(value=ast.Name(id="asyncio"), attr=name) if name not in IN_ORDER:
            found = f"asyncio.{name}"
        case ast.ImportFrom(module="asyncio"):
            found = "names out of asyncio"
        case ast.Global():
            found = "global"
    return found


def _mutable(statement: ast.stmt) -> bool:
    made = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name != "__all__":
            return isinstance(value, made)
        case ast.AnnAssign(annotation=kind, value=value) if isinstance(value, made):
            of = kind.value if isinstance(kind, ast.Subscript) else kind
            return isinstance(of, ast.Name) and of.id in CHANGEABLE
    return False


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_that_a_replay_repeats_hangs_on_the_process(file: Path) -> None:
    assert not list(offences(file.read_text("utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        "at = datetime.now(UTC)",
        "at = datetime.datetime.utcnow()",
        "day = date.today()",
        "for n, _ in sorted((hash(name), name) for name in names): ...",
        "async def run(): await asyncio.wait(tasks)",
        "async def run(): await asyncio.to_thread(read)",
        "from asyncio import as_completed",
        "text = open('policy.toml').read()",
        "print('here')",
        "SEEN = {}",
        "SEEN: list[str] = []",
        "def count():\n    global seen",
    ],
)
def test_what_a_replay_could_not_repeat_is_found(code: str) -> None:
    assert list(offences(code))


@pytest.mark.parametrize(
    "code",
    [
        "at = workflow.now()",
        "NAMES: Mapping[str, str] = {'a': 'b'}",
        "def tally():\n    seen = {}",
        "async def run(): await asyncio.sleep(0)",
    ],
)
def test_what_every_replay_does_alike_is_let_be(code: str) -> None:
    assert not list(offences(code))
