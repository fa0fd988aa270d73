import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain.vocabulary import Audience
from store import outbox
from store.connection import Pool
from store.outbox import Message
from tests.support.filled import post
from tests.support.round_trips import Asked, listening

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
GAP = timedelta(seconds=3)


@pytest.fixture
async def desk(database: Pool, owner: "asyncpg.Connection[Any]") -> Pool:
    """An outbox without a register of issues, and channels with and without a rate limit."""
    await owner.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_issue_id_fkey")
    await database.execute(
        "INSERT INTO channels (id, position, url, per_minute) VALUES"
        " ('sms', 1, 'json://sms?:to={to}', NULL), ('robot', 2, 'json://robot?:to={to}', 20)"
    )
    return database


def a_message(
    key: str,
    channel: str | None = "sms",
    address: str | None = "+86 138",
    *,
    issue_id: str = "issue:hotline:1",
    seq: int = 3,
    not_before: datetime | None = None,
) -> Message:
    return Message(
        key=key,
        issue_id=issue_id,
        seq=seq,
        not_before=not_before,
        template="assigned",
        audience=Audience.HANDLER,
        recipient="e-li",
        channel=channel,
        address=address,
        subject=f"主题 {key}",
        body="第一行\nsecond line",
        created_at=NOW,
    )


async def write(desk: Pool, *messages: Message) -> list[str]:
    async with desk.acquire() as connection:
        await post(connection, messages)
    return [message.key for message in messages]


async def hand_over(desk: Pool, keys: Sequence[str], person: str = "lead") -> list[outbox.Message]:
    async with desk.acquire() as connection, connection.transaction():
        return await outbox.bring_by_hand(connection, keys, person, NOW)


async def line_up(desk: Pool, keys: Sequence[str], now: datetime) -> outbox.Queue:
    """As a delivery does."""
    (queue,) = await outbox.look(desk, [keys], now)
    if queue.unprepared:
        await outbox.prepare(desk, keys, now)
        (queue,) = await outbox.look(desk, [keys], now)
    return queue


async def settle(desk: Pool, *results: outbox.Result) -> set[str]:
    return await outbox.settle(desk, results)


@pytest.fixture
async def asked(desk: Pool) -> AsyncIterator[Asked]:
    async with listening(desk) as asked:
        yield asked


async def row(desk: Pool, key: str) -> dict[str, Any]:
    found = await desk.fetchrow("SELECT * FROM outbox WHERE key = $1", key)
    assert found is not None
    return dict(found)


async def test_a_message_written_twice_is_there_once_in_its_first_words(desk: Pool) -> None:
    first = a_message("a")
    await write(desk, first)
    await write(desk, first.model_copy(update={"body": "other words"}), a_message("b"))
    assert await desk.fetchval("SELECT count(*) FROM outbox") == 2
    async with desk.acquire() as connection:
        (left,) = await outbox.not_delivered(connection, ["a"])
        assert left.model_dump(exclude={"last_error"}) == first.model_dump(exclude={"last_error"})


async def test_messages_of_a_transaction_that_fails_are_not_in_the_outbox(desk: Pool) -> None:
    async def fail() -> None:
        async with desk.acquire() as connection, connection.transaction():
            await post(connection, [a_message("a")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await desk.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_message_is_claimed_by_one_of_many_that_try(desk: Pool) -> None:
    await write(desk, a_message("a"))
    won = await asyncio.gather(*(outbox.claim(desk, ["a"]) for _ in range(8)))
    assert won.count({"a"}) == 1
    assert won.count(set()) == 7
    assert (await row(desk, "a"))["attempts"] == 1


async def test_a_delivered_message_is_settled_and_never_lined_up_again(desk: Pool) -> None:
    keys = await write(desk, a_message("a"))
    (posting,) = (await line_up(desk, keys, NOW)).ready
    assert posting.url == "json://sms?:to={to}"
    assert posting.address == "+86 138"
    assert await outbox.claim(desk, ["a"])
    assert await settle(desk, outbox.delivered("a", NOW))
    assert (await line_up(desk, keys, NOW)).ready == ()
    assert await outbox.unsettled(desk, keys) == []
    settled = await row(desk, "a")
    assert (settled["status"], settled["settled_at"]) == ("delivered", NOW)


async def test_a_failed_message_goes_back_to_waiting_and_says_why(desk: Pool) -> None:
    keys = await write(desk, a_message("a", "robot"))
    await line_up(desk, keys, NOW)
    await outbox.claim(desk, ["a"])
    await settle(desk, outbox.failed("a", "error=500"))
    waiting = await row(desk, "a")
    assert (waiting["status"], waiting["last_error"]) == ("pending", "error=500")
    assert (waiting["slot_at"], waiting["settled_at"]) == (None, None)
    # Its first slot was used up, the next try takes the next one.
    assert (await line_up(desk, keys, NOW)).wait_until == NOW + GAP


async def test_what_a_dead_worker_left_half_sent_is_unknown_and_not_sent_again(desk: Pool) -> None:
    keys = await write(desk, a_message("a"), a_message("b"))
    await outbox.claim(desk, ["a"])
    queue = await line_up(desk, keys, NOW)
    assert [posting.key for posting in queue.ready] == ["b"]
    assert (await row(desk, "a"))["status"] == "unknown"
    assert not await outbox.claim(desk, ["a"])


async def test_a_late_word_of_delivery_counts_until_somebody_else_has_the_message(
    desk: Pool,
) -> None:
    keys = await write(desk, a_message("a"), a_message("b"))
    for key in keys:
        await outbox.claim(desk, [key])
    await line_up(desk, keys, NOW)
    assert await settle(desk, outbox.delivered("a", NOW))
    await hand_over(desk, keys)
    assert not await settle(desk, outbox.delivered("b", NOW))
    assert (await row(desk, "a"))["status"] == "delivered"
    assert (await row(desk, "b"))["status"] == "handed_over"


async def test_a_late_word_of_failure_does_not_wake_a_message_given_up(desk: Pool) -> None:
    keys = await write(desk, a_message("a"))
    await outbox.claim(desk, ["a"])
    await line_up(desk, keys, NOW)
    assert not await settle(desk, outbox.failed("a", "error=500"))
    assert (await row(desk, "a"))["status"] == "unknown"


@pytest.mark.parametrize(("channel", "address"), [(None, None), ("pigeon", "roof"), ("sms", None)])
async def test_a_message_that_no_channel_can_take_is_for_a_person(
    desk: Pool, channel: str | None, address: str | None
) -> None:
    keys = await write(desk, a_message("a", channel, address))
    assert (await line_up(desk, keys, NOW)).ready == ()
    assert await outbox.unsettled(desk, keys) == ["a"]
    assert (await row(desk, "a"))["last_error"] == outbox.NO_WAY


async def test_hand_over_returns_what_was_not_delivered_and_does_so_once(desk: Pool) -> None:
    keys = await write(desk, *(a_message(key) for key in "abc"))
    await outbox.claim(desk, ["a"])
    await settle(desk, outbox.delivered("a", NOW))
    await outbox.claim(desk, ["b"])
    assert [message.key for message in await hand_over(desk, keys)] == ["b", "c"]
    assert await hand_over(desk, keys, "manager") == []
    assert await outbox.unsettled(desk, keys) == []
    left = await row(desk, "c")
    assert (left["handed_to"], left["settled_at"]) == ("lead", NOW)


async def test_hand_over_waits_for_a_claim_and_nothing_handed_over_is_claimed(desk: Pool) -> None:
    keys = await write(desk, a_message("a"))
    async with desk.acquire() as connection, connection.transaction():
        await outbox.bring_by_hand(connection, keys, "lead", NOW)
        claiming = asyncio.create_task(outbox.claim(desk, ["a"]))
        await asyncio.wait({claiming}, timeout=0.05)
        assert not claiming.done()
    assert not await claiming


async def test_a_rate_limit_spaces_messages_evenly_in_order(desk: Pool) -> None:
    keys = await write(desk, *(a_message(key, "robot") for key in "dbca"))
    queue = await line_up(desk, keys, NOW)
    assert [posting.key for posting in queue.ready] == ["d"]
    assert queue.wait_until == NOW + GAP
    slots = {key: (await row(desk, key))["slot_at"] for key in keys}
    assert list(slots.values()) == [NOW + GAP * place for place in range(4)]


async def test_a_waiting_message_keeps_its_place_when_others_come(desk: Pool) -> None:
    first = await write(desk, a_message("a", "robot"), a_message("b", "robot"))
    later = await write(desk, a_message("c", "robot"))
    await line_up(desk, first, NOW)
    assert (await line_up(desk, later, NOW)).wait_until == NOW + GAP * 2
    assert (await line_up(desk, first[1:], NOW)).wait_until == NOW + GAP
    ready = (await line_up(desk, first[1:], NOW + GAP)).ready
    assert [posting.key for posting in ready] == ["b"]


async def test_batches_that_come_at_once_share_the_slots_without_gap_or_clash(desk: Pool) -> None:
    batches = [
        await write(desk, *(a_message(f"{batch}{n}", "robot") for n in range(5)))
        for batch in range(6)
    ]
    await asyncio.gather(*(line_up(desk, batch, NOW) for batch in batches))
    slots = [
        record["slot_at"]
        for record in await desk.fetch("SELECT slot_at FROM outbox ORDER BY slot_at")
    ]
    assert slots == [NOW + GAP * place for place in range(30)]
    for batch in batches:
        own = [(await row(desk, key))["slot_at"] for key in batch]
        assert own == [own[0] + GAP * place for place in range(5)]


async def test_slots_missed_while_the_desk_was_down_are_not_used_all_at_once(desk: Pool) -> None:
    keys = await write(desk, *(a_message(str(n), "robot") for n in range(8)))
    await line_up(desk, keys, NOW)
    hour_later = NOW + timedelta(hours=1)
    queue = await line_up(desk, keys, hour_later)
    assert [posting.key for posting in queue.ready] == ["0"]
    assert queue.wait_until == hour_later + GAP


async def test_a_limited_channel_does_not_delay_another_in_the_same_batch(desk: Pool) -> None:
    keys = await write(
        desk, a_message("a", "robot"), a_message("b", "robot"), a_message("c", "sms")
    )
    queue = await line_up(desk, keys, NOW)
    assert [posting.key for posting in queue.ready] == ["a", "c"]


async def test_messages_that_are_done_with_take_no_slots(desk: Pool) -> None:
    keys = await write(desk, *(a_message(key, "robot") for key in "abc"))
    for key in keys:
        await outbox.claim(desk, [key])
        await settle(desk, outbox.delivered(key, NOW))
    await line_up(desk, keys, NOW)
    later = await write(desk, a_message("d", "robot"))
    assert [posting.key for posting in (await line_up(desk, later, NOW)).ready] == ["d"]


async def test_a_channel_without_a_limit_costs_three_questions_however_many_messages(
    desk: Pool, asked: Asked
) -> None:
    keys = await write(desk, *(a_message(str(n)) for n in range(9)))
    await asked.since()
    queue = await line_up(desk, keys, NOW)
    assert await outbox.claim(desk, [posting.key for posting in queue.ready]) == set(keys)
    results = [outbox.delivered(key, NOW) for key in keys]
    assert await outbox.settle(desk, results) == set(keys)
    assert len(await asked.since()) == 3


async def test_a_message_that_has_its_slot_is_asked_for_once_like_any_other(
    desk: Pool, asked: Asked
) -> None:
    keys = await write(desk, a_message("a", "robot"), a_message("b", "robot"))
    await line_up(desk, keys, NOW)
    await asked.since()
    queue = await line_up(desk, keys, NOW + GAP)
    assert [posting.key for posting in queue.ready] == keys
    assert len(await asked.since()) == 1


async def test_what_was_given_up_is_told_although_it_is_not_to_be_sent(desk: Pool) -> None:
    keys = await write(desk, *(a_message(key) for key in "abc"))
    assert not (await line_up(desk, keys, NOW)).given_up
    await outbox.claim(desk, ["a", "b"])
    await settle(desk, outbox.delivered("a", NOW))
    assert not (await line_up(desk, ["a", "c"], NOW)).given_up
    assert (await line_up(desk, keys, NOW)).given_up
    await hand_over(desk, ["b"])
    assert not (await line_up(desk, keys, NOW)).given_up


async def test_results_of_many_messages_are_each_its_own(desk: Pool) -> None:
    keys = await write(desk, *(a_message(key) for key in "abcd"))
    await outbox.claim(desk, keys)
    await hand_over(desk, ["d"])
    settled = await settle(
        desk,
        outbox.failed("b", "error=500"),
        outbox.delivered("d", NOW),
        outbox.lost("c", "no answer"),
        outbox.delivered("a", NOW),
    )
    assert settled == {"a", "b", "c"}
    found = [await row(desk, key) for key in keys]
    assert [(each["status"], each["last_error"], each["settled_at"]) for each in found] == [
        ("delivered", None, NOW),
        ("pending", "error=500", None),
        ("unknown", "no answer", None),
        ("handed_over", None, NOW),
    ]


async def test_results_wait_for_a_hand_over_and_leave_it_as_it_is(desk: Pool) -> None:
    keys = await write(desk, a_message("a"), a_message("b"))
    await outbox.claim(desk, keys)
    async with desk.acquire() as connection, connection.transaction():
        await outbox.bring_by_hand(connection, ["b"], "lead", NOW)
        settling = asyncio.create_task(settle(desk, *(outbox.delivered(key, NOW) for key in keys)))
        await asyncio.wait({settling}, timeout=0.05)
        assert not settling.done()
    assert await settling == {"a"}
    assert (await row(desk, "b"))["handed_to"] == "lead"


async def test_of_many_claims_and_hand_overs_of_the_same_messages_at_once_each_has_its_own(
    desk: Pool,
) -> None:
    keys = await write(desk, *(a_message(f"{n:02}") for n in range(20)))
    won = await asyncio.gather(
        *(outbox.claim(desk, keys[::step]) for step in (1, -1) * 4),
        *(hand_over(desk, keys[::step]) for step in (1, -1)),
    )
    claims = [key for each in won[:8] for key in each]
    assert len(claims) == len(set(claims))  # by nobody twice
    assert {(await row(desk, key))["status"] for key in keys} == {"handed_over"}


async def test_a_channel_that_is_gone_when_messages_are_prepared_leaves_them_for_a_person(
    desk: Pool,
) -> None:
    keys = await write(desk, a_message("a", "robot"), a_message("b"))
    await outbox.prepare(desk, keys, NOW)
    await desk.execute("DELETE FROM channels WHERE id = 'robot'")
    (queue,) = await outbox.look(desk, [keys], NOW)
    assert [posting.key for posting in queue.ready] == ["b"]
    assert queue.given_up


async def test_many_batches_are_looked_at_by_one_question_and_each_in_its_own_order(
    desk: Pool, asked: Asked
) -> None:
    first = await write(desk, *(a_message(key) for key in "dbca"))
    other = await write(desk, a_message("z", "pigeon"), a_message("y"))
    await asked.since()
    queues = await outbox.look(desk, [first, other, ["nobody's"], first[:2]], NOW)
    assert len(await asked.since()) == 1
    assert [[posting.key for posting in queue.ready] for queue in queues] == [
        ["d", "b", "c", "a"],
        ["y"],
        [],
        ["d", "b"],
    ]
    assert [queue.unprepared for queue in queues] == [False, True, False, False]


async def test_a_letter_goes_on_from_the_customers_and_from_what_the_same_reader_was_told(
    desk: Pool,
) -> None:
    await desk.execute(
        "INSERT INTO channels (id, position, url) VALUES ('letters', 9, 'mailto://desk.example')"
    )
    await desk.execute(
        "INSERT INTO letter_senders (issue_id, message_id, sender, words, at)"
        " VALUES ('issue:hotline:1', '<4711@customer.example>', 'a@b', 'w', now())"
    )
    customer = {"audience": Audience.CUSTOMER, "recipient": "customer"}
    told = [
        a_message(f"c{seq}", "letters").model_copy(update={"seq": seq, **customer})
        for seq in range(1, 7)
    ]
    staff = a_message("s", "letters").model_copy(update={"seq": 5})
    sms = a_message("t", "sms").model_copy(update={"seq": 6, **customer})
    await write(desk, *told, staff, sms)
    await desk.execute("UPDATE outbox SET status = 'delivered' WHERE key <= 'c4'")
    queue = await line_up(desk, ["c5", "s", "t"], NOW)
    found = {each.key: (each.answers, each.follows) for each in queue.ready}
    assert found == {
        "c5": ("<4711@customer.example>", ("c2", "c3", "c4")),
        "s": (None, ()),
        "t": (None, ()),
    }
    await desk.execute("UPDATE outbox SET status = 'pending' WHERE key < 'c5'")
    (first,) = (await line_up(desk, ["c1"], NOW)).ready
    assert (first.answers, first.follows) == ("<4711@customer.example>", ())


# The order of events is the order of messages -----------------------------------------------------


async def waits(desk: Pool, key: str) -> bool:
    """Whether a message waits for an earlier one."""
    queue = await line_up(desk, [key], NOW)
    assert [posting.key for posting in (*queue.ready, *queue.behind)] == [key]
    return bool(queue.behind)


async def test_a_message_waits_for_an_earlier_one_to_the_same_person(desk: Pool) -> None:
    await write(desk, a_message("a"), a_message("b", seq=4), a_message("c", seq=5))
    assert [await waits(desk, key) for key in "abc"] == [False, True, True]
    await outbox.claim(desk, ["a"])
    assert await waits(desk, "b")  # on its way is not there yet
    await settle(desk, outbox.delivered("a", NOW))
    assert [await waits(desk, key) for key in "bc"] == [False, True]


@pytest.mark.parametrize(
    "became",
    [
        outbox.delivered("a", NOW),
        outbox.failed("a", "error=500"),
        outbox.lost("a", "no answer"),
        outbox.refused("a", "no such robot"),
    ],
    ids=["delivered", "failed", "lost", "refused"],
)
async def test_what_has_failed_or_is_settled_holds_up_nothing(
    desk: Pool, became: outbox.Result
) -> None:
    await write(desk, a_message("a"), a_message("b", seq=4))
    await outbox.claim(desk, ["a"])
    await settle(desk, became)
    assert not await waits(desk, "b")


async def test_what_a_channel_put_off_keeps_its_place_and_tells_no_error(desk: Pool) -> None:
    await write(desk, a_message("a"), a_message("b", seq=4))
    await outbox.claim(desk, ["a"])
    await settle(desk, outbox.put_off("a"))
    assert await waits(desk, "b")
    assert ((await row(desk, "a"))["status"], (await row(desk, "a"))["last_error"]) == (
        "pending",
        None,
    )
    await hand_over(desk, ["a"])
    assert not await waits(desk, "b")


@pytest.mark.parametrize(
    "earlier",
    [
        {"address": "+86 139"},
        {"channel": "robot"},
        {"issue_id": "issue:hotline:2"},
        {"seq": 4},
        {"seq": 5},
        {"not_before": NOW + timedelta(hours=9)},
    ],
    ids=str,
)
async def test_nobody_else_and_nothing_that_is_not_due_is_waited_for(
    desk: Pool, earlier: dict[str, Any]
) -> None:
    await write(desk, a_message("a", **earlier), a_message("b", seq=4))
    assert not await waits(desk, "b")
