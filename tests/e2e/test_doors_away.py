"""The doors while servers are away: intake goes on without PostgreSQL and is refused in order
without Temporal.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from demo.stage import Theatre, stage
from domain.issue.intake import Intake
from domain.vocabulary import Role
from inbound.files.roster import read_roster
from runtime.settings import ROOT
from store import tokens
from store.tokens import Token
from tests.support.patience import PATIENCE
from web.auth.identity import PREFIX, digest

SOURCE = "web"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    home = tmp_path_factory.mktemp("desk")
    roster = read_roster(ROOT / "examples" / "roster")
    async with stage(home, ROOT / "policies" / "demo.toml", roster, speed=3600) as it:
        yield it


@pytest.fixture(scope="module")
async def http(desk: Theatre) -> AsyncIterator[httpx2.AsyncClient]:
    """An intake system that the doors know."""
    written = PREFIX + secrets.token_urlsafe(32)
    given = Token(id="web", role=Role.INTAKE, person=SOURCE, created_at=datetime.now(UTC))
    async with desk.servers.pool.acquire() as connection:
        await tokens.create(connection, given, digest(written))
    headers = {"Authorization": f"Bearer {written}"}
    async with httpx2.AsyncClient(
        base_url=desk.settings.base_url, headers=headers, timeout=PATIENCE, trust_env=False
    ) as client:
        assert (await client.post("/issues", json=an_intake("known"))).status_code == 201
        yield client


def an_intake(reference: str) -> dict[str, Any]:
    facts = {
        "source": SOURCE,
        "reference": reference,
        "channel": "website",
        "kind": "fault",
        "category": "technical",
        "product_line": "ATM",
        "region": "广东",
        "agent": "07",
        "customer": {"name": "陈红", "phone": "+86 138 0000 0001"},
        "title": "出钞口卡钞",
        "reported_at": datetime.now(UTC),
    }
    return Intake.model_validate(facts).model_dump(mode="json", exclude_unset=True)


async def until(answers: Callable[[], Awaitable[httpx2.Response]], status: int) -> httpx2.Response:
    async with asyncio.timeout(PATIENCE):
        while (answer := await answers()).status_code != status:
            await asyncio.sleep(0.1)
    return answer


async def test_an_intake_is_accepted_without_postgresql_and_its_number_follows(
    desk: Theatre, http: httpx2.AsyncClient
) -> None:
    assert desk.servers.postgres is not None
    intake = an_intake("without-PostgreSQL")
    await desk.servers.postgres.stop()
    try:
        accepted = await http.post("/issues", json=intake)
        ready = await http.get("/readyz")
        looked = await http.get(accepted.headers["location"])
    finally:
        await desk.servers.postgres.start()
    assert accepted.status_code == 202
    assert accepted.json()["number"] is None
    assert ready.status_code == 503
    assert (ready.json()["postgresql"], ready.json()["temporal"]) == (False, True)
    assert (looked.status_code, looked.headers["retry-after"]) == (503, "5")

    found = await until(lambda: http.get(accepted.headers["location"]), 200)
    assert found.json()["reference"] == intake["reference"]
    again = await http.post("/issues", json=intake)
    assert (again.status_code, again.json()["number"]) == (200, found.json()["number"])
    count = "SELECT count(*) FROM issues WHERE reference = $1"
    assert await desk.servers.pool.fetchval(count, intake["reference"]) == 1
    assert (await until(lambda: http.get("/readyz"), 200)).json()["postgresql"] is True


async def test_an_intake_is_refused_without_temporal_and_nothing_is_half_made(
    desk: Theatre, http: httpx2.AsyncClient
) -> None:
    assert desk.servers.temporal is not None
    intake = an_intake("without-Temporal")
    await desk.servers.temporal.stop()
    try:
        begun = time.monotonic()
        refused = await http.post("/issues", json=intake)
        took = time.monotonic() - begun
        ready = await http.get("/readyz")
        listed = await http.get("/issues")
        count = "SELECT count(*) FROM issues WHERE reference = $1"
        assert await desk.servers.pool.fetchval(count, intake["reference"]) == 0
    finally:
        await desk.servers.temporal.start()
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert refused.headers["content-type"] == "application/problem+json"
    assert took < 10
    assert (ready.status_code, ready.json()["temporal"]) == (503, False)
    assert listed.status_code == 200  # to look, PostgreSQL is enough

    made = await until(lambda: http.post("/issues", json=intake), 201)
    assert made.json()["reference"] == intake["reference"]
    assert (await http.post("/issues", json=intake)).json()["number"] == made.json()["number"]


async def test_the_doors_start_without_servers_and_work_when_they_are_there(
    desk: Theatre, http: httpx2.AsyncClient
) -> None:
    servers = desk.servers
    assert servers.postgres is not None
    assert servers.temporal is not None
    assert servers.doors is not None
    intake = an_intake("without-both")
    await servers.postgres.stop()
    await servers.temporal.stop()
    try:
        servers.doors.kill()
        ready = await until(lambda: _or_closed(http.get("/readyz")), 503)
        refused = await http.post("/issues", json=intake)
    finally:
        await servers.postgres.start()
        await servers.temporal.start()
    assert (ready.json()["postgresql"], ready.json()["temporal"]) == (False, False)
    # These doors never saw the token: nobody knows who is asking.
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    await until(lambda: http.get("/readyz"), 200)
    made = await until(lambda: http.post("/issues", json=intake), 201)
    assert made.json()["reference"] == intake["reference"]


async def _or_closed(asking: Awaitable[httpx2.Response]) -> httpx2.Response:
    try:
        return await asking
    except httpx2.TransportError:
        return httpx2.Response(0)
