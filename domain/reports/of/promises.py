"""Promises of the ledger (R10-R13): kept, broken, overdue, and what comes due."""

from __future__ import annotations

from domain.reports.figure import Figure, Holds, When
from domain.reports.views import View

_P = View.PROMISES
_JUDGED = "v.ours AND v.outcome IN ('kept', 'broken')"
_RUNS_AT_END = "v.ended_at IS NULL OR v.ended_at >= :asof"
FIGURES: tuple[Figure, ...] = (
    Figure(
        *("promises_kept", "时限兑现率", "Promises kept"),
        "期内了结的本台时限中按时完成的比例；撤回、改期跳过的和留给客户的时间不计，"
        "重新打开后的时限另计；经本人口述后补的算按时，另有占比。",
        "Of the desk's promises that ended in the period, those kept; withdrawn and skipped ones "
        "and customers' own time left out, those of a reopened issue anew; kept by own word is "
        "kept, and its share is given beside.",
        _P,
        "ended_at",
        counts="v.outcome = 'kept'",
        among=_JUDGED,
        holds=Holds.SHARE,
    ),
    Figure(
        *("kept", "按时完成", "Kept"),
        "期内了结且按时完成的本台时限。",
        "The desk's promises that ended in the period, kept.",
        _P,
        "ended_at",
        counts="v.ours AND v.outcome = 'kept'",
    ),
    Figure(
        *("broken", "逾期", "Broken"),
        "期内了结但已逾期的本台时限；仍在进行的逾期另列。",
        "The desk's promises that ended in the period, broken; those still running are beside.",
        _P,
        "ended_at",
        counts="v.ours AND v.outcome = 'broken'",
    ),
    Figure(
        *("own_word", "口述后补占比", "Kept by own word"),
        "按时完成的时限中，逾期后才由本人说明当时已完成的比例。",
        "Of the promises kept, those that are so by what somebody said when they were broken "
        "already (R11, R12).",
        _P,
        "ended_at",
        counts="v.by_own_word",
        among="v.ours AND v.outcome = 'kept'",
        holds=Holds.SHARE,
    ),
    Figure(
        *("overdue", "逾期未了结", "Overdue"),
        "期末已逾期而仍未了结的本台时限。",
        "The desk's promises that were overdue at the end of the period, and still running.",
        _P,
        "due_at",
        counts=f"v.ours AND v.outcome = 'broken' AND ({_RUNS_AT_END})",
        when=When.AT_END,
    ),
    Figure(
        *("coming", "下一期到期", "Due in the period to come"),
        "按已作出的承诺，下一个同样长的时间段内到期、现在尚未了结的本台时限；"
        "等待客户而暂停的也计。",
        "The desk's running promises that fall due in the next period as long as this one; those "
        "that stand still for the customer included.",
        _P,
        "due_at",
        counts="v.ours AND v.ended_at IS NULL",
        when=When.NEXT,
    ),
    Figure(
        *("unrated", "难度待评", "Ratings outstanding"),
        "期末尚未评定难度的维修。",
        "Repairs whose difficulty nobody had rated at the end of the period (R18).",
        _P,
        "made_at",
        counts=f"v.kind = 'difficulty' AND ({_RUNS_AT_END})",
        when=When.AT_END,
    ),
)
