"""The monthly reports: difficulty, evaluations, complaints, quality, the case library, pay, and
《电话信息统计报表》 telephone statistics.
"""

from __future__ import annotations

from domain.reports.periods import Cadence
from domain.reports.report import (
    ALL_LEVELS,
    MANAGERS,
    MONTHLY,
    Picture,
    Report,
    Section,
    Span,
)
from domain.vocabulary import Role

_RATED = ("rated", "rated_on_the_line", "difficulty_average", "difficulty_points")
DIFFICULTY = Report(
    "difficulty",
    "维修难度报告",
    "Difficulty of repairs",
    MONTHLY,
    (
        Section("all", "总体情况", "All together", (*_RATED, "unrated")),
        Section("engineers", "按技术支持工程师", "By engineer", (*_RATED, "unrated"), by="person"),
        Section("departments", "按部门", "By department", (*_RATED, "unrated"), by="department"),
        Section("lines", "按产品线", "By product line", _RATED, by="product_line"),
        Section(
            *("spread", "难度分布", "Spread", ("rated", "rated_on_the_line")),
            by="difficulty",
            picture=Picture.BARS,
        ),
    ),
    headline=(("all", "rated"), ("all", "difficulty_average"), ("all", "unrated")),
    readers=MANAGERS,
)

_SCORED = ("evaluations", "technical", "attitude", "low_scores")
EVALUATIONS = Report(
    "evaluations",
    "客户评价报告",
    "Evaluations by customers",
    MONTHLY,
    (
        Section("all", "总体情况", "All together", _SCORED),
        Section("departments", "按部门", "By department", _SCORED, by="department"),
        Section("engineers", "按技术支持工程师", "By engineer", _SCORED, by="person"),
        Section(
            "lines", "按产品线（事业部）", "By business unit’s line", _SCORED, by="product_line"
        ),
        Section("items", "按评价项目", "By item", _SCORED, by="item"),
        Section("ways", "按评价方式", "By way", _SCORED, by="way"),
        Section(
            *("spread", "评分分布", "Spread of the scores", ("evaluations",)),
            by="score",
            picture=Picture.BARS,
        ),
        Section(
            *("weeks", "近几周", "The last weeks", ("technical", "attitude")),
            by="week",
            picture=Picture.LINE,
            span=Span.TRAIL,
        ),
    ),
    headline=(("all", "evaluations"), ("all", "technical"), ("all", "attitude")),
    readers=MANAGERS,
)

_COMPLAINED = (
    *("complaints", "complaints_born", "founded", "complaints_major", "complaints_told"),
    *("complaint_time", "complaints_satisfied", "complaints_open", "remedied", "remedy_amount"),
)
COMPLAINTS = Report(
    "complaints",
    "投诉统计报告",
    "Complaints",
    MONTHLY,
    (
        Section("all", "总体情况", "All together", _COMPLAINED),
        Section("departments", "按部门", "By department", _COMPLAINED, by="department"),
        Section(
            "verdicts", "按核实结论", "By verdict", ("complaints", "complaints_told"), by="verdict"
        ),
        Section(
            *("categories", "按问题分类", "By category", ("complaints", "founded")),
            by="category",
        ),
        Section(
            "lines", "按产品线", "By product line", ("complaints", "founded"), by="product_line"
        ),
        Section("channels", "按渠道", "By channel", ("complaints", "founded"), by="channel"),
        Section(
            *("people", "涉及人员", "About whose work", ("complaints", "founded")),
            by="person",
        ),
        Section(
            *("weeks", "近几周", "The last weeks", ("complaints",)),
            by="week",
            picture=Picture.BARS,
            span=Span.TRAIL,
        ),
    ),
    headline=(
        *(("all", "complaints"), ("all", "founded")),
        *(("all", "complaints_told"), ("all", "complaints_open")),
    ),
    readers=MANAGERS,
)

_CHECKED = ("records", "drawn", "checked", "errors", "error_rate")
QUALITY = Report(
    "quality",
    "质量抽检报告",
    "Quality checks",
    MONTHLY,
    (
        Section("all", "总体情况", "All together", (*_CHECKED, "promises_kept", "own_word")),
        Section("people", "按处理人", "By handler", _CHECKED, by="person"),
        Section("departments", "按部门", "By department", _CHECKED, by="department"),
        Section("kinds", "按类别", "By kind", _CHECKED, by="kind"),
    ),
    headline=(("all", "drawn"), ("all", "checked"), ("all", "error_rate")),
    readers=MANAGERS,
)

_PROPOSED = ("cases_proposed", "cases_approved", "cases_used")
CONTRIBUTIONS = Report(
    "contributions",
    "案例库贡献报告",
    "Contributions to the case library",
    MONTHLY,
    (
        Section("all", "总体情况", "All together", (*_PROPOSED, "library")),
        Section(
            *("people", "按人员", "By person", _PROPOSED),
            by="person",
            everybody=(Role.AGENT,),
            picture=Picture.BARS,
        ),
        Section("lines", "按产品线", "By product line", (*_PROPOSED, "library"), by="product_line"),
    ),
    headline=(("all", "cases_proposed"), ("all", "cases_approved"), ("all", "library")),
    readers=ALL_LEVELS,
)

PAY = Report(
    "pay",
    "绩效核算表",
    "Pay sheet",
    MONTHLY,
    (
        Section(
            *("people", "按人员", "By person"),
            (
                *("closed", "rated", "rated_on_the_line", "difficulty_points"),
                *("evaluations", "technical", "attitude", "running", "satisfied"),
                *("promises_kept", "own_word", "complaints_founded", "error_rate"),
                *("calls", "in_time", "cases_approved"),
            ),
            by="person",
        ),
    ),
    headline=(("people", "rated"), ("people", "difficulty_points"), ("people", "evaluations")),
    readers=MANAGERS,
)

_TELEPHONE = (
    *("calls", "in_time", "ring_unknown", "longest_ring", "first_contact_calls"),
    *("incoming", "lost", "lost_share", "outgoing", "talked", "longest_talk"),
)
TELEPHONE = Report(
    "telephone",
    "电话信息统计报表",
    "Telephone statistics",
    (*MONTHLY, Cadence.WEEK),
    (
        Section("all", "总体情况", "All together", _TELEPHONE),
        Section("days", "按日", "By day", _TELEPHONE, by="day"),
        Section("people", "按受理人", "By agent", _TELEPHONE, by="person"),
        Section(
            *("hours", "按时段", "By hour", _TELEPHONE),
            by="hour",
            picture=Picture.BARS,
        ),
        Section(
            *("weekdays", "按星期", "By weekday", _TELEPHONE),
            by="weekday",
            picture=Picture.BARS,
        ),
        Section(
            *("kinds", "按类别", "By kind", ("calls", "in_time", "first_contact_calls")),
            by="kind",
        ),
    ),
    headline=(("all", "calls"), ("all", "in_time"), ("all", "lost_share")),
    readers=ALL_LEVELS,
)
