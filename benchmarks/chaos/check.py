"""The independent check: what was acknowledged, against what is there.

Pure: evidence in, findings out. Every finding says where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.chaos import acts, alarms, workflows
from benchmarks.chaos.evidence import Evidence
from benchmarks.chaos.findings import Files, Finding

_PARTS: Sequence[Callable[[Files], Iterator[Finding]]] = (
    *workflows.PARTS,
    *acts.PARTS,
    *alarms.PARTS,
)


def check(evidence: Evidence) -> list[Finding]:
    """Find everything that is wrong."""
    files = Files(evidence)
    return [finding for part in _PARTS for finding in part(files)]
