"""Policy files: what they say is read as it stands, what is wrong is named where it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from domain.calendars.periods import TimeBudget, WorkingDays
from domain.errors import SetupError
from domain.sla.promise import PromiseKind
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Role, Severity
from runtime.rulebook import RulebookError, load
from runtime.settings import ROOT

STANDARD = ROOT / "policies" / "standard.toml"
DEMO = ROOT / "policies" / "demo.toml"
TEXT = STANDARD.read_text(encoding="utf-8")
WITHOUT_CALENDARS = TEXT[: TEXT.index("[calendars.")] + TEXT[TEXT.index("[marks]") :]


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def refusal(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RulebookError) as refused:
        load(path)
    return str(refused.value).replace(str(path), path.name)


def line_of(text: str, part: str, *, last: bool = False) -> int:
    place = text.rindex(part) if last else text.index(part)
    return text.count("\n", 0, place) + 1


# --- As it stands --------------------------------------------------------------------------------


def test_the_standard_policy_has_the_figures_of_the_regulation() -> None:
    rules = {rule.name: rule for rule in load(STANDARD).policy.promises}
    assert {name: str(rule.within) for name, rule in rules.items()} == {
        "major_response": "30min",
        "complaint_response": "2h",
        "general_response": "2h",
        "major_hand_over": "30min",
        "mail_hand_over": "24h",
        "queue_hand_over": "2h",
        "hand_over": "2h",
        "calming": "15min",
        "major_verification": "2h",
        "verification": "1 working day",
        "survey": "2 working days",
        "quotation": "1 working day",
        "confirmation": "10 working days",
        "approval": "1 working day",
        "panel": "4h",
        "customers_turn": "5 working days",
        "major_resolution": "3 working days",
        "general_resolution": "3 working days",
        "major_contact": "30min",
        "contact": "2h",
        "major_spoken_reply": "1h",
        "spoken_reply": "4h",
        "major_reply": "1h",
        "complaint_reply": "4h",
        "callback": "1 working day",
        "test": "24h",
        "acceptance": "5 working days",
        "trial": "24h",
        "major_feedback": "30min",
        "feedback": "4h",
        "evaluation": "7d",
        "difficulty": "5 working days",
        "paid_service_difficulty": "5 working days",
        "remedy_approval": "1 working day",
        "remedy": "5 working days",
    }
    assert rules["general_response"].clock == "working"
    assert rules["complaint_response"].clock == "elapsed"
    assert rules["major_response"].select.severity == {Severity.MAJOR}
    callback = rules["callback"]
    assert callback.promise is PromiseKind.CALLBACK
    assert callback.select.kind == {"fault", "complaint"}
    assert callback.select.category == set(load(STANDARD).policy.routing) - {"out_of_scope"}
    assert (callback.opens, callback.attempts) == (WorkingDays(days=1), 3)


def test_marks_are_taken_from_the_list_that_a_promise_names() -> None:
    by_name = {rule.name: rule for rule in load(STANDARD).policy.promises}
    general, major = by_name["general_response"], by_name["major_response"]
    assert general.marks == by_name["general_resolution"].marks
    assert [mark.at for mark in general.marks] == ["75%", "100%", "+2h", "+1 working day"]
    assert [mark.level for mark in major.marks] == [
        None,
        Role.LEAD,
        Role.MANAGER,
        Role.GM_OFFICE,
    ]


def test_marks_can_stand_with_the_promise_itself(policy: Path) -> None:
    own = TEXT.replace('marks = "callback"', 'marks = [{ at = "100%", tell = ["lead"] }]')
    policy.write_text(own, encoding="utf-8")
    by_name = {rule.name: rule for rule in load(policy).policy.promises}
    assert [mark.at for mark in by_name["callback"].marks] == ["100%"]


def test_calendars_take_zone_name_and_national_days() -> None:
    desk = load(STANDARD).calendar("desk")
    assert (desk.name, desk.zone) == ("desk", "Asia/Shanghai")
    assert desk.announced_until == date(2026, 12, 27)
    assert desk.is_working_day(date(2026, 10, 10))  # a make-up Saturday
    assert not desk.is_working_day(date(2026, 10, 1))
    everyday = load(STANDARD).calendar("everyday")
    assert everyday.is_working_day(date(2026, 10, 1))
    assert everyday.announced_until is None


def test_national_days_beside_the_policy_go_before_the_desks_own(policy: Path) -> None:
    year = {"notice": "https://example.com", "holidays": ["2030-10-01"], "makeup_workdays": []}
    notices = {"country": "CN", "dated": "2029-12-01", "source": "x", "years": {"2030": year}}
    (policy.parent / "cn_workdays.json").write_text(json.dumps(notices), encoding="utf-8")
    policy.write_text(TEXT, encoding="utf-8")
    assert load(policy).calendar("desk").announced_until == date(2030, 12, 31)


def test_a_copy_of_the_policy_elsewhere_finds_the_desks_own_national_days(policy: Path) -> None:
    policy.write_text(TEXT, encoding="utf-8")
    assert load(policy) == load(STANDARD)


def test_a_byte_order_mark_does_no_harm(policy: Path) -> None:
    policy.write_text(TEXT, encoding="utf-8-sig")
    assert load(policy) == load(STANDARD)


@pytest.mark.parametrize("path", [STANDARD, DEMO], ids=lambda path: path.stem)
def test_a_rulebook_is_read_back_from_its_json_as_it_was(path: Path) -> None:
    rulebook = load(path)
    again = Rulebook.model_validate_json(rulebook.dump())
    assert again == rulebook
    assert again.version == rulebook.version


def test_the_version_does_not_hang_on_the_order_that_a_database_keeps_keys_in() -> None:
    def reordered(value: object) -> object:
        if isinstance(value, dict):
            return {key: reordered(value[key]) for key in sorted(value, reverse=True)}
        return [reordered(each) for each in value] if isinstance(value, list) else value

    rulebook = load(STANDARD)
    stored = json.dumps(reordered(json.loads(rulebook.dump())))
    assert Rulebook.model_validate_json(stored).version == rulebook.version


@pytest.mark.program
def test_the_version_is_the_same_in_every_process() -> None:
    program = (
        "import sys; from pathlib import Path; from runtime.rulebook import load;"
        "print(load(Path(sys.argv[1])).version)"
    )
    versions = {
        subprocess.run(
            [sys.executable, "-c", program, str(STANDARD)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert versions == {load(STANDARD).version}


def test_the_demo_lives_in_seconds_and_never_closes() -> None:
    demo = load(DEMO)
    for rule in demo.policy.promises:
        assert isinstance(rule.within, TimeBudget)
        assert rule.within.span.total_seconds() <= 20
        assert rule.clock == "elapsed"
    assert demo.calendars.keys() == load(STANDARD).calendars.keys()
    for calendar in demo.calendars.values():
        assert all(str(hours[0]) == "00:00-24:00" for hours in calendar.week.values())
        assert len(calendar.week) == 7


# --- What is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        (
            'within = "30min"',
            'within = "30 minutes"',
            'promise[1].within: "30 minutes" is no period: write "30min", "2h"',
        ),
        (
            'clock = "elapsed"',
            'clock = "wall"',
            "promise[1].clock: Input should be 'working' or 'elapsed' (found 'wall')",
        ),
        (
            'marks = "major"',
            'marks = "urgent"',
            (
                'promise[1].marks: no [marks] are called "urgent"; there are: approval, call, '
                "callback, calming, feedback, general, hand_over, major, panel, queue, rating, "
                "remedy, reminded, silence, turn"
            ),
        ),
        ("attempts = 3", "atempts = 3", "promise[18].atempts: is not known here"),
        (
            "attempts = 3",
            "attempts = 0",
            'promise[18].attempts: 0, until they are reached, is for a "reply"',
        ),
        (
            'calendar = "always"',
            'calendar = "moon"',
            "promise complaint_response: no calendar moon; there are: centre, always",
        ),
        (
            'hours = ["10:00-14:00", "15:30-19:30"]',
            'hours = ["10:00-14", "15:30-19:30"]',
            'calendars.west.hours[1]: "10:00-14" is no interval: write it like "09:00-12:00"',
        ),
        ('name = "standard"', 'name = "the standard"', "name: String should match pattern"),
        ('give_up_after = "24h"', 'give_up_after = "1 day"', "delivery.give_up_after: "),
        ('legal"', "legal", "no valid TOML: "),
    ],
)
def test_what_is_wrong_is_named_with_line_field_and_reason(
    policy: Path, right: str, wrong: str, says: str
) -> None:
    line = line_of(TEXT, right)
    if "no calendar moon" in says:
        line = line_of(TEXT, 'name = "complaint_response"')
    message = refusal(policy, TEXT.replace(right, wrong, 1))
    assert message.startswith(f"policy.toml, line {line}: {says}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("table", "rest"),
    [
        ("consultation", 'departments = ["sales"]'),
        ("fault_list", 'codes = { A1 = { zh = "甲", en = "A" } }'),
        ("queue", ""),
    ],
)
def test_r37_a_rule_for_a_kind_that_is_not_there_is_named_with_its_own_line(
    policy: Path, table: str, rest: str
) -> None:
    """A rule of another table, further above, has the same name."""
    name = 'name = "customers"'
    text = f'{TEXT}\n[[{table}]]\n{name}\nfor = {{ kind = ["wish"] }}\n{rest}\n'
    message = refusal(policy, text)
    line = line_of(text, name, last=True)
    said = f"policy.toml, line {line}: {table} customers: no kind wish; there are: consultation"
    assert message.startswith(said)


def test_a_wrong_mark_is_named_where_its_list_stands_and_once(policy: Path) -> None:
    at = f"policy.toml, line {line_of(TEXT, 'general = [')}: marks.general[1]"
    right = '{ at = "75%", tell = ["handler"] }'
    message = refusal(policy, TEXT.replace(right, '{ at = "75", tell = ["handler"] }'))
    assert message == f'{at}: "75" is no threshold: write "75%", "100%", "+2h" or "+1 working day"'
    message = refusal(policy, TEXT.replace(right, '{ at = "75%", tell = ["boss"] }'))
    assert message.startswith(f"{at}.tell[1]: Input should be 'customer', 'agent', 'handler'")
    assert "\n" not in message


def test_a_promise_that_nobody_would_see_broken_is_named(policy: Path) -> None:
    message = refusal(policy, TEXT.replace('marks = "panel"', 'marks = [{ at = "75%" }]'))
    *_, before = TEXT.partition('name = "panel"')[0].rpartition("[[promise]]")
    line = line_of(TEXT, f'[[promise]]{before}name = "panel"')
    assert message == (
        f'policy.toml, line {line}: promise[14]: panel: no "100%" among the marks: '
        "nobody would notice a broken promise"
    )


def test_a_category_without_department_is_named(policy: Path) -> None:
    message = refusal(policy, TEXT.replace('software = "software_development"\n', ""))
    line = line_of(TEXT, "[routing]")
    assert message == f"policy.toml, line {line}: routing: no department for software (R4)"


def test_what_is_missing_is_named(policy: Path) -> None:
    message = refusal(policy, TEXT.replace('name = "standard"\n', ""))
    assert message == "policy.toml: name: is missing: add it"


@pytest.mark.parametrize("given", ["days", "hours"])
def test_days_and_hours_of_a_calendar_go_together(policy: Path, given: str) -> None:
    text = f'{TEXT}\n[calendars.half]\n{given} = ["mon"]\n'
    message = refusal(policy, text)
    line = line_of(text, "[calendars.half]")
    assert message.startswith(
        f"policy.toml, line {line}: calendars.half: days and hours go together"
    )


def test_a_country_of_which_nothing_is_known_is_named(policy: Path) -> None:
    text = TEXT.replace('\nnational = "CN"', '\nnational = "QQ"', 1)
    message = refusal(policy, text)
    line = line_of(text, 'national = "QQ"')
    assert message.startswith(f"policy.toml, line {line}: calendars.desk.national: ")
    assert "QQ" in message


def test_a_country_without_notices_has_its_days_from_the_library(policy: Path) -> None:
    policy.write_text(TEXT.replace('\nnational = "CN"', '\nnational = "DE"', 1), encoding="utf-8")
    desk = load(policy).calendar("desk")
    assert not desk.is_working_day(date(2026, 10, 3))
    assert not desk.is_working_day(date(2027, 1, 1))
    assert desk.is_working_day(date(2026, 10, 1))


def test_every_calendar_has_the_days_of_the_country_it_names_and_keeps_its_own() -> None:
    book = load(STANDARD)
    assert book.calendars["desk"].holidays == frozenset()
    assert date(2026, 10, 1) in book.calendar("desk").holidays
    assert book.calendar("always").holidays == frozenset()


@pytest.mark.parametrize("country", ['"../CN"', "86", '["CN"]'])
def test_a_country_is_two_letters_and_no_path(policy: Path, country: str) -> None:
    text = TEXT.replace('\nnational = "CN"', f"\nnational = {country}", 1)
    assert "is no country: write its two letters" in refusal(policy, text)


def test_wrong_national_days_are_named_in_their_own_file(policy: Path) -> None:
    notices = policy.parent / "cn_workdays.json"
    notices.write_text('{"country": "CN",\n oops}', encoding="utf-8")
    assert refusal(policy, TEXT).startswith(f"{notices}, line 2: no valid JSON")
    notices.write_text('{"country": "CN"}', encoding="utf-8")
    assert f"{notices}: years: is missing: add it" in refusal(policy, TEXT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            TEXT.replace("[calendars.", "[hours."),
            f"line {line_of(TEXT, '[calendars.desk]')}: hours: is not known here",
        ),
        (f"calendars = 3\n{WITHOUT_CALENDARS}", "line 1: calendars: write a table"),
        (f"calendars.desk = 3\n{WITHOUT_CALENDARS}", "line 1: calendars.desk: write a table"),
        (WITHOUT_CALENDARS, "no calendar always; there are: centre"),
        (
            TEXT.replace('technical = "', 'technics = "'),
            f"line {line_of(TEXT, 'technical = ' + chr(34))}: routing technics: no such category",
        ),
        ("promise = 3\n" + TEXT.replace("[[promise]]", "[[x]]"), "promise: Input should be"),
        (TEXT.replace("[marks]", "[mark]"), 'no [marks] are called "major"; there are: none'),
        ("", "name: is missing"),
    ],
)
def test_a_file_of_another_shape_is_refused(policy: Path, text: str, says: str) -> None:
    assert says in refusal(policy, text)


def test_a_file_in_another_encoding_is_refused_with_the_line_and_what_to_do(policy: Path) -> None:
    policy.write_bytes(f"# one\n# 热线\n{TEXT}".encode("gb18030", errors="replace"))
    with pytest.raises(RulebookError, match=r"policy\.toml, line 2: not UTF-8 .*save it again"):
        load(policy)


def test_a_file_that_is_not_there_is_named(policy: Path) -> None:
    with pytest.raises(SetupError, match=r"policy\.toml: there is no such file"):
        load(policy)
    with pytest.raises(SetupError, match="cannot be read"):
        load(policy.parent)
