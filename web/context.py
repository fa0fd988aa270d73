"""What every door needs: the desk, its registers, and who can sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, Request

from runtime.settings import Settings
from runtime.signing import Signer
from starter.attachments import Attachments
from starter.client import Desk
from starter.condition import Condition
from starter.pictures import Pictures
from starter.receivers import Receivers
from starter.registers import Registers


@dataclass(frozen=True)
class Doors:
    """One per process."""

    desk: Desk
    registers: Registers
    condition: Condition
    attachments: Attachments
    pictures: Pictures
    receivers: Receivers
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


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, IPv4 however it is written; None: it is none. What may follow an IPv6
    address after a percent sign is free text, and makes it none.
    """
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return found
    return None if found.scope_id else found.ipv4_mapped or found


def network(address: str) -> str:
    """Whoever has one address of IPv6 has the other 2⁶⁴ of that network, too."""
    found = read_address(address)
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else address
