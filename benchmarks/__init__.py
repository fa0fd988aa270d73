"""Measurements, run by hand: never part of the tests, never imported by the desk."""
