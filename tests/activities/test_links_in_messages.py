"""The links that messages carry, as the register writes them: right ones, to the right people."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.recording import Recording
from activities.wording import LINKS as CALLED
from activities.wording import PROMISED, TEMPLATES, without_links
from domain.issue.actions import ACTIONS, ActionName
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.links import BETWEEN_OURSELVES, OFFERED, PURPOSES, Link, Purpose, mark_of
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Actor, Audience, Role
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import roster, rulebooks
from store.connection import Pool
from tests.activities.test_wording import FOR_CUSTOMERS
from tests.support.builders import LINKS, an_intake

MONDAY = datetime.fromisoformat("2026-11-23T10:00+08:00")
CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
_ADDRESS = re.compile(r"^(.+): https://desk\.example/l/(\S+)$", re.MULTILINE)


class Desk:
    """A recording on real PostgreSQL, and an issue that goes through it by real decisions."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.recording = Recording(pool, LINKS)
        self.now = MONDAY

    async def open(self, **changes: Any) -> Issue:
        usual = {"reported_at": self.now, "occurred_at": None, "region": "广东"}
        intake = an_intake(**usual | changes)
        step = register(intake, self.now).model_copy(update={"run": "run-1"})
        return registered(intake, await self.recording.record_step(step))

    async def take(self, issue: Issue, name: ActionName, by: Actor, **said: Any) -> Issue:
        self.now += timedelta(minutes=1)
        act = ACTIONS[name].form.model_validate({"by": by} | said)
        step = decide(issue, name, act, self.now, f"u-{issue.seq}")
        recorded = await self.recording.record_step(step.model_copy(update={"run": "run-1"}))
        return recorded.applied_to(issue)

    async def messages(self, issue: Issue) -> dict[str, Any]:
        rows = await self.pool.fetch("SELECT * FROM outbox WHERE seq = $1", issue.seq)
        return {row["template"]: row for row in rows}

    async def links(self, issue: Issue) -> dict[str, list[Link]]:
        """Return what the messages of the last step carry, by their wording."""
        return {name: links_of(row["body"]) for name, row in (await self.messages(issue)).items()}


def links_of(body: str) -> list[Link]:
    return [LINKS.signer.read_link(text, MONDAY) for _, text in _ADDRESS.findall(body)]


def purposes(links: dict[str, list[Link]]) -> dict[str, list[str]]:
    return {name: [str(link.purpose) for link in found] for name, found in links.items()}


def handler(issue: Issue) -> Actor:
    assert issue.engineer
    return Actor(id=issue.engineer.id, role=Role.ENGINEER)


@pytest.fixture
async def desk(database: Pool) -> Desk:
    current = rulebook.load(ROOT / "policies" / "standard.toml")
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        await rulebooks.adopt(connection, current, by="test", note="")
    return Desk(database)


async def test_handler_and_customer_are_each_given_their_own_links_with_their_terms(
    desk: Desk,
) -> None:
    issue = await desk.open()
    links = await desk.links(issue)
    assert purposes(links) == {"registered": ["progress"], "assigned": ["accept", "complete"]}
    for link in (*links["registered"], *links["assigned"]):
        assert (link.number, link.generation) == (issue.number, 1)
        assert link.mark == mark_of(issue.id)
        assert link.until == MONDAY.astimezone(UTC) + PURPOSES[link.purpose].lasts
    assert {link.person for link in links["assigned"]} == {handler(issue).id}
    assert {link.person for link in links["registered"]} == {"customer"}


async def test_the_links_follow_an_issue_to_its_end_and_through_a_reopening(desk: Desk) -> None:
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.ACCEPT, handler(issue))
    assert purposes(await desk.links(issue)) == {"accepted": ["progress"]}
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="new reader")
    assert purposes(await desk.links(issue)) == {"resolved": ["progress", "test"]}
    issue = await desk.take(issue, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    again = await desk.links(issue)
    assert purposes(again) == {
        "reopened": ["progress"],
        "assigned": ["accept", "complete"],
        "work_refused": [],
    }
    assert {link.generation for found in again.values() for link in found} == {2}
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="new board")
    issue = await desk.take(issue, ActionName.REPLIED, DESK)
    desk.now += timedelta(days=1)
    said = {"reached": True, "running": True, "satisfied": True, "words": "fine"}
    issue = await desk.take(issue, ActionName.RECORD_CALLBACK, CLERK, **said)
    assert purposes(await desk.links(issue)) == {"thanks": ["evaluate"]}


async def test_a_quotation_is_answered_by_a_link_and_the_work_begun_by_none_before(
    desk: Desk,
) -> None:
    issue = await desk.open(kind="paid_service")
    assert purposes(await desk.links(issue))["assigned"] == ["accept"]
    engineer = handler(issue)
    issue = await desk.take(issue, ActionName.ACCEPT, engineer)
    issue = await desk.take(issue, ActionName.SURVEY, engineer, findings="two lines")
    issue = await desk.take(issue, ActionName.QUOTE, engineer, work="two lines", amount="800")
    assert purposes(await desk.links(issue)) == {"quotation": ["confirm", "progress"]}
    issue = await desk.take(issue, ActionName.CONFIRM, CUSTOMER, agreed=True)
    assert purposes(await desk.links(issue)) == {
        "approved": ["progress"],
        "confirmed": ["complete"],
    }


async def test_a_complaint_is_looked_into_before_it_can_be_completed_by_a_link(desk: Desk) -> None:
    issue = await desk.open(kind="complaint")
    links = purposes(await desk.links(issue))
    assert links["assigned"] == ["accept"]
    assert links["complaint_received"] == []


async def test_whoever_is_to_pass_a_message_on_reads_it_without_its_links(desk: Desk) -> None:
    issue = await desk.open()
    keys = [row["key"] for row in (await desk.messages(issue)).values()]
    issue = await desk.take(issue, ActionName.HAND_OVER, DESK, messages=keys)
    (body,) = {row["body"] for row in (await desk.messages(issue)).values()}
    assert "Your issue is registered" in body
    assert "/l/" not in body
    assert "Accept:" not in body


async def test_links_stand_below_all_that_is_said_one_a_line_chinese_first(desk: Desk) -> None:
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="see https://x.y/l/z")
    body = (await desk.messages(issue))["resolved"]["body"]
    said, _, links = body.rpartition("\n\n")
    assert "see https://x.y/l/z" in said
    assert [line.partition(": ")[0] for line in links.split("\n")] == [
        "查看进展 See how far it is",
        "告诉我们是否有效 Tell us whether it works",
    ]
    assert all(len(line) <= 150 for line in links.split("\n"))


async def test_no_link_and_no_line_of_it_says_who_the_customer_is(desk: Desk) -> None:
    issue = await desk.open()
    customer = issue.intake.customer
    for row in (await desk.messages(issue)).values():
        for label, text in _ADDRESS.findall(row["body"]):
            decoded = f"{label} {LINKS.signer.read_link(text, MONDAY).model_dump_json()} {text}"
            for private in (customer.name, customer.phone, customer.email, customer.organisation):
                assert private
                assert private not in decoded


def test_every_message_to_a_customer_has_something_to_open() -> None:
    assert set(OFFERED) >= FOR_CUSTOMERS
    written = {path.stem for path in TEMPLATES.glob("[!_]*.j2")}
    assert set(OFFERED) <= written
    theirs = {n for n, all_ in OFFERED.items() if PURPOSES[all_[0]].audience is Audience.CUSTOMER}
    assert theirs == FOR_CUSTOMERS


def test_every_link_is_called_something() -> None:
    assert set(CALLED) == set(Purpose)


def test_the_page_behind_a_link_tells_of_the_promises_that_messages_tell_of() -> None:
    assert set(PromiseKind) - BETWEEN_OURSELVES == set(PROMISED)


def test_taking_links_out_leaves_the_words_alone() -> None:
    said = "结果：见 https://x.y/l/z\n受理 Accept: see https://x.y/l/z"
    body = (
        f"{said}\n\n受理 Accept: https://desk.example/l/abc.def\n填写结果 Write down the result: "
    )
    assert without_links(f"{body}https://desk.example/l/ghi.jkl") == said
    assert without_links("nothing to open") == "nothing to open"
