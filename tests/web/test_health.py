import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from benchmarks.intakes import a_fault
from domain.reports.periods import Cadence, Period
from domain.staff.access import RIGHTS, Right
from domain.vocabulary import Role
from runtime import postgres, temporal
from runtime.embedded.ports import free_ports
from runtime.embedded.servers import HASTY, EmbeddedPostgres
from runtime.migrate import migrate
from runtime.settings import ROOT, Settings
from starter.answering import Unavailable
from starter.client import Desk
from starter.replanning import adopt_file
from store.connection import Pool
from store.heartbeat import beat
from tests.conftest import DeskServers
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk
from tests.web.conftest import BASE, MakeToken
from tests.web.test_clerk_pages import repaired
from web.app import build
from web.context import Doors
from web.serving import doors as doors_of
from worker import working

READY = ("postgresql", "temporal", "writable", "open", "working")


async def test_the_doors_live_and_are_ready(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/healthz")).text == "ok\n"
    answer = await http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(READY, True)


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
        app = build(doors_of(Desk(client, pool), pool, own))
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


async def _ready(own: Settings, client: Client, pool: Pool) -> httpx2.Response:
    app = build(doors_of(Desk(client, pool), pool, own))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE) as http:
        return await http.get("/readyz")


async def test_without_a_worker_the_doors_are_not_ready_and_say_what_is_not_taken(
    desk_servers: DeskServers,
) -> None:
    own, client = desk_servers.settings, desk_servers.client
    async with postgres.pool(desk_servers.postgres.url, size=2) as pool:
        answer = await _ready(own, client, pool)
        assert answer.status_code == 503
        assert [name for name in READY if not answer.json()[name]] == ["working"]
        detail = answer.json()["detail"]
        assert "issues, issues' activities, notifications: start `yinuo worker`" in detail
        await adopt_file(pool, ROOT / "policies" / "standard.toml")
        async with working(own):
            async with asyncio.timeout(PATIENCE):
                while (answer := await _ready(own, client, pool)).status_code != 200:
                    await asyncio.sleep(0.05)
        assert answer.json() == dict.fromkeys(READY, True)


async def test_a_register_that_only_can_be_read_is_not_ready(
    running_desk: RunningDesk, database: Pool, owner: "asyncpg.Connection[Any]"
) -> None:
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await database.expire_connections()
    answer = await _ready(running_desk.settings, running_desk.client, database)
    assert answer.status_code == 503
    assert [name for name in READY if not answer.json()[name]] == ["writable"]
    assert "writable: PostgreSQL takes no writes" in answer.json()["detail"]


async def test_a_register_on_a_full_disk_is_not_ready(
    running_desk: RunningDesk, small_disk: Path
) -> None:
    own, client = running_desk.settings, running_desk.client
    async with EmbeddedPostgres(small_disk / "home", HASTY) as server:
        await migrate(server.owner_url, server.url)
        async with postgres.pool(server.url, size=2) as pool:
            assert (await _ready(own, client, pool)).status_code == 200
            with pytest.raises(OSError, match="No space left"):
                _fill(small_disk / "ballast")
            answer = await _ready(own, client, pool)
            assert answer.status_code == 503
            assert "writable: PostgreSQL's disk is full" in answer.json()["detail"]
            (small_disk / "ballast").unlink()
            assert (await _ready(own, client, pool)).status_code == 200


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1024 * 1024))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that is soon full."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can have a small disk, and not everywhere")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)  # noqa: S607


async def test_however_many_ask_it_is_found_out_once_a_second(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[object] = []

    async def counted(pool: Pool) -> None:
        beats.append(pool)

    monkeypatch.setattr("starter.condition.heartbeat.beat", counted)
    monkeypatch.setattr("web.operations.health._SECOND", 3600)
    answers = await asyncio.gather(*(http.get("/readyz") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(beats) == 1


async def test_a_heartbeat_is_written_once_in_five_seconds_whoever_asks(
    database: Pool,
) -> None:
    at = "SELECT at, xmin::text FROM heartbeat"
    await beat(database)
    first = await database.fetchrow(at)
    await asyncio.gather(*(beat(database) for _ in range(5)))
    assert await database.fetchrow(at) == first
    for stale in ("now() - interval '6 seconds'", "now() + interval '1 hour'"):
        await database.execute(f"UPDATE heartbeat SET at = {stale}")  # noqa: S608
        before = await database.fetchval("SELECT at FROM heartbeat")
        await beat(database)
        assert await database.fetchval("SELECT at FROM heartbeat") != before


async def test_a_database_of_another_version_is_not_ready(
    running_desk: RunningDesk,
    database: Pool,
    owner: "asyncpg.Connection[Any]",
) -> None:
    await owner.execute("UPDATE alembic_version SET version_num = '0001'")
    own = running_desk.settings
    app = build(doors_of(Desk(running_desk.client, database), database, own))
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


def _of_reports(answer: httpx2.Response) -> dict[tuple[str, str, str], float]:
    return {
        (sample.name, sample.labels["period"], sample.labels["department"]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if "period" in sample.labels
    }


async def test_r27_the_reports_figures_are_metrics_of_what_the_caller_reads_and_no_customers(
    app: FastAPI, doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    number = await repaired(doors, {"name": "钱指标", "phone": "+86 137 0000 0028"})
    office, manager = await token(Role.GM_OFFICE), await token(Role.MANAGER)
    assert not _of_reports(await http.get("/metrics", headers=office)), "nobody waits for a count"
    counting = app.state.figures.counting
    await counting
    answer = await http.get("/metrics", headers=office)
    assert app.state.figures.counting is counting, "so soon it is not counted again"
    told = _of_reports(answer)
    week = Period.around(Cadence.WEEK, doors.now().astimezone(doors.settings.zone).date()).name
    report = (await http.get(f"/reports/effectiveness/{week}", headers=office)).json()
    total = report["counted"]["sections"][0]["rows"][-1]["values"]["registered"]["value"]
    assert told["yinuo_report_registered", "week", ""] == total
    assert (
        "# HELP yinuo_report_registered 登记问题 Issues registered: 期内登记的问题" in answer.text
    )
    assert 'yinuo_report_goal{figure="satisfied"} 0.9' in answer.text
    assert "yinuo_report_failures_total 0.0" in answer.text
    assert not {number, "钱指标", "liang.jiahao"} & set(re.split(r'[\s"]', answer.text))

    theirs = _of_reports(await http.get("/metrics", headers=manager))
    assert {department for _, _, department in theirs} == {"technical_service"}
    assert theirs.items() <= told.items()
    assert {department for _, _, department in told} > {"", "technical_service"}


async def test_figures_that_cannot_be_counted_are_told_nobody_and_the_failure_is_counted(
    app: FastAPI, http: httpx2.AsyncClient, token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("it took too long")

    headers = await token(Role.AUDITOR)
    monkeypatch.setattr("web.operations.figures.EVERY", timedelta())
    await http.get("/metrics", headers=headers)
    await app.state.figures.counting
    monkeypatch.setattr("starter.reports.Reports.watched", away)
    await http.get("/metrics", headers=headers)
    await app.state.figures.counting
    monkeypatch.setattr("web.operations.figures.EVERY", timedelta(hours=1))
    answer = await http.get("/metrics", headers=headers)
    assert not _of_reports(answer)
    assert "yinuo_report_age_seconds" not in answer.text
    assert "yinuo_report_failures_total 1.0" in answer.text
    assert "yinuo_register_reachable 1.0" in answer.text
