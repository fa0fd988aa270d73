"""What people fill in, made of the models it becomes: one kind of form, and one way to send it."""
