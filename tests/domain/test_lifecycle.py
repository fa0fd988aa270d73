"""The life of an issue: who may do what when, and what each step brings about."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from domain.errors import Refused
from domain.issue.actions import ACTIONS, ActionName
from domain.issue.common import AFTER, DONE, OPEN
from domain.issue.lifecycle import allowed, decide, register
from domain.issue.state import Assignment, Issue, NotificationRequest, SlaState
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import (
    DESK,
    Actor,
    Audience,
    Outcome,
    Role,
    Severity,
    Stage,
)
from tests.support.builders import (
    COLLEAGUE,
    DAY,
    ENGINEER,
    HOUR,
    LEAD,
    MONDAY,
    SOUGHT,
    Desk,
    a_promise,
    a_remedy,
    actor,
    an_act,
    an_intake,
    an_issue,
    decided,
    ends,
    messages,
)

# --- who may do what, in which stage -------------------------------------------------------------

MATRIX = """
                  registered assigned in_progress waiting reopened
take              SA         .        .           .       .
answer            SA         SA       .           .       SA
accept            S          ES       .           .       S
report_progress   .          ES       ES          ES      .
wait_for_customer .          .        ES          .       .
resume            .          .        .           ESA     .
customer_wrote    SAICU      SAICU    SAICU       SAICU   SAICU
transfer          SA         ESA      ESA         ESA     SA
reassign          SAD        ESAD     ESAD        ESAD    SAD
consult           S          ES       ES          ES      S
resolve           .          ES       ES          ES      .
contact_customer  SA         SA       SA          SA      SA
chase             SA         SA       SA          SA      SA
calm              S          S        S           S       S
propose_remedy    LMA        ELMA     ELMA        ELMA    LMA
decide_remedy     MG         MG       MG          MG      MG
record_remedy     SA         ESA      ESA         ESA     SA
escalate          EOSAIC     EOSAIC   EOSAIC      EOSAIC  EOSAIC
withdraw          SAICU      SAICU    SAICU       SAICU   SAICU
add_note          SAC        ESAC     ESAC        ESAC    SAC
amend             SA         SA       SA          SA      SA
link              SA         SA       SA          SA      SA
merge             SA         SA       SA          SA      SA
absorb            D          D        D           D       D
merged            D          D        D           D       D
replan            D          D        D           D       D
assign            D          D        D           D       D
threshold         D          D        D           D       D
hand_over         D          D        D           D       D
complaint_raised  D          D        D           D       D
cancel            D          D        D           D       D
cancellation_asked D         D        D           D       D
repair            D          D        D           D       D

                  verifying surveying quoting confirming approving
verify            ES        .         .       .          .
report_progress   ES        ES        ES      ES         ES
wait_for_customer ES        ES        .       .          .
transfer          ESA       ESA       ESA     ESA        ESA
reassign          ESAD      ESAD      ESAD    ESAD       ESAD
consult           ES        ES        ES      ES         ES
survey            .         ES        .       .          .
calm              S         S         S       S          S
propose_remedy    ELMA      ELMA      ELMA    ELMA       ELMA
decide_remedy     MG        MG        MG      MG         MG
record_remedy     ESA       ESA       ESA     ESA        ESA
quote             .         .         ES      ES         .
confirm           .         .         .       ESAICU     .
resume            .         .         .       ESA        .
approve           .         .         .       .          MG
contact_customer  SA        SA        SA      SA         SA
chase             SA        SA        SA      SA         SA
escalate          EOSAIC    EOSAIC    EOSAIC  EOSAIC     EOSAIC
withdraw          SAICU     SAICU     SAICU   SAICU      SAICU
add_note          ESAC      ESAC      ESAC    ESAC       ESAC
amend             SA        SA        SA      SA         SA
customer_wrote    SAICU     SAICU     SAICU   SAICU      SAICU
link              SA        SA        SA      SA         SA
merge             SA        SA        SA      SA         SA
absorb            D         D         D       D          D
merged            D         D         D       D          D
replan            D         D         D       D          D
assign            D         D         D       D          D
threshold         D         D         D       D          D
hand_over         D         D         D       D          D
complaint_raised  D         D         D       D          D
cancel            D         D         D       D          D
cancellation_asked D        D         D       D          D
repair            D         D         D       D          D

                  resolved replied callback closed
report_test       SAICU    SAICU   SAICU    SAICU
resume            ESA      ESA     ESA      ESA
customer_wrote    SAICU    SAICU   SAICU    SAICU
contact_customer  SA      .       .        .
record_callback   SAC      SAC     SAC      .
propose_remedy    ELMA     ELMA    ELMA     .
decide_remedy     MG       MG      MG       .
record_remedy     ESA      ESA     ESA      .
evaluate          .        SAICU   SAICU    SAICU
rate_difficulty   M        M       M        M
withdraw          SAICU    SAICU   SAICU    .
add_note          ESAC     ESAC    ESAC     ESAC
amend             SA       SA      SA       SA
link              SA       SA      SA       SA
merged            D        D       D        .
replan            D        D       D        .
replied           D        D       D        .
threshold         D        D       D        D
hand_over         D        D       D        D
complaint_raised  D        D       D        D
cancel            D        D       D        D
cancellation_asked D       D       D        .
repair            D        D       D        D
"""
"""The regulation as we read it: E the engineer who has the issue, O another engineer, L lead, M
manager, G GM office, S any of these three, A hotline agent, I intake system, C callback clerk, U
the customer, D the desk itself. What a block does not name is for nobody in its stages."""

LETTERS = {
    actor(Role.ENGINEER): "E",
    actor(Role.ENGINEER, COLLEAGUE.id): "O",
    actor(Role.LEAD): "L",
    actor(Role.MANAGER): "M",
    actor(Role.GM_OFFICE): "G",
    actor(Role.AGENT): "A",
    actor(Role.INTAKE): "I",
    actor(Role.CLERK): "C",
    actor(Role.CUSTOMER): "U",
    DESK: "D",
}

LATER = MONDAY + 9 * DAY


def _cells() -> dict[tuple[ActionName, Stage], str]:
    acts = [name for name in ActionName if name is not ActionName.REGISTERED]
    cells: dict[tuple[ActionName, Stage], str] = dict.fromkeys(product(acts, Stage), "")
    for block in MATRIX.strip("\n").split("\n\n"):
        header, *rows = block.splitlines()
        stages = [Stage(name) for name in header.split()]
        for action, *who in (row.split() for row in rows):
            for stage, cell in zip(stages, who, strict=True):
                cells[ActionName(action), stage] = cell.strip(".").replace("S", "LMG")
    return cells


CELLS = _cells()


def test_the_matrix_names_every_action_and_every_stage() -> None:
    assert {action for (action, _), who in CELLS.items() if who} == set(ACTIONS)
    assert {stage for (_, stage), who in CELLS.items() if who} == set(Stage)


def _said_of(issue: Issue, name: ActionName) -> dict[str, Any]:
    """A threshold has to be one that the issue waits for."""
    if name is not ActionName.THRESHOLD:
        return {}
    waits = {p.key: p.next_threshold.name for p in issue.running if p.next_threshold}
    promise, threshold = next(iter(waits.items()), ("response.1", "75%"))
    return {"promise": promise, "threshold": threshold}


_AWAITED = {
    (ActionName.THRESHOLD, Stage.WAITING): PromiseKind.PANEL,
    **dict.fromkeys(product([ActionName.CALM], OPEN), PromiseKind.CALMING),
    **dict.fromkeys(
        product([ActionName.THRESHOLD, ActionName.CUSTOMER_WROTE], [Stage.CLOSED]),
        PromiseKind.DIFFICULTY,
    ),
    **dict.fromkeys(product([ActionName.REPORT_TEST], AFTER), PromiseKind.CUSTOMER_TEST),
    **dict.fromkeys(product([ActionName.CONTACT_CUSTOMER], OPEN), PromiseKind.CONTACT),
    (ActionName.CONTACT_CUSTOMER, Stage.RESOLVED): PromiseKind.REPLY,
    **dict.fromkeys(product([ActionName.RESUME], DONE | {Stage.CONFIRMING}), PromiseKind.FEEDBACK),
    (ActionName.REPORT_TEST, Stage.CLOSED): PromiseKind.FEEDBACK,
    (ActionName.TAKE, Stage.REGISTERED): PromiseKind.HAND_OVER,
}
"""What has to run besides, for the action to make sense at all."""

REMEDIES = {
    ActionName.PROPOSE_REMEDY: None,
    ActionName.DECIDE_REMEDY: a_remedy(),
    ActionName.RECORD_REMEDY: a_remedy(approved=True),
}
"""How the last remedy stands, for the action to make sense."""


def _issue_for(name: ActionName, stage: Stage) -> Issue:
    issue = an_issue(stage)
    if name in {ActionName.MERGE, ActionName.ABSORB}:  # which are of one kind
        fault = issue.intake.model_copy(update={"kind": "fault"})
        issue = issue.model_copy(update={"intake": fault})
    if name in REMEDIES:  # which are for complainants
        complaint = issue.intake.model_copy(update={"kind": "complaint"})
        stands = {"intake": complaint, "remedy": REMEDIES[name]}
        issue = issue.model_copy(update=stands)
    if name is ActionName.TAKE:
        issue = issue.model_copy(update={"queue": "enquiries"})
    if awaited := _AWAITED.get((name, stage)):
        return issue.model_copy(update={"promises": (*issue.promises, a_promise(awaited))})
    return issue


@pytest.mark.parametrize(("name", "stage"), CELLS)
def test_an_action_is_for_whom_the_regulation_names(name: ActionName, stage: Stage) -> None:
    issue = _issue_for(name, stage)
    before = issue.model_dump_json()
    now = issue.last_at + 2 * DAY
    for by, letter in LETTERS.items():
        act = an_act(name, by, **_said_of(issue, name))
        if letter in CELLS[name, stage]:
            step = decide(issue, name, act, now)
            assert (step.seq, step.action, step.by) == (issue.seq + 1, name, by)
            assert (step.stage_before, step.issue_id) == (stage, issue.id)
            continue
        with pytest.raises(Refused) as refused:
            decide(issue, name, act, now)
        said = refused.value.message
        if CELLS[name, stage]:
            assert refused.value.type == "NotYours"
            assert by.id in said
        else:
            assert refused.value.type == "NotAllowed"
            assert f"{name} is not possible while {issue.number} is {stage}" in said
    assert issue.model_dump_json() == before


@pytest.mark.parametrize("stage", Stage)
def test_what_is_offered_in_a_stage_is_what_some_person_may_do_there(stage: Stage) -> None:
    people = {name for (name, where), who in CELLS.items() if where is stage and who.strip("D")}
    people -= {ActionName.TAKE}  # it is in no queue
    people -= REMEDIES.keys()  # and no complaint
    issue = an_issue(stage)
    if issue.intake.kind == "complaint":
        people |= {ActionName.PROPOSE_REMEDY}
    if stage in DONE | {
        Stage.CONFIRMING
    }:  # the customer has written after the answer, or to the price
        promises = (*issue.promises, a_promise(PromiseKind.FEEDBACK))
        issue = issue.model_copy(update={"promises": promises})
    if stage in OPEN or stage is Stage.RESOLVED:  # their agent owes them a call
        call = PromiseKind.REPLY if stage is Stage.RESOLVED else PromiseKind.CONTACT
        issue = issue.model_copy(update={"promises": (*issue.promises, a_promise(call))})
    if stage in OPEN:  # and is agitated
        promises = (*issue.promises, a_promise(PromiseKind.CALMING))
        issue = issue.model_copy(update={"promises": promises})
    if issue.intake.kind == "paid_service":
        people -= {ActionName.MERGE}
    assert set(allowed(issue)) == people


def test_nothing_is_offered_that_waits_for_the_survey_or_rates_the_hotline() -> None:
    paid = an_issue(Stage.ASSIGNED, "paid_service")
    assert ActionName.RESOLVE in allowed(an_issue(Stage.ASSIGNED))
    assert ActionName.RESOLVE not in allowed(paid)
    assert ActionName.RATE_DIFFICULTY in allowed(an_issue(Stage.REPLIED))
    advised = an_issue(Stage.REPLIED, "consultation", first_contact=True)
    assert ActionName.RATE_DIFFICULTY not in allowed(advised)
    assert ActionName.RATE_DIFFICULTY in allowed(an_issue(Stage.REPLIED, first_contact=True))


def test_an_engineer_is_asked_for_advice_only_where_a_panel_sits() -> None:
    expert, issue = actor(Role.ENGINEER, COLLEAGUE.id), an_issue(Stage.IN_PROGRESS)
    assert ActionName.CONSULT not in allowed(issue, expert)
    assert ActionName.CONSULT in allowed(issue.model_copy(update={"panel_sits": True}), expert)


def test_a_refusal_for_the_stage_says_what_is_possible_instead() -> None:
    with pytest.raises(Refused) as refused:
        Desk().do(an_issue(Stage.WAITING), ActionName.ACCEPT, actor(Role.ENGINEER))
    said = refused.value.message
    assert str(refused.value) == said
    assert said.endswith(
        "possible now: report_progress, resume, transfer, reassign, consult, resolve, chase, "
        "escalate, withdraw, add_note, amend, link, merge, customer_wrote"
    )


def test_a_closed_issue_can_still_be_scored_and_rated_as_long_as_there_is_time_for_it() -> None:
    rating = a_promise(PromiseKind.DIFFICULTY)
    closed = an_issue(Stage.CLOSED, promises=(rating,))
    can = r"possible now: evaluate, rate_difficulty, add_note, amend, link, customer_wrote$"
    with pytest.raises(Refused, match=can):
        Desk().do(closed, ActionName.WITHDRAW, actor(Role.AGENT))
    over = closed.model_copy(update={"promises": (rating.fulfil(MONDAY),)})
    with pytest.raises(Refused, match=r"possible now: nothing any more$"):
        Desk().do(over, ActionName.WITHDRAW, actor(Role.AGENT))


def test_a_refusal_for_the_role_says_whose_it_is_and_as_whom_one_came() -> None:
    with pytest.raises(Refused) as refused:
        Desk().do(an_issue(Stage.ASSIGNED), ActionName.ACCEPT, actor(Role.CLERK))
    assert refused.value.message == (
        "accept is for engineer, gm_office, lead, manager; clerk-1 acts as clerk"
    )


@pytest.mark.parametrize(("stage", "holder"), [("registered", "nobody yet"), ("assigned", "e01")])
def test_an_engineer_who_has_not_got_it_is_told_who_has(stage: str, holder: str) -> None:
    with pytest.raises(Refused) as refused:
        Desk().do(an_issue(Stage(stage)), ActionName.ACCEPT, actor(Role.ENGINEER, "e02"))
    assert refused.value.type == "NotYours"
    assert f"is with {holder}, not with e02; a lead can reassign it" in refused.value.message


# --- when it happened ----------------------------------------------------------------------------


def test_what_happened_earlier_is_kept_with_both_instants() -> None:
    issue, now = an_issue(Stage.IN_PROGRESS), MONDAY + 9 * HOUR
    step = decided(issue, ActionName.RESOLVE, actor(Role.LEAD), now, at=MONDAY + 5 * HOUR)
    assert (step.at, step.recorded_at) == (MONDAY + 5 * HOUR, now)
    assert step.handling
    assert step.handling.resolved_at == step.at
    assert "at" not in step.content


def test_an_action_without_a_time_happens_now() -> None:
    now = MONDAY + 9 * HOUR
    step = decided(an_issue(), ActionName.ACCEPT, actor(Role.ENGINEER), now)
    assert (step.at, step.recorded_at) == (now, now)


def test_a_fast_clock_counts_as_now_and_a_word_from_the_future_is_invalid() -> None:
    issue, now = an_issue(), MONDAY + HOUR
    step = decided(issue, ActionName.ACCEPT, actor(Role.LEAD), now, at=now + timedelta(minutes=5))
    assert (step.at, step.content) == (now, {})
    with pytest.raises(Refused, match=r"^at: .* lies in the future, by more than") as refused:
        decided(issue, ActionName.ACCEPT, actor(Role.LEAD), now, at=now + DAY + HOUR)
    assert refused.value.type == "Invalid"


def test_a_word_of_before_the_last_step_is_invalid_and_names_that_instant() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    by, last = actor(Role.ENGINEER), issue.last_at
    assert decided(issue, ActionName.RESOLVE, by, MONDAY + HOUR, at=last).at == last
    with pytest.raises(Refused, match="before the last step") as refused:
        decided(issue, ActionName.RESOLVE, by, MONDAY + HOUR, at=last - timedelta(seconds=1))
    assert refused.value.type == "Invalid"
    assert last.isoformat() in refused.value.message


def test_a_clock_that_lags_behind_the_last_step_does_not_turn_time_back() -> None:
    issue = an_issue()
    step = decided(issue, ActionName.ACCEPT, actor(Role.ENGINEER), issue.last_at - HOUR)
    assert step.at == issue.last_at


def test_a_deed_of_before_the_alarm_keeps_the_promise_though_word_of_it_came_after() -> None:
    issue, due = an_issue(), MONDAY + 2 * HOUR
    for mark, at in (("75%", MONDAY + 1.5 * HOUR), ("100%", due)):
        issue = _threshold(issue, "response.1", mark, at)
    issue = Desk().do(issue, ActionName.ACCEPT, actor(Role.ENGINEER), due + HOUR, at=MONDAY + HOUR)
    assert _promise(issue, "response.1").end is PromiseEnd.KEPT


def test_what_the_desk_does_by_the_clock_does_not_make_a_persons_word_too_old() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    last = issue.last_at
    issue = _threshold(issue, "resolution.1", "75%", MONDAY + 2.25 * DAY)
    assert issue.last_at == last
    done = MONDAY + 2.25 * DAY - HOUR
    issue = Desk().do(issue, ActionName.RESOLVE, actor(Role.ENGINEER), done + 8 * HOUR, at=done)
    assert issue.last_at == done
    assert _promise(issue, "resolution.1").end is PromiseEnd.KEPT


# --- registration --------------------------------------------------------------------------------


def test_an_issue_begins_promised_and_assigned_with_every_clock_at_the_report() -> None:
    step = register(an_intake(), MONDAY + HOUR)
    assert (step.seq, step.generation, step.level) == (1, 1, 0)
    assert (step.at, step.recorded_at) == (MONDAY, MONDAY + HOUR)
    assert (step.stage_before, step.stage, step.outcome) == (None, Stage.REGISTERED, None)
    assert step.stage_if_assigned is Stage.ASSIGNED
    assert step.make == (PromiseKind.RESPONSE, PromiseKind.RESOLUTION)
    assert step.assignment == Assignment()
    assert step.by == Actor(id="07", role=Role.AGENT)
    assert messages(step) == {"registered: customer", *SOUGHT}
    assert step.forms == ()


@pytest.mark.parametrize("ahead", [timedelta(minutes=4), 8 * HOUR, DAY])
def test_a_report_from_a_clock_that_runs_ahead_starts_now(ahead: timedelta) -> None:
    assert register(an_intake(reported_at=MONDAY + ahead), MONDAY).at == MONDAY


def test_an_impossible_date_is_refused_as_invalid_and_named() -> None:
    with pytest.raises(Refused, match=r"^reported_at: ") as refused:
        register(an_intake(reported_at=MONDAY + DAY + HOUR), MONDAY)
    assert refused.value.type == "Invalid"


def test_a_registered_issue_carries_what_the_register_answered() -> None:
    issue = Desk().open(an_intake(severity="major"), MONDAY + HOUR)
    assert (issue.id, issue.number) == ("issue:web:r-1", "20261123-07-0001")
    assert (issue.department, issue.centre) == ("field", "shanghai")
    assert (issue.stage, issue.engineer, issue.seq) == (Stage.ASSIGNED, ENGINEER, 1)
    assert (issue.registered_at, issue.last_at) == (MONDAY + HOUR, MONDAY)
    assert (issue.severity, issue.level, issue.generation) == (Severity.MAJOR, 0, 1)
    assert not issue.answered
    assert [p.key for p in issue.promises] == ["response.1", "resolution.1"]


def test_an_issue_nobody_is_free_for_stays_registered_and_waits_for_the_next_on_duty() -> None:
    issue = Desk(engineer=None).open()
    assert (issue.stage, issue.engineer, issue.lead) == (Stage.REGISTERED, None, LEAD)
    assert issue.assign_again_at == MONDAY + 8 * HOUR
    issue = Desk().do(issue, ActionName.ASSIGN, DESK)
    assert (issue.stage, issue.engineer, issue.lead) == (Stage.ASSIGNED, ENGINEER, None)
    assert issue.assign_again_at is None


# --- what each step brings about -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stage", "said", "told"),
    [
        ("accept", "assigned", {}, {"accepted: customer"}),
        ("report_progress", "in_progress", {}, {"progress_staff: agent when agent"}),
        (
            "report_progress",
            "in_progress",
            {"expected_at": MONDAY + 9 * DAY},
            {"progress: customer", "progress_staff: agent when agent"},
        ),
        ("wait_for_customer", "in_progress", {}, {"waiting: customer"}),
        ("resume", "waiting", {}, set()),
        ("reassign", "in_progress", {}, set(SOUGHT)),
        (
            "resolve",
            "in_progress",
            {},
            {
                "resolved: customer when in_writing",
                "result_back: agent when in_writing_and_agent",
                "call_with_result: agent when by_call",
            },
        ),
        ("withdraw", "waiting", {}, {"withdrawn: customer", "withdrawn_staff: handler?"}),
        ("assign", "registered", {}, {"assigned: handler?", "thin: manager when thin"}),
        ("assign", "in_progress", {}, {"relieved: handler when changed"}),
        ("replied", "resolved", {}, set()),
        ("hand_over", "closed", {}, {"undelivered: lead"}),
        ("cancel", "replied", {}, {"cancelled: lead"}),
        ("cancellation_asked", "replied", {}, {"cancellation_asked: lead"}),
        ("repair", "replied", {}, set()),
        ("record_callback", "replied", {}, {"thanks: customer when invited"}),
        (
            "record_callback",
            "replied",
            {"running": False},
            {"reopened: customer", *SOUGHT, "repair_failed: lead"},
        ),
    ],
)
def test_a_step_tells_exactly_those_it_concerns(
    name: str, stage: str, said: dict[str, Any], told: set[str]
) -> None:
    issue, action = an_issue(Stage(stage)), ActionName(name)
    who = CELLS[action, issue.stage]
    by = next(person for person, letter in LETTERS.items() if letter in who)
    assert messages(decided(issue, action, by, issue.last_at + DAY, **said)) == told


def _promise(issue: Issue, key: str) -> Any:
    return {p.key: p for p in issue.promises}[key]


def test_accepting_fulfils_the_response_and_nothing_else() -> None:
    before = an_issue(Stage.ASSIGNED)
    now = MONDAY + HOUR
    step = decided(before, ActionName.ACCEPT, actor(Role.ENGINEER), now, expected_at=now + DAY)
    assert step.handling
    assert (step.handling.accepted_at, step.handling.expected_at) == (now, now + DAY)
    assert step.assignment is None
    issue = Desk().record(step, before).applied_to(before)
    assert (issue.stage, issue.engineer) == (Stage.IN_PROGRESS, ENGINEER)
    assert ends(issue) == {"response.1": "kept.", "resolution.1": "open"}
    assert _promise(issue, "response.1").ended_at == now
    assert _promise(issue, "resolution.1") == _promise(before, "resolution.1")


def test_a_response_after_its_time_is_broken() -> None:
    issue = Desk().do(an_issue(), ActionName.ACCEPT, actor(Role.ENGINEER), MONDAY + 3 * HOUR)
    assert ends(issue) == {"response.1": "broken.", "resolution.1": "open"}


@pytest.mark.parametrize("stage", [Stage.REGISTERED, Stage.ASSIGNED, Stage.REOPENED])
def test_a_supervisor_who_accepts_what_others_have_becomes_its_handler(stage: Stage) -> None:
    step = decided(an_issue(stage), ActionName.ACCEPT, actor(Role.LEAD), MONDAY + 3 * DAY)
    assert step.assignment == Assignment(to=LEAD.id)
    assert step.stage is Stage.IN_PROGRESS
    issue = Desk(engineer=None).record(step).applied_to(an_issue(stage))
    assert issue.stage is Stage.IN_PROGRESS
    assert issue.engineer
    assert issue.engineer.id == LEAD.id


def test_a_new_expected_time_goes_to_the_customer_and_onto_the_form() -> None:
    issue, when = an_issue(Stage.IN_PROGRESS), MONDAY + 2 * DAY
    now = MONDAY + HOUR
    step = decided(issue, ActionName.REPORT_PROGRESS, actor(Role.ENGINEER), now, expected_at=when)
    assert step.handling
    assert step.handling.expected_at == when
    assert step.content["note"] == "the spare part is on its way"
    assert step.stage is issue.stage
    assert not step.promises


def test_waiting_stops_the_resolution_clock_only() -> None:
    clocks = (a_promise(PromiseKind.RESPONSE), a_promise(PromiseKind.RESOLUTION))
    issue = an_issue(Stage.IN_PROGRESS, promises=clocks)
    issue = Desk().do(issue, ActionName.WAIT_FOR_CUSTOMER, actor(Role.ENGINEER), MONDAY + HOUR)
    assert issue.stage is Stage.WAITING
    assert _promise(issue, "response.1") == clocks[0]
    assert _promise(issue, "resolution.1") == clocks[1].pause(MONDAY + HOUR)
    assert issue.sla_state is SlaState.PAUSED
    assert issue.next_due_at == clocks[0].due_at


def test_a_clock_that_stands_still_already_keeps_the_instant_it_stopped() -> None:
    issue = an_issue(Stage.IN_PROGRESS, promises=(a_promise().pause(MONDAY),))
    step = decided(issue, ActionName.WAIT_FOR_CUSTOMER, actor(Role.LEAD), MONDAY + DAY)
    assert step.promises == ()


def test_resuming_asks_for_the_clock_to_be_planned_anew() -> None:
    waiting = an_issue(Stage.WAITING)
    stopped = _promise(waiting, "resolution.1")
    step = decided(waiting, ActionName.RESUME, actor(Role.AGENT), waiting.last_at + DAY)
    assert step.resume
    assert step.promises == (stopped,)
    issue = Desk().record(step, waiting).applied_to(waiting)
    assert issue.stage is Stage.IN_PROGRESS
    assert _promise(issue, "resolution.1").due_at == stopped.due_at + DAY
    assert [p.key for p in issue.promises] == ["response.1", "resolution.1"]


def test_only_resuming_asks_for_planning_anew() -> None:
    step = decided(an_issue(Stage.WAITING), ActionName.RESOLVE, actor(Role.LEAD), MONDAY + DAY)
    assert not step.resume


@pytest.mark.parametrize("stage", ["registered", "assigned", "in_progress", "waiting", "reopened"])
@pytest.mark.parametrize("to", [None, COLLEAGUE.id])
def test_reassigning_moves_the_issue_and_none_of_its_clocks(stage: str, to: str | None) -> None:
    before = an_issue(Stage(stage))
    desk = Desk(engineer=COLLEAGUE)
    issue = desk.do(before, ActionName.REASSIGN, actor(Role.LEAD), to=to)
    assert issue.promises == before.promises
    assert issue.engineer
    assert issue.engineer.id == COLLEAGUE.id
    assert issue.stage is (Stage.WAITING if stage == "waiting" else Stage.ASSIGNED)


@pytest.mark.parametrize(
    ("stage", "generation", "then"),
    [
        ("in_progress", 1, Stage.REGISTERED),
        ("in_progress", 2, Stage.REOPENED),
        ("waiting", 1, Stage.WAITING),
        ("waiting", 2, Stage.WAITING),
    ],
)
def test_an_issue_taken_from_somebody_for_nobody_waits_as_it_did_before(
    stage: str, generation: int, then: Stage
) -> None:
    before = an_issue(Stage(stage), generation=generation)
    issue = Desk(engineer=None).do(before, ActionName.REASSIGN, actor(Role.ENGINEER))
    assert (issue.stage, issue.engineer, issue.lead) == (then, None, LEAD)
    found = Desk().do(issue, ActionName.ASSIGN, DESK)
    assert found.stage is (Stage.WAITING if then is Stage.WAITING else Stage.ASSIGNED)
    still_nobody = Desk(engineer=None).do(issue, ActionName.ASSIGN, DESK)
    assert still_nobody.stage is then


def test_a_waiting_issue_that_nobody_has_is_not_in_progress_when_it_runs_on() -> None:
    issue = Desk(engineer=None).do(an_issue(Stage.WAITING), ActionName.REASSIGN, actor(Role.LEAD))
    issue = Desk(engineer=None).do(issue, ActionName.RESUME, actor(Role.AGENT))
    assert ActionName.ASSIGN not in allowed(issue)
    assert Desk().do(issue, ActionName.ASSIGN, DESK).engineer == ENGINEER


def test_a_desk_that_looks_for_somebody_names_nobody() -> None:
    step = decided(an_issue(Stage.REGISTERED), ActionName.ASSIGN, DESK, MONDAY + HOUR)
    assert step.assignment == Assignment()
    assert step.promises == ()


@pytest.mark.parametrize("stage", ["assigned", "in_progress", "waiting"])
def test_resolving_fulfils_response_and_resolution_and_promises_a_call(stage: str) -> None:
    before, now = an_issue(Stage(stage)), MONDAY + HOUR
    step = decided(before, ActionName.RESOLVE, actor(Role.ENGINEER), now)
    assert step.handling
    assert step.handling.resolved_at == now
    assert (step.handling.result, step.handling.cause) == ("card reader replaced", "worn out")
    issue = Desk().record(step, before).applied_to(before)
    assert issue.stage is Stage.RESOLVED
    assert issue.results == ("card reader replaced",)
    assert not issue.answered
    assert ends(issue) == {"response.1": "kept.", "resolution.1": "kept.", "callback.1": "open"}


def test_a_reply_that_arrived_makes_the_issue_answered_and_leaves_it_to_the_callback() -> None:
    issue = an_issue(Stage.REPLIED)
    assert (issue.stage, issue.answered) == (Stage.REPLIED, True)
    assert issue.promise(PromiseKind.CALLBACK)
    again = Desk().do(an_issue(Stage.CALLBACK, answered=False), ActionName.REPLIED, DESK)
    assert (again.stage, again.answered) == (Stage.CALLBACK, True)


def test_a_reply_closes_the_issue_as_solved_where_no_callback_is_due() -> None:
    desk = Desk(callbacks=False)
    issue = desk.do(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    assert issue.stage is Stage.RESOLVED
    with pytest.raises(Refused, match="no callback is due") as refused:
        desk.do(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK))
    assert refused.value.type == "NotAllowed"
    issue = desk.do(issue, ActionName.REPLIED, DESK)
    assert (issue.stage, issue.outcome, issue.answered) == (Stage.CLOSED, Outcome.SOLVED, True)
    assert issue.sla_state is SlaState.MET


# --- thresholds and escalation -------------------------------------------------------------------


CALL_THEM = "contact_wanted: agent when overdue"
"""R13: the agent is to ask the handler, and to call the customer."""


def _threshold(issue: Issue, promise: str, threshold: str, now: datetime) -> Issue:
    return Desk().do(issue, ActionName.THRESHOLD, DESK, now, promise=promise, threshold=threshold)


@pytest.mark.parametrize(
    ("marks_before", "threshold", "told", "level", "end"),
    [
        (0, "75%", {"reminder: handler"}, 0, "open"),
        (
            1,
            "100%",
            {"overdue: handler", "apology: customer", "alarm: lead", CALL_THEM},
            1,
            "broken",
        ),
        (2, "+2h", {"alarm: manager"}, 2, "broken"),
        (3, "+1 working day", {"alarm: gm_office"}, 3, "broken"),
    ],
)
def test_a_clock_warns_then_apologises_then_rises_level_by_level(
    marks_before: int, threshold: str, told: set[str], level: int, end: str
) -> None:
    clock = a_promise(PromiseKind.RESPONSE)
    for _ in range(marks_before):
        clock = clock.reach()
    issue = an_issue(promises=(clock,))
    at = clock.marks[marks_before].at
    step = decided(issue, ActionName.THRESHOLD, DESK, at, promise="response.1", threshold=threshold)
    assert messages(step) == told
    assert step.level == level
    assert step.stage is issue.stage
    after = Desk().record(step, issue).applied_to(issue)
    assert _promise(after, "response.1").reached == marks_before + 1
    assert ends(after) == {"response.1": end}


def test_thresholds_that_are_past_already_are_skipped_and_told_once_not_in_a_burst() -> None:
    issue = an_issue(promises=(a_promise(PromiseKind.RESPONSE),))
    late = MONDAY + 4 * HOUR
    step = decided(issue, ActionName.THRESHOLD, DESK, late, promise="response.1", threshold="75%")
    assert step.content == {
        "promise": "response.1",
        "threshold": "+2h",
        "skipped": ["75%", "100%"],
    }
    assert messages(step) == {
        "overdue: handler",
        "apology: customer",
        "alarm: lead",
        "alarm: manager",
        CALL_THEM,
    }
    assert step.level == 2
    (promise,) = step.promises
    assert (promise.reached, promise.end) == (3, PromiseEnd.BROKEN)


def test_a_lead_who_is_told_before_the_due_instant_reads_a_warning() -> None:
    clock = a_promise(PromiseKind.CALLBACK)
    early = clock.marks[0].model_copy(update={"tell": (Audience.LEAD, Audience.CLERK)})
    issue = an_issue(Stage.REPLIED, promises=(clock.model_copy(update={"marks": (early,)}),))
    step = decided(
        issue, ActionName.THRESHOLD, DESK, early.at, promise="callback.1", threshold="75%"
    )
    assert messages(step) == {"warning: lead", "reminder: clerk"}


def test_a_clerk_who_is_late_is_told_so() -> None:
    clock = a_promise(PromiseKind.CALLBACK).reach()
    issue = an_issue(Stage.REPLIED, promises=(clock,))
    step = decided(
        issue, ActionName.THRESHOLD, DESK, clock.due_at, promise="callback.1", threshold="100%"
    )
    assert "overdue: clerk" in messages(step)


def test_a_threshold_never_lowers_the_level() -> None:
    issue = _threshold(an_issue(level=2), "response.1", "75%", MONDAY + 1.5 * HOUR)
    issue = _threshold(issue, "response.1", "100%", MONDAY + 2 * HOUR)
    assert issue.level == 2
    assert [note.note for note in issue.steps][-2:] == ["75%", "100%"]


@pytest.mark.parametrize(
    ("stage", "promise", "threshold"),
    [
        ("assigned", "response.1", "100%"),  # not the next one
        ("assigned", "response.2", "75%"),  # of another generation
        ("in_progress", "response.1", "75%"),  # ended
        ("waiting", "resolution.1", "75%"),  # standing still
        ("resolved", "resolution.1", "75%"),  # ended
    ],
)
def test_a_threshold_that_nothing_waits_for_any_more_is_refused(
    stage: str, promise: str, threshold: str
) -> None:
    with pytest.raises(Refused, match=f"{promise} of .* no longer waits") as refused:
        _threshold(an_issue(Stage(stage)), promise, threshold, MONDAY + 9 * DAY)
    assert refused.value.type == "NotAllowed"


def test_a_threshold_told_twice_is_refused_the_second_time() -> None:
    issue = _threshold(an_issue(), "response.1", "75%", MONDAY + 1.5 * HOUR)
    with pytest.raises(Refused):
        _threshold(issue, "response.1", "75%", MONDAY + 1.5 * HOUR)


def test_escalating_by_hand_climbs_to_the_gm_office_and_no_further() -> None:
    issue = an_issue()
    for level, audience in enumerate((Audience.LEAD, Audience.MANAGER, Audience.GM_OFFICE), 1):
        step = decided(issue, ActionName.ESCALATE, actor(Role.AGENT), issue.last_at)
        assert step.tell == (NotificationRequest(template="escalated", to=audience),)
        issue = Desk().record(step, issue).applied_to(issue)
        assert (issue.level, issue.stage) == (level, Stage.ASSIGNED)
    with pytest.raises(Refused, match="no level above") as refused:
        Desk().do(issue, ActionName.ESCALATE, actor(Role.AGENT))
    assert refused.value.type == "NotAllowed"


# --- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.CLOSED])
@pytest.mark.parametrize(
    ("name", "by", "outcome"),
    [
        (ActionName.WITHDRAW, actor(Role.AGENT), Outcome.WITHDRAWN),
        (ActionName.CANCEL, DESK, Outcome.CANCELLED),
    ],
)
def test_who_gives_an_issue_up_gives_its_running_promises_up(
    stage: Stage, name: ActionName, by: Actor, outcome: Outcome
) -> None:
    before, now = an_issue(stage), MONDAY + 3 * DAY
    issue = Desk().do(before, name, by, now)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, outcome)
    for was, ended in zip(before.promises, issue.promises, strict=True):
        assert ended == (was.give_up(now) if was.running else was)
        assert not ended.running


@pytest.mark.parametrize("name", [ActionName.WITHDRAW, ActionName.CANCEL])
def test_a_promise_broken_before_the_issue_was_given_up_stays_broken(name: ActionName) -> None:
    issue = an_issue()
    for mark, hours in (("75%", 1.5), ("100%", 2)):
        issue = _threshold(issue, "response.1", mark, MONDAY + hours * HOUR)
    assert issue.sla_state is SlaState.OVERDUE
    issue = Desk().do(issue, name, actor(Role.LEAD) if name is ActionName.WITHDRAW else DESK)
    assert ends(issue) == {"response.1": "broken.", "resolution.1": "withdrawn."}
    assert issue.sla_state is SlaState.MISSED


@pytest.mark.parametrize(
    ("stage", "standing"),
    [(Stage.ASSIGNED, SlaState.BROKEN_OFF), (Stage.CALLBACK, SlaState.MET)],
)
def test_r6_an_issue_ended_in_temporal_before_its_customer_had_an_answer_has_not_met_anything(
    stage: Stage, standing: SlaState
) -> None:
    assert Desk().do(an_issue(stage), ActionName.CANCEL, DESK).sla_state is standing


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.CLOSED])
def test_r6_whoever_asks_to_cancel_an_issue_in_temporal_leaves_it_and_its_promises_as_they_are(
    stage: Stage,
) -> None:
    before = an_issue(stage)
    after = Desk().do(before, ActionName.CANCELLATION_ASKED, DESK)
    same = {"stage", "outcome", "promises", "engineer", "answered"}
    assert after.model_dump(include=same) == before.model_dump(include=same)


def test_what_could_not_be_delivered_is_handed_over_without_changing_how_the_issue_ended() -> None:
    before = an_issue(Stage.CLOSED)
    step = decided(before, ActionName.HAND_OVER, DESK, MONDAY + 9 * DAY, messages=("a", "b"))
    assert step.hand_over == ("a", "b")
    issue = Desk().record(step, before).applied_to(before)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert issue.engineer == before.engineer


# --- what the issue remembers --------------------------------------------------------------------


def test_the_last_eight_steps_are_kept_with_the_word_that_matters() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    for n in range(10):
        issue = Desk().do(
            issue, ActionName.REPORT_PROGRESS, actor(Role.ENGINEER), note=f"{n} " + "x" * 200
        )
    assert [note.note[0] for note in issue.steps] == list("23456789")
    assert {len(note.note) for note in issue.steps} == {120}
    assert issue.seq == 12


def test_two_hundred_causes_are_remembered_and_the_oldest_forgotten() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    for n in range(201):
        act = an_act(ActionName.REPORT_PROGRESS, actor(Role.ENGINEER))
        step = decide(issue, ActionName.REPORT_PROGRESS, act, MONDAY + DAY, f"update-{n}")
        issue = Desk().record(step, issue).applied_to(issue)
    assert len(issue.seen) == 200
    assert (issue.seen[0], issue.seen[-1]) == ("update-1", "update-200")
