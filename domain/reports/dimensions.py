"""By what figures are told apart: by whom, what kind, which hour.

In the pieces of SQL ``v`` is a row of the view, ``{at}`` the instant it is counted by, ``:zone``
the desk's zone, ``:asof`` when the period is over, or now if it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from domain import roles, words
from domain.reports.views import View
from domain.terms import Term
from domain.words import Names


class Known(Enum):
    """Who knows what a code is called, if it is not written here."""

    PEOPLE = "members"
    CENTRES = "centres"
    """The roster, in the table of that name."""
    SAID = ""
    """The code says it itself."""


@dataclass(frozen=True)
class Dimension:
    """A way to tell facts apart. ``called`` has the words of its codes: those written here, the
    desk's own (R37), or what somebody else knows. ``sql`` finds the code where it is no column of
    that name; ``other`` where it is called otherwise in one view.
    """

    key: str
    zh: str
    en: str
    called: Names | Term | Known = Known.SAID
    sql: str = ""
    other: Mapping[View, str] = field(default_factory=dict)
    in_order: bool = False
    """Its codes have an order of their own, such as hours; else the biggest comes first."""

    def found(self, view: View, at: str) -> str:
        """Write the expression that finds the code, as text."""
        sql = self.other.get(view) or self.sql or f"v.{self.key}"
        return f"({sql.replace('{at}', f'v.{at}')})::text"


_LOCAL = "{at} AT TIME ZONE :zone"
_WEEKDAYS: Names = {
    str(n): (f"周{zh}", en)
    for n, (zh, en) in enumerate(
        zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True),
        start=1,
    )
}
_HOURS: Names = {f"{h:02d}": (f"{h}时", f"{h:02d}:00") for h in range(24)}
_LEVELS: Names = {str(level): roles.rank(level) for level in range(4)}
_AGES: Names = {
    "1": ("不足1天", "under a day"),
    "2": ("1至3天", "1 to 3 days"),
    "3": ("3至7天", "3 to 7 days"),
    "4": ("7至30天", "7 to 30 days"),
    "5": ("30天以上", "over 30 days"),
}
_AGE = """CASE WHEN :asof - {at} < interval '1 day' THEN 1
    WHEN :asof - {at} < interval '3 days' THEN 2 WHEN :asof - {at} < interval '7 days' THEN 3
    WHEN :asof - {at} < interval '30 days' THEN 4 ELSE 5 END"""
_REACHED: Names = {
    "1": ("正常且满意", "running, satisfied"),
    "2": ("正常，不满意", "running, not satisfied"),
    "3": ("设备仍有问题", "not running"),
    "4": ("未接通", "not reached"),
    "5": ("冲突，转投诉", "conflict, now a complaint"),
    "6": ("正常，未问满意度", "running, not asked whether satisfied"),
}
_OUTCOME = """CASE WHEN v.conflict THEN 5 WHEN NOT v.reached THEN 4 WHEN v.running IS FALSE THEN 3
    WHEN v.satisfied THEN 1 WHEN v.satisfied IS FALSE THEN 2 ELSE 6 END"""
_SCORES: Names = {
    "1": ("低于0", "below 0"),
    "2": ("0至59", "0 to 59"),
    "3": ("60至99", "60 to 99"),
    "4": ("100至149", "100 to 149"),
    "5": ("150至200", "150 to 200"),
}
_SCORE = """CASE WHEN v.technical + v.attitude < 0 THEN 1 WHEN v.technical + v.attitude < 120 THEN 2
    WHEN v.technical + v.attitude < 200 THEN 3 WHEN v.technical + v.attitude < 300 THEN 4
    ELSE 5 END"""
_WAYS: Names = {"link": ("短信或邮件链接", "link"), **words.WAYS}

PERSON = Dimension(
    "person",
    "人员",
    "Person",
    Known.PEOPLE,
    "v.handler",
    {
        View.EVALUATIONS: "v.engineer",
        View.DIFFICULTY: "v.engineer",
        View.COMPLAINTS: "v.about",
        View.CALLS: "v.agent",
        View.CASES: "v.proposed_by",
    },
)
"""Whose work it was."""

DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(
    {
        each.key: each
        for each in (
            PERSON,
            Dimension("department", "部门", "Department", Term.DEPARTMENT),
            Dimension("kind", "类别", "Kind", Term.KIND, other={View.PROMISES: "v.issue_kind"}),
            Dimension("category", "问题分类", "Category", Term.CATEGORY),
            Dimension("channel", "渠道", "Channel", words.CHANNELS),
            Dimension("severity", "严重程度", "Severity", words.SEVERITIES),
            Dimension("product_line", "产品线", "Product line"),
            Dimension("centre", "维修中心", "Service centre", Known.CENTRES),
            Dimension("promise", "时限", "Promise", words.PROMISES, "v.kind"),
            Dimension("level", "升级到", "Rose to", _LEVELS, in_order=True),
            Dimension("verdict", "核实结论", "Verdict", words.VERDICTS),
            Dimension("item", "评价项目", "Item", words.ITEMS),
            Dimension("way", "评价方式", "Way", _WAYS),
            Dimension("difficulty", "难度", "Difficulty", in_order=True),
            Dimension(
                "call", "回访结果", "What the call brought", _REACHED, _OUTCOME, in_order=True
            ),
            Dimension("score", "综合评分", "Both scores, mean", _SCORES, _SCORE, in_order=True),
            Dimension("age", "存在时间", "Age", _AGES, _AGE, in_order=True),
            Dimension("hour", "时段", "Hour", _HOURS, f"to_char({_LOCAL}, 'HH24')", in_order=True),
            Dimension(
                "weekday",
                "星期",
                "Weekday",
                _WEEKDAYS,
                f"to_char({_LOCAL}, 'ID')",
                in_order=True,
            ),
            Dimension("day", "日期", "Day", sql=f"to_char({_LOCAL}, 'YYYY-MM-DD')", in_order=True),
            Dimension(
                "week", "周", "Week", sql=f"""to_char({_LOCAL}, 'IYYY"-W"IW')""", in_order=True
            ),
            Dimension("month", "月份", "Month", sql=f"to_char({_LOCAL}, 'YYYY-MM')", in_order=True),
            Dimension("issue", "问题编号", "Issue", in_order=True),
        )
    }
)
"""All there are, by key."""
