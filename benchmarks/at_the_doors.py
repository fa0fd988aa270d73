"""Somebody at the doors of a register that nobody works on: as a program, and at the pages."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx2
import structlog
from fastapi import Response
from pydantic import SecretStr

from domain.vocabulary import Role
from runtime.settings import Settings
from starter.client import Desk
from store import tokens
from store.connection import Pool
from store.tokens import Token
from web.app import build
from web.auth import sessions
from web.auth.identity import PREFIX, digest
from web.serving import doors

_BASE = "http://desk.example"


@asynccontextmanager
async def at_the_doors(
    pool: Pool, url: str, home: Path, role: Role, person: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """Be somebody there, who has a token and is signed in. Only what is read from the register is
    answered: there is no Temporal. Requests are not logged, which would be most of what is printed.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    own = Settings(home=home, calls_per_minute=600_000).model_copy(
        update={"database_url": url, "secret": SecretStr(secrets.token_hex(16))}
    )
    at = doors(Desk(cast("Any", None), pool), pool, own)
    written = PREFIX + secrets.token_urlsafe(32)
    given = Token(id=secrets.token_hex(4), role=role, person=person, created_at=datetime.now(UTC))
    async with pool.acquire() as connection:
        await tokens.create(connection, given, digest(written))
    response = Response()
    sessions.begin(response, at, token=given.id)
    name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
    transport = httpx2.ASGITransport(app=build(at), client=("127.0.0.1", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=_BASE) as http:
        http.headers["Authorization"] = f"Bearer {written}"
        http.cookies.set(name, value)
        yield http
