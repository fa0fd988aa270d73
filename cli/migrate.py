"""`yinuo migrate`: servers that run elsewhere are prepared for the desk."""

from __future__ import annotations

from cli.connections import explained
from cli.progress import show
from runtime import aio, grants, temporal
from runtime import migrate as migrations
from runtime import settings as environment
from runtime.embedded.servers import database_url, migration_url
from runtime.postgres import pool
from starter import wording
from starter.epochs import begin
from starter.prepare import prepare
from starter.replanning import policy_at_start


def migrate() -> None:
    """Prepare the servers: tables, search attributes, the schedule of the audit, and the policy.

    Safe to repeat; `yinuo up` does it by itself.
    """
    aio.run(_migrate())


async def _migrate() -> None:
    settings = environment.load()
    async with explained():
        revision = await migrations.migrate(migration_url(settings), database_url(settings))
        show("migrations", "ready", f"revision {revision}")
        client = await temporal.connect(settings)
        await prepare(client)
        show("Temporal", "ready", f"search attributes and audit in {client.namespace}")
        async with pool(database_url(settings), size=2) as connections:
            if warning := await grants.warning(connections):
                show("PostgreSQL", "warning", warning)
            await begin(client, connections, show)
            said = await policy_at_start(client, connections, settings.policy)
            show("policy", "ready", said)
            show("scripts", "ready", await wording.at_start(connections, settings.policy))
