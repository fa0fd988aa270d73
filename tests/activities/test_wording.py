import ast
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.wording import DEPARTMENTS, SUBJECT, TEMPLATES, WORDS, Context, write
from domain.issue import lifecycle, view
from domain.issue.actions import (
    Act,
    Answer,
    Approve,
    ComplaintRaised,
    Confirm,
    Consult,
    Evaluate,
    Quote,
    RecordCallback,
    ReportTest,
    Transfer,
    Verify,
)
from domain.sla.promise import Promise, PromiseEnd, PromiseKind
from domain.vocabulary import (
    DESK,
    ESCALATION,
    Audience,
    Category,
    Kind,
    Outcome,
    ServiceItem,
    Severity,
    Verdict,
)

POLICIES = Path(__file__).parents[2] / "policies"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""Monday 12:00 in Shanghai."""

MINIMAL = Context(
    number="20261123-07-0003",
    title="卡钞",
    kind=Kind.FAULT,
    product_line="atm",
    region="guangdong",
    recipient_name="李雷",
    zone="Asia/Shanghai",
)


def a_promise(kind: PromiseKind, hours: float, *, provisional: bool = False) -> Promise:
    return Promise(
        kind=kind,
        target="2h",
        clock="working",
        calendar="guangzhou",
        made_at=NOON,
        due_at=NOON + timedelta(hours=hours),
        provisional=provisional,
    )


PROMISES = (
    a_promise(PromiseKind.RESPONSE, 2),
    a_promise(PromiseKind.RESOLUTION, 77, provisional=True),
    a_promise(PromiseKind.CALLBACK, 24),
)

RESULT = "已更换出钞模块\n并测试正常"

FULL = Context(
    number="20261123-07-0003",
    title="ATM 出钞口卡钞，屏幕黑屏，重启后仍然无法恢复正常，营业网点门口已经有多位客户在排队等候",
    kind=Kind.COMPLAINT,
    severity=Severity.MAJOR,
    category=Category.TECHNICAL,
    product_line="atm",
    region="guangdong",
    site="天河支行",
    customer_name="王芳",
    recipient_name="李雷",
    engineer_name="韩梅梅",
    department="technical_service",
    against="20261122-07-0001",
    thin="technical_service/guangzhou",
    zone="Asia/Shanghai",
    promises=PROMISES,
    promise=PROMISES[1],
    mark_name="+2h",
    own_word=PROMISES[:2],
    happened_at=NOON,
    by="e-han",
    on_duty_at=NOON + timedelta(hours=20),
    expected_at=NOON + timedelta(hours=6),
    reason="备件明天到货",
    result=RESULT,
    level=2,
    reopen_count=1,
    undelivered=((Audience.HANDLER, "e-li", "新任务 · Assigned", "请尽快受理。\nPlease accept."),),
)

ANSWERED = Answer(by=DESK, solution="请长按电源键十秒后重新开机")
TRIED = ReportTest(by=DESK, worked=False, words="试了三遍，还是黑屏。")
PASSED_ON = Transfer(by=DESK, to="software_development", reason="是软件版本的问题")
VERIFIED = Verify(by=DESK, verdict=Verdict.MAJOR, findings="工程师当天未按约定到场")
QUOTED = Quote(by=DESK, work="加装一台自助缴费终端，含布线", amount=Decimal("12800.50"))
DECLINED = Confirm(by=DESK, agreed=False, words="价格太高了。")
COMPLAINED = RecordCallback(
    by=DESK, reached=True, running=False, satisfied=False, conflict=True, words="等了三天没人来。"
)

SAID: dict[str, Act] = {
    "answered": ANSWERED,
    "answered_staff": ANSWERED,
    "dispatched": TRIED,
    "work_refused": TRIED,
    "transferred": PASSED_ON,
    "transferred_staff": PASSED_ON,
    "panel_asked": Consult(by=DESK, question="主板要不要更换？", experts=("e-wu", "e-zhao")),
    "panel_advised": Consult(by=DESK, advice="先刷新固件，再换主板。"),
    "verified": VERIFIED,
    "unfounded": Verify(by=DESK, verdict=Verdict.UNFOUNDED, findings="工程师按约定时间到场"),
    "taken": VERIFIED,
    "quotation": QUOTED,
    "approval_wanted": QUOTED,
    "declined": DECLINED,
    "quotation_over": DECLINED,
    "confirmed": Confirm(by=DESK, agreed=True, words="可以，尽快开始。"),
    "not_approved": Approve(by=DESK, approved=False, reason="该型号已停产"),
    "repair_failed": COMPLAINED,
    "conflict": COMPLAINED,
    "complaint_failed": ComplaintRaised(by=DESK, reason="登记簿没有回应"),
}
"""What the step said that brings such a message about."""


def said(act: Act) -> dict[str, Any]:
    """What a step keeps of an action, as JSON."""
    return act.model_dump(mode="json", exclude={"by", "at"}, exclude_none=True)


def in_full(template: str, **changes: Any) -> Context:
    """Return everything such a message may speak of."""
    words = {"said": said(SAID[template])} if template in SAID else {}
    return FULL.model_copy(update=words | changes)


AN_SMS = 500
"""Characters of a message in which everything is said, before the form that staff find below."""
WRITTEN = sorted(path.stem for path in TEMPLATES.glob("[!_]*.j2"))

FOR_CUSTOMERS = {
    *("registered", "accepted", "progress", "waiting", "apology", "resolved", "reopened"),
    *("not_reached", "replanned", "withdrawn", "answered", "dispatched", "transferred"),
    *("verified", "unfounded", "quotation", "quotation_reminder", "declined", "lapsed"),
    *("approved", "not_approved", "acceptance", "test_reminder", "waiting_reminder", "thanks"),
}
WHO_SPEAK_WITH_THE_CUSTOMER = {
    *("assigned", "unassigned", "overdue", "reminder", "undelivered", "transferred_staff"),
    *("complex", "taken", "confirmed", "conflict", "relieved"),
}
BY_OUTCOME = {Outcome.DECLINED, Outcome.LAPSED}
"""Told by the name of the outcome: how a quotation ended that nobody wants."""


def sources_of_the_lifecycle() -> list[ast.AST]:
    files = sorted(Path(lifecycle.__file__).parent.glob("*.py"))
    return [node for file in files for node in ast.walk(ast.parse(file.read_text()))]


def texts(node: ast.AST) -> set[str]:
    nodes = (n for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {n.value for n in nodes if isinstance(n.value, str)}


def templates_of_the_lifecycle() -> set[str]:
    """Every template name that the lifecycle tells or answers by, read from its source."""
    told: set[str] = set(map(str, BY_OUTCOME))
    for node in sources_of_the_lifecycle():
        match node:
            case ast.Call(func=ast.Name(id="NotificationRequest")):
                (template,) = (k.value for k in node.keywords if k.arg == "template")
                told |= texts(template)
            case ast.Call(func=ast.Name(id="answer"), args=[_, _, wording]):
                told |= texts(wording)
            case ast.FunctionDef(name="_alarm"):
                returned = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
                told = told.union(*map(texts, returned))
            case ast.AnnAssign(
                target=ast.Name(id="_REMINDERS" | "_OWN_WORDS"), value=ast.Dict(values=values)
            ):
                told = told.union(*map(texts, values))
    return told


def test_the_lifecycle_tells_what_there_are_words_for_and_no_words_lie_unused() -> None:
    assert templates_of_the_lifecycle() == set(WRITTEN)


def test_every_part_of_a_template_is_included_somewhere() -> None:
    pages = "".join(path.read_text() for path in TEMPLATES.glob("[!_]*.j2"))
    for part in {path.name for path in TEMPLATES.glob("_*.j2")} - {"_links.j2"}:
        assert f"{{% include '{part}' %}}" in pages


@pytest.mark.parametrize("facts", [in_full, lambda _: MINIMAL], ids=["full", "minimal"])
@pytest.mark.parametrize("template", WRITTEN)
def test_every_message_is_short_and_written_in_both_languages(
    template: str, facts: Callable[[str], Context]
) -> None:
    context = facts(template)
    written = write(template, context)
    text = f"{written.subject}\n{written.body}"
    assert "\n" not in written.subject
    assert len(written.subject) <= SUBJECT
    assert context.number in written.subject
    chinese = re.search(r"[一-鿿]{4}", written.body)
    english = re.search(r"\b[A-Za-z]+ [a-z]+ [a-z]+\b", written.body)
    assert chinese
    assert english
    assert chinese.start() < english.start()
    assert not re.search(r"[{}]|None|!|！|  |，。|。。|，，|。，|\n\n\n| [.,;]|[.;]{2}", text)
    assert len(written.body.partition("\n\n")[0]) <= AN_SMS


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("template", WRITTEN)
def test_a_message_ends_its_sentences_whichever_promises_the_policy_makes(
    template: str, kind: Kind
) -> None:
    for made in PromiseKind:
        context = MINIMAL.model_copy(update={"kind": kind, "promises": (a_promise(made, 2),)})
        body = write(template, context).body
        assert not re.search(r"，。|。。|。；|；。|  | [.,;]|[.;,]{2}", body)


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_what_a_customer_reads_is_an_sms_and_not_a_form(template: str) -> None:
    body = write(template, in_full(template)).body
    assert "\n\n" not in body
    assert body.count("\n") == 1 + body.count(RESULT) * RESULT.count("\n")
    assert body.startswith("李雷，您好。")


@pytest.mark.parametrize("template", WRITTEN)
def test_only_those_who_speak_with_the_customer_are_given_the_name(template: str) -> None:
    assert ("王芳" in write(template, FULL).body) == (template in WHO_SPEAK_WITH_THE_CUSTOMER)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PromiseKind.RESPONSE, "响应"),
        (PromiseKind.RESOLUTION, "解决"),
        (PromiseKind.CALLBACK, "回访"),
    ],
)
def test_an_alarm_names_the_promise_its_threshold_and_its_instant_in_the_desks_zone(
    kind: PromiseKind, expected: str
) -> None:
    promise = a_promise(kind, 2)
    body = write("alarm", MINIMAL.model_copy(update={"promise": promise, "mark_name": "+2h"})).body
    assert expected in body
    assert "+2h" in body
    assert "2026-11-23 Mon 14:00" in body


def test_due_instants_are_written_in_the_desks_zone() -> None:
    urumqi = FULL.model_copy(update={"zone": "Asia/Urumqi"})
    assert "2026-11-23 Mon 14:00" in write("registered", FULL).body
    assert "2026-11-23 Mon 12:00" in write("registered", urumqi).body


@pytest.mark.parametrize("template", WRITTEN)
def test_what_the_next_notice_may_move_is_never_told_as_if_it_were_certain(template: str) -> None:
    uncertain = tuple(
        a_promise(kind, 100 + n, provisional=True) for n, kind in enumerate(PromiseKind)
    )
    context = in_full(template, promises=uncertain, promise=uncertain[0])
    text = write(template, context).body
    for promise in uncertain:
        instant = view.local(promise.due_at, context.zone)
        assert text.count(instant) == text.count(f"{instant}（暂定 provisional）")


def test_a_clock_that_stands_still_or_has_ended_is_not_promised() -> None:
    paused = PROMISES[0].pause(NOON)
    ended = PROMISES[1].fulfil(NOON)
    body = write("registered", FULL.model_copy(update={"promises": (paused, ended)})).body
    assert "Mon" not in body
    assert "Thu" not in body


def test_a_delay_is_explained_with_its_reason_and_the_expected_time() -> None:
    body = write("progress", FULL).body
    assert "备件明天到货" in body
    assert body.count("2026-11-23 Mon 18:00") == 2


def test_a_result_reaches_the_customer_in_full() -> None:
    result = "已更换出钞模块。" * 200
    assert result in write("resolved", FULL.model_copy(update={"result": result})).body


def test_who_is_to_pass_messages_on_reads_them_word_for_word() -> None:
    body = write("undelivered", FULL).body
    assert "处理人 handler · e-li" in body
    assert "新任务 · Assigned\n请尽快受理。\nPlease accept.\n" in body


def test_the_title_of_a_customer_is_text_and_never_a_template() -> None:
    naughty = MINIMAL.model_copy(update={"title": "{{ zone }} <b>"})
    assert "“{{ zone }} <b>”" in write("registered", naughty).body


@pytest.mark.parametrize("end", [PromiseEnd.BROKEN, PromiseEnd.OPEN])
def test_a_promise_whose_time_is_over_is_not_told_as_if_it_were_to_come(
    end: PromiseEnd,
) -> None:
    passed = a_promise(PromiseKind.RESPONSE, -2).model_copy(update={"end": end})
    facts = {"promises": (passed, PROMISES[1]), "at": NOON, "kind": Kind.FAULT}
    customers = write("registered", FULL.model_copy(update=facts)).body
    assert "2026-11-23 Mon 10:00" not in customers
    assert customers.count("很抱歉") == 1
    assert "预计 2026-11-26" in customers
    theirs = write("assigned", FULL.model_copy(update=facts)).body
    assert "响应期限 2026-11-23 Mon 10:00 已过，请马上与客户联系" in theirs
    assert "响应已逾期 response overdue since: 2026-11-23 Mon 10:00" in theirs
    assert "响应期限 response due" not in theirs


@pytest.mark.parametrize("template", ["registered", "dispatched"])
def test_a_customer_hears_it_as_it_is_when_nobody_is_on_duty(template: str) -> None:
    facts = {"kind": Kind.FAULT}
    someone = write(template, in_full(template, **facts)).body
    nobody = write(template, in_full(template, **facts, engineer_name=None)).body
    assert "目前没有值班" in nobody
    assert "on duty" in nobody
    assert "on duty" not in someone


@pytest.mark.parametrize("template", ["no_such", "../wording"])
def test_an_unknown_wording_is_an_error_that_names_the_known_ones(template: str) -> None:
    with pytest.raises(
        ValueError, match=rf"{re.escape(template)}.*there are: acceptance, .*withdrawn"
    ):
        write(template, MINIMAL)


def test_every_code_a_message_may_name_has_words_in_both_languages() -> None:
    for code in (*Kind, *Severity, *Verdict, *ServiceItem, *PromiseKind, *Audience, *ESCALATION):
        assert all(WORDS[code])


@pytest.mark.parametrize("policy", ["standard", "demo", "incidents"])
def test_every_department_of_the_shipped_policies_has_a_name(policy: str) -> None:
    read = tomllib.loads((POLICIES / f"{policy}.toml").read_text())
    routed = {*read["routing"].values(), *(r["department"] for r in read.get("route", ()))}
    assert routed <= set(DEPARTMENTS)


def test_a_department_of_the_desks_own_is_called_by_its_code() -> None:
    body = write("transferred", in_full("transferred", department="night_shift")).body
    assert "已转交night_shift处理" in body
    assert "passed on to night_shift." in body


def test_a_complaint_is_registered_with_an_apology_before_anything_else() -> None:
    chinese, english = write("registered", FULL).body.split("\n")
    assert chinese.startswith("李雷，您好。给您带来不便，我们深表歉意。")
    assert english.startswith("We are sorry for the trouble.")
    assert "技术服务部核实" in chinese


def test_what_is_not_ours_to_decide_is_said_to_be_so_and_who_will_answer() -> None:
    dispute = {"category": Category.OUT_OF_SCOPE, "department": "legal", "kind": Kind.SUGGESTION}
    chinese, english = write("registered", FULL.model_copy(update=dispute)).body.split("\n")
    assert "我们无权决定，已转请法务部给您答复。" in chinese
    assert "not ours to decide, so we have asked the legal department to answer you" in english


def test_a_question_the_hotline_is_on_is_not_said_to_be_passed_on() -> None:
    body = write("registered", MINIMAL.model_copy(update={"answering": True})).body
    assert "热线正在为您查找答案。" in body
    assert "the hotline is looking for the answer now." in body
    assert "转交" not in body
    assert "passed on" not in body


@pytest.mark.parametrize(
    ("template", "counts"),
    [
        ("answered", "逾期未回复，视为已解决。"),
        ("resolved", "逾期视为已解决。"),
        ("acceptance", "逾期未回复，视为验收通过。"),
        ("test_reminder", "逾期未回复，视为已解决。"),
    ],
)
def test_what_silence_means_is_told_with_the_instant_or_not_at_all(
    template: str, counts: str
) -> None:
    trial = a_promise(PromiseKind.CUSTOMER_TEST, 24)
    body = write(template, in_full(template, promises=(trial,))).body
    assert counts in body
    assert body.count("2026-11-24 Tue 12:00") == 2
    assert "视为" not in write(template, in_full(template, promises=())).body


def test_what_is_overdue_already_is_not_promised_once_more() -> None:
    late = PROMISES[0].model_copy(update={"end": PromiseEnd.BROKEN})
    body = write("transferred", in_full("transferred", promises=(late, PROMISES[1]))).body
    assert "与您联系" not in body
    assert "we will contact you" not in body
    assert body.count("2026-11-26 Thu 17:00") == 2


@pytest.mark.parametrize("template", ["quotation", "approval_wanted"])
def test_a_price_is_written_in_yuan_with_its_thousands_apart(template: str) -> None:
    body = write(template, in_full(template)).body
    assert "人民币 12,800.50 元" in body
    assert "CNY 12,800.50" in body
    assert "加装一台自助缴费终端，含布线" in body


@pytest.mark.parametrize("template", ["quotation", "quotation_reminder"])
def test_a_customer_knows_until_when_and_how_to_answer_a_quotation(template: str) -> None:
    promises = (a_promise(PromiseKind.CONFIRMATION, 24),)
    body = write(template, in_full(template, promises=promises)).body
    assert "请在 2026-11-24 Tue 12:00 前致电或回复" in body
    assert "call or reply by 2026-11-24 Tue 12:00 to tell us yes or no" in body


@pytest.mark.parametrize(
    ("act", "chinese", "english"),
    [
        (DECLINED, "客户没有接受", "The customer declined"),
        (None, "客户没有在期限内答复", "The customer did not answer"),
    ],
)
def test_a_handler_reads_whether_a_quotation_was_declined_or_never_answered(
    act: Act | None, chinese: str, english: str
) -> None:
    body = write("quotation_over", in_full("quotation_over", said=said(act) if act else {})).body
    assert chinese in body
    assert english in body


def test_a_handler_begins_once_the_customer_and_where_needed_the_manager_agreed() -> None:
    waiting = (a_promise(PromiseKind.APPROVAL, 8),)
    assert "请先不要开工" in write("confirmed", in_full("confirmed", promises=waiting)).body
    assert "请开始工作" in write("confirmed", in_full("confirmed")).body
    approved = said(Approve(by=DESK, approved=True))
    assert (
        "部门经理也已批准，请开始工作"
        in write("confirmed", in_full("confirmed", said=approved)).body
    )


def test_experts_are_named_or_to_be_chosen() -> None:
    named = write("panel_asked", in_full("panel_asked")).body
    assert "专家 Experts: e-wu, e-zhao" in named
    assert "请选定专家" not in named
    question = said(Consult(by=DESK, question="主板要不要更换？"))
    promises = (a_promise(PromiseKind.PANEL, 24),)
    open_to_all = write(
        "panel_asked", in_full("panel_asked", said=question, promises=promises)
    ).body
    assert "请选定专家，意见请在 2026-11-24 Tue 12:00 前给出。" in open_to_all
    assert "会诊问题 Question: 主板要不要更换？" in open_to_all
    assert "Experts:" not in open_to_all


def test_who_is_handed_a_transferred_issue_reads_where_from_and_why() -> None:
    origin = said(PASSED_ON) | {"from": "customer_service"}
    body = write(
        "transferred_staff", in_full("transferred_staff", said=origin, department=PASSED_ON.to)
    ).body
    assert "已由客户服务部转到软件开发部" in body
    assert "has come to software development from customer service" in body
    assert "原因 Reason: 是软件版本的问题" in body


@pytest.mark.parametrize(
    "template", ["work_refused", "repair_failed", "conflict", "quotation_over"]
)
def test_what_a_customer_said_is_passed_on_word_for_word(template: str) -> None:
    words = SAID[template].model_dump()["words"]
    assert f"客户原话 The customer said: {words}\n" in write(template, in_full(template)).body


def test_scores_that_are_a_complaint_are_shown_as_given() -> None:
    scores = Evaluate(
        by=DESK, item=ServiceItem.AFTER_SALES, technical=0, attitude=-50, comment="态度很差"
    )
    body = write("conflict", in_full("conflict", said=said(scores))).body
    assert "客户原话 The customer said: 态度很差\n" in body
    assert "售后服务 after-sales service · 技术水平 technical level 0" in body
    assert "服务态度 attitude -50" in body


def test_findings_are_told_to_the_customer_and_to_the_lead_who_takes_it() -> None:
    for template in ("verified", "taken"):
        assert "工程师当天未按约定到场" in write(template, in_full(template)).body
    assert "工程师按约定时间到场" in write("unfounded", in_full("unfounded")).body
    nobody_yet = in_full("verified", engineer_name=None)
    assert "现由技术服务部负责解决" in write("verified", nobody_yet).body


def test_a_complaint_names_the_issue_it_arises_from_if_there_is_one() -> None:
    assert "起因是问题 20261122-07-0001" in write("complaint_received", FULL).body
    alone = FULL.model_copy(update={"against": None})
    assert "起因" not in write("complaint_received", alone).body


def test_a_closed_issue_is_thanked_for_and_scored_only_while_there_is_time_to() -> None:
    promises = (a_promise(PromiseKind.EVALUATION, 168),)
    body = write("thanks", in_full("thanks", promises=promises)).body
    assert "2026-11-30 Mon 12:00" in body
    assert "-50 至 200，100 为符合预期" in body
    assert "200" not in write("thanks", MINIMAL).body


def test_a_manager_who_is_late_with_a_rating_is_not_given_the_old_date_again() -> None:
    rating = a_promise(PromiseKind.DIFFICULTY, 24)
    in_time = write("rating_wanted", MINIMAL.model_copy(update={"promises": (rating,)})).body
    assert "请在 2026-11-24 Tue 12:00 前评定" in in_time
    late = rating.model_copy(update={"end": PromiseEnd.BROKEN})
    body = write("rating_wanted", MINIMAL.model_copy(update={"promises": (late,)})).body
    assert "期限已过" in body
    assert "请在" not in body


def test_a_core_group_is_named_by_department_and_centre() -> None:
    body = write("thin", FULL).body
    assert "技术服务部（guangzhou）的待命人员" in body
    assert "technical service (guangzhou) is under its stand-by share" in body


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        (PromiseKind.RESPONSE, "与您联系", "contacted you"),
        (PromiseKind.VERIFICATION, "核实完毕", "finished looking into it"),
        (PromiseKind.SURVEY, "到现场勘察", "surveyed the site"),
        (PromiseKind.RESOLUTION, "处理完成", "finished your issue"),
    ],
)
def test_an_apology_says_what_was_not_done_in_time(
    kind: PromiseKind, chinese: str, english: str
) -> None:
    body = write("apology", MINIMAL.model_copy(update={"promise": a_promise(kind, 2)})).body
    assert f"未能按约定时间{chinese}（原定 2026-11-23 Mon 14:00）" in body
    assert f"we have not {english} by the time we promised (2026-11-23 Mon 14:00)" in body


def test_a_subject_keeps_the_number_and_cuts_the_title() -> None:
    subject = write("taken", FULL).subject
    assert subject.startswith("重大投诉 20261123-07-0003 · ")
    assert subject.endswith("…")
    assert len(subject) == SUBJECT
