"""Photographs come in while everything is killed: none that was acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

from benchmarks.attachments import KINDS, Asked, run

SEED = 3
"""Another one: ``python -m benchmarks.attachments --files 200 --kilobytes 64 --seed N``."""


async def test_whoever_is_killed_no_attachment_is_lost_and_nothing_is_left(tmp_path: Path) -> None:
    asked = Asked(files=200, size=64 * 1024, at_once=4, pause=0.5, seed=SEED, rounds=2)
    came = await run(asked, tmp_path / "desk")
    assert came.kills, "nobody was killed"
    assert set(came.kills) <= set(KINDS)
    assert len(came.acknowledged) == asked.files <= came.rows
    assert not came.wrong, "\n".join(came.wrong)
    assert not came.findings
    assert not came.left
