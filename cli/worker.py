"""`yinuo worker`: one worker, on servers that run elsewhere."""

from __future__ import annotations

import worker as hosting


def worker() -> None:
    """Run one worker until Ctrl-C: the part of the desk to have more of for more load."""
    hosting.main()
