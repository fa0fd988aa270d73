"""Forms for actions: the fields of an action's model as labelled inputs, and what was typed back
as the action. Times are read and shown in the issue's own zone.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.datastructures import FormData

from domain import words
from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, Act, ActionName
from domain.vocabulary import Actor
from runtime.textfiles import explain
from web.rendering import Reason

Choices = Mapping[str, Sequence[tuple[str, str]]]
"""What a field is chosen from: code and what it is called."""

_NOT_ASKED = {"by", "call", "person"}
_LINE = 200
"""Characters up to which a text is one line."""
_INPUTS: Mapping[str, str] = {"array": "several", "integer": "number", "number": "number"}
_KEY = re.compile(r"[0-9a-f]{32}")

_LABELS: Mapping[str, Reason] = {
    "at": ("发生时间", "When it happened"),
    "expected_at": ("预计完成时间", "Expected to be done by"),
    "note": ("说明", "Note"),
    "reason": ("原因", "Reason"),
    "result": ("处理结果", "What was done"),
    "cause": ("故障原因", "Cause"),
    "known_solution": ("值得收入案例库", "Worth keeping in the case library"),
    "to": ("转给", "To"),
    "question": ("请教的问题", "Question for the panel"),
    "experts": ("专家", "Experts"),
    "advice": ("会诊意见", "The panel's advice"),
    "findings": ("查明的情况", "What was found"),
    "verdict": ("投诉是否成立", "Is it justified"),
    "work": ("服务内容", "Work offered"),
    "amount": ("价格（元）", "Price in yuan"),
    "agreed": ("客户同意吗", "Does the customer agree"),
    "approved": ("批准吗", "Is it approved"),
    "words": ("客户原话", "In the customer's words"),
    "worked": ("好了吗", "Does it work"),
    "solution": ("告诉客户的办法", "What the customer is told"),
    "case": ("已知方案编号", "Known solution, by its number"),
    "on_the_line": ("电话里已告诉客户", "They heard it on the line"),
    "test": ("需要客户试用", "They have to try it"),
    "reached": ("联系上了吗", "Was the customer reached"),
    "running": ("运行正常吗", "Does it run normally"),
    "satisfied": ("客户满意吗", "Is the customer satisfied"),
    "conflict": ("客户投诉", "The customer complains"),
    "item": ("服务项目", "Service"),
    "technical": ("技术水平", "Technical level"),
    "attitude": ("服务态度", "Service attitude"),
    "comment": ("评语", "Why"),
    "difficulty": ("难度", "Difficulty"),
}
_SCORES: Reason = (f"{words.SCORES[0]}，100 为符合预期", f"{words.SCORES[1]}; 100 is as expected")
_HINTS: Mapping[str, Reason] = {
    "at": ("不填即现在；早些时候做的，填当时", "now if left out; if it was earlier, say when"),
    "expected_at": ("客户会收到", "the customer is told"),
    "result": ("客户会读到", "the customer reads it"),
    "findings": ("客户会读到", "the customer reads it"),
    "work": ("客户会读到", "the customer reads it"),
    "solution": ("客户会读到", "the customer reads it"),
    "amount": ("例如 12800.00", "like 12800.00"),
    "experts": ("不选则由主管指定", "if none is chosen, the lead chooses"),
    "advice": ("问题与意见只填一项", "either the question or the advice"),
    "difficulty": ("1 容易，5 很难", "1 easy, 5 very difficult"),
    "technical": _SCORES,
    "attitude": _SCORES,
}
_NAMED: Mapping[str, words.Names] = {"verdict": words.VERDICTS, "item": words.ITEMS}

_MISSING: Reason = ("请填写", "is missing: fill it in")
_CHOOSE: Reason = ("请选择一项", "choose one")
_BY_TYPE: Mapping[str, Reason] = {
    "missing": _MISSING,
    "string_too_short": _MISSING,
    "string_too_long": ("太长了，请缩短", "is too long: shorten it"),
    "string_pattern_mismatch": (
        "代码只用文字、数字和 . _ + -，不含空格",
        "a code of letters, digits and . _ + -, without spaces",
    ),
    "enum": _CHOOSE,
    "bool_parsing": _CHOOSE,
    "decimal_parsing": ("请写成 12800.00 的样子", "write it like 12800.00"),
    "decimal_max_places": ("最多两位小数", "at most two decimals"),
    "int_parsing": ("请填整数", "a whole number"),
}
_NO_TIME: Reason = ("请写成 2026-11-23T09:30 的样子", "write it like 2026-11-23T09:30")
_REFUSED: Mapping[str, str] = {
    "at": "不能在将来，也不能早于上一步",
    "expected_at": "请填将来的时间",
    "to": "人员名册里没有，或现在不能转给它",
    "experts": "人员名册里没有",
    "question": "问题与意见请只填一项",
}
"""What the desk refuses, in Chinese; its own English names what is known."""
NOT_NOW: Reason = (
    "问题的情况已有变化，现在不能这样做：请看最新的情况",
    "The issue has moved on, this cannot be done now: see how it stands",
)


@dataclass(frozen=True)
class Field:
    """One input: what it is called, and what can be put in. ``kind`` is line, text, instant,
    number, box, yes_no, choice or several.
    """

    name: str
    kind: str
    label: Reason
    hint: Reason | None
    required: bool
    options: tuple[tuple[str, Reason], ...] = ()
    least: float | None = None
    most: float | None = None
    checked: bool = False


@dataclass(frozen=True)
class Sheet:
    """A form as it is written; ``wrong`` says what of it cannot be, by field. ``key`` was made with
    the form: sent twice, it is one action.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    wrong: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    sent: bool = False

    def __getitem__(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return all that was chosen of several."""
        return self.values.get(name, ())

    def but(self, wrong: Mapping[str, Reason]) -> Sheet:
        """Return it with what is wrong."""
        return Sheet(self.values, wrong, self.key, self.sent)


class Wrong(Exception):  # noqa: N818  an answer to whoever filled it in
    """What is wrong, by field."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


def form(action: ActionName, choices: Choices = MappingProxyType({})) -> list[Field]:
    """Return the inputs of an action; those in ``choices`` are chosen from there."""
    return [_offering(each, choices) for each in _fields(action)]


def written(action: ActionName, sent: FormData) -> Sheet:
    """Read what was sent, as it is."""
    names = (each.name for each in _fields(action))
    values = {name: tuple(map(str, sent.getlist(name))) for name in names}
    key = str(sent.get("key", ""))
    if not _KEY.fullmatch(key):
        key = secrets.token_hex(16)
    return Sheet(MappingProxyType(values), key=key, sent=True)


def act(action: ActionName, sheet: Sheet, by: Actor, zone: str) -> Act:
    """Read a form as its action; ``zone`` is that of its times.

    Raises:
        Wrong: with all that is.
    """
    said: dict[str, Any] = {}
    wrong: dict[str, Reason] = {}
    for each in _fields(action):
        try:
            said |= _said(each, sheet, zone)
        except ValueError:
            wrong[each.name] = _NO_TIME
    try:
        found = PUBLIC_ACTIONS[action].model_validate({"by": by, **said})
    except ValidationError as error:
        raise Wrong(reasons(error) | wrong) from None
    if wrong:
        raise Wrong(wrong)
    return found


def reasons(error: ValidationError) -> dict[str, Reason]:
    """Say what is wrong, by field; what is about several stands at the one it names first."""
    said: dict[str, Reason] = {}
    for each in error.errors():
        plain = explain(each, show_found=False)
        name, _, rest = plain.partition(": ")
        if each["loc"]:
            name, rest = str(each["loc"][0]), plain
        known = name in _LABELS
        reason = _BY_TYPE.get(each["type"]) or (_REFUSED.get(name, rest), rest)
        said.setdefault(name if known else "form", reason if known else (plain, plain))
    return said


def refused(error: Refused) -> dict[str, Reason]:
    """Say what the desk refuses, by field; what it does not name one for is the form's."""
    if error.type == "NotAllowed":
        return {"form": (f"{NOT_NOW[0]}（{error.message}）", f"{NOT_NOW[1]} ({error.message})")}
    said: dict[str, Reason] = {}
    for line in error.message.splitlines():
        name, _, reason = line.partition(": ")
        if name in _LABELS:
            said[name] = (_REFUSED.get(name, reason), reason)
        else:
            said["form"] = (line, line)
    return said


def _said(each: Field, sheet: Sheet, zone: str) -> dict[str, Any]:
    """Read one input: an empty box means no, an empty text nothing."""
    if each.kind == "box":
        return {each.name: bool(sheet[each.name])}
    if each.kind == "several":
        return {each.name: [code.strip() for code in sheet.all(each.name) if code.strip()]}
    text = sheet[each.name].strip()
    if not text:
        return {}
    return {each.name: _instant(text, zone) if each.kind == "instant" else text}


def _instant(text: str, zone: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


def _offering(each: Field, choices: Choices) -> Field:
    if each.name not in choices:
        return each
    options = tuple((code, (called, called)) for code, called in choices[each.name])
    kind = "several" if each.kind == "several" else "choice"
    return Field(each.name, kind, each.label, each.hint, each.required, options)


@cache
def _fields(action: ActionName) -> tuple[Field, ...]:
    schema = PUBLIC_ACTIONS[action].model_json_schema()
    required = schema.get("required", [])
    found = [
        _field(name, each, schema.get("$defs", {}), required=name in required)
        for name, each in schema["properties"].items()
        if name not in _NOT_ASKED
    ]
    # When it happened is asked last: mostly it is now.
    return tuple(sorted(found, key=lambda each: each.name == "at"))


def _field(name: str, each: dict[str, Any], defs: dict[str, Any], *, required: bool) -> Field:
    kinds = [kind for kind in each.get("anyOf", [each]) if kind.get("type") != "null"]
    said = kinds[0] | defs.get(str(kinds[0].get("$ref", "")).rpartition("/")[2], {})
    kind = _kind(said)
    codes = said.get("enum", ())
    return Field(
        name=name,
        kind=kind,
        label=_LABELS[name],
        hint=_HINTS.get(name),
        required=required and kind not in {"box", "several"},
        options=tuple((code, _NAMED[name][code]) for code in codes),
        least=said.get("minimum"),
        most=said.get("maximum"),
        checked=each.get("default") is True,
    )


def _kind(said: Mapping[str, Any]) -> str:
    """Say by which input something is put in, from its JSON Schema."""
    if said["type"] == "boolean":
        return "box" if "default" in said else "yes_no"
    if said["type"] in _INPUTS:
        return _INPUTS[said["type"]]
    if "enum" in said:
        return "choice"
    if said.get("format") == "date-time":
        return "instant"
    return "line" if said.get("maxLength", _LINE + 1) <= _LINE else "text"
