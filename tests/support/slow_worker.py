"""A worker of a desk whose register is slow by chance: ``python -m tests.e2e.slow_worker SEED``, or
never answers after it has committed one of those actions: ``… SEED ACTION``.
"""

import asyncio
import sys
from random import Random

from temporalio import activity

import worker
from activities.recording import Recording
from domain import contract as names
from domain.issue.step import Recorded, Step
from runtime import aio, settings

CHANCE = Random(sys.argv[1])  # noqa: S311  no secret
SECONDS = (0, 0, 0, 0.5, 2, 5.5) if len(sys.argv) == 2 else (0,)


class Slow(Recording):
    """Takes up to three workflow tasks' time, before and after it has committed."""

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        await asyncio.sleep(CHANCE.choice(SECONDS))
        recorded = await super().record_step(step)
        if step.action in sys.argv[2:]:
            await asyncio.Event().wait()
        await asyncio.sleep(CHANCE.choice(SECONDS))
        return recorded


if __name__ == "__main__":
    worker.Recording = Slow  # type: ignore[attr-defined]
    aio.run(worker.serve(settings.load()))
