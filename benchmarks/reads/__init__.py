"""The register when it is large: what pages, commands and audits wait for when they read it.

``seeds.py`` leads lives of every kind at a desk; ``plan.py`` says as data what the large register
is made of, and ``multiply.py`` makes it of those, table by table, in SQL. ``questions.py`` is what
is asked, by the very functions that pages and commands ask by, and ``asking.py`` takes the time.
"""
