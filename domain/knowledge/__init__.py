"""The case library: what was solved before, and by which words it is found."""
