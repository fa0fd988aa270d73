"""How the world is touched: registering, planning, assignment, escalation, notification."""
