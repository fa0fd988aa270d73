"""The operator's heartbeat, and what Prometheus is told of audits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.findings import OVERDUE, AuditReport, Finding, FindingKind
from domain.vocabulary import Role
from runtime import postgres, temporal
from runtime.embedded.ports import free_ports
from starter.client import Desk
from store import auditing
from tests.support.running_desk import RunningDesk
from tests.web.conftest import BASE, MakeToken
from web.app import build
from web.serving import doors as doors_of

WEDGED = Finding(kind=FindingKind.WEDGED, issue_id="issue:web:secret", number="N", seen="secret")


def a_report(at: datetime, *findings: Finding) -> AuditReport:
    return AuditReport(began_at=at, ended_at=at, issues=7, workflows=7, findings=findings)


@pytest.fixture(autouse=True)
async def _no_audit_yet(running_desk: RunningDesk) -> None:
    await running_desk.pool.execute("DELETE FROM audit_runs")


async def test_the_heart_is_silent_before_the_first_audit(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/auditz")
    assert answer.status_code == 503
    assert "no deep audit" in answer.json()["detail"]


async def test_the_heart_beats_after_an_audit_that_found_nothing(
    http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    now = datetime.now(UTC)
    await auditing.keep(running_desk.pool, a_report(now - timedelta(hours=1), WEDGED))
    await auditing.keep(running_desk.pool, a_report(now))
    answer = await http.get("/auditz")
    assert answer.status_code == 200
    assert answer.json()["findings"] == {}


async def test_the_heart_is_red_when_something_was_found_and_says_nothing_of_issues(
    http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    other = WEDGED.model_copy(update={"issue_id": "issue:web:other"})
    serial = Finding(kind=FindingKind.SERIALS_BEHIND, seen="x")
    await auditing.keep(running_desk.pool, a_report(datetime.now(UTC), WEDGED, other, serial))
    answer = await http.get("/auditz")
    assert answer.status_code == 503
    assert answer.json()["findings"] == {"wedged": 2, "serials_behind": 1}
    assert "secret" not in answer.text


async def test_the_heart_falls_silent_when_no_audit_comes_any_more(
    http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    await auditing.keep(running_desk.pool, a_report(datetime.now(UTC) - OVERDUE))
    assert (await http.get("/auditz")).status_code == 503


async def test_the_heart_is_silent_when_the_register_is_away(running_desk: RunningDesk) -> None:
    (nobody,) = free_ports(1)
    url = f"postgresql://desk@127.0.0.1:{nobody}/desk"
    own = running_desk.settings
    client = await temporal.connect(own, lazy=True)
    async with postgres.pool(url, size=2, min_size=0) as away:
        app = build(doors_of(Desk(client, away), away, own))
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            answer = await http.get("/auditz")
    assert answer.status_code == 503
    assert "register" in answer.json()["detail"]


async def test_metrics_count_what_the_last_audit_found_and_tell_its_age(
    http: httpx2.AsyncClient, running_desk: RunningDesk, token: MakeToken
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=10)
    await auditing.keep(running_desk.pool, a_report(at, WEDGED))
    answer = await http.get("/metrics", headers=await token(Role.AUDITOR))
    found: dict[Any, float] = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["yinuo_audit_findings", "wedged"] == 1
    assert found["yinuo_audit_findings", "unsaid"] == 0
    assert 600 <= found["yinuo_audit_age_seconds",] < 700
