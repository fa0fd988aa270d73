import asyncio
from datetime import UTC, datetime

import pytest
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment

from domain.errors import SetupError
from domain.vocabulary import Instant, Model
from runtime.embedded.ports import free_ports
from runtime.settings import Settings
from runtime.temporal import (
    PayloadsOnce,
    connect,
    plugin,
    register_search_attributes,
    require_search_attributes,
)
from tests.conftest import DeskServers
from workflows.search_attributes import ISSUE_NUMBER, SEARCH_ATTRIBUTES


async def test_search_attributes_can_be_registered_again_and_used_at_once(
    desk_servers: DeskServers,
) -> None:
    client = desk_servers.client
    await asyncio.gather(*(register_search_attributes(client, SEARCH_ATTRIBUTES) for _ in range(3)))
    number = SearchAttributePair(ISSUE_NUMBER, "20240108-001")
    await client.start_workflow(
        "Waiting",
        id="issue:test:1",
        task_queue="nobody",
        search_attributes=TypedSearchAttributes([number]),
    )


async def test_a_search_attribute_of_another_type_is_refused_naming_it(
    desk_servers: DeskServers,
) -> None:
    with pytest.raises(SetupError, match=r"IssueNumber exists .* with another type"):
        await register_search_attributes(
            desk_servers.client, [SearchAttributeKey.for_int("IssueNumber")]
        )


async def test_a_worker_is_refused_where_a_search_attribute_is_missing(
    desk_servers: DeskServers,
) -> None:
    await require_search_attributes(desk_servers.client, SEARCH_ATTRIBUTES)
    unknown = SearchAttributeKey.for_int("IssueAge")
    with pytest.raises(
        SetupError, match="lacks the search attributes IssueAge: run `yinuo migrate`"
    ):
        await require_search_attributes(desk_servers.client, [*SEARCH_ATTRIBUTES, unknown])


async def test_the_test_server_knows_the_search_attributes(
    time_skipping: WorkflowEnvironment,
) -> None:
    await register_search_attributes(time_skipping.client, SEARCH_ATTRIBUTES)


async def test_an_address_that_does_not_answer_is_named_with_what_to_do() -> None:
    (port,) = free_ports(1)
    with pytest.raises(SetupError, match=f"127.0.0.1:{port} does not answer.*TEMPORAL_ADDRESS"):
        await connect(Settings(temporal_port=port))


def test_the_converters_of_many_workflows_have_one_set_of_type_adapters() -> None:
    made = plugin().data_converter
    assert isinstance(made, DataConverter)
    one, other = (made.payload_converter_class() for _ in range(2))
    assert isinstance(one, PayloadsOnce)
    assert isinstance(other, PayloadsOnce)
    for encoding, part in one.converters.items():
        assert other.converters[encoding] is part
    said = IssueStanding(one="问题", at=datetime(2026, 11, 29, tzinfo=UTC))
    (payload,) = one.to_payloads([said])
    assert other.from_payloads([payload], [IssueStanding]) == [said]


class IssueStanding(Model):
    one: str
    at: Instant
