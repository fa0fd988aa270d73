"""Letters as customers' programs write them."""

from __future__ import annotations

from email.message import EmailMessage
from uuid import uuid4

from inbound.mapping import Form, read_file
from runtime.settings import ROOT

MAPPING = ROOT / "examples" / "inbound" / "mail.toml"
FIELD = ROOT / "tests" / "field" / "letters"
"""Letters as they were complained about; ``letters.json`` beside it has the words to survive."""


def form() -> Form:
    return read_file(MAPPING)


def letter(text: str = "出钞口卡钞", **headers: str) -> EmailMessage:
    """A letter with an id and a sender of its own, for nobody may write too many;
    ``In_Reply_To="…"`` sets or changes a header.
    """
    message = EmailMessage()
    usual = {
        "From": f"张伟 <zhang.wei@{uuid4().hex[:8]}.example.com>",
        "To": "service@example.com",
        "Subject": "故障：ATM 无法出钞",
        "Message-ID": f"<{uuid4().hex}@example.com>",
    }
    for name, value in (usual | {k.replace("_", "-"): v for k, v in headers.items()}).items():
        if value:
            message[name] = value
    message.set_content(text)
    return message
