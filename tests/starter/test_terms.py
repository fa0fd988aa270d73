"""Whoever writes pages asks the desk what it calls its own, and the register now and then (R37)."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from domain.staff.known import Known
from domain.terms import Terms
from starter import client
from starter.client import Desk
from tests.domain.test_terms import SOFTWARE


class Asked(Desk):
    """Counts how often the register is asked, and may find it away."""

    def __init__(self) -> None:
        nothing = cast("Any", None)
        super().__init__(nothing, nothing)
        self.times, self.away = 0, False

    async def _names(self) -> Known:
        self.times += 1
        if self.away:
            raise ConnectionError
        return Known(terms=SOFTWARE)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


async def test_what_was_told_lately_is_not_asked_for_again(clock: list[float]) -> None:
    desk = Asked()
    assert [await desk.terms() for _ in range(5)] == [SOFTWARE] * 5
    assert desk.times == 1
    clock[0] += 31
    await desk.terms()
    assert desk.times == 2


async def test_while_the_register_is_away_what_it_had_counts_and_few_have_to_wait(
    clock: list[float],
) -> None:
    desk = Asked()
    await desk.terms()
    clock[0], desk.away = clock[0] + 31, True
    assert [await desk.terms() for _ in range(5)] == [SOFTWARE] * 5
    assert desk.times == 2
    clock[0], desk.away = clock[0] + 6, False
    await desk.terms()
    assert desk.times == 3


async def test_a_desk_that_never_had_an_answer_goes_by_what_is_usual(clock: list[float]) -> None:
    desk = Asked()
    desk.away = True
    assert await desk.terms() == Terms()
