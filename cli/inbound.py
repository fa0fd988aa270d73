"""`yinuo inbound`: mapping files tried out, and letter boxes kept open."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import AsJson, ExitCode, Failed, tell, write_json
from domain.errors import InputError, SetupError
from domain.letters import mailbox
from inbound.imap import Mailbox, MailboxError
from inbound.letters.apart import shared
from inbound.letters.headers import head_of
from inbound.machines import machine
from inbound.mail import LetterBox, from_a_person
from inbound.mapping import Form, Ignored, Unusable, read_file
from inbound.smtp import listening
from runtime import aio, logs, signing
from runtime import settings as environment
from runtime.textfiles import read_utf8
from starter.attachments import Attachments
from web.serving import connected

app = typer.Typer(no_args_is_help=True)

PASSWORD = "YINUO_IMAP_PASSWORD"  # noqa: S105  its name
LONGEST_PAUSE = 300.0
"""Seconds between attempts while a mailbox does not answer."""

File = Annotated[Path, typer.Argument(metavar="MAPPING", help="a mapping file: docs/inbound.md")]
Sample = Annotated[
    Path | None,
    typer.Argument(metavar="SAMPLE", help="what they send: JSON, or a letter (.eml)"),
]
Host = Annotated[str, typer.Option(help="where to listen")]
Port = Annotated[int, typer.Option(min=1, max=65535)]
Server = Annotated[str, typer.Option("--host", help="the mail server", show_default=False)]
User = Annotated[str, typer.Option(help=f"its password is in {PASSWORD}", show_default=False)]
Folder = Annotated[str, typer.Option(help="whose unread letters become issues")]
Every = Annotated[float, typer.Option(min=1, help="seconds between looks")]
Once = Annotated[bool, typer.Option("--once", help="look once, for a scheduler of your own")]


@app.command()
def check(file: File, sample: Sample = None, *, json: AsJson = False) -> None:
    """Try a mapping file: is it sound, and what would become of a sample? Nothing is registered.

    Example: yinuo inbound check examples/inbound/cti.toml examples/inbound/cti.json
    """
    form = read_file(file)
    if sample is None:
        tell(f"{file} is sound: issues of {form.source}.")
        return
    try:
        intake = form.read(_sample(sample, form), datetime.now(UTC))
    except Ignored as ignored:
        tell(f"{sample}: {str(ignored) or 'not about an issue'}, it would be ignored.")
        return
    except Unusable as unusable:
        lines = (f"{sample}: {field}: {reason}" for field, reason in unusable.wrong)
        raise InputError("\n".join(lines)) from None
    if json:
        write_json(intake)
        return
    said = intake.model_dump(mode="json", exclude_none=True)
    customer = said.pop("customer")
    for name, value in (said | {f"customer.{n}": v for n, v in customer.items()}).items():
        typer.echo(f"{name:<22} {value}")


def _sample(path: Path, form: Form) -> dict[str, Any]:
    """Read a sample.

    Raises:
        Ignored: it is a letter that a machine wrote.
    """
    if path.suffix == ".eml":
        raw, ours = path.read_bytes(), frozenset(map(mailbox, form.own))
        head = head_of(raw)
        if sign := machine(head, ours):
            raise Ignored(f"written by a machine ({sign})")
        return dict(from_a_person(shared().read(raw), head, ours))
    try:
        theirs = json.loads(read_utf8(path, InputError))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    if not isinstance(theirs, dict):
        raise InputError(f"{path}: must be one JSON object")
    return theirs


@app.command()
def smtp(file: File, *, host: Host = "127.0.0.1", port: Port = 8025) -> None:
    """Take letters as a mail server does, until Ctrl-C. Yours forwards a mailbox here.

    A letter is acknowledged once its issue is registered; while the desk is away the sender is told
    to come again.

    Example: yinuo inbound smtp examples/inbound/mail.toml --port 8025
    """
    aio.run(_listen(read_file(file), host, port))


async def _listen(form: Form, host: str, port: int) -> None:

    async with _box(form) as box:
        try:
            with aio.stop_requested() as stop:
                async with listening(box, host, port):
                    tell(f"Taking letters for {form.source} at {host}:{port}; Ctrl-C stops.")
                    await stop.wait()
        except OSError as error:
            raise SetupError(f"{host}:{port}: {error.strerror or error}") from None


@app.command()
def imap(
    file: File,
    *,
    host: Server,
    user: User,
    port: Port = 993,
    folder: Folder = "INBOX",
    every: Every = 30.0,
    once: Once = False,
) -> None:
    """Fetch the unread letters of a mailbox over TLS, until Ctrl-C.

    A letter counts as read once its issue is registered; what cannot become one is flagged.

    Example: yinuo inbound imap mail.toml --host mail.example.com --user service@example.com
    """
    password = os.environ.get(PASSWORD)
    if not password:
        raise InputError(f"{PASSWORD}: set it to the password of {user}")
    place = Mailbox(host, port, user, password, folder)
    aio.run(_fetch(read_file(file), place, None if once else every))


async def _fetch(form: Form, place: Mailbox, every: float | None) -> None:

    own = (place.user,) if "@" in place.user else ()
    async with _box(form, own) as box:
        with aio.stop_requested() as stop:
            failures = 0
            while not stop.is_set():
                try:
                    count = await place.empty_into(box)
                    failures = 0
                    if every is None:
                        tell(f"{count} letters")
                except MailboxError as error:
                    if every is None:
                        raise Failed(ExitCode.UNAVAILABLE, str(error)) from None
                    failures += 1
                    tell(str(error))
                if every is None:
                    return
                with suppress(TimeoutError):
                    pause = min(LONGEST_PAUSE, every * 2 ** min(failures, 8))
                    await asyncio.wait_for(stop.wait(), pause if failures else every)


@asynccontextmanager
async def _box(form: Form, own: tuple[str, ...] = ()) -> AsyncIterator[LetterBox]:
    """A letter box of the desk, whose servers may be away."""
    settings = environment.load()
    logs.configure(settings.log_format, settings.log_level)
    async with connected(settings, "yinuo inbound") as (desk, pool):
        attachments, signer = Attachments.on(pool, settings), signing.signer(settings)
        largest = settings.largest_letter
        yield LetterBox(desk, pool, form, attachments, own=own, signer=signer, largest=largest)
