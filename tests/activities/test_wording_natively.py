"""Chinese as those who grew up with it read it: of one piece, polite, and of nothing of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest

from activities.wording import Context, Style, write
from domain.for_customers import matter
from domain.for_customers.hearing import OWED, THEIRS
from domain.for_customers.saying import PROMISED
from domain.for_customers.situation import every_sentence
from domain.for_customers.turn import THANKS, WRITINGS
from domain.sla.promise import PromiseKind
from domain.terms import KINDS
from domain.vocabulary import Behaviour, Language, Severity
from tests.activities.test_wording import FOR_CUSTOMERS, OURS, ours_only
from tests.support.sample_messages import NOON, WRITTEN, a_promise, in_full

STYLES = (Style(), Style(short=True))
_ALLOWED = {"ATM"}
"""What is written in Latin letters in Chinese, too: what machines and companies are called."""
_INTERNAL = re.compile(
    "审批|派工|可派|受理范围|服务范围|无权|流程|系统|时限|承诺已超时|重开|升级|打一个分|反映|"
    "我们明白|无法提供|不予|拒绝|不属于|施工|结案"
)
"""What is said among ourselves, or refuses outright (R40)."""
_FAULTS_ONLY = re.compile("试一试|试用|是否正常|解决了吗|视为(?:已)?解决|真正解决|问题")
_DATE = re.compile(r"\d{1,2}月\d{1,2}日")
_AT_LENGTH = re.compile(r"(?:\d{4}年)?\d{1,2}月\d{1,2}日（周[一二三四五六日]）\d\d:\d\d")


@cache
def cases(template: str) -> tuple[tuple[Context, str, str], ...]:
    """Subject and body of what may be told, of every kind and with every promise."""
    return tuple(_cases(template))


def _cases(template: str) -> Iterator[tuple[Context, str, str]]:
    for kind, made, style in product(KINDS, (None, *PromiseKind), STYLES):
        promises = (a_promise(made, 5),) if made else ()
        context = in_full(
            template,
            kind=kind,
            title="卡钞",
            severity=Severity.GENERAL,
            against=None,
            promises=promises,
            promise=promises[0] if promises else None,
            at=NOON,
            desk=OURS,
        )
        written = write(template, context, style)
        yield context, written.subject, written.body


def ours(context: Context, text: str) -> str:
    """What is the desk's own of it: without what people wrote, numbers, links and the hotline."""
    return ours_only(text.replace(context.number, ""), context)


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_a_customer_reads_chinese_words_alone_and_none_that_we_use_among_ourselves(
    template: str,
) -> None:
    for context, subject, body in cases(template):
        said = ours(context, f"{subject}\n{body}")
        assert not set(re.findall(r"[A-Za-z_]{2,}", said)) - _ALLOWED, said
        assert not _INTERNAL.search(said), said
        assert "你" not in said


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_what_is_no_fault_is_not_spoken_of_as_one(template: str) -> None:
    for context, subject, body in cases(template):
        if context.kind != "fault":
            said = ours(context, f"{subject}\n{body}").replace("如仍有问题", "问题")
            assert not _FAULTS_ONLY.search(said), said


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_every_matter_is_called_what_it_is_to_its_customer(template: str) -> None:
    for context, subject, body in cases(template):
        called = matter.told(context.behaviour, Language.ZH)["called"]
        if template not in {"verified", "unfounded"}:  # of complaints alone
            assert called in f"{subject}{body}" or "您的报价" in body, body


@pytest.mark.parametrize("template", WRITTEN)
def test_instants_are_written_as_people_write_them(template: str) -> None:
    for context, subject, body in cases(template):
        said = ours(context, f"{subject}\n{body}")
        if subject:
            assert len(_DATE.findall(said)) == len(_AT_LENGTH.findall(said)), said
        assert not re.search(r"\d{4}-\d\d-\d\d|(?:[AP]M)|UTC", said)
        assert not re.search(r"[一-鿿] \d+月|\d\d:\d\d [一-鿿]", said), said


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_a_letter_greets_once_and_signs_off_once(template: str) -> None:
    for _, subject, body in cases(template):
        if subject:
            assert body.count("您好") == body.count("祝您工作顺利。\n华信服务\n客服热线：") == 1
            assert subject.startswith("【华信服务】")


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_a_complaint_that_the_desk_registered_itself_is_not_quoted_by_our_title(
    template: str,
) -> None:
    internal = "对 20261122-07-0001 的投诉 Complaint about 20261122-07-0001"
    facts = {"kind": "complaint", "title": internal, "against": "20261122-07-0001"}
    for style in STYLES:
        written = write(template, in_full(template, **facts), style)
        assert "Complaint" not in f"{written.subject}{written.body}{written.full_text}"
    body = write(template, in_full(template, **facts)).body
    assert "您就 20261122-07-0001 提出的投诉" in body


def test_who_has_no_right_to_decide_says_who_answers_and_by_when() -> None:
    context = in_full(
        "registered",
        kind="consultation",
        outside=True,
        department="legal",
        promises=(a_promise(PromiseKind.RESOLUTION, 24),),
    )
    body = write("registered", context).body
    assert "由法务部负责，我们已为您转交，由他们在11月24日（周二）12:00前答复您。" in body
    assert body.count("11月24日") == 1


@pytest.mark.parametrize(
    ("kind", "thanks"),
    [
        ("sales", "感谢您的咨询。您的咨询“卡钞”已登记"),
        ("suggestion", "感谢您的宝贵建议。您的建议“卡钞”已登记"),
        ("complaint", "我们深表歉意。您的投诉“卡钞”已登记"),
        ("fault", "您好。您的问题“卡钞”已登记"),
    ],
)
def test_each_kind_is_received_as_befits_it(kind: str, thanks: str) -> None:
    context = in_full("registered", kind=kind, title="卡钞", against=None)
    assert thanks in write("registered", context).body


@pytest.mark.parametrize("behaves", sorted(set(Behaviour) - {Behaviour.FAULT}))
def test_whether_it_runs_is_asked_about_faults_only(behaves: Behaviour) -> None:
    said = "".join(matter.told(behaves, Language.ZH).values())
    assert not _FAULTS_ONLY.search(said)
    assert "试" not in said


def test_a_kind_of_the_desks_own_has_words_too() -> None:
    for language in Language:
        assert all(matter.told(Behaviour.PLAIN, language).values())


def test_what_stands_on_a_customers_page_is_said_as_in_messages() -> None:
    said = [
        *(each.said.zh for each in every_sentence()),
        *(each.zh for table in (OWED, THEIRS, PROMISED, THANKS) for each in table.values()),
        *(writing.asks.zh for writing in WRITINGS.values()),
    ]
    for sentence in said:
        assert not _INTERNAL.search(sentence.replace("已经解决", "").replace("没有解决", "")), (
            sentence
        )
        assert "你" not in sentence
        assert not re.search(r" ?\{at\} ", sentence)
