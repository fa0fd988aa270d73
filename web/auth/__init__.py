"""Who somebody is: tokens, sessions, and signing in."""
