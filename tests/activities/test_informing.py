"""What only the register and the policy know of a step's forms, on real PostgreSQL (R8, R15, R17,
R19, R21, R29).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.recording import Recording
from domain.issue.actions import PUBLIC_ACTIONS, ActionName, ThresholdReached
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.issue.step import Recorded
from domain.knowledge.cases import CaseStatus, Change, Draft, Ruling
from domain.sla.policy import Calming, Evaluations, PaidService, Remedies
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Actor, Role
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import cases, hand_overs, roster, rulebooks
from store.connection import Pool
from store.exports import registers
from store.exports.registers import REGISTERS
from store.hand_overs import HandOver
from tests.support.builders import LINKS, an_intake

TUESDAY = datetime(2026, 9, 29, 2, 0, tzinfo=UTC)
STANDARD = rulebook.load(ROOT / "policies" / "standard.toml")
ENGINEER = Actor(id="liang.jiahao", role=Role.ENGINEER)
CUSTOMER = Actor(id="chen.hong", role=Role.CUSTOMER)
AGENT = Actor(id="07", role=Role.AGENT)
LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)


@dataclass
class Place:
    """A desk on which one issue goes its way, a minute a step."""

    pool: Pool
    recording: Recording
    now: datetime = field(default=TUESDAY)

    async def adopt(self, **figures: Any) -> None:
        current = STANDARD.with_policy(STANDARD.policy.model_copy(update=figures))
        async with self.pool.acquire() as connection, connection.transaction():
            await rulebooks.adopt(connection, current, by="test", note="")

    async def open(self, reference: str = "r-1", **changes: Any) -> Issue:
        intake = an_intake(
            **{"reference": reference, "reported_at": self.now, "occurred_at": None} | changes,
            region="广东",
        )
        step = register(intake, self.now).model_copy(update={"run": "run-1"})
        return registered(intake, await self.recording.record_step(step))

    async def take(
        self, issue: Issue, name: ActionName, by: Actor, **said: Any
    ) -> tuple[Issue, Recorded]:
        """Take a step; return the issue after it, and what was recorded."""
        self.now += timedelta(minutes=1)
        act = PUBLIC_ACTIONS[name].model_validate({"by": by} | said)
        step = decide(issue, name, act, self.now, f"u-{issue.seq}")
        recorded = await self.recording.record_step(step.model_copy(update={"run": "run-1"}))
        return recorded.applied_to(issue), recorded

    async def surveyed(self) -> Issue:
        issue = await self.open(kind="paid_service")
        issue, _ = await self.take(issue, ActionName.ACCEPT, ENGINEER)
        issue, _ = await self.take(issue, ActionName.SURVEY, ENGINEER, findings="two lines")
        return issue

    async def resolved(self, **said: Any) -> Issue:
        issue = await self.open()
        issue, _ = await self.take(issue, ActionName.ACCEPT, ENGINEER)
        done = {"result": "changed the board", "cause": "lightning"} | said
        issue, _ = await self.take(issue, ActionName.RESOLVE, ENGINEER, **done)
        return issue

    async def proposed(self) -> str:
        draft = Draft(
            title="card reader jams",
            question="the card does not come out",
            solution="hold the button",
            proposed_by="liang.jiahao",
            proposed_at=self.now,
        )
        async with self.pool.acquire() as connection, connection.transaction():
            return await cases.propose(connection, draft)

    async def ruled(self, number: str, change: Change) -> None:
        ruling = Ruling(change=change, by=LEAD, at=self.now, note="as found")
        async with self.pool.acquire() as connection, connection.transaction():
            assert await cases.rule(connection, number, ruling)


@pytest.fixture
async def place(database: Pool) -> Place:
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    place = Place(database, Recording(database, LINKS))
    await place.adopt()
    return place


# --- Whether the price needs an approval (R17) ---------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "amount", "needed"),
    [
        ("20000.00", "20000.00", False),
        ("20000.00", "20000.01", True),
        ("0.00", "0.00", False),
        ("0.00", "0.01", True),
        (None, "9999999999.99", False),
    ],
)
async def test_a_price_above_the_policys_limit_needs_an_approval(
    place: Place, limit: str | None, amount: str, *, needed: bool
) -> None:
    figure = PaidService(approval_above=Decimal(limit) if limit else None)
    await place.adopt(paid_service=figure)
    issue = await place.surveyed()
    issue, recorded = await place.take(
        issue, ActionName.QUOTE, ENGINEER, work="wire it", amount=amount
    )
    assert (recorded.needs_approval, issue.needs_approval) == (needed, needed)
    row = await place.pool.fetchrow("SELECT amount::text, approval FROM paid_services")
    assert tuple(row or ()) == (amount, needed)


async def test_whoever_confirms_or_approves_is_shown_what_was_offered_last(place: Place) -> None:
    issue = await place.surveyed()
    for work, amount in (("wire it", "31000.00"), ("move it only", "20500.50")):
        offer = {"work": work, "amount": amount}
        issue, _ = await place.take(issue, ActionName.QUOTE, ENGINEER, **offer)
    _, recorded = await place.take(issue, ActionName.CONFIRM, CUSTOMER, agreed=True)
    assert recorded.step.content == {
        "agreed": True,
        "words": "",
        "work": "move it only",
        "amount": "20500.50",
    }
    body = await place.pool.fetchval("SELECT body FROM outbox WHERE template = 'approval_wanted'")
    assert "20,500.50" in body
    assert "31,000" not in body


# --- What becomes a complaint (R21), and against whom (R19) --------------------------------------


@pytest.mark.parametrize(
    ("below", "technical", "attitude", "complaint"),
    [(0, 0, 200, False), (0, -1, 200, True), (0, 200, -1, True), (60, 59, 100, True)],
)
async def test_a_score_below_the_policys_figure_is_a_complaint(
    place: Place, below: int, technical: int, attitude: int, *, complaint: bool
) -> None:
    await place.adopt(evaluations=Evaluations(complaint_below=below))
    issue = (await place.resolved()).model_copy(update={"stage": "replied"})
    scores = {"technical": technical, "attitude": attitude, "comment": "so be it"}
    _, recorded = await place.take(
        issue, ActionName.EVALUATE, CUSTOMER, item="after_sales", **scores
    )
    assert recorded.complaint is complaint


@pytest.mark.parametrize(
    ("below", "worst", "told"), [(-50, -50, 0), (60, 60, 0), (60, 59, 1), (60, 0, 1), (60, -1, 0)]
)
async def test_r24_a_score_that_is_no_complaint_but_below_the_policys_figure_is_told_to_the_lead(
    place: Place, below: int, worst: int, told: int
) -> None:
    complaint_below = {60: 0}.get(below, -50)
    await place.adopt(
        evaluations=Evaluations(complaint_below=complaint_below, dissatisfied_below=below)
    )
    issue = (await place.resolved()).model_copy(update={"stage": "replied"})
    scores = {"technical": 100, "attitude": worst, "comment": "等了三天"}
    _, recorded = await place.take(
        issue, ActionName.EVALUATE, CUSTOMER, item="after_sales", **scores
    )
    assert recorded.complaint is (worst < complaint_below)
    bodies = await place.pool.fetch(
        "SELECT body, recipient FROM outbox WHERE template = 'dissatisfied'"
    )
    assert [row["recipient"] for row in bodies] == [LEAD.id] * told
    assert all("等了三天" in row["body"] and str(worst) in row["body"] for row in bodies)


async def test_a_complaint_stays_on_file_against_the_department_it_was_about(
    place: Place,
) -> None:
    issue = await place.open(kind="complaint", category="service")
    assert issue.engineer is not None
    handler = Actor(id=issue.engineer.id, role=Role.ENGINEER)
    to = {"to": "technical_service", "reason": "it was their engineer"}
    issue, _ = await place.take(issue, ActionName.TRANSFER, handler, **to)
    assert issue.department == "technical_service"
    assert await place.pool.fetchval("SELECT against FROM complaint_forms") == "customer_service"


# --- Who and what must exist (R8, R15) -----------------------------------------------------------


async def test_experts_are_of_the_roster_or_nothing_is_written(place: Place) -> None:
    issue = await place.open()
    asked = {"question": "is it gone?"}
    with pytest.raises(ApplicationError, match=r"experts: dr\.who is not on the roster") as refused:
        await place.take(
            issue, ActionName.CONSULT, ENGINEER, experts=["gao.yuan", "dr.who"], **asked
        )
    assert (refused.value.type, refused.value.non_retryable) == ("Invalid", True)
    assert await place.pool.fetchval("SELECT count(*) FROM expert_panels") == 0
    assert await place.pool.fetchval("SELECT count(*) FROM issue_events") == 1
    await place.take(issue, ActionName.CONSULT, ENGINEER, experts=["gao.yuan"], **asked)
    assert await place.pool.fetchval("SELECT experts FROM expert_panels") == ["gao.yuan"]


@pytest.mark.parametrize("change", [None, Change.REJECT, Change.RETIRE])
async def test_a_case_that_is_not_approved_is_not_told(place: Place, change: Change | None) -> None:
    number = await place.proposed()
    if change is Change.RETIRE:
        await place.ruled(number, Change.APPROVE)
    if change:
        await place.ruled(number, change)
    issue = await place.open(answering=True)
    with pytest.raises(ApplicationError, match=f"case: {number} is no approved case"):
        await place.take(issue, ActionName.ANSWER, AGENT, solution="hold it", case=number)
    known = await cases.get(place.pool, number)
    assert known is not None
    assert known.used == 0
    assert await place.pool.fetchval("SELECT count(*) FROM consultation_records") == 0


async def test_each_issue_a_case_was_told_for_counts_once(place: Place) -> None:
    number = await place.proposed()
    await place.ruled(number, Change.APPROVE)
    for reference in ("r-1", "r-2"):
        issue = await place.open(reference, answering=True)
        said = {"solution": "hold it", "case": number}
        _, recorded = await place.take(issue, ActionName.ANSWER, AGENT, **said)
        # The worker died before it could say that this was done.
        assert await place.recording.record_step(recorded.step) == recorded
    known = await cases.get(place.pool, number)
    assert known is not None
    assert (known.used, known.last_used_at) == (2, place.now)


# --- What is worth knowing (R29) -----------------------------------------------------------------


async def test_a_result_its_handler_thinks_worth_knowing_is_proposed_once(place: Place) -> None:
    issue = await place.resolved(known_solution=True)
    (draft,) = await cases.cases(place.pool, CaseStatus.PROPOSED)
    assert (draft.issue_id, draft.generation, draft.proposed_by) == (issue.id, 1, ENGINEER.id)
    assert "changed the board" in draft.solution
    assert draft.title == issue.intake.title


async def test_a_result_like_any_other_is_not_proposed(place: Place) -> None:
    await place.resolved()
    assert await cases.cases(place.pool) == []


# --- fault codes (R43) ----------------------------------------------------------------------------


async def test_r43_a_result_keeps_its_code_and_what_the_desk_called_it_then(place: Place) -> None:
    issue = await place.resolved(fault="A01")
    await place.adopt(fault_lists=())
    row = await place.pool.fetchrow(
        "SELECT fault, fault_name FROM handling_forms WHERE issue_id = $1", issue.id
    )
    assert row
    assert tuple(row) == ("A01", "读卡器故障")
    content = await place.pool.fetchval(
        "SELECT content FROM issue_events WHERE issue_id = $1 AND action = 'resolve'", issue.id
    )
    assert (content["fault"], content["fault_name"]) == ("A01", "读卡器故障")


async def test_r43_what_the_hotline_answers_has_a_code_too(place: Place) -> None:
    issue = await place.open(answering=True)
    await place.take(issue, ActionName.ANSWER, AGENT, solution="重启", fault="A07")
    row = await place.pool.fetchrow(
        "SELECT fault, fault_name FROM consultation_records WHERE issue_id = $1", issue.id
    )
    assert row
    assert tuple(row) == ("A07", "软件异常")


@pytest.mark.parametrize("code", ["A55", None])
async def test_r43_a_code_the_list_has_not_is_refused_and_nothing_is_written(
    place: Place, code: str | None
) -> None:
    required = STANDARD.policy.fault_lists[0].model_copy(update={"required": True})
    await place.adopt(fault_lists=(required,))
    issue = await place.open()
    issue, _ = await place.take(issue, ActionName.ACCEPT, ENGINEER)
    with pytest.raises(ApplicationError, match=r"fault: .*the list atm has: A01 读卡器故障"):
        await place.take(issue, ActionName.RESOLVE, ENGINEER, result="done", fault=code)
    issue, _ = await place.take(issue, ActionName.RESOLVE, ENGINEER, result="done", fault="A06")
    assert issue.results == ("done",)


# --- what is passed to a business unit (R38) ------------------------------------------------------


async def consultations(place: Place, issue: Issue) -> list[dict[str, Any]]:
    rows = await place.pool.fetch(
        "SELECT * FROM consultation_records WHERE issue_id = $1 ORDER BY generation", issue.id
    )
    return [dict(row) for row in rows]


async def test_r38_a_sales_enquiry_is_on_the_consultation_record_from_question_to_answer(
    place: Place,
) -> None:
    issue = await place.open(
        kind="sales", channel="telephone", title="想买两台", description="多少钱？"
    )
    (passed,) = await consultations(place, issue)
    assert passed["question"] == "想买两台\n多少钱？"
    assert (passed["passed_to"], passed["passed_by"]) == (issue.department, "07")
    assert (passed["passed_at"], passed["answer"]) == (TUESDAY, None)
    issue, _ = await place.take(issue, ActionName.ACCEPT, LEAD)
    issue, _ = await place.take(issue, ActionName.RESOLVE, LEAD, result="报价单已发出。")
    (answered,) = await consultations(place, issue)
    assert (answered["agent"], answered["answer"]) == (LEAD.id, "报价单已发出。")
    assert (answered["answered_at"], answered["passed_at"]) == (place.now, TUESDAY)


async def test_r38_what_is_transferred_to_a_business_unit_is_recorded_then(place: Place) -> None:
    issue = await place.open(kind="consultation")
    assert await consultations(place, issue) == []
    issue, _ = await place.take(
        issue, ActionName.TRANSFER, LEAD, to="business_unit", reason="商务问题"
    )
    (passed,) = await consultations(place, issue)
    assert (passed["passed_to"], passed["passed_by"]) == ("business_unit", LEAD.id)


@pytest.mark.parametrize("kind", ["fault", "complaint"])
async def test_r38_what_is_no_question_is_no_consultation(place: Place, kind: str) -> None:
    issue = await place.open(kind=kind, category="commerce")
    assert await consultations(place, issue) == []


async def test_r38_a_policy_that_names_no_business_unit_records_what_the_hotline_answered(
    place: Place,
) -> None:
    await place.adopt(consultations=())
    issue = await place.open(kind="sales")
    assert await consultations(place, issue) == []


# --- who calms an agitated complainant (R47) ------------------------------------------------------


@pytest.mark.parametrize(("by", "audience"), [("manager", "manager"), ("lead", "lead")])
async def test_r47_who_is_to_calm_the_customer_has_a_name_and_is_told_day_and_night(
    place: Place, by: Any, audience: str
) -> None:
    await place.adopt(calming=Calming(by=by))
    issue = await place.open(kind="complaint", category="service", agitated=True)
    named = await place.pool.fetchval(
        "SELECT calming_by FROM complaint_forms WHERE issue_id = $1", issue.id
    )
    row = await place.pool.fetchrow(
        "SELECT recipient, audience, not_before FROM outbox WHERE issue_id = $1"
        " AND template = 'calm_wanted'",
        issue.id,
    )
    assert named
    assert row
    assert tuple(row) == (named, audience, None)
    assert await place.pool.fetchval("SELECT agitated FROM issues WHERE id = $1", issue.id)


async def test_r47_only_a_complaint_can_say_that_its_customer_is_agitated(place: Place) -> None:
    with pytest.raises(ApplicationError, match="agitated: only a complaint can say so"):
        await place.open(kind="fault", agitated=True)


# --- who handed it over (R10, R39) ----------------------------------------------------------------


async def handling_form(place: Place) -> dict[str, Any]:
    """The handling form as it is handed out, of the one issue there is."""
    asked = registers.Asked(zone="Asia/Shanghai")
    async with registers.reading(place.pool, REGISTERS["handling"], asked) as rows:
        return {name: value async for row in rows for name, value in row.items()}


async def test_r10_r39_the_handling_form_says_who_handed_it_over_first_and_last_and_when(
    place: Place,
) -> None:
    issue = await place.open()
    form, first = await handling_form(place), place.now
    assert (form["handed_over_by"], form["passed_on_by"]) == ("何晓彤 07", "何晓彤 07")
    issue, _ = await place.take(issue, ActionName.ACCEPT, ENGINEER)
    to = {"to": "software_development", "reason": "the firmware"}
    issue, _ = await place.take(issue, ActionName.TRANSFER, LEAD, **to)
    given = place.now
    await place.take(issue, ActionName.ESCALATE, LEAD, reason="the branch opens tomorrow")
    form = await handling_form(place)
    assert (form["handed_over_by"], form["handed_over_at"]) == ("何晓彤 07", first)
    assert (form["passed_on_by"], form["passed_on_at"]) == ("周建国 zhou.jianguo", given)
    found = await hand_overs.last(place.pool, issue.id, 1)
    assert found == HandOver(by="zhou.jianguo", at=given)


async def test_r10_r39_what_the_desk_passed_on_is_said_to_be_the_desks_and_what_nobody_has_nobodys(
    place: Place,
) -> None:
    issue = await place.open(answering=True)
    assert await hand_overs.last(place.pool, issue.id, 1) is None
    held = issue.promise(PromiseKind.HAND_OVER)
    assert held
    assert held.next_threshold
    place.now = held.due_at
    said = {"by": DESK, "promise": held.key, "threshold": held.next_threshold.name}
    step = decide(issue, ActionName.THRESHOLD, ThresholdReached(**said), place.now, "late")
    recorded = await place.recording.record_step(step.model_copy(update={"run": "run-1"}))
    assert recorded.engineer
    form = await handling_form(place)
    assert (form["handed_over_by"], form["handed_over_at"]) == ("系统 the desk", place.now)


# --- Who decides on a remedy (R42) ----------------------------------------------------------------

PROPOSED = {"remedy": "money", "what": "the fare is given back", "reason": "nobody came"}


@pytest.mark.parametrize(
    ("amount", "limit", "decider", "told"),
    [
        ("1000.00", "1000.00", "manager", "sun.li"),
        ("1000.01", "1000.00", "gm_office", "tian.hui"),
        ("99999.00", None, "manager", "sun.li"),
    ],
)
async def test_r42_who_decides_on_a_remedy_is_told_by_its_amount_and_it_keeps_its_name(
    place: Place, amount: str, limit: str | None, decider: str, told: str
) -> None:
    await place.adopt(remedies=Remedies(manager_up_to=Decimal(limit) if limit else None))
    issue = await place.open(kind="complaint")
    issue, _ = await place.take(issue, ActionName.PROPOSE_REMEDY, AGENT, **PROPOSED, amount=amount)
    row = await place.pool.fetchrow("SELECT decider, remedy_name, amount FROM remedies")
    assert row
    assert tuple(row) == (decider, "赔偿金", Decimal(amount))
    assert issue.remedy
    assert issue.remedy.decider == decider
    wanted = "SELECT recipient FROM outbox WHERE template = 'remedy_wanted'"
    assert await place.pool.fetchval(wanted) == told


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"remedy": "lottery", "amount": "10"}, "remedy: lottery is no kind of remedy; .* money"),
        ({}, "amount: 赔偿金 money needs an amount"),
    ],
)
async def test_r42_a_remedy_that_the_policy_does_not_have_is_refused_and_nothing_is_written(
    place: Place, said: dict[str, Any], why: str
) -> None:
    issue = await place.open(kind="complaint")
    with pytest.raises(ApplicationError, match=why):
        await place.take(issue, ActionName.PROPOSE_REMEDY, AGENT, **PROPOSED | said)
    assert await place.pool.fetchval("SELECT count(*) FROM remedies") == 0


async def test_r42_a_remedy_stands_on_its_form_from_the_proposal_to_the_receipt(
    place: Place,
) -> None:
    manager = Actor(id="sun.li", role=Role.MANAGER)
    issue = await place.open(kind="complaint")
    issue, _ = await place.take(issue, ActionName.PROPOSE_REMEDY, AGENT, **PROPOSED, amount="300")
    issue, recorded = await place.take(issue, ActionName.DECIDE_REMEDY, manager, approved=True)
    assert PromiseKind.REMEDY in {promise.kind for promise in recorded.promises}
    said = {"accepted": True, "receipt": "receipt 0017"}
    await place.take(issue, ActionName.RECORD_REMEDY, AGENT, **said)
    row = await place.pool.fetchrow(
        "SELECT approved, decided_by, accepted, recorded_by, receipt FROM remedies"
    )
    assert row
    assert tuple(row) == (True, "sun.li", True, "07", "receipt 0017")
    letter = await place.pool.fetchrow(
        "SELECT body, audience FROM outbox WHERE template = 'remedy_agreed'"
    )
    assert letter
    assert "300.00" in letter["body"]
    assert letter["audience"] == "customer"
