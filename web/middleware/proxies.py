"""Whose address it is, behind a reverse proxy."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.context import read_address


@dataclass
class TrustedProxies:
    """Tells the caller's address from that of a reverse proxy: what trusted ones say of it counts
    (`X-Forwarded-For`), read from the nearest on to the first that is not one of them. Whatever is
    no address there may be anybody's words, and then the peer's own counts.

    `Forwarded` (RFC 7239) is not read: most proxies write one of the two and pass the other on as
    their caller sent it.
    """

    app: ASGIApp
    trusted: tuple[IPv4Network | IPv6Network, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["client"] and self.trusted:
            peer, port = scope["client"]
            scope["client"] = (self._caller(peer, Headers(scope=scope)), port)
        await self.app(scope, receive, send)

    def _caller(self, peer: str, headers: Headers) -> str:
        nearest = read_address(peer)
        said = ",".join(headers.getlist("x-forwarded-for"))
        for hop in reversed(said.split(",") if said else []):
            if not self._trusts(nearest):
                break
            nearest = read_address(hop)
            if nearest is None:
                return peer
        return str(nearest) if nearest else peer

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in each for each in self.trusted)
