"""Complaints (R19-R21, R42): founded or not, answered, satisfied, remedied."""

from __future__ import annotations

from domain.reports.figure import Aim, Figure, Holds, How, When
from domain.reports.views import View

_OPEN = "v.closed_at IS NULL OR v.closed_at >= :asof"
_K = View.COMPLAINTS
_OWN = "v.merged_into IS NULL"
FIGURES: tuple[Figure, ...] = (
    Figure(
        *("complaints", "投诉", "Complaints"),
        "期内登记的投诉，含由回访或评价转成的；并入其他投诉的不计，由接收的一件计一次。",
        "Complaints registered in the period, those born of callbacks and evaluations included; of "
        "merged ones only that which speaks for them (R19, R21).",
        _K,
        "registered_at",
        counts=_OWN,
    ),
    Figure(
        *("complaints_born", "由回访或评价转成", "Born of other issues"),
        "期内登记的投诉中，由另一问题的回访或评价转成的；涉及人员按原问题计。",
        "Of the complaints, those born of another issue's callback or evaluation; whom they are "
        "about is whose work that was.",
        _K,
        "registered_at",
        counts=f"{_OWN} AND v.born_of IS NOT NULL",
    ),
    Figure(
        *("founded", "投诉成立率", "Founded"),
        "期内登记且已核实的投诉中，结论为一般或重大的比例。",
        "Of the complaints of the period that were verified, those found general or major.",
        _K,
        "registered_at",
        counts="v.founded",
        among=f"{_OWN} AND v.verdict IS NOT NULL",
        holds=Holds.SHARE,
    ),
    Figure(
        *("complaints_founded", "成立的投诉", "Founded complaints"),
        "期内登记、核实结论为一般或重大的投诉。",
        "Complaints of the period that were found general or major.",
        _K,
        "registered_at",
        counts=f"{_OWN} AND v.founded",
    ),
    Figure(
        *("complaints_major", "重大投诉", "Major complaints"),
        "期内登记、核实结论为重大的投诉。",
        "Complaints of the period that were found major.",
        _K,
        "registered_at",
        counts=f"{_OWN} AND v.verdict = 'major'",
    ),
    Figure(
        *("complaints_told", "投诉已答复率", "Complainants answered"),
        "期内登记的投诉中，已把结果告知客户的比例。",
        "Of the complaints of the period, those whose customer was told the result.",
        _K,
        "registered_at",
        counts="v.told_at IS NOT NULL",
        among=_OWN,
        holds=Holds.SHARE,
    ),
    Figure(
        *("complaint_time", "平均答复时长", "Average time to the answer"),
        "期内登记且已答复的投诉，从登记到告知结果的平均时长，含夜间和休息日。",
        "Of the complaints of the period that were answered: from registration to then, on "
        "average, nights and days off included.",
        _K,
        "registered_at",
        counts=_OWN,
        measured="extract(epoch FROM v.told_at - v.registered_at)::float8",
        how=How.AVERAGE,
        holds=Holds.SECONDS,
    ),
    Figure(
        *("complaints_satisfied", "投诉回访满意率", "Complainants satisfied"),
        "期内登记的投诉中，回访时表态的客户满意的比例。",
        "Of the complainants of the period who said in the callback whether they are satisfied, "
        "those who are.",
        _K,
        "registered_at",
        counts="v.satisfied",
        among=f"{_OWN} AND v.satisfied IS NOT NULL",
        holds=Holds.SHARE,
        aim=Aim(lambda policy: policy.quality.satisfaction),
    ),
    Figure(
        *("complaints_open", "未办结投诉", "Open complaints"),
        "期末尚未办结的投诉，不论何时登记。",
        "Complaints not closed at the end of the period, whenever registered.",
        _K,
        "registered_at",
        counts=_OPEN,
        when=When.AT_END,
    ),
    Figure(
        *("remedied", "获补偿的投诉", "Complaints with a remedy"),
        "期内登记的投诉中，客户接受了补偿的。",
        "Complaints of the period whose customer accepted a remedy (R42).",
        _K,
        "registered_at",
        counts=f"{_OWN} AND v.remedies > 0",
    ),
    Figure(
        *("remedy_amount", "补偿金额", "Remedies, amount"),
        "期内登记的投诉中，客户已接受的补偿金额之和；没有金额的补偿不计。",
        "What the remedies accepted for complaints of the period amount to; those without an "
        "amount left out (R42).",
        _K,
        "registered_at",
        counts=_OWN,
        measured="v.remedy_amount",
        how=How.SUM,
        holds=Holds.MONEY,
    ),
)
