"""The activities by name, and the queues they are taken from: all that workflows know of them."""

from domain.step_names import StepName

ISSUES = "issues"
"""Task queue of the workflows and the register's activities (design, section 5)."""
NOTIFICATIONS = "notifications"
"""Task queue of everything that leaves the building."""

RECORD = "record_step"
"""``Step`` to ``Recorded``: plan, assign, escalate and write one transition, in one transaction. So
it is called by issues that began before steps had names of their own.
"""
STEPS = (RECORD, *StepName)
"""All names a step was ever recorded by."""
TURN = "take_turn"
"""A name of those to itself: a replay finds which step was recorded first, whatever it would do."""
DELIVER = "deliver_messages"
"""Keys of the outbox to the keys that could not be delivered and never will."""
AUDIT = "audit_register"
"""Close in the register what an operator ended in Temporal; returns the numbers concerned."""
DEEP_AUDIT = "deep_audit"
"""To ``AuditReport``: look at the whole desk, and keep what is wrong."""
REPAIR = "repair_issues"
"""``RepairOrder`` to ``RepairReport``: do something about what a deep audit finds."""
REPLAN = "replan_issues"
"""``Order`` to ``Report``: plan the open issues again that a loaded rulebook touches."""
RAISE_COMPLAINT = "raise_complaint"
"""``Intake`` to the number of the issue it becomes: what a customer said in a callback (R21)."""
