"""Telling receivers: every event once by its id, in its issue's order, whatever they do."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_network
from typing import Any

import pytest

from activities import telling
from activities.recording import Recording
from activities.telling import Telling, Ways
from activities.webhook_alarm import TEMPLATE, Alarm
from domain.sla.policy import Webhooks
from domain.webhooks import FAILS, NewEndpoint, State, Waiting, key_of, signature
from runtime.outside import Outside
from runtime.sealing import Sealer
from runtime.signing import Signer
from starter.receivers import Receivers
from store import auditing, gauges, standing, webhooks
from store.connection import Pool
from store.event_log import Position
from tests.activities.test_recording import registration
from tests.support.builders import LINKS
from tests.support.gateway import OK, Answer, Gateway, Heard, Then, a_gateway, says
from tests.support.patience import PATIENCE

SEALER = Sealer(Signer("seals the secrets of the tests, and no others"))
HOUR = timedelta(hours=1)
_POLICY = {"allow": ["127.0.0.0/8"], "first_retry": "5s", "longest_retry": "1h"}
POLICY = Webhooks.model_validate({**_POLICY, "answer_within": f"{PATIENCE:g}s"})
IMPATIENT = Webhooks.model_validate({**_POLICY, "answer_within": "0.3s"})


@dataclass
class Clock:
    """Stands still unless a test moves it, except that what is to be tried again is tried soon."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Told:
    """A desk that tells receivers, and who they are."""

    pool: Pool
    recording: Recording
    clock: Clock
    ways: Ways
    receivers: Receivers
    telling: Telling
    registered: int = 0

    async def register(self, reference: str | None = None) -> str:
        """Take one step of a new issue; return the issue's id."""
        self.registered += 1
        step = registration(reference or f"r-{self.registered}")
        return (await self.recording.record_step(step)).step.issue_id

    async def add(self, gateway: Gateway, **wanted: object) -> tuple[str, str]:
        url = f"http://127.0.0.1:{gateway.port}/"
        endpoint, secret = await self.receivers.add(
            NewEndpoint.model_validate({"url": url, **wanted})
        )
        await self.telling.pulse()
        return endpoint.id, secret

    async def of(self, id_: str) -> Waiting:
        return next(each for each in await self.receivers.listed() if each.endpoint.id == id_)

    async def until(self, holds: Callable[[], Awaitable[bool]], *, passing: bool = False) -> None:
        """Wait until something holds; ``passing``: an hour goes by between looks."""
        async with asyncio.timeout(PATIENCE):
            while not await holds():
                await asyncio.sleep(0.02)
                if passing:
                    self.clock.now += HOUR

    async def all_told(
        self, id_: str, gateway: Gateway, events: int, *, passing: bool = False
    ) -> None:
        async def told() -> bool:
            return len(ids(gateway)) >= events and (await self.of(id_)).waiting == 0

        await self.until(told, passing=passing)


def ids(gateway: Gateway) -> set[str]:
    return {each.headers["webhook-id"] for each in gateway.heard}


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LOOK_EVERY", 0.02)


@pytest.fixture
async def told(database: Pool, recording: Recording) -> AsyncIterator[Told]:
    async with _telling(database, recording) as found:
        yield found


@asynccontextmanager
async def _telling(
    database: Pool, recording: Recording, clock: Clock | None = None, policy: Webhooks = POLICY
) -> AsyncIterator[Told]:
    clock = clock or Clock()
    ways = Ways(database, SEALER, Alarm(LINKS), clock)
    made = Telling(ways)

    async def read_policy() -> None:
        ways.policy = policy
        if ways.outside.allow != policy.allow:
            ways.outside = Outside(policy.allow)

    made._read_policy = read_policy  # type: ignore[method-assign]
    receivers = Receivers(database, SEALER)

    @asynccontextmanager
    async def outside() -> AsyncIterator[tuple[Outside, Webhooks]]:
        async with aclosing(Outside(policy.allow)) as found:
            yield found, policy

    receivers._outside = outside  # type: ignore[method-assign]
    try:
        yield Told(database, recording, clock, ways, receivers, made)
    finally:
        await made._stop(made._told)
        await ways.outside.aclose()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with a_gateway() as gateway:
        yield gateway


# What is told -------------------------------------------------------------------------------------


async def test_what_happens_from_now_on_is_told_and_can_be_verified(
    told: Told, gateway: Gateway
) -> None:
    await told.register("before")
    id_, secret = await told.add(gateway)
    await told.register("after")
    await told.all_told(id_, gateway, 1)
    (heard,) = gateway.heard
    event = json.loads(heard.body)
    assert (event["type"], event["data"]["reference"]) == ("issue.registered", "after")
    assert heard.headers["webhook-id"] == event["id"]
    said = f"{event['id']}.{heard.headers['webhook-timestamp']}.{heard.body}".encode()
    mine = hmac.new(key_of(secret), said, sha256).digest()
    assert heard.headers["webhook-signature"] == f"v1,{base64.b64encode(mine).decode()}"
    assert (await told.of(id_)).endpoint.taken_at == told.clock.now


async def test_a_receiver_is_told_of_the_types_and_issues_it_asked_for(
    told: Told, gateway: Gateway
) -> None:
    async with a_gateway() as other, a_gateway() as third:
        ours, _ = await told.add(gateway, source="web", types=("issue.registered",))
        theirs, _ = await told.add(other, source="crm")
        closed, _ = await told.add(third, types=("issue.closed",))
        await told.register()
        await told.all_told(ours, gateway, 1)
        for each in (theirs, closed):
            await told.until(lambda each=each: _passed(told, each))  # type: ignore[misc]
        assert [other.heard, third.heard] == [[], []]


async def _passed(told: Told, id_: str) -> bool:
    async with told.pool.acquire() as connection:
        cursor = await connection.fetchval(
            "SELECT cursor FROM webhook_endpoints WHERE id = $1", id_
        )
        last = await connection.fetchval("SELECT max(turn) FROM issue_events")
    return bool(Position.read(cursor).turn >= last)


async def test_what_waits_for_one_that_moved_is_told_where_it_is_now(
    told: Told, gateway: Gateway
) -> None:
    gateway.answer = lambda _: Answer(says(503))
    id_, secret = await told.add(gateway)
    await told.register()

    async def refused() -> bool:
        return (await told.of(id_)).endpoint.failures > 0

    await told.until(refused)
    async with a_gateway() as other:
        moved = NewEndpoint(url=f"http://127.0.0.1:{other.port}/", types=("issue.closed",))
        await told.receivers.change(id_, moved)
        await told.telling.pulse()
        await told.all_told(id_, other, 1, passing=True)
        (heard,) = other.heard  # it was looked out before it wanted to hear of other types
    at = int(heard.headers["webhook-timestamp"])
    mine = signature(secret, heard.headers["webhook-id"], at, heard.body.encode())
    assert heard.headers["webhook-signature"] == mine
    assert (await told.of(id_)).endpoint.types == ("issue.closed",)


# What receivers do --------------------------------------------------------------------------------


async def test_one_that_fails_hangs_and_lies_gets_every_event_and_each_issues_in_order(
    database: Pool, recording: Recording, gateway: Gateway
) -> None:
    """Each is refused in another way, again and again, before it is accepted."""
    ways = [
        Answer(says(500, b"not today")),
        Answer(then=Then.HANG),
        Answer(says(302, Location="http://169.254.169.254/")),
        Answer(then=Then.RESET),
        Answer(says(429, Retry_After="1")),
        Answer(b"HTTP/1.1 200", Then.CLOSE),
        Answer(says(404)),
        Answer(b"nonsense\r\n\r\n", Then.CLOSE),
    ]
    tried: Counter[str] = Counter()
    taken: list[dict[str, Any]] = []

    def answer(heard: Heard) -> Answer:
        id_ = heard.headers["webhook-id"]
        tried[id_] += 1
        if tried[id_] <= (int(id_[4:], 16) % 4):
            return ways[(int(id_[4:], 16) + tried[id_]) % len(ways)]
        taken.append(json.loads(heard.body))
        return OK

    gateway.answer = answer
    async with _telling(database, recording, policy=IMPATIENT) as told:
        id_, _ = await told.add(gateway)
        issues = [await told.register() for _ in range(12)]
        async with database.acquire() as connection:
            for issue in issues:
                await _more_steps(connection, issue, 4)
        await told.all_told(id_, gateway, 12 * 5, passing=True)
    assert Counter(each["id"] for each in taken) == Counter(ids(gateway)), "each accepted once"
    for issue in issues:
        seqs = [each["data"]["seq"] for each in taken if each["data"]["id"] == issue]
        assert seqs == [1, 2, 3, 4, 5]


async def _more_steps(connection: object, issue: str, steps: int) -> None:
    """Write events of an issue that has one, as if more had been done."""
    for seq in range(2, steps + 2):
        await connection.execute(  # type: ignore[attr-defined]
            """
            INSERT INTO issue_events (issue_id, seq, key, action, actor, role, at, recorded_at,
                stage_before, stage, content, recorded)
            SELECT issue_id, $2::int, $2::int::text, action, actor, role, at, recorded_at,
                stage_before, stage, content, jsonb_set(recorded, '{step,seq}', to_jsonb($2::int))
            FROM issue_events WHERE issue_id = $1 AND seq = 1
            """,
            *(issue, seq),
        )


async def test_one_that_hangs_delays_no_other(told: Told, gateway: Gateway) -> None:
    async with a_gateway() as hanging:
        hanging.answer = lambda _: Answer(then=Then.HANG)
        stuck, _ = await told.add(hanging)
        id_, _ = await told.add(gateway)
        for _ in range(telling.LANES + 3):
            await told.register()
        await told.all_told(id_, gateway, telling.LANES + 3)
        assert len(hanging.heard) <= telling.LANES, "so many at a time and no more"
        assert (await told.of(stuck)).waiting >= telling.LANES, "the rest waits in the log"


async def test_an_event_that_is_refused_holds_up_its_issue_and_no_other(
    told: Told, gateway: Gateway
) -> None:
    poison = await told.register("before")
    async with told.pool.acquire() as connection:
        id_, _ = await told.add(gateway)
        gateway.answer = lambda heard: (
            Answer(says(500)) if json.loads(heard.body)["data"]["id"] == poison else OK
        )
        await _more_steps(connection, poison, 3)
    for _ in range(5):
        await told.register()

    async def others_are() -> bool:
        return len(ids(gateway)) > 5 and (await told.of(id_)).waiting == 3

    await told.until(others_are)
    assert len(ids(gateway)) == 1 + 5, "of the refused issue only the first was tried"


async def test_one_that_takes_nothing_is_left_in_peace_and_tried_by_one_event_alone(
    told: Told, gateway: Gateway
) -> None:
    gateway.answer = lambda _: Answer(says(503))
    id_, _ = await told.add(gateway)
    for _ in range(FAILS):
        await told.register()

    async def rests() -> bool:
        endpoint = (await told.of(id_)).endpoint
        return endpoint.failures >= FAILS and endpoint.rests_until is not None

    await told.until(rests)
    for _ in range(20):
        await told.register()
    before = len(gateway.heard)
    told.clock.now = (await told.of(id_)).endpoint.rests_until or told.clock.now
    told.clock.now += timedelta(seconds=1)

    async def tried_once_more() -> bool:
        return len(gateway.heard) > before and await rests()

    await told.until(tried_once_more)
    assert len(gateway.heard) == before + 1
    gateway.answer = lambda _: OK
    await told.all_told(id_, gateway, FAILS + 20, passing=True)


async def test_one_that_takes_nothing_for_the_policys_days_is_disabled_loudly_and_goes_on_later(
    told: Told, gateway: Gateway
) -> None:
    gateway.answer = lambda _: Answer(says(500))
    id_, _ = await told.add(gateway, label="CRM")
    await told.register()

    async def disabled() -> bool:
        return (await told.of(id_)).endpoint.state is State.FAILED

    begun = told.clock.now
    await told.until(disabled, passing=True)
    assert told.clock.now - begun >= timedelta(days=5)
    found = (await told.of(id_)).endpoint
    assert found.why
    assert "it answered 500" in found.why

    (message,) = await told.pool.fetch("SELECT * FROM outbox WHERE template = $1", TEMPLATE)
    assert message["recipient"] == "tian.hui", "the general manager's office"
    assert "CRM" in message["body"]
    assert f"编号 {id_}" in message["body"]
    assert "请系统管理员恢复发送" in message["body"]
    assert await webhooks.unsaid(told.pool, TEMPLATE) == [message["key"]]
    (finding,) = await auditing.receivers_failed(told.pool)
    assert (finding.kind, finding.about) == ("webhook_failed", id_)
    (gauge,) = (await gauges.read(told.pool)).webhooks
    assert (gauge.what, gauge.state, gauge.count) == (id_, "failed", 1)

    refused = len(gateway.heard)
    gateway.answer = lambda _: OK
    await told.register()
    await told.telling.pulse()
    assert len(gateway.heard) == refused
    await told.receivers.enable(id_)
    await told.telling.pulse()
    await told.all_told(id_, gateway, 2)
    assert await auditing.receivers_failed(told.pool) == []


async def test_one_that_is_gone_is_told_no_more(told: Told, gateway: Gateway) -> None:
    gateway.answer = lambda _: Answer(says(410))
    id_, _ = await told.add(gateway)
    await told.register()

    async def disabled() -> bool:
        return (await told.of(id_)).endpoint.state is State.FAILED

    await told.until(disabled)
    assert len(gateway.heard) == 1
    assert "410" in ((await told.of(id_)).endpoint.why or "")


async def test_one_that_leads_inside_by_now_is_not_posted_to(
    told: Told, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, _ = await told.add(gateway)
    told.ways.outside = Outside(resolve=lambda _host, _port: [_INSIDE])
    await told.register()

    async def failed() -> bool:
        return bool((await told.of(id_)).endpoint.last_error)

    await told.until(failed)
    assert "inside" in str((await told.of(id_)).endpoint.last_error) or "not encrypted" in str(
        (await told.of(id_)).endpoint.last_error
    )
    assert gateway.heard == []


_INSIDE = ip_network("127.0.0.1/32")[0]


# Secrets ------------------------------------------------------------------------------------------


async def test_while_its_secret_is_changed_both_sign_and_then_the_new_one_alone(
    told: Told, gateway: Gateway
) -> None:
    id_, old = await told.add(gateway)
    new = await told.receivers.rotate(id_, timedelta(hours=2))
    await told.telling.pulse()
    await told.register()
    await told.all_told(id_, gateway, 1)
    told.clock.now += timedelta(hours=3)
    await told.register()
    await told.all_told(id_, gateway, 2)
    first, second = (each.headers["webhook-signature"].split(" ") for each in gateway.heard)
    assert (len(first), len(second)) == (2, 1)
    assert old != new


async def test_a_secret_stands_sealed_in_the_register(told: Told, gateway: Gateway) -> None:
    id_, secret = await told.add(gateway)
    async with told.pool.acquire() as connection:
        served = await webhooks.served(connection, id_)
    assert served
    assert secret.removeprefix("whsec_") not in str(
        await told.pool.fetch("TABLE webhook_endpoints")
    )
    assert SEALER.open(served.secret) == secret
    assert served.secret not in repr(served)


async def test_one_whose_secret_nobody_can_open_any_more_is_told_nothing_unsigned(
    told: Told, gateway: Gateway
) -> None:
    id_, _ = await told.add(gateway)
    told.ways.sealer = Sealer(Signer("another desk's secret, with which nothing opens"))
    await told.register()

    async def failed() -> bool:
        return "yinuo webhook rotate" in str((await told.of(id_)).endpoint.last_error)

    await told.until(failed)
    assert gateway.heard == []


# Workers ------------------------------------------------------------------------------------------


async def test_a_receiver_is_told_by_one_worker_and_by_another_when_that_is_gone(
    told: Told, gateway: Gateway, recording: Recording
) -> None:
    id_, _ = await told.add(gateway)
    async with _telling(told.pool, recording, told.clock) as other:
        await other.telling.pulse()
        assert not other.telling._told, "somebody holds it"
        await told.telling._stop(told.telling._told)
        await webhooks.let_go(told.pool, told.ways.worker)
        await told.register()
        await other.telling.pulse()
        await other.all_told(id_, gateway, 1)


async def test_what_a_dead_worker_held_is_free_soon(
    told: Told, gateway: Gateway, recording: Recording
) -> None:
    id_, _ = await told.add(gateway)
    await told.telling._stop(told.telling._told)
    await told.pool.execute("UPDATE webhook_endpoints SET held_until = now() - interval '1 second'")
    await told.register()
    async with _telling(told.pool, recording, told.clock) as other:
        await other.telling.pulse()
        await other.all_told(id_, gateway, 1)


async def test_what_was_under_way_when_a_worker_died_comes_again_under_the_same_id(
    told: Told, gateway: Gateway, recording: Recording
) -> None:
    gateway.answer = lambda _: Answer(then=Then.HANG)
    id_, _ = await told.add(gateway)
    await told.register()
    await gateway.asked.wait()
    await told.telling._stop(told.telling._told)
    await webhooks.let_go(told.pool, told.ways.worker)
    gateway.answer = lambda _: OK
    async with _telling(told.pool, recording, told.clock) as other:
        await other.telling.pulse()
        await other.all_told(id_, gateway, 1)
    assert len(gateway.heard) == 2
    assert len(ids(gateway)) == 1
    assert gateway.heard[0].body == gateway.heard[1].body


async def test_one_that_is_disabled_removed_or_drilled_with_hears_nothing(
    told: Told, gateway: Gateway
) -> None:
    disabled, _ = await told.add(gateway)
    removed, _ = await told.add(gateway)
    await told.receivers.disable(disabled)
    await told.receivers.remove(removed)
    async with a_gateway() as other:
        muted, _ = await told.add(other)
        async with told.pool.acquire() as connection:
            await webhooks.mute(connection)
        await told.telling.pulse()
        assert not told.telling._told
        await told.register()
        await told.receivers.enable(disabled)
        await told.telling.pulse()
        await told.all_told(disabled, gateway, 1)
        assert other.heard == []
        assert (await told.of(muted)).endpoint.state is State.OFF


async def test_nothing_is_told_while_the_register_is_held(told: Told, gateway: Gateway) -> None:
    id_, _ = await told.add(gateway)
    await told.register()
    await told.all_told(id_, gateway, 1)
    async with told.pool.acquire() as connection:
        issue = await connection.fetchval("SELECT id FROM issues")
        await standing.hold(connection, "it was restored")
        await _more_steps(connection, issue, 1)
    for _ in range(10):
        await asyncio.sleep(0.02)
    assert len(gateway.heard) == 1
    async with told.pool.acquire() as connection, connection.transaction():
        await standing.release(connection, ())
    await told.all_told(id_, gateway, 2)


async def test_a_restored_register_tells_again_under_the_same_ids(
    told: Told, gateway: Gateway
) -> None:
    """Its cursor is of then: what was told since comes once more, and nobody counts it twice."""
    id_, _ = await told.add(gateway)
    cursor = await told.pool.fetchval("SELECT cursor FROM webhook_endpoints")
    await told.register()
    await told.all_told(id_, gateway, 1)
    await told.pool.execute("UPDATE webhook_endpoints SET cursor = $1", cursor)
    await told.until(lambda: _heard(gateway, 2))
    assert len(ids(gateway)) == 1


async def _heard(gateway: Gateway, times: int) -> bool:
    return len(gateway.heard) >= times
