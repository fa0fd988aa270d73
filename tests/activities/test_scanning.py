"""What waited for the scanner is served when it was looked at, or removed and told of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.scanning import Scanning
from domain.attachments import Attachment, NotTaken, Standing
from domain.errors import Refused
from domain.issue.actions import ActionName, Escalate
from domain.vocabulary import Actor, Role
from runtime.contents.folder import Folder
from runtime.pictures import shared
from runtime.scanner import Clamd
from starter.attachments import Attachments
from starter.examining import Examiner
from store.connection import Pool
from tests.support.scanner import VIRUS, FakeClamd, scanning

BY = Actor(id="web", role=Role.INTAKE)
NOWHERE = "unix:///nowhere/at/all"


@dataclass
class Told:
    """A Temporal client of which only updates are asked."""

    updates: list[tuple[str, str, Escalate, str]] = field(default_factory=list)

    def get_workflow_handle(self, id_: str) -> Any:
        return _Handle(id_, self)


@dataclass(frozen=True)
class _Handle:
    id: str
    told: Told

    async def execute_update(self, name: ActionName, act: Escalate, *, id: str) -> None:  # noqa: A002
        self.told.updates.append((self.id, name, act, id))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "attachments")


@pytest.fixture
async def clamd() -> AsyncIterator[FakeClamd]:
    async with scanning() as fake:
        yield fake


async def attach(
    database: Pool, folder: Folder, content: bytes, *, url: str, issue: str = "issue:web:1"
) -> Attachment:
    at = Attachments(database, folder, Examiner(shared(), Clamd.at(url)))
    return await at.add(issue, "a.txt", content, BY, "api")


async def looked(database: Pool, folder: Folder, url: str | None) -> Told:
    told = Told()
    again = Scanning(database, folder, Clamd.at(url) if url else None)
    await ActivityEnvironment().run(again.look_again, told)  # type: ignore[arg-type]
    return told


async def standing(database: Pool, one: Attachment) -> Standing:
    return Standing(
        await database.fetchval("SELECT standing FROM attachments WHERE id = $1", one.id)
    )


async def test_a_file_that_was_looked_at_is_served_at_once(
    database: Pool, folder: Folder, clamd: FakeClamd
) -> None:
    one = await attach(database, folder, b"words", url=clamd.url)
    assert (one.standing, clamd.files) == (Standing.SERVED, [b"words"])


async def test_malware_is_refused_and_nothing_of_it_is_kept(
    database: Pool, folder: Folder, clamd: FakeClamd
) -> None:
    with pytest.raises(NotTaken, match="malware") as refused:
        await attach(database, folder, VIRUS, url=clamd.url)
    assert refused.value.why == "malware"
    assert await Attachments(database, folder).of("issue:web:1") == []
    assert not list(folder.path.glob("??/*"))


async def test_what_came_while_the_scanner_was_away_waits_and_is_given_to_nobody(
    database: Pool, folder: Folder
) -> None:
    one = await attach(database, folder, b"words", url=NOWHERE)
    assert one.standing is Standing.WAITING
    with pytest.raises(Refused, match="waits"):
        await Attachments(database, folder).content(one)
    told = await looked(database, folder, NOWHERE)
    assert (await standing(database, one), told.updates) == (Standing.WAITING, [])


async def test_when_the_scanner_is_back_what_is_clean_is_served(
    database: Pool, folder: Folder, clamd: FakeClamd
) -> None:
    one = await attach(database, folder, b"words", url=NOWHERE)
    told = await looked(database, folder, clamd.url)
    assert (await standing(database, one), told.updates) == (Standing.SERVED, [])


async def test_malware_is_removed_wherever_it_is_attached_and_each_issue_hears_of_it_once(
    database: Pool, folder: Folder, clamd: FakeClamd
) -> None:
    issues = ("issue:web:1", "issue:web:2")
    found = [await attach(database, folder, VIRUS, url=NOWHERE, issue=issue) for issue in issues]
    told = await looked(database, folder, clamd.url)
    assert {await standing(database, one) for one in found} == {Standing.REMOVED}
    assert sorted((issue, name, key) for issue, name, _, key in told.updates) == sorted(
        (one.issue_id, ActionName.ESCALATE, f"malware:{one.id}") for one in found
    )
    assert all("Yinuo.Test.Virus" in act.reason for _, _, act, _ in told.updates)
    assert not list(folder.path.glob("??/*"))
    assert (await looked(database, folder, clamd.url)).updates == []


async def test_one_that_the_scanner_will_not_look_at_holds_up_no_other(
    database: Pool, folder: Folder, clamd: FakeClamd
) -> None:
    large = await attach(database, folder, b"x" * 5000, url=NOWHERE, issue="issue:web:1")
    small = await attach(database, folder, b"words", url=NOWHERE, issue="issue:web:2")
    clamd.largest = 1000
    await looked(database, folder, clamd.url)
    assert await standing(database, large) is Standing.WAITING
    assert await standing(database, small) is Standing.SERVED


async def test_without_a_scanner_what_waits_goes_on_waiting(database: Pool, folder: Folder) -> None:
    one = await attach(database, folder, b"words", url=NOWHERE)
    await looked(database, folder, None)
    assert await standing(database, one) is Standing.WAITING
