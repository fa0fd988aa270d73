"""One customer issue, from registration to the day nobody owes the customer anything any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from domain import contract as names
from domain.contract import StepName
from domain.errors import Refused
from domain.for_supervisors import clock, coming, details, shift, taken, telling
from domain.issue import lifecycle
from domain.issue.actions import (
    ACTIONS,
    Act,
    ActionName,
    Assign,
    BringByHand,
    Cancel,
    CancellationAsked,
    ComplaintRaised,
    Merged,
    Merging,
    Repair,
    Replied,
    Resolve,
    ThresholdReached,
)
from domain.issue.complaints import arising
from domain.issue.duplicates import asking
from domain.issue.intake import Intake
from domain.issue.naming import TODAYS, Manner, name_of
from domain.issue.state import Issue
from domain.issue.step import DeliveryBatch, Recorded, Step
from domain.issue.view import IssueView, view
from domain.markdown import plain
from domain.texts import unseen
from domain.vocabulary import DESK, Model
from domain.words import ACTIONS as IN_WORDS
from workflows.acting import filled_in, takes_actions
from workflows.defects import TRY_AGAIN, Defects, sound
from workflows.labels import search_attributes
from workflows.search_attributes import ISSUE_STEP
from workflows.timers import Timers, TimerSpec
from workflows.turns import RefusedStep, Turns

REGISTRATION_PATIENCE = timedelta(days=1)
"""How long an issue that was started without an intake waits for one."""

_ASSIGNMENT = "assignment"


@workflow.defn
@takes_actions
class IssueWorkflow:
    """Durable life of one issue. Started with its intake, by update-with-start on ``registered``,
    which answers; people act through updates, one for each of ``PUBLIC_ACTIONS``; engineers'
    systems may signal ``complete``; ``view`` shows it.

    Whoever started it may lose the answer, and Temporal an update that it had not yet written down:
    with its intake a workflow registers itself. One that cannot be registered fails, so that its
    reference may be used again.

    Without an intake it is of the time before turns (see ``workflows.turns``) and takes its steps
    as then, under a lock, until a quiet moment lets it begin anew.
    """

    @workflow.init
    def __init__(
        self, carried: Issue | None = None, intake: Any = None, manner: Manner | None = None
    ) -> None:
        # Fewer arguments than there are come unread: so began what went on in former runs.
        self._issue = Issue.model_validate(carried) if carried else None
        self._started_with = intake
        self._turns = Turns(self)
        self._defects = Defects()
        self._to_try_again: set[str] = set()
        self._former = intake is None
        self._manner = manner or Manner()
        self._turn: AbstractAsyncContextManager[None] = (
            asyncio.Lock() if self._former else nullcontext()
        )
        self._timers = Timers()
        self._under_way: dict[asyncio.Task[None], tuple[str, ...]] = {}
        self._offered: dict[str, Intake] = {}
        self._registering = False
        self._ended_before = False
        self._leaves_it_behind = False

    @workflow.run
    async def run(
        self,
        carried: Issue | None = None,  # noqa: ARG002  see init
        intake: Any = None,  # noqa: ARG002  an Intake, or what somebody took for one
        manner: Manner | None = None,  # noqa: ARG002  see init
    ) -> IssueView | None:
        """Live the life of the issue."""
        while True:
            try:
                return await self._live()
            except asyncio.CancelledError:
                if self._former:
                    await self._called_off()
                    raise
                await self._lead_is_asked()

    async def _live(self) -> IssueView | None:
        if not await self._is_registered():
            return None
        while not self._is_over():
            await self._someone_acts_or_time_is_up()
            await asyncio.shield(self._keep_promises())
        await self._everybody_is_told()
        return view(self._known)

    # The main steps ---------------------------------------------------------------------------

    async def _is_registered(self) -> bool:
        """R1, R2: the intake that it was started with is registered, unless `registered` came with
        the start and was quicker.
        """
        if self._issue:
            self._follow()
        elif self._former:
            return await self._is_told_its_intake()
        else:
            await self._register_itself()
        return True

    async def _register_itself(self) -> None:
        await asyncio.sleep(0)  # lets a `registered` that came with the start go first
        registered = await self._has_registered_itself()
        while not registered:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._issue is not None,
                    timeout=TRY_AGAIN,
                    timeout_summary="再次登记 registering again, after a defect",
                )
            registered = self._issue is not None or await self._has_registered_itself()

    async def _has_registered_itself(self) -> bool:
        """Register the issue; False if a defect keeps the desk from it."""
        try:
            await self._register(_own(self._started_with))
        except ApplicationError as why:
            if why.type == names.DEFECT:
                return self._issue is not None
            self._ended_before = True
            # One of them may bring a right intake under the same reference.
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._issue is None:
                raise
        return True

    async def _is_told_its_intake(self) -> bool:
        await asyncio.sleep(0)  # lets a `registered` that came with the start begin: no timer then
        while self._issue is None and not self._ended_before:
            if self._registering:
                await workflow.wait_condition(lambda: not self._registering)
                continue
            workflow.set_current_details("尚未登记 Waiting for a valid `registered`.")
            try:
                await workflow.wait_condition(
                    lambda: self._registering,
                    timeout=REGISTRATION_PATIENCE,
                    timeout_summary="等待有效的受理信息 waiting for a valid intake",
                )
            except TimeoutError:
                break
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._issue is not None

    async def _someone_acts_or_time_is_up(self) -> None:
        await workflow.wait_condition(
            lambda: (
                self._is_over()
                or bool(self._timers.fired)
                or self._history_is_long()
                or self._may_begin_anew()
            )
        )
        if self._is_over():
            return
        if self._history_is_long() or self._may_begin_anew():
            workflow.continue_as_new(args=[self._known, self._known.intake, TODAYS])

    async def _keep_promises(self) -> None:
        """R9-R18: remind, apologise, escalate; take silence for what it means; look again for
        somebody on duty.
        """
        while self._timers.fired:
            async with self._turn:
                if not self._timers.fired or self._is_over():
                    return
                await self._answer(self._timers.fired.pop(0))

    async def _answer(self, name: str) -> None:
        if name == _ASSIGNMENT:
            key = f"assign:{self._known.assign_again_at}"
            await self._take_if_due(ActionName.ASSIGN, Assign(by=DESK), key)
            return
        promise = next((p for p in self._known.running if p.key == name), None)
        if promise and (mark := promise.next_threshold):
            act = ThresholdReached(by=DESK, promise=promise.key, threshold=mark.name)
            key = f"{name}:{mark.name}:{promise.pauses}"
            await self._take_if_due(ActionName.THRESHOLD, act, key)

    async def _everybody_is_told(self) -> None:
        """R6: every message has arrived, or a person has been asked to bring it."""
        await workflow.wait_condition(
            lambda: not self._under_way and workflow.all_handlers_finished()
        )

    async def _lead_is_asked(self) -> None:
        """R6: an operator asked to cancel the workflow. An open issue goes on until its lead
        withdraws it; of a closed one, what was still to be scored and rated is given up.
        """
        if task := asyncio.current_task():
            task.uncancel()
        if not await self._is_registered():
            return
        if self._known.closed:
            await self._take_if_due(ActionName.CANCEL, Cancel(by=DESK), "cancel")
        else:
            asked, key = CancellationAsked(by=DESK), f"cancellation_asked:{self._known.seq}"
            await self._take_if_due(ActionName.CANCELLATION_ASKED, asked, key)

    async def _called_off(self) -> None:
        """The former answer to an operator's cancellation: what was open is given up."""
        if self._issue is None and not self._registering:
            return
        async with self._turn:
            if self._issue and not self._is_over():
                await self._take_if_due(ActionName.CANCEL, Cancel(by=DESK), "cancel")
        await self._everybody_is_told()

    # What people do ---------------------------------------------------------------------------

    @workflow.update(description="Register the issue, or find it registered already (R1, R2)")
    async def registered(self, said: Any = None) -> IssueView:
        """Take an ``Intake``; answer with number, assignee and promises. Safe to repeat."""
        intake = filled_in(Intake, said)
        self._registering = True
        try:
            async with self._turn:
                if self._issue is None:
                    await self._register(intake)
                elif self._former and self._begins_anew(_update_id()):
                    step = ISSUE_STEP.value_set(self._known.seq)
                    workflow.upsert_search_attributes([step])
        finally:
            self._registering = False
        return sound(lambda: view(self._known))

    @registered.validator
    def _check_registered(self, said: Any = None) -> None:
        intake = _own(said)
        if self._issue is None:
            _check_seen(intake)
            if wrong := intake.impossible_date(workflow.now()):
                raise _refusal(Refused("Invalid", wrong))

    @workflow.signal(description="Resolve, for systems that can only signal (R12)")
    async def complete(self, act: Resolve) -> None:
        """Do what ``resolve`` does. A signal cannot be answered: a refusal is logged and shown."""
        try:
            # Sent twice it is done once; a reopened issue is resolved anew.
            key = f"complete:{act.by.id}:{self._known.generation}"
            if not self._former:
                act = act.model_copy(update={"at": _not_later(act.at)})
                self._check(ActionName.RESOLVE, act, key)
            await self.act(ActionName.RESOLVE, act, key)
        except ApplicationError as refused:
            workflow.logger.warning(
                "complete was refused", extra={"by": act.by.id, "reason": refused.message}
            )
            self._show(f"> `complete` by {act.by.id} was refused: {plain(refused.message)}")

    @workflow.query(description="The issue as it stands")
    def view(self) -> IssueView | None:
        """None while nothing is registered."""
        return view(self._issue) if self._issue else None

    # How a step is taken ----------------------------------------------------------------------

    @property
    def _known(self) -> Issue:
        if self._issue is None:
            raise ApplicationError("not registered yet: send `registered` first", type="NotAllowed")
        return self._issue

    def _is_over(self) -> bool:
        return self._issue is not None and self._issue.over

    def _history_is_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and self._is_quiet()

    def _may_begin_anew(self) -> bool:
        return self._leaves_it_behind and self._is_quiet()

    def _begins_anew(self, cause: str) -> bool:
        """Whether one of the time before turns leaves it behind, now that ``cause`` came: not for
        what it lived through then, which is replayed, but for the first thing after that. Asked
        only where a replay asks as well, when something was recorded or has come in.
        """
        begins = workflow.patched(f"turns-from-{cause}")
        self._leaves_it_behind = self._leaves_it_behind or begins
        return begins

    def _is_quiet(self) -> bool:
        """Whether a new run may begin: an activity or a handler under way would be lost to it."""
        busy = self._turn.locked() if isinstance(self._turn, asyncio.Lock) else self._turns.open
        return not busy and not self._under_way and workflow.all_handlers_finished()

    def check(self, name: ActionName, act: Act) -> None:
        """Refuse without a trace in history what the same function would refuse later, and what
        shows nothing: this is the one door that no replay goes through.
        """
        _check_seen(act)
        self._check(name, act, _update_id())

    def _check(self, name: ActionName, act: Act, key: str) -> None:
        if not self.has(key):
            sound(_allowed(lambda: lifecycle.decide(self._known, name, act, workflow.now())))

    async def act(self, name: ActionName, act: Act, key: str = "") -> IssueView:
        """Take an action of people, once for each cause; by default that is the update."""
        key = key or _update_id()
        await workflow.wait_condition(
            lambda: not self._registering if self._former else self._can_be_acted_on()
        )
        async with self._turn:
            await self._take(name, act, key)
        return sound(lambda: view(self._known))

    def _can_be_acted_on(self) -> bool:
        return self._issue is not None or self._ended_before

    async def _register(self, intake: Intake) -> None:
        def decide() -> Step:
            first = _allowed(lambda: lifecycle.register(intake, workflow.now()))
            return self._defects.sound(f"registered:{intake.digest}", first)

        cause = decide().cause
        self._offered[cause] = intake
        if self._former:
            await self._formerly(decide)
        else:
            await self._turns.take(cause, decide)

    async def _take(self, name: ActionName, act: Act, key: str) -> None:
        """Decide, record, go on; once for each cause."""

        def decide() -> Step:
            step = _allowed(lambda: lifecycle.decide(self._known, name, act, workflow.now(), key))
            return self._defects.sound(key, step)

        if self._former:
            while not self.has(key):
                await self._formerly(decide)
        elif not self.has(key):
            await self._turns.take(key, decide)

    async def _formerly(self, decide: Callable[[], Step]) -> None:
        """Take one step as before there were turns. Whoever calls this holds the lock."""
        try:
            recorded = await self.record(decide())
            self.enter(recorded)
        except RefusedStep as refused:
            raise refused.why from None
        self.go_on(recorded)

    async def _take_if_due(self, name: ActionName, act: Act, key: str) -> None:
        """Take a step of the desk's own. While it caught up with the register it may have been
        overtaken: the promise was kept, somebody has the issue, it is closed. What a defect keeps
        it from is tried again: nobody else would.
        """
        try:
            await self._take(name, act, key)
        except ApplicationError as why:
            if why.type != names.DEFECT:
                workflow.logger.info("overtaken", extra={"step": key, "reason": why.message})
            elif key not in self._to_try_again:
                self._to_try_again.add(key)
                self._send(self._try_again(name, act, key))

    async def _try_again(self, name: ActionName, act: Act, key: str) -> None:
        again = f"{IN_WORDS[name][0]} 重试 {name} again, after a defect"
        await workflow.sleep(TRY_AGAIN, summary=again)
        self._to_try_again.discard(key)
        async with self._turn:
            await self._take_if_due(name, act, key)

    # The issue as a book that steps are written into, see workflows.turns -----------------------

    def has(self, cause: str) -> bool:
        """Say whether what it gave rise to stands in the register."""
        return self._issue is not None and (cause in self._offered or cause in self._issue.seen)

    def enter(self, recorded: Recorded) -> None:
        """Take what stands in the register for true. That need not be the step that was sent: there
        may be another one in its place, to be caught up with.

        Raises:
            RefusedStep: the issue had ended before.
        """
        if (issue := self._issue) is not None:
            entered = f"entered:{recorded.step.seq}"
            self._issue = self._defects.sound(entered, lambda: recorded.applied_to(issue))
        elif recorded.closed_as:
            self._ended_before = True
            ended = f"it was registered as {recorded.number} and has ended ({recorded.closed_as})"
            raise RefusedStep(None, _refusal(Refused("NotAllowed", ended)))
        else:
            self._issue = lifecycle.registered(self._taken(recorded), recorded)

    def _taken(self, recorded: Recorded) -> Intake:
        """Return the intake that was registered, of all that were offered."""
        offered = self._offered.values()
        named = (intake for intake in offered if intake.digest == recorded.intake_digest)
        return recorded.step.intake or next(named, None) or next(iter(offered))

    def go_on(self, recorded: Recorded) -> None:
        """Begin what the step gives rise to: clocks, messages, a complaint."""
        if self._former and not self._leaves_it_behind:
            self._begins_anew(recorded.step.key)
        self._follow()
        workflow.upsert_search_attributes(search_attributes(self._known))
        for batch in recorded.batches:
            under_way = {key for keys in self._under_way.values() for key in keys}
            if batch.reply or not under_way.issuperset(batch.keys):
                self._send(self._deliver(batch), batch.keys)
        if recorded.complaint:
            self._send(self._raise_complaint(recorded.step))
        if recorded.step.action is ActionName.MERGE:
            self._send(self._ask_survivor(recorded.step))
        if recorded.adopted:
            self._send(self._catch_up())

    def _send(self, sent: Coroutine[Any, Any, None], keys: tuple[str, ...] = ()) -> None:
        task = asyncio.create_task(sent)
        self._under_way[task] = keys
        task.add_done_callback(self._under_way.pop)

    def _follow(self) -> None:
        """Set the timers and the page by the issue as it is now."""
        issue = self._known
        timers = {
            promise.key: TimerSpec(mark.at, clock(promise, mark.name, issue.zone))
            for promise in issue.running
            if (mark := promise.next_threshold)
        }
        in_hand = issue.stage in ACTIONS[ActionName.ASSIGN].rule.stages
        if in_hand and issue.assign_again_at:
            timers[_ASSIGNMENT] = TimerSpec(issue.assign_again_at, shift(issue))
        self._timers.set(timers)
        self._show()

    def _show(self, remark: str = "") -> None:
        page = self._page(self._issue) if self._issue else ""
        workflow.set_current_details(f"{remark}\n\n{page}" if remark else page)

    def _page(self, issue: Issue) -> str:
        try:
            return sound(lambda: details(issue))
        except ApplicationError as defect:
            return defect.message

    async def record(self, step: Step) -> Recorded:
        """Write the step into the registers, however long they are away: nothing is forgotten.

        Raises:
            RefusedStep: ``Invalid``: the registers know no such region or person.
        """
        name = await self._name(step)
        try:
            recorded: Recorded = await workflow.execute_local_activity(
                name,
                step.model_copy(update={"run": workflow.info().first_execution_run_id}),
                result_type=Recorded,
                start_to_close_timeout=timedelta(seconds=15),
                # Long waits become timers: a workflow task that waits costs history all the time.
                local_retry_threshold=timedelta(seconds=5),
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(milliseconds=200),
                    maximum_interval=timedelta(minutes=1),
                ),
                summary=taken(step, self._issue),
            )
        except ActivityError as error:
            raise _refused_by_the_register(step, error) from None
        return recorded

    async def _name(self, step: Step) -> str:
        """Say by which activity a step is recorded. Temporal holds a replay to the name, and in a
        replay another wish may be the first (see ``workflows.turns``): so it is written down before
        whose turn it was. A registration has nobody beside it.
        """
        if not self._manner.named_steps:
            return names.RECORD
        if self._issue is None:
            return StepName.REGISTER_ISSUE
        wanted = str(name_of(step))
        name: str = await workflow.execute_local_activity(
            names.TURN,
            wanted,
            result_type=str,
            start_to_close_timeout=timedelta(seconds=5),
            summary=coming(step),
        )
        return name

    async def _deliver(self, batch: DeliveryBatch) -> None:
        """R6: bring the messages out; what no channel takes is handed to a person."""
        if batch.not_before and (wait := batch.not_before - workflow.now()) > timedelta():
            await workflow.sleep(wait, summary=telling(batch, at_work=True))
        try:
            left = await workflow.execute_activity(
                names.DELIVER,
                list(batch.keys),
                result_type=list[str],
                task_queue=names.NOTIFICATIONS,
                schedule_to_close_timeout=batch.give_up_after,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=15),
                retry_policy=RetryPolicy(
                    initial_interval=batch.first_retry, maximum_interval=batch.longest_retry
                ),
                summary=telling(batch),
            )
        except ActivityError:
            left = list(batch.keys)
        async with self._turn:
            if left:
                act = BringByHand(by=DESK, messages=tuple(left))
                await self._take_if_due(ActionName.HAND_OVER, act, f"hand_over:{batch.keys[0]}")
            if self._still_answers(batch):
                key = f"replied:{batch.reply}"
                await self._take_if_due(ActionName.REPLIED, Replied(by=DESK), key)

    async def _raise_complaint(self, step: Step) -> None:
        """R21: register what the customer said as an issue of its own. If that cannot be done, the
        GM office is told.
        """
        try:
            complaint = self._defects.sound(
                f"arising:{step.seq}", lambda: arising(self._known, step.act, step.seq, step.at)
            )
            number = await workflow.execute_activity(
                names.RAISE_COMPLAINT,
                complaint,
                result_type=str,
                schedule_to_close_timeout=timedelta(days=1),
                start_to_close_timeout=timedelta(seconds=20),  # a crash costs no more than that
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
                summary=f"登记投诉，源自 a complaint about {self._known.number}",
            )
            raised = ComplaintRaised(by=DESK, number=number)
        except (ActivityError, ApplicationError) as error:
            raised = ComplaintRaised(by=DESK, reason=_reason(error))
        async with self._turn:
            key = f"complaint:{step.seq}"
            await self._take_if_due(ActionName.COMPLAINT_RAISED, raised, key)

    async def _ask_survivor(self, step: Step) -> None:
        """Let the other issue take this one over, and end; if it cannot, this one goes on (R6)."""
        merging = Merging.model_validate({**step.content, "by": step.by})
        try:
            asked = asking(self._known, merging, step.seq)
            await workflow.execute_activity(
                names.ASK_SURVIVOR,
                asked,
                result_type=str,
                schedule_to_close_timeout=timedelta(days=1),
                start_to_close_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
                summary=f"并入 merge into {merging.into}",
            )
            merged = Merged(by=DESK, into=merging.into, survivor=merging.survivor)
        except (ActivityError, ApplicationError) as error:
            merged = Merged(by=DESK, into=merging.into, reason=_reason(error))
        async with self._turn:
            await self._take_if_due(ActionName.MERGED, merged, f"merged:{step.seq}")

    async def _catch_up(self) -> None:
        """Take again, out of the register, every step that another workflow took, which is lost."""
        act = Repair(by=DESK, reason="其流程已遗失，从登记簿接续 taken over from a lost workflow")
        async with self._turn:
            key = f"adopted:{workflow.info().first_execution_run_id}"
            await self._take_if_due(ActionName.REPAIR, act, key)

    def _still_answers(self, batch: DeliveryBatch) -> bool:
        """Whether the batch brought the reply the issue waits for, not an earlier generation's."""
        stages = ACTIONS[ActionName.REPLIED].rule.stages
        return self._known.generation == batch.reply and self._known.stage in stages


def _own(said: Any) -> Intake:
    """Read the intake of this very workflow.

    Raises:
        ApplicationError: ``Invalid``: it is none, or another's.
    """
    intake = filled_in(Intake, said)
    if intake.issue_id != workflow.info().workflow_id:
        raise _refusal(Refused("Invalid", f"reference: this workflow is not {intake.issue_id}"))
    return intake


def _update_id() -> str:
    """What makes a repeated update the same one."""
    update = workflow.current_update_info()
    if update is None:
        raise ApplicationError("people act through updates", type="NotAllowed")
    return update.id


def _reason(error: ActivityError | ApplicationError) -> str:
    return getattr(error.cause, "message", "") or str(error.cause or error)


def _refusal(refused: Refused) -> ApplicationError:
    return ApplicationError(refused.message, type=refused.type, non_retryable=True)


def _check_seen(said: Model) -> None:
    if wrong := "\n".join(unseen(said)):
        raise _refusal(Refused("Invalid", wrong))


def _allowed(decide: Callable[[], Step]) -> Callable[[], Step]:
    """Let a refusal be an answer that Temporal knows."""

    def decided() -> Step:
        try:
            return decide()
        except Refused as refused:
            raise _refusal(refused) from None

    return decided


def _refused_by_the_register(step: Step, error: ActivityError) -> RefusedStep:
    """Say whose step was refused: the register names it, for in a replay another may be asking."""
    said = error.cause
    if not isinstance(said, ApplicationError):
        return RefusedStep(step.cause, error)
    cause = str(said.details[0]) if said.details else step.cause
    why = ApplicationError(said.message, type=said.type, non_retryable=True)
    return RefusedStep(cause, why)


def _not_later(at: datetime | None) -> datetime | None:
    """Take a clock that is fast for ours: whoever signals cannot be told of it."""
    return at if at is None or at <= workflow.now() else None
