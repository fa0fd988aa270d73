"""`/telephone/calls`: what a telephone system hands in (R45)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.vocabulary import Role
from store import door_log
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import sign_in
from tests.web.conftest import MakeToken
from tests.web.test_api_opening import an_intake
from web.context import Doors

AT = "2026-11-23T01:00:00Z"


async def test_r45_calls_are_handed_in_once_and_the_recording_stands_in_the_issues_thread(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk, doors: Doors
) -> None:
    office, pbx = await token(Role.GM_OFFICE), await token(Role.INTAKE, "pbx")
    number = (await http.post("/issues", json=an_intake(), headers=office)).json()["number"]
    recording = f"https://recordings.example/{uuid4().hex}"
    call = {"id": uuid4().hex, "at": AT, "talk_seconds": 60, "issue": number}
    for expected, more in ((1, {}), (0, {"recording": recording}), (0, {})):
        answer = await http.post("/telephone/calls", json={"calls": [call | more]}, headers=pbx)
        assert (answer.status_code, answer.json()) == (
            200,
            {"new": expected, "known": 1 - expected},
        )
    other = await http.post(
        "/telephone/calls", json={"calls": [call | {"talk_seconds": 61}]}, headers=pbx
    )
    assert (other.status_code, other.json()["type"]) == (409, "urn:yinuo:OtherContent")
    assert "talk_seconds" in other.json()["detail"]
    trail = await door_log.entries(running_desk.pool, number=None, before=None, limit=1)
    assert [(each.person, each.what, each.outcome) for each in trail] == [
        ("pbx", "record_calls", "refused: OtherContent")
    ]

    def heard(page: httpx2.Response) -> list[Any]:
        calls = [each for each in page.json()["items"] if each["sort"] == "call"]
        return [said["value"] for each in calls for said in each["said"]]

    path = f"/issues/{number}/thread"
    assert recording in heard(await http.get(path, headers=office))
    auditor = heard(await http.get(path, headers=await token(Role.AUDITOR)))
    assert (60 in auditor, recording in auditor) == (True, False)
    lead = await sign_in(doors, http, Role.GM_OFFICE, "tian.hui")
    page = (await lead.get(f"/board/{number}")).text
    assert f'<a href="{recording}" rel="noreferrer noopener"' in page
    assert "通话" in page


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"id": "1"}, "calls.1.at"),
        ({"id": "1", "at": AT, "talk_seconds": -1}, "calls.1.talk_seconds"),
        ({"id": "1", "at": AT, "issue": "20200101-07-0001"}, "calls.1.issue"),
        ({"id": "1", "at": AT, "lost": True}, "calls.1.lost"),
    ],
)
async def test_r45_what_cannot_be_is_refused_with_its_field_and_none_of_it_is_kept(
    http: httpx2.AsyncClient,
    token: MakeToken,
    running_desk: RunningDesk,
    call: dict[str, Any],
    field: str,
) -> None:
    good = {"id": uuid4().hex, "at": AT}
    pbx = await token(Role.INTAKE, "pbx")
    refused = await http.post("/telephone/calls", json={"calls": [good, call]}, headers=pbx)
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == [field]
    kept = "SELECT count(*) FROM calls WHERE id = $1"
    assert await running_desk.pool.fetchval(kept, good["id"]) == 0
