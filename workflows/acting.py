"""The updates through which people act: one for each action of the contract, made of one table.

An update's validator is what its handler will do, tried on the issue as it stands: a refused action
leaves no trace in history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.issue.actions import OPERATION, PUBLIC_ACTIONS, Act, ActionName
from domain.issue.view import IssueView
from domain.vocabulary import Model


class Acts(Protocol):
    """A workflow whose issue can be acted on."""

    async def act(self, name: ActionName, act: Act) -> IssueView:
        """Take the action."""

    def check(self, name: ActionName, act: Act) -> None:
        """Refuse what cannot be done."""


W = TypeVar("W", bound=type[Acts])
F = TypeVar("F", bound=Model)


def takes_actions(defined: W) -> W:
    """Give a workflow class an update for each action; what a form is for is its description."""
    for name, form in {**PUBLIC_ACTIONS, **OPERATION}.items():
        setattr(defined, name, _update(name, form))
    return defined


def _update(name: ActionName, form: type[Act]) -> Any:
    async def take(self: Acts, said: Any = None) -> IssueView:
        return await self.act(name, filled_in(form, said))

    def check(self: Acts, said: Any = None) -> None:
        self.check(name, filled_in(form, said))

    take.__name__ = check.__name__ = str(name)
    take.__qualname__ = f"IssueWorkflow.{name}"
    update = workflow.update(name=str(name), description=_description(form))(take)
    update.validator(check)
    return update


def filled_in(form: type[F], said: Any) -> F:
    """Read what came in as that form. Left to the SDK, a wrong one would be refused without saying
    which field, or why.

    Raises:
        ApplicationError: ``Invalid``, naming each field and the reason.
    """
    try:
        return form.model_validate(said)
    except ValidationError as error:
        raise ApplicationError(
            "; ".join(_found(error)), type="Invalid", non_retryable=True
        ) from None


def _found(error: ValidationError) -> Iterator[str]:
    """Write each thing pydantic found as ``field: reason``, without what was filled in (R30)."""
    for each in error.errors(include_input=False, include_url=False):
        field = ".".join(map(str, each["loc"]))
        reason = each["msg"].removeprefix("Value error, ")
        yield f"{field}: {reason}" if field else reason


def _description(form: type[Act]) -> str:
    return " ".join((form.__doc__ or "").split())
