"""Who knocks at the desk: the client, the command line, the demonstration."""
