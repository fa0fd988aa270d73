"""Recording a step: number, promises, engineer and messages are found and written at once.

One local activity for every transition, so that an issue's history stays short and its registers
never show half a step. It goes by many names, one for each thing that steps bring about
(``domain/issue/naming.py``): ``register_issue``, ``assign_engineer``, ``escalate``, ``remind``,
``record_answer``, ``close_issue`` …
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.addressing import Directory, address, left_lying, stranger
from activities.assigning import assigned, invalid
from activities.calming import entrusted
from activities.coding import coded
from activities.consulting import consulted
from activities.deciding import proposed
from activities.guard import Guard
from activities.informing import informed, taught
from activities.redirecting import redirected
from domain import contract as names
from domain.contract import StepName
from domain.issue import lifecycle
from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.lateness import Registered, late
from domain.issue.state import Called
from domain.issue.step import Recorded, Step
from domain.sla.planning import Planner
from domain.sla.policy import Policy
from domain.sla.promise import Promise, PromiseKind
from domain.sla.rulebook import Rulebook
from domain.staff.roster import reached_by
from domain.vocabulary import Behaviour, Outcome, Stage
from runtime.lives import lives
from runtime.signing import Links
from store import beginning, issue_reader, issue_writer
from store.beginning import Before
from store.connection import Connection, Pool
from store.issue_writer import IssueContext, OutOfStep
from store.roster import KnownStaff, Staff
from store.rulebooks import Current, Rulebooks

Living: TypeAlias = Callable[[str, str], Awaitable[bool]]


async def _says_temporal(issue_id: str, run: str) -> bool:
    return await lives(activity.client(), issue_id, run)


class Recording:
    """The register's activity. What counts is the rulebook adopted last, whoever loaded it.
    ``links`` makes the addresses that go into messages; ``living`` says whether that workflow run
    is the one that lives the issue.
    """

    def __init__(self, pool: Pool, links: Links, living: Living = _says_temporal) -> None:
        self._pool = pool
        self._links = links
        self._living = living
        self._rulebooks = Rulebooks()
        self._staff = KnownStaff()
        self._guard = Guard(pool)

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        """Record one step, once: asked again, it answers what it answered before. If another step
        stands in its place, that one is the answer, and nothing is written.

        Raises:
            ApplicationError: ``Invalid`` (not retried) if the step names a region or a person
                that the roster does not have, or a rulebook that counts no more; its detail is the
                cause of the step. ``Held`` while the register is older than Temporal. Nothing is
                written then.
        """
        return await self._guard.kept(partial(self._record, step), step)

    @activity.defn(name=names.TURN)
    async def take_turn(self, name: str) -> str:
        """Return the name that a step is to be recorded by. Nothing is done: what counts is that
        the answer stands in history.
        """
        return name

    def activities(self) -> Sequence[Callable[..., Any]]:
        """All of this for a worker: the recording of steps by each of its names."""
        return (self.record_step, *map(self._by_name, StepName), self.take_turn)

    def _by_name(self, name: StepName) -> Callable[[Step], Awaitable[Recorded]]:
        @activity.defn(name=name)
        async def record(step: Step) -> Recorded:
            return await self.record_step(step)

        return record

    async def _record(self, step: Step) -> Recorded:
        try:
            return await self._recorded(step)
        except ApplicationError as refused:
            raise ApplicationError(
                refused.message, step.cause, type=refused.type, non_retryable=True
            ) from None

    async def _recorded(self, step: Step) -> Recorded:
        async with beginning.step(self._pool) as connection:
            found = await beginning.read(connection, step)
            if found.before:
                return await self._stands(connection, step, found.before)
            current = await self._rulebooks.known(connection, found.rulebook)
            if step.replan and step.replan != current.version:
                raise invalid(f"version: {step.replan} no longer counts, {current.version} does")
            staff = await self._staff.get(connection, found.roster)
            case = await _case(connection, step, found.case, staff, current)
            case = await issue_writer.correct(connection, step, case)
            case = case.written_to(reached_by(case.phone, case.email, staff.channels) is not None)
            rulebook = await self._rulebooks.get(connection, case.rulebook)
            if queue := step.intake and rulebook.policy.queue(case.facts):
                step = lifecycle.queued(step, queue)
            known = await informed(connection, step, case.department, rulebook.policy, staff)
            coming = coded(known.step, case.facts_with(step), current.rulebook.policy)
            coming = proposed(coming, current.rulebook.policy)
            said, promises = _registered_late(coming, _planned(step, case, rulebook))
            unknown = await stranger(connection, step, case, rulebook.policy, staff.channels)
            # As late as may be: others wait for these two.
            holding = await assigned(connection, step, case, staff, current)
            said = await consulted(
                connection, said, step.intake, case, holding.department, current.rulebook.policy
            )
            said = entrusted(said, holding.department, current.rulebook, staff)
            case = await _numbered(connection, step, case, current)
            recorded = Recorded(
                step=said,
                number=case.number,
                department=holding.department,
                centre=case.facts.centre,
                zone=case.zone,
                promises=promises,
                engineer=holding.engineer,
                lead=holding.lead,
                assign_again_at=holding.assign_again_at,
                called=_called(said, case, holding.department, current.rulebook, staff),
                thin=holding.below_standby,
                needs_approval=known.needs_approval,
                complaint=known.complaint,
                dissatisfied=known.dissatisfied,
                intake_digest=step.intake.digest if step.intake else None,
                counts_back=rulebook.policy.own_word.counts_back.span,
                reopens_until=_reopens_until(step, rulebook.policy),
            )
            # Who is at work is a fact of today, whatever rulebook the issue was promised under.
            directory = Directory(staff, case, recorded, current.rulebook, self._links, unknown)
            directory = await redirected(connection, recorded.step, rulebook.policy, directory)
            batches, messages = await address(connection, recorded.step, rulebook.policy, directory)
            if step.action is ActionName.REPAIR:
                batches = await left_lying(connection, step, rulebook.policy)
            recorded = recorded.to_deliver(batches)
            await issue_writer.merge(connection, step)
            await issue_writer.write(connection, case, recorded, messages, intake=step.intake)
            await taught(connection, recorded.step)
        return recorded

    async def _stands(self, connection: Connection, step: Step, before: Before) -> Recorded:
        """Answer with what stands in the step's place. A registration by another workflow run than
        the issue's finds either that it has ended, for the same source and reference are the same
        issue; or that it lost its run, if this is the one that lives: then it is this run's from
        now on. Who registers hears which intake stands, should it be another.

        Raises:
            OutOfStep: the issue belongs to another workflow run.
        """
        recorded, intake = before.recorded, step.intake
        if before.run != step.run:
            if intake is None or not await self._living(step.issue_id, step.run):
                raise OutOfStep(f"{step.issue_id}: step {step.seq} is not this workflow's to take")
            if before.over:
                ended = before.outcome or Outcome.TERMINATED
                return recorded.model_copy(update={"closed_as": ended})
            await issue_writer.adopt(connection, step.issue_id, step.run)
            recorded = recorded.model_copy(update={"adopted": True})
        if intake is None or recorded.intake_digest == intake.digest:
            return recorded
        stands = await issue_reader.intake(connection, step.issue_id)
        with_it = recorded.step.model_copy(update={"intake": stands})
        return recorded.model_copy(update={"step": with_it})


async def _case(
    connection: Connection,
    step: Step,
    known: IssueContext | None,
    staff: Staff,
    current: Current,
) -> IssueContext:
    """The issue as the register has it; a new one, or one to be planned again, goes by the rulebook
    that counts now.
    """
    if step.intake:
        return await _registered(connection, step.intake, staff, current)
    if known is None:
        raise OutOfStep(f"{step.issue_id} is not in the register")
    return known.model_copy(update={"rulebook": current.version}) if step.replan else known


async def _registered(
    connection: Connection, intake: Intake, staff: Staff, current: Current
) -> IssueContext:
    """R4: region and category lead to centre and department. It has no number yet."""
    centre = staff.centre_of(intake.region)
    if wrong := "\n".join(current.rulebook.policy.terms.unknown(intake.kind, intake.category)):
        raise invalid(wrong)
    if centre is None:
        raise invalid(staff.known.no_such_region(intake.region))
    against = None
    if intake.arises_from:
        against = await issue_writer.number_of(connection, intake.arises_from)
        if against is None:
            raise invalid(f"arises_from: there is no issue {intake.arises_from}")
    if intake.agitated and intake.behaviour is not Behaviour.COMPLAINT:
        raise invalid("agitated: only a complaint can say so (R47); make it one, or leave it out")
    facts = issue_writer.facts_of(intake, centre.id)
    return issue_writer.context_of(
        intake,
        rulebook=current.version,
        facts=facts,
        calendar=centre.calendar,
        department=current.rulebook.policy.department(facts),
        zone=centre.zone,
        against=against,
    )


async def _numbered(
    connection: Connection, step: Step, case: IssueContext, current: Current
) -> IssueContext:
    """R2: a new issue's number is allotted."""
    if step.intake is None:
        return case
    day = step.recorded_at.astimezone(ZoneInfo(current.rulebook.policy.zone)).date()
    number = await issue_writer.next_number(connection, day, step.intake.agent)
    return case.model_copy(update={"number": number})


def _called(
    step: Step, case: IssueContext, department: str, rulebook: Rulebook, staff: Staff
) -> Called | None:
    """R37: what the desk calls what it is and where; said again whenever somebody gets it."""
    if step.intake is None and step.assignment is None:
        return None
    own, centre = rulebook.policy.terms, staff.centres.get(case.facts.centre)
    return Called(
        kind=own.kind(case.facts.kind),
        category=own.category(case.facts.category),
        department=own.department(department),
        centre=centre.name if centre else case.facts.centre,
    )


def _reopens_until(step: Step, policy: Policy) -> datetime | None:
    """R24: until when the customer's words open again what this step closes."""
    closes = step.stage is Stage.CLOSED is not step.stage_before
    return step.at + policy.conversation.reopen_within.span if closes else None


def _registered_late(step: Step, promises: tuple[Promise, ...]) -> tuple[Step, tuple[Promise, ...]]:
    """R13: what had passed before an issue was registered is part of its registration."""
    if step.action is not ActionName.REGISTERED:
        return step, promises
    found = late(promises, step.recorded_at)
    if not found.missed:
        return step, promises
    changes = {
        "content": Registered(by=step.by, missed=found.missed).content(),
        "level": max(step.level, found.level),
        "tell": (*step.tell, *found.tell),
    }
    return step.model_copy(update=changes), found.promises


def _planned(step: Step, case: IssueContext, rulebook: Rulebook) -> tuple[Promise, ...]:
    """R11, R12, R22: new promises from the instant of the step; paused ones run on from it, others
    are planned again (R32). Of those that the step stops or ends it is said what they consumed.
    """
    planner = Planner(rulebook, case.facts_with(step), case.calendar)

    def again(promise: Promise) -> Promise:
        if step.resume and promise.running:
            return planner.resume(promise, step.at)
        if step.replan:
            return planner.replan(promise, step.recorded_at)
        return planner.measured(promise)

    made = planner.promised(_to_promise(step, case), step.at, step.attempt)
    changed = (again(promise) for promise in step.promises)
    return tuple(promise for promise in (*made, *changed) if promise not in step.promises)


def _to_promise(step: Step, case: IssueContext) -> tuple[PromiseKind, ...]:
    """R34: whatever the answer, somebody whom nothing can be written to hears it by the agent's
    call, if the policy has them called; unless they have it already.
    """
    unwritten = step.replies and not step.answered and not case.facts.in_writing
    if not unwritten or step.ends_the_call_with_it or PromiseKind.REPLY in step.make:
        return step.make
    return (PromiseKind.REPLY, *step.make)
