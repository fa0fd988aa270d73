"""The agent's intake form: as it is written, as the intake it means, and what is wrong with it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.intake import Customer, Intake
from domain.vocabulary import Category, Channel, CustomerType, Kind, Severity
from runtime.textfiles import explain
from store.customers import Known

SOURCE = "hotline"
Reason = tuple[str, str]
"""Chinese and English."""

OF_CUSTOMER = tuple(Customer.model_fields)
_TEXTS = (
    *("title", "description", "product_line", "model", "serial_number", "site", "region"),
    *("severity", "kind", "category", "channel"),
)
_BOXES = ("answering", "complex")
_TIMES = ("reported_at", "occurred_at")
_FIELDS = (*OF_CUSTOMER, *_TEXTS, *_BOXES, *_TIMES, "reference", "chosen", "case")
_USUAL = {
    "type": CustomerType.ENTERPRISE,
    "existing": "on",
    "severity": Severity.GENERAL,
    "kind": Kind.FAULT,
    "category": Category.TECHNICAL,
    "channel": Channel.TELEPHONE,
}
_PLACE = ("region",)
_MACHINE = ("product_line", "model", "serial_number", "site", "region")
_AGENT = re.compile(r"[0-9]{2,4}")
_REFERENCE = re.compile(r"[0-9a-f]{32}")

_MISSING = ("请填写", "is missing: fill it in")
_BY_TYPE: Mapping[str, Reason] = {
    "missing": _MISSING,
    "string_too_short": _MISSING,
    "string_too_long": ("太长了，请缩短", "is too long: shorten it"),
    "enum": ("请从列表中选择", "choose one of the list"),
}
_BY_FIELD: Mapping[str, Reason] = {
    "phone": (
        "电话由数字组成，可以用 + 开头，中间可有空格、括号和横线",
        "digits, with + before them and spaces, brackets or hyphens between, if you like",
    ),
    "email": ("这不是电子邮件地址", "is no e-mail address"),
    "customer": (
        "请填写电话或电子邮件：每个问题都要答复",
        "give a phone or an e-mail: every issue gets a reply",
    ),
    "product_line": (
        "代码只用文字、数字和 . _ + -，不含空格",
        "a code of letters, digits and . _ + -, without spaces",
    ),
    "agent": (
        "您的人员编号不是坐席号（2 至 4 位数字），不能登记问题：请在人员名册中改正",
        "your id on the roster is no hotline number of 2 to 4 digits: have the roster corrected",
    ),
}
_REFUSED: Mapping[str, str] = {
    "region": "没有服务中心负责这个地区，请从列表中选择",
    "reported_at": "不能在将来，也不能早于一年前",
    "occurred_at": "不能晚于客户报告的时间",
}
_NO_TIME = ("请写成 2026-11-23T09:30 的样子", "write it like 2026-11-23T09:30")


class Wrong(Exception):
    """What is wrong, by field."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Sheet:
    """The form with all that is written in it; ``wrong`` says what of it cannot be."""

    values: Mapping[str, str]
    wrong: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def question(self) -> str:
        """What the customer asks, in their words."""
        return f"{self['title']}\n{self['description']}".strip()

    def of_customer(self, known: Known, *, machine: bool = False) -> Sheet:
        """Fill in a customer and, where none is written yet, where they are; with ``machine`` also
        what they called about then.
        """
        customer = {
            name: "" if value is None else str(value)
            for name, value in known.customer.model_dump(mode="json").items()
        }
        customer["existing"] = "on" if known.customer.existing else ""
        then = known.origin.model_dump(mode="json")
        place = {name: self[name] or then[name] or "" for name in _PLACE}
        place |= {name: then[name] or "" for name in _MACHINE} if machine else {}
        chosen = {"chosen": known.origin.number}
        return Sheet(MappingProxyType({**self.values, **customer, **place, **chosen}))

    def but(self, wrong: Mapping[str, Reason]) -> Sheet:
        """Return it with what is wrong."""
        return replace(self, wrong=wrong)


def blank() -> Sheet:
    """Return a form for the next call. It has its reference: sent twice, it is one issue."""
    return Sheet(MappingProxyType({**_USUAL, "reference": secrets.token_hex(16)}))


def written(form: FormData) -> Sheet:
    """Read a form that was sent."""
    values = {name: str(form.get(name, "")) for name in _FIELDS}
    if not _REFERENCE.fullmatch(values["reference"]):
        values["reference"] = secrets.token_hex(16)
    return Sheet(MappingProxyType(values))


def intake(sheet: Sheet, agent: str, now: datetime, zone: ZoneInfo) -> Intake:
    """Read the form as an intake of this agent; ``zone`` is that of its times.

    Raises:
        Wrong: with all that is.
    """
    times, wrong = _times(sheet, zone)
    said: dict[str, Any] = {name: sheet[name] for name in _TEXTS if sheet[name].strip()}
    customer = {name: sheet[name] for name in OF_CUSTOMER if sheet[name].strip()}
    try:
        found = Intake(
            **said,
            **{name: bool(sheet[name]) for name in _BOXES} | _answered_by_case(sheet),
            **{"reported_at": now} | times,
            source=SOURCE,
            reference=sheet["reference"],
            agent=agent,
            customer={**customer, "existing": bool(sheet["existing"])},
        )
    except ValidationError as error:
        raise Wrong({**reasons(error), **wrong}) from None
    if wrong:
        raise Wrong(wrong)
    return found


def _answered_by_case(sheet: Sheet) -> dict[str, bool]:
    """Whoever marked a known solution is about to tell it (R8)."""
    return {"answering": True} if sheet["case"] else {}


def _times(sheet: Sheet, zone: ZoneInfo) -> tuple[dict[str, datetime], dict[str, Reason]]:
    times, wrong = {}, {}
    for name in _TIMES:
        if not sheet[name].strip():
            continue
        try:
            at = datetime.fromisoformat(sheet[name].strip())
        except ValueError:
            wrong[name] = _NO_TIME
        else:
            times[name] = at if at.tzinfo else at.replace(tzinfo=zone)
    return times, wrong


def reasons(error: ValidationError) -> dict[str, Reason]:
    """Say what is wrong, by the field of a form it is written beside."""
    said: dict[str, Reason] = {}
    for each in error.errors():
        name = str(each["loc"][-1]) if each["loc"] else ""
        plain = explain(each, show_found=False)
        reason = _BY_TYPE.get(each["type"]) or _BY_FIELD.get(name) or (plain, plain)
        said.setdefault("phone" if name == "customer" else name, reason)
    return said


def refused(error: Refused) -> dict[str, Reason]:
    """Say what the desk refuses, by field; one it does not name is the form's."""
    said: dict[str, Reason] = {}
    for line in error.message.splitlines():
        name, _, reason = line.partition(": ")
        if name in _FIELDS:
            said[name] = (_REFUSED.get(name, reason), reason)
        else:
            said["form"] = (line, line)
    return said


def is_agent(person: str) -> bool:
    """Say whether somebody has a hotline number, without which they cannot register issues."""
    return _AGENT.fullmatch(person) is not None
