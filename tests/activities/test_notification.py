import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import lanes, notification, sending
from activities.notification import Notification
from activities.sending import (
    AppriseSender,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryTooFast,
    DeliveryUnknown,
)
from activities.webhooks import WebhookSender
from domain.vocabulary import Audience
from runtime.embedded.ports import free_ports
from store import outbox, standing
from store.connection import Pool
from store.outbox import Message, Result
from tests.support.filled import post
from tests.support.gateway import Answer, Then, a_gateway
from tests.support.patience import PATIENCE
from tests.support.round_trips import listening

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
ADDRESS = "+86 138-0000-0000"


class Receiver:
    """Somebody's gateway: keeps what it got, answers ``/refused`` with 500, and keeps whoever
    calls ``/slow`` waiting until ``let_go``.
    """

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.slow_ones = threading.Semaphore(0)
        self._let_go = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def url(self, path: str) -> str:
        return f"json://127.0.0.1:{self._server.server_address[1]}{path}?:to={{to}}"

    def to(self) -> list[str]:
        return [message["to"] for message in self.got]

    def let_go(self) -> None:
        self._let_go.set()

    async def until_slow(self, count: int) -> None:
        for _ in range(count):
            assert await asyncio.to_thread(self.slow_ones.acquire, timeout=PATIENCE)

    def close(self) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/refused":
                    self.send_error(500)
                    return
                if self.path == "/slow":
                    receiver.slow_ones.release()
                    assert receiver._let_go.wait(PATIENCE)
                receiver.got.append(message)
                try:
                    self.send_response(200)
                    self.end_headers()
                except BrokenPipeError:
                    pass  # whoever sent this waits no longer

            def log_message(self, *_: object) -> None:
                pass

        return Handler


AnySender: TypeAlias = WebhookSender | AppriseSender


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(params=[WebhookSender, AppriseSender])
def kind(request: pytest.FixtureRequest) -> type[AnySender]:
    """Whatever is sent over a plain webhook must be sent in the same way by Apprise itself."""
    found: type[AnySender] = request.param
    return found


@pytest.fixture
async def sender(kind: type[AnySender]) -> AsyncIterator[AnySender]:
    async with aclosing(kind(timeout=PATIENCE)) as sender:
        yield sender


class Desk:
    """An outbox, channels, and the activity that delivers."""

    def __init__(self, pool: Pool, sender: AnySender, receiver: Receiver) -> None:
        self.pool = pool
        self.sender = sender
        self.receiver = receiver
        self.clock = Clock()
        self.notification = Notification(pool, sender, self.clock)

    async def channel(self, id_: str, url: str, per_minute: int | None = None) -> None:
        await self.pool.execute(
            "INSERT INTO channels (id, position, url, per_minute) VALUES ($1, 1, $2, $3)"
            " ON CONFLICT (id) DO UPDATE SET url = excluded.url",
            *(id_, url, per_minute),
        )

    async def write(
        self, channel: str | None, *keys: str, to: str = "", issue: str = "1", seq: int = 1
    ) -> list[str]:
        """Put messages into the outbox, each to an address that is its key and some more, if they
        are not all to the same.
        """
        messages = [
            Message(
                key=key,
                issue_id=f"issue:hotline:{issue}",
                seq=seq,
                template="assigned",
                audience=Audience.HANDLER,
                recipient="e-li",
                channel=channel,
                address=to or f"{key} {ADDRESS}",
                subject=f"新任务 {key}",
                body="请尽快受理。\nPlease accept it.",
                created_at=NOW,
            )
            for key in keys
        ]
        async with self.pool.acquire() as connection:
            await post(connection, messages)
        return list(keys)

    async def deliver(self, *keys: str, within: ActivityEnvironment | None = None) -> list[str]:
        environment = within or ActivityEnvironment()
        return await environment.run(self.notification.deliver_messages, list(keys))

    async def refused(self, *keys: str) -> ApplicationError:
        with pytest.raises(ApplicationError) as refusal:
            await self.deliver(*keys)
        return refusal.value

    async def unsettled(self, *keys: str) -> list[str]:
        return await outbox.unsettled(self.pool, keys)

    async def row(self, key: str) -> dict[str, Any]:
        found = await self.pool.fetchrow("SELECT * FROM outbox WHERE key = $1", key)
        assert found is not None
        return dict(found)

    async def status(self, key: str) -> str:
        return str((await self.row(key))["status"])


@pytest.fixture
async def desk(
    database: Pool, owner: "asyncpg.Connection[Any]", sender: AnySender, receiver: Receiver
) -> Desk:
    # The register of issues is not what is tested here.
    await owner.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_issue_id_fkey")
    desk = Desk(database, sender, receiver)
    await desk.channel("good", receiver.url("/good"))
    await desk.channel("slow", receiver.url("/slow"))
    await desk.channel("refused", receiver.url("/refused"))
    await desk.channel("dead", f"json://127.0.0.1:{free_ports(1)[0]}/?:to={{to}}")
    return desk


async def test_a_message_reaches_its_address_in_the_words_that_were_written(desk: Desk) -> None:
    keys = await desk.write("good", "a&b=/?#{to}")
    assert await desk.deliver(*keys) == []
    (got,) = desk.receiver.got
    assert got["to"] == f"a&b=/?#{{to}} {ADDRESS}"
    assert got["title"] == "新任务 a&b=/?#{to}"
    assert got["message"] == "请尽快受理。\nPlease accept it."


async def test_a_delivery_gives_signs_of_life_while_a_channel_takes_its_time_and_else_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    beating = asyncio.Event()
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: beating.set()
    monkeypatch.setattr(notification, "HEARTBEAT_SECONDS", PATIENCE)
    assert await desk.deliver(*await desk.write("good", "a"), within=environment) == []
    assert not beating.is_set()
    monkeypatch.setattr(notification, "HEARTBEAT_SECONDS", 0.01)
    slow = await desk.write("slow", "b")
    delivery = asyncio.create_task(desk.deliver(*slow, within=environment))
    async with asyncio.timeout(PATIENCE):
        await beating.wait()
    desk.receiver.let_go()
    assert await delivery == []


async def test_what_was_delivered_is_not_sent_again_when_the_rest_is_retried(desk: Desk) -> None:
    keys = [*await desk.write("good", "a"), *await desk.write("dead", "b")]
    assert (await desk.refused(*keys)).type == "NotDelivered"
    assert (await desk.refused(*keys)).type == "NotDelivered"
    await desk.channel("dead", desk.receiver.url("/good"))
    assert await desk.deliver(*keys) == []
    assert await desk.deliver(*keys) == []
    assert desk.receiver.to() == [f"a {ADDRESS}", f"b {ADDRESS}"]
    assert (await desk.row("b"))["attempts"] == 3


@pytest.mark.parametrize("channel", ["dead", "refused"])
async def test_a_failure_names_channel_and_reason_but_nothing_confidential(
    desk: Desk, channel: str
) -> None:
    keys = await desk.write(channel, "a")
    refusal = await desk.refused(*keys)
    row = await desk.row("a")
    assert refusal.type == "NotDelivered"
    assert not refusal.non_retryable
    assert refusal.message == f"{channel}: {row['last_error']}"
    assert row["status"] == "pending"
    assert ("error=500" if channel == "refused" else "Connection error") in refusal.message
    assert not any(word in refusal.message for word in (ADDRESS, "138", "新任务", "accept", "://"))


async def test_after_a_crash_in_the_middle_of_sending_a_person_is_told_and_nothing_is_resent(
    desk: Desk,
) -> None:
    keys = await desk.write("good", "a", "b")
    assert await outbox.claim(desk.pool, ["a"])  # and here the worker was killed
    assert await desk.deliver(*keys) == ["a"]
    assert await desk.deliver(*keys) == ["a"]
    assert desk.receiver.to() == [f"b {ADDRESS}"]
    assert await desk.status("a") == "unknown"


@pytest.mark.parametrize("channel", [None, "pigeon"])
async def test_a_message_without_a_channel_is_for_a_person_at_once(
    desk: Desk, channel: str | None
) -> None:
    keys = [*await desk.write(channel, "a"), *await desk.write("good", "b")]
    assert await desk.deliver(*keys) == ["a"]
    assert desk.receiver.to() == [f"b {ADDRESS}"]


async def test_a_message_that_never_will_go_out_is_for_a_person_at_once(desk: Desk) -> None:
    class Refusing:
        async def send(self, *_: object) -> None:
            raise DeliveryRefused("this is no address")

    desk.notification = Notification(desk.pool, Refusing(), desk.clock)
    keys = await desk.write("good", "a")
    assert await desk.deliver(*keys) == ["a"]
    row = await desk.row("a")
    assert (row["status"], row["last_error"]) == ("unknown", "this is no address")


async def test_a_channel_whose_url_apprise_does_not_know_is_retried(desk: Desk) -> None:
    await desk.channel("typo", "jsonn://secret@host/{to}")
    refusal = await desk.refused(*await desk.write("typo", "a"))
    assert refusal.type == "NotDelivered"
    assert "URL" in refusal.message
    assert "secret" not in refusal.message


async def test_a_rate_limited_channel_gets_two_batches_evenly_spaced_and_in_order(
    desk: Desk,
) -> None:
    await desk.channel("robot", desk.receiver.url("/robot"), per_minute=20)
    first = await desk.write("robot", "a1", "a2", "a3", "a4")
    second = await desk.write("robot", "b1", "b2", "b3", "b4")

    async def attempt(keys: list[str]) -> datetime | None:
        try:
            assert await desk.deliver(*keys) == []
        except ApplicationError as error:
            later = error
        else:
            return None
        assert later.type == "WaitsItsTurn"
        assert later.next_retry_delay is not None
        return desk.clock.now + later.next_retry_delay

    arrivals: dict[str, datetime] = {}
    waiting: list[tuple[datetime, list[str]]] = [(NOW, first), (NOW, second)]
    while waiting:
        desk.clock.now = min(at for at, _ in waiting)
        now = [keys for at, keys in waiting if at == desk.clock.now]
        waiting = [(at, keys) for at, keys in waiting if at > desk.clock.now]
        again = await asyncio.gather(*(attempt(keys) for keys in now))
        waiting += [(at, keys) for at, keys in zip(again, now, strict=True) if at is not None]
        for to in desk.receiver.to():
            arrivals.setdefault(to.split()[0], desk.clock.now)
    assert sorted(arrivals.values()) == [NOW + timedelta(seconds=3) * n for n in range(8)]
    assert len(desk.receiver.got) == 8
    for batch in (first, second):
        assert sorted(batch, key=arrivals.__getitem__) == batch


async def test_a_slow_channel_holds_up_no_other_and_itself_only_while_its_lanes_are_full(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "PATIENCE", 0.01)
    slow = await desk.write("slow", *"12345")
    delivery = asyncio.create_task(desk.refused(*slow))
    await desk.receiver.until_slow(4)
    assert await desk.deliver(*await desk.write("good", "fast")) == []
    assert desk.receiver.to() == [f"fast {ADDRESS}"]
    desk.receiver.let_go()
    later = await delivery
    assert (later.type, later.next_retry_delay) == ("WaitsItsTurn", lanes.BUSY_RETRY)
    assert await desk.status("5") == "pending"
    assert await desk.deliver(*slow) == []
    assert sorted(desk.receiver.to()[1:]) == [f"{key} {ADDRESS}" for key in slow]


async def test_a_message_without_an_answer_in_time_is_not_sent_again(
    desk: Desk, kind: type[AnySender]
) -> None:
    impatient = kind(timeout=0.1)
    desk.notification = Notification(desk.pool, impatient, desk.clock)
    keys = await desk.write("slow", "a")
    assert await desk.deliver(*keys) == ["a"]
    assert await desk.status("a") == "unknown"
    desk.receiver.let_go()
    assert await desk.deliver(*keys) == ["a"]
    await impatient.aclose()


async def test_a_worker_that_stops_records_what_was_on_its_way_and_leaves_the_rest(
    desk: Desk,
) -> None:
    keys = await desk.write("slow", *"12345")
    environment = ActivityEnvironment()
    delivery = asyncio.create_task(desk.deliver(*keys, within=environment))
    await desk.receiver.until_slow(4)
    environment.cancel()
    desk.receiver.let_go()
    with pytest.raises(asyncio.CancelledError):
        await delivery
    assert [await desk.status(key) for key in keys] == ["delivered"] * 4 + ["pending"]


async def test_a_message_handed_over_while_it_was_on_its_way_stays_with_the_person(
    desk: Desk,
) -> None:
    keys = await desk.write("slow", "a")
    delivery = asyncio.create_task(desk.deliver(*keys))
    await desk.receiver.until_slow(1)
    async with desk.pool.acquire() as connection, connection.transaction():
        await outbox.bring_by_hand(connection, keys, "lead", NOW)
    desk.receiver.let_go()
    assert await delivery == []
    assert (await desk.row("a"))["handed_to"] == "lead"


async def test_a_result_is_recorded_although_postgresql_is_away_for_a_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification, "RECORDING_PAUSES", (0.0, 0.0))
    really, away = outbox.settle, [ConnectionResetError(), asyncpg.CannotConnectNowError()]

    async def settle(pool: Pool, results: Sequence[Result]) -> set[str]:
        if away:
            raise away.pop()
        return await really(pool, results)

    monkeypatch.setattr(outbox, "settle", settle)
    assert await desk.deliver(*await desk.write("good", "a")) == []
    assert await desk.status("a") == "delivered"


async def test_what_never_left_a_jammed_channel_has_failed_and_what_did_is_unknown(
    receiver: Receiver,
) -> None:
    sender = AppriseSender(timeout=0.5)
    results = await asyncio.gather(
        *(sender.send(receiver.url("/slow"), str(n), "s", "b") for n in range(lanes.WIDEST + 1)),
        return_exceptions=True,
    )
    kinds = [type(result) for result in results]
    assert kinds == [DeliveryUnknown] * lanes.WIDEST + [DeliveryFailed]
    receiver.let_go()
    await sender.aclose()


@pytest.mark.parametrize(
    "reason",
    [
        "Failed to send Twilio notification to +8613800000000: error=400",
        "Failed to send notification to 86 138 0000 0000: error=400",
        "Failed to send email to wang.fang@example.com: error=400",
        "Failed to reach https://token@gateway.example/x: error=400",
        "Failed to send notification to @wang: error=400",
        "Failed to send '受理 Accept: http://desk.example:8080/l/MjAyN.t-dS_3Sk2': error=400",
    ],
)
def test_a_reason_holds_no_address_however_the_gateway_writes_it(reason: str) -> None:
    masked = sending.masked(reason, "@wang")
    assert masked.startswith("Failed to")
    assert masked.endswith("error=400")
    assert not any(part in masked for part in ("138", "wang", "example", "MjAyN"))


async def test_nothing_is_sent_while_the_register_is_held(desk: Desk) -> None:
    """What waits in a restored register may have been said before it was restored."""
    await desk.channel("sms", desk.receiver.url("/sms"))
    keys = await desk.write("sms", "waits")
    async with desk.pool.acquire() as connection:
        await standing.hold(connection, "it was restored")
    refusal = await desk.refused(*keys)
    assert (refusal.type, refusal.non_retryable) == ("Held", False)
    assert "yinuo repair" in refusal.message
    assert desk.receiver.got == []
    async with desk.pool.acquire() as connection, connection.transaction():
        assert await standing.release(connection, ()) == 1
    assert await desk.deliver(*keys) == keys
    assert desk.receiver.got == []


async def test_a_delivery_asks_the_register_three_times(desk: Desk) -> None:
    """So that no round trip creeps back: see, claim, settle."""
    keys = await desk.write("good", "a")
    async with listening(desk.pool) as asked:
        assert await desk.deliver(*keys) == []
        statements = await asked.since()
    assert [statement.split()[0] for statement in statements] == ["SELECT", "WITH", "WITH"]


async def test_many_deliveries_at_once_ask_the_register_together(desk: Desk) -> None:
    keys = await desk.write("slow", *"1234")
    async with listening(desk.pool) as asked:
        deliveries = [asyncio.create_task(desk.deliver(key)) for key in keys]
        await desk.receiver.until_slow(4)
        assert len(await asked.since()) <= 4  # the first is not kept waiting for the others
        desk.receiver.let_go()
        assert await asyncio.gather(*deliveries) == [[]] * 4


async def test_a_message_that_is_another_deliverys_is_not_told_to_have_arrived(desk: Desk) -> None:
    keys = await desk.write("slow", "a")
    first = asyncio.create_task(desk.deliver(*keys))
    await desk.receiver.until_slow(1)
    assert await desk.deliver(*keys) == ["a"]  # as after a worker that was only thought to be dead
    desk.receiver.let_go()
    assert await first == []
    assert desk.receiver.to() == [f"a {ADDRESS}"]


@pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET])
async def test_a_message_whose_kept_connection_breaks_is_a_persons_and_is_sent_once(
    desk: Desk, then: Then
) -> None:
    desk.notification = Notification(desk.pool, WebhookSender(timeout=PATIENCE), desk.clock)
    async with a_gateway() as gateway:
        await desk.channel("kept", gateway.url())
        keys = await desk.write("kept", "a", "b")
        assert await desk.deliver("a") == []
        gateway.answer = lambda _: Answer(b"", then)
        assert await desk.deliver(*keys) == ["b"]
        assert await desk.deliver(*keys) == ["b"]
        assert gateway.connections == 1
    assert [json.loads(heard.body)["to"] for heard in gateway.heard] == [
        f"{key} {ADDRESS}" for key in keys
    ]
    assert await desk.status("b") == "unknown"


async def test_a_storm_of_messages_leaves_through_one_channel_without_coming_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every delivery that has to come again waits for seconds, and costs Temporal an attempt."""
    monkeypatch.setattr(lanes, "PATIENCE", PATIENCE)
    keys = await desk.write("good", *(f"{n}" for n in range(60)))
    assert await asyncio.gather(*(desk.deliver(key) for key in keys)) == [[]] * 60
    assert sorted(desk.receiver.to()) == sorted(f"{key} {ADDRESS}" for key in keys)


# Its own time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ([timedelta(seconds=3)], timedelta(seconds=3)),
        ([timedelta(seconds=9), timedelta(seconds=2)], timedelta(seconds=2)),
        ([timedelta()], notification.SOONEST_RETRY),
        ([timedelta(microseconds=1)], notification.SOONEST_RETRY),
        ([timedelta(seconds=-20), timedelta(seconds=3)], notification.SOONEST_RETRY),
    ],
)
def test_a_retry_is_never_after_no_time_which_would_be_half_a_minute(
    waits: list[timedelta], expected: timedelta
) -> None:
    assert notification.SOONEST_RETRY.total_seconds() > 0
    assert notification.retry_in(waits) == expected


class HurryingClock(Clock):
    """On a busy machine time passes between one look and the next."""

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=2)
        return self.now


async def test_a_slot_that_comes_up_while_it_is_looked_at_is_taken_at_once(desk: Desk) -> None:
    await desk.channel("robot", desk.receiver.url("/robot"), per_minute=20)
    desk.notification = Notification(desk.pool, desk.sender, HurryingClock())
    later = await desk.refused(*await desk.write("robot", "a", "b"))
    assert later.type == "WaitsItsTurn"
    assert later.next_retry_delay == notification.SOONEST_RETRY


# What a channel says no to ------------------------------------------------------------------------


class Saying:
    """A sender that says what a test wants it to, address by address."""

    def __init__(self, **said: Exception) -> None:
        self.said = said
        self.sent: list[str] = []

    async def send(self, _: str, to: str, *__: object) -> None:
        key = to.split(maxsplit=1)[0]
        self.sent.append(key)
        if error := self.said.get(key):
            raise error


async def test_what_is_refused_for_good_is_a_persons_at_once_and_never_sent_again(
    desk: Desk,
) -> None:
    sender = Saying(a=DeliveryRefused("the WeCom robot says no: it was switched off (93004)"))
    desk.notification = Notification(desk.pool, sender, desk.clock)
    keys = await desk.write("good", "a", "b")
    for _ in range(2):
        assert await desk.deliver(*keys) == ["a"]
    assert sender.sent == ["a", "b"]
    refused = await desk.row("a")
    assert (refused["status"], refused["attempts"]) == ("unknown", 1)
    assert "switched off" in refused["last_error"]


async def test_a_channel_that_was_given_too_much_rests_and_then_gets_all_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Saying(a=DeliveryTooFast("too many"))
    desk.notification = Notification(desk.pool, sender, desk.clock)
    later = await desk.refused(*await desk.write("good", "a"))
    assert (later.type, later.next_retry_delay) == ("WaitsItsTurn", lanes.TOO_FAST_REST)
    assert (await desk.row("a"))["status"] == "pending"
    other = await desk.refused(*await desk.write("good", "b"))
    assert other.type == "WaitsItsTurn"
    assert other.next_retry_delay is not None
    assert timedelta() < other.next_retry_delay <= lanes.TOO_FAST_REST
    assert await desk.deliver(*await desk.write("slow", "c")) == []  # others do not rest
    assert sender.sent == ["a", "c"]
    sender.said.clear()
    monkeypatch.setattr(lanes, "monotonic", lambda: float("inf"))
    assert await desk.deliver("a", "b") == []
    assert sender.sent == ["a", "c", "a", "b"]


# In the order of events ---------------------------------------------------------------------------


async def test_a_message_does_not_overtake_an_earlier_one_to_the_same_person(desk: Desk) -> None:
    first = await desk.write("good", "a", to="li")
    second = await desk.write("good", "b", to="li", seq=2)
    later = await desk.refused(*second)
    assert (later.type, later.next_retry_delay) == ("WaitsItsTurn", notification.IN_ORDER_RETRY)
    assert desk.receiver.got == []
    assert await desk.deliver(*first) == []
    assert await desk.deliver(*second) == []
    assert [each["title"] for each in desk.receiver.got] == ["新任务 a", "新任务 b"]


async def test_messages_that_are_brought_out_together_go_in_order_in_one_attempt(
    desk: Desk,
) -> None:
    keys = [
        key
        for seq, name in enumerate("abcd", 1)
        for key in await desk.write("good", name, to="li", seq=seq)
    ]
    assert await desk.deliver(*reversed(keys)) == []
    assert [each["title"][-1] for each in desk.receiver.got] == [*"abcd"]


async def test_what_fails_is_tried_once_an_attempt_and_holds_up_nothing_after_it(
    desk: Desk,
) -> None:
    keys = [
        *await desk.write("refused", "a", to="li"),
        *await desk.write("refused", "b", to="li", seq=2),
    ]
    for attempt in (1, 2):
        assert (await desk.refused(*keys)).type == "NotDelivered"
        assert [(await desk.row(key))["attempts"] for key in keys] == [attempt] * 2


async def test_one_that_nobody_brings_out_is_waited_for_only_so_often(desk: Desk) -> None:
    await desk.write("good", "a", to="li")
    second = await desk.write("good", "b", to="li", seq=2)
    environment = ActivityEnvironment()
    last = replace(environment.info, attempt=notification.IN_ORDER_ATTEMPTS)
    environment.info = last
    with pytest.raises(ApplicationError):
        await desk.deliver(*second, within=environment)
    environment.info = replace(last, attempt=last.attempt + 1)
    assert await desk.deliver(*second, within=environment) == []


async def test_many_steps_of_many_issues_at_once_reach_each_person_in_their_order(
    desk: Desk,
) -> None:
    steps = [
        await desk.write("good", f"{issue}.{seq}", to=f"customer {issue}", issue=issue, seq=seq)
        for issue in "12345"
        for seq in range(1, 7)
    ]

    async def bring(keys: list[str]) -> None:
        while await desk.unsettled(*keys):
            with suppress(ApplicationError):  # it waits its turn
                assert await desk.deliver(*keys) == []

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(bring(keys) for keys in reversed(steps)))
    told = [each["title"].split()[-1] for each in desk.receiver.got]
    for issue in "12345":
        assert [key for key in told if key.startswith(issue)] == [
            f"{issue}.{seq}" for seq in range(1, 7)
        ]
