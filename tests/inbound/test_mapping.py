"""Mapping files: what other systems send becomes an intake, or it is said what is wrong."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import InputError
from domain.issue.intake import Intake
from domain.texts import can_be_seen
from domain.vocabulary import Channel, CustomerType, Language, Severity
from inbound.mapping import Form, Ignored, Unusable, read_file
from inbound.shelf import Shelf
from runtime.settings import ROOT
from tests.support.running_desk import run_yinuo

EXAMPLES = ROOT / "examples" / "inbound"
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

SYSTEM: dict[str, Any] = {
    "source": "portal",
    "from": {
        "reference": "id",
        "title": "title",
        "kind": "kind",
        "reported_at": "at",
        "customer.name": "who.name || who.company",
        "customer.phone": "who.phone",
        "customer.existing": "who.known",
    },
    "fixed": {
        "channel": "website",
        "category": "technical",
        "product_line": "ATM",
        "region": "广东",
        "agent": "00",
    },
    "defaults": {"kind": "consultation", "customer.name": "somebody"},
}
SENT: dict[str, Any] = {
    "id": "P-1",
    "title": "card stuck",
    "kind": "fault",
    "who": {"name": "张伟", "phone": "+86 138 0000 0001", "known": True},
}


def form(**changes: Any) -> Form:
    return Form.model_validate(SYSTEM | changes)


def wrong_with(theirs: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(Unusable) as refused:
        form(**changes).read(theirs, NOW)
    return dict(refused.value.wrong)


def sample(name: str) -> dict[str, Any]:
    theirs: dict[str, Any] = json.loads((EXAMPLES / name).read_text("utf-8"))
    return theirs


def test_the_call_centres_event_becomes_an_intake() -> None:
    intake = read_file(EXAMPLES / "cti.toml").read(sample("cti.json"), NOW)
    assert (intake.source, intake.agent, intake.ring_seconds) == ("cti", "07", 7)
    assert (intake.channel, intake.kind) == (Channel.TELEPHONE, "fault")
    assert (intake.product_line, intake.region) == ("ATM", "广东")
    assert intake.severity is Severity.MAJOR
    assert intake.customer.phone == "+862055500101"
    assert intake.reported_at == datetime(2026, 11, 16, 1, 12, 40, tzinfo=UTC)


def test_a_caller_who_presses_nine_complains_about_the_service() -> None:
    intake = read_file(EXAMPLES / "cti.toml").read(sample("cti.json") | {"ivr": ["2", "9"]}, NOW)
    assert (intake.product_line, intake.kind) == ("KIOSK", "complaint")
    assert intake.category == "service"


def test_an_event_that_is_not_about_an_issue_is_ignored() -> None:
    with pytest.raises(Ignored):
        read_file(EXAMPLES / "cti.toml").read({"event": "hangup"}, NOW)


def test_the_web_form_in_chinese_becomes_an_intake() -> None:
    intake = read_file(EXAMPLES / "webform.toml").read(sample("webform.json"), NOW)
    assert (intake.source, intake.reference) == ("web", "W2026111600031")
    assert (intake.title, intake.kind) == ("自助缴费机：打印凭条时卡纸", "fault")
    assert (intake.product_line, intake.customer.phone) == ("KIOSK", "+862055500202")
    assert intake.customer.type is CustomerType.ENTERPRISE
    assert intake.reported_at == datetime(2026, 11, 16, 1, 5, tzinfo=UTC)


def test_fields_that_no_mapping_names_are_left_alone() -> None:
    assert form().read(SENT | {"colour": "red"}, NOW) == form().read(SENT, NOW)


@pytest.mark.parametrize("unseen", ["\u200b\u2060", "\u3164", "\u2028 \ufeff"])
def test_what_shows_nothing_is_left_out(unseen: str) -> None:
    who = {"name": unseen, "phone": "5550101"}
    intake = form().read({"id": "P-1", "title": "x", "kind": unseen, "who": who}, NOW)
    assert (intake.kind, intake.customer.name) == ("consultation", "somebody")
    assert wrong_with(SENT | {"title": unseen})["title"].startswith("is missing: add it")


def test_what_they_leave_out_is_the_default_or_now() -> None:
    intake = form().read({"id": "P-1", "title": "x", "who": {"phone": "5550101"}}, NOW)
    assert (intake.kind, intake.customer.name) == ("consultation", "somebody")
    assert intake.reported_at == NOW


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ({"name": "张伟", "company": "天河支行"}, "张伟"),
        ({"name": "", "company": "天河支行"}, "天河支行"),
        ({"name": None}, "somebody"),
    ],
)
def test_the_first_place_that_holds_something_counts(who: dict[str, Any], name: str) -> None:
    theirs = SENT | {"who": who | {"phone": "5550101"}}
    assert form().read(theirs, NOW).customer.name == name


def test_what_is_fixed_goes_before_what_they_send_and_a_rule_before_both() -> None:
    rule = {"if": "contains(title, 'smoke')", "set": {"kind": "complaint", "severity": "major"}}
    mapping = form(fixed=SYSTEM["fixed"] | {"kind": "suggestion"}, when=[rule])
    assert mapping.read(SENT, NOW).kind == "suggestion"
    burning = mapping.read(SENT | {"title": "smoke"}, NOW)
    assert (burning.kind, burning.severity) == ("complaint", Severity.MAJOR)


def test_a_rule_about_something_they_did_not_send_does_not_hold() -> None:
    rule = {"if": "contains(note, 'smoke')", "set": {"kind": "complaint"}}
    assert form(when=[rule]).read(SENT, NOW).kind == "fault"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("报修", "fault"), (3, "complaint"), (True, "suggestion"), ("?", "consultation")],
)
def test_their_words_are_looked_up_in_the_table(theirs: Any, ours: str) -> None:
    table = {"报修": "fault", "3": "complaint", "true": "suggestion", "*": "consultation"}
    mapping = form(values={"kind": table})
    assert mapping.read(SENT | {"kind": theirs}, NOW).kind == ours


def test_a_customers_language_is_taken_from_their_words() -> None:
    theirs = SENT | {"lang": "English"}
    places = SYSTEM["from"] | {"customer.language": "lang"}
    words = {"customer.language": {"English": "en", "*": "zh"}}
    read = form(**{"from": places, "values": words}).read(theirs, NOW)
    assert read.customer.language is Language.EN
    assert form(**{"from": places}).read(SENT, NOW).customer.language is None


def test_a_word_that_a_table_without_a_star_lacks_is_refused_by_its_place() -> None:
    wrong = wrong_with(SENT | {"kind": "secret wish"}, values={"kind": {"报修": "fault"}})
    assert wrong.keys() == {"kind"}
    assert "(from `kind`)" in wrong["kind"]
    assert "secret wish" not in wrong["kind"]


@pytest.mark.parametrize(
    ("time", "written", "hour"),
    [
        ({}, "2026-11-23T09:00:00", 1),
        ({}, "2026-11-23T09:00:00+09:00", 0),
        ({"zone": "Asia/Urumqi"}, "2026-11-23T09:00:00", 3),
        ({"format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}, "23.11.2026 09:00", 8),
        ({"format": "%Y-%m-%d %H:%M%z"}, "2026-11-23 09:00+0000", 9),
    ],
)
def test_their_times_are_read_as_they_write_them(
    time: dict[str, str], written: str, hour: int
) -> None:
    intake = form(time=time).read(SENT | {"at": written}, NOW)
    assert intake.reported_at == datetime(2026, 11, 23, hour, tzinfo=UTC)


def test_a_time_in_another_format_is_refused_by_its_place() -> None:
    wrong = wrong_with(SENT | {"at": "yesterday"})
    assert "(from `at`)" in wrong["reported_at"]


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("tel:+86 (20) 5550-0101", "+862055500101"),
        ("０２０－５５５０ ０１０１", "+862055500101"),
        ("020-55500101转801", "+862055500101(801)"),
        ("电话：13800000001", "+8613800000001"),
        (13800000001, "+8613800000001"),
        (13800000001.0, "+8613800000001"),
    ],
)
def test_a_number_is_kept_in_one_spelling_however_they_write_it(written: Any, ours: str) -> None:
    theirs = SENT | {"who": {"name": "x", "phone": written}}
    assert form().read(theirs, NOW).customer.phone == ours


def test_everything_that_is_missing_is_named_with_where_it_should_have_come_from() -> None:
    wrong = wrong_with({"who": {"name": "张伟"}})
    assert wrong.keys() == {"reference", "title", "customer"}
    assert wrong["title"] == "is missing: add it (from `title`)"
    assert "give a phone or an email" in wrong["customer"]


@example(reference="\ud800")
@given(reference=st.text(min_size=1).filter(str.strip))
def test_any_reference_of_theirs_is_always_the_same_one_of_ours(reference: str) -> None:
    first, again = (form().read(SENT | {"id": reference}, NOW).reference for _ in range(2))
    assert first == again


@given(one=st.text(alphabet="/ #中a", min_size=1), other=st.text(alphabet="/ #中a", min_size=1))
def test_references_that_differ_stay_different(one: str, other: str) -> None:
    if one.strip() and other.strip() and one.strip() != other.strip():
        ours = {form().read(SENT | {"id": each}, NOW).reference for each in (one, other)}
        assert len(ours) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(theirs=st.dictionaries(st.sampled_from(["id", "title", "kind", "at", "who"]), JSON))
def test_whatever_they_send_becomes_an_intake_or_is_refused_by_its_field(
    theirs: dict[str, Any],
) -> None:
    wrong: list[tuple[str, str]] = []
    try:
        intake = form().read(theirs, NOW)
        assert Intake.model_validate_json(intake.model_dump_json()) == intake
    except Unusable as unusable:
        wrong = unusable.wrong
    assert all(field and reason for field, reason in wrong)


@example(title="中" * 201)
@given(title=st.text(min_size=1, max_size=300).filter(can_be_seen))
def test_a_title_of_any_length_is_one_line_of_ours(title: str) -> None:
    taken = form().read(SENT | {"title": title}, NOW).title
    assert 0 < len(taken) <= 200
    assert not any(c < " " or c == "\x7f" for c in taken)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"from": {"title": "title"}}, "reference is missing"),
        ({"from": {"reference": "id", "colour": "c"}}, "from: colour is no field of ours"),
        ({"fixed": {"colour": "red"}}, "fixed: colour is no field of ours"),
        ({"when": [{"if": "a", "set": {"colour": "red"}}]}, "when.1.set: colour is no field"),
        ({"from": {"reference": "call..id"}}, "from.reference: is no JMESPath expression"),
        ({"only": "event = 'x'"}, "only: is no JMESPath expression"),
        ({"time": {"zone": "Mars/Base"}}, "time.zone"),
        ({"source": "two words"}, "source"),
        ({"form": {}}, "form: is not known here"),
    ],
)
def test_a_mapping_file_that_cannot_be_is_refused_with_its_key(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = tmp_path / "portal.toml"
    path.write_text(_toml(SYSTEM | changes), "utf-8")
    with pytest.raises(InputError) as refused:
        read_file(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)


def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "portal.toml"
    path.write_text('source = "portal"\n[from\n', "utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_file(path)


def test_a_changed_file_counts_at_once_and_a_broken_one_leaves_the_last(tmp_path: Path) -> None:
    path, shelf = tmp_path / "portal.toml", Shelf(tmp_path)
    assert shelf.get("portal") is None

    def written(text: str, second: int) -> None:
        path.write_text(text, "utf-8")
        os.utime(path, (second, second))

    written(_toml(SYSTEM), 1)
    assert (first := shelf.get("portal")) is not None
    written("broken", 2)
    assert shelf.get("portal") == first
    written(_toml(SYSTEM | {"source": "other"}), 3)
    assert (changed := shelf.get("portal")) is not None
    assert changed.source == "other"
    path.unlink()
    assert shelf.get("portal") is None


@pytest.mark.parametrize("name", ["../portal", "Portal", "", "a/b", "portal.toml"])
def test_a_name_reaches_no_other_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "portal.toml").write_text(_toml(SYSTEM), "utf-8")
    assert Shelf(tmp_path / "shelf").get(name) is None


def test_the_command_shows_what_would_become_of_a_sample() -> None:
    example = [str(EXAMPLES / name) for name in ("cti.toml", "cti.json")]
    shown = run_yinuo("inbound", "check", *example)
    assert shown.code == 0
    assert "customer.phone         +862055500101" in shown.out
    assert run_yinuo("inbound", "check", *example, "--json").json["agent"] == "07"
    assert "is sound" in run_yinuo("inbound", "check", example[0]).err


def test_the_command_says_what_is_wrong_with_a_sample(tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_text('{"event": "ticket.requested"}', "utf-8")
    (tmp_path / "hangup.json").write_text('{"event": "hangup"}', "utf-8")
    (tmp_path / "list.json").write_text("[]", "utf-8")
    mapping = str(EXAMPLES / "cti.toml")
    wrong = run_yinuo("inbound", "check", mapping, str(tmp_path / "theirs.json"))
    assert wrong.code == 2
    assert "title: is missing: add it (from `ticket.subject`)" in wrong.err
    ignored = run_yinuo("inbound", "check", mapping, str(tmp_path / "hangup.json"))
    assert (ignored.code, "ignored" in ignored.err) == (0, True)
    assert run_yinuo("inbound", "check", mapping, str(tmp_path / "list.json")).code == 2


def test_the_oldest_time_there_is_is_refused_and_no_fault() -> None:
    wrong = wrong_with(SENT | {"at": (datetime.min + timedelta(hours=1)).isoformat()})  # noqa: DTZ901
    assert wrong.keys() == {"reported_at"}


def _toml(table: dict[str, Any]) -> str:
    """Write a table as TOML, in which JSON's strings, numbers and lists are written alike."""
    return "".join(f"{json.dumps(name)} = {_inline(value)}\n" for name, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
