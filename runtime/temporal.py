"""The connection to Temporal, and what client, worker and replayer have in common."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import temporalio.client
import temporalio.worker
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.errors import SetupError
from runtime.settings import Settings, given_temporal

LOOPBACK = "127.0.0.1"

_IMPATIENT = RetryConfig(max_elapsed_time_millis=3_000)
_ONCE = PydanticPayloadConverter()

Interceptor = temporalio.client.Interceptor | temporalio.worker.Interceptor


class PayloadsOnce(CompositePayloadConverter):
    """Pydantic's converter, of whose parts there is one in a process. The SDK makes a converter for
    every workflow, and each would make and keep type adapters of its own, 13 KB of them.
    """

    def __init__(self) -> None:
        super().__init__(*_ONCE.converters.values())


def plugin(interceptors: Sequence[Interceptor] = ()) -> SimplePlugin:
    """Converter, runner and interceptors, the same for client, worker and replayer.

    Workflows run outside the SDK's sandbox, which makes every one import its code anew: what it
    would watch for is watched for otherwise, see docs/adr/0024.
    """
    return SimplePlugin(
        "yinuo",
        data_converter=DataConverter(payload_converter_class=PayloadsOnce),
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=interceptors,
    )


async def connect(
    settings: Settings, interceptors: Sequence[Interceptor] = (), *, lazy: bool = False
) -> Client:
    """A client of the servers that `TEMPORAL_*` names, or else of the embedded one.

    A `lazy` one, which no worker can use, connects at its first call and gives a call up after
    three seconds without an answer: somebody stands at the door, who can ask again. Calls fail with
    `RuntimeError` until it was connected once, with `RPCError` as usual from then on.

    Raises:
        SetupError: the address does not answer; never if `lazy`.
    """
    config = given_temporal()
    config.setdefault("target_host", f"{LOOPBACK}:{settings.temporal_port}")
    try:
        return await Client.connect(
            **config,
            plugins=[plugin(interceptors)],
            lazy=lazy,
            retry_config=_IMPATIENT if lazy else None,
        )
    except RuntimeError as error:
        raise SetupError(
            f"Temporal at {config['target_host']} does not answer. Start the desk with `yinuo up`,"
            f" or set TEMPORAL_ADDRESS. ({error})"
        ) from error


async def register_search_attributes(
    client: Client,
    keys: Sequence[SearchAttributeKey[Any]],
    *,
    patience: timedelta = timedelta(seconds=30),
) -> None:
    """Make the namespace know `keys`; returns when workflows may use them. Safe to repeat.

    Raises:
        SetupError: one exists with another type, or they do not appear within `patience`.
    """
    wanted = {key.name: int(key.indexed_value_type) for key in keys}
    known = await _known_attributes(client)
    for name in wanted.keys() & known.keys():
        if known[name] != wanted[name]:
            raise SetupError(
                f"search attribute {name} exists in namespace {client.namespace} with another type:"
                " remove it there with `temporal operator search-attribute remove`."
            )
    missing = {name: kind for name, kind in wanted.items() if name not in known}
    if missing:
        await _add_attributes(client, missing)
    try:
        async with asyncio.timeout(patience.total_seconds()):
            while not await _usable(client, sorted(wanted)):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise SetupError(
            f"search attributes were added to namespace {client.namespace} but did not become"
            f" visible within {patience.total_seconds():g} s; try again."
        ) from None


async def require_search_attributes(
    client: Client, keys: Sequence[SearchAttributeKey[Any]]
) -> None:
    """Refuse to work in a namespace whose workflow tasks would fail for ever.

    Raises:
        SetupError: the namespace does not know all of `keys`.
    """
    known = await _known_attributes(client)
    if missing := sorted(key.name for key in keys if key.name not in known):
        raise SetupError(
            f"namespace {client.namespace} lacks the search attributes {', '.join(missing)}:"
            " run `yinuo migrate`."
        )


async def _known_attributes(client: Client) -> dict[str, int]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        answer = await client.operator_service.list_search_attributes(request)
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:  # by the test server
            return {}
        raise
    return dict(answer.custom_attributes)


async def _add_attributes(client: Client, attributes: dict[str, int]) -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace)
    for name, kind in attributes.items():
        request.search_attributes[name] = kind  # type: ignore[assignment]
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        # Another desk was quicker; whether it added the same, waiting for them shows.
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _usable(client: Client, names: Sequence[str]) -> bool:
    """Listed is not enough: the frontend reads a cache. A query that names them all tells."""
    try:
        await client.count_workflows(" AND ".join(f"{name} IS NULL" for name in names))
    except RPCError as error:
        # The test server cannot count, and knows an attribute at once.
        return error.status is RPCStatusCode.UNIMPLEMENTED
    return True
