"""What messages may speak of: as little as there may be, and as much."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.wording import TEMPLATES, Context, Undelivered
from domain.issue.actions import (
    Absorb,
    Act,
    AddNote,
    Amended,
    Answer,
    Approve,
    Calm,
    Chase,
    ComplaintRaised,
    Confirm,
    Consult,
    Contacted,
    CustomerWrote,
    Merged,
    Quote,
    Reassign,
    RecordCallback,
    RecordRemedy,
    RemedyDecided,
    RemedyProposed,
    ReportProgress,
    ReportTest,
    Transfer,
    Verify,
    WaitForCustomer,
    Withdraw,
)
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import DESK, Audience, Consent, Means, Severity, Verdict

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""Monday 12:00 in Shanghai."""

MINIMAL = Context(
    number="20261123-07-0003",
    title="卡钞",
    kind="fault",
    product_line="ATM",
    region="广东",
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
    kind="complaint",
    severity=Severity.MAJOR,
    product_line="ATM",
    region="广东",
    site="天河支行",
    customer_name="王芳",
    recipient_name="李雷",
    engineer_name="韩梅梅",
    department="technical_service",
    against="20261122-07-0001",
    thin="technical_service/广州维修中心",
    zone="Asia/Shanghai",
    promises=PROMISES,
    promise=PROMISES[1],
    mark_name="+2h",
    own_word=PROMISES[:2],
    happened_at=NOON,
    by="韩梅梅",
    experts=("吴敏", "赵强"),
    on_duty_at=NOON + timedelta(hours=20),
    expected_at=NOON + timedelta(hours=6),
    reason="备件明天到货",
    result=RESULT,
    level=2,
    reopen_count=1,
    undelivered=(
        Undelivered(
            audience=Audience.HANDLER,
            recipient="李娜",
            subject="新任务 20261123-07-0003",
            text="请尽快受理。\n期限不变。",
            why="the DingTalk robot says no: it was switched off (400102)",
        ),
    ),
)

ANSWERED = Answer(by=DESK, solution="请长按电源键十秒后重新开机")
TRIED = ReportTest(by=DESK, worked=False, words="试了三遍，还是黑屏。")
PASSED_ON = Transfer(by=DESK, to="software_development", reason="是软件版本的问题")
NOT_PASSED_ON = Reassign(
    by=DESK,
    reason="要到现场看",
    consent=Consent.NO,
    consent_words="不用派人了，你们告诉我怎么弄就行。",
)
VERIFIED = Verify(by=DESK, verdict=Verdict.MAJOR, findings="工程师当天未按约定到场")
GIVEN, FARE, WHY_GIVEN = "退还两次上门费", Decimal("300.00"), "两次未按约上门"
AGREED = RemedyDecided(by=DESK, approved=True, what=GIVEN, amount=FARE)
QUOTED = Quote(by=DESK, work="加装一台自助缴费终端，含布线", amount=Decimal("12800.50"))
DECLINED = Confirm(by=DESK, agreed=False, words="价格太高了。")
COMPLAINED = RecordCallback(
    by=DESK, reached=True, running=False, satisfied=False, conflict=True, words="等了三天没人来。"
)
NOT_CONTENT = RecordCallback(
    by=DESK, reached=True, running=True, satisfied=False, words="机器好了，可是让我等了三天。"
)

NOTED = AddNote(by=DESK, words="备件已到货，工程师明天上午十点到场。", for_customer=True)
CORRECTED = Amended(
    by=DESK, phone="+8613900000002", was={"phone": "+8613800000001"}, redirects=True
)
WROTE = CustomerWrote(
    by=DESK,
    words="钥匙已放在保安处，可以来了。",
    means=Means.DONE,
    sender="zhang.wei@customer.example",
)
OBJECTED = CustomerWrote(by=DESK, words="今天又卡了两张。", sender="zhang.wei@customer.example")

MERGED = Merged(by=DESK, into="20261122-07-0001", survivor="issue:web:r-1")

SAID: dict[str, Act] = {
    "customer_wrote": WROTE,
    "did_it_help": OBJECTED,
    "stranger_wrote": OBJECTED,
    "answered": ANSWERED,
    "answered_staff": ANSWERED,
    "dispatched": TRIED,
    "work_refused": TRIED,
    "transferred": PASSED_ON,
    "transferred_staff": PASSED_ON,
    "kept_back": NOT_PASSED_ON,
    "kept_back_staff": NOT_PASSED_ON,
    "chased": Chase(by=DESK, asks="客户在等，请告诉我们预计完成时间"),
    "progress_staff": ReportProgress(by=DESK, note="仓库说后天发", told="备件明天到货"),
    "told_by_call": Contacted(by=DESK, reached=True, told="已更换出钞模块", result=RESULT),
    "panel_asked": Consult(by=DESK, question="主板要不要更换？", experts=("e-wu", "e-zhao")),
    "panel_advised": Consult(by=DESK, advice="先刷新固件，再换主板。"),
    "calmed": Calm(by=DESK, spoken="已向客户致歉，客户同意等候核实结果。"),
    "remedy_wanted": RemedyProposed(
        by=DESK, remedy="money", remedy_name="赔偿金", what=GIVEN, amount=FARE, reason=WHY_GIVEN
    ),
    **dict.fromkeys(("remedy_agreed", "remedy_to_give"), AGREED),
    "remedy_rejected": RemedyDecided(
        by=DESK, approved=False, reason="请改为减免下次服务费", what=GIVEN, amount=FARE
    ),
    "remedy_declined": RecordRemedy(by=DESK, accepted=False, words="钱不要，只想你们按时来。"),
    "verified": VERIFIED,
    "unfounded": Verify(by=DESK, verdict=Verdict.UNFOUNDED, findings="工程师按约定时间到场"),
    "taken": VERIFIED,
    "quotation": QUOTED,
    "approval_wanted": QUOTED,
    "declined": DECLINED,
    "quotation_over": DECLINED,
    "confirmed": Confirm(by=DESK, agreed=True, words="可以，尽快开始。"),
    "not_approved": Approve(by=DESK, approved=False, reason="该型号已停产"),
    "progress": ReportProgress(by=DESK, note="仓库说后天发", told="备件明天到货"),
    "waiting": WaitForCustomer(
        by=DESK, reason="网点主任不在，进不去", ask="请您准备好机房钥匙，并让网点主任在场"
    ),
    "withdrawn": Withdraw(by=DESK, reason="客户说已自行恢复", told="您告诉我们机器已经恢复正常"),
    "repair_failed": COMPLAINED,
    "conflict": COMPLAINED,
    "dissatisfied": NOT_CONTENT,
    "note": NOTED,
    "merged": MERGED,
    "merged_staff": MERGED,
    "merge_failed": Merged(by=DESK, into="20261122-07-0001", reason="该问题已关闭"),
    "absorbed": Absorb(
        by=DESK,
        issue_id="issue:web:r-1",
        number="20261122-07-0001",
        kind="fault",
        department="technical_service",
        reason="同一台机器",
    ),
    "note_staff": NOTED,
    "amended": CORRECTED,
    "complaint_failed": ComplaintRaised(by=DESK, reason="登记簿没有回应"),
}
"""What the step said that brings such a message about."""


def said(act: Act) -> dict[str, Any]:
    """What a step keeps of an action, as JSON."""
    return act.model_dump(mode="json", exclude={"by", "at"}, exclude_none=True)


OF_NO_STEP = {
    "webhook_failed": {"label": "CRM", "host": "crm.example.com", "endpoint": "3f9a01c2"},
    "missing_notice": {"country": "CN", "year": "2027", "known": "2026"},
    "calendar_ends": {"calendar": "festival"},
    "report": {
        "report": {"zh": "服务效能报告", "en": "Service effectiveness"},
        "period": {
            "zh": "2026 年第 47 周（11 月 16 日至 11 月 22 日）",
            "en": "week 47 of 2026 (16 Nov to 22 Nov)",
        },
        "edition": 2,
        "reach": {"zh": "技术服务部", "en": "technical service"},
        "figures": [
            {"zh": "登记问题 128", "en": "Issues registered 128"},
            {"zh": "时限兑现率 92.3%（120/130）", "en": "Promises kept 92.3% (120/130)"},
        ],
        "changes": 3,
        "reason": "广州维修中心补录了三次回访",
        "address": "https://desk.example/reports/effectiveness/2026-W47",
    },
    "digest": {
        "reach": {"zh": "技术服务部", "en": "technical service"},
        "open": 9,
        "overdue": 1,
        "overdue_issues": {"zh": "20261127-07-0002", "en": "20261127-07-0002"},
        "due_today": 2,
        "due_today_issues": {
            "zh": "20261128-07-0001、20261129-08-0004",
            "en": "20261128-07-0001, 20261129-08-0004",
        },
        "unanswered": 6,
        "waiting": {
            "zh": "客户 4、尚无人接手 3、热线 2",
            "en": "the customer 4, nobody yet 3, the hotline 2",
        },
        "address": "https://desk.example/board",
    },
}
"""What is said in a message that no step brings about."""


OF_NO_ISSUE: Mapping[str, Mapping[str, Any]] = {
    "report": {"number": "2026-W47"},
    "digest": {"number": "2026-11-30"},
    "report_undelivered": {
        "number": "2026-W47",
        "undelivered": (
            Undelivered(
                audience=Audience.MANAGER,
                recipient="孙莉",
                subject="2026-W47 服务效能报告",
                text="",
                why="may have arrived",
            ),
        ),
    },
}
"""What stands for a number in messages that are about no issue, and which of them are missed."""


def in_full(template: str, **changes: Any) -> Context:
    """Return everything such a message may speak of."""
    words: dict[str, Any] = {"said": OF_NO_STEP.get(template, {})}
    if template in SAID:
        words = {"said": said(SAID[template])}
    return FULL.model_copy(update=words | changes | dict(OF_NO_ISSUE.get(template, {})))


WRITTEN = sorted(path.stem for path in TEMPLATES.glob("[!_]*.j2"))
