"""Addresses of attachments that are good for a few minutes: what a page's pictures and downloads
are fetched by. Such an address is as good as a look of whoever it was made for, and written down as
theirs; nobody else's pages or letters hold it for long.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote

from fastapi import Request
from itsdangerous import BadData, SignatureExpired
from pydantic import ValidationError

from domain.attachments import Attachment
from domain.vocabulary import Code, Model, Role
from starter.registers import Entry
from web.context import Doors, address_of
from web.problems import Problem, not_let_in

LASTS = 300
"""Seconds."""
_USE = "attachment"
_UNQUOTED = "!#$&+-.^_`|~"
"""What stands for itself in the name of a download, besides letters and digits (RFC 8187)."""


class Look(Model):
    """Whom an address was made for, and of what."""

    attachment: str
    person: Code
    role: Role

    def entry(self, request: Request, what: str, number: str) -> Entry:
        """Write for the audit trail that they looked."""
        return Entry(
            at=datetime.now(UTC),
            person=self.person,
            role=self.role,
            via="signed address",
            address=address_of(request),
            what=what,
            number=number,
            outcome="seen",
        )


def address(here: Doors, one: Attachment, person: Code, role: Role) -> str:
    """Write where an attachment can be had for ``LASTS`` seconds, by somebody who may see it: that
    is the caller's to know.
    """
    look = Look(attachment=one.id, person=person, role=role)
    return f"/attachments/{one.id}?key={here.signer.timed(_USE).dumps(look.model_dump())}"


def drawn(address: str, size: Literal["small", "large"]) -> str:
    """Write where a photograph of such an address is seen, drawn anew."""
    return address.replace("?", f"/{size}?", 1)


def read(here: Doors, attachment: str, key: str) -> Look:
    """Read the key of an address.

    Raises:
        Problem: 403, it is none of ours for that attachment; 410, it is too old.
    """
    try:
        look = Look.model_validate(here.signer.timed(_USE).loads(key, max_age=LASTS))
    except SignatureExpired:
        raise Problem(
            HTTPStatus.GONE, "this address was good for some minutes: open the page again"
        ) from None
    except (BadData, ValidationError):
        raise not_let_in("this address is none of ours", "address") from None
    if look.attachment != attachment:
        raise not_let_in("this address is that of something else", "address")
    return look


def disposition(name: str) -> str:
    """Say that an answer is to be kept as a file of that name, and never shown in its place."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_UNQUOTED)}"
