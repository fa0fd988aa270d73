"""What an invitation says (RFC 5545): what, when, where, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LABELS = {
    "SUMMARY": "会议 Invitation",
    "DTSTART": "开始 Begins",
    "DTEND": "结束 Ends",
    "DUE": "截止 Due",
    "LOCATION": "地点 Place",
    "ORGANIZER": "邀请人 Organiser",
    "STATUS": "状态 Status",
    "DESCRIPTION": "说明 Description",
    "COMMENT": "备注 Comment",
    "URL": "链接 Link",
}
_KNOWN = frozenset(
    [
        "ACTION",
        "ATTACH",
        "ATTENDEE",
        "BEGIN",
        "CALSCALE",
        "CATEGORIES",
        "CLASS",
        "CONTACT",
        "CREATED",
        "DTSTAMP",
        "DURATION",
        "END",
        "EXDATE",
        "FREEBUSY",
        "GEO",
        "LAST-MODIFIED",
        "METHOD",
        "PERCENT-COMPLETE",
        "PRIORITY",
        "PRODID",
        "RDATE",
        "RECURRENCE-ID",
        "RELATED-TO",
        "REPEAT",
        "REQUEST-STATUS",
        "RESOURCES",
        "RRULE",
        "SEQUENCE",
        "TRANSP",
        "TRIGGER",
        "TZID",
        "TZNAME",
        "TZOFFSETFROM",
        "TZOFFSETTO",
        "TZURL",
        "UID",
        "VERSION",
    ]
).union(_LABELS)
"""All that RFC 5545 knows: what is called otherwise is somebody's words."""
_TOLD = re.compile(r"BEGIN:V(?:EVENT|TODO|JOURNAL|FREEBUSY)\b", re.IGNORECASE)
_LINE = re.compile(r"([A-Za-z-]+)((?:;[^:;=]+=(?:\"[^\"]*\"|[^\":;]*))*):(.*)")
_INSTANT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ZONE = re.compile(r";TZID=\"?([^\";:]+)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")


def invitation_of(calendar: str) -> str:
    """Return the words of a calendar; of one that cannot be read, all there is."""
    unfolded = re.sub(r"\r?\n[ \t]", "", calendar)
    told = _TOLD.search(unfolded) is not None
    return "\n".join(filter(None, _facts(unfolded))) if told else calendar.strip()


def _facts(lines: str) -> Iterator[str]:
    told = False  # what stands before it is about time zones
    for line in lines.splitlines():
        told = told or _TOLD.match(line) is not None
        if (found := _LINE.fullmatch(line.strip())) is None:
            yield line.strip()  # somebody's words, broken loose
        elif found[1].upper() not in _KNOWN and not found[1].upper().startswith("X-"):
            yield line.strip()
        elif told and (label := _LABELS.get(found[1].upper())) and found[3].strip():
            value = _ESCAPED.sub(lambda each: "\n" if each[1] in "nN" else each[1], found[3])
            yield f"{label}: {_instant(value, found[2])}"


def _instant(value: str, parameters: str) -> str:
    """Write an instant as people do, with the zone it is said in."""
    if not (at := _INSTANT.fullmatch(value)):
        return value.strip()
    zone = "UTC" if at[6] else (named[1] if (named := _ZONE.search(parameters)) else "")
    time = f" {at[4]}:{at[5]}" if at[4] else ""
    return f"{at[1]}-{at[2]}-{at[3]}{time} {zone}".strip()
