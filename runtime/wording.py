"""Reading the desk's scripts (R40); what is wrong in them is named where it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from domain.errors import SetupError
from domain.scripts import Phrase, Saying, Script, Wording, mistakes
from domain.sla.policy import Bilingual
from domain.vocabulary import Language
from runtime.settings import ROOT
from runtime.tomlfile import TomlFile

OWN = ROOT / "policies" / "wording.toml"

_SCRIPTS = TypeAdapter(dict[Script, tuple[Saying, ...]])
_PARTS: Mapping[str, TypeAdapter[Any]] = {
    "when": TypeAdapter(dict[Script, Bilingual]),
    "never": TypeAdapter(dict[Language, tuple[Phrase, ...]]),
}


class WordingError(SetupError):
    """The scripts cannot be used; the message names file, line and script, and what is expected."""


def beside(policy: Path) -> Path:
    """Return the file of scripts of a desk by where its policy is: beside it, or else our own."""
    theirs = policy.resolve().parent / OWN.name
    return theirs if theirs.exists() else OWN


def load(path: Path) -> Wording:
    """Read the desk's scripts.

    Raises:
        WordingError: the file is missing or unreadable, lacks a script or a language, names a place
            that is not there, or says what nobody may say; with all of it at once.
    """
    file = TomlFile(path, WordingError)
    document = file.document()
    parts: dict[str, Any] = {}
    for name, shape in _PARTS.items():
        with file.checked(name):
            parts[name] = shape.validate_python(document.pop(name, {}))
    for name, sayings in document.items():
        if name not in set(Script):
            raise file.error((name,), f"there is no such script; there are: {', '.join(Script)}")
        if not isinstance(sayings, list):
            raise file.error((name,), f"write [[{name}]] with zh and en")
    with file.checked():
        wording = Wording(scripts=_SCRIPTS.validate_python(document), **parts)
    if found := [str(file.error(where, reason)) for where, reason in mistakes(wording)]:
        raise WordingError("\n".join(found))
    return wording
