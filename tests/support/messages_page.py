"""docs/messages.md: every message in both languages, for whoever reviews the wording. It is made of
the templates: `python -m tests.support.messages_page` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from activities.wording import (
    SMS_PARTS,
    Context,
    Style,
    Written,
    is_for_customers,
    write,
)
from domain import sms, words
from domain.links import OFFERED, PURPOSES, Link, Purpose, mark_of, the_one
from domain.scripts import Place, Script
from domain.sla.policy import Desk
from domain.sla.promise import PromiseKind
from domain.vocabulary import Language
from runtime.rulebook import load
from runtime.signing import Links, Signer
from runtime.wording import OWN
from runtime.wording import load as load_wording
from tests.support.sample_messages import NOON, WRITTEN, a_promise, in_full

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "messages.md"
_LINKS = Links(Signer("signs the links of docs/messages.md alone"), "https://desk.example")
_KINDS = {
    "complaint": (
        "calm_wanted",
        "calmed",
        *("remedy_agreed", "remedy_wanted", "remedy_to_give", "remedy_rejected", "remedy_declined"),
        "verified",
        "unfounded",
        "taken",
        "complaint_received",
        "conflict",
    ),
    "paid_service": (
        *("quotation", "quotation_reminder", "declined", "lapsed", "approved", "not_approved"),
        *("acceptance", "approval_wanted", "confirmed", "quotation_over"),
    ),
    "consultation": ("answered", "dispatched", "test_reminder", "answered_staff"),
}
_KIND = {template: kind for kind, templates in _KINDS.items() for template in templates}
_PROMISED = {
    "resolved": (PromiseKind.CALLBACK,),
    "unfounded": (PromiseKind.CALLBACK,),
    "thanks": (PromiseKind.EVALUATION,),
    "rating_wanted": (PromiseKind.DIFFICULTY,),
    "panel_asked": (PromiseKind.PANEL,),
    "calm_wanted": (PromiseKind.CALMING,),
    **dict.fromkeys(("kept_back", "kept_back_staff"), (PromiseKind.HAND_OVER,)),
    "approval_wanted": (PromiseKind.APPROVAL,),
    "remedy_wanted": (PromiseKind.REMEDY_APPROVAL,),
    **dict.fromkeys(("remedy_agreed", "remedy_to_give"), (PromiseKind.REMEDY,)),
    **dict.fromkeys(("quotation", "quotation_reminder"), (PromiseKind.CONFIRMATION,)),
    **dict.fromkeys(("answered", "acceptance", "test_reminder"), (PromiseKind.CUSTOMER_TEST,)),
}
_MARKS = {"warning": "75%", "still_waiting": "+5 working days"}
_USUAL = (PromiseKind.RESPONSE, PromiseKind.RESOLUTION)
_TITLE = (
    "天河支行一楼大厅自助服务区东侧第三台 ATM 出钞口反复卡钞，屏幕黑屏，"
    "重启后仍然不行，已有客户排队等候，请尽快派人看看"
)

_HEAD = f"""\
# What the desk says

<!-- made by tests/support/messages_page.py: do not edit -->

Every message as it is written about one and the same issue, with the `[desk]` of
`policies/standard.toml`: in Chinese, then in English. Nobody reads both: a customer is written to
in their language, everybody else in the desk's. The templates are in `activities/templates/`.

Customers whose channel leads to a telephone get the short form: no subject, the next promise only,
and one link, behind which all of it can be read. It quotes as much of what people wrote as fits
into {SMS_PARTS} parts (a Chinese part has 67 characters, an English one 153), and nothing of it if
there is no room: the title here has {len(_TITLE)} characters.
"""


def sample(template: str, style: Style) -> Context:
    """What the message speaks of here."""
    kinds = _PROMISED.get(template, _USUAL)
    promises = tuple(a_promise(kind, 24 * n + 2) for n, kind in enumerate(kinds))
    return in_full(
        template,
        title=_TITLE,
        kind=_KIND.get(template, "fault"),
        category="technical",
        recipient_name="王芳" if is_for_customers(template) else "李雷",
        promises=promises,
        promise=promises[0],
        mark_name=_MARKS.get(template, "+2h"),
        result="已更换出钞模块并测试正常",
        against=None,
        desk=_desk(),
        links=tuple(
            (purpose, _LINKS.address(_link(purpose), brief=style.short))
            for purpose in _purposes(template, style)
        ),
    )


@cache
def _desk() -> Desk:
    return load(ROOT / "policies" / "standard.toml").policy.desk


def _purposes(template: str, style: Style) -> tuple[Purpose, ...]:
    offered = OFFERED.get(template, ())
    return the_one(offered) if style.short else offered


def _link(purpose: Purpose) -> Link:
    return Link(
        number="20261123-07-0003",
        purpose=purpose,
        person=PURPOSES[purpose].audience.value,
        generation=1,
        until=NOON + timedelta(days=30),
        mark=mark_of("issue:web:r-1"),
    )


def page() -> str:
    """The whole page."""
    customers = [template for template in WRITTEN if is_for_customers(template)]
    staff = [template for template in WRITTEN if template not in customers]
    parts = [_HEAD, *_table(customers), "## To customers", *map(_message, customers)]
    parts += ["\n## Of each kind", *_kinds(), ""]
    parts += ["## To the desk's people", *map(_message, staff)]
    return "\n".join([*parts, _SPOKEN, *_scripts()])


_SPOKEN = """\
## What is said on the telephone

The scripts of `policies/wording.toml` (R40), as the desk's people read them where they are said; of
each all sayings, the first of which is said for which all is known.
"""


def _scripts() -> Iterator[str]:
    wording = load_wording(OWN)
    known = {
        language: dict(zip(Place, values, strict=True)) for language, values in _SAID_OF.items()
    }
    for script in Script:
        when = wording.when[script]
        yield f"### `{script}`\n\n{when.zh} · {when.en}\n"
        for saying in wording.scripts[script]:
            alone = wording.model_copy(update={"scripts": {script: (saying,)}})
            for language in Language:
                yield f"> {alone.say(script, language, known[language])}\n"


_SAID_OF = {
    Language.ZH: (
        *("华信服务", "范美玲", "0031", "技术服务部", "ATM H22N", "梁家豪", "10234"),
        *("昨天（11月22日）", "11月20日（周五）"),
    ),
    Language.EN: (
        *("Huaxin Service", "Fan Meiling", "0031", "technical service", "ATM H22N"),
        *("Liang Jiahao", "10234", "yesterday (22 November)", "on Friday 20 November"),
    ),
}
"""What is known of a call, in the order of ``Place``."""


_EACH_KIND = ("registered", "answered", "accepted", "resolved", "test_reminder", "apology")


def _kinds() -> Iterator[str]:
    """The same for every kind, in Chinese: what fits a fault does not fit a suggestion."""
    for kind in words.KINDS:
        yield f"\n### {words.both(words.KINDS, kind)}\n\n```text"
        for template in _EACH_KIND:
            promised = (*_PROMISED.get(template, _USUAL), PromiseKind.CUSTOMER_TEST)
            other = kind != "fault"
            context = sample(template, Style())
            answer = "自下月起夜间照常开放" if other else context.result
            facts = {
                "kind": kind,
                "title": "夜间服务" if other else "卡钞",
                "result": answer,
                "said": {"solution": answer} if other else context.said,
                "promises": tuple(a_promise(each, 26) for each in dict.fromkeys(promised)),
                "links": (),
                "desk": Desk(),
            }
            yield write(template, context.model_copy(update=facts), Style()).body
        yield "```"


def _table(templates: list[str]) -> Iterator[str]:
    yield "| message | 短信 | parts | English SMS | parts |\n|---|---|---|---|---|"
    for template in templates:
        bodies = [_write(template, Style(language=each, short=True)).body for each in Language]
        counted = " | ".join(f"{len(body)} | {sms.parts(body)}" for body in bodies)
        yield f"| `{template}` | {counted} |"
    yield ""


def _write(template: str, style: Style) -> Written:
    return write(template, sample(template, style), style)


def _message(template: str) -> str:
    return "\n".join([f"\n### `{template}`\n", *_shown(template)])


def _shown(template: str) -> Iterator[str]:
    for language in Language:
        written = _write(template, Style(language=language))
        yield f"{_counted(written.body)}\n\n```text\n{written.subject}\n\n{written.body}\n```\n"
    if is_for_customers(template):
        for language in Language:
            body = _write(template, Style(language=language, short=True)).body
            yield f"SMS, {_counted(body)}\n\n```text\n{body}\n```\n"


def _counted(body: str) -> str:
    parts = sms.parts(body)
    return f"{len(body)} characters, {parts} SMS part{'s' if parts > 1 else ''}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
