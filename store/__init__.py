"""All SQL, over asyncpg: commands in one transaction each, and read models."""

import asyncpg

AWAY: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of something
    asyncpg.LockNotAvailableError,  # whoever has the lock is not done in time
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
)
"""What asyncpg raises when PostgreSQL is not there, or not yet: to be tried again."""

UNWRITABLE: tuple[type[Exception], ...] = (
    *AWAY,
    asyncpg.InsufficientResourcesError,  # a full disk
    asyncpg.ReadOnlySQLTransactionError,
)
"""The same, and what it raises when it is there but takes nothing down."""
