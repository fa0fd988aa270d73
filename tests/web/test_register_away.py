"""While PostgreSQL is away every door says so, in one way: nothing is lost, ask again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import httpx2
import pytest
from fastapi.routing import APIRoute

from domain.issue.actions import ActionName
from domain.reports.definitions import REPORTS
from domain.staff.access import Reach, Right, reach
from domain.vocabulary import Role
from runtime.embedded.ports import free_ports
from runtime.sealing import Sealer
from starter.attachments import Attachments
from starter.client import Desk
from starter.receivers import Receivers
from starter.registers import Registers
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import sign_in
from tests.web.conftest import BASE
from tests.web.conftest import PEOPLE as STAFF
from web.api.examples import CALLS, EVALUATION, INTAKE, RECEIVER, RESULT, SAID, WORDS
from web.app import ROOMS, build
from web.context import Doors
from web.operations import health, heartbeat
from web.pages import links, signing_in

NUMBER = "20261123-07-0001"
REPORT = REPORTS["effectiveness"]
ELSEWHERE = (health, heartbeat, links, signing_in)
"""They have tests of their own."""
OF_USE_WITHOUT = {
    *(("GET", "/intake"), ("POST", "/intake/customers"), ("POST", "/intake/cases")),
    ("GET", "/evaluate"),
}
"""Whoever is on the telephone is still written down; and any form is seen before it is sent."""
ASKS_LATER = {"/inbound/{name}", "/find"}
"""What is known, or led on, without asking."""
OTHERS_SEND: Mapping[str, Mapping[str, Any]] = {
    "/telephone/calls": CALLS,
    "/evaluations/records": EVALUATION,
    "/opinions/read": {"key": "k"},
    "/opinions/complaint": {"key": "k"},
}


@pytest.fixture
async def away(doors: Doors, running_desk: RunningDesk) -> AsyncIterator[Doors]:
    """Doors that know whom they let in, and nothing else."""
    nowhere = f"postgresql://nobody@127.0.0.1:{free_ports(1)[0]}/yinuo"
    async with asyncpg.create_pool(nowhere, min_size=0) as pool:
        gone = replace(Registers.on(pool), admission=doors.registers.admission)
        attachments = Attachments.on(pool, running_desk.settings)
        desk = Desk(doors.desk.client, pool)
        receivers = Receivers(pool, Sealer(doors.signer))
        yield replace(
            doors, desk=desk, registers=gone, attachments=attachments, receivers=receivers
        )


_FORM = (
    f"number={NUMBER}&choose={NUMBER}&reached=no&reason=x&result=x&name=x&phone=12345&title=x"
    "&region=x&product_line=x&severity=general&kind=fault&category=technical&channel=telephone"
    "&assessor=x&way=paper&project_technical=100&project_attitude=100&key=k&entry=1&counts=yes"
)
"""Enough for every page."""


def asked() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for route in room.router.routes if room not in ELSEWHERE else ():
            assert isinstance(route, APIRoute)
            if route.path.startswith("/l/") or "{attachment}/" in route.path:
                continue  # what is signed says for itself what it opens
            yield from ((method, route.path) for method in sorted(route.methods or ()))


def a_body(path: str) -> dict[str, Any] | None:
    """Return what a program sends; None: it is a page."""
    if path.startswith("/webhooks"):
        return {} if path.endswith("/rotate") else dict(RECEIVER)
    if path in OTHERS_SEND:
        return dict(OTHERS_SEND[path])
    if not path.startswith("/issues"):
        return None
    name = path.rpartition("/")[2]
    known = {"issues": INTAKE, "complete": RESULT, "words": WORDS}
    return dict(known.get(name) or SAID[ActionName(name)])


def _sees_all_without(role: Role, method: str, path: str) -> bool:
    """Say of which pages a role sees what needs no register: only who has a hotline number gets as
    far as that in the intake form, and what waits to be settled is shown to few.
    """
    settles = reach(role, Right.SETTLE_OPINIONS) is not Reach.NONE
    return (path == "/intake" and role is not Role.AGENT) or (
        (method, path) == ("GET", "/evaluations") and not settles
    )


@pytest.mark.parametrize(
    "role", [Role.GM_OFFICE, Role.LEAD, Role.ENGINEER, Role.AGENT, Role.CLERK, Role.AUDITOR]
)
async def test_every_door_says_so_to_whoever_may_come_in(
    doors: Doors, away: Doors, role: Role
) -> None:
    does = {Role.ENGINEER: "resolve", Role.AGENT: "escalate"}.get(role, "reassign")
    transport = httpx2.ASGITransport(app=build(away), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        await sign_in(doors, http, role, STAFF[role])
        (cookie,) = http.cookies.values()
        session = doors.signer.timed("session").loads(cookie)
        form = dict(parse_qsl(_FORM)) | {"csrf": doors.signer.timed("csrf").dumps(session["id"])}
        answered = []
        for method, path in asked():
            where = path.format(
                number=NUMBER,
                action=does,
                name=REPORT.name,
                period="2026-W47",
                section=REPORT.sections[0].key,
                figure=REPORT.sections[0].figures[0],
                letter="0" * 16,
                attachment="0" * 32,
                receiver="0" * 8,
            )
            if method == "GET":
                answer = await http.get(where, params={"q": "x"} if path == "/cases" else {})
            elif path.endswith("/attachments"):
                answer = await http.post(where, params={"name": "a.txt"}, content=b"a log")
            elif path.startswith("/attach/"):
                answer = await http.post(where, data=form, files={"file": ("a.txt", b"a log")})
            elif (body := a_body(path)) is not None:
                answer = await http.request(method, where, json=body)
            else:
                answer = await http.post(where, data=form)
            asks_later = path in ASKS_LATER or _sees_all_without(role, method, path)
            if answer.status_code == 403 or asks_later:
                continue
            if (method, path) in OF_USE_WITHOUT:
                assert answer.status_code == 200, (path, answer.text)
                continue
            answered.append(path)
            assert answer.status_code == 503, (method, path, answer.text)
            assert int(answer.headers["retry-after"]) > 0, path
    assert answered
