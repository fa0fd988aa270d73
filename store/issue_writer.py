"""The registers' commands: everything one step of an issue writes, inside the caller's transaction.

A step is written once: ``earlier`` finds what a first attempt wrote, whatever became of its answer.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg

from domain.issue.common import HANDLING
from domain.issue.forms import ExpertPanel, Form
from domain.issue.intake import Customer, Intake
from domain.issue.state import Person
from domain.issue.step import Recorded, Step
from domain.sla.policy import Facts
from domain.sla.promise import Promise
from domain.vocabulary import Model, Outcome, Stage
from store.connection import Connection


class IssueContext(Model):
    """What planning, assignment and wording have to know of an issue, read under a lock.
    ``calendar`` is the one its centre had at registration: that one is in its rulebook.
    """

    number: str
    rulebook: str
    facts: Facts
    calendar: str
    department: str
    zone: str
    title: str
    site: str | None
    agent: str
    against: str | None = None
    customer_name: str
    phone: str | None
    email: str | None
    engineer: Person | None = None
    lead: Person | None = None


class OutOfStep(Exception):
    """The register and the workflow disagree on which step comes next: a defect, or a register that
    was restored; never repaired silently.
    """


class Before(Model):
    """What was recorded in a step's place before: by the workflow ``run``, in an issue that is
    ``over`` or not.
    """

    recorded: Recorded
    run: str
    outcome: Outcome | None
    over: bool


async def earlier(connection: Connection, step: Step) -> Before | None:
    """Return what was recorded in this step's place before, or None if the place is free.

    That is usually this very step, whose answer was lost. If a crash cut a workflow task off, its
    causes may come again in another order: then it is another step, which the workflow is to catch
    up with first.
    """
    row = await connection.fetchrow(
        """
        SELECT e.recorded, i.run, i.outcome, i.closed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM promises p WHERE p.issue_id = i.id AND p.ended_at IS NULL
        ) AS over
        FROM issue_events e JOIN issues i ON i.id = e.issue_id
        WHERE e.issue_id = $1 AND e.seq = $2
        """,
        step.issue_id,
        step.seq,
    )
    return Before(**row) if row else None


async def adopt(connection: Connection, issue_id: str, run: str) -> None:
    """Let another workflow run take the issue's steps from now on."""
    await connection.execute("UPDATE issues SET run = $2 WHERE id = $1", issue_id, run)


async def next_number(connection: Connection, day: date, agent: str) -> str:
    """Allot the next issue number of that agent and local day, without gaps (vocabulary);
    after a restore above what a lost register may have given out.
    """
    serial = await connection.fetchval(
        """
        INSERT INTO serials (day, agent, last)
        SELECT $1, $2, 1 + CASE WHEN $1 <= floor_until THEN serial_floor ELSE 0 END FROM standing
        ON CONFLICT (day, agent) DO UPDATE SET last = serials.last + 1
        RETURNING last
        """,
        day,
        agent,
    )
    return f"{day:%Y%m%d}-{agent}-{serial:04d}"


async def open_issue(
    connection: Connection, step: Step, intake: Intake, case: IssueContext
) -> None:
    """Write the issue register 《用户问题受理登记表》 (R2)."""
    row = {
        "id": step.issue_id,
        "run": step.run,
        "number": case.number,
        **intake.model_dump(
            include={
                *("source", "reference", "channel", "kind", "category", "severity"),
                *("product_line", "model", "serial_number", "site", "region", "title"),
                *("description", "agent", "occurred_at", "reported_at"),
                *("ring_seconds", "complex", "arises_from"),
            }
        ),
        "customer_name": intake.customer.name,
        "customer_type": intake.customer.type,
        "customer_existing": intake.customer.existing,
        "organisation": intake.customer.organisation,
        "contact_person": intake.customer.contact,
        "phone": intake.customer.phone,
        "email": intake.customer.email,
        "registered_at": step.recorded_at,
        "rulebook": case.rulebook,
        "centre": case.facts.centre,
        "calendar": case.calendar,
        "department": case.department,
        "zone": case.zone,
        "stage": step.stage,
        "seq": 0,
        "updated_at": step.recorded_at,
    }
    await _insert(connection, "issues", row)


async def case(connection: Connection, issue_id: str) -> IssueContext:
    """Read an issue and lock it until the transaction ends.

    Raises:
        OutOfStep: there is no such issue.
    """
    row = await connection.fetchrow(
        """
        SELECT *, (SELECT number FROM issues o WHERE o.id = i.arises_from) AS against
        FROM issues i WHERE id = $1 FOR UPDATE
        """,
        issue_id,
    )
    if row is None:
        raise OutOfStep(f"{issue_id} is not in the register")
    return IssueContext(
        number=row["number"],
        rulebook=row["rulebook"],
        facts=facts(row),
        calendar=row["calendar"],
        department=row["department"],
        zone=row["zone"],
        title=row["title"],
        site=row["site"],
        agent=row["agent"],
        against=row["against"],
        customer_name=row["contact_person"] or row["customer_name"],
        phone=row["phone"],
        email=row["email"],
        engineer=person(row["engineer"], row["engineer_name"]),
        lead=person(row["lead"], row["lead_name"]),
    )


async def quotation(connection: Connection, issue_id: str, generation: int) -> dict[str, str]:
    """Return what was offered last, work and amount (R17)."""
    row = await connection.fetchrow(
        "SELECT work, amount::text FROM paid_services WHERE issue_id = $1 AND generation = $2",
        issue_id,
        generation,
    )
    return dict(row) if row else {}


async def number_of(connection: Connection, issue_id: str) -> str | None:
    """Return the number of an issue by its id; None if there is none."""
    number: str | None = await connection.fetchval(
        "SELECT number FROM issues WHERE id = $1", issue_id
    )
    return number


def facts(row: asyncpg.Record) -> Facts:
    """Read what a policy may ask about an issue."""
    same = Facts.model_fields.keys() - {"customer", "existing"}
    return Facts(
        customer=row["customer_type"],
        existing=row["customer_existing"],
        **{name: row[name] for name in same},
    )


def facts_of(intake: Intake, centre: str) -> Facts:
    """Say what a policy may ask about an intake, of which there is no row yet."""
    return Facts(
        kind=intake.kind,
        severity=intake.severity,
        category=intake.category,
        product_line=intake.product_line,
        region=intake.region,
        centre=centre,
        customer=intake.customer.type,
        existing=intake.customer.existing,
    )


def person(id_: str | None, name: str | None) -> Person | None:
    """Make a person of two columns."""
    return Person(id=id_, name=name) if id_ and name else None


def customer_of(row: asyncpg.Record) -> Customer:
    """Read whom an issue was promised to."""
    return Customer(
        name=row["customer_name"],
        type=row["customer_type"],
        existing=row["customer_existing"],
        organisation=row["organisation"],
        contact=row["contact_person"],
        phone=row["phone"],
        email=row["email"],
    )


async def write(connection: Connection, case: IssueContext, recorded: Recorded) -> None:
    """Write the recorded step: event, issue, ledger and forms.

    Raises:
        OutOfStep: the register's last step is not the one before this.
    """
    step = recorded.step
    await write_event(connection, step, recorded)
    await _issue(connection, step, case, recorded)
    for promise in {p.key: p for p in (*step.promises, *recorded.promises)}.values():
        await write_promise(connection, step, case, promise)
    await write_handling_form(connection, step, case, recorded)
    await write_callback_record(connection, step)
    for form in step.forms:
        await write_form(connection, step.issue_id, form)


async def write_event(connection: Connection, step: Step, recorded: Recorded) -> None:
    """Write what happened, and what became of it."""
    await _insert(
        connection,
        "issue_events",
        {
            "issue_id": step.issue_id,
            "seq": step.seq,
            "key": step.key,
            "action": step.action,
            "actor": step.by.id,
            "role": step.by.role,
            "at": step.at,
            "recorded_at": step.recorded_at,
            "stage_before": step.stage_before,
            "stage": step.stage_with(recorded.engineer),
            "content": step.content,
            "recorded": recorded.model_dump(mode="json"),
        },
    )


async def _issue(
    connection: Connection, step: Step, case: IssueContext, recorded: Recorded
) -> None:
    engineer = recorded.engineer if step.assignment else case.engineer
    lead = recorded.lead if step.assignment else case.lead
    stage = step.stage_with(recorded.engineer)
    moved = await connection.execute(
        """
        UPDATE issues SET seq = $2, stage = $3, outcome = $4, severity = $5, generation = $6,
            escalation_level = $7, answered = coalesce($8, answered), department = $9, centre = $10,
            engineer = $11, engineer_name = $12, lead = $13, lead_name = $14, updated_at = $15,
            closed_at = CASE WHEN $19 THEN coalesce(closed_at, $16) END, rulebook = $17,
            first_contact = $18
        WHERE id = $1 AND seq = $2 - 1
        """,
        step.issue_id,
        step.seq,
        stage,
        step.outcome,
        step.severity,
        step.generation,
        step.level,
        step.answered,
        recorded.department,
        recorded.centre,
        engineer.id if engineer else None,
        engineer.name if engineer else None,
        lead.id if lead else None,
        lead.name if lead else None,
        step.recorded_at,
        step.at,
        case.rulebook,
        step.first_contact,
        stage is Stage.CLOSED,
    )
    if moved != "UPDATE 1":
        raise OutOfStep(f"{step.issue_id}: step {step.seq} does not follow the register's last")
    released = case.engineer if case.engineer != engineer or stage not in HANDLING else None
    if released:
        await connection.execute(
            "UPDATE members SET idle_since = $2 WHERE id = $1", released.id, step.recorded_at
        )


_LIVED = frozenset(
    {
        *("due_at", "provisional", "marks", "reached", "outcome", "ended_at"),
        *("paused_at", "pauses", "stops", "consumed"),
    }
)
"""What becomes of a promise as time goes by."""
_PLANNED = frozenset({"attempts", "target", "clock", "calendar", "rulebook", "opens_at"})
"""What only planning it again changes."""


async def write_promise(
    connection: Connection, step: Step, case: IssueContext, promise: Promise
) -> None:
    """Write a promise into the ledger, as it stands now."""
    row = {
        "issue_id": step.issue_id,
        "rulebook": case.rulebook,
        "outcome": promise.end,
        **promise.model_dump(exclude={"marks", "stops", "end"}),
        **promise.model_dump(mode="json", include={"marks", "stops"}),
    }
    changing = _LIVED | _PLANNED if step.replan else _LIVED
    await _insert(
        connection,
        "promises",
        row,
        conflict="ON CONFLICT (issue_id, kind, generation, attempt) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in sorted(changing)),
    )


async def write_handling_form(
    connection: Connection, step: Step, case: IssueContext, recorded: Recorded
) -> None:
    """One handling form 《客户问题处理表》 a generation; it travels with the issue (R10, R15)."""
    if step.assignment is None and step.handling is None:
        return
    engineer = recorded.engineer if step.assignment else case.engineer
    row = {
        "issue_id": step.issue_id,
        "generation": step.generation,
        "engineer": engineer.id if engineer else None,
        "department": recorded.department,
        "handed_over_at": step.recorded_at,
        **(step.handling.model_dump() if step.handling else {}),
    }
    kept = ("accepted_at", "expected_at", "resolved_at", "result", "cause")
    changes = [
        f"{name} = coalesce(excluded.{name}, f.{name})"
        for name in ("engineer", "department", *kept)
    ]
    await _insert(
        connection,
        "handling_forms AS f",
        row,
        conflict=f"ON CONFLICT (issue_id, generation) DO UPDATE SET {', '.join(changes)}",
    )


async def write_callback_record(connection: Connection, step: Step, conflict: str = "") -> None:
    """Write one line of the callback record 《客户回访记录表》 (R23)."""
    if step.callback is None:
        return
    await _insert(
        connection,
        "callback_records",
        {
            "issue_id": step.issue_id,
            "clerk": step.by.id,
            "called_at": step.at,
            **step.callback.model_dump(),
        },
        conflict,
    )


async def write_form(connection: Connection, issue_id: str, form: Form) -> None:
    """Write what a step says into a form; what it leaves out stays (R15, R17-R19, R26)."""
    key = {"issue_id": issue_id} | {name: getattr(form, name) for name in form.key}
    says = form.model_dump(exclude={"form", *form.key}, exclude_none=True)
    if isinstance(form, ExpertPanel) and form.experts is not None:
        says["experts"] = list(form.experts)
    places = {name: f"${n}" for n, name in enumerate((*key, *says), 1)}
    updated = await connection.execute(
        f"UPDATE {form.form} SET {', '.join(f'{name} = {places[name]}' for name in says)} "  # noqa: S608
        f"WHERE {' AND '.join(f'{name} = {places[name]}' for name in key)}",
        *key.values(),
        *says.values(),
    )
    if updated == "UPDATE 0":
        await _insert(connection, form.form, key | says)


async def _insert(
    connection: Connection, table: str, row: dict[str, Any], conflict: str = ""
) -> None:
    """Insert one row; table and column names are ours, values always parameters."""
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places}) {conflict}",  # noqa: S608
        *row.values(),
    )
