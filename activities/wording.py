"""What the desk says: a Jinja template for each message, with its words in Chinese and in English.

A template has the blocks ``zh`` and ``en``: the first line is the subject, the rest the body. Those
that customers read have ``zh_short`` and ``en_short`` besides, for text messages: one that has no
subject, is paid for by its parts, and leads to all the rest by its link. Files whose names begin
with an underscore are parts of others. A promise that the policy does not make is left out of the
sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    pass_context,
)
from jinja2.runtime import Context as Page
from pydantic import Field

from domain import sms, words
from domain.for_customers import matter
from domain.for_customers.hearing import OWED
from domain.for_customers.saying import PROMISED, Both
from domain.instants import instant
from domain.links import Purpose
from domain.sla.policy import Desk
from domain.sla.promise import CUSTOMERS, Promise, PromiseKind
from domain.terms import Terms, behaviour_of
from domain.vocabulary import (
    ESCALATION,
    Audience,
    Behaviour,
    Code,
    Instant,
    Language,
    Model,
    Severity,
    Stage,
)

TEMPLATES = Path(__file__).parent / "templates"
TITLE_IN_SENTENCES = 40
"""Characters of a title that a sentence quotes."""
SUBJECT = 78
"""Characters of a subject; the number comes first, so it is the title that is cut."""
SMS_PARTS = 2
"""In how many parts a short message is to be sent at most."""
_ROOMS = (60, 40, 30, 24, 20, 16, 13, 10, 8, 6, 0)
"""Characters of whatever people wrote that a short message quotes: as many as fit into it."""

WORDS: words.Names = {
    code: said
    for known in (
        *(words.VERDICTS, words.SEVERITIES, words.ITEMS, words.PROMISES),
        *(words.AUDIENCES, words.MEANS),
    )
    for code, said in known.items()
}
"""The codes that messages speak of. Severities and verdicts share theirs: a general or major
complaint is both.
"""

LINKS: words.Names = {
    Purpose.ACCEPT: ("受理", "Accept"),
    Purpose.COMPLETE: ("填写结果", "Write down the result"),
    Purpose.PROGRESS: ("查看进展", "See how far it is"),
    Purpose.TEST: ("告诉我们结果", "Tell us how it is"),
    Purpose.CONFIRM: ("答复报价", "Answer the quotation"),
    Purpose.EVALUATE: ("评分", "Score us"),
    Purpose.APPROVE: ("批准或驳回", "Approve or reject it"),
    Purpose.REMEDY: ("同意或不同意", "Agree to it or not"),
    Purpose.RATE: ("评定难度", "Rate the repair"),
    Purpose.ADVISE: ("填写会诊意见", "Write down your advice"),
    Purpose.REOPEN: ("没有解决，重新处理", "Open it again if it is not solved"),
}
"""What a link is called in a message."""
_FORMER_LINKS = (("告诉我们是否有效", "Tell us whether it works"),)
"""What links were called in messages that are kept."""
_GREETINGS = ("{}，您好。", "Dear {}, ")
_GREETED = re.compile(
    "^(?:" + "|".join(re.escape(each).replace(r"\{\}", ".{1,200}?") for each in _GREETINGS) + ")"
)
_WE = re.compile("^我们[将会]在")
"""What a short message leaves out of a promise."""
_UNDONE: Mapping[PromiseKind, Both] = {
    **{kind: said for kind, said in OWED.items() if kind is not PromiseKind.RESOLUTION},
    PromiseKind.HAND_OVER: Both("转交专人处理", "pass it on"),
}
"""What was not done in time; the matter itself says what it is to be resolved."""
_REPLY = Both("致电或回复", "call or reply")
_REPLY_BY_LINK = Both("点击下面的链接、致电或回复", "use the link below, call or reply")
_SHORT_LINKS: words.Names = {
    Purpose.PROGRESS: ("详情", "Details:"),
    Purpose.TEST: ("请反馈", "Tell us:"),
    Purpose.CONFIRM: ("请答复", "Answer:"),
    Purpose.EVALUATE: ("请评分", "Score us:"),
}
_NAMES = "|".join(f"{zh}|{en}|{zh} {en}" for zh, en in (*LINKS.values(), *_FORMER_LINKS))
_LINE = re.compile(rf"^(?:{_NAMES})(?:: |：)\S+$\n?", re.MULTILINE)
"""As ``_links.j2`` writes them, and wrote them in both languages."""
_BRIEF = re.compile(
    rf"(?:{'|'.join(x for both in _SHORT_LINKS.values() for x in both)}) \S+/l/\S+$"
)
"""As a short message ends."""


class Style(Model):
    """How a message is to be written for its channel and its reader. ``holds``: bytes of UTF-8 that
    the channel carries at most, subject and body.
    """

    language: Language = Language.ZH
    short: bool = False
    holds: int | None = None


class Undelivered(Model):
    """A message that did not reach its recipient, who is called by name; ``why``, as far as anybody
    knows.
    """

    audience: Audience
    recipient: str
    subject: str
    text: str
    why: str | None = None


class Context(Model):
    """What a message may speak of. Instants are UTC here and in ``zone`` once they are written.

    ``customer_name`` is quoted only to those who have to speak with the customer (R30). ``said`` is
    what the step's action said, by its fields; what it left out is left out of the message.
    """

    number: str
    title: str
    kind: Code
    behaves: Behaviour | None = Field(default=None, description="as ever, if left out")
    terms: Terms = Field(default=Terms(), description="what the desk calls its own")
    severity: Severity = Severity.GENERAL
    stage: Stage | None = Field(default=None, description="where the issue is after the step")
    outside: bool = Field(default=False, description="not ours to solve (R4)")
    answering: bool = Field(default=False, description="the hotline tries to answer it first (R8)")
    product_line: str
    region: str
    site: str | None = None
    customer_name: str | None = None
    recipient_name: str
    engineer_name: str | None = None
    department: str | None = Field(default=None, description="the one responsible now, by code")
    against: str | None = Field(
        default=None, description="number of the issue that a complaint arises from (R21)"
    )
    thin: str | None = Field(
        default=None, description="core group under its stand-by share: department/centre (R16)"
    )
    zone: str
    promises: tuple[Promise, ...] = ()
    promise: Promise | None = Field(default=None, description="the one an alarm is about")
    mark_name: str | None = Field(default=None, description="the threshold it reached")
    at: Instant | None = Field(
        default=None, description="when it is written; nothing is promised before"
    )
    own_word: tuple[Promise, ...] = Field(
        default=(), description="those that only somebody's word makes kept (R11, R12)"
    )
    happened_at: Instant | None = None
    by: str | None = Field(default=None, description="whose step it is, by name")
    experts: tuple[str, ...] = Field(default=(), description="who is asked, by name (R15)")
    on_duty_at: Instant | None = Field(
        default=None, description="when somebody qualified is on duty, if nobody has it (R16)"
    )
    expected_at: Instant | None = Field(default=None, description="the handler's word (R14)")
    reason: str | None = None
    result: str | None = None
    said: dict[str, Any] = Field(default_factory=dict)
    level: int = Field(default=0, ge=0, lt=len(ESCALATION))
    reopen_count: int = 0
    undelivered: tuple[Undelivered, ...] = ()
    links: tuple[tuple[Purpose, str], ...] = Field(
        default=(), description="what the reader can do by a link, and its address"
    )
    desk: Desk = Field(default=Desk(), description="who writes")

    @property
    def behaviour(self) -> Behaviour:
        """What is done about an issue of its kind (R37)."""
        return self.behaves or behaviour_of(self.kind)

    @property
    def complaint_about(self) -> str | None:
        """The number of the issue that the desk registered this complaint about (R21)."""
        return self.against if self.behaviour is Behaviour.COMPLAINT else None


class Written(Model):
    """A message in words; the subject is one line, and empty in a short one. ``full_text`` is all
    that a short one leads to, and names no customer (R30): links are passed on.
    """

    subject: str
    body: str
    full_text: str | None = None


_AT_LENGTH = Style()


def write(template: str, context: Context, style: Style = _AT_LENGTH) -> Written:
    """Put a message into words.

    Raises:
        ValueError: there is no such template.
    """
    try:
        page = _ENVIRONMENT.get_template(f"{template}.j2")
    except TemplateNotFound:
        known = ", ".join(sorted(path.stem for path in TEMPLATES.glob("[!_]*.j2")))
        raise ValueError(f'no wording "{template}"; there are: {known}') from None
    facts = _facts(context, style.language)
    subject, _, said = _block(page, style.language, facts).partition("\n")
    tail = _ENVIRONMENT.get_template("_links.j2").render(facts).rstrip()
    if _is_customers(page):
        if style.short:
            body = _short_body(page, context, style)
            return Written(subject="", body=body, full_text=_capitalized(said))
        by_whom = _company(context.desk, style.language) + subject
        subject = by_whom if len(by_whom) <= SUBJECT else subject  # the number is what counts
        said = _GREETINGS[_place(style.language)].format(context.recipient_name) + said
        tail += _signature(context.desk, style.language)
    subject = _short(subject, SUBJECT)
    if style.holds is not None:
        left = style.holds - len(f"{subject}\n{tail}".encode())
        said = _held(said, left, style.language)
    return Written(subject=subject, body=(said + tail).rstrip())


def without_links(body: str) -> str:
    """Take the links out of a message that somebody else is to read."""
    return _BRIEF.sub("", re.sub(r"\n{3,}", "\n\n", _LINE.sub("", body))).rstrip(" ，\n")


def _ungreeted(body: str) -> str:
    """Take the greeting off a letter that is quoted: it names its reader."""
    return _GREETED.sub("", body)


def is_for_customers(template: str) -> bool:
    """Say whether customers read it."""
    return _is_customers(_ENVIRONMENT.get_template(f"{template}.j2"))


def _is_customers(page: Template) -> bool:
    return f"{Language.ZH}_short" in page.blocks


def _block(page: Template, name: str, facts: Mapping[str, Any]) -> str:
    return "".join(page.blocks[name](page.new_context(dict(facts)))).strip()


# Text messages ------------------------------------------------------------------------------------


def _short_body(page: Template, context: Context, style: Style) -> str:
    """Quote as much as fits, and name the hotline if it does; what is too long all the same is sent
    as it is: a link is never lost.
    """
    for body in _shorter_and_shorter(page, context, style.language):
        if sms.parts(body) <= SMS_PARTS:
            break
    return body


def _shorter_and_shorter(page: Template, context: Context, language: Language) -> Iterator[str]:
    for room in _ROOMS:
        said = _block(page, f"{language}_short", _facts(context, language, room))
        yield _framed(said, context, language, context.desk.hotline)
    yield _framed(said, context, language, "")


def _framed(said: str, context: Context, language: Language, hotline: str) -> str:
    """Say who writes, which number there is to call, and where to read on."""
    zh = language is Language.ZH
    by = _company(context.desk, language)
    call = (f"热线{hotline}" if zh else f"Hotline {hotline}") if hotline else ""
    read = ""
    for purpose, address in context.links[:1]:
        read = f"{_SHORT_LINKS.get(purpose, LINKS[purpose])[not zh]} {address}"
    last = ("，" if zh else ". ").join(filter(None, (call, read)))
    if not read and last:
        last += "。" if zh else "."
    return by + (said + last if zh else f"{said} {last}".rstrip())


def _company(desk: Desk, language: Language) -> str:
    """Begin with who writes."""
    company = desk.company.said(language)
    return ("【{}】", "{}: ")[_place(language)].format(company) if company else ""


# Letters and whatever else has room --------------------------------------------------------------


def _signature(desk: Desk, language: Language) -> str:
    zh = language is Language.ZH
    hotline = desk.hotline and (f"客服热线：{desk.hotline}" if zh else f"Hotline: {desk.hotline}")
    lines = [*filter(None, (desk.sign_off.said(language), desk.company.said(language), hotline))]
    return "\n\n" + "\n".join(lines) if lines else ""


def _held(said: str, room: int, language: Language) -> str:
    """Cut what a channel would refuse as too long, and say so."""
    if len(said.encode()) <= room:
        return said
    note = "……（太长，未完：请看该问题）" if language is Language.ZH else "... (cut: see the issue)"
    kept = said.encode()[: max(room - len(note.encode()), 0)].decode(errors="ignore")
    return kept.rstrip() + note


# What templates are filled with -------------------------------------------------------------------


def _facts(context: Context, language: Language, room: int | None = None) -> dict[str, Any]:
    """The context's fields and what follows from them: ``due``, the clocks that move, by kind, and
    ``promised``, what the customer may count on; of a short message, that has only ``room``, the
    next of it; ``passed``, what is still owed though its time is over: nobody is told of that as if
    it were to come.
    """
    facts = {name: getattr(context, name) for name in Context.model_fields}
    moving = {p.kind: p for p in context.promises if p.running and p.paused_at is None}
    passed = {
        kind: p
        for kind, p in moving.items()
        if p.overdue or (context.at is not None and p.due_at <= context.at)
    }
    ahead = {kind: p for kind, p in moving.items() if kind not in passed}
    at = _place(language)
    here = _Written(context.zone, context.at, language, room is not None)
    promised = [
        said[at].format(here.due(ahead[kind])) for kind, said in PROMISED.items() if kind in ahead
    ]
    if room is not None:
        promised = [_WE.sub("", said) for said in promised[:1]]
    told = matter.told(context.behaviour, language)
    if called := context.terms.called(context.kind):
        told["called"] = called.said(language)
    title = _short(context.title) if room is None else context.title
    undone = _UNDONE.get(context.promise.kind) if context.promise else None
    return facts | {
        "m": told,
        "runs": context.behaviour is Behaviour.FAULT,
        "complaint": context.behaviour is Behaviour.COMPLAINT,
        "work": context.behaviour is Behaviour.PAID_SERVICE,
        "about": matter.about(
            told["called"], context.number, title, context.complaint_about, language
        ),
        "about_ours": context.complaint_about is not None,
        "undone": undone.said(language) if undone else told["finish"],
        "reply_by": (_REPLY_BY_LINK if context.links else _REPLY).said(language),
        "language": language,
        "room": room,
        "due": {kind: ahead.get(kind) for kind in PromiseKind},
        "passed": {kind: p for kind, p in passed.items() if kind not in CUSTOMERS},
        "promised": ("；", "; ")[at].join(promised),
        "rank": ESCALATION[context.level],
        "names": {purpose: called[at] for purpose, called in LINKS.items()},
        "scores": words.SCORES[at],
    }


def _place(language: Language) -> int:
    """Where a language stands in our tables."""
    return 0 if language is Language.ZH else 1


class _Written(NamedTuple):
    """Where and when a message is written, and how: what instants in it go by."""

    zone: str
    at: datetime | None
    language: Language
    short: bool

    def instant(self, at: datetime) -> str:
        """Write an instant; with its year if that is another one than now."""
        here = ZoneInfo(self.zone)
        now = (self.at or at).astimezone(here)
        year = not self.short and at.astimezone(here).year != now.year
        return instant(at, self.zone, self.language, year=year, weekday=not self.short)

    def due(self, promise: Promise) -> str:
        """R32: what may still move is never told as if it were certain."""
        unsure = ("（暂定）", " (provisional)")[_place(self.language)]
        return self.instant(promise.due_at) + unsure * promise.provisional


def _written(page: Page) -> _Written:
    return _Written(page["zone"], page["at"], page["language"], page["room"] is not None)


@pass_context
def _local(page: Page, at: datetime) -> str:
    return _written(page).instant(at)


@pass_context
def _due(page: Page, promise: Promise) -> str:
    return _written(page).due(promise)


def _short(text: str, characters: int = TITLE_IN_SENTENCES) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"


@pass_context
def _cut(page: Page, said: str | None, least: int = 0) -> str:
    """Quote what there is room for, in one line and without the full stop at its end; ``least``
    characters in any case, if need be in place of the hotline.
    """
    line = " ".join((said or "").split()).rstrip("。.；;，, ")
    if page["room"] is None:
        return line
    room = max(page["room"], least)
    if len(line) <= room:
        return line
    more = "…" if page["language"] is Language.ZH else "..."  # the GSM alphabet has no "…"
    return line[: room - len(more)].rstrip() + more if room else ""


@pass_context
def _quoted(page: Page, title: str) -> str:
    ours = page["about_ours"] or title == page["number"]  # or words that are told to nobody
    said = "" if ours else _cut(page, title)
    if page["language"] is Language.ZH:
        return f"“{said}”" if said else ""
    return f' "{said}"' if said else ""


def _yuan(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"


@pass_context
def _named(page: Page, code: str | None) -> str:
    """Name a department; nothing where it is not known."""
    return page["terms"].department(code).said(page["language"]) if code else ""


@pass_context
def _called(page: Page, kind: str) -> str:
    """Name a kind."""
    said: str = page["terms"].kind(kind).said(page["language"])
    return said


@pass_context
def _word(page: Page, code: str) -> str:
    return WORDS[code][_place(page["language"])]


@pass_context
def _mark(page: Page, name: str) -> str:
    """Say which threshold of a promise was reached."""
    return words.threshold(name)[_place(page["language"])]


_WHY: Mapping[str, Both] = {
    "may have arrived": Both("可能已送达", "it may have arrived"),
    "nobody vouches": Both(
        "来信地址未经确认，且一小时内发送已达上限",
        "nobody vouches for the address, and it heard from us often",
    ),
    "no channel": Both("没有可用的联系方式", "there is no way to reach them"),
}
"""Why something did not arrive, by what channels and register say of it."""
_NOT_ARRIVED = Both("未能送达", "it did not arrive")


@pass_context
def _why(page: Page, said: str | None) -> str:
    """What a channel answers word for word is for operators: it stands with the message."""
    known = (why for part, why in _WHY.items() if part in (said or "may have arrived"))
    return next(known, _NOT_ARRIVED).said(page["language"])


@pass_context
def _sentence(page: Page, said: str) -> str:
    """End what somebody wrote with a full stop, so that ours can follow."""
    said = said.strip()
    if said.endswith(tuple("。.！!？?…")):
        return said
    return f"{said}。" if page["language"] is Language.ZH else f"{said}."


def _capitalized(said: str) -> str:
    """Begin a sentence with what may quote somebody: their words stay as they are."""
    return said[:1].upper() + said[1:]


def _environment() -> Environment:
    # Messages are plain text, escaping is the channel's part.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "local": _local,
        "due": _due,
        "called": _called,
        "capitalized": _capitalized,
        "cut": _cut,
        "quoted": _quoted,
        "sentence": _sentence,
        "yuan": _yuan,
        "named": _named,
        "word": _word,
        "mark": _mark,
        "why": _why,
        "ungreeted": _ungreeted,
    }
    return environment


_ENVIRONMENT = _environment()
