"""All SQL, over asyncpg: commands in one transaction each, and read models."""
