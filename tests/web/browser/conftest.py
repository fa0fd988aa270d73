"""A real browser at the doors of the running desk: on a phone and on a desk, in two languages."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from tests.support.patience import PATIENCE

# Read now: the environment of the tests is emptied.
_REQUIRED = os.environ.get("YINUO_BROWSER") == "required"
_PICTURES = os.environ.get("YINUO_PICTURES")
"""A folder for pictures of the pages, such as docs; none are taken otherwise."""

Device = Literal["phone", "desk"]
Language = Literal["zh", "en"]
SIZES: dict[Device, ViewportSize] = {
    "phone": {"width": 360, "height": 740},
    "desk": {"width": 1280, "height": 800},
}
LOCALES: dict[Language, str] = {"zh": "zh-CN", "en": "en-GB"}

_CLOSES_WITHIN = 20.0
"""Seconds. Chromium may never say that something is closed: nothing of a test hangs on that."""

_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first there is: without windows of its own it does the same for a quarter of the time."""

Show = Callable[[Page, str], Awaitable[None]]
"""``await picture(page, "board")``: keep how a page looks, if somebody wants to see it."""
OpenPage = Callable[..., Awaitable[Page]]
"""``await somebody("phone", "zh")``: a page of somebody who was never here before."""


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        missing = "there is no Chromium: `make browser` installs Debian's"
        if _REQUIRED:
            pytest.fail(missing)
        pytest.skip(missing)
    sandbox = [] if os.getuid() else ["--no-sandbox"]  # Chromium's refuses to work for root
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        await _close(browser)


@pytest.fixture
async def somebody(chromium: Browser) -> AsyncIterator[OpenPage]:
    async with AsyncExitStack() as stack:

        async def arrive(
            device: Device = "desk", language: Language = "zh", *, script: bool = True
        ) -> Page:
            context: BrowserContext = await chromium.new_context(
                viewport=SIZES[device],
                locale=LOCALES[language],
                timezone_id="Asia/Shanghai",
                java_script_enabled=script,
                is_mobile=device == "phone",
                has_touch=device == "phone",
            )
            stack.push_async_callback(_close, context)
            page = await context.new_page()
            page.set_default_timeout(1000 * PATIENCE)
            return page

        yield arrive


async def _close(opened: Browser | BrowserContext) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSES_WITHIN):
            await opened.close()


@pytest.fixture
def picture() -> Show:
    async def keep(page: Page, name: str) -> None:
        if _PICTURES:
            await page.screenshot(path=Path(_PICTURES) / f"{name}.png", full_page=True)

    return keep
