"""R6, proved over all paths: no issue is closed whose customer was not answered, and none is
forgotten. Whatever anybody does to an issue of any kind, the laws of ``lives`` hold after every
step, and from wherever it stands people can bring it to an end. Whole workflows are led at random
elsewhere; here it takes no server, and no time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, ActionName
from domain.issue.common import PRE_WORK_STAGES, REMEDIES
from domain.issue.lifecycle import allowed
from domain.issue.state import Person
from domain.sla.promise import CALLS, OVERSIGHT, PromiseKind
from domain.terms import KINDS
from domain.vocabulary import Actor, Consent, Role, Severity, Stage
from tests.support.builders import COLLEAGUE, DAY, ENGINEER, HOUR, MINUTE, Desk, actor, an_intake
from tests.support.clock_lives import BY_THE_DESK, ENTITLED, SAID, Life, Move
from tests.support.profiles import is_quick, share

GIVING_UP = {ActionName.WITHDRAW, ActionName.CANCEL, ActionName.MERGED}
ACTS = sorted(set(ACTIONS) - GIVING_UP - (BY_THE_DESK - {ActionName.ASSIGN}))
IDLE = {
    *(ActionName.ESCALATE, ActionName.REPORT_PROGRESS, ActionName.REPLAN, ActionName.HAND_OVER),
    *(ActionName.COMPLAINT_RAISED, ActionName.ASSIGN),
    *(ActionName.CANCELLATION_ASKED, ActionName.REPAIR, ActionName.ADD_NOTE, ActionName.AMEND),
    *(ActionName.LINK, ActionName.MERGE, ActionName.ABSORB),
}
"""What leaves an issue where it is."""
WHO = [
    *(actor(role) for role in Role),
    actor(Role.ENGINEER, COLLEAGUE.id),
    actor(Role.ENGINEER, "e03"),
]


NEW = {ActionName.EVALUATE: [{"person": "never-asked"}]}
"""What nobody has said before."""


class LifeOfAnIssue(RuleBasedStateMachine):
    """One issue, anybody doing anything at any time; the roster has somebody or has not."""

    life: Life

    @initialize(
        kind=st.sampled_from([*KINDS, "complaint", "paid_service", "paid_service"]),
        severity=st.sampled_from(Severity),
        category=st.sampled_from(["technical", "out_of_scope"]),
        tried_first=st.booleans(),
        beyond_one=st.booleans(),
        needs_approval=st.booleans(),
        heard=st.sets(st.sampled_from([PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST])),
        some=st.sets(st.sampled_from(PromiseKind)),
        whole=st.booleans(),
        on_duty=st.booleans(),
        consent=st.sampled_from([None, *Consent]),
    )
    def opened(
        self,
        *,
        kind: str,
        severity: Severity,
        category: str,
        tried_first: bool,
        beyond_one: bool,
        needs_approval: bool,
        heard: set[PromiseKind],
        some: set[PromiseKind],
        whole: bool,
        on_duty: bool,
        consent: Consent | None,
    ) -> None:
        """A policy promises everything or only some; the stations come together or not at all."""
        also = set(PromiseKind) if whole else some - set(PRE_WORK_STAGES)
        desk = Desk(
            ENGINEER if on_duty else None,
            callbacks=PromiseKind.CALLBACK in heard,
            trials=PromiseKind.CUSTOMER_TEST in heard,
            also=frozenset(also - {PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST}),
            needs_approval=needs_approval,
        )
        intake = an_intake(kind=kind, severity=severity, category=category)
        first: dict[str, Any] = {
            "answering": tried_first,
            "complex": beyond_one,
            "agitated": beyond_one,
        }
        first["consent"] = consent
        self.life = Life(desk, intake.model_copy(update=first))

    @rule(
        span=st.sampled_from([MINUTE, HOUR, 16 * HOUR, 2 * DAY, 6 * DAY]), desk_is_up=st.booleans()
    )
    def time_passes(self, span: timedelta, *, desk_is_up: bool) -> None:
        until = self.life.now + span
        while desk_is_up and (wake := self.life.next_wake()) and wake[0] <= until:
            self.life.the_next_clock_rings()
        self.life.now = max(self.life.now, until)

    @precondition(lambda self: self.life.next_wake())
    @rule()
    def the_next_clock_rings(self) -> None:
        self.life.the_next_clock_rings()

    @rule(engineer=st.sampled_from([None, ENGINEER, COLLEAGUE]))
    def the_shift_changes(self, engineer: Person | None) -> None:
        self.life.desk = replace(self.life.desk, engineer=engineer)

    @rule(name=st.sampled_from(ACTS), by=st.sampled_from(WHO), data=st.data())
    def anybody_does_anything(self, name: ActionName, by: Actor, data: st.DataObject) -> None:
        self._do(name, by, data)

    @precondition(lambda self: not self.life.issue.closed)
    @rule(data=st.data())
    def somebody_entitled_brings_it_on(self, data: st.DataObject) -> None:
        stage = self.life.issue.stage
        possible = [
            name for name in ACTS if stage in ACTIONS[name].rule.stages and name not in IDLE
        ]
        name = data.draw(st.sampled_from(possible))
        self._do(name, ENTITLED[name], data)

    @precondition(lambda self: not self.life.issue.over)
    @rule(by=st.sampled_from(WHO))
    def somebody_is_offered_exactly_what_they_would_not_be_refused(self, by: Actor) -> None:
        offered = allowed(self.life.issue, by)
        taken = tuple(
            name
            for name in PUBLIC_ACTIONS
            if any(self.life.would(name, by, **said) for said in (*SAID[name], *NEW.get(name, ())))
        )
        assert offered == taken
        assert set(offered) - {ActionName.REPLAN} <= set(allowed(self.life.issue))

    @precondition(lambda self: not self.life.issue.closed)
    @rule()
    def the_work_goes_on(self) -> None:
        self.life.goes_on()

    @rule(by=st.sampled_from(WHO), ago=st.sampled_from([-HOUR, 0 * HOUR, HOUR]))
    def somebody_reports_a_deed(self, by: Actor, ago: timedelta) -> None:
        self.life.try_to(ActionName.RESOLVE, by, at=self.life.now - ago)

    @precondition(lambda self: self.life.under_way)
    @rule()
    def the_reply_arrives(self) -> None:
        self.life.the_reply_arrives()

    @precondition(lambda self: self.life.issue.seq > 12)
    @rule(name=st.sampled_from(sorted(GIVING_UP)), by=st.sampled_from(WHO))
    def somebody_gives_it_up(self, name: ActionName, by: Actor) -> None:
        self.life.try_to(name, by)

    def _do(self, name: ActionName, by: Actor, data: st.DataObject) -> None:
        said: dict[str, Any] = data.draw(st.sampled_from(SAID[name]))
        self.life.try_to(name, by, **said)

    @invariant()
    def the_laws_hold(self) -> None:
        self.life.check()

    def teardown(self) -> None:
        """Wherever it stands: willing people bring it to an end, and time to its very end."""
        if not hasattr(self, "life"):
            return
        for _ in range(14):
            if not self.life.issue.closed:
                self.life.goes_on()
                self.life.check()
        assert self.life.issue.closed
        if self.life.issue.promise(PromiseKind.FEEDBACK):
            self.life.must(ActionName.RESUME, actor(Role.AGENT))
        while self.life.next_wake():
            self.life.the_next_clock_rings()
            self.life.check()
        assert self.life.issue.over


TestTheLawsOfAnIssuesLife = LifeOfAnIssue.TestCase
TestTheLawsOfAnIssuesLife.settings = settings(
    max_examples=share(1.5), stateful_step_count=50, derandomize=True
)


# --- every path there is --------------------------------------------------------------------------

PASSED_OVER = IDLE - {ActionName.ASSIGN}


class Place(NamedTuple):
    """All of a life that decides what can happen next. Two lives in one place go on alike."""

    issue: tuple[Any, ...]
    engineer: bool
    promises: frozenset[tuple[Any, ...]]
    under_way: int
    somebody_on_duty: bool


def place(life: Life) -> Place:
    issue, now = life.issue, life.now
    return Place(
        issue=(
            *(issue.stage, issue.outcome, issue.generation, issue.severity, issue.ends_as),
            *(issue.answered, issue.first_contact, issue.needs_approval, issue.panel_sits),
            *(issue.rated == issue.generation, bool(issue.evaluated), bool(issue.quotations)),
            issue.assign_again_at is not None,
            *(issue.called_in_vain, issue.kept_back),
            issue.remedy and (issue.remedy.undecided, issue.remedy.owed),
        ),
        engineer=issue.engineer is not None,
        promises=frozenset(
            (p.kind, p.paused_at is None, p.end, p.attempt < p.attempts, p.due_at <= now)
            for p in issue.running
        ),
        under_way=life.under_way,
        somebody_on_duty=life.desk.engineer is not None,
    )


def steps(life: Life) -> Iterator[tuple[Move | None, Life]]:
    """Lead the life on in every way there is; None: by a change of the shift, or a desk that was
    away while its clocks ran out.
    """
    passed_over = PASSED_OVER if PANEL in life.desk.also else {*PASSED_OVER, ActionName.CONSULT}
    passed_over = passed_over if life.desk.also >= REMEDIES else {*passed_over, *OF_REMEDIES}
    for move in life.moves():
        if move.name not in passed_over:
            after = life.again()
            # What is refused leaves it where it was.
            if after.make(move) or after.now != life.now:
                yield move, after
    shift, away = life.again(), life.again()
    shift.desk = replace(life.desk, engineer=None if life.desk.engineer else ENGINEER)
    yield None, shift
    away.now = max((p.due_at for p in life.issue.running), default=life.now) + 3 * DAY
    yield None, away


def walked(life: Life, generations: int) -> dict[Place, set[Place]]:
    """Go everywhere, obeying the laws, and say where people alone can lead it to from there; what
    was reopened more often than ``generations`` say is led no further.
    """
    ways: dict[Place, set[Place]] = {place(life): set()}
    ahead = deque([life])
    while ahead:
        here = ahead.popleft()
        for move, there in steps(here):
            there.check()
            if there.issue.generation > generations:
                continue
            to = place(there)
            if to not in ways:
                ways[to] = set()
                ahead.append(there)
            if move and move.name not in {ActionName.THRESHOLD, *GIVING_UP}:
                ways[place(here)].add(to)
    return ways


def lost(ways: Mapping[Place, set[Place]]) -> set[Place]:
    """Name the places from which nobody can lead the issue to an end that answers the customer."""
    ending = {there for there in ways if there.issue[0] is Stage.CLOSED}
    while more := {here for here, to in ways.items() if here not in ending and to & ending}:
        ending |= more
    return set(ways) - ending


PANEL = PromiseKind.PANEL
OF_REMEDIES = {ActionName.PROPOSE_REMEDY, ActionName.DECIDE_REMEDY, ActionName.RECORD_REMEDY}
STATIONED = Desk(callbacks=False, trials=True, also=frozenset(PRE_WORK_STAGES))


class Walk(NamedTuple):
    """What an issue is walked as. It is reopened as often as a repair fails, and what can happen
    next does not depend on that: three that begin their second life in different ways lead it.
    """

    name: str
    desk: Desk
    intake: dict[str, Any]
    lives: int = 1


_FAULT = {"kind": "fault", "answering": True}
WALKS = (
    Walk("fault", Desk(also=frozenset({PANEL, PromiseKind.HAND_OVER})), _FAULT, lives=2),
    Walk("afterwards", Desk(also=OVERSIGHT | {PromiseKind.FEEDBACK}), _FAULT),
    Walk("major", Desk(trials=True), {"kind": "fault", "severity": "major"}),
    Walk("complaint", Desk(also=frozenset(PRE_WORK_STAGES)), {"kind": "complaint"}),
    Walk("calls", Desk(also=CALLS), {"kind": "fault", "severity": "major"}),
    Walk(
        "told",
        Desk(callbacks=False, also=frozenset({PromiseKind.REPLY})),
        {"kind": "suggestion"},
    ),
    Walk(
        "agitated",
        Desk(also=frozenset({PromiseKind.CALMING})),
        {"kind": "complaint", "agitated": True},
    ),
    Walk("remedies", Desk(also=REMEDIES), {"kind": "complaint"}),
    Walk("paid", STATIONED, {"kind": "paid_service"}, lives=2),
    Walk(
        "paid and asked about",
        replace(STATIONED, trials=False, also=STATIONED.also | {PromiseKind.FEEDBACK}),
        {"kind": "paid_service"},
    ),
    Walk(
        "approved",
        replace(STATIONED, needs_approval=True),
        {"kind": "paid_service", "answering": True},
    ),
    Walk(
        "out of scope",
        Desk(callbacks=False, trials=True),
        {"kind": "consultation", "category": "out_of_scope"},
    ),
    Walk("nothing promised", Desk(callbacks=False), {"kind": "suggestion", "answering": True}),
    Walk(
        "kept back",
        Desk(also=frozenset({PromiseKind.HAND_OVER})),
        {"kind": "fault", "consent": "no"},
        lives=2,
    ),
    Walk(
        "complaint kept back",
        Desk(callbacks=False, also=frozenset({PromiseKind.VERIFICATION})),
        {"kind": "complaint", "agitated": True, "consent": "no"},
    ),
    Walk(
        "paid kept back",
        replace(STATIONED, trials=False),
        {"kind": "paid_service", "consent": "no"},
    ),
)


@pytest.mark.parametrize("walk", WALKS, ids=attrgetter("name"))
def test_r6_on_every_path_the_customer_is_answered_before_the_end_and_every_place_has_a_way_to_it(
    walk: Walk,
) -> None:
    begun = Life(walk.desk, an_intake(**walk.intake))
    ways = walked(begun, 1 if is_quick() else walk.lives)
    assert len(ways) > 100
    assert lost(ways) == set()
