"""What the upgrade drill is made of: issues as data, a policy that takes its time, a version out of
the history.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.upgrade import before, lives
from benchmarks.upgrade.lives import LIVES, Deed, Fate, planned, slower
from benchmarks.upgrade.onward import BY_PROMISE, BY_STAGE
from benchmarks.upgrade.version import installed, resolved
from domain.calendars.periods import TimeBudget
from domain.errors import SetupError
from domain.issue.actions import PUBLIC_ACTIONS, ActionName, Resolve
from domain.issue.lifecycle import PROMISED
from domain.sla.promise import PromiseKind
from domain.terms import KINDS
from domain.vocabulary import Actor, Role, Stage
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT

DEMO = ROOT / "policies" / "demo.toml"


def deeds() -> Iterator[Deed]:
    yield from (deed for life in LIVES for deed in life.deeds)
    yield from (*BY_STAGE.values(), *BY_PROMISE.values())


def test_every_deed_is_one_of_the_contract_and_says_a_word_of_its_own() -> None:
    for deed in deeds():
        form = Resolve if deed.name == "complete" else PUBLIC_ACTIONS[ActionName(deed.name)]
        word = datetime.now(UTC).isoformat() if deed.own == "expected_at" else "a word"
        said = {"by": Actor(id="somebody", role=Role.LEAD), **deed.said, deed.own: word}
        assert word[:19] in form.model_validate(said).model_dump_json()


def test_the_lives_are_of_every_kind_and_each_stage_that_lasts_has_a_way_on() -> None:
    assert {life.intake["kind"] for life in LIVES} == set(KINDS)
    moments = {Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK, Stage.CLOSED}
    assert set(BY_STAGE) == set(Stage) - moments
    assert set(BY_PROMISE) == {
        *(PromiseKind.REPLY, PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST),
        *(PromiseKind.EVALUATION, PromiseKind.DIFFICULTY),
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_is_the_same_for_a_seed_and_has_every_life_and_every_fate(seed: int) -> None:
    plan = planned(seed, 60)
    assert plan == planned(seed, 60)
    assert plan != planned(seed + 1, 60)
    assert [each.life for each in plan[: len(LIVES)]] == list(LIVES)
    assert {each.fate for each in plan} == set(Fate)
    assert len({each.issue_id for each in plan}) == 60
    assert all(each.life.deeds for each in plan if each.fate is Fate.BEHIND)


def test_no_alarm_lies_before_the_registration_and_every_issue_stays_for_two_minutes(
    tmp_path: Path,
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(slower(DEMO.read_text(encoding="utf-8")), encoding="utf-8")
    at_once = {kind for kinds in PROMISED.values() for kind in kinds}
    ago = dict.fromkeys(at_once, lives.LONGEST_AGO) | {PromiseKind.HAND_OVER: lives.HELD_AGO}
    rules = rulebook.load(file).policy.promises
    assert {rule.promise for rule in rules} >= ago.keys()
    for rule in rules:
        assert isinstance(rule.within, TimeBudget)
        seconds = rule.within.span.total_seconds()
        assert seconds * 0.75 > ago.get(rule.promise, 0)
        assert seconds >= 120 or rule.promise in {
            *(PromiseKind.HAND_OVER, PromiseKind.EVALUATION, PromiseKind.DIFFICULTY),
        }


def test_a_copied_roster_leads_to_the_receiver_and_is_otherwise_the_same(tmp_path: Path) -> None:
    example = read_roster(ROOT / "examples" / "roster")
    urls = {channel.id: f"json://127.0.0.1:1/{channel.id}/{{to}}" for channel in example.channels}
    copied = read_roster(before.roster(ROOT, urls, tmp_path / "roster"))
    assert {channel.id: channel.url for channel in copied.channels} == urls
    assert all(channel.per_minute is None for channel in copied.channels)
    assert copied.members == example.members
    assert copied.centres == example.centres


def git(*arguments: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a history of two commits, whose `make install` leaves a trace."""
    place = tmp_path / "clone"
    git("init", "--quiet", str(place))
    for said in ("first", "second"):
        (place / "Makefile").write_text(f"install:\n\t@echo {said} >> installed\n", "utf-8")
        git("-C", str(place), "add", "--all")
        git("-C", str(place), "commit", "--quiet", "--message", said)
    return place


@pytest.mark.program
def test_a_version_is_unpacked_and_installed_by_its_own_recipe(clone: Path, tmp_path: Path) -> None:
    first = resolved("HEAD~1", clone)
    version = installed(first, tmp_path / "tree", clone)
    assert (version.tree / "installed").read_text("utf-8").split() == ["first"]
    assert installed(first, tmp_path / "tree", clone) == version
    with pytest.raises(SetupError, match="holds another version"):
        installed(resolved("HEAD", clone), tmp_path / "tree", clone)
    with pytest.raises(SetupError, match="is not empty"):
        installed(first, clone, clone)


@pytest.mark.program
def test_a_version_that_is_not_there_is_answered_with_what_to_do(
    clone: Path, tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match="there is no commit 0000000"):
        resolved("0000000", clone)
    with pytest.raises(SetupError, match="is no clone"):
        resolved("HEAD", tmp_path)
    git("-C", str(clone), "switch", "--quiet", "--create", "branch", "HEAD~1")
    git("-C", str(clone), "commit", "--quiet", "--allow-empty", "--message", "aside")
    git("-C", str(clone), "switch", "--quiet", "-")
    git("-C", str(clone), "merge", "--quiet", "--no-ff", "--message", "merged", "branch")
    with pytest.raises(SetupError, match="not on the main line"):
        resolved("branch", clone)
    shallow = tmp_path / "shallow"
    git("clone", "--quiet", "--depth=1", f"file://{clone}", str(shallow))
    with pytest.raises(SetupError, match="git fetch --unshallow"):
        resolved("HEAD~1", shallow)
