"""Freezing: what is stored in this folder, and how the code differs from it.

``python -m tests.frozen.write [SUBJECT…]`` writes it anew, on purpose.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

from tests.frozen.shapes import Keys, breaks
from tests.frozen.subjects import SUBJECTS, Shapes

FOLDER = Path(__file__).parent
_SHOWN = 60
"""Lines of a difference: who needs more looks at the file that is written."""


def frozen(subject: str) -> Any:
    """Read what was frozen of a subject."""
    return json.loads(_file(subject).read_text(encoding="utf-8"))


def difference(subject: str, found: Any) -> str:
    """Say how what was ``found`` differs from what was frozen; empty: not at all."""
    before, now = _text(frozen(subject)), _text(found)
    if before == now:
        return ""
    lines = list(
        unified_diff(before.split("\n"), now.split("\n"), "frozen", "the code", "", "", 2, "")
    )
    shown = lines[:_SHOWN] + [f"… and {len(lines) - _SHOWN} lines more"] * (len(lines) > _SHOWN)
    return "\n".join(
        (
            f"tests/frozen/{subject}.json: the code is not what was frozen.",
            *shown,
            *_verdict(subject, found),
            f"{SUBJECTS[subject].may} If it is meant: python -m tests.frozen.write {subject}",
        )
    )


def _verdict(subject: str, found: Any) -> Iterator[str]:
    if not SUBJECTS[subject].shapes:
        return
    before, now = dict(_places(frozen(subject))), dict(_places(found))
    wrong = [f"{place}: gone" for place in sorted(before.keys() - now.keys())]
    for place in sorted(before.keys() & now.keys()):
        wrong += (f"{place}: {each}" for each in breaks(before[place], now[place]))
    yield from wrong[:_SHOWN] or ["Compatible: all that is new may be left out."]


def _places(shapes: Shapes) -> Iterator[tuple[str, Keys]]:
    for place, said in shapes.items():
        yield from ((each, said["keys"]) for each in (place, *said["also"]))


def _file(subject: str) -> Path:
    return FOLDER / f"{subject}.json"


def _text(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True)


def main(subjects: list[str]) -> None:
    """Freeze these subjects, or all, as the code has them."""
    for subject in subjects or SUBJECTS:
        found = SUBJECTS[subject].find()
        _file(subject).write_text(f"{_text(found)}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
