"""What all commands share: the way to the servers, exit codes, and how errors are told."""
# ruff: noqa: PLC0415  `yinuo --help` must not wait for the libraries of two servers

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from typer.core import TyperGroup

from domain.errors import InputError, OutputError, SetupError
from runtime.textfiles import findings

if TYPE_CHECKING:
    from temporalio.client import Client

    from runtime.settings import Settings
    from starter.client import Desk, Register
    from store.connection import Pool


AsJson = Annotated[bool, typer.Option("--json", help="machine-readable, on stdout")]
Number = Annotated[str, typer.Argument(help="number or workflow id", show_default=False)]


class ExitCode(IntEnum):
    """What a command ends with, for scripts; ``yinuo --help`` lists them."""

    OTHER = 1
    INVALID = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    NOT_YOURS = 5
    UNAVAILABLE = 6
    INTERRUPTED = 130


class Failed(Exception):  # noqa: N818  reads as what happened
    """Why a command could not do it; the message is a sentence a person can act on."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Commands(TyperGroup):
    """Tells what went wrong on stderr, without a traceback unless it is a fault of ours."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except ValidationError as error:
            tell("\n".join(findings(error)))
            code = ExitCode.INVALID
        except (Failed, SetupError) as error:
            tell(str(error))
            code = _code(error)
        raise typer.Exit(code)


def _code(error: Failed | SetupError) -> ExitCode:
    if isinstance(error, Failed):
        return error.code
    return ExitCode.INVALID if isinstance(error, InputError) else ExitCode.OTHER


def tell(message: str) -> None:
    """Say something to the person, on stderr: stdout is for what was asked for."""
    typer.echo(message, err=True)


def write_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Write one JSON document to stdout: an object, or an array of them."""
    plain: Any = value
    if isinstance(value, BaseModel):
        plain = value.model_dump(mode="json")
    elif not isinstance(value, dict):
        plain = [each.model_dump(mode="json") for each in value]
    json.dump(plain, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """The desk to talk to, by the settings of the environment.

    Raises:
        Failed: it refused, or is not running.
    """
    from runtime import settings
    from starter.client import Desk

    async with servers(settings.load()) as (client, pool):
        yield Desk(client, pool)


@asynccontextmanager
async def register() -> AsyncIterator[Register]:
    """The registers to look into; Temporal need not be there.

    Raises:
        Failed: PostgreSQL does not answer.
    """
    from starter.client import Register

    async with registers() as pool:
        yield Register(pool)


@asynccontextmanager
async def registers() -> AsyncIterator[Pool]:
    """Connections to the registers, as ``register`` has them.

    Raises:
        Failed: PostgreSQL does not answer.
    """
    from runtime import settings

    async with explained(), _pool(settings.load()) as pool:
        yield pool


@asynccontextmanager
async def servers(own: Settings) -> AsyncIterator[tuple[Client, Pool]]:
    """Connections to both servers; what the desk or a server says no to within is ``Failed``."""
    from runtime import temporal

    async with explained():
        client = await temporal.connect(own)
        async with _pool(own) as pool:
            yield client, pool


@asynccontextmanager
async def _pool(own: Settings) -> AsyncIterator[Pool]:
    from runtime import postgres
    from runtime.embedded.servers import database_url

    async with postgres.pool(database_url(own), size=10, application="yinuo cli") as pool:
        yield pool


@asynccontextmanager
async def explained() -> AsyncIterator[None]:
    """Turn a refusal, or a server that does not answer, into ``Failed``."""
    from temporalio.service import RPCError

    from domain.errors import Refused
    from runtime import postgres
    from starter.client import Unavailable

    try:
        with postgres.explained():
            yield
    except Refused as refused:
        raise refusal(refused.type, refused.message) from refused
    except Unavailable as error:
        raise Failed(ExitCode.UNAVAILABLE, str(error)) from error
    except RPCError as error:
        raise Failed(ExitCode.UNAVAILABLE, f"Temporal: {error.message}") from error
    except (InputError, OutputError):  # files are wrong, not the servers
        raise
    except SetupError as error:
        raise Failed(ExitCode.UNAVAILABLE, str(error)) from error


def refusal(type_: str, message: str) -> Failed:
    """Give a refusal its exit code by its stable type."""
    codes = {
        "Invalid": ExitCode.INVALID,
        "NotFound": ExitCode.NOT_FOUND,
        "NotAllowed": ExitCode.NOT_ALLOWED,
        "NotYours": ExitCode.NOT_YOURS,
    }
    return Failed(codes.get(type_, ExitCode.OTHER), message)
