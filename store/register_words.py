"""Chinese words for the codes that the registers keep; the English word is the code itself.

They are the regulation's where it has one (vocabulary, R1-R5), short enough for a column.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.actions import ActionName
from domain.cases import CaseStatus, Change
from domain.promises import PromiseEnd, PromiseKind
from domain.vocabulary import (
    Category,
    Channel,
    CustomerType,
    Kind,
    Outcome,
    ServiceItem,
    Severity,
    Stage,
    Verdict,
)

CHANNELS: Mapping[str, str] = {
    Channel.TELEPHONE: "电话",
    Channel.WEBSITE: "网站",
    Channel.EMAIL: "电子邮件",
    Channel.CHAT: "即时通讯",
    Channel.WALK_IN: "来访",
}
KINDS: Mapping[str, str] = {
    Kind.CONSULTATION: "咨询",
    Kind.FAULT: "故障报修",
    Kind.COMPLAINT: "投诉",
    Kind.SUGGESTION: "建议",
    Kind.SALES: "售前咨询",
    Kind.PAID_SERVICE: "有费服务",
}
CATEGORIES: Mapping[str, str] = {
    Category.TECHNICAL: "技术质量",
    Category.SOFTWARE: "软件",
    Category.SERVICE: "服务质量",
    Category.COMMERCE: "商务",
    Category.OUT_OF_SCOPE: "超出受理范围",
}
SEVERITIES: Mapping[str, str] = {Severity.GENERAL: "一般", Severity.MAJOR: "重大"}
CUSTOMERS: Mapping[str, str] = {CustomerType.INDIVIDUAL: "个人", CustomerType.ENTERPRISE: "企业"}
STAGES: Mapping[str, str] = {
    Stage.REGISTERED: "已登记",
    Stage.ASSIGNED: "已派工",
    Stage.IN_PROGRESS: "处理中",
    Stage.VERIFYING: "核实中",
    Stage.SURVEYING: "待勘查",
    Stage.QUOTING: "待报价",
    Stage.CONFIRMING: "待客户确认",
    Stage.APPROVING: "待审批",
    Stage.WAITING: "等待客户",
    Stage.RESOLVED: "已解决",
    Stage.REPLIED: "已答复",
    Stage.CALLBACK: "回访中",
    Stage.REOPENED: "重新处理",
    Stage.CLOSED: "已关闭",
}
OUTCOMES: Mapping[str, str] = {
    Outcome.SOLVED: "解决",
    Outcome.NOT_REACHED: "未联系上",
    Outcome.UNFOUNDED: "投诉不成立",
    Outcome.OUT_OF_SCOPE: "不属受理范围",
    Outcome.DECLINED: "客户不接受报价",
    Outcome.NOT_APPROVED: "未获批准",
    Outcome.LAPSED: "报价逾期未复",
    Outcome.WITHDRAWN: "客户撤回",
    Outcome.CANCELLED: "取消",
    Outcome.TERMINATED: "中止",
}
VERDICTS: Mapping[str, str] = {
    Verdict.UNFOUNDED: "不成立",
    Verdict.GENERAL: "一般投诉",
    Verdict.MAJOR: "重大投诉",
}
ITEMS: Mapping[str, str] = {
    ServiceItem.PRE_SALES: "售前支持",
    ServiceItem.PROJECT: "工程项目",
    ServiceItem.AFTER_SALES: "售后服务",
}
PROMISES: Mapping[str, str] = {
    PromiseKind.HAND_OVER: "转交",
    PromiseKind.RESPONSE: "响应",
    PromiseKind.VERIFICATION: "核实",
    PromiseKind.SURVEY: "勘查",
    PromiseKind.QUOTATION: "报价",
    PromiseKind.CONFIRMATION: "客户确认",
    PromiseKind.APPROVAL: "审批",
    PromiseKind.RESOLUTION: "解决",
    PromiseKind.PANEL: "专家会诊",
    PromiseKind.CALLBACK: "回访",
    PromiseKind.CUSTOMER_TEST: "客户试用",
    PromiseKind.EVALUATION: "客户评价",
    PromiseKind.DIFFICULTY: "难度评定",
}
ENDS: Mapping[str, str] = {
    PromiseEnd.OPEN: "进行中",
    PromiseEnd.KEPT: "兑现",
    PromiseEnd.BROKEN: "超时",
    PromiseEnd.WITHDRAWN: "撤销",
    PromiseEnd.SKIPPED: "不计",
}
CLOCKS: Mapping[str, str] = {"working": "工作时间", "elapsed": "自然时间"}
ACTIONS: Mapping[str, str] = {
    ActionName.REGISTERED: "登记",
    ActionName.ANSWER: "热线答复",
    ActionName.REPORT_TEST: "试用结果",
    ActionName.VERIFY: "投诉核实",
    ActionName.ACCEPT: "受理",
    ActionName.REPORT_PROGRESS: "进展",
    ActionName.WAIT_FOR_CUSTOMER: "等待客户",
    ActionName.RESUME: "继续",
    ActionName.TRANSFER: "转部门",
    ActionName.REASSIGN: "改派",
    ActionName.CONSULT: "专家会诊",
    ActionName.SURVEY: "现场勘查",
    ActionName.QUOTE: "报价",
    ActionName.CONFIRM: "客户确认",
    ActionName.APPROVE: "审批",
    ActionName.RESOLVE: "解决",
    ActionName.RECORD_CALLBACK: "回访",
    ActionName.EVALUATE: "客户评价",
    ActionName.RATE_DIFFICULTY: "难度评定",
    ActionName.ESCALATE: "升级",
    ActionName.WITHDRAW: "撤回",
    ActionName.REPLAN: "重新排期",
    ActionName.ASSIGN: "派工",
    ActionName.THRESHOLD: "到时提醒",
    ActionName.REPLIED: "已答复客户",
    ActionName.HAND_OVER: "人工转达",
    ActionName.COMPLAINT_RAISED: "转为投诉",
    ActionName.CANCEL: "取消",
}

CASES: Mapping[str, str] = {
    CaseStatus.PROPOSED: "待审核",
    CaseStatus.APPROVED: "已采用",
    CaseStatus.RETIRED: "停用",
}
CHANGES: Mapping[str, str] = {
    Change.PROPOSE: "提交",
    Change.APPROVE: "采用",
    Change.REJECT: "退回",
    Change.REVISE: "修订",
    Change.RETIRE: "停用",
}

KEPT_AS: Mapping[type[str], Mapping[str, str]] = {
    Channel: CHANNELS,
    Kind: KINDS,
    Category: CATEGORIES,
    Severity: SEVERITIES,
    CustomerType: CUSTOMERS,
    Stage: STAGES,
    Outcome: OUTCOMES,
    Verdict: VERDICTS,
    ServiceItem: ITEMS,
    PromiseKind: PROMISES,
    PromiseEnd: ENDS,
    ActionName: ACTIONS,
    CaseStatus: CASES,
    Change: CHANGES,
}
"""All sets of codes, each with its words."""
