"""Mapping files: how what another system sends becomes an intake of ours, without code.

A file is TOML, one for each system. Where a field of ours stands in theirs is said by a JMESPath
expression (jmespath.org); ``docs/inbound.md`` tells how to write one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from domain.errors import InputError
from domain.issue.arrival import arrived
from domain.issue.intake import Customer, Email, Intake
from domain.letters import numbers_in
from domain.texts import can_be_seen
from domain.vocabulary import LONGEST_TEXT, Code, Model, Zone
from runtime.textfiles import explain, findings, read_utf8

_CUSTOMER = "customer."
_FIELDS = frozenset(Intake.model_fields) - {"customer", "source"} | {
    f"{_CUSTOMER}{name}" for name in Customer.model_fields
}
_TIMES = frozenset({"reported_at", "occurred_at"})
_LONGEST_LINE = 200
_CUT = "\n\n（文字过长，此处有删节。The text is too long: some of it was cut here.）\n\n"
_LAST = 2_000
"""Characters of the last paragraph that is never cut: there a letter names its attachments."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")
_code: TypeAdapter[str] = TypeAdapter(Code)


def _parsed(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"is no JMESPath expression: {reason}") from None
    return expression


Expression = Annotated[str, AfterValidator(_parsed)]


class Times(Model):
    """How they write an instant: ``format`` as ``strptime`` has it, or else ISO 8601; ``zone`` is
    theirs where they do not say it.
    """

    format: str | None = None
    zone: Zone = "Asia/Shanghai"

    def read(self, written: object) -> object:
        """Read an instant, or leave what is none to be refused."""
        if not isinstance(written, str):
            return written
        try:
            at = (
                datetime.strptime(written, self.format)  # noqa: DTZ007  theirs is added below
                if self.format
                else datetime.fromisoformat(written)
            )
        except ValueError:
            return written
        return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.zone))


class Override(Model):
    """Where a condition holds of what they send, these fields of ours are so."""

    condition: Expression = Field(alias="if")
    set: dict[str, Any]


class Ignored(Exception):
    """What they sent is not about an issue."""


class Unusable(Exception):
    """What they sent cannot become an intake; ``wrong`` has field and reason of each."""

    def __init__(self, wrong: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in wrong))
        self.wrong = wrong


class About(NamedTuple):
    """What they sent about issues of these numbers."""

    numbers: tuple[str, ...]
    reference: str
    words: str
    name: str
    email: str | None
    phone: str | None


class Form(Model):
    """One system's mapping. What stands in ``fixed`` goes before what they send, what stands in
    ``when`` before that; ``defaults`` are for what they leave out.
    """

    source: Code
    only: Expression | None = None
    issue: Expression | None = Field(
        default=None,
        description="where they name an issue of ours that what they send belongs to",
    )
    own: tuple[Email, ...] = Field(
        default=(), description="the desk's own addresses, of which a letter is no issue"
    )
    defaults: dict[str, Any] = Field(default_factory=dict)
    from_: dict[str, Expression] = Field(alias="from")
    values: dict[str, dict[str, Any]] = Field(default_factory=dict)
    when: tuple[Override, ...] = ()
    fixed: dict[str, Any] = Field(default_factory=dict)
    time: Times = Times()

    @model_validator(mode="after")
    def _speaks_of_our_fields(self) -> Form:
        tables = {"defaults": self.defaults, "from": self.from_, "values": self.values}
        rules = {f"when.{place}.set": rule.set for place, rule in enumerate(self.when, start=1)}
        for table, said in (tables | {"fixed": self.fixed} | rules).items():
            if unknown := sorted(said.keys() - _FIELDS):
                msg = f"{table}: {unknown[0]} is no field of ours; there are: {_list(_FIELDS)}"
                raise ValueError(msg)
        if "reference" not in self.from_:
            msg = "from: reference is missing: without it a repeated message is a second issue"
            raise ValueError(msg)
        return self

    @property
    def said(self) -> frozenset[str]:
        """The fields that hang on what they send: by these a repeat is told from another message
        under the same reference, also after ``defaults`` or ``fixed`` were changed.
        """
        return frozenset(self.from_).union(*(rule.set for rule in self.when))

    def read(self, theirs: Mapping[str, Any], now: datetime) -> Intake:
        """Make an intake of what they sent; ``now`` is when it was reported if they do not say.

        Raises:
            Ignored: it is not about an issue.
            Unusable: something is missing or wrong.
        """
        if self.only and not _found(self.only, theirs):
            raise Ignored
        said: dict[str, Any] = {"reported_at": now} | self.defaults
        said |= {name: value for name, value in self._taken(theirs) if value not in (None, "")}
        said |= self._beyond_a_title(theirs, said)
        said |= self.fixed
        for rule in self.when:
            if _found(rule.condition, theirs):
                said |= rule.set
        try:
            return arrived({"source": self.source, **_nested(said)})
        except ValidationError as error:
            raise Unusable([self._wrong(each) for each in error.errors()]) from None

    def about(self, theirs: Mapping[str, Any]) -> About | None:
        """Read what they sent as words about an issue; None: it names none.

        Raises:
            Ignored: it is not about an issue.
            Unusable: it has no reference.
        """
        if self.only and not _found(self.only, theirs):
            raise Ignored
        numbers = numbers_in(_written(_found(self.issue, theirs))) if self.issue else ()
        if not numbers:
            return None
        said = {name: value for name, value in self._taken(theirs) if isinstance(value, str)}
        if not said.get("reference"):
            raise Unusable([("reference", f"is missing (from `{self.from_['reference']}`)")])
        words = said.get("description") or said.get("title") or ""
        return About(
            numbers=numbers,
            reference=said["reference"],
            words=words,
            name=said.get(f"{_CUSTOMER}name", ""),
            email=said.get(f"{_CUSTOMER}email") or None,
            phone=said.get(f"{_CUSTOMER}phone") or None,
        )

    def _taken(self, theirs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, expression in self.from_.items():
            value = _found(expression, theirs)
            if known := self.values.get(name):
                value = known.get(_written(value), known.get("*", value))
            yield name, self._cleaned(name, value)

    def _beyond_a_title(
        self, theirs: Mapping[str, Any], said: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Let a title that is too long stand before the description: nothing of it is lost."""
        written = _found(self.from_["title"], theirs) if "title" in self.from_ else None
        if not isinstance(written, str) or len(whole := _one_line(written)) <= _LONGEST_LINE:
            return {}
        described = said.get("description", "")
        if not isinstance(described, str):  # to be refused
            return {}
        return {"description": fitted(f"{whole}\n\n{described}".strip())}

    def _cleaned(self, name: str, value: Any) -> Any:
        """Write a value as ours are written, where that changes nothing of what it says."""
        if name in _TIMES:
            return self.time.read(value)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return value
        if clean := _CLEAN.get(name):
            text = str(value).strip()
            return clean(text) if can_be_seen(text) or clean is _reference else ""
        return value

    def _wrong(self, error: Any) -> tuple[str, str]:
        """Name our field, and where it should have come from; never what was in it (R30)."""
        name = ".".join(str(part) for part in error["loc"])
        reason = explain(error, show_found=False)
        if not name:
            name, colon, rest = reason.partition(": ")
            name, reason = (name, rest) if colon else ("", reason)
        expression = self.from_.get(name)
        return name, f"{reason} (from `{expression}`)" if expression else reason


def read_file(path: Path) -> Form:
    """Read a mapping file.

    Raises:
        InputError: naming the file, what is wrong in it, and where.
    """
    try:
        return Form.model_validate(tomllib.loads(read_utf8(path, InputError)))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: {error}") from None
    except ValidationError as error:
        raise InputError(f"{path}: " + f"\n{path}: ".join(findings(error))) from None


def _written(value: Any) -> str:
    """As JSON has it: `true` in their words is `true` in the table."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(text: str) -> str:
    line = _one_line(text)
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def fitted(text: str) -> str:
    """Cut what is too long, say so there, and keep a short last paragraph."""
    text = text.replace("\x00", "")
    if len(text) <= LONGEST_TEXT:
        return text
    last = text.rpartition("\n\n")[2]
    last = last if len(last) <= _LAST else ""
    return text[: LONGEST_TEXT - len(_CUT) - len(last)] + _CUT + last


def _reference(text: str) -> str:
    """Take theirs if it can be ours, else a name that is always the same for it."""
    with suppress(ValidationError):
        if can_be_seen(text):
            return _code.validate_python(text)
    plain = text.encode(errors="surrogatepass")  # JSON may hold half a character
    return sha256(plain).hexdigest()[:32] if text else ""


_CLEAN: Mapping[str, Callable[[str], str]] = {
    "reference": _reference,
    "description": fitted,
    **dict.fromkeys(("title", "site", "model", "serial_number"), _line),
    **dict.fromkeys(("customer.name", "customer.organisation", "customer.contact"), _line),
    **dict.fromkeys(("agent", "product_line", "region", "kind", "severity", "customer.phone"), str),
}
"""How what they wrote is written here; what is too long is cut, and says so."""


def _found(expression: str, theirs: Mapping[str, Any]) -> Any:
    parsed: ParsedResult = jmespath.compile(expression)  # which remembers the latest ones
    try:
        return parsed.search(theirs)
    except JMESPathError:  # a function that does not go with what is there
        return None


def _nested(said: Mapping[str, Any]) -> dict[str, Any]:
    customer = {
        name.removeprefix(_CUSTOMER): value
        for name, value in said.items()
        if name.startswith(_CUSTOMER)
    }
    ours = {name: value for name, value in said.items() if not name.startswith(_CUSTOMER)}
    return ours | {"customer": customer}


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
