"""How the desk says no."""

from __future__ import annotations

from typing import Literal

RefusalType = Literal["NotAllowed", "NotYours", "Invalid"]


class Refused(Exception):  # noqa: N818  a refusal is an answer, not an error
    """Why an action is not taken: a stable ``type`` and a sentence a person can act on."""

    def __init__(self, type_: RefusalType, message: str) -> None:
        super().__init__(message)
        self.type: RefusalType = type_
        self.message = message
