"""Receivers of webhooks over HTTP: who else is told what happens, and how each does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, Field

from domain.staff.access import Right
from domain.vocabulary import Instant, Model
from starter.receivers import Endpoint, NewEndpoint, NotAnswered, Waiting
from web.api.document import told
from web.api.examples import RECEIVER
from web.api.shapes import answer
from web.audit import Deed, written
from web.auth.identity import Authenticated, Visitor, require
from web.context import Doors, Here

router = APIRouter()

_GONE: dict[int | str, dict[str, Any]] = {204: {"description": "done"}}

ReceiverId = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{8}$",
        description="the receiver's `id` in the list",
        examples=["3f9a01c2"],
    ),
]
Wanted = Annotated[NewEndpoint, Body(openapi_examples={"usual": {"value": RECEIVER}})]


class Receivers(BaseModel):
    """All receivers, the oldest first, and what waits for each."""

    items: list[Waiting]


class AddedReceiver(Endpoint):
    """A receiver that is told from now on, and the secret by which it checks that. Nobody sees
    the secret again.
    """

    secret: str


class Rotation(Model):
    """For how long the secret of before signs as well."""

    keep_hours: int = Field(default=24, ge=0, le=9999)


class Rotated(BaseModel):
    """Another secret, which nobody sees again."""

    secret: str
    former_until: Instant = Field(description="so long the secret of before signs as well")


class Tried(BaseModel):
    """What came of a test."""

    taken: bool = Field(description="it accepts what is posted to it")
    status: int | None = Field(description="null: there was no answer")
    said: str = Field(description="how its answer begins, or why there was none")


@asynccontextmanager
async def _managed(
    here: Doors, who: Visitor, what: str, receiver: str | None = None
) -> AsyncIterator[Deed]:
    """Let nobody but them do it, and write down what became of it, with the receiver's id."""
    async with written(here, who, what, *([_known_as(receiver)] if receiver else ())) as deed:
        require(who, Right.MANAGE_RECEIVERS)
        yield deed


def _known_as(receiver: str) -> str:
    """Name a receiver in the audit trail, where numbers of issues stand."""
    return f"receiver:{receiver}"


@router.get(
    "/webhooks",
    operation_id="list_receivers",
    summary="推送 List who is told of events, how each does, and what waits for it",
    tags=["webhooks"],
    responses={200: told("the oldest first", Receivers)},
)
async def list_receivers(here: Here, who: Authenticated) -> Response:
    """For the general manager's office. No secrets."""
    require(who, Right.MANAGE_RECEIVERS)
    return answer(Receivers(items=await here.receivers.listed()))


@router.post(
    "/webhooks",
    operation_id="add_receiver",
    summary="推送 Tell another system what happens from now on",
    tags=["webhooks"],
    status_code=HTTPStatus.CREATED,
    responses={201: told("added, with its secret: it is shown this once", AddedReceiver)},
)
async def add_receiver(wanted: Wanted, here: Here, who: Authenticated) -> Response:
    """Not safe to repeat: sent again, it is another receiver with a secret of its own. Refused, and
    nothing kept of it, is an address inside that the policy does not allow (`[webhooks]`).
    """
    async with _managed(here, who, "add_receiver") as deed:
        endpoint, secret = await here.receivers.add(wanted)
        deed.is_about(_known_as(endpoint.id))
    added = AddedReceiver(**dict(endpoint), secret=secret)
    return answer(added, HTTPStatus.CREATED, Cache_Control="no-store")


@router.put(
    "/webhooks/{receiver}",
    operation_id="change_receiver",
    summary="推送 Change where a receiver is, or what it is told",
    tags=["webhooks"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=_GONE,
)
async def change_receiver(
    receiver: ReceiverId, wanted: Wanted, here: Here, who: Authenticated
) -> None:
    """All of it anew, as it is added; its secret and its place in the events stay. What waits for
    it goes to the new address.
    """
    async with _managed(here, who, "change_receiver", receiver):
        await here.receivers.change(receiver, wanted)


@router.delete(
    "/webhooks/{receiver}",
    operation_id="remove_receiver",
    summary="推送 Forget a receiver, and what waits for it",
    tags=["webhooks"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=_GONE,
)
async def remove_receiver(receiver: ReceiverId, here: Here, who: Authenticated) -> None:
    """Whoever only wants it left in peace disables it."""
    async with _managed(here, who, "remove_receiver", receiver):
        await here.receivers.remove(receiver)


@router.post(
    "/webhooks/{receiver}/test",
    operation_id="test_receiver",
    summary="推送 Post a test to a receiver, signed like an event",
    tags=["webhooks"],
    responses={200: told("what it answered, or that it did not", Tried)},
)
async def test_receiver(receiver: ReceiverId, here: Here, who: Authenticated) -> Response:
    """Changes nothing, also if it is refused."""
    async with _managed(here, who, "test_receiver", receiver):
        try:
            heard = await here.receivers.test(receiver)
            tried = Tried(taken=heard.taken, status=heard.status, said=heard.body)
        except NotAnswered as error:
            tried = Tried(taken=False, status=None, said=str(error))
    return answer(tried)


@router.post(
    "/webhooks/{receiver}/rotate",
    operation_id="rotate_secret",
    summary="推送 Give a receiver another secret; for a while both sign",
    tags=["webhooks"],
    responses={200: told("the secret: it is shown this once", Rotated)},
)
async def rotate_secret(
    receiver: ReceiverId,
    here: Here,
    who: Authenticated,
    said: Annotated[Rotation, Body(openapi_examples={"usual": {"value": {"keep_hours": 24}}})],
) -> Response:
    """Not safe to repeat: sent again, it is one more secret, and only the one before it signs
    beside it.
    """
    async with _managed(here, who, "rotate_secret", receiver):
        keep = timedelta(hours=said.keep_hours)
        secret = await here.receivers.rotate(receiver, keep)
    return answer(Rotated(secret=secret, former_until=here.now() + keep), Cache_Control="no-store")


@router.post(
    "/webhooks/{receiver}/disable",
    operation_id="disable_receiver",
    summary="推送 Tell a receiver nothing for a while; what happens waits for it",
    tags=["webhooks"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=_GONE,
)
async def disable_receiver(receiver: ReceiverId, here: Here, who: Authenticated) -> None:
    """404 also if it is disabled already."""
    async with _managed(here, who, "disable_receiver", receiver):
        await here.receivers.disable(receiver)


@router.post(
    "/webhooks/{receiver}/enable",
    operation_id="enable_receiver",
    summary="推送 Tell a receiver again, from where it was left",
    tags=["webhooks"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=_GONE,
)
async def enable_receiver(receiver: ReceiverId, here: Here, who: Authenticated) -> None:
    """What waits is tried at once, as if for the first time."""
    async with _managed(here, who, "enable_receiver", receiver):
        await here.receivers.enable(receiver)
