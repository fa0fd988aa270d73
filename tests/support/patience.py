"""How long anything is waited for: far longer than it takes on a machine that is busy with others.

Whoever waits in vain finds out by this; nobody is to find out how fast a machine is. One value
for all, below that of a whole test (``timeout`` in pyproject.toml), so what is missing is told.
"""

PATIENCE = 300.0
"""Seconds."""
