"""Lives of issues, to be led at random or one by one: what anybody can do to one, an account of its
own of what the customer was told, and the laws that hold after every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple

from domain.errors import Refused
from domain.issue.actions import ACTIONS, ActionName
from domain.issue.common import DONE, PRE_WORK_STAGES, REMEDIES, TO_BE_HEARD, UNASSIGNED
from domain.issue.forms import ComplaintForm, ConsultationRecord, Form
from domain.issue.intake import Intake
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.issue.step import Recorded, Step
from domain.sla.promise import OVERSIGHT, Promise, PromiseEnd, PromiseKind
from domain.vocabulary import DESK, Actor, Consent, Means, Outcome, Role, Stage, Verdict
from tests.support.builders import COLLEAGUE, LEAD, Desk, actor, an_act

BROKEN_OFF = {Outcome.WITHDRAWN, Outcome.CANCELLED, Outcome.TERMINATED, Outcome.MERGED}
"""How an issue may end although its customer was never answered: they, or an operator, gave up."""
STANDS_STILL = {PromiseKind.RESOLUTION, PromiseKind.VERIFICATION, PromiseKind.SURVEY}
BY_THE_DESK = {ActionName.THRESHOLD, ActionName.REPLIED, ActionName.ASSIGN}
"""What nobody does at will: a clock rings, or a message arrives."""
ENTITLED: dict[ActionName, Actor] = {
    **dict.fromkeys(ACTIONS, actor(Role.LEAD)),
    **dict.fromkeys((ActionName.APPROVE, ActionName.RATE_DIFFICULTY), actor(Role.MANAGER)),
    ActionName.DECIDE_REMEDY: actor(Role.MANAGER),
    **{name: DESK for name, each in ACTIONS.items() if each.rule.roles == {Role.SYSTEM}},
}


def _either(**said: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dict(zip(said, values, strict=True)) for values in product(*said.values())]


_BOTH = (True, False)
_AS_USUAL: dict[ActionName, list[dict[str, Any]]] = {name: [{}] for name in ACTIONS}
SAID = _AS_USUAL | {
    ActionName.ANSWER: _either(on_the_line=_BOTH, test=_BOTH),
    ActionName.REPORT_TEST: _either(worked=_BOTH),
    ActionName.VERIFY: _either(verdict=tuple(Verdict)),
    ActionName.CONSULT: [{"question": "why?"}, {"question": "", "advice": "humidity"}],
    ActionName.TRANSFER: _either(to=("field", "software"), consent=(None, "yes")),
    ActionName.REASSIGN: [
        *_either(to=(None, COLLEAGUE.id, LEAD.id)),
        *_either(consent=("yes", "no", "not_asked")),
    ],
    ActionName.CONFIRM: _either(agreed=_BOTH),
    ActionName.APPROVE: [{"approved": True}, {"approved": False, "reason": "no"}],
    ActionName.DECIDE_REMEDY: [{"approved": True}, {"approved": False, "reason": "no"}],
    ActionName.RECORD_REMEDY: [{}, {"accepted": False, "receipt": "", "words": "keep it"}],
    ActionName.RECORD_CALLBACK: [
        {"reached": False, "running": None, "satisfied": None},
        {"reached": True, "running": True},
        {"reached": True, "running": False, "satisfied": False},
        {"reached": True, "running": True, "conflict": True, "words": "I waited all day"},
        {"reached": True, "running": False, "conflict": True, "words": "for the third time"},
    ],
    ActionName.CONTACT_CUSTOMER: [{}, {"reached": False, "told": ""}],
    ActionName.MERGED: [{}, {"survivor": None, "reason": "it is closed by now"}],
    ActionName.ADD_NOTE: _either(for_customer=_BOTH),
    ActionName.AMEND: _either(phone=("+8613900000002", "+8613900000003")),
    ActionName.EVALUATE: _either(item=("project", "after_sales"), person=(None, "p2")),
    ActionName.COMPLAINT_RAISED: [{}, {"number": None, "reason": "no such region"}],
    ActionName.CUSTOMER_WROTE: [
        *_either(means=(Means.WORDS, Means.MORE_TIME, Means.NOT_SOLVED)),
        {"means": Means.NOT_SOLVED, "known": False},
    ],
}
"""What can be said with each action, as far as it makes a difference."""


ASSIGNMENT = "assignment"


class Move(NamedTuple):
    """Something that can happen to an issue: an act, a clock that rings, a reply that arrives."""

    name: ActionName
    said: dict[str, Any] = {}  # noqa: RUF012  never written to


class Life:
    """One issue. ``answered`` is our own account of what its customer was told, and ``under_way``
    the generation whose reply is being delivered, if one is.
    """

    def __init__(self, desk: Desk, intake: Intake) -> None:
        self.desk = desk
        self.now = intake.reported_at
        self.answered = False
        self.under_way = 0
        self.reopened = 0
        self.recorded = 0
        self.refused = intake.consent is Consent.NO
        self.forms: dict[str, dict[str, Any]] = {}
        self.rung: frozenset[tuple[str, str, int]] = frozenset()
        recorded = desk.record(register(intake, self.now))
        self.issue = registered(intake, recorded)
        self._note(recorded.step, recorded.promises)

    def again(self) -> Life:
        """Return a copy that lives on by itself."""
        other = copy(self)
        other.forms = dict(self.forms)
        return other

    # What can happen ------------------------------------------------------------------------------

    def moves(self) -> Iterator[Move]:
        """List what can happen next, if whoever may do it does."""
        for name, each in ACTIONS.items():
            if self.issue.stage in each.rule.stages and name not in BY_THE_DESK:
                yield from (Move(name, said) for said in SAID[name])
        if wake := self.next_wake():
            yield Move(ActionName.ASSIGN if wake[1] == ASSIGNMENT else ActionName.THRESHOLD)
        if self.under_way:
            yield Move(ActionName.REPLIED)

    def make(self, move: Move) -> bool:
        """Let it happen; a call is made when it is time. False: it was refused."""
        if move.name is ActionName.REPLIED:
            self.the_reply_arrives()
        elif move.name in BY_THE_DESK:
            self.the_next_clock_rings()
        else:
            self.now = self._when(move.name)
            return self.try_to(move.name, ENTITLED[move.name], **move.said)
        return True

    def _when(self, name: ActionName) -> datetime:
        """A call is made when it is time for it."""
        call = self.issue.promise(PromiseKind.CALLBACK)
        opens_at = call.opens_at if call and name is ActionName.RECORD_CALLBACK else None
        return max(self.now, opens_at) if opens_at else self.now

    def would(self, name: ActionName, by: Actor, **said: Any) -> bool:
        """Say whether it would be allowed, when it is time for it."""
        try:
            decide(self.issue, name, an_act(name, by, **said), self._when(name))
        except Refused:
            return False
        return True

    def next_wake(self) -> tuple[datetime, str] | None:
        """Which clock rings next and when, as the workflow sets its timers."""
        wakes = [(p.next_threshold.at, p.key) for p in self.issue.running if p.next_threshold]
        in_hand = self.issue.stage in ACTIONS[ActionName.ASSIGN].rule.stages
        if in_hand and self.issue.assign_again_at:
            wakes.append((self.issue.assign_again_at, ASSIGNMENT))
        return min(wakes, default=None)

    def the_next_clock_rings(self) -> None:
        """What a clock brings about is never refused: nothing would ring for it again."""
        wake = self.next_wake()
        assert wake
        self.now = max(self.now, wake[0])
        if wake[1] == ASSIGNMENT:
            self.must(ActionName.ASSIGN)
            return
        promise = next(p for p in self.issue.running if p.key == wake[1])
        assert promise.next_threshold
        alarm = (promise.key, promise.next_threshold.name, promise.pauses)
        assert alarm not in self.rung, "no alarm twice"
        self.rung |= {alarm}
        self.must(ActionName.THRESHOLD, promise=promise.key, threshold=promise.next_threshold.name)

    def the_reply_arrives(self) -> None:
        """An answer that came to nothing meanwhile is none any more, as the workflow has it."""
        reply, self.under_way = self.under_way, 0
        if (
            reply == self.issue.generation
            and self.issue.stage in ACTIONS[ActionName.REPLIED].rule.stages
        ):
            self.must(ActionName.REPLIED)

    def must(self, name: ActionName, by: Actor = DESK, **said: Any) -> None:
        """Do what may not be refused."""
        assert self.try_to(name, by, **said), f"{name} was refused"

    def try_to(self, name: ActionName, by: Actor, **said: Any) -> bool:
        """Do it if it is allowed, and say whether it was; what was refused changed nothing."""
        before = self.issue
        try:
            step = decide(before, name, an_act(name, by, **said), self.now)
        except Refused:
            return False
        recorded = self.desk.record(step, before)
        self._check_new_promises(recorded)
        self.issue = recorded.applied_to(before)
        self._silence_means_nothing_of_who_wrote(before, name)
        self._note(step, recorded.promises)
        assert self.issue.last_at >= before.last_at
        assert self.issue.level >= before.level
        return True

    def goes_on(self) -> None:
        """Do what willing people would do next to bring it to a good end."""
        issue = self.issue
        if issue.remedy and issue.remedy.undecided:
            self.must(ActionName.DECIDE_REMEDY, actor(Role.GM_OFFICE))
        elif issue.remedy and issue.remedy.owed:
            self.must(ActionName.RECORD_REMEDY, actor(Role.LEAD))
        elif issue.promise(PromiseKind.REPLY):
            self.must(ActionName.CONTACT_CUSTOMER, actor(Role.AGENT))
        elif issue.stage is Stage.RESOLVED or self._is_only_confirmed():
            assert self.under_way == issue.generation, "nobody brings the result to the customer"
            self.the_reply_arrives()
        elif self.refused and issue.stage in UNASSIGNED:
            self.must(ActionName.ANSWER, actor(Role.AGENT))
        elif issue.stage not in _GOOD_WAY:
            call = issue.promise(PromiseKind.CALLBACK)
            said = {"worked": True} if call is None else SAID[ActionName.RECORD_CALLBACK][1]
            name = ActionName.RECORD_CALLBACK if call else ActionName.REPORT_TEST
            self.now = max(self.now, call.opens_at) if call and call.opens_at else self.now
            self.must(name, actor(Role.CLERK), **said)
        else:
            name, role = _GOOD_WAY[issue.stage]
            self.must(name, actor(role))

    def _is_only_confirmed(self) -> bool:
        """What the customer was told by telephone goes to them in writing, and nothing follows."""
        heard = any(self.issue.promise(kind) for kind in TO_BE_HEARD)
        return self.issue.stage is Stage.REPLIED and not heard

    # The account ----------------------------------------------------------------------------------

    def _check_new_promises(self, recorded: Recorded) -> None:
        step = recorded.step
        changed = {p.key for p in step.promises} if step.resume else set()
        made = [p for p in recorded.promises if p.key not in changed]
        known = {p.key for p in self.issue.promises}
        assert not known & {p.key for p in made}, "one key, one promise"
        assert {p.generation for p in made} <= {step.generation}

    def _silence_means_nothing_of_who_wrote(self, before: Issue, name: ActionName) -> None:
        """R9, R17: what nobody has seen to keeps an issue where it is, whatever clock rings."""
        if name is ActionName.THRESHOLD and before.promise(PromiseKind.FEEDBACK):
            assert (self.issue.stage, self.issue.closed) == (before.stage, before.closed)

    def _note(self, step: Step, made: Sequence[Promise]) -> None:
        """Keep our own account, from what was said and not from what the desk makes of it."""
        self.recorded += 1
        by_call = PromiseKind.REPLY in {promise.kind for promise in made}
        self.under_way = step.generation if step.replies and not by_call else self.under_way
        said = step.content
        self.refused = said["consent"] == Consent.NO if "consent" in said else self.refused
        match step.action:
            case ActionName.REPLIED:
                self.answered = True
            case ActionName.ANSWER if said["on_the_line"]:
                self.answered = True
            case ActionName.CONTACT_CUSTOMER if said["reached"] and step.stage is Stage.REPLIED:
                self.answered = True
            case ActionName.REPORT_TEST:
                self.answered = said["worked"]
                self.reopened += not said["worked"]
            case ActionName.RECORD_CALLBACK if said["reached"]:
                self.answered = said["running"]
                self.reopened += not said["running"]
            case ActionName.CUSTOMER_WROTE if step.stage_before in DONE:
                opened = said["known"] and step.stage not in DONE
                assert not opened or said["means"] == Means.NOT_SOLVED
                self.answered = self.answered and not opened
                self.reopened += opened
        for form in step.forms:
            entry = _entry(form)
            self.forms[entry] = self.forms.get(entry, {}) | form.model_dump(exclude_none=True)

    def _form(self, form: type[Form], generation: int | None = None) -> dict[str, Any]:
        name = form.model_fields["form"].default
        return self.forms.get(f"{name}:{generation}" if generation else f"{name}:", {})

    # The laws -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Fail if a law is broken; after every step."""
        self.nothing_closes_unanswered()
        self.nothing_is_forgotten()
        self.the_sequence_has_no_gap()
        self.the_generation_counts_the_reopenings()
        self.an_outcome_is_what_a_closed_issue_has()
        self.at_most_one_clock_of_a_kind_runs_and_only_of_this_generation()
        self.only_what_is_closed_waits_to_be_scored_and_rated()
        self.a_promise_ends_with_a_verdict()
        self.only_a_waiting_issue_has_clocks_that_stand_still()
        self.an_issue_is_at_a_station_while_its_promise_runs()
        self.an_open_issue_runs_the_clocks_of_its_stage()
        self.an_assigned_issue_is_with_somebody_and_an_unassigned_one_with_nobody()
        self.what_its_customer_leaves_to_the_hotline_is_with_nobody_else()
        self.the_forms_of_a_closed_issue_are_complete()

    def nothing_closes_unanswered(self) -> None:
        """R6."""
        assert self.answered or not self.issue.closed or self.issue.outcome in BROKEN_OFF
        assert self.issue.answered == self.answered

    def nothing_is_forgotten(self) -> None:
        """Some clock will ring, or has rung to the last; or a reply is under way; or it is the
        customer's turn, which only their handler remembers.
        """
        if self.issue.closed or self.issue.stage is Stage.WAITING:
            return
        late = any(p.overdue for p in self.issue.running)
        assert self.next_wake() or late or self.under_way == self.issue.generation

    def the_sequence_has_no_gap(self) -> None:
        assert self.issue.seq == self.recorded

    def the_generation_counts_the_reopenings(self) -> None:
        assert self.issue.generation == self.reopened + 1

    def an_outcome_is_what_a_closed_issue_has(self) -> None:
        assert self.issue.closed == (self.issue.outcome is not None)

    def at_most_one_clock_of_a_kind_runs_and_only_of_this_generation(self) -> None:
        running = self.issue.running
        assert len({p.kind for p in running}) == len(running)
        generations = {p.generation for p in running if p.kind not in REMEDIES}
        assert generations <= {self.issue.generation}

    def only_what_is_closed_waits_to_be_scored_and_rated(self) -> None:
        """And it owes nothing else any more."""
        for promise in self.issue.running:
            wrote = promise.kind is PromiseKind.FEEDBACK and self.issue.stage in DONE
            assert wrote or (promise.kind in OVERSIGHT) == self.issue.closed

    def a_promise_ends_with_a_verdict(self) -> None:
        assert all(p.running or p.end is not PromiseEnd.OPEN for p in self.issue.promises)

    def only_a_waiting_issue_has_clocks_that_stand_still(self) -> None:
        may = [p for p in self.issue.running if p.kind in STANDS_STILL]
        standing = [p for p in self.issue.running if p.paused_at]
        assert standing == (may if self.issue.stage is Stage.WAITING else [])

    def an_issue_is_at_a_station_while_its_promise_runs(self) -> None:
        stations = {
            PRE_WORK_STAGES[p.kind] for p in self.issue.running if p.kind in PRE_WORK_STAGES
        }
        at = {self.issue.stage} & set(PRE_WORK_STAGES.values())
        between = {Stage.REGISTERED, Stage.REOPENED, Stage.ASSIGNED, Stage.WAITING}
        assert stations == at or (self.issue.stage in between and not at)

    def an_open_issue_runs_the_clocks_of_its_stage(self) -> None:
        stage, kinds = self.issue.stage, {p.kind for p in self.issue.running}
        if stage in {Stage.REGISTERED, Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.WAITING}:
            assert kinds & {PromiseKind.RESOLUTION, *PRE_WORK_STAGES}
        if stage in {Stage.REPLIED, Stage.CALLBACK}:  # or it is confirmed what they were told
            assert kinds or self.under_way
        if stage in {Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK}:
            assert kinds <= {*TO_BE_HEARD, *REMEDIES, PromiseKind.REPLY}
        assert (PromiseKind.REPLY in kinds) <= (stage is Stage.RESOLVED)

    def an_assigned_issue_is_with_somebody_and_an_unassigned_one_with_nobody(self) -> None:
        if self.issue.stage in {Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.VERIFYING}:
            assert self.issue.engineer
        if self.issue.stage in {Stage.REGISTERED, Stage.REOPENED}:
            assert self.issue.engineer is None
            assert self.issue.assign_again_at or self._the_hotline_has_it()

    def what_its_customer_leaves_to_the_hotline_is_with_nobody_else(self) -> None:
        """R35."""
        assert self.issue.kept_back == self.refused
        assert self.issue.engineer is None or not self.refused
        handlers = {PromiseKind.CALMING, PromiseKind.VERIFICATION}
        assert not self.refused or handlers.isdisjoint(p.kind for p in self.issue.running)

    def _the_hotline_has_it(self) -> bool:
        if self.refused:
            return True
        held = self.issue.promise(PromiseKind.HAND_OVER) or self.issue.promise(PromiseKind.RESPONSE)
        return self.issue.intake.answering and held is not None

    def the_forms_of_a_closed_issue_are_complete(self) -> None:
        if not self.issue.closed:
            return
        generation, lasting = self.issue.generation, self.issue.outcome not in BROKEN_OFF
        if self.issue.intake.kind == "complaint":
            self._check_complaint_form(lasting=lasting)
        if self.issue.first_contact and lasting:
            record = self._form(ConsultationRecord, generation)
            assert {"question", "answer", "agent", "answered_at", "to_be_tested"} <= set(record)
        elif self.issue.intake.kind == "paid_service" and lasting:
            self._check_paid_service()

    def _check_complaint_form(self, *, lasting: bool) -> None:
        form = self._form(ComplaintForm)
        assert {"received_by", "apologised_at", "archived_at"} <= set(form)
        if not lasting:
            return
        assert "told_at" in form
        verified = PromiseKind.VERIFICATION in self.desk.also and not self.issue.first_contact
        assert not verified or {"verdict", "findings", "verified_by", "verified_at"} <= set(form)
        unfounded = form.get("verdict") is Verdict.UNFOUNDED
        assert unfounded or {"result", "result_at", "handled_by"} <= set(form)

    def _check_paid_service(self) -> None:
        offered = [form for entry, form in self.forms.items() if "quotation" in form]
        form = offered[-1] if offered else {}
        match self.issue.outcome:
            case Outcome.DECLINED:
                assert form["agreed"] is False
            case Outcome.LAPSED:
                assert "agreed" not in form
            case Outcome.NOT_APPROVED:
                assert (form["agreed"], form["approved"]) == (True, False)
                assert form["reason"]
            case _ if PromiseKind.SURVEY in self.desk.also:
                assert {"findings", "work", "amount"} <= set(form)
                assert form["agreed"]
                assert form.get("approved", False) or not self.desk.needs_approval


def _entry(form: Form) -> str:
    keys = ",".join(str(getattr(form, key)) for key in form.key)
    return f"{form.form}:{keys}"


_GOOD_WAY: dict[Stage, tuple[ActionName, Role]] = {
    Stage.REGISTERED: (ActionName.ACCEPT, Role.LEAD),
    Stage.REOPENED: (ActionName.ACCEPT, Role.LEAD),
    Stage.ASSIGNED: (ActionName.ACCEPT, Role.LEAD),
    Stage.VERIFYING: (ActionName.VERIFY, Role.LEAD),
    Stage.SURVEYING: (ActionName.SURVEY, Role.LEAD),
    Stage.QUOTING: (ActionName.QUOTE, Role.LEAD),
    Stage.CONFIRMING: (ActionName.CONFIRM, Role.CUSTOMER),
    Stage.APPROVING: (ActionName.APPROVE, Role.MANAGER),
    Stage.WAITING: (ActionName.RESUME, Role.AGENT),
    Stage.IN_PROGRESS: (ActionName.RESOLVE, Role.LEAD),
}
"""What brings an issue on, stage by stage."""
