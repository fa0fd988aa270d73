"""What every door needs: the desk, its registers, and who can sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from runtime.settings import Settings
from runtime.signing import Signer
from starter.client import Desk

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True)
class Doors:
    """One per process; what is in it stays its maker's to close."""

    desk: Desk
    pool: asyncpg.Pool[Any]
    settings: Settings
    signer: Signer

    def now(self) -> datetime:
        """Real time."""
        return datetime.now(UTC)


def doors(request: Request) -> Doors:
    """Return what this request's door needs."""
    here: Doors = request.app.state.doors
    return here


Here = Annotated[Doors, Depends(doors)]


def address_of(request: Request) -> str:
    """Return the caller's address; behind a trusted proxy, the one it names."""
    return request.client.host if request.client else "unknown"
