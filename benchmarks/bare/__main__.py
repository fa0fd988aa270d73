"""The bare workflow's worker: one process, as the desk's (``worker.py``), with its settings."""

from __future__ import annotations

from benchmarks.bare.shape import BARE, BARE_NOTIFICATIONS
from benchmarks.bare.workflow import BareWorkflow, deliver_nothing, record_nothing
from runtime import aio, temporal
from runtime.settings import Settings, load
from worker import for_deliveries, for_workflows


async def serve(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM."""
    client = await temporal.connect(settings)
    issues = for_workflows(client, settings, BARE, [BareWorkflow], [record_nothing])
    notifications = for_deliveries(client, settings, BARE_NOTIFICATIONS, [deliver_nothing])
    with aio.stop_requested() as stop:
        async with issues, notifications:
            await stop.wait()


if __name__ == "__main__":
    aio.run(serve(load()))
