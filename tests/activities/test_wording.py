import ast
import re
import tomllib
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from activities.addressing import CALL_CUSTOMER
from activities.beyond_issues import NOT_ARRIVED
from activities.missing_notice import TEMPLATES as CALENDARS
from activities.reports import TEMPLATE as REPORT
from activities.webhook_alarm import TEMPLATE as WEBHOOK_FAILED
from activities.wording import (
    LINKS,
    SMS_PARTS,
    SUBJECT,
    TEMPLATES,
    WORDS,
    Context,
    Style,
    is_for_customers,
    without_links,
    write,
)
from domain import sms
from domain.for_customers.saying import PROMISED
from domain.issue import lifecycle
from domain.issue.actions import PUBLIC_ACTIONS, Act, Approve, Consult, Evaluate
from domain.links import Purpose
from domain.reports.editions import DIGEST
from domain.sla.policy import Bilingual, Desk
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.terms import DEPARTMENTS, KINDS
from domain.vocabulary import (
    DESK,
    ESCALATION,
    Audience,
    Behaviour,
    Language,
    Outcome,
    ServiceItem,
    Severity,
    Stage,
    Verdict,
)
from runtime.wording import OWN
from runtime.wording import load as load_wording
from tests.support.messages_page import PAGE, page, sample
from tests.support.sample_messages import (
    DECLINED,
    FULL,
    GIVEN,
    MINIMAL,
    NOON,
    PASSED_ON,
    PROMISES,
    RESULT,
    SAID,
    WRITTEN,
    a_promise,
    in_full,
    said,
)

POLICIES = Path(__file__).parents[2] / "policies"
ZH, EN = Style(), Style(language=Language.EN)
SHORT = {Language.ZH: Style(short=True), Language.EN: Style(short=True, language=Language.EN)}
LINK = f"https://desk.example/l/{'x' * 34}"
OURS = Desk(
    company=Bilingual(zh="华信服务", en="Huaxin Service"),
    hotline="400-800-1234",
    sign_off=Bilingual(zh="祝您工作顺利。", en="Yours sincerely"),
)

FOR_CUSTOMERS = {
    *("note", "amended", "merged", "told_by_call", "missed_call"),
    *("registered", "accepted", "progress", "waiting", "apology", "resolved", "reopened"),
    *(
        "kept_back",
        "not_reached",
        "replanned",
        "withdrawn",
        "answered",
        "dispatched",
        "transferred",
    ),
    *("verified", "unfounded", "quotation", "quotation_reminder", "declined", "lapsed"),
    *("approved", "not_approved", "acceptance", "test_reminder", "waiting_reminder", "thanks"),
    "remedy_agreed",
}
WHO_SPEAK_WITH_THE_CUSTOMER = {
    *("assigned", "unassigned", "overdue", "reminder", "undelivered", "transferred_staff"),
    *("complex", "taken", "confirmed", "conflict", "relieved", "call_customer", "dissatisfied"),
    *("customer_wrote", "did_it_help", "contact_wanted", "call_with_result", "result_back"),
    *("calm_wanted", "remedy_to_give", "remedy_declined"),
}
BY_OUTCOME = {Outcome.DECLINED, Outcome.LAPSED}
"""Told by the name of the outcome: how a quotation ended that nobody wants."""


def sources_of_the_lifecycle() -> list[ast.AST]:
    files = sorted(Path(lifecycle.__file__).parent.glob("*.py"))
    return [node for file in files for node in ast.walk(ast.parse(file.read_text()))]


def texts(node: ast.AST) -> set[str]:
    nodes = (n for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {n.value for n in nodes if isinstance(n.value, str)}


def templates_of_the_lifecycle() -> set[str]:
    """Every template name that the lifecycle tells or answers by, read from its source."""
    told: set[str] = set(map(str, BY_OUTCOME))
    for node in sources_of_the_lifecycle():
        match node:
            case ast.Call(func=ast.Name(id="NotificationRequest")):
                (template,) = (k.value for k in node.keywords if k.arg == "template")
                told |= texts(template)
            case ast.Call(func=ast.Name(id="answer"), args=[_, _, wording]):
                told |= texts(wording)
            case ast.FunctionDef(name="_alarm"):
                returned = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
                told = told.union(*map(texts, returned))
            case ast.AnnAssign(
                target=ast.Name(id="_REMINDERS" | "_OWN_WORDS"), value=ast.Dict(values=values)
            ):
                told = told.union(*map(texts, values))
    return told


def test_the_lifecycle_tells_what_there_are_words_for_and_no_words_lie_unused() -> None:
    beside = {CALL_CUSTOMER, WEBHOOK_FAILED, *CALENDARS, REPORT, NOT_ARRIVED, DIGEST}
    assert templates_of_the_lifecycle() | beside == set(WRITTEN)


def test_every_part_of_a_template_is_included_somewhere() -> None:
    pages = "".join(path.read_text() for path in TEMPLATES.glob("[!_]*.j2"))
    for part in {path.name for path in TEMPLATES.glob("_*.j2")} - {"_links.j2"}:
        assert f"{{% include '{part}' %}}" in pages


def test_exactly_what_customers_read_has_a_short_form() -> None:
    assert {template for template in WRITTEN if is_for_customers(template)} == FOR_CUSTOMERS


# Language -----------------------------------------------------------------------------------------

_OF_EITHER = re.compile(r"[A-Za-z]{3,}")
_BETWEEN_LANGUAGES = {"ATM"}


def english_in(text: str, context: Context) -> set[str]:
    """Which English words a Chinese message has besides what people wrote."""
    theirs = set(_OF_EITHER.findall(context.model_dump_json())) | _BETWEEN_LANGUAGES
    return set(_OF_EITHER.findall(text)) - theirs


def ours_only(text: str, context: Context) -> str:
    """Take out what people wrote."""
    written = (
        *(context.title, context.recipient_name, context.engineer_name),
        *(context.reason, context.result, context.site, context.customer_name, context.region),
        *(str(each) for each in context.said.values()),
        *(*context.experts, (context.thin or "").rpartition("/")[2]),
        *(each.recipient for each in context.undelivered),
        *(each.subject for each in context.undelivered),
        *(f"{each.subject}\n{each.text}" for each in context.undelivered),
        *(" ".join(each.text.split()).rstrip("。") for each in context.undelivered),
    )
    for each in sorted(filter(None, written), key=len, reverse=True):
        text = text.replace(each, "")
    for end in range(len(context.title), 4, -1):  # and what was cut of it
        text = text.replace(f"{context.title[:end]}…", "")
    return text


@pytest.mark.parametrize("facts", [in_full, lambda _: MINIMAL], ids=["full", "minimal"])
@pytest.mark.parametrize("template", WRITTEN)
def test_every_message_is_in_one_language(template: str, facts: Callable[[str], Context]) -> None:
    context = facts(template)
    chinese, english = write(template, context, ZH), write(template, context, EN)
    assert not english_in(f"{chinese.subject}\n{chinese.body}", context)
    assert re.search(r"[一-鿿]{4}", chinese.body)
    assert not re.search(r"[一-鿿]", ours_only(f"{english.subject}\n{english.body}", context))
    assert re.search(r"\b[A-Za-z]+ [a-z]+\b", english.body)


_SPOILT = re.compile(
    r"[{}]|None|!|！|  |，。|。。|，，|。，|；。|。；|：。|\n\n\n| [.,;]|(?<!\.)[.;,]{2}(?!\.)"
)


@pytest.mark.parametrize("style", [ZH, EN], ids=["zh", "en"])
@pytest.mark.parametrize("facts", [in_full, lambda _: MINIMAL], ids=["full", "minimal"])
@pytest.mark.parametrize("template", WRITTEN)
def test_every_message_has_its_number_in_the_subject_and_whole_sentences(
    template: str, facts: Callable[[str], Context], style: Style
) -> None:
    context = facts(template)
    written = write(template, context, style)
    assert "\n" not in written.subject
    assert len(written.subject) <= SUBJECT
    assert context.number in written.subject
    assert not _SPOILT.search(f"{written.subject}\n{written.body}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("template", WRITTEN)
def test_a_message_ends_its_sentences_whichever_promises_the_policy_makes(
    template: str, kind: str
) -> None:
    for made, style in product(PromiseKind, (ZH, EN, *SHORT.values())):
        context = MINIMAL.model_copy(update={"kind": kind, "promises": (a_promise(made, 2),)})
        assert not _SPOILT.search(write(template, context, style).body)


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_a_customer_is_written_to_politely_and_reads_no_form(template: str) -> None:
    chinese = write(template, in_full(template), ZH).body
    assert chinese.startswith("李雷，您好。")
    assert chinese.count("\n") == chinese.count(RESULT) * RESULT.count("\n")
    assert not re.search(r"[你]", ours_only(chinese, in_full(template)))
    assert write(template, in_full(template), EN).body.startswith("Dear 李雷, ")


@pytest.mark.parametrize("template", WRITTEN)
def test_only_those_who_speak_with_the_customer_are_given_the_name(template: str) -> None:
    for style in (ZH, EN):
        named = "王芳" in write(template, FULL, style).body
        assert named == (template in WHO_SPEAK_WITH_THE_CUSTOMER)


# Text messages ------------------------------------------------------------------------------------

LONGEST = (
    "天河支行一楼大厅自助服务区东侧第三台 ATM 出钞口反复卡钞，屏幕黑屏，"
    "重启后仍然不行，已有客户排队等候，请尽快派人看看"
)


def at_worst(template: str, **changes: object) -> Context:
    """Everything that is said, and long."""
    long = {
        "title": LONGEST,
        "against": None,
        "engineer_name": "欧阳娜娜·阿卜杜热西提",
        "reason": "备件在路上。" * 50,
        "result": "已更换出钞模块。" * 560,
        "links": ((Purpose.PROGRESS, LINK),),
        "desk": OURS,
    }
    context = in_full(template, **long | changes)
    return context.model_copy(
        update={
            "said": {
                name: said * 200 if name != "amount" and isinstance(said, str) else said
                for name, said in context.said.items()
            }
        }
    )


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_a_text_message_is_sent_in_two_parts_whatever_people_wrote(
    template: str, language: Language
) -> None:
    assert len(LONGEST) == 60
    for kind, made in product(("fault", "complaint", "paid_service"), PROMISED):
        promise = a_promise(made, 900, provisional=made is PromiseKind.RESOLUTION)
        category = "out_of_scope" if made is PromiseKind.RESPONSE else None
        context = at_worst(
            template, kind=kind, promises=(promise,), promise=promise, category=category
        )
        body = write(template, context, SHORT[language]).body
        assert sms.parts(body) <= SMS_PARTS, body
        assert body.endswith(f" {LINK}")
        assert body.startswith(("【华信服务】", "Huaxin Service: "))
        assert context.number in body


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_a_text_message_names_the_hotline_and_quotes_a_short_title(
    template: str, language: Language
) -> None:
    style = SHORT[language]
    body = write(template, sample(template, style), style).body
    # What a complainant gets (R42) comes before the number, which its link shows.
    assert OURS.hotline in body or (template, GIVEN in body) == ("remedy_agreed", True)
    short = sample(template, style).model_copy(
        update={
            "title": "卡钞" if language is Language.ZH else "No money",
            "result": None,
            "reason": None,
            "said": {},
            "expected_at": None,
            "promises": (),
        }
    )
    assert short.title in write(template, short, style).body


def test_a_result_of_thousands_of_characters_is_a_short_text_with_the_link() -> None:
    result = "已更换出钞模块。" * 562
    written = write("resolved", at_worst("resolved", result=result), SHORT[Language.ZH])
    assert written.subject == ""
    assert sms.parts(written.body) == SMS_PARTS
    assert written.full_text is not None
    assert result in written.full_text


def test_a_short_text_quotes_as_much_as_fits_and_shows_that_it_cut() -> None:
    brief = write("accepted", at_worst("accepted", title="卡钞"), SHORT[Language.ZH]).body
    assert "“卡钞”" in brief
    cut = write("accepted", at_worst("accepted"), SHORT[Language.ZH]).body
    quoted = re.search(r"“(.+)…”", cut)
    assert quoted
    assert LONGEST.startswith(quoted[1])
    assert sms.parts(cut) == SMS_PARTS
    result = write(
        "resolved", MINIMAL.model_copy(update={"result": "已换模块。"}), SHORT[Language.ZH]
    )
    assert "已处理完成：已换模块。" in result.body


@pytest.mark.parametrize(
    ("language", "what"), [(Language.ZH, "退还上门费"), (Language.EN, "the fare is given back; ")]
)
def test_r42_a_complainant_reads_in_a_text_how_much_they_get_and_what_as_far_as_it_fits(
    language: Language, what: str
) -> None:
    said = {"what": what, "amount": "300.00"}
    promises = (a_promise(PromiseKind.REMEDY, 900),)
    context = at_worst("remedy_agreed", promises=promises, said=said)
    body = write("remedy_agreed", context, SHORT[language]).body
    assert "300.00" in body
    assert re.search(f"{what[:8]}.*(…|[.]{{3}})", body), body
    assert sms.parts(body) <= SMS_PARTS


def test_what_has_no_short_form_is_sent_at_length() -> None:
    assert write("assigned", FULL, SHORT[Language.ZH]) == write("assigned", FULL, ZH)


@pytest.mark.parametrize("holds", [2048, 400])
@pytest.mark.parametrize("style", [ZH, EN], ids=["zh", "en"])
def test_what_a_channel_cannot_carry_is_cut_before_its_links_and_says_so(
    holds: int, style: Style
) -> None:
    links = ((Purpose.ACCEPT, LINK), (Purpose.COMPLETE, LINK))
    context = in_full("work_refused", links=links, said={"words": "还是黑屏。" * 1000})
    written = write("work_refused", context, style.model_copy(update={"holds": holds}))
    assert len(f"{written.subject}\n{written.body}".encode()) <= holds
    assert written.body.count(LINK) == 2
    assert ("未完" if style is ZH else "cut") in written.body
    fits = write("assigned", FULL, style.model_copy(update={"holds": 2048}))
    assert fits == write("assigned", FULL, style)


# Who writes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", WRITTEN)
def test_every_message_to_a_customer_says_who_writes_and_which_number_to_call(
    template: str,
) -> None:
    context = in_full(template, desk=OURS, links=((Purpose.PROGRESS, LINK),))
    for style, company in ((ZH, "华信服务"), (EN, "Huaxin Service")):
        written = write(template, context, style)
        customers = template in FOR_CUSTOMERS
        assert (company in written.subject) == customers
        assert (company in written.body) == customers
        assert (OURS.hotline in written.body) == customers
        assert len(written.subject) <= SUBJECT
        assert context.number in written.subject
    if template in FOR_CUSTOMERS:
        body = write(template, context, ZH).body
        assert body.endswith("\n\n祝您工作顺利。\n华信服务\n客服热线：400-800-1234")


def test_a_desk_that_says_nothing_of_itself_leaves_no_gaps() -> None:
    for language in Language:
        body = write("registered", FULL, SHORT[language]).body
        assert not _SPOILT.search(body)
        assert body.endswith(("。", "."))
    assert write("registered", FULL, ZH).body.endswith("。")


def test_links_are_taken_out_of_every_kind_of_message() -> None:
    context = in_full("registered", desk=OURS, links=((Purpose.PROGRESS, LINK),))
    for style in (ZH, EN, *SHORT.values()):
        body = write("registered", context, style).body
        assert LINK in body
        assert LINK not in without_links(body)
        assert "400-800-1234" in without_links(body)
    for zh, en in LINKS.values():
        assert without_links(f"words\n\n{zh} {en}: {LINK}") == "words"


def test_r40_no_message_to_customers_says_what_nobody_may_say() -> None:
    never = load_wording(OWN).never
    for template in filter(is_for_customers, WRITTEN):
        for language, style in ((Language.ZH, ZH), (Language.EN, EN)):
            body = write(template, in_full(template, desk=OURS), style).body.casefold()
            assert not [phrase for phrase in never[language] if phrase in body], template


def test_the_page_of_all_messages_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.support.messages_page"


# Single messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PromiseKind.RESPONSE, "响应"),
        (PromiseKind.RESOLUTION, "解决"),
        (PromiseKind.CALLBACK, "回访"),
    ],
)
def test_an_alarm_names_the_promise_its_threshold_and_its_instant_in_the_desks_zone(
    kind: PromiseKind, expected: str
) -> None:
    promise = a_promise(kind, 2)
    body = write("alarm", MINIMAL.model_copy(update={"promise": promise, "mark_name": "+2h"})).body
    assert expected in body
    assert "已超时2小时，原定" in body
    assert "11月23日（周一）14:00" in body


def test_due_instants_are_written_in_the_desks_zone_and_as_each_language_does() -> None:
    urumqi = FULL.model_copy(update={"zone": "Asia/Urumqi"})
    assert "11月23日（周一）14:00" in write("registered", FULL, ZH).body
    assert "11月23日（周一）12:00" in write("registered", urumqi, ZH).body
    assert "Mon 23 Nov 14:00" in write("registered", FULL, EN).body
    assert "11月23日14:00前" in write("registered", FULL, SHORT[Language.ZH]).body
    assert "by 23 Nov 14:00" in write("registered", FULL, SHORT[Language.EN]).body


def test_the_year_is_written_where_it_is_another_than_now() -> None:
    next_year = (a_promise(PromiseKind.RESPONSE, 24 * 60),)
    context = FULL.model_copy(update={"promises": next_year, "at": NOON})
    assert "2027年1月22日（周五）12:00前与您联系" in write("registered", context, ZH).body
    assert "Fri 22 Jan 2027 12:00" in write("registered", context, EN).body


@pytest.mark.parametrize("template", WRITTEN)
def test_what_the_next_notice_may_move_is_never_told_as_if_it_were_certain(template: str) -> None:
    uncertain = tuple(
        a_promise(kind, 100 + n, provisional=True) for n, kind in enumerate(PromiseKind)
    )
    certain = {"happened_at": None, "on_duty_at": None, "expected_at": None}
    context = in_full(template, promises=uncertain, promise=uncertain[0], **certain)
    for style in (ZH, EN, *SHORT.values()):
        text = write(template, context, style).body
        told = len(re.findall(r"\d\d:\d\d", text))
        assert told == len(re.findall(r"\d\d:\d\d(?:（暂定）| \(provisional\))", text))


def test_a_clock_that_stands_still_or_has_ended_is_not_promised() -> None:
    paused = PROMISES[0].pause(NOON)
    ended = PROMISES[1].fulfil(NOON)
    context = FULL.model_copy(update={"promises": (paused, ended)})
    for style in (ZH, EN, *SHORT.values()):
        assert not re.search(r"\d\d:\d\d", write("registered", context, style).body)


def test_a_delay_is_explained_with_its_reason_and_the_expected_time() -> None:
    for style, at in ((ZH, "11月23日（周一）18:00"), (EN, "Mon 23 Nov 18:00")):
        body = write("progress", in_full("progress"), style).body
        assert "备件明天到货" in body
        assert at in body


_FOR_CUSTOMERS_TO_READ = {
    **dict.fromkeys(("ask", "told", "solution", "work", "amount", "result"), FOR_CUSTOMERS),
    "findings": {"verified", "unfounded"},
    "what": {"remedy_agreed"},
    "words": {"note"},
    "into": {"merged"},
    "reason": {"not_approved"},
}
"""Fields of acts that were written for customers, and the messages in which one is."""


@pytest.mark.parametrize("template", sorted(FOR_CUSTOMERS))
def test_what_was_written_for_colleagues_is_quoted_to_no_customer(template: str) -> None:
    """Every field of every act, each with words of its own."""
    fields = {name for form in PUBLIC_ACTIONS.values() for name in form.model_fields}
    words = {name: f"[{name}]" for name in fields - {"amount", "experts", "agreed"}}
    context = in_full(template, said=words, reason="[why]", result="[result]")
    for style in (ZH, EN, *SHORT.values()):
        written = write(template, context, style)
        quoted = re.findall(r"\[(\w+)\]", f"{written.body} {written.full_text}")
        read = {name for name, where in _FOR_CUSTOMERS_TO_READ.items() if template in where}
        assert set(quoted) <= read, template


def test_a_result_reaches_the_customer_in_full_where_there_is_room() -> None:
    result = "已更换出钞模块。" * 200
    for style in (ZH, EN):
        assert result in write("resolved", FULL.model_copy(update={"result": result}), style).body


def test_who_is_to_pass_messages_on_reads_them_word_for_word_and_why() -> None:
    body = write("undelivered", FULL).body
    assert "—— 处理人 · 李娜 ——" in body
    assert "新任务 20261123-07-0003\n请尽快受理。\n期限不变。\n" in body
    assert "（未能送达）" in body
    doubt = FULL.undelivered[0].model_copy(update={"why": "no answer: it may have arrived"})
    doubtful = FULL.model_copy(update={"undelivered": (doubt,)})
    assert "（可能已送达）" in write("undelivered", doubtful).body
    assert "(it may have arrived)" in write("undelivered", doubtful, EN).body
    assert (
        "新任务 20261123-07-0003\n请尽快受理。\n期限不变。\n" in write("call_customer", FULL).body
    )


def test_the_title_of_a_customer_is_text_and_never_a_template() -> None:
    naughty = MINIMAL.model_copy(update={"title": "{{ zone }} <b>"})
    for style in (ZH, EN, SHORT[Language.ZH]):
        assert "{{ zone }} <b>" in write("registered", naughty, style).body


@pytest.mark.parametrize("end", [PromiseEnd.BROKEN, PromiseEnd.OPEN])
def test_a_promise_whose_time_is_over_is_not_told_as_if_it_were_to_come(
    end: PromiseEnd,
) -> None:
    passed = a_promise(PromiseKind.RESPONSE, -2).model_copy(update={"end": end})
    facts = {"promises": (passed, PROMISES[1]), "at": NOON, "kind": "fault"}
    customers = write("registered", FULL.model_copy(update=facts)).body
    assert "10:00" not in customers
    assert customers.count("很抱歉") == 1
    assert "预计11月26日" in customers
    theirs = write("assigned", FULL.model_copy(update=facts)).body
    assert "响应期限11月23日（周一）10:00已过，请马上与客户联系" in theirs
    assert "响应已逾期，原定：11月23日（周一）10:00" in theirs
    assert "响应期限：" not in theirs


@pytest.mark.parametrize("template", ["registered", "dispatched"])
def test_a_customer_hears_it_as_it_is_when_nobody_is_on_duty(template: str) -> None:
    facts = {"kind": "fault"}
    someone = write(template, in_full(template, **facts)).body
    alone = in_full(template, **facts, engineer_name=None)
    assert "目前没有值班" in write(template, alone).body
    assert "on duty" in write(template, alone, EN).body
    assert "值班" not in someone


@pytest.mark.parametrize("template", ["no_such", "../wording"])
def test_an_unknown_wording_is_an_error_that_names_the_known_ones(template: str) -> None:
    with pytest.raises(
        ValueError, match=rf"{re.escape(template)}.*there are: absorbed, .*withdrawn"
    ):
        write(template, MINIMAL)


def test_every_code_a_message_may_name_has_words_in_both_languages() -> None:
    for code in (*Severity, *Verdict, *ServiceItem, *PromiseKind, *Audience, *ESCALATION):
        assert all(WORDS[code])


@pytest.mark.parametrize("policy", ["standard", "demo", "incidents"])
def test_every_department_of_the_shipped_policies_has_a_name(policy: str) -> None:
    read = tomllib.loads((POLICIES / f"{policy}.toml").read_text())
    routed = {*read["routing"].values(), *(r["department"] for r in read.get("route", ()))}
    assert routed <= {*DEPARTMENTS, *read.get("departments", ())}


def test_a_department_of_the_desks_own_is_called_by_its_code() -> None:
    context = in_full("transferred", department="night_shift")
    assert "已转交night_shift处理" in write("transferred", context, ZH).body
    # What is named may be promised only now, as out of the queue (R36): nothing is said to stay.
    assert "承诺不变" not in write("transferred", context, ZH).body
    unnamed = write("transferred", in_full("transferred", promises=()), ZH).body
    assert "处理，我们的承诺不变。" in unnamed
    assert "passed on to night_shift; " in write("transferred", context, EN).body


def test_a_complaint_is_registered_with_an_apology_before_anything_else() -> None:
    assert write("registered", FULL, ZH).body.startswith("李雷，您好。给您带来不便，我们深表歉意。")
    assert write("registered", FULL, EN).body.startswith("Dear 李雷, we are sorry for the trouble.")
    assert write("registered", FULL, SHORT[Language.ZH]).body.startswith("很抱歉给您带来不便，")
    assert "技术服务部核实" in write("registered", FULL, ZH).body


def test_what_others_decide_is_passed_on_and_not_refused_and_they_answer_by_an_instant() -> None:
    dispute = {"outside": True, "department": "legal", "kind": "suggestion"}
    context = FULL.model_copy(update=dispute)
    assert "此事由法务部负责，我们已为您转交，由他们在" in write("registered", context, ZH).body
    english = write("registered", context, EN).body
    assert (
        "for the legal department to answer: we have passed it on, and they will answer" in english
    )
    assert "已转交法务部，由他们" in write("registered", context, SHORT[Language.ZH]).body


def test_a_question_the_hotline_is_on_is_not_said_to_be_passed_on() -> None:
    context = MINIMAL.model_copy(update={"answering": True})
    chinese, english = (write("registered", context, style).body for style in (ZH, EN))
    assert "热线正在为您查找答案。" in chinese
    assert "our hotline is looking for the answer now." in english
    assert "转交" not in chinese
    assert "passed on" not in english


@pytest.mark.parametrize("behaves", ["suggestion", "plain", "paid_service"])
def test_what_asks_nothing_is_seen_to_by_the_hotline_and_no_answer_looked_for(behaves: str) -> None:
    context = MINIMAL.model_copy(update={"answering": True, "behaves": Behaviour(behaves)})
    for style in (ZH, SHORT[Language.ZH]):
        written = write("registered", context, style).body
        assert ("热线正在为您办理" in written, "答案" in written) == (True, False)


@pytest.mark.parametrize(
    ("template", "counts"),
    [
        ("answered", "逾期未回复，视为已解决。"),
        ("resolved", "逾期未回复，视为已解决。"),
        ("acceptance", "逾期未回复，视为验收通过。"),
        ("test_reminder", "逾期未回复，视为已解决。"),
    ],
)
def test_what_silence_means_is_told_with_the_instant_or_not_at_all(
    template: str, counts: str
) -> None:
    trial = a_promise(PromiseKind.CUSTOMER_TEST, 24)
    kind = "paid_service" if template == "acceptance" else "fault"
    context = in_full(template, promises=(trial,), kind=kind)
    assert counts in write(template, context, ZH).body
    assert "11月24日（周二）12:00" in write(template, context, ZH).body
    assert "Tue 24 Nov 12:00" in write(template, context, EN).body
    assert "11月24日12:00前" in write(template, context, SHORT[Language.ZH]).body
    for style in (ZH, SHORT[Language.ZH]):
        assert "视为" not in write(template, in_full(template, promises=(), kind=kind), style).body


def test_what_is_overdue_already_is_not_promised_once_more() -> None:
    late = PROMISES[0].model_copy(update={"end": PromiseEnd.BROKEN})
    context = in_full("transferred", promises=(late, PROMISES[1]))
    assert "与您联系" not in write("transferred", context, ZH).body
    assert "we will contact you" not in write("transferred", context, EN).body
    assert "11月26日（周四）17:00" in write("transferred", context, ZH).body


@pytest.mark.parametrize("template", ["quotation", "approval_wanted"])
def test_a_price_is_written_in_yuan_with_its_thousands_apart(template: str) -> None:
    chinese, english = (write(template, in_full(template), style).body for style in (ZH, EN))
    assert "人民币 12,800.50 元" in chinese
    assert "CNY 12,800.50" in english
    assert "加装一台自助缴费终端，含布线" in chinese
    assert "加装一台自助缴费终端，含布线" in english


@pytest.mark.parametrize("template", ["quotation", "quotation_reminder"])
def test_a_customer_knows_until_when_and_how_to_answer_a_quotation(template: str) -> None:
    context = in_full(template, promises=(a_promise(PromiseKind.CONFIRMATION, 24),))
    assert "请在11月24日（周二）12:00前致电或回复" in write(template, context, ZH).body
    english = write(template, context, EN).body
    assert "call or reply by Tue 24 Nov 12:00 to tell us yes or no" in english


def test_whoever_reads_what_came_after_a_quotation_is_told_to_record_a_yes_or_no() -> None:
    waiting = {"promises": (), "stage": Stage.CONFIRMING}
    chinese, english = (
        write("customer_wrote", in_full("customer_wrote", **waiting), style).body
        for style in (ZH, EN)
    )
    assert "请在问题页面上记录同意或不同意" in chinese
    assert "please record their yes or no" in english


@pytest.mark.parametrize(
    ("act", "chinese", "english"),
    [
        (DECLINED, "客户没有接受", "The customer declined"),
        (None, "客户没有在期限内答复", "The customer did not answer"),
    ],
)
def test_a_handler_reads_whether_a_quotation_was_declined_or_never_answered(
    act: Act | None, chinese: str, english: str
) -> None:
    context = in_full("quotation_over", said=said(act) if act else {})
    assert chinese in write("quotation_over", context, ZH).body
    assert english in write("quotation_over", context, EN).body


def test_a_handler_begins_once_the_customer_and_where_needed_the_manager_agreed() -> None:
    waiting = (a_promise(PromiseKind.APPROVAL, 8),)
    assert "请先不要开工" in write("confirmed", in_full("confirmed", promises=waiting)).body
    assert "请开始工作" in write("confirmed", in_full("confirmed")).body
    approved = said(Approve(by=DESK, approved=True))
    assert (
        "部门经理也已批准，请开始工作"
        in write("confirmed", in_full("confirmed", said=approved)).body
    )


def test_experts_are_named_or_to_be_chosen() -> None:
    named = write("panel_asked", in_full("panel_asked")).body
    assert "专家：吴敏、赵强" in named
    assert "请选定专家" not in named
    question = said(Consult(by=DESK, question="主板要不要更换？"))
    promises = (a_promise(PromiseKind.PANEL, 24),)
    facts = {"said": question, "promises": promises, "experts": ()}
    open_to_all = write("panel_asked", in_full("panel_asked", **facts)).body
    assert "请选定专家，意见请在11月24日（周二）12:00前给出。" in open_to_all
    assert "会诊问题：主板要不要更换？" in open_to_all
    assert "专家：" not in open_to_all


def test_who_is_handed_a_transferred_issue_reads_where_from_and_why() -> None:
    origin = said(PASSED_ON) | {"from": "customer_service"}
    context = in_full("transferred_staff", said=origin, department=PASSED_ON.to)
    chinese, english = (write("transferred_staff", context, style).body for style in (ZH, EN))
    assert "已由客户服务部转到软件开发部" in chinese
    assert "has come to software development from customer service" in english
    assert "原因：是软件版本的问题" in chinese
    assert "Reason: 是软件版本的问题" in english


@pytest.mark.parametrize(
    "template", ["work_refused", "repair_failed", "conflict", "dissatisfied", "quotation_over"]
)
def test_what_a_customer_said_is_passed_on_word_for_word(template: str) -> None:
    words = SAID[template].model_dump()["words"]
    assert f"客户原话：{words}\n" in write(template, in_full(template), ZH).body
    assert f"The customer said: {words}\n" in write(template, in_full(template), EN).body


def test_scores_that_are_a_complaint_are_shown_as_given() -> None:
    scores = Evaluate(
        by=DESK, item=ServiceItem.AFTER_SALES, technical=0, attitude=-50, comment="态度很差"
    )
    body = write("conflict", in_full("conflict", said=said(scores))).body
    assert "客户原话：态度很差\n" in body
    assert "评分：售后服务 · 技术水平 0 · 服务态度 -50" in body


def test_findings_are_told_to_the_customer_and_to_the_lead_who_takes_it() -> None:
    for template in ("verified", "taken"):
        assert "工程师当天未按约定到场" in write(template, in_full(template)).body
    assert "工程师按约定时间到场" in write("unfounded", in_full("unfounded")).body
    nobody_yet = in_full("verified", engineer_name=None)
    assert "现由技术服务部负责解决" in write("verified", nobody_yet).body


def test_a_complaint_names_the_issue_it_arises_from_if_there_is_one() -> None:
    assert "起因是问题 20261122-07-0001" in write("complaint_received", FULL).body
    alone = FULL.model_copy(update={"against": None})
    assert "起因" not in write("complaint_received", alone).body


def test_a_closed_issue_is_thanked_for_and_scored_only_while_there_is_time_to() -> None:
    context = in_full("thanks", promises=(a_promise(PromiseKind.EVALUATION, 168),))
    body = write("thanks", context).body
    assert "11月30日（周一）12:00" in body
    assert "分别评分（-50 至 200，100 为符合预期）" in body
    assert "from -50 to 200 (100 is as expected)" in write("thanks", context, EN).body
    assert "200" not in write("thanks", MINIMAL).body


def test_a_manager_who_is_late_with_a_rating_is_not_given_the_old_date_again() -> None:
    rating = a_promise(PromiseKind.DIFFICULTY, 24)
    in_time = write("rating_wanted", MINIMAL.model_copy(update={"promises": (rating,)})).body
    assert "请在11月24日（周二）12:00前评定" in in_time
    late = rating.model_copy(update={"end": PromiseEnd.BROKEN})
    body = write("rating_wanted", MINIMAL.model_copy(update={"promises": (late,)})).body
    assert "期限已过" in body
    assert "请在" not in body


def test_a_core_group_is_named_by_department_and_centre() -> None:
    assert "技术服务部 · 广州维修中心的待命人员" in write("thin", FULL, ZH).body
    english = write("thin", FULL, EN).body
    assert "technical service, 广州维修中心, is under its stand-by share" in english


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        (PromiseKind.RESPONSE, "与您联系", "contact you"),
        (PromiseKind.VERIFICATION, "告诉您核实的结果", "tell you what we found"),
        (PromiseKind.SURVEY, "到现场勘察", "look at the site"),
        (PromiseKind.RESOLUTION, "处理完成", "finish"),
    ],
)
def test_an_apology_says_what_was_not_done_in_time(
    kind: PromiseKind, chinese: str, english: str
) -> None:
    context = MINIMAL.model_copy(update={"promise": a_promise(kind, 2)})
    at = "11月23日（周一）14:00"
    assert f"我们未能在约定的{at}前{chinese}。" in write("apology", context, ZH).body
    assert f"we did not {english} by " in write("apology", context, EN).body
    assert f"很抱歉未能按时{chinese}" in write("apology", context, SHORT[Language.ZH]).body


def test_a_subject_keeps_the_number_and_cuts_the_title() -> None:
    subject = write("taken", FULL.model_copy(update={"title": FULL.title * 2})).subject
    assert subject.startswith("重大投诉 20261123-07-0003 · ")
    assert subject.endswith("…")
    assert len(subject) == SUBJECT
