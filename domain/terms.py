"""What a desk calls its own: the kinds of issues, what they are about, and its departments (R3, R4,
R37). The policy says which there are; what is written here is of policies that do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.vocabulary import Behaviour, Code, Model, Name, Named


def _is_short(called: Named) -> Named:
    if max(map(len, called.both)) > _LONGEST_CALLED:
        msg = f"at most {_LONGEST_CALLED} characters: it stands in short messages"
        raise ValueError(msg)
    return called


_LONGEST_CALLED = 20
CalledIt = Annotated[Name, AfterValidator(_is_short)]


class Kind(Model):
    """What a customer may want (R3), and what the desk does about it."""

    name: Name
    called: CalledIt | None = Field(
        default=None,
        description="what customers read of theirs: 您的… 退换货申请; left out, by how it behaves",
        exclude_if=lambda said: said is None,
    )
    behaves: Behaviour = Behaviour.PLAIN


class Category(Model):
    """What an issue may be about, which decides its department unless a route does (R4)."""

    name: Name
    department: Code | None = Field(
        default=None, description="who gets it; or else [routing] says so"
    )
    outside: bool = Field(
        default=False, description="not ours to solve: the customer is told who answers instead"
    )


class Department(Model):
    """A part of the company that people of the roster belong to."""

    name: Name


def _named(zh: str, en: str) -> Named:
    return Named(zh=zh, en=en)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "consultation": Kind(name=_named("咨询", "consultation"), behaves=Behaviour.ENQUIRY),
        "fault": Kind(name=_named("故障报修", "fault"), behaves=Behaviour.FAULT),
        "complaint": Kind(name=_named("投诉", "complaint"), behaves=Behaviour.COMPLAINT),
        "suggestion": Kind(name=_named("建议", "suggestion"), behaves=Behaviour.SUGGESTION),
        "sales": Kind(name=_named("售前咨询", "sales enquiry"), behaves=Behaviour.ENQUIRY),
        "paid_service": Kind(
            name=_named("有费服务", "paid service"), behaves=Behaviour.PAID_SERVICE
        ),
    }
)
"""Kinds of a policy that names none, and of all issues from before policies named them."""
CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        "technical": Category(name=_named("技术质量", "technical quality")),
        "software": Category(name=_named("软件", "software")),
        "service": Category(name=_named("服务质量", "service quality")),
        "commerce": Category(name=_named("商务", "commerce")),
        "out_of_scope": Category(name=_named("超出受理范围", "out of scope"), outside=True),
    }
)
DEPARTMENTS: Mapping[str, Department] = MappingProxyType(
    {
        "technical_service": Department(name=_named("技术服务部", "technical service")),
        "software_development": Department(name=_named("软件开发部", "software development")),
        "customer_service": Department(name=_named("客户服务部", "customer service")),
        "business_unit": Department(name=_named("产品事业部", "the product business unit")),
        "customer_success": Department(name=_named("客户成功部", "customer success")),
        "sales": Department(name=_named("销售部", "sales")),
        "legal": Department(name=_named("法务部", "the legal department")),
        "partner": Department(name=_named("合作伙伴管理部", "partner relations")),
        "general_office": Department(name=_named("总经办", "the GM office")),
    }
)


COMPLAINT, ABOUT_SERVICE = "complaint", "service"
"""What an issue calls the complaint that arises from it, until the policy's words are known."""


def behaviour_of(kind: str) -> Behaviour:
    """Return what was done about a kind before policies said so."""
    return KINDS[kind].behaves if kind in KINDS else Behaviour.PLAIN


def is_outside(category: str) -> bool:
    """Say whether a category was not ours to solve before policies said so."""
    return category in CATEGORIES and CATEGORIES[category].outside


class Term(StrEnum):
    """Which of a desk's own words a code is."""

    KIND = "kind"
    CATEGORY = "category"
    DEPARTMENT = "department"


_BEFORE: Mapping[Term, Mapping[str, Kind | Category | Department]] = MappingProxyType(
    {Term.KIND: KINDS, Term.CATEGORY: CATEGORIES, Term.DEPARTMENT: DEPARTMENTS}
)
"""What has been called so since before policies said how."""


class Terms(Model):
    """The words of one desk, by their codes, in the order in which its policy has them. A policy
    that lists no departments takes those of the roster.
    """

    kinds: dict[Code, Kind] = Field(default_factory=lambda: dict(KINDS))
    categories: dict[Code, Category] = Field(default_factory=lambda: dict(CATEGORIES))
    departments: dict[Code, Department] = Field(default_factory=dict)

    def unknown(self, kind: str, category: str) -> Iterator[str]:
        """Name the kind or category that the policy does not have, with those it has."""
        yield from self.unheard(kind=kind, category=category)

    def unheard(self, **asked: str | None) -> Iterator[str]:
        """Name what was asked for, by its field, and is not among the policy's words; which
        departments there are, a policy need not say.
        """
        for field, code in asked.items():
            known = self._of(Term(field))
            if code is not None and known and code not in known:
                yield f"{field}: the policy has no {code}; it has: {listed(known)}"

    def kind(self, code: str) -> Named:
        """Name a kind; one that is not here any more as it was called before, or by its code."""
        return self._called(Term.KIND, code)

    def called(self, kind: str) -> Named | None:
        """Say what customers read of theirs; None: what befits how it behaves."""
        return self.kinds[kind].called if kind in self.kinds else None

    def category(self, code: str) -> Named:
        """Name a category; as ``kind`` does."""
        return self._called(Term.CATEGORY, code)

    def department(self, code: str) -> Named:
        """Name a department; as ``kind`` does."""
        return self._called(Term.DEPARTMENT, code)

    def names(self, term: Term) -> Mapping[str, tuple[str, str]]:
        """List names, Chinese and English, by codes: first those of before that are not here any
        more, for old issues keep theirs.
        """
        gone = {code: each for code, each in _BEFORE[term].items() if code not in self._of(term)}
        return {code: each.name.both for code, each in {**gone, **self._of(term)}.items()}

    def _of(self, term: Term) -> Mapping[str, Kind | Category | Department]:
        match term:
            case Term.KIND:
                return self.kinds
            case Term.CATEGORY:
                return self.categories
            case Term.DEPARTMENT:
                return self.departments

    def _called(self, term: Term, code: str) -> Named:
        found = self._of(term).get(code) or _BEFORE[term].get(code)
        return found.name if found else _named(code[:40], code[:40])

    @property
    def complaint(self) -> str:
        """The kind of what the desk itself makes a complaint (R21): the first that behaves so."""
        found = (code for code, kind in self.kinds.items() if kind.behaves is Behaviour.COMPLAINT)
        return next(found, COMPLAINT)

    @property
    def about_service(self) -> str:
        """What such a complaint is about: our service, or the first that is ours to solve."""
        ours = (code for code, category in self.categories.items() if not category.outside)
        return ABOUT_SERVICE if ABOUT_SERVICE in self.categories else next(ours, ABOUT_SERVICE)


def listed(known: Mapping[str, Kind | Category | Department]) -> str:
    """List what there is, codes with their Chinese names."""
    return ", ".join(f"{code} ({each.name.zh})" for code, each in known.items())
