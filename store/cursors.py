"""Cursors: a place in an order, written down for a URL. The spelling is nobody else's to read."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Self

from domain.vocabulary import Model


class Cursor(Model):
    """A place in an order, with what makes it one as fields."""

    @property
    def text(self) -> str:
        """Write it down."""
        return urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one that was written down.

        Raises:
            ValueError: it never was.
        """
        return cls.model_validate_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
