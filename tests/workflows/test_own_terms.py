"""A desk with kinds, categories and departments of its own making: a software company, by the files
of its example alone (R37).
"""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from temporalio.client import WorkflowUpdateFailedError

from cli.asked import terms
from cli.queue import listing
from domain.issue.actions import ActionName
from domain.vocabulary import Actor, Outcome, Role, Stage
from runtime.rulebook import load
from runtime.settings import ROOT
from store import issue_reader
from store.connection import Pool
from store.exports import registers
from store.exports.registers import REGISTERS, Asked
from store.exports.spreadsheets import Format, Look, writing
from store.issue_list import Filter
from tests.support.harness import SHANGHAI, Handle, StoryDesk, refusal, stand
from tests.support.rulebooks import facts
from tests.support.sheets import csv_rows
from tests.workflows.conftest import Begin

OWN = ROOT / "examples" / "software_company" / "policy.toml"
AGENT = Actor(id="01", role=Role.AGENT)
CLERK = Actor(id="xia.ran", role=Role.CLERK)
SHOP = {"name": "陈先生", "type": "individual", "phone": "+86 138 0000 0001"}
FIRM = {"name": "远达商贸", "type": "enterprise", "email": "it@yuanda.example.com"}


async def opened(desk: StoryDesk, **intake: Any) -> tuple[Handle, str]:
    usual = {"agent": "01", "product_line": "云账", "region": "华东", "customer": SHOP}
    handle, view = await desk.open(**usual | intake)
    return handle, view.department


async def exported(pool: Pool, desk: StoryDesk, name: str, path: Path) -> list[dict[str, Any]]:
    register = registers.in_terms_of(REGISTERS[name], desk.rulebook.policy.terms)
    look = Look(register.zh, register.columns, SHANGHAI)
    with writing(path, Format.CSV, look, force=True) as sheet:
        async with registers.reading(pool, register, Asked(zone=SHANGHAI.key)) as rows:
            async for row in rows:
                sheet.add(tuple(row.values()))
    return csv_rows(path.read_text("utf-8"))


async def printed(pool: Pool) -> str:
    """What `yinuo queue` prints."""
    found = await issue_reader.issues(pool, Filter(queued=True))
    console = Console(width=200)
    with console.capture() as out:
        console.print(listing(found, await terms(pool)))
    return out.get()


async def test_r37_a_software_company_runs_from_intake_to_report_by_its_own_policy(
    begin: Begin, database: Pool, tmp_path: Path
) -> None:
    desk = await begin("2026-03-10 10:00", OWN, whole=True)
    returned, department = await opened(
        desk, kind="returns", category="order", title="买错版本，想换专业版"
    )
    assert department == "customer_care"
    complained, department = await opened(
        desk, kind="complaint", category="service", title="工单没人回"
    )
    assert department == "customer_care"
    billed, department = await opened(
        desk,
        kind="billing",
        category="account",
        channel="email",
        customer=FIRM,
        title="发票抬头错了",
    )
    assert department == "finance"
    assert (await desk.view(billed)).queue == "enquiries"
    assert "账单 billing" in await printed(database)

    view = await desk.view(returned)
    await desk.accept(returned, view)
    await desk.resolve(returned, view)

    view = await desk.do(billed, ActionName.REASSIGN, AGENT, reason="财务核对")
    view = await desk.accept(billed, view)
    await desk.resolve(billed, view)

    view = await desk.accept(complained, await desk.view(complained))
    handler = Actor(id=view.engineer.id, role=Role.ENGINEER) if view.engineer else AGENT
    view = await desk.do(
        complained, ActionName.VERIFY, handler, verdict="general", findings="漏派一张工单"
    )
    await desk.resolve(complained, view)
    assert (await desk.view(complained)).stage is Stage.RESOLVED, "the agent's call is the reply"
    view = await desk.do(
        complained,
        ActionName.CONTACT_CUSTOMER,
        AGENT,
        reached=True,
        told="补派了工单，今天上门",
        words="知道了",
    )
    assert view.answered
    await desk.until("2026-03-11 10:30")
    await desk.do(complained, ActionName.RECORD_CALLBACK, CLERK, reached=True, satisfied=True)

    await desk.until("2026-03-12 12:00")
    for handle in (returned, billed, complained):
        view = await desk.view(handle)
        assert (view.stage, view.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert stand(await desk.view(returned))["resolution.1"] == "kept"

    read = "\n".join(body for _, _, body in desk.mailbox.arrived)
    assert "您的退换货申请" in read
    assert "您的账单问题" in read
    assert "财务部" in read
    assert "【云帆软件】" in read
    assert not [word for word in ("故障", "设备", "customer_care", "finance") if word in read]

    issues = await exported(database, desk, "issues", tmp_path / "issues.csv")
    assert [(each["问题类别"], each["责任部门"]) for each in issues] == [
        ("退换货 returns", "客户服务部 customer_care"),
        ("投诉 complaint", "客户服务部 customer_care"),
        ("账单 billing", "财务部 finance"),
    ]
    (complaint,) = await exported(database, desk, "complaints", tmp_path / "complaints.csv")
    assert complaint["投诉性质"] == "服务质量 service"
    (calls,) = await exported(database, desk, "telephone", tmp_path / "telephone.csv")
    assert (calls["电话数"], calls["退换货"], calls["投诉"], calls["账单"]) == ("2", "1", "1", "0")


@pytest.mark.parametrize(
    ("kind", "category", "customer", "department"),
    [
        ("usage", "software", SHOP, "customer_care"),
        ("usage", "software", FIRM, "customer_success"),
        ("usage", "software", FIRM | {"existing": False}, "sales"),
        ("usage", "software", FIRM | {"type": "partner"}, "partner_recruitment"),
        ("partners", "software", FIRM | {"existing": False}, "partner_recruitment"),
        ("jobs", "company", SHOP | {"existing": False}, "human_resources"),
        ("training", "company", FIRM, "teaching"),
        ("renewal", "order", FIRM, "customer_success"),
        ("idea", "software", SHOP, "product_support"),
    ],
)
def test_r37_who_is_who_decides_which_department_answers(
    kind: str, category: str, customer: dict[str, Any], department: str
) -> None:
    asked = facts(
        kind=kind,
        category=category,
        customer=customer["type"],
        existing=customer.get("existing", True),
    )
    assert load(OWN).policy.department(asked) == department


async def test_r37_what_the_desk_does_not_have_is_refused_with_what_it_has(begin: Begin) -> None:
    desk = await begin("2026-03-10 10:00", OWN, whole=True)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await opened(desk, kind="fault", category="software")
    said = (
        "kind: the policy has no fault; it has: usage (使用咨询), returns (退换货), billing (账单)"
    )
    assert refusal(refused.value).message.startswith(said)
