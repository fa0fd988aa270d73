"""Who works here: the roster, duty, who gets an issue, and who may see and do what."""
