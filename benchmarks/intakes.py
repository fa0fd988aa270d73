"""What the benchmarks of the whole desk register."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.issue.intake import Intake


def a_fault(source: str, reference: str, reported_at: datetime | None = None) -> Intake:
    """Make a fault that the example roster has somebody for, reported now if not before."""
    return Intake.model_validate(
        {
            "source": source,
            "reference": reference,
            "channel": "telephone",
            "kind": "fault",
            "category": "technical",
            "product_line": "ATM",
            "region": "广东",
            "agent": "07",
            "customer": {"name": "天河支行", "phone": "+86 138 0000 0101"},
            "title": "出钞口卡钞",
            "reported_at": reported_at or datetime.now(UTC),
        }
    )


def a_question(source: str, reference: str) -> Intake:
    """Make one that nobody calls back about: the customer tries the answer, and closes it."""
    return a_fault(source, reference).model_copy(update={"kind": "consultation"})
