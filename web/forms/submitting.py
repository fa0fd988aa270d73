"""Sending a form: the one way in which whoever acts on a page acts.

Whatever becomes of it is in the audit trail (R30): done, refused and why, or unanswered. A form
that is not done is kept, with the reasons beside its fields.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Generic, TypeVar

from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from domain.staff.access import Right
from starter.client import Busy, Unavailable
from web import audit
from web.audit import Deed
from web.auth.identity import Visitor, require
from web.context import Doors
from web.forms.actions import of_action
from web.forms.form import WHOLE, Filled, Form, InvalidForm
from web.forms.wording import AWAY, TOO_MUCH
from web.problems import Problem, refusal

T = TypeVar("T")


@dataclass(frozen=True)
class Submitted(Generic[T]):
    """What became of a form. ``done`` is what the desk answered; without, ``form`` is as it is
    shown again and ``error`` says why.
    """

    form: Filled
    done: T | None = None
    error: Refused | Unavailable | None = None

    @property
    def status(self) -> HTTPStatus:
        """As which it is answered."""
        match self.error:
            case None:
                return HTTPStatus.OK
            case Refused():
                return refusal(self.error).status
            case Busy():
                return HTTPStatus.TOO_MANY_REQUESTS
            case Unavailable():
                return HTTPStatus.SERVICE_UNAVAILABLE


async def submit(
    here: Doors,
    who: Visitor,
    what: Right | ActionName,
    form: Form[Any],
    filled: Filled,
    do: Callable[[Deed], Awaitable[T]],
    *numbers: str,
) -> Submitted[T]:
    """Do what a form says. ``do`` checks who may, reads the form and asks the desk; ``numbers`` are
    of the issues it is about, as far as they are known.

    Raises:
        Problem: it cannot even be shown again, such as for a right that somebody does not have.
    """
    try:
        async with audit.written(here, who, what, *numbers) as deed:
            return Submitted(filled, await do(deed))
    except Refused as error:
        if form.renewed and not isinstance(error, InvalidForm):
            # Under the same key the desk would only say the same again.
            filled = replace(filled, key=token_hex(16))
        return Submitted(filled.but(form.refused(error)), error=error)
    except Unavailable as error:
        why = TOO_MUCH if isinstance(error, Busy) else AWAY
        return Submitted(filled.but({WHOLE: why}), error=error)


@dataclass(frozen=True)
class Acted:
    """What became of an action on an issue: how that stood before, and stands after it was done."""

    issue: IssueView
    action: ActionName
    result: Submitted[IssueView]

    def form(self, issue: IssueView, action: ActionName) -> Filled:
        """Return the form of an action as it was written, or a new one."""
        if (self.issue.number, self.action) == (issue.number, action):
            return self.result.form
        return Filled()


async def act(
    here: Doors,
    who: Visitor,
    number: str,
    action: ActionName,
    sent: FormData,
    offered: Collection[ActionName],
) -> Acted:
    """Take an action on an issue, one of those a page offers; the same form sent twice takes it
    once.

    Raises:
        Problem: 403, 404.
        Refused: ``NotFound``.
        Unavailable: not even the issue can be looked up.
    """
    form = of_action(action)
    filled = form.filled(sent)
    found: IssueView | None = None

    async def do(deed: Deed) -> IssueView:
        nonlocal found
        seen = await here.desk.show(number)
        deed.is_about(seen.number)
        found = seen
        if action not in offered:
            raise Problem(
                HTTPStatus.NOT_FOUND, f"{action} is not done here", type_="urn:yinuo:NotFound"
            )
        require(who, action, seen)
        said = form.read(filled, seen.zone, by=who.caller.by)
        return await here.desk.act(seen.number, action, said, key=f"page:{filled.key}")

    result = await submit(here, who, action, form, filled, do, *audit.known_number(number))
    if found is None:
        assert result.error  # noqa: S101  it cannot be done without its issue
        raise result.error
    return Acted(found, action, result)
