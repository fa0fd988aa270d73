"""What the desk says: one Jinja template per message, Chinese first, then English.

The first line of a template is the subject, the rest the body. Templates whose names begin with an
underscore are parts of others. A promise that the policy does not make is left out of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, pass_context
from jinja2.runtime import Context as Page
from pydantic import Field

from domain import words
from domain.issue import view
from domain.links import Purpose
from domain.sla.promise import CUSTOMERS, Promise, PromiseKind
from domain.vocabulary import (
    ESCALATION,
    Audience,
    Category,
    Instant,
    Kind,
    Model,
    Severity,
)

TEMPLATES = Path(__file__).parent / "templates"
TITLE_IN_SENTENCES = 40
"""Characters of a title that a sentence quotes; an SMS is short."""
SUBJECT = 60
"""Characters of a subject; the number comes first, so it is the title that is cut."""

WORDS: words.Names = {
    code: said
    for known in (
        *(words.KINDS, words.VERDICTS, words.SEVERITIES, words.ITEMS, words.PROMISES),
        words.AUDIENCES,
    )
    for code, said in known.items()
}
"""The codes that messages speak of. Severities and verdicts share theirs: a general or major
complaint is both.
"""

DEPARTMENTS: Mapping[str, tuple[str, str]] = {
    "technical_service": ("技术服务部", "technical service"),
    "software_development": ("软件开发部", "software development"),
    "customer_service": ("客户服务部", "customer service"),
    "business_unit": ("产品事业部", "the product business unit"),
    "customer_success": ("客户成功部", "customer success"),
    "sales": ("销售部", "sales"),
    "legal": ("法务部", "the legal department"),
    "partner": ("合作伙伴管理部", "partner relations"),
    "general_office": ("总经办", "the GM office"),
}
"""Departments of the shipped policies by name (R4); one that a desk adds is called by its code."""

PROMISED: Mapping[PromiseKind, tuple[str, str]] = {
    PromiseKind.RESPONSE: ("我们将在 {} 前与您联系", "we will contact you by {}"),
    PromiseKind.VERIFICATION: ("我们将在 {} 前告诉您核实结果", "you will have our findings by {}"),
    PromiseKind.SURVEY: ("我们将在 {} 前到现场勘察", "we will survey the site by {}"),
    PromiseKind.QUOTATION: ("我们将在 {} 前给您报价", "we will send you a quotation by {}"),
    PromiseKind.CONFIRMATION: ("请您在 {} 前答复报价", "please answer the quotation by {}"),
    PromiseKind.APPROVAL: ("我们将在 {} 前完成审批", "we will decide on our side by {}"),
    PromiseKind.RESOLUTION: ("预计 {} 前给您结果", "you can expect the result by {}"),
    PromiseKind.CALLBACK: ("我们会在 {} 前打电话向您回访", "we will call you by {}"),
    PromiseKind.CUSTOMER_TEST: ("请您在 {} 前告诉我们是否有效", "please tell us by {} if it works"),
    PromiseKind.EVALUATION: ("请您在 {} 前为我们评分", "please score us by {}"),
}
"""What a customer is told of a promise; the others are between ourselves."""

LINKS: words.Names = {
    Purpose.ACCEPT: ("受理", "Accept"),
    Purpose.COMPLETE: ("填写结果", "Write down the result"),
    Purpose.PROGRESS: ("查看进展", "See how far it is"),
    Purpose.TEST: ("告诉我们是否有效", "Tell us whether it works"),
    Purpose.CONFIRM: ("答复报价", "Answer the quotation"),
    Purpose.EVALUATE: ("评分", "Score us"),
}
"""What a link is called in a message."""
_LINE = re.compile(rf"^(?:{'|'.join(map(' '.join, LINKS.values()))}): \S+$\n?", re.MULTILINE)
"""As ``_links.j2`` writes them."""


class Context(Model):
    """What a message may speak of. Instants are UTC here and in ``zone`` once they are written.

    ``customer_name`` is quoted only to those who have to speak with the customer (R30). ``said`` is
    what the step's action said, by its fields; what it left out is left out of the message.
    """

    number: str
    title: str
    kind: Kind
    severity: Severity = Severity.GENERAL
    category: Category | None = None
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
    by: str | None = Field(default=None, description="whose step it is")
    on_duty_at: Instant | None = Field(
        default=None, description="when somebody qualified is on duty, if nobody has it (R16)"
    )
    expected_at: Instant | None = Field(default=None, description="the handler's word (R14)")
    reason: str | None = None
    result: str | None = None
    said: dict[str, Any] = Field(default_factory=dict)
    level: int = Field(default=0, ge=0, lt=len(ESCALATION))
    reopen_count: int = 0
    undelivered: tuple[tuple[Audience, str, str, str], ...] = Field(
        default=(), description="audience, recipient, subject and body of each"
    )
    links: tuple[tuple[Purpose, str], ...] = Field(
        default=(), description="what the reader can do by a link, and its address"
    )


class Written(Model):
    """A message in words; the subject is one line."""

    subject: str
    body: str


def write(template: str, context: Context) -> Written:
    """Put a message into words.

    Raises:
        ValueError: there is no such template.
    """
    try:
        page = _ENVIRONMENT.get_template(f"{template}.j2")
    except TemplateNotFound:
        known = ", ".join(sorted(path.stem for path in TEMPLATES.glob("[!_]*.j2")))
        raise ValueError(f'no wording "{template}"; there are: {known}') from None
    facts = _facts(context)
    subject, _, body = page.render(facts).strip().partition("\n")
    links = _ENVIRONMENT.get_template("_links.j2").render(facts)
    return Written(subject=_short(subject, SUBJECT), body=(body + links).rstrip())


def without_links(body: str) -> str:
    """Take the links out of a message that somebody else is to read."""
    return _LINE.sub("", body).rstrip()


def _facts(context: Context) -> dict[str, Any]:
    """The context's fields and what follows from them: ``due``, the clocks that move, by kind, and
    ``promised``, what the customer may count on, in Chinese and in English; ``passed``, what is
    still owed though its time is over: nobody is told of that as if it were to come.
    """
    facts = {name: getattr(context, name) for name in Context.model_fields}
    moving = {p.kind: p for p in context.promises if p.running and p.paused_at is None}
    passed = {
        kind: p
        for kind, p in moving.items()
        if p.overdue or (context.at is not None and p.due_at <= context.at)
    }
    ahead = {kind: p for kind, p in moving.items() if kind not in passed}
    return facts | {
        "due": {kind: ahead.get(kind) for kind in PromiseKind},
        "passed": {kind: p for kind, p in passed.items() if kind not in CUSTOMERS},
        "promised": [
            mark.join(
                words[n].format(_due_in(context.zone, ahead[kind]))
                for kind, words in PROMISED.items()
                if kind in ahead
            )
            for n, mark in enumerate(("；", "; "))
        ],
        "rank": ESCALATION[context.level],
        "names": LINKS,
    }


@pass_context
def _local(page: Page, at: datetime) -> str:
    return view.local(at, page["zone"])


@pass_context
def _due(page: Page, promise: Promise) -> str:
    return _due_in(page["zone"], promise)


def _due_in(zone: str, promise: Promise) -> str:
    """R32: what may still move is never told as if it were certain."""
    return view.local(promise.due_at, zone) + (
        "（暂定 provisional）" if promise.provisional else ""
    )


def _short(text: str, characters: int = TITLE_IN_SENTENCES) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"


def _yuan(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"


def _department(code: str | None) -> tuple[str, str]:
    """Name a department in both languages; twice nothing where it is not known."""
    return DEPARTMENTS.get(code, (code, code)) if code else ("", "")


def _sentence(said: str) -> str:
    """End what somebody wrote with a full stop, so that ours can follow."""
    said = said.strip()
    return said if said.endswith(tuple("。.！!？?…")) else f"{said}。"


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
        "short": _short,
        "sentence": _sentence,
        "yuan": _yuan,
        "department_zh": lambda code: _department(code)[0],
        "department_en": lambda code: _department(code)[1],
        "zh": lambda code: WORDS[code][0],
        "en": lambda code: WORDS[code][1],
    }
    environment.globals["scores"] = words.SCORES
    return environment


_ENVIRONMENT = _environment()
