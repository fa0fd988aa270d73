"""Looking at issues and acting on them over HTTP."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.staff.access import Right
from domain.vocabulary import Role
from starter.client import Desk
from tests.support.running_desk import RunningDesk
from tests.web.conftest import MakeToken
from tests.web.test_api_opening import an_intake
from web.api.examples import INTAKE

Headers = Mapping[str, str]


@pytest.fixture
async def lead(token: MakeToken) -> dict[str, str]:
    return await token(Role.LEAD)


@pytest.fixture
async def opened(http: httpx2.AsyncClient, token: MakeToken) -> dict[str, Any]:
    """An issue that the web form registered."""
    answer = await http.post("/issues", json=an_intake(), headers=await token(Role.INTAKE))
    issue: dict[str, Any] = answer.json()
    return issue


async def handed(
    http: httpx2.AsyncClient, lead: Headers, issue: Mapping[str, Any], to: str
) -> None:
    said = {"to": to, "reason": "closest"}
    answer = await http.post(f"/issues/{issue['number']}/reassign", json=said, headers=lead)
    assert answer.status_code == 200, answer.text


async def trail(running_desk: RunningDesk, number: str) -> list[tuple[str, str, str]]:
    rows = await running_desk.pool.fetch(
        "SELECT person, what, outcome FROM door_log WHERE number = $1 ORDER BY id", number
    )
    return [tuple(row) for row in rows]


# Looking ------------------------------------------------------------------------------------------


async def test_an_issue_is_shown_by_its_number_and_by_its_id(
    http: httpx2.AsyncClient, lead: Headers, opened: dict[str, Any]
) -> None:
    by_number = await http.get(f"/issues/{opened['number']}", headers=lead)
    by_id = await http.get(f"/issues/{opened['id']}", headers=lead)
    assert by_number.json() == by_id.json()
    assert by_number.json()["title"] == opened["title"]


@pytest.mark.parametrize("number", ["0", "issue:web:never", "取款机", "9" * 140])
async def test_what_does_not_exist_is_not_found(
    http: httpx2.AsyncClient, lead: Headers, number: str
) -> None:
    for answer in (
        await http.get(f"/issues/{number}", headers=lead),
        await http.get(f"/issues/{number}/customer", headers=lead),
        await http.post(f"/issues/{number}/accept", json={}, headers=lead),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:yinuo:NotFound")


@pytest.mark.parametrize("number", ["a%00b", "9" * 141, "%20", "a%0Ab", "%ff"])
async def test_what_can_be_no_number_is_said_to_be_none(
    http: httpx2.AsyncClient, lead: Headers, number: str
) -> None:
    answer = await http.get(f"/issues/{number}", headers=lead)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["number"]


async def test_a_customer_is_shown_to_whoever_needs_it_and_the_look_is_written_down(
    http: httpx2.AsyncClient, lead: Headers, opened: dict[str, Any], running_desk: RunningDesk
) -> None:
    answer = await http.get(f"/issues/{opened['number']}/customer", headers=lead)
    assert answer.json()["name"] == INTAKE["customer"]["name"]
    assert answer.json()["phone"].startswith("+86138")
    assert answer.headers["cache-control"] == "no-store"
    look = ("zhou.jianguo", Right.SEE_CUSTOMER, "seen")
    assert look in await trail(running_desk, opened["number"])


@pytest.mark.parametrize("why", [ConnectionError, asyncpg.DiskFullError])
async def test_no_customer_is_shown_that_the_trail_could_not_keep_a_record_of(
    http: httpx2.AsyncClient,
    lead: Headers,
    token: MakeToken,
    opened: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    why: type[Exception],
) -> None:
    async def away(*_: object) -> None:
        raise why("full, or away")

    monkeypatch.setattr("store.door_log.note", away)
    refused = await http.get(
        f"/issues/{opened['number']}/customer", headers=await token(Role.AUDITOR)
    )
    assert refused.status_code == 403
    answer = await http.get(f"/issues/{opened['number']}/customer", headers=lead)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "138" not in answer.text


async def test_an_issue_of_somebody_else_is_kept_from_whoever_has_no_right_to_it(
    http: httpx2.AsyncClient, lead: Headers, token: MakeToken, opened: dict[str, Any]
) -> None:
    await handed(http, lead, opened, "zhou.jianguo")
    for stranger in (await token(Role.ENGINEER), await token(Role.INTAKE, "hotline")):
        answer = await http.get(f"/issues/{opened['number']}", headers=stranger)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:yinuo:NotYours")
    auditor = await token(Role.AUDITOR)
    answer = await http.get(f"/issues/{opened['number']}/customer", headers=auditor)
    assert answer.status_code == 403


# Listing ------------------------------------------------------------------------------------------


async def walk(http: httpx2.AsyncClient, headers: Headers, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = {name: value for name, value in (wanted | {"cursor": cursor}).items() if value}
        answer = await http.get("/issues", params=page, headers=headers)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if (cursor := answer.json()["next"]) is None:
            return found


async def test_a_walk_through_the_pages_meets_every_issue_once_and_in_order(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    source = f"shop-{uuid4().hex[:8]}"
    shop = await token(Role.INTAKE, source)
    office = await token(Role.GM_OFFICE)
    numbers = []
    for n in range(7):
        said = an_intake(source=None, severity="major" if n % 3 else "general")
        numbers.append((await http.post("/issues", json=said, headers=shop)).json()["number"])
    for number in numbers[::2]:  # some with nothing due any more
        gone = await http.post(
            f"/issues/{number}/withdraw", json={"reason": "fine"}, headers=office
        )
        assert gone.status_code == 200, gone.text
    whole = await walk(http, shop, limit=200, open="false")
    assert sorted(each["number"] for each in whole) == sorted(numbers)
    dues = [each["next_due_at"] or "9999" for each in whole]
    assert dues == sorted(dues)
    assert dues.count("9999") > 1
    assert len(set(dues)) > 1
    for limit in (1, 2, 3):
        assert await walk(http, shop, limit=limit, open="false") == whole
    assert {each["number"] for each in await walk(http, shop)} == set(numbers[1::2])


async def test_a_list_holds_only_what_the_caller_may_see(
    http: httpx2.AsyncClient, lead: Headers, token: MakeToken, opened: dict[str, Any]
) -> None:
    await handed(http, lead, opened, "liang.jiahao")
    engineer = await walk(http, await token(Role.ENGINEER), limit=200)
    assert opened["number"] in {each["number"] for each in engineer}
    assert {each["engineer"]["id"] for each in engineer} == {"liang.jiahao"}
    assert {each["department"] for each in await walk(http, lead, limit=200)} == {
        opened["department"]
    }
    assert {each["source"] for each in await walk(http, await token(Role.INTAKE))} == {"web"}
    assert await walk(http, await token(Role.INTAKE, "nobody")) == []


async def test_asking_for_somebody_elses_list_is_refused(
    http: httpx2.AsyncClient, lead: Headers, token: MakeToken
) -> None:
    asked = {"engineer": "zhou.jianguo"}
    answer = await http.get("/issues", params=asked, headers=await token(Role.ENGINEER))
    assert answer.status_code == 403
    answer = await http.get("/issues", params={"department": "elsewhere"}, headers=lead)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "wanted",
    [
        *({"stage": "assigned"}, {"region": "上海"}, {"kind": "fault"}, {"agent": "07"}),
        *({"engineer": "liang.jiahao"}, {"source": "web"}),
    ],
    ids=lambda wanted: next(iter(wanted)),
)
async def test_a_list_is_filtered(
    http: httpx2.AsyncClient,
    lead: Headers,
    token: MakeToken,
    opened: dict[str, Any],
    wanted: dict[str, str],
) -> None:
    await handed(http, lead, opened, "liang.jiahao")
    office = await token(Role.GM_OFFICE)
    others = {"stage": "closed", "region": "广西", "kind": "sales", "agent": "99"}
    others |= {"engineer": "nobody", "source": "nowhere"}
    found = {each["number"] for each in await walk(http, office, limit=200, **wanted)}
    assert opened["number"] in found
    missing = {name: others[name] for name in wanted}
    found = {each["number"] for each in await walk(http, office, limit=200, **missing)}
    assert opened["number"] not in found


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "取款"}, "cursor"),
        ({"cursor": "eyJuZXh0X2R1ZV9hdCI6bnVsbH0"}, "cursor"),
        ({"limit": "201"}, "limit"),
        ({"stage": "lost"}, "stage"),
        ({"colour": "red"}, "colour"),
        ({"open": "perhaps"}, "open"),
        ({"region": "a\0b"}, "region"),
    ],
)
async def test_a_question_that_makes_no_sense_names_what_is_wrong_with_it(
    http: httpx2.AsyncClient, lead: Headers, asked: dict[str, str], field: str
) -> None:
    answer = await http.get("/issues", params=asked, headers=lead)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


# Acting -------------------------------------------------------------------------------------------


async def test_an_engineer_accepts_and_resolves_their_own_issue_and_the_trail_says_so(
    http: httpx2.AsyncClient,
    lead: Headers,
    token: MakeToken,
    opened: dict[str, Any],
    running_desk: RunningDesk,
) -> None:
    await handed(http, lead, opened, "liang.jiahao")
    mine, place = await token(Role.ENGINEER), f"/issues/{opened['id']}"
    accepted = await http.post(f"{place}/accept", json={}, headers=mine)
    assert accepted.json()["stage"] == "in_progress"
    resolved = await http.post(f"{place}/resolve", json={"result": "reset"}, headers=mine)
    assert resolved.json()["stage"] in ("resolved", "replied", "callback")
    assert (await trail(running_desk, opened["number"]))[-2:] == [
        ("liang.jiahao", "accept", "done"),
        ("liang.jiahao", "resolve", "done"),
    ]


async def test_an_action_out_of_place_tells_the_stage_and_what_the_caller_may_do_there(
    http: httpx2.AsyncClient, lead: Headers, opened: dict[str, Any], running_desk: RunningDesk
) -> None:
    said = {"findings": "the vault has to be opened"}
    answer = await http.post(f"/issues/{opened['number']}/survey", json=said, headers=lead)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:yinuo:NotAllowed")
    assert problem["stage"] == opened["stage"]
    assert {"accept", "reassign"} <= set(problem["allowed"]) <= set(PUBLIC_ACTIONS)
    assert not {"replan", "approve"} & set(problem["allowed"])
    last = (await trail(running_desk, opened["number"]))[-1]
    assert last == ("zhou.jianguo", "survey", "refused: NotAllowed")


async def test_nobody_acts_on_what_is_not_theirs(
    http: httpx2.AsyncClient,
    lead: Headers,
    token: MakeToken,
    opened: dict[str, Any],
    running_desk: RunningDesk,
) -> None:
    await handed(http, lead, opened, "zhou.jianguo")
    stranger = await token(Role.ENGINEER)
    answer = await http.post(f"/issues/{opened['number']}/accept", json={}, headers=stranger)
    assert answer.status_code == 403
    last = (await trail(running_desk, opened["number"]))[-1]
    assert last == ("liang.jiahao", "accept", "refused: NotYours")


async def test_nobody_says_in_a_request_who_they_are(
    http: httpx2.AsyncClient, lead: Headers, opened: dict[str, Any]
) -> None:
    said = {"by": {"id": "tian.hui", "role": "gm_office"}}
    answer = await http.post(f"/issues/{opened['number']}/accept", json=said, headers=lead)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["by"]


async def test_the_same_key_is_the_same_action_for_one_caller_only(
    http: httpx2.AsyncClient, lead: Headers, token: MakeToken, opened: dict[str, Any]
) -> None:
    place, key = f"/issues/{opened['number']}/escalate", {"Idempotency-Key": "1"}
    said = {"reason": "the branch opens tomorrow"}
    once = await http.post(place, json=said, headers={**lead, **key})
    again = await http.post(place, json=said, headers={**lead, **key})
    assert (once.status_code, again.json()) == (200, once.json())
    office = await token(Role.GM_OFFICE)
    other = await http.post(place, json=said, headers={**office, **key})
    assert other.json()["escalation_level"] == once.json()["escalation_level"] + 1


async def test_what_several_fields_say_together_is_checked_as_well(
    http: httpx2.AsyncClient, lead: Headers, opened: dict[str, Any]
) -> None:
    answer = await http.post(f"/issues/{opened['number']}/consult", json={}, headers=lead)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["question"]


async def test_completion_may_be_signalled(
    http: httpx2.AsyncClient, lead: Headers, opened: dict[str, Any], running_desk: RunningDesk
) -> None:
    place = f"/issues/{opened['number']}"
    await http.post(f"{place}/accept", json={}, headers=lead)
    signalled = await http.post(f"{place}/complete", json={"result": "reset"}, headers=lead)
    assert signalled.status_code == 202
    desk: Desk = running_desk.desk
    while not (issue := await desk.show(opened["number"])).results:
        pass
    assert issue.results == ("reset",)


def test_every_action_of_people_is_there_but_the_desks_own(app: Any) -> None:
    paths = set(app.openapi()["paths"])
    there = {name for name in ActionName if f"/issues/{{number}}/{name}" in paths}
    assert there == set(PUBLIC_ACTIONS) - {ActionName.REPLAN}


# Cases and the trail ------------------------------------------------------------------------------


async def test_cases_are_found_by_what_a_customer_says(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    asked = {"q": "完全不存在的问题描述"}
    answer = await http.get("/cases", params=asked, headers=await token(Role.AGENT))
    assert answer.json() == {"items": []}
    refused = await http.get("/cases", params=asked, headers=await token(Role.INTAKE))
    assert refused.status_code == 403


async def test_auditors_read_who_did_what_newest_first(
    http: httpx2.AsyncClient, lead: Headers, token: MakeToken, opened: dict[str, Any]
) -> None:
    await http.post(f"/issues/{opened['number']}/accept", json={}, headers=lead)
    auditor = await token(Role.AUDITOR)
    asked = {"number": opened["number"]}
    found = (await http.get("/audit", params=asked, headers=auditor)).json()["items"]
    assert [each["what"] for each in found] == ["accept", "open"]
    before = asked | {"before": found[0]["at"]}
    earlier = (await http.get("/audit", params=before, headers=auditor)).json()["items"]
    assert earlier == found[1:]
    assert (await http.get("/audit", params=asked, headers=lead)).status_code == 403


async def test_what_is_done_to_an_issue_that_is_not_theirs_shows_it_to_nobody(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    office, lead = await token(Role.GM_OFFICE), await token(Role.LEAD)
    said = an_intake() | {"category": "software"}
    far = (await http.post("/issues", json=said, headers=office)).json()["number"]
    asked = await http.post(f"/issues/{far}/consult", json={"question": "为何"}, headers=office)
    assert asked.status_code == 200, asked.text
    advice, expert = {"advice": "先量电压"}, await token(Role.ENGINEER)
    advised = await http.post(f"/issues/{far}/consult", json=advice, headers=expert)
    assert (advised.status_code, advised.content) == (204, b"")
    near = (await http.post("/issues", json=an_intake(), headers=office)).json()["number"]
    passed = {"to": "software_development", "reason": "固件缺陷"}
    gone = await http.post(f"/issues/{near}/transfer", json=passed, headers=lead)
    assert (gone.status_code, gone.content) == (204, b"")
    steps = (await http.get(f"/issues/{near}", headers=office)).json()["steps"]
    assert "transfer" in {step["action"] for step in steps}
