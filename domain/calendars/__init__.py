"""Working time: opening hours, national working days, and instants between them."""
