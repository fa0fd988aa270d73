"""A fabricated desk that does exactly what the scripts of a demonstration demand: what would be in
its registers, to be falsified in one place.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from demo.play import ledger, play
from demo.play.course import facts_of
from demo.play.doors import SOURCES, DoorDeed
from demo.play.evidence import Evidence
from demo.play.samples import SampleIssue, sample
from demo.play.script import Script
from demo.play.staff import Played
from demo.receiver import Received
from domain.files.kinds import FileKind
from domain.issue.actions import ActionName
from domain.knowledge.cases import CaseStatus
from domain.reports.counted import Counted, CountedRow, CountedSection, Value
from domain.reports.report import Report
from domain.reports.weekly import CALLBACKS, EFFECTIVENESS
from domain.sla.promise import CALLS, CUSTOMERS, PromiseEnd, PromiseKind
from domain.vocabulary import Channel, Consent, Outcome, Role, Severity, Stage, Verdict
from runtime import rulebook
from store.door_log import Entry
from tests.support.builders import MONDAY, an_intake

RULEBOOK = rulebook.load(play.POLICY)
POLICY = RULEBOOK.policy
NOW = MONDAY + timedelta(seconds=1)
SECOND = timedelta(seconds=1)
LEAD = "l01"
_SURVIVOR = "issue:hotline:H-0002"
"""Speaks for whatever is merged."""


def a_sample(reference: str, intake: Mapping[str, Any] | None = None, **script: Any) -> SampleIssue:
    made = an_intake(reference=reference, **(intake or {}))
    return sample(made, Script.model_validate(script), POLICY)


def number(serial: int) -> str:
    return f"20261123-07-{serial:04d}"


def played_on(samples: Sequence[SampleIssue]) -> Evidence:
    """What is known when all of these went as scripted, the complaints that arise included."""
    everything = list(samples)
    answers = {each.intake.reference: each.expected.replies for each in samples}
    for serial, each in enumerate(samples, start=1):
        everything += [_arising(each, serial)] * each.complaints
    played = [Played(each) for each in everything]
    rows: dict[str, list[Any]] = {name: [] for name in ledger.Ledger.model_fields}
    for serial, one in enumerate(played, start=1):
        one.numbers = [number(serial)] * (2 if one.sample.script.duplicate else 1)
        for name, made in _rows(serial, one.sample):
            rows[name].append(made)
        for place, template in enumerate(answers.get(one.sample.script.merge or "", ())):
            id_ = one.sample.intake.issue_id
            letter = _message(_SURVIVOR, f"{serial}.{place}:{template}", template, "customer")
            rows["messages"].append(letter.model_copy(update={"for_issue": id_}))
    trail = [
        _knock(one.numbers[0], one.sample.intake.source)
        for one in played
        if one.sample.intake.source in SOURCES
    ]
    return Evidence(
        played=played,
        ledger=ledger.Ledger(**{name: tuple(made) for name, made in rows.items()}),
        workflows=[(each.intake.issue_id, "COMPLETED") for each in everything],
        received=[
            Received(m.channel, m.address, m.subject, m.body, NOW)
            for m in rows["messages"]
            if m.status == "delivered"
        ],
        dead=frozenset({"feishu"}),
        deeds=[DoorDeed(entry.what, entry.number or "", entry.person) for entry in trail],
        trail=trail,
        reports=[_report(CALLBACKS, _of_calls(rows)), _report(EFFECTIVENESS, _of_issues(rows))],
    )


def _report(report: Report, figures: Mapping[str, int]) -> Counted:
    values = {key: Value(value=n, n=n) for key, n in figures.items()}
    row = CountedRow(zh="合计", en="All", values=values)
    return Counted(
        report=report.name,
        period="2026-W48",
        zone="Asia/Shanghai",
        rulebook=RULEBOOK.version,
        counted_at=NOW,
        sections=(CountedSection(key="all", rows=(row,)),),
    )


def _of_calls(rows: Mapping[str, Sequence[Any]]) -> Mapping[str, int]:
    calls = rows["calls"]
    return {
        "called": len(calls),
        "reached": sum(call.reached for call in calls),
        "not_running": sum(call.running is False for call in calls),
        "conflicts": sum(call.conflict for call in calls),
    }


def _of_issues(rows: Mapping[str, Sequence[Any]]) -> Mapping[str, int]:
    """What reports say of registers in which all is over."""
    ends = Counter(row.outcome for row in rows["promises"] if row.kind not in CUSTOMERS)
    outcomes = Counter(issue.outcome for issue in rows["issues"])
    sent = {row.issue_id for row in rows["forms"]}
    by_hotline = {row.issue_id for row in rows["consultations"]} - sent
    return {
        "registered": len(rows["issues"]),
        "closed": len(rows["issues"]) - outcomes[Outcome.MERGED],
        "merged": outcomes[Outcome.MERGED],
        "given_up": outcomes[Outcome.WITHDRAWN],
        "reopened": sum(issue.generation > 1 for issue in rows["issues"]),
        "first_contact": len(by_hotline),
        "kept": ends[PromiseEnd.KEPT],
        "broken": ends[PromiseEnd.BROKEN],
        "backlog": 0,
        "overdue": 0,
    }


def _knock(number: str, source: str) -> Entry:
    return Entry(
        at=NOW,
        person=source,
        role=Role.INTAKE,
        via="token 1",
        address="127.0.0.1",
        what="open",
        number=number,
        outcome="done",
    )


def _arising(of: SampleIssue, serial: int) -> SampleIssue:
    changes = {
        "source": "desk",
        "reference": f"{number(serial)}-9",
        "channel": Channel.TELEPHONE,
        "kind": "complaint",
        "category": "service",
        "answering": False,
        "consent": None,
        "consent_words": "",
        "complex": False,
        "arises_from": of.intake.issue_id,
    }
    return sample(of.intake.model_copy(update=changes), Script(), POLICY)


def _rows(serial: int, each: SampleIssue) -> Iterator[tuple[str, Any]]:
    id_, expected = each.intake.issue_id, each.expected
    steps = list(_steps(each))
    yield "issues", _issue(serial, each, len(steps))
    for seq, (action, actor) in enumerate(steps, start=1):
        yield "events", ledger.EventRow(issue_id=id_, seq=seq, action=action, actor=actor)
    for key, end in expected.promises.items():
        yield "promises", _promise(id_, key, end)
    for generation, result in expected.forms.items():
        form = {"resolved_at": NOW, "result": "repaired"} if result else {}
        empty = {"resolved_at": None, "result": None}
        yield (
            "forms",
            ledger.FormRow(issue_id=id_, generation=generation, engineer="e01", **empty | form),
        )
    for generation, attempt, call in expected.calls:
        yield (
            "calls",
            ledger.CallRow(
                issue_id=id_,
                generation=generation,
                attempt=attempt,
                clerk="c01",
                reached=call != "not_reached",
                running={"bad": False, "not_reached": None}.get(call, True),
                conflict=call == "conflict",
            ),
        )
    yield from _forms(id_, each)
    for place, (template, audience) in enumerate(_letters(each)):
        yield "messages", _message(id_, f"{place}:{template}", template, audience)
    yield "messages", _message(id_, "1:assigned", "assigned", "handler", channel="feishu")


def _issue(serial: int, each: SampleIssue, steps: int) -> ledger.IssueRow:
    expected, intake = each.expected, each.intake
    return ledger.IssueRow(
        **intake.model_dump(
            include={"source", "reference", "kind", "severity", "agent", "complex", "arises_from"}
        ),
        id=intake.issue_id,
        number=number(serial),
        consent=intake.consent,
        consent_since=Consent.YES if each.is_passed_on else None,
        customer_existing=intake.customer.existing,
        department=each.script.transfer or POLICY.department(facts_of(intake)),
        lead=LEAD,
        stage=Stage.CLOSED,
        outcome=expected.outcome,
        merged_into=_SURVIVOR if each.script.merge else None,
        answered=expected.outcome not in {Outcome.WITHDRAWN, Outcome.MERGED},
        generation=expected.reopened + 1,
        escalation_level=int(expected.rises),
        seq=steps,
    )


def _steps(each: SampleIssue) -> Iterator[tuple[ActionName, str]]:
    script = each.script
    yield ActionName.REGISTERED, "07"
    yield from _first(each)
    yield ActionName.ACCEPT, LEAD if script.verify is Verdict.MAJOR else "e01"
    yield ActionName.RESOLVE, "e01"
    if script.wait:
        yield ActionName.WAIT_FOR_CUSTOMER, "e01"
        yield (
            (ActionName.CUSTOMER_WROTE, "customer") if script.reply else (ActionName.RESUME, "e01")
        )
    yield from _said(each)
    if script.progress:
        yield ActionName.REPORT_PROGRESS, "e01"
    if script.reassign or script.accept == "never":
        yield ActionName.REASSIGN, LEAD
    if script.leave:
        yield ActionName.REASSIGN, "roster"
    if script.transfer:
        yield ActionName.TRANSFER, "e01"
    for _ in range(each.complaints):
        yield ActionName.COMPLAINT_RAISED, "desk"


def _first(each: SampleIssue) -> Iterator[tuple[ActionName, str]]:
    if each.is_taken:
        yield ActionName.TAKE, "07"
    if each.provided.calming:
        yield ActionName.CALM, "m01"
    if CALLS & each.expected.kinds:
        yield ActionName.CONTACT_CUSTOMER, "07"


def _said(each: SampleIssue) -> Iterator[tuple[ActionName, str]]:
    script = each.script
    if script.notes:
        yield ActionName.ADD_NOTE, "07"
        yield ActionName.ADD_NOTE, "07"
    if script.phone:
        yield ActionName.AMEND, "07"
    if script.link:
        yield ActionName.LINK, "07"
    if script.asks:
        yield ActionName.CUSTOMER_WROTE, "customer"


def _forms(id_: str, each: SampleIssue) -> Iterator[tuple[str, Any]]:
    script = each.script
    for generation, one in enumerate(each.rounds, start=1):
        if one.by_hotline:
            yield (
                "consultations",
                ledger.ConsultationRow(
                    issue_id=id_,
                    generation=generation,
                    known_case="C-0001" if script.case else None,
                    on_the_line=script.hotline == "answers",
                    worked={"worked": True, "failed": False}.get(one.test or ""),
                ),
            )
        if script.quotation:
            yield "paid_services", _sheet(id_, generation, each)
    yield from _others(id_, each)


def _others(id_: str, each: SampleIssue) -> Iterator[tuple[str, Any]]:
    script = each.script
    if each.intake.kind == "complaint":
        yield (
            "complaints",
            ledger.ComplaintRow(
                issue_id=id_,
                verdict=script.verify,
                handled_by=None if script.verify is Verdict.UNFOUNDED else "e01",
                told_at=NOW,
                archived_at=NOW,
            ),
        )
    if script.panel:
        yield "panels", ledger.PanelRow(issue_id=id_, panel=1, advice="a new mainboard")
    if script.scores:
        technical, attitude = script.scores
        yield (
            "evaluations",
            ledger.EvaluationRow(issue_id=id_, technical=technical, attitude=attitude),
        )
    if PromiseKind.DIFFICULTY in each.expected.kinds:
        rated = {"generation": len(each.rounds), "difficulty": script.difficulty}
        yield "ratings", ledger.RatingRow(issue_id=id_, rated_by="m01", **rated)
    if script.link:
        yield "links", ledger.LinkRow(issue_id=id_, other=_SURVIVOR)
    if script.photograph:
        photograph = {"role": Role.CUSTOMER, "kind": FileKind.JPEG}
        yield "attachments", ledger.AttachmentRow(issue_id=id_, **photograph)
    if script.known:
        yield (
            "cases",
            ledger.CaseRow(
                number="C-0001",
                issue_id=id_,
                status=CaseStatus.APPROVED,
                reviewed_by=LEAD,
                used=1,
            ),
        )


def _sheet(id_: str, generation: int, each: SampleIssue) -> ledger.PaidServiceRow:
    quotation = each.script.quotation
    assert quotation is not None
    first = generation == 1
    agreed = {"agrees": True, "declines": False, "silence": None}[quotation.customer]
    approved = {"approves": True, "refuses": False, None: None}[quotation.manager]
    tested = each.rounds[generation - 1].test
    return ledger.PaidServiceRow(
        issue_id=id_,
        generation=generation,
        amount=quotation.amount if first else None,
        agreed=agreed if first else None,
        approval=quotation.manager is not None if first else None,
        approved=approved if first else None,
        accepted={"worked": True, "failed": False}.get(tested or ""),
    )


def _letters(each: SampleIssue) -> Iterator[tuple[str, str]]:
    """Wording and audience of everything that is written."""
    expected, script = each.expected, each.script
    for template, times in expected.replies.items():
        if each.provided.in_writing or template != "told_by_call":
            yield from [(template, "customer")] * times
    for key, end in expected.promises.items():
        if end is PromiseEnd.BROKEN:
            held = key.startswith("hand_over")
            yield ("overdue", "agent") if held else ("alarm", "lead")
    happened = {
        ("complaint_received", "gm_office"): each.intake.kind == "complaint",
        ("complex", "lead"): each.intake.complex,
        ("panel_asked", "expert"): script.panel,
        ("did_it_help", "agent"): script.asks,
        ("chased", "handler"): PromiseKind.CONTACT in expected.kinds,
    } | {(template, "customer"): yes for template, yes in _told_to_customers(each).items()}
    yield from (letter for letter, yes in happened.items() if yes)


def _told_to_customers(each: SampleIssue) -> Mapping[str, bool]:
    expected, script = each.expected, each.script
    return {
        "kept_back": each.intake.consent is Consent.NO,
        "progress": script.progress,
        "note": script.notes,
        "amended": script.phone is not None,
        "transferred": script.transfer is not None,
        "quotation_reminder": expected.outcome is Outcome.LAPSED,
        "dispatched": any(one.failed and not one.urgent for one in each.rounds),
        "reopened": any(one.urgent for one in each.rounds),
        "not_reached": expected.outcome is Outcome.NOT_REACHED,
    }


def _promise(id_: str, key: str, end: PromiseEnd) -> ledger.PromiseRow:
    kind, generation, attempt = (*key.split("."), "1")[:3]
    late = end is PromiseEnd.BROKEN
    return ledger.PromiseRow(
        issue_id=id_,
        kind=PromiseKind(kind),
        generation=int(generation),
        attempt=int(attempt),
        due_at=NOW,
        outcome=end,
        ended_at=NOW + SECOND if late else NOW,
    )


def _message(
    id_: str, about: str, template: str, audience: str, channel: str = "sms"
) -> ledger.MessageRow:
    dead = channel == "feishu"
    return ledger.MessageRow(
        key=f"{id_}:{about}",
        issue_id=id_,
        for_issue=None,
        template=template,
        audience=audience,
        channel=channel,
        address=f"{audience}-1",
        subject=about,
        body=f"{template} {id_}",
        status="handed_over" if dead else "delivered",
        handed_to=LEAD if dead else None,
    )


MAJOR = {"severity": Severity.MAJOR}
SAMPLES = (
    a_sample("plain", callback=["good"], duplicate=True),
    a_sample("reopened", MAJOR, callback=["bad", "not_reached", "good"], accept="late"),
    a_sample("unreached", callback=["not_reached", "not_reached"], resolve="late"),
    a_sample("withdrawn", withdraw="registered"),
)
"""Enough for the checks of every play."""
