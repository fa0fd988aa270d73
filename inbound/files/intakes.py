"""Intakes as other systems write them: one JSON object, an array of them, or one a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain.errors import InputError
from domain.issue.arrival import arrived
from domain.issue.intake import Intake, differing
from runtime.textfiles import findings, read_utf8


class FoundIntake(NamedTuple):
    """An intake and where it stands: ``issues.jsonl, line 3``."""

    where: str
    intake: Intake


def read_intakes(path: Path, now: datetime | None = None) -> list[FoundIntake]:
    """Read all intakes of a file; ``-`` is the standard input. ``now`` is put in where
    ``reported_at`` is missing.

    Raises:
        InputError: something in it cannot be; everything that is wrong is named, with its line.
    """
    name, text = _text(path)
    usual = {"reported_at": now} if now else {}
    good: list[FoundIntake] = []
    wrong: list[str] = []
    for where, value in _values(name, text, wrong):
        try:
            good.append(FoundIntake(where, arrived(_object(value, usual))))
        except ValidationError as error:
            wrong += (f"{where}: {each}" for each in findings(error))
    wrong += _contradictions(good)
    if wrong:
        raise InputError("\n".join(wrong))
    return good


def _contradictions(found: Sequence[FoundIntake]) -> Iterator[str]:
    """Name those that have the reference of an earlier one and say something else: a reference is
    one issue.
    """
    first: dict[str, FoundIntake] = {}
    for each in found:
        earlier = first.setdefault(each.intake.issue_id, each)
        if fields := differing(earlier.intake, each.intake):
            yield (
                f"{each.where}: reference: {each.intake.reference} is that of {earlier.where}, "
                f"which says something else: {', '.join(fields)}"
            )


def _object(value: Any, usual: dict[str, Any]) -> Any:
    return usual | value if isinstance(value, dict) else value


def _values(name: str, text: str, wrong: list[str]) -> Iterator[tuple[str, Any]]:
    """Give each piece of JSON with its place; what is no JSON is put to what is wrong."""
    if _one_a_line(text):
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield from _parsed(line, f"{name}, line {number}", wrong)
        return
    for where, document in _parsed(text, name, wrong):
        if isinstance(document, list):
            yield from (
                (f"{where}, entry {number}", value)
                for number, value in enumerate(document, start=1)
            )
        else:
            yield where, document


def _parsed(text: str, where: str, wrong: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        yield where, json.loads(text)
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if "\n" in text.strip() else ""
        wrong.append(f"{where}{line}, column {error.colno}: no valid JSON: {error.msg}")
    except RecursionError:
        wrong.append(f"{where}: no valid intake: nested too deeply")


def _text(path: Path) -> tuple[str, str]:
    if str(path) != "-":
        return str(path), read_utf8(path, InputError)
    try:
        return "standard input", sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("standard input: not UTF-8") from None


def _one_a_line(text: str) -> bool:
    """Say whether the first line is complete JSON and not the last."""
    first, _, rest = text.strip().partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        # A broken first line of many is still one of many if the others look like lines.
        return first.startswith("{") and rest.lstrip().startswith("{")
    return bool(rest)
