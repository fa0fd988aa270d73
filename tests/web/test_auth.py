"""Who is let in, for how long, and what is written down of what they do (R30)."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from domain.staff.access import Right
from domain.vocabulary import Role
from runtime import postgres
from runtime.embedded.servers import database_url
from runtime.signing import Signer
from starter.client import Desk, Unavailable
from starter.registers import Registers
from store import door_log, tokens
from store.connection import Pool
from store.door_log import Entry
from store.tokens import Admitted, Token
from tests.support.staff_at_pages import HTMX, hidden, pool_of, sign_in
from tests.web.conftest import BASE, PEOPLE, MakeToken
from tests.web.test_api_opening import an_intake
from web.app import build
from web.auth import identity, sessions
from web.auth.identity import FRESH, KNOWN, PREFIX, Doorkeeper, digest
from web.context import Doors

PAGE = {"Accept": "text/html"}


async def made(doors: Doors, role: Role = Role.LEAD, **more: Any) -> tuple[str, str]:
    """Make a token, and return it with its id."""
    written, id_ = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(4)
    now = datetime.now(UTC)
    given = Token(id=id_, role=role, person=PEOPLE[role], created_at=now, **more)
    async with pool_of(doors).acquire() as connection:
        await tokens.create(connection, given, digest(written))
    return written, id_


async def revoke(doors: Doors, id_: str) -> None:
    async with pool_of(doors).acquire() as connection:
        assert await tokens.revoke(connection, id_, datetime.now(UTC))


# How long somebody is let in ----------------------------------------------------------------------


@dataclass
class Clock:
    """Goes on when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Watch:
    """A doorkeeper, its clock, and the desk while PostgreSQL is there and while it is away."""

    here: Doors
    away: Doors
    clock: Clock = field(default_factory=Clock)
    keeper: Doorkeeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Doorkeeper(self.clock)

    async def lets_in(self, token: str, *, away: bool = False) -> bool:
        return await self.keeper.by_token(self.away if away else self.here, token) is not None


@pytest.fixture
async def watch(doors: Doors) -> AsyncIterator[Watch]:
    nowhere = "postgresql://yinuo@127.0.0.1:1/yinuo"
    async with postgres.pool(nowhere, size=1, min_size=0) as gone:
        yield Watch(doors, replace(doors, registers=Registers.on(gone)))


async def test_a_revoked_token_counts_a_few_seconds_more_and_then_never_again(watch: Watch) -> None:
    written, id_ = await made(watch.here)
    assert await watch.lets_in(written)
    await revoke(watch.here, id_)
    watch.clock.now += FRESH
    assert await watch.lets_in(written), "it need not be looked up each time"
    watch.clock.now += 0.1
    assert not await watch.lets_in(written)
    with pytest.raises(Unavailable):
        await watch.lets_in(written, away=True)


async def test_a_session_ends_with_its_token(watch: Watch) -> None:
    _, id_ = await made(watch.here)
    session = sessions.Session(id="s", token=id_)
    assert await watch.keeper.by_session(watch.here, session)
    await revoke(watch.here, id_)
    watch.clock.now += FRESH + 0.1
    assert await watch.keeper.by_session(watch.here, session) is None


async def a_session(watch: Watch) -> sessions.Session:
    _, id_ = await made(watch.here)
    return sessions.Session(id=secrets.token_hex(8), token=id_)


async def test_a_session_that_was_ended_lets_nobody_in_at_any_process(watch: Watch) -> None:
    session, elsewhere = await a_session(watch), Doorkeeper(watch.clock)
    for keeper in (watch.keeper, elsewhere):
        assert await keeper.by_session(watch.here, session)
    await watch.keeper.end(watch.here, session)
    for keeper in (watch.keeper, elsewhere, Doorkeeper(watch.clock)):
        assert await keeper.by_session(watch.here, session) is None


async def test_an_ended_session_comes_not_back_to_life_while_postgresql_is_away(
    watch: Watch,
) -> None:
    session, elsewhere = await a_session(watch), Doorkeeper(watch.clock)
    for keeper in (watch.keeper, elsewhere):
        assert await keeper.by_session(watch.here, session)
    await watch.keeper.end(watch.here, session)
    assert await watch.keeper.by_session(watch.away, session) is None
    # Who has not heard of it goes on as long as for a token, and no longer.
    assert await elsewhere.by_session(watch.away, session)
    watch.clock.now += KNOWN + 0.1
    with pytest.raises(Unavailable):
        await elsewhere.by_session(watch.away, session)
    with pytest.raises(Unavailable):
        await Doorkeeper(watch.clock).by_session(watch.away, session)


async def test_a_session_that_ends_while_postgresql_is_away_is_over_everywhere_when_it_is_back(
    watch: Watch,
) -> None:
    session, other, elsewhere = await a_session(watch), await a_session(watch), Doorkeeper()
    assert await watch.keeper.by_session(watch.here, session)
    await watch.keeper.end(watch.away, session)
    assert await watch.keeper.by_session(watch.here, session) is None
    assert await watch.keeper.by_session(watch.here, other), "whoever asks first tells of it"
    assert await elsewhere.by_session(watch.here, session) is None


async def test_ended_sessions_are_forgotten_when_their_cookies_are_over(watch: Watch) -> None:
    first, last = await a_session(watch), await a_session(watch)
    await watch.keeper.end(watch.here, first)
    await pool_of(watch.here).execute(
        "UPDATE ended_sessions SET ended_at = ended_at - $1 * interval '1 second'"
        " WHERE session = $2",
        *(sessions.LASTS + 1.0, first.id),
    )
    watch.clock.now += sessions.LASTS + 1
    await watch.keeper.end(watch.here, last)
    kept = await pool_of(watch.here).fetch(
        "SELECT session FROM ended_sessions WHERE session = ANY($1)", [first.id, last.id]
    )
    assert [row["session"] for row in kept] == [last.id]
    assert list(watch.keeper._ended) == [last.id]


async def test_while_postgresql_is_away_not_every_look_at_a_session_waits_for_it(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await a_session(watch)
    assert await watch.keeper.by_session(watch.here, session)
    asked = []

    async def silent(*_: object) -> None:
        asked.append(1)
        raise OSError

    monkeypatch.setattr("store.ended_sessions.is_over", silent)
    for _ in range(3):
        watch.clock.now += 0.1
        assert await watch.keeper.by_session(watch.here, session)
    assert len(asked) == 1
    watch.clock.now += FRESH
    assert await watch.keeper.by_session(watch.here, session)
    assert len(asked) == 2


async def test_whoever_was_let_in_is_let_in_for_an_hour_while_postgresql_is_away(
    watch: Watch,
) -> None:
    written, _ = await made(watch.here, Role.INTAKE)
    assert await watch.lets_in(written)
    while watch.clock.now <= 1000 + KNOWN - 2 * FRESH:
        watch.clock.now += 2 * FRESH
        assert await watch.lets_in(written, away=True)
    watch.clock.now += 2 * FRESH + 0.1
    with pytest.raises(Unavailable):
        await watch.lets_in(written, away=True)
    assert await watch.lets_in(written), "and at once again when it is back"


async def test_while_postgresql_is_away_a_stranger_is_not_let_in(watch: Watch) -> None:
    written, _ = await made(watch.here)
    with pytest.raises(Unavailable):
        await watch.lets_in(written, away=True)


async def test_a_token_revoked_while_postgresql_was_away_ends_soon_after_it_is_back(
    watch: Watch,
) -> None:
    written, id_ = await made(watch.here)
    assert await watch.lets_in(written)
    watch.clock.now += KNOWN / 2
    assert await watch.lets_in(written, away=True)
    await revoke(watch.here, id_)
    watch.clock.now += FRESH + 0.1
    assert not await watch.lets_in(written)


async def test_a_token_that_is_over_lets_nobody_in_however_well_known(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = datetime.now(UTC) + timedelta(hours=1)
    written, _ = await made(watch.here, expires_at=ends)
    assert await watch.lets_in(written)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return ends.astimezone(tz)

    monkeypatch.setattr(identity, "datetime", Later)
    assert not await watch.lets_in(written)
    assert not await watch.lets_in(written, away=True)


async def test_strangers_cost_no_memory_and_friends_a_limited_one(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_REMEMBERED", 2)
    friends = [(await made(watch.here))[0] for _ in range(3)]
    assert all([await watch.lets_in(friend) for friend in friends])
    for _ in range(5):
        assert not await watch.lets_in(PREFIX + secrets.token_hex(8))
    assert len(watch.keeper._known) == 2
    assert await watch.lets_in(friends[2], away=True)
    with pytest.raises(Unavailable):  # forgotten for the sake of the others
        await watch.lets_in(friends[0], away=True)


async def test_many_at_once_with_one_token_are_looked_up_once(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, _ = await made(watch.here)
    looked, by_digest = [], tokens.by_digest

    async def counted(pool: Any, asked: bytes) -> Admitted | None:
        looked.append(asked)
        return await by_digest(pool, asked)

    monkeypatch.setattr(tokens, "by_digest", counted)
    assert all(await asyncio.gather(*(watch.lets_in(written) for _ in range(50))))
    assert looked == [digest(written)]
    watch.clock.now += FRESH + 0.1
    impatient = asyncio.create_task(watch.lets_in(written))
    others = [asyncio.create_task(watch.lets_in(written)) for _ in range(3)]
    await asyncio.sleep(0)
    impatient.cancel()
    assert all(await asyncio.gather(*others))
    assert len(looked) == 2
    assert impatient.cancelled()


@asynccontextmanager
async def standing_still(pool: Pool, size: int) -> AsyncIterator[None]:
    """Stop what serves a pool in PostgreSQL: it answers nothing, and hears of no cancelling."""
    async with AsyncExitStack() as held:
        connections = [await held.enter_async_context(pool.acquire()) for _ in range(size)]
        servers = [await each.fetchval("SELECT pg_backend_pid()") for each in connections]
    for server in servers:
        os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        for server in servers:
            os.kill(server, signal.SIGCONT)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let nothing wait long from now on: before, a busy machine may need its time."""

    def impatient() -> None:
        for patience in (
            "web.auth.identity._GLANCE",
            "web.audit._PATIENCE",
            "starter.client._GLANCE",
        ):
            monkeypatch.setattr(patience, 0.1)

    return impatient


async def test_a_database_that_stands_still_holds_up_nobody_who_is_known(
    watch: Watch, hurry: Callable[[], None]
) -> None:
    written, _ = await made(watch.here)
    async with postgres.pool(database_url(watch.here.settings), size=1) as pool:
        frozen = replace(watch.here, registers=Registers.on(pool))
        assert await watch.keeper.by_token(frozen, written)
        watch.clock.now += FRESH + 0.1
        async with standing_still(pool, 1):
            hurry()
            assert await watch.keeper.by_token(frozen, written)


async def test_intake_goes_on_while_the_database_stands_still_for_the_doors(
    doors: Doors, token: MakeToken, hurry: Callable[[], None]
) -> None:
    web = await token(Role.INTAKE)
    async with postgres.pool(database_url(doors.settings), size=2, min_size=2) as pool:
        desk = Desk(doors.desk._client, pool)
        transport = httpx2.ASGITransport(
            app=build(replace(doors, registers=Registers.on(pool), desk=desk))
        )
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            assert (await http.post("/issues", json=an_intake(), headers=web)).status_code == 201
            async with standing_still(pool, 2):
                hurry()
                answer = await http.post("/issues", json=an_intake(), headers=web)
            assert answer.status_code in {201, 202}, answer.text  # its number may be there at once


# Who knocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        *(b"", b"Bearer", b"Bearer ", b"Basic eA==", b"yn_x", b"Bearer \xff\xfe\xe4"),
        *(b"Bearer two words", b"Bearer,Bearer", b"bearer " + b"x" * 5000, b'Digest a="b"'),
    ],
)
async def test_whatever_is_no_token_is_told_how_to_get_one(
    http: httpx2.AsyncClient, given: bytes
) -> None:
    answer = await http.get("/issues", headers=[(b"Authorization", given)])
    assert (answer.status_code, answer.json()["status"]) == (401, 401)
    assert answer.headers["www-authenticate"] == 'Bearer realm="yinuo"'
    assert "yinuo token create" in answer.text or "unknown, revoked or expired" in answer.text


@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_what_is_no_text_at_all_is_no_token_and_no_form_of_ours(
    doors: Doors, http: httpx2.AsyncClient, path: str
) -> None:
    await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    half = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n+2AA-\r\n' % name
        for name in (b"token", b"next", b"csrf")
    )
    form = {"Content-Type": "multipart/form-data; boundary=b; charset=utf-7"}
    answer = await http.post(path, content=half + b"--b--\r\n", headers=form)
    assert answer.status_code == {"/login": 401, "/logout": 403}[path]


async def test_an_expired_token_is_none(http: httpx2.AsyncClient, doors: Doors) -> None:
    written, _ = await made(doors, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    bearer = {"Authorization": f"Bearer {written}"}
    assert (await http.get("/issues", headers=bearer)).status_code == 401
    assert (await http.post("/login", data={"token": written})).status_code == 401


@pytest.mark.parametrize("spoilt", ["", "x", "a.b.c", "é中", "{}x", "x{}", "e30.{}"])
async def test_a_cookie_that_is_not_as_we_made_it_is_none(
    doors: Doors, http: httpx2.AsyncClient, spoilt: str
) -> None:
    await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    name, ours = next(iter(http.cookies.items()))
    http.cookies.clear()
    cookie = f"{name}={spoilt.format(ours)}".encode()
    assert (await http.get("/issues", headers=[(b"Cookie", cookie)])).status_code == 401
    page = await http.get("/board", headers=[(b"Cookie", cookie), (b"Accept", b"text/html")])
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/board")


async def test_a_cookie_that_another_house_signed_is_none(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    another = replace(doors, signer=Signer("s" * 32))
    await sign_in(another, http, Role.LEAD, "zhou.jianguo")
    assert (await http.get("/issues")).status_code == 401
    await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    assert (await http.get("/issues")).status_code == 200


async def test_a_session_that_began_before_an_upgrade_goes_on(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    ((name, cookie),) = http.cookies.items()
    begun = doors.signer.timed("session").loads(cookie)
    spelt = urlsafe_b64encode(json.dumps(begun, indent=1).encode())  # padded, as it was once
    http.cookies.set(name, doors.signer.timed("session").make_signer().sign(spelt).decode())
    assert (await http.get("/issues")).status_code == 200


async def test_a_session_ends_with_the_working_day(
    doors: Doors, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    monkeypatch.setattr(sessions, "LASTS", -1)
    assert (await http.get("/issues")).status_code == 401


async def test_a_form_signature_is_no_session(doors: Doors, http: httpx2.AsyncClient) -> None:
    person = await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    csrf = hidden((await person.get("/board")).text)["csrf"]
    name = next(iter(http.cookies))
    http.cookies.clear()
    assert (await http.get("/issues", headers={"Cookie": f"{name}={csrf}"})).status_code == 401


async def test_pages_are_for_people_who_signed_in_not_for_whoever_holds_a_token(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    answer = await http.get("/board", headers={**PAGE, **await token(Role.LEAD)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/board")


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(http: httpx2.AsyncClient) -> None:
    part = await http.get("/board", headers={**PAGE, **HTMX})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login")


async def test_a_form_of_somebody_signed_out_is_not_sent_again_by_signing_in(
    http: httpx2.AsyncClient,
) -> None:
    answer = await http.post("/intake", data={"customer.name": "天河支行"}, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


# What is written down -----------------------------------------------------------------------------

ADDRESS = "192.0.2.7"


@pytest.fixture
async def from_afar(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, client=(ADDRESS, 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def trail(doors: Doors, number: str) -> list[Entry]:
    """Return an issue's trail, the oldest first."""
    return (await door_log.entries(pool_of(doors), number=number))[::-1]


async def test_r30_every_action_and_every_look_leaves_one_row_without_the_customer(
    from_afar: httpx2.AsyncClient, doors: Doors
) -> None:
    written, id_ = await made(doors, Role.GM_OFFICE)
    office = {"Authorization": f"Bearer {written}"}
    said, before = an_intake(), datetime.now(UTC)
    opened = await from_afar.post("/issues", json=said, headers=office)
    place = f"/issues/{opened.json()['number']}"
    await from_afar.post(f"{place}/escalate", json={"reason": "珠江银行很着急"}, headers=office)
    await from_afar.post(f"{place}/survey", json={"findings": "打不开金库"}, headers=office)
    await from_afar.get(f"{place}/customer", headers=office)
    await from_afar.get(place, headers=office)  # holds no customer data, and leaves no row

    rows = await trail(doors, opened.json()["number"])
    assert [(row.what, row.outcome) for row in rows] == [
        (Right.OPEN, "done"),
        ("escalate", "done"),
        ("survey", "refused: NotAllowed"),
        (Right.SEE_CUSTOMER, "seen"),
    ]
    assert {(r.person, r.role, r.via, r.address) for r in rows} == {
        (PEOPLE[Role.GM_OFFICE], Role.GM_OFFICE, f"token {id_}", ADDRESS)
    }
    times = [row.at for row in rows]
    assert before <= times[0] <= times[-1] <= datetime.now(UTC)
    assert times == sorted(times)
    text = " ".join(row.model_dump_json() for row in rows)
    customer = [value for value in said["customer"].values() if isinstance(value, str)]
    for told in (*customer, said["title"], "珠江银行", "打不开金库", written):
        assert told not in text


async def test_who_is_refused_an_action_is_written_down_as_well(
    from_afar: httpx2.AsyncClient, doors: Doors, token: MakeToken
) -> None:
    office, auditor = await token(Role.GM_OFFICE), await token(Role.AUDITOR)
    number = (await from_afar.post("/issues", json=an_intake(), headers=office)).json()["number"]
    answer = await from_afar.post(f"/issues/{number}/accept", json={}, headers=auditor)
    assert answer.status_code == 403
    assert [(row.person, row.what, row.outcome) for row in (await trail(doors, number))[1:]] == [
        ("audit", "accept", "refused: NotYours")
    ]


async def test_signing_in_is_written_down_with_the_token_it_was_done_with(
    from_afar: httpx2.AsyncClient, doors: Doors
) -> None:
    written, id_ = await made(doors)
    await from_afar.post("/login", data={"token": written})
    found = await door_log.entries(pool_of(doors), limit=1000)
    [row] = [row for row in found if row.via == f"token {id_}"]
    assert (row.person, row.what, row.outcome) == ("zhou.jianguo", "sign_in", "done")
    assert row.address == ADDRESS


async def refusals(doors: Doors, since: datetime) -> list[Entry]:
    """Return what was refused since then, the oldest first."""
    found = await door_log.entries(pool_of(doors), limit=1000)
    return [each for each in found if each.at >= since and each.outcome.startswith("refused")][::-1]


async def test_r30_every_refused_look_leaves_one_row(
    from_afar: httpx2.AsyncClient, doors: Doors, token: MakeToken
) -> None:
    office, before = await token(Role.GM_OFFICE), datetime.now(UTC)
    said = an_intake() | {"category": "software"}
    number = (await from_afar.post("/issues", json=said, headers=office)).json()["number"]
    lead, auditor = await token(Role.LEAD), await token(Role.AUDITOR)
    for headers, path in (
        (lead, f"/issues/{number}"),
        (lead, f"/issues/{number}/customer"),
        (auditor, f"/issues/{number}/customer"),
        (lead, "/issues?department=software_development"),
        (lead, "/audit"),
    ):
        assert (await from_afar.get(path, headers=headers)).status_code == 403, path
    page = await sign_in(doors, from_afar, Role.LEAD, "zhou.jianguo")
    for path in (f"/board/{number}", f"/my/{number}", "/board?department=software_development"):
        assert (await page.get(path)).status_code == 403, path
    rows = await refusals(doors, before)
    assert [(each.person, each.what, each.number) for each in rows] == [
        ("zhou.jianguo", "see", number),
        ("zhou.jianguo", "see_customer", number),
        ("audit", "see_customer", number),
        ("zhou.jianguo", "GET /issues", None),
        ("zhou.jianguo", "read_audit_trail", None),
        ("zhou.jianguo", "see", number),
        ("zhou.jianguo", "see", number),
        ("zhou.jianguo", "GET /board", None),
    ]
    assert {(each.outcome, each.address) for each in rows} == {("refused: NotYours", ADDRESS)}


async def test_no_words_of_whoever_asks_get_into_the_trail(
    from_afar: httpx2.AsyncClient, doors: Doors, token: MakeToken
) -> None:
    before, auditor = datetime.now(UTC), await token(Role.AUDITOR)
    odd = {"X-Forwarded-For": "陈红", "User-Agent": "陈红", **auditor}
    written = [(name.encode(), text.encode()) for name, text in odd.items()]
    for path in ("/issues/陈红/customer", "/issues/13800001111/customer"):
        answer = await from_afar.get(path, headers=written)
        assert answer.status_code == 403
    rows = await refusals(doors, before)
    assert [(each.what, each.number, each.address) for each in rows] == [
        ("see_customer", None, ADDRESS)
    ] * 2


@pytest.mark.parametrize("key", ["yn_made-up", "秘密 口令"])
async def test_every_failed_sign_in_leaves_a_row_without_the_key(
    from_afar: httpx2.AsyncClient, doors: Doors, key: str
) -> None:
    before = datetime.now(UTC)
    await from_afar.post("/login", data={"token": key})
    bearer = [(b"Authorization", b"Bearer " + key.encode())]
    await from_afar.get("/issues", headers=bearer)
    await from_afar.post("/login", data={"token": ""})  # nothing was tried
    await from_afar.get("/issues")
    rows = await refusals(doors, before)
    assert [(each.what, each.via, each.outcome) for each in rows] == [
        ("sign_in", "sign-in page", "refused: NotLetIn"),
        ("sign_in", "token", "refused: NotLetIn"),
    ]
    assert {(each.person, each.role, each.address) for each in rows} == {("unknown", None, ADDRESS)}
    assert key not in repr(rows)


async def test_a_flood_of_failures_is_counted_rather_than_written_down(
    app: FastAPI, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, before = time.time(), datetime.now(UTC)
    monkeypatch.setattr(time, "time", lambda: now)  # all in one minute, however slow the machine

    async def guess(address: str, times: int) -> None:
        transport = httpx2.ASGITransport(app=app, client=(address, 5000))
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            for _ in range(times):
                await client.post("/login", data={"token": "yn_made-up"})

    await guess("192.0.2.1", 25)
    assert len(await refusals(doors, before)) == 10
    await guess("192.0.2.2", 1)
    *_, last = await refusals(doors, before)
    assert (last.address, last.outcome) == (
        "192.0.2.2",
        "refused: NotLetIn, after 15 that are not written down",
    )
    for network in range(130):
        await guess(f"198.51.100.{network}", 1)
    assert len(await refusals(doors, before)) == 120
