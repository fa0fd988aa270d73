"""Service levels: what is promised, by which policy, until when, and why."""
