"""`yinuo serve`: the doors alone, on servers that run elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime import aio, logs
from runtime import settings as environment
from web import serving

Host = Annotated[
    str | None, typer.Option(help="where to listen \\[default: YINUO_HTTP_HOST, or 127.0.0.1]")
]
Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="\\[default: YINUO_HTTP_PORT, or 8080]")
]


def serve(*, host: Host = None, port: Port = None) -> None:
    """Open the doors until Ctrl-C: the HTTP interface, links and pages. `yinuo up` does it, too.

    Any number of processes may serve one desk, if they share YINUO_SECRET. Servers may be away:
    /readyz says which.

    Example: yinuo serve --host 0.0.0.0 --port 8000
    """
    settings = environment.load()
    logs.configure(settings.log_format, settings.log_level)
    asked = {"http_host": host, "http_port": port}
    given = {name: value for name, value in asked.items() if value is not None}
    aio.run(serving.serve(settings.model_copy(update=given)))
