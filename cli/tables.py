"""What all tables in a terminal share."""

from __future__ import annotations

import unicodedata

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table


def show(*parts: RenderableType) -> None:
    """Print to stdout. What customers and staff wrote is never taken for markup."""
    console = Console(markup=False, emoji=False, highlight=False)
    for part in parts:
        console.print(part)


def table_of(*headers: str) -> Table:
    """Begin a table as wide as the terminal."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table


def plain(text: str) -> str:
    """Take out what a terminal would obey."""
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in {"Cc", "Cf"} else "\ufffd"
        for char in text
    )
