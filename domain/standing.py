"""The standing of the register beside Temporal: which of the two is older, and what that means.

Both sides are written one after the other and backed up one after the other. A register that is
*ahead* of Temporal is harmless: workflows catch up with it. One that is *behind*, restored to an
earlier moment, would give numbers out again and refuse every step, so nothing works on it.
"""

from __future__ import annotations

from domain.vocabulary import Instant, Model


class Epoch(Model):
    """A stretch of the desk's life, known to both sides: two that were separated in between do not
    have the same ones.
    """

    number: int
    begun_at: Instant


class Standing(Model):
    """Whether the register may be worked on. ``proved``: it was compared with Temporal where it now
    is; a restart, a failover or a restored copy is another place.
    """

    proved: bool
    reason: str | None = None
    since: Instant | None = None

    @property
    def held(self) -> bool:
        """Whether nothing may be written into it."""
        return self.since is not None


class Lived(Model):
    """What Temporal tells of an issue's workflow: its number and its last recorded step. A workflow
    of before these were told, or one that was never registered, has none.
    """

    id: str
    first_run: str = ""
    running: bool = True
    number: str | None = None
    step: int | None = None


class Behind(Model):
    """An issue of which Temporal knows more than the register: ``seq`` is the register's last step,
    None if it does not have the issue; ``registered`` the number that it has there.
    """

    id: str
    number: str | None
    step: int | None
    seq: int | None
    registered: str | None = None

    def __str__(self) -> str:
        name = self.number or self.id
        if self.seq is None:
            return f"{name} is not in the register"
        if self.number and self.registered != self.number:
            return f"{name} is {self.registered} in the register"
        return f"{name} is at step {self.step}, in the register at {self.seq}"
