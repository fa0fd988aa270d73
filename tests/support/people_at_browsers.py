"""The people of a story as they sit at their browsers."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from playwright.async_api import Locator, Page, expect

from domain.issue.view import IssueView
from domain.links import Purpose
from domain.vocabulary import Role, Stage
from runtime.signing import signer
from store import tokens
from store.tokens import Token
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk
from web.auth.identity import PREFIX, digest

_LINK = re.compile(r"/l/(\S+)")


@dataclass(frozen=True)
class House:
    """The desk and its doors."""

    desk: RunningDesk

    def at(self, path: str) -> str:
        """A page's address."""
        return f"{self.desk.settings.base_url}{path}"

    async def token(self, role: Role, person: str) -> str:
        written = PREFIX + secrets.token_urlsafe(32)
        given = Token(
            id=secrets.token_hex(4), role=role, person=person, created_at=datetime.now(UTC)
        )
        async with self.desk.pool.acquire() as connection:
            await tokens.create(connection, given, digest(written))
        return written

    async def sign_in(self, page: Page, role: Role, person: str) -> None:
        """Sign in as people do: with a token, on the page."""
        await page.goto(self.at("/"))
        await page.locator("[name=token]").fill(await self.token(role, person))
        await page.locator("form button").last.click()
        await page.wait_for_url(lambda url: "/login" not in url)

    async def link(self, number: str, purpose: Purpose) -> str:
        """The address in the latest message that has a link for it."""
        known = signer(self.desk.settings)

        async def find() -> str | None:
            bodies = await self.desk.pool.fetch(
                """
                SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id
                WHERE i.number = $1 ORDER BY o.seq DESC
                """,
                number,
            )
            for row in bodies:
                for signed in _LINK.findall(row["body"]):
                    link = known.read_link(signed, datetime.now(UTC))
                    if link.purpose is purpose and link.number == number:
                        return self.at(f"/l/{signed}")
            return None

        async with asyncio.timeout(PATIENCE):
            while not (found := await find()):
                await asyncio.sleep(0.1)
        return found

    async def until(self, number: str, true: Callable[[IssueView], bool]) -> IssueView:
        """Wait for what the desk does by itself."""
        async with asyncio.timeout(PATIENCE):
            while not true(issue := await self.desk.desk.show(number)):
                await asyncio.sleep(0.1)
        return issue

    async def replied(self, number: str) -> IssueView:
        return await self.until(number, lambda issue: issue.stage is Stage.REPLIED)


async def fill(page: Page, **values: str) -> None:
    """Write into the fields of a form by their names."""
    for name, value in values.items():
        await page.locator(f"[name='{name}']").fill(value)


async def choose(page: Page, **values: str) -> None:
    """Choose among radio buttons by name and value."""
    for name, value in values.items():
        await page.locator(f"[name='{name}'][value='{value}']").check()


async def send(button: Locator) -> None:
    """Press a form's button and wait for the page that answers. The register may show what was done
    before the browser has that page: to read or load anything in between meets one that is leaving.
    """
    async with button.page.expect_navigation():
        await button.click()


async def fits(page: Page) -> None:
    """Whether nothing has to be scrolled sideways."""
    wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{page.url} is {wide} pixels too wide"


async def speaks(page: Page, language: str) -> None:
    """Whether a page is in the reader's language."""
    await expect(page.locator("html")).to_have_attribute(
        "lang", re.compile("^zh" if language == "zh" else "^en")
    )
