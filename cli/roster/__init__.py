"""`yinuo roster`."""
