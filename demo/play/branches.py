"""Every branch of the regulation an issue can go through: where its script has it, and by what the
registers show that it happened.

The right-hand side knows nothing of the script. A branch is as it must be if both name the same
issues; one that no script of a play has, and that nothing took, is none of its business.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from demo.play import ledger
from demo.play.evidence import Evidence, by_customer, by_issue
from demo.play.samples import SampleIssue
from demo.play.script import Quotation
from domain.files.kinds import PICTURES
from domain.issue.actions import ActionName
from domain.knowledge.cases import CaseStatus
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Audience, Consent, Outcome, Role, Verdict


@dataclass(frozen=True)
class Trace:
    """Whatever the registers hold of one issue, and of the complaints that arose from it."""

    issue: ledger.IssueRow
    arisen: Sequence[ledger.IssueRow]
    events: Sequence[ledger.EventRow]
    promises: Sequence[ledger.PromiseRow]
    forms: Sequence[ledger.FormRow]
    calls: Sequence[ledger.CallRow]
    consultations: Sequence[ledger.ConsultationRow]
    complaints: Sequence[ledger.ComplaintRow]
    paid_services: Sequence[ledger.PaidServiceRow]
    panels: Sequence[ledger.PanelRow]
    evaluations: Sequence[ledger.EvaluationRow]
    ratings: Sequence[ledger.RatingRow]
    cases: Sequence[ledger.CaseRow]
    attachments: Sequence[ledger.AttachmentRow]
    links: Sequence[ledger.LinkRow]
    messages: Sequence[ledger.MessageRow]
    """Those to its customer that another issue wrote, too."""
    told_cases: frozenset[str]
    """The cases of the library that are approved and were told to customers."""

    def did(self, action: ActionName, by: str | None = None) -> bool:
        """Whether somebody, or whoever is named, took that action."""
        return any(e.action == action and by in {None, e.actor} for e in self.events)

    def told(self, template: str, audience: Audience = Audience.CUSTOMER) -> bool:
        """Whether somebody was written to in that wording."""
        return any(m.template == template and m.audience == audience for m in self.messages)

    @property
    def has_the_result(self) -> bool:
        """Whether its customer was written the result, or what they were told on the telephone."""
        return self.told("resolved") or self.told("told_by_call")

    def ended(self, kind: PromiseKind, end: PromiseEnd) -> bool:
        """Whether such a promise ended that way."""
        return any(p.kind is kind and p.outcome is end for p in self.promises)


class Branch(NamedTuple):
    """What it is called, which scripts have it, and how the registers show it."""

    chinese: str
    english: str
    scripted: Callable[[SampleIssue], bool]
    happened: Callable[[Trace], bool]


class Taken(NamedTuple):
    """A branch of a play: how many issues took it, and what speaks against it."""

    chinese: str
    english: str
    times: int
    problems: tuple[str, ...]


def taken(evidence: Evidence) -> Mapping[str, tuple[Taken, ...]]:
    """Say of each branch, by groups, which issues took it; those of other plays are left out."""
    traces = _traces(evidence.ledger)
    pairs = [(sample, traces[issue.id]) for sample, issue in evidence.pairs]
    groups = {}
    for group, branches in BRANCHES.items():
        found = tuple(each for branch in branches if (each := _taken(branch, pairs)))
        if found:
            groups[group] = found
    return groups


def _taken(branch: Branch, pairs: Sequence[tuple[SampleIssue, Trace]]) -> Taken | None:
    asked = [(t.issue.number, branch.scripted(s), branch.happened(t)) for s, t in pairs]
    problems = tuple(
        f"{number}: it did not happen" if wanted else f"{number}: it happened, in no script"
        for number, wanted, found in asked
        if wanted is not found
    )
    times = sum(wanted and found for _, wanted, found in asked)
    return Taken(branch.chinese, branch.english, times, problems) if times or problems else None


def _traces(registers: ledger.Ledger) -> dict[str, Trace]:
    of = {name: by_issue(getattr(registers, name)) for name in _SORTED}
    messages = by_customer(registers.messages)
    arisen: defaultdict[str | None, list[ledger.IssueRow]] = defaultdict(list)
    for issue in registers.issues:
        arisen[issue.arises_from].append(issue)
    told = frozenset(
        case.number
        for case in registers.cases
        if case.status is CaseStatus.APPROVED and case.used > 0
    )
    return {
        issue.id: Trace(
            issue=issue,
            arisen=arisen[issue.id],
            told_cases=told,
            messages=messages[issue.id],
            **{name: rows[issue.id] for name, rows in of.items()},
        )
        for issue in registers.issues
    }


_SORTED = (
    *("events", "promises", "forms", "calls", "consultations", "complaints", "paid_services"),
    *("panels", "evaluations", "ratings", "cases", "attachments", "links"),
)

# --- At the hotline (R4, R8-R10, R29) ------------------------------------------------------------


def _answered(sample: SampleIssue, test: str) -> bool:
    first = sample.rounds[0] if sample.rounds else None
    return first is not None and first.by_hotline and first.test == test


def _by_hotline(trace: Trace, *, worked: bool | None) -> bool:
    return any(c.worked is worked for c in trace.consultations)


def _sales(sample: SampleIssue, *, existing: bool) -> bool:
    return (
        sample.intake.kind == "sales"
        and sample.intake.customer.existing is existing
        and sample.script.transfer is None
    )


def _routed(trace: Trace, *, existing: bool, department: str) -> bool:
    issue = trace.issue
    return (
        issue.kind == "sales"
        and issue.customer_existing is existing
        and issue.department == department
    )


_HOTLINE = (
    Branch(
        "热线答复，试用有效",
        "Answered by the hotline, and it works",
        lambda s: _answered(s, "worked"),
        lambda t: _by_hotline(t, worked=True) and t.issue.outcome is Outcome.SOLVED,
    ),
    Branch(
        "客户无回音，视为解决",
        "Answered; silence counts as solved",
        lambda s: _answered(s, "silence"),
        lambda t: (
            _by_hotline(t, worked=None)
            and t.ended(PromiseKind.CUSTOMER_TEST, PromiseEnd.WITHDRAWN)
            and t.issue.outcome is Outcome.SOLVED
        ),
    ),
    Branch(
        "答复无效，派工",
        "The answer fails: somebody is sent",
        lambda s: _answered(s, "failed"),
        lambda t: (
            _by_hotline(t, worked=False)
            and t.told("dispatched")
            and any(form.generation > 1 and form.result for form in t.forms)
        ),
    ),
    Branch(
        "热线未转，到时自动转交",
        "Not passed on in time: the desk does",
        lambda s: s.script.hotline == "holds",
        lambda t: t.ended(PromiseKind.HAND_OVER, PromiseEnd.BROKEN) and bool(t.forms),
    ),
    Branch(
        "网上来件，热线工程师领取",
        "Taken out of the queue by an agent",
        lambda s: s.is_taken,
        lambda t: t.did(ActionName.TAKE) and t.ended(PromiseKind.HAND_OVER, PromiseEnd.KEPT),
    ),
    Branch(
        "征得客户同意后转交",
        "Passed on with the customer's consent",
        lambda s: s.intake.consent is Consent.YES or s.is_passed_on,
        lambda t: Consent.YES in {t.issue.consent, t.issue.consent_since},
    ),
    Branch(
        "客户不同意转交，热线答复",
        "Not to be passed on: the hotline answers",
        lambda s: s.intake.consent is Consent.NO,
        lambda t: t.told("kept_back") and not t.forms and bool(t.consultations),
    ),
    Branch(
        "采用案例库答复",
        "Answered out of the case library",
        lambda s: s.script.case is not None,
        lambda t: any(c.known_case in t.told_cases for c in t.consultations),
    ),
    Branch(
        "复杂问题，即报组长",
        "Complex: the lead hears at once",
        lambda s: s.intake.complex,
        lambda t: t.told("complex", Audience.LEAD) and t.issue.escalation_level > 0,
    ),
    Branch(
        "不属受理范围，告知客户",
        "Out of scope, and told so",
        lambda s: s.expected.outcome is Outcome.OUT_OF_SCOPE,
        lambda t: t.issue.outcome is Outcome.OUT_OF_SCOPE and t.has_the_result,
    ),
    Branch(
        "新客户售前→销售部",
        "A new prospect goes to sales",
        lambda s: _sales(s, existing=False),
        lambda t: _routed(t, existing=False, department="sales"),
    ),
    Branch(
        "老客户售前→客户成功部",
        "A customer's goes to customer success",
        lambda s: _sales(s, existing=True),
        lambda t: _routed(t, existing=True, department="customer_success"),
    ),
)

# --- Handling (R14-R16, R29) ---------------------------------------------------------------------


def _went_on(trace: Trace, by: ActionName) -> bool:
    """Whether it waited for the customer, and went on by that."""
    steps = iter(event.action for event in trace.events)
    return ActionName.WAIT_FOR_CUSTOMER in steps and by == next(
        (step for step in steps if step in {ActionName.RESUME, ActionName.CUSTOMER_WROTE}), None
    )


_HANDLING = (
    Branch(
        "等客户，时钟暂停",
        "The clock stands still for the customer",
        lambda s: s.script.wait is not None and s.script.reply is None,
        lambda t: _went_on(t, ActionName.RESUME) and t.ended(PromiseKind.WAITING, PromiseEnd.KEPT),
    ),
    Branch(
        "进展与预计时间告知客户",
        "Progress and a new time are told",
        lambda s: s.script.progress,
        lambda t: t.did(ActionName.REPORT_PROGRESS) and t.told("progress"),
    ),
    Branch(
        "逾期，热线工程师催办并致电客户",
        "Late: the agent asks, and calls",
        lambda s: PromiseKind.CONTACT in s.expected.kinds,
        lambda t: (
            t.told("chased", Audience.HANDLER) and t.ended(PromiseKind.CONTACT, PromiseEnd.KEPT)
        ),
    ),
    Branch(
        "结果由热线工程师致电答复",
        "The agent's call brings the result",
        lambda s: PromiseKind.REPLY in s.expected.kinds,
        lambda t: (
            t.did(ActionName.CONTACT_CUSTOMER) and t.ended(PromiseKind.REPLY, PromiseEnd.KEPT)
        ),
    ),
    Branch(
        "改派他人",
        "Given to somebody else",
        lambda s: s.script.reassign or s.script.accept == "never",
        lambda t: any(
            e.action == ActionName.REASSIGN and e.actor not in {_ROSTER, t.issue.agent}
            for e in t.events
        ),
    ),
    Branch(
        "转其他部门",
        "Transferred to another department",
        lambda s: s.script.transfer is not None,
        lambda t: t.did(ActionName.TRANSFER) and t.told("transferred"),
    ),
    Branch(
        "专家会诊",
        "An expert panel advised",
        lambda s: s.script.panel,
        lambda t: any(p.advice for p in t.panels) and t.told("panel_asked", Audience.EXPERT),
    ),
    Branch(
        "人员离岗，问题移交",
        "Handed over when somebody left",
        lambda s: s.script.leave,
        lambda t: t.did(ActionName.REASSIGN, by="roster"),
    ),
    Branch(
        "解决办法入案例库",
        "A solution joins the case library",
        lambda s: s.script.known,
        lambda t: any(c.status is CaseStatus.APPROVED and c.reviewed_by for c in t.cases),
    ),
    Branch(
        "部门经理评定难度",
        "The manager rated the difficulty",
        lambda s: PromiseKind.DIFFICULTY in s.expected.kinds,
        lambda t: any(r.generation == t.issue.generation for r in t.ratings),
    ),
)
_ROSTER = "roster"
"""Who hands over what somebody who is away has left undone; its agent passes on what was queued."""

# --- Paid service (R17) --------------------------------------------------------------------------


def _quoted(sample: SampleIssue, **said: object) -> bool:
    quotation: Quotation | None = sample.script.quotation
    return quotation is not None and all(getattr(quotation, k) == v for k, v in said.items())


def _paid(trace: Trace, **columns: Any) -> bool:
    """Whether a sheet of the issue says all of that."""
    return any(
        all(getattr(sheet, name) is value for name, value in columns.items())
        for sheet in trace.paid_services
    )


_PAID = (
    Branch(
        "限额以内，客户同意后施工",
        "Below the limit: the customer's yes",
        lambda s: _quoted(s, customer="agrees", manager=None),
        lambda t: _paid(t, agreed=True, approval=False) and t.issue.outcome is Outcome.SOLVED,
    ),
    Branch(
        "超限额，部门经理批准",
        "Above the limit: the manager approves",
        lambda s: _quoted(s, manager="approves"),
        lambda t: _paid(t, agreed=True, approval=True, approved=True),
    ),
    Branch(
        "超限额，部门经理不批准",
        "Not approved, and told why",
        lambda s: _quoted(s, manager="refuses"),
        lambda t: _paid(t, approved=False) and t.issue.outcome is Outcome.NOT_APPROVED,
    ),
    Branch(
        "客户不接受报价",
        "The customer declines",
        lambda s: _quoted(s, customer="declines"),
        lambda t: _paid(t, agreed=False) and t.issue.outcome is Outcome.DECLINED,
    ),
    Branch(
        "报价逾期未复，失效",
        "Never answered: the quotation lapses",
        lambda s: _quoted(s, customer="silence"),
        lambda t: t.told("quotation_reminder") and t.issue.outcome is Outcome.LAPSED,
    ),
    Branch(
        "拒收返工，再次验收合格",
        "Work refused once, then accepted",
        lambda s: s.script.quotation is not None and s.rounds[0].test == "failed",
        lambda t: _paid(t, generation=1, accepted=False) and _paid(t, accepted=True),
    ),
)

# --- Complaints (R19-R21) ------------------------------------------------------------------------


def _verified(trace: Trace, verdict: Verdict) -> bool:
    return any(form.verdict is verdict and form.archived_at for form in trace.complaints)


_COMPLAINTS = (
    Branch(
        "总经办均知",
        "The GM office hears of every one",
        lambda s: s.intake.kind == "complaint",
        lambda t: t.told("complaint_received", Audience.GM_OFFICE),
    ),
    Branch(
        "情绪激动，先安抚",
        "Agitated: calmed first",
        lambda s: PromiseKind.CALMING in s.expected.kinds,
        lambda t: t.did(ActionName.CALM) and t.ended(PromiseKind.CALMING, PromiseEnd.KEPT),
    ),
    Branch(
        "不成立，向客户说明",
        "Unfounded, and explained",
        lambda s: s.script.verify is Verdict.UNFOUNDED,
        lambda t: _verified(t, Verdict.UNFOUNDED) and (t.told("unfounded") or t.has_the_result),
    ),
    Branch(
        "一般投诉，部门处理",
        "General: the department solves it",
        lambda s: s.script.verify is Verdict.GENERAL,
        lambda t: _verified(t, Verdict.GENERAL) and any(c.handled_by for c in t.complaints),
    ),
    Branch(
        "重大投诉，组长处理",
        "Major: the lead takes it",
        lambda s: s.script.verify is Verdict.MAJOR,
        lambda t: (
            _verified(t, Verdict.MAJOR)
            and t.issue.lead is not None
            and t.did(ActionName.ACCEPT, by=t.issue.lead)
        ),
    ),
    Branch(
        "回访有争议，另立投诉",
        "A conflict in the callback becomes one",
        lambda s: any("conflict" in each.calls for each in s.rounds),
        lambda t: any(c.conflict for c in t.calls) and _linked(t),
    ),
    Branch(
        "评分为负，另立投诉",
        "A score below zero becomes one",
        lambda s: s.script.scores is not None and min(s.script.scores) < 0,
        lambda t: any(min(e.technical, e.attitude) < 0 for e in t.evaluations) and _linked(t),
    ),
)


def _linked(trace: Trace) -> bool:
    """R21: the complaint names where it comes from, and is named there."""
    return trace.did(ActionName.COMPLAINT_RAISED) and any(
        complaint.kind == "complaint" for complaint in trace.arisen
    )


# --- Callback and evaluation (R22-R26) -----------------------------------------------------------


def _calls(sample: SampleIssue, call: str) -> bool:
    return any(call in each.calls for each in sample.rounds)


_HEARD = (
    Branch(
        "回访良好",
        "Called back, and it runs",
        lambda s: _calls(s, "good"),
        lambda t: any(c.running and not c.conflict for c in t.calls),
    ),
    Branch(
        "热线解决的故障，次日回访",
        "Solved on the line, called back",
        lambda s: any(each.by_hotline and each.calls for each in s.rounds),
        lambda t: any(
            call.generation == answer.generation
            for call in t.calls
            for answer in t.consultations
            if answer.on_the_line
        ),
    ),
    Branch(
        "回访不良，重开",
        "Called back, and reopened",
        lambda s: _calls(s, "bad"),
        lambda t: any(c.running is False for c in t.calls) and t.told("reopened"),
    ),
    Branch(
        "未联系上，书面通知",
        "Never reached: written to",
        lambda s: s.expected.outcome is Outcome.NOT_REACHED,
        lambda t: t.issue.outcome is Outcome.NOT_REACHED and t.told("not_reached"),
    ),
    Branch(
        "客户好评",
        "Scored, and well",
        lambda s: s.script.scores is not None and min(s.script.scores) >= 0,
        lambda t: any(min(e.technical, e.attitude) >= 0 for e in t.evaluations),
    ),
)

# --- The conversation (R6, R15, R24, R44) --------------------------------------------------------

_SAID = (
    Branch(
        "等客户，客户回复后继续",
        "They write, and it goes on",
        lambda s: s.script.reply is not None,
        lambda t: (
            _went_on(t, ActionName.CUSTOMER_WROTE) and t.ended(PromiseKind.WAITING, PromiseEnd.KEPT)
        ),
    ),
    Branch(
        "内部备注，另有话告知客户",
        "A note for colleagues, one for them",
        lambda s: s.script.notes,
        lambda t: sum(e.action == ActionName.ADD_NOTE for e in t.events) > 1 and t.told("note"),
    ),
    Branch(
        "更正电话，消息改投",
        "A telephone number is corrected",
        lambda s: s.script.phone is not None,
        lambda t: t.did(ActionName.AMEND) and t.told("amended"),
    ),
    Branch(
        "客户发来照片",
        "The customer adds a photograph",
        lambda s: s.script.photograph,
        lambda t: any(a.role is Role.CUSTOMER and a.kind in PICTURES for a in t.attachments),
    ),
    Branch(
        "答复后客户又来信，先看再结",
        "Writing after the answer is seen to",
        lambda s: s.script.asks,
        lambda t: (
            t.told("did_it_help", Audience.AGENT) and t.ended(PromiseKind.FEEDBACK, PromiseEnd.KEPT)
        ),
    ),
    Branch(
        "同一件事，互相关联",
        "Linked with another about the same",
        lambda s: s.script.link is not None,
        lambda t: t.did(ActionName.LINK) and bool(t.links),
    ),
    Branch(
        "同一件事，合并答复",
        "Merged: one answer for both",
        lambda s: s.expected.outcome is Outcome.MERGED,
        lambda t: (
            t.issue.outcome is Outcome.MERGED
            and t.issue.merged_into is not None
            and t.told("merged")
            and t.has_the_result
        ),
    ),
)

BRANCHES: Mapping[str, tuple[Branch, ...]] = {
    "热线 At the hotline": _HOTLINE,
    "处理 Handling": _HANDLING,
    "有费服务 Paid service": _PAID,
    "投诉 Complaints": _COMPLAINTS,
    "回访与评价 Callback and evaluation": _HEARD,
    "来往 The conversation": _SAID,
}


def names() -> Iterator[str]:
    """Name all branches in English."""
    return (branch.english for branches in BRANCHES.values() for branch in branches)
