"""What happens when: the regulation as durable workflows."""
