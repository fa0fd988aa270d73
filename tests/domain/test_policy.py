"""Policies: which rule is for which issue, what a period and a threshold may look like."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.calendars.calendar import WEEKDAYS, WorkingCalendar
from domain.calendars.periods import TimeBudget, WorkingDays, read_period
from domain.sla.policy import Desk, Policy, Reports, Selector, ThresholdRule
from domain.sla.promise import PromiseKind
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Audience, Language, Role
from runtime.rulebook import load as rulebook_of
from runtime.settings import ROOT
from tests.support.rulebooks import facts, policy, rule

ALWAYS = WorkingCalendar.model_validate(
    {"name": "always", "zone": "Asia/Shanghai", "week": {day: ["00:00-24:00"] for day in WEEKDAYS}}
)


def chosen(rules: Policy, **changes: Any) -> str | None:
    found = rules.rule(PromiseKind.RESPONSE, facts(**changes))
    return found.name if found else None


# --- Which rule ----------------------------------------------------------------------------------


def test_the_first_rule_that_fits_wins() -> None:
    rules = policy(
        rule("major", **{"for": {"severity": ["major"]}}),
        rule("complaint", **{"for": {"kind": ["complaint"]}}),
        rule("rest"),
    )
    assert chosen(rules, kind="complaint", severity="major") == "major"
    assert chosen(rules, kind="complaint") == "complaint"
    assert chosen(rules) == "rest"


def test_r36_a_queue_is_for_those_it_names_and_has_an_end() -> None:
    enquiries = {"name": "enquiries", "for": {"channel": ["email", "chat"], "kind": ["sales"]}}
    held = rule("held", promise="hand_over", **{"for": {"channel": ["email"]}})
    rules = policy(held, queue=[enquiries])
    assert rules.queue(facts(kind="sales", channel="email")) == "enquiries"
    assert rules.queue(facts(kind="sales", channel="chat")) is None, "nothing would take it out"
    assert rules.queue(facts(kind="fault", channel="email")) is None
    assert rules.queue(facts(kind="sales")) is None
    assert policy(held).queue(facts(kind="sales", channel="email")) is None
    with pytest.raises(ValidationError, match='queue enquiries: no promise "hand_over"'):
        policy(rule("r"), queue=[enquiries])


def test_what_a_selector_leaves_out_matches_everything_and_what_it_names_must_all_fit() -> None:
    rules = policy(rule("both", **{"for": {"kind": ["fault", "complaint"], "region": ["广东"]}}))
    assert chosen(rules) == "both"
    assert chosen(rules, kind="complaint", product_line="KIOSK", severity="major") == "both"
    assert chosen(rules, region="上海") is None
    assert chosen(rules, kind="sales") is None


@pytest.mark.parametrize(
    ("field", "wanted", "other"),
    [
        ("kind", "fault", "sales"),
        ("severity", "general", "major"),
        ("category", "technical", "service"),
        ("product_line", "ATM", "KIOSK"),
        ("region", "广东", "上海"),
        ("centre", "guangzhou", "shanghai"),
        ("customer", "enterprise", "individual"),
        ("existing", True, False),
        ("first_contact", False, True),
        ("channel", "telephone", "email"),
    ],
)
def test_a_rule_can_ask_for_every_fact(field: str, wanted: object, other: object) -> None:
    rules = policy(rule("this", **{"for": {field: [wanted]}}))
    assert chosen(rules) == "this"
    assert chosen(rules, **{field: other}) is None


def test_a_rule_is_only_for_its_own_kind_of_promise() -> None:
    rules = policy(rule("response"))
    assert rules.rule(PromiseKind.CALLBACK, facts()) is None
    assert rules.considered(PromiseKind.CALLBACK, facts()) == ()


def test_a_match_is_explained_rule_by_rule_and_every_mismatch_is_named() -> None:
    rules = policy(
        rule("far", **{"for": {"severity": ["major"], "kind": ["fault"], "region": ["西藏"]}}),
        rule("call", promise="callback"),
        rule("this", **{"for": {"kind": ["fault"]}}),
        rule("rest"),
        rule("other", **{"for": {"customer": ["individual"]}}),
    )
    considered = rules.considered(PromiseKind.RESPONSE, facts())
    assert [(each.rule.name, each.mismatches, each.taken) for each in considered] == [
        ("far", ("severity", "region"), False),
        ("this", (), True),
        ("rest", (), False),  # would fit, but the first match wins
        ("other", ("customer",), False),
    ]
    assert chosen(rules) == "this"


def test_where_no_rule_fits_each_says_why() -> None:
    rules = policy(rule("major", **{"for": {"severity": ["major"]}}))
    (only,) = rules.considered(PromiseKind.RESPONSE, facts())
    assert (only.mismatches, only.taken) == (("severity",), False)
    assert chosen(rules) is None


def test_a_mismatch_is_named_for_every_fact_a_rule_can_ask_for() -> None:
    elsewhere = {name: ["elsewhere"] for name in ("product_line", "region", "centre")}
    other = {"kind": ["sales"], "severity": ["major"], "category": ["commerce"]}
    who = {"customer": ["individual"], "existing": [False], "first_contact": [True]}
    how = {"channel": ["chat"], "in_writing": [False]}
    select = Selector.model_validate(other | elsewhere | who | how)
    assert set(select.mismatches(facts())) == set(Selector.model_fields)
    assert not select.matches(facts())
    assert Selector().mismatches(facts()) == ()


# --- Periods and thresholds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("0.5s", 0.5), ("30min", 1800), ("2h", 7200), ("2 h", 7200), ("1d", 86_400)],
)
def test_a_period_in_time_is_read(text: str, seconds: float) -> None:
    period = read_period(text)
    assert period == TimeBudget(span=timedelta(seconds=seconds), written=text)
    assert str(period) == text


@pytest.mark.parametrize(("text", "days"), [("1 working day", 1), ("3 working days", 3)])
def test_a_period_in_working_days_is_read(text: str, days: int) -> None:
    period = read_period(text)
    assert period == WorkingDays(days=days)
    assert str(period) == text


@pytest.mark.parametrize(
    "text", ["", "2", "h", "2 hours", "-2h", "3 days", "1,5h", "2h30min", "³h"]
)
def test_what_is_no_period_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is no period: write"):
        read_period(text)


@pytest.mark.parametrize("within", ["0h", "0 working days"])
def test_a_promise_takes_longer_than_no_time(within: str) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        policy(rule("at_once", within=within))


@pytest.mark.parametrize(("at", "share"), [("1%", 0.01), ("75%", 0.75), ("100%", 1.0)])
def test_a_threshold_can_be_a_share_of_the_promised_time(at: str, share: float) -> None:
    assert ThresholdRule(at=at).share == share


def test_a_threshold_can_lie_after_the_due_instant() -> None:
    assert ThresholdRule(at="+2h").after_due == TimeBudget(span=timedelta(hours=2), written="2h")
    assert ThresholdRule(at="+1 working day").after_due == WorkingDays(days=1)
    assert ThresholdRule(at="+2h").share is None


@pytest.mark.parametrize("at", ["0%", "101%", "75", "75 %", "2h", "-2h", "+", "+2", "+0h", "+75%"])
def test_what_is_no_threshold_is_refused(at: str) -> None:
    with pytest.raises(ValidationError, match=r"is no (threshold|period)|greater than 0"):
        ThresholdRule(at=at)


def test_a_promise_whose_breaking_nobody_would_notice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r'quiet: no "100%" among the marks'):
        policy(rule("quiet", marks=[{"at": "75%"}]))


def test_a_mark_says_who_is_told_and_how_high_the_issue_rises() -> None:
    mark = ThresholdRule.model_validate({"at": "+2h", "tell": ["manager"], "level": "manager"})
    assert (mark.tell, mark.level) == ((Audience.MANAGER,), Role.MANAGER)


# --- The whole -----------------------------------------------------------------------------------


def test_a_category_without_a_department_is_refused() -> None:
    with pytest.raises(ValidationError, match="no department for software, out_of_scope"):
        policy(routing={"technical": "a", "service": "b", "commerce": "c"})


def test_messages_are_tried_in_elapsed_time() -> None:
    with pytest.raises(ValidationError, match="channels are tried day and night"):
        policy(
            delivery={"give_up_after": "1 working day", "first_retry": "1s", "longest_retry": "1h"}
        )


def test_a_promise_on_a_calendar_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="promise lost: no calendar moon; there are: centre"):
        Rulebook(policy=policy(rule("lost", calendar="moon")), calendars={"always": ALWAYS})


def test_a_rulebook_has_another_version_when_one_figure_changes() -> None:
    two, three = (
        Rulebook(policy=policy(rule("r", within=within)), calendars={"always": ALWAYS})
        for within in ("2h", "3h")
    )
    assert two.version != three.version


@pytest.mark.parametrize("what", ["promise", "notice"])
def test_two_rules_of_one_name_could_not_be_told_apart(what: str) -> None:
    notices = [{"name": name, "when": "at once"} for name in ("this", "that")]
    promises = [rule("this"), rule("that", promise="callback")]
    assert policy(*promises, notice=notices).promises
    twice: list[dict[str, Any]] = {"promise": promises, "notice": notices}[what]
    twice[1]["name"] = "this"
    with pytest.raises(ValidationError, match=f"{what} this: there are two of this name"):
        policy(*promises, notice=notices)


# --- When the last working day is over -----------------------------------------------------------


def test_working_days_end_at_close_of_business_unless_the_rule_says_at_the_same_time() -> None:
    rules = policy(
        rule("close", within="3 working days"),
        rule("then", within="3 working days", ends="same time"),
    )
    assert [each.ends for each in rules.promises] == ["close", "same time"]


def test_only_working_days_have_an_end_of_their_own() -> None:
    with pytest.raises(ValidationError, match='r: ends = "same time" is for working days'):
        policy(rule("r", within="24h", ends="same time"))
    with pytest.raises(ValidationError, match="'close' or 'same time'"):
        policy(rule("r", within="3 working days", ends="noon"))


# --- When the desk's people are told (R13) -------------------------------------------------------


def test_the_first_notice_rule_that_fits_says_when_the_desk_is_told() -> None:
    rules = policy(
        rule("r"),
        notice=[
            {"name": "major", "for": {"severity": ["major"]}, "when": "at once"},
            {"name": "complaint", "for": {"kind": ["complaint"]}, "when": "at once"},
            {"name": "rest", "when": "working hours"},
        ],
    )
    assert rules.told(facts()) == "working hours"
    assert rules.told(facts(kind="complaint")) == "at once"
    assert rules.told(facts(severity="major")) == "at once"


def test_the_desk_is_told_at_once_where_no_notice_rule_says_otherwise() -> None:
    for_complaints = {"name": "c", "for": {"kind": ["complaint"]}, "when": "working hours"}
    assert policy(rule("r")).told(facts(kind="complaint")) == "at once"
    assert policy(rule("r"), notice=[for_complaints]).told(facts()) == "at once"
    assert policy(rule("r"), notice=[for_complaints]).told(facts(kind="complaint")) == (
        "working hours"
    )


def test_a_notice_is_given_at_once_or_in_working_hours() -> None:
    with pytest.raises(ValidationError, match="'at once' or 'working hours'"):
        policy(rule("r"), notice=[{"name": "n", "when": "tomorrow"}])


# --- What is not a promise (R4, R16, R17, R28) ----------------------------------------------------


def test_the_first_route_that_fits_goes_before_the_category() -> None:
    rules = policy(
        rule("r"),
        route=[
            {"name": "new", "for": {"existing": [False]}, "department": "sales"},
            {"name": "sales", "for": {"kind": ["sales"]}, "department": "success"},
        ],
    )
    assert rules.department(facts(kind="sales", existing=False)) == "sales"
    assert rules.department(facts(kind="sales")) == "success"
    assert rules.department(facts()) == "service"


def test_nothing_changes_hands_at_the_end_of_a_shift_unless_a_rule_says_so() -> None:
    assert not policy(rule("r")).relieved(facts(severity="major"))
    relief = [{"name": "major", "for": {"severity": ["major"]}}]
    assert policy(rule("r"), relief=relief).relieved(facts(severity="major"))
    assert not policy(rule("r"), relief=relief).relieved(facts())


@pytest.mark.parametrize(("written", "share"), [("20%", 0.2), ("100%", 1.0), (0.15, 0.15)])
def test_a_share_is_written_in_per_cent(written: object, share: float) -> None:
    assert policy(rule("r"), standby={"share": written}).standby.share == share


@pytest.mark.parametrize("written", ["120%", "-5%", "a fifth", "20 %", 1.5])
def test_a_share_that_is_none_is_refused_by_field(written: object) -> None:
    with pytest.raises(ValidationError, match="share"):
        policy(rule("r"), standby={"share": written})


@pytest.mark.parametrize("limit", ["-1", "0.001", "much"])
def test_a_limit_that_is_no_price_is_refused_by_field(limit: str) -> None:
    with pytest.raises(ValidationError, match="approval_above"):
        policy(rule("r"), paid_service={"approval_above": limit})


@pytest.mark.parametrize("what", ["route", "relief"])
def test_two_rules_of_one_name_are_refused(what: str) -> None:
    rules = [{"name": "n", "department": "sales"} if what == "route" else {"name": "n"}] * 2
    with pytest.raises(ValidationError, match=f"{what} n: there are two of this name"):
        policy(rule("r"), **{what: rules})


# --- who writes ----------------------------------------------------------------------------------


def test_a_desk_that_says_nothing_of_itself_writes_chinese_and_leaves_its_rulebook_as_it_was() -> (
    None
):
    silent = policy(rule("rest"))
    assert silent.desk == Desk()
    assert silent.desk.language is Language.ZH
    rulebook = Rulebook(policy=silent, calendars={"always": ALWAYS})
    assert "desk" not in rulebook.dump()


def test_a_desk_says_who_it_is_in_both_languages_or_in_one_for_both() -> None:
    desk = Desk.model_validate(
        {"company": {"zh": "华信服务", "en": "Huaxin"}, "sign_off": "Yinuo", "hotline": "400-1"}
    )
    assert [desk.company.said(language) for language in Language] == ["华信服务", "Huaxin"]
    assert [desk.sign_off.said(language) for language in Language] == ["Yinuo", "Yinuo"]


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"company": "长" * 61}, "company.zh"),
        ({"hotline": "400\n800"}, "hotline"),
        ({"language": "fr"}, "language"),
        ({"company": {"de": "Firma"}}, "company.de"),
        ({"phone": "400"}, "phone"),
    ],
)
def test_what_a_desk_cannot_say_of_itself_is_refused_by_field(
    written: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Desk.model_validate(written)
    assert ".".join(map(str, refused.value.errors()[0]["loc"])) == field


# --- Reports -------------------------------------------------------------------------------------


def test_r27_a_policy_says_who_is_sent_which_report_and_the_regulation_where_it_does_not() -> None:
    told = policy(rule("r"), reports={"to": {"effectiveness": ["lead"], "pay": []}}).reports
    assert told.readers("effectiveness") == (Role.LEAD,)
    assert told.readers("callbacks") == (Role.GM_OFFICE,)
    assert told.readers("answered") == (), "it is looked at, and not issued"
    assert told.unread == ("pay",)
    assert Reports().unread == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"at": "8.30"}, '"8.30" is no time of day: write it like "08:30"'),
        ({"at": 830}, "is no time of day"),
        ({"to": {"callback": ["lead"]}}, "no report callback is issued; there are: callbacks, "),
        ({"to": {"callbacks": ["customer"]}}, "reports.to.callbacks.0"),
        ({"digest": ["gm_office"]}, "reports.digest.0"),
    ],
)
def test_reports_that_nobody_could_issue_are_refused_by_field(
    said: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        policy(rule("r"), reports=said)
    assert why in str(refused.value)


def test_reports_are_issued_by_the_named_calendar_or_the_desks_or_monday_to_friday() -> None:
    def on(calendars: dict[str, WorkingCalendar], **said: str) -> WorkingCalendar:
        rules = policy(rule("r", calendar="centre"), reports=said)
        return Rulebook(policy=rules, calendars=calendars).reporting

    named = ALWAYS.model_copy(update={"name": "office"})
    assert on({"desk": ALWAYS, "office": named}, calendar="office") == named
    assert on({"desk": ALWAYS, "office": named}) == ALWAYS
    weekdays = on({"office": named})
    days = [date(2026, 10, 2), date(2026, 10, 3), date(2026, 10, 5)]
    assert [weekdays.is_working_day(day) for day in days] == [True, False, True]
    with pytest.raises(ValidationError, match="reports: calendar: there is no desks; there are"):
        on({"desk": ALWAYS}, calendar="desks")


def test_a_policy_without_its_own_calendar_for_reports_keeps_the_holidays_it_follows() -> None:
    standard = rulebook_of(ROOT / "policies" / "standard.toml")
    kept = {name: each for name, each in standard.calendars.items() if name != "desk"}
    rules = policy(rule("r", calendar="centre"))
    other = Rulebook(policy=rules, calendars=kept, national=standard.national).reporting
    days = [date(2026, 10, 5), date(2026, 10, 8), date(2026, 10, 10), date(2026, 10, 11)]
    assert [other.is_working_day(day) for day in days] == [False, True, True, False]
