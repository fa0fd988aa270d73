"""The desk's figures and the national working days: data, read by ``runtime.rulebook``."""
