"""The dashboards for Grafana: they ask for what there is, in a form that Grafana takes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from domain.reports.figures import FIGURES
from domain.reports.watched import GOAL, metric
from tests.support import dashboards
from web.operations.metrics import Metrics

NAMES = list(dashboards.DASHBOARDS)


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((dashboards.FOLDER / name).read_text("utf-8"))[
        "panels"
    ]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_what_is_made_of_the_figures(name: str) -> None:
    written = (dashboards.FOLDER / name).read_text("utf-8")
    assert written == dashboards.written(name), "run `python -m tests.support.dashboards`"


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_one_that_grafana_takes(name: str) -> None:
    board = json.loads((dashboards.FOLDER / name).read_text("utf-8"))
    assert isinstance(board["schemaVersion"], int)
    assert "id" not in board, "Grafana gives that"
    assert {"uid", "title", "time", "timezone"} <= board.keys()
    sources = {
        each["name"]: each["query"]
        for each in board["templating"]["list"]
        if each["type"] == "datasource"
    }
    (source,) = sources
    ids = Counter(each["id"] for each in panels(name))
    assert set(ids.values()) == {1}
    taken: set[tuple[int, int]] = set()
    for each in panels(name):
        assert each["title"]
        refs = [target["refId"] for target in each["targets"]]
        assert len({*refs}) == len(refs) > 0
        for asks in (each, *each["targets"]):
            assert asks["datasource"] == {"type": sources[source], "uid": f"${{{source}}}"}
        place = each["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, each["title"]
        taken |= cells


def test_every_metric_that_a_panel_asks_for_is_one_of_the_desks() -> None:
    (name,) = (each for each in NAMES if "prometheus" in each)
    there = {GOAL, "yinuo_report_age_seconds", "yinuo_report_failures_total"}
    there |= {metric(each) for each in FIGURES.values()}
    there |= set(re.findall(r"^# TYPE (\S+)", Metrics().exposition(None).decode(), re.MULTILINE))
    asked = [*_expressions(name)]
    assert {each for expr in asked for each in re.findall(r"yinuo_\w+", expr)} <= there
    assert any("yinuo_report_promises_kept_ratio" in expr for expr in asked)


def _expressions(name: str) -> Iterator[str]:
    return (target["expr"] for each in panels(name) for target in each["targets"])
