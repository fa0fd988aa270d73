"""What customers read of their issue: every situation has its words, and none are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest

from domain.for_customers.hearing import OWED, THEIRS, hears
from domain.for_customers.situation import (
    every_sentence,
    staff_number,
    stands,
    where_it_stands,
    who_has_it,
)
from domain.for_customers.turn import (
    DECISIONS,
    THANKS,
    WRITINGS,
    Known,
    Offer,
    Turn,
    decides,
    turns,
)
from domain.instants import instant
from domain.issue.actions import ActionName
from domain.issue.state import Issue, Person
from domain.links import BETWEEN_OURSELVES, PURPOSES, Link, Purpose
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.terms import KINDS, Department, Terms
from domain.vocabulary import (
    DESK,
    Audience,
    Language,
    Means,
    Named,
    Outcome,
    Role,
    Stage,
)
from tests.support.builders import (
    DAY,
    HOUR,
    LEAD,
    MINUTE,
    MONDAY,
    Desk,
    a_promise,
    actor,
    an_intake,
    an_issue,
)

ZH, EN = Language.ZH, Language.EN
CUSTOMER = actor(Role.CUSTOMER)
_CODES = {
    str(each) for kind in (Stage, Outcome, PromiseKind, PromiseEnd, Audience) for each in kind
}


def situations() -> Iterator[Issue]:
    """An issue at every stage, of every kind, first and again, with each of its promises running
    and each kept; however it may end; and kept back as its customer wants.
    """
    for stage in (Stage.REGISTERED, Stage.REOPENED):
        yield an_issue(stage).model_copy(update={"intake": an_intake(consent="no")})
    for stage, kind, category, generation in product(
        Stage, KINDS, ("technical", "out_of_scope"), (1, 2)
    ):
        intake = an_intake(kind=kind, category=category)
        usual = {"stage": stage, "intake": intake, "generation": generation}
        base = an_issue().model_copy(update=usual)
        outcomes = tuple(Outcome) if stage is Stage.CLOSED else (None,)
        for promise, outcome, hotline in product((None, *PromiseKind), outcomes, (False, True)):
            made = [a_promise(promise, generation=generation)] if promise else []
            for each in (made, [p.fulfil(MONDAY) for p in made]):
                changes = {"promises": tuple(each), "outcome": outcome, "first_contact": hotline}
                yield base.model_copy(update=changes)


def test_every_issue_has_a_sentence_in_both_languages_and_every_sentence_an_issue() -> None:
    said = set()
    for issue in situations():
        said.add(stands(issue).said)
        for language in Language:
            sentence = where_it_stands(issue, language, Terms())
            assert sentence.endswith(("。", "."))
            assert not re.search(r"[{}_]|None", sentence)
    assert said == {each.said for each in every_sentence()}


@pytest.mark.parametrize("sentence", every_sentence(), ids=lambda each: each.said.en[:40])
def test_a_sentence_is_in_one_language_and_of_no_code(sentence: object) -> None:
    zh, en = sentence.said  # type: ignore[attr-defined]
    assert not re.search(r"[A-Za-z]", zh.replace("{department}", ""))
    assert not re.search(r"[一-鿿]", en)
    assert not set(re.findall(r"\w+_\w+", en)) & _CODES
    assert "你" not in zh


def test_what_stands_with_a_department_names_it() -> None:
    issue = an_issue().model_copy(
        update={"intake": an_intake(category="out_of_scope"), "department": "legal"}
    )
    assert "此事由法务部负责，我们已为您转交" in where_it_stands(issue, ZH, Terms())
    assert "for the legal department to answer" in where_it_stands(issue, EN, Terms())


def test_a_department_that_is_the_desks_own_is_called_as_the_policy_calls_it() -> None:
    own = Terms(departments={"vaults": Department(name=Named(zh="金库部", en="vaults"))})
    none = {"department": "vaults", "engineer": None, "lead": None}
    issue = an_issue().model_copy(update=none | {"intake": an_intake(category="out_of_scope")})
    assert "此事由金库部负责" in where_it_stands(issue, ZH, own)
    assert "This is for vaults to answer" in where_it_stands(issue, EN, own)
    assert (who_has_it(issue, ZH, own), who_has_it(issue, EN, own)) == ("金库部", "vaults")


# Who ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id_", "number"),
    [("07", "07"), ("10234", "10234"), ("A1023", "A1023"), ("liang.jiahao", None), ("e-han", None)],
)
def test_a_staff_number_is_told_and_nobodys_name_is_taken_for_one(
    id_: str, number: str | None
) -> None:
    assert staff_number(id_) == number


def test_customers_are_told_who_has_it_with_the_staff_number_or_who_is_in_charge() -> None:
    issue = an_issue()
    mine = issue.model_copy(update={"engineer": Person(id="10234", name="梁家豪")})
    assert who_has_it(mine, ZH, Terms()) == "梁家豪（工号 10234）"
    assert who_has_it(mine, EN, Terms()) == "梁家豪 (staff no. 10234)"
    named = issue.model_copy(update={"engineer": Person(id="liang.jiahao", name="梁家豪")})
    assert who_has_it(named, ZH, Terms()) == "梁家豪"
    nobody = issue.model_copy(update={"engineer": None, "lead": LEAD})
    assert who_has_it(nobody, EN, Terms()) == f"{LEAD.name} (in charge)"
    none = nobody.model_copy(update={"lead": None, "department": "technical_service"})
    assert who_has_it(none, ZH, Terms()) == "技术服务部"


# When ---------------------------------------------------------------------------------------------


def test_every_promise_is_ours_to_keep_the_customers_or_between_ourselves() -> None:
    assert {*OWED, *THEIRS} | BETWEEN_OURSELVES == set(PromiseKind)
    assert not set(OWED) & set(THEIRS)
    assert not {*OWED, *THEIRS} & BETWEEN_OURSELVES


def said(issue: Issue, now: object, language: Language = ZH, **more: object) -> list[str]:
    return [each.said for each in hears(issue, now, language, **more)]  # type: ignore[arg-type]


def with_promises(*promises: object, **changes: object) -> Issue:
    return an_issue(Stage.IN_PROGRESS).model_copy(update={"promises": promises} | changes)


def test_r24_until_when_it_is_opened_again_is_told_while_it_can_be() -> None:
    scoring = a_promise(PromiseKind.EVALUATION, due_at=MONDAY + 20 * DAY)
    until = MONDAY + 7 * DAY
    changes = {"promises": (scoring,), "outcome": Outcome.SOLVED, "reopens_until": until}
    issue = an_issue(Stage.CLOSED).model_copy(update=changes)
    told = "如果问题又出现，请在11月30日（周一）09:00前在这里告诉我们，我们接着处理。"
    assert told in said(issue, until)
    assert "tell us here by Mon 30 Nov 09:00" in " ".join(said(issue, MONDAY, EN))
    for other in (
        issue.model_copy(update={"outcome": Outcome.WITHDRAWN}),
        issue.model_copy(update={"promises": ()}),
        issue.model_copy(update={"reopens_until": None}),
        issue.model_copy(update={"stage": Stage.ASSIGNED}),
    ):
        assert told not in said(other, MONDAY)
    assert told not in said(issue, until + HOUR)


def test_a_promise_is_told_with_its_instant_as_people_write_it() -> None:
    issue = with_promises(a_promise(due_at=MONDAY + 7 * DAY + 2 * HOUR, provisional=True))
    assert said(issue, MONDAY) == ["我们最迟11月30日（周一）11:00（暂定）前给您结果。"]
    assert said(issue, MONDAY, EN) == [
        "We will give you the result by Mon 30 Nov 11:00 (provisional) at the latest."
    ]


def test_another_year_is_named() -> None:
    issue = with_promises(a_promise(due_at=MONDAY + 60 * DAY))
    assert "2027年1月22日（周五）" in said(issue, MONDAY)[0]


def test_a_broken_promise_is_owned_up_to_first_and_while_it_lasts_and_after() -> None:
    late = a_promise(PromiseKind.RESPONSE).reach().reach()
    issue = with_promises(a_promise(), late)
    first, then = said(issue, MONDAY + 3 * HOUR)
    assert first == (
        "我们答应11月23日（周一）11:00前与您联系，到现在还没有做到，很抱歉。我们正在催办。"
    )
    assert then == "我们最迟11月26日（周四）09:00前给您结果。"
    done = with_promises(late.fulfil(MONDAY + 4 * HOUR))
    assert said(done, MONDAY + DAY, EN) == [
        "We promised to contact you by Mon 23 Nov 11:00 and were late. We are sorry."
    ]


def test_what_is_past_due_is_never_told_as_if_it_were_to_come() -> None:
    """The alarm may not have rung yet."""
    issue = with_promises(a_promise(PromiseKind.RESPONSE))
    assert "还没有做到" in said(issue, MONDAY + 2 * HOUR + MINUTE)[0]
    theirs = with_promises(a_promise(PromiseKind.CUSTOMER_TEST))
    assert said(theirs, MONDAY + 40 * HOUR) == []


def test_what_is_kept_given_up_or_between_ourselves_is_not_spoken_of() -> None:
    promises = (
        a_promise(PromiseKind.RESPONSE).fulfil(MONDAY + HOUR),
        a_promise(PromiseKind.SURVEY).give_up(MONDAY),
        *(a_promise(kind) for kind in BETWEEN_OURSELVES),
        a_promise(PromiseKind.RESPONSE, generation=2),
    )
    assert said(with_promises(*promises), MONDAY) == []


def test_while_it_is_the_customers_turn_no_instant_is_promised_but_that_we_go_on() -> None:
    issue = Desk().do(
        an_issue(Stage.IN_PROGRESS), ActionName.WAIT_FOR_CUSTOMER, actor(Role.ENGINEER)
    )
    assert said(issue, MONDAY + HOUR) == ["您这边完成以后，我们马上继续，并告诉您新的时间。"]


def test_the_handlers_word_is_told_and_if_it_did_not_come_true_that() -> None:
    issue, at = with_promises(), MONDAY + HOUR
    assert said(issue, MONDAY, expected_at=at) == ["预计11月23日（周一）10:00前完成。"]
    late = hears(issue, MONDAY + 2 * HOUR, ZH, at)
    assert [(each.late, "很抱歉" in each.said) for each in late] == [(True, True)]
    replied = an_issue(Stage.REPLIED)
    assert said(replied, MONDAY, expected_at=at) == said(replied, MONDAY), "it is done"


def test_instants_are_written_in_the_zone_of_the_issue() -> None:
    assert instant(MONDAY, "Asia/Shanghai", ZH, year=False) == "11月23日（周一）09:00"
    assert instant(MONDAY, "UTC", EN) == "Mon 23 Nov 2026 01:00"


# What can be done, and by which link --------------------------------------------------------------


def a_link(purpose: Purpose, sent_at: object = MONDAY, **changes: object) -> Link:
    fields = {
        "number": "20261123-07-0001",
        "purpose": purpose,
        "person": "customer",
        "generation": 1,
        "until": sent_at + PURPOSES[purpose].lasts,  # type: ignore[operator]
    }
    return Link.model_validate(fields | changes)


def decisions(issue: Issue, link: Link, *, used: bool = False) -> tuple[Offer, ...]:
    found = turns(issue, link, Known(MONDAY, used=used))
    return tuple(offer for offer in found if offer.turn in DECISIONS)


def quoted() -> Issue:
    desk = Desk(also=frozenset(PromiseKind) - {PromiseKind.VERIFICATION})
    issue = desk.open(an_intake(kind="paid_service"))
    for name in (ActionName.ACCEPT, ActionName.SURVEY, ActionName.QUOTE):
        issue = desk.do(issue, name, actor(Role.ENGINEER))
    return issue


def test_an_older_link_shows_what_is_asked_and_does_not_decide_it() -> None:
    issue = quoted()
    made = issue.promise(PromiseKind.CONFIRMATION)
    assert made
    (offer,) = decisions(issue, a_link(Purpose.PROGRESS, made.made_at - MINUTE))
    assert offer == (Turn.CONFIRM, False)
    for purpose in (Purpose.PROGRESS, Purpose.CONFIRM):
        (offer,) = decisions(issue, a_link(purpose, made.made_at))
        assert offer == (Turn.CONFIRM, True)


def test_links_tell_whole_seconds_and_one_of_the_same_message_is_not_older() -> None:
    issue = quoted()
    made = issue.promise(PromiseKind.CONFIRMATION)
    assert made
    later = made.model_copy(update={"made_at": made.made_at + timedelta(milliseconds=700)})
    issue = issue.model_copy(update={"promises": (later,)})
    assert decides(a_link(Purpose.CONFIRM, made.made_at), Purpose.CONFIRM, issue)


def test_a_link_for_a_quotation_that_was_replaced_does_not_agree_to_the_next_price() -> None:
    desk, issue = Desk(also=frozenset({PromiseKind.CONFIRMATION})), quoted()
    first = issue.promise(PromiseKind.CONFIRMATION)
    assert first
    link = a_link(Purpose.CONFIRM, first.made_at)
    issue = desk.do(issue, ActionName.QUOTE, actor(Role.ENGINEER), amount="99999.00")
    assert not decides(link, Purpose.CONFIRM, issue)


def test_a_call_that_is_tried_again_asks_nothing_new() -> None:
    desk = Desk()
    issue = desk.do(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    issue = desk.do(issue, ActionName.REPLIED, DESK)
    sent_at = issue.last_at
    said_of = {"reached": False, "running": None, "satisfied": None}
    tomorrow = issue.last_at + DAY
    issue = desk.do(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), tomorrow, **said_of)
    assert issue.stage is Stage.CALLBACK
    assert decides(a_link(Purpose.TEST, sent_at), Purpose.TEST, issue)


def test_a_link_of_before_a_reopening_decides_nothing_after_it() -> None:
    desk = Desk()
    issue = desk.do(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    link = a_link(Purpose.TEST, issue.last_at + HOUR)
    assert decisions(issue, link) == ((Turn.TEST, True),)
    assert decisions(issue, link, used=True) == (), "it said so already"
    issue = desk.do(issue, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    issue = desk.do(issue, ActionName.RESOLVE, actor(Role.ENGINEER))
    assert decisions(issue, link) == ((Turn.TEST, False),)


def test_each_decision_has_the_link_that_is_sent_for_it() -> None:
    customers = {p for p, terms in PURPOSES.items() if terms.audience is Audience.CUSTOMER}
    assert set(DECISIONS.values()) == customers - {Purpose.PROGRESS}


# What is written ----------------------------------------------------------------------------------


def written(issue: Issue, link: Link | None = None, **known: object) -> set[Turn]:
    by = link or a_link(Purpose.PROGRESS, MONDAY - DAY)
    found = turns(issue, by, Known(**{"at": MONDAY} | known))  # type: ignore[arg-type]
    return {offer.turn for offer in found if offer.turn in WRITINGS}


def test_everything_there_may_be_to_do_is_a_decision_or_something_to_write() -> None:
    assert {*DECISIONS, *WRITINGS} == set(Turn)
    buttons = [button for writing in WRITINGS.values() for button in writing.buttons]
    assert {button.means for button in buttons} == set(Means) == set(THANKS)
    for said in (*THANKS.values(), *(button.called for button in buttons)):
        assert not re.search(r"[A-Za-z]", said.zh)
        assert not re.search(r"[一-鿿]", said.en)


@pytest.mark.parametrize("stage", Stage)
def test_a_customer_can_write_at_every_stage_by_any_link_of_theirs(stage: Stage) -> None:
    issue = an_issue(stage)
    old = a_link(Purpose.PROGRESS, MONDAY - DAY, generation=7)
    assert written(issue, old) & {Turn.WRITE, Turn.WAITING}


def test_whose_turn_it_is_can_say_that_it_is_done_or_takes_longer_and_ask() -> None:
    issue = Desk().do(
        an_issue(Stage.IN_PROGRESS), ActionName.WAIT_FOR_CUSTOMER, actor(Role.ENGINEER)
    )
    assert written(issue) == {Turn.WAITING}
    means = [button.means for button in WRITINGS[Turn.WAITING].buttons]
    assert means == [Means.DONE, Means.MORE_TIME, Means.WORDS]


def test_an_announced_time_is_asked_about_while_it_is_ahead_and_somebody_comes() -> None:
    soon = MONDAY + HOUR
    working = an_issue(Stage.IN_PROGRESS)
    assert written(working, announced=soon) == {Turn.TIME, Turn.WRITE}
    assert written(working, announced=MONDAY - MINUTE) == {Turn.WRITE}
    assert written(working) == {Turn.WRITE}, "nothing announced, or they said"
    assert Turn.TIME not in written(an_issue(Stage.REPLIED), announced=soon)


def test_that_it_failed_may_be_said_by_an_older_link_and_after_the_closing() -> None:
    desk = Desk()
    replied = desk.do(an_issue(Stage.IN_PROGRESS), ActionName.RESOLVE, actor(Role.ENGINEER))
    assert Turn.FAILED in written(replied)
    asked = a_link(Purpose.TEST, replied.last_at)
    assert Turn.FAILED not in written(replied, asked), "that link asks whether it works"
    assert Turn.FAILED in written(replied, asked, used=True)
    for outcome in Outcome:
        over = an_issue(Stage.CLOSED).model_copy(update={"outcome": outcome})
        solved = outcome in {Outcome.SOLVED, Outcome.NOT_REACHED}
        assert (Turn.FAILED in written(over)) == solved


def test_after_our_answer_the_page_owns_that_what_they_wrote_is_read() -> None:
    issue = an_issue(Stage.REPLIED)
    trying = a_promise(PromiseKind.CUSTOMER_TEST)
    asked = issue.model_copy(update={"promises": (trying,)})
    assert "到时没有消息" in "".join(said(asked, MONDAY))
    issue = issue.model_copy(update={"promises": (trying, a_promise(PromiseKind.FEEDBACK))})
    assert "我们收到了您写的话" in where_it_stands(issue, ZH, Terms())
    assert said(issue, MONDAY) == [], "nothing about what silence means: they were not silent"
