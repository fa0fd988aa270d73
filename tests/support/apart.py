"""Work that goes wrong, for processes that do it apart."""

from __future__ import annotations

import itertools
import os


def echo(given: bytes) -> bytes:
    """Do no harm."""
    return given


def endless(given: bytes) -> bytes:
    """Come to no end, in the middle of a library."""
    return bytes(sum(itertools.repeat(0)))


def greedy(given: bytes) -> bytes:
    """Take all the memory there is."""
    taken = []
    while True:
        taken.append(bytes(10**6))


def tripping(given: bytes) -> bytes:
    """Tear the process down."""
    os._exit(1)


def raising(given: bytes) -> bytes:
    """Raise what nobody expects."""
    raise ZeroDivisionError
