"""The course a script takes under a policy: round after round, until the customer is content.

A round is a generation of the issue: somebody answers it, and the customer is heard. Which way they
are heard is the policy's to say, so a script that says something else cannot be played.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from demo.play.script import Call, Quotation, Script, Test
from domain import telephone
from domain.issue.consent import is_kept_back
from domain.issue.intake import Intake
from domain.issue.lifecycle import queued, register
from domain.sla.policy import Facts, Policy, PromiseRule
from domain.sla.promise import PromiseKind
from domain.vocabulary import Severity, Verdict

_HANDLERS = frozenset(
    {
        *("accept", "resolve", "wait", "progress", "reassign", "transfer", "panel", "leave"),
        *("known", "difficulty", "reply", "notes"),
    }
)
"""What only somebody who is sent can do."""
_LATER = ("hotline", "verify", "quotation", "tests", "callback", "scores", "known", "asks")
"""What an issue that is taken back, or merged, does not live to see."""
_BY_MAIL = ("reply", "photograph")
"""What takes a letter, or the link in one."""


class Round(NamedTuple):
    """One generation: whether the hotline answers it, how the customer is heard, and whether the
    agent's call brings them the result (R34).
    """

    by_hotline: bool
    test: Test | None = None
    calls: tuple[Call, ...] = ()
    by_call: bool = False

    @property
    def failed(self) -> bool:
        """Whether it did not help: another round follows."""
        return self.test == "failed" or self.urgent

    @property
    def urgent(self) -> bool:
        """Whether it is more urgent then: a repair failed, or the callback says so (R24)."""
        return self.calls[-1:] == ("bad",) or (self.test == "failed" and not self.by_hotline)


def facts_of(
    intake: Intake, *, first_contact: bool = False, severity: Severity | None = None
) -> Facts:
    """What a policy may ask about it; no rule of a demonstration asks for the centre."""
    same = {name: getattr(intake, name) for name in _SAME}
    return Facts(
        **same,
        severity=severity or intake.severity,
        centre="",
        customer=intake.customer.type,
        existing=intake.customer.existing,
        first_contact=first_contact,
        in_writing=in_writing(intake),
    )


def in_writing(intake: Intake) -> bool:
    """Whether its customer can be written to, by the channels of the examples."""
    phone = telephone.read(intake.customer.phone)
    return intake.customer.email is not None or (phone is not None and phone.takes_texts)


_SAME = ("kind", "category", "product_line", "region", "channel")


def waits(intake: Intake, policy: Policy) -> bool:
    """Whether it waits in a queue until an agent takes it (R36)."""
    queue = policy.queue(facts_of(intake))
    return queue is not None and queued(register(intake, intake.reported_at), queue).queue == queue


def completed(intake: Intake, script: Script, policy: Policy) -> Script:
    """Return the script with what it leaves out, where that depends on the issue.

    Raises:
        ValueError: it says something that such an issue does not live to see.
    """
    _refuse(script, _without(intake, script))
    given: dict[str, Any] = {}
    if intake.answering:
        if intake.kind in {"complaint", "paid_service"}:
            raise ValueError(f"answering: the demonstration has no {intake.kind} at the hotline")
        given["hotline"] = script.hotline or "answers"
        if is_kept_back(intake) and (script.hotline == "holds" or "failed" in (script.tests or ())):
            raise ValueError("consent: it is not passed on: the hotline answers it, and that helps")
    elif is_kept_back(intake):
        raise ValueError('consent: it is not passed on, so the hotline answers: "answering": true')
    elif script.hotline and not waits(intake, policy):
        raise ValueError('script.hotline: nobody answers it there: say "answering": true')
    if intake.kind == "complaint":
        given["verify"] = script.verify or Verdict.GENERAL
    else:
        _refuse(script, {"verify": f"a {intake.kind} is not verified"})
    if intake.kind == "paid_service":
        given["quotation"] = _quotation(script.quotation, policy)
    else:
        _refuse(script, {"quotation": f"a {intake.kind} is not paid for"})
    return script.model_copy(update=given)


def _without(intake: Intake, script: Script) -> Mapping[str, str]:
    """Say what such an issue does not live to see, and why."""
    reasons: dict[str, str] = {}
    if script.withdraw:
        reasons |= dict.fromkeys(_LATER, "it is withdrawn before")
    if script.merge:
        reasons |= dict.fromkeys((*_LATER, *_HANDLERS), "it is merged before")
    if not intake.customer.email:
        reasons |= dict.fromkeys(_BY_MAIL, "the customer has no e-mail address")
    return reasons


def _quotation(quotation: Quotation | None, policy: Policy) -> Quotation:
    quotation = quotation or Quotation(amount=Decimal(800))
    limit = policy.paid_service.approval_above
    asked = limit is not None and quotation.amount > limit and quotation.customer == "agrees"
    if not asked and quotation.manager:
        raise ValueError("script.quotation.manager: they are not asked: leave it out")
    manager = (quotation.manager or "approves") if asked else None
    return quotation.model_copy(update={"manager": manager})


def course(intake: Intake, script: Script, policy: Policy) -> tuple[Round, ...]:
    """Work out the rounds of a completed script; none if the customer takes it back, or another
    issue speaks for it.

    Raises:
        ValueError: the script does not say how the customer is heard as the policy has it.
    """
    if script.withdraw or script.merge:
        return ()
    heard = _Heard(intake, script, policy)
    rounds = [heard.next(by_hotline=script.hotline in {"answers", "sends"})]
    while rounds[-1].failed:
        rounds.append(heard.next(by_hotline=False))
    heard.check_used_up()
    if all(each.by_hotline for each in rounds):
        _refuse(script, dict.fromkeys(_HANDLERS, "nobody is sent: the hotline's answer helps"))
    if not (rounds[0].test or rounds[0].calls):
        _refuse(script, {"asks": "nobody hears them after the answer"})
    return tuple(rounds)


class _Heard:
    """Takes from the script how the customer is heard, round after round."""

    def __init__(self, intake: Intake, script: Script, policy: Policy) -> None:
        self._intake = intake
        self._script = script
        self._policy = policy
        self._calls: Iterator[Call] = iter(script.callback or ())
        self._tests: Iterator[Test] = iter(script.tests or ())
        self._attempts = 1
        found = script.verify
        self._severity = intake.severity
        if found and found is not Verdict.UNFOUNDED:
            self._severity = Severity(found)

    def next(self, *, by_hotline: bool) -> Round:
        """Hear them once more."""
        by_call = self._called_with_it(by_hotline=by_hotline)
        if self._is_over_before_the_work:
            return Round(by_hotline, by_call=by_call and not in_writing(self._intake))
        test = self._tested(by_hotline=by_hotline)
        calls = self._called(by_hotline=by_hotline) if test != "failed" else ()
        heard = Round(by_hotline, test, calls, by_call)
        self._severity = Severity.MAJOR if heard.urgent else self._severity
        return heard

    def _called_with_it(self, *, by_hotline: bool) -> bool:
        """R34: what the hotline sends, only if it cannot be written; what it says, not again."""
        told = by_hotline and (self._script.hotline == "answers" or in_writing(self._intake))
        return not told and self._rule(PromiseKind.REPLY, by_hotline=by_hotline) is not None

    def _tested(self, *, by_hotline: bool) -> Test | None:
        rule = self._rule(PromiseKind.CUSTOMER_TEST, by_hotline=by_hotline)
        if rule is None or self._unfounded:
            return None
        return self._next_test("worked" if by_hotline or self._script.quotation else "silence")

    def _called(self, *, by_hotline: bool) -> tuple[Call, ...]:
        rule = self._rule(PromiseKind.CALLBACK, by_hotline=by_hotline)
        if rule is None:
            return ()
        self._attempts = rule.attempts
        return self._next_calls()

    def check_used_up(self) -> None:
        """Refuse what the script says beyond the end."""
        if next(self._calls, None):
            raise ValueError(self._wrong_calls)
        if next(self._tests, None):
            raise ValueError(_WRONG_TESTS)

    def _next_calls(self) -> tuple[Call, ...]:
        if self._script.callback is None:
            return ("good",)
        calls: list[Call] = []
        for call in self._calls:
            calls.append(call)
            if call != "not_reached" or len(calls) == self._attempts:
                return tuple(calls)
        raise ValueError(self._wrong_calls)

    def _next_test(self, usual: Test) -> Test:
        if self._script.tests is None:
            return usual
        test = next(self._tests, None)
        if test is None:
            raise ValueError(_WRONG_TESTS)
        return test

    @property
    def _wrong_calls(self) -> str:
        if not self._rule(PromiseKind.CALLBACK, by_hotline=False) or self._script.quotation:
            return f"script.callback: nobody will call, {self._intake.kind} has none: leave it out"
        return (
            'script.callback: the calls must end with one that is "good" or "conflict", or with '
            f'{self._attempts} "not_reached" in a row, and not go on after that'
        )

    @property
    def _unfounded(self) -> bool:
        return self._script.verify is Verdict.UNFOUNDED

    @property
    def _is_over_before_the_work(self) -> bool:
        quotation = self._script.quotation
        return quotation is not None and (
            quotation.customer != "agrees" or quotation.manager == "refuses"
        )

    def _rule(self, kind: PromiseKind, *, by_hotline: bool) -> PromiseRule | None:
        facts = facts_of(self._intake, first_contact=by_hotline, severity=self._severity)
        return self._policy.rule(kind, facts)


_WRONG_TESTS = (
    'script.tests: they must end with one that is "worked" or "silence", not go on after that, and '
    "be left out where nobody tries anything"
)


def _refuse(script: Script, reasons: Mapping[str, str]) -> None:
    """Refuse what the script says of these, each with its reason."""
    for name, why in reasons.items():
        if name in script.model_fields_set:
            raise ValueError(f"script.{name}: {why}: leave it out")
