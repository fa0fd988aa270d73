"""Reports over a month and a year of a busy desk: how long each takes, and whether it is right.

``make reports`` writes the registers in bulk, counts every report by the desk and once more in
plain Python, and compares figure by figure. See benchmarks/README.md.
"""
