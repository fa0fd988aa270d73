"""Planned again (R32): what a notice for 2027 does to promises that were made before it came out.

No such notice exists yet: those in here are invented, each for one test. By the law alone only
Friday 1 January 2027 is off, so that three working days from Tuesday 29 December 2026 end, as far
as can be known, on Monday 4 January. The office is open 09:00-12:00 and 13:30-18:00.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.calendars.national_days import NationalDays, NationalYear
from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.lifecycle import decide
from domain.issue.state import NotificationRequest
from domain.sla.planning import Planner
from domain.sla.promise import DUE, Promise, PromiseEnd, PromiseKind
from domain.sla.replanning import Replanned, Tally, replanned, tally
from domain.sla.rulebook import Rulebook
from domain.vocabulary import DESK, Audience, Role, Stage
from runtime.rulebook import load
from tests.support.builders import Desk, a_promise, actor, an_act, an_issue
from tests.support.calendars import CHINA, DAY, HOUR, MINUTE, at, calendar
from tests.support.rulebooks import facts, planner, policy, promised, rule, solving

RESPONSE = PromiseKind.RESPONSE
RESOLUTION = PromiseKind.RESOLUTION
CALLBACK = PromiseKind.CALLBACK
CUSTOMER_TEST = PromiseKind.CUSTOMER_TEST
OFFICE = calendar(national="CN")
STANDARD = load(Path(__file__).parents[2] / "policies" / "standard.toml")
MADE, NOTICE_READ = at("2026-12-29 10:00"), at("2026-12-30 12:00")


def notice(*, off: tuple[str, ...] = ("2027-01-01",), worked: tuple[str, ...] = ()) -> NationalDays:
    year = NationalYear.model_validate(
        {"notice": "invented for a test", "holidays": off, "makeup_workdays": worked}
    )
    return NationalDays.model_validate({**dict(CHINA), "years": {**CHINA.years, 2027: year}})


def resolution(days: NationalDays, within: str = "3 working days", **fields: Any) -> Rulebook:
    return solving(within, OFFICE, national=days, **fields)


UNKNOWN = resolution(CHINA)
AS_EXPECTED = resolution(notice())
MONDAY_OFF = resolution(notice(off=("2027-01-01", "2027-01-04")))
SATURDAY_WORKED = resolution(notice(worked=("2027-01-02",)))


def again(promise: Promise, rulebook: Rulebook, now: datetime = NOTICE_READ) -> Promise:
    return planner(rulebook).replan(promise, now)


def marks(promise: Promise) -> dict[str, datetime]:
    return {mark.name: mark.at for mark in promise.marks}


# --- the notice comes in time --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rulebook", "due"),
    [
        (AS_EXPECTED, "2027-01-04 18:00"),
        (MONDAY_OFF, "2027-01-05 18:00"),
        (SATURDAY_WORKED, "2027-01-02 18:00"),
    ],
)
def test_a_promise_into_a_year_without_a_notice_becomes_firm_when_it_is_out(
    rulebook: Rulebook, due: str
) -> None:
    promise = promised(UNKNOWN, MADE)
    assert (promise.due_at, promise.provisional) == (at("2027-01-04 18:00"), True)
    firm = again(promise, rulebook)
    assert (firm.due_at, firm.provisional) == (at(due), False)
    assert firm == promised(rulebook, MADE)


def test_a_promise_that_ends_before_the_year_does_is_not_touched() -> None:
    promise = promised(UNKNOWN, at("2026-12-22 10:00"))
    assert again(promise, MONDAY_OFF, at("2026-12-24 12:00")) == promise


def test_what_was_reached_stays_and_what_is_ahead_moves() -> None:
    promise = promised(resolution(CHINA, marks=["10%", "75%", DUE, "+2h"]), MADE).reach()
    moved = again(promise, resolution(notice(worked=("2027-01-02",)), marks=["75%", DUE, "+4h"]))
    assert moved.marks[0] == promise.marks[0]
    assert (moved.reached, moved.end) == (1, PromiseEnd.OPEN)
    assert marks(moved) == {
        "10%": at("2026-12-29 14:24"),
        "75%": at("2027-01-02 09:15"),
        DUE: at("2027-01-02 18:00"),
        "+4h": at("2027-01-04 14:30"),
    }


def test_a_threshold_that_was_reached_is_not_reached_again_where_it_would_come_later_now() -> None:
    promise = promised(UNKNOWN, MADE).reach()
    longer = again(promise, resolution(notice(), "8 working days"), at("2027-01-04 10:00"))
    assert longer.next_threshold
    assert longer.next_threshold.name == DUE
    assert longer.marks[0] == promise.marks[0]


def test_a_callback_is_opened_on_the_day_it_is_planned_for_anew() -> None:
    call = rule("call", promise="callback", within="1 working day", opens="1 working day")
    before, after = (
        Rulebook(policy=policy(call), calendars={"office": OFFICE}, national={"CN": days})
        for days in (CHINA, notice(worked=("2027-01-02",)))
    )
    promise = planner(before).make(CALLBACK, at("2026-12-31 10:00"), attempt=2)
    assert promise
    assert promise.opens_at == at("2027-01-04 09:00")
    moved = again(promise, after)
    assert (moved.opens_at, moved.due_at) == (at("2027-01-02 09:00"), at("2027-01-02 18:00"))
    assert moved.key == promise.key


def test_it_goes_by_the_target_and_the_clock_of_the_new_policy() -> None:
    promise = promised(UNKNOWN, MADE)
    changed = again(promise, resolution(CHINA, "48h", clock="elapsed"))
    assert (changed.target, changed.clock, changed.provisional) == ("48h", "elapsed", False)
    assert changed.due_at == MADE + 2 * DAY
    assert changed.made_at == MADE


# --- the notice comes late -----------------------------------------------------------------------

SUNDAY = at("2027-01-03 12:00")


def test_thresholds_that_come_to_lie_in_the_past_are_skipped_and_never_fire() -> None:
    late = again(promised(UNKNOWN, MADE), SATURDAY_WORKED, SUNDAY)
    assert [(mark.name, mark.skipped) for mark in late.marks] == [
        ("75%", True),
        ("100%", True),
        ("+2h", False),
        ("+1 working day", False),
    ]
    assert late.next_threshold
    assert (late.next_threshold.name, late.next_threshold.at) == ("+2h", at("2027-01-04 11:00"))


def test_what_came_to_be_due_in_the_past_is_overdue_and_called_neither_kept_nor_broken() -> None:
    late = again(promised(UNKNOWN, MADE), SATURDAY_WORKED, SUNDAY)
    assert (late.due_at, late.end) == (at("2027-01-02 18:00"), PromiseEnd.SKIPPED)
    assert late.overdue
    assert not late.at_risk
    assert an_issue(promises=(late,)).sla_state == "overdue"
    assert late.fulfil(SUNDAY + DAY).end is PromiseEnd.SKIPPED
    assert late.reach().fulfil(SUNDAY + DAY).end is PromiseEnd.SKIPPED
    assert late.pause(SUNDAY + DAY).fulfil(SUNDAY + 2 * DAY).end is PromiseEnd.SKIPPED
    assert late.give_up(SUNDAY + DAY).end is PromiseEnd.SKIPPED


def test_a_promise_that_was_skipped_is_left_as_it_is() -> None:
    late = again(promised(UNKNOWN, MADE), SATURDAY_WORKED, SUNDAY)
    assert again(late, MONDAY_OFF, SUNDAY) is late


def test_word_of_an_earlier_pause_takes_back_what_was_skipped_meanwhile() -> None:
    late = again(promised(UNKNOWN, MADE), SATURDAY_WORKED, SUNDAY)
    stopped = at("2026-12-31 10:00")
    resumed = planner(SATURDAY_WORKED).resume(late.pause(stopped), SUNDAY)
    from_the_start = promised(SATURDAY_WORKED, MADE).pause(stopped)
    assert resumed == planner(SATURDAY_WORKED).resume(from_the_start, SUNDAY)


def test_word_of_an_earlier_pause_takes_back_what_was_reached_since_and_nothing_before() -> None:
    reached = promised(UNKNOWN, MADE).reach()  # 75 % on Monday at 09:15
    finer = resolution(notice(), marks=["50%", "75%", DUE])
    late = again(reached, finer, at("2027-01-04 09:30"))
    assert [(mark.name, mark.skipped) for mark in late.marks[:2]] == [("75%", False), ("50%", True)]
    stopped, runs_on = at("2027-01-04 09:00"), at("2027-01-04 10:00")
    resumed = planner(finer).resume(late.pause(stopped), runs_on)
    assert [(mark.name, mark.skipped) for mark in resumed.marks[:1]] == [("50%", True)]
    assert resumed.next_threshold
    assert (resumed.next_threshold.name, resumed.next_threshold.at) == (
        "75%",
        at("2027-01-04 10:15"),
    )


def test_a_threshold_that_had_passed_untold_is_told_although_it_moves_further_back() -> None:
    promise = promised(UNKNOWN, MADE)
    now = at("2027-01-04 09:20")  # 75 % was at 09:15: the alarm is on its way
    late = again(promise, SATURDAY_WORKED, now)
    assert late.next_threshold
    assert (late.next_threshold.name, late.next_threshold.skipped) == ("75%", False)
    assert {mark.name for mark in late.marks if mark.skipped} == {DUE}
    following = late.reach().next_threshold
    assert following
    assert following.name == "+2h"


def test_a_promise_that_is_past_due_already_waits_for_its_own_alarm() -> None:
    promise = promised(UNKNOWN, MADE)
    for rulebook in (SATURDAY_WORKED, MONDAY_OFF):
        assert again(promise, rulebook, promise.due_at + MINUTE) is promise
    assert again(promise, MONDAY_OFF, promise.due_at).due_at > promise.due_at


def test_time_to_try_the_answer_that_is_over_by_the_new_policy_ends_at_once() -> None:
    # R9: silence counts as solved. Skipped, nothing would ever end it.
    tried, shorter = (
        Rulebook(
            policy=policy(rule("try", promise="customer_test", within=within, clock="elapsed")),
            calendars={"office": OFFICE},
            national={"CN": CHINA},
        )
        for within in ("48h", "24h")
    )
    promise = again(promised(tried, MADE, CUSTOMER_TEST), shorter, MADE + 30 * HOUR)
    assert promise.next_threshold
    assert promise.next_threshold.name == DUE
    assert not promise.overdue


# --- what is left --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ended",
    [
        lambda p: p.fulfil(MADE + HOUR),
        lambda p: p.fulfil(p.due_at + HOUR),
        lambda p: p.give_up(MADE + HOUR),
        lambda p: p.reach().reach(),
        lambda p: p.pause(p.due_at + HOUR),
    ],
    ids=["kept", "ended broken", "withdrawn", "broken", "paused broken"],
)
def test_what_is_kept_or_broken_or_withdrawn_is_left_as_it_is(ended: Any) -> None:
    promise = ended(promised(UNKNOWN, MADE))
    assert again(promise, MONDAY_OFF, promise.due_at + DAY) is promise


def test_what_the_new_policy_no_longer_promises_is_left_as_it_was_promised() -> None:
    nothing = Rulebook(
        policy=policy(rule("answer")), calendars={"office": OFFICE}, national={"CN": CHINA}
    )
    promise = promised(UNKNOWN, MADE)
    assert again(promise, nothing) is promise


moments = st.integers(0, 20 * 24 * 4).map(lambda n: at("2026-12-21 00:00") + n * 15 * MINUTE)
policies = st.builds(
    resolution,
    st.sampled_from([CHINA, notice(), notice(off=("2027-01-04",)), notice(worked=("2027-01-02",))]),
    st.sampled_from(["10h", "3 working days", "5 working days"]),
)


@given(st.tuples(moments, moments, moments, moments).map(sorted), policies, policies)
def test_planned_again_while_it_stands_still_it_runs_on_as_if_planned_so_from_the_start(
    moment: list[datetime], old: Rulebook, new: Rulebook
) -> None:
    made, paused, now, runs_on = moment
    before, from_the_start = promised(old, made), promised(new, made)
    assume(paused <= min(before.due_at, from_the_start.due_at))
    moved = planner(new).resume(again(before.pause(paused), new, now), runs_on)
    so_from_the_start = planner(new).resume(from_the_start.pause(paused), runs_on)
    for field in ("due_at", "provisional", "stops", "pauses", "end", "target"):
        assert getattr(moved, field) == getattr(so_from_the_start, field)
    assert marks(moved) == marks(so_from_the_start)


@given(moments, moments, moments)
def test_what_it_consumed_before_it_stopped_is_counted_by_the_calendar_it_goes_by_now(
    a: datetime, b: datetime, c: datetime
) -> None:
    made, paused, now = sorted((a, b, c))
    long = resolution(CHINA, "40 working days"), resolution(MONDAY_OFF.national["CN"], "40h")
    measured = [planner(book).measured(promised(book, made).pause(paused)) for book in long]
    moved = planner(long[1]).measured(again(measured[0], long[1], now))
    assume(moved.target == "40h")
    assert moved.consumed == measured[1].consumed


@given(
    st.sampled_from(list(PromiseKind)),
    st.lists(st.tuples(st.sampled_from(["ring", "pause", "resume"]), st.integers(0, 60))),
)
def test_planned_again_by_the_same_rulebook_nothing_changes_whatever_happened(
    kind: PromiseKind, history: list[tuple[str, int]]
) -> None:
    plan, now = Planner(STANDARD, facts(), "desk"), MADE
    promise = plan.make(kind, now)
    assume(promise)
    assert promise
    for deed, hours in history:
        now += hours * HOUR
        if deed == "ring" and (mark := promise.next_threshold) and mark.at <= now:
            promise = promise.reach()
        elif deed == "pause" and promise.paused_at is None:
            promise = plan.measured(promise.pause(now))
        elif deed == "resume":
            promise = plan.resume(promise, now)
        assert plan.replan(promise, now) == promise


# --- an issue's promises, and counted ------------------------------------------------------------


def test_of_an_issues_promises_only_those_that_come_out_otherwise_are_named() -> None:
    moved, same = promised(UNKNOWN, MADE), promised(UNKNOWN, at("2026-12-22 10:00"))
    left = promised(UNKNOWN, MADE).reach().reach()
    pairs = replanned(MONDAY_OFF, facts(), "office", (same, moved, left), NOTICE_READ)
    assert pairs == (Replanned(moved, again(moved, MONDAY_OFF)),)
    assert replanned(UNKNOWN, facts(), "office", (same, moved, left), NOTICE_READ) == ()


def test_a_tally_says_how_many_moved_which_way_and_which_became_firm_or_were_skipped() -> None:
    promise = promised(UNKNOWN, MADE)
    outcomes = {
        "as expected": again(promise, AS_EXPECTED),
        "later": again(promise, MONDAY_OFF),
        "earlier": again(promise, SATURDAY_WORKED),
        "skipped": again(promise, SATURDAY_WORKED, SUNDAY),
        "not known yet": again(promise, resolution(CHINA, "5 working days")),
    }
    counted = {name: tally([Replanned(promise, after)]) for name, after in outcomes.items()}
    assert counted == {
        "as expected": Tally(issues=1, changed=1, firm=1),
        "later": Tally(issues=1, changed=1, later=1, firm=1),
        "earlier": Tally(issues=1, changed=1, earlier=1, firm=1),
        "skipped": Tally(issues=1, changed=1, earlier=1, firm=1, skipped=1),
        "not known yet": Tally(issues=1, changed=1, later=1, provisional=1),
    }
    together = tally(Replanned(promise, after) for after in outcomes.values())
    assert together == sum(counted.values(), Tally()).model_copy(update={"issues": 1})
    assert tally(()) == Tally()


def test_a_promise_that_was_firm_before_has_not_become_so() -> None:
    firm = promised(UNKNOWN, at("2026-12-21 10:00"))
    moved = again(firm, resolution(CHINA, "4 working days"), at("2026-12-21 11:00"))
    assert tally([Replanned(firm, moved)]) == Tally(issues=1, changed=1, later=1)


# --- the action ----------------------------------------------------------------------------------


def test_only_promises_still_open_are_planned_again() -> None:
    open_, paused = a_promise(), a_promise(RESPONSE).pause(MADE)
    broken = a_promise(CALLBACK).reach().reach()
    kept, skipped = a_promise().fulfil(MADE), a_promise(end=PromiseEnd.SKIPPED)
    paused = a_promise(RESPONSE, paused_at=MADE)
    issue = an_issue(promises=(open_, paused, broken, kept, skipped))
    step = decide(issue, ActionName.REPLAN, an_act(ActionName.REPLAN, DESK), issue.last_at)
    assert step.promises == (open_, paused)
    assert (step.replan, step.resume, step.make) == ("0123456789ab", False, ())
    assert (step.stage, step.level, step.assignment) == (issue.stage, issue.level, None)


def test_the_customer_hears_of_a_later_instant_and_the_handler_of_any_other() -> None:
    issue = an_issue()
    step = decide(issue, ActionName.REPLAN, an_act(ActionName.REPLAN, DESK), issue.last_at)
    assert step.tell == (
        NotificationRequest(template="replanned", to=Audience.CUSTOMER, when="later"),
        NotificationRequest(template="replanned_staff", to=Audience.HANDLER, when="moved"),
    )


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.CLOSED])
def test_an_open_issue_can_be_planned_again_in_every_stage_and_stays_in_it(stage: Stage) -> None:
    issue = an_issue(stage)
    assert Desk().do(issue, ActionName.REPLAN, DESK).stage is stage


def test_a_closed_issue_is_not_planned_again_and_nobody_but_the_desk_does_it() -> None:
    with pytest.raises(Refused, match="replan is not possible while"):
        Desk().do(an_issue(Stage.CLOSED), ActionName.REPLAN, DESK)
    with pytest.raises(Refused, match="replan is for system"):
        Desk().do(an_issue(), ActionName.REPLAN, actor(Role.GM_OFFICE))


def test_planning_again_is_no_deed_so_an_earlier_deed_can_still_be_reported() -> None:
    issue = an_issue()
    later = Desk().do(issue, ActionName.REPLAN, DESK, issue.last_at + timedelta(hours=3))
    assert later.last_at == issue.last_at
