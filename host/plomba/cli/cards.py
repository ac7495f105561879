"""`plomba cards`: the printed cards that a terminal is told with what is being done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from plomba.errors import StoreError
from plomba.print import cards, sheet
from plomba.texts import language as spoken
from plomba.texts import say
from plomba.trust import staged_files


def print_(
    *,
    out: Annotated[Path, Parameter(name=("--out", "-o"), help="The page to be written.")],
    only: Annotated[
        str | None, Parameter(help="Which: modes,commands,reasons,results,digits,cells=A-01..A-20,badge=17,route=12,…")
    ] = None,
    language: Annotated[Literal["ru", "uk", "en"] | None, Parameter(help="Words on the cards.")] = None,
) -> int:
    """Write the command cards of a terminal as a page of A4 sheets; a browser prints it (docs/cards.md).

    Example: plomba cards print -o cards.html --only modes,commands,cells=A-01..A-20,badge=17
    """
    lang = language or spoken()
    found = cards.groups(only, lang)
    page = sheet.render(say("cards", "title", lang), say("cards", "note", lang), found, lang=lang)
    try:
        staged_files.replace(out, page.encode(), 0o644)
    except OSError as error:
        raise StoreError("file_unwritable", path=out, reason=error.strerror or error) from error
    print(json.dumps({"page": str(out), "cards": sum(len(group.cards) for group in found)}))
    return 0
