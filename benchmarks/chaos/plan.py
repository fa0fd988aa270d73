"""What is going to happen, all of it from a seed: which faults, when, and what kind of callers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

ISSUES_A_SECOND = 2.0
"""What two cores can just about do while other work is beside them."""
SHORTEST = 30.0
"""Seconds in which faults happen at least: some of them last a dozen."""
SECONDS_A_FAULT = 9.0
WORKFLOW_TASK_TIMEOUT = 10.0
"""Seconds that Temporal gives a workflow task, by default; its heartbeat comes before that."""


class Kind(StrEnum):
    """What can befall a desk. Whoever is killed is gone, whoever is frozen comes back and goes on
    with what it believed.
    """

    WORKER_KILLED = "worker-killed"
    WORKER_FROZEN = "worker-frozen"
    DOORS_KILLED = "doors-killed"
    DOORS_FROZEN = "doors-frozen"
    POSTGRES_KILLED = "postgres-killed"
    POSTGRES_FROZEN = "postgres-frozen"
    TEMPORAL_KILLED = "temporal-killed"
    TEMPORAL_FROZEN = "temporal-frozen"
    REGISTER_LOCKED = "register-locked"
    """Somebody holds a lock that every step needs."""
    COMMITS_SLOW = "commits-slow"
    """Many a commit takes longer than the heartbeat of a workflow task."""
    POWER_CUT = "power-cut"
    """Everything at once, and Temporal wakes up a moment before it fell."""


class Fault(NamedTuple):
    """One fault: when it begins, in seconds after the first intake, and how long it lasts."""

    kind: Kind
    at: float
    seconds: float


_LASTS = {
    "killed": (0.5, 4.0),
    "frozen": (WORKFLOW_TASK_TIMEOUT + 1, WORKFLOW_TASK_TIMEOUT + 4),
    "locked": (WORKFLOW_TASK_TIMEOUT + 2, WORKFLOW_TASK_TIMEOUT + 3),
    "slow": (WORKFLOW_TASK_TIMEOUT + 15, WORKFLOW_TASK_TIMEOUT + 20),
    "cut": (1.0, 5.0),
}
"""Seconds from and to. Of a power cut: how much of what Temporal wrote was not on the disk yet."""


def chance(*names: object) -> random.Random:
    """Return a source of chance that is the same every time; for nothing secret."""
    return random.Random(":".join(map(str, names)))  # noqa: S311


def seconds_of(issues: int) -> float:
    """Say how long the issues take to come in."""
    return max(SHORTEST, issues / ISSUES_A_SECOND)


def faults(seed: int, kinds: Sequence[Kind], seconds: float) -> list[Fault]:
    """Plan the faults of a run: each kind at least once, evenly mixed, at any instant."""
    drawn = chance(seed, "faults")
    count = max(len(kinds), round(seconds / SECONDS_A_FAULT)) if kinds else 0
    mixed: list[Kind] = []
    while len(mixed) < count:
        mixed += drawn.sample(kinds, len(kinds))
    instants = sorted(drawn.uniform(1, seconds) for _ in range(count))
    return [
        Fault(kind, at, drawn.uniform(*_LASTS[kind.rpartition("-")[2]]))
        for kind, at in zip(mixed, instants, strict=False)
    ]
