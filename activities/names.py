"""The activities by name, and the queues they are taken from: all that workflows know of them."""

ISSUES = "issues"
"""Task queue of the workflows and the register's activities (design, section 5)."""
NOTIFICATIONS = "notifications"
"""Task queue of everything that leaves the building."""

RECORD = "record_step"
"""``Step`` to ``Recorded``: plan, assign, escalate and write one transition, in one transaction."""
DELIVER = "deliver_messages"
"""Keys of the outbox to the keys that could not be delivered and never will."""
AUDIT = "audit_register"
"""Close in the register what an operator ended in Temporal; returns the numbers concerned."""
