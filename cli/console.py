"""What all commands say and how they end: exit codes, and how errors are told. `yinuo --help` waits
for this file, so it needs none of the servers' libraries: those are `cli.connections`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from typer.core import TyperGroup

from domain.errors import InputError, SetupError
from runtime.textfiles import findings

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


class Failed(Exception):
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


def refusal(type_: str, message: str) -> Failed:
    """Give a refusal its exit code by its stable type."""
    codes = {
        "Invalid": ExitCode.INVALID,
        "NotFound": ExitCode.NOT_FOUND,
        "NotAllowed": ExitCode.NOT_ALLOWED,
        "OtherContent": ExitCode.NOT_ALLOWED,
        "NotYours": ExitCode.NOT_YOURS,
    }
    return Failed(codes.get(type_, ExitCode.OTHER), message)
