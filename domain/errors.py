"""What the desk says instead of doing it: sentences that a person can act on."""

from __future__ import annotations

from typing import Literal, Self, cast

RefusalType = Literal["NotAllowed", "NotYours", "Invalid", "NotFound", "Taken", "OtherContent"]


class Refused(Exception):
    """Why an action is not taken: a stable ``type`` and a sentence a person can act on."""

    def __init__(self, type_: RefusalType, message: str) -> None:
        super().__init__(message)
        self.type: RefusalType = type_
        self.message = message

    @classmethod
    def told(cls, type_: str, message: str) -> Self:
        """Take over what another process said no to; its type may be of a later version."""
        return cls(cast("RefusalType", type_), message)


class SetupError(Exception):
    """Something around the desk is missing or wrong; the message says what to do."""


class InputError(SetupError):
    """What was handed in cannot be; the message names file and line, or field, and the reason."""


class OutputError(SetupError):
    """What was asked for could not be written; the message says where, and why."""
