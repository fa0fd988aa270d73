"""The dashboards for Grafana, made of the figures: run this file to write them anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.reports.figures import FIGURES, Figure, Holds
from domain.reports.watched import GOAL, Window, metric
from store.reports.statements import MADE, time_of

FOLDER = Path(__file__).parents[2] / "examples" / "grafana"
SCHEMA = 39
"""Of Grafana 10.4; later ones bring it up to theirs when they load it."""
_Json = dict[str, Any]
_UNITS = {
    Holds.COUNT: "none",
    Holds.SHARE: "percentunit",
    Holds.SECONDS: "s",
    Holds.SCORE: "percent",
    Holds.MONEY: "currencyCNY",
    Holds.POINTS: "none",
}
_SAID = {
    Window.WEEK: "本周 this week",
    Window.LAST_WEEK: "上周 last week",
    Window.MONTH: "本月 this month",
    Window.LAST_MONTH: "上月 last month",
}
_COLUMNS = 24


@dataclass(frozen=True)
class Panel:
    """A picture of one or more figures that are of the same kind; ``goal``: with what the policy
    asks of the first. ``windows`` are those of Prometheus: PostgreSQL has all weeks.
    """

    zh: str
    en: str
    figures: tuple[str, ...] = ()
    windows: tuple[Window, ...] = (Window.LAST_WEEK,)
    type: str = "timeseries"
    width: int = 12
    height: int = 8
    goal: bool = False
    holds: Holds = Holds.COUNT
    """Where it shows none of the figures."""

    @property
    def defined(self) -> list[Figure]:
        return [FIGURES[key] for key in self.figures]


def _stat(figure: str, window: Window = Window.LAST_WEEK) -> Panel:
    of = FIGURES[figure]
    said = _SAID[window].split(" ", 1)
    return Panel(
        *(f"{said[0]}{of.zh}", f"{of.en}, {said[1]}", (figure,), (window,), "stat"),
        width=4,
        height=4,
    )


def _line(zh: str, en: str, *figures: str, goal: bool = False) -> Panel:
    return Panel(zh, en, figures, goal=goal)


def _now(zh: str, en: str, *figures: str) -> Panel:
    return Panel(zh, en, figures, (Window.WEEK,))


PANELS = (
    *(_stat("promises_kept"), _stat("answered"), _stat("first_contact")),
    *(_stat("satisfied"), _stat("running"), _stat("lost_share")),
    Panel(*("时限兑现率", "Promises kept", ("promises_kept",)), (Window.LAST_WEEK, Window.WEEK)),
    _now("未办结与逾期", "Open issues and overdue promises", "backlog", "overdue"),
    _now("回访", "Callbacks", "callbacks_due", "called", "not_running"),
    _line("回访结果", "What callbacks brought", "reached", "running"),
    _line("回访满意率与目标", "Satisfied, and the goal", "satisfied", goal=True),
    _line("客户评分", "Scores by customers", "technical", "attitude"),
    _now("来电与呼损", "Incoming calls and calls lost", "incoming", "lost"),
    _line("呼损率与及时接听率", "Calls lost, and answered in time", "lost_share", "in_time"),
    _line("处理时长", "Handle time", "handle_time", "handle_time_median"),
    _now("登记与办结", "Registered and closed", "registered", "closed"),
)


_OF_DEPARTMENTS = Panel(
    *("上周各部门时限兑现率", "Promises kept last week, by department", ("promises_kept",)),
    type="bargauge",
)
_STAGES = Panel("各阶段未办结问题", "Open issues by stage")
_RUNNING = Panel("运行中的时限", "Running promises")
_AGE = Panel(
    *("多久前统计", "Counted how long ago"),
    type="stat",
    width=6,
    height=4,
    holds=Holds.SECONDS,
)
_FAILURES = Panel("一天内统计失败", "Counts that failed in a day", type="stat", width=6, height=4)


# Prometheus ---------------------------------------------------------------------------------------

_PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}


def prometheus() -> _Json:
    """The dashboard over ``/metrics``."""
    there = f'label_values({metric(FIGURES["registered"])}{{department!=""}}, department)'
    return _dashboard(
        "yinuo-prometheus",
        "一诺报表 Yinuo reports (Prometheus)",
        [
            _datasource("prometheus", "prometheus", "Prometheus"),
            {
                **_departments(_PROMETHEUS, {"query": there, "refId": "departments"}),
                "allValue": "^$",  # all of them together: what has no such label
            },
        ],
        _laid([*((each, _asked(each)) for each in PANELS), *_of_the_desk()], _PROMETHEUS),
    )


def _asked(panel: Panel) -> list[_Json]:
    several = len(panel.figures) > 1
    found = [
        _query(
            f'{metric(figure)}{{period="{window}", department=~"$department"}}',
            f"{figure.zh} {figure.en}" if several else _SAID[window],
        )
        for figure in panel.defined
        for window in panel.windows
    ]
    if panel.goal:
        found.append(_query(f'{GOAL}{{figure="{panel.figures[0]}"}}', "目标 goal"))
    return found


def _of_the_desk() -> Iterator[tuple[Panel, list[_Json]]]:
    (figure,) = _OF_DEPARTMENTS.defined
    by_department = f'{metric(figure)}{{period="{Window.LAST_WEEK}", department!=""}}'
    yield _OF_DEPARTMENTS, [_query(by_department, "{{department}}")]
    yield _STAGES, [_query("sum by (stage) (yinuo_open_issues)", "{{stage}}")]
    yield _RUNNING, [_query("sum by (state) (yinuo_running_promises)", "{{state}}")]
    yield _AGE, [_query("yinuo_report_age_seconds", "")]
    yield _FAILURES, [_query("increase(yinuo_report_failures_total[1d])", "")]


def _query(expr: str, legend: str) -> _Json:
    return {"expr": expr, "legendFormat": legend}


# PostgreSQL ---------------------------------------------------------------------------------------

_POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "${postgres}"}
_GIVEN = {
    ":since": "w.since",
    ":until": "w.until",
    ":asof": "least(w.until, now())",
    ":within": "$within",
}
_WEEKS = """WITH w AS (
  SELECT week AT TIME ZONE '$zone' AS since,
    (week + interval '7 days') AT TIME ZONE '$zone' AS until
  FROM generate_series(
    date_trunc('week', $__timeFrom()::timestamptz AT TIME ZONE '$zone'),
    $__timeTo()::timestamptz AT TIME ZONE '$zone', interval '7 days') week
)"""


def postgres() -> _Json:
    """The dashboard over the views: whole weeks, as far back as the register goes."""
    return _dashboard(
        "yinuo-postgresql",
        "一诺报表 Yinuo reports (PostgreSQL)",
        [
            _datasource("postgres", _POSTGRES["type"], "PostgreSQL"),
            {
                **_departments(
                    _POSTGRES, "SELECT DISTINCT department FROM report_issues ORDER BY 1"
                ),
                "allValue": "%",
            },
            _typed("zone", "时区 Zone", "Asia/Shanghai"),
            _typed("within", "接听秒数 Answered within seconds", "20"),
        ],
        _laid(
            [
                (each, [_written(of) for of in each.defined])
                for each in PANELS
                if each.type != "stat"
            ],
            _POSTGRES,
        ),
    )


def _written(figure: Figure) -> _Json:
    return {
        "rawSql": sql(figure),
        "format": "time_series",
        "rawQuery": True,
        "editorMode": "code",
    }


def sql(figure: Figure) -> str:
    """Count a figure for each week, by the very conditions of the reports; of what lies before the
    register there is no data.
    """
    counted = f"""SELECT {_value(figure)} FROM {figure.view} v
    WHERE {time_of(figure)} AND coalesce(v.department, '') LIKE '$department'"""  # noqa: S608  ours
    for name, given in _GIVEN.items():
        counted = counted.replace(name, given)
    return f"""{_WEEKS}
SELECT w.since AS "time", (
    {counted}
  ) AS "{figure.zh} {figure.en}"
FROM w WHERE w.since < now() AND w.until > (SELECT min(registered_at) FROM report_issues)
ORDER BY 1"""  # noqa: S608  ours


def _value(figure: Figure) -> str:
    n = f"count(*) FILTER (WHERE {figure.condition or 'true'})"
    if figure.how:
        return f"{MADE[figure.how].format(figure.measured)} FILTER (WHERE {figure.condition})"
    if figure.among:
        return f"{n}::float8 / nullif(count(*) FILTER (WHERE {figure.among}), 0)"
    return n


# Grafana ------------------------------------------------------------------------------------------


def _dashboard(uid: str, title: str, variables: list[_Json], panels: list[_Json]) -> _Json:
    return {
        "uid": uid,
        "title": title,
        "tags": ["yinuo"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5m",
        "time": {"from": "now-91d", "to": "now"},
        "timezone": "browser",
        "templating": {"list": variables},
        "panels": panels,
    }


def _datasource(name: str, plugin: str, label: str) -> _Json:
    return {"name": name, "label": label, "type": "datasource", "query": plugin, "hide": 0}


def _departments(source: _Json, query: str | _Json) -> _Json:
    return {
        "name": "department",
        "label": "部门 Department",
        "type": "query",
        "datasource": source,
        "query": query,
        "definition": query if isinstance(query, str) else query["query"],
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "multi": False,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _typed(name: str, label: str, value: str) -> _Json:
    current = {"text": value, "value": value}
    return {"name": name, "label": label, "type": "textbox", "query": value, "current": current}


def _laid(panels: Sequence[tuple[Panel, list[_Json]]], source: _Json) -> list[_Json]:
    """Lay panels side by side from left to right, and begin a new row where one does not fit."""
    x = y = tallest = 0
    laid = []
    for id_, (panel, targets) in enumerate(panels, start=1):
        if x + panel.width > _COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        laid.append(_drawn(panel, targets, source) | {"id": id_, "gridPos": place})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return laid


def _drawn(panel: Panel, targets: list[_Json], source: _Json) -> _Json:
    rules = [f"{of.zh} {of.en}: {of.rule_zh} {of.rule_en}" for of in panel.defined]
    holds = panel.defined[0].holds if panel.figures else panel.holds
    defaults: _Json = {"unit": _UNITS[holds], "noValue": "无数据 no data"}
    if panel.type == "timeseries":
        defaults["custom"] = {
            "spanNulls": False,
            "showPoints": "auto",
            "lineInterpolation": "linear",
        }
    options: _Json = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
    if panel.type != "timeseries":
        options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return {
        "type": panel.type,
        "title": f"{panel.zh} {panel.en}",
        "description": "\n\n".join(rules),
        "datasource": source,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": source} | each
            for n, each in enumerate(targets)
        ],
    }


DASHBOARDS: Mapping[str, Callable[[], _Json]] = {
    "reports-prometheus.json": prometheus,
    "reports-postgresql.json": postgres,
}
"""What is written into which file."""


def written(name: str) -> str:
    """The text of a file as it is now."""
    return json.dumps(DASHBOARDS[name](), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / each).write_text(written(each), "utf-8")
