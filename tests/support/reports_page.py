"""The tables of docs/reports.md, made of the definitions: run this file to write them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.reports.definitions import REPORTS
from domain.reports.figures import FIGURES
from domain.reports.periods import Cadence

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"
BEGIN, END = "<!-- made by tests/support/reports_page.py -->", "<!-- end -->"
_CADENCES = {
    Cadence.WEEK: "week",
    Cadence.MONTH: "month",
    Cadence.QUARTER: "quarter",
    Cadence.YEAR: "year",
}


def _reports() -> Iterator[str]:
    yield "| report | | made for | who reads it | sections |\n|---|---|---|---|---|"
    for each in REPORTS.values():
        readers = ", ".join(f"{role} ({reach})" for role, reach in each.readers.items())
        periods = ", ".join(_CADENCES[cadence] for cadence in each.cadences)
        sections = ", ".join(section.en.lower() for section in each.sections)
        yield f"| `{each.name}` | {each.zh}<br>{each.en} | {periods} | {readers} | {sections} |"


def _figures() -> Iterator[str]:
    yield "| figure | | how it is counted | view |\n|---|---|---|---|"
    for each in FIGURES.values():
        rule = f"{each.rule_zh}<br>{each.rule_en}"
        yield f"| `{each.key}` | {each.zh}<br>{each.en} | {rule} | `{each.view}` |"


def page() -> str:
    """The whole page, with the tables as they are now."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    made = "\n".join((*_reports(), "", "### Figures", "", *_figures()))
    return f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
