"""The reading list of whoever answers for the service (R41)."""

from __future__ import annotations

import httpx2

from domain.vocabulary import Role
from store import door_log
from tests.support.harness import eventually
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import sign_in
from tests.web.conftest import MakeToken
from tests.web.test_clerk_pages import repaired
from web.context import Doors


async def test_r21_r41_words_are_read_marked_and_become_one_complaint_linked_both_ways(
    http: httpx2.AsyncClient, doors: Doors, token: MakeToken, running_desk: RunningDesk
) -> None:
    number = await repaired(doors, {"name": "周敏", "phone": "+86 137 0000 0041"})
    clerk, office = await token(Role.CLERK), await token(Role.GM_OFFICE)
    said = {"reached": True, "running": True, "satisfied": False, "words": "等太久，服务太差了"}
    called = await http.post(f"/issues/{number}/record_callback", json=said, headers=clerk)
    assert called.status_code == 200, called.text

    listed = (await http.get("/opinions?unread=true", headers=office)).json()
    (remark,) = (each for each in listed["items"] if each["number"] == number)
    assert (remark["sort"], remark["satisfied"], "太差" in listed["strong"]) == (
        "callback",
        False,
        True,
    )
    seen = await door_log.entries(running_desk.pool, number=number)
    assert ("tian.hui", "read_opinions", "seen") in {(e.person, e.what, e.outcome) for e in seen}

    manager = await sign_in(doors, http, Role.GM_OFFICE, "tian.hui")
    page = (await manager.get("/reading")).text
    assert "服务<mark>太差</mark>了" in page
    sealed = {"csrf": (await manager.hidden("/reading"))["csrf"], "remark": remark["key"]}
    read = await manager.post("/reading", sealed | {"do": "read"})
    assert read.status_code == 303
    for _ in range(2):
        made = await manager.post("/reading", sealed | {"do": "complaint"})
        assert made.status_code == 303
    listed = (await http.get("/opinions", headers=office)).json()
    (remark,) = (each for each in listed["items"] if each["number"] == number)
    assert (remark["read_by"], bool(remark["complaint"])) == ("tian.hui", True)

    complaint = await doors.desk.show(remark["complaint"])
    origin = await doors.desk.show(number)
    assert (complaint.kind, complaint.arises_from) == ("complaint", origin.id)
    related = await doors.desk.related(origin.id)
    assert related.linked == (complaint.number,)
    again = await http.post("/opinions/complaint", json={"key": remark["key"]}, headers=office)
    assert again.json() == {"number": complaint.number}


async def test_r21_r41_what_became_a_complaint_by_itself_becomes_no_second_one(
    http: httpx2.AsyncClient, doors: Doors, token: MakeToken
) -> None:
    number = await repaired(doors, {"name": "周敏", "phone": "+86 137 0000 0042"})
    clerk, office = await token(Role.CLERK), await token(Role.GM_OFFICE)
    said = {"reached": True, "running": True, "satisfied": False, "words": "我要投诉你们"}
    url = f"/issues/{number}/record_callback"
    called = await http.post(url, json=said | {"conflict": True}, headers=clerk)
    assert called.status_code == 200, called.text

    async def became_one() -> bool:
        return bool((await doors.desk.show(number)).complaints)

    await eventually(became_one)
    (raised,) = (await doors.desk.show(number)).complaints
    listed = (await http.get("/opinions", headers=office)).json()
    (remark,) = (each for each in listed["items"] if each["number"] == number)
    assert remark["complaint"] == raised
    again = await http.post("/opinions/complaint", json={"key": remark["key"]}, headers=office)
    assert again.json() == {"number": raised}


async def test_r41_what_is_not_there_or_about_no_issue_is_refused_and_said_so(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    office = await token(Role.GM_OFFICE)
    gone = await http.post("/opinions/read", json={"key": "callback/none/1/1"}, headers=office)
    assert gone.status_code == 404
