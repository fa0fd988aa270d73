"""Loading rulebooks into a running desk, by the start of the desk, the client and the commands."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from temporalio.client import Client

from activities.missing_notice import CalendarAlarm
from domain.calendars.national_days import NationalDays
from domain.errors import Refused, SetupError
from domain.issue.actions import ActionName, Answer
from domain.issue.view import PromiseView
from domain.sla.replanning import Report
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import postgres, rulebook
from runtime.settings import ROOT
from starter import replanning
from starter.client import Desk
from store import roster, rulebooks
from store.connection import Pool
from store.issue_list import Filter
from tests.conftest import DeskServers
from tests.support.builders import LINKS, an_intake
from tests.support.running_desk import Yinuo, run_yinuo
from worker import working
from workflows.replan import WORKFLOW_ID

STANDARD = ROOT / "policies" / "standard.toml"
TEXT = STANDARD.read_text(encoding="utf-8")
SLOWER = TEXT.replace('within = "3 working days"', 'within = "4 working days"')


@dataclass
class Place:
    """A desk at work, and the policy file it starts with."""

    client: Client
    pool: Pool
    desk: Desk
    policy: Path

    async def start_again(self, text: str) -> str:
        """Start the desk with that policy; return what it says of it."""
        self.policy.write_text(text, encoding="utf-8")
        return await replanning.policy_at_start(self.client, self.pool, self.policy)

    async def resolution(self, number: str) -> PromiseView:
        seen = await self.desk.show(number)
        return next(promise for promise in seen.promises if promise.kind == "resolution")

    async def counts(self) -> Rulebook:
        async with self.pool.acquire() as connection:
            found = await rulebooks.current(connection)
        assert found is not None
        return found


@pytest.fixture
async def place(desk_servers: DeskServers, tmp_path: Path) -> AsyncIterator[Place]:
    async with postgres.pool(desk_servers.postgres.url, size=10) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        desk = Desk(desk_servers.client, pool)
        found = Place(desk_servers.client, pool, desk, tmp_path / "policy.toml")
        assert (await found.start_again(TEXT)).startswith("policy.toml, rulebook ")
        async with working(desk_servers.settings):
            yield found


def next_notice(book: Rulebook) -> NationalDays:
    """A notice for the year after the last; it is made up."""
    known = book.national["CN"].model_dump(mode="json")
    year = max(book.national["CN"].years) + 1
    known["years"][year] = {"notice": "made up", "holidays": [], "makeup_workdays": []}
    return NationalDays.model_validate(known)


async def an_open_issue(place: Place) -> str:
    now = datetime.now(UTC)
    opened = await place.desk.open(an_intake(region="上海", occurred_at=None, reported_at=now))
    return opened.number


async def test_a_changed_policy_file_is_loaded_at_the_next_start_and_an_old_one_is_not(
    place: Place,
) -> None:
    number = await an_open_issue(place)
    before = await place.resolution(number)
    assert await place.start_again(TEXT) == "as loaded before"

    assert (await place.start_again(SLOWER)).startswith("policy.toml, rulebook ")
    report: Report = await place.client.get_workflow_handle(
        WORKFLOW_ID, result_type=Report
    ).result()
    assert (report.tally.issues, report.tally.later, report.left) == (1, 1, 0)
    after = await place.resolution(number)
    assert (after.target, after.due_at > before.due_at) == ("4 working days", True)

    assert await place.start_again(TEXT) == "as loaded before"
    assert await place.resolution(number) == after


async def test_a_policy_file_from_before_a_notice_does_not_make_the_desk_forget_it(
    place: Place,
) -> None:
    book = await place.counts()
    notice = next_notice(book)
    loaded = book.with_national(notice)
    report = await replanning.adopt_and_replan(place.client, place.pool, loaded, "the notice")
    assert report is not None
    assert report.version == loaded.version
    assert (await place.start_again(TEXT), await place.counts()) == ("as loaded before", loaded)
    await place.start_again(SLOWER)
    counts = await place.counts()
    assert counts.national["CN"] == notice
    assert counts.policy != book.policy


async def test_a_dry_run_says_what_loading_would_do_and_does_nothing(place: Place) -> None:
    number = await an_open_issue(place)
    before = await place.resolution(number)
    slower = place.policy.with_name("slower.toml")
    slower.write_text(SLOWER, encoding="utf-8")
    report = await replanning.dry_run(place.pool, rulebook.load(slower))
    assert (report.tally.issues, report.tally.later, report.looked) == (1, 1, 1)
    (move,) = report.moves
    assert (move.number, move.key, move.before) == (number, "resolution.1", before.due_at)
    assert move.after > before.due_at
    assert await place.resolution(number) == before
    assert (await place.counts()).version == rulebook.load(STANDARD).version
    again = await replanning.again(place.client, place.pool, per_second=100)
    assert again.tally.issues == 0


async def test_r34_a_dry_run_plans_the_call_to_whom_nothing_can_be_written_by_its_own_rule(
    place: Place,
) -> None:
    now = datetime.now(UTC)
    switchboard = {"name": "林芬", "phone": "+86 20 5550 0101"}
    asked = {"kind": "consultation", "answering": True, "region": "上海", "customer": switchboard}
    opened = await place.desk.open(an_intake(occurred_at=None, reported_at=now, **asked))
    agent = Actor(id="07", role=Role.AGENT)
    answer = Answer(by=agent, solution="pull the lever", on_the_line=False)
    await place.desk.act(opened.number, ActionName.ANSWER, answer)
    rule = TEXT[TEXT.index('name = "spoken_reply"') :]
    sooner = place.policy.with_name("sooner.toml")
    sooner.write_text(
        TEXT.replace(rule, rule.replace('within = "4h"', 'within = "3h"', 1)), "utf-8"
    )
    (move,) = (await replanning.dry_run(place.pool, rulebook.load(sooner))).moves
    assert (move.number, move.key, move.after < move.before) == (opened.number, "reply.1", True)


async def test_a_dry_run_says_so_if_open_issues_forbid_it_and_names_one(place: Place) -> None:
    number = await an_open_issue(place)
    async with place.pool.acquire() as connection:
        await connection.execute("UPDATE promises SET calendar = 'gone'")
    with pytest.raises(Refused, match=f"open issues go by calendar gone, {number}: keep it"):
        await replanning.dry_run(place.pool, await place.counts())


async def test_a_policy_that_lacks_what_the_roster_needs_is_not_loaded_and_the_desk_goes_on(
    place: Place,
) -> None:
    before = await place.counts()
    lacking = TEXT.replace("[calendars.west]", "[calendars.far_west]")
    said = await place.start_again(lacking)
    assert said.startswith(f"policy.toml is NOT loaded, rulebook {before.version} goes on: ")
    assert "centre urumqi: calendar: west is unknown" in said
    assert f"yinuo policy import {place.policy}" in said
    assert await place.counts() == before
    with pytest.raises(Refused) as refused:
        await replanning.adopt(place.pool, rulebook.load(place.policy), "by hand")
    assert refused.value.type == "Invalid"


async def test_a_desk_without_a_policy_does_not_start_with_one_that_lacks_what_it_needs(
    database: Pool, tmp_path: Path
) -> None:
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    policy = tmp_path / "policy.toml"
    named = '[departments]\nfleet = { name = "车队" }'
    text = TEXT.replace('department = "sales"', 'department = "fleet"')
    policy.write_text(text.replace("[departments]", named), "utf-8")
    with pytest.raises(SetupError, match=r"policy\.toml: route prospects: .*: fleet is unknown"):
        await replanning.policy_at_start(cast("Client", None), database, policy)


async def test_provisional_promises_can_be_listed(place: Place) -> None:
    number = await an_open_issue(place)
    assert await place.desk.issues(Filter(provisional=True)) == []
    await place.pool.execute("UPDATE promises SET provisional = true WHERE kind = 'resolution'")
    found = await place.desk.issues(Filter(provisional=True))
    assert [view.number for view in found] == [number]


async def test_somebody_hears_once_a_week_that_the_notice_is_missing_and_no_more_once_it_is_loaded(
    place: Place,
) -> None:
    alarm = CalendarAlarm(place.pool, LINKS)
    now = datetime(2026, 11, 30, 2, tzinfo=UTC)
    assert await alarm.look(now) == 0  # nothing is promised to anybody
    number = await an_open_issue(place)
    assert [await alarm.look(now + timedelta(days=day)) for day in (0, 0, 8)] == [1, 0, 1]
    told = await place.pool.fetch(
        "SELECT o.*, i.number FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE template = 'missing_notice' ORDER BY created_at"
    )
    assert [(row["number"], row["audience"]) for row in told] == [(number, "gm_office")] * 2
    assert "2027 年放假通知" in told[0]["subject"]
    book = await place.counts()
    await replanning.adopt(place.pool, book.learning(next_notice(book)), "the notice")
    assert await alarm.look(now + timedelta(days=30)) == 0


@pytest.fixture
async def explained(
    place: Place, desk_servers: DeskServers, monkeypatch: pytest.MonkeyPatch
) -> str:
    """An open issue, which the command line is asked about."""
    monkeypatch.setenv("DATABASE_URL", desk_servers.postgres.url)
    monkeypatch.setenv("COLUMNS", "120")
    return await an_open_issue(place)


def test_each_promise_of_an_issue_is_explained_with_its_days_reminders_and_policy(
    explained: str,
) -> None:
    ran = run_yinuo("issue", "why", explained)
    assert ran.code == 0, ran.err
    assert "解决 resolution · resolution.1" in ran.out
    assert "standard" in ran.out
    assert "general_resolution" in ran.out
    assert "3 working days after the start day, to close of business (R31)" in ran.out
    assert ran.out.count("重新计算，与登记一致 Worked out again: as it is kept.") >= 2
    assert "升级至 rises to 部门经理 manager" in ran.out
    (one,) = run_yinuo("issue", "why", explained, "resolution.1", "--json").json
    assert (one["doubts"], one["expected"]) == ([], one["promise"]["due_at"])
    gone = run_yinuo("issue", "why", explained, "callback")
    assert "has no promise callback; it has: " in gone.err


def test_calendars_are_loaded_from_the_terminal_and_the_report_is_shown(
    yinuo: Yinuo, tmp_path: Path
) -> None:
    spare = tmp_path / "spare.toml"
    spare.write_text(
        '[calendars.spare]\ndays = ["sat"]\nhours = ["10:00-12:00"]\n', encoding="utf-8"
    )
    for arguments in (("--dry-run",), ()):
        ran = yinuo("calendar", "import", str(spare), *arguments)
        assert ran.code == 0, ran.err
        assert "承诺有变 Promises changed" in ran.out
    assert "spare" in yinuo("calendar", "show").out
    assert yinuo("calendar", "import", str(spare)).out.startswith("Nothing to do")
    again = yinuo("replan", "--json")
    assert again.code == 0, again.err
    assert again.json["tally"]["issues"] == 0
    assert yinuo("replan", "--dry-run").code == 0
