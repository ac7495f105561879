"""A trace: what lay before a terminal's scanner and which keys were pressed, as a file (docs/rules.md has its form)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from plomba.desk import lifecycle
from plomba.desk.orders import ImportRefused, Order, read_orders
from plomba.desk.rules.located import Place, read_file
from plomba.desk.rules.table import Mistake, Table
from plomba.desk.words import codes
from plomba.errors import PlombaError
from plomba_wire.schema import VOCABULARY

WAIT_MAX = 86400
"""Seconds of the longest wait."""
_PACE_S = 2
_ORDER = ("id", "class", "state", "place", "cell", "seals", "uins")
_DO = ("scan", "symbology", "card", "key", "wait_s", "unread", "expect")
_KINDS = ("scan", "card", "key", "wait_s", "unread")
_KEYS = {"ok": 0, "back": 1}
_SYMBOLOGIES = {entry["name"]: entry["code"] for entry in VOCABULARY["symbology"].values() if entry["name"]}


@dataclass(frozen=True, slots=True)
class Do:
    """One thing done: `kind` is scan, card, key, wait_s or unread. `expect`: the verdicts it has to bring, by the
    number of the pack or 0 for every other."""

    kind: str
    text: str
    symbology: str
    count: int
    expect: Mapping[int, tuple[str, ...]]
    place: Place

    @property
    def shown(self) -> str:
        """As it is written."""
        return f"{self.kind} {self.text or self.count}"

    def expected(self, number: int) -> tuple[str, ...] | None:
        return self.expect.get(number, self.expect.get(0))


@dataclass(frozen=True, slots=True)
class Trace:
    """`at` is when it begins, s since 1970, 0 = when the pack that is played takes force; `pace_s` seconds pass before
    each step, so that no scan is taken for the one before it; `listed`: the orders are on a signed list."""

    at: int
    place: int
    pace_s: int
    listed: bool
    orders: tuple[Order, ...]
    steps: tuple[Do, ...]


def load(path: Path) -> Trace:
    """Raises PlombaError for the first mistake, with its line."""
    text = read_file(path)
    mistakes: list[Mistake] = []
    top = Table(text, (), mistakes)
    top.only(("at", "place", "pace_s", "order", "do"))
    place = top.whole("place", 0, 0xFFFF_FFFF, 7)
    trace = Trace(
        at=_moment(top),
        place=place,
        pace_s=top.whole("pace_s", 0, WAIT_MAX, _PACE_S),
        listed="order" in top.names,
        orders=_orders(top.tables("order"), place, mistakes),
        steps=tuple(_do(table) for table in top.tables("do")),
    )
    if not trace.steps:
        top.bad("do", "[[do]]")
    if mistakes:
        raise min(mistakes, key=lambda mistake: mistake.place).error
    return trace


def _moment(top: Table) -> int:
    value = top.value("at")
    if value is None:
        return 0
    if isinstance(value, datetime) and value.tzinfo is not None and value.timestamp() > 0:
        return int(value.timestamp())
    top.bad("at", "2026-12-01T09:00:00+03:00")
    return 0


def _orders(tables: list[Table], place: int, mistakes: list[Mistake]) -> tuple[Order, ...]:
    """By the rules of order files (docs/orders.md)."""
    rows = []
    for number, table in enumerate(tables):
        table.only(_ORDER)
        cells = {"order": _text(table, "id"), "class": _text(table, "class"), "place": str(place)}
        if "place" in table.names:
            cells["place"] = str(table.whole("place", 0, 0xFFFF_FFFF))
        cells |= {key: _text(table, key) for key in ("state", "cell") if key in table.names}
        cells |= {key: " ".join(_texts(table, key)) for key in ("seals", "uins") if key in table.names}
        rows.append((number, cells))
    try:
        return tuple(order for _, order in read_orders(rows, lifecycle.load()))
    except ImportRefused as refused:
        for cell in refused.bad:
            key = "id" if cell.column == "order" else cell.column
            place_ = tables[cell.row].place(key)
            error = PlombaError("trace_order", place=place_, reason=cell.error.what(), next=cell.error.next_step())
            mistakes.append(Mistake(place_, error))
        return ()


def _do(table: Table) -> Do:
    table.only(_DO)
    kinds = [kind for kind in _KINDS if kind in table.names]
    kind = kinds[0] if kinds else "scan"
    if len(kinds) != 1:
        table.wrong("trace_step", known=", ".join(_KINDS))
    text, count = "", 0
    if kind in ("scan", "card"):
        text = _text(table, kind)
    elif kind == "key":
        table.choice(kind, _KEYS)
        text = _text(table, kind)
    else:
        count = table.whole(kind, 1, WAIT_MAX if kind == "wait_s" else 9)
    symbology = "QRCode" if kind == "card" else "Code128"
    if "symbology" in table.names:
        table.choice("symbology", _SYMBOLOGIES)
        symbology = _text(table, "symbology")
    return Do(kind, text, symbology, count, _expect(table), table.place())


def _expect(table: Table) -> dict[int, tuple[str, ...]]:
    value = table.value("expect")
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {0: _verdicts(table, "expect")}
    each = table.table("expect")
    assert each is not None
    found = {}
    for name in each.names:
        if name.isdecimal() and len(name) <= 5:
            found[int(name)] = _verdicts(each, name)
        else:
            each.wrong("rules_value", name, key="expect", found=f"“{name}”", wanted="101")
    return found


def _verdicts(table: Table, key: str) -> tuple[str, ...]:
    known = codes("verdict")
    names = _texts(table, key)
    for name in names:
        if name not in known:
            table.wrong("rules_name", key, section="verdict", found=f"“{name}”", known=", ".join(known))
    return tuple(names)


def _text(table: Table, key: str) -> str:
    value = table.value(key)
    if isinstance(value, str) and value:
        return value
    table.bad(key, '"…"')
    return ""


def _texts(table: Table, key: str) -> list[str]:
    """A text, or a list of texts."""
    value = table.value(key)
    listed = value if isinstance(value, list) else [value]
    if all(isinstance(text, str) for text in listed):
        return listed
    table.bad(key, '["…"]')
    return []
