"""The regulation's words for our codes, Chinese and English; short enough for a column."""

from __future__ import annotations

from collections.abc import Mapping

from domain.attachments import Limits
from domain.files.kinds import FileKind
from domain.issue.actions import ActionName
from domain.issue.state import SlaState
from domain.knowledge.cases import CaseStatus, Change
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import (
    ESCALATION,
    HIGHEST_SCORE,
    LOWEST_SCORE,
    Audience,
    Category,
    Channel,
    CustomerType,
    Kind,
    Language,
    Means,
    Outcome,
    Role,
    ServiceItem,
    Severity,
    Stage,
    Verdict,
)

Names = Mapping[str, tuple[str, str]]
"""Chinese and English by code."""

SCORES = (f"{LOWEST_SCORE} 至 {HIGHEST_SCORE}", f"{LOWEST_SCORE} to {HIGHEST_SCORE}")
"""What a customer may score (R26)."""

CHANNELS: Names = {
    Channel.TELEPHONE: ("电话", "telephone"),
    Channel.WEBSITE: ("网站", "website"),
    Channel.EMAIL: ("电子邮件", "e-mail"),
    Channel.CHAT: ("即时通讯", "chat"),
    Channel.WALK_IN: ("来访", "walk-in"),
}
LANGUAGES: Names = {Language.ZH: ("中文", "Chinese"), Language.EN: ("英文", "English")}
KINDS: Names = {
    Kind.CONSULTATION: ("咨询", "consultation"),
    Kind.FAULT: ("故障报修", "fault"),
    Kind.COMPLAINT: ("投诉", "complaint"),
    Kind.SUGGESTION: ("建议", "suggestion"),
    Kind.SALES: ("售前咨询", "sales enquiry"),
    Kind.PAID_SERVICE: ("有费服务", "paid service"),
}
KEPT_BECAUSE: Names = {
    "same_id": ("同一编号，内容不同", "same id, other words"),
    "too_many": ("来信过多，未另行登记", "too many letters for an issue of its own"),
    "added": ("补充说明", "added"),
    "not_attached": ("附件未收下", "not attached"),
}
"""Why words are kept with an issue instead of becoming one."""
CATEGORIES: Names = {
    Category.TECHNICAL: ("技术质量", "technical quality"),
    Category.SOFTWARE: ("软件", "software"),
    Category.SERVICE: ("服务质量", "service quality"),
    Category.COMMERCE: ("商务", "commerce"),
    Category.OUT_OF_SCOPE: ("超出受理范围", "out of scope"),
}
SEVERITIES: Names = {Severity.GENERAL: ("一般", "general"), Severity.MAJOR: ("重大", "major")}
CUSTOMERS: Names = {
    CustomerType.INDIVIDUAL: ("个人", "individual"),
    CustomerType.ENTERPRISE: ("企业", "enterprise"),
}
STAGES: Names = {
    Stage.REGISTERED: ("已登记", "registered"),
    Stage.ASSIGNED: ("已派工", "assigned"),
    Stage.IN_PROGRESS: ("处理中", "in progress"),
    Stage.VERIFYING: ("核实中", "verifying"),
    Stage.SURVEYING: ("待勘察", "surveying"),
    Stage.QUOTING: ("待报价", "quoting"),
    Stage.CONFIRMING: ("待客户确认", "confirming"),
    Stage.APPROVING: ("待审批", "approving"),
    Stage.WAITING: ("等待客户", "waiting"),
    Stage.RESOLVED: ("已解决", "resolved"),
    Stage.REPLIED: ("已答复", "replied"),
    Stage.CALLBACK: ("回访中", "callback"),
    Stage.REOPENED: ("重新处理", "reopened"),
    Stage.CLOSED: ("已关闭", "closed"),
}
OUTCOMES: Names = {
    Outcome.SOLVED: ("解决", "solved"),
    Outcome.NOT_REACHED: ("未联系上", "not reached"),
    Outcome.UNFOUNDED: ("投诉不成立", "unfounded"),
    Outcome.OUT_OF_SCOPE: ("不属受理范围", "out of scope"),
    Outcome.DECLINED: ("客户不接受报价", "declined"),
    Outcome.NOT_APPROVED: ("未获批准", "not approved"),
    Outcome.LAPSED: ("报价逾期未复", "lapsed"),
    Outcome.WITHDRAWN: ("客户撤回", "withdrawn"),
    Outcome.MERGED: ("并入另一问题", "merged"),
    Outcome.CANCELLED: ("取消", "cancelled"),
    Outcome.TERMINATED: ("中止", "terminated"),
}
VERDICTS: Names = {
    Verdict.UNFOUNDED: ("不成立", "unfounded"),
    Verdict.GENERAL: ("一般", "general"),
    Verdict.MAJOR: ("重大", "major"),
}
ITEMS: Names = {
    ServiceItem.PRE_SALES: ("售前支持", "pre-sales support"),
    ServiceItem.PROJECT: ("项目实施", "project work"),
    ServiceItem.AFTER_SALES: ("售后服务", "after-sales service"),
}
MEANS: Names = {
    Means.WORDS: ("留言", "words"),
    Means.DONE: ("已办好请继续", "done, go on"),
    Means.MORE_TIME: ("还需要时间", "more time"),
    Means.FITS: ("时间合适", "the time suits"),
    Means.DOES_NOT_FIT: ("时间不合适", "the time does not suit"),
    Means.NOT_SOLVED: ("没有解决", "not solved"),
}
"""What customers mean by what they write."""
PROMISES: Names = {
    PromiseKind.HAND_OVER: ("转交", "hand-over"),
    PromiseKind.RESPONSE: ("响应", "response"),
    PromiseKind.VERIFICATION: ("核实", "verification"),
    PromiseKind.SURVEY: ("勘察", "site survey"),
    PromiseKind.QUOTATION: ("报价", "quotation"),
    PromiseKind.CONFIRMATION: ("客户确认", "customer's confirmation"),
    PromiseKind.APPROVAL: ("审批", "approval"),
    PromiseKind.RESOLUTION: ("解决", "resolution"),
    PromiseKind.PANEL: ("专家会诊", "expert panel"),
    PromiseKind.WAITING: ("等待客户", "customer's turn"),
    PromiseKind.CALLBACK: ("回访", "callback"),
    PromiseKind.CUSTOMER_TEST: ("客户试用", "customer's test"),
    PromiseKind.FEEDBACK: ("回应来信", "reply to their words"),
    PromiseKind.EVALUATION: ("客户评价", "customer's evaluation"),
    PromiseKind.DIFFICULTY: ("难度评定", "difficulty rating"),
}
ENDS: Names = {
    PromiseEnd.OPEN: ("进行中", "open"),
    PromiseEnd.KEPT: ("兑现", "kept"),
    PromiseEnd.BROKEN: ("超时", "broken"),
    PromiseEnd.WITHDRAWN: ("撤销", "withdrawn"),
    PromiseEnd.SKIPPED: ("不计", "skipped"),
}
STANDINGS: Names = {
    SlaState.OVERDUE: ("已逾期", "overdue"),
    SlaState.PAUSED: ("暂停", "paused"),
    SlaState.AT_RISK: ("即将到期", "at risk"),
    SlaState.ON_TIME: ("按时", "on time"),
    SlaState.MISSED: ("曾超时", "missed"),
    SlaState.MET: ("全部兑现", "met"),
    SlaState.BROKEN_OFF: ("中止", "broken off"),
}
"""How an issue's promises stand."""
CLOCKS: Names = {"working": ("工作时间", "working time"), "elapsed": ("自然时间", "elapsed time")}
ACTIONS: Names = {
    ActionName.REGISTERED: ("登记", "registered"),
    ActionName.ANSWER: ("热线答复", "answer"),
    ActionName.REPORT_TEST: ("试用结果", "test"),
    ActionName.VERIFY: ("投诉核实", "verify"),
    ActionName.ACCEPT: ("受理", "accept"),
    ActionName.REPORT_PROGRESS: ("进展", "progress"),
    ActionName.WAIT_FOR_CUSTOMER: ("等待客户", "wait"),
    ActionName.RESUME: ("继续", "resume"),
    ActionName.TRANSFER: ("转部门", "transfer"),
    ActionName.REASSIGN: ("改派", "reassign"),
    ActionName.CONSULT: ("专家会诊", "consult"),
    ActionName.SURVEY: ("现场勘察", "survey"),
    ActionName.QUOTE: ("报价", "quote"),
    ActionName.CONFIRM: ("客户确认", "confirm"),
    ActionName.APPROVE: ("审批", "approve"),
    ActionName.RESOLVE: ("解决", "resolve"),
    ActionName.RECORD_CALLBACK: ("回访", "callback"),
    ActionName.EVALUATE: ("客户评价", "evaluate"),
    ActionName.RATE_DIFFICULTY: ("难度评定", "difficulty"),
    ActionName.ESCALATE: ("升级", "escalate"),
    ActionName.WITHDRAW: ("撤回", "withdraw"),
    ActionName.ADD_NOTE: ("备注", "note"),
    ActionName.AMEND: ("更正资料", "amend"),
    ActionName.CUSTOMER_WROTE: ("客户来信", "customer wrote"),
    ActionName.LINK: ("关联问题", "link"),
    ActionName.MERGE: ("并入另一问题", "merge"),
    ActionName.ABSORB: ("并入本问题", "absorb"),
    ActionName.MERGED: ("已并入", "merged"),
    ActionName.REPLAN: ("重新排期", "replan"),
    ActionName.ASSIGN: ("派工", "assign"),
    ActionName.THRESHOLD: ("到时提醒", "threshold"),
    ActionName.REPLIED: ("已答复客户", "replied"),
    ActionName.HAND_OVER: ("人工转达", "hand over"),
    ActionName.COMPLAINT_RAISED: ("转为投诉", "complaint raised"),
    ActionName.CANCEL: ("取消", "cancel"),
    ActionName.CANCELLATION_ASKED: ("请求取消", "cancellation asked"),
    ActionName.REPAIR: ("修复", "repair"),
}

CASES: Names = {
    CaseStatus.PROPOSED: ("待审核", "proposed"),
    CaseStatus.APPROVED: ("已采用", "approved"),
    CaseStatus.RETIRED: ("停用", "retired"),
}
CHANGES: Names = {
    Change.PROPOSE: ("提交", "propose"),
    Change.APPROVE: ("采用", "approve"),
    Change.REJECT: ("退回", "reject"),
    Change.REVISE: ("修订", "revise"),
    Change.RETIRE: ("停用", "retire"),
}
ROLES: Names = {
    Role.INTAKE: ("受理系统", "intake system"),
    Role.AGENT: ("热线工程师", "hotline agent"),
    Role.CLERK: ("回访人", "callback clerk"),
    Role.AUDITOR: ("审计员", "auditor"),
    Role.ENGINEER: ("工程师", "engineer"),
    Role.LEAD: ("组长", "lead"),
    Role.MANAGER: ("部门经理", "manager"),
    Role.GM_OFFICE: ("总经办", "GM office"),
}
AUDIENCES: Names = {
    Audience.CUSTOMER: ("客户", "customer"),
    Audience.HANDLER: ("处理人", "handler"),
    Audience.EXPERT: ("专家", "expert"),
    **{role: ROLES[role] for role in (Role.AGENT, Role.CLERK, *ESCALATION)},
}

SETS: Mapping[type[str], Names] = {
    Channel: CHANNELS,
    Kind: KINDS,
    Category: CATEGORIES,
    Severity: SEVERITIES,
    CustomerType: CUSTOMERS,
    Stage: STAGES,
    Outcome: OUTCOMES,
    Verdict: VERDICTS,
    ServiceItem: ITEMS,
    Means: MEANS,
    PromiseKind: PROMISES,
    PromiseEnd: ENDS,
    SlaState: STANDINGS,
    ActionName: ACTIONS,
    CaseStatus: CASES,
    Change: CHANGES,
    Language: LANGUAGES,
}
"""All sets of codes, each with its words."""


def both(words: Names, code: str) -> str:
    """Say a code in Chinese and English: ``已登记 registered``."""
    return " ".join(words[code])


_PICTURE, _DOCUMENT = ("图片", "picture"), ("文档", "document")
_TABLE, _SLIDES = ("表格", "spreadsheet"), ("演示文稿", "slides")
_VIDEO, _SOUND = ("视频", "video"), ("录音", "recording")
FILES: Names = {
    **dict.fromkeys((FileKind.JPEG, FileKind.PNG, FileKind.GIF, FileKind.WEBP), _PICTURE),
    FileKind.HEIC: _PICTURE,
    FileKind.PDF: ("PDF", "PDF"),
    FileKind.TEXT: ("文本", "text"),
    **dict.fromkeys((FileKind.DOCX, FileKind.DOC, FileKind.ODT), _DOCUMENT),
    **dict.fromkeys((FileKind.XLSX, FileKind.XLS, FileKind.ODS), _TABLE),
    **dict.fromkeys((FileKind.PPTX, FileKind.PPT, FileKind.ODP), _SLIDES),
    **dict.fromkeys((FileKind.MP4, FileKind.MOV, FileKind.THREE_GP), _VIDEO),
    **dict.fromkeys((FileKind.MP3, FileKind.M4A, FileKind.AMR, FileKind.WAV), _SOUND),
    FileKind.MACROS: ("带宏的文档", "document with programs in it"),
    FileKind.PAGE: ("网页", "web page"),
    FileKind.SVG: ("SVG 图形", "SVG drawing"),
    FileKind.PROGRAM: ("程序", "program"),
    FileKind.ARCHIVE: ("压缩包", "archive"),
    FileKind.OTHER: ("其他文件", "other file"),
}
"""What a file is, by what was found in it."""
NOT_TAKEN: Names = {
    "empty": ("文件是空的", "the file is empty"),
    "too_large": ("超过 {largest}，请发小一些的", "larger than {largest}: send a smaller one"),
    "too_many": (
        "放不下了：每个问题最多 {per_issue} 个附件，共 {together}",
        "no room: an issue has at most {per_issue} files, {together} together",
    ),
    "kind": (
        "这种文件不收：请发照片、PDF、文本或不带宏的 Office 文档",
        "not of a kind that is taken: photographs, PDF, text, documents without macros are",
    ),
    "broken": (
        "图片打不开：可能没有传完，或者过大",
        "the picture cannot be opened: broken, or too large",
    ),
    "malware": ("查出恶意软件，没有保存", "malware was found in it: it is not kept"),
}
"""Why a file is not attached, and what to do."""


def not_taken(why: str, limits: Limits) -> tuple[str, str]:
    """Say why a file is not attached, by the limits that count now."""
    zh, en = NOT_TAKEN[why]
    said = {name: str(getattr(limits, name)) for name in ("largest", "per_issue", "together")}
    return zh.format(**said), en.format(**said)
