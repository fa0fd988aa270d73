"""The one way into asyncio, and the one way to be asked to stop."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program. SIGINT and SIGTERM cancel it, so that everything it opened is closed.

    Raises:
        KeyboardInterrupt: after SIGINT.
        SystemExit: with 143, after SIGTERM.
    """
    try:
        return asyncio.run(_cancelled_by_sigterm(main))
    finally:
        # The Temporal client ends its native futures when it is collected. Left to the shutdown
        # of the interpreter, that aborts the process (PyGILState_Release) now and then.
        gc.collect()


async def _cancelled_by_sigterm(main: Coroutine[Any, Any, T]) -> T:
    # asyncio.run does this for SIGINT only.
    loop = asyncio.get_running_loop()
    task = loop.create_task(main)
    terminated = asyncio.Event()

    def terminate() -> None:
        terminated.set()
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if terminated.is_set():
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


@asynccontextmanager
async def every(seconds: float, call: Callable[[], object]) -> AsyncIterator[None]:
    """Call something at once, and again and again while the block runs: a sign of life."""

    async def calling() -> None:
        while True:
            call()
            await asyncio.sleep(seconds)

    task = asyncio.create_task(calling())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def within(seconds: float, asking: Coroutine[Any, Any, T]) -> T:
    """Wait for an answer so long and no longer, even if whoever is asked cannot be stopped soon:
    asyncpg waits until the server has heard of it, and one that stands still hears nothing.

    Raises:
        TimeoutError: no answer in time.
    """
    task = asyncio.create_task(asking)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


@contextmanager
def stop_requested() -> Iterator[asyncio.Event]:
    """An event that SIGINT or SIGTERM sets: the program ends by itself, in order.

    A second signal no longer waits: it cancels the program.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
