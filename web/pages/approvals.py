"""The managers' room: what waits for a yes (R17, R42) and for a rating (R18), decided in one tap,
one or several at once. Each decision is an action of its own, under the key that came with its row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.sla.promise import PromiseKind
from domain.staff.access import Reach, Right, may, reach
from domain.vocabulary import SUPERVISORS, Role
from starter.client import Unavailable
from starter.register import MOST, Undecided
from web import audit
from web.auth.identity import SignedIn, Visitor, has
from web.context import Doors, Here
from web.forms import submitting
from web.forms.form import WHOLE, Filled
from web.forms.wording import AWAY
from web.pages.people import called
from web.problems import Problem, not_yours
from web.rendering import Form, Reason, render

router = APIRouter(include_in_schema=False)

DECIDES: Mapping[PromiseKind, ActionName] = {
    PromiseKind.APPROVAL: ActionName.APPROVE,
    PromiseKind.REMEDY_APPROVAL: ActionName.DECIDE_REMEDY,
    PromiseKind.DIFFICULTY: ActionName.RATE_DIFFICULTY,
    PromiseKind.CONFIRMATION: ActionName.CONFIRM,
}
"""By which action what is waited for is decided; what else is listed is on its way."""
_SAYS: Mapping[ActionName, str] = {
    ActionName.APPROVE: "approved",
    ActionName.DECIDE_REMEDY: "approved",
    ActionName.RATE_DIFFICULTY: "difficulty",
    ActionName.CONFIRM: "agreed",
}
"""In which field of its form the decision stands."""
_BESIDE = ("reason", "note", "words")
"""What else may be written in a row."""
_AT_ONCE = 8
_CHANGED: Reason = (
    "页面打开之后问题已重新处理：请看下面最新的情况再决定",
    "it was opened again since this page was loaded: see how it stands now, then decide",
)
_NOTHING_CHOSEN: Reason = ("请先勾选", "mark some first")


@dataclass(frozen=True)
class Decided:
    """What became of one decision. ``form`` is the row as it was written; ``why`` it was not done,
    None: it was.
    """

    number: str
    action: ActionName
    answer: str
    form: Filled
    status: HTTPStatus = HTTPStatus.OK
    why: Reason | None = None


@dataclass(frozen=True)
class _Wish:
    """What a button says: which action, how it is decided, and for which issues."""

    action: ActionName
    answer: str
    numbers: Sequence[str]

    @classmethod
    def of(cls, form: FormData) -> _Wish | None:
        """Read it; None: nothing is to be done.

        Raises:
            Problem: 422, no button of ours says that.
        """
        said = str(form.get("do", ""))
        if not said:
            return None
        name, _, rest = said.partition(":")
        answer, _, number = rest.partition(":")
        if name not in _SAYS or not answer:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"do: {said[:40]}", type_="urn:yinuo:Invalid"
            )
        chosen = [number] if number else list(map(str, form.getlist(f"pick.{name}")))
        return cls(ActionName(name), answer, list(dict.fromkeys(chosen)))


def deciding(who: SignedIn) -> Visitor:
    """Let in whoever answers for a department, or for all.

    Raises:
        Problem: 403.
    """
    if who.caller.role not in SUPERVISORS:
        raise not_yours("what waits for a yes is for leads, managers and the GM office")
    return who


Decider = Annotated[Visitor, Depends(deciding)]


@router.get("/approvals")
async def approvals_page(request: Request, here: Here, who: Decider) -> Response:
    """Show what waits for a decision, with price, findings and customer; the looks are recorded."""
    return await _page(request, here, who)


@router.post("/approvals")
async def decide(request: Request, here: Here, who: Decider, form: Form) -> Response:
    """Decide one issue or all that are marked, each by itself: what is refused of one stops no
    other, and what was written there stays. The same form sent twice decides once.
    """
    wish = _Wish.of(form)
    if wish is None:
        return await _page(request, here, who)
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(number: str) -> Decided:
        async with places:
            return await _decided(here, who, wish, number, form)

    done = await asyncio.gather(*map(one, wish.numbers))
    return await _page(request, here, who, done, nothing=not wish.numbers)


async def _decided(here: Doors, who: Visitor, wish: _Wish, number: str, form: FormData) -> Decided:
    """Take the action on one issue, if it is still what the page showed."""
    row = _row(wish, number, form)
    plain = Filled().saying(dict(_written(wish, number, form)))
    failed = Decided(number, wish.action, wish.answer, plain)
    try:
        if await _moved_on(here, who, wish.action, number, plain["round"]):
            await audit.refused(here, who, wish.action, "Reopened", number)
            return _failed(failed, HTTPStatus.CONFLICT, _CHANGED)
        acted = await submitting.act(here, who, number, wish.action, row, _SAYS)
    except Problem as problem:
        return _failed(failed, problem.status, (problem.detail, problem.detail))
    except Refused as refused:
        return _failed(failed, HTTPStatus.NOT_FOUND, (refused.message, refused.message))
    except Unavailable:
        return _failed(failed, HTTPStatus.SERVICE_UNAVAILABLE, AWAY)
    result = acted.result
    if result.error is None:
        return Decided(number, wish.action, wish.answer, result.form)
    wrong = result.form.wrong
    why = wrong.get(WHOLE) or next(iter(wrong.values()))
    return Decided(number, wish.action, wish.answer, result.form, result.status, why)


def _row(wish: _Wish, number: str, form: FormData) -> FormData:
    """Return a row of the page as the form of its action."""
    return FormData([(_SAYS[wish.action], wish.answer), *_written(wish, number, form)])


def _written(wish: _Wish, number: str, form: FormData) -> list[tuple[str, str]]:
    """Return what stands in a row, seen and unseen."""
    row = f"{wish.action}.{number}"
    return [(name, str(form.get(f"{name}.{row}", ""))) for name in ("key", "round", *_BESIDE)]


async def _moved_on(here: Doors, who: Visitor, action: ActionName, number: str, shown: str) -> bool:
    """Say whether something else is to be decided by now than the page showed: another price,
    another repair, another remedy.
    """
    if not shown:
        return False
    seen = await here.desk.show(number)
    now = seen.reopen_count + 1
    if action is ActionName.DECIDE_REMEDY:
        remedy = (await here.desk.papers(seen.id, now)).remedy
        now = remedy.proposal if remedy else 0
    return may(who.caller, Right.SEE, seen) and shown != str(now)


def _failed(decided: Decided, status: HTTPStatus, why: Reason) -> Decided:
    return Decided(decided.number, decided.action, decided.answer, decided.form, status, why)


async def _page(
    request: Request,
    here: Doors,
    who: Visitor,
    done: Sequence[Decided] = (),
    *,
    nothing: bool = False,
) -> Response:
    """Show what waits, and above it what became of what was just decided."""
    everywhere = reach(who.caller.role, Right.SEE) is Reach.ALL
    listed = await here.desk.undecided(None if everywhere else who.caller.department or "")
    shown = has(who, Right.SEE_CUSTOMER)
    if shown and listed:
        looks = (who.entry(Right.SEE_CUSTOMER, "seen", each.number) for each in listed)
        await here.registers.audit_trail.note(*looks)
    left = {(each.number, each.action): each.form for each in done if each.why}
    failures = [each.status for each in done if each.why]
    return render(
        request,
        "approvals.html",
        (failures[0] if failures and len(failures) == len(done) else HTTPStatus.OK).value,
        who=who,
        sections=_by_kind(listed),
        decides={kind: action if has(who, action) else None for kind, action in DECIDES.items()},
        theirs=lambda each: each.remedy is None or each.remedy.decider in {None, *_decides(who)},
        filled=lambda each, action: left.get((each.number, action)) or Filled(),
        done=done,
        nothing=_NOTHING_CHOSEN if nothing else None,
        shown=shown,
        in_all=everywhere,
        most=MOST,
        called=await called(here),
    )


def _decides(who: Visitor) -> frozenset[Role]:
    """Say in whose place somebody decides on remedies (R42): the GM office in the manager's."""
    ranks = (Role.MANAGER, Role.GM_OFFICE)
    return frozenset(ranks[: ranks.index(who.caller.role) + 1] if who.caller.role in ranks else ())


def _by_kind(listed: Sequence[Undecided]) -> dict[PromiseKind, list[Undecided]]:
    kinds = dict.fromkeys(each.awaits for each in listed)
    return {kind: [each for each in listed if each.awaits is kind] for kind in kinds}
