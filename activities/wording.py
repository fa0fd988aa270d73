"""What the desk says: one Jinja template per message, Chinese first, then English.

The first line of a template is the subject, the rest the body. Templates whose names begin with an
underscore are parts of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, pass_context
from jinja2.runtime import Context as Page
from pydantic import Field

from domain import view
from domain.promises import Promise, PromiseKind
from domain.vocabulary import ESCALATION, Audience, Instant, Kind, Model, Role, Severity

TEMPLATES = Path(__file__).parent / "templates"
TITLE_IN_SENTENCES = 40
"""Characters of a title that a sentence or a subject quotes; an SMS is short."""

WORDS: Mapping[str, tuple[str, str]] = {
    Kind.CONSULTATION: ("咨询", "consultation"),
    Kind.FAULT: ("故障报修", "fault"),
    Kind.COMPLAINT: ("投诉", "complaint"),
    Kind.SUGGESTION: ("建议", "suggestion"),
    Kind.SALES: ("售前咨询", "sales enquiry"),
    Kind.PAID_SERVICE: ("有费服务", "paid service"),
    Severity.GENERAL: ("一般", "general"),
    Severity.MAJOR: ("重大", "major"),
    PromiseKind.RESPONSE: ("响应", "response"),
    PromiseKind.RESOLUTION: ("解决", "resolution"),
    PromiseKind.CALLBACK: ("回访", "callback"),
    PromiseKind.CUSTOMER_TEST: ("客户试用", "customer's test"),
    Audience.CUSTOMER: ("客户", "customer"),
    Audience.HANDLER: ("处理人", "handler"),
    Audience.CLERK: ("回访人", "callback clerk"),
    Role.ENGINEER: ("工程师", "engineer"),
    Role.LEAD: ("组长", "lead"),
    Role.MANAGER: ("部门经理", "manager"),
    Role.GM_OFFICE: ("总经办", "GM office"),
}
"""The regulation's words for our codes, Chinese and English."""


class Context(Model):
    """What a message may speak of. Instants are UTC here and in ``zone`` once they are written.

    ``customer_name`` is quoted only to those who have to speak with the customer (R30).
    """

    number: str
    title: str
    kind: Kind
    severity: Severity = Severity.GENERAL
    product_line: str
    region: str
    site: str | None = None
    customer_name: str | None = None
    recipient_name: str
    engineer_name: str | None = None
    zone: str
    promises: tuple[Promise, ...] = ()
    promise: Promise | None = Field(default=None, description="the one an alarm is about")
    mark_name: str | None = Field(default=None, description="the threshold it reached")
    expected_at: Instant | None = Field(default=None, description="the handler's word (R14)")
    reason: str | None = None
    result: str | None = None
    level: int = Field(default=0, ge=0, lt=len(ESCALATION))
    reopen_count: int = 0
    undelivered: tuple[tuple[Audience, str, str, str], ...] = Field(
        default=(), description="audience, recipient, subject and body of each"
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
    subject, _, body = page.render(_facts(context)).strip().partition("\n")
    return Written(subject=subject, body=body)


def _facts(context: Context) -> dict[str, Any]:
    """The context's fields and what follows from them: ``due``, the clocks that move, by kind."""
    facts = {name: getattr(context, name) for name in Context.model_fields}
    moving = {p.kind: p for p in context.promises if p.running and p.paused_at is None}
    return facts | {
        "due": {kind: moving.get(kind) for kind in PromiseKind},
        "rank": ESCALATION[context.level],
    }


@pass_context
def _local(page: Page, at: datetime) -> str:
    return view.local(at, page["zone"])


@pass_context
def _due(page: Page, promise: Promise) -> str:
    """R32: what may still move is never told as if it were certain."""
    return _local(page, promise.due_at) + ("（暂定 provisional）" if promise.provisional else "")


def _short(title: str) -> str:
    if len(title) <= TITLE_IN_SENTENCES:
        return title
    return f"{title[: TITLE_IN_SENTENCES - 1].rstrip()}…"


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
        "zh": lambda code: WORDS[code][0],
        "en": lambda code: WORDS[code][1],
    }
    return environment


_ENVIRONMENT = _environment()
