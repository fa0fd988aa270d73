"""The desk of the earlier version: brought up by its own command, worked at by its own doors, and
left as a power cut leaves it.
"""

from __future__ import annotations

import asyncio
import csv
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import psutil

from benchmarks.chaos import power
from benchmarks.chaos.asking import Acknowledged
from benchmarks.chaos.asking import Deed as Told
from benchmarks.upgrade.lives import AGENT, SOURCE, Deed
from benchmarks.upgrade.version import Version
from domain.errors import SetupError
from domain.issue.actions import ActionName
from domain.staff.access import Caller
from domain.vocabulary import Role
from runtime.settings import Settings
from web.api.shapes import update_id

View = Mapping[str, Any]
Who = tuple[Role, str]
_UP_WITHIN = 90.0
_DONE_WITHIN = 60.0
"""Seconds in which what is not possible yet becomes so: a reply arrives, a callback may be made."""
_AGAIN = 0.3
_ANSWER = 35.0
_BY: Mapping[str, Who] = {
    "agent": (Role.AGENT, AGENT),
    "clerk": (Role.CLERK, "fan.meiling"),
    "gm_office": (Role.GM_OFFICE, "tian.hui"),
}
_NOT_YET = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def roster(tree: Path, urls: Mapping[str, str], to: Path) -> Path:
    """Copy a version's example roster, with its channels leading to ``urls``, without a limit."""
    to.mkdir()
    for file in (tree / "examples" / "roster").glob("*.csv"):
        rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
        for row in rows:
            if file.name == "channels.csv":
                row |= {"url": urls[row["channel"]], "per_minute": ""}
        with (to / file.name).open("w", encoding="utf-8", newline="") as written:
            writer = csv.DictWriter(written, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return to


@dataclass
class Running:
    """The earlier version's desk while it is up; ``acknowledged`` is what callers were told."""

    version: Version
    settings: Settings
    process: asyncio.subprocess.Process
    http: httpx2.AsyncClient

    def __post_init__(self) -> None:
        self.acknowledged: list[Acknowledged] = []
        self._tokens: dict[Who, asyncio.Task[str]] = {}
        self._turns = asyncio.Semaphore(2)

    async def command(self, *words: str) -> str:
        """Run one of its commands; what it printed.

        Raises:
            SetupError: it failed.
        """
        async with self._turns:
            ran = await asyncio.create_subprocess_exec(
                *(str(self.version.yinuo), *words),
                cwd=self.settings.home,
                env=environment(self.settings),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await ran.communicate()
        if ran.returncode:
            raise SetupError(f"yinuo {' '.join(words)} failed: {err.decode()[-1000:]}")
        return out.decode().strip()

    async def open(self, intake: Mapping[str, Any]) -> View:
        """Register an issue."""
        view = await self._post("/issues", intake, (Role.INTAKE, SOURCE), "")
        self._note("intake", view, "registered", SOURCE, "", intake["title"])
        return view

    async def do(self, number: str, deed: Deed, word: str) -> None:
        """Do something about an issue, as soon as it is possible."""
        view = await self._get(f"/issues/{number}")
        who = _BY.get(deed.who) or _handler(view)
        if deed.own == "expected_at":
            word = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        said = {**deed.said, deed.own: word}
        await self._post(f"/issues/{number}/{deed.name}", said, who, word)
        if deed.name == "complete":
            self._note("signal", view, deed.name, who[1], "", word)
        else:
            caller = Caller(id=who[1], role=who[0], name=who[1])
            key = update_id(caller, ActionName(deed.name), word) or ""
            self._note("act", view, deed.name, who[1], key, word)

    async def stages(self) -> list[str]:
        """Say in which stage each issue is."""
        page = await self._get("/issues?open=false&limit=200")
        return [view["stage"] for view in page["items"]]

    def power_off(self, kept: power.Kept) -> None:
        """End everything in one instant, and let Temporal have what was on the disk."""
        power.cut(everybody(self.process.pid))
        kept.put_back()

    async def _get(self, path: str) -> View:
        answer = await self._asked("GET", path, _BY["agent"])
        found: View = answer.json()
        return found

    async def _post(self, path: str, said: Mapping[str, Any], who: Who, key: str) -> View:
        named = {"Idempotency-Key": key} if key else {}
        answer = await self._asked("POST", path, who, json=said, named=named)
        found: View = answer.json() if answer.content else {}
        return found

    async def _asked(
        self,
        method: str,
        path: str,
        who: Who,
        *,
        json: Mapping[str, Any] | None = None,
        named: Mapping[str, str] = {},
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {await self._token(who)}", **named}
        until = time.monotonic() + _DONE_WITHIN
        while True:
            answer = await self.http.request(method, path, json=json, headers=headers)
            if not answer.is_error:
                return answer
            if answer.status_code not in _NOT_YET or time.monotonic() > until:
                raise SetupError(f"{method} {path} as {who[1]}: {answer.text}")
            await asyncio.sleep(_AGAIN)

    async def _token(self, who: Who) -> str:
        if who not in self._tokens:
            words = ("token", "create", "--role", who[0].value, "--person", who[1])
            self._tokens[who] = asyncio.create_task(self.command(*words))
        return await self._tokens[who]

    def _note(self, told: Told, view: View, name: str, by: str, *rest: str) -> None:
        key, word = rest
        at = datetime.now(UTC)
        self.acknowledged.append(
            Acknowledged(told, at, view["id"], view["number"], name, by, key, word)
        )


@asynccontextmanager
async def running(version: Version, settings: Settings) -> AsyncIterator[Running]:
    """The earlier version's desk, as `yinuo up` brings it up; killed in the end, if not before.

    Raises:
        SetupError: it did not come up.
    """
    settings.home.mkdir(parents=True)
    log = settings.home.with_suffix(".log")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(version.yinuo), "up"),
            cwd=settings.home,
            env=environment(settings),
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx2.AsyncClient(
            base_url=settings.base_url, timeout=_ANSWER, trust_env=False
        ) as http:
            await _until_ready(process, http, log)
            yield Running(version, settings, process, http)
    finally:
        power.cut(everybody(process.pid))
        await process.wait()


async def _until_ready(
    process: asyncio.subprocess.Process, http: httpx2.AsyncClient, log: Path
) -> None:
    until = time.monotonic() + _UP_WITHIN
    while True:
        try:
            if (await http.get("/readyz")).is_success:
                return
        except httpx2.TransportError:
            pass
        if process.returncode is not None or time.monotonic() > until:
            raise SetupError(f"the earlier version did not come up: {log} says why")
        await asyncio.sleep(_AGAIN)


def environment(settings: Settings) -> dict[str, str]:
    """What a version may be told that knows fewer settings than ours."""
    names = ("home", "policy", "durable", "temporal_port", "temporal_ui_port", "http_port")
    return {**os.environ, **{f"YINUO_{n.upper()}": str(getattr(settings, n)) for n in names}}


def everybody(pid: int) -> Sequence[psutil.Process]:
    """List a process and all that it started."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def temporal_of(pid: int) -> int:
    """Find the Temporal that a desk started."""
    return next(each.pid for each in everybody(pid) if each.name().startswith("temporal"))


def _handler(view: View) -> Who:
    """Whoever has the issue: an engineer, or its lead."""
    holder, lead = view["engineer"] or view["lead"], view["lead"]
    role = Role.LEAD if lead and holder["id"] == lead["id"] else Role.ENGINEER
    return role, holder["id"]
