"""The regulation's words for our codes, Chinese and English; short enough for a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

from domain import instants, roles, terms
from domain.attachments import Limits
from domain.calls import Direction
from domain.files.kinds import FileKind
from domain.issue.actions import ActionName
from domain.issue.notes import Removable
from domain.issue.state import SlaState
from domain.issue.thread import BY_THE_DESK, Entry, Holds, Said, Who
from domain.knowledge.cases import CaseStatus, Change
from domain.opinions import Counting, Source, Way
from domain.sla.account import DayKind
from domain.sla.promise import DUE, PromiseEnd, PromiseKind
from domain.sla.why import Doubt
from domain.vocabulary import (
    ESCALATION,
    HIGHEST_SCORE,
    LOWEST_SCORE,
    Audience,
    Behaviour,
    Channel,
    Consent,
    CustomerType,
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

CARRIERS: Names = {
    "sms": ("短信", "text message"),
    "email": ("邮件", "e-mail"),
    "wecom": ("企业微信", "WeCom"),
    "dingtalk": ("钉钉", "DingTalk"),
    "feishu": ("飞书", "Feishu"),
}
"""What carries messages, by the usual names of a roster's channels; another is called as there."""
CHANNELS: Names = {
    Channel.TELEPHONE: ("电话", "telephone"),
    Channel.WEBSITE: ("网站", "website"),
    Channel.EMAIL: ("电子邮件", "e-mail"),
    Channel.CHAT: ("即时通讯", "chat"),
    Channel.WALK_IN: ("来访", "walk-in"),
}
LANGUAGES: Names = {Language.ZH: ("中文", "Chinese"), Language.EN: ("英文", "English")}
KINDS: Names = {code: each.name.both for code, each in terms.KINDS.items()}
"""Of a policy that names none."""
KEPT_BECAUSE: Names = {
    "same_id": ("同一编号，内容不同", "same id, other words"),
    "too_many": ("来信过多，未另行登记", "too many letters for an issue of its own"),
    "added": ("补充说明", "added"),
    "note": ("结束后的备注", "noted when it was over"),
    "passed_on": ("已转到并入的问题", "passed on to the issue that speaks for this one"),
    "not_attached": ("附件未收下", "not attached"),
}
"""Why words are kept with an issue instead of becoming one."""
CATEGORIES: Names = {code: each.name.both for code, each in terms.CATEGORIES.items()}
"""Of a policy that names none."""
BEHAVIOURS: Names = {
    Behaviour.FAULT: ("故障", "fault"),
    Behaviour.COMPLAINT: ("投诉", "complaint"),
    Behaviour.PAID_SERVICE: ("有费服务", "paid service"),
    Behaviour.ENQUIRY: ("咨询", "enquiry"),
    Behaviour.SUGGESTION: ("建议", "suggestion"),
    Behaviour.PLAIN: ("一般事项", "plain"),
}
"""What the desk does about a kind."""
SEVERITIES: Names = {Severity.GENERAL: ("一般", "general"), Severity.MAJOR: ("重大", "major")}
CUSTOMERS: Names = {
    CustomerType.INDIVIDUAL: ("个人", "individual"),
    CustomerType.ENTERPRISE: ("企业", "enterprise"),
    CustomerType.PARTNER: ("代理商或合作伙伴", "agent or partner"),
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
CONSENTS: Names = {
    Consent.YES: ("客户同意", "agreed"),
    Consent.NO: ("客户不同意", "did not agree"),
    Consent.NOT_ASKED: ("没有征询", "not asked"),
}
"""What customers say to it that their issue is passed on (R35)."""
PROMISES: Names = {
    PromiseKind.HAND_OVER: ("转交", "hand-over"),
    PromiseKind.RESPONSE: ("响应", "response"),
    PromiseKind.CALMING: ("安抚", "calming"),
    PromiseKind.VERIFICATION: ("核实", "verification"),
    PromiseKind.SURVEY: ("勘察", "site survey"),
    PromiseKind.QUOTATION: ("报价", "quotation"),
    PromiseKind.CONFIRMATION: ("客户确认", "customer's confirmation"),
    PromiseKind.APPROVAL: ("审批", "approval"),
    PromiseKind.RESOLUTION: ("解决", "resolution"),
    PromiseKind.PANEL: ("专家会诊", "expert panel"),
    PromiseKind.REMEDY_APPROVAL: ("补偿审批", "decision on the remedy"),
    PromiseKind.REMEDY: ("兑现补偿", "remedy"),
    PromiseKind.WAITING: ("等待客户", "customer's turn"),
    PromiseKind.CONTACT: ("联系客户", "call to the customer"),
    PromiseKind.REPLY: ("电话答复", "reply by telephone"),
    PromiseKind.CALLBACK: ("回访", "callback"),
    PromiseKind.CUSTOMER_TEST: ("客户试用", "customer's test"),
    PromiseKind.FEEDBACK: ("回应来信", "reply to their words"),
    PromiseKind.EVALUATION: ("客户评价", "customer's evaluation"),
    PromiseKind.DIFFICULTY: ("难度评定", "difficulty rating"),
}
CALLS: Names = {
    PromiseKind.CONTACT: ("有承诺逾期，致歉并说明进展", "late: apologise, say how far it is"),
    PromiseKind.REPLY: ("已有结果，告知并解释", "there is a result: tell and explain it"),
}
"""Why an agent is to call a customer (R13, R34)."""
_UNITS: Names = {
    "s": ("秒", "second"),
    "min": ("分钟", "minute"),
    "h": ("小时", "hour"),
    "d": ("天", "day"),
    " working day": ("个工作日", "working day"),
    " working days": ("个工作日", "working day"),
}
_PERIOD = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h|d| working days?)")
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
    ActionName.TAKE: ("认领", "take"),
    ActionName.REPORT_TEST: ("试用结果", "test"),
    ActionName.CALM: ("安抚客户", "calm the customer"),
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
    ActionName.PROPOSE_REMEDY: ("提出补偿方案", "propose a remedy"),
    ActionName.DECIDE_REMEDY: ("审批补偿", "decide on the remedy"),
    ActionName.RECORD_REMEDY: ("记录补偿结果", "what became of the remedy"),
    ActionName.RESOLVE: ("解决", "resolve"),
    ActionName.CONTACT_CUSTOMER: ("致电客户", "call to the customer"),
    ActionName.CHASE: ("催办", "chase"),
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
DAYS: Names = {
    DayKind.WORKING: ("工作日", "working"),
    DayKind.CLOSED: ("周休", "day off"),
    DayKind.HOLIDAY: ("节假日", "holiday"),
    DayKind.MAKEUP: ("调休上班", "make-up"),
    DayKind.EXCEPTION: ("例外", "exception"),
}
DOUBTS: Names = {
    Doubt.NO_RULE: (
        "按问题现在的情况，当时的政策里已没有对应的规则",
        "as the issue is now, no rule of its policy promises this",
    ),
    Doubt.NO_CALENDAR: ("当时的政策里没有这个日历", "its policy has no such calendar"),
    Doubt.CALENDAR_ENDS: ("日历的营业时间不够算到期限", "its calendar ends before it is due"),
    Doubt.OTHER_TIME: (
        "重新计算得出的期限与登记的不同",
        "worked out again, it is due at another time than is kept",
    ),
    Doubt.OTHER_REMINDER: (
        "重新计算得出的提醒时间与登记的不同",
        "worked out again, a reminder lies at another time than is kept",
    ),
    Doubt.UNKNOWN_PAUSES: (
        "有些暂停的起止时间没有记录",
        "it stood still at times that were not written down",
    ),
}
"""Why the account of a promise is not, or does not explain, what is kept of it."""
ROLES: Names = roles.ROLES
PARTIES: Names = roles.PARTIES
"""Everybody who may say something in a thread, by role."""
AUDIENCES: Names = {
    Audience.CUSTOMER: ("客户", "customer"),
    Audience.HANDLER: ("处理人", "handler"),
    Audience.EXPERT: ("专家", "expert"),
    **{role: ROLES[role] for role in (Role.AGENT, Role.CLERK, *ESCALATION)},
}

FIELDS: Names = {
    "into": ("并入", "Into"),
    "issue_id": ("被并入的问题", "The issue that was merged"),
    "survivor": ("继续处理的问题", "The issue that goes on"),
    "department": ("部门", "Department"),
    "behaves": ("按哪一类处理", "Handled as"),
    "others": ("客户是另一位", "Its customer is somebody else"),
    "at": ("发生时间", "When it happened"),
    "expected_at": ("预计完成时间", "Expected to be done by"),
    "note": ("说明", "Note"),
    "reason": ("原因", "Reason"),
    "asks": ("催办内容", "What the handler is asked"),
    "ask": ("请客户做什么", "What the customer is asked to do"),
    "told": ("告诉客户的话", "What the customer is told"),
    "result": ("处理结果", "What was done"),
    "cause": ("故障原因", "Cause"),
    "fault": ("故障代码", "Fault code"),
    "fault_name": ("故障名称", "Fault"),
    "known_solution": ("值得收入案例库", "Worth keeping in the case library"),
    "to": ("转给", "To"),
    "question": ("请教的问题", "Question for the panel"),
    "experts": ("专家", "Experts"),
    "advice": ("会诊意见", "The panel's advice"),
    "findings": ("查明的情况", "What was found"),
    "spoken": ("谈话内容", "What was said"),
    "verdict": ("投诉是否成立", "Is it justified"),
    "work": ("服务内容", "Work offered"),
    "amount": ("价格（元）", "Price in yuan"),
    "consent": ("客户是否同意转交", "Agreed to passing on"),
    "consent_words": ("客户对转交的说法", "What the customer said to it"),
    "remedy": ("补偿方式", "Kind of remedy"),
    "remedy_name": ("补偿方式", "Kind of remedy"),
    "what": ("补偿内容", "What the complainant gets"),
    "decider": ("由谁审批", "Decided by"),
    "proposal": ("第几次方案", "Proposal"),
    "accepted": ("客户接受吗", "Did the customer accept it"),
    "receipt": ("怎样兑现、凭据", "How it was given, with its receipt"),
    "agreed": ("客户同意吗", "Does the customer agree"),
    "approved": ("批准吗", "Is it approved"),
    "words": ("客户原话", "In the customer's words"),
    "means": ("意思是", "Meaning"),
    "known": ("是客户本人", "Known to be the customer"),
    "worked": ("好了吗", "Does it work"),
    "solution": ("告诉客户的办法", "What the customer is told"),
    "case": ("已知方案编号", "Known solution, by its number"),
    "on_the_line": ("电话里已告诉客户", "They heard it on the line"),
    "test": ("需要客户试用", "They have to try it"),
    "reached": ("联系上了吗", "Was the customer reached"),
    "running": ("运行正常吗", "Does it run normally"),
    "satisfied": ("客户满意吗", "Is the customer satisfied"),
    "conflict": ("客户投诉", "The customer complains"),
    "item": ("服务项目", "Service"),
    "technical": ("技术水平", "Technical level"),
    "attitude": ("服务态度", "Service attitude"),
    "comment": ("评语", "Why"),
    "difficulty": ("难度", "Difficulty"),
    "for_customer": ("发给客户", "Send it to the customer"),
    "name": ("客户", "Customer"),
    "organisation": ("单位", "Organisation"),
    "contact": ("联系人", "Contact person"),
    "phone": ("电话", "Telephone"),
    "email": ("电子邮件", "E-mail"),
    "language": ("通知用语", "Written to in"),
    "model": ("型号", "Model"),
    "serial_number": ("序列号", "Serial number"),
    "site": ("安装地点", "Site"),
    "remove": ("去掉", "Removed"),
    "was": ("原", "Former"),
    "redirects": ("以前的链接作废", "Earlier links open nothing any more"),
    "file": ("文件", "File"),
    "kind": ("类型", "Kind"),
    "title": ("一句话", "In one line"),
    "description": ("客户原话", "In the customer's words"),
    "person": ("评价人", "Who scores"),
    "from": ("原部门", "From"),
    "call": ("通话", "Call"),
    "number": ("投诉编号", "Number of the complaint"),
    "promise": ("承诺", "Promise"),
    "threshold": ("时点", "Threshold"),
    "skipped": ("一并到时", "Passed with it"),
    "missed": ("登记时已过", "Over when registered"),
    "messages": ("消息", "Messages"),
    "version": ("规则版本", "Rulebook"),
    "adoption": ("启用序号", "Adoption"),
    "sender": ("谁说的", "Who says so"),
    "of": ("哪个问题的客户", "Customer of the issue"),
    "why": ("缘由", "Why it is here"),
    "subject": ("主题", "Subject"),
    "body": ("内容", "Text"),
    "full_text": ("全文", "In full"),
    "letter": ("来信", "Letter"),
    "size": ("字节", "Bytes"),
    "direction": ("方向", "Direction"),
    "lost": ("呼损，无人接听", "Lost: nobody answered"),
    "ring_seconds": ("振铃秒数", "Rang, seconds"),
    "talk_seconds": ("通话秒数", "Talked, seconds"),
    "answered_by": ("接听人", "Answered by"),
    "recording": ("录音", "Recording"),
}
"""What people say with an action or in a letter, by its field: as forms ask and threads show it."""
FIELDS_OF: Mapping[ActionName, Names] = {
    ActionName.ADD_NOTE: {"words": ("内容", "Words")},
    ActionName.LINK: {
        "to": ("另一问题的编号", "Number of the other issue"),
        "reason": ("哪里相同", "What they have in common"),
    },
    ActionName.MERGE: {
        "into": ("并入的问题编号", "Number of the issue that goes on"),
        "reason": ("哪里相同", "What they have in common"),
    },
    ActionName.ABSORB: {
        "number": ("被并入的问题编号", "Number of the issue that was merged"),
        "issue_id": ("它的标识", "Its id"),
        "reason": ("哪里相同", "What they have in common"),
    },
    ActionName.MERGED: {
        "into": ("并入的问题编号", "Number of the issue that goes on"),
        "survivor": ("它的标识", "Its id"),
    },
    ActionName.AMEND: {"reason": ("怎么得知的", "How it was found out")},
    ActionName.PROPOSE_REMEDY: {
        "amount": ("金额（元）", "Amount in yuan"),
        "reason": ("理由", "Why"),
    },
    ActionName.DECIDE_REMEDY: {
        "amount": ("金额（元）", "Amount in yuan"),
        "reason": ("不同意的理由", "Why not"),
    },
}
"""What is called otherwise with one action, where it means something of its own."""
DOORS: Names = {
    **CHANNELS,
    "page": ("网页", "page"),
    "link": ("消息中的链接", "link in a message"),
    "api": ("接口", "HTTP interface"),
    "cli": ("命令行", "command line"),
    "letter": ("来信", "letter"),
    "mailbox": ("来信", "letter"),
    "webhook": ("其他系统", "another system"),
    "complete": ("完成信号", "signal"),
    "desk": ("系统", "the desk itself"),
}
"""By which way in something came."""
NO_DOOR = ("途径未记", "door not kept")
SORTS: Names = {
    "words": ("补充内容", "more that was written"),
    "letter": ("来信原件", "letter as it came"),
    "attachment": ("附件", "attachment"),
    "message": ("消息", "message"),
    "call": ("通话", "telephone call"),
}
"""What an entry of a thread is that is no action."""
WAYS: Names = {
    Way.WEBSITE: ("网站", "website"),
    Way.TELEPHONE: ("电话", "telephone"),
    Way.PAPER: ("现场纸质", "on paper"),
}
REMARKS: Names = {
    Source.EVALUATION: ("评价", "evaluation"),
    Source.OPINION: ("服务评价", "evaluation without a link"),
    Source.CALLBACK: ("回访", "callback"),
}
COUNTING: Names = {
    Counting.COUNTS: ("计入", "counts"),
    Counting.UNVERIFIED: ("待核实", "not verified yet"),
    Counting.REPEATED: ("重复", "given before"),
    Counting.LEFT_OUT: ("不计", "left out"),
}
DIRECTIONS: Names = {
    Direction.INCOMING: ("来电", "incoming"),
    Direction.OUTGOING: ("去电", "outgoing"),
}
SENDING: Names = {
    "pending": ("待发送", "to be sent"),
    "sending": ("发送中", "on its way"),
    "delivered": ("已送达", "arrived"),
    "unknown": ("不知是否送达", "may not have arrived"),
    "handed_over": ("未送达，转人工", "did not arrive, with a person"),
}
"""What became of a message."""

SETS: Mapping[type[str], Names] = {
    Channel: CHANNELS,
    Behaviour: BEHAVIOURS,
    Severity: SEVERITIES,
    CustomerType: CUSTOMERS,
    Stage: STAGES,
    Outcome: OUTCOMES,
    Verdict: VERDICTS,
    ServiceItem: ITEMS,
    Means: MEANS,
    Consent: CONSENTS,
    PromiseKind: PROMISES,
    PromiseEnd: ENDS,
    SlaState: STANDINGS,
    ActionName: ACTIONS,
    CaseStatus: CASES,
    Change: CHANGES,
    Language: LANGUAGES,
    Direction: DIRECTIONS,
    Way: WAYS,
    Counting: COUNTING,
    Source: REMARKS,
}
"""All sets of codes, each with its words."""


def period(written: str) -> tuple[str, str]:
    """Say a period as a policy writes it: ``2h`` is 2小时, 2 hours."""
    found = _PERIOD.fullmatch(written)
    if found is None:
        return written, written
    zh, en = _UNITS[found[2]]
    return f"{found[1]}{zh}", f"{found[1]} {en}{'' if found[1] == '1' else 's'}"


def length(of: timedelta) -> tuple[str, str]:
    """Say a length of time: ``3小时30分``, ``3 h 30 min``; to the second."""
    left, zh, en = round(of.total_seconds()), "", []
    for seconds, called, short in ((3600, "小时", "h"), (60, "分", "min"), (1, "秒", "s")):
        number, left = divmod(left, seconds)
        if number:
            zh += f"{number}{called}"
            en.append(f"{number} {short}")
    return zh or "0分", " ".join(en) or "0 min"


def threshold(name: str) -> tuple[str, str]:
    """Say which threshold was reached: ``75%``, ``100%``, ``+2h``, as a policy writes them."""
    if name.startswith("+"):
        zh, en = period(name[1:])
        return f"已超时{zh}", f"{en} past due"
    if name == DUE:
        return "已到期", "due now"
    return f"时间已用{name}", f"{name} of the time is over"


def both(words: Names, code: str) -> str:
    """Say a code in Chinese and English: ``已登记 registered``."""
    return both_of(words[code])


def both_of(said: tuple[str, str]) -> str:
    """Say something in Chinese and English, once where they are the same."""
    return " ".join(dict.fromkeys(said))


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
CODED: Mapping[str, Names] = {
    "verdict": VERDICTS,
    "item": ITEMS,
    "why": KEPT_BECAUSE,
    "language": LANGUAGES,
    "means": MEANS,
    "consent": CONSENTS,
    "decider": ROLES,
    "direction": DIRECTIONS,
    "remove": {each: FIELDS[each] for each in Removable},
    "kind": {**KINDS, **FILES},
    "behaves": BEHAVIOURS,
}
"""What of it is said by a code."""
OWN: Mapping[tuple[ActionName, str], terms.Term] = {
    (ActionName.TRANSFER, "to"): terms.Term.DEPARTMENT,
    (ActionName.TRANSFER, "from"): terms.Term.DEPARTMENT,
    (ActionName.ABSORB, "department"): terms.Term.DEPARTMENT,
    (ActionName.ABSORB, "kind"): terms.Term.KIND,
}
"""What of it is a code of the desk's own words (R37)."""
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


# What stands in a thread -------------------------------------------------------------------------

Both = tuple[str, str]
"""Chinese and English."""


_IDS = frozenset({"issue_id", "survivor", "messages"})
_USUAL = terms.Terms()


def field(name: str, action: ActionName | None = None) -> Both:
    """Name what was said with an action; of a part, its whole and the part."""
    whole, _, part = name.partition(".")
    named = {**FIELDS, **FIELDS_OF.get(action, {})} if action else FIELDS
    zh, en = named.get(whole, (whole, whole))
    part_zh, part_en = named.get(part) or promise(part)
    return (f"{zh}{part_zh}", f"{en} {part_en[:1].lower()}{part_en[1:]}") if part else (zh, en)


def promise(key: str) -> Both:
    """Say which promise a key names: ``resolution.2`` is 解决, resolution."""
    return PROMISES.get(key.partition(".")[0], (key, key))


_SAID_BY: Mapping[str, Callable[[str], Both]] = {
    "promise": promise,
    **dict.fromkeys(("threshold", "skipped", "missed"), threshold),
}
"""What is said by a name of the policy's or the ledger's."""


def value(
    said: Said, zone: str, action: ActionName | None = None, own: terms.Terms = _USUAL
) -> Both:
    """Write what was said with an action as a person reads it: instants in ``zone``, codes of the
    desk's ``own`` words by their names.
    """
    by = _SAID_BY.get(said.field.partition(".")[0])
    if by is not None:
        return by(str(said.value))
    match said.holds:
        case Holds.YES_NO:
            return ("是", "yes") if said.value else ("否", "no")
        case Holds.INSTANT:
            return instants.both(said.instant, zone)
        case Holds.AMOUNT:
            yuan = f"{Decimal(said.value):,.2f}"
            return f"{yuan} 元", f"CNY {yuan}"
    shown = said.name or str(said.value)
    return _names_of(said, action, own).get(shown, (shown, shown))


def _names_of(said: Said, action: ActionName | None, own: terms.Terms) -> Names:
    term = OWN.get((action, said.field)) if action else None
    if term:
        return own.names(term)
    return CODED.get(said.field, {}) if said.holds is Holds.CODE else {}


def goes_unsaid(said: Said) -> bool:
    """Say whether no person needs to read it: an id of ours, or that words are words."""
    return said.field in _IDS or (said.field, said.value) == ("means", Means.WORDS)


def called(who: Who) -> Both:
    """Name somebody, with what they are."""
    zh, en = PARTIES.get(who.role or "", ("", ""))
    name = who.name or ("" if who.id in {Role.CUSTOMER, "desk"} else who.id)
    return f"{name} {zh}".strip(), f"{name} {en}".strip()


def done(entry: Entry) -> Both:
    """Say what an entry is; of what the desk kept itself, what it tells."""
    if entry.action:
        return ACTIONS[entry.action]
    why = str(entry.says("why"))
    return KEPT_BECAUSE[why] if why in BY_THE_DESK else SORTS[entry.sort]


def by_door(entry: Entry) -> Both:
    """Say by which door it came in, if anybody kept that."""
    return DOORS.get(entry.door, (entry.door, entry.door)) if entry.door else NO_DOOR
