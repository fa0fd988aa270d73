"""What the desk calls its own, over HTTP (R3, R4, R37): what an intake may be of and about."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from domain.sla.policy import Policy
from domain.staff.access import Right
from domain.terms import Terms
from domain.vocabulary import Behaviour, Named
from web.api.document import told
from web.api.shapes import answer
from web.auth.identity import Authenticated, require
from web.context import Here

router = APIRouter()


class OwnKind(BaseModel):
    """What a customer may want."""

    code: str
    name: Named
    behaves: Behaviour = Field(description="what the desk does about it")


class OwnCategory(BaseModel):
    """What an issue may be about."""

    code: str
    name: Named
    department: str | None = Field(description="who gets it, unless a route of the policy says so")
    outside: bool = Field(description="not ours to solve: the customer is told who answers instead")


class OwnDepartment(BaseModel):
    """A part of the company."""

    code: str
    name: Named


class Vocabulary(BaseModel):
    """In the order in which the policy has them."""

    kinds: list[OwnKind]
    categories: list[OwnCategory]
    departments: list[OwnDepartment]


@router.get(
    "/vocabulary",
    operation_id="show_vocabulary",
    summary="用语 The desk's kinds, categories and departments",
    tags=["issues"],
    responses={200: told("codes to send, and names to show", Vocabulary)},
)
async def show_vocabulary(here: Here, who: Authenticated) -> Response:
    """Codes stay, names may change. An issue keeps its codes when the policy has them no more."""
    require(who, Right.SEE)
    rulebook = await here.registers.staff.rulebook()
    members = await here.registers.staff.members()
    of_people = sorted({member.department for member in members})
    return answer(_vocabulary(rulebook.policy if rulebook else None, of_people))


def _vocabulary(policy: Policy | None, of_people: list[str]) -> Vocabulary:
    """Name what there is; departments are those of the roster where the policy lists none."""
    terms = policy.terms if policy else Terms()
    return Vocabulary(
        kinds=[
            OwnKind(code=code, name=kind.name, behaves=kind.behaves)
            for code, kind in terms.kinds.items()
        ],
        categories=[
            OwnCategory(
                code=code,
                name=category.name,
                department=policy.department_of(code) if policy else category.department,
                outside=category.outside,
            )
            for code, category in terms.categories.items()
        ],
        departments=[
            OwnDepartment(code=code, name=terms.department(code))
            for code in terms.departments or of_people
        ],
    )
