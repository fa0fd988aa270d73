"""What the desk calls its own, for programs and on pages (R37)."""

import httpx2
import pytest

from domain.vocabulary import Role
from runtime.rulebook import load
from runtime.settings import ROOT
from tests.web.conftest import MakeToken
from web.api.vocabulary import _vocabulary

OWN = ROOT / "examples" / "software_company" / "policy.toml"


async def test_r37_programs_are_told_which_kinds_categories_and_departments_there_are(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    told = (await http.get("/vocabulary", headers=await token(Role.INTAKE, "web"))).json()
    kinds = {each["code"]: each for each in told["kinds"]}
    assert kinds["fault"] == {
        "code": "fault",
        "name": {"zh": "故障报修", "en": "fault"},
        "behaves": "fault",
    }
    categories = {each["code"]: each["department"] for each in told["categories"]}
    assert categories["technical"] == "technical_service"
    departments = {each["code"]: each["name"]["zh"] for each in told["departments"]}
    assert departments["technical_service"] == "技术服务部"


def test_r37_a_desks_own_words_are_told_in_its_own_order() -> None:
    told = _vocabulary(load(OWN).policy, ["nobody_asks"])
    assert [each.code for each in told.kinds][:3] == ["usage", "returns", "billing"]
    assert [each.code for each in told.departments][-1] == "general_office"
    assert {each.code: each.outside for each in told.categories}["elsewhere"]


@pytest.mark.parametrize(
    ("asked", "field", "known"),
    [
        ("kind=wish", "kind", "fault (故障报修)"),
        ("category=wish", "category", "technical (技术质量)"),
        ("department=moon", "department", "partner_recruitment (招商部)"),
    ],
)
async def test_r37_a_list_of_a_kind_that_nobody_heard_of_is_refused_with_those_there_are(
    http: httpx2.AsyncClient, token: MakeToken, asked: str, field: str, known: str
) -> None:
    answer = await http.get(f"/issues?{asked}", headers=await token(Role.GM_OFFICE))
    assert answer.status_code == 422
    (wrong,) = answer.json()["errors"]
    assert wrong["field"] == field
    assert known in wrong["reason"]
