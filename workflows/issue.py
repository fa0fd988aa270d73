"""One customer issue, from registration to the day nobody owes the customer anything any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from activities import names
from domain import lifecycle
from domain.actions import (
    Act,
    ActionName,
    Assign,
    Cancel,
    ComplaintRaised,
    HandOver,
    Replied,
    Resolve,
    Threshold,
)
from domain.effects.complaints import arising
from domain.intake import Intake
from domain.issue import Errand, Issue, Recorded, Step
from domain.markdown import plain
from domain.refusal import Refused
from domain.view import IssueView, details, due, view
from domain.vocabulary import DESK
from workflows.acting import filled_in, takes_actions
from workflows.labels import search_attributes
from workflows.timers import Timers, Wake

REGISTRATION_PATIENCE = timedelta(days=1)
"""How long an issue that was started with a wrong intake, or none, waits for a right one."""

_ASSIGNMENT = "assignment"


@workflow.defn
@takes_actions
class IssueWorkflow:
    """Durable life of one issue. Started by update-with-start on ``registered``; people act through
    updates, one for each of ``domain.actions.PEOPLE``; engineers' systems may signal ``complete``;
    ``view`` shows it.
    """

    @workflow.init
    def __init__(self, carried: Issue | None = None) -> None:
        self._issue = carried
        self._turn = asyncio.Lock()
        self._timers = Timers()
        self._errands: set[asyncio.Task[None]] = set()
        self._registering = False
        self._ended_before = False

    @workflow.run
    async def run(self, carried: Issue | None = None) -> IssueView | None:  # noqa: ARG002  see init
        """Live the life of the issue (design, section 3)."""
        try:
            if not await self._is_registered():
                return None
            while not self._is_over():
                await self._someone_acts_or_time_is_up()
                await asyncio.shield(self._keep_promises())
            await self._everybody_is_told()
        except asyncio.CancelledError:
            await self._called_off()
            raise
        return view(self._known)

    # The main steps ---------------------------------------------------------------------------

    async def _is_registered(self) -> bool:
        """R1, R2: wait for an intake that can be registered. It usually comes with the start."""
        if self._issue:
            self._follow()
            return True
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
                    timeout_summary="waiting for a valid intake",
                )
            except TimeoutError:
                break
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._issue is not None

    async def _someone_acts_or_time_is_up(self) -> None:
        await workflow.wait_condition(
            lambda: self._is_over() or bool(self._timers.rung) or self._history_is_long()
        )
        if self._history_is_long() and not self._is_over():
            workflow.continue_as_new(self._known)

    async def _keep_promises(self) -> None:
        """R9-R18: remind, apologise, escalate; take silence for what it means; look again for
        somebody on duty.
        """
        while self._timers.rung:
            async with self._turn:
                if not self._timers.rung or self._is_over():
                    return
                await self._answer(self._timers.rung.pop(0))

    async def _answer(self, name: str) -> None:
        if name == _ASSIGNMENT:
            key = f"assign:{self._known.assign_again_at}"
            await self._take_if_due(ActionName.ASSIGN, Assign(by=DESK), key)
            return
        promise = next((p for p in self._known.running if p.key == name), None)
        if promise and (mark := promise.next_mark):
            act = Threshold(by=DESK, promise=promise.key, threshold=mark.name)
            key = f"{name}:{mark.name}:{promise.pauses}"
            await self._take_if_due(ActionName.THRESHOLD, act, key)

    async def _everybody_is_told(self) -> None:
        """R6: every message has arrived, or a person has been asked to bring it."""
        await workflow.wait_condition(
            lambda: not self._errands and workflow.all_handlers_finished()
        )

    async def _called_off(self) -> None:
        """An operator cancelled the workflow: what was open is recorded as given up."""
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
        finally:
            self._registering = False
        return view(self._known)

    @registered.validator
    def _check_registered(self, said: Any = None) -> None:
        intake = filled_in(Intake, said)
        if intake.issue_id != workflow.info().workflow_id:
            raise _refusal(Refused("Invalid", f"reference: this workflow is not {intake.issue_id}"))
        if self._issue is None and (wrong := intake.impossible_date(workflow.now())):
            raise _refusal(Refused("Invalid", wrong))

    @workflow.signal(description="Resolve, for systems that can only signal (R12)")
    async def complete(self, act: Resolve) -> None:
        """Do what ``resolve`` does. A signal cannot be answered: a refusal is logged and shown."""
        try:
            # Sent twice it is done once; a reopened issue is resolved anew.
            key = f"complete:{act.by.id}:{self._known.generation}"
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
        """Whether to begin a new run, which only a quiet moment allows: an activity or a handler
        under way would be lost to it.
        """
        return (
            workflow.info().is_continue_as_new_suggested()
            and not self._errands
            and not self._turn.locked()
            and workflow.all_handlers_finished()
        )

    def check(self, name: ActionName, act: Act) -> None:
        """Refuse without a trace in history what the same function would refuse later."""
        if _update_id() in self._known.seen:
            return
        try:
            lifecycle.decide(self._known, name, act, workflow.now())
        except Refused as refused:
            raise _refusal(refused) from None

    async def act(self, name: ActionName, act: Act, key: str = "") -> IssueView:
        """Take an action of people, once for each cause; by default that is the update."""
        await workflow.wait_condition(lambda: not self._registering)
        async with self._turn:
            await self._take(name, act, key or _update_id())
        return view(self._known)

    async def _register(self, intake: Intake) -> None:
        try:
            step = lifecycle.register(intake, workflow.now())
        except Refused as refused:
            raise _refusal(refused) from None
        recorded = await self._record(step)
        if recorded.closed_as:
            self._ended_before = True
            raise ApplicationError(
                f"{intake.source} {intake.reference} was registered as {recorded.number} "
                f"and has ended ({recorded.closed_as})",
                type="NotAllowed",
                non_retryable=True,
            )
        self._issue = lifecycle.registered(intake, recorded)
        self._proceed(recorded)

    async def _take(self, name: ActionName, act: Act, key: str) -> None:
        """Decide, record, go on; once for each cause. Whoever calls this holds the turn."""
        while key not in self._known.seen:
            try:
                step = lifecycle.decide(self._known, name, act, workflow.now(), key)
            except Refused as refused:
                raise _refusal(refused) from None
            recorded = await self._record(step)
            # Not `step`: the register may have another one in its place, to be caught up with.
            self._issue = self._known.after(recorded)
            self._proceed(recorded)

    async def _take_if_due(self, name: ActionName, act: Act, key: str) -> None:
        """Take a step of the desk's own. While it caught up with the register it may have been
        overtaken: the promise was kept, somebody has the issue, it is closed.
        """
        try:
            await self._take(name, act, key)
        except ApplicationError as overtaken:
            workflow.logger.info("overtaken", extra={"step": key, "reason": overtaken.message})

    def _proceed(self, recorded: Recorded) -> None:
        self._follow()
        workflow.upsert_search_attributes(search_attributes(self._known))
        for errand in recorded.errands:
            self._send(self._deliver(errand))
        if recorded.complaint:
            self._send(self._raise_complaint(recorded.step))

    def _send(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _follow(self) -> None:
        """Set the timers and the page by the issue as it is now."""
        issue = self._known
        wakes = {
            promise.key: Wake(mark.at, f"{promise.key} {mark.name}, due {due(promise, issue.zone)}")
            for promise in issue.running
            if (mark := promise.next_mark)
        }
        in_hand = issue.stage in lifecycle.RULES[ActionName.ASSIGN].stages
        if in_hand and issue.assign_again_at:
            why = "the handler's shift ends" if issue.engineer else "somebody comes on duty"
            wakes[_ASSIGNMENT] = Wake(issue.assign_again_at, why)
        self._timers.set(wakes)
        self._show()

    def _show(self, remark: str = "") -> None:
        page = details(self._issue) if self._issue else ""
        workflow.set_current_details(f"{remark}\n\n{page}" if remark else page)

    async def _record(self, step: Step) -> Recorded:
        """Write the step into the registers, however long they are away: nothing is forgotten.

        Raises:
            ApplicationError: ``Invalid``: the registers know no such region or person.
        """
        try:
            recorded: Recorded = await workflow.execute_local_activity(
                names.RECORD,
                step.model_copy(update={"run": workflow.info().first_execution_run_id}),
                result_type=Recorded,
                start_to_close_timeout=timedelta(seconds=15),
                # Long waits become timers: a workflow task that waits costs history all the time.
                local_retry_threshold=timedelta(seconds=5),
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(milliseconds=200),
                    maximum_interval=timedelta(minutes=1),
                ),
                summary=f"{step.action} by {step.by.id}",
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                raise ApplicationError(
                    error.cause.message, type=error.cause.type, non_retryable=True
                ) from None
            raise
        return recorded

    async def _deliver(self, errand: Errand) -> None:
        """R6: bring the messages out; what no channel takes is handed to a person."""
        if errand.not_before and (wait := errand.not_before - workflow.now()) > timedelta():
            await workflow.sleep(wait, summary=f"until they are at work: {_about(errand)}"[:200])
        try:
            left = await workflow.execute_activity(
                names.DELIVER,
                list(errand.keys),
                result_type=list[str],
                task_queue=names.NOTIFICATIONS,
                schedule_to_close_timeout=errand.give_up_after,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=15),
                retry_policy=RetryPolicy(
                    initial_interval=errand.first_retry, maximum_interval=errand.longest_retry
                ),
                summary=_about(errand),
            )
        except ActivityError:
            left = list(errand.keys)
        async with self._turn:
            if left:
                act = HandOver(by=DESK, messages=tuple(left))
                await self._take_if_due(ActionName.HAND_OVER, act, f"hand_over:{errand.keys[0]}")
            if self._still_answers(errand):
                key = f"replied:{errand.reply}"
                await self._take_if_due(ActionName.REPLIED, Replied(by=DESK), key)

    async def _raise_complaint(self, step: Step) -> None:
        """R21: register what the customer said as an issue of its own. If that cannot be done, the
        GM office is told.
        """
        try:
            number = await workflow.execute_activity(
                names.RAISE_COMPLAINT,
                arising(self._known, step),
                result_type=str,
                schedule_to_close_timeout=timedelta(days=1),
                start_to_close_timeout=timedelta(seconds=20),  # a crash costs no more than that
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
                summary=f"complaint about {self._known.number}",
            )
            raised = ComplaintRaised(by=DESK, number=number)
        except ActivityError as error:
            raised = ComplaintRaised(by=DESK, reason=_reason(error))
        async with self._turn:
            key = f"complaint:{step.seq}"
            await self._take_if_due(ActionName.COMPLAINT_RAISED, raised, key)

    def _still_answers(self, errand: Errand) -> bool:
        """Whether the errand brought the reply the issue waits for, not an earlier generation's."""
        stages = lifecycle.RULES[ActionName.REPLIED].stages
        return self._known.generation == errand.reply and self._known.stage in stages


def _update_id() -> str:
    """What makes a repeated update the same one."""
    update = workflow.current_update_info()
    if update is None:
        raise ApplicationError("people act through updates", type="NotAllowed")
    return update.id


def _reason(error: ActivityError) -> str:
    return getattr(error.cause, "message", "") or str(error.cause or error)


def _about(errand: Errand) -> str:
    return ", ".join(key.split(":", 1)[1] for key in errand.keys)[:200]


def _refusal(refused: Refused) -> ApplicationError:
    return ApplicationError(refused.message, type=refused.type, non_retryable=True)
