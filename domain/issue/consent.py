"""Passing on is asked (R35): the customer says yes or no to it, and that is kept with their words.
With a no the issue is not passed on: it stays with the hotline, whose promise to answer runs.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.issue.act import Act
from domain.issue.action import Changes
from domain.issue.intake import Intake
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import Actor, Audience, Channel, Consent, Role, Text

KEPT_BACK = "kept_back"
"""The queue of what the hotline keeps because its customer wants that (R36)."""
STAYS = (
    NotificationRequest(template="kept_back", to=Audience.CUSTOMER),
    NotificationRequest(template="kept_back_staff", to=Audience.LEAD),
)
"""Who hears that an issue is not passed on."""
OF_WHO_HANDLES_IT = frozenset({PromiseKind.RESPONSE, PromiseKind.VERIFICATION})
"""What nobody can owe while it is with nobody but the hotline: it is promised once it is passed on
(R11, R19).
"""
_SPOKEN = frozenset({Channel.TELEPHONE, Channel.WALK_IN})


class PassingOn(Act):
    """Somebody else is to have the issue, and the customer was asked (R35)."""

    consent: Consent | None = Field(
        default=None,
        description="what the customer says to it; with a no it stays with the hotline (R35)",
        # Left out, it is as if there was no such field: so it stands in histories of before.
        exclude_if=lambda said: said is None,
    )
    consent_words: Text = Field(
        default="",
        description="the customer's, as said to that",
        exclude_if=lambda said: not said,
    )

    @model_validator(mode="after")
    def _words_are_about_it(self) -> PassingOn:
        if self.consent_words and self.consent is None:
            msg = "consent: say what the customer's words mean: yes, no or not_asked"
            raise ValueError(msg)
        return self


def is_kept_back(intake: Intake) -> bool:
    """Say whether the customer of a new issue does not want that it is passed on."""
    return intake.consent is Consent.NO


def first_with(intake: Intake) -> str | None:
    """Return the agent who keeps a new issue: whoever spoke with its customer. What was written is
    nobody's until an agent takes it (R36).
    """
    return intake.agent if intake.channel in _SPOKEN else None


def not_agreed(issue: Issue, _: Actor) -> Refused | None:
    """Nobody makes an issue theirs that its customer leaves to the hotline."""
    if not issue.kept_back:
        return None
    return Refused("NotAllowed", _asked_first(issue))


def kept(issue: Issue, act: PassingOn) -> Changes | None:
    """R35: say what becomes of an issue that was to be passed on if its customer says no, or said
    so before and was not asked again. None: it is passed on.

    Raises:
        Refused: ``Invalid`` if it is not the hotline's any more to keep, or if nobody asked again.
    """
    if act.consent is Consent.NO:
        return _stays(issue, act)
    if issue.kept_back and act.consent is not Consent.YES:
        raise Refused("Invalid", f"consent: {_asked_first(issue)}")
    return None


def _stays(issue: Issue, act: PassingOn) -> Changes:
    held = issue.promise(PromiseKind.HAND_OVER)
    if issue.kept_back:
        return {}  # asked once more: what they said is kept
    if issue.engineer or (held is None and issue.lead):
        raise Refused(
            "Invalid",
            f"consent: {issue.number} was passed on already; with a no nobody else gets it: leave "
            "it where it is, and write down what the customer said as a note",
        )
    by_agent = act.by.role is Role.AGENT
    whose = issue.taken_by or (act.by.id if by_agent else None if issue.queue else issue.agent)
    return {
        "queue": issue.queue or KEPT_BACK,
        "taken_by": whose,
        "promises": (held,) if held else (),  # until when they are answered, they are told
        "tell": STAYS,
    }


def _asked_first(issue: Issue) -> str:
    return (
        f"the customer of {issue.number} does not want that it is passed on: answer it, or ask "
        "them again and pass it on with consent yes"
    )
