"""Words said at one door are read at every other door by those who may, and by nobody else: door by
step by role, all made of one table. Real registers; no workflow is needed to read.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx2
import pytest
from pydantic import SecretStr

from activities.recording import Recording
from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.asked import fields
from domain.issue.thread import Door, Holds, Sort, for_customer
from domain.issue.view import IssueView
from domain.vocabulary import Role
from inbound.files.roster import read_roster
from runtime.settings import ROOT, Settings
from starter.client import Desk
from store import door_log, roster, rulebooks, tokens
from store.connection import Pool
from store.tokens import Token
from tests.support.builders import LINKS
from tests.support.running_desk import Yinuo, run_yinuo
from tests.support.staff_at_pages import AtDesk, sign_in
from tests.support.told_lives import (
    LIVES,
    MORNING,
    OVER,
    Deed,
    Told,
    Word,
    bring_together,
    does,
    lead,
    rulebook_of_lives,
)
from tests.web.conftest import BASE
from web.app import build
from web.auth.identity import PREFIX, digest
from web.context import Doors
from web.serving import doors as doors_of

# The table ----------------------------------------------------------------------------------------

THEIRS, TOLD, WORK, BETWEEN_US = "theirs", "told", "work", "between us"
CIRCLES: Mapping[ActionName, Mapping[str, str]] = {
    ActionName.ANSWER: {"solution": TOLD},
    ActionName.REPORT_TEST: {"words": THEIRS},
    ActionName.CALM: {"spoken": BETWEEN_US},
    ActionName.VERIFY: {"findings": TOLD},
    ActionName.REPORT_PROGRESS: {"note": WORK, "told": TOLD},
    ActionName.WAIT_FOR_CUSTOMER: {"reason": WORK, "ask": TOLD},
    ActionName.RESUME: {"note": WORK},
    ActionName.TRANSFER: {"reason": WORK, "consent_words": THEIRS},
    ActionName.REASSIGN: {"reason": WORK, "consent_words": THEIRS},
    ActionName.CONSULT: {"question": BETWEEN_US, "advice": BETWEEN_US},
    ActionName.SURVEY: {"findings": WORK},
    ActionName.QUOTE: {"work": TOLD},
    ActionName.CONFIRM: {"words": THEIRS},
    ActionName.APPROVE: {"reason": WORK},
    ActionName.PROPOSE_REMEDY: {"what": BETWEEN_US, "reason": BETWEEN_US},  # until it is granted
    ActionName.DECIDE_REMEDY: {"what": TOLD, "reason": BETWEEN_US},
    ActionName.RECORD_REMEDY: {"words": THEIRS, "receipt": WORK},
    ActionName.RESOLVE: {"result": TOLD, "cause": WORK},
    ActionName.CONTACT_CUSTOMER: {"words": THEIRS, "told": TOLD, "result": TOLD},
    ActionName.CHASE: {"asks": BETWEEN_US},
    ActionName.RECORD_CALLBACK: {"words": THEIRS},
    ActionName.EVALUATE: {"comment": THEIRS},
    ActionName.RATE_DIFFICULTY: {"note": BETWEEN_US},
    ActionName.ESCALATE: {"reason": WORK},
    ActionName.WITHDRAW: {"reason": WORK, "told": TOLD},
    ActionName.ADD_NOTE: {"words": BETWEEN_US},  # unless it is for the customer
    ActionName.AMEND: {"reason": BETWEEN_US},
    ActionName.CUSTOMER_WROTE: {"words": THEIRS},
    ActionName.LINK: {"reason": WORK},
    ActionName.MERGE: {"reason": WORK},
    ActionName.ABSORB: {"reason": WORK},
    ActionName.MERGED: {"reason": WORK},
}
"""Whose every word of an action is."""
WORKS_ON_IT = {THEIRS, TOLD, WORK, BETWEEN_US}
READS: Mapping[Role, Collection[str]] = {
    **dict.fromkeys((Role.AGENT, Role.ENGINEER, Role.LEAD, Role.MANAGER), WORKS_ON_IT),
    Role.GM_OFFICE: WORKS_ON_IT,
    Role.CLERK: {TOLD, WORK},  # unless they are to call: then they work on it
    Role.AUDITOR: {TOLD, WORK},
    Role.INTAKE: {THEIRS, TOLD},
}
"""What a role reads of an issue that it may see."""
OUTSIDE = {Role.INTAKE}
"""Who reads what a message told the customer, whatever is in it, and no staff's notes."""


def test_the_table_has_every_word_of_every_action_and_every_action_is_in_some_life() -> None:
    asked = {
        action: {name for name, each in fields(action).items() if each.holds is Holds.TEXT}
        for action in (*PUBLIC_ACTIONS, ActionName.ABSORB, ActionName.MERGED)
    }
    asked[ActionName.CONFIRM].remove("work")  # what was offered, written down again
    assert {action: set(said) for action, said in CIRCLES.items()} == {
        action: said for action, said in asked.items() if said
    }
    led = {deed.action for _, deeds in LIVES.values() for deed in deeds}
    two = {ActionName.LINK, ActionName.MERGE}  # which are brought together
    assert PUBLIC_ACTIONS.keys() - {ActionName.REPLAN} - two <= led


# The desk -----------------------------------------------------------------------------------------


class Reader(NamedTuple):
    """Somebody at the doors, of whom it is known whether the issue is theirs."""

    role: Role
    person: str
    near: bool


@dataclass(frozen=True)
class House:
    pool: Pool
    recording: Recording
    doors: Doors
    http: httpx2.AsyncClient
    lives: Mapping[str, Told]
    messages: Mapping[str, str]
    """All that the customer of each was written."""

    async def headers(self, role: Role, person: str) -> dict[str, str]:
        written = PREFIX + secrets.token_urlsafe(32)
        given = Token(
            id=secrets.token_hex(4), role=role, person=person, created_at=datetime.now(UTC)
        )
        async with self.pool.acquire() as connection:
            await tokens.create(connection, given, digest(written))
        return {"Authorization": f"Bearer {written}"}

    def readers(self, told: Told) -> Iterator[Reader]:
        """Those whose issue it is, and somebody of each role whose it is not."""
        over = OVER[told.issue.department]
        others = OVER["legal"]
        assert told.issue.engineer
        yield Reader(Role.INTAKE, "web", near=True)
        yield Reader(Role.INTAKE, "chat", near=False)
        yield Reader(Role.AGENT, "12", near=True)
        yield Reader(Role.ENGINEER, told.issue.engineer.id, near=True)
        yield Reader(Role.ENGINEER, "jin.lan", near=False)
        yield Reader(Role.CLERK, "fan.meiling", near=True)
        for role in (Role.LEAD, Role.MANAGER):
            yield Reader(role, over[role], near=True)
            yield Reader(role, others[role], near=False)
        yield Reader(Role.GM_OFFICE, "tian.hui", near=True)
        yield Reader(Role.AUDITOR, "audit", near=True)

    def may_read(self, name: str, reader: Reader, word: Word) -> bool:
        told = self.lives[name]
        if not reader.near:
            return False
        reads = READS[reader.role]
        if reader.role is Role.CLERK and is_to_be_called(told):
            reads = WORKS_ON_IT
        if reader.role in OUTSIDE and word.said in self.messages[name]:
            return True
        circle = CIRCLES[word.action][word.field]
        if word.strangers:  # nobody knows whose they are: they are not the customer's to read
            circle = BETWEEN_US
        if word.action is ActionName.PROPOSE_REMEDY and word.said in self.messages[name]:
            circle = TOLD
        return (TOLD if word.for_customer else circle) in reads


def is_to_be_called(told: Told) -> bool:
    return any(promise.kind == "callback" for promise in told.issue.running)


@pytest.fixture
async def house(database: Pool, postgres_url: str, tmp_path: Path) -> AsyncIterator[House]:
    current = rulebook_of_lives(tmp_path)
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        await rulebooks.adopt(connection, current, by="test", note="")
    recording = Recording(database, LINKS)
    lives = {name: await lead(recording, name) for name in LIVES}
    await bring_together(recording, lives["merged"], lives["survivor"])
    secret = SecretStr("signs the sessions of the tests, no others")
    own = Settings(home=tmp_path, calls_per_minute=60_000).model_copy(
        update={"database_url": postgres_url, "secret": secret}
    )
    nowhere = cast("Any", None)  # whoever only looks needs the registers alone
    today = doors_of(Desk(nowhere, database), database, own)
    doors = _TheDayAfter(**{each.name: getattr(today, each.name) for each in fields_of(today)})
    app = build(doors)
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        yield House(database, recording, doors, http, lives, await _written(database, lives))


class _TheDayAfter(Doors):
    """Doors at which it is the day after, when the customers are to be called."""

    def now(self) -> datetime:
        return MORNING + timedelta(days=1)


async def _written(pool: Pool, lives: Mapping[str, Told]) -> dict[str, str]:
    texts = {}
    for name, told in lives.items():
        rows = await pool.fetch(
            "SELECT coalesce(full_text, body) AS text FROM outbox"
            " WHERE issue_id = $1 AND audience = 'customer' AND recipient = 'customer'",
            told.issue.id,
        )
        texts[name] = "\n".join(row["text"] for row in rows)
    return texts


def read(text: str, told: Told) -> set[Word]:
    """Find which of the words of an issue somebody got to see."""
    return {word for word in told.words if word.said in text}


def assert_reads(house: House, name: str, reader: Reader, text: str, about: str) -> None:
    told = house.lives[name]
    wanted = {word for word in told.words if house.may_read(name, reader, word)}
    found = read(text, told)
    assert found == wanted, (
        f"{reader} at {about} of {name}: missing {sorted(wanted - found)}, "
        f"too much {sorted(found - wanted)}"
    )


# Door by step by role -----------------------------------------------------------------------------


async def test_over_http_everybody_reads_the_words_they_may_read_and_no_others(
    house: House,
) -> None:
    for name, told in house.lives.items():
        for reader in house.readers(told):
            headers = await house.headers(reader.role, reader.person)
            text = await _whole_thread(house, told, headers)
            assert_reads(house, name, reader, text, "the thread")
            seen = await house.http.get(f"/issues/{told.issue.number}", headers=headers)
            assert (seen.status_code == 200) == reader.near
            for word in read(seen.text, told):
                assert house.may_read(name, reader, word), f"{reader} reads {word} of {name}"


async def _whole_thread(house: House, told: Told, headers: dict[str, str]) -> str:
    pages, after = [], None
    while True:
        asked = {"limit": "7"} | ({"after": after} if after else {})
        answer = await house.http.get(
            f"/issues/{told.issue.number}/thread", params=asked, headers=headers
        )
        if answer.status_code == 403:
            return ""
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        assert len(pages[-1]["items"]) <= 7
        after = pages[-1]["next"]
        if after is None:
            ids = [each["id"] for page in pages for each in page["items"]]
            assert len(set(ids)) == len(ids)
            return json.dumps(pages, ensure_ascii=False)


ROOM = {
    Role.AGENT: "intake",
    Role.ENGINEER: "my",
    Role.LEAD: "board",
    Role.MANAGER: "board",
    Role.GM_OFFICE: "board",
    Role.CLERK: "intake",
    Role.AUDITOR: "my",
}


@pytest.mark.parametrize("role", ROOM)
async def test_at_the_pages_everybody_reads_the_words_they_may_read_and_no_others(
    house: House, role: Role
) -> None:
    for name, told in house.lives.items():
        for reader in house.readers(told):
            if reader.role is not role:
                continue
            person = await sign_in(house.doors, house.http, reader.role, reader.person)
            for room in {"intake", "my", *({"board"} if ROOM[role] == "board" else ())}:
                text = await _all_of_the_page(person, f"/{room}/{told.issue.number}")
                assert_reads(house, name, reader, text, room)


_EARLIER = re.compile(r'href="([^"]*\?before=[^"#]*)#thread"')


async def _all_of_the_page(person: AtDesk, path: str) -> str:
    texts: list[str] = []
    while path:
        page = await person.get(path)
        texts.append(page.text)
        found = _EARLIER.search(page.text)
        path = unescape(found[1]) if found else ""
    return "\n".join(texts)


async def test_a_clerk_reads_before_the_call_what_was_said_lately(house: House) -> None:
    told = house.lives["call"]
    assert is_to_be_called(told)
    clerk = await sign_in(house.doors, house.http, Role.CLERK, "fan.meiling")
    page = (await clerk.get("/calls")).text
    assert read(page, told) == set(told.words)


async def test_the_customer_reads_what_they_said_and_were_told_and_nothing_else(
    house: House,
) -> None:
    for name, told in house.lives.items():
        thread = await house.doors.desk.thread(told.issue.id)
        text = json.dumps(
            [each.model_dump(mode="json") for each in for_customer(thread.entries)],
            ensure_ascii=False,
        )
        assert_reads(house, name, Reader(Role.INTAKE, "customer", near=True), text, "their page")


@pytest.fixture
def yinuo(house: House, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Yinuo:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("COLUMNS", "200")
    return run_yinuo


def test_at_the_command_line_everything_is_read_and_the_look_is_written_down(
    house: House, yinuo: Yinuo
) -> None:
    for told in house.lives.values():
        number = told.issue.number
        assert read(yinuo("issue", "show", number, "--thread").out, told) == set(told.words)
        written = yinuo("issue", "show", number, "--thread", "--json")
        assert read(written.out, told) == set(told.words)
        assert {"open_words", "thread", "number", "stage"} <= written.json.keys()
        trail = yinuo("audit", "--number", number, "--json").json
        assert [each["what"] for each in trail] == ["read_conversation"] * 2


def test_at_the_command_line_words_nobody_acted_on_stand_on_top(house: House, yinuo: Yinuo) -> None:
    told = house.lives["question"]
    (word,) = [each for each in told.words if each.action is ActionName.REPORT_TEST]
    shown = yinuo("issue", "show", told.issue.number, "--json").json
    assert word.said in json.dumps(shown["open_words"])
    assert word.said in yinuo("issue", "show", told.issue.number).out.partition("阶段 Stage")[0]


async def test_every_word_is_by_somebody_with_a_name_and_by_the_door_it_came_in(
    house: House,
) -> None:
    for told in house.lives.values():
        thread = await house.doors.desk.thread(told.issue.id)
        for word in told.words:
            (entry,) = [
                each
                for each in thread.entries
                if each.action is word.action and word.said in _texts(each)
            ]
            assert entry.door == word.door
            assert entry.who.name or entry.who.role in {Role.CUSTOMER, Role.SYSTEM}


def _texts(entry: Any) -> list[Any]:
    return [each.value for each in entry.said]


# What waits for somebody --------------------------------------------------------------------------


async def test_words_nobody_acted_on_yet_stand_on_top_wherever_the_issue_is_worked_on(
    house: House,
) -> None:
    told = house.lives["question"]
    (word,) = [each for each in told.words if each.action is ActionName.REPORT_TEST]
    number, engineer = told.issue.number, told.issue.engineer
    assert engineer
    readers = {
        "intake": (Role.AGENT, "07"),
        "my": (Role.ENGINEER, engineer.id),
        "board": (Role.LEAD, OVER[told.issue.department][Role.LEAD]),
    }
    for room, (role, person) in readers.items():
        at = await sign_in(house.doors, house.http, role, person)
        page = (await at.get(f"/{room}/{number}")).text
        top = page[page.index('id="open-words"') : page.index('id="thread"')]
        assert word.said in top
        headers = await house.headers(role, person)
        answer = await house.http.get(f"/issues/{number}/thread", headers=headers)
        (waiting,) = answer.json()["open_words"]
        assert word.said in json.dumps(waiting)
    auditor = await sign_in(house.doors, house.http, Role.AUDITOR, "audit")
    assert word.said not in (await auditor.get(f"/my/{number}")).text


async def test_words_that_somebody_acted_on_stand_on_top_no_more(house: House) -> None:
    told = house.lives["paid"]
    assert told.issue.engineer
    thread = await house.doors.desk.thread(told.issue.id)
    assert [each.action for each in thread.open_words] == [ActionName.CONFIRM]
    after = (await house.doors.desk.thread(house.lives["call"].issue.id)).open_words
    assert after == ()


# Two issues about the same ----------------------------------------------------------------------


async def test_a_customers_words_wait_with_the_issue_that_speaks_for_theirs_for_who_sees_both(
    house: House,
) -> None:
    survivor, merged = house.lives["survivor"], house.lives["merged"]
    (word,) = [each for each in merged.words if each.action is ActionName.CUSTOMER_WROTE]
    number, engineer = survivor.issue.number, survivor.issue.engineer
    assert engineer
    await house.pool.execute(
        "UPDATE issues SET engineer = 'somebody', source = 'chat' WHERE id = $1", merged.issue.id
    )
    for role, person, sees in (
        (Role.AGENT, "12", True),
        (Role.LEAD, OVER["technical_service"][Role.LEAD], True),
        (Role.ENGINEER, engineer.id, False),
        (Role.AUDITOR, "audit", False),
        (Role.INTAKE, "web", False),
    ):
        path = f"/issues/{number}/thread"
        answer = await house.http.get(path, headers=await house.headers(role, person))
        assert (word.said in json.dumps(answer.json()["open_words"])) == sees, role
        assert (word.said in answer.text) == sees, role
    agent = await sign_in(house.doors, house.http, Role.AGENT, "12")
    assert word.said in (await agent.get(f"/intake/{number}")).text
    progress = Deed(
        ActionName.REPORT_PROGRESS, Role.ENGINEER, {"expected_at": MORNING + timedelta(days=9)}
    )
    survivor.issue = await does(house.recording, survivor, progress, "acted")
    assert (await house.doors.desk.thread(survivor.issue.id)).open_words == ()


async def test_what_is_told_to_both_customers_each_of_them_reads_of_their_own(
    house: House,
) -> None:
    survivor, merged = house.lives["survivor"], house.lives["merged"]
    result = Deed(ActionName.RESOLVE, Role.ENGINEER)
    survivor.issue = await does(house.recording, survivor, result, "both")
    (word,) = [each for each in survivor.words if each.said == "resultbothz"]
    for told, other in ((survivor, merged), (merged, survivor)):
        thread = await house.doors.desk.thread(told.issue.id)
        theirs = [
            said.value
            for entry in for_customer(thread.entries)
            if entry.sort is Sort.MESSAGE
            for said in entry.said
            if word.said in str(said.value)
        ]
        text = "\n".join(map(str, theirs))
        assert told.issue.intake.title in text
        assert other.issue.intake.title not in text
        assert other.issue.number not in text
    thread = await house.doors.desk.thread(survivor.issue.id)
    (sent,) = [e for e in thread.entries if e.to and e.to.id == merged.issue.number]
    assert word.said in json.dumps([each.model_dump(mode="json") for each in sent.said])
    assert sent.sent


async def test_from_the_thread_of_each_the_other_is_a_way(house: House) -> None:
    survivor, merged = house.lives["survivor"], house.lives["merged"]
    agent = await sign_in(house.doors, house.http, Role.AGENT, "12")
    for this, that in ((survivor, merged), (merged, survivor)):
        page = (await agent.get(f"/intake/{this.issue.number}")).text
        way = f"/find/{that.issue.number}"
        assert f'href="{way}"' in page[page.index('id="thread"') :]
        assert (await agent.get(way)).status_code == 200


# Looks --------------------------------------------------------------------------------------------


async def test_every_look_at_a_customers_words_is_written_down_and_no_other(house: House) -> None:
    told = house.lives["fault"]
    number = told.issue.number
    for role, person, looks in (
        (Role.AGENT, "12", 1),
        (Role.INTAKE, "web", 1),
        (Role.AUDITOR, "audit", 0),
        (Role.ENGINEER, "jin.lan", 0),
    ):
        headers = await house.headers(role, person)
        await house.http.get(f"/issues/{number}/thread", headers=headers)
        trail = await door_log.entries(house.pool, number=number, limit=1000)
        seen = [e for e in trail if e.person == person and e.outcome == "seen"]
        assert [e.what for e in seen] == ["read_conversation"] * looks


async def test_who_registered_an_issue_is_not_told_what_staff_noted_with_its_steps(
    house: House,
) -> None:
    told = house.lives["fault"]
    number = told.issue.number
    for path in (f"/issues/{number}", "/issues?open=false&limit=200", f"/issues?find={number}"):
        answer = await house.http.get(path, headers=await house.headers(Role.INTAKE, "web"))
        shown = answer.json()
        views = [IssueView.model_validate(v) for v in shown.get("items", [shown])]
        assert views
        assert all(not step.note for view in views for step in view.steps)
    agent = await house.http.get(
        f"/issues/{told.issue.number}", headers=await house.headers(Role.AGENT, "07")
    )
    assert any(step["note"] for step in agent.json()["steps"])


async def test_a_place_in_the_thread_that_is_none_of_ours_is_refused(house: House) -> None:
    number = house.lives["call"].issue.number
    headers = await house.headers(Role.AGENT, "07")
    for after in ("nonsense", "e30", "AAAA"):
        answer = await house.http.get(
            f"/issues/{number}/thread", params={"after": after}, headers=headers
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "after"


@pytest.mark.parametrize("door", [Door.PAGE, Door.LINK, Door.API, Door.COMMAND_LINE])
def test_something_is_said_at_every_door(door: Door) -> None:
    assert any(deed.door is door for _, deeds in LIVES.values() for deed in deeds)
