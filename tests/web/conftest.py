"""The doors of the running desk, knocked at in this process, and tokens for everybody."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx2
import pytest
from fastapi import FastAPI

from domain.vocabulary import Role
from store import tokens
from store.tokens import Token
from tests.support.memory import in_memory
from tests.support.running_desk import RunningDesk, brought_up
from web.app import build
from web.auth.identity import PREFIX, digest
from web.context import Doors
from web.serving import doors as doors_of

BASE = "http://127.0.0.1:8080"

PEOPLE = {
    Role.INTAKE: "web",
    Role.AGENT: "07",
    Role.ENGINEER: "liang.jiahao",
    Role.CLERK: "fan.meiling",
    Role.LEAD: "zhou.jianguo",
    Role.MANAGER: "sun.li",
    Role.GM_OFFICE: "tian.hui",
    Role.AUDITOR: "audit",
}
"""Somebody of the example roster for each role; the first and the last are not on it."""

MakeToken = Callable[..., Awaitable[dict[str, str]]]
"""``await token(Role.AGENT)`` or ``token(Role.LEAD, "somebody")``: the headers to send."""


@pytest.fixture(scope="session")
async def running_desk(
    servers: None, channels: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningDesk]:
    """A desk of the doors' own: hundreds of issues come in at them, and others count theirs."""
    with in_memory(tmp_path_factory.mktemp("doors")) as home:
        async with brought_up(channels, home) as running:
            yield running


@pytest.fixture
def doors(running_desk: RunningDesk) -> Doors:
    own = running_desk.settings
    return doors_of(running_desk.desk, running_desk.pool, own)


@pytest.fixture
def app(doors: Doors) -> FastAPI:
    return build(doors)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
def token(running_desk: RunningDesk) -> MakeToken:
    async def make(role: Role, person: str | None = None) -> dict[str, str]:
        written = PREFIX + secrets.token_urlsafe(32)
        given = Token(
            id=secrets.token_hex(4),
            role=role,
            person=person or PEOPLE[role],
            created_at=datetime.now(UTC),
        )
        async with running_desk.pool.acquire() as connection:
            await tokens.create(connection, given, digest(written))
        return {"Authorization": f"Bearer {written}"}

    return make
