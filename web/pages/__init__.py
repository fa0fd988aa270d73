"""The desk for people: one file for each kind of person who comes in."""
