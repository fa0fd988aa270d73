"""What must not change while files move and Python's own names change, as plain data.

Nothing here needs a server but ``tables``, which asks a migrated database.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from enum import Enum, StrEnum
from functools import cache
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict, cast, get_args, get_origin
from unittest import mock

import asyncpg
import typer.main
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from temporalio import activity, workflow
from temporalio.client import ScheduleActionStartWorkflow

import domain
import worker
from cli.app import app as commands_app
from cli.inbound import PASSWORD
from domain.calendars.national_days import NationalDays
from domain.errors import RefusalType, Refused
from domain.issue.actions import ACTIONS, OPERATION, PUBLIC_ACTIONS, ActionName
from domain.issue.intake import Intake, issue_id
from domain.issue.step import Recorded
from domain.knowledge.cases import Content
from domain.links import OFFERED, PURPOSES, Link, Purpose, mark_of
from domain.reports.counted import Counted
from domain.reports.editions import Change, Enclosed
from domain.scripts import Wording
from domain.sla.clock import Stop
from domain.sla.policy import Policy
from domain.sla.promise import Threshold
from domain.sla.rulebook import Rulebook
from domain.staff.duty import DutyException
from domain.staff.qualification import Examination, KnowledgeTest
from domain.staff.roster import Centre, Certification, Contact, DeliveryChannel, Member
from domain.standing import Epoch
from inbound.files import roster as roster_files
from inbound.mapping import Form
from runtime.embedded.servers import HASTY, EmbeddedPostgres
from runtime.migrate import migrate
from runtime.settings import PREFIX, ROOT, Settings
from runtime.signing import Signer
from starter import prepare
from starter.backup.archive import Manifest
from store.event_log import Position
from store.exports.registers import REGISTERS
from store.issue_list import Place
from tests.frozen.shapes import Keys, shape
from tests.support.builders import DAY, MONDAY, a_promise, an_issue, decided
from tests.support.clock_lives import ENTITLED, SAID
from web.app import build
from web.auth.sessions import Session
from web.context import Doors
from web.operations.metrics import Metrics
from workflows.search_attributes import SEARCH_ATTRIBUTES


class Shape(TypedDict):
    """Of a place and those that are ``also`` so."""

    keys: Keys
    also: list[str]


Shapes: TypeAlias = dict[str, Shape]

_SECRET = "signs what is frozen, and nothing else"  # noqa: S105  a test's
_USUAL = Settings.model_construct(secret=SecretStr(_SECRET))
"""Whatever the environment says."""


class Hosted(NamedTuple):
    """What a worker takes from one task queue."""

    queue: str
    workflows: list[workflow._Definition]
    activities: list[activity._Definition]


@cache
def hosted() -> tuple[Hosted, ...]:
    """Ask the worker what it would host, without a server to host it for."""
    nothing = cast("Any", None)
    with mock.patch.object(worker, "Worker", side_effect=_hosting):
        return cast("tuple[Hosted, ...]", worker.workers(nothing, nothing, _USUAL, nothing))


def _hosting(_: object, *, task_queue: str, **hosts: Any) -> Hosted:
    return Hosted(
        task_queue,
        [workflow._Definition.must_from_class(each) for each in hosts.get("workflows", ())],
        [activity._Definition.must_from_callable(each) for each in hosts.get("activities", ())],
    )


# What travels between processes, and what is kept ------------------------------------------------

_READ_BY_THEMSELVES: Mapping[str, Any] = {
    **{name.value: form for name, form in {**PUBLIC_ACTIONS, **OPERATION}.items()},
    "registered": Intake,
    "IssueWorkflow": Intake,
}
"""What is taken as ``Any``, to be refused by us and not by the SDK: what it is read as."""


def payloads() -> Shapes:
    """The JSON of every argument and answer in Temporal."""
    return _together({place: shape(type_) for place, type_ in _sent()})


def _sent() -> Iterator[tuple[str, Any]]:
    for each in hosted():
        for flow in each.workflows:
            yield from _call(f"workflow {flow.name}", flow.arg_types, flow.ret_type)
            for update in flow.updates.values():
                # Those made of a table are functions of no class: their `self` is counted in.
                said = (update.arg_types or [])[-1:]
                yield from _call(f"update {update.name}", said, update.ret_type)
            for signal in flow.signals.values():
                yield from _call(f"signal {signal.name}", signal.arg_types, None)
            for query in flow.queries.values():
                yield from _call(f"query {query.name}", query.arg_types, query.ret_type)
        for act in each.activities:
            yield from _call(f"activity {act.name}", act.arg_types, act.ret_type)


def _call(what: str, arguments: list[Any] | None, answer: Any) -> Iterator[tuple[str, Any]]:
    for place, type_ in enumerate(arguments or (), start=1):
        name = what.partition(" ")[2]
        yield f"{what}, argument {place}", _READ_BY_THEMSELVES[name] if type_ is Any else type_
    if answer is not None:
        yield f"{what}, answer", answer


COLUMNS: Mapping[str, Any] = {
    "issue_events.content": dict[str, Any],  # in detail: `content`
    "issue_events.recorded": Recorded,
    "members.certified": tuple[Certification, ...],
    "members.contacts": tuple[Contact, ...],
    "members.skills": tuple[str, ...],
    "members.tests": tuple[KnowledgeTest, ...],
    "outbox.encloses": Enclosed,
    "promises.marks": tuple[Threshold, ...],
    "promises.stops": tuple[Stop, ...],
    "quality_samples.population": dict[str, int],
    "rulebooks.body": Rulebook,
    "report_editions.counted": Counted,
    "report_editions.departments": Mapping[str, Counted],
    "report_editions.changes": tuple[Change, ...],
    "wordings.body": Wording,
}
"""What stands in PostgreSQL as JSON."""
ROWS = frozenset({"form_history.was", "known_case_history.said"})
"""JSON that triggers make of whole rows: their keys are those of ``tables``."""


def stored() -> Shapes:
    """The JSON that is kept: in the register, in Temporal's memo, in archives, cookies and URLs."""
    others = {
        "archive manifest.json": Manifest,
        "cookie of a session": Session,
        "cursor of a list": Place,
        "cursor of events": Position,
        "memo epoch of the audit's schedule": Epoch,
    }
    return _together({name: shape(type_) for name, type_ in {**COLUMNS, **others}.items()})


def content() -> dict[str, list[str]]:
    """The keys that each action leaves in ``issue_events.content``."""
    return {
        name: sorted({key for said in _contents(name) for key in said})
        for name in ActionName
        if name is not ActionName.REGISTERED
    }


def _contents(name: ActionName) -> Iterator[Mapping[str, Any]]:
    for stage in sorted(ACTIONS[name].rule.stages):
        for said in SAID[name]:
            with suppress(Refused):
                issue = an_issue(stage)
                yield decided(issue, name, ENTITLED[name], issue.last_at + DAY, **said).content


def files() -> Shapes:
    """The keys of what people and other systems write: policies, rosters, mappings, intakes."""
    written = {
        "a case": Content,
        "a mapping file": Form,
        "a policy": Policy,
        "an intake": Intake,
        "national days": NationalDays,
        roster_files.CENTRES.file: Centre,
        roster_files.PEOPLE.file: Member,
        roster_files.CHANNELS.file: DeliveryChannel,
        roster_files.DUTY.file: DutyException,
        roster_files.EXAMINATIONS.file: Examination,
    }
    return _together({name: shape(type_) for name, type_ in written.items()})


def _together(shapes: Mapping[str, Keys]) -> Shapes:
    """Let places that share a shape stand under the first of them."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for place in sorted(shapes):
        alike[json.dumps(shapes[place])].append(place)
    return {first: Shape(keys=shapes[first], also=others) for first, *others in alike.values()}


# Names -------------------------------------------------------------------------------------------


def contract() -> dict[str, Any]:
    """Every name by which one process, version or system knows what belongs to another."""
    return {
        "queues": {each.queue: _hosts(each) for each in hosted()},
        "schedules": dict(map(_schedule, prepare._SCHEDULES.items())),
        "search attributes": {
            each.name: each.indexed_value_type.name for each in SEARCH_ATTRIBUTES
        },
        "words": sorted({tuple(sorted(map(str, each))) for each in _enumerations()}),
        "patches": sorted({_spelt(call.args[0]) for call in _calls("patched")}),
        "refusals": sorted({*get_args(RefusalType), *_types_of_errors()}),
        "ids and keys": sorted(set(_ids())),
        "id of an issue": issue_id("web", "r-1"),
        "keys of promises": [a_promise(attempt=attempt).key for attempt in (1, 2)],
        "links": {
            purpose: {**terms.model_dump(mode="json", include={"letter", "action", "audience"})}
            for purpose, terms in PURPOSES.items()
        },
        "links in messages": {wording: sorted(links) for wording, links in OFFERED.items()},
        "a signed link": Signer(_SECRET).link(_A_LINK),
        "a signed link of a text message": Signer(_SECRET).brief_link(_A_LINK),
        "metrics": sorted(re.findall(r"(?m)^# TYPE (.+)$", Metrics().exposition(None).decode())),
    }


_A_LINK = Link(
    number="20261123-07-0001",
    purpose=Purpose.TEST,
    person="customer",
    generation=1,
    until=MONDAY,
    mark=mark_of("issue:web:r-1"),
)


def _hosts(each: Hosted) -> dict[str, Any]:
    return {
        "workflows": {
            str(flow.name): {
                "updates": sorted(map(str, flow.updates)),
                "signals": sorted(map(str, flow.signals)),
                "queries": sorted(map(str, flow.queries)),
            }
            for flow in each.workflows
        },
        "activities": sorted(str(act.name) for act in each.activities),
    }


def _schedule(item: tuple[str, Any]) -> tuple[str, dict[str, str]]:
    id_, schedule = item
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    starts = {"workflow": action.workflow, "id": action.id, "queue": action.task_queue}
    return id_, starts


def _enumerations() -> Iterator[type[StrEnum]]:
    for module in walk_packages(domain.__path__, "domain."):
        import_module(module.name)
    yield from (each for each in StrEnum.__subclasses__() if each.__module__.startswith("domain."))


_ID = re.compile(r"[a-z][a-z_-]*[:-]\{\}(:\{\})*")
"""How we spell what names a cause: a word, and what tells it from others of its kind."""


def _ids() -> Iterator[str]:
    """List the forms of ids and keys: of workflows, updates, steps, whoever makes them."""
    for node in _nodes():
        if isinstance(node, ast.JoinedStr) and _ID.fullmatch(spelt := _spelt(node)):
            yield spelt


def _types_of_errors() -> Iterator[str]:
    """List by which types errors are known to whoever waits in another process."""
    for call in _calls("ApplicationError"):
        for each in call.keywords:
            if each.arg == "type" and isinstance(each.value, ast.Constant):
                yield str(each.value.value)


def _calls(name: str) -> Iterator[ast.Call]:
    for node in _nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
            yield node


_TELLING = re.compile(r"""f["'][a-z][a-z_-]*[:-]\{|\.patched\(|ApplicationError\(""")
"""What a file has that is worth a closer look: there are many."""


@cache
def _nodes() -> tuple[ast.AST, ...]:
    rooms = {each.parent for each in ROOT.glob("*/__init__.py")}
    rooms -= {ROOT / "tests", ROOT / "benchmarks"}
    files = (file for room in rooms for file in room.rglob("*.py"))
    sources = (file.read_text(encoding="utf-8") for file in files)
    telling = (source for source in sources if _TELLING.search(source))
    return tuple(node for source in telling for node in ast.walk(ast.parse(source)))


def _spelt(node: ast.expr) -> str:
    """Write a string as it stands in the code, with ``{}`` for what is put in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def exports() -> dict[str, Any]:
    """The columns of every register that is exported, by key."""
    return {
        each.name: {
            "zh": each.zh,
            "en": each.en,
            "columns": {c.key: f"{c.zh} {c.en}: {c.holds.name.lower()}" for c in each.columns},
        }
        for each in REGISTERS.values()
    }


# HTTP, the command line, the environment ---------------------------------------------------------


@cache
def _doors() -> FastAPI:
    nothing = cast("Any", None)
    return build(Doors(*(nothing,) * 6, _USUAL, Signer(_SECRET)))


def routes() -> dict[str, str]:
    """Every method and path, pages included; what programs may ask has the id of its operation."""
    found = {}
    for each in iter_route_contexts(_doors().routes):
        operation = getattr(each, "operation_id", None) or ""
        for method in sorted(getattr(each, "methods", None) or {"*"}):
            found[f"{getattr(each, 'path', '')} {method}"] = operation
    return found


def openapi() -> dict[str, Any]:
    """The document as it is served: names of schemas are names of types in generated clients."""
    return _doors().openapi()


def commands() -> dict[str, Any]:
    """Every command with what it takes, by help."""
    return dict(_commands("yinuo", typer.main.get_command(commands_app)))


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield (
        name,
        {
            "help": cleandoc(command.help or "").splitlines(),
            "takes": dict(map(_parameter, command.params)),
        },
    )
    for word, each in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {word}", each)


def _parameter(each: Any) -> tuple[str, str]:
    said = [_type(each.type_descriptor.annotation)]
    if (least := getattr(each, "min", None)) is not None:
        said.append(f"from {least}")
    if (most := getattr(each, "max", None)) is not None:
        said.append(f"to {most}")
    if each.required:
        said.append("required")
    if each.default is not None:
        said.append(f"default {_plain(each.default)}")
    if each.metavar:
        said.append(each.metavar)
    names = "/".join((*each.opts, *each.secondary_opts))
    return names, f"{', '.join(said)}: {getattr(each, 'help', None) or ''}".removesuffix(": ")


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is list:
        return f"list of {_type(get_args(annotation)[0])}"
    if issubclass(annotation, Enum):
        return " or ".join(str(each.value) for each in annotation)
    return str(annotation.__name__)


def _plain(default: Any) -> str:
    return str(default.value if isinstance(default, Enum) else default)


def settings() -> dict[str, str]:
    """The variables of the environment that the desk reads, with types and defaults."""
    keys = shape(Settings)
    found = {PASSWORD: "string"}
    for name, field in Settings.model_fields.items():
        read, _, _ = keys[str(field.validation_alias or name)].partition("; written: ")
        variable = str(field.validation_alias or PREFIX + name.upper())
        found[variable] = read.replace(str(ROOT), "…")
    return found


# The register ------------------------------------------------------------------------------------

Fetch: TypeAlias = Callable[[str], Awaitable[list[Any]]]

_TABLES = """
    SELECT c.relname AS "table", 'columns' AS what, a.attname AS name,
        format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            || CASE a.attidentity WHEN '' THEN '' ELSE ' IDENTITY' END
            || coalesce(CASE a.attgenerated WHEN '' THEN ' DEFAULT ' ELSE ' GENERATED AS ' END
                        || pg_get_expr(d.adbin, d.adrelid), '') AS said
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT c.relname, 'view', c.relname, pg_get_viewdef(c.oid) FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm')
    UNION ALL
    SELECT conrelid::regclass::text, 'constraints', conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'
    UNION ALL
    SELECT tablename, 'indexes', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT tgrelid::regclass::text, 'triggers', tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal
    UNION ALL
    SELECT '(functions)', 'functions', oid::regprocedure::text, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT '(sequences)', 'sequences', sequencename, data_type::text
    FROM pg_sequences WHERE schemaname = 'public'
"""


async def tables(fetch: Fetch) -> dict[str, Any]:
    """Tables, columns, constraints, indexes, triggers and functions of a migrated database."""
    found: defaultdict[str, Any] = defaultdict(lambda: defaultdict(dict))
    for row in await fetch(_TABLES):
        said = row["said"].rstrip("\n")
        found[row["table"]][row["what"]][row["name"]] = said.split("\n") if "\n" in said else said
    return {table: dict(parts) for table, parts in found.items()}


def migrated_tables() -> dict[str, Any]:
    """Say so of a database that is made for it."""
    return asyncio.run(_migrated_tables())


async def _migrated_tables() -> dict[str, Any]:
    with TemporaryDirectory() as home:
        async with EmbeddedPostgres(Path(home), HASTY) as server:
            await migrate(server.owner_url, server.url)
            connection = await asyncpg.connect(server.owner_url)
            try:
                return await tables(connection.fetch)
            finally:
                await connection.close()


class Subject(NamedTuple):
    """``find`` says how it is in the code; ``may`` when it may be written anew. What is of
    ``shapes`` can be told compatible.
    """

    find: Callable[[], Any]
    may: str
    shapes: bool = False


_KEPT = (
    "Running desks hold it, in histories and registers: it may gain keys that can be left out, and "
    "words; nothing else, ever."
)
_ASKED = (
    "Others go by it: it may gain; what goes or changes needs a reason and a line in CHANGELOG.md."
)
_MIGRATED = "Only a new revision in migrations/ changes it; one that is out is never edited."

SUBJECTS: Mapping[str, Subject] = {
    "payloads": Subject(payloads, _KEPT, shapes=True),
    "stored": Subject(stored, _KEPT, shapes=True),
    "content": Subject(content, _KEPT),
    "contract": Subject(contract, _KEPT),
    "files": Subject(files, _ASKED, shapes=True),
    "exports": Subject(exports, _ASKED),
    "routes": Subject(routes, _ASKED),
    "openapi": Subject(openapi, _ASKED),
    "commands": Subject(commands, _ASKED),
    "settings": Subject(settings, _ASKED),
    "tables": Subject(migrated_tables, _MIGRATED),
}
NEED_A_SERVER = frozenset({"tables"})
"""Their tests stand elsewhere: those in this folder need none."""
