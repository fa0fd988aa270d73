"""What others hold to stays while files move and Python's own names change. No server is needed."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from tests.frozen.shapes import breaks, shape
from tests.frozen.subjects import COLUMNS, NEED_A_SERVER, ROWS, SUBJECTS
from tests.frozen.write import FOLDER, difference, frozen


@pytest.mark.parametrize("subject", sorted(SUBJECTS.keys() - NEED_A_SERVER))
def test_the_code_is_what_was_frozen(subject: str) -> None:
    if different := difference(subject, SUBJECTS[subject].find()):
        pytest.fail(different, pytrace=False)


def test_nothing_lies_frozen_that_nobody_compares() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(SUBJECTS)


def test_every_column_of_json_has_its_keys_frozen() -> None:
    columns = {
        f"{table}.{name}"
        for table, parts in frozen("tables").items()
        for name, said in parts.get("columns", {}).items()
        if said.startswith("json")
    }
    assert columns == COLUMNS.keys() | ROWS


class _Person(BaseModel):
    """Somebody."""

    name: str = Field(description="as they write it")
    sort: Literal["a"] = "a"


class _Letter(BaseModel):
    to: _Person | None = None
    copies: tuple[_Person, ...] = ()


class _Human(BaseModel):
    name: str
    sort: Literal["a"] = "a"


class _Note(BaseModel):
    """A letter by another name."""

    to: _Human | None = None
    copies: tuple[_Human, ...] = ()


def test_a_shape_holds_keys_and_no_name_of_ours() -> None:
    keys = shape(_Letter)
    assert keys == shape(_Note)
    assert keys["to"] == "open object | null = null"
    assert keys["copies[].name"] == "required string"


def test_what_may_be_left_out_may_come_and_all_else_breaks() -> None:
    before = {"(itself)": "object", "a": "required object", "a.b": "required string"}
    optional = {
        "a.c": "string | null = null",
        "d": "object | null = null",
        "d.e": "required string",
    }
    assert breaks(before, before | optional) == []
    assert breaks(before, before | {"a.c": "required string"}) == ["new, but required: a.c"]
    assert breaks(before, {"(itself)": "object", "a": "required string"}) == [
        "gone: a.b",
        "changed: a",
    ]
