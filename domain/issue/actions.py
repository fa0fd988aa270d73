"""All actions, in one table assembled of the parts of the regulation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from domain.issue import (
    agent,
    calming,
    complaints,
    conversation,
    duplicates,
    ending,
    follow_up,
    handling,
    hotline,
    notes,
    paid_service,
    remedy,
    thresholds,
)
from domain.issue.act import Act, ActionName
from domain.issue.action import Action
from domain.issue.agent import Chase, ContactCustomer, Contacted
from domain.issue.calming import Calm
from domain.issue.complaints import ComplaintRaised, Verify
from domain.issue.conversation import CustomerWrote
from domain.issue.duplicates import Absorb, Absorbed, LinkTo, Merge, Merged, Merging
from domain.issue.ending import (
    BringByHand,
    Cancel,
    CancellationAsked,
    Repair,
    Replied,
    Withdraw,
)
from domain.issue.follow_up import Evaluate, RateDifficulty, RecordCallback
from domain.issue.handling import (
    Accept,
    Assign,
    Consult,
    Reassign,
    ReportProgress,
    Resolve,
    Resume,
    Transfer,
    WaitForCustomer,
)
from domain.issue.hotline import Answer, ReportTest, Take
from domain.issue.notes import AddNote, Amend, Amended
from domain.issue.paid_service import Approve, Confirm, Quote, Survey
from domain.issue.remedy import (
    DecideRemedy,
    ProposeRemedy,
    RecordRemedy,
    RemedyDecided,
    RemedyProposed,
)
from domain.issue.thresholds import Escalate, Replan, ThresholdReached

__all__ = [
    "ACTIONS",
    "ASIDE",
    "OPERATION",
    "PUBLIC_ACTIONS",
    "Absorb",
    "Absorbed",
    "Accept",
    "Act",
    "ActionName",
    "AddNote",
    "Amend",
    "Amended",
    "Answer",
    "Approve",
    "Assign",
    "BringByHand",
    "Calm",
    "Cancel",
    "CancellationAsked",
    "Chase",
    "ComplaintRaised",
    "Confirm",
    "Consult",
    "ContactCustomer",
    "Contacted",
    "CustomerWrote",
    "DecideRemedy",
    "Escalate",
    "Evaluate",
    "LinkTo",
    "Merge",
    "Merged",
    "Merging",
    "ProposeRemedy",
    "Quote",
    "RateDifficulty",
    "Reassign",
    "RecordCallback",
    "RecordRemedy",
    "RemedyDecided",
    "RemedyProposed",
    "Repair",
    "Replan",
    "Replied",
    "ReportProgress",
    "ReportTest",
    "Resolve",
    "Resume",
    "Survey",
    "Take",
    "ThresholdReached",
    "Transfer",
    "Verify",
    "WaitForCustomer",
    "Withdraw",
]

_PARTS = (
    *(hotline, handling, ending, paid_service, complaints, follow_up, notes, duplicates),
    *(conversation, thresholds, agent, calming, remedy),
)
_NAMED: Mapping[ActionName, Action[Any]] = {
    action.name: action for action in chain.from_iterable(part.ACTIONS for part in _PARTS)
}

ACTIONS: Mapping[ActionName, Action[Any]] = {
    name: _NAMED[name] for name in ActionName if name is not ActionName.REGISTERED
}
"""Every action, in the order of their names; what registers an issue is in ``lifecycle``."""

ASIDE = frozenset(name for name, action in ACTIONS.items() if action.aside)
"""What stands in no way of an earlier deed that is reported later."""

OPERATION: Mapping[ActionName, type[Act]] = {
    ActionName.REPAIR: Repair,
    ActionName.ABSORB: Absorb,
}
"""What the desk's own operation asks an issue for, as an update too; no door offers it."""

_BY_ITSELF = frozenset(
    {
        *(ActionName.ASSIGN, ActionName.THRESHOLD, ActionName.REPLIED, ActionName.HAND_OVER),
        *(ActionName.COMPLAINT_RAISED, ActionName.CANCEL, ActionName.CANCELLATION_ASKED),
        ActionName.MERGED,
    }
)
"""What the desk does by its clocks and messages, and nobody asks it for."""

PUBLIC_ACTIONS: Mapping[ActionName, type[Act]] = {
    name: action.form
    for name, action in ACTIONS.items()
    if name not in _BY_ITSELF and name not in OPERATION
}
"""What comes in as an update, each with its form; ``registered`` takes an intake."""
