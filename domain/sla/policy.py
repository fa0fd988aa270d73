"""Policy: every figure of the regulation as data. First match wins, and the match is explained."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from functools import cached_property
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from domain.attachments import Limits
from domain.calendars.periods import (
    Elapsed,
    Ends,
    Period,
    TimeBudget,
    WorkingDays,
    WrittenPeriod,
    read_period,
)
from domain.network import Network
from domain.sla.clock import Counting, Rehearsal
from domain.sla.promise import COUNTS_BACK, DUE, OF_REPAIRS, PromiseKind
from domain.terms import CATEGORIES, KINDS, Category, Department, Kind, Terms, listed
from domain.vocabulary import (
    LOWEST_SCORE,
    Amount,
    Audience,
    Behaviour,
    Channel,
    Code,
    CustomerType,
    Language,
    Line,
    Model,
    Role,
    Score,
    Severity,
    Zone,
    repeated,
)

When = Literal["at once", "working hours"]
"""When somebody of the desk is told: day and night, or when they are at work."""

_PERCENT = re.compile(r"(\d{1,3})%")


class ThresholdRule(Model):
    """A threshold: when it is reached, who is told, and how high the issue rises."""

    at: str = Field(description='"75%", "100%", "+2h", "+1 working day"')
    tell: tuple[Audience, ...] = ()
    level: Literal[Role.LEAD, Role.MANAGER, Role.GM_OFFICE] | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> ThresholdRule:
        if self.share is None and not self.at.startswith("+"):
            msg = f'"{self.at}" is no threshold: write "75%", "100%", "+2h" or "+1 working day"'
            raise ValueError(msg)
        if self.share is None:
            read_period(self.at[1:])
        return self

    @property
    def share(self) -> float | None:
        """The share of the promised time, 0 to 1, or None for a threshold after the due instant."""
        percent = _PERCENT.fullmatch(self.at)
        if percent is None or not 0 < int(percent[1]) <= 100:
            return None
        return int(percent[1]) / 100

    @property
    def after_due(self) -> Period:
        """How long after the due instant; only where there is no ``share``."""
        return read_period(self.at[1:])


class Facts(Model):
    """What a policy may ask about an issue."""

    kind: Code
    severity: Severity
    category: Code
    product_line: str
    region: str
    centre: str
    customer: CustomerType
    existing: bool = True
    first_contact: bool = False
    generation: int = 1
    channel: Channel = Channel.TELEPHONE
    in_writing: bool = True


# Sorted on the way out: the same rule is the same JSON in every process.
_Sorted = PlainSerializer(sorted, return_type=list[str], when_used="json")
_SortedFlags = PlainSerializer(sorted, return_type=list[bool], when_used="json")


class Selector(Model):
    """Which issues a rule is for; what is left out matches everything."""

    kind: Annotated[frozenset[Code], _Sorted] = frozenset()
    severity: Annotated[frozenset[Severity], _Sorted] = frozenset()
    category: Annotated[frozenset[Code], _Sorted] = frozenset()
    product_line: Annotated[frozenset[Code], _Sorted] = frozenset()
    region: Annotated[frozenset[Code], _Sorted] = frozenset()
    centre: Annotated[frozenset[Code], _Sorted] = frozenset()
    customer: Annotated[frozenset[CustomerType], _Sorted] = frozenset()
    existing: Annotated[frozenset[bool], _SortedFlags] = Field(
        default=frozenset(), description="[true] a customer already, [false] a prospect (R4)"
    )
    first_contact: Annotated[frozenset[bool], _SortedFlags] = Field(
        default=frozenset(), description="[true] the hotline answered it (R8)"
    )
    channel: Annotated[frozenset[Channel], _Sorted] = Field(
        default=frozenset(), description="how it came in (R1)", exclude_if=lambda asked: not asked
    )
    in_writing: Annotated[frozenset[bool], _SortedFlags] = Field(
        default=frozenset(),
        description="[false] no channel has an address of its customer: they are called (R34)",
        exclude_if=lambda asked: not asked,
    )

    def mismatches(self, facts: Facts) -> tuple[str, ...]:
        """Name the fields in which the issue is not what the rule is for; none: it matches."""
        return tuple(
            name
            for name in type(self).model_fields
            if (wanted := getattr(self, name)) and getattr(facts, name) not in wanted
        )

    def matches(self, facts: Facts) -> bool:
        """Say whether the rule is for such an issue."""
        return not self.mismatches(facts)


class PromiseRule(Model):
    """One kind of promise for one kind of issue."""

    name: Code
    promise: PromiseKind
    select: Selector = Field(default=Selector(), alias="for")
    within: WrittenPeriod
    ends: Ends = Field(default="close", description="when the last working day is over (R31)")
    clock: Counting = "working"
    calendar: Code = Field(default="centre", description="a calendar, or the centre's own")
    opens: WrittenPeriod | None = Field(
        default=None, description="not before this; working days: from opening time on"
    )
    attempts: Annotated[int, Field(ge=0)] = Field(
        default=1, description='how often somebody calls; 0, of a "reply": until they reach them'
    )
    marks: tuple[ThresholdRule, ...]

    @field_validator("attempts")
    @classmethod
    def _only_the_reply_is_tried_for_ever(cls, attempts: int, info: ValidationInfo) -> int:
        if not attempts and info.data.get("promise") is not PromiseKind.REPLY:
            msg = '0, until they are reached, is for a "reply": say how often somebody calls'
            raise ValueError(msg)
        return attempts

    def mismatches(self, facts: Facts) -> tuple[str, ...]:
        """Name the fields in which the issue is not what the rule is for. What is promised of a
        repair is promised of the hotline's answer only by a rule that speaks of first contact.
        """
        found = self.select.mismatches(facts)
        unsaid = facts.first_contact and not self.select.first_contact
        return (*found, "first_contact") if unsaid and self.promise in OF_REPAIRS else found

    @model_validator(mode="after")
    def _breaking_is_noticed(self) -> PromiseRule:
        marks = [mark.at for mark in self.marks]
        if DUE not in marks:
            msg = f'{self.name}: no "{DUE}" among the marks: nobody would notice a broken promise'
            raise ValueError(msg)
        if twice := repeated(marks):
            msg = f'{self.name}: "{twice}" is among the marks twice: list all it tells in one'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _only_working_days_have_an_end(self) -> PromiseRule:
        if self.ends != "close" and not isinstance(self.within, WorkingDays):
            msg = f'{self.name}: ends = "{self.ends}" is for working days, not for "{self.within}"'
            raise ValueError(msg)
        return self


class Considered(Model):
    """One rule on the way to the first match: what it does not fit, and whether it is taken."""

    rule: PromiseRule
    mismatches: tuple[str, ...]
    taken: bool


class NoticeRule(Model):
    """When the people of the desk are told about such an issue. That a clock breaks and that a
    person is told are two things (R13); customers are always told at once.
    """

    name: Code
    select: Selector = Field(default=Selector(), alias="for")
    when: When


class RouteRule(Model):
    """Which department gets an issue, before the table of categories is asked (R4)."""

    name: Code
    select: Selector = Field(default=Selector(), alias="for")
    department: Code


class QueueRule(Model):
    """Which issues an agent looks at first: they are nobody's until somebody of the hotline takes
    them (R36). Until when that is, the promise ``hand_over`` says.
    """

    name: Code
    select: Selector = Field(default=Selector(), alias="for")


class ReliefRule(Model):
    """Which issues do not wait for their handler's next shift: at the end of this one, somebody who
    is on duty takes over (R16).
    """

    name: Code
    select: Selector = Field(default=Selector(), alias="for")


def _read_percent(written: object) -> object:
    """Read ``"20%"``; a share that has been read already passes."""
    if isinstance(written, str) and (percent := _PERCENT.fullmatch(written)):
        return int(percent[1]) / 100
    return written


Share = Annotated[float, BeforeValidator(_read_percent), Field(ge=0, le=1)]
"""A share, written as "20%"."""


class Standby(Model):
    """R16: of the people on duty in a core group, at least that share has no open issue. A group is
    such a department's engineers in one service centre.
    """

    share: Share = 0.0
    departments: tuple[Code, ...] = ()


Mark = Annotated[int, Field(ge=0, le=100)]
"""What somebody got in an examination."""


class Qualification(Model):
    """R46: what is asked of those who work for customers: the mark of a certificate and of the
    quarterly test, zero for none; whether also of people of whom the roster has no examinations; of
    an agent, so many cases a month for the case library, and so many skills. Leads are told so many
    days before a certificate or a test counts no more.
    """

    certificate: Mark = 0
    knowledge: Mark = 0
    required: bool = False
    cases_a_month: Annotated[int, Field(ge=0, le=1000)] = 0
    skills: Annotated[int, Field(ge=0, le=100)] = 0
    told_days_before: Annotated[int, Field(ge=0, le=366)] = 30


class Opinions(Model):
    """R41: words that show strong dissatisfaction, in either language, for whoever reads what
    customers say.
    """

    strong: tuple[Line, ...] = ()


class PaidService(Model):
    """R17: above this price, in yuan, the manager approves before the work begins."""

    approval_above: Amount | None = None


Named = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]


class Called(Model):
    """What something is called, in both languages."""

    zh: Named
    en: Named

    def said(self, language: Language) -> str:
        """Say it in that language."""
        return self.zh if language is Language.ZH else self.en


class RemedyKind(Called):
    """What a remedy of that kind is called; ``priced``: none without an amount."""

    priced: bool = False


_REMEDIES: Mapping[str, RemedyKind] = {
    "money": RemedyKind(zh="赔偿金", en="money", priced=True),
    "exchange": RemedyKind(zh="换货", en="exchange"),
    "free_service": RemedyKind(zh="免费服务", en="free service"),
    "apology": RemedyKind(zh="当面致歉", en="apology in person"),
    "other": RemedyKind(zh="其他补偿", en="other"),
}


class Remedies(Model):
    """R42: what a complainant may get that makes up for what happened; above this amount, in yuan,
    the GM office says yes or no, and not the manager of the department.
    """

    manager_up_to: Amount | None = None
    kinds: dict[Code, RemedyKind] = Field(default=dict(_REMEDIES), min_length=1)

    @model_validator(mode="after")
    def _names_tell_apart(self) -> Remedies:
        for language in Language:
            if twice := repeated(kind.said(language) for kind in self.kinds.values()):
                msg = f'remedies.kinds: two are called "{twice}", so no one could tell them apart'
                raise ValueError(msg)
        return self


class Calming(Model):
    """R47: who of a department is to calm a complainant who is agitated: the one on duty there, or
    the next above.
    """

    by: Literal[Role.LEAD, Role.MANAGER, Role.GM_OFFICE] = Role.MANAGER


class Evaluations(Model):
    """R21, R24, R26: a score below the first is strong dissatisfaction, and becomes a complaint;
    one below the second is dissatisfaction that whoever is responsible hears of at once.
    """

    complaint_below: Score = 0
    dissatisfied_below: Score = LOWEST_SCORE

    @property
    def low(self) -> int:
        """Say below which score somebody is not satisfied, strongly or not."""
        return max(self.complaint_below, self.dissatisfied_below)


class Telephone(Model):
    """R7: a call is answered within so many seconds, about three rings."""

    within_seconds: Annotated[int, Field(ge=0, le=3600)] = 20


class Quality(Model):
    """R28: which share of the records is checked, and which share of errors means retraining."""

    sample: Share = 0.15
    errors: Share = 0.05
    satisfaction: Share = 0.9


class ConsultationRule(Model):
    """R38: which questions are on the consultation record as well when they are passed to one of
    these departments, the desk's business units.
    """

    name: Code
    select: Selector = Field(default=Selector(), alias="for")
    departments: Annotated[tuple[Code, ...], Field(min_length=1)]


class FaultName(Called):
    """What a fault is called."""


class FaultList(Model):
    """R43: the fault codes of such issues, each with what it is called. ``required``: a result is
    not taken without one.
    """

    name: Code
    select: Selector = Field(default=Selector(), alias="for")
    required: bool = False
    codes: Annotated[dict[Code, FaultName], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_of_machines(self) -> FaultList:
        about_people = {"customer", "existing"} & self.select.model_fields_set
        if about_people:
            msg = f"{self.name}: for.{min(about_people)}: a list of faults is not of customers"
            raise ValueError(msg)
        return self


class Letters(Model):
    """How many letters of one sender become issues within an hour, and how many that say the same;
    what is more is kept with the first of these, and a lead hears of it. A robot that answers
    ours comes to an end there. And for how long each is kept as it came (R30).
    """

    per_hour: Annotated[int, Field(gt=0)] = 20
    alike: Annotated[int, Field(gt=0)] = 3
    keep: TimeBudget = TimeBudget(span=timedelta(days=365), written="365d")

    @field_validator("keep", mode="before")
    @classmethod
    def _in_elapsed_time(cls, written: object) -> object:
        period = read_period(written)
        if isinstance(period, WorkingDays):
            msg = f'letters: write "365d", not "{period}": they are kept day and night'
            raise ValueError(msg)  # noqa: TRY004  pydantic's way to be told
        return period

    @field_serializer("keep", when_used="json")
    def _as_written(self, keep: TimeBudget) -> str:
        return keep.written


class Strangers(Model):
    """By which doors anybody can give anybody's address, and how often within an hour such an
    address hears from us before somebody vouches for it.
    """

    channels: tuple[Channel, ...] = (Channel.EMAIL, Channel.WEBSITE, Channel.CHAT)
    per_hour: Annotated[int, Field(gt=0)] = 5


class Delivery(Model):
    """How long a message is tried before a person is asked to see to it."""

    give_up_after: WrittenPeriod
    first_retry: WrittenPeriod
    longest_retry: WrittenPeriod

    @model_validator(mode="after")
    def _in_elapsed_time(self) -> Delivery:
        periods = (self.give_up_after, self.first_retry, self.longest_retry)
        if any(isinstance(period, WorkingDays) for period in periods):
            msg = 'delivery: write "24h", not working days: channels are tried day and night'
            raise ValueError(msg)
        return self


Short = Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f]*$")]
"""Words that stand in every message, or none."""


class Bilingual(Model):
    """The same in Chinese and in English; empty is not said."""

    zh: Short = ""
    en: Short = ""

    def said(self, language: Language) -> str:
        """Say it in that language."""
        return self.zh if language is Language.ZH else self.en


def _in_both(written: object) -> object:
    """Take one text for both languages."""
    return {"zh": written, "en": written} if isinstance(written, str) else written


Said = Annotated[Bilingual, BeforeValidator(_in_both)]


class Desk(Model):
    """Who writes, as every message to a customer says it, and in which language if the customer
    has none of their own; what is empty is left out.
    """

    company: Said = Bilingual()
    hotline: Short = ""
    sign_off: Said = Bilingual()
    language: Language = Language.ZH


class OwnWord(Model):
    """How far back somebody's own word counts for when they did something (R11, R12)."""

    counts_back: Elapsed = TimeBudget(span=COUNTS_BACK, written="12h")


class Webhooks(Model):
    """How other systems are told. Of the company's own networks those that are ``allow``ed may be
    posted to, also without TLS; whatever else is inside is refused, wherever its name leads.
    """

    give_up_after: Elapsed = TimeBudget(span=timedelta(days=5), written="5d")
    first_retry: Elapsed = TimeBudget(span=timedelta(seconds=5), written="5s")
    longest_retry: Elapsed = TimeBudget(span=timedelta(hours=1), written="1h")
    answer_within: Elapsed = TimeBudget(span=timedelta(seconds=15), written="15s")
    allow: tuple[Network, ...] = ()


class MissingNotice(Model):
    """From which month on somebody is told that next year's national notice is missing (R32), how
    often, and who; and who is told if a calendar comes to an end.
    """

    from_month: Annotated[int, Field(ge=1, le=12)] = 11
    every: Elapsed = TimeBudget(span=timedelta(days=7), written="7d")
    tell: Literal[Role.LEAD, Role.MANAGER, Role.GM_OFFICE] = Role.GM_OFFICE


_MORNING = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def _read_time(written: object) -> object:
    """Read ``"08:30"``; a time that has been read already passes."""
    if isinstance(written, time):
        return written
    if isinstance(written, str) and _MORNING.fullmatch(written):
        return time.fromisoformat(written)
    msg = f'"{written}" is no time of day: write it like "08:30"'
    raise ValueError(msg)


TimeOfDay = Annotated[
    time,
    BeforeValidator(_read_time),
    PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str, when_used="json"),
]
"""A time of day on the wall clock of the desk's zone, written as "08:30"."""

ReportReader = Literal[Role.LEAD, Role.MANAGER, Role.GM_OFFICE]
"""Who is sent a report: a lead and a manager that of their department."""

_REPORTS_TO: Mapping[str, tuple[ReportReader, ...]] = {
    "callbacks": (Role.GM_OFFICE,),
    "effectiveness": (Role.GM_OFFICE, Role.MANAGER),
    "difficulty": (Role.GM_OFFICE,),
    "evaluations": (Role.GM_OFFICE, Role.MANAGER),
    "complaints": (Role.GM_OFFICE, Role.MANAGER),
    "quality": (Role.GM_OFFICE, Role.MANAGER),
    "contributions": (Role.GM_OFFICE, Role.MANAGER),
    "pay": (Role.GM_OFFICE,),
    "telephone": (Role.GM_OFFICE, Role.MANAGER),
}


class Reports(Model):
    """R27: an edition of each report is issued on the first working day of ``calendar`` after the
    period has ended, and the digest of the day for each of ``digest`` every working day, ``at``
    that time. ``to`` says who is sent which: nobody, if it is empty, and as the regulation has it
    if it is left out. Without a ``calendar`` it is the one called "desk", or else Monday to Friday
    less the holidays that the desk's other calendars follow.
    """

    at: TimeOfDay = time(8, 30)
    calendar: Code | None = None
    to: dict[Code, tuple[ReportReader, ...]] = Field(default_factory=dict)
    digest: tuple[Literal[Role.LEAD, Role.MANAGER], ...] = (Role.LEAD,)

    @field_validator("to")
    @classmethod
    def _is_issued(
        cls, to: dict[str, tuple[ReportReader, ...]]
    ) -> dict[str, tuple[ReportReader, ...]]:
        if unknown := sorted(to.keys() - _REPORTS_TO.keys()):
            msg = f"no report {unknown[0]} is issued; there are: {', '.join(_REPORTS_TO)}"
            raise ValueError(msg)
        return to

    def readers(self, report: str) -> tuple[ReportReader, ...]:
        """Name the roles that an edition of that report is sent to; none: it is kept, and sent to
        nobody.
        """
        return self.to.get(report, _REPORTS_TO.get(report, ()))

    @staticmethod
    def issues(report: str) -> bool:
        """Say whether editions of that report are issued by the clock; others are looked at."""
        return report in _REPORTS_TO

    @property
    def unread(self) -> tuple[str, ...]:
        """Name the reports that nobody is sent."""
        return tuple(report for report in _REPORTS_TO if not self.readers(report))


class Conversation(Model):
    """Within which time of its closing an issue is opened again by what its customer writes (R24);
    later it is another issue, linked to it, and so it is once the closed one is over. And how often
    within an hour whoever holds a customer's links may write by them: a link may get about.
    """

    reopen_within: Elapsed = TimeBudget(span=timedelta(days=7), written="7d")
    by_link_per_hour: Annotated[int, Field(gt=0)] = 20


_LIKE: Mapping[PromiseKind, PromiseKind] = {
    PromiseKind.FEEDBACK: PromiseKind.RESPONSE,
    PromiseKind.REMEDY_APPROVAL: PromiseKind.APPROVAL,
    PromiseKind.REMEDY: PromiseKind.RESOLUTION,
}
"""Promises that a policy without a rule for them makes by those of another kind: what a customer
writes is seen to as soon as what they report (R11); a remedy is decided on as soon as a price
(R17), and given as soon as a result (R42).
"""


def _tables(policy: Policy) -> tuple[tuple[str, Mapping[str, Kind | Category | Department]], ...]:
    return (
        ("kinds", policy.kinds),
        ("categories", policy.categories),
        ("departments", policy.departments),
    )


_Each = TypeVar("_Each")


def _in_order(known: Mapping[str, _Each], order: Iterable[str]) -> dict[str, _Each]:
    return {code: known[code] for code in order if code in known} | dict(known)


_Rule: TypeAlias = (
    PromiseRule | NoticeRule | RouteRule | ReliefRule | QueueRule | ConsultationRule | FaultList
)


class Policy(Model):
    """The desk's figures, as written in ``policies/*.toml``."""

    name: Code
    zone: Zone
    kinds: dict[Code, Kind] = Field(default=dict(KINDS), description="what customers may want (R3)")
    categories: dict[Code, Category] = Field(
        default=dict(CATEGORIES), description="what it may be about (R4)"
    )
    departments: dict[Code, Department] = Field(
        default_factory=dict, description="none listed: those of the roster"
    )
    order: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="of kinds, categories and departments, as they were written: what is stored "
        "does not keep it",
    )
    routing: dict[Code, Code] = Field(default_factory=dict)
    promises: tuple[PromiseRule, ...] = Field(alias="promise")
    notices: tuple[NoticeRule, ...] = Field(default=(), alias="notice")
    routes: tuple[RouteRule, ...] = Field(default=(), alias="route")
    reliefs: tuple[ReliefRule, ...] = Field(default=(), alias="relief")
    consultations: tuple[ConsultationRule, ...] = Field(default=(), alias="consultation")
    queues: tuple[QueueRule, ...] = Field(
        default=(), alias="queue", exclude_if=lambda rules: not rules
    )
    fault_lists: tuple[FaultList, ...] = Field(default=(), alias="fault_list")
    standby: Standby = Standby()
    qualification: Qualification = Qualification()
    paid_service: PaidService = PaidService()
    evaluations: Evaluations = Evaluations()
    opinions: Opinions = Opinions()
    calming: Calming = Calming()
    remedies: Remedies = Remedies()
    quality: Quality = Quality()
    telephone: Telephone = Telephone()
    letters: Letters = Letters()
    attachments: Limits = Limits()
    strangers: Strangers = Strangers()
    own_word: OwnWord = OwnWord()
    webhooks: Webhooks = Webhooks()
    conversation: Conversation = Conversation()
    missing_notice: MissingNotice = MissingNotice()
    reports: Reports = Reports()
    delivery: Delivery
    desk: Desk = Desk()
    rehearsal: Rehearsal | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, said: object) -> object:
        """Remember in which order they stand: lists offer them so, and of several that would do the
        first is taken (R21).
        """
        if not isinstance(said, Mapping) or "order" in said:
            return said
        tables = ("kinds", "categories", "departments")
        order = {each: [*said[each]] for each in tables if isinstance(said.get(each), Mapping)}
        return {**said, "order": order} if order else said

    @model_validator(mode="after")
    def _names_tell_apart(self) -> Policy:
        for what, known in _tables(self):
            for language in Language:
                if twice := repeated(each.name.said(language) for each in known.values()):
                    msg = f'{what}: two are called "{twice}", so no one could tell them apart'
                    raise ValueError(msg)
        if Behaviour.COMPLAINT not in (kind.behaves for kind in self.kinds.values()):
            msg = 'kinds: none behaves = "complaint": a bad callback would become nothing (R21)'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _every_category_has_a_department(self) -> Policy:
        for category in self.routing:
            if category not in self.categories:
                msg = f"routing {category}: no such category; there are: {listed(self.categories)}"
                raise ValueError(msg)
        if missing := [
            code
            for code, category in self.categories.items()
            if code not in self.routing and category.department is None
        ]:
            msg = f"routing: no department for {', '.join(missing)} (R4)"
            raise ValueError(msg)
        if twice := [code for code in self.routing if self.categories[code].department]:
            msg = f"routing {twice[0]}: [categories.{twice[0]}] says its department already"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _rules_speak_of_what_there_is(self) -> Policy:
        for what, rule in self._rules_by_table():
            for field, said, known in (
                ("kind", rule.select.kind, self.kinds),
                ("category", rule.select.category, self.categories),
            ):
                if unknown := sorted(said - known.keys()):
                    msg = f"{what} {rule.name}: no {field} {unknown[0]}; there are: {listed(known)}"
                    raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _departments_are_listed(self) -> Policy:
        if not self.departments:
            return self
        for subject, department in self._departments_named():
            if department not in self.departments:
                msg = (
                    f"{subject}: no department {department}; there are: {listed(self.departments)}"
                )
                raise ValueError(msg)
        return self

    def _rules_by_table(self) -> Iterator[tuple[str, _Rule]]:
        yield from (("promise", rule) for rule in self.promises)
        yield from (("notice", rule) for rule in self.notices)
        yield from (("route", rule) for rule in self.routes)
        yield from (("relief", rule) for rule in self.reliefs)
        yield from (("queue", rule) for rule in self.queues)
        yield from (("consultation", rule) for rule in self.consultations)
        yield from (("fault_list", rule) for rule in self.fault_lists)

    def _departments_named(self) -> Iterator[tuple[str, str]]:
        yield from ((f"routing {category}", to) for category, to in self.routing.items())
        for code, category in self.categories.items():
            if category.department:
                yield f"categories {code}", category.department
        yield from ((f"route {rule.name}", rule.department) for rule in self.routes)
        for rule in self.consultations:
            yield from ((f"consultation {rule.name}", each) for each in rule.departments)
        yield from (("standby", department) for department in self.standby.departments)

    @model_validator(mode="after")
    def _a_survey_leads_on(self) -> Policy:
        promised = {rule.promise for rule in self.promises}
        wanted = {PromiseKind.QUOTATION, PromiseKind.CONFIRMATION}
        if self.paid_service.approval_above is not None:
            wanted.add(PromiseKind.APPROVAL)
        if PromiseKind.SURVEY in promised and (missing := sorted(wanted - promised)):
            msg = (
                f"survey: what follows it needs a promise too, or is forgotten: {missing[0]} (R17)"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _a_queue_has_an_end(self) -> Policy:
        if self.queues and not self._rules(PromiseKind.HAND_OVER):
            msg = (
                f'queue {self.queues[0].name}: no promise "hand_over": what nobody takes out of it '
                "would wait for ever (R36)"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Policy:
        named: dict[str, list[str]] = {}
        for what, rule in self._rules_by_table():
            named.setdefault(what, []).append(rule.name)
        for what, names in named.items():
            if twice := repeated(names):
                msg = f"{what} {twice}: there are two of this name, so no one could tell them apart"
                raise ValueError(msg)
        return self

    def considered(self, kind: PromiseKind, facts: Facts) -> tuple[Considered, ...]:
        """List the rules for such a promise in order, with why each fits the issue or does not."""
        rules = self._rules(kind) or self._rules(_LIKE.get(kind))
        taken = next((rule for rule in rules if not rule.mismatches(facts)), None)
        return tuple(
            Considered(rule=rule, mismatches=rule.mismatches(facts), taken=rule is taken)
            for rule in rules
        )

    def _rules(self, kind: PromiseKind | None) -> tuple[PromiseRule, ...]:
        return tuple(rule for rule in self.promises if rule.promise is kind)

    def rule(self, kind: PromiseKind, facts: Facts) -> PromiseRule | None:
        """Return the first rule for such a promise on such an issue; none means not promised."""
        return next((each.rule for each in self.considered(kind, facts) if each.taken), None)

    def department(self, facts: Facts) -> str:
        """Route an issue to its department: the first rule that fits it, else its category (R4)."""
        first = next((rule for rule in self.routes if rule.select.matches(facts)), None)
        return first.department if first else self.department_of(facts.category)

    def department_of(self, category: str) -> str:
        """Return who gets what is about a category, unless a route says otherwise (R4)."""
        return self.categories[category].department or self.routing[category]

    @cached_property
    def terms(self) -> Terms:
        """What this desk calls its own."""
        return Terms(
            kinds=_in_order(self.kinds, self.order.get("kinds", ())),
            categories=_in_order(self.categories, self.order.get("categories", ())),
            departments=_in_order(self.departments, self.order.get("departments", ())),
        )

    def is_consultation(self, facts: Facts, department: str) -> bool:
        """Say whether such an issue is on the consultation record while it is there (R38)."""
        fitting = (rule for rule in self.consultations if rule.select.matches(facts))
        return any(department in rule.departments for rule in fitting)

    def queue(self, facts: Facts) -> str | None:
        """Name the queue in which such an issue waits for an agent (R36); None: in none, or nothing
        would take it out again.
        """
        first = next((rule for rule in self.queues if rule.select.matches(facts)), None)
        return first.name if first and self.rule(PromiseKind.HAND_OVER, facts) else None

    def relieved(self, facts: Facts) -> bool:
        """Say whether such an issue changes hands when its handler goes off duty (R16)."""
        return any(rule.select.matches(facts) for rule in self.reliefs)

    def told(self, facts: Facts) -> When:
        """Say when the people of the desk are told about such an issue; at once if nothing says."""
        first = next((rule for rule in self.notices if rule.select.matches(facts)), None)
        return first.when if first else "at once"
