"""What an order is, and the reading of one from the cells of an import row (docs/orders.md)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from plomba.desk import order_codes, personal_cells, promises
from plomba.desk.deadlines import Plan
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.words import codes, names
from plomba.errors import UsageError
from plomba_wire import chain
from plomba_wire.vocabulary import CodeKind, State

ID_MAX = 48
"""Bytes of the longest order id, UTF-8."""
SEAL_MAX = 64
"""Bytes of the longest seal text, UTF-8."""
CELL_MAX = 8
"""Bytes of the longest cell name, UTF-8."""
SHOP_MAX = 120
"""Bytes of the longest shop name, UTF-8."""
CODES_MAX = 255
"""Seals of one order, its item numbers, and its further codes."""
ITEMS_MAX = 100_000
"""Goods in one order."""
DELIVERIES = ("point", "door")
"""Kinds of delivery; the first is meant where none is told."""
COLUMNS = (
    *("order", "class", "state", "place", "value", "currency", "shop", "cell", "seals", "uins", "codes"),
    *("delivery", "items", "warehouse", *promises.COLUMNS),
)
"""What an order is kept with, in the order of the documentation."""
READ = (*COLUMNS, *personal_cells.FIELDS)
"""Columns of an import file."""
LISTED = 1000
"""Mistakes of one file that are told; all are counted."""
REQUIRED = ("order", "class", "place")

MINOR_DIGITS = dict.fromkeys(
    ("AMD", "AZN", "BYN", "EUR", "GEL", "KGS", "KZT", "MDL", "PLN", "RUB", "TJS", "UAH", "USD", "UZS"), 2
)
"""Currency -> decimal places of its minor unit (ISO 4217)."""

_NOBODY: Mapping[str, str] = {}
_CLASSES = {name.lower(): code for name, code in codes("order_class").items()}
_PLACE = re.compile(r"[0-9]{1,10}")
_ITEMS = re.compile(r"[0-9]{1,6}")
_UIN = re.compile(r"[0-9]{16}")
# 11 digits: sums over all orders of a book stay inside SQLite's 63 bits.
_VALUE = re.compile(r"([0-9]{1,11})(?:[.,]([0-9]{1,9}))?")


NO_PLAN = Plan()


@dataclass(frozen=True, slots=True)
class Order:
    """One order as imported. `state` is where it entered; `value` is in minor units of `currency`, None when not
    told; seals and item numbers are sorted, and so is `further`: (code kind, canonical text) of what else may be
    scanned for it. `items` counts its goods, `warehouse` is the place it comes from; None where not told."""

    id: str
    order_class: int
    state: int
    place: int
    value: int | None
    currency: str
    shop: str
    cell: str
    seals: tuple[str, ...]
    uins: tuple[str, ...]
    further: tuple[tuple[int, str], ...] = ()
    plan: Plan = NO_PLAN
    items: int | None = None
    warehouse: int | None = None
    delivery: str = DELIVERIES[0]

    @property
    def ref(self) -> int:
        """Index of the order in records and manifests; not an identity."""
        return chain.order_ref(self.id.encode())

    @property
    def codes(self) -> list[tuple[int, str]]:
        """(code kind, text) of every code but the order's number."""
        seals = [(CodeKind.SEAL, seal) for seal in self.seals]
        return [*seals, *((CodeKind.UIN, uin) for uin in self.uins), *self.further]


@dataclass(frozen=True, slots=True)
class BadCell:
    """Why a row cannot be taken. `row` is counted as a spreadsheet does; column "" means the row as a whole."""

    row: int
    column: str
    error: UsageError


class Arrival(NamedTuple):
    """One row of a file: the order, and the personal data beside it, by field. The order never holds them."""

    row: int
    order: Order
    personal: Mapping[str, str]


class Mistakes:
    """Every mistake is counted; the first `LISTED` are kept, so that no file can fill the memory with its mistakes."""

    def __init__(self) -> None:
        self.listed: list[BadCell] = []
        self.total = 0

    def add(self, *cells: BadCell) -> None:
        self.total += len(cells)
        self.listed.extend(cells[: max(0, LISTED - len(self.listed))])


class ImportRefused(Exception):
    """Nothing of the file was taken; `bad` lists the mistakes found, in the order of rows, `total` counts them."""

    def __init__(self, bad: list[BadCell], total: int | None = None) -> None:
        self.total = len(bad) if total is None else total
        super().__init__(f"{self.total} bad cells")
        self.bad = bad

    @classmethod
    def of(cls, mistakes: Mistakes) -> ImportRefused:
        return cls(sorted(mistakes.listed, key=lambda cell: cell.row), mistakes.total)

    def behind(self, mistakes: Mistakes) -> ImportRefused:
        """This refusal, with the mistakes of the rows before it."""
        listed = mistakes.listed[: max(0, LISTED - len(self.bad))]
        return ImportRefused([*listed, *self.bad], mistakes.total + self.total)


NumberedRow = tuple[int, Mapping[str, str]]


def read_orders(rows: Iterable[NumberedRow | BadCell], lifecycle: Lifecycle) -> list[tuple[int, Order]]:
    """(row, order) for rows of text cells, all of them or none. Raises ImportRefused."""
    arrivals, mistakes = read_arrivals(rows, lifecycle)
    if mistakes.total:
        raise ImportRefused.of(mistakes)
    return [(arrival.row, arrival.order) for arrival in arrivals]


def read_arrivals(rows: Iterable[NumberedRow | BadCell], lifecycle: Lifecycle) -> tuple[list[Arrival], Mistakes]:
    """The rows that can be taken, and what is wrong with the others. Raises ImportRefused for a file that cannot be
    read to its end, with what is wrong before that place."""
    bad = Mistakes()
    try:
        return _arrivals(rows, lifecycle, bad), bad
    except ImportRefused as refused:
        raise refused.behind(bad) from refused


def _arrivals(rows: Iterable[NumberedRow | BadCell], lifecycle: Lifecycle, bad: Mistakes) -> list[Arrival]:
    arrivals: list[Arrival] = []
    seen: dict[str, int] = {}
    bound: dict[tuple[int, str], int] = {}
    for it in rows:
        if isinstance(it, BadCell):
            bad.add(it)
            continue
        row, cells = it
        reader = _RowReader(row, cells, lifecycle)
        order, personal = reader.order(), reader.personal()
        bad.add(*reader.bad)
        if order is None or reader.bad:
            continue
        first = seen.setdefault(order.id, row)
        if first != row:
            bad.add(BadCell(row, "order", UsageError("desk_row_duplicate", order=order.id, first=first)))
            continue
        own = [(kind, code) for kind, code in order.codes if bound.setdefault((kind, code), row) != row]
        own += [(kind, code) for kind, code in order.codes if kind == CodeKind.ORDER and seen.get(code, row) != row]
        if bound.get((CodeKind.ORDER, order.id), row) != row:
            own.append((CodeKind.ORDER, order.id))
        bad.add(*(code_taken(row, order, kind, code) for kind, code in own))
        if not own:
            arrivals.append(Arrival(row, order, personal))
    return arrivals


def code_taken(row: int, order: Order, kind: int, code: str) -> BadCell:
    """A code of `order` that another order has."""
    if (kind, code) == (CodeKind.ORDER, order.id):
        return BadCell(row, "order", UsageError("desk_row_code_taken", found=code))
    column = {CodeKind.SEAL: "seals", CodeKind.UIN: "uins"}.get(kind, "codes")
    return BadCell(row, column, UsageError("desk_row_code_taken", found=code))


class _RowReader:
    """Reads one row to its end, so that every mistake in it is named at once."""

    def __init__(self, row: int, cells: Mapping[str, str], lifecycle: Lifecycle) -> None:
        self.bad: list[BadCell] = []
        self._row = row
        self._cells = cells
        self._lifecycle = lifecycle

    def order(self) -> Order | None:
        order = self._text("order", ID_MAX)
        if order.startswith(order_codes.COMMAND):
            self._refuse("order", "desk_row_command", found=order)
        value, currency = self._money()
        read = Order(
            id=order,
            order_class=self._class(),
            state=self._state(),
            place=self._place(),
            value=value,
            currency=currency,
            # A million orders have a few shops: one text for all of each.
            shop=sys.intern(self._text("shop", SHOP_MAX)),
            cell=self._text("cell", CELL_MAX),
            seals=self._seals(),
            uins=self._uins(),
            further=self._further(order),
            plan=self._plan(),
            items=self._items(),
            warehouse=self._warehouse(),
            delivery=self._delivery(),
        )
        return None if self.bad else read

    def personal(self) -> Mapping[str, str]:
        """What is told of the recipient."""
        found = {}
        for field in personal_cells.FIELDS:
            text = self._cells.get(field)
            if not text:
                continue
            try:
                value = personal_cells.read(field, text)
            except UsageError as error:
                self.bad.append(BadCell(self._row, field, error))
                continue
            if value:
                found[field] = value
        return found or _NOBODY

    def _text(self, column: str, limit: int, allowed: str = "") -> str:
        """The cell, clean and at most `limit` bytes; "" once something was refused. `allowed`: characters that a code
        has although nobody sees them."""
        text = self._cells.get(column, "")
        if not text:
            if column in REQUIRED:
                self._refuse(column, "desk_row_missing")
            return ""
        hidden = "" if text.isprintable() else next((c for c in text if not c.isprintable() and c not in allowed), "")
        if hidden:
            self._refuse(column, "desk_row_control", found=f"U+{ord(hidden):04X}")
            return ""
        if text != text.strip(" "):
            self._refuse(column, "desk_row_spaces", found=text)
            return ""
        if len(text.encode()) > limit:
            self._refuse(column, "desk_row_long", size=len(text.encode()), limit=limit)
            return ""
        return text

    def _class(self) -> int:
        text = self._text("class", 32)
        if text and text not in _CLASSES:
            self._refuse("class", "desk_row_class", found=text, known=", ".join(_CLASSES))
        return _CLASSES.get(text, 0)

    def _state(self) -> int:
        text = self._text("state", 32) or "AT_POINT"
        code = codes("state").get(text, State.NONE)
        if code not in self._lifecycle.entries:
            known = ", ".join(names("state")[entry] for entry in sorted(self._lifecycle.entries))
            self._refuse("state", "desk_row_state", found=text, known=known)
        return code

    def _place(self, column: str = "place") -> int:
        text = self._text(column, 32)
        if text and (not _PLACE.fullmatch(text) or int(text) > 0xFFFFFFFF):
            self._refuse(column, "desk_row_place", found=text)
            return 0
        return int(text or 0)

    def _warehouse(self) -> int | None:
        return self._place("warehouse") if self._cells.get("warehouse") else None

    def _items(self) -> int | None:
        text = self._text("items", 32)
        if text and not (_ITEMS.fullmatch(text) and 1 <= int(text) <= ITEMS_MAX):
            self._refuse("items", "desk_row_items", found=text, limit=ITEMS_MAX)
            return None
        return int(text) if text else None

    def _delivery(self) -> str:
        text = self._text("delivery", 32) or DELIVERIES[0]
        if text not in DELIVERIES:
            self._refuse("delivery", "desk_row_delivery", found=text, known=", ".join(DELIVERIES))
        return text

    def _plan(self) -> Plan:
        moments: dict[str, int | None] = {}
        for column in promises.COLUMNS:
            text = self._text(column, 40)
            if not text:
                continue
            try:
                moments[column] = promises.moment(column, text)
            except UsageError as error:
                self.bad.append(BadCell(self._row, column, error))
        if not moments:
            return NO_PLAN
        plan = Plan(**moments)
        self.bad += [BadCell(self._row, error.fields["column"], error) for error in promises.contradictions(plan)]
        return plan

    def _money(self) -> tuple[int | None, str]:
        value = self._text("value", 64)
        currency = self._text("currency", 16)
        if not value and not currency:
            return None, ""
        digits = MINOR_DIGITS.get(currency)
        if digits is None:
            self._refuse("currency", "desk_row_currency", found=currency, known=", ".join(MINOR_DIGITS))
            return None, ""
        match = _VALUE.fullmatch(value)
        if match is None or len(match[2] or "") > digits:
            self._refuse("value", "desk_row_value", found=value, digits=digits)
            return None, ""
        return int(match[1] + (match[2] or "").ljust(digits, "0")), currency

    def _seals(self) -> tuple[str, ...]:
        seals = self._list("seals")
        for seal in seals:
            if len(seal.encode()) > SEAL_MAX:
                self._refuse("seals", "desk_row_long", size=len(seal.encode()), limit=SEAL_MAX)
            elif seal.startswith(order_codes.COMMAND):
                self._refuse("seals", "desk_row_command", found=seal)
        return seals

    def _uins(self) -> tuple[str, ...]:
        uins = self._list("uins")
        for uin in uins:
            if not _UIN.fullmatch(uin):
                self._refuse("uins", "desk_row_uin", found=uin)
        return uins

    def _further(self, order: str) -> tuple[tuple[int, str], ...]:
        read: list[tuple[int, str]] = []
        for item in sorted(set(self._list("codes", order_codes.SEPARATOR))):
            try:
                code = order_codes.read(item)
            except UsageError as error:
                self.bad.append(BadCell(self._row, "codes", error))
                continue
            if code in read:
                self._refuse("codes", "desk_row_twice", found=item)
            # An export often gives the number of the order as its label too; a terminal finds it by that anyway.
            elif code != (CodeKind.ORDER, order):
                read.append(code)
        return tuple(sorted(read))

    def _list(self, column: str, allowed: str = "") -> tuple[str, ...]:
        text = self._text(column, 65536, allowed)
        if not text:
            return ()
        items = [item for item in text.split(" ") if item]
        if len(items) > CODES_MAX:
            self._refuse(column, "desk_row_many", count=len(items), limit=CODES_MAX)
        if len(set(items)) != len(items):
            self._refuse(column, "desk_row_twice", found=next(item for item in items if items.count(item) > 1))
        return tuple(sorted(items))

    def _refuse(self, column: str, code: str, **fields: object) -> None:
        self.bad.append(BadCell(self._row, column, UsageError(code, column=column, **fields)))
