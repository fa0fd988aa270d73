"""The regulation's forms: what a step writes into one of them. What it leaves out stays as it is.

The handling form and the callback record, which every issue has, are in ``issue``.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.vocabulary import Amount, Instant, Language, Model, Role, ServiceItem, Verdict


class ConsultationRecord(Model):
    """《客户咨询记录表》, one a generation: what the hotline answered, if it worked (R8, R9); or
    what was passed to a business unit, and what that answered (R38).
    """

    key: ClassVar = ("generation",)
    form: Literal["consultation_records"] = "consultation_records"
    generation: int
    agent: str | None = None
    answered_at: Instant | None = None
    question: str | None = None
    answer: str | None = None
    known_case: str | None = None
    on_the_line: bool | None = None
    to_be_tested: bool | None = None
    worked: bool | None = None
    tested_at: Instant | None = None
    words: str | None = None
    fault: str | None = None
    fault_name: str | None = None
    passed_to: str | None = Field(default=None, description="the business unit, a department")
    passed_by: str | None = None
    passed_at: Instant | None = None


class ComplaintForm(Model):
    """《投诉登记表》《投诉处理表》, one a complaint, from the apology to the archive (R19)."""

    key: ClassVar[tuple[str, ...]] = ()
    form: Literal["complaint_forms"] = "complaint_forms"
    against: str | None = Field(default=None, description="the department responsible")
    received_by: str | None = None
    apologised_at: Instant | None = None
    calming_by: str | None = Field(default=None, description="who is to calm the customer (R47)")
    calmed_by: str | None = None
    calmed_at: Instant | None = None
    calmed_words: str | None = None
    verified_by: str | None = None
    verified_at: Instant | None = None
    verdict: Verdict | None = None
    findings: str | None = None
    handled_by: str | None = None
    result: str | None = None
    result_at: Instant | None = None
    told_at: Instant | None = None
    called_at: Instant | None = None
    satisfied: bool | None = None
    archived_at: Instant | None = None


class Remedy(Model):
    """《投诉补偿登记表》, one a proposal of a complaint: what it is, who said yes or no, what
    became of it (R42).
    """

    key: ClassVar = ("proposal",)
    form: Literal["remedies"] = "remedies"
    proposal: int
    remedy: str | None = Field(default=None, description="the policy's code of its kind")
    remedy_name: str | None = Field(default=None, description="what the desk called it then")
    what: str | None = None
    amount: Amount | None = None
    reason: str | None = None
    proposed_by: str | None = None
    proposed_at: Instant | None = None
    decider: Role | None = Field(default=None, description="manager, or the GM office")
    approved: bool | None = None
    decided_by: str | None = None
    decided_at: Instant | None = None
    decision: str | None = Field(default=None, description="why not")
    accepted: bool | None = None
    recorded_by: str | None = None
    recorded_at: Instant | None = None
    receipt: str | None = None
    words: str | None = None

    @property
    def undecided(self) -> bool:
        """Whether it waits for a yes or a no."""
        return self.approved is None

    @property
    def owed(self) -> bool:
        """Whether it is agreed, and neither given nor refused by the complainant."""
        return self.approved is True and self.accepted is None

    @property
    def open(self) -> bool:
        """Whether anything is still to happen with it."""
        return self.undecided or self.owed


class PaidService(Model):
    """《有费服务单》, one a generation, from the survey to the customer's acceptance (R17)."""

    key: ClassVar = ("generation",)
    form: Literal["paid_services"] = "paid_services"
    generation: int
    surveyed_by: str | None = None
    surveyed_at: Instant | None = None
    findings: str | None = None
    quoted_by: str | None = None
    quoted_at: Instant | None = None
    quotation: int | None = None
    work: str | None = None
    amount: Amount | None = None
    confirmed_by: str | None = None
    confirmed_at: Instant | None = None
    agreed: bool | None = None
    words: str | None = None
    approval: bool | None = None
    approved_by: str | None = None
    approved_at: Instant | None = None
    approved: bool | None = None
    reason: str | None = None
    accepted_at: Instant | None = None
    accepted: bool | None = None


class ExpertPanel(Model):
    """《专家会诊记录》, one a panel (R15)."""

    key: ClassVar = ("panel",)
    form: Literal["expert_panels"] = "expert_panels"
    panel: int
    asked_by: str | None = None
    asked_at: Instant | None = None
    question: str | None = None
    experts: tuple[str, ...] | None = None
    advised_by: str | None = None
    advised_at: Instant | None = None
    advice: str | None = None


class Evaluation(Model):
    """《绩效评定表》, one a case, item and person (R26)."""

    key: ClassVar = ("item", "person")
    form: Literal["evaluations"] = "evaluations"
    item: ServiceItem
    person: str
    written_by: str
    at: Instant
    engineer: str | None = None
    department: str
    technical: int
    attitude: int
    comment: str


class DifficultyRating(Model):
    """《维修难度评定》, one a repair (R18)."""

    key: ClassVar = ("generation",)
    form: Literal["difficulty_ratings"] = "difficulty_ratings"
    generation: int
    engineer: str | None = None
    difficulty: int
    note: str
    rated_by: str
    rated_at: Instant


class IssueLink(Model):
    """Two issues about the same, as one of them has it; the other by number, then by id."""

    key: ClassVar = ("other",)
    form: Literal["issue_links"] = "issue_links"
    other: str
    linked_by: str
    linked_at: Instant
    reason: str


class Party(Model):
    """Whom an issue answers besides its own customer: that of one that was merged into it (R6). Who
    that is, the register knows.
    """

    key: ClassVar = ("number",)
    form: Literal["issue_parties"] = "issue_parties"
    number: str
    party_id: str
    since: Instant
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    language: Language | None = None
    title: str | None = None
    site: str | None = None
    redirected: int = 0


Form = Annotated[
    ConsultationRecord
    | ComplaintForm
    | Remedy
    | PaidService
    | ExpertPanel
    | Evaluation
    | DifficultyRating
    | IssueLink
    | Party,
    Field(discriminator="form"),
]
