"""The course a script takes under a policy: round after round, until the customer is content.

A round is a generation of the issue: somebody answers it, and the customer is heard. Which way they
are heard is the policy's to say, so a script that says something else cannot be played.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from demo.play.script import Call, Quotation, Script, Test
from domain.issue.intake import Intake
from domain.sla.policy import Facts, Policy, PromiseRule
from domain.sla.promise import PromiseKind
from domain.vocabulary import Verdict

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
    """One generation: whether the hotline answers it, and how the customer is heard."""

    by_hotline: bool
    test: Test | None = None
    calls: tuple[Call, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it did not help: another round follows."""
        return self.test == "failed" or self.calls[-1:] == ("bad",)


def facts_of(intake: Intake, *, first_contact: bool = False) -> Facts:
    """What a policy may ask about it; no rule of a demonstration asks for the centre."""
    same = {name: getattr(intake, name) for name in _SAME}
    return Facts(
        **same,
        centre="",
        customer=intake.customer.type,
        existing=intake.customer.existing,
        first_contact=first_contact,
    )


_SAME = ("kind", "severity", "category", "product_line", "region")


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
    elif script.hotline:
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

    def next(self, *, by_hotline: bool) -> Round:
        """Hear them once more."""
        if self._is_over_before_the_work:
            return Round(by_hotline)
        call = self._rule(PromiseKind.CALLBACK, by_hotline=by_hotline)
        if call and not by_hotline:
            self._attempts = call.attempts
            return Round(by_hotline, calls=self._next_calls())
        if self._rule(PromiseKind.CUSTOMER_TEST, by_hotline=by_hotline) and not self._unfounded:
            usual: Test = "worked" if by_hotline or self._script.quotation else "silence"
            return Round(by_hotline, test=self._next_test(usual))
        return Round(by_hotline)

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
        return self._policy.rule(kind, facts_of(self._intake, first_contact=by_hotline))


_WRONG_TESTS = (
    'script.tests: they must end with one that is "worked" or "silence", not go on after that, and '
    "be left out where nobody tries anything"
)


def _refuse(script: Script, reasons: Mapping[str, str]) -> None:
    """Refuse what the script says of these, each with its reason."""
    for name, why in reasons.items():
        if name in script.model_fields_set:
            raise ValueError(f"script.{name}: {why}: leave it out")
