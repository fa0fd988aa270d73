"""Every fault once, at a desk that is at work: nothing is forgotten, nothing doubled."""

from __future__ import annotations

from pathlib import Path

from benchmarks.chaos.plan import Kind
from benchmarks.chaos.run import Asked, run

SEED = 24
"""Another one: ``python -m benchmarks.chaos --issues 24 --seed N``."""


async def test_whatever_befalls_the_desk_nothing_acknowledged_is_forgotten(tmp_path: Path) -> None:
    asked = Asked(seed=SEED, issues=24, kinds=list(Kind), minutes=4, patience=20)
    report = await run(asked, tmp_path / "desk")
    assert {window.kind for window in report.faults} == set(Kind)
    assert report.acknowledged
    told = [f"{finding.kind}: {finding.issue}: {finding.what}" for finding in report.findings]
    assert not told, f"seed {SEED}: " + "\n".join(told)
