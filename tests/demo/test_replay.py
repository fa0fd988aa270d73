"""Replaying a recorded day on real servers: the desk's own figures must be the file's."""

import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.receiver import Outside, Receiver
from demo.replay import SOURCE, Act, Figures, Incident, IncidentState, StaffStep, figures, people
from demo.replay.log import SHANGHAI
from demo.replay.play import rehearsal
from demo.replay.replay import Story, perform, read_story, replay, write_policy
from demo.replay.summary import Histories, Summary, render
from demo.replay.tally import Alarms, IssueCounts, Lag
from domain.errors import InputError
from domain.issue.actions import ActionName, Reassign
from domain.issue.state import Person
from domain.issue.view import IssueView, view
from domain.vocabulary import Actor, Role, Severity, Stage
from runtime import postgres, rulebook
from starter.client import Desk
from starter.replanning import adopt_file
from store import roster as rosters
from tests.conftest import DeskServers
from tests.support.builders import an_issue
from worker import working

LOG = Path(__file__).parent / "data" / "made_up_incident_log.csv"
DAY = date(2024, 5, 6)
DAYS = 25
SPEED = 60_000
"""A day is 1.4 seconds: what is to be said within one is said in time on a busy machine, too."""


@pytest.fixture(scope="module")
def story() -> Story:
    return read_story(LOG, DAY, DAYS)


@pytest.fixture
async def played(desk_servers: DeskServers, story: Story, tmp_path: Path) -> Summary:
    with Receiver(Outside()) as receiver:
        async with postgres.pool(desk_servers.postgres.url, size=10) as pool:
            async with pool.acquire() as connection, connection.transaction():
                await rosters.replace(connection, receiver.channels_of(story.people))
            clock = story.clock(datetime.now(UTC) + timedelta(seconds=1), SPEED)
            policy = write_policy(tmp_path, clock)
            settings = desk_servers.settings.model_copy(update={"policy": policy})
            await adopt_file(pool, policy)
            async with working(settings):
                desk, client = Desk(desk_servers.client, pool), desk_servers.client
                return await perform(desk, pool, client, story, clock, silent())


async def test_a_day_played_on_real_servers_comes_to_the_figures_of_the_file(
    played: Summary,
) -> None:
    assert played.problems == ()
    assert played.desk.model_dump() == played.file.model_dump()
    of_file = played.file.model_dump()
    assert played.reported == {name: of_file[name] for name in ("opened", "reopened", "closed")}
    assert min(played.desk.model_dump().values()) > 0, "a figure that is 0 would show nothing"
    assert sorted(played.references) == sorted(played.wanted)
    assert (played.acts, played.steps["registered"]) == (played.acts_wanted, 19)
    assert set(played.messages) == {"delivered"}
    assert "没有差异" in printed(played)
    assert SOURCE.split(":")[0] in printed(played)


@pytest.mark.usefixtures("servers")
async def test_a_figure_that_differs_from_the_file_is_shown_and_ends_the_command_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def falsified(*facts: Any) -> Figures:
        true = figures(*facts)
        return true.model_copy(update={"waited": true.waited + 1})

    monkeypatch.setattr("demo.replay.replay.figures", falsified)
    monkeypatch.setattr("demo.replay.replay.COMES_UP_WITHIN", timedelta())
    said = silent()
    assert await replay(LOG, DAY, SPEED, DAYS, tmp_path / "home", console=said) == 1
    assert re.search(r"waited +│ +8 │ +9 │ +-1 │", text_of(said))
    assert "the desk has 8, the file 9" in text_of(said)


def a_summary(**changes: Any) -> Summary:
    counted = {"opened": 1, "resolved_in_time": 1}
    nothing = dict.fromkeys(Figures.model_fields, 0)
    never = Lag(count=0, p95=None, longest=None)
    facts: dict[str, Any] = {
        "file": Figures(**nothing | counted),
        "desk": IssueCounts(**nothing | counted),
        "references": ("A",),
        "wanted": ("A",),
        "acts_wanted": 2,
        "steps": {"registered": 1, "accept": 1, "resolve": 1, "replied": 1, "threshold": 1},
        "messages": {},
        "histories": Histories(workflows=1, events=30, longest=30),
        "alarms": Alarms(recorded=never, told=never),
        "answers": never,
        "behind": never,
        "seconds": 1.0,
        "failures": (),
    }
    return Summary.model_validate(facts | changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"references": ()}, "incident A is 0 issues instead of 1"),
        ({"references": ("A", "A")}, "incident A is 2 issues instead of 1"),
        ({"references": ("A", "B")}, "incident B is 1 issues instead of 0"),
        (
            {"histories": Histories(workflows=2, events=30, longest=30)},
            "Temporal has 2 issue workflows for 1 incidents",
        ),
        ({"reported": {"opened": 2}}, "登记 opened: the report says 2, the desk has 1"),
        ({"acts_wanted": 3}, "the register has 2 acts of people instead of 3"),
        ({"failures": ("incident A, opened: no",)}, "incident A, opened: no"),
    ],
)
def test_an_incident_that_is_lost_or_doubled_or_not_followed_is_named(
    changes: dict[str, Any], problem: str
) -> None:
    assert a_summary().problems == ()
    assert a_summary(**changes).problems == (problem,)
    assert problem in printed(a_summary(**changes))


# --- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [1, 7, 1800, 2000, 34_567.8, 300_000])
def test_every_minute_of_the_log_is_the_same_instant_after_the_way_there_and_back(
    speed: float,
) -> None:
    begins = datetime(2016, 3, 7, tzinfo=SHANGHAI)
    clock = rehearsal(begins, datetime(2026, 11, 22, 12, 0, 0, 123_457, tzinfo=UTC), speed)
    assert clock.speed == pytest.approx(speed, rel=1e-2)
    for minute in range(0, 60 * 24 * 30, 7):
        at = begins + timedelta(minutes=minute)
        assert clock.to_story(clock.to_reality(at)) == at


@pytest.mark.parametrize("speed", [0, 0.5, -3, 1e9, float("nan")])
def test_a_speed_that_no_clock_can_run_at_is_refused(speed: float) -> None:
    with pytest.raises(InputError, match=r"speed: .* is not between 1 and 600000"):
        rehearsal(datetime.now(UTC), datetime.now(UTC), speed)


def test_the_policy_of_a_replay_is_read_back_with_its_clock(story: Story, tmp_path: Path) -> None:
    clock = story.clock(datetime.now(UTC), 1800)
    policy = rulebook.load(write_policy(tmp_path, clock))
    assert policy.policy.rehearsal == clock
    story.people.check_against(policy)


def test_a_log_or_a_time_that_cannot_be_is_refused_before_anything_is_started() -> None:
    with pytest.raises(InputError, match="no incident was opened on 2016-03-07"):
        read_story(LOG, date(2016, 3, 7))
    with pytest.raises(InputError, match="days: 0"):
        read_story(LOG, DAY, 0)


# --- the people ----------------------------------------------------------------------------------


def test_every_reassignment_is_to_somebody_else_of_the_roster(story: Story) -> None:
    engineers = [m.id for m in story.people.members if m.role is Role.ENGINEER]
    crew = people.Crew(story.people)
    passed_on = StaffStep(at=datetime.now(UTC), act=Act.REASSIGN, state=IncidentState.ACTIVE)
    seen, holder = [], engineers[0]
    for _ in engineers:
        name, act = crew.act(passed_on, _held_by(holder), passed_on.at)
        assert name is ActionName.REASSIGN
        assert isinstance(act, Reassign)
        assert act.by == Actor(id=holder, role=Role.ENGINEER)
        assert act.to is not None
        assert act.to != holder
        holder = act.to
        seen.append(holder)
    assert sorted(seen) == sorted(engineers), "round all of them"


def _held_by(engineer: str) -> IssueView:
    return view(an_issue(Stage.IN_PROGRESS, engineer=Person(id=engineer, name=engineer)))


def test_facts_are_taken_over_whichever_way_the_log_is_published(story: Story) -> None:
    facts = next(i for i in story.incidents if i.reference == "PLAIN").model_dump()
    bare = Incident(**facts | {"location": "7", "category": "8", "contact_type": "Self service"})
    named = Incident(**facts | {"location": "Location 7", "category": "Category 8", "priority": 1})
    unknown = Incident(**facts | {"location": None, "category": None, "contact_type": None})
    one, two, three = (people.intake(each, each.opened_at) for each in (bare, named, unknown))
    assert (one.region, one.channel, one.severity) == ("location-7", "website", Severity.GENERAL)
    assert (two.region, two.title, two.severity) == ("location-7", one.title, Severity.MAJOR)
    assert (three.region, three.channel) == ("location-unknown", "telephone")
    served = {region for centre in story.people.centres for region in centre.regions}
    assert {"location-7", "location-unknown"} <= served


def silent() -> Console:
    return Console(file=StringIO(), width=120)


def text_of(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def printed(summary: Summary) -> str:
    console = silent()
    console.print(render(summary, "a day"))
    return text_of(console)
