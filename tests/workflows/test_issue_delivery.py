"""Dead channels: a person brings what no channel takes, and no issue is held up (R6)."""

from domain.vocabulary import Outcome, Stage
from tests.support.harness import Handle, StoryDesk
from tests.workflows.conftest import Begin


async def handed_over(desk: StoryDesk, handle: Handle) -> set[tuple[str, str, str]]:
    rows = await desk.pool.fetch(
        "SELECT recipient, template, handed_to FROM outbox"
        " WHERE issue_id = $1 AND status = 'handed_over'",
        handle.id,
    )
    return {(row["recipient"], row["template"], row["handed_to"]) for row in rows}


async def test_a_reply_no_channel_takes_is_brought_by_the_lead(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    desk.mailbox.dead.add("sms")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-03-11 09:00")
    assert (await desk.view(handle)).stage is Stage.RESOLVED
    await desk.until("2026-03-11 10:30")
    view = await desk.view(handle)
    assert (view.stage, view.answered) == (Stage.REPLIED, True)
    assert await handed_over(desk, handle) == {
        ("customer", "registered", "zhou.jianguo"),
        ("customer", "accepted", "zhou.jianguo"),
        ("customer", "resolved", "zhou.jianguo"),
    }
    told = [who for _, who, wording in await desk.told(handle) if wording == "undelivered"]
    assert told == ["zhou.jianguo"] * 3
    await desk.callback(handle, running=True)
    assert (await desk.ended(handle)).outcome is Outcome.SOLVED


async def test_whom_nothing_can_be_written_to_is_telephoned_by_the_agent_and_is_answered(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    handle, view = await desk.open(customer={"name": "Chen Hong", "phone": "020-55500101"})
    await desk.resolve(handle, view)
    await desk.settle()
    view = await desk.view(handle)
    assert (view.stage, view.answered) == (Stage.REPLIED, True)
    told = [(who, wording) for _, who, wording in await desk.told(handle)]
    assert {("07", "registered"), ("07", "resolved")} <= set(told)
    assert "customer" not in {who for who, _ in told}
    assert await handed_over(desk, handle) == set()
    assert not [to for to, _, _ in desk.mailbox.arrived if "5550" in to]


async def test_what_reaches_nobody_goes_up_to_the_top_and_the_issue_still_ends(
    begin: Begin,
) -> None:
    desk = await begin("2026-03-10 10:00")
    desk.mailbox.dead |= {"sms", "wecom", "email"}
    handle, view = await desk.open()
    await desk.resolve(handle, view)
    await desk.until("2026-03-11 10:30")
    assert (await desk.view(handle)).stage is Stage.REPLIED
    await desk.callback(handle, running=True)
    ended = await desk.ended(handle)
    assert ended.outcome is Outcome.SOLVED
    left = await handed_over(desk, handle)
    assert ("customer", "resolved", "zhou.jianguo") in left
    assert ("zhou.jianguo", "undelivered", "sun.li") in left
    assert ("sun.li", "undelivered", "tian.hui") in left
    assert ("tian.hui", "undelivered", "tian.hui") in left
    assert desk.mailbox.arrived == []


async def test_a_channel_that_comes_back_within_the_day_delivers(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    desk.mailbox.dead.add("sms")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-03-10 20:00")
    assert (await desk.view(handle)).stage is Stage.RESOLVED
    desk.mailbox.dead.clear()
    await desk.until("2026-03-10 20:40")
    assert (await desk.view(handle)).stage is Stage.REPLIED
    assert await handed_over(desk, handle) == set()


async def test_a_dead_channel_holds_up_no_threshold(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    desk.mailbox.dead.add("sms")
    handle, _ = await desk.open()
    await desk.until("2026-03-10 15:31")
    alarms = [told for told in await desk.told(handle) if told[2] == "alarm"]
    assert alarms == [
        ("2026-03-10 12:00", "zhou.jianguo", "alarm"),
        ("2026-03-10 15:30", "sun.li", "alarm"),
    ]


async def test_the_reply_of_an_earlier_generation_does_not_answer_the_next(begin: Begin) -> None:
    desk = await begin("2026-03-10 16:00")
    desk.mailbox.dead.add("sms")
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-03-11 10:00")
    view = await desk.callback(handle, running=False)  # by phone, the text is still tried
    await desk.until("2026-03-11 15:00")
    view = await desk.resolve(handle, view)
    await desk.until("2026-03-11 17:00")  # the first reply has been handed over by now
    assert (await desk.view(handle)).stage is Stage.RESOLVED
    await desk.until("2026-03-12 16:00")
    assert (await desk.view(handle)).stage is Stage.REPLIED


async def test_what_a_stranger_would_hear_too_often_is_brought_by_the_lead(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00")
    customer = {"name": "恭喜中奖", "phone": "+86 138 0000 7777"}
    opened = [
        await desk.open(channel="website", customer=customer, title="点击领奖 evil.example")
        for _ in range(7)
    ]
    await desk.settle()
    there = "+8613800007777"
    texts = [body for to, _, body in desk.mailbox.arrived if to == there]
    assert len(texts) == 5
    assert not [text for text in texts if "领奖" in text or "中奖" in text or "evil" in text]
    brought = [await handed_over(desk, handle) for handle, _ in opened]
    by_the_lead = {("customer", "registered", "zhou.jianguo")}
    assert sorted(brought, key=len) == [set()] * 5 + [by_the_lead] * 2
    for handle, view in opened:
        await desk.accept(handle, view)
    await desk.settle()
    accepted = [body for to, _, body in desk.mailbox.arrived if to == there][5:]
    assert len(accepted) == 7
    assert all("领奖" in text for text in accepted)
