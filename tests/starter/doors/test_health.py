from typing import Any

import asyncpg
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.intakes import a_fault
from domain.access import RIGHTS, Right
from domain.vocabulary import Role
from runtime import postgres, temporal
from runtime.signing import signer
from starter.client import Desk
from starter.doors.app import build
from starter.doors.context import Doors
from tests.conftest import free_ports
from tests.starter.conftest import RunningDesk
from tests.starter.doors.conftest import BASE, MakeToken


async def test_the_doors_live_and_are_ready(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/healthz")).text == "ok\n"
    answer = await http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"postgresql": True, "temporal": True}


@pytest.mark.parametrize("gone", [{"postgresql"}, {"temporal"}, {"postgresql", "temporal"}])
async def test_the_doors_open_and_tell_which_server_is_away(
    running_desk: RunningDesk, gone: set[str]
) -> None:
    (nobody,) = free_ports(1)
    own = running_desk.settings
    if "temporal" in gone:
        own = own.model_copy(update={"temporal_port": nobody})
    url = f"postgresql://desk@127.0.0.1:{nobody}/desk"
    client = await temporal.connect(own, lazy=True)
    async with postgres.pool(url, size=2, min_size=0) as away:
        pool = away if "postgresql" in gone else running_desk.pool
        app = build(Doors(Desk(client, pool), pool, own, signer(own)))
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            answer = await http.get("/readyz")
            assert (await http.get("/healthz")).status_code == 200
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    found = answer.json()
    assert {name for name in ("postgresql", "temporal") if not found[name]} == gone
    assert str(nobody) not in answer.text


async def test_a_database_of_another_version_is_not_ready(
    running_desk: RunningDesk, database: "asyncpg.Pool[Any]"
) -> None:
    await database.execute("UPDATE alembic_version SET version_num = '0001'")
    own = running_desk.settings
    app = build(Doors(Desk(running_desk.client, database), database, own, signer(own)))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["postgresql"] is False


@pytest.mark.parametrize("role", [role for role in Role if role in RIGHTS[Right.SEE]])
async def test_numbers_are_for_those_who_watch_the_desk(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    answer = await http.get("/metrics", headers=await token(role))
    assert answer.status_code == (200 if role in RIGHTS[Right.READ_METRICS] else 403)


async def test_numbers_tell_traffic_and_what_is_open_running_and_unsaid(
    running_desk: RunningDesk, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    view = await running_desk.desk.open(a_fault("health", "numbers"))
    await http.get("/healthz")
    await http.get("/nowhere/at/all")
    answer = await http.get("/metrics", headers=await token(Role.AUDITOR))
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["yinuo_http_requests_total", "/healthz", "200", "GET"] == 1
    assert found["yinuo_http_requests_total", "404", "GET", "none"] == 1
    assert found["yinuo_http_request_seconds_count", "/healthz", "GET"] == 1
    assert found["yinuo_register_reachable",] == 1
    state = str(view.sla_state)
    assert found["yinuo_open_issues", *sorted((str(view.stage), state))] >= 1
    assert any(name == "yinuo_running_promises" for name, *_ in found)
    assert "nowhere" not in answer.text
    assert "天河支行" not in answer.text
