"""What people hand in as files: rosters, cases and issues."""
