"""Known cases as a file brings them: a JSON array of objects, or one object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain.errors import InputError
from domain.knowledge.cases import Content
from runtime.textfiles import findings, read_utf8


class FoundCase(NamedTuple):
    """A case and where it stands: ``cases.json, entry 3: ``; nowhere if given by hand."""

    where: str
    content: Content


def read_cases(path: Path) -> list[FoundCase]:
    """Read all cases of a file.

    Raises:
        InputError: something in it cannot be; everything that is wrong is named, with its entry
            and field.
    """
    good: list[FoundCase] = []
    wrong: list[str] = []
    for number, value in enumerate(_values(path), start=1):
        where = f"{path}, entry {number}: "
        try:
            good.append(FoundCase(where, Content.model_validate(value)))
        except ValidationError as error:
            wrong += (f"{where}{each}" for each in findings(error))
    if wrong:
        raise InputError("\n".join(wrong))
    return good


def _values(path: Path) -> list[Any]:
    try:
        document = json.loads(read_utf8(path, InputError))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{path}, {where}: no valid JSON: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply for a list of cases") from None
    values = document if isinstance(document, list) else [document]
    if not values:
        raise InputError(f"{path}: holds no case")
    return values
