"""What an intake system hands in: what is refused, with which field; and JSON round trips."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from domain.issue.actions import ACTIONS, Accept, ActionName, RecordCallback
from domain.issue.intake import CLOCK_AHEAD, Customer, Intake, issue_id
from domain.issue.lifecycle import decide, register
from domain.issue.state import Issue
from domain.issue.step import DeliveryBatch, Recorded, Step
from domain.vocabulary import LONGEST_TEXT, Instant, Language, Model, Role, Stage
from tests.support.builders import (
    DAY,
    HOUR,
    MONDAY,
    Desk,
    actor,
    an_act,
    an_intake,
    an_issue,
)

MINUTE = timedelta(minutes=1)


def _wrong(**changes: Any) -> tuple[str, str]:
    """Return the field and the reason of the one thing that is wrong, as a system's JSON has it."""
    fields = an_intake().model_dump(mode="json") | changes
    with pytest.raises(ValidationError) as refused:
        Intake.model_validate_json(json.dumps(fields))
    (error,) = refused.value.errors()
    return ".".join(str(part) for part in error["loc"]), error["msg"]


# --- bad input, named ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("source", "", "at least 1 character"),
        ("source", "web:shop", "match pattern"),
        ("reference", "r/1", "match pattern"),
        ("reference", "r" * 65, "at most 64 characters"),
        ("channel", "pigeon", "'telephone', 'website', 'email', 'chat' or 'walk_in'"),
        ("kind", "", "at least 1 character"),
        ("category", "", "at least 1 character"),
        ("severity", "urgent", "'general' or 'major'"),
        ("product_line", None, "valid string"),
        ("region", "two/words", "match pattern"),
        ("agent", "7", "match pattern"),
        ("agent", "12345", "match pattern"),
        ("agent", "a7", "match pattern"),
        ("agent", 7, "valid string"),
        ("title", " ", "at least 1 character"),
        ("title", "one\nline too many", "match pattern"),
        ("title", "t" * 201, "at most 200 characters"),
        ("description", "x" * 5_000_000, "at most 10000 characters"),
        ("reported_at", "2026-11-23T09:00:00", "timezone"),
        ("occurred_at", "2026-11-23T09:00:00", "timezone"),
        ("reported_at", "2026-02-30T09:00:00Z", "valid datetime"),
        ("reported_at", "yesterday", "valid datetime"),
        ("reported_at", "2026-11-23T25:00:00+08:00", "valid datetime"),
        ("telephone", "13800000000", "not permitted"),
    ],
)
def test_what_is_wrong_with_an_intake_is_named_with_its_field(
    field: str, value: Any, reason: str
) -> None:
    where, why = _wrong(**{field: value})
    assert where == field
    assert reason in why


@pytest.mark.parametrize(
    "field",
    [name for name, field in Intake.model_fields.items() if field.is_required()],
)
def test_a_field_that_every_issue_needs_is_asked_for_by_name(field: str) -> None:
    fields = an_intake().model_dump(mode="json")
    del fields[field]
    with pytest.raises(ValidationError) as refused:
        Intake.model_validate(fields)
    assert [(e["loc"], e["type"]) for e in refused.value.errors()] == [((field,), "missing")]


def test_an_issue_needs_who_what_where_and_when_and_nothing_else() -> None:
    needed = {name for name, field in Intake.model_fields.items() if field.is_required()}
    assert needed == {
        *("source", "reference", "channel", "agent", "customer", "reported_at"),
        *("kind", "category", "product_line", "region", "title"),
    }


@pytest.mark.parametrize(
    ("customer", "field", "reason"),
    [
        ({"name": "张伟"}, "customer", "contact missing: give a phone or an email"),
        ({"phone": "021 6100 0000"}, "customer.name", "required"),
        ({"name": "张伟", "phone": "call me"}, "customer.phone", "match pattern"),
        ({"name": "张伟", "phone": "1" * 26}, "customer.phone", "match pattern"),
        ({"name": "张伟", "email": "zhang at example"}, "customer.email", "match pattern"),
        ({"name": "张伟", "email": "a@b c.example"}, "customer.email", "match pattern"),
        ({"name": "张伟", "email": f"{'a' * 250}@b.cn"}, "customer.email", "at most 254"),
        ({"name": "张伟", "fax": "021"}, "customer.fax", "not permitted"),
        ({"name": "张伟", "email": "a@b.cn", "type": "vip"}, "customer.type", "'individual'"),
    ],
)
def test_a_customer_who_cannot_be_recorded_is_refused_with_the_field(
    customer: dict[str, str], field: str, reason: str
) -> None:
    where, why = _wrong(customer=customer)
    assert where == field
    assert reason in why


@pytest.mark.parametrize(
    "contact",
    [
        {"phone": "+86 (021) 6100-0000"},
        {"phone": "95555"},
        {"email": "zhang.wei@mail.customer.example"},
    ],
)
def test_one_way_to_reach_the_customer_is_enough(contact: dict[str, str]) -> None:
    customer = Customer.model_validate({"name": "张伟"} | contact)
    assert customer.model_dump(include=set(contact)) == contact


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reported_at": MONDAY + DAY + MINUTE}, "reported_at: .* lies in the future"),
        ({"occurred_at": MONDAY + DAY + MINUTE}, "occurred_at: .* lies in the future"),
        ({"reported_at": MONDAY - 367 * DAY, "occurred_at": None}, "reported_at: .*366 days ago"),
        (
            {"reported_at": MONDAY - HOUR, "occurred_at": MONDAY - HOUR + 6 * MINUTE},
            "occurred_at: .* before it occurred",
        ),
        (
            {"reported_at": MONDAY - HOUR, "occurred_at": MONDAY + HOUR},
            "occurred_at: .* before it occurred",
        ),
    ],
)
def test_a_date_that_cannot_be_true_is_named(changes: dict[str, Any], field: str) -> None:
    reason = an_intake(**changes).impossible_date(MONDAY)
    assert reason
    assert re.search(field, reason)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reported_at": MONDAY + 5 * MINUTE},
        {"reported_at": MONDAY - 366 * DAY, "occurred_at": None},
        {"occurred_at": MONDAY + 5 * MINUTE},
        {"occurred_at": MONDAY + DAY},
        {"reported_at": MONDAY + DAY, "occurred_at": MONDAY + DAY},
        {"occurred_at": None},
    ],
)
def test_a_date_that_may_be_true_is_taken(changes: dict[str, Any]) -> None:
    assert an_intake(**changes).impossible_date(MONDAY) is None


@pytest.mark.parametrize("ahead", [6 * MINUTE, 8 * HOUR, DAY])
def test_what_a_clock_ahead_of_ours_says_is_taken_for_now_and_noted(ahead: timedelta) -> None:
    said = MONDAY + ahead
    heard = an_intake(reported_at=said, occurred_at=said).as_heard(MONDAY)
    assert (heard.reported_at, heard.occurred_at) == (MONDAY, MONDAY)
    at = said.isoformat(timespec="seconds")
    assert heard.description == (
        f"{an_intake().description}\n\n{CLOCK_AHEAD}: reported_at {at}, occurred_at {at}"
    )
    assert heard.impossible_date(MONDAY) is None
    assert Intake.model_validate_json(heard.model_dump_json()) == heard


@pytest.mark.parametrize(
    "changes", [{}, {"reported_at": MONDAY + 5 * MINUTE}, {"reported_at": MONDAY + 2 * DAY}]
)
def test_what_is_right_hardly_wrong_or_quite_impossible_is_left_as_it_is(
    changes: dict[str, Any],
) -> None:
    intake = an_intake(**changes)
    assert intake.as_heard(MONDAY) is intake


def test_no_word_of_the_customers_is_given_up_for_the_note() -> None:
    words = "字" * LONGEST_TEXT
    heard = an_intake(reported_at=MONDAY + HOUR, description=words).as_heard(MONDAY)
    assert (heard.reported_at, heard.description) == (MONDAY, words)


def test_instants_of_any_zone_are_kept_in_utc() -> None:
    intake = an_intake(reported_at="2026-11-23T09:00:00+08:00")
    assert intake.reported_at == MONDAY
    assert intake.reported_at.tzinfo is UTC


_WRITTEN = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z")),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?Z\Z"
    ),
)
_INSTANT = TypeAdapter(Instant)
_AS_PYDANTIC_READS_IT = TypeAdapter(AwareDatetime)


@given(at=_WRITTEN, spoilt=st.tuples(st.integers(0, 30), st.sampled_from("0:9ZT,.-+ ")) | st.none())
def test_an_instant_is_read_as_pydantic_reads_it_and_refused_where_that_refuses(
    at: str, spoilt: tuple[int, str] | None
) -> None:
    if spoilt:
        place, by = spoilt
        at = at[:place] + by + at[place + 1 :]
    try:
        expected = _AS_PYDANTIC_READS_IT.validate_python(at).astimezone(UTC)
    except (ValidationError, OverflowError):
        with pytest.raises(ValidationError):
            _INSTANT.validate_python(at)
    else:
        found = _INSTANT.validate_python(at)
        assert (found, found.tzinfo) == (expected, UTC)


def test_blanks_around_what_was_typed_are_dropped() -> None:
    intake = an_intake(reference=" r-1 ", title="  Card reader\t")
    assert (intake.reference, intake.title) == ("r-1", "Card reader")


def test_an_intake_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        an_intake().title = "another"  # type: ignore[misc]


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+08:00"])
def test_an_instant_at_the_edge_of_time_is_refused_by_its_field(at: str) -> None:
    assert _wrong(reported_at=at)[0] == "reported_at"


@pytest.mark.parametrize("agent", ["０７", "٠٧"])
def test_an_agents_number_is_written_in_ascii_digits(agent: str) -> None:
    assert _wrong(agent=agent)[0] == "agent"


@pytest.mark.parametrize("field", ["title", "description", "site"])
def test_a_nul_character_is_refused_by_its_field(field: str) -> None:
    assert _wrong(**{field: "card\x00reader"})[0] == field


CODES = st.text("abcdefgh0123456789.+-_", min_size=1, max_size=12)


@given(CODES, CODES, CODES, CODES)
def test_two_references_of_any_sources_never_make_the_same_issue(
    source: str, reference: str, other_source: str, other_reference: str
) -> None:
    one, other = (
        an_intake(source=s, reference=r).issue_id
        for s, r in ((source, reference), (other_source, other_reference))
    )
    assert one == issue_id(source, reference) == f"issue:{source}:{reference}"
    assert (one == other) == ((source, reference) == (other_source, other_reference))


# --- actions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"reached": False, "running": True}, "reached: .* cannot have answered"),
        ({"reached": False, "satisfied": False}, "reached: .* cannot have answered"),
        ({"reached": True, "running": True, "words": "x" * 10_001}, "at most 10000"),
    ],
)
def test_a_callback_that_contradicts_itself_is_refused(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RecordCallback.model_validate({"by": actor(Role.CLERK)} | said)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("report_progress", "note"),
        ("wait_for_customer", "reason"),
        ("reassign", "reason"),
        ("resolve", "result"),
        ("escalate", "reason"),
        ("withdraw", "reason"),
    ],
)
@pytest.mark.parametrize("empty", ["", "  \n ", "x" * 10_001])
def test_an_action_that_owes_its_words_names_the_field(name: str, field: str, empty: str) -> None:
    with pytest.raises(ValidationError) as refused:
        an_act(ActionName(name), actor(Role.LEAD), **{field: empty})
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


def test_an_action_says_when_in_a_zone_and_who_acts() -> None:
    with pytest.raises(ValidationError) as refused:
        Accept.model_validate({"at": "2026-11-23T09:00:00"})
    assert {error["loc"] for error in refused.value.errors()} == {("by",), ("at",)}


# --- JSON round trips, as Temporal's converter makes them ----------------------------------------


def _round_trip(value: Model) -> Model:
    return type(value).model_validate_json(value.model_dump_json())


WRITTEN = st.characters(codec="utf-8", exclude_characters="\x00")
TEXTS = st.text(WRITTEN, max_size=200)
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200)
INSTANTS = st.datetimes(
    min_value=datetime(2025, 12, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2026, 11, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@given(description=TEXTS, name=LINES, reported_at=INSTANTS)
def test_an_intake_comes_back_from_json_as_it_was(
    description: str, name: str, reported_at: datetime
) -> None:
    line = " ".join(name.split()) or "张伟"
    intake = an_intake(
        description=description,
        reported_at=reported_at,
        customer={"name": line, "phone": "95555"},
    )
    assert _round_trip(intake) == intake
    assert intake.reported_at == reported_at.astimezone(UTC)


@pytest.mark.parametrize("stage", Stage)
def test_an_issue_of_any_stage_comes_back_from_json_as_it_was(stage: Stage) -> None:
    issue = an_issue(stage)
    assert _round_trip(issue) == issue


@given(words=st.text(WRITTEN, min_size=1, max_size=300).filter(str.strip))
def test_an_issue_that_people_wrote_into_comes_back_from_json_as_it_was(words: str) -> None:
    issue = Desk().do(an_issue(), ActionName.REPORT_PROGRESS, actor(Role.ENGINEER), note=words)
    issue = Desk().do(issue, ActionName.RESOLVE, actor(Role.ENGINEER), result=words)
    assert Issue.model_validate_json(issue.model_dump_json()) == issue


STEPS: list[Step] = [
    register(an_intake(), MONDAY),
    *(
        decide(
            an_issue(stage), name, an_act(name, actor(role), **said), an_issue(stage).last_at + DAY
        )
        for name, stage, role, said in (
            (ActionName.ACCEPT, Stage.ASSIGNED, Role.LEAD, {"expected_at": MONDAY + 2 * DAY}),
            (ActionName.WAIT_FOR_CUSTOMER, Stage.IN_PROGRESS, Role.ENGINEER, {}),
            (ActionName.RESUME, Stage.WAITING, Role.AGENT, {"note": "done 好了"}),
            (ActionName.REASSIGN, Stage.WAITING, Role.LEAD, {"to": "e02"}),
            (ActionName.RESOLVE, Stage.WAITING, Role.ENGINEER, {}),
            (ActionName.RECORD_CALLBACK, Stage.REPLIED, Role.CLERK, {"running": False}),
            (ActionName.THRESHOLD, Stage.ASSIGNED, Role.SYSTEM, {}),
            (ActionName.HAND_OVER, Stage.CLOSED, Role.SYSTEM, {}),
            (ActionName.WITHDRAW, Stage.WAITING, Role.AGENT, {}),
        )
    ),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step.action))
def test_a_step_and_what_the_register_answers_come_back_from_json_as_they_were(step: Step) -> None:
    assert _round_trip(step) == step
    errand = DeliveryBatch(
        keys=("k",),
        reply=1,
        give_up_after=DAY,
        first_retry=timedelta(seconds=1.5),
        longest_retry=HOUR,
    )
    recorded = Desk(engineer=None).record(step).model_copy(update={"errand": errand})
    assert Recorded.model_validate_json(recorded.model_dump_json()) == recorded


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_comes_back_from_json_as_it_was_and_its_words_go_into_the_step(
    name: ActionName,
) -> None:
    act = an_act(name, actor(Role.LEAD), at=MONDAY)
    assert _round_trip(act) == act


# --- the language of a customer ------------------------------------------------------------------


def test_a_customer_without_a_language_is_told_apart_as_before_there_were_any() -> None:
    intake = an_intake()
    assert "language" not in intake.model_dump_json()
    assert intake.digest == "9f124f47ecaa82f8"  # as it was then
    assert Intake.model_validate_json(intake.model_dump_json()) == intake


def test_a_customer_with_a_language_keeps_it() -> None:
    customer = an_intake().customer.model_dump(mode="json")
    english = an_intake(customer=customer | {"language": "en"})
    assert english.customer.language is Language.EN
    assert Intake.model_validate_json(english.model_dump_json()) == english
    assert english.digest != an_intake().digest
    assert _wrong(customer=customer | {"language": "fr"}) == (
        "customer.language",
        "Input should be 'zh' or 'en'",
    )
