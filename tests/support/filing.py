"""What the forms of an issue say: what was done and said, as it was done and said, and no less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from domain.issue.actions import ActionName
from domain.vocabulary import Behaviour, Stage
from tests.support.papers import Papers, Row


def handling_forms_are_complete(papers: Papers) -> None:
    """One for each generation, unless the hotline had the answer, or had it to its end, as it does
    again if its customer wants nobody else (R35).
    """
    forms = {form["generation"]: form for form in papers.of("handling_forms")}
    answered = {record["generation"] for record in papers.of("consultation_records")}
    generations = set(range(1, papers.issue["generation"] + 1))
    passed_on = [each.step.generation for each in papers.steps if each.step.assignment]
    by_hotline = set(range(1, min(passed_on))) if passed_on else generations
    assert generations - by_hotline <= set(forms) | answered <= generations
    for event, recorded in zip(papers.events, papers.steps, strict=True):
        if event["action"] != ActionName.RESOLVE:
            continue
        form = forms[recorded.step.generation]
        said = event["content"]
        assert (form["result"], form["resolved_at"]) == (said["result"], event["at"])
        assert form["engineer"]
        assert form["accepted_at"] is None or form["accepted_at"] <= form["resolved_at"]


def every_generation_had_an_outcome(papers: Papers) -> None:
    """Work that is opened again, or lastingly closed, has a result that the customer could read."""
    results = {form["generation"] for form in papers.of("handling_forms") if form["result"]}
    results |= {r["generation"] for r in papers.of("consultation_records") if r["answer"]}
    for event, recorded in zip(papers.events, papers.steps, strict=True):
        if event["stage"] == Stage.RESOLVED:
            results.add(recorded.step.generation)
    last = papers.issue["generation"]
    lasting = papers.closed and not papers.broken_off
    assert set(range(1, last + lasting)) <= results


def consultation_records_say_what_was_said(papers: Papers) -> None:
    records = {record["generation"]: record for record in papers.of("consultation_records")}
    answers = papers.did(ActionName.ANSWER)
    passed_on = {g: record for g, record in records.items() if record["passed_to"]}
    results = {event["content"]["result"] for event in papers.did(ActionName.RESOLVE)}
    solutions = {event["content"]["solution"] for event in answers}
    by_hotline = {r["answer"] for g, r in records.items() if g not in passed_on}
    assert by_hotline <= solutions <= {record["answer"] for record in records.values()}
    assert {r["answer"] for r in passed_on.values()} <= {None} | results | solutions
    worked = {
        recorded.step.generation
        for event, recorded in zip(papers.events, papers.steps, strict=True)
        if event["content"].get("worked") or event["content"].get("running")
    }
    for generation, record in records.items():
        if record["on_the_line"] is None:  # a business unit's: it is asked by the handling form
            continue
        failed = generation < papers.issue["generation"]
        assert record["worked"] is (False if failed else True if generation in worked else None)


def calls_are_written_down_as_said(papers: Papers) -> None:
    def said(call: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(call.get(name) for name in ("reached", "running", "satisfied", "words"))

    calls = [said(dict(row)) for row in papers.of("callback_records")]
    events = [said(event["content"]) for event in papers.did(ActionName.RECORD_CALLBACK)]
    assert Counter(calls) == Counter(events)
    if papers.behaves is Behaviour.FAULT:  # of nothing else it is asked (R24)
        reached = (row for row in papers.of("callback_records") if row["reached"])
        assert all(row["running"] is not None for row in reached)


def complaints_are_filed_from_the_apology_to_the_archive(papers: Papers) -> None:
    """R19."""
    forms = papers.of("complaint_forms")
    assert len(forms) == (papers.behaves is Behaviour.COMPLAINT)
    for form in forms:
        assert form["received_by"]
        assert form["against"]
        assert form["apologised_at"] == papers.events[0]["at"]
        verdicts = [event["content"]["verdict"] for event in papers.did(ActionName.VERIFY)]
        assert verdicts == ([form["verdict"]] if form["verdict"] else [])
        results = papers.did(ActionName.RESOLVE, ActionName.ANSWER)
        assert bool(form["result"]) == bool(results)
        archived = any(event["stage"] == Stage.CLOSED for event in papers.events)
        assert (form["archived_at"] is not None) == archived
        if papers.issue["answered"]:
            assert form["told_at"]
        by_the_hotline = papers.issue["first_contact"]  # as its customer wanted (R35)
        assert form["verdict"] or by_the_hotline or not papers.closed or papers.broken_off


def paid_services_are_documented_step_by_step(papers: Papers) -> None:
    """R17: the form of a generation says who did what was done in it last."""
    forms = {form["generation"]: form for form in papers.of("paid_services")}
    for event, recorded in zip(papers.events, papers.steps, strict=True):
        done = _PAID_SERVICE.get(ActionName(event["action"]))
        if done:
            form = forms[recorded.step.generation]
            assert form[f"{done}_by"]
            assert form[f"{done}_at"]
    offers = papers.did(ActionName.QUOTE)
    assert sum(form["quotation"] > 0 for form in forms.values()) <= len(offers)
    assert max((form["quotation"] for form in forms.values()), default=0) == len(offers)
    if offers:
        last = max(forms.values(), key=lambda form: int(form["quotation"]))
        assert str(last["amount"]) == offers[-1]["content"]["amount"]
    for decided, flag in ((ActionName.CONFIRM, "agreed"), (ActionName.APPROVE, "approved")):
        said = [event["content"][flag] for event in papers.did(decided)]
        assert [form[flag] for form in forms.values() if form[flag] is not None] == said[-1:]


_PAID_SERVICE = {
    ActionName.SURVEY: "surveyed",
    ActionName.QUOTE: "quoted",
    ActionName.CONFIRM: "confirmed",
    ActionName.APPROVE: "approved",
}


def panels_scores_and_ratings_are_all_there(papers: Papers) -> None:
    """R15, R26, R18."""
    consulted = [event["content"] for event in papers.did(ActionName.CONSULT)]
    panels = sorted(papers.of("expert_panels"), key=lambda panel: int(panel["panel"]))
    assert [panel["question"] for panel in panels] == [
        said["question"] for said in consulted if said.get("question")
    ]
    assert [panel["advice"] for panel in panels if panel["advice"]] == [
        said["advice"] for said in consulted if said.get("advice")
    ]
    scores = [
        (said["content"]["technical"], said["content"]["attitude"])
        for said in papers.did(ActionName.EVALUATE)
    ]
    assert Counter((row["technical"], row["attitude"]) for row in papers.of("evaluations")) == (
        Counter(scores)
    )
    rated: dict[int, int] = {}
    for event, recorded in zip(papers.events, papers.steps, strict=True):
        if event["action"] == ActionName.RATE_DIFFICULTY:
            rated[recorded.step.generation] = event["content"]["difficulty"]
    assert rated == {
        row["generation"]: row["difficulty"] for row in papers.of("difficulty_ratings")
    }


def what_was_complained_of_is_linked_both_ways(papers: Papers) -> None:
    """R21."""
    occasions = {
        f"{papers.issue['number']}-{event['seq']}"
        for event in papers.events
        if event["content"].get("conflict") or _bad_score(event)
    }
    raised = [event["content"] for event in papers.did(ActionName.COMPLAINT_RAISED)]
    known = [content["number"] for content in raised if "number" in content]
    if not papers.lived.can:  # what could not be registered has its reason instead of a number
        assert len(raised) == len(occasions)
        assert sorted(row["number"] for row in papers.born) == sorted(known)
    assert {row["reference"] for row in papers.born} <= occasions
    assert set(known) <= {row["number"] for row in papers.born}
    assert list(papers.lived.complaints) == known
    assert all(row["kind"] == "complaint" for row in papers.born)


def _bad_score(event: Row) -> bool:
    said = event["content"]
    scores = [said["technical"], said["attitude"]] if "technical" in said else [0]
    return bool(min(scores) < 0)


LAWS = (
    handling_forms_are_complete,
    every_generation_had_an_outcome,
    consultation_records_say_what_was_said,
    calls_are_written_down_as_said,
    complaints_are_filed_from_the_apology_to_the_archive,
    paid_services_are_documented_step_by_step,
    panels_scores_and_ratings_are_all_there,
    what_was_complained_of_is_linked_both_ways,
)
