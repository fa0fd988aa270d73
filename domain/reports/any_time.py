"""What is asked at any time: who has an answer (R6), and how satisfied customers are (R28)."""

from __future__ import annotations

from domain.reports.report import ALL_LEVELS, WEEKLY, Picture, Report, Section, Span

_TOLD = ("registered", "answered", "unanswered", "unanswered_age")
ANSWERED = Report(
    "answered",
    "答复率报告",
    "Customers answered",
    WEEKLY,
    (
        Section("all", "总体情况", "All together", _TOLD),
        Section("departments", "按部门", "By department", _TOLD, by="department"),
        Section("people", "按处理人", "By handler", _TOLD, by="person"),
        Section("kinds", "按类别", "By kind", _TOLD, by="kind"),
        Section("channels", "按渠道", "By channel", _TOLD, by="channel"),
        Section(
            *("unanswered", "尚未答复的问题", "Each not answered yet"),
            ("unanswered", "unanswered_age"),
            by="issue",
            only="unanswered",
        ),
    ),
    headline=(("all", "registered"), ("all", "answered"), ("all", "unanswered")),
    readers=ALL_LEVELS,
)

_SAID = (
    *("called", "satisfied", "dissatisfied", "running"),
    *("evaluations", "technical", "attitude", "complaints_satisfied"),
)
SATISFACTION = Report(
    "satisfaction",
    "客户满意度报告",
    "Satisfaction",
    WEEKLY,
    (
        Section("all", "总体情况", "All together", _SAID, words=True),
        Section("departments", "按部门", "By department", _SAID, by="department"),
        Section("people", "按处理人", "By handler", _SAID, by="person"),
        Section("kinds", "按类别", "By kind", ("called", "satisfied", "dissatisfied"), by="kind"),
        Section("lines", "按产品线", "By product line", _SAID, by="product_line"),
        Section(
            *("outcomes", "回访结果", "What the calls brought", ("called",)),
            by="call",
            picture=Picture.BARS,
        ),
        Section(
            *("weeks", "近几周", "The last weeks", ("satisfied", "technical", "attitude")),
            by="week",
            picture=Picture.LINE,
            span=Span.TRAIL,
        ),
    ),
    headline=(("all", "called"), ("all", "satisfied"), ("all", "technical")),
    readers=ALL_LEVELS,
)
