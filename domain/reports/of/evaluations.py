"""Evaluations (R26): what customers scored."""

from __future__ import annotations

from domain.reports.figure import Figure, Holds, How
from domain.reports.views import View

_E = View.EVALUATIONS
FIGURES: tuple[Figure, ...] = (
    Figure(
        *("evaluations", "评价项数", "Items scored"),
        "期内收到的有效评价，一个项目计一项；无论由链接、网站、电话还是纸质表。",
        "Items that customers scored in the period and that count, by a link or without (R26).",
        _E,
        "at",
    ),
    Figure(
        *("technical", "技术水平", "Technical level"),
        "期内有效评价中技术水平评分的平均值，100为符合预期。",
        "What customers scored the technical level in the period, on average; 100 is as expected.",
        _E,
        "at",
        measured="v.technical",
        how=How.AVERAGE,
        holds=Holds.SCORE,
    ),
    Figure(
        *("attitude", "服务态度", "Service attitude"),
        "期内有效评价中服务态度评分的平均值，100为符合预期。",
        "What customers scored the attitude in the period, on average; 100 is as expected.",
        _E,
        "at",
        measured="v.attitude",
        how=How.AVERAGE,
        holds=Holds.SCORE,
    ),
    Figure(
        *("low_scores", "低分项数", "Low scores"),
        "期内有效评价中，技术水平或服务态度低于60的项数。",
        "Items of the period that customers scored below 60 in either.",
        _E,
        "at",
        counts="v.technical < 60 OR v.attitude < 60",
    ),
)
