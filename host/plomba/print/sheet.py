"""Cards with a QR code each as sheets of A4: one HTML file, without scripts and without anything fetched."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from plomba.errors import PlombaError

_QUIET = 4
"""Modules of light around a symbol (ISO/IEC 18004, 6.3.8)."""
_SHORT = 24
"""Letters of a title that fit two lines of a card in the large size."""
_PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Card:
    """`text` is what a scanner reads, `title` what a person reads first, `caption` what that is."""

    text: str
    title: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Cards under a heading, so many in a row: 4, or 6 for small ones."""

    heading: str
    cards: Sequence[Card]
    columns: int = 4


def render(title: str, note: str, groups: Sequence[Group], *, lang: str) -> str:
    """The page: a heading, a note, the groups. Every text is data and stays it. Raises PlombaError `extra_missing`."""
    body = [f"<h1>{html.escape(title)}</h1>", f"<p>{html.escape(note)}</p>"]
    for group in groups:
        body.append(f'<section class="of-{group.columns}">')
        body += _rows(group)
        body.append("</section>")
    style = resources.files("plomba.print").joinpath("sheet.css").read_text(encoding="utf-8")
    return _PAGE.format(lang=html.escape(lang), title=html.escape(title), style=style, body="\n".join(body))


def qr_svg(text: str) -> str:
    """A QR code of level M or better as an element `svg` without a size, quiet zone included; UTF-8 where the text
    has more than the alphanumeric mode. Raises PlombaError `extra_missing`."""
    try:
        import segno
    except ModuleNotFoundError as error:
        raise PlombaError("extra_missing", package="segno", extra="print") from error
    symbol = segno.make_qr(text.encode(), error="m")
    return symbol.svg_inline(border=_QUIET, omitsize=True, svgclass=None, lineclass=None)


def _rows(group: Group) -> Iterator[str]:
    """A row never breaks, and the heading stays with the first."""
    for at in range(0, len(group.cards), group.columns):
        heading = "" if at else f"<h2>{html.escape(group.heading)}</h2>"
        cards = "".join(_card(card) for card in group.cards[at : at + group.columns])
        yield f'<div class="row">{heading}{cards}</div>'


def _card(card: Card) -> str:
    size = ' class="long"' if len(card.title) > _SHORT else ""
    words = f"<small>{html.escape(card.caption)}</small><b{size}>{html.escape(card.title)}</b>"
    return f"<article>{qr_svg(card.text)}{words}<code>{html.escape(card.text)}</code></article>"
