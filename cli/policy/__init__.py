"""`yinuo policy`."""
