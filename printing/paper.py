"""A report as PDF: A4 across, its headings on every page, and the pictures of its page.

Chinese is set in the standard fonts of PDF for it (``STSong-Light``, Adobe-GB1): every reader of
PDF knows them or takes a Chinese font of its own, and no font of ten megabytes comes along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from io import BytesIO
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from domain.reports import telling
from domain.reports.layout import Sheets, Table
from domain.reports.pictures.drawing import DASHES, SIZE, WIDTH, Box, Dot, Drawing, Ink, Line, Words
from domain.vocabulary import Language

_FONT: Final = "STSong-Light"
_LATIN: Final = "Helvetica"
_EDGE: Final = 15 * mm
_ACROSS, _DOWN = landscape(A4)
_ROOM: Final = _ACROSS - 2 * _EDGE
_FIRST_COLUMN: Final = 0.2
"""What of the width the names of rows take."""
_WIDEST: Final = 45 * mm
_PICTURE: Final = 0.5
"""What of the width a picture takes."""
_BEYOND: Final = "〓"
"""Printers' old sign for a missing character: the standard fonts have none beyond U+FFFF."""
_LATIN_RUN: Final = re.compile(r"[\x20-\x7e]+")
_INKS: Final = {
    Ink.TEXT: "#1b2430",
    Ink.SOFT: "#4f5b6b",
    Ink.GRID: "#9aa4b1",
    Ink.GOAL: "#7a4b00",
    Ink.FIRST: "#14508f",
    Ink.SECOND: "#a3201a",
    Ink.THIRD: "#14633b",
}
_TITLE: Final = ParagraphStyle("title", fontName=_FONT, fontSize=17, leading=23)
_SECTION: Final = ParagraphStyle(
    "section", _TITLE, fontSize=12.5, leading=18, spaceBefore=12, spaceAfter=3
)
_TEXT: Final = ParagraphStyle("text", _TITLE, fontSize=9, leading=13)
_SMALL: Final = ParagraphStyle(
    "small", _TEXT, fontSize=8, leading=11, textColor=HexColor(_INKS[Ink.SOFT])
)
_NAME: Final = ParagraphStyle("name", _TEXT, fontSize=8.5, leading=11)
_HEAD: Final = ParagraphStyle("head", _NAME, alignment=TA_RIGHT)
_KEPT_TOGETHER: Final = 14
"""Rows that are moved to the next page with their title, rather than broken in two."""
_FEW: Final = 6
"""Columns that have room for all of a share on one line."""
_GRID: Final = (
    ("FONT", (0, 0), (-1, -1), _LATIN, 8.5, 11),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("ALIGN", (1, 1), (-1, -1), "RIGHT"),
    ("BACKGROUND", (0, 0), (-1, 0), HexColor("#e6ecf3")),
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor("#1b2430")),
    ("LINEBELOW", (0, 1), (-1, -1), 0.25, HexColor("#9aa4b1")),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
)


def paper(sheets: Sheets) -> bytes:
    """Print it. The same report is the same file, byte by byte."""
    registerFont(UnicodeCIDFont(_FONT))
    made = BytesIO()
    document = SimpleDocTemplate(
        made,
        pagesize=(_ACROSS, _DOWN),
        leftMargin=_EDGE,
        rightMargin=_EDGE,
        topMargin=_EDGE,
        bottomMargin=_EDGE,
        title=f"{sheets.title} {sheets.period}",
        lang="zh-CN" if sheets.language is Language.ZH else "en",
        invariant=1,
    )

    def foot(canvas: Canvas, _: object) -> None:
        canvas.setFont(_FONT, 8)
        canvas.drawString(_EDGE, _EDGE / 2, _plain(f"{sheets.title}  {sheets.period}"))
        canvas.drawRightString(_ACROSS - _EDGE, _EDGE / 2, str(canvas.getPageNumber()))

    document.build(list(_story(sheets)), onFirstPage=foot, onLaterPages=foot)
    return made.getvalue()


def _story(sheets: Sheets) -> Iterator[Flowable]:
    yield _paragraph(sheets.title, _TITLE)
    yield _paragraph(f"{sheets.period}{_say(sheets, '，', ', ')}{sheets.reach}", _TEXT)
    for note in sheets.notes:
        yield _paragraph(note, _TEXT)
    for table in sheets.tables:
        yield from _section(sheets, table)
    yield _paragraph(_say(sheets, "统计口径", "How it is counted"), _SECTION)
    for name, rule in sheets.rules.items():
        yield _paragraph(f"{name}{_say(sheets, '：', ': ')}{rule}", _SMALL)


def _section(sheets: Sheets, table: Table) -> Iterator[Flowable]:
    head: list[Flowable] = [_paragraph(table.title, _SECTION)]
    if table.picture:
        head += [Spacer(1, 4), _Drawn(table.picture), Spacer(1, 6)]
    if len(table.rows) <= _KEPT_TOGETHER:
        yield KeepTogether([*head, _grid(table)])
    else:
        yield KeepTogether(head)
        yield _grid(table)
    yield Spacer(1, 4)
    if table.more_rows:
        yield _paragraph(_say(sheets, *telling.more(table.more_rows)), _SMALL)
    for said in table.words:
        at = said.at.astimezone(sheets.zone)
        yield _paragraph(f"{said.issue}  {at:%Y-%m-%d %H:%M}  {said.words}", _SMALL)
    if table.more_words:
        yield _paragraph(_say(sheets, *telling.more(table.more_words)), _SMALL)


def _grid(table: Table) -> Grid:
    """Set a table; one of a single row stands on end, a figure a line."""
    first, *heads = table.columns
    lines = [[first, *heads], *table.lines]
    wide = len(heads)
    small = [("FONTSIZE", (1, 1), (-1, -1), 7)] if wide > 2 * _FEW else []
    share = _FIRST_COLUMN if wide > 3 else 2 * _FIRST_COLUMN
    widths = [share * _ROOM] + [min((1 - share) * _ROOM / max(wide, 1), _WIDEST)] * wide
    looks = [
        ("LINEABOVE", (0, place), (-1, place), 0.8, HexColor("#1b2430"))
        for place, row in enumerate(table.rows, start=1)
        if row.of is None and not table.on_end
    ] + [
        ("FONTNAME", (column, place), (column, place), _FONT)
        for place, line in enumerate(lines)
        for column, said in enumerate(line)
        if column and place and not _LATIN_RUN.fullmatch(said)
    ]
    return Grid(
        [
            [_paragraph(first, _NAME), *(_paragraph(each, _HEAD) for each in heads)],
            *(
                [_paragraph(name, _NAME), *(_narrow(each, wide) for each in said)]
                for name, *said in table.lines
            ),
        ],
        colWidths=widths,
        repeatRows=1,
        style=[*_GRID, *small, *looks],
        hAlign="LEFT",
    )


def _narrow(said: str, columns: int) -> str:
    """Set what a share is made of below it where many columns stand side by side."""
    return _plain(said.replace(" (", "\n(") if columns > _FEW else said)


class _Drawn(Flowable):
    """A picture among the paragraphs; its sheet begins above, paper begins below."""

    def __init__(self, picture: Drawing) -> None:
        super().__init__()
        self._picture = picture
        self._scale = _PICTURE * _ROOM / WIDTH
        self.width, self.height = _PICTURE * _ROOM, picture.height * self._scale

    def wrap(self, *_: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        canvas: Canvas = self.canv
        canvas.saveState()
        canvas.scale(self._scale, self._scale)
        canvas.translate(0, self._picture.height)
        for mark in self._picture.marks:
            _put(canvas, mark)
        canvas.restoreState()


def _put(canvas: Canvas, mark: Words | Box | Line | Dot) -> None:
    ink = HexColor(_INKS[mark.ink])
    canvas.setFillColor(ink)
    canvas.setStrokeColor(ink)
    match mark:
        case Words(x, y, said, _, anchor):
            canvas.setFont(_LATIN if _LATIN_RUN.fullmatch(said) else _FONT, SIZE)
            draw = {
                "start": canvas.drawString,
                "middle": canvas.drawCentredString,
                "end": canvas.drawRightString,
            }
            draw[anchor](x, -y, _plain(said))
        case Box(x, y, width, height):
            canvas.rect(x, -y - height, width, height, stroke=0, fill=1)
        case Line(points, kind):
            canvas.setDash(*DASHES.get(kind, ()))
            canvas.setLineWidth(1 if kind in (Ink.GRID, Ink.GOAL) else 2)
            path = canvas.beginPath()
            for place, (x, y) in enumerate(points):
                (path.lineTo if place else path.moveTo)(x, -y)
            canvas.drawPath(path)
            canvas.setDash()
        case Dot(x, y):
            canvas.circle(x, -y, 3, stroke=0, fill=1)


def _plain(text: str) -> str:
    return "".join(each if ord(each) <= 0xFFFF else _BEYOND for each in text)


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """Set a text; Chinese may be broken anywhere, words of letters only between them."""
    wraps = None if _LATIN_RUN.fullmatch(text) else "CJK"
    return Paragraph(_marked(text), ParagraphStyle(style.name, style, wordWrap=wraps))


def _marked(text: str) -> str:
    """Write a text for a paragraph: nothing in it is markup, and Latin letters are set as such."""
    latin = _LATIN_RUN.sub(lambda run: f"\0{run[0]}\1", _plain(text))
    return (
        escape(latin)
        .replace("\0", f'<font name="{_LATIN}">')
        .replace("\1", "</font>")
        .replace("\n", "<br/>")
    )


def _say(sheets: Sheets, zh: str, en: str) -> str:
    return zh if sheets.language is Language.ZH else en
