"""Links in messages: what each is for, for whom, how long, and which messages carry which.

A link is signed and does one thing for one person on one issue, once. Looking at progress is not
used up. No customer data is in it (R30).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from domain.actions import ActionName
from domain.vocabulary import Audience, Instant, Model


class Purpose(StrEnum):
    """What a link is for."""

    ACCEPT = "accept"
    COMPLETE = "complete"
    PROGRESS = "progress"
    TEST = "test"
    CONFIRM = "confirm"
    EVALUATE = "evaluate"


class Terms(Model):
    """What a link allows and until when; no action: it only shows."""

    action: ActionName | None
    audience: Audience
    lasts: timedelta


PURPOSES: Mapping[Purpose, Terms] = {
    Purpose.ACCEPT: Terms(
        action=ActionName.ACCEPT, audience=Audience.HANDLER, lasts=timedelta(days=7)
    ),
    Purpose.COMPLETE: Terms(
        action=ActionName.RESOLVE, audience=Audience.HANDLER, lasts=timedelta(days=30)
    ),
    Purpose.PROGRESS: Terms(action=None, audience=Audience.CUSTOMER, lasts=timedelta(days=90)),
    Purpose.TEST: Terms(
        action=ActionName.REPORT_TEST, audience=Audience.CUSTOMER, lasts=timedelta(days=14)
    ),
    Purpose.CONFIRM: Terms(
        action=ActionName.CONFIRM, audience=Audience.CUSTOMER, lasts=timedelta(days=60)
    ),
    Purpose.EVALUATE: Terms(
        action=ActionName.EVALUATE, audience=Audience.CUSTOMER, lasts=timedelta(days=30)
    ),
}


class Link(Model):
    """One link: ``person`` is somebody's id on the roster, or ``customer``. ``generation`` and
    ``until`` keep a link of yesterday from doing tomorrow's work.
    """

    number: str
    purpose: Purpose
    person: str
    generation: int
    until: Instant

    @property
    def terms(self) -> Terms:
        """What it allows."""
        return PURPOSES[self.purpose]
