"""Issues (R3-R8, R24): how many came in, how long they took, what is open, who was answered."""

from __future__ import annotations

from domain.reports.figure import Aim, Figure, Holds, How, When
from domain.reports.views import View

_I = View.ISSUES
_NOT_MERGED = "v.outcome IS DISTINCT FROM 'merged'"
_GIVEN_UP = "coalesce(v.outcome, '') IN ('withdrawn', 'cancelled', 'terminated') AND NOT v.answered"
_OPEN = "v.closed_at IS NULL OR v.closed_at >= :asof"

FIGURES: tuple[Figure, ...] = (
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
        measured="CASE WHEN v.handle_seconds IS NOT NULL"
        " THEN greatest(v.handle_seconds - coalesce(v.talk_seconds, 0), 0) END",
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
