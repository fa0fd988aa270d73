"""How reports are told and drawn, before anybody says on what they are shown."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reports import telling
from domain.reports.counted import Value
from domain.reports.definitions import REPORTS, Report
from domain.reports.figures import Holds
from domain.reports.layout import laid_out
from domain.reports.periods import Period
from domain.reports.pictures.charts import Course, Goal, Measured, bars, columns, lines
from domain.reports.pictures.drawing import WIDTH, Box, Dot, Drawing, Line, Words, breadth
from domain.reports.pictures.svg import svg
from domain.vocabulary import Language
from tests.support.counted_reports import made

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("holds", "value", "said"),
    [
        (Holds.SHARE, Value(value=12 / 13, n=12, of=13), ("92.3%", "92.3%")),
        (Holds.SHARE, Value(value=1.0, n=13, of=13), ("100.0%", "100.0%")),
        (Holds.SHARE, Value(value=2999 / 3000, n=2999, of=3000), ("99.9%", "99.9%")),
        (Holds.SHARE, Value(value=1 / 3000, n=1, of=3000), ("0.1%", "0.1%")),
        (Holds.SHARE, Value(value=0.0, n=0, of=3000), ("0.0%", "0.0%")),
        (Holds.SHARE, Value(value=None, of=0), ("无数据", "no data")),
        (Holds.COUNT, Value(value=1234, n=1234), ("1,234", "1,234")),
        (Holds.COUNT, Value(value=0), ("0", "0")),
        (Holds.SECONDS, Value(value=5400.4, n=3), ("1小时30分", "1 h 30 min")),
        (Holds.SECONDS, Value(value=0, n=3), ("0分", "0 min")),
        (Holds.SCORE, Value(value=99.95, n=3), ("100.0", "100.0")),
        (Holds.POINTS, Value(value=2.25, n=3), ("2.3", "2.3")),
        (Holds.MONEY, Value(value=Decimal("1234.5"), n=1), ("1,234.50 元", "CNY 1,234.50")),
        (Holds.MONEY, None, ("无数据", "no data")),
    ],
)
def test_a_figure_is_said_alike_everywhere_and_nothing_is_never_everything(
    holds: Holds, value: Value | None, said: tuple[str, str]
) -> None:
    assert telling.value(holds, value) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "2026-W53",
            ("2026 年第 53 周（12 月 28 日至 1 月 3 日）", "week 53 of 2026 (28 Dec to 3 Jan)"),
        ),
        ("2026-11", ("2026 年 11 月", "November 2026")),
        ("2026-Q4", ("2026 年第 4 季度", "quarter 4 of 2026")),
        ("2026", ("2026 年", "2026")),
    ],
)
def test_a_period_is_said_as_people_do(name: str, said: tuple[str, str]) -> None:
    assert telling.period(Period.named(name)) == said


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda each: each.name)
def test_every_report_is_laid_out_and_drawn_whole_in_both_languages(
    report: Report, language: Language
) -> None:
    for counted in (made(report), made(report, empty=True, over=False)):
        sheets = laid_out(report, counted, language)
        assert [each.key for each in sheets.tables] == [each.key for each in report.sections]
        for section, table in zip(report.sections, sheets.tables, strict=True):
            assert len({len(line) for line in table.lines} | {len(table.columns)}) == 1
            assert (table.picture is not None) == bool(section.picture and not counted.empty)
            if table.picture:
                ET.fromstring(svg(table.picture, table.key))  # noqa: S314  ours
        if language is Language.EN and counted.empty:
            assert not any(_is_chinese(text) for table in sheets.tables for text in table.columns)
    assert "无数据" not in " ".join(sheets.notes)


def test_what_is_not_over_and_what_the_register_does_not_know_is_said_above_the_figures() -> None:
    report = REPORTS["effectiveness"]
    notes = laid_out(report, made(report, over=False), Language.ZH).notes
    assert notes == (
        "统计于 2026-11-23 09:00",
        "本期尚未结束",
        "登记自 2026-11-23 开始，之前没有数据",
    )
    (_, last) = laid_out(report, made(report, empty=True), Language.EN).notes
    assert last == "there is no data of this period"


_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_POINTS = st.lists(
    st.builds(Measured, _TEXT, st.none() | st.floats(0, 1e9), _TEXT), min_size=1, max_size=30
)


@given(_POINTS, _TEXT, _TEXT)
def test_whatever_is_measured_stays_on_the_sheet_and_the_svg_is_well_formed(
    points: list[Measured], title: str, summary: str
) -> None:
    goal = Goal(0.9, "目标 90%")
    for drawing in (
        bars(title, points, summary),
        columns(title, points, summary),
        lines(title, [Course(title, points), Course(summary, points)], summary, goal),
    ):
        _is_on_its_sheet(drawing)
        written = _without_controls(svg(drawing, "picture"))
        root = ET.fromstring(written)  # noqa: S314  ours
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == "picture-title picture-summary"
        assert {each.get("id") for each in root if each.get("id")} == {
            "picture-title",
            "picture-summary",
        }


def test_a_gap_in_a_line_is_a_time_without_data_and_not_nought() -> None:
    points = [Measured(str(n), None if n == 2 else 0.5, "50%") for n in range(5)]
    drawing = lines("x", [Course("x", points)], "")
    drawn = [each for each in drawing.marks if isinstance(each, Line) and each.ink == "first"]
    assert [len(each.points) for each in drawn] == [2, 2]
    assert sum(isinstance(each, Dot) for each in drawing.marks) == 4


@pytest.mark.parametrize(("height", "below"), [(0.95, True), (0.5, False)])
def test_the_name_of_a_goal_stands_where_the_lines_do_not_end(
    height: float, *, below: bool
) -> None:
    points = [Measured(str(n), height, "") for n in range(5)]
    marks = lines("x", [Course("x", points)], "", Goal(0.9, "目标 90%")).marks
    (line,) = (each for each in marks if isinstance(each, Line) and each.ink == "goal")
    (name,) = (each for each in marks if isinstance(each, Words) and each.said == "目标 90%")
    assert (name.y > line.points[0][1]) is below


def _is_on_its_sheet(drawing: Drawing) -> None:
    for mark in drawing.marks:
        match mark:
            case Box(x, y, width, height):
                assert x >= 0
                assert y >= -0.01
                assert x + width <= WIDTH + 1.01
                assert y + height <= drawing.height
            case Dot(x, y):
                assert 0 <= x <= WIDTH
                assert -0.01 <= y <= drawing.height
            case Line(points):
                assert all(-0.01 <= y <= drawing.height for _, y in points)
            case Words(_, y):
                assert 0 <= y <= drawing.height


def test_a_chinese_name_takes_the_room_of_its_characters() -> None:
    assert breadth("回访") > breadth("ab")


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= each <= "\u9fff" for each in text)


def _without_controls(text: str) -> str:
    return "".join(each for each in text if each in "\t\n\r" or " " <= each < "\ufffe")
