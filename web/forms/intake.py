"""The agent's intake form: what a customer said, and who they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from domain import telephone, words
from domain.instants import instant
from domain.issue.arrival import Arrival
from domain.issue.intake import SAID, Intake
from domain.terms import Terms
from domain.vocabulary import Channel, CustomerType, Language, Severity
from starter.registers import Known
from web.forms.form import Filled, Form, fields_of
from web.forms.wording import INTAKE
from web.forms.wording import SAID as CALLED

SOURCE = "hotline"
FIRST = "first"
"""The input with the number of the issue for which the form was sent before."""
WRITTEN = SAID - {"agent"}
"""What is written in the form: by whom is known."""
_NOT_ASKED = frozenset({"source", "reference", "agent", "ring_seconds", "arises_from"})
FORM = Form(
    Arrival,
    fields_of(Arrival, without=_NOT_ASKED),
    wording=INTAKE,
    beside=("chosen", "case", FIRST),
    key="reference",
    renewed=False,  # the update is named by all that is written
)
_USUAL: Mapping[str, str] = {
    "type": CustomerType.ENTERPRISE,
    "existing": "on",
    "severity": Severity.GENERAL,
    "kind": "fault",
    "category": "technical",
    "channel": Channel.TELEPHONE,
}
_PLACE = ("region",)
_MACHINE = ("product_line", "model", "serial_number", "site", "region")
_AGENT = re.compile(r"[0-9]{2,4}")


def blank() -> Filled:
    """Return a form for the next call. It has its reference: sent twice, it is one issue."""
    return Filled().saying(_USUAL)


def intake(filled: Filled, agent: str, now: datetime, zone: ZoneInfo) -> Intake:
    """Read the form as an intake of this agent; ``zone`` is that of its times.

    Raises:
        InvalidForm: with all that is wrong.
    """
    known: dict[str, object] = {"source": SOURCE, "reference": filled.key, "agent": agent}
    if not filled["reported_at"].strip():
        known["reported_at"] = now
    if filled["case"]:  # whoever marked a known solution is about to tell it (R8)
        known["answering"] = True
    return FORM.read(filled, zone.key, **known).kept


def written_out(intake: Intake, zone: str, terms: Terms) -> str:
    """Write out all that an intake says, a line each, for whoever reads it beside another; kinds
    and categories as the policy calls them.
    """
    return "\n".join(f"{called}：{said}" for called, said in _lines(intake, zone, terms))


def _lines(intake: Intake, zone: str, terms: Terms) -> Iterator[tuple[str, str]]:
    own = {"kind": terms.kind(intake.kind).zh, "category": terms.category(intake.category).zh}
    for field, (called, _) in CALLED.items():
        whose, _, name = field.rpartition(".")
        value = getattr(intake.customer if whose else intake, name)
        if value is None or value == "" or field not in WRITTEN:
            continue
        if name == "phone":
            value = telephone.shown(value)
        yield called, own.get(field) or _read_out(value, zone)


def _read_out(value: object, zone: str) -> str:
    match value:
        case bool():
            return "是" if value else "否"
        case datetime():
            return instant(value, zone, Language.ZH)
        case str():
            return words.SETS.get(type(value), {}).get(value, (value, value))[0]
    return str(value)


def question(filled: Filled) -> str:
    """Return what the customer asks, in their words."""
    return f"{filled['title']}\n{filled['description']}".strip()


def with_customer(filled: Filled, known: Known, *, machine: bool = False) -> Filled:
    """Fill in a customer and, where none is written yet, where they are; with ``machine`` also
    what they called about then.
    """
    customer = {
        name: "" if value is None else str(value)
        for name, value in known.customer.model_dump(mode="json").items()
    }
    customer["existing"] = "on" if known.customer.existing else ""
    customer["phone"] = telephone.shown(customer["phone"])
    then = known.origin.model_dump(mode="json")
    place = {name: filled[name] or then[name] or "" for name in _PLACE}
    place |= {name: then[name] or "" for name in _MACHINE} if machine else {}
    return filled.saying(MappingProxyType({**customer, **place, "chosen": known.origin.number}))


def is_agent(person: str) -> bool:
    """Say whether somebody has a hotline number, without which they cannot register issues."""
    return _AGENT.fullmatch(person) is not None
