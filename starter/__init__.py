"""Who starts and calls workflows: the typed client, and what brings a desk up."""
