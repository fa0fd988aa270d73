"""Which addresses of the network are inside: where nothing is sent at the wish of others.

An address that others choose may name a machine of ours, in many spellings and by way of names that
change; so what counts is the address that is connected to.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

Address: TypeAlias = IPv4Address | IPv6Address


def _read(written: object) -> object:
    if isinstance(written, IPv4Network | IPv6Network):
        return written
    try:
        return ip_network(str(written))
    except ValueError as error:
        raise ValueError(f'{error}: name networks, such as "10.1.0.0/16"') from None


Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_read),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]

_GLOBAL = IPv6Network("2000::/3")
"""What of IPv6 was ever given out to the world."""
_NAT64 = IPv6Network("64:ff9b::/96")
_INSIDE_ALL_THE_SAME = (
    IPv4Network("168.63.129.16/32"),  # a cloud's own services, from its machines
    IPv4Network("192.88.99.0/24"),  # a relay to IPv6 that is no more
)


def as_reached(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to, if it does; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_inside(address: Address) -> bool:
    """Say whether an address is anything but one of the whole world's: of a company, of this very
    machine, of its cloud, of nobody.
    """
    reached = as_reached(address)
    if isinstance(reached, IPv6Address):
        return reached not in _GLOBAL or not reached.is_global
    if not reached.is_global or reached.is_multicast or reached.is_reserved:
        return True
    return any(reached in network for network in _INSIDE_ALL_THE_SAME)


def is_among(address: Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Say whether an address is of one of these networks."""
    reached = as_reached(address)
    return any(reached in network for network in networks)


def may_be_reached(
    address: Address, allow: Iterable[IPv4Network | IPv6Network], *, in_clear: bool
) -> bool:
    """Say whether something may be sent there at the wish of others: to those networks of ours that
    are allowed, and to all the world outside unless it goes ``in_clear``.
    """
    return is_among(address, allow) or not (in_clear or is_inside(address))
