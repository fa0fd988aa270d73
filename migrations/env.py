"""How Alembic reaches the database: over a connection that runtime/migrate.py hands in."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run `yinuo migrate`: it takes the locks that a migration needs.")

# One transaction a revision: what is done is kept, what fails leaves no trace.
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
