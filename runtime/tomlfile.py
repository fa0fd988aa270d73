"""Files in TOML that people write, of which what is wrong is named where it stands."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.errors import SetupError
from runtime.textfiles import explain, read_utf8

Where = tuple[int | str, ...]
"""A place in a file: names of tables and keys, and which of several tables, from 0 on."""
Table = dict[str, Any]

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")
_SUBJECT = re.compile(r"(\w+)(?: ([\w.+-]+))?: ")
_TOML_LINE = re.compile(r" ?\(at line (\d+), column \d+\)$")


class TomlFile:
    """The text of a file, and what it takes to point at a place in it."""

    def __init__(self, path: Path, error: type[SetupError]) -> None:
        """Read it; whatever is wrong with it is an ``error``."""
        self.path = path
        self._error = error
        self._text = read_utf8(path, error)
        self._lines = _lines(self._text)

    def document(self) -> Table:
        """Return its tables as they are."""
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            reason = str(error)
            line = _TOML_LINE.search(reason)
            at = f", line {line[1]}" if line else ""
            raise self._error(
                f"{self.path}{at}: no valid TOML: {_TOML_LINE.sub('', reason)}"
            ) from None

    def error(self, where: Where, reason: str) -> SetupError:
        """Say what is wrong at a place."""
        return self._error(self._located(where, reason))

    def refuse(self, found: Iterable[tuple[Where, str]]) -> None:
        """Raise if anything was found, with a line for each place and its reason."""
        if located := [self._located(where, reason) for where, reason in found]:
            raise self._error("\n".join(located))

    @contextmanager
    def checked(self, *where: int | str) -> Iterator[None]:
        """Turn what pydantic finds below ``where`` into one error with a line for each finding."""
        try:
            yield
        except ValidationError as error:
            found = (
                self._located((*where, *each["loc"]), explain(each)) for each in error.errors()
            )
            raise self._error("\n".join(dict.fromkeys(found))) from None

    def _located(self, where: Where, reason: str) -> str:
        line = self._line(where) if where else self._line_of_what(reason)
        at = f", line {line}" if line else ""
        return f"{self.path}{at}: {_dotted(where)}{reason}"

    def _line(self, where: Where) -> int | None:
        """Find a place; what has no line of its own stands on that of the table around it."""
        around = (where[:length] for length in range(len(where), 0, -1))
        return next((self._lines[place] for place in around if place in self._lines), None)

    def _line_of_what(self, reason: str) -> int | None:
        """Find what a finding about the whole policy begins with: ``routing: …``, a key of it,
        ``routing software: …``, or a thing by its name, ``promise callback: …``.
        """
        if (subject := _SUBJECT.match(reason)) is None:
            return None
        if subject[2] is None:
            return self._line((subject[1],))
        if line := self._lines.get((subject[1], subject[2])):
            return line
        named, lines = f'name = "{subject[2]}"', self._text.splitlines()
        called = (
            line
            for where, line in self._lines.items()
            if (where[0], where[2:]) == (subject[1], ("name",))
        )
        return next((line for line in called if lines[line - 1].strip() == named), None)


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
