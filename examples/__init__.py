"""A made-up company to try the desk with: its roster, and forty issues of its customers."""
