"""The desk's words on the screen: Chinese first, as domain.words has them."""

from collections.abc import Mapping

from domain import words
from domain.issue.actions import ActionName
from domain.sla.promise import PromiseKind
from domain.vocabulary import ESCALATION, Outcome, Stage
from domain.words import both

STAGES: Mapping[Stage, str] = {each: both(words.STAGES, each) for each in Stage}
PROMISES: Mapping[PromiseKind, str] = {each: both(words.PROMISES, each) for each in PromiseKind}
OUTCOMES: Mapping[Outcome, str] = {each: both(words.OUTCOMES, each) for each in Outcome}
KINDS: Mapping[str, str] = {each: both(words.KINDS, each) for each in words.KINDS}
ACTIONS: Mapping[ActionName, str] = {each: both(words.ACTIONS, each) for each in ActionName}
LEVELS = tuple(both(words.ROLES, role) for role in ESCALATION)
"""By escalation level."""
