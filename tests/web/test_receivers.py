"""`/webhooks`: receivers of events, looked after over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from domain.sla.policy import Webhooks
from domain.vocabulary import Role
from store import door_log, rulebooks, webhooks
from tests.support.gateway import Answer, Then, a_gateway, says
from tests.support.running_desk import RunningDesk
from tests.web.conftest import MakeToken
from web.context import Doors

OUTSIDE = "https://1.1.1.1/yinuo"
"""No name that anybody has to resolve."""
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
async def office(token: MakeToken, http: httpx2.AsyncClient) -> AsyncIterator[dict[str, str]]:
    """What the general manager's office sends; in the end nobody is told any more."""
    headers = await token(Role.GM_OFFICE)
    yield headers
    for each in await receivers(http, headers):
        await http.delete(f"/webhooks/{each['endpoint']['id']}", headers=headers)


async def receivers(http: httpx2.AsyncClient, headers: dict[str, str]) -> list[Any]:
    return list((await http.get("/webhooks", headers=headers)).json()["items"])


async def only(http: httpx2.AsyncClient, headers: dict[str, str]) -> Any:
    (one,) = await receivers(http, headers)
    return one["endpoint"]


async def test_a_receiver_is_added_changed_disabled_enabled_and_forgotten(
    http: httpx2.AsyncClient, office: dict[str, str]
) -> None:
    wanted = {"url": OUTSIDE, "types": ["issue.closed"], "source": "web", "label": "CRM"}
    came = await http.post("/webhooks", json=wanted, headers=office)
    assert (came.status_code, came.headers["cache-control"]) == (201, "no-store")
    added = came.json()
    assert SECRET.fullmatch(added["secret"])
    kept = await only(http, office)
    assert kept == {name: said for name, said in added.items() if name != "secret"}
    assert wanted.items() <= kept.items()

    where = f"/webhooks/{added['id']}"
    for what, state in (("disable", "off"), ("enable", "on")):
        assert (await http.post(f"{where}/{what}", headers=office)).status_code == 204
        assert (await only(http, office))["state"] == state
    other = {"url": "https://1.0.0.1/", "department": "engineering"}
    assert (await http.put(where, json=other, headers=office)).status_code == 204
    changed: dict[str, Any] = {"types": [], "source": None, "label": "", **other}
    assert await only(http, office) == kept | changed

    assert (await http.delete(where, headers=office)).status_code == 204
    assert await receivers(http, office) == []
    for method, path, said in (
        ("PUT", where, other),
        ("POST", f"{where}/rotate", {}),
        ("POST", f"{where}/test", None),
        ("POST", f"{where}/disable", None),
        ("POST", f"{where}/enable", None),
        ("DELETE", where, None),
    ):
        gone = await http.request(method, path, json=said, headers=office)
        assert gone.status_code == 404, path


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ({"url": "https://10.0.0.1/"}, "url", "inside"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url", "inside"),
        ({"url": "https://localhost:8443/"}, "url", "inside"),
        ({"url": "https://2130706433/"}, "url", "inside"),
        ({"url": "http://1.1.1.1/"}, "url", "not encrypted"),
        ({"url": "https://a:b@1.1.1.1/"}, "url", "leave user and password out"),
        ({"url": "gopher://1.1.1.1/"}, "url", "write https://"),
        ({"url": "https://1.1.1.1:25/"}, "url", "port 25"),
        ({"url": OUTSIDE, "types": ["issue.eaten"]}, "types", "there is no issue.eaten"),
        ({"url": OUTSIDE, "source": "two words"}, "source", ""),
        ({"url": OUTSIDE, "label": "\u0000"}, "label", ""),
        ({"url": OUTSIDE, "secret": "whsec_mine"}, "secret", ""),
        ({}, "url", ""),
    ],
)
async def test_what_nothing_may_be_posted_to_is_refused_and_nothing_is_half_made(
    http: httpx2.AsyncClient,
    office: dict[str, str],
    said: dict[str, Any],
    field: str,
    reason: str,
) -> None:
    first = (await http.post("/webhooks", json={"url": OUTSIDE}, headers=office)).json()
    before = await only(http, office)
    for refused in (
        await http.post("/webhooks", json=said, headers=office),
        await http.put(f"/webhooks/{first['id']}", json=said, headers=office),
    ):
        assert refused.status_code == 422
        (wrong,) = refused.json()["errors"]
        assert (wrong["field"], reason in wrong["reason"]) == (field, True), wrong
    assert await only(http, office) == before


@pytest.fixture
async def allowed(running_desk: RunningDesk) -> AsyncIterator[None]:
    """The desk's policy lets it post to this machine."""

    async def adopt(allow: tuple[str, ...]) -> None:
        async with running_desk.pool.acquire() as connection, connection.transaction():
            book = await rulebooks.current(connection)
            assert book
            changed = Webhooks.model_validate({"allow": allow})
            there = book.with_policy(book.policy.model_copy(update={"webhooks": changed}))
            await rulebooks.adopt(connection, there, by="test", note="")

    await adopt(("127.0.0.0/8",))
    yield
    await adopt(())


@pytest.mark.parametrize(
    ("does", "came"),
    [
        (Answer(says(204)), {"taken": True, "status": 204, "said": ""}),
        (Answer(says(401, b"who?")), {"taken": False, "status": 401, "said": "who?"}),
        (Answer(then=Then.RESET), {"taken": False, "status": None}),
    ],
    ids=["takes it", "refuses it", "says nothing"],
)
async def test_a_receiver_is_tried_and_its_answer_told(
    allowed: None,
    http: httpx2.AsyncClient,
    office: dict[str, str],
    does: Answer,
    came: dict[str, Any],
) -> None:
    async with a_gateway() as gateway:
        gateway.answer = lambda _: does
        url = f"http://127.0.0.1:{gateway.port}/"
        # Of an intake system that nobody has: what else happens here is not its.
        said = {"url": url, "source": "nobodys"}
        id_ = (await http.post("/webhooks", json=said, headers=office)).json()["id"]
        tried = await http.post(f"/webhooks/{id_}/test", headers=office)
    assert tried.status_code == 200
    assert came.items() <= tried.json().items()
    assert '"webhook.test"' in gateway.heard[0].body


async def test_while_its_secret_is_changed_both_are_kept_and_neither_is_shown_again(
    doors: Doors, http: httpx2.AsyncClient, office: dict[str, str], running_desk: RunningDesk
) -> None:
    first = (await http.post("/webhooks", json={"url": OUTSIDE}, headers=office)).json()
    path = f"/webhooks/{first['id']}/rotate"
    came = await http.post(path, json={"keep_hours": 2}, headers=office)
    assert (came.status_code, came.headers["cache-control"]) == (200, "no-store")
    assert SECRET.fullmatch(came.json()["secret"])
    async with running_desk.pool.acquire() as connection:
        served = await webhooks.served(connection, first["id"])
    assert served
    assert served.former
    opened = [doors.receivers._sealer.open(each) for each in (served.secret, served.former)]
    assert opened == [came.json()["secret"], first["secret"]]
    assert served.former_until
    lasts = served.former_until - datetime.now(UTC)
    assert timedelta(hours=1) < lasts <= timedelta(hours=2)
    shown = (await http.get("/webhooks", headers=office)).text
    assert not any(secret in shown for secret in (*opened, served.secret, served.former))
    for wrong in ({"keep_hours": -1}, {"keep_hours": 1e9}, {"keep": "24h"}):
        assert (await http.post(path, json=wrong, headers=office)).status_code == 422


async def test_whatever_is_done_with_a_receiver_is_in_the_audit_trail(
    http: httpx2.AsyncClient,
    office: dict[str, str],
    token: MakeToken,
    running_desk: RunningDesk,
) -> None:
    first = (await http.post("/webhooks", json={"url": OUTSIDE}, headers=office)).json()
    where = f"/webhooks/{first['id']}"
    await http.put(where, json={"url": "https://10.0.0.1/"}, headers=office)
    await http.post(f"{where}/rotate", json={}, headers=office)
    assert (await http.delete(where, headers=await token(Role.LEAD))).status_code == 403
    for what in ("disable", "enable"):
        await http.post(f"{where}/{what}", headers=office)
    await http.delete(where, headers=office)
    trail = await door_log.entries(running_desk.pool, number=f"receiver:{first['id']}")
    assert [(each.what, each.role, each.outcome) for each in reversed(trail)] == [
        ("add_receiver", Role.GM_OFFICE, "done"),
        ("change_receiver", Role.GM_OFFICE, "refused: Invalid"),
        ("rotate_secret", Role.GM_OFFICE, "done"),
        ("remove_receiver", Role.LEAD, "refused: NotYours"),
        ("disable_receiver", Role.GM_OFFICE, "done"),
        ("enable_receiver", Role.GM_OFFICE, "done"),
        ("remove_receiver", Role.GM_OFFICE, "done"),
    ]
    assert first["secret"] not in str(trail)
