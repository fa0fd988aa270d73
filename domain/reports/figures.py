"""Every figure of the reports, defined once: what it is called, how it is counted, and in SQL.

A figure counts rows of one view whose instant lies in the period. In the pieces of SQL ``v`` is
such a row; ``:asof`` is when the period is over, or now if it is not; ``:within`` the seconds
within which a call is to be answered (R7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from domain.reports.views import View
from domain.sla.policy import Policy


class Holds(Enum):
    """What the value of a figure is, and so how it is written."""

    COUNT = "count"
    SHARE = "share"
    """0 to 1."""
    SECONDS = "seconds"
    SCORE = "score"
    """Per cent of what was to be expected (R26)."""
    MONEY = "money"
    """Yuan."""
    POINTS = "points"
    """Of difficulty (R18)."""


class How(Enum):
    """What is made of a measured column."""

    AVERAGE = "average"
    MEDIAN = "median"
    SUM = "sum"
    LONGEST = "longest"


class When(Enum):
    """Which rows are looked at: whose instant lies in the period; all from before its end, for what
    stands at that moment; or those of the next period as long as this one.
    """

    IN = "in"
    AT_END = "at_end"
    NEXT = "next"


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at least, or at most, what the policy says; None: nothing."""

    of: Callable[[Policy], float | None]
    at_least: bool = True


@dataclass(frozen=True)
class Figure:
    """One figure. ``rule`` says in a sentence how it is counted. ``counts`` is what a row has to be
    to count; ``among``, for shares, what it has to be to count for the whole; ``measured`` the
    column, or expression, that ``how`` makes a value of.
    """

    key: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    view: View
    at: str
    counts: str = "true"
    among: str = ""
    measured: str = ""
    how: How | None = None
    holds: Holds = Holds.COUNT
    when: When = When.IN
    aim: Aim | None = None

    @property
    def condition(self) -> str:
        """What a row has to be to be one of those behind the figure."""
        both = [self.among, self.counts]
        both += [f"{self.measured} IS NOT NULL"] if self.measured else []
        return " AND ".join(f"({each})" for each in both if each)


def met(figure: Figure, value: float, aim: float) -> bool:
    """Say whether a value is what the policy asks for."""
    return figure.aim is None or (value >= aim if figure.aim.at_least else value <= aim)


def _all_keys(figures: Iterable[Figure]) -> Mapping[str, Figure]:
    made = {}
    for each in figures:
        if each.key in made:
            raise ValueError(f"{each.key} is defined twice")
        made[each.key] = each
    return MappingProxyType(made)


# Issues -------------------------------------------------------------------------------------------

_I = View.ISSUES
_NOT_MERGED = "v.outcome IS DISTINCT FROM 'merged'"
_GIVEN_UP = "v.outcome IN ('withdrawn', 'cancelled', 'terminated') AND NOT v.answered"
_OPEN = "v.closed_at IS NULL OR v.closed_at >= :asof"

_ISSUES = (
    Figure(
        *("registered", "登记问题", "Issues registered"),
        "期内登记的问题各计一次：并入其他问题的、由回访转成的投诉也计入；"
        "重新打开的仍按首次登记计。",
        "Each issue registered in the period, once: merged ones and complaints born of others too; "
        "a reopened one counts when it was first registered.",
        _I,
        "registered_at",
    ),
    Figure(
        *("first_contact", "首次解决率", "First-contact resolution"),
        "期内登记的问题中，热线当场给出答复并且该答复成立的所占比例；并入其他问题的不计。",
        "Of the issues registered in the period, those that the hotline's own answer solved; "
        "merged ones left out.",
        _I,
        "registered_at",
        counts="v.first_contact",
        among=_NOT_MERGED,
        holds=Holds.SHARE,
    ),
    Figure(
        *("reopened", "重新打开", "Reopened"),
        "期内登记的问题中被重新打开过的；无论几次，各计一次。",
        "Issues registered in the period that were opened again; once, however often that was.",
        _I,
        "registered_at",
        counts="v.reopened > 0",
    ),
    Figure(
        *("closed", "办结问题", "Issues closed"),
        "期内办结的问题；并入其他问题的不计，由接收问题计一次；重新打开后按最后一次办结计。",
        "Issues closed in the period; of merged ones only that which speaks for them, of reopened "
        "ones the last closing.",
        _I,
        "closed_at",
        counts=_NOT_MERGED,
    ),
    Figure(
        *("merged", "并入其他问题", "Merged"),
        "期内并入其他问题而结束的。",
        "Issues that ended in the period because another speaks for them.",
        _I,
        "closed_at",
        counts="v.outcome = 'merged'",
    ),
    Figure(
        *("given_up", "撤销或终止", "Withdrawn or terminated"),
        "期内撤销、取消或终止的问题。",
        "Issues that were withdrawn, cancelled or terminated in the period.",
        _I,
        "closed_at",
        counts="v.outcome IN ('withdrawn', 'cancelled', 'terminated')",
    ),
    Figure(
        *("handle_time", "平均处理时长", "Average handle time"),
        "期内办结的问题，从客户报告到首次得出结果的平均时长，含夜间和休息日；并入其他问题的不计。",
        "Of the issues closed in the period: from when the customer told us to the first result, "
        "nights and days off included; merged ones left out.",
        _I,
        "closed_at",
        counts=_NOT_MERGED,
        measured="v.handle_seconds",
        how=How.AVERAGE,
        holds=Holds.SECONDS,
    ),
    Figure(
        *("handle_time_median", "处理时长中位数", "Median handle time"),
        "同平均处理时长，取中位数：一半的问题比它快。",
        "As the average handle time, but the middle one: half of the issues took less.",
        _I,
        "closed_at",
        counts=_NOT_MERGED,
        measured="v.handle_seconds",
        how=How.MEDIAN,
        holds=Holds.SECONDS,
    ),
    Figure(
        *(
            "handle_time_without_talk",
            "平均处理时长（不含通话）",
            "Average handle time without talk",
        ),
        "同平均处理时长，减去与该问题有关的通话时间。",
        "As the average handle time, less the time talked in calls about the issue.",
        _I,
        "closed_at",
        counts=_NOT_MERGED,
        measured="greatest(v.handle_seconds - coalesce(v.talk_seconds, 0), 0)",
        how=How.AVERAGE,
        holds=Holds.SECONDS,
    ),
    Figure(
        *("talk_time", "平均通话时长", "Average talk time"),
        "期内办结且有通话记录的问题，每个问题的通话时间之和的平均值。",
        "Of the issues closed in the period that calls are known of: what was talked about each, "
        "on average.",
        _I,
        "closed_at",
        counts=_NOT_MERGED,
        measured="v.talk_seconds",
        how=How.AVERAGE,
        holds=Holds.SECONDS,
    ),
    Figure(
        *("backlog", "未办结问题", "Open issues"),
        "期末尚未办结的问题，不论何时登记；重新打开的视为一直未办结。",
        "Issues not closed at the end of the period, whenever registered; a reopened one counts as "
        "open since.",
        _I,
        "registered_at",
        counts=_OPEN,
        when=When.AT_END,
    ),
    Figure(
        *("backlog_oldest", "最久未办结", "Oldest open issue"),
        "期末未办结的问题中，登记最早的一个已存在的时长。",
        "How long ago the first registered of the issues open at the end of the period was.",
        _I,
        "registered_at",
        counts=_OPEN,
        measured="extract(epoch FROM :asof - v.registered_at)::float8",
        how=How.LONGEST,
        holds=Holds.SECONDS,
        when=When.AT_END,
    ),
    Figure(
        *("answered", "已答复率", "Customers answered"),
        "期内登记的问题中客户已得到答复的比例；并入其他问题的以接收问题的答复为准，"
        "未答复前就撤销、取消或终止的不计。",
        "Of the issues registered in the period, those whose customer has an answer; a merged one "
        "by that which speaks for it; those given up before they were answered left out (R6).",
        _I,
        "registered_at",
        counts="v.spoken_for",
        among=f"NOT ({_GIVEN_UP})",
        holds=Holds.SHARE,
        aim=Aim(lambda _: 1.0),
    ),
    Figure(
        *("unanswered", "尚未答复", "Not answered yet"),
        "期内登记、客户尚未得到答复的问题；口径同已答复率。",
        "Issues registered in the period whose customer has no answer yet; counted as those that "
        "have one.",
        _I,
        "registered_at",
        counts=f"NOT v.spoken_for AND NOT ({_GIVEN_UP})",
    ),
    Figure(
        *("unanswered_age", "最久未答复", "Longest without an answer"),
        "期内登记、尚未答复的问题中，登记最早的一个至期末的时长。",
        "Of those not answered yet: how long before the end of the period the first came in.",
        _I,
        "registered_at",
        counts=f"NOT v.spoken_for AND NOT ({_GIVEN_UP})",
        measured="extract(epoch FROM :asof - v.registered_at)::float8",
        how=How.LONGEST,
        holds=Holds.SECONDS,
    ),
)

# Calls --------------------------------------------------------------------------------------------

_C = View.CALLS
_TALKED = "NOT v.reported AND v.talk_seconds IS NOT NULL"
_CALLS = (
    Figure(
        *("calls", "电话受理", "Issues by telephone"),
        "期内由电话登记的问题，一次来电计一次。",
        "Issues registered by telephone in the period, a call each.",
        _C,
        "at",
        counts="v.reported",
    ),
    Figure(
        *("in_time", "时限内接听率", "Answered in time"),
        "电话登记且已知振铃时长的问题中，在政策规定的秒数（默认20秒）内接听的比例。",
        "Of the issues registered by telephone whose ring is known, those answered within the "
        "policy's seconds, 20 unless it says otherwise (R7).",
        _C,
        "at",
        counts="v.ring_seconds <= :within",
        among="v.reported AND v.ring_seconds IS NOT NULL",
        holds=Holds.SHARE,
    ),
    Figure(
        *("ring_unknown", "振铃不详", "Ring unknown"),
        "电话登记但受理系统没有给出振铃时长的问题。",
        "Issues registered by telephone without how long it rang.",
        _C,
        "at",
        counts="v.reported AND v.ring_seconds IS NULL",
    ),
    Figure(
        *("longest_ring", "最长振铃", "Longest ring"),
        "电话登记的问题中振铃最长的一次。",
        "The longest ring of the issues registered by telephone.",
        _C,
        "at",
        counts="v.reported",
        measured="v.ring_seconds",
        how=How.LONGEST,
        holds=Holds.SECONDS,
    ),
    Figure(
        *("first_contact_calls", "电话首次解决率", "First contact by telephone"),
        "电话登记的问题中，热线当场给出答复并且该答复成立的比例。",
        "Of the issues registered by telephone, those that the hotline's own answer solved.",
        _C,
        "at",
        counts="v.first_contact",
        among="v.reported",
        holds=Holds.SHARE,
    ),
    Figure(
        *("incoming", "话机来电", "Incoming calls"),
        "话务系统记录的来电；与登记的问题是两本账，不相加。",
        "Incoming calls by the telephone system: another book than the register, never added up.",
        _C,
        "at",
        counts="v.direction = 'incoming'",
    ),
    Figure(
        *("lost", "呼损", "Calls lost"),
        "话务系统记录的来电中无人接听的。",
        "Incoming calls by the telephone system that nobody answered (R45).",
        _C,
        "at",
        counts="v.lost",
    ),
    Figure(
        *("lost_share", "呼损率", "Share of calls lost"),
        "话务系统记录的来电中无人接听的比例。",
        "Of the incoming calls by the telephone system, those that nobody answered (R45).",
        _C,
        "at",
        counts="v.lost",
        among="v.direction = 'incoming'",
        holds=Holds.SHARE,
    ),
    Figure(
        *("outgoing", "话机去电", "Outgoing calls"),
        "话务系统记录的去电。",
        "Outgoing calls by the telephone system.",
        _C,
        "at",
        counts="v.direction = 'outgoing'",
    ),
    Figure(
        *("talked", "通话总时长", "Talked"),
        "话务系统记录的通话时间之和，来电去电都计。",
        "What was talked by the telephone system, incoming and outgoing.",
        _C,
        "at",
        counts=_TALKED,
        measured="v.talk_seconds",
        how=How.SUM,
        holds=Holds.SECONDS,
    ),
    Figure(
        *("longest_talk", "最长通话", "Longest talk"),
        "话务系统记录的最长一次通话。",
        "The longest call by the telephone system.",
        _C,
        "at",
        counts=_TALKED,
        measured="v.talk_seconds",
        how=How.LONGEST,
        holds=Holds.SECONDS,
    ),
)

# Promises -----------------------------------------------------------------------------------------

_P = View.PROMISES
_JUDGED = "v.ours AND v.outcome IN ('kept', 'broken')"
_RUNS_AT_END = "v.ended_at IS NULL OR v.ended_at >= :asof"
_PROMISES = (
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

# Callbacks ----------------------------------------------------------------------------------------

_B = View.CALLBACKS
_DUE = "v.called_at IS NOT NULL OR v.outcome IN ('open', 'kept', 'broken')"
_CALLBACKS = (
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

FIGURES: Mapping[str, Figure] = _all_keys((*_ISSUES, *_CALLS, *_PROMISES, *_CALLBACKS))
"""All there are, by key."""
