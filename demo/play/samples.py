"""The sample issues: intakes with a script, read from a file."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from demo.play.course import Round, completed, course, facts_of, in_writing, waits
from demo.play.expected import Expected, Provided, expected
from demo.play.script import Script
from domain.errors import InputError
from domain.issue.calming import to_be_calmed
from domain.issue.intake import Intake
from domain.sla.policy import Policy
from domain.sla.promise import OVERSIGHT, PromiseKind
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Model
from runtime.textfiles import findings, read_utf8

MOST = 500
"""Issues of one demonstration: all of them are on one screen."""


class SampleIssue(Model):
    """An issue to be played; ``script`` is complete, ``rounds`` are what it comes to."""

    intake: Intake
    script: Script
    rounds: tuple[Round, ...]
    provided: Provided
    speaks_for: tuple[str, ...] = ()
    """References of those that are merged into it."""

    @property
    def expected(self) -> Expected:
        """What the registers must say when it has been played."""
        return expected(self.intake, self.script, self.rounds, self.provided)

    @property
    def is_worked_on(self) -> bool:
        """Whether somebody is sent at first, so that others can wait for the same answer."""
        return bool(self.rounds) and not self.rounds[0].by_hotline

    @property
    def is_taken(self) -> bool:
        """Whether an agent takes it out of the queue; not what is nobody's any more by then."""
        gone = self.script.withdraw == "registered" or self.script.merge is not None
        return self.provided.queue and self.script.hotline != "holds" and not gone

    @property
    def is_passed_on(self) -> bool:
        """Whether that agent passes it on, with the customer's consent (R35)."""
        return self.is_taken and not self.script.hotline

    @property
    def complaints(self) -> int:
        """How many complaints arise from what the customer says (R21)."""
        calls = sum("conflict" in each.calls for each in self.rounds)
        return calls + (self.script.scores is not None and min(self.script.scores) < 0)


def sample(intake: Intake, script: Script, policy: Policy) -> SampleIssue:
    """Put an intake and its script together.

    Raises:
        ValueError: the script cannot be played under that policy.
    """
    script = completed(intake, script, policy)
    rounds = course(intake, script, policy)
    provided = _provided(intake, rounds, policy)
    made = SampleIssue(intake=intake, script=script, rounds=rounds, provided=provided)
    if script.scores and PromiseKind.EVALUATION not in made.expected.kinds:
        raise ValueError(f"script.scores: nobody is asked, it is {made.expected.outcome}")
    return made


def _provided(intake: Intake, rounds: Sequence[Round], policy: Policy) -> Provided:
    facts, on_the_line = facts_of(intake), facts_of(intake, first_contact=True)
    at_last = on_the_line if rounds and rounds[-1].by_hotline else facts
    calmed = to_be_calmed(intake) and policy.rule(PromiseKind.CALMING, facts)
    return Provided(
        queue=waits(intake, policy),
        calming=bool(calmed),
        contact=policy.rule(PromiseKind.CONTACT, facts) is not None,
        in_writing=in_writing(intake),
        callback=policy.rule(PromiseKind.CALLBACK, on_the_line) is not None,
        afterwards=frozenset(kind for kind in OVERSIGHT if policy.rule(kind, at_last)),
    )


def read_samples(path: Path, rulebook: Rulebook) -> list[SampleIssue]:
    """Read the issues of a file, one JSON object a line; what a ``script`` leaves out goes well.

    Raises:
        InputError: something in it cannot be; everything that is wrong is named with its line.
    """
    samples: list[SampleIssue] = []
    wrong: list[str] = []
    for number, line in enumerate(read_utf8(path, InputError).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            samples.append(_sample(line, rulebook.policy))
        except ValidationError as error:
            wrong += (f"{path}, line {number}: {each}" for each in findings(error))
        except ValueError as error:
            wrong.append(f"{path}, line {number}: {error}")
    wrong += (f"{path}: {each}" for each in _together(samples))
    if not wrong and not 1 <= len(samples) <= MOST:
        wrong.append(f"{path}: {len(samples)} issues: give at least one and at most {MOST}")
    if wrong:
        raise InputError("\n".join(wrong))
    return _speaking(samples)


def _sample(line: str, policy: Policy) -> SampleIssue:
    try:
        fields: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"column {error.colno}: no valid JSON: {error.msg}") from None
    if not isinstance(fields, dict):
        raise ValueError("write an object with the fields of an intake")  # noqa: TRY004
    script = Script.model_validate(fields.pop("script", {}))
    intake = Intake.model_validate({"reported_at": datetime.now(UTC)} | fields)
    if unknown := "; ".join(policy.terms.unknown(intake.kind, intake.category)):
        raise ValueError(unknown)
    return sample(intake, script, policy)


def _together(samples: Sequence[SampleIssue]) -> Iterator[str]:
    """Find what is wrong with them as a whole."""
    ids = Counter(each.intake.issue_id for each in samples)
    yield from (f"{id_} is there {n} times" for id_, n in ids.items() if n > 1)
    before: dict[str, SampleIssue] = {}
    for each in samples:  # in order: nobody can tell what is found out later
        reference, script = each.intake.reference, each.script
        if script.case and not (script.case in before and before[script.case].script.known):
            yield f'{reference}: script.case: no issue {script.case} before it is "known"'
        if script.link and script.link not in before:
            yield f"{reference}: script.link: there is no issue {script.link} before it"
        if script.merge and not (script.merge in before and before[script.merge].is_worked_on):
            yield f"{reference}: script.merge: nobody is sent to an issue {script.merge} before it"
        before[reference] = each


def _speaking(samples: Sequence[SampleIssue]) -> list[SampleIssue]:
    """Let those that speak for others know it."""
    merged: defaultdict[str, list[str]] = defaultdict(list)
    for each in samples:
        if each.script.merge:
            merged[each.script.merge].append(each.intake.reference)
    return [
        each.model_copy(update={"speaks_for": tuple(merged[each.intake.reference])})
        for each in samples
    ]


def lives(samples: Iterable[SampleIssue]) -> int:
    """How many issues there will be, with the complaints that arise."""
    return sum(1 + each.complaints for each in samples)
