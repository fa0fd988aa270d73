"""How a section is drawn: what has an order upright, what has names lying, and time as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.reports import telling
from domain.reports.counted import CountedRow, CountedSection
from domain.reports.definitions import Picture, Section
from domain.reports.figures import Figure, Holds
from domain.reports.pictures.charts import Course, Goal, Measured, bars, columns, lines
from domain.reports.pictures.drawing import SERIES, Drawing
from domain.vocabulary import Language

_MOST_BARS = 30
"""Rows of one picture; the table beside it has them all."""


def drawn(
    section: Section, counted: CountedSection, aims: Mapping[str, float], language: Language
) -> Drawing | None:
    """Draw a section as its definition says; None: it has no picture, or nothing to show in one."""
    if section.picture is None:
        return None
    rows = [each for each in counted.rows if each.of is not None]
    figures = _of_one_measure(section.counted, line=section.picture is Picture.LINE)
    courses = [
        Course(_in(language, (each.zh, each.en)), [_measured(each, row, language) for row in rows])
        for each in figures
    ]
    if not any(point.height is not None for each in courses for point in each.points):
        return None
    title = _in(language, (section.zh, section.en))
    if section.picture is Picture.LINE:
        goal = _goal(figures, aims, language)
        return lines(title, courses, _courses_said(courses, language), goal)
    title = f"{title}{_in(language, ('：', ': '))}{courses[0].name}"
    points = courses[0].points[:_MOST_BARS]
    upright = section.dimension is not None and section.dimension.in_order
    draw = columns if upright and len(points) > 6 else bars
    return draw(title, points, _rows_said(points, language))


def _of_one_measure(figures: Sequence[Figure], *, line: bool) -> list[Figure]:
    """Choose what is drawn: the first figure, or as lines those of one scale that are no counts."""
    measured = [each for each in figures if each.holds is not Holds.COUNT]
    alike = [each for each in measured if each.holds is measured[0].holds]
    return alike[: len(SERIES)] if line and alike else list(figures[:1])


def _measured(figure: Figure, row: CountedRow, language: Language) -> Measured:
    value = row.values.get(figure.key)
    height = None if value is None or value.value is None else float(value.value)
    said = _in(language, telling.value(figure.holds, value))
    return Measured(_in(language, (row.zh, row.en)), height, said)


def _goal(figures: Sequence[Figure], aims: Mapping[str, float], language: Language) -> Goal | None:
    """Draw a goal only where it is clear whose it is: of all lines, or of the only one."""
    aimed = {aims[each.key]: each for each in figures if each.key in aims}
    if len(aimed) != 1:
        return None
    ((height, figure),) = aimed.items()
    said = f"{telling.rounded(100 * height, 0)}%" if figure.holds is Holds.SHARE else f"{height:g}"
    whose = "" if len(figures) == 1 else _in(language, (figure.zh, f"{figure.en}: "))
    return Goal(height, f"{whose}{_in(language, ('目标', 'goal'))} {said}")


def _rows_said(points: Sequence[Measured], language: Language) -> str:
    known = [each for each in points if each.height is not None]
    most = max(known, key=lambda each: each.height or 0.0)
    least = min(known, key=lambda each: each.height or 0.0)
    if language is Language.EN:
        of = f"highest of {len(points)}: {most.name}, {most.said}"
        return f"{of}; lowest: {least.name}, {least.said}."
    of = f"共{len(points)}项，最高：{most.name}，{most.said}"
    return f"{of}；最低：{least.name}，{least.said}。"


def _courses_said(courses: Sequence[Course], language: Language) -> str:
    return " ".join(_course_said(each, language) for each in courses)


def _course_said(course: Course, language: Language) -> str:
    first, last = course.points[0], course.points[-1]
    return _in(
        language,
        (
            f"{course.name}：{first.name} {first.said}，{last.name} {last.said}。",
            f"{course.name}: {first.name} {first.said}, {last.name} {last.said}.",
        ),
    )


def _in(language: Language, both: tuple[str, str]) -> str:
    return both[language is Language.EN]
