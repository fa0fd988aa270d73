"""What outsiders see: everything they need to act on, nothing that would name the customer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.for_supervisors import clock, coming, details, taken, telling
from domain.issue.actions import ActionName
from domain.issue.lifecycle import allowed
from domain.issue.state import Called, Issue, SlaState
from domain.issue.step import DeliveryBatch
from domain.issue.view import IssueView, for_outsiders, local, view
from domain.sla.promise import Promise, PromiseEnd, PromiseKind
from domain.vocabulary import DESK, Actor, Audience, Named, Outcome, Role, Severity, Stage
from tests.support.builders import (
    DAY,
    ENGINEER,
    HOUR,
    LEAD,
    MONDAY,
    Desk,
    a_promise,
    actor,
    an_intake,
    an_issue,
    decided,
)

CONFIDENTIAL = [
    "张伟",
    "浦江商业银行",
    "李娜",
    "0000 1234",
    "zhang.wei",
    "customer.example",
    "SN-4711",
    "Century Avenue",
    "every second card",
]
"""R30: what the sample intake says of its customer."""


@pytest.mark.parametrize("stage", Stage)
def test_neither_view_nor_page_names_the_customer(stage: Stage) -> None:
    issue = an_issue(stage)
    known = issue.intake.model_dump_json()
    shown = view(issue).model_dump_json() + details(issue)
    for secret in CONFIDENTIAL:
        assert secret in known
        assert secret not in shown


def test_what_the_customer_said_on_the_phone_is_kept_to_the_callback_record() -> None:
    issue = Desk().do(
        an_issue(Stage.REPLIED),
        ActionName.RECORD_CALLBACK,
        actor(Role.CLERK),
        MONDAY + 2 * DAY,
        words="call my wife Wang Fang on 139 1111 2222",
    )
    shown = view(issue).model_dump_json() + details(issue)
    assert "139 1111 2222" not in shown


def test_a_view_says_where_the_issue_stands() -> None:
    issue = an_issue(Stage.REPLIED, level=2, generation=3, severity=Severity.MAJOR)
    seen = view(issue)
    assert (seen.id, seen.number) == ("issue:web:r-1", "20261123-07-0001")
    assert (seen.source, seen.reference) == ("web", "r-1")
    assert (seen.stage, seen.outcome, seen.answered) == (Stage.REPLIED, None, True)
    assert (seen.kind, seen.category, seen.severity) == ("fault", "technical", "major")
    assert (seen.title, seen.product_line) == ("The card reader swallows cards", "ATM")
    assert (seen.region, seen.department, seen.centre) == ("shanghai", "field", "shanghai")
    assert (seen.engineer, seen.lead, seen.zone) == (ENGINEER, None, "Asia/Shanghai")
    assert (seen.escalation_level, seen.reopen_count) == (2, 2)
    assert seen.sla_state is SlaState.ON_TIME
    assert (seen.reported_at, seen.registered_at) == (MONDAY, MONDAY)
    assert seen.results == ("card reader replaced",)
    assert [note.action for note in seen.steps] == ["registered", "accept", "resolve", "replied"]
    assert seen.steps[-2].note == "card reader replaced"


@pytest.mark.parametrize("stage", Stage)
def test_a_view_lists_what_can_be_done_next_and_comes_back_from_json(stage: Stage) -> None:
    issue = an_issue(stage)
    seen = view(issue)
    assert seen.can == allowed(issue)
    assert IssueView.model_validate_json(seen.model_dump_json()) == seen


def test_a_view_shows_every_promise_with_its_end_and_the_next_due_instant() -> None:
    issue = an_issue(Stage.WAITING, promises=(*an_issue(Stage.WAITING).promises, a_promise()))
    response, stopped, running = view(issue).promises
    assert (response.key, response.end, response.paused) == ("response.1", PromiseEnd.KEPT, False)
    assert response.ended_at
    assert (stopped.key, stopped.end, stopped.paused) == ("resolution.1", PromiseEnd.OPEN, True)
    assert (running.paused, running.due_at) == (False, view(issue).next_due_at)
    assert (running.target, running.made_at, running.attempt) == ("3 working days", MONDAY, 1)


def test_a_closed_issue_has_nothing_due() -> None:
    seen = view(an_issue(Stage.CLOSED))
    assert (seen.next_due_at, seen.can, seen.outcome) == (None, (), Outcome.SOLVED)


def test_a_closed_issue_that_is_still_to_be_scored_and_rated_says_so() -> None:
    evaluation, difficulty = (
        a_promise(kind) for kind in (PromiseKind.EVALUATION, PromiseKind.DIFFICULTY)
    )
    seen = view(an_issue(Stage.CLOSED, promises=(evaluation, difficulty)))
    aside = (ActionName.ADD_NOTE, ActionName.AMEND, ActionName.LINK, ActionName.CUSTOMER_WROTE)
    assert seen.can == (ActionName.EVALUATE, ActionName.RATE_DIFFICULTY, *aside)
    assert seen.next_due_at == difficulty.due_at  # what the customer has time for is not ours
    assert seen.sla_state is SlaState.MET


def test_the_page_says_what_the_hotline_answered_and_what_is_linked_to_it() -> None:
    assert "First contact" not in details(an_issue())
    answered = an_issue(first_contact=True, complaints=("20261124-07-0002",))
    page = details(answered)
    assert "First contact** 热线 hotline · **引出投诉 Complaints** 20261124-07-0002" in page
    complaint = Desk().open(an_intake(kind="complaint", arises_from="issue:web:r-1"))
    assert "**起因 Arises from** issue:web:r-1" in details(complaint)


def test_a_view_names_the_complaints_that_arose_and_what_the_issue_itself_arose_from() -> None:
    issue = Desk().do(an_issue(Stage.CLOSED), ActionName.COMPLAINT_RAISED, DESK)
    assert view(issue).complaints == ("20261124-07-0002",)
    complaint = Desk().open(an_intake(kind="complaint", arises_from=issue.id))
    assert (view(complaint).arises_from, view(complaint).complaints) == ("issue:web:r-1", ())


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Shanghai", "2026-11-23 Mon 07:30"),
        ("Europe/Berlin", "2026-11-23 Mon 00:30"),
        ("America/New_York", "2026-11-22 Sun 18:30"),
    ],
)
def test_an_instant_is_written_as_the_clock_on_the_desks_wall_shows_it(
    zone: str, text: str
) -> None:
    assert local(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), zone) == text


def test_the_page_of_an_issue_at_work_reads_as_a_supervisor_needs_it() -> None:
    possible = (
        "进展 report_progress, 等待客户 wait_for_customer, 转部门 transfer, 改派 reassign, "
        "专家会诊 consult, 解决 resolve, 催办 chase, 升级 escalate, 撤回 withdraw, 备注 add_note, "
        "更正资料 amend, 关联问题 link, 并入另一问题 merge, 客户来信 customer_wrote"
    )
    assert details(an_issue(Stage.IN_PROGRESS)).splitlines() == [
        "### 20261123-07-0001 · The card reader swallows cards",
        "fault · technical · 一般 general · ATM · shanghai",
        "",
        "**阶段 Stage** 处理中 in progress `in_progress` · **时效 SLA** 按时 on time `on_time`",
        "**处理人 With** Zhou Wei (e01) · field, shanghai",
        "**升级 Escalation** 未升级 not escalated · **重开 Reopened** 0",
        "",
        "| 承诺 Promise | 期限 Due | 状态 State |",
        "|---|---|---|",
        "| 响应 response.1 (2小时 2 hours) | 2026-11-23 Mon 11:00 | 兑现 kept 2026-11-23 Mon 09:01 |",  # noqa: E501
        "| 解决 resolution.1 (3个工作日 3 working days) | 2026-11-26 Thu 09:00 | 进行中 running |",
        "",
        "**最近 Last steps**",
        "",
        "- 2026-11-23 Mon 09:01 受理 accept · e01",
        "- 2026-11-23 Mon 09:00 登记 registered · 07",
        "",
        "**来往 Thread** yinuo issue show 20261123-07-0001 --thread",
        "",
        f"**可做 Possible next** {possible}",
    ]


def test_the_page_shows_times_in_the_desks_zone() -> None:
    page = details(an_issue(Stage.IN_PROGRESS, zone="America/New_York"))
    assert "| 2026-11-22 Sun 22:00 | 兑现 kept 2026-11-22 Sun 20:01 |" in page
    assert "- 2026-11-22 Sun 20:01 受理 accept" in page


@pytest.mark.parametrize(
    ("promise", "standing"),
    [
        (a_promise(), "Thu 09:00 | 进行中 running |"),
        (a_promise(provisional=True), "Thu 09:00 暂定 provisional | 进行中 running |"),
        (a_promise().pause(MONDAY), "Thu 09:00 | 暂停 standing still |"),
        (a_promise().reach(), "Thu 09:00 | 进行中 running |"),
        (a_promise().reach().reach(), "Thu 09:00 | 已逾期 overdue |"),
        (a_promise().fulfil(MONDAY), "Thu 09:00 | 兑现 kept 2026-11-23 Mon 09:00 |"),
        (a_promise().give_up(MONDAY + HOUR), "Thu 09:00 | 撤销 withdrawn 2026-11-23 Mon 10:00 |"),
    ],
)
def test_the_page_says_how_each_promise_stands(promise: object, standing: str) -> None:
    assert standing in details(an_issue(promises=(promise,)))


def test_the_page_says_who_has_it_when_nobody_is_free() -> None:
    waits = an_issue(Stage.REGISTERED)
    assert f"With** {LEAD.name} ({LEAD.id}), 无人空闲 nobody free" in details(waits)
    assert "With** 无人 nobody ·" in details(waits.model_copy(update={"lead": None}))


def test_the_page_of_a_closed_issue_says_how_it_ended_and_that_nothing_is_left_to_do() -> None:
    page = details(an_issue(Stage.CLOSED, severity=Severity.MAJOR))
    assert "**阶段 Stage** 已关闭 closed · 解决 solved · **时效 SLA**" in page
    assert "重大 major" in page
    assert page.endswith("**可做 Possible next** —")


def test_a_step_takes_one_line_of_the_page_whatever_was_written() -> None:
    issue = Desk().do(
        an_issue(),
        ActionName.REPORT_PROGRESS,
        actor(Role.ENGINEER),
        note="wait\n**可做 Possible next** withdraw",
    )
    before = len(details(an_issue(Stage.ASSIGNED)).splitlines())
    assert len(details(issue).splitlines()) == before + 1


def test_what_the_customer_or_a_colleague_said_is_not_noted_but_that_it_is_in_the_thread() -> None:
    desk, work = Desk(), an_issue(Stage.IN_PROGRESS)
    lines: tuple[tuple[Issue, ActionName, Role, dict[str, Any]], ...] = (
        (an_issue(Stage.REPLIED), ActionName.REPORT_TEST, Role.CUSTOMER, {"words": "call 139 1"}),
        (work, ActionName.WITHDRAW, Role.CUSTOMER, {"reason": "call 139 1"}),
        (work, ActionName.CONSULT, Role.ENGINEER, {"question": "call 139 1"}),
        (an_issue(Stage.CLOSED), ActionName.RATE_DIFFICULTY, Role.MANAGER, {"note": "call 139 1"}),
    )
    for issue, name, role, said in lines:
        page = details(desk.do(issue, name, actor(role), **said))
        assert "139" not in page
        assert f"{name} · {actor(role).id}: 原话见来往记录 the words are in its thread" in page
    assert "the words are in its thread" not in details(work)


def test_to_outsiders_nothing_is_shown_that_staff_noted() -> None:
    issue = Desk().do(
        an_issue(Stage.IN_PROGRESS),
        ActionName.WAIT_FOR_CUSTOMER,
        actor(Role.ENGINEER),
        reason="they do not answer",
    )
    assert view(issue).steps[-1].note == "they do not answer"
    seen = for_outsiders(view(issue))
    assert [step.note for step in seen.steps] == [""] * len(seen.steps)
    assert seen.model_copy(update={"steps": view(issue).steps}) == view(issue)


def test_a_last_step_shows_the_word_that_was_said() -> None:
    issue = Desk().do(
        an_issue(), ActionName.ESCALATE, actor(Role.AGENT), reason="the branch opens at nine"
    )
    assert "escalate · agent-1: the branch opens at nine" in details(issue)


def test_a_title_with_markdown_in_it_is_shown_as_it_is() -> None:
    issue = Desk().open(an_intake(title="ATM #3 | lobby"))
    assert "· ATM #3 | lobby" in details(issue)


def test_the_page_calls_what_it_is_and_where_by_the_desks_own_names_beside_the_codes() -> None:
    called = Called(
        kind=Named(zh="故障报修", en="fault"),
        category=Named(zh="技术质量", en="technical quality"),
        department=Named(zh="技术服务部", en="technical service"),
        centre="上海维修中心",
    )
    page = details(an_issue(called=called))
    assert "故障报修 fault · 技术质量 technical · 一般 general" in page
    assert "技术服务部 field, 上海维修中心 shanghai" in page


# A line of the timeline ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promise", "threshold", "line"),
    [
        (a_promise(), "75%", "解决 75% · 11月26日09:00 到期 resolution"),
        (a_promise(provisional=True), "100%", "解决 100% · 11月26日09:00 到期（暂定） resolution"),
        (a_promise(), "+1 working day", "解决 +1个工作日 · 11月26日09:00 到期 resolution"),
    ],
)
def test_a_clock_says_what_it_waits_for_and_when_the_promise_is_due(
    promise: Promise, threshold: str, line: str
) -> None:
    assert clock(promise, threshold, "Asia/Shanghai") == line


def test_a_step_says_what_it_is_and_whose_and_names_no_customer() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    by = Actor(id=ENGINEER.id, role=Role.ENGINEER)
    progress = decided(issue, ActionName.REPORT_PROGRESS, by, note="waits for a part")
    assert taken(progress, issue) == f"进展 progress · {ENGINEER.name}"
    theirs = Actor(id="zhang.wei", role=Role.CUSTOMER)
    wrote = decided(issue, ActionName.CUSTOMER_WROTE, theirs, words="call 139 1", known=True)
    assert taken(wrote, issue) == "客户来信 customer wrote · 客户 customer"
    alarm = decided(issue, ActionName.THRESHOLD, DESK, promise="resolution.1", threshold="75%")
    assert taken(alarm, issue) == "到时提醒 threshold · 解决 75% · 系统 the desk"
    assert coming(alarm) == "下一步 next: 到时提醒 threshold"


def test_messages_say_whom_they_are_for_and_those_of_before_how_many_they_are() -> None:
    batch = DeliveryBatch(
        keys=("a", "b"),
        to=(Audience.CUSTOMER, Audience.LEAD),
        **dict.fromkeys(("give_up_after", "first_retry", "longest_retry"), HOUR),
    )
    assert telling(batch) == "通知：客户、组长 to customer, lead"
    assert telling(batch, at_work=True) == "等上班再通知：客户、组长 once at work: customer, lead"
    former = DeliveryBatch.model_validate(batch.model_dump(exclude={"to"}))
    assert telling(former) == "通知：2 条消息 to 2 messages"
