"""The documents are true: every rule of the regulation is in its table with a proof that exists,
and every name, link and command they show is there.
"""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from cli.app import app
from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, ActionName
from domain.sla.promise import PromiseKind
from domain.vocabulary import Outcome, Stage
from runtime.settings import ROOT
from store.exports.registers import REGISTERS

REGULATION = ROOT / "docs" / "regulation.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "examples" / "README.md"])
SHOWN_ELSEWHERE = {ActionName.REPLAN}
"""What systems do and people do not."""

_LINK = re.compile(r"\[`?([^\]`]+)`?\]\(([^)#]+)\)")
_CODE = re.compile(r"`([^`]+)`")
_RULE = re.compile(r"R\d+")
_TEST = re.compile(r"`(tests/[^`]+)`")


class Place(NamedTuple):
    """Where something lives: a name, and the file that has it."""

    name: str
    file: Path

    def __str__(self) -> str:
        return f"{self.name} in {self.file.relative_to(ROOT)}"


# What is there ------------------------------------------------------------------------------------


@cache
def defined(file: Path) -> frozenset[str]:
    """Name what a file defines: of a policy its rules and tables, of a migration its tables too."""
    if file.suffix == ".toml":
        return frozenset(_of_policy(tomllib.loads(file.read_text(encoding="utf-8"))))
    if file.suffix != ".py":
        return frozenset({file.name})
    source = file.read_text(encoding="utf-8")
    tables = re.findall(r"(?:CREATE TABLE|ADD CONSTRAINT) (\w+)", source)
    return frozenset({*_of_module(ast.parse(source).body), *tables, file.name})


def _of_policy(tables: dict[str, Any]) -> Iterator[str]:
    for name, table in tables.items():
        if isinstance(table, list):
            yield from (row.get("name", name) for row in table)
        elif isinstance(table, dict):
            yield from (name, *(f"{name}.{key}" for key in table))


def _of_module(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    for each in body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + each.name
        elif isinstance(each, ast.ClassDef):
            yield within + each.name
            yield from _of_module(each.body, f"{within}{each.name}.")
        elif isinstance(each, ast.Assign | ast.AnnAssign):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            yield from (within + target.id for target in targets if isinstance(target, ast.Name))


# What the document says ---------------------------------------------------------------------------


def rows(text: str, heading: str) -> list[list[str]]:
    """Read the table under a heading, without its own head."""
    _, found, section = text.partition(f"## {heading}\n")
    assert found, f"no such heading: {heading}"
    lines = section.partition("\n## ")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def rules(text: str) -> list[list[str]]:
    return rows(text, "The rules")


def places(cell: str, document: Path = REGULATION) -> list[Place]:
    return [
        Place(name, (document.parent / link).resolve())
        for name, link in _LINK.findall(cell)
        if "://" not in link
    ]


def not_there(places: list[Place]) -> list[str]:
    return [
        str(place)
        for place in places
        if not place.file.is_file() or place.name not in defined(place.file)
    ]


def unproved(text: str) -> list[str]:
    """Name the rules without a proof, and the proofs that do not exist."""
    wrong = []
    for rule, _, _, proof in rules(text):
        tests = _TEST.findall(proof)
        wrong += [] if tests else [f"{rule}: no test"]
        for test in tests:
            file, _, name = test.partition("::")
            path = ROOT / file
            if not path.is_file() or name.replace("::", ".") not in defined(path):
                wrong.append(f"{rule}: {test}")
    return wrong


@pytest.fixture(scope="module")
def text() -> str:
    return REGULATION.read_text(encoding="utf-8")


# The regulation -----------------------------------------------------------------------------------


def test_every_rule_is_there_once_and_in_order(text: str) -> None:
    known = range(1, 48)
    assert [rule for rule, *_ in rules(text)] == [f"R{n}" for n in known]


def test_every_rule_is_proved_by_tests_that_exist(text: str) -> None:
    assert unproved(text) == []


def test_every_rule_lives_in_places_that_exist(text: str) -> None:
    assert [rule for rule, _, where, _ in rules(text) if not places(where)] == []
    assert not_there([place for _, _, where, _ in rules(text) for place in places(where)]) == []


def test_where_one_looks_first_is_there_too() -> None:
    table = rows(ARCHITECTURE.read_text(encoding="utf-8"), "Where one looks first")
    named = [place for row in table for place in places(row[1], ARCHITECTURE)]
    code = [place for place in named if place.file.suffix == ".py"]
    assert len(table) == 11
    assert len(code) > 11
    assert not_there(code) == []


def test_a_rule_without_proof_or_with_a_renamed_one_is_noticed(text: str) -> None:
    rule, asks, where, proof = rules(text)[0]
    test = _TEST.findall(proof)[0]
    assert unproved(text.replace(test, f"{test}_renamed")) == [f"{rule}: {test}_renamed"]
    unknown = test.replace("::", "_gone.py::")
    assert f"{rule}: {unknown}" in unproved(text.replace(test, unknown))
    row = f"| {rule} | {asks} | {where} | {proof} |"
    assert unproved(text.replace(row, row.replace(proof, "–"))) == [f"{rule}: no test"]


def test_a_place_that_moved_or_was_renamed_is_noticed(text: str) -> None:
    place = next(place for row in rules(text) for place in places(row[2]))
    assert not_there([place]) == []
    renamed = place._replace(name=f"{place.name}_renamed")
    moved = place._replace(file=place.file.with_name("gone.py"))
    assert not_there([renamed, moved]) == [str(renamed), str(moved)]


def test_every_register_is_named_with_its_table_and_form(text: str) -> None:
    table = rows(text, "The forms")
    shown = {_CODE.findall(name)[0]: (form, where) for form, where, _, name in table}
    assert len(shown) == len(table)
    assert shown.keys() == REGISTERS.keys()
    for name, (form, where) in shown.items():
        assert REGISTERS[name].zh in form, name
        assert REGISTERS[name].table in {place.name for place in places(where)}, name
    assert not_there([place for _, where, *_ in table for place in places(where)]) == []


def test_every_promise_is_named_with_the_rules_that_make_it(text: str) -> None:
    policy = tomllib.loads((ROOT / "policies" / "standard.toml").read_text(encoding="utf-8"))
    made = [(rule["promise"], rule["name"]) for rule in policy["promise"]]
    shown = {
        _CODE.findall(kind)[0]: _CODE.findall(by)
        for kind, _, by, _ in rows(text, "What is promised")
    }
    assert shown.keys() == set(PromiseKind)
    for kind, names in shown.items():
        assert names == [name for promised, name in made if promised == kind], kind


def test_every_stage_is_named_with_what_can_be_done_there(text: str) -> None:
    table = {
        Stage(_CODE.findall(stage)[0]): {ActionName(name) for name in _CODE.findall(doing)}
        for stage, _, doing, _ in rows(text, "Stage by stage")
    }
    assert table.keys() == set(Stage)
    for stage, actions in table.items():
        assert {name for name in actions if stage not in ACTIONS[name].rule.stages} == set(), stage
    section = text.partition("## Stage by stage\n")[2].partition("\n## ")[0]
    named = {name for name in PUBLIC_ACTIONS if f"`{name}`" in section}
    assert named == PUBLIC_ACTIONS.keys() - SHOWN_ELSEWHERE


def test_every_way_to_end_is_named(text: str) -> None:
    shown = {_CODE.findall(outcome)[0] for outcome, *_ in rows(text, "How it ends")}
    assert shown == set(Outcome)


# All documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    found = places(document.read_text(encoding="utf-8"), document)
    assert [str(place) for place in found if not place.file.exists()] == []


def shown_commands(document: Path) -> list[list[str]]:
    """Read the command lines of ``yinuo`` in a document, up to a pipe."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    written = (shlex.split(line, comments=True) for line in lines if "yinuo " in line)
    called = (line for line in written if line and line[0].rpartition("/")[2] == "yinuo")
    return [line[1 : line.index("|") if "|" in line else None] for line in called]


@cache
def program() -> Any:
    return typer.main.get_command(app)


def wrong_usage(words: list[str]) -> str | None:
    """Say what of a command line the program does not know, or misses."""
    command = program()
    rest = list(words)
    while subcommands := getattr(command, "commands", None):
        name = rest.pop(0) if rest else ""
        if name not in subcommands:
            return f"no command: {name}"
        command = subcommands[name]
    options = [each for each in command.params if each.param_type_name == "option"]
    given = {word for word in rest if word.startswith("--")}
    if unknown := given - {name for each in options for name in (*each.opts, *each.secondary_opts)}:
        return f"no option: {', '.join(sorted(unknown))}"
    missing = [
        each.opts[0]
        for each in options
        if each.required and not given & {*each.opts, *each.secondary_opts}
    ]
    return f"missing: {', '.join(missing)}" if missing else None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(document: Path) -> None:
    found = {" ".join(words): wrong_usage(words) for words in shown_commands(document)}
    assert {command: wrong for command, wrong in found.items() if wrong} == {}


def test_a_command_that_is_not_there_is_noticed() -> None:
    assert shown_commands(ROOT / "README.md")
    assert wrong_usage(["issue", "close", "N"]) == "no command: close"
    assert wrong_usage(["issue", "accept", "N", "--by", "P", "--now"]) == "no option: --now"
    assert wrong_usage(["issue", "accept", "N"]) == "missing: --by"
