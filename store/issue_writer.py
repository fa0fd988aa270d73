"""The registers' commands: everything one step of an issue writes, inside the caller's transaction.

A step is written once: ``store.beginning`` finds what a first attempt wrote, whatever became of its
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TypeAlias, TypedDict, Unpack

import asyncpg
from pydantic_core import to_json

from domain.issue.actions import Amended, Merged
from domain.issue.common import HANDLING
from domain.issue.consent import PassingOn
from domain.issue.folding import column_of
from domain.issue.forms import ExpertPanel, Form, Party
from domain.issue.intake import Customer, Intake
from domain.issue.state import CallbackRecord, Person
from domain.issue.step import Recorded, Step
from domain.sla.policy import Facts
from domain.sla.promise import Promise
from domain.staff.roster import DeliveryChannel, reached_by
from domain.terms import behaviour_of, is_outside
from domain.vocabulary import Behaviour, Channel, Language, Model, Stage
from store import issue_words
from store.connection import Connection
from store.outbox import Message


class IssueContext(Model):
    """What planning, assignment and wording have to know of an issue, read under a lock.
    ``calendar`` is the one its centre had at registration: that one is in its rulebook. ``agent``
    is empty for what nobody has taken out of a queue (R36).
    """

    number: str
    channel: Channel
    rulebook: str
    facts: Facts
    calendar: str
    department: str
    zone: str
    title: str
    site: str | None
    agent: str
    against: str | None = None
    behaves: Behaviour | None = None
    outside: bool | None = None
    customer_name: str
    phone: str | None
    email: str | None
    language: Language | None = None
    engineer: Person | None = None
    lead: Person | None = None
    redirected: int = 0
    parties: tuple[Party, ...] = ()

    def facts_with(self, step: Step) -> Facts:
        """Say what a policy may ask about the issue once that step is taken."""
        now = {name: getattr(step, name) for name in ("severity", "generation", "first_contact")}
        return self.facts.model_copy(update=now)

    def written_to(self, can_be: bool) -> IssueContext:  # noqa: FBT001
        """Say whether its customer can be written to, by the channels that there are."""
        facts = self.facts.model_copy(update={"in_writing": can_be})
        return self.model_copy(update={"facts": facts})

    @property
    def behaviour(self) -> Behaviour:
        """What is done about an issue of its kind (R37)."""
        return self.behaves or behaviour_of(self.facts.kind)

    @property
    def out_of_scope(self) -> bool:
        """Whether it is not ours to solve (R4)."""
        return is_outside(self.facts.category) if self.outside is None else self.outside

    def told_to(self, party: Party) -> IssueContext:
        """Return the issue as the customer of one is told of it that was merged into it."""
        return self.model_copy(
            update={
                "number": party.number,
                "title": party.title,
                "site": party.site,
                "customer_name": party.name,
                "phone": party.phone,
                "email": party.email,
                "language": party.language,
                "redirected": party.redirected,
            }
        )


class OutOfStep(Exception):
    """The register and the workflow disagree on which step comes next: a defect, or a register that
    was restored; never repaired silently.
    """


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


CASE = """
    SELECT *, (SELECT number FROM issues o WHERE o.id = i.arises_from) AS against, (
        SELECT jsonb_agg(to_jsonb(p) - 'issue_id' ORDER BY since, number)
        FROM issue_parties p WHERE p.issue_id = i.id
    ) AS parties
    FROM issues i WHERE id = $1
"""
"""What ``context`` reads."""


async def case(connection: Connection, issue_id: str) -> IssueContext:
    """Read an issue and lock it until the transaction ends.

    Raises:
        OutOfStep: there is no such issue.
    """
    row = await connection.fetchrow(f"{CASE} FOR UPDATE", issue_id)
    if row is None:
        raise OutOfStep(f"{issue_id} is not in the register")
    return context(row)


def context(row: asyncpg.Record) -> IssueContext:
    """Read what planning, assignment and wording have to know."""
    return IssueContext(
        number=row["number"],
        channel=row["channel"],
        rulebook=row["rulebook"],
        facts=facts(row),
        calendar=row["calendar"],
        department=row["department"],
        zone=row["zone"],
        title=row["title"],
        site=row["site"],
        agent=row["taken_by"] or ("" if row["queue"] else row["agent"]),
        against=row["against"],
        behaves=row["behaves"],
        outside=row["outside"],
        customer_name=row["contact_person"] or row["customer_name"],
        phone=row["phone"],
        email=row["email"],
        language=row["language"],
        engineer=person(row["engineer"], row["engineer_name"]),
        lead=person(row["lead"], row["lead_name"]),
        redirected=row["redirected"],
        parties=tuple(Party(**each) for each in row["parties"] or ()),
    )


def context_of(intake: Intake, *, number: str = "", **found: Unpack[_Found]) -> IssueContext:
    """Say the same of an intake, of which there is no row yet, by what the roster and the rulebook
    say of it.
    """
    return IssueContext(
        number=number,
        channel=intake.channel,
        title=intake.title,
        site=intake.site,
        agent=intake.agent,
        behaves=intake.behaves,
        outside=intake.outside,
        customer_name=intake.customer.contact or intake.customer.name,
        phone=intake.customer.phone,
        email=intake.customer.email,
        language=intake.customer.language,
        **found,
    )


class _Found(TypedDict):
    rulebook: str
    facts: Facts
    calendar: str
    department: str
    zone: str
    against: str | None


async def quotation(connection: Connection, issue_id: str, generation: int) -> dict[str, str]:
    """Return what was offered last, work and amount (R17)."""
    row = await connection.fetchrow(
        "SELECT work, amount::text FROM paid_services WHERE issue_id = $1 AND generation = $2",
        issue_id,
        generation,
    )
    return dict(row) if row else {}


async def answer(connection: Connection, issue_id: str, generation: int) -> str | None:
    """Return what the customer is to be told: the result, or what was found of a complaint that
    has none (R19, R34).
    """
    told: str | None = await connection.fetchval(
        """
        SELECT coalesce(
            (SELECT result FROM handling_forms WHERE issue_id = $1 AND generation = $2),
            (SELECT findings FROM complaint_forms WHERE issue_id = $1))
        """,
        issue_id,
        generation,
    )
    return told


async def number_of(connection: Connection, issue_id: str) -> str | None:
    """Return the number of an issue by its id; None if there is none."""
    number: str | None = await connection.fetchval(
        "SELECT number FROM issues WHERE id = $1", issue_id
    )
    return number


def facts(row: asyncpg.Record) -> Facts:
    """Read what a policy may ask about an issue, as far as its row says it."""
    same = Facts.model_fields.keys() - {"customer", "existing", "in_writing"}
    return Facts(
        customer=row["customer_type"],
        existing=row["customer_existing"],
        **{name: row[name] for name in same},
    )


def whole_facts(row: asyncpg.Record, channels: Sequence[DeliveryChannel]) -> Facts:
    """Read them with what its row does not say: whether its customer can be written to."""
    reached = reached_by(row["phone"], row["email"], channels)
    return facts(row).model_copy(update={"in_writing": reached is not None})


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
        channel=intake.channel,
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
        language=row["language"],
    )


# What a step writes -------------------------------------------------------------------------------


async def write(
    connection: Connection,
    case: IssueContext,
    recorded: Recorded,
    messages: Sequence[Message] = (),
    *,
    intake: Intake | None = None,
) -> None:
    """Write the recorded step in one statement: event, issue, ledger, handling form, callback and
    messages; and what it says into other forms. With its ``intake`` the issue is opened: the issue
    register 《用户问题受理登记表》 (R2).

    Raises:
        OutOfStep: the register's last step is not the one before this.
    """
    step = recorded.step
    issue = _moved_to(case, recorded)
    if intake:
        issue |= _opened(case, recorded, intake)
    statement = _statement(opens=intake is not None, plans_again=step.replan is not None)
    moved = await connection.fetchval(
        statement,
        *map(_json, ([_event(recorded)], [issue], *_papers(case, recorded))),
        _json(messages),
        _released(case, recorded),
        _json(issue_words.of_step(recorded, intake)),
    )
    if not moved:
        raise OutOfStep(f"{step.issue_id}: step {step.seq} does not follow the register's last")
    for form in step.forms:
        await write_form(connection, step.issue_id, form)


async def correct(connection: Connection, step: Step, known: IssueContext) -> IssueContext:
    """Write what a step corrects of customer and machine over what stands there (R44), and return
    the issue as it is by that.
    """
    if not isinstance(act := step.act, Amended):
        return known
    corrections = {column_of(name): said for name, said in act.corrections.items()}
    places = ", ".join(f"{column} = ${n}" for n, column in enumerate(corrections, 3))
    await connection.execute(
        f"UPDATE issues SET redirected = redirected + $2, {places} WHERE id = $1",  # noqa: S608
        *(step.issue_id, int(act.redirects), *corrections.values()),
    )
    return await case(connection, step.issue_id)


async def merge(connection: Connection, step: Step) -> None:
    """Write which issue speaks for one from now on (R6)."""
    if isinstance(act := step.act, Merged) and act.survivor:
        await connection.execute(
            "UPDATE issues SET merged_into = $2 WHERE id = $1", step.issue_id, act.survivor
        )


async def write_event(connection: Connection, recorded: Recorded) -> None:
    """Write what happened, and what became of it, and nothing else; by what was said then the issue
    is found later.
    """
    await connection.execute(_inserted("issue_events", _EVENT, 1), _json([_event(recorded)]))
    await connection.execute("UPDATE issues SET worded = 0 WHERE id = $1", recorded.step.issue_id)


async def write_again(connection: Connection, case: IssueContext, recorded: Recorded) -> None:
    """Write once more what a step writes into ledger and forms, whatever of it is there."""
    step = recorded.step
    papers = _papers(case, recorded)
    await connection.execute(_statement_again(step.replan is not None), *map(_json, papers))
    for form in step.forms:
        await write_form(connection, step.issue_id, form)


_Row: TypeAlias = dict[str, object]

_EVENT = (
    *("issue_id", "seq", "key", "action", "actor", "role", "at", "recorded_at"),
    *("stage_before", "stage", "content", "recorded"),
)
_AS_TOLD = (
    *("source", "reference", "channel", "kind", "category", "product_line", "model"),
    *("serial_number", "site", "region", "title", "description", "agent", "occurred_at"),
    *("reported_at", "ring_seconds", "complex", "agitated", "arises_from", "behaves", "outside"),
    *("consent", "consent_words"),
)
_OPENED = (
    *("id", "run", "number", *_AS_TOLD, "customer_name", "customer_type", "customer_existing"),
    *("organisation", "contact_person", "phone", "email", "language"),
    *("registered_at", "calendar", "zone"),
)
_MOVED = (
    *("seq", "stage", "outcome", "severity", "generation", "escalation_level", "answered"),
    *("department", "centre", "engineer", "engineer_name", "lead", "lead_name", "updated_at"),
    *("closed_at", "rulebook", "first_contact", "worded", "queue", "taken_by"),
    "consent_since",
)
_LIVED = (
    *("due_at", "provisional", "marks", "reached", "outcome", "ended_at"),
    *("paused_at", "pauses", "stops", "consumed", "own_word_at"),
)
"""What becomes of a promise as time goes by."""
_PLANNED = ("attempts", "target", "clock", "calendar", "rulebook", "opens_at")
"""What only planning it again changes."""
_PROMISE = ("issue_id", "kind", "generation", "attempt", "made_at", *_LIVED, *_PLANNED)
_HANDLED = (
    *("engineer", "department", "accepted_at", "expected_at", "resolved_at", "result", "cause"),
    *("fault", "fault_name"),
)
_HANDLING = ("issue_id", "generation", "handed_over_at", *_HANDLED)
_CALLED = ("issue_id", "clerk", "called_at", *CallbackRecord.model_fields)


@cache
def _statement(*, opens: bool, plans_again: bool) -> str:
    """Everything a step writes. Rows are JSON: so the statement is the same however many there are,
    and is prepared once.
    """
    moved = _opening() if opens else _moving()
    return f"""
        WITH event AS ({_inserted("issue_events", _EVENT, 1)}),
        moved AS ({moved} RETURNING 1),
        promised AS ({_promising(plans_again, 3)}),
        handled AS ({_handling(4)}),
        called AS ({_inserted("callback_records", _CALLED, 5)}),
        told AS ({_inserted("outbox", (*Message.model_fields,), 6)} ON CONFLICT (key) DO NOTHING),
        released AS (
            UPDATE members SET idle_since = ($2::text::jsonb #>> '{{0,updated_at}}')::timestamptz
            WHERE id = $7),
        worded AS ({_inserted("issue_words", issue_words.COLUMNS, 8)} ON CONFLICT DO NOTHING)
        SELECT count(*) FROM moved
    """  # noqa: S608  our own text, as in all of these


@cache
def _statement_again(plans_again: bool) -> str:  # noqa: FBT001  a key of the cache
    return f"""
        WITH promised AS ({_promising(plans_again, 1)}), handled AS ({_handling(2)})
        {_inserted("callback_records", _CALLED, 3)} ON CONFLICT DO NOTHING
    """


def _opening() -> str:
    return _inserted("issues", (*_OPENED, *_MOVED), 2)


def _moving() -> str:
    given = {name: f"given.{name}" for name in _MOVED} | {
        # Whoever was found by all words before is so still.
        "worded": "CASE WHEN i.worded = i.seq THEN given.worded ELSE i.worded END",
        "answered": "coalesce(given.answered, i.answered)",
        "queue": "coalesce(given.queue, i.queue)",
        "taken_by": "coalesce(given.taken_by, i.taken_by)",
        "consent_since": "coalesce(given.consent_since, i.consent_since)",
        "closed_at": (
            f"CASE WHEN given.stage = '{Stage.CLOSED}'"
            " THEN coalesce(i.closed_at, given.closed_at) END"
        ),
    }
    changes = ", ".join(f"{name} = {value}" for name, value in given.items())
    return f"""
        UPDATE issues i SET {changes} FROM {_rows("issues", 2)}
        WHERE i.id = given.id AND i.seq = given.seq - 1
    """  # noqa: S608


def _promising(plans_again: bool, place: int) -> str:  # noqa: FBT001
    changing = (*_LIVED, *_PLANNED) if plans_again else _LIVED
    changes = ", ".join(f"{name} = excluded.{name}" for name in changing)
    key = "issue_id, kind, generation, attempt"
    return f"{_inserted('promises', _PROMISE, place)} ON CONFLICT ({key}) DO UPDATE SET {changes}"


def _handling(place: int) -> str:
    """One handling form 《客户问题处理表》 a generation; it travels with the issue (R10, R15)."""
    changes = ", ".join(f"{n} = coalesce(excluded.{n}, handling_forms.{n})" for n in _HANDLED)
    form = _inserted("handling_forms", _HANDLING, place)
    return f"{form} ON CONFLICT (issue_id, generation) DO UPDATE SET {changes}"


def _inserted(table: str, columns: Sequence[str], place: int) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {_rows(table, place)}"  # noqa: S608


def _rows(table: str, place: int) -> str:
    return f"jsonb_populate_recordset(NULL::{table}, ${place}::text::jsonb) AS given"


def _json(rows: object) -> str:
    return to_json(rows, by_alias=False).decode()


def _event(recorded: Recorded) -> _Row:
    step = recorded.step
    return {
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
        "recorded": recorded,
    }


def _opened(case: IssueContext, recorded: Recorded, intake: Intake) -> _Row:
    """What of an issue never changes; nobody is answered with its registration."""
    step, customer = recorded.step, intake.customer
    return {
        "run": step.run,
        "number": case.number,
        **{name: getattr(intake, name) for name in _AS_TOLD},
        "customer_name": customer.name,
        "customer_type": customer.type,
        "customer_existing": customer.existing,
        "organisation": customer.organisation,
        "contact_person": customer.contact,
        "phone": customer.phone,
        "email": customer.email,
        "language": customer.language,
        "registered_at": step.recorded_at,
        "calendar": case.calendar,
        "zone": case.zone,
        "answered": bool(step.answered),
    }


def _moved_to(case: IssueContext, recorded: Recorded) -> _Row:
    """What of an issue a step decides."""
    step = recorded.step
    engineer, lead = _holders(case, recorded)
    stage = step.stage_with(recorded.engineer)
    return {
        "id": step.issue_id,
        "seq": step.seq,
        "stage": stage,
        "outcome": step.outcome,
        "severity": step.severity,
        "generation": step.generation,
        "escalation_level": step.level,
        "answered": step.answered,
        "department": recorded.department,
        "centre": recorded.centre,
        "engineer": engineer.id if engineer else None,
        "engineer_name": engineer.name if engineer else None,
        "lead": lead.id if lead else None,
        "lead_name": lead.name if lead else None,
        "updated_at": step.recorded_at,
        "closed_at": step.at if stage is Stage.CLOSED else None,
        "rulebook": case.rulebook,
        "first_contact": step.first_contact,
        "worded": step.seq,
        "queue": step.queue,
        "taken_by": step.taken_by,
        "consent_since": step.act.consent if isinstance(step.act, PassingOn) else None,
    }


def _holders(case: IssueContext, recorded: Recorded) -> tuple[Person | None, Person | None]:
    """Who has the issue now, and who oversees it."""
    if recorded.step.assignment:
        return recorded.engineer, recorded.lead
    return case.engineer, case.lead


def _released(case: IssueContext, recorded: Recorded) -> str | None:
    """Name whoever has it no more, or nothing to do for it."""
    engineer, _ = _holders(case, recorded)
    kept = case.engineer == engineer and recorded.step.stage_with(recorded.engineer) in HANDLING
    return case.engineer.id if case.engineer and not kept else None


def _papers(
    case: IssueContext, recorded: Recorded
) -> tuple[Sequence[_Row], Sequence[_Row], Sequence[_Row]]:
    """What a step writes into ledger, handling form and callback record."""
    step = recorded.step
    promises = {p.key: p for p in (*step.promises, *recorded.promises)}.values()
    return (
        [_promise(step, case, promise) for promise in promises],
        [] if step.assignment is None and step.handling is None else [_form(case, recorded)],
        [] if step.callback is None else [_call(step, step.callback)],
    )


def _promise(step: Step, case: IssueContext, promise: Promise) -> _Row:
    """A line of the ledger: a promise as it stands now."""
    same = {name: value for name, value in promise if name != "end"}
    return {
        "issue_id": step.issue_id,
        "rulebook": case.rulebook,
        "outcome": promise.end,
        **same,
    }


def _form(case: IssueContext, recorded: Recorded) -> _Row:
    step = recorded.step
    engineer, _ = _holders(case, recorded)
    return {
        "issue_id": step.issue_id,
        "generation": step.generation,
        "handed_over_at": step.recorded_at,
        "engineer": engineer.id if engineer else None,
        "department": recorded.department,
        **dict(step.handling or ()),
    }


def _call(step: Step, callback: CallbackRecord) -> _Row:
    """One line of the callback record 《客户回访记录表》 (R23)."""
    return {
        "issue_id": step.issue_id,
        "clerk": step.by.id,
        "called_at": step.at,
        **dict(callback),
    }


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
        await connection.execute(
            f"INSERT INTO {form.form} ({', '.join(places)}) VALUES ({', '.join(places.values())})",  # noqa: S608
            *key.values(),
            *says.values(),
        )
