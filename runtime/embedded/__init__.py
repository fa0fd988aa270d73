"""PostgreSQL and Temporal on this machine, as processes of the desk's own."""
