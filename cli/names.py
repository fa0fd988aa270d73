"""What the desk calls people and departments, each beside the code that commands take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cli.asked import terms
from domain.terms import Terms
from starter.registers import Staff
from store.connection import Pool


class Names(NamedTuple):
    """The desk's ``own`` words (R37), and the names of ``people`` by their ids."""

    own: Terms
    people: Mapping[str, str]

    def person(self, id_: str | None) -> str | None:
        """Name somebody; whoever is not on the roster, by the id alone."""
        return id_ and _beside(self.people.get(id_, id_), id_)

    def department(self, code: str) -> str:
        """Name a department; as ``department`` does."""
        return department(code, self.own)


def department(code: str, own: Terms) -> str:
    """Name a department, by the code alone if that is all there is."""
    return _beside(own.department(code).zh, code)


def _beside(name: str, code: str) -> str:
    return name if name == code else f"{name} {code}"


async def names(pool: Pool) -> Names:
    """Ask the registers what everybody and everything is called."""
    people = {member.id: member.name for member in await Staff(pool).members()}
    return Names(await terms(pool), people)
