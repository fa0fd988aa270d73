"""An issue's life: what comes in, what may be done by whom, and what becomes of it (R1 to R26)."""
