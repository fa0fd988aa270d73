"""The desk's words as a Chinese reader knows them, beside the English ones."""

from collections.abc import Mapping

from domain.actions import ActionName
from domain.promises import PromiseKind
from domain.vocabulary import Kind, Outcome, Stage

STAGES: Mapping[Stage, str] = {
    Stage.REGISTERED: "已登记 registered",
    Stage.ASSIGNED: "已分派 assigned",
    Stage.IN_PROGRESS: "处理中 in progress",
    Stage.WAITING: "等客户 waiting",
    Stage.RESOLVED: "已解决 resolved",
    Stage.REPLIED: "已答复 replied",
    Stage.CALLBACK: "待回访 callback",
    Stage.REOPENED: "重新打开 reopened",
    Stage.CLOSED: "已关闭 closed",
}

PROMISES: Mapping[PromiseKind, str] = {
    PromiseKind.RESPONSE: "响应 response",
    PromiseKind.RESOLUTION: "解决 resolution",
    PromiseKind.CALLBACK: "回访 callback",
    PromiseKind.CUSTOMER_TEST: "客户试用 customer's test",
}

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.SOLVED: "已解决 solved",
    Outcome.NOT_REACHED: "未联系上 not reached",
    Outcome.WITHDRAWN: "已撤回 withdrawn",
    Outcome.CANCELLED: "已取消 cancelled",
    Outcome.TERMINATED: "已终止 terminated",
}

KINDS: Mapping[Kind, str] = {
    Kind.CONSULTATION: "咨询 consultation",
    Kind.FAULT: "故障 fault",
    Kind.COMPLAINT: "投诉 complaint",
    Kind.SUGGESTION: "建议 suggestion",
    Kind.SALES: "销售 sales",
    Kind.PAID_SERVICE: "有偿服务 paid service",
}

LEVELS = ("工程师 engineer", "主管 lead", "经理 manager", "总经办 GM office")
"""By escalation level."""

ACTIONS: Mapping[ActionName, str] = {
    ActionName.REGISTERED: "登记 registered",
    ActionName.ACCEPT: "受理 accept",
    ActionName.REPORT_PROGRESS: "进展 progress",
    ActionName.WAIT_FOR_CUSTOMER: "等客户 wait",
    ActionName.RESUME: "恢复 resume",
    ActionName.REASSIGN: "改派 reassign",
    ActionName.RESOLVE: "解决 resolve",
    ActionName.RECORD_CALLBACK: "回访 callback",
    ActionName.ESCALATE: "升级 escalate",
    ActionName.WITHDRAW: "撤回 withdraw",
    ActionName.ASSIGN: "分派 assign",
    ActionName.THRESHOLD: "时限 threshold",
    ActionName.REPLIED: "已答复 replied",
    ActionName.HAND_OVER: "转人工 hand over",
    ActionName.CANCEL: "取消 cancel",
}
