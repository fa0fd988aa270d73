"""A made-up company to try the desk with: its roster, and 55 issues of its customers."""
