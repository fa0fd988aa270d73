"""What a run tells: a line for each count, each finding, and a file of all of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.chaos.asking import Acknowledged
from benchmarks.chaos.faults import Window
from benchmarks.chaos.findings import Count, Finding

SHOWN = 40
"""Findings on the screen; the file has them all."""


@dataclass(frozen=True)
class Report:
    """A run, from its seed to its findings; ``heard`` is what callers heard that was no answer."""

    seed: int
    issues: int
    seconds: float
    faults: Sequence[Window]
    acknowledged: Sequence[Acknowledged]
    heard: Counter[str]
    findings: Sequence[Finding]

    @property
    def counts(self) -> dict[Count, int]:
        """How many of each, 0 included."""
        found = Counter(finding.kind for finding in self.findings)
        return {count: found[count] for count in Count}

    def show(self, console: Console) -> None:
        """Print it."""
        deeds = Counter(said.deed for said in self.acknowledged)
        faults = Counter(window.kind for window in self.faults)
        console.print(f"seed {self.seed}: {self.issues} issues in {self.seconds:.0f} s")
        console.print("faults: " + _listed(faults))
        console.print("acknowledged: " + _listed(deeds))
        console.print("callers heard: " + _listed(self.heard))
        for count, times in self.counts.items():
            console.print(f"{times:6}  {count}")
        for finding in self.findings[:SHOWN]:
            console.print(f"  {finding.kind}: {finding.issue}: {finding.what}", markup=False)

    @property
    def told(self) -> dict[str, Any]:
        """All of it, as it is kept in a file."""
        return {
            "seed": self.seed,
            "issues": self.issues,
            "seconds": round(self.seconds),
            "counts": self.counts,
            "acknowledged": Counter(said.deed for said in self.acknowledged),
            "heard": self.heard,
            "faults": [fault._asdict() for fault in self.faults],
            "findings": [finding._asdict() for finding in self.findings],
        }


def write(reports: Sequence[Report], file: Path) -> None:
    """Keep reports in a file."""
    told = [report.told for report in reports]
    text = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    file.write_text(text + "\n", encoding="utf-8")


def _listed(counted: Mapping[Any, int]) -> str:
    return ", ".join(f"{times} {name}" for name, times in sorted(counted.items())) or "none"
