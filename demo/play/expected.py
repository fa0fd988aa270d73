"""What the registers must say when a script has been played, worked out without asking the desk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from demo.play.course import Round
from demo.play.script import Call, Quotation, Script
from domain.issue.consent import is_kept_back
from domain.issue.intake import Intake
from domain.issue.thresholds import OWED_TO_THE_CUSTOMER
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Model, Outcome, Severity, Verdict

_OF_THE_QUOTATION = {
    "agrees": (PromiseEnd.KEPT, Outcome.SOLVED),
    "declines": (PromiseEnd.KEPT, Outcome.DECLINED),
    "silence": (PromiseEnd.WITHDRAWN, Outcome.LAPSED),
}


class Provided(NamedTuple):
    """What the policy has for such an issue beside its rounds."""

    queue: bool
    """It waits until an agent takes it (R36)."""
    calming: bool
    """Its customer is calmed first (R47)."""
    contact: bool
    """Of what is late the agent who took it in asks the handler, and calls the customer (R13)."""
    in_writing: bool
    """Its customer can be written to."""
    callback: bool
    """What the hotline answers is called back as well (R22)."""
    afterwards: frozenset[PromiseKind]
    """What follows the closing."""


class Expected(Model):
    """What a script comes to."""

    outcome: Outcome
    promises: dict[str, PromiseEnd]
    """By key, as ``Promise.key`` writes it."""
    calls: tuple[tuple[int, int, Call], ...]
    """Generation, attempt, and what the call brought."""
    forms: dict[int, bool]
    """The generations with a handling form, and whether a result stands in it."""
    replies: dict[str, int]
    """By which wordings, and how often, the customer is answered in writing (R6), or told so what
    they heard; of a merged issue besides those of the one that speaks for it.
    """
    reopened: int
    rises: bool
    """The lead at least comes to know it (R10, R13, R19, R24)."""

    @property
    def kinds(self) -> frozenset[PromiseKind]:
        """What is promised at all."""
        return frozenset(PromiseKind(key.partition(".")[0]) for key in self.promises)


def expected(
    intake: Intake, script: Script, rounds: Sequence[Round], provided: Provided
) -> Expected:
    """Work it out."""
    life = _Life(intake, script, provided)
    if script.withdraw:
        life.ends_early(Outcome.WITHDRAWN)
    elif script.merge:
        life.ends_early(Outcome.MERGED)
    else:
        for generation, each in enumerate(rounds, start=1):
            life.goes_through(generation, each)
        life.is_closed(len(rounds))
    return Expected(
        outcome=life.outcome,
        promises=life.promises,
        calls=tuple(life.calls),
        forms=life.forms,
        replies=dict(life.replies),
        reopened=max(0, len(rounds) - 1),
        rises=life.rises,
    )


class _Life:
    def __init__(self, intake: Intake, script: Script, provided: Provided) -> None:
        self._intake = intake
        self._script = script
        self._provided = provided
        self._severity = intake.severity
        self._sent = False
        self.outcome = Outcome.SOLVED
        self.promises: dict[str, PromiseEnd] = {}
        self.calls: list[tuple[int, int, Call]] = []
        self.forms: dict[int, bool] = {}
        self.replies: Counter[str] = Counter()
        self.rises = intake.complex

    def ends_early(self, outcome: Outcome) -> None:
        """What is not done by then is given up."""
        self.outcome = outcome
        self.replies[outcome] += 1
        accepted = self._script.withdraw == "in_progress"
        taken = PromiseEnd.KEPT if accepted else PromiseEnd.WITHDRAWN
        if self._provided.queue:
            self._end("hand_over.1", taken)
        if self._provided.calming:
            self._end("calming.1", taken)
        if accepted or not self._provided.queue:
            self.forms[1] = False
            self._end("response.1", _late(self._script.accept) if accepted else taken)
        for kind in _FIRST.get(self._intake.kind, (PromiseKind.RESOLUTION,)):
            self._end(f"{kind}.1", PromiseEnd.WITHDRAWN)

    def goes_through(self, generation: int, each: Round) -> None:
        """Somebody answers it, and the customer is heard."""
        in_scope = self._intake.category != "out_of_scope"
        self.outcome = Outcome.SOLVED if in_scope else Outcome.OUT_OF_SCOPE
        if each.by_hotline:
            with_us = self._provided.queue or is_kept_back(self._intake)
            heard_from = () if with_us else (PromiseKind.RESPONSE,)
            for kind in (PromiseKind.HAND_OVER, *heard_from, PromiseKind.RESOLUTION):
                self._end(f"{kind}.{generation}", PromiseEnd.KEPT)
            self.replies["answered"] += 1
        else:
            self._is_handled(generation, by_call=each.by_call)
        if each.by_call:  # R34
            self._end(f"reply.{generation}", PromiseEnd.KEPT)
        self._is_heard(generation, each)

    def is_closed(self, generation: int) -> None:
        """R18, R26: the customer scores it, the manager rates it."""
        afterwards = self._provided.afterwards
        scored = PromiseEnd.KEPT if self._script.scores else PromiseEnd.WITHDRAWN
        if PromiseKind.EVALUATION in afterwards and self.outcome is Outcome.SOLVED:
            self._end(f"evaluation.{generation}", scored)
        rated = self.outcome in {Outcome.SOLVED, Outcome.NOT_REACHED}
        if PromiseKind.DIFFICULTY in afterwards and rated:
            self._end(f"difficulty.{generation}", PromiseEnd.KEPT)

    def _is_handled(self, generation: int, *, by_call: bool) -> None:
        first, self._sent = not self._sent, True
        script = self._script
        self.forms[generation] = False
        if generation == 1 and script.hotline:  # the hotline only held it
            self.promises["hand_over.1"] = PromiseEnd.BROKEN
            self.rises = self.rises or self._provided.queue
        elif generation == 1 and self._provided.queue:
            self._end("hand_over.1", PromiseEnd.KEPT)
        if generation == 1 and self._provided.calming:
            self._end("calming.1", PromiseEnd.KEPT)
        self._end(f"response.{generation}", _late(script.accept if first else "on_time"))
        if first and script.panel:
            self._end(f"panel.{generation}", PromiseEnd.KEPT)
        if first and script.wait:
            self._end(f"waiting.{generation}", PromiseEnd.KEPT)
        if first and script.verify and not self._goes_on_after(script.verify):
            self._is_told("unfounded", by_call=by_call)
            return
        if first and script.quotation and not self._is_agreed(script.quotation):
            return
        self._end(f"resolution.{generation}", _late(script.resolve if first else "on_time"))
        self.forms[generation] = True
        paid = self._intake.kind == "paid_service"
        self._is_told("acceptance" if paid else "resolved", by_call=by_call)

    def _is_told(self, wording: str, *, by_call: bool) -> None:
        """R34: by the agent's call, which is confirmed in writing, or by a message alone."""
        self.replies["told_by_call" if by_call else wording] += 1

    def _goes_on_after(self, verdict: Verdict) -> bool:
        """R19."""
        self._end("verification.1", PromiseEnd.KEPT)
        if verdict is Verdict.UNFOUNDED:
            self._end("resolution.1", PromiseEnd.KEPT)  # the explanation is the answer
            self.outcome = Outcome.UNFOUNDED
            return False
        self._severity = Severity(verdict)
        if verdict is Verdict.MAJOR:
            self._end("response.1.2", PromiseEnd.KEPT)  # the lead's own
            self.rises = True
        return True

    def _is_agreed(self, quotation: Quotation) -> bool:
        """R17. That nothing comes of it is written to the customer, or to the agent who calls them
        where nothing can be written (R34).
        """
        self._end("survey.1", PromiseEnd.KEPT)
        self._end("quotation.1", PromiseEnd.KEPT)
        said, outcome = _OF_THE_QUOTATION[quotation.customer]
        self._end("confirmation.1", said)
        if quotation.manager:
            self._end("approval.1", PromiseEnd.KEPT)
        if quotation.manager == "refuses":
            outcome = Outcome.NOT_APPROVED
        if outcome is not Outcome.SOLVED:
            self.outcome = outcome
            self.replies[outcome] += 1
        return outcome is Outcome.SOLVED

    def _is_heard(self, generation: int, each: Round) -> None:
        if generation == 1 and self._script.asks:
            self._end("feedback.1", PromiseEnd.KEPT)
        if each.test:
            silent = each.test == "silence"
            end = PromiseEnd.WITHDRAWN if silent else PromiseEnd.KEPT
            self._end(f"customer_test.{generation}", end)
        for attempt, call in enumerate(each.calls, start=1):
            self.calls.append((generation, attempt, call))
            again = "" if attempt == 1 else f".{attempt}"
            self._end(f"callback.{generation}{again}", PromiseEnd.KEPT)
        if each.calls[-1:] == ("not_reached",):
            self.outcome = Outcome.NOT_REACHED
        if each.by_hotline and each.test == "failed" and self._provided.callback:
            self._end(f"callback.{generation}", PromiseEnd.KEPT)  # nobody has to ask any more
        if each.urgent:  # R24
            self.rises = self.rises or self._severity is Severity.MAJOR
            self._severity = Severity.MAJOR

    def _end(self, key: str, end: PromiseEnd) -> None:
        self.promises[key] = end
        self.rises = self.rises or end is PromiseEnd.BROKEN
        kind, generation, *_ = key.split(".")
        owed = PromiseKind(kind) in OWED_TO_THE_CUSTOMER
        if end is PromiseEnd.BROKEN and owed and self._provided.contact:
            self._is_called_about(generation)

    def _is_called_about(self, generation: str) -> None:
        """R13: once for each promise that was broken, as the agent calls before the next is."""
        key = f"contact.{generation}"
        before = sum(each.startswith(key) for each in self.promises)
        self.promises[f"{key}.{before + 1}" if before else key] = PromiseEnd.KEPT


_FIRST: Mapping[str, tuple[PromiseKind, ...]] = {
    "complaint": (PromiseKind.RESOLUTION, PromiseKind.VERIFICATION),
    "paid_service": (PromiseKind.SURVEY,),
}
"""What is promised at first besides the response, where that is not the resolution alone."""


def _late(how: str) -> PromiseEnd:
    return PromiseEnd.BROKEN if how in {"late", "never"} else PromiseEnd.KEPT
