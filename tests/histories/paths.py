"""Every path an issue can take, as a story: what the committed histories are recorded from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

from domain.issue.actions import Accept, ActionName, ReportProgress
from domain.vocabulary import Actor, Role
from tests.support.harness import (
    AGENT,
    CLERK,
    CUSTOMER,
    LEAD,
    MANAGER,
    Handle,
    StoryDesk,
    engineer,
    eventually,
    result,
)

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


async def noted(desk: StoryDesk) -> Handle:
    """Somebody writes to the customer and for colleagues; the telephone was wrong; a late word."""
    handle = await _accepted(desk)
    await desk.do(handle, ActionName.ADD_NOTE, AGENT, words="the part is here", for_customer=True)
    wrong = {"phone": "+8613900000002", "reason": "the customer called"}
    await desk.do(handle, ActionName.AMEND, AGENT, **wrong)
    await desk.do(handle, ActionName.ADD_NOTE, LEAD, words="he knows the site")
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    await desk.do(handle, ActionName.ADD_NOTE, AGENT, words="she says thanks")
    return handle


async def merged(desk: StoryDesk) -> Handle:
    """Another customer reports the same: their issue is merged into the first."""
    _, goes_on = await desk.open()
    other = {"name": "李娜", "phone": "+8613900000002"}
    handle, view = await desk.open(customer=other)
    await desk.accept(handle, view)
    await desk.do(handle, ActionName.MERGE, LEAD, into=goes_on.number, reason="one machine")
    await desk.settle()
    return handle


async def absorbed(desk: StoryDesk) -> Handle:
    """It takes over what another customer reports, is linked with a third, and answers both."""
    handle, view = await desk.open()
    await desk.accept(handle, view)
    other = {"name": "李娜", "phone": "+8613900000002"}
    second, _ = await desk.open(customer=other)
    _, third = await desk.open(customer=other)
    await desk.do(second, ActionName.MERGE, LEAD, into=view.number, reason="one machine")
    await desk.settle()
    await desk.do(handle, ActionName.LINK, LEAD, to=third.number)
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
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


async def cancellation_asked(desk: StoryDesk) -> Handle:
    handle = await _accepted(desk)
    await desk.settle()
    await desk.cancel(handle)
    await desk.withdraw(handle)
    return handle


async def begun_alone(desk: StoryDesk) -> Handle:
    """Whoever started it was cut off: it registers itself."""
    handle = await desk.begin(await desk.intake())
    await desk.settle()
    await desk.accept(handle, await desk.view(handle))
    await desk.withdraw(handle)
    return handle


async def never_registered(desk: StoryDesk) -> Handle:
    handle = await desk.start(await desk.intake())
    await desk.settle()
    return handle


async def _worked_on(desk: StoryDesk, **intake: object) -> tuple[Handle, Actor]:
    handle = await _accepted(desk, **intake)
    return handle, engineer(await desk.view(handle))


async def answered(desk: StoryDesk) -> Handle:
    """The hotline knows the answer; the customer reports that it works, and scores the service."""
    handle, _ = await desk.open(answering=True)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="hold the reset button")
    await desk.until("2026-09-29 15:00")
    await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **_SCORES)
    return handle


async def untested(desk: StoryDesk) -> Handle:
    """Silence counts as solved."""
    handle, _ = await desk.open(answering=True)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="hold the reset button")
    return handle


async def answer_failed(desk: StoryDesk) -> Handle:
    """It did not work: an engineer is sent."""
    handle, _ = await desk.open(kind="consultation", answering=True)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="hold it", on_the_line=False)
    await desk.until("2026-09-29 15:00")
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="no")
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    return handle


async def not_passed_on(desk: StoryDesk) -> Handle:
    """The hotline neither answers nor passes it on: the desk does."""
    handle, _ = await desk.open(answering=True, complex=True)
    await desk.until("2026-09-29 15:00")
    view = await desk.view(handle)
    await desk.accept(handle, view)
    await desk.withdraw(handle)
    return handle


async def kept_back(desk: StoryDesk) -> Handle:
    """The customer does not want that it is passed on, and agrees when the hotline is late."""
    handle, _ = await desk.open(answering=True)
    said = {"consent": "no", "consent_words": "tell me on the line how to do it"}
    await desk.do(handle, ActionName.REASSIGN, AGENT, reason="needs a look on site", **said)
    await desk.until("2026-09-29 15:00")
    agreed = {"reason": "they agree now", "consent": "yes"}
    view = await desk.do(handle, ActionName.REASSIGN, AGENT, **agreed)
    await desk.accept(handle, view)
    await desk.withdraw(handle)
    return handle


async def taken(desk: StoryDesk) -> Handle:
    """What came in by e-mail is nobody's until an agent takes it and answers; it works."""
    handle, _ = await desk.open(kind="consultation", channel="email")
    await desk.until("2026-09-29 15:00")
    await desk.do(handle, ActionName.TAKE, AGENT)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="pull it", on_the_line=False)
    await desk.until("2026-09-29 16:00")
    await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    return handle


async def first_contact(desk: StoryDesk) -> Handle:
    """A fault that the hotline solved is called back the next day, and rated."""
    handle, _ = await desk.open(answering=True)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="hold the button", test=False)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=2)
    return handle


async def late(desk: StoryDesk) -> Handle:
    """The agent asks the handler of what is late, and calls the customer, at first in vain."""
    handle = await _accepted(desk)
    await desk.until("2026-10-09 19:00")  # three working days were over the evening before
    await desk.do(handle, ActionName.CHASE, AGENT, asks="when will it be done?")
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, reached=False)
    told = {"reached": True, "told": "the part comes tomorrow; we are sorry"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, **told)
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-10-10 10:00")  # a Saturday at work
    await desk.callback(handle, running=True)
    return handle


async def told_by_call(desk: StoryDesk) -> Handle:
    """Nothing can be written to the customer: with the agent's call they have the answer."""
    switchboard = {"name": "Lin Fen", "phone": "+86 20 5550 0101"}
    handle = await _accepted(desk, customer=switchboard)
    await desk.resolve(handle, await desk.view(handle))
    await desk.settle()
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, reached=False)
    told = {"reached": True, "told": "the card reader is replaced"}
    await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, **told)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def made_up_for(desk: StoryDesk) -> Handle:
    """An agitated complainant is calmed, granted the second thing that is proposed, and told in
    writing, as three calls did not reach them; the complaint is closed when they have it.
    """
    handle, by = await _worked_on(desk, kind="complaint", category="service", agitated=True)
    await desk.do(handle, ActionName.CALM, MANAGER, spoken="listened, and asked for a day")
    await desk.do(handle, ActionName.VERIFY, by, verdict="general", findings="came too late")
    for what, amount, approved in (("a phone", "900.00", False), ("the fare", "300.00", True)):
        proposed = {"remedy": "money", "what": what, "amount": amount, "reason": "twice late"}
        await desk.do(handle, ActionName.PROPOSE_REMEDY, by, **proposed)
        decided = {"approved": approved, "reason": "" if approved else "more than they lost"}
        await desk.do(handle, ActionName.DECIDE_REMEDY, MANAGER, **decided)
    await desk.resolve(handle, await desk.view(handle))
    for _ in range(3):
        await desk.do(handle, ActionName.CONTACT_CUSTOMER, AGENT, reached=False)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    given = {"accepted": True, "receipt": "receipt 0017, signed"}
    await desk.do(handle, ActionName.RECORD_REMEDY, by, **given)
    return handle


async def transferred(desk: StoryDesk) -> Handle:
    """To another department, which asks a panel."""
    handle, by = await _worked_on(desk)
    to = {"to": "software_development", "reason": "a defect of the firmware"}
    view = await desk.do(handle, ActionName.TRANSFER, by, **to)
    await desk.accept(handle, view)
    asked = {"question": "is it known?", "experts": ["ye.zihan"]}
    await desk.do(handle, ActionName.CONSULT, engineer(view), **asked)
    await desk.until("2026-09-29 16:00")
    await desk.do(handle, ActionName.CONSULT, engineer(view), advice="update to 4.2")
    await desk.resolve(handle, view)
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    await desk.do(handle, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=4)
    return handle


async def relieved(desk: StoryDesk) -> Handle:
    """A major fault changes hands at the end of a shift."""
    handle, _ = await _worked_on(desk, severity="major")
    await desk.until("2026-09-29 21:00")
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def general_complaint(desk: StoryDesk) -> Handle:
    handle, by = await _worked_on(desk, kind="complaint", category="service")
    await desk.do(handle, ActionName.VERIFY, by, verdict="general", findings="came too late")
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def major_complaint(desk: StoryDesk) -> Handle:
    """The lead takes it."""
    handle, by = await _worked_on(desk, kind="complaint", category="service")
    said = {"verdict": "major", "findings": "third time"}
    view = await desk.do(handle, ActionName.VERIFY, by, **said)
    await desk.do(handle, ActionName.ACCEPT, Actor(id="tan.rui", role=Role.LEAD))
    await desk.do(handle, ActionName.RESOLVE, Actor(id="tan.rui", role=Role.LEAD), result="done")
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    assert view.escalation_level == 1
    return handle


async def unfounded_complaint(desk: StoryDesk) -> Handle:
    handle, by = await _worked_on(desk, kind="complaint", category="service")
    await desk.do(handle, ActionName.VERIFY, by, verdict="unfounded", findings="it was in time")
    await desk.until("2026-09-30 10:00")
    await desk.callback(handle, running=True)
    return handle


async def conflict(desk: StoryDesk) -> Handle:
    """What the customer says in the callback becomes a complaint."""
    handle = await _replied(desk)
    await desk.until("2026-09-30 10:00")
    said = {"reached": True, "running": True, "satisfied": False, "conflict": True}
    await desk.do(handle, ActionName.RECORD_CALLBACK, CLERK, words="he was rude", **said)
    await desk.settle()
    return handle


async def bad_score(desk: StoryDesk) -> Handle:
    """So does a score below zero."""
    handle = await on_time(desk)
    await desk.do(handle, ActionName.EVALUATE, CUSTOMER, **_SCORES | {"attitude": -20})
    await desk.settle()
    return handle


async def _quoted(desk: StoryDesk, amount: str) -> tuple[Handle, Actor]:
    handle, by = await _worked_on(desk, kind="paid_service")
    await desk.do(handle, ActionName.SURVEY, by, findings="a new door")
    await desk.do(handle, ActionName.QUOTE, by, work="a new door", amount=amount)
    return handle, by


async def paid_service(desk: StoryDesk) -> Handle:
    """A dear one: the manager approves; the customer accepts the work."""
    handle, _ = await _quoted(desk, "31000.00")
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    await desk.do(handle, ActionName.APPROVE, MANAGER, approved=True)
    await desk.resolve(handle, await desk.view(handle))
    await desk.until("2026-09-30 10:00")
    await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    return handle


async def work_refused(desk: StoryDesk) -> Handle:
    handle, _ = await _quoted(desk, "800.00")
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    await desk.resolve(handle, await desk.view(handle))
    await desk.settle()
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="crooked")
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    return handle


async def declined(desk: StoryDesk) -> Handle:
    handle, by = await _quoted(desk, "800.00")
    await desk.do(handle, ActionName.QUOTE, by, work="a used door", amount="500.00")
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=False, words="too dear")
    return handle


async def not_approved(desk: StoryDesk) -> Handle:
    handle, _ = await _quoted(desk, "31000.00")
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    await desk.do(handle, ActionName.APPROVE, MANAGER, approved=False, reason="no such doors")
    return handle


async def lapsed(desk: StoryDesk) -> Handle:
    """The customer never answers the quotation."""
    handle, _ = await _quoted(desk, "800.00")
    return handle


async def wrote(desk: StoryDesk) -> Handle:
    """The customer writes: while it is their turn, after the answer, and after the closing."""
    handle, by = await _worked_on(desk, kind="consultation")
    await desk.do(handle, ActionName.WAIT_FOR_CUSTOMER, by, reason="which model is it?")
    more = {"words": "I look it up", "means": "more_time"}
    await desk.do(handle, ActionName.CUSTOMER_WROTE, CUSTOMER, **more)
    await desk.until("2026-09-29 11:00")
    await desk.do(handle, ActionName.CUSTOMER_WROTE, AGENT, words="a thief", known=False)
    view = await desk.do(handle, ActionName.CUSTOMER_WROTE, CUSTOMER, words="it is an ST-100")
    await desk.resolve(handle, view)
    await desk.settle()
    await desk.do(handle, ActionName.CUSTOMER_WROTE, CUSTOMER, words="where is the bill?")
    await desk.until("2026-09-30 15:00")
    await desk.do(handle, ActionName.RESUME, AGENT, note="sent her the bill")
    failed = {"words": "it is broken again", "means": "not_solved"}
    view = await desk.do(handle, ActionName.CUSTOMER_WROTE, CUSTOMER, **failed)
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    return handle


async def by_name(desk: StoryDesk) -> Handle:
    """Nobody answers in time, somebody else has to, it fails, and is solved at last: what most of
    the names are for that steps are recorded by.
    """
    handle, _ = await desk.open()
    await desk.until("2026-09-29 12:30")
    await desk.do(handle, ActionName.ESCALATE, LEAD, reason="the customer calls again")
    view = await desk.reassign(handle, "chen.zhiqiang")
    view = await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-09-30 10:00")
    view = await desk.callback(handle, running=False)
    view = await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.until("2026-10-08 10:00")
    await desk.callback(handle, running=True)
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


_SCORES = {
    "item": "after_sales",
    "technical": 120,
    "attitude": 150,
    "comment": "quick and friendly",
}

WHOLE: dict[str, Path] = {
    path.__name__: path
    for path in (
        *(answered, untested, answer_failed, not_passed_on, kept_back),
        *(taken, first_contact, late, told_by_call, made_up_for),
        *(transferred, relieved),
        *(general_complaint, major_complaint, unfounded_complaint, conflict, bad_score),
        *(paid_service, work_refused, declined, not_approved, lapsed, noted, wrote),
    )
}
"""Those that need the whole regulation: what follows the closing, relief at the end of a shift."""
PATHS: dict[str, Path] = WHOLE | {
    path.__name__: path
    for path in (
        *(
            merged,
            absorbed,
            on_time,
            by_signal,
            waiting,
            reassigned,
            reopened,
            not_reached,
            withdrawn,
        ),
        *(escalated_to_the_top, late_report, unassigned, consultation, dead_channel),
        *(cancellation_asked, begun_alone),
        *(never_registered, silence, objection, after_hours, replanned, by_name),
    )
}
