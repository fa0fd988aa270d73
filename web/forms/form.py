"""A form: made of the model it becomes, read back as it was sent, and kept when it is refused.

Labels, kinds of inputs and bounds are the model's own; times are read in the zone of whoever asks.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.texts import can_be_seen
from domain.vocabulary import Model
from runtime.textfiles import explain
from web.forms.wording import (
    ACTIONS,
    CODES,
    HINTS,
    LABELS,
    NO_TIME,
    NOT_NOW,
    SENT_BEFORE,
    Wording,
)
from web.rendering import Reason

M = TypeVar("M", bound=Model)
Options = Sequence[tuple[str, "str | Reason"]]
Choices = Mapping[str, Options]
"""What a field is chosen from: code and what it is called."""
Values = Mapping[str, tuple[str, ...]]

_LINE = 254
"""Characters up to which a text is one line."""
_INPUTS: Mapping[str, str] = {"array": "several", "integer": "number", "number": "number"}
_KEY = re.compile(r"[0-9a-f]{32}")
WHOLE = "form"
"""Where it is said what is wrong with no field in particular."""


@dataclass(frozen=True)
class Field:
    """One input: what it is called, and what can be put in. ``kind`` is line, text, instant,
    number, box, yes_no, choice or several; ``within`` the part of the model that it is in.
    """

    name: str
    kind: str
    label: Reason
    hint: Reason | None = None
    required: bool = False
    options: tuple[tuple[str, Reason], ...] = ()
    least: float | None = None
    most: float | None = None
    checked: bool = False
    within: str = ""

    def chosen_from(self, options: Options) -> Field:
        """Return it as a choice of what there is."""
        kind = "several" if self.kind == "several" else "choice"
        named = tuple(
            (code, (called, called) if isinstance(called, str) else called)
            for code, called in options
        )
        return replace(self, kind=kind, options=named)


@dataclass(frozen=True)
class Filled:
    """A form with all that is written in it; ``wrong`` says what of it cannot be, by field. ``key``
    was made with the form: sent twice, it is one action.
    """

    values: Values = field(default_factory=lambda: MappingProxyType({}))
    wrong: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    sent: bool = False

    def __getitem__(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return all that was chosen of several."""
        return self.values.get(name, ())

    def but(self, wrong: Mapping[str, Reason]) -> Filled:
        """Return it with what is wrong."""
        return replace(self, wrong=wrong)

    def saying(self, said: Mapping[str, str]) -> Filled:
        """Return it with more written in it."""
        more = {name: (text,) for name, text in said.items()}
        return replace(self, values=MappingProxyType({**self.values, **more}))


class InvalidForm(Refused):
    """What was written cannot be; ``reasons`` says why, by field."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        super().__init__("Invalid", "; ".join(f"{name}: {en}" for name, (_, en) in reasons.items()))
        self.reasons = reasons


@dataclass(frozen=True)
class Form(Generic[M]):
    """What is asked for, and the model it becomes. ``beside`` are inputs that are none of the
    model's; ``key`` is the one that makes a form that is sent twice one action. ``renewed``: what
    the desk refused is sent again under another key, for under the same it would say the same.
    """

    model: type[M]
    fields: tuple[Field, ...]
    wording: Wording = ACTIONS
    beside: tuple[str, ...] = ()
    key: str = "key"
    renewed: bool = True

    def offering(self, choices: Choices) -> list[Field]:
        """Return the inputs; those in ``choices`` are chosen from there."""
        return [
            each.chosen_from(choices[each.name]) if each.name in choices else each
            for each in self.fields
        ]

    def filled(self, sent: FormData) -> Filled:
        """Read what was sent, as it is."""
        names = (*(each.name for each in self.fields), *self.beside)
        values = {name: tuple(map(str, sent.getlist(name))) for name in names}
        key = str(sent.get(self.key, ""))
        if not _KEY.fullmatch(key):
            key = secrets.token_hex(16)
        return Filled(MappingProxyType(values), key=key, sent=True)

    def read(self, filled: Filled, zone: str, **known: Any) -> M:
        """Read a form as what it means; ``known`` is what nobody need write, and goes before what
        is written. ``zone`` is that of its times.

        Raises:
            InvalidForm: with all that is wrong.
        """
        said: dict[str, Any] = {}
        wrong: dict[str, Reason] = {}
        for each in self.fields:
            place = said.setdefault(each.within, {}) if each.within else said
            try:
                place |= _said(each, filled, zone)
            except ValueError:
                wrong[each.name] = self.wording.always.get(each.name, NO_TIME)
        try:
            found = self.model.model_validate(said | known)
        except ValidationError as error:
            raise InvalidForm(self.reasons(error) | wrong) from None
        if wrong:
            raise InvalidForm(wrong)
        return found

    def reasons(self, error: ValidationError) -> dict[str, Reason]:
        """Say what is wrong, by field; what is about several stands at the one it names first."""
        said: dict[str, Reason] = {}
        for each in error.errors():
            plain = explain(each, show_found=False)
            name, _, rest = plain.partition(": ")
            if each["loc"]:
                name, rest = self._named(each["loc"]), plain
            if self._knows(name):
                reason = self.wording.of(name, each["type"], rest)
                said.setdefault(self.wording.beside.get(name, name), reason)
            else:
                said.setdefault(WHOLE, (plain, plain))
        return said

    def refused(self, error: Refused) -> Mapping[str, Reason]:
        """Say what is refused, by field; what it does not name one for is the form's."""
        if isinstance(error, InvalidForm):
            return error.reasons
        if error.type == "OtherContent":
            return {WHOLE: SENT_BEFORE}
        if error.type == "NotAllowed":
            zh, en = NOT_NOW
            return {WHOLE: (f"{zh}（{error.message}）", f"{en} ({error.message})")}
        said: dict[str, Reason] = {}
        for line in error.message.splitlines():
            place, _, reason = line.partition(": ")
            name = place.rpartition(".")[2]  # of a part of the model
            if self._knows(name):
                said[name] = self.wording.of_refused(name, reason)
            else:
                said[WHOLE] = (line, line)
        return said

    def _named(self, place: Sequence[str | int]) -> str:
        """Say at which input a place of the model is written."""
        names = {each.name for each in self.fields}
        return next((str(part) for part in place if part in names), str(place[0]))

    def _knows(self, name: str) -> bool:
        return name in self.wording.by_field or any(each.name == name for each in self.fields)


def fields_of(model: type[Model], *, without: frozenset[str] = frozenset()) -> tuple[Field, ...]:
    """Return an input for each of a model's fields and those of its parts, but for some."""
    return tuple(each for each in _fields(model) if not {each.name, each.within} & without)


@cache
def _fields(model: type[Model]) -> tuple[Field, ...]:
    schema = model.model_json_schema()
    found = _inputs(schema, schema.get("$defs", {}))
    # When it happened is asked last: mostly it is now.
    return tuple(sorted(found, key=lambda each: each.name == "at"))


def _inputs(
    schema: Mapping[str, Any], defs: Mapping[str, Any], within: str = ""
) -> Iterator[Field]:
    required = schema.get("required", [])
    for name, each in schema["properties"].items():
        kinds = [kind for kind in each.get("anyOf", [each]) if kind.get("type") != "null"]
        said = kinds[0] | defs.get(str(kinds[0].get("$ref", "")).rpartition("/")[2], {})
        if said["type"] == "object":
            yield from _inputs(said, defs, name)
            continue
        kind = _kind(said)
        yield Field(
            name=name,
            kind=kind,
            label=LABELS.get(name, (name, name)),
            hint=HINTS.get(f"{schema.get('title')}.{name}", HINTS.get(name)),
            required=name in required and kind not in {"box", "several"},
            options=tuple((code, _called(name, code)) for code in said.get("enum", ())),
            least=said.get("minimum"),
            most=said.get("maximum"),
            checked=each.get("default") is True,
            within=within,
        )


def _called(name: str, code: str) -> Reason:
    return CODES[name][code] if name in CODES else (code, code)


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


def _said(each: Field, filled: Filled, zone: str) -> dict[str, Any]:
    """Read one input: an empty box means no, a text that shows nothing is none."""
    if each.kind == "box":
        return {each.name: bool(filled[each.name])}
    if each.kind == "several":
        return {each.name: [code.strip() for code in filled.all(each.name) if code.strip()]}
    text = filled[each.name].strip()
    if not can_be_seen(text):
        return {}
    return {each.name: _instant(text, zone) if each.kind == "instant" else text}


def _instant(text: str, zone: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
