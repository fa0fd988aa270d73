"""Reading a policy file into a rulebook; what is wrong in it is named where it stands."""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.calendar import Hours, WorkingCalendar
from domain.national_days import NationalDays, NationalFields
from domain.policy import MarkRule, Policy, Rulebook, calendar_fields
from domain.vocabulary import Code
from runtime.errors import SetupError
from runtime.settings import ROOT
from runtime.textfiles import explain, read_utf8

Where = tuple[int | str, ...]
Table = dict[str, Any]

_MARKS = TypeAdapter(dict[Code, tuple[MarkRule, ...]])
_HOURS = TypeAdapter[Any](Hours)
_COUNTRY = re.compile(r"[A-Z]{2}")
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")
_SUBJECT = re.compile(r"(\w+)(?: ([\w.+-]+))?: ")
_TOML_LINE = re.compile(r" ?\(at line (\d+), column \d+\)$")


class RulebookError(SetupError):
    """The policy cannot be used; the message names file, line and field, and what is expected."""


def load(path: Path) -> Rulebook:
    """Read a policy, and the national working days that its calendars name.

    ``national = "CN"`` is read from ``cn_workdays.json`` beside the policy, or else from the desk's
    own ``policies/``. ``marks = "general"`` stands for the list of that name in ``[marks]``.

    Raises:
        RulebookError: a file is missing, unreadable, or says something that cannot be.
    """
    policy = _File(path)
    document = policy.document()
    marks = document.pop("marks", {})
    with policy.checked("marks"):
        _MARKS.validate_python(marks)
    for number, promise in enumerate(_tables(document.get("promise"))):
        if isinstance(name := promise.get("marks"), str):
            if name not in marks:
                there_are = ", ".join(sorted(marks)) or "none"
                raise policy.error(
                    ("promise", number, "marks"),
                    f'no [marks] are called "{name}"; there are: {there_are}',
                )
            promise["marks"] = marks[name]
    tables = document.pop("calendars", {})
    with policy.checked():
        figures = Policy.model_validate(document)
    calendars = _calendars(policy, tables, figures.zone)
    with policy.checked():
        return Rulebook(policy=figures, calendars=calendars)


class _File:
    """A policy's text, and what it takes to point at a place in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = read_utf8(path, RulebookError)
        self._lines = _lines(self._text)

    def document(self) -> Table:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            reason = str(error)
            line = _TOML_LINE.search(reason)
            at = f", line {line[1]}" if line else ""
            raise RulebookError(
                f"{self.path}{at}: no valid TOML: {_TOML_LINE.sub('', reason)}"
            ) from None

    def error(self, where: Where, reason: str) -> RulebookError:
        return RulebookError(self._located(where, reason))

    @contextmanager
    def checked(self, *where: int | str) -> Iterator[None]:
        """Turn what pydantic finds below ``where`` into one error with a line for each finding."""
        try:
            yield
        except ValidationError as error:
            found = (
                self._located((*where, *each["loc"]), explain(each)) for each in error.errors()
            )
            raise RulebookError("\n".join(dict.fromkeys(found))) from None

    def _located(self, where: Where, reason: str) -> str:
        line = self._line(where) if where else self._line_of_what(reason)
        at = f", line {line}" if line else ""
        return f"{self.path}{at}: {_dotted(where)}{reason}"

    def _line(self, where: Where) -> int | None:
        """Find a place; what has no line of its own stands on that of the table around it."""
        around = (where[:length] for length in range(len(where), 0, -1))
        return next((self._lines[place] for place in around if place in self._lines), None)

    def _line_of_what(self, reason: str) -> int | None:
        """Find what a finding about the whole policy begins with: ``routing: …``, or a thing by
        its name, ``promise callback: …``.
        """
        if (subject := _SUBJECT.match(reason)) is None:
            return None
        if subject[2] is None:
            return self._line((subject[1],))
        named = f'name = "{subject[2]}"'
        lines = enumerate(self._text.splitlines(), start=1)
        return next((number for number, line in lines if line.strip() == named), None)


def _calendars(policy: _File, tables: object, zone: str) -> dict[Code, WorkingCalendar]:
    """Build the calendars; each is called by its key and is in the desk's zone unless it says so
    itself.
    """
    if not isinstance(tables, dict):
        raise policy.error(("calendars",), "write a table [calendars.NAME] for each")
    calendars: dict[Code, WorkingCalendar] = {}
    for name, entry in tables.items():
        where = ("calendars", name)
        if not isinstance(entry, dict):
            raise policy.error(where, "write a table with days and hours, or week")
        if ("hours" in entry) != ("days" in entry):
            raise policy.error(where, "days and hours go together: give both, or a week table")
        if not isinstance(entry.get("days", []), list):
            raise policy.error((*where, "days"), 'write a list such as ["mon", "tue"]')
        if "hours" in entry:  # once, not for every day that has them
            with policy.checked(*where, "hours"):
                _HOURS.validate_python(entry["hours"])
        national: dict[str, NationalFields] = {}
        if country := entry.get("national"):
            national[str(country)] = _national_days(policy, where, country)
        fields = {"name": name, "zone": zone} | calendar_fields(entry, national)
        with policy.checked(*where):
            calendars[name] = WorkingCalendar.model_validate(fields)
    return calendars


def _national_days(policy: _File, where: Where, country: object) -> NationalFields:
    """Read a country's notices (R32)."""
    where = (*where, "national")
    if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
        raise policy.error(where, f'{country!r} is no country: write its two letters, such as "CN"')
    name = f"{country.lower()}_workdays.json"
    folders = dict.fromkeys((policy.path.resolve().parent, ROOT / "policies"))
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if path is None:
        looked = " or ".join(str(folder) for folder in folders)
        raise policy.error(where, f"there is no {name} in {looked}: put the notices there (R32)")
    text = read_utf8(path, RulebookError)
    try:
        return NationalDays.model_validate(json.loads(text)).fields()
    except json.JSONDecodeError as error:
        raise RulebookError(f"{path}, line {error.lineno}: no valid JSON: {error.msg}") from None
    except ValidationError as error:
        found = (f"{path}: {_dotted(each['loc'])}{explain(each)}" for each in error.errors())
        raise RulebookError("\n".join(found)) from None


def _tables(value: object) -> list[Table]:
    """Take what can be a list of tables; whatever else it is, the policy's own check refuses it."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _dotted(where: Where) -> str:
    """Write ``promise[2].within: ``, counting from 1 as a reader does."""
    parts = (part for part in where if part != "[key]")  # pydantic's: the key itself is wrong
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{path.removeprefix('.')}: " if path else ""


def _lines(text: str) -> dict[Where, int]:
    """Say on which line each table and key stands. ``tomllib`` does not tell, but every key of a
    policy begins a line.
    """
    lines: dict[Where, int] = {}
    entries: dict[Where, int] = {}
    table: Where = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = tuple(header[2].split("."))
            if header[1] == "[[":
                entries[table] = entries.get(table, -1) + 1
                table = (*table, entries[table])
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *key[1].split(".")), number)
    return lines
