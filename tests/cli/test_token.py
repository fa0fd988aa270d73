"""`yinuo token` and `yinuo audit`, on the running desk."""

import secrets
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from domain.vocabulary import Role
from store import tokens
from store.tokens import Token
from tests.support.running_desk import RunningDesk, Yinuo
from web.auth.identity import PREFIX, digest


def knock(desk: RunningDesk, token: str) -> httpx2.Response:
    """Ask the doors of the running desk for a list."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{desk.settings.base_url}/issues", headers=headers, trust_env=False)


def test_a_token_is_shown_once_and_lets_its_person_in(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    ran = yinuo(
        "token", "create", "--role", "lead", "--person", "zhou.jianguo", "--label", "tablet"
    )
    assert ran.code == 0, ran.err
    written = ran.out.strip()
    assert written.startswith("yn_")
    assert written not in ran.err
    assert knock(running_desk, written).status_code == 200
    listed = yinuo("token", "list")
    assert "tablet" in listed.out
    assert written not in listed.out


def test_a_revoked_token_lets_nobody_in(yinuo: Yinuo, running_desk: RunningDesk) -> None:
    made = yinuo("token", "create", "--role", "auditor", "--person", "audit.2026", "--json").json
    assert yinuo("token", "revoke", made["id"]).code == 0
    assert knock(running_desk, made["token"]).status_code == 401
    assert yinuo("token", "revoke", made["id"]).code == 3, "once is enough"
    listed = yinuo("token", "list", "--json").json
    assert next(each for each in listed if each["id"] == made["id"])["revoked_at"]


async def test_who_left_the_roster_is_not_let_in_and_nor_is_who_works_as_something_else(
    running_desk: RunningDesk,
) -> None:
    pool, person, written = running_desk.pool, "chen.zhiqiang", PREFIX + secrets.token_hex(16)
    given = Token(
        id=secrets.token_hex(4), role=Role.ENGINEER, person=person, created_at=datetime.now(UTC)
    )
    async with pool.acquire() as connection:
        await tokens.create(connection, given, digest(written))
    changes = ("role = 'lead'", "left_at = now(), shift = 'off'")
    for change in changes:
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"UPDATE members SET {change} WHERE id = $1", person)  # noqa: S608
            assert await tokens.by_digest(connection, digest(written)) is None  # type: ignore[arg-type]
            await transaction.rollback()
    assert await tokens.by_digest(pool, digest(written)) is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--role", "lead", "--person", "nobody"), "nobody is not on the roster; lead is: "),
        (("--role", "lead", "--person", "07"), "07 is agent on the roster; lead is: "),
        (("--role", "system", "--person", "desk"), "system has no token"),
        (("--role", "auditor", "--person", "a", "--expires", "soon"), "soon is neither days"),
        (("--role", "auditor", "--person", "a", "--expires", "2020-01-01"), "is over already"),
        (("--role", "auditor", "--person", "a", "--expires", "9999-12-31"), "neither days"),
        (("--role", "auditor", "--person", "two words"), "person: "),
    ],
)
def test_a_token_that_would_let_nobody_in_is_not_made(
    yinuo: Yinuo, arguments: tuple[str, ...], said: str
) -> None:
    before = len(yinuo("token", "list", "--json").json)
    ran = yinuo("token", "create", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(yinuo("token", "list", "--json").json) == before


def test_a_token_may_end_by_itself(yinuo: Yinuo) -> None:
    made = yinuo(
        *("token", "create", "--role", "intake", "--person", "kiosk", "--expires", "90d", "--json")
    ).json
    ends = datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=89) < ends - datetime.now(UTC) < timedelta(days=91)
    assert f"until {ends:%Y-%m-%d}" in yinuo("token", "list").out


@pytest.fixture
async def seen(running_desk: RunningDesk) -> str:
    """An issue whose customer somebody looked at."""
    await running_desk.pool.execute(
        """
        INSERT INTO door_log (at, person, role, via, address, what, number, outcome)
        VALUES (now(), 'zhou.jianguo', 'lead', 'session', '192.0.2.7', 'see_customer',
                '20200101-07-0001', 'seen')
        """
    )
    return "20200101-07-0001"


def test_the_trail_shows_who_did_what(yinuo: Yinuo, seen: str) -> None:
    assert "zhou.jianguo (lead)" in yinuo("audit", "--number", seen).out
    [entry] = yinuo("audit", "--number", seen, "--json").json
    told = (entry["what"], entry["address"], entry["outcome"])
    assert told == ("see_customer", "192.0.2.7", "seen")
