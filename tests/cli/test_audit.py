"""`yinuo audit --deep` and `yinuo repair`: what they say, and how they end."""

from datetime import UTC, datetime

import pytest

from cli import audit as audit_commands
from domain.findings import (
    AuditReport,
    Finding,
    FindingKind,
    Remedy,
    Repaired,
    RepairOrder,
    RepairReport,
)
from tests.support.running_desk import Yinuo, run_yinuo

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WEDGED = Finding(
    kind=FindingKind.WEDGED, issue_id="issue:web:1", number="20261123-07-0001", seen="attempt 9"
)


def test_a_sound_desk_is_said_to_be_sound(yinuo: Yinuo) -> None:
    ran = yinuo("audit", "--deep")
    assert (ran.code, ran.out) == (0, "")
    assert "no findings" in ran.err
    ran = yinuo("repair")
    assert (ran.code, ran.out) == (0, "")
    assert "no findings, none left" in ran.err


def test_an_issue_nobody_knows_is_said_so(yinuo: Yinuo) -> None:
    ran = yinuo("repair", "20200101-07-0001", "--dry-run")
    assert ran.code == 1
    assert "20200101-07-0001: neither the register nor Temporal" in ran.err


def test_the_audit_says_what_was_found_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def audited(*, contents: bool) -> AuditReport:
        assert not contents
        return AuditReport(began_at=NOW, ended_at=NOW, issues=3, workflows=3, findings=(WEDGED,))

    monkeypatch.setattr(audit_commands, "_audited", audited)
    ran = run_yinuo("audit", "--deep")
    assert ran.code == 1
    assert "20261123-07-0001  流程任务反复失败" in ran.out
    assert "attempt 9" in ran.out
    assert "yinuo repair" in ran.out
    assert run_yinuo("audit", "--deep", "--json").json["findings"][0]["kind"] == "wedged"


@pytest.mark.parametrize(("done", "code", "mark"), [(True, 0, "✓"), (False, 1, "✗")])
def test_the_repair_says_of_each_what_was_done_and_whether_it_helped(
    monkeypatch: pytest.MonkeyPatch, *, done: bool, code: int, mark: str
) -> None:
    async def repaired(order: RepairOrder) -> RepairReport:
        each = Repaired(finding=WEDGED, remedy=Remedy.RESET, outcome="reset to event 47", done=done)
        return RepairReport(repaired=(each,), dry_run=order.dry_run)

    monkeypatch.setattr(audit_commands, "_repaired", repaired)
    ran = run_yinuo("repair", "20261123-07-0001")
    assert ran.code == code
    assert ran.out.startswith(f"{mark} 20261123-07-0001  ")
    assert "reset: reset to event 47" in ran.out
    assert run_yinuo("repair", "--dry-run").code == 0
