"""A chaos run: a real desk, callers as they are, every fault there is, an independent check.

``python -m benchmarks.chaos``; see benchmarks/README.md.
"""
