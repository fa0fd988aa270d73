"""Somebody of the staff at their pages, as a browser is: with a session, and with our forms."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx2
from fastapi import Response

from domain.vocabulary import Role
from store import door_log, tokens
from store.connection import Pool
from store.door_log import Entry
from store.tokens import Token
from web.auth import sessions
from web.auth.identity import digest
from web.context import Doors

HTMX = {"HX-Request": "true"}
_ADDRESS = re.compile(r'\b(?:href|action|formaction|hx-(?:get|post)|src)="([^"]*)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([\w.-]+)" value="([^"]*)">')


@dataclass(frozen=True)
class AtDesk:
    """Somebody who is signed in; ``english`` is what their browser wants."""

    doors: Doors
    http: httpx2.AsyncClient
    person: str
    english: bool = False

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.http.get(path, headers=self._headers(), **more)

    async def post(
        self, path: str, form: dict[str, Any], *, htmx: bool = False, typed: str = ""
    ) -> httpx2.Response:
        """Send a form; ``typed``: htmx says so of the field that is being written in."""
        headers = self._headers() | (HTMX | {"HX-Trigger-Name": typed} if htmx else {})
        return await self.http.post(path, data=form, headers=headers)

    async def hidden(self, path: str) -> dict[str, str]:
        """Return what the first form of a page that acts carries unseen: its header's does not, and
        files are added under no key.
        """
        page = await self.get(path)
        assert page.status_code == 200, page.text
        main = page.text[page.text.index("<main") :]
        forms = [hidden(form) for form in main.split("</form>")[:-1]]
        return next((form for form in forms if _KEYS & form.keys()), forms[0])

    def _headers(self) -> dict[str, str]:
        return {"Accept-Language": "en" if self.english else "zh-CN", "Accept": "text/html"}

    async def trail(self, what: str | None = None) -> list[Entry]:
        """Return what the audit trail has of them, newest first."""
        entries = await door_log.entries(pool_of(self.doors), limit=1_000_000)
        return [e for e in entries if e.person == self.person and what in {None, e.what}]


async def sign_in(
    doors: Doors, http: httpx2.AsyncClient, role: Role, person: str, *, english: bool = False
) -> AtDesk:
    """Sign somebody in for the rest of the test."""
    given = Token(id=secrets.token_hex(4), role=role, person=person, created_at=datetime.now(UTC))
    async with pool_of(doors).acquire() as connection:
        await tokens.create(connection, given, digest(secrets.token_hex(16)))
    response = Response()
    sessions.begin(response, doors, token=given.id)
    name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
    http.cookies.set(name, value)
    return AtDesk(doors, http, person, english)


def pool_of(doors: Doors) -> Pool:
    """Return what the doors' registers are asked through: no door has it, and tests look in."""
    return doors.registers.audit_trail._pool


_KEYS = {"key", "reference"}
"""Under these a form that is sent twice is one action."""


def hidden(text: str) -> dict[str, str]:
    """Return what the forms of a page carry unseen."""
    return {name: unescape(value) for name, value in _HIDDEN.findall(text)}


def addresses(text: str) -> list[str]:
    """Return all addresses of a page, but those of telephones, which go to no server."""
    return [each for each in _ADDRESS.findall(text) if not each.startswith("tel:")]
