import ast
import inspect
import re
from datetime import UTC, datetime, timedelta

import pytest

from activities.wording import TEMPLATES, WORDS, Context, write
from domain import effects, lifecycle, view
from domain.promises import Promise, PromiseKind
from domain.vocabulary import ESCALATION, Audience, Kind, Severity

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""Monday 12:00 in Shanghai."""

MINIMAL = Context(
    number="20261123-07-0003",
    title="卡钞",
    kind=Kind.FAULT,
    product_line="atm",
    region="guangdong",
    recipient_name="李雷",
    zone="Asia/Shanghai",
)


def a_promise(kind: PromiseKind, hours: float, *, provisional: bool = False) -> Promise:
    return Promise(
        kind=kind,
        target="2h",
        clock="working",
        calendar="guangzhou",
        made_at=NOON,
        due_at=NOON + timedelta(hours=hours),
        provisional=provisional,
    )


PROMISES = (
    a_promise(PromiseKind.RESPONSE, 2),
    a_promise(PromiseKind.RESOLUTION, 77, provisional=True),
    a_promise(PromiseKind.CALLBACK, 24),
)

FULL = Context(
    number="20261123-07-0003",
    title="ATM 出钞口卡钞，屏幕黑屏，重启后仍然无法恢复正常，营业网点门口已经有多位客户在排队等候",
    kind=Kind.COMPLAINT,
    severity=Severity.MAJOR,
    product_line="atm",
    region="guangdong",
    site="天河支行",
    customer_name="王芳",
    recipient_name="李雷",
    engineer_name="韩梅梅",
    zone="Asia/Shanghai",
    promises=PROMISES,
    promise=PROMISES[1],
    mark_name="+2h",
    expected_at=NOON + timedelta(hours=6),
    reason="备件明天到货",
    result="已更换出钞模块\n并测试正常",
    level=2,
    reopen_count=1,
    undelivered=((Audience.HANDLER, "e-li", "新任务 · Assigned", "请尽快受理。\nPlease accept."),),
)


def templates_of_the_lifecycle() -> set[str]:
    """Every template name that a ``Tell`` of the lifecycle can carry, read from its source."""
    trees = (ast.parse(inspect.getsource(module)) for module in (lifecycle, effects))
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}

    def names(value: ast.expr) -> list[str]:
        if isinstance(value, ast.Constant):
            return [str(value.value)]
        assert isinstance(value, ast.Call), f"line {value.lineno}: a name this cannot follow"
        function = functions[ast.unparse(value.func)]
        returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
        return [str(c.value) for r in returns for c in ast.walk(r) if isinstance(c, ast.Constant)]

    return {
        name
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Tell"
        for keyword in node.keywords
        if keyword.arg == "template"
        for name in names(keyword.value)
    }


TOLD = sorted(templates_of_the_lifecycle())


def test_the_lifecycle_tells_what_there_are_words_for_and_no_words_lie_unused() -> None:
    written = {path.stem for path in TEMPLATES.glob("[!_]*.j2")}
    assert written == set(TOLD)
    assert {"registered", "alarm", "warning", "overdue", "reminder", "apology"} <= written


def test_every_part_of_a_template_is_included_somewhere() -> None:
    pages = "".join(path.read_text() for path in TEMPLATES.glob("[!_]*.j2"))
    for part in TEMPLATES.glob("_*.j2"):
        assert f"{{% include '{part.name}' %}}" in pages


@pytest.mark.parametrize("context", [FULL, MINIMAL], ids=["full", "minimal"])
@pytest.mark.parametrize("template", TOLD)
def test_every_message_is_written_in_both_languages(template: str, context: Context) -> None:
    written = write(template, context)
    text = f"{written.subject}\n{written.body}"
    assert "\n" not in written.subject
    assert len(written.subject) <= 120
    assert context.number in written.subject
    chinese = re.search(r"[一-鿿]{4}", written.body)
    english = re.search(r"\b[A-Za-z]+ [a-z]+ [a-z]+\b", written.body)
    assert chinese
    assert english
    assert chinese.start() < english.start()
    assert not re.search(r"[{}]|None|!|！|  |，。|。。|\n\n\n", text)


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
    assert "+2h" in body
    assert "2026-11-23 Mon 14:00" in body


def test_due_instants_are_written_in_the_desks_zone() -> None:
    urumqi = FULL.model_copy(update={"zone": "Asia/Urumqi"})
    assert "2026-11-23 Mon 14:00" in write("registered", FULL).body
    assert "2026-11-23 Mon 12:00" in write("registered", urumqi).body


@pytest.mark.parametrize("template", TOLD)
def test_what_the_next_notice_may_move_is_never_told_as_if_it_were_certain(template: str) -> None:
    uncertain = tuple(
        a_promise(kind, 100 + n, provisional=True) for n, kind in enumerate(PromiseKind)
    )
    context = FULL.model_copy(update={"promises": uncertain, "promise": uncertain[0]})
    text = write(template, context).body
    for promise in uncertain:
        instant = view.local(promise.due_at, context.zone)
        assert text.count(instant) == text.count(f"{instant}（暂定 provisional）")


def test_a_clock_that_stands_still_or_has_ended_is_not_promised() -> None:
    paused = PROMISES[0].pause(NOON)
    ended = PROMISES[1].fulfil(NOON)
    body = write("registered", FULL.model_copy(update={"promises": (paused, ended)})).body
    assert "Mon" not in body
    assert "Thu" not in body


def test_a_delay_is_explained_with_its_reason_and_the_expected_time() -> None:
    body = write("progress", FULL).body
    assert "备件明天到货" in body
    assert body.count("2026-11-23 Mon 18:00") == 2


def test_a_result_reaches_the_customer_in_full() -> None:
    result = "已更换出钞模块。" * 200
    assert result in write("resolved", FULL.model_copy(update={"result": result})).body


def test_who_is_to_pass_messages_on_reads_them_word_for_word() -> None:
    body = write("undelivered", FULL).body
    assert "处理人 handler · e-li" in body
    assert "新任务 · Assigned\n请尽快受理。\nPlease accept.\n" in body


@pytest.mark.parametrize("template", ["escalated", "alarm", "warning", "cancelled"])
def test_superiors_who_do_not_call_the_customer_are_not_given_the_name(template: str) -> None:
    assert "王芳" not in write(template, FULL).body


def test_a_handler_is_given_the_customers_name() -> None:
    assert "王芳" in write("assigned", FULL).body


def test_the_title_of_a_customer_is_text_and_never_a_template() -> None:
    naughty = MINIMAL.model_copy(update={"title": "{{ zone }} <b>"})
    assert "“{{ zone }} <b>”" in write("registered", naughty).body


@pytest.mark.parametrize("template", ["no_such", "../wording"])
def test_an_unknown_wording_is_an_error_that_names_the_known_ones(template: str) -> None:
    with pytest.raises(
        ValueError, match=rf"{re.escape(template)}.*there are: accepted, .*withdrawn"
    ):
        write(template, MINIMAL)


def test_every_code_a_message_may_name_has_words_in_both_languages() -> None:
    for code in (*Kind, *Severity, *PromiseKind, *Audience, *ESCALATION):
        assert all(WORDS[code])
