"""《电话信息统计报表》: the telephone statistics, computed from the issue register (R7, R27) and
from what the telephone system recorded (R45); and 《通话记录》, those calls themselves.
"""

from __future__ import annotations

from itertools import chain

from domain import words
from domain.calls import Direction
from domain.terms import Terms
from domain.vocabulary import Channel
from store.exports.columns import (
    Column,
    Holds,
    Register,
    at,
    code,
    customers,
    number,
    person,
    share,
    yes_no,
)

_IN_TIME = "count(*) FILTER (WHERE f.ring_seconds <= asked.ring_seconds)"
_FIRST_CONTACT = "count(*) FILTER (WHERE f.first_contact)"
_LOCAL_DAY = "(f.registered_at AT TIME ZONE asked.zone)::date"
_ISSUES_AND_CALLS = f"""(
    SELECT registered_at, agent, kind, first_contact, ring_seconds, true AS reported,
        NULL AS direction, NULL::integer AS talk_seconds
    FROM issues WHERE channel = '{Channel.TELEPHONE}'
    UNION ALL
    SELECT at, agent, NULL, false, NULL, false, direction, talk_seconds FROM calls
)"""  # noqa: S608  our own text
_REPORTED = "count(*) FILTER (WHERE f.reported)"
_INCOMING = f"count(*) FILTER (WHERE f.direction = '{Direction.INCOMING}')"
_LOST = f"""count(*) FILTER (
    WHERE f.direction = '{Direction.INCOMING}' AND f.talk_seconds IS NULL)"""

_ANSWERED = (
    Column("day", "日期", "Day", Holds.DAY, sql=_LOCAL_DAY),
    person("agent", "受理人", "Agent"),
    number("calls", "电话数", "Calls", _REPORTED),
    number("limit", "接听时限（秒）", "To be answered within, s", "max(asked.ring_seconds)"),
    number("in_time", "时限内接听", "Answered in time", _IN_TIME),
    share("share_in_time", "时限内接听率", "Share in time", _IN_TIME, "count(f.ring_seconds)"),
    number("longest", "最长振铃（秒）", "Longest ring, s", "max(f.ring_seconds)"),
    number("unknown", "振铃不详", "Ring unknown", f"{_REPORTED} - count(f.ring_seconds)"),
    number("first_contact", "首次解决", "First-contact resolutions", _FIRST_CONTACT),
    share("share_first", "首次解决率", "First-contact share", _FIRST_CONTACT, _REPORTED),
)
_BY_THE_TELEPHONE_SYSTEM = (
    number("incoming", "话机来电", "Incoming by the telephone system", _INCOMING),
    number("lost", "呼损", "Lost calls", _LOST),
    share("share_lost", "呼损率", "Share lost", _LOST, _INCOMING),
    number(
        "outgoing",
        "话机去电",
        "Outgoing by the telephone system",
        f"count(*) FILTER (WHERE f.direction = '{Direction.OUTGOING}')",
    ),
    number("talked", "通话总秒数", "Talked, s", "sum(f.talk_seconds)"),
    number("longest_talk", "最长通话（秒）", "Longest talk, s", "max(f.talk_seconds)"),
)


def _of_kind(key: str, zh: str, en: str, which: str) -> tuple[Column, Column]:
    return (
        number(key, zh, f"Calls: {en}", f"count(*) FILTER (WHERE {which})"),
        number(
            f"{key}_first",
            f"{zh}首次解决",
            f"First contact: {en}",
            f"count(*) FILTER (WHERE {which} AND f.first_contact)",
        ),
    )


def _columns(terms: Terms) -> tuple[Column, ...]:
    """Count the calls of each kind that the desk has, and of those that it had."""
    all_kinds = ", ".join(f"'{kind}'" for kind in terms.kinds)
    kinds = (
        _of_kind(kind, *each.name.both, f"f.kind = '{kind}'") for kind, each in terms.kinds.items()
    )
    gone = _of_kind("other_kinds", "其他类别", "other kinds", f"f.kind NOT IN ({all_kinds})")
    return (*_ANSWERED, *chain(*kinds), *gone, *_BY_THE_TELEPHONE_SYSTEM)


TELEPHONE = Register(
    "telephone",
    "电话信息统计报表",
    "Telephone statistics",
    table="issues",
    rows=_ISSUES_AND_CALLS,
    date="f.registered_at",
    order=f"{_LOCAL_DAY}, f.agent",
    join="",
    group=f"{_LOCAL_DAY}, f.agent",
    columns=_columns(Terms()),
    by_terms=_columns,
)

CALLS = Register(
    "calls",
    "通话记录",
    "Calls",
    table="calls",
    date="f.at",
    order="f.at, f.source, f.id",
    join="LEFT JOIN issues i ON i.id = f.issue_id",
    columns=(
        at("at", "呼叫时间", "Began"),
        Column("source", "话务系统", "Telephone system"),
        Column("id", "通话编号", "Call"),
        code("direction", "方向", "Direction", words.DIRECTIONS),
        customers("number", "对方号码", "Number"),
        number("ring_seconds", "振铃秒数", "Rang, s"),
        number("talk_seconds", "通话秒数", "Talked, s"),
        yes_no(
            "lost",
            "呼损",
            "Lost",
            f"f.direction = '{Direction.INCOMING}' AND f.talk_seconds IS NULL",
        ),
        person("agent", "接听人", "Agent"),
        customers("recording", "录音", "Recording"),
        Column("issue", "问题编号", "Issue number", sql="i.number"),
        at("heard_at", "收到时间", "Heard of"),
    ),
    left_out={"issue_id": "the workflow's; the issue number says it"},
)
