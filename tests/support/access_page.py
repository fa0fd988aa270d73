"""docs/access.md's table, made of the domain's: run this file to write it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.staff.access import CALLERS, Reach, Right, reach

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
BEGIN, END = "<!-- made by tests/support/access_page.py -->", "<!-- end -->"
_SAID = {
    Reach.NONE: "·",
    Reach.OWN: "own",
    Reach.TO_CALL: "to call",
    Reach.TO_ADVISE: "own, or a panel sits",
    Reach.DEPARTMENT: "department",
    Reach.ALL: "all",
}


def table() -> str:
    """Who may do what, on which issues."""
    rights: tuple[Right | ActionName, ...] = (*Right, *PUBLIC_ACTIONS)
    rows = ((f"`{what}`", *(_SAID[reach(role, what)] for role in CALLERS)) for what in rights)
    return "\n".join(_lines([("", *CALLERS), ("---",) * (len(CALLERS) + 1), *rows]))


def _lines(rows: list[tuple[str, ...]]) -> Iterator[str]:
    return (f"| {' | '.join(row)} |" for row in rows)


def page() -> str:
    """The whole page, with the table as it is now."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
