"""Telling people that a receiver of events is told no more: the general manager's office, by the
outbox, with the issue whose event it did not accept. The audit brings it out.
"""

from __future__ import annotations

from datetime import datetime

import httpx2

from activities.beside_issues import Notice, tell
from domain.vocabulary import Role
from domain.webhooks import Endpoint
from runtime.signing import Links
from store import rulebooks
from store.connection import Connection
from store.webhooks import Parcel

TEMPLATE = "webhook_failed"


class Alarm:
    """Writes to whoever is in charge; ``links`` as for any message."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def raise_(
        self, connection: Connection, endpoint: Endpoint, about: Parcel, why: str, now: datetime
    ) -> None:
        """Write it in the caller's transaction. Where nobody is on the roster there are still the
        log, the metrics and the audit.
        """
        rulebook = await rulebooks.current(connection)
        if rulebook is None:
            return
        said = {"label": endpoint.label, "host": httpx2.URL(endpoint.url).host}
        notice = Notice(
            about.issue_id,
            TEMPLATE,
            f"webhook:{endpoint.id}:{now:%Y%m%dT%H%M%S}",
            Role.GM_OFFICE,
            said | {"endpoint": endpoint.id},
            why,
            about.seq,
        )
        await tell(connection, rulebook, self._links, notice, now)
