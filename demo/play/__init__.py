"""A day that was written for it: samples, staff who play it, and what must come of it."""
