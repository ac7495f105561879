"""Seals as printable A4 sheets: one HTML file without scripts, QR codes as SVG, a grid for label paper."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from plomba.print.sheet import qr_svg
from plomba.trust.sealing import Made

_NAME_MM = 4.0
_FONT_MM = 3.0
_MARGIN_MM = 0.8


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet of labels: how many, the size of one, the gap between two columns, mm; the grid is in A4's middle."""

    columns: int
    rows: int
    width: float
    height: float
    gap: float = 0.0


PAPERS = {
    "70x37": Paper(3, 8, 70.0, 37.0),
    "48.5x25.4": Paper(4, 10, 48.5, 25.4),
    "38.1x21.2": Paper(5, 13, 38.1, 21.2, 2.5),
}
"""By the name that label makers give them: width and height of one label, mm."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 0 }}
* {{ box-sizing: border-box; margin: 0 }}
html {{ background: #fff; color: #000; font: {font}mm/1 ui-monospace, Consolas, "DejaVu Sans Mono", monospace }}
section {{ width: 210mm; height: 297mm; display: grid; align-content: center; justify-content: center;
  grid-template: repeat({rows}, {height}mm) / repeat({columns}, {width}mm); column-gap: {gap}mm; break-after: page }}
section:last-child {{ break-after: auto }}
div {{ display: flex; flex-direction: column; align-items: center; justify-content: center; break-inside: avoid }}
svg {{ width: {side}mm; height: {side}mm; display: block; shape-rendering: crispEdges }}
p {{ height: {name}mm; white-space: nowrap; display: flex; align-items: center }}
@media screen {{ section {{ outline: 1px solid #ccc; margin: 0 auto 8mm }} div {{ outline: 1px dotted #ccc }} }}
</style>
</head>
<body>
{sections}
</body>
</html>
"""


def render(seals: Sequence[Made], paper: Paper, title: str) -> str:
    """The sheets. Raises PlombaError `extra_missing`."""
    side = min(paper.height - _NAME_MM, paper.width) - 2 * _MARGIN_MM
    size = paper.columns * paper.rows
    sheets = [seals[at : at + size] for at in range(0, len(seals), size)]
    sections = ["<section>\n" + "\n".join(_label(each) for each in sheet) + "\n</section>" for sheet in sheets]
    return _PAGE.format(
        title=html.escape(title),
        font=_FONT_MM,
        rows=paper.rows,
        columns=paper.columns,
        width=paper.width,
        height=paper.height,
        gap=paper.gap,
        side=side,
        name=_NAME_MM,
        sections="\n".join(sections),
    )


def _label(made: Made) -> str:
    return f"<div>{qr_svg(made.text)}<p>{html.escape(made.name)}</p></div>"
