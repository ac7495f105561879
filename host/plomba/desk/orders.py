"""What an order is, and the reading of one from the cells of an import row (docs/orders.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plomba.desk import order_codes
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
COLUMNS = ("order", "class", "state", "place", "value", "currency", "shop", "cell", "seals", "uins", "codes")
REQUIRED = ("order", "class", "place")

MINOR_DIGITS = dict.fromkeys(
    ("AMD", "AZN", "BYN", "EUR", "GEL", "KGS", "KZT", "MDL", "PLN", "RUB", "TJS", "UAH", "USD", "UZS"), 2
)
"""Currency -> decimal places of its minor unit (ISO 4217)."""

_CLASSES = {name.lower(): code for name, code in codes("order_class").items()}
_PLACE = re.compile(r"[0-9]{1,10}")
_UIN = re.compile(r"[0-9]{16}")
# 11 digits: sums over all orders of a book stay inside SQLite's 63 bits.
_VALUE = re.compile(r"([0-9]{1,11})(?:[.,]([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Order:
    """One order as imported. `state` is where it entered; `value` is in minor units of `currency`, None when not
    told; seals and item numbers are sorted, and so is `further`: (code kind, canonical text) of what else may be
    scanned for it."""

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


class ImportRefused(Exception):
    """Nothing of the file was taken; `bad` lists every mistake found."""

    def __init__(self, bad: list[BadCell]) -> None:
        super().__init__(f"{len(bad)} bad cells")
        self.bad = bad


def read_orders(rows: Iterable[tuple[int, Mapping[str, str]]], lifecycle: Lifecycle) -> list[tuple[int, Order]]:
    """(row, order) for rows of text cells, all of them or none. Raises ImportRefused."""
    bad: list[BadCell] = []
    orders: list[tuple[int, Order]] = []
    seen: dict[str, int] = {}
    bound: dict[tuple[int, str], int] = {}
    for row, cells in rows:
        reader = _RowReader(row, cells, lifecycle)
        order = reader.order()
        bad += reader.bad
        if order is None:
            continue
        orders.append((row, order))
        first = seen.setdefault(order.id, row)
        if first != row:
            bad.append(BadCell(row, "order", UsageError("desk_row_duplicate", order=order.id, first=first)))
            continue
        for kind, code in [(CodeKind.ORDER, order.id), *order.codes]:
            if bound.setdefault((kind, code), row) != row:
                bad.append(code_taken(row, order, kind, code))
    if bad:
        raise ImportRefused(bad)
    return orders


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
            shop=self._text("shop", SHOP_MAX),
            cell=self._text("cell", CELL_MAX),
            seals=self._seals(),
            uins=self._uins(),
            further=self._further(order),
        )
        return None if self.bad else read

    def _text(self, column: str, limit: int, allowed: str = "") -> str:
        """The cell, clean and at most `limit` bytes; "" once something was refused. `allowed`: characters that a code
        has although nobody sees them."""
        text = self._cells.get(column, "")
        if not text:
            if column in REQUIRED:
                self._refuse(column, "desk_row_missing")
            return ""
        hidden = next((char for char in text if not char.isprintable() and char not in allowed), "")
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

    def _place(self) -> int:
        text = self._text("place", 32)
        if text and (not _PLACE.fullmatch(text) or int(text) > 0xFFFFFFFF):
            self._refuse("place", "desk_row_place", found=text)
            return 0
        return int(text or 0)

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
        for item in self._list("codes", order_codes.SEPARATOR):
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
        items = [item for item in self._text(column, 65536, allowed).split(" ") if item]
        if len(items) > CODES_MAX:
            self._refuse(column, "desk_row_many", count=len(items), limit=CODES_MAX)
        if len(set(items)) != len(items):
            self._refuse(column, "desk_row_twice", found=next(item for item in items if items.count(item) > 1))
        return tuple(sorted(items))

    def _refuse(self, column: str, code: str, **fields: object) -> None:
        self.bad.append(BadCell(self._row, column, UsageError(code, column=column, **fields)))
