"""The fields of a model as options of a command: what a form asks for, the terminal asks for."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from inspect import Parameter
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

_METAVARS = {AwareDatetime: "TIME", Decimal: "AMOUNT"}
_HINTS = {AwareDatetime: "like 2026-11-23T10:00+08:00", tuple: "may be repeated"}


def option(name: str, field: FieldInfo, usual: Any = None) -> Parameter:
    """Make the parameter of a Typer command that asks for ``field``: ``--its-name``, required if
    the model demands it and there is no ``usual`` value.

    It takes yes or no, a choice, or text, several times for a tuple. What is left out is None, and
    text is as it was typed: values and defaults are the model's affair, so that a terminal and an
    intake system are told the same.
    """
    plain = _plain(field.annotation)
    required = field.is_required() and usual is None
    default = usual if field.is_required() else field.get_default() or None
    taken = _taken(plain)
    flag = name.replace("_", "-")
    asked = typer.Option(
        f"--{flag}/--not-{flag}" if plain is bool else f"--{flag}",
        metavar=_METAVARS.get(plain) or _bounds(field),
        help="; ".join(filter(None, (field.description, _HINTS.get(plain)))),
    )
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=Parameter.empty if required else default,
        annotation=Annotated[taken if required else taken | None, asked],
    )


def _plain(annotation: Any) -> Any:
    """Give the type itself, without the None and the constraints around it; any tuple is one."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        (some,) = (each for each in get_args(annotation) if each is not NoneType)
        return _plain(some)
    return get_origin(annotation) or annotation


def _taken(plain: type) -> Any:
    """Say as what the terminal takes it."""
    if plain is bool or issubclass(plain, Enum):
        return plain
    return list[str] if plain is tuple else str


def _bounds(field: FieldInfo) -> str | None:
    """Picture a range that is bounded on both sides: ``-50…200``."""
    limits = {
        side: getattr(each, side)
        for each in field.metadata
        for side in ("ge", "le")
        if hasattr(each, side)
    }
    return "{ge}…{le}".format_map(limits) if len(limits) == 2 else None
