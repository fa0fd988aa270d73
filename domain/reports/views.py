"""The views that reports count over: a fact a row, no customer in any (docs/reports.md)."""

from __future__ import annotations

from enum import StrEnum


class View(StrEnum):
    """A view of the register, by its name there."""

    ISSUES = "report_issues"
    PROMISES = "report_promises"
    CALLBACKS = "report_callbacks"
    EVALUATIONS = "report_evaluations"
    COMPLAINTS = "report_complaints"
    DIFFICULTY = "report_difficulty"
    CALLS = "report_calls"
    SAMPLES = "report_samples"
    CASES = "report_cases"
    STANDBY = "report_standby"
