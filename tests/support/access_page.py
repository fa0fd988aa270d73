"""docs/access.md's tables, made of the domain's: run this file to write them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.reports.access import reach_into
from domain.reports.definitions import REPORTS
from domain.staff.access import CALLERS, RIGHTS, Caller, Reach, Right, reach
from domain.vocabulary import Role

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


def reports() -> str:
    """Who reads which report, and how much of each of its figures."""
    roles = [role for role in CALLERS if role in RIGHTS[Right.READ_REPORTS]]
    rows = (
        (
            f"`{name}`",
            *(_SAID[reach_into(_somebody(role), report)] for role in roles),
            ", ".join(f"`{each.key}`" for each in report.figures),
        )
        for name, report in REPORTS.items()
    )
    heads = ("report", *roles, "figures")
    return "\n".join(_lines([heads, ("---",) * len(heads), *rows]))


def _somebody(role: Role) -> Caller:
    return Caller(id="somebody", role=role, name="somebody", department="theirs")


def _lines(rows: list[tuple[str, ...]]) -> Iterator[str]:
    return (f"| {' | '.join(row)} |" for row in rows)


def page() -> str:
    """The whole page, with its tables as they are now."""
    first, second, third = PAGE.read_text("utf-8").split(BEGIN)
    made = (
        f"{BEGIN}\n{written}\n{END}{rest.partition(END)[2]}"
        for written, rest in ((table(), second), (reports(), third))
    )
    return first + "".join(made)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
