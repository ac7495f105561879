"""Orders and records as CSV tables for spreadsheets, where no cell becomes a formula.

A cell that a spreadsheet would calculate gets an apostrophe before it, and every cell is quoted (OWASP, CSV injection);
a cell that begins with an apostrophe gets another one, so that taking one away gives back what was there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from plomba.desk.order_cells import cells
from plomba.desk.orders import COLUMNS
from plomba.desk.paging import PAGE
from plomba.desk.seen import EVERYTHING, Seen
from plomba.desk.store import Store
from plomba.desk.words import names

BOM = "\ufeff"
"""A table begins with it: without it Excel reads UTF-8 as the code page of its machine."""
MARK = "'"
STANDING = ("now", "holder")
"""Columns after those of an import file: where the order stands by its scans."""
RECORD = (
    *("id", "label", "action", "verdict", "code_kind", "actor", "place", "time", "received", "order", "bag"),
    *("why", "before", "after", "claim", "difference"),
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", MARK)


def harmless(cell: str) -> str:
    """The cell as a spreadsheet shows it and does not calculate it."""
    return MARK + cell if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell


def original(cell: str) -> str:
    """What `harmless` was given."""
    return cell.removeprefix(MARK)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A CSV table (RFC 4180) piece by piece, from BOM to the last line break."""
    yield BOM + _lines([header])
    for row in rows:
        yield _lines([row])


def orders(store: Store, seen: Seen = EVERYTHING) -> Iterator[str]:
    """All orders that are `seen`, in the order of import: as they were imported, without personal data, and where they
    stand. One page of them is read at a time, in the store's thread."""
    return table((*COLUMNS, *STANDING), _orders(store, seen))


def _orders(store: Store, seen: Seen) -> Iterator[Sequence[object]]:
    condition, narrowing = seen
    number = 0
    while True:
        page = store.query(
            "SELECT o.number, o.id, o.state, o.holder FROM orders o WHERE o.number > :number"
            f" AND {condition} ORDER BY o.number LIMIT :limit",
            {**narrowing, "number": number, "limit": PAGE},
        )
        if not page:
            return
        number = page[-1][0]
        found = store.orders_of([id for _, id, _, _ in page])
        for _, id, state, holder in page:
            own = cells(found[id])
            yield [*(own.get(column, "") for column in COLUMNS), names("state")[state], holder]


def records(listed: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Records as `Views.events` lists them."""
    return table(RECORD, ([_said(entry[column]) for column in RECORD] for entry in listed))


def _said(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([harmless(str(cell)) for cell in row] for row in rows)
    return text.getvalue()
