"""What SQL is asked through: a pool of connections, or one of them within a transaction."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[Any]"
Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
