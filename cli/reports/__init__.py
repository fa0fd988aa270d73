"""`yinuo report`: what the management reads of the desk (R27)."""
