"""`yinuo case`."""
