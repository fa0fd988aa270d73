"""Oversight (R16, R18, R28, R29, R46): difficulty, samples, the case library, stand-by."""

from __future__ import annotations

from domain.reports.figure import Aim, Figure, Holds, How, When
from domain.reports.views import View

_I = View.ISSUES
_D = View.DIFFICULTY
_DIFFICULTY = (
    Figure(
        *("rated", "已评定维修", "Repairs rated"),
        "期内评定了难度的维修，含电话解决的；重新打开后再次维修的另计一次，改评的以最后一次为准。",
        "Repairs whose difficulty was rated in the period, those on the line included; a reopened "
        "one once more, of several ratings the last (R18).",
        _D,
        "rated_at",
    ),
    Figure(
        *("rated_on_the_line", "其中电话解决", "Of them on the line"),
        "期内评定了难度的维修中，由热线在电话里解决的。",
        "Repairs rated in the period that were solved on the line.",
        _D,
        "rated_at",
        counts="v.on_the_line",
    ),
    Figure(
        *("difficulty_points", "难度分合计", "Difficulty, sum"),
        "期内评定的难度分之和，每次维修1至5分。",
        "The difficulty of the repairs rated in the period added up, 1 to 5 each.",
        _D,
        "rated_at",
        measured="v.difficulty",
        how=How.SUM,
        holds=Holds.POINTS,
    ),
    Figure(
        *("difficulty_average", "平均难度", "Difficulty, average"),
        "期内评定的难度分的平均值。",
        "The difficulty of the repairs rated in the period, on average.",
        _D,
        "rated_at",
        measured="v.difficulty",
        how=How.AVERAGE,
        holds=Holds.POINTS,
    ),
)

_S = View.SAMPLES
_SAMPLES = (
    Figure(
        *("records", "办结记录", "Records closed"),
        "期内办结的记录，抽检由此抽取；并入其他问题的也在内。",
        "Records closed in the period, of which samples are drawn; merged ones are among them.",
        _I,
        "closed_at",
    ),
    Figure(
        *("drawn", "抽检记录", "Records drawn"),
        "抽检区间在期内结束的抽检单所抽的记录；同一记录被两次抽中计两次。",
        "Records drawn by the samples whose days end in the period; one drawn twice counts twice "
        "(R28).",
        _S,
        "until",
    ),
    Figure(
        *("checked", "检查完成率", "Checked"),
        "抽检记录中已检查的比例。",
        "Of the records drawn, those that somebody checked.",
        _S,
        "until",
        counts="v.checked",
        among="true",
        holds=Holds.SHARE,
    ),
    Figure(
        *("errors", "差错记录", "Records in error"),
        "抽检记录中有差错的；多人检查的，一人发现即计，每人以最后一次检查为准。",
        "Records drawn in which somebody found an error that stands; each checker's last word "
        "counts.",
        _S,
        "until",
        counts="v.in_error",
    ),
    Figure(
        *("error_rate", "差错率", "Error rate"),
        "已检查的抽检记录中有差错的比例；超过政策规定的上限即需再培训。",
        "Of the records checked, those in error; above the policy's limit means retraining (R28).",
        _S,
        "until",
        counts="v.in_error",
        among="v.checked",
        holds=Holds.SHARE,
        aim=Aim(lambda policy: policy.quality.errors, at_least=False),
    ),
)

_L = View.CASES
_CASES = (
    Figure(
        *("cases_proposed", "提交案例", "Cases proposed"),
        "期内提交到案例库的案例，不论后来是否采纳。",
        "Cases proposed for the library in the period, whatever became of them (R29, R46).",
        _L,
        "proposed_at",
        aim=Aim(lambda policy: policy.qualification.cases_a_month or None, a_month=True),
    ),
    Figure(
        *("cases_approved", "采纳案例", "Cases approved"),
        "期内提交的案例中已采纳的。",
        "Cases proposed in the period that were approved by now.",
        _L,
        "proposed_at",
        counts="v.status = 'approved'",
    ),
    Figure(
        *("cases_used", "被引用的案例", "Cases used"),
        "期内提交的案例中已被引用过的。",
        "Cases proposed in the period that an answer has cited since.",
        _L,
        "proposed_at",
        counts="v.used > 0",
    ),
    Figure(
        *("library", "在库案例", "Cases in the library"),
        "期末之前提交、现已采纳的案例。",
        "Cases proposed before the end of the period that are approved now.",
        _L,
        "proposed_at",
        counts="v.status = 'approved'",
        when=When.AT_END,
    ),
)

_STANDBY = (
    Figure(
        *("standby_alarms", "备勤不足", "Stand-by too low"),
        "期内核心组备勤低于政策比例的次数，一组一天计一次。",
        "How often a core group fell under its stand-by share in the period, once a day and group "
        "(R16).",
        View.STANDBY,
        "raised_at",
    ),
)

FIGURES: tuple[Figure, ...] = (*_DIFFICULTY, *_SAMPLES, *_CASES, *_STANDBY)
