"""An upgrade drill: an earlier version's desk has issues of every kind in every stage, its power
fails, the version of this checkout takes it over, and nothing is lost.

``python -m benchmarks.upgrade --from COMMIT``; see benchmarks/README.md.
"""
