"""Issues over HTTP: register, look, list, act."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel

from domain.errors import Refused
from domain.issue.actions import Act, ActionName, Resolve
from domain.issue.arrival import FORMS
from domain.issue.intake import SAID, Customer
from domain.issue.view import IssueView
from domain.staff.access import Caller, Right, may
from domain.terms import Terms
from starter.client import Unavailable
from starter.register import Filter, Place
from web import threads
from web.api import examples
from web.api.document import LOCATION, OTHER_CONTENT, told
from web.api.reach import own
from web.api.shapes import (
    Added,
    Issues,
    KeptWords,
    Key,
    LetterId,
    Letters,
    NewIssue,
    NewWords,
    Number,
    Pending,
    Reading,
    Result,
    ThreadEntry,
    ThreadPage,
    Wanted,
    answer,
    as_seen,
    body,
    intake_of,
    opened_as,
    update_id,
)
from web.audit import written
from web.auth.identity import Authenticated, Visitor, require, saw
from web.context import Doors, Here
from web.opening import added, registered
from web.problems import Problem, none_of_ours, not_yours, refusal

router = APIRouter()

_LETTER = {"schema": {"type": "string", "format": "binary"}}
_SHOWN = told("the issue as it is now", IssueView)


@router.post(
    "/issues",
    operation_id="open_issue",
    summary="受理 Register an issue, or find it registered already",
    tags=["issues"],
    status_code=HTTPStatus.CREATED,
    responses={
        201: told("registered: number, assignee and promises", IssueView) | {"headers": LOCATION},
        200: told("registered before: the issue as it is now", IssueView) | {"headers": LOCATION},
        202: told("accepted while PostgreSQL is away: number follows", Pending)
        | {"headers": LOCATION},
        409: OTHER_CONTENT | {"headers": LOCATION},
    },
)
async def open_issue(
    said: Annotated[NewIssue, Body(openapi_examples={"fault": {"value": examples.INTAKE}})],
    here: Here,
    who: Authenticated,
    key: Key = None,
) -> Response:
    """Safe to repeat: `source` and `reference` name the issue, and `Idempotency-Key` stands in for
    the reference. Left out, `reported_at` is now, `source` an intake system's own, and `agent` the
    calling agent's number.
    """
    async with written(here, who, Right.OPEN) as deed:
        require(who, Right.OPEN)
        intake = intake_of(said, key, who.caller, here.now())
        # Nobody said what the door filled in.
        filled_in = {"agent"} - said.model_fields_set
        opened = await registered(here, who, intake, deed, SAID - filled_in)
    return opened_as(opened, intake, who.caller)


@router.get(
    "/issues",
    operation_id="list_issues",
    summary="列表 List issues, nearest due first",
    tags=["issues"],
    responses={200: told("a page of them", Issues)},
)
async def list_issues(
    wanted: Annotated[Wanted, Query()], here: Here, who: Authenticated
) -> Response:
    """Only what the caller may see: an engineer their own, a lead or manager the department's, an
    intake system what it registered. `find` looks among closed ones, too, by what the caller may
    read of them; looks at customers are recorded (R30).
    """
    require(who, Right.SEE)
    if wanted.find is not None:
        return await _found(here, who, wanted.find, wanted.limit)
    begin, within = _begin(wanted.cursor), _within_reach(who.caller, wanted.filter)
    # Before the list is read: what is written down meanwhile may stand in both.
    as_of = await here.registers.events.now()
    found, after = await here.desk.page(within, begin)
    if not found and begin is None:  # of old ones there may be some that the policy has no more
        _require_heard_of(await here.desk.terms(), wanted)
    shown = [as_seen(who.caller, each) for each in found]
    return answer(Issues(items=shown, next=after.text if after else None, as_of=as_of.text))


def _require_heard_of(terms: Terms, wanted: Wanted) -> None:
    """Refuse a kind, category or department that nobody ever heard of, with those there are.

    Raises:
        Problem: 422.
    """
    if wrong := wanted.unheard(terms):
        raise refusal(Refused("Invalid", "\n".join(wrong)))


async def _found(here: Doors, who: Visitor, typed: str, limit: int) -> Response:
    found = await here.registers.finding.find(who.caller, typed, limit)
    looks = [who.entry(Right.SEE_CUSTOMER, "seen", e.number) for e in found.found if e.private]
    if looks:
        await here.registers.audit_trail.note(*looks)
    as_of = await here.registers.events.now()
    issues = await here.desk.numbered([each.number for each in found.found])
    issues = [as_seen(who.caller, each) for each in issues]
    page = Issues(items=issues, next=None, as_of=as_of.text, found=found)
    return answer(page, Cache_Control="no-store")


@router.get(
    "/issues/{number}",
    operation_id="show_issue",
    summary="查询 Show an issue, open or closed",
    tags=["issues"],
    responses={200: _SHOWN},
)
async def show_issue(number: Number, here: Here, who: Authenticated) -> Response:
    """No customer data: those stand under `/customer`, and all that was said under `/thread`."""
    return answer(as_seen(who.caller, await _seen(here, who, Right.SEE, number)))


@router.get(
    "/issues/{number}/customer",
    operation_id="show_customer",
    summary="客户 Show an issue's customer; every look is recorded (R30)",
    tags=["issues"],
    responses={200: told("whom it was promised", Customer)},
)
async def show_customer(number: Number, here: Here, who: Authenticated) -> Response:
    """For those who need it to do their work."""
    issue = await _seen(here, who, Right.SEE_CUSTOMER, number)
    known = await here.desk.record(issue.id)
    if known is None:
        raise Refused("NotFound", f"there is no issue {number}")
    await saw(here, who, Right.SEE_CUSTOMER, issue.number)
    return answer(known.intake.customer, Cache_Control="no-store")


@router.get(
    "/issues/{number}/thread",
    operation_id="read_thread",
    summary="来往 Read all that was said and done about an issue; looks are recorded (R30)",
    tags=["issues"],
    responses={200: told("oldest first", ThreadPage)},
)
async def read_thread(
    number: Number, here: Here, who: Authenticated, asked: Annotated[Reading, Query()]
) -> Response:
    """What the customer said and was told, what staff did and wrote, the messages that were sent
    and whether they arrived. Each entry has the words that are the caller's to read; `withheld`
    says that there are others. Who registered an issue for a customer reads it as they do.
    """
    issue = await _seen(here, who, Right.SEE, number)
    found = await threads.read(here, who, issue, asked.after, limit=asked.limit, newest=False)
    page = ThreadPage(
        items=[ThreadEntry.of(each) for each in found.entries],
        next=found.next.text if found.next else None,
        open_words=[ThreadEntry.of(each) for each in found.open_words],
    )
    return answer(page, Cache_Control="no-store")


@router.get(
    "/issues/{number}/words",
    operation_id="list_words",
    summary="补充 List what else was written about an issue; every look is recorded (R30)",
    tags=["issues"],
    responses={200: told("oldest first", KeptWords)},
)
async def list_words(number: Number, here: Here, who: Authenticated) -> Response:
    """Words that came in and are no issue of their own: under the same id, or too many an hour."""
    issue = await _seen(here, who, Right.SEE_CUSTOMER, number)
    kept = await here.desk.kept_words(issue.id)
    await saw(here, who, Right.SEE_CUSTOMER, issue.number)
    return answer(KeptWords(items=kept), Cache_Control="no-store")


@router.post(
    "/issues/{number}/words",
    operation_id="add_words",
    summary="补充 Add to an issue what else was said about it",
    tags=["issues"],
    status_code=HTTPStatus.CREATED,
    responses={
        201: told("kept with the issue", Added),
        200: told("the same words were kept with it before", Added),
    },
)
async def add_words(
    number: Number,
    said: Annotated[NewWords, Body(openapi_examples={"usual": {"value": examples.WORDS}})],
    here: Here,
    who: Authenticated,
) -> Response:
    """Whoever has the issue reads it there. Safe to repeat: the same words are kept once."""
    async with written(here, who, Right.ADD_WORDS, number) as deed:
        issue = await _seen(here, who, Right.ADD_WORDS, number)
        deed.is_about(issue.number)
        words = said.model_dump()
        kept = added(issue, at=here.now(), door="api", sender=who.caller.id, **words)
        new = await here.desk.keep(kept)
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return answer(Added(number=issue.number, new=new), status)


@router.get(
    "/issues/{number}/letters",
    operation_id="list_letters",
    summary="来信 List the letters an issue was made of, as they came",
    tags=["issues"],
    responses={200: told("in the order they came", Letters)},
)
async def list_letters(number: Number, here: Here, who: Authenticated) -> Response:
    """Those that are still kept; nothing of what is in them."""
    issue = await _seen(here, who, Right.SEE_CUSTOMER, number)
    return answer(Letters(items=await here.registers.letters.of_issue(issue.id)))


@router.get(
    "/issues/{number}/letters/{letter}",
    operation_id="show_letter",
    summary="原件 Download a letter as it came; every look is recorded (R30)",
    tags=["issues"],
    response_class=Response,
    responses={
        200: {"description": "the letter, byte for byte", "content": {"message/rfc822": _LETTER}}
    },
)
async def show_letter(number: Number, letter: LetterId, here: Here, who: Authenticated) -> Response:
    """For those who need it to do their work."""
    issue = await _seen(here, who, Right.SEE_CUSTOMER, number)
    raw = await here.registers.letters.read(issue.id, letter)
    if raw is None:
        raise Refused(
            "NotFound", f"there is no letter {letter} of {number}: it is not kept any more"
        )
    await saw(here, who, Right.SEE_CUSTOMER, issue.number)
    return Response(
        raw,
        media_type="message/rfc822",
        headers={
            "Content-Disposition": f'attachment; filename="{issue.number}-{letter}.eml"',
            "Cache-Control": "no-store",
        },
    )


@router.post(
    "/issues/{number}/complete",
    operation_id="complete",
    summary="完成信号 Signal completion, fire and forget",
    tags=["actions"],
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    responses={202: {"description": "taken note of; the issue tells what became of it"}},
)
async def complete(
    number: Number,
    said: Annotated[Result, Body(openapi_examples={"usual": {"value": examples.RESULT}})],
    here: Here,
    who: Authenticated,
) -> Response:
    """`resolve` for systems that can only signal (R12): a refusal shows in the issue's history."""
    async with written(here, who, "complete", number) as deed:
        issue = await _seen(here, who, ActionName.RESOLVE, number)
        deed.is_about(issue.number)
        await here.desk.complete(issue.id, Resolve(by=who.caller.by, **said.model_dump()))
    return Response(status_code=HTTPStatus.ACCEPTED.value)


def _takes(name: ActionName, form: type[Act]) -> None:
    """Let an action of the contract be taken over HTTP."""

    async def take(
        number: Number,
        said: BaseModel,
        here: Here,
        who: Authenticated,
        key: Key = None,
    ) -> Response:
        async with written(here, who, name, number) as deed:
            issue = await _seen(here, who, name, number)
            deed.is_about(issue.number)
            act = form.model_validate({"by": who.caller.by} | said.model_dump(exclude_unset=True))
            try:
                after = await here.desk.act(
                    issue.id, name, act, key=update_id(who.caller, name, key)
                )
            except Refused as refused:
                raise await _explained(here, who, issue, refused) from refused
        if not may(who.caller, Right.SEE, after):
            return Response(status_code=HTTPStatus.NO_CONTENT.value)
        return answer(as_seen(who.caller, after))

    take.__annotations__["said"] = Annotated[
        body(form, without="by"), Body(openapi_examples={"usual": {"value": examples.SAID[name]}})
    ]
    router.add_api_route(
        f"/issues/{{number}}/{name}",
        take,
        methods=["POST"],
        operation_id=name.value,
        summary=" ".join((form.__doc__ or "").split()),
        tags=["actions"],
        responses={200: _SHOWN, 204: {"description": "done; it is not among theirs (any more)"}},
    )


for _name, _form in FORMS.items():
    if _name is not ActionName.REPLAN:  # the desk's own
        _takes(_name, _form)


async def _seen(here: Doors, who: Visitor, what: Right | ActionName, number: str) -> IssueView:
    """Find an issue for somebody who has the right to it.

    Raises:
        Problem: 403.
        Refused: ``NotFound``.
    """
    require(who, what)
    issue = await here.desk.show(number)
    require(who, what, issue)
    return issue


async def _explained(here: Doors, who: Visitor, issue: IssueView, refused: Refused) -> Problem:
    """Say with a refusal where the issue is by now, and what the caller may do with it there."""
    problem = refusal(refused)
    if problem.status is HTTPStatus.CONFLICT:
        with suppress(Unavailable):
            issue = await here.desk.show(issue.id)
        allowed = [name for name in issue.can if may(who.caller, name, issue)]
        problem.more |= {"stage": issue.stage, "allowed": allowed}
    return problem


def _within_reach(caller: Caller, wanted: Filter) -> Filter:
    """Narrow a list to the issues that somebody may see.

    Raises:
        Problem: 403, they asked for somebody else's.
    """
    theirs = own(caller)
    for field, held in theirs.items():
        if getattr(wanted, field) not in (None, held):
            raise not_yours(f"{field}: {caller.id} sees the issues of {held} only")
    return wanted.model_copy(update=theirs)


def _begin(cursor: str | None) -> Place | None:
    try:
        return Place.read(cursor) if cursor else None
    except ValueError:
        raise none_of_ours("cursor", "send `next` of the page before, or leave it out") from None
