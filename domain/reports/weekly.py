"""The weekly reports: callback verification, and 《服务效能报告》 service effectiveness."""

from __future__ import annotations

from domain.reports.report import ALL_LEVELS, WEEKLY, Picture, Report, Section, Span

_CALLED = (
    *("callbacks_due", "callbacks_done", "called", "reached"),
    *("running", "satisfied", "not_running", "dissatisfied", "conflicts"),
)
CALLBACKS = Report(
    "callbacks",
    "回访核实报告",
    "Callback verification",
    WEEKLY,
    (
        Section("all", "总体情况", "All together", _CALLED, words=True),
        Section("engineers", "按技术支持工程师", "By engineer", _CALLED, by="person"),
        Section("departments", "按部门", "By department", _CALLED, by="department"),
        Section(
            *("outcomes", "回访结果", "What the calls brought", ("called",)),
            by="call",
            picture=Picture.BARS,
        ),
        Section(
            *("complaints", "由回访转成的投诉", "Complaints born of them"),
            ("complaints_born", "founded"),
            by="person",
            only="complaints_born",
        ),
        Section(
            *("weeks", "近几周", "The last weeks", ("called", "running", "satisfied")),
            by="week",
            picture=Picture.LINE,
            span=Span.TRAIL,
        ),
    ),
    headline=(
        *(("all", "called"), ("all", "running")),
        *(("all", "satisfied"), ("all", "conflicts")),
    ),
    readers=ALL_LEVELS,
)

_KEPT = ("promises_kept", "kept", "broken", "own_word", "overdue")
EFFECTIVENESS = Report(
    "effectiveness",
    "服务效能报告",
    "Service effectiveness",
    WEEKLY,
    (
        Section(
            *("all", "总体情况", "All together"),
            (
                *("registered", "closed", "merged", "given_up", "reopened", "first_contact"),
                *("handle_time", "handle_time_median", "handle_time_without_talk", "talk_time"),
                *("in_time", "incoming", "lost", "lost_share", *_KEPT),
                *("backlog", "backlog_oldest", "coming", "standby_alarms"),
            ),
        ),
        Section(
            *("kinds", "按类别", "By kind"),
            ("registered", "closed", "first_contact", "handle_time", "promises_kept", "backlog"),
            by="kind",
        ),
        Section(
            *("channels", "按渠道", "By channel", ("registered", "first_contact", "handle_time")),
            by="channel",
        ),
        Section(
            *("departments", "按部门", "By department"),
            (
                *("registered", "closed", "handle_time", "promises_kept"),
                *("overdue", "backlog", "standby_alarms"),
            ),
            by="department",
        ),
        Section(
            *("hours", "按时段", "By hour", ("registered", "calls", "in_time", "incoming", "lost")),
            by="hour",
            picture=Picture.BARS,
        ),
        Section(
            *("weekdays", "按星期", "By weekday"),
            ("registered", "calls", "in_time", "incoming", "lost"),
            by="weekday",
            picture=Picture.BARS,
        ),
        Section("promises", "各项时限", "Promises by kind", _KEPT, by="promise"),
        Section("levels", "按升级层级", "By how high they rose", ("kept", "broken"), by="level"),
        Section("severities", "按严重程度", "By severity", _KEPT, by="severity"),
        Section(
            *("ages", "积压时间", "Age of the backlog", ("backlog",)),
            by="age",
            picture=Picture.BARS,
        ),
        Section("coming", "下一期到期", "What comes due next", ("coming",), by="promise"),
        Section(
            *("weeks", "近几周", "The last weeks", ("registered", "promises_kept")),
            by="week",
            picture=Picture.LINE,
            span=Span.TRAIL,
        ),
    ),
    headline=(
        *(("all", "registered"), ("all", "promises_kept")),
        *(("all", "first_contact"), ("all", "backlog")),
    ),
    readers=ALL_LEVELS,
)
