"""The sample issues, and the scripts of what customer and staff do about each."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from domain.intake import Intake
from domain.policy import Facts
from domain.promises import PromiseEnd, PromiseKind
from domain.rulebook import Rulebook
from domain.vocabulary import Model, Outcome, Severity
from runtime.textfiles import findings, read_utf8
from starter.console import InputError

MOST = 500
"""Issues of one demonstration: all of them are on one screen."""

Call = Literal["good", "bad", "not_reached"]


class Script(Model):
    """What happens to an issue; `examples/README.md` explains it. Without ``callback`` there is one
    good call where the policy promises calls, else none.
    """

    accept: Literal["on_time", "late", "never"] = "on_time"
    resolve: Literal["on_time", "late", "signal"] = "on_time"
    wait: Annotated[float, Field(gt=0, le=30)] | None = None
    progress: bool = False
    reassign: bool = False
    callback: tuple[Call, ...] | None = None
    withdraw: Literal["registered", "in_progress"] | None = None
    duplicate: bool = False


class Expected(Model):
    """What the registers must say when the script has been played."""

    outcome: Outcome
    promises: dict[str, PromiseEnd]
    """By key, as ``Promise.key`` writes it."""
    calls: tuple[tuple[int, int, Call], ...]
    """Generation, attempt, and what the call brought."""
    reopened: int


class Sample(Model):
    """An issue to be played. ``calls`` is the script's ``callback`` with what it left out."""

    intake: Intake
    script: Script
    calls: tuple[Call, ...]
    trial: bool = Field(description="nobody calls back: the customer has time to try the answer")

    @property
    def expected(self) -> Expected:
        """What the script demands, worked out without asking the desk."""
        if self.script.withdraw:
            return Expected(
                outcome=Outcome.WITHDRAWN, promises=self._withdrawn, calls=(), reopened=0
            )
        promises = {
            "response.1": _end(late=self.script.accept != "on_time"),
            "resolution.1": _end(late=self.script.resolve == "late"),
        }
        if self.trial:  # customers of the script are content, and silent
            promises["customer_test.1"] = PromiseEnd.WITHDRAWN
        calls: list[tuple[int, int, Call]] = []
        generation, attempt = 1, 1
        for call in self.calls:
            calls.append((generation, attempt, call))
            suffix = "" if attempt == 1 else f".{attempt}"
            promises[f"callback.{generation}{suffix}"] = PromiseEnd.KEPT
            attempt += 1
            if call == "bad":
                generation, attempt = generation + 1, 1
                promises[f"response.{generation}"] = PromiseEnd.KEPT
                promises[f"resolution.{generation}"] = PromiseEnd.KEPT
        unreached = self.calls[-1:] == ("not_reached",)
        return Expected(
            outcome=Outcome.NOT_REACHED if unreached else Outcome.SOLVED,
            promises=promises,
            calls=tuple(calls),
            reopened=generation - 1,
        )

    @property
    def _withdrawn(self) -> dict[str, PromiseEnd]:
        accepted = self.script.withdraw == "in_progress"
        response = _end(late=self.script.accept != "on_time") if accepted else PromiseEnd.WITHDRAWN
        return {"response.1": response, "resolution.1": PromiseEnd.WITHDRAWN}


def _end(*, late: bool) -> PromiseEnd:
    return PromiseEnd.BROKEN if late else PromiseEnd.KEPT


def read_samples(path: Path, rulebook: Rulebook) -> list[Sample]:
    """Read the issues of a file, one JSON object a line; what a ``script`` leaves out goes well.

    Raises:
        InputError: something in it cannot be; everything that is wrong is named with its line.
    """
    samples: list[Sample] = []
    wrong: list[str] = []
    for number, line in enumerate(read_utf8(path, InputError).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            samples.append(_sample(line, rulebook))
        except ValidationError as error:
            wrong += (f"{path}, line {number}: {each}" for each in findings(error))
        except ValueError as error:
            wrong.append(f"{path}, line {number}: {error}")
    references = Counter(sample.intake.issue_id for sample in samples)
    wrong += (f"{path}: {id_} is there {n} times" for id_, n in references.items() if n > 1)
    if not wrong and not 1 <= len(samples) <= MOST:
        wrong.append(f"{path}: {len(samples)} issues: give at least one and at most {MOST}")
    if wrong:
        raise InputError("\n".join(wrong))
    return samples


def _sample(line: str, rulebook: Rulebook) -> Sample:
    try:
        fields: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"column {error.colno}: no valid JSON: {error.msg}") from None
    if not isinstance(fields, dict):
        raise ValueError("write an object with the fields of an intake")  # noqa: TRY004
    script = Script.model_validate(fields.pop("script", {}))
    intake = Intake.model_validate({"reported_at": datetime.now(UTC)} | fields)
    facts = _facts(intake)
    return Sample(
        intake=intake,
        script=script,
        calls=_calls(facts, script, rulebook),
        trial=rulebook.policy.rule(PromiseKind.CUSTOMER_TEST, facts) is not None,
    )


def _facts(intake: Intake) -> Facts:
    return Facts(
        kind=intake.kind,
        severity=intake.severity,
        category=intake.category,
        product_line=intake.product_line,
        region=intake.region,
        centre="",
        customer=intake.customer.type,
    )


def _calls(facts: Facts, script: Script, rulebook: Rulebook) -> tuple[Call, ...]:
    """Make sure that the calls of a script are those the policy has made (R22-R25)."""
    rule = rulebook.policy.rule(PromiseKind.CALLBACK, facts)
    if rule is None or script.withdraw:
        if script.callback:
            why = "it is withdrawn before" if script.withdraw else f"{facts.kind} has none"
            raise ValueError(f"script.callback: nobody will call, {why}: leave it out")
        return ()
    calls = script.callback if script.callback is not None else ("good",)
    tries = 0
    for position, call in enumerate(calls, start=1):
        tries = tries + 1 if call == "not_reached" else 0
        ends = call == "good" or tries == rule.attempts
        if ends != (position == len(calls)):
            break
    else:
        if calls:
            return calls
    raise ValueError(
        'script.callback: the calls must end with one that is "good", or with '
        f'{rule.attempts} "not_reached" in a row, and not go on after that'
    )


def rises(sample: Sample) -> bool:
    """Say whether the script takes the issue up to the lead at least (R13, R24)."""
    broken = PromiseEnd.BROKEN in sample.expected.promises.values()
    was_major = sample.intake.severity is Severity.MAJOR or sample.expected.reopened > 1
    return broken or (was_major and sample.expected.reopened > 0)
