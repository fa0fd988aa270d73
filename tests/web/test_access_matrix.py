"""Who may do and see what, role by action, over HTTP: as docs/access.md has it, and no more."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from operator import attrgetter
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from domain.issue.actions import PUBLIC_ACTIONS as ACTIONS
from domain.issue.actions import ActionName, Reassign
from domain.issue.view import IssueView
from domain.reports.definitions import REPORTS, Report
from domain.reports.periods import Cadence, Period
from domain.staff.access import CALLERS, RIGHTS, Caller, Reach, Right, may, reach
from domain.vocabulary import SUPERVISORS, Role
from store import door_log
from tests.support import access_page
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import AtDesk, pool_of, sign_in
from tests.web.conftest import PEOPLE, MakeToken
from tests.web.test_api_opening import an_intake
from tests.web.test_clerk_pages import LEAD, from_shanghai, repaired
from web.api.examples import SAID
from web.app import ROOMS
from web.auth import sessions
from web.auth.identity import signed_in, visitor
from web.context import Doors
from web.pages import agent as agent_pages
from web.pages import issue as issue_page
from web.pages import lead as lead_pages
from web.pages.beside import BESIDE
from web.rendering import checked_form, handles, rooms

_NOWHERE = {"to": "nowhere", "reason": "not theirs"}
BODIES: Mapping[ActionName, dict[str, Any]] = {name: dict(said) for name, said in SAID.items()} | {
    # Nothing moves to another department: who may is asked of all.
    ActionName.TRANSFER: _NOWHERE,
    ActionName.REASSIGN: _NOWHERE,
    # Any expert may advise; only whoever has an issue asks.
    ActionName.CONSULT: {"advice": "measure the voltage first"},
}
"""What is said with each action."""


@dataclass(frozen=True)
class Place:
    """Two issues: one of a web form that Liang Jiahao has, and one of quite other people."""

    http: httpx2.AsyncClient
    desk: RunningDesk
    near: str
    far: str

    async def issue(self, number: str) -> IssueView:
        return await self.desk.desk.show(number)


@pytest.fixture
async def place(http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk) -> Place:
    office = await token(Role.GM_OFFICE)
    near = (await http.post("/issues", json=an_intake(), headers=office)).json()["number"]
    other = an_intake() | {"source": "chat", "kind": "fault", "category": "software"}
    far = (await http.post("/issues", json=other, headers=office)).json()
    said = {"to": PEOPLE[Role.ENGINEER], "reason": "knows the place"}
    answer = await http.post(f"/issues/{near}/reassign", json=said, headers=office)
    assert answer.json()["engineer"]["id"] == PEOPLE[Role.ENGINEER]
    assert far["department"] != answer.json()["department"]
    return Place(http, running_desk, near, far["number"])


def caller_of(role: Role) -> Caller:
    supervises = role in {Role.LEAD, Role.MANAGER}
    department = "technical_service" if supervises else None
    return Caller(id=PEOPLE[role], role=role, name=role, department=department)


def expect(answer: httpx2.Response, *, allowed: bool, about: str) -> None:
    """Whether the stage has a place for it is another matter; whether somebody may is ours."""
    status = HTTPStatus(answer.status_code)
    assert status is not HTTPStatus.UNAUTHORIZED, about
    assert not answer.is_server_error, f"{about}: {answer.text}"
    assert (status is not HTTPStatus.FORBIDDEN) == allowed, f"{about}: {status} {answer.text}"


def test_the_page_shows_the_table_as_it_is() -> None:
    written = access_page.PAGE.read_text("utf-8")
    assert written == access_page.page(), "run `python -m tests.support.access_page`"


OPEN = {
    *("/login", "/login/oidc", "/login/oidc/callback", "/logout"),
    *("/healthz", "/readyz", "/auditz", "/openapi.json"),
    *("/l/{signed}", "/l/{signed}/files"),  # the link says who it is
    "/attachments/{attachment}/{size}",  # its address is a signed one
    "/attachments/{attachment}",  # its address may be a signed one; else who they are, see below
    "/evaluate",  # whoever comes: what they say counts when it is known whose it is
    "/inbound/{name}",  # its mapping file says whose it is, and with which token
}
"""Doors that ask nobody who they are."""


@pytest.mark.parametrize("room", ROOMS, ids=attrgetter("__name__"))
def test_every_other_door_asks_who_is_there_and_every_page_takes_forms_of_ours_only(
    room: ModuleType,
) -> None:
    doors = room.router.routes
    assert doors
    for door in doors:
        assert isinstance(door, APIRoute)
        if door.path in OPEN:
            continue
        asked = set(_asked(door.dependant))
        assert asked & {visitor, signed_in}, door.path
        if signed_in in asked and door.methods != {"GET"}:
            assert checked_form in asked, door.path


def _asked(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _asked(each)


@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_acts_on_the_issues_they_may_act_on_and_on_no_others(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    for name in BODIES:
        for number in (place.near, place.far):
            allowed = may(caller, name, await place.issue(number))
            answer = await place.http.post(
                f"/issues/{number}/{name}", json=BODIES[name], headers=headers
            )
            expect(answer, allowed=allowed, about=f"{role} {name} {number}")


def test_every_action_of_people_is_among_them() -> None:
    assert BODIES.keys() == ACTIONS.keys() - {ActionName.REPLAN}


@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_sees_the_issues_and_customers_they_may_see_and_no_others(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    for number in (place.near, place.far):
        issue = await place.issue(number)
        customers = ("/customer", "/words", "/letters", "/attachments")
        # Which words of a thread are whose to read: test_thread_matrix.
        see = ((Right.SEE, path) for path in ("", "/thread"))
        doors = (*see, *((Right.SEE_CUSTOMER, path) for path in customers))
        for what, path in doors:
            answer = await place.http.get(f"/issues/{number}{path}", headers=headers)
            expect(answer, allowed=may(caller, what, issue), about=f"{role} {what} {number}")


@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_adds_words_to_the_issues_they_may_add_to_and_to_no_others(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    for number in (place.near, place.far):
        allowed = may(caller, Right.ADD_WORDS, await place.issue(number))
        answer = await place.http.post(
            f"/issues/{number}/words", json={"body": f"{role} 补充"}, headers=headers
        )
        expect(answer, allowed=allowed, about=f"{role} adds words to {number}")


@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_attaches_to_and_downloads_from_the_issues_they_may_and_no_others(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    office = await token(Role.GM_OFFICE)
    for number in (place.near, place.far):
        issue, path = await place.issue(number), f"/issues/{number}/attachments?name=a.txt"
        mine = await place.http.post(path, content=f"{role} {number}".encode(), headers=headers)
        expect(mine, allowed=may(caller, Right.ATTACH, issue), about=f"{role} attaches to {number}")
        one = (await place.http.post(path, content=b"theirs", headers=office)).json()["id"]
        found = await place.http.get(f"/attachments/{one}", headers=headers)
        allowed = may(caller, Right.SEE_CUSTOMER, issue)
        expect(found, allowed=allowed, about=f"{role} downloads of {number}")
        assert (b"theirs" in found.content) == allowed


async def test_r22_a_clerk_sees_the_customer_while_the_callback_is_due(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    number = await repaired(doors, {"name": "陈红", "phone": "+86 137 0000 0022"})
    answer = await http.get(f"/issues/{number}/customer", headers=await token(Role.CLERK))
    assert (answer.status_code, answer.json()["name"]) == (200, "陈红")


@pytest.mark.parametrize("role", CALLERS)
async def test_a_list_shows_nobody_more_than_they_may_see(
    place: Place, token: MakeToken, role: Role
) -> None:
    found = await place.http.get("/issues?limit=200", headers=await token(role))
    expect(found, allowed=reach(role, Right.SEE) is not Reach.NONE, about=role)
    issues = [IssueView.model_validate(each) for each in found.json()["items"]]
    assert issues
    assert all(may(caller_of(role), Right.SEE, issue) for issue in issues)


@pytest.mark.parametrize("role", CALLERS)
async def test_who_may_register_an_issue_and_under_which_source(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    headers, reached = await token(role), reach(role, Right.OPEN)
    for source, own in (("web", role is Role.INTAKE), ("chat", False)):
        answer = await http.post("/issues", json=an_intake() | {"source": source}, headers=headers)
        allowed = reached is Reach.ALL or (reached is Reach.OWN and own)
        expect(answer, allowed=allowed, about=f"{role} opens under {source}")


@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize(
    ("what", "path"),
    [
        (Right.SEARCH_CASES, "/cases?q=卡钞"),
        (Right.READ_AUDIT_TRAIL, "/audit"),
        (Right.READ_METRICS, "/metrics"),
        (Right.MANAGE_RECEIVERS, "/webhooks"),
    ],
)
async def test_what_belongs_to_no_issue_is_for_those_who_need_it(
    http: httpx2.AsyncClient, token: MakeToken, role: Role, what: Right, path: str
) -> None:
    answer = await http.get(path, headers=await token(role))
    expect(answer, allowed=reach(role, what) is Reach.ALL, about=f"{role} {what}")


@pytest.mark.parametrize("role", CALLERS)
async def test_r37_whoever_sees_issues_is_told_what_the_desk_calls_its_own(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    answer = await http.get("/vocabulary", headers=await token(role))
    expect(answer, allowed=reach(role, Right.SEE) is not Reach.NONE, about=f"{role} vocabulary")


RECEIVERS = (
    ("POST", "/webhooks"),
    ("PUT", "/webhooks/{receiver}"),
    ("DELETE", "/webhooks/{receiver}"),
    *(
        ("POST", f"/webhooks/{{receiver}}/{what}")
        for what in ("test", "rotate", "disable", "enable")
    ),
)


@pytest.mark.parametrize("role", CALLERS)
async def test_who_else_is_told_of_events_is_decided_by_those_who_may_and_by_nobody_else(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    headers = await token(role)
    for method, path in RECEIVERS:
        where = path.format(receiver="0" * 8)  # nobody's, and nothing may be posted inside
        body = {"keep_hours": 1} if where.endswith("/rotate") else {"url": "http://10.0.0.1/"}
        answer = await http.request(method, where, json=body, headers=headers)
        allowed = reach(role, Right.MANAGE_RECEIVERS) is Reach.ALL
        expect(answer, allowed=allowed, about=f"{role} {method} {path}")
        assert answer.status_code in {403, 404, 422}


@pytest.mark.parametrize("role", CALLERS)
async def test_r45_calls_are_handed_in_by_those_who_may_and_by_nobody_else(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    call = {"id": f"call-{role}", "at": "2026-11-23T01:00:00Z"}
    answer = await http.post("/telephone/calls", json={"calls": [call]}, headers=await token(role))
    allowed = reach(role, Right.RECORD_CALLS) is Reach.ALL
    expect(answer, allowed=allowed, about=f"{role} hands calls in")


@pytest.mark.parametrize("role", CALLERS)
async def test_r41_opinions_are_read_by_those_who_answer_for_the_service(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    headers, which = await token(role), {"key": "callback/issue:web:none/1/1"}
    allowed = reach(role, Right.READ_OPINIONS) is not Reach.NONE
    for method, path, body in (
        ("GET", "/opinions", None),
        ("POST", "/opinions/read", which),
        ("POST", "/opinions/complaint", which),
    ):
        answer = await http.request(method, path, json=body, headers=headers)
        expect(answer, allowed=allowed, about=f"{role} {method} {path}")


@pytest.mark.parametrize("role", CALLERS)
async def test_r26_evaluations_are_written_down_by_those_who_may_about_issues_they_reach(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    scores = [{"item": "project", "technical": 100, "attitude": 100}]
    said = {"way": "paper", "assessor": f"{role} {uuid4().hex}", "scores": scores}
    writes = reach(role, Right.RECORD_OPINIONS) is Reach.ALL
    month = {"unit": "单位", "month": "2026-11", "project": "项目"}
    tried: list[tuple[dict[str, str], bool]] = [(month, writes)]
    for number in (place.near, place.far):
        reached = may(caller, ActionName.EVALUATE, await place.issue(number))
        tried.append(({"number": number}, writes and reached))
    for about, allowed in tried:
        answer = await place.http.post("/evaluations/records", json=said | about, headers=headers)
        expect(answer, allowed=allowed, about=f"{role} writes down a score of {about}")


@dataclass(frozen=True)
class Reader:
    """Somebody at both doors: as a program, and at the pages."""

    http: httpx2.AsyncClient
    headers: Mapping[str, str]
    person: AtDesk

    async def ask(self, path: str, *, allowed: bool) -> str:
        """Ask for the same at both; return all that is said."""
        shown = await self.person.get(path)
        expect(shown, allowed=allowed, about=f"{self.person.person} is shown {path}")
        return shown.text + await self.ask_as_program(path, allowed=allowed)

    async def ask_as_program(self, path: str, *, allowed: bool) -> str:
        told = await self.http.get(path, headers=self.headers)
        expect(told, allowed=allowed, about=f"{self.person.person} is told {path}")
        return told.text

    async def json(self, path: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get(path, headers=self.headers)).json()
        return told


@pytest.mark.parametrize("role", CALLERS)
async def test_r27_each_report_and_figure_is_read_by_its_readers_in_each_form_and_by_nobody_else(
    place: Place, doors: Doors, token: MakeToken, role: Role
) -> None:
    person = await sign_in(doors, place.http, role, PEOPLE[role])
    reader = Reader(place.http, await token(role), person)
    await reader.ask("/reports", allowed=role in RIGHTS[Right.READ_REPORTS])
    listed = (await reader.json("/reports")).get("items", ())
    theirs = {name: each.readers[role] for name, each in REPORTS.items() if role in each.readers}
    assert {each["report"]: each["reach"] for each in listed} == theirs
    today = doors.now().astimezone(doors.settings.zone).date()
    for name, report in REPORTS.items():
        at = f"/reports/{name}/{Period.around(report.cadences[0], today).name}"
        await _reads(reader, report, at, theirs.get(name, Reach.NONE), place)
    if role in RIGHTS[Right.READ_REPORTS]:
        week = Period.around(Cadence.WEEK, today).name
        assert place.near in await reader.ask(
            f"/reports/effectiveness/{week}/all/registered", allowed=True
        )


_OF_OTHERS = "?department=software_development"


async def _reads(reader: Reader, report: Report, at: str, reached: Reach, place: Place) -> None:
    """Ask for a report and for what is behind each of its figures, of one's own and of others; at
    the page, which is one for all figures, for what is behind the first.
    """
    first = {figure: each.key for each in reversed(report.sections) for figure in each.figures}
    reads = reached is not Reach.NONE
    asked = [("", reads)] + [(_OF_OTHERS, False)] * (reached is Reach.DEPARTMENT)
    for query, allowed in asked:
        for path in (f"{at}.xlsx{query}", f"{at}.pdf{query}"):
            await reader.ask_as_program(path, allowed=allowed)
        for figure, section in first.items():
            behind = f"{at}/{section}/{figure}{query}"
            at_pages = allowed and figure == next(iter(first))
            ask = reader.ask if at_pages else reader.ask_as_program
            said = await ask(behind, allowed=allowed)
            assert reached is Reach.ALL or place.far not in said, behind
    await reader.ask(at, allowed=reads)
    await reader.ask(f"{at}{_OF_OTHERS}", allowed=reached is Reach.ALL)
    told = await reader.json(at)
    figures = {each.key for each in report.figures if reads}
    assert {each["figure"] for each in told.get("figures", ())} == figures
    if reached is Reach.DEPARTMENT:
        assert told["counted"]["department"] == "technical_service"


# The pages ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Customers:
    """Issues of three customers whose names are nobody else's: one that Liang Jiahao has, one of
    another department, and one of another department whose callback is due.
    """

    names: Mapping[str, str]
    """Of the customers, by the number of their issue."""
    phones: Mapping[str, str]


@pytest.fixture
async def theirs(doors: Doors) -> Customers:
    async def opened(customer: dict[str, str], **changes: Any) -> str:
        return (await doors.desk.open(from_shanghai(customer, **changes))).number

    names, phones = {}, {}
    other = {"source": "chat", "category": "software"}
    for let, changes in ((opened, {}), (opened, other), (partial(repaired, doors), other)):
        name = f"客户{uuid4().hex[:8]}"
        customer = {"name": name, "phone": f"+86 139 {uuid4().int % 10**8:08}"}
        # Of an agent of its own: the lists of others' tests are not to fill up.
        number = await let(customer, title=f"标题{name}", agent="98", **changes)
        names[number], phones[number] = name, customer["phone"]
    near = next(iter(names))
    knows = Reassign(by=LEAD, to=PEOPLE[Role.ENGINEER], reason="knows the place")
    await doors.desk.act(near, ActionName.REASSIGN, knows)
    return Customers(names, phones)


@dataclass(frozen=True)
class Page:
    """What is asked for at an address of the pages: a right, for each issue that is named there; by
    whom at all, if not by everybody who has it. ``form`` is what is sent.
    """

    method: str
    path: str
    what: Right | ActionName | None
    roles: Collection[Role] = CALLERS
    form: Callable[[str, str], dict[str, Any]] = lambda _number, _phone: {}

    @property
    def door(self) -> tuple[str, str]:
        """The route it stands for."""
        path = self.path
        if self.method == "POST" and "{number}/" in path:
            path = path.rpartition("/")[0] + "/{action}"
        return self.method, path


HANDLERS = [role for role in CALLERS if handles(role)]
AT_PAGES = [role for role in CALLERS if rooms(role)]


def _call(number: str, _: str) -> dict[str, Any]:
    said = {"reached": "yes", "satisfied": "yes", "words": "好的", f"running.{number}": "yes"}
    return {"number": number, "key": uuid4().hex} | said


def _decides(said: str) -> Callable[[str, str], dict[str, Any]]:
    return lambda number, _: {"do": f"{said}:{number}"}


def _half_a_call(number: str, _: str) -> dict[str, Any]:
    return {"number": number, "key": uuid4().hex}


def _acts(
    room: str, names: Collection[ActionName], roles: Collection[Role] = CALLERS
) -> list[Page]:
    """Every action that is taken in a room; ``BODIES`` has the order in which they are tried."""

    def said(action: ActionName) -> dict[str, Any]:
        answers = {True: "yes", False: "no"}
        return {
            k: answers.get(v, v) if isinstance(v, bool) else v for k, v in BODIES[action].items()
        }

    return [
        Page("POST", f"{room}/{{number}}/{name}", name, roles, lambda *_, name=name: said(name))
        for name in BODIES
        if name in names
    ]


PAGES = [
    Page("GET", "/", None),
    Page("GET", "/my", Right.SEE, HANDLERS),
    Page("GET", "/my/{number}", Right.SEE),
    Page("GET", "/board", Right.SEE, SUPERVISORS),
    Page("GET", "/board/{number}", Right.SEE, SUPERVISORS),
    Page("GET", "/board/{number}/colleagues", Right.SEE, SUPERVISORS),
    Page("GET", "/intake", Right.FIND_CUSTOMERS),
    Page("GET", "/intake/{number}", Right.SEE),
    Page("GET", "/why/{number}", Right.SEE),
    Page("GET", "/queue", ActionName.TAKE),
    Page("GET", "/calls", Right.LIST_CALLBACKS),
    Page("GET", "/reading", Right.READ_OPINIONS),
    Page("POST", "/reading", Right.READ_OPINIONS),
    Page("GET", "/reports", Right.READ_REPORTS),
    Page("GET", "/reports/{name}/{period}", Right.READ_REPORTS),
    Page("GET", "/reports/{name}/{period}/{section}/{figure}", Right.READ_REPORTS),
    Page("GET", "/evaluations", Right.RECORD_OPINIONS),
    Page("POST", "/evaluations", Right.RECORD_OPINIONS),
    Page("POST", "/evaluations/settle", Right.SETTLE_OPINIONS),
    Page("POST", "/intake/customers", Right.FIND_CUSTOMERS, form=lambda _, phone: {"phone": phone}),
    Page("POST", "/intake/customer", Right.FIND_CUSTOMERS, form=lambda n, _: {"choose": n}),
    Page(
        *("POST", "/intake/cases", Right.SEARCH_CASES),
        form=lambda n, phone: {"phone": phone, "title": "卡钞", "chosen": n, "product_line": "ATM"},
    ),
    Page("POST", "/intake", Right.OPEN, form=lambda _, phone: {"phone": phone, "title": "卡钞"}),
    Page("POST", "/intake/words/{number}", Right.ADD_WORDS),
    Page("POST", "/calls", ActionName.RECORD_CALLBACK, form=_half_a_call),
    Page("POST", "/calls", ActionName.RECORD_CALLBACK, form=_call),
    Page("GET", "/find", Right.SEE, AT_PAGES),
    Page("POST", "/find", Right.SEE, AT_PAGES, form=lambda _, phone: {"q": phone}),
    Page("GET", "/find", Right.SEE, AT_PAGES),
    Page("GET", "/find/{number}", Right.SEE, AT_PAGES),
    *_acts("/find", (ActionName.ESCALATE,), AT_PAGES),
    Page("GET", "/approvals", Right.SEE, SUPERVISORS),
    *(
        Page("POST", "/approvals", ActionName(each.partition(":")[0]), SUPERVISORS, _decides(each))
        for each in ("approve:yes", "confirm:no", "rate_difficulty:3")
    ),
    Page("POST", "/attach/{number}", Right.ATTACH, tuple(RIGHTS[Right.SEE_CUSTOMER])),
    *_acts("/board", lead_pages._HERE[:-1], SUPERVISORS),
    *_acts("/my", {*issue_page.UP_FRONT, *issue_page.BEHIND} - {ActionName.WITHDRAW}),
    *_acts("/my", BESIDE),
    *_acts("/board", BESIDE, SUPERVISORS),
    *_acts("/intake", BESIDE),
    *_acts("/intake", agent_pages.ON_THE_LINE),
    *_acts("/queue", (ActionName.TAKE,)),
    *_acts("/board", (ActionName.WITHDRAW,), SUPERVISORS),
    *_acts("/my", (ActionName.WITHDRAW,)),
]
"""All doors of the pages. What ends an issue comes last."""
A_REPORT = {
    "name": "effectiveness",
    "period": "2026-W47",
    "section": "all",
    "figure": "registered",
}
NAMED_IN_FORMS = {("POST", "/calls"), ("POST", "/approvals")}
"""Where the form says which issue it is about."""
PER_ACTION = {f"/issues/{{number}}/{name}" for name in BODIES} | {"/issues/{number}/complete"}
PROGRAMS = {
    ("POST", "/issues"),
    ("GET", "/issues"),
    ("GET", "/issues/{number}"),
    ("GET", "/issues/{number}/customer"),
    ("GET", "/issues/{number}/thread"),
    ("GET", "/issues/{number}/words"),
    ("POST", "/issues/{number}/words"),
    ("GET", "/issues/{number}/letters"),
    ("GET", "/issues/{number}/letters/{letter}"),
    ("GET", "/issues/{number}/attachments"),
    ("POST", "/issues/{number}/attachments"),
    ("GET", "/cases"),
    ("GET", "/vocabulary"),
    ("GET", "/events"),
    ("GET", "/audit"),
    ("GET", "/metrics"),
    ("GET", "/webhooks"),
    ("POST", "/telephone/calls"),
    ("POST", "/evaluations/records"),
    *(
        ("GET", f"/reports{path}")
        for path in (
            *("", "/{name}/{period}", "/{name}/{period}/{section}/{figure}"),
            *("/{name}/{period}.xlsx", "/{name}/{period}.pdf"),
        )
    ),
    ("GET", "/opinions"),
    ("POST", "/opinions/read"),
    ("POST", "/opinions/complaint"),
    *RECEIVERS,
    *(("POST", path) for path in PER_ACTION),
}
"""All doors of the HTTP interface: each is in one of the tests above."""


def test_no_door_is_left_out_of_the_tables(app: FastAPI) -> None:
    doors = {
        (method, route.path)
        for room in ROOMS
        for route in room.router.routes
        if isinstance(route, APIRoute) and route.path not in OPEN
        for method in route.methods or ()
    }
    assert doors == {page.door for page in PAGES} | PROGRAMS
    # Nothing comes in but through these rooms, the pages' own files, and the description.
    beside = {getattr(route, "path", None) for route in app.routes} - {path for _, path in doors}
    assert {path for path in beside if path} - OPEN <= {"/static"}


@pytest.mark.parametrize("role", CALLERS)
async def test_no_page_does_or_shows_more_than_its_reader_may_do_and_see(
    doors: Doors, http: httpx2.AsyncClient, theirs: Customers, role: Role
) -> None:
    in_part = itertools.cycle((False, True))  # of every page both, as there are three issues
    person, caller = await sign_in(doors, http, role, PEOPLE[role]), caller_of(role)
    seal = sealed(doors, http)
    for page in PAGES:
        for number in theirs.names:
            # A form that names an issue is about it, wherever it is sent.
            named = "{number}" in page.path or page.door in NAMED_IN_FORMS
            allowed = role in page.roles and (
                page.what is None
                or (named and may(caller, page.what, await doors.desk.show(number)))
                or (not named and reach(role, page.what) is not Reach.NONE)
            )
            path = page.path.format(number=number, **A_REPORT)
            about = f"{role} {page.path} {number}"
            form = page.form(number, theirs.phones[number]) | seal
            if page.method == "POST":
                answer = await person.post(path, form, htmx=next(in_part))
            else:
                answer = await person.get(path)
            expect(answer, allowed=allowed, about=about)
            for shown, name in theirs.names.items():
                titles, all_ = answer.text.count(f"标题{name}"), answer.text.count(name)
                issue = await doors.desk.show(shown) if all_ else None
                if issue and titles:
                    assert may(caller, Right.SEE, issue), f"{about} shows {shown}"
                if issue and all_ > titles:
                    assert may(caller, Right.SEE_CUSTOMER, issue), f"{about} names {shown}"


def sealed(doors: Doors, http: httpx2.AsyncClient) -> dict[str, str]:
    """Return what shows that a form is ours, for whoever is signed in."""
    name, cookie = next(iter(http.cookies.items()))
    scope = {"type": "http", "headers": [(b"cookie", f"{name}={cookie}".encode())]}
    session = sessions.read(Request(scope), doors)
    assert session
    return {"csrf": doors.signer.timed("csrf").dumps(session.id)}


async def test_a_lead_records_no_call_about_another_departments_issue_nor_reads_whom_to_call(
    doors: Doors, http: httpx2.AsyncClient, theirs: Customers
) -> None:
    *_, due = theirs.names
    lead = await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD])
    for form in (_call(due, ""), _half_a_call(due, "")):
        answer = await lead.post("/calls", form | sealed(doors, http))
        assert answer.status_code == 403
        assert theirs.names[due] not in answer.text
    assert (await doors.desk.show(due)).stage != "closed"
    trail = await door_log.entries(pool_of(doors), number=due)
    refused = [(e.person, e.what, e.outcome) for e in trail if e.role is Role.LEAD]
    assert refused == [(lead.person, "record_callback", "refused: NotYours")] * 2


async def test_nobody_is_let_in_without_a_token_or_by_one_made_up(http: httpx2.AsyncClient) -> None:
    said = an_intake(reference=uuid4().hex)
    for headers in ({}, {"Authorization": "Bearer yn_made-up"}, {"Authorization": "Basic eA=="}):
        answer = await http.post("/issues", json=said, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
