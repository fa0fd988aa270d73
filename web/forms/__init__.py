"""What people fill in: fields by the form of an action, and the intake."""
