"""A picture as SVG within a page: its style sheet has the colours, a screen reader the words.

A room of our own, for what Python's kept libraries draw is not this: pygal (LGPL) brings colours of
its own and labels by script, reportlab writes colours into every mark, matplotlib brings 30 MB and
letters as outlines. None leaves dark mode and print to the page's style sheet, nor says what there
is to see.
"""

from __future__ import annotations

from html import escape

from domain.reports.pictures.drawing import WIDTH, Box, Dot, Drawing, Line, Mark, Words


def svg(picture: Drawing, key: str) -> str:
    """Write it; ``key`` is what its title and summary are called by within the page."""
    known = escape(key, quote=True)
    marks = "".join(_mark(each) for each in picture.marks)
    return (
        f'<svg class="picture" role="img" viewBox="0 0 {WIDTH:g} {picture.height:g}"'
        f' aria-labelledby="{known}-title {known}-summary" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{known}-title">{escape(picture.title)}</title>'
        f'<desc id="{known}-summary">{escape(picture.summary)}</desc>{marks}</svg>'
    )


def _mark(mark: Mark) -> str:
    match mark:
        case Words(x, y, said, ink, anchor):
            return (
                f'<text class="{ink}" x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}">'
                f"{escape(said)}</text>"
            )
        case Box(x, y, width, height, ink):
            return (
                f'<rect class="{ink}" x="{x:.4g}" y="{y:.4g}"'
                f' width="{width:.4g}" height="{height:.4g}"/>'
            )
        case Line(points, ink):
            through = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
            return f'<polyline class="{ink}" points="{through}"/>'
        case Dot(x, y, ink):
            return f'<circle class="{ink}" cx="{x:.4g}" cy="{y:.4g}" r="3"/>'
