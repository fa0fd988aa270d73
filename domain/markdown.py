"""Text of people inside our own Markdown, such as the pages of Temporal's Web UI."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?i)[^\s|`]*(?:://|@|\bwww\.)[^\s|`]*")
"""What some renderers make a link of, though nobody marked it as one."""
_MARK = re.compile(r"[\\`*_~\[\]<&]|#+\Z")


def plain(text: str) -> str:
    """Write text so that it reads as it is, in one line, and makes nothing: no link, picture,
    heading or HTML. It may stand anywhere but at the beginning of a line and in a table.

    Addresses become code: a backslash does not keep every renderer from making links of them.
    """
    written = " ".join(text.split())
    parts, end = [], 0
    for found in _ADDRESS.finditer(written):
        parts += [_escaped(written[end : found.start()]), f"`{found[0]}`"]
        end = found.end()
    return "".join((*parts, _escaped(written[end:])))


def cell(text: str) -> str:
    """Write text as ``plain`` does, for a cell of a table."""
    return plain(text).replace("|", r"\|")


def _escaped(text: str) -> str:
    return _MARK.sub(r"\\\g<0>", text)
