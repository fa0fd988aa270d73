"""The scripts of a demonstration: what they come to, and what cannot be played."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo.play import play
from demo.play.course import Round
from demo.play.samples import lives, read_samples
from domain.errors import InputError
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Outcome
from inbound.files.roster import read_roster
from tests.support.builders import an_intake
from tests.support.demo_desk import RULEBOOK, a_sample

ANSWERING = {"answering": True}
ENQUIRY = {"kind": "consultation", "channel": "website"}
OUT_OF_SCOPE = {"kind": "complaint", "category": "out_of_scope"}
NO_MAIL = {"customer": {"name": "某行", "type": "individual", "phone": "+86 136 0000 0001"}}
PAID = {"kind": "paid_service"}


def _offer(**said: Any) -> dict[str, Any]:
    """A script with a quotation, a cheap one if nothing else is said."""
    others = {name: said.pop(name) for name in ("tests", "scores") if name in said}
    return {"script": {"quotation": {"amount": "800.00"} | said} | others}


@pytest.mark.parametrize(
    ("intake", "script", "promises"),
    [
        (
            ANSWERING,
            {"tests": ["failed"], "accept": "late"},
            (
                "hand_over.1 response.1 resolution.1 customer_test.1 callback.1 "
                "response.2! contact.2 resolution.2 callback.2 evaluation.2- difficulty.2"
            ),
        ),
        (
            ANSWERING,
            {},
            (
                "hand_over.1 response.1 resolution.1 customer_test.1 callback.1 "
                "evaluation.1- difficulty.1"
            ),
        ),
        (
            {},
            {"accept": "late", "resolve": "late"},
            (
                "response.1! contact.1 resolution.1! contact.1.2 callback.1 "
                "evaluation.1- difficulty.1"
            ),
        ),
        (
            ENQUIRY,
            {},
            "hand_over.1 response.1 resolution.1 customer_test.1- evaluation.1-",
        ),
        (
            ENQUIRY,
            {"hotline": "sends"},
            "hand_over.1 resolution.1 customer_test.1 evaluation.1-",
        ),
        (
            ENQUIRY,
            {"hotline": "holds"},
            "hand_over.1! response.1 resolution.1 customer_test.1- evaluation.1-",
        ),
        (
            {"kind": "consultation", "answering": True, "consent": "no"},
            {"hotline": "answers"},
            "hand_over.1 resolution.1 customer_test.1 evaluation.1-",
        ),
        (ENQUIRY, {"withdraw": "registered"}, "hand_over.1- resolution.1-"),
        (
            ANSWERING,
            {"hotline": "holds", "panel": True},
            "hand_over.1! response.1 panel.1 resolution.1 callback.1 evaluation.1- difficulty.1",
        ),
        (
            {"kind": "complaint"},
            {"verify": "major", "scores": [9, 9]},
            "response.1 verification.1 response.1.2 resolution.1 reply.1 callback.1 evaluation.1",
        ),
        (
            {"kind": "complaint"},
            {"verify": "unfounded"},
            "response.1 verification.1 resolution.1 reply.1 callback.1",
        ),
        (
            {"kind": "complaint", "agitated": True},
            {},
            ("calming.1 response.1 verification.1 resolution.1 reply.1 callback.1 evaluation.1-"),
        ),
        (
            PAID,
            {"quotation": {"amount": "20000.01"}, "tests": ["failed", "silence"]},
            (
                "response.1 survey.1 quotation.1 confirmation.1 approval.1 resolution.1 "
                "customer_test.1 response.2 resolution.2 reply.2 customer_test.2- evaluation.2- "
                "difficulty.2"
            ),
        ),
        (
            PAID,
            {"quotation": {"amount": "20000.00", "customer": "silence"}},
            "response.1 survey.1 quotation.1 confirmation.1-",
        ),
        (PAID, {"withdraw": "in_progress"}, "response.1 survey.1-"),
        (
            {"kind": "complaint"},
            {"withdraw": "registered"},
            "response.1- resolution.1- verification.1-",
        ),
        ({}, {"merge": "another"}, "response.1- resolution.1-"),
        (
            {"kind": "suggestion"},
            {"asks": True},
            "hand_over.1 response.1 resolution.1 feedback.1 customer_test.1- evaluation.1-",
        ),
        (
            {},
            {"wait": 1, "reply": "letter", "callback": ["bad", "good"]},
            (
                "response.1 waiting.1 resolution.1 callback.1 "
                "response.2 resolution.2 reply.2 callback.2 evaluation.2- difficulty.2"
            ),
        ),
    ],
)
def test_every_branch_makes_its_own_promises(
    intake: dict[str, Any], script: dict[str, Any], promises: str
) -> None:
    """Kept, broken (!) or given up (-)."""
    ends = {"!": PromiseEnd.BROKEN, "-": PromiseEnd.WITHDRAWN}
    wanted = {each.rstrip("!-"): ends.get(each[-1], PromiseEnd.KEPT) for each in promises.split()}
    assert a_sample("branch", intake, **script).expected.promises == wanted


def test_the_examples_can_be_played_and_have_everything_in_them() -> None:
    samples = read_samples(play.ISSUES, RULEBOOK)
    assert len(samples) == 57
    assert lives(samples) == 59, "two complaints arise"
    assert {sample.intake.channel for sample in samples} == {
        "telephone",
        "website",
        "email",
        "chat",
        "walk_in",
    }
    assert len({sample.intake.kind for sample in samples}) == 6
    of_operators = {Outcome.CANCELLED, Outcome.TERMINATED}
    assert {sample.expected.outcome for sample in samples} == set(Outcome) - of_operators
    kept = {PromiseKind(key.split(".")[0]) for s in samples for key in s.expected.promises}
    remedies = {PromiseKind.REMEDY_APPROVAL, PromiseKind.REMEDY}
    assert kept == set(PromiseKind) - remedies, "nobody of the examples is given anything"
    assert sum(sample.is_taken for sample in samples) >= 5
    on_the_line = [each for s in samples for each in s.rounds if each.by_hotline and each.calls]
    assert on_the_line, "a fault that the hotline solved is called back"
    scripts = [sample.script for sample in samples]
    assert {script.accept for script in scripts} == {"on_time", "late", "never"}
    assert {script.resolve for script in scripts} == {"on_time", "late", "signal"}
    assert sum(script.duplicate for script in scripts) >= 3
    assert {script.reply for script in scripts} == {"page", "letter", None}
    served = {region for centre in read_roster(play.ROSTER).centres for region in centre.regions}
    assert {sample.intake.region for sample in samples} <= served


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"consent": "no"}, r"line 2: consent: it is not passed on, so the hotline answers"),
        ({"script": {"accept": "never ever"}}, r"line 2: accept: .*never ever"),
        ({"script": {"acept": "late"}}, r"line 2: acept: is not known here"),
        ({"script": {"callback": ["bad"]}}, r"line 2: script.callback: the calls must end with"),
        (
            {"script": {"callback": ["good", "good"]}},
            r"line 2: script.callback: the calls must end",
        ),
        ({"script": {"callback": ["not_reached"]}}, r"line 2: script.callback: the calls must end"),
        ({"script": {"callback": []}}, r"line 2: script.callback: the calls must end"),
        ({"kind": "sales", "script": {"callback": ["good"]}}, r"line 2: .* sales has none"),
        (OUT_OF_SCOPE | {"script": {"callback": ["good"]}}, r"line 2: script.callback: nobody"),
        ({"script": {"callback": ["conflict", "good"]}}, r"line 2: script.callback: the calls"),
        ({"script": {"callback": ["cross"]}}, r"line 2: callback.0: .*cross|line 2: callback"),
        ({"script": {"hotline": "answers"}}, r'line 2: script.hotline: .*"answering": true'),
        ({"script": {"case": "first"}}, r"line 2: .*case: first is told by the hotline"),
        (ANSWERING | {"script": {"case": "first"}}, r"told by the hotline"),
        (ANSWERING | {"script": {"hotline": "answers", "case": "first"}}, r'before it is "known"'),
        (ANSWERING | {"kind": "complaint"}, r"line 2: answering: .* no complaint at the hotline"),
        (ANSWERING | {"script": {"tests": ["worked", "worked"]}}, r"line 2: script.tests: they"),
        (ANSWERING | {"script": {"tests": []}}, r"line 2: script.tests: they must end"),
        (ANSWERING | {"script": {"wait": 2}}, r"line 2: script.wait: nobody is sent"),
        (
            ANSWERING | {"kind": "consultation", "script": {"callback": ["good"]}},
            r"line 2: script.callback: nobody will call",
        ),
        (ANSWERING | {"script": {"callback": ["bad"]}}, r"line 2: script.callback: the calls"),
        ({"script": {"tests": ["worked"]}}, r"line 2: script.tests: .* left out where nobody"),
        ({"script": {"verify": "general"}}, r"line 2: script.verify: a fault is not verified"),
        ({"kind": "complaint", "script": {"verify": "grave"}}, r"line 2: verify: .*unfounded"),
        (
            {"script": {"quotation": {"amount": 1}}},
            r"script.quotation: a fault is not paid",
        ),
        (PAID | {"script": {"quotation": {"amount": -1}}}, r"line 2: quotation.amount: "),
        (PAID | _offer(manager="approves"), r"line 2: script.quotation.manager: they are not"),
        (PAID | _offer(customer="haggles"), r"line 2: quotation.customer: "),
        (PAID | _offer(customer="declines", tests=["worked"]), r"line 2: script.tests: "),
        (PAID | {"script": {"callback": ["good"]}}, r"line 2: .* paid_service has none"),
        (
            PAID
            | {"script": {"quotation": {"amount": 9, "customer": "silence"}, "scores": [9, 9]}},
            r"line 2: script.scores: .* lapsed",
        ),
        ({"script": {"scores": [100, 201]}}, r"line 2: scores.1: .*200"),
        ({"script": {"difficulty": 6}}, r"line 2: difficulty: .*5"),
        (
            {"script": {"withdraw": "registered", "known": True}},
            r"script.known: it is withdrawn",
        ),
        (
            {"script": {"callback": ["good"], "withdraw": "registered"}},
            r"line 2: .* it is withdrawn before",
        ),
        ({"script": {"reply": "page"}}, r"line 2: reply: nobody waits for them"),
        ({"script": {"reply": "dove", "wait": 1}}, r"line 2: reply: .*page"),
        (NO_MAIL | {"script": {"reply": "letter", "wait": 1}}, r"line 2: .*no e-mail address"),
        (NO_MAIL | {"script": {"photograph": True}}, r"line 2: script.photograph: .*e-mail"),
        (ANSWERING | {"script": {"notes": True}}, r"line 2: script.notes: nobody is sent"),
        (OUT_OF_SCOPE | {"script": {"asks": True}}, r"line 2: script.asks: nobody hears them"),
        ({"script": {"phone": "by pigeon"}}, r"line 2: phone: "),
        ({"script": {"link": "second"}}, r"script.link: there is no issue second before it"),
        ({"script": {"merge": "third"}}, r"script.merge: nobody is sent to an issue third"),
        (
            {"script": {"merge": "first", "withdraw": "registered"}},
            r"line 2: merge: it is withdrawn: one of the two",
        ),
        ({"script": {"merge": "first", "accept": "late"}}, r"script.accept: it is merged before"),
        ({"script": {"merge": "first", "scores": [9, 9]}}, r"script.scores: it is merged before"),
        ({"kind": "riddle"}, r"line 2: kind: "),
        ({"reference": "first"}, r"issue:web:first is there 2 times"),
    ],
)
def test_a_script_that_cannot_be_played_is_named_with_its_line(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    good = an_intake(reference="first").model_dump(mode="json", exclude={"reported_at"})
    second = good | {"reference": "second"} | changes
    path = tmp_path / "issues.jsonl"
    path.write_text(f"{json.dumps(good)}\n{json.dumps(second)}\n", encoding="utf-8")
    with pytest.raises(InputError, match=reason):
        read_samples(path, RULEBOOK)


def test_a_line_that_is_no_json_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "issues.jsonl"
    path.write_text("{\n[]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)line 1: .*no valid JSON.*line 2: write an object"):
        read_samples(path, RULEBOOK)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="0 issues: give at least one"):
        read_samples(path, RULEBOOK)


def test_without_a_script_everything_goes_well_and_a_call_is_made_where_one_is_promised(
    tmp_path: Path,
) -> None:
    path = tmp_path / "issues.jsonl"
    lines = [
        an_intake(reference=kind, kind=kind).model_dump_json() for kind in ("fault", "suggestion")
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    fault, suggestion = read_samples(path, RULEBOOK)
    assert fault.rounds == (Round(by_hotline=False, calls=("good",)),)
    assert suggestion.rounds == (Round(by_hotline=False, test="silence"),)
