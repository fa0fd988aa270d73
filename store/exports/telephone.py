"""《电话信息统计报表》: the telephone statistics, computed from the issue register (R7, R27)."""

from __future__ import annotations

from domain import words
from domain.vocabulary import Channel, Kind
from store.exports.columns import Column, Holds, Register, number, person, share

_IN_TIME = "count(*) FILTER (WHERE f.ring_seconds <= asked.ring_seconds)"
_FIRST_CONTACT = "count(*) FILTER (WHERE f.first_contact)"
_LOCAL_DAY = "(f.registered_at AT TIME ZONE asked.zone)::date"

TELEPHONE = Register(
    "telephone",
    "电话信息统计报表",
    "Telephone statistics",
    table="issues",
    date="f.registered_at",
    order=f"{_LOCAL_DAY}, f.agent",
    join="",
    where=f"f.channel = '{Channel.TELEPHONE}'",
    group=f"{_LOCAL_DAY}, f.agent",
    columns=(
        Column("day", "日期", "Day", Holds.DAY, sql=_LOCAL_DAY),
        person("agent", "受理人", "Agent"),
        number("calls", "电话数", "Calls", "count(*)"),
        number("limit", "接听时限（秒）", "To be answered within, s", "max(asked.ring_seconds)"),
        number("in_time", "时限内接听", "Answered in time", _IN_TIME),
        share("share_in_time", "时限内接听率", "Share in time", _IN_TIME, "count(f.ring_seconds)"),
        number("longest", "最长振铃（秒）", "Longest ring, s", "max(f.ring_seconds)"),
        number("unknown", "振铃不详", "Ring unknown", "count(*) - count(f.ring_seconds)"),
        number("first_contact", "首次解决", "First-contact resolutions", _FIRST_CONTACT),
        share("share_first", "首次解决率", "First-contact share", _FIRST_CONTACT, "count(*)"),
        *(
            column
            for kind in Kind
            for column in (
                number(
                    kind,
                    words.KINDS[kind][0],
                    f"Calls: {kind}",
                    f"count(*) FILTER (WHERE f.kind = '{kind}')",
                ),
                number(
                    f"{kind}_first",
                    f"{words.KINDS[kind][0]}首次解决",
                    f"First contact: {kind}",
                    f"count(*) FILTER (WHERE f.kind = '{kind}' AND f.first_contact)",
                ),
            )
        ),
    ),
)
