"""What an audit can find wrong, and what is to be done about each: one table for the command line,
the metrics, the heartbeat and the repair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from domain.vocabulary import Instant, Model


class Remedy(StrEnum):
    """What `yinuo repair` does about a finding, in this order: the register first, for everything
    else goes by it. Each is a recorded step of the issue in the end.
    """

    CATCH_UP = "catch_up"
    """Write what the register lacks out of the workflow's history."""
    RAISE_SERIALS = "raise_serials"
    """Let numbers go on above the highest that was ever given out."""
    REWRITE = "rewrite"
    """Write issue, promises and forms again out of the issue's events."""
    RESET = "reset"
    """Begin anew at the last task of its history that can be replayed."""
    ROUND = "round"
    """Let the ordinary audit look at it: it closes, begins anew, or reminds."""
    REGISTER = "register"
    """Send `registered` again, with the intake its workflow was started with."""
    REMIND = "remind"
    """Send `repair`: the workflow sets its timers, and sends what lies about."""
    DELIVER = "deliver"
    """As `remind`; where no workflow lives the issue any more, bring its messages out."""
    BY_HAND = "by_hand"
    """Nothing a program may decide."""


class FindingKind(StrEnum):
    """What can be wrong. A key of metrics and of stored findings: it does not change."""

    NO_WORKFLOW = "no_workflow"
    NOT_REGISTERED = "not_registered"
    WORKFLOW_BEHIND = "workflow_behind"
    REGISTER_BEHIND = "register_behind"
    ALARM_MISSED = "alarm_missed"
    WEDGED = "wedged"
    RETRYING = "retrying"
    UNSAID = "unsaid"
    FORMS_DIFFER = "forms_differ"
    LEDGER_DIFFERS = "ledger_differs"
    EVENTS_BROKEN = "events_broken"
    NUMBER_TWICE = "number_twice"
    SERIALS_BEHIND = "serials_behind"
    CONTENT_BROKEN = "content_broken"
    CONTENTS_AWAY = "contents_away"
    WEBHOOK_FAILED = "webhook_failed"


class Advice(NamedTuple):
    """What a finding means, and what to do about it, for people."""

    zh: str
    en: str
    to_do: str
    remedy: Remedy


_REPAIR = "运行 run `yinuo repair`"
_LOG = "，并看工作进程日志 and read the worker's log"

ADVICE: Mapping[FindingKind, Advice] = {
    FindingKind.NO_WORKFLOW: Advice(
        "登记簿有此问题，但没有流程在办理",
        "open in the register, and no workflow lives it",
        f"{_REPAIR}：重新开始，或按已终止关闭 it begins anew, or is closed as terminated",
        Remedy.ROUND,
    ),
    FindingKind.NOT_REGISTERED: Advice(
        "流程已开始，但问题未登记",
        "a workflow that could not register its issue",
        f"{_REPAIR}{_LOG}",
        Remedy.REGISTER,
    ),
    FindingKind.WORKFLOW_BEHIND: Advice(
        "流程落后于登记簿",
        "the workflow does not know the register's last steps",
        f"{_REPAIR}：流程从登记簿补齐 it takes them out of the register",
        Remedy.ROUND,
    ),
    FindingKind.REGISTER_BEHIND: Advice(
        "登记簿落后于流程",
        "the register lacks steps that the workflow took: it was restored from a backup",
        f"{_REPAIR}：登记簿从流程历史补齐 it is caught up from the workflow's history",
        Remedy.CATCH_UP,
    ),
    FindingKind.ALARM_MISSED: Advice(
        "提醒时刻已过而未提醒",
        "a promise's threshold has passed, and nobody was told",
        f"{_REPAIR}{_LOG}",
        Remedy.REMIND,
    ),
    FindingKind.WEDGED: Advice(
        "流程任务反复失败，无法继续",
        "the workflow's tasks fail: it cannot go on",
        f"先看失败原因 read why first; {_REPAIR}：重置到最后可重放处 it is reset",
        Remedy.RESET,
    ),
    FindingKind.RETRYING: Advice(
        "某项活动多次重试",
        "something the workflow does fails again and again",
        "消除所示原因，随后自行继续 remove the cause that is named: it goes on by itself",
        Remedy.REMIND,
    ),
    FindingKind.UNSAID: Advice(
        "消息既未送达也未交人",
        "a message neither arrived nor was handed to a person, and nothing brings it out",
        _REPAIR,
        Remedy.DELIVER,
    ),
    FindingKind.FORMS_DIFFER: Advice(
        "表单与事件不符",
        "a form lacks what an event says",
        f"{_REPAIR}：按事件重写 written again out of the events",
        Remedy.REWRITE,
    ),
    FindingKind.LEDGER_DIFFERS: Advice(
        "登记或承诺台账与事件不符",
        "issue or promises are not what the events make of them",
        f"{_REPAIR}：按事件重写 written again out of the events",
        Remedy.REWRITE,
    ),
    FindingKind.EVENTS_BROKEN: Advice(
        "事件缺失",
        "events are missing in between",
        f"{_REPAIR}：从流程历史补齐 filled in from the workflow's history",
        Remedy.CATCH_UP,
    ),
    FindingKind.NUMBER_TWICE: Advice(
        "同一编号发给了两个问题",
        "a number was given to two issues",
        "联系两位客户；终止登记簿中没有的那个流程，其受理重新登记得新编号 call both customers;"
        " terminate the workflow that has no row, and register its intake anew",
        Remedy.BY_HAND,
    ),
    FindingKind.SERIALS_BEHIND: Advice(
        "编号计数落后于已发编号",
        "numbers are about to be given out again",
        f"{_REPAIR}：计数提高到已发编号之上 counted on above the highest",
        Remedy.RAISE_SERIALS,
    ),
    FindingKind.CONTENT_BROKEN: Advice(
        "附件内容缺失或已损坏",
        "the content of an attachment is missing or damaged",
        "从备份取回，或再次添加同一文件 take it out of a backup, or attach the same file again",
        Remedy.BY_HAND,
    ),
    FindingKind.CONTENTS_AWAY: Advice(
        "附件存储无法访问",
        "where attachments are kept cannot be reached",
        "消除所示原因 remove the cause that is named",
        Remedy.BY_HAND,
    ),
    FindingKind.WEBHOOK_FAILED: Advice(
        "对外通知的接收方已停用",
        "a receiver of events was disabled: it accepts nothing",
        "请接收方排除故障，再运行 have it mended, then run `yinuo webhook enable`",
        Remedy.BY_HAND,
    ),
}


class Finding(Model):
    """One thing that is wrong. ``about`` says with what, the same as long as it stays wrong;
    ``seen`` is for people, and never holds customer data (R30). No ``issue_id``: of the desk.
    """

    kind: FindingKind
    issue_id: str = ""
    number: str | None = None
    about: str = ""
    seen: str

    @property
    def same(self) -> tuple[str, ...]:
        """What makes it the same finding when it is looked for again."""
        return (self.kind, self.issue_id, self.about)

    @property
    def advice(self) -> Advice:
        """What it means and what to do."""
        return ADVICE[self.kind]


class AuditReport(Model):
    """What one deep audit saw: how many issues and workflows it looked at, and what is wrong."""

    id: int = 0
    began_at: Instant
    ended_at: Instant
    issues: int
    workflows: int
    findings: tuple[Finding, ...] = ()

    @property
    def counts(self) -> dict[FindingKind, int]:
        """How many of each kind that was found."""
        return dict(Counter(finding.kind for finding in self.findings))


EVERY = timedelta(hours=6)
"""How often the deep audit runs by itself."""
OVERDUE = 2 * EVERY + timedelta(hours=1)
"""An audit this old says nothing any more: whoever watches is to be alarmed."""


class Heartbeat(Model):
    """Whether whoever watches may be at ease: the last audit, and what it found, in numbers."""

    at: Instant | None = None
    findings: dict[str, int] = Field(default_factory=dict)

    def sound(self, now: Instant) -> bool:
        """Whether it is recent and found nothing."""
        return self.at is not None and now - self.at < OVERDUE and not self.findings


class RepairOrder(Model):
    """What to repair: these issues, by number or id; none named: all that is found."""

    issues: tuple[str, ...] = ()
    dry_run: bool = False


class Repaired(Model):
    """What was done about a finding; ``done``: it is not found any more. ``left`` are keys of
    messages to be brought out.
    """

    finding: Finding
    remedy: Remedy
    outcome: str
    done: bool = False
    left: tuple[str, ...] = ()


class RepairReport(Model):
    """What a repair did, or would do."""

    repaired: tuple[Repaired, ...] = ()
    unknown: tuple[str, ...] = ()
    """Named, and neither in the register nor in Temporal."""
    released: str = ""
    """What was said when a held register was released."""
    dry_run: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be done."""
        return not self.unknown and all(each.done for each in self.repaired)
