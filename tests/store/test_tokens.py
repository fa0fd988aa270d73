"""Whom a token lets in, by the roster as it is now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain.vocabulary import Role
from store import tokens
from store.connection import Pool
from store.tokens import Token
from tests.support.filled import a_person

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


async def given(pool: Pool, id_: str, role: Role, person: str, **more: Any) -> bytes:
    """Write a token, and return its digest."""
    token = Token(id=id_, role=role, person=person, **({"created_at": NOW} | more))
    async with pool.acquire() as connection:
        await tokens.create(connection, token, id_.encode())
    return id_.encode()


async def revoke(pool: Pool, id_: str) -> bool:
    async with pool.acquire() as connection:
        return await tokens.revoke(connection, id_, NOW)


async def test_staff_are_let_in_as_what_the_roster_says_of_them(database: Pool) -> None:
    await a_person(database, "li.na", "李娜")
    digest = await given(database, "t1", Role.ENGINEER, "li.na")
    admitted = await tokens.by_digest(database, digest)
    assert admitted is not None
    assert admitted == await tokens.by_id(database, "t1")
    caller = admitted.caller
    assert (caller.name, caller.role) == ("李娜", Role.ENGINEER)
    assert caller.department == "technical_service"
    signed_in = await tokens.by_person(database, "li.na")
    assert signed_in is not None
    assert (signed_in.caller, signed_in.token) == (caller, None)


@pytest.mark.parametrize("change", ["role = 'lead'", "left_at = now(), shift = 'off'"])
async def test_whoever_left_or_works_as_something_else_is_not_let_in(
    database: Pool, change: str
) -> None:
    await a_person(database, "li.na", "李娜")
    digest = await given(database, "t1", Role.ENGINEER, "li.na")
    await database.execute(f"UPDATE members SET {change}")  # noqa: S608
    assert await tokens.by_digest(database, digest) is None
    assert await tokens.by_id(database, "t1") is None


async def test_who_left_cannot_sign_in_by_the_company_either(database: Pool) -> None:
    await a_person(database, "li.na", "李娜")
    await database.execute("UPDATE members SET left_at = now(), shift = 'off'")
    assert await tokens.by_person(database, "li.na") is None
    assert await tokens.by_person(database, "nobody") is None


async def test_a_system_and_an_auditor_are_on_no_roster(database: Pool) -> None:
    web = await tokens.by_digest(database, await given(database, "t1", Role.INTAKE, "web"))
    assert web is not None
    assert (web.caller.id, web.caller.name, web.caller.department) == ("web", "web", None)
    digest = await given(database, "t2", Role.AUDITOR, "audit", label="外部审计")
    auditor = await tokens.by_digest(database, digest)
    assert auditor is not None
    assert (auditor.caller.role, auditor.caller.name) == (Role.AUDITOR, "外部审计")


async def test_a_revoked_token_lets_nobody_in_and_its_neighbour_still_does(database: Pool) -> None:
    one, other = [await given(database, id_, Role.INTAKE, "web") for id_ in ("t1", "t2")]
    assert await revoke(database, "t1")
    assert not await revoke(database, "t1")
    assert not await revoke(database, "t3")
    assert await tokens.by_digest(database, one) is None
    assert await tokens.by_id(database, "t1") is None
    assert await tokens.by_digest(database, other) is not None


async def test_tokens_are_listed_the_newest_first_without_what_lets_in(database: Pool) -> None:
    until = NOW + timedelta(days=90)
    await given(database, "old", Role.INTAKE, "web", expires_at=until, label="form")
    await given(database, "new", Role.AUDITOR, "audit", created_at=NOW + timedelta(hours=1))
    new, old = await tokens.listed(database)
    assert (new.id, old.id, old.expires_at, old.label) == ("new", "old", until, "form")
    assert "digest" not in Token.model_fields


async def test_no_two_tokens_are_spelt_alike(database: Pool) -> None:
    await given(database, "t1", Role.INTAKE, "web")
    token = Token(id="t2", role=Role.AUDITOR, person="audit", created_at=NOW)
    async with database.acquire() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await tokens.create(connection, token, b"t1")
