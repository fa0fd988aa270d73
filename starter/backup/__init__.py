"""Backups of the embedded desk: one archive with both of its sides, and back."""
