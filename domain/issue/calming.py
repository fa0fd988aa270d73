"""An agitated complainant is calmed first (R47): who is to do that has a name and is told at once,
and what was said is kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import OPEN, end
from domain.issue.forms import ComplaintForm
from domain.issue.intake import Intake
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import SUPERVISORS, Actor, Audience, Behaviour, Words

WANTED = NotificationRequest(template="calm_wanted", to=Audience.MANAGER)
"""To whom it goes in truth is the policy's to say."""


def to_be_calmed(intake: Intake) -> bool:
    """Say whether somebody has to be calmed before all else."""
    return intake.agitated and intake.behaviour is Behaviour.COMPLAINT


class Calm(Act):
    """Somebody spoke with the agitated customer, before their complaint is looked into (R47)."""

    spoken: Words = Field(description="what was said, by both; for colleagues")


def _nobody_waits(issue: Issue, _: Actor) -> Refused | None:
    if issue.promise(PromiseKind.CALMING):
        return None
    return Refused("NotAllowed", f"nobody waits to be calmed about {issue.number}")


def calm(issue: Issue, act: Calm, at: datetime) -> Changes:
    """R47: the promise is kept, and whoever has the complaint knows how the customer is."""
    form = ComplaintForm(calmed_by=act.by.id, calmed_at=at, calmed_words=act.spoken)
    return {
        "promises": end(issue, at, PromiseKind.CALMING),
        "forms": (form,),
        "tell": (NotificationRequest(template="calmed", to=Audience.HANDLER),),
    }


ACTIONS: tuple[Action[Any], ...] = (
    Action(ActionName.CALM, Calm, Rule(OPEN, SUPERVISORS, hindrance=_nobody_waits), calm),
)
