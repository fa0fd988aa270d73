"""`yinuo issue`."""
