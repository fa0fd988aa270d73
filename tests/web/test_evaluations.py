"""The open page of evaluations, and what staff write down and settle (R26)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.vocabulary import Role
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import sign_in
from tests.web.conftest import BASE, MakeToken
from tests.web.test_api_opening import an_intake
from web.app import build
from web.context import Doors

SCORES = {"after_sales_technical": "120", "after_sales_attitude": "-50"}
MONTH = {"unit": "珠江商业银行", "month": "2026-11", "assessor": "王芳"}


def a_form(**said: str) -> dict[str, str]:
    return {"key": uuid4().hex, "project": uuid4().hex} | MONTH | SCORES | said


async def kept(desk: RunningDesk, key: str) -> list[Any]:
    return list(await desk.pool.fetch("SELECT * FROM opinions WHERE key = $1 ORDER BY item", key))


async def test_r26_the_open_page_says_the_same_whether_a_number_exists_or_not(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    office = await token(Role.GM_OFFICE)
    number = (await http.post("/issues", json=an_intake(), headers=office)).json()["number"]
    answers = set()
    for named, phone in (
        (number, str(an_intake()["customer"]["phone"])),
        (number, "13900000000"),
        ("20200101-07-0001", "13900000000"),
    ):
        form = a_form(number=named, phone=phone, unit="", month="", project="")
        answer = await http.post("/evaluate", data=form)
        assert len(await kept(running_desk, form["key"])) == 1
        page = answer.text
        answers.add((answer.status_code, page[: page.index('name="key"')]))
    assert len(answers) == 1
    assert answers.pop()[0] == 200
    assert "谢谢您的评价" in page


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"after_sales_attitude": ""}, "after_sales_attitude"),
        ({"after_sales_technical": "201"}, "after_sales_technical"),
        ({"after_sales_technical": "", "after_sales_attitude": ""}, "after_sales_technical"),
        ({"project": ""}, "number"),
        ({"month": "2026-13"}, "month"),
        ({"number": "20261123-07-0001"}, "phone"),
        ({"number": "20261123-07-0001", "phone": "nobody"}, "phone"),
        ({"scored_on": "yesterday"}, "scored_on"),
        ({"assessor": ""}, "assessor"),
        ({"assessor": "\u2800"}, "assessor"),
        ({"month": "2099-01"}, "month"),
        ({"scored_on": "2099-01-01"}, "scored_on"),
    ],
)
async def test_r26_what_is_wrong_stands_at_its_field_and_nothing_is_lost_or_kept(
    http: httpx2.AsyncClient, running_desk: RunningDesk, said: dict[str, str], field: str
) -> None:
    form = a_form(comment="别丢了这句话", **said)
    answer = await http.post("/evaluate", data=form)
    assert answer.status_code == 422
    assert f'id="evaluation-{field}-wrong"' in answer.text
    assert "别丢了这句话" in answer.text
    assert await kept(running_desk, form["key"]) == []


async def test_r26_the_page_speaks_the_readers_language_alone(http: httpx2.AsyncClient) -> None:
    assert "评价我们的服务" in (await http.get("/evaluate")).text
    english = (await http.get("/evaluate?lang=en")).text
    assert "Score our service" in english
    assert "技术水平" not in english


async def test_r26_staff_write_down_and_settle_what_came_in(
    http: httpx2.AsyncClient, doors: Doors, running_desk: RunningDesk
) -> None:
    theirs = a_form()
    await http.post("/evaluate", data=theirs)
    clerk = await sign_in(doors, http, Role.CLERK, "fan.meiling")
    page = (await clerk.get("/evaluations")).text
    assert theirs["project"] in page
    sealed = {"csrf": (await clerk.hidden("/evaluations"))["csrf"]}
    settled = await clerk.post(
        "/evaluations/settle", sealed | {"evaluation": theirs["key"], "counts": "yes"}
    )
    assert settled.status_code == 303
    (row,) = await kept(running_desk, theirs["key"])
    assert (row["counting"], row["settled_by"]) == ("counts", "fan.meiling")
    assert theirs["project"] not in (await clerk.get("/evaluations")).text
    ours = a_form(way="paper", project_technical="100", project_attitude="100")
    for _ in range(2):
        assert (await clerk.post("/evaluations", sealed | ours)).status_code == 303
    assert [row["way"] for row in await kept(running_desk, ours["key"])] == ["paper"] * 2
    wrong = await clerk.post(
        "/evaluations", sealed | a_form(way="paper", number="20200101-07-0001")
    )
    assert wrong.status_code == 422
    assert 'id="evaluation-number-wrong"' in wrong.text


async def test_r26_evaluations_on_paper_come_over_http_once(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    clerk = await token(Role.CLERK)
    key = uuid4().hex
    said: dict[str, Any] = MONTH | {"way": "paper", "project": key}
    said |= {"scores": [{"item": "project", "technical": 100, "attitude": 90}]}
    for _ in range(2):
        answer = await http.post(
            "/evaluations/records", json=said, headers=clerk | {"Idempotency-Key": key}
        )
        assert answer.status_code == 204
    again = await http.post("/evaluations/records", json=said, headers=clerk)
    assert again.status_code == 409
    assert len(await kept(running_desk, f"fan.meiling:{key}")) == 1


async def test_r26_strangers_may_send_so_many_evaluations_a_minute_and_no_more(
    doors: Doors, running_desk: RunningDesk
) -> None:
    settings = doors.settings.model_copy(update={"calls_per_minute": 300})
    app = build(replace(doors, settings=settings))
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.9", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as stranger:
        forms = [a_form() for _ in range(5)]
        answers = [await stranger.post("/evaluate", data=form) for form in forms]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert await kept(running_desk, forms[-1]["key"]) == []
