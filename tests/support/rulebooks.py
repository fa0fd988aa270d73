"""Rulebooks for tests: one rule is enough, and it says only what the test is about. And calendars
of one spring to plan by, each a little different from the others.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.calendars.calendar import WorkingCalendar
from domain.calendars.national_days import NationalDays
from domain.sla.planning import Planner
from domain.sla.policy import Facts, Policy
from domain.sla.promise import Promise, PromiseKind
from domain.sla.rulebook import Rulebook
from domain.terms import CATEGORIES
from domain.vocabulary import CustomerType, Severity
from tests.support.calendars import OFFICE, at, calendar

SPRING = at("2026-03-02 00:00")  # a Monday; no holiday is near
CALENDARS = {
    "office": calendar(),
    "a day off": calendar(overrides={"2026-03-04": [], "2026-03-13": ["09:00-12:00"]}),
    "a Saturday at work": calendar(overrides={"2026-03-07": OFFICE, "2026-03-10": ["08:00-20:00"]}),
    "evenings": calendar(hours=["00:00-02:00", "19:00-24:00"], days=6),
}

DUE = {"at": "100%", "tell": ["handler"]}


def facts(**changes: Any) -> Facts:
    usual = {
        "kind": "fault",
        "severity": Severity.GENERAL,
        "category": "technical",
        "product_line": "ATM",
        "region": "广东",
        "centre": "guangzhou",
        "customer": CustomerType.ENTERPRISE,
    }
    return Facts.model_validate(usual | changes)


def rule(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "promise": "response", "within": "2h", "marks": [DUE]} | fields


def policy(*rules: dict[str, Any], **fields: Any) -> Policy:
    usual = {
        "name": "test",
        "zone": "Asia/Shanghai",
        "routing": dict.fromkeys(CATEGORIES, "service"),
        "promise": list(rules),
        "delivery": {"give_up_after": "24h", "first_retry": "30s", "longest_retry": "30min"},
    }
    return Policy.model_validate(usual | fields)


def solving(
    within: str,
    office: WorkingCalendar,
    *,
    marks: Iterable[str] = ("75%", "100%", "+2h", "+1 working day"),
    national: NationalDays | None = None,
    **fields: Any,
) -> Rulebook:
    """Promise a resolution ``within`` a period of the centre's calendar, ``office``."""
    fields |= {"promise": "resolution", "within": within, "marks": [{"at": at} for at in marks]}
    return Rulebook(
        policy=policy(rule("resolution", **fields)),
        calendars={"office": office},
        national={national.country: national} if national else {},
    )


def planner(rulebook: Rulebook) -> Planner:
    """Plan for the usual issue of a centre that keeps the hours of ``office``."""
    return Planner(rulebook, facts(), "office")


def promised(
    rulebook: Rulebook, at: datetime, kind: PromiseKind = PromiseKind.RESOLUTION
) -> Promise:
    promise = planner(rulebook).make(kind, at)
    assert promise is not None
    return promise
