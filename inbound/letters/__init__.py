"""Letters read: whatever program wrote them, and whatever happened to them on the way."""
