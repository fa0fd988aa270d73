"""What waits for the malware scanner is shown to it again: then it is served, or it is removed and
somebody hears of it.
"""

from __future__ import annotations

import structlog
from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.content_audit import remove
from domain.attachments import Attachment, Standing
from domain.issue.actions import ActionName, Escalate
from domain.vocabulary import Actor, Role
from runtime.contents.content import ContentGone, Contents
from runtime.scanner import NotScanned, Scanner, ScannerAway
from store import attachments
from store.connection import Pool

_AT_ONCE = 200
"""Attachments that are looked at in one audit, those that wait longest first."""
_BY = Actor(id="scanner", role=Role.INTAKE)
FOUND = (
    "附件“{name}”查出恶意软件（{found}），内容已删除，请不要打开寄件人另行发来的同一文件，并告知客户。"
    " Malware ({found}) was found in the attachment “{name}”, and its content was removed: open no"
    " copy of it, and tell the customer."
)
log = structlog.get_logger("attachments")


class Scanning:
    """Has waiting attachments looked at; without a ``scanner`` they go on waiting."""

    def __init__(self, pool: Pool, contents: Contents, scanner: Scanner | None) -> None:
        self._pool = pool
        self._contents = contents
        self._scanner = scanner

    async def look_again(self, client: Client) -> None:
        """Look at what waits, until the scanner is away."""
        waiting = await attachments.waiting(self._pool, _AT_ONCE)
        if waiting and self._scanner is None:
            log.warning("attachments wait for a scanner, and none is named", count=len(waiting))
            return
        for one in waiting:
            activity.heartbeat()
            try:
                await self._look(client, one)
            except (ScannerAway, OSError) as error:
                log.warning("attachments wait for the scanner", reason=str(error))
                return
            except (NotScanned, ContentGone) as error:
                log.warning("an attachment waits", id=one.id, reason=str(error))

    async def _look(self, client: Client, one: Attachment) -> None:
        assert self._scanner  # noqa: S101  see look_again
        found = await self._scanner.found_in(await self._contents.read(one.digest))
        if found is None:
            await attachments.stands(self._pool, one.id, Standing.SERVED)
            return
        log.warning("malware was found", id=one.id, found=found)
        for same in await attachments.of_content(self._pool, one.digest):
            await self._tell(client, same, found)
            await attachments.stands(self._pool, same.id, Standing.REMOVED)
        await remove(self._pool, self._contents, one.digest)

    async def _tell(self, client: Client, one: Attachment, found: str) -> None:
        """Have whoever stands above its issue told, once however often this is tried."""
        act = Escalate(by=_BY, reason=FOUND.format(name=one.name, found=found))
        handle = client.get_workflow_handle(one.issue_id)
        try:
            await handle.execute_update(ActionName.ESCALATE, act, id=f"malware:{one.id}")
        except (WorkflowUpdateFailedError, RPCError) as error:
            # It is over, or with the GM office already: it stands on its page.
            log.warning("nobody was told of malware", issue=one.issue_id, error=str(error))
