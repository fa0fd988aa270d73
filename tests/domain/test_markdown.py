"""Text of people in our Markdown, read back by a parser as readers of the Web UI do."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from domain.for_supervisors import LONGEST, details, origin, summary
from domain.markdown import cell, plain
from domain.terms import Terms
from domain.vocabulary import Stage
from tests.support.builders import a_promise, an_intake, an_issue

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
AUTOLINK = re.compile(r"(?i)https?://|ftp://|\bwww\.|[\w.+-]+@[\w-]+")
"""Of what GitHub's dialect makes links though nobody marked them."""

NASTY = [
    "[here](https://evil.example/a)",
    "![x](//evil.example/p.png)",
    "<script>alert(1)</script>",
    "<https://evil.example>",
    "https://evil.example/?q=1|2",
    "www.evil.example",
    "WWW.evil.example",
    "call me@evil.example",
    "# big",
    "\n\n# big",
    "\n- item",
    "\n---\n",
    "\n===\n",
    "```\ncode\n```",
    "`code`",
    "``",
    "`",
    "\\",
    "\\`",
    "**bold**",
    "__bold__",
    "_it_",
    "*it*",
    "~~gone~~",
    "|",
    "\\|",
    "| a | b |",
    "a|b",
    "&lt;b&gt;",
    "&amp;",
    "&#35;",
    "[x]: https://evil.example",
    "[x][y]",
    "]",
    "[",
    "<!-- ",
    "-->",
    "<b>",
    "> quote",
    "1. one",
    "\u2028# big",
    "\x85- item",
    "a`b@c`d@e",
    "@",
    "@`@",
    "://",
    ":/",
    "`https://x`",
    "\\https://x",
    "trailing \\",
    "trailing #",
    "plain",
]
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")  # what an intake lets in
written = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(_CHARACTERS, max_size=8)),
    max_size=6,
).map("".join)
PLACES = [
    "### 20261123-07-0001 · {}",
    "**标题 Title** {}",
    "- 来源 Source: {} (website)",
    "- 来源 Source: {}",
    "said: {} · {}",
    "| Promise | State |\n|---|---|\n| key ({}) | {} |",
    "> `complete` was refused: {}",
]


def one_line(text: str) -> str:
    return " ".join(text.split())


def leaves(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from leaves(token.children or [])


def read(markdown: str) -> tuple[list[str], str]:
    """Return what a page is made of, and what is to be read on it."""
    tokens = list(leaves(READER.parse(markdown)))
    shown = [t.content for t in tokens if t.type in {"text", "code_inline"}]
    made = [t.type for t in tokens if t.type not in {"text", "code_inline"}]
    assert not AUTOLINK.search("\n".join(t.content for t in tokens if t.type == "text")), markdown
    return made, "".join(shown)


@pytest.mark.parametrize("place", PLACES)
@given(text=written)
@example("".join(NASTY))
def test_text_reads_as_it_is_and_makes_nothing(place: str, text: str) -> None:
    write = cell if place.startswith("|") else plain
    made, shown = read(place.replace("{}", write(text)))
    expected, around = read(place.replace("{}", "\x01"))
    assert made == expected
    assert one_line(shown) == one_line(around.replace("\x01", one_line(text)))


@given(text=st.text(alphabet="abc中文 .,:;()/-+=!?\"'", max_size=30))
def test_harmless_text_is_left_as_it_is(text: str) -> None:
    harmless = text.replace("://", ":")
    assert plain(harmless) == " ".join(harmless.split())


@given(text=written)
def test_the_pages_of_an_issue_are_made_of_the_same_whatever_people_write(text: str) -> None:
    line = " ".join(text.split())[:200] or "x"
    told = {"title": line, "region": "上海", "model": line[:64]}
    issue = an_issue(Stage.IN_PROGRESS, promises=(a_promise(target=line),))
    note = issue.steps[0].model_copy(update={"note": line})
    steps = (note, *issue.steps[1:])
    intake = issue.intake.model_copy(update=told)
    usual = issue.model_copy(
        update={"steps": (note.model_copy(update={"note": "x"}), *issue.steps[1:])}
    )
    seen = issue.model_copy(update={"intake": intake, "steps": steps})
    assert read(details(seen))[0] == read(details(usual))[0]
    assert line in read(details(seen))[1]
    assert read(origin(intake, Terms()))[0] == read(origin(an_intake(), Terms()))[0]


@given(text=written)
def test_a_summary_is_one_line_that_fits_and_is_never_cut_within_a_mark(text: str) -> None:
    line = (" ".join(text.split()) or "x")[:200]
    said = summary(an_intake().model_copy(update={"title": line}), Terms())
    assert len(said.encode()) <= LONGEST
    made, shown = read(f"- {said}")
    assert made == read("- x")[0]
    assert line.startswith(shown.removeprefix("故障报修 fault · ATM · "))
