"""`yinuo backup`, `yinuo restore`: the embedded desk into one archive, and back; `yinuo restored`:
what is left to do where servers were restored by their own means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.connections import registers
from cli.console import AsJson, tell, write_json
from domain.errors import InputError
from runtime import aio
from runtime import settings as environment
from starter.backup import restoring
from starter.backup.archive import Manifest
from starter.backup.making import back_up
from starter.backup.restoring import Side
from store import standing

Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="\\[default: yinuo-<now>.tar.gz, here]", show_default=False),
]
Archive = Annotated[Path, typer.Argument(metavar="FILE", help="as `yinuo backup` wrote it")]
Only = Annotated[
    str | None,
    typer.Option(metavar="SIDE", help="postgresql or temporal alone: for a drill"),
]
Force = Annotated[
    bool, typer.Option("--force", help="move the desk that is there aside; it is kept")
]
Mute = Annotated[
    bool, typer.Option("--mute", help="lead its channels nowhere: it reaches nobody, for a drill")
]
Check = Annotated[
    bool, typer.Option("--check", help="only see whether it could be restored; touch nothing")
]


def backup(*, out: Out = None, json: AsJson = False) -> None:
    """Back the embedded desk up into one file, while it runs or not.

    The file holds customer data and the secret that signs links: only its owner may read it. Given
    servers are backed up by their own means: docs/backup.md.

    Example: yinuo backup --out /backups/desk.tar.gz
    """
    to = (out or Path(f"yinuo-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz")).resolve()
    manifest = aio.run(back_up(environment.load(), to))
    if json:
        write_json({"file": str(to), **manifest.model_dump(mode="json")})
        return
    typer.echo(to)
    tell(f"{_said(manifest)}. Written and read back.")
    tell("It holds customer data and the desk's secret: keep it where nobody else reads.")


def restore(
    backup: Archive,
    *,
    only: Only = None,
    force: Force = False,
    mute: Mute = False,
    check: Check = False,
    json: AsJson = False,
) -> None:
    """Restore the embedded desk from a backup: all of it or nothing. The desk must be down.

    What was there before is moved aside and kept. At its next start the desk compares its register
    with Temporal, and issue numbers go on in another ten thousand.

    Example: yinuo restore /backups/desk.tar.gz

    Example: yinuo restore --check /backups/desk.tar.gz
    """
    settings, backup = environment.load(), backup.resolve()
    aside: Path | None = None
    if check:
        manifest = aio.run(restoring.check(settings, backup, tell))
    else:
        restoring_it = restoring.restore(
            settings, backup, only=_side(only), force=force, mute=mute, tell=tell
        )
        manifest, aside = aio.run(restoring_it)
    if json:
        write_json({**manifest.model_dump(mode="json"), "aside": str(aside) if aside else None})
        return
    if check:
        tell(f"{backup} can be restored: {_said(manifest)}.")
        return
    tell(f"The desk is restored: {_said(manifest)}.")
    if aside:
        tell(f"What was there before is in {aside}.")
    tell("Start it with `yinuo up`: it is compared with Temporal first.")


def restored() -> None:
    """Say that the register was restored by its server's own means, before anything works on it.

    Issue numbers go on in another ten thousand, above what the lost register may have given out;
    messages that wait are left to people, since they may have gone out; and the register is
    compared with Temporal before its first step.

    Example: yinuo restored
    """
    aio.run(_restored())
    tell("Numbers go on in another ten thousand; the register is compared with Temporal first.")


async def _restored() -> None:

    async with registers() as pool, pool.acquire() as connection, connection.transaction():
        await standing.restored(connection)


def _side(only: str | None) -> Any:

    if only is None:
        return None
    try:
        return Side(only)
    except ValueError:
        raise InputError(f"only: {only} is none of {', '.join(Side)}") from None


def _said(manifest: Manifest) -> str:
    """Say what is in it, for whoever has to choose one."""
    last = f"{manifest.last_step_at:%Y-%m-%d %H:%M} UTC" if manifest.last_step_at else "none"
    epoch = manifest.register_epoch.number if manifest.register_epoch else "none"
    made = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    files = f"{manifest.attachments or 0} attachments"
    if manifest.attachments is None:
        files = "attachments not in it"
    return f"backup of {made}, {manifest.issues} issues, {files}, last step {last}, epoch {epoch}"
