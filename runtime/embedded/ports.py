"""Ports of this machine, before a server listens there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import SystemRandom

from domain.errors import SetupError

_NOBODYS = (10_000, 32_768)
_CHANCE = SystemRandom()


def free_ports(count: int) -> list[int]:
    """Ports on the loopback that nobody used a moment ago.

    From below those that the kernel gives to whoever asks for any: none of the thousands of
    connections that are made meanwhile gets one of these, also while a server is away for a moment.
    """
    found: list[int] = []
    while len(found) < count:
        port = _CHANCE.randrange(*_NOBODYS)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return found


@contextmanager
def held(host: str, port: int, variable: str) -> Iterator[socket.socket]:
    """A socket bound to the port, so that nobody else gets it meanwhile.

    Raises:
        SetupError: the port is taken, or may not be had; the message names the `variable`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
    except OSError as error:
        raise SetupError(f"there is no address {host} on this machine: {error.strerror}") from None
    with socket.socket(family, kind, protocol) as bound:
        # As servers do: a connection that is only waiting out its last minutes is no owner.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(address)
        except OSError as error:
            raise SetupError(
                f"port {port} on {host} is taken ({error.strerror}): stop the program that uses"
                f" it, or set {variable} to a free port."
            ) from None
        yield bound
