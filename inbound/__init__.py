"""What comes in from outside: letters, other systems' words, and files."""
