"""What a terminal shows while a desk comes up."""

from __future__ import annotations

import typer

_MARKS = {"ready": ("✓", "green"), "stopped": ("■", "bright_black")}


def show(part: str, state: str, detail: str) -> None:
    """Tell about a part of the desk; what is starting is only told when it is there."""
    if state == "starting":
        return
    mark, colour = _MARKS.get(state, ("!", "yellow"))
    said = detail if state == "ready" else f"{state} {detail}".strip()
    typer.echo(f"{typer.style(mark, fg=colour)} {part:<18} {said}")
