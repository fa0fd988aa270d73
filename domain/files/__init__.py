"""Files that people send: what they are by what is in them, and what they are called here."""
