"""Whatever a policy file says, it is read or refused with a sentence; it is never a crash."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.rulebook import RulebookError, load
from runtime.settings import ROOT

STANDARD = (ROOT / "policies" / "standard.toml").read_text(encoding="utf-8").splitlines()
NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
_VALUE = re.compile(r"^([\w.\"-]+ = )(.+)$")
KEYS = [number for number, line in enumerate(STANDARD) if _VALUE.match(line)]

ODD = st.one_of(
    st.sampled_from(
        [
            *('""', "[]", "{}", "[[]]", "[{}]", "true", "-1", "0", "1e400", "inf", "nan"),
            *("2026-11-30", "2026-11-30T10:00:00Z", "23:59:59", '"\\u0000"', '"\\u2028"', '"一"'),
            *('"0h"', '"0 working days"', '"-2h"', '"9999999 working days"', '"1e9h"', '"٣h"'),
            *(f'"{"9" * 400}h"', f'"{"9" * 5000} working days"', f'"{"9" * 12}d"', "9" * 30),
            *('"101%"', '"+9999999d"', '"+"', '["100%"]', '{at = "+9999999 working days"}'),
            *('["00:00-24:00"]', '["24:00-24:00"]', '["99:00-99:59"]', '"CN"', '"DE-XX"', '"../x"'),
            *('"Asia/Shanghai"', '"/etc/localtime"', '"Asia"', '".."', '"centre"', '"desk"'),
        ]
    ),
    st.text(max_size=20).map(lambda text: f"'{text}'"),
    st.integers().map(str),
    st.floats().map(str),
)
LINES = st.sampled_from(
    [
        *("[calendars.desk.overrides]", "[calendars.x]", "[marks]", "[[promise]]", "[promise]"),
        *("[policy]", "[rehearsal]", "[[calendars]]", "[delivery]", "x = 1", "= 1", '"a b" = 2'),
        *("9999-12-31 = []", "0001-01-01 = ['00:00-24:00']", "week = {}", "days = []"),
        *("speed = 1e308", "story_begins = 9999-12-31T23:59:59Z", "hours = []"),
        "really_begins = 0001-01-01T00:00:00Z",
    ]
)


def changed(edits: list[tuple[int, str | None]], more: list[tuple[int, str]]) -> str:
    lines = list(STANDARD)
    for number, value in edits:
        key = _VALUE.match(STANDARD[number])
        assert key
        lines[number] = "" if value is None else f"{key[1]}{value}"
    for number, line in more:
        lines.insert(number, line)
    return "\n".join(lines)


@given(
    edits=st.lists(st.tuples(st.sampled_from(KEYS), st.none() | ODD), max_size=3),
    more=st.lists(st.tuples(st.integers(0, len(STANDARD)), LINES), max_size=2),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(edits=[], more=[])
def test_a_policy_is_read_or_refused_with_the_file_and_a_reason(
    tmp_path: Path, edits: list[tuple[int, str | None]], more: list[tuple[int, str]]
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(changed(edits, more), encoding="utf-8", errors="replace")
    try:
        load(file, NOW)
    except RulebookError as refused:
        reasons = str(refused).splitlines()
        assert reasons[0].startswith(str(file))
        assert all(len(reason) < 10_000 for reason in reasons)
    else:
        assert not [number for number, value in edits if value == '"9999999 working days"']
