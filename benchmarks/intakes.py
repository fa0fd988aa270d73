"""What the benchmarks of the whole desk register."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.issue.intake import Intake


def a_fault(source: str, reference: str) -> Intake:
    """Make a fault that the example roster has somebody for, reported now."""
    return Intake.model_validate(
        {
            "source": source,
            "reference": reference,
            "channel": "website",
            "kind": "fault",
            "category": "technical",
            "product_line": "ATM",
            "region": "广东",
            "agent": "07",
            "customer": {"name": "天河支行", "phone": "+86 20 5550 0101"},
            "title": "出钞口卡钞",
            "reported_at": datetime.now(UTC),
        }
    )
