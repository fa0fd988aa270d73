"""The client while a server is away: what is accepted is kept, what is not is said at once."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from temporalio.service import RPCError

from domain.issue.intake import Intake
from inbound.files.roster import read_roster
from runtime import postgres, temporal
from runtime.settings import ROOT
from starter.client import Desk, Opened, OtherContent, Unavailable
from starter.replanning import adopt_file
from store import roster
from tests.conftest import DeskServers
from tests.starter.test_client import an_intake_of_now
from tests.support.patience import PATIENCE
from worker import working


@pytest.fixture
async def desk(desk_servers: DeskServers) -> AsyncIterator[Desk]:
    """As the doors have it: a lazy client, and a pool that opens without PostgreSQL."""
    client = await temporal.connect(desk_servers.settings, lazy=True)
    async with postgres.pool(desk_servers.postgres.url, size=10, min_size=0) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        yield Desk(client, pool)


async def until_numbered(desk: Desk, intake: Intake) -> Opened:
    async with asyncio.timeout(PATIENCE):
        while (opened := await desk.register(intake)).view is None:
            pass
    return opened


async def test_an_intake_is_accepted_while_postgresql_is_away_and_numbered_when_it_is_back(
    desk: Desk, desk_servers: DeskServers
) -> None:
    await adopt_file(desk._pool, ROOT / "policies" / "standard.toml")
    async with working(desk_servers.settings):
        first = an_intake_of_now()
        assert (await desk.register(first)).new
        await desk_servers.postgres.stop()
        intakes = [an_intake_of_now() for _ in range(3)]
        began = time.monotonic()
        accepted = await asyncio.gather(*map(desk.register, intakes))
        took = time.monotonic() - began
        assert accepted == [Opened(None, new=True)] * 3
        assert took < 12
        with pytest.raises(Unavailable, match="number follows"):
            await desk.open(intakes[0])
        known = await desk.register(first)
        assert (known.new, known.view and known.view.reference) == (False, first.reference)
        with pytest.raises(Unavailable):
            await desk.register(an_intake_of_now(region="Mars"))
        for intake, numbered in ((intakes[0], False), (first, True)):
            other = intake.model_copy(update={"title": "Something else"})
            with pytest.raises(OtherContent) as refused:
                await desk.register(other)
            assert (refused.value.fields, bool(refused.value.stands)) == (("title",), numbered)
        with pytest.raises(Unavailable):
            await desk.show("20261123-07-0001")
        await desk_servers.postgres.start()
        views = [(await until_numbered(desk, intake)).view for intake in intakes]
        assert len({view.number for view in views if view}) == 3
        assert {view.title for view in views if view} == {intakes[0].title}


async def test_without_a_memory_of_the_regions_nothing_is_accepted_unseen(
    desk: Desk, desk_servers: DeskServers
) -> None:
    await desk_servers.postgres.stop()
    intake = an_intake_of_now()
    with pytest.raises(Unavailable):
        await desk.register(intake)
    with pytest.raises(RPCError, match="not found"):
        await desk_servers.client.get_workflow_handle(intake.issue_id).describe()
    await desk_servers.postgres.start()


@pytest.mark.parametrize("connected", [True, False], ids=["gone", "never there"])
async def test_while_temporal_is_away_the_answer_is_no_within_seconds(
    desk: Desk, desk_servers: DeskServers, *, connected: bool
) -> None:
    if connected:
        await desk.client.service_client.check_health()
    await desk_servers.temporal.stop()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await desk.register(an_intake_of_now())
    took = time.monotonic() - began
    assert took < 6
    await desk_servers.temporal.start()
