"""How an issue's thread is shown to people in a terminal: newest first, whole or cut short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli.tables import plain
from domain import words
from domain.issue.thread import Entry, Holds, Sort, Visibility
from domain.issue.view import local
from domain.terms import Terms

_SHORT = 160
"""Characters of whatever was said that the short form quotes."""


def waiting(entries: Sequence[Entry], zone: str, own: Terms) -> RenderableType:
    """What the customer said since somebody last acted on it, above all else."""
    head = "客户的话，等待处理 The customer's words wait for somebody"
    shown = (_entry(each, zone, own, short=False) for each in entries)
    return Group(Text(head, style="bold yellow"), *(Padding(each, (0, 0, 0, 2)) for each in shown))


def thread(entries: Sequence[Entry], zone: str, own: Terms, *, short: bool) -> RenderableType:
    """Show entries; the ``short`` form has a line of each thing that was said, and not what staff
    were written.
    """
    return Group(*(_entry(each, zone, own, short=short) for each in reversed(entries)))


def _entry(entry: Entry, zone: str, own: Terms, *, short: bool) -> RenderableType:
    head = Text.assemble(
        (local(entry.at, zone), "dim"), "  ", (words.both_of(words.done(entry)), "bold"), " "
    )
    head.append(" · ".join(_about(entry, zone)), style="dim")
    said = () if short and _is_to_staff(entry) else _said(entry, zone, own, short=short)
    return Group(head, *(Padding(each, (0, 0, 0, 4)) for each in said))


def _is_to_staff(entry: Entry) -> bool:
    return entry.sort is Sort.MESSAGE and entry.visibility is not Visibility.CUSTOMER


def _about(entry: Entry, zone: str) -> Iterator[str]:
    """Say who, by which door, to whom; and what became of it."""
    if entry.sent:
        yield plain(f"→ {words.both_of(words.called(entry.to))}" if entry.to else "→ ?")
        carrier = entry.sent.channel or ""
        yield words.both_of(words.CARRIERS.get(carrier, (carrier, carrier))) or "无渠道 no channel"
        yield words.both(words.SENDING, entry.sent.status)
        if entry.sent.handed_to:
            yield plain(words.both_of(words.called(entry.sent.handed_to)))
        return
    yield plain(words.both_of(words.called(entry.who)))
    if entry.door != "desk":
        yield plain(words.both_of(words.by_door(entry)))
    if entry.to:
        yield plain(f"→ {words.both_of(words.called(entry.to))}")
    if entry.recorded_at.replace(second=0, microsecond=0) > entry.at:
        yield f"补记于 written down {local(entry.recorded_at, zone)}"
    if entry.said_at:
        yield f"自述 said {local(entry.said_at, zone)}"
    if entry.visibility is Visibility.INTERNAL:
        yield "内部 internal"


def _said(entry: Entry, zone: str, own: Terms, *, short: bool) -> Iterator[Text]:
    for each in entry.said:
        if words.goes_unsaid(each):
            continue
        value = (
            local(each.instant, zone)
            if each.holds is Holds.INSTANT
            else plain(words.both_of(words.value(each, zone, entry.action, own)))
        )
        if short and each.holds is Holds.TEXT:
            value = _cut(value)
        yield Text.assemble(
            (f"{words.both_of(words.field(each.field, entry.action))}: ", "dim"), value
        )


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"
