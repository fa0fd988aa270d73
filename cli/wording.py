"""`yinuo wording`: what is said on the telephone; check it, load it, read it (R40)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from cli import tables
from cli.connections import registers
from cli.console import AsJson, ExitCode, Failed, write_json
from cli.loading import Note
from domain.errors import InputError
from domain.scripts import Script, Wording
from domain.sla.policy import Bilingual
from runtime import aio
from runtime import wording as files
from starter import wording as starting
from store.wordings import Wordings

app = typer.Typer(no_args_is_help=True)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="the scripts (.toml)", show_default=False)
]


@app.command()
def check(file: File) -> None:
    """Read scripts and show them, or say what is wrong with them. Needs no servers.

    Example: yinuo wording check policies/wording.toml
    """
    tables.show(*_page(_read(file)))


@app.command("import")
def import_(file: File, *, note: Note = "") -> None:
    """Make these the desk's scripts: pages show them from the next look on.

    Example: yinuo wording import wording.toml --note "new name of the company"
    """
    wording = _read(file)
    loaded = aio.run(_load(wording, note or f"wording import {file.name}"))
    typer.echo(
        f"The desk's scripts are those of {file.name} now (version {wording.version})."
        if loaded
        else f"Nothing to do: these are the desk's scripts already (version {wording.version})."
    )


@app.command()
def show(
    script: Annotated[
        Script | None, typer.Argument(help="only this one", show_default=False)
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Show the desk's scripts, with the places that are filled in.

    Example: yinuo wording show callback_repaired
    """
    wording = aio.run(_current())
    if json:
        write_json(wording)
        return
    tables.show(*_page(wording, script))


def _read(path: Path) -> Wording:
    try:
        return files.load(path)
    except files.WordingError as error:
        raise InputError(str(error)) from None


async def _load(wording: Wording, note: str) -> bool:
    async with registers() as pool:
        return await starting.load(pool, wording, note) is not None


async def _current() -> Wording:
    """Return the scripts that count.

    Raises:
        Failed: the desk does not answer, or has none yet.
    """
    async with registers() as pool, pool.acquire() as connection:
        found = await Wordings().newest(connection)
    if found is None:
        raise Failed(
            ExitCode.NOT_FOUND, "the desk has no scripts yet: run `yinuo migrate`, or `yinuo up`"
        )
    return found


def _page(wording: Wording, only: Script | None = None) -> Iterator[RenderableType]:
    for script in [only] if only else Script:
        when = wording.when.get(script, Bilingual())
        yield Text.assemble((script, "bold"), (f"  {when.zh} · {when.en}", "dim"))
        for saying in wording.scripts.get(script, ()):
            yield Padding(Text(f"{saying.zh}\n{saying.en}"), (0, 0, 1, 2))
    if only is None:
        yield Text("nobody says", style="bold")
        for phrases in wording.never.values():
            yield Padding(Text(" · ".join(phrases)), (0, 0, 0, 2))
        yield Text(f"Version {wording.version}", style="dim")
