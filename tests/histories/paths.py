"""Every path an issue can take, as a story: what the committed histories are recorded from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

from domain.actions import Accept, ActionName, ReportProgress
from tests.workflows.harness import Handle, StoryDesk, engineer, eventually, result

Path = Callable[[StoryDesk], Awaitable[Handle]]

BEGINS = "2026-09-29 10:00"
"""A Tuesday; National Day week is from Thursday to Wednesday."""


async def _accepted(desk: StoryDesk, **intake: object) -> Handle:
    handle, view = await desk.open(**intake)
    await desk.accept(handle, view)
    return handle


async def _replied(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    await desk.resolve(handle, await desk.view(handle))
    await desk.settle()
    return handle


async def on_time(desk: StoryDesk) -> Handle:
    handle = await _replied(desk)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def by_signal(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    await desk.complete(handle, result(await desk.view(handle)))
    await desk.complete(handle, result(await desk.view(handle)))  # refused
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def waiting(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    view = await desk.wait(handle, await desk.view(handle))
    await desk.until("2026-10-08 10:00")
    view = await desk.resume(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-10-09 10:00")
    await desk.callback(handle, running=True)
    return handle


async def reassigned(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    view = await desk.reassign(handle, "chen.zhiqiang")
    await desk.resolve(handle, view)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def reopened(desk: StoryDesk) -> Handle:
    handle = await _replied(desk)
    await desk.until("2026-09-30 10:00")
    view = await desk.callback(handle, running=False)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-10-08 10:00")
    await desk.callback(handle, running=True)
    return handle


async def not_reached(desk: StoryDesk) -> Handle:
    handle = await _replied(desk)
    for day in ("2026-09-30", "2026-10-08", "2026-10-09"):
        await desk.until(f"{day} 10:00")
        await desk.callback(handle, running=None)
    return handle


async def withdrawn(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    await desk.withdraw(handle)
    return handle


async def escalated_to_the_top(desk: StoryDesk) -> Handle:
    handle, view = await desk.open()
    await desk.until("2026-10-12 19:00")
    await desk.resolve(handle, view)
    await desk.until("2026-10-13 10:00")
    await desk.callback(handle, running=True)
    return handle


async def late_report(desk: StoryDesk) -> Handle:
    handle, view = await desk.open(reported_at=desk.real("2026-09-25 10:00"))
    await desk.accept(handle, view)
    await desk.withdraw(handle)
    return handle


async def unassigned(desk: StoryDesk) -> Handle:
    await desk.until("2026-10-01 11:00")
    handle, _ = await desk.open(category="out_of_scope")
    await desk.until("2026-10-08 09:30")
    await desk.withdraw(handle)
    return handle


async def consultation(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk, kind="consultation")
    await desk.resolve(handle, await desk.view(handle))
    return handle


async def silence(desk: StoryDesk) -> Handle:
    """Nobody calls back about a consultation: it closes when the customer had time to object."""
    return await consultation(desk)


async def objection(desk: StoryDesk) -> Handle:
    handle = await consultation(desk)
    await desk.until("2026-09-29 16:00")
    view = await desk.callback(handle, running=False)
    await desk.accept(handle, view)
    await desk.withdraw(handle)
    return handle


async def after_hours(desk: StoryDesk) -> Handle:
    """A complaint in the evening: the lead hears of the broken promise in the morning."""
    await desk.until("2026-09-29 19:00")
    handle, view = await desk.open(kind="complaint", region="深圳")
    await desk.until("2026-09-30 10:00")
    await desk.accept(handle, view)
    await desk.withdraw(handle)
    return handle


async def replanned(desk: StoryDesk) -> Handle:
    """The desk is closed for a day that was to be a working day."""
    handle = await _accepted(desk)
    closed = desk.rulebook.calendars["desk"].model_copy(
        update={"overrides": {date(2026, 9, 30): ()}}
    )
    await desk.load(desk.rulebook.with_calendars({"desk": closed}))
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-10-08 10:00")
    await desk.callback(handle, running=True)
    return handle


async def dead_channel(desk: StoryDesk) -> Handle:
    desk.mailbox.dead.add("sms")
    handle, view = await desk.open()
    await desk.resolve(handle, view)
    await desk.until("2026-09-30 10:30")
    await desk.callback(handle, running=True)
    desk.mailbox.dead.clear()
    return handle


async def cancelled(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    await desk.settle()
    await desk.cancel(handle)
    return handle


async def never_registered(desk: StoryDesk) -> Handle:
    handle = await desk.start(await desk.intake())
    await desk.settle()
    return handle


async def grown(desk: StoryDesk) -> Handle:
    """An accepted issue that has begun a second run; for a server that asks for it early."""
    handle, view = await desk.open()
    first = (await handle.describe()).run_id
    accept = Accept(by=engineer(view))
    await desk.act(handle, ActionName.ACCEPT, accept, update_id="accept-1")
    progress = ReportProgress(by=engineer(view), note="still at it")
    for n in range(6):
        await desk.act(handle, ActionName.REPORT_PROGRESS, progress, update_id=f"progress-{n}")

    async def in_a_new_run() -> bool:
        return (await handle.describe()).run_id != first

    await eventually(in_a_new_run)
    return handle


PATHS: dict[str, Path] = {
    path.__name__: path
    for path in (
        *(on_time, by_signal, waiting, reassigned, reopened, not_reached, withdrawn),
        *(escalated_to_the_top, late_report, unassigned, consultation, dead_channel, cancelled),
        *(never_registered, silence, objection, after_hours, replanned),
    )
}
