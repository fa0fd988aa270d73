"""What a reader sees of a page: HTML as letters have it, whatever its head looks like.

Parsed by Lexbor, as browsers do it: in C, without recursion, in a time that letters stay within.
"""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from inbound.letters.said import ENOUGH, image, unseen_lines

_BREAKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "br",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"script", "style", "template", "title"})
_ASIDE = re.compile(r"<(!--|style\b|script\b|title\b|template\b)", re.IGNORECASE)
_CLOSING = {
    begun: re.compile("-->" if begun == "!--" else rf"</{begun}[^<>]*>", re.IGNORECASE)
    for begun in ("!--", "style", "script", "title", "template")
}
_TAG = re.compile(r"<[^<>]*>")
_KEPT_SPACE = "\x01"
_SPACE = re.compile(r"[ \t\r\n\f]+")
_LEADS_AWAY = ("http:", "https:", "ftp:", "mailto:", "tel:", "//")


def words_of(page: str) -> str:
    """Return the words of a page, a line for each that the page has. What browsers would not show
    because something before it is never closed stands below.
    """
    page = page.replace("\x00", "").replace(_KEPT_SPACE, "")
    shown = _shown(page)
    return "\n".join(filter(None, [shown, unseen_lines(stripped(page)[:ENOUGH], shown)]))


def _shown(page: str) -> str:
    tree = LexborHTMLParser(page)
    writing = _Writing()
    root = tree.body or tree.root
    todo: list[tuple[LexborNode, bool]] = [(root, False)] if root is not None else []
    while todo and writing.length < ENOUGH:
        node, leaving = todo.pop()
        tag = node.tag or ""
        if leaving:
            writing.leave(tag)
        elif tag == "-text":
            writing.add(node.text_content or "")
        elif not tag.startswith("-") and tag not in _UNSEEN:
            writing.enter(tag, node.attributes)
            todo.append((node, True))
            todo += [(child, False) for child in reversed(list(node.iter(include_text=True)))]
    return writing.text()


def stripped(page: str) -> str:
    """Return a page without its tags, by no rule, in a time that grows with its length alone."""
    seen, end, endless = [], 0, set[str]()
    for begin in _ASIDE.finditer(page):
        closing = _CLOSING[begin[1].lower()]
        if begin.start() < end or closing.pattern in endless:
            continue
        if (closed := closing.search(page, begin.end())) is None:  # all that follows is shown
            endless.add(closing.pattern)
            continue
        seen.append(page[end : begin.start()])
        end = closed.end()
    seen.append(page[end:])
    lines = unescape(_TAG.sub("\n", "".join(seen))).splitlines()
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))


class _Writing:
    """The words so far."""

    def __init__(self) -> None:
        self.length = 0
        self._said: list[str] = []
        self._kept = 0
        """Within how many elements the lines are the writer's own."""
        self._links: list[tuple[str, int]] = []

    def add(self, text: str) -> None:
        kept = text.expandtabs().replace(" ", _KEPT_SPACE)
        text = kept if self._kept else _SPACE.sub(" ", text)
        self.length += len(text)
        self._said.append(text)

    def enter(self, tag: str, attributes: dict[str, str | None]) -> None:
        self._break(tag)
        self._kept += tag == "pre"
        if tag == "li":
            self.add("- ")
        elif tag == "a":
            self._links.append(((attributes.get("href") or "").strip(), len(self._said)))
        elif tag in ("img", "area") and (alt := (attributes.get("alt") or "").strip()):
            self.add(f" {image(alt)} ")

    def leave(self, tag: str) -> None:
        self._break(tag)
        self._kept -= tag == "pre"
        if tag == "a" and self._links:
            address, since = self._links.pop()
            leads = address.lower().startswith(_LEADS_AWAY)
            shown = address.removeprefix("mailto:").removeprefix("tel:")
            if leads and shown not in "".join(self._said[since:]):
                self.add(f" ({shown}) ")

    def _break(self, tag: str) -> None:
        if tag in _BREAKS:
            self._said.append("\n")
        elif tag in _CELLS:
            self._said.append(" ")

    def text(self) -> str:
        lines = "".join(self._said).splitlines()
        said = (" ".join(line.split()).replace(_KEPT_SPACE, " ").rstrip() for line in lines)
        return "\n".join(line for line in said if line.strip())
