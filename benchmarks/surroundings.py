"""What a run on servers of its own wants around it: quiet, and a folder."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter


def hush() -> None:
    """Say nothing of lost connections, once for each call: losing them is what this is about."""
    logging.basicConfig(level=logging.CRITICAL)
    quiet = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))


@contextmanager
def fresh_home(prefix: str, *, keep: bool) -> Iterator[Path]:
    """A new folder, and whether it stays."""
    if keep:
        yield Path(tempfile.mkdtemp(prefix=prefix))
        return
    with tempfile.TemporaryDirectory(prefix=prefix) as home:
        yield Path(home)
