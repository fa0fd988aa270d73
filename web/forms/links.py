"""The forms behind links: what each asks for, as it is written, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, Act
from domain.links import Link, Purpose
from domain.vocabulary import HIGHEST_SCORE, LOWEST_SCORE, Actor, ServiceItem
from web.rendering import Reason

ASKED: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.ACCEPT: ("expected_at",),
    Purpose.COMPLETE: ("result", "cause", "known_solution"),
    Purpose.TEST: ("worked", "words"),
    Purpose.CONFIRM: ("agreed", "words"),
    Purpose.EVALUATE: ("item", "technical", "attitude", "comment"),
}
"""The fields of each form; those of the action that nobody writes are not among them."""

_CHOOSE: Reason = ("请选择一项。", "Choose one.")
_SCORE: Reason = (
    f"请填 {LOWEST_SCORE} 到 {HIGHEST_SCORE} 之间的整数；100 表示符合预期。",
    f"A whole number from {LOWEST_SCORE} to {HIGHEST_SCORE}; 100 is as expected.",
)
_SHORTER: Reason = ("太长了：最多一万字。", "Too long: 10,000 characters at most.")
_REASONS: Mapping[str, Reason] = {
    "expected_at": (
        "请填将来的时间，例如 2026-11-23T18:00；也可以不填。",
        "A time ahead, such as 2026-11-23T18:00, or nothing.",
    ),
    "result": (
        "请写明做了什么，客户会读到；最多一万字。",
        "Say what was done, in words the customer can read; 10,000 characters at most.",
    ),
    "cause": _SHORTER,
    "words": _SHORTER,
    "known_solution": _CHOOSE,
    "worked": _CHOOSE,
    "agreed": _CHOOSE,
    "item": _CHOOSE,
    "technical": _SCORE,
    "attitude": _SCORE,
    "comment": (
        "请写一句理由；最多一万字。",
        "Write a word about why; 10,000 characters at most.",
    ),
}
"""Each field can be wrong in one way only, so it is said once."""


@dataclass(frozen=True)
class Sheet:
    """A form with all that is written in it; ``wrong`` says what of it cannot be."""

    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    wrong: Mapping[str, Reason] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


_USUAL = {Purpose.EVALUATE: Sheet(MappingProxyType({"item": ServiceItem.AFTER_SALES.value}))}


class Wrong(Exception):  # noqa: N818  an answer to whoever filled it in
    """What is wrong, by field."""

    def __init__(self, fields: set[str]) -> None:
        super().__init__(", ".join(sorted(fields)))
        self.reasons = {name: _REASONS[name] for name in fields}


def usual(purpose: Purpose) -> Sheet:
    """Return a form as it is before anybody wrote in it."""
    return _USUAL.get(purpose, Sheet())


def written(purpose: Purpose, form: FormData) -> Sheet:
    """Read what was sent."""
    return Sheet(
        MappingProxyType({name: str(form.get(name, "")) for name in ASKED.get(purpose, ())})
    )


def act(link: Link, sheet: Sheet, by: Actor, zone: str) -> Act:
    """Read a form as what its link does; ``zone`` is that of its times.

    Raises:
        Wrong: with all that is.
    """
    assert link.terms.action  # noqa: S101  a link that only shows has no form
    said: dict[str, object] = {name: text for name, text in sheet.values.items() if text.strip()}
    try:
        if "expected_at" in said:
            said["expected_at"] = _instant(sheet["expected_at"], zone)
        return PUBLIC_ACTIONS[link.terms.action].model_validate({"by": by, **said})
    except ValidationError as error:
        raise Wrong({str(each["loc"][0]) for each in error.errors()}) from None


def refused(purpose: Purpose, error: Refused) -> Mapping[str, Reason]:
    """Say which field the desk refuses; nothing: it is not about what was written."""
    name = error.message.partition(": ")[0]
    said = error.type == "Invalid" and name in ASKED[purpose]
    return {name: _REASONS[name]} if said else {}


def _instant(text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Wrong({"expected_at"}) from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
