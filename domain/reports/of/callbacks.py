"""Callbacks (R22-R25): made, and what customers said."""

from __future__ import annotations

from domain.reports.figure import Aim, Figure, Holds
from domain.reports.views import View

_B = View.CALLBACKS
_DUE = "v.called_at IS NOT NULL OR v.outcome IN ('open', 'kept', 'broken')"
FIGURES: tuple[Figure, ...] = (
    Figure(
        *("callbacks_due", "应回访", "Callbacks due"),
        "期内到期的回访；未接通后再打的另计一次，撤回的不计。",
        "Callbacks that fell due in the period; a further attempt is one more, withdrawn ones left "
        "out (R22, R25).",
        _B,
        "due_at",
        counts=_DUE,
    ),
    Figure(
        *("callbacks_done", "回访完成率", "Callbacks made of those due"),
        "期内到期的回访中已打电话的比例，不论是否接通。",
        "Of the callbacks that fell due in the period, those that were made, reached or not.",
        _B,
        "due_at",
        counts="v.called_at IS NOT NULL",
        among=_DUE,
        holds=Holds.SHARE,
    ),
    Figure(
        *("called", "回访电话", "Calls made"),
        "期内打出的回访电话；一次通话问到几个故障，按故障计。",
        "Callbacks made in the period; one call about several faults counts for each.",
        _B,
        "called_at",
        counts="true",
    ),
    Figure(
        *("reached", "接通率", "Reached"),
        "期内的回访电话中接通的比例。",
        "Of the calls made in the period, those that reached the customer.",
        _B,
        "called_at",
        counts="v.reached",
        among="true",
        holds=Holds.SHARE,
    ),
    Figure(
        *("running", "设备正常率", "Machine running"),
        "期内接通并问到设备的回访中，设备正常运行的比例；只对故障询问。",
        "Of the customers reached in the period who were asked whether the machine runs, those "
        "whose does; asked about faults only (R24).",
        _B,
        "called_at",
        counts="v.running",
        among="v.running IS NOT NULL",
        holds=Holds.SHARE,
    ),
    Figure(
        *("satisfied", "回访满意率", "Satisfied"),
        "期内接通并表态的回访中，客户满意的比例；目标见政策。",
        "Of the customers who said in a call of the period whether they are satisfied, those who "
        "are; the goal is the policy's (R28).",
        _B,
        "called_at",
        counts="v.satisfied",
        among="v.satisfied IS NOT NULL",
        holds=Holds.SHARE,
        aim=Aim(lambda policy: policy.quality.satisfaction),
    ),
    Figure(
        *("not_running", "回访后重开", "Reopened by the call"),
        "期内回访得知设备仍有问题、随即重新打开的。",
        "Calls of the period that found the machine not running: opened again at once (R24).",
        _B,
        "called_at",
        counts="v.running IS FALSE",
    ),
    Figure(
        *("dissatisfied", "表示不满意", "Not satisfied"),
        "期内回访中客户表示不满意的。",
        "Calls of the period in which the customer said not to be satisfied.",
        _B,
        "called_at",
        counts="v.satisfied IS FALSE",
    ),
    Figure(
        *("conflicts", "回访转投诉", "Complaints by the call"),
        "期内回访中发生冲突或客户投诉、另立投诉的。",
        "Calls of the period in which a complaint or conflict arose: a complaint of its own (R24).",
        _B,
        "called_at",
        counts="v.conflict",
    ),
)
