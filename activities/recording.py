"""Recording a step: number, promises, engineer and messages are found and written at once.

One local activity for every transition, so that an issue's history stays short and its registers
never show half a step.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from temporalio import activity

from activities import names
from activities.addressing import Directory, address
from activities.assigning import assigned, invalid
from activities.guard import Guard
from activities.informing import informed, taught
from domain.intake import Intake
from domain.issue import Recorded, Step
from domain.planning import Planner
from domain.policy import Facts
from domain.promises import Promise
from domain.rulebook import Rulebook
from runtime.signing import Links
from store import outbox, register, roster, standing
from store.register import Case, Connection
from store.rulebooks import Current, Rulebooks


class Recording:
    """The register's activity. What counts is the rulebook adopted last, whoever loaded it.
    ``links`` makes the addresses that go into messages.
    """

    def __init__(self, pool: asyncpg.Pool[Any], links: Links) -> None:
        self._pool = pool
        self._links = links
        self._rulebooks = Rulebooks()
        self._guard = Guard(pool)

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        """Record one step, once: asked again, it answers what it answered before. If another step
        stands in its place, that one is the answer, and nothing is written.

        Raises:
            ApplicationError: ``Invalid`` (not retried) if the step names a region or a person
                that the roster does not have, or a rulebook that counts no more; ``Held`` while
                the register is older than Temporal. Nothing is written then.
        """
        return await self._guard.kept(partial(self._record, step), step)

    async def _record(self, step: Step) -> Recorded:
        async with self._pool.acquire() as connection, connection.transaction():
            await standing.require(connection)
            if before := await register.earlier(connection, step):
                return before
            current = await self._rulebooks.current(connection)
            if step.replan and step.replan != current.version:
                raise invalid(f"version: {step.replan} no longer counts, {current.version} does")
            case = await _case(connection, step, current)
            rulebook = await self._rulebooks.get(connection, case.rulebook)
            people = await roster.members(connection) if step.assignment or step.tell else []
            recorded = await assigned(connection, step, case, people, current)
            recorded = await informed(connection, recorded, rulebook.policy)
            recorded = recorded.model_copy(update={"promises": _planned(step, case, rulebook)})
            channels = await roster.channels(connection) if step.tell else []
            # Who is at work is a fact of today, whatever rulebook the issue was promised under.
            directory = Directory(people, channels, case, recorded, current.rulebook, self._links)
            errands, messages = await address(connection, recorded.step, rulebook.policy, directory)
            recorded = recorded.model_copy(update=errands)
            await register.write(connection, case, recorded)
            await taught(connection, recorded.step)
            await outbox.write(connection, messages)
        return recorded


async def _case(connection: Connection, step: Step, current: Current) -> Case:
    """The issue as the register has it; a new one, or one to be planned again, goes by the rulebook
    that counts now.
    """
    if step.intake is None:
        case = await register.case(connection, step.issue_id)
        return case.model_copy(update={"rulebook": current.version}) if step.replan else case
    case = await _registered(connection, step, step.intake, current)
    await register.open_issue(connection, step, step.intake, case)
    return case


async def _registered(connection: Connection, step: Step, intake: Intake, current: Current) -> Case:
    """R2, R4: the number is allotted, region and category lead to centre and department."""
    centre = await roster.centre_of(connection, intake.region)
    if centre is None:
        known = ", ".join(await roster.regions(connection)) or "none, the roster is empty"
        raise invalid(f"region: no service centre serves {intake.region}; known: {known}")
    against = None
    if intake.arises_from:
        against = await register.number_of(connection, intake.arises_from)
        if against is None:
            raise invalid(f"arises_from: there is no issue {intake.arises_from}")
    policy = current.rulebook.policy
    facts = Facts(
        kind=intake.kind,
        severity=intake.severity,
        category=intake.category,
        product_line=intake.product_line,
        region=intake.region,
        centre=centre.id,
        customer=intake.customer.type,
        existing=intake.customer.existing,
    )
    day = step.recorded_at.astimezone(ZoneInfo(policy.zone)).date()
    return Case(
        number=await register.next_number(connection, day, intake.agent),
        rulebook=current.version,
        facts=facts,
        calendar=centre.calendar,
        department=policy.department(facts),
        zone=centre.zone,
        title=intake.title,
        site=intake.site,
        agent=intake.agent,
        against=against,
        customer_name=intake.customer.contact or intake.customer.name,
        phone=intake.customer.phone,
        email=intake.customer.email,
    )


def _planned(step: Step, case: Case, rulebook: Rulebook) -> tuple[Promise, ...]:
    """R11, R12, R22: new promises from the instant of the step; paused ones run on from it, others
    are planned again (R32). Of those that the step stops or ends it is said what they consumed.
    """
    now = {name: getattr(step, name) for name in ("severity", "generation", "first_contact")}
    facts = case.facts.model_copy(update=now)
    planner = Planner(rulebook, facts, case.calendar)

    def again(promise: Promise) -> Promise:
        if step.resume and promise.running:
            return planner.resume(promise, step.at)
        if step.replan:
            return planner.replan(promise, step.recorded_at)
        return planner.measured(promise)

    made = planner.promised(step.make, step.at, step.attempt)
    changed = (again(promise) for promise in step.promises)
    return tuple(promise for promise in (*made, *changed) if promise not in step.promises)
