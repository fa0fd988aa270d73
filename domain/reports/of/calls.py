"""Calls (R7, R45): by the register of issues, and by the telephone system."""

from __future__ import annotations

from domain.reports.figure import Book, Figure, Holds, How
from domain.reports.views import View

_C = View.CALLS
_TALKED = "NOT v.reported AND v.talk_seconds IS NOT NULL"
FIGURES: tuple[Figure, ...] = (
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
        book=Book.TELEPHONE,
    ),
    Figure(
        *("lost", "呼损", "Calls lost"),
        "话务系统记录的来电中无人接听的。",
        "Incoming calls by the telephone system that nobody answered (R45).",
        _C,
        "at",
        counts="v.lost",
        book=Book.TELEPHONE,
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
        book=Book.TELEPHONE,
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
