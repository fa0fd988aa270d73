"""`yinuo calendar`."""
