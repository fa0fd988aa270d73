"""The updates through which people act: one for each action of the contract, made of one table.

An update's validator is what its handler will do, tried on the issue as it stands: a refused action
leaves no trace in history.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from temporalio import workflow

from domain.actions import PEOPLE, Act, ActionName
from domain.view import IssueView


class Acts(Protocol):
    """A workflow whose issue can be acted on."""

    async def act(self, name: ActionName, act: Act) -> IssueView:
        """Take the action."""

    def check(self, name: ActionName, act: Act) -> None:
        """Refuse what cannot be done."""


W = TypeVar("W", bound=type[Acts])


def takes_actions(defined: W) -> W:
    """Give a workflow class an update for each action; what a form is for is its description."""
    for name, form in PEOPLE.items():
        setattr(defined, name, _update(name, form))
    return defined


def _update(name: ActionName, form: type[Act]) -> Any:
    async def take(self: Acts, act: Act) -> IssueView:
        return await self.act(name, act)

    def check(self: Acts, act: Act) -> None:
        self.check(name, act)

    # The SDK reads from these into what an update's payload is to be made.
    take.__annotations__ = {"act": form, "return": IssueView}
    check.__annotations__ = {"act": form, "return": None}
    take.__name__ = check.__name__ = str(name)
    take.__qualname__ = f"IssueWorkflow.{name}"
    update = workflow.update(name=str(name), description=_description(form))(take)
    update.validator(check)
    return update


def _description(form: type[Act]) -> str:
    return " ".join((form.__doc__ or "").split())
