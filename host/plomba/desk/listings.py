"""Rows of the order book page by page, each behind a key that never changes: no word about how they are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from plomba.desk.seen import EVERYTHING, Seen
from plomba.desk.store import Store


class Effect(NamedTuple):
    """What a record did to an order. `position` is its place among the order's records; `why`: steps.py."""

    order_id: str
    position: int
    before: int
    after: int
    claim: int
    why: str
    disputed: int


class Row(NamedTuple):
    """A record as listed. `order_id` is the order that it names itself."""

    number: int
    body: bytes
    previous: bytes
    signature: bytes
    received: int
    order_id: str | None
    bag: bytes | None
    label: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A record, and what it did to one order."""

    row: Row
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class Told:
    """A record, and what it did to all orders."""

    row: Row
    effects: tuple[Effect, ...]


_ROW = "e.number, e.body, e.previous, e.signature, e.received, e.order_id, e.bag, t.label"
_EFFECT = "f.order_id, f.position, f.before, f.after, f.claim, f.why, f.disputed"
_NO_EFFECT = ", ".join(["NULL"] * len(Effect._fields))
_EVENTS = "FROM events e JOIN terminals t ON t.terminal = e.terminal"
_WIDTH = len(Row._fields)


class Listings:
    """Runs in the store's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, before: int | None, limit: int, seen: Seen | None = None) -> list[Listed]:
        """Records of all orders, the newest first, from below the number `before` on. `seen`: only those that did
        something to, or were refused by, an order that is seen."""
        condition, narrowing = seen or EVERYTHING
        values: dict[str, object] = {**narrowing, "limit": limit}
        where = []
        if before is not None:
            where.append("e.number < :before")
            values["before"] = before
        if seen is not None:
            where.append(
                "EXISTS (SELECT 1 FROM effects x JOIN orders o ON o.id = x.order_id"
                f" WHERE x.event = e.number AND {condition})"
            )
        # A record of a whole bag is one record, whatever it did to how many orders.
        rows = self._store.query(
            f"SELECT {_ROW}, {_EFFECT} {_EVENTS} LEFT JOIN effects f ON f.event = e.number"
            " AND (e.order_id IS NOT NULL OR e.order_ref <> 0)"
            + (f" WHERE {' AND '.join(where)}" if where else "")
            + " ORDER BY e.number DESC LIMIT :limit",
            values,
        )
        return [_listed(row) for row in rows]

    def of_order(self, order_id: str, after: int, limit: int) -> list[Listed]:
        """An order's records in the order they came, from behind the number `after` on."""
        rows = self._store.query(
            f"SELECT {_ROW}, {_EFFECT} FROM effects f JOIN events e ON e.number = f.event"
            " JOIN terminals t ON t.terminal = e.terminal WHERE f.order_id = :id AND e.number > :after"
            f" UNION ALL SELECT {_ROW}, {_NO_EFFECT} {_EVENTS} WHERE e.order_id = :id AND e.number > :after"
            " AND NOT EXISTS (SELECT 1 FROM effects f WHERE f.event = e.number)"
            " ORDER BY 1 LIMIT :limit",
            {"id": order_id, "after": after, "limit": limit},
        )
        return [_listed(row) for row in rows]

    def told(self, after: int, limit: int) -> list[Told]:
        """Records in the order they came, from behind the number `after` on."""
        rows = [
            Row(*row)
            for row in self._store.query(
                f"SELECT {_ROW} {_EVENTS} WHERE e.number > :after ORDER BY e.number LIMIT :limit",
                {"after": after, "limit": limit},
            )
        ]
        if not rows:
            return []
        effects: dict[int, list[Effect]] = {}
        for number, *effect in self._store.query(
            f"SELECT f.event, {_EFFECT} FROM effects f WHERE f.event > :after AND f.event <= :through"
            " ORDER BY f.event, f.order_id",
            {"after": after, "through": rows[-1].number},
        ):
            effects.setdefault(number, []).append(Effect(*effect))
        return [Told(row, tuple(effects.get(row.number, ()))) for row in rows]

    def seen_of(self, ids: Collection[str], seen: Seen) -> set[str]:
        """Those of these orders that are seen."""
        condition, narrowing = seen
        if not ids:
            return set()
        return {
            id
            for (id,) in self._store.query(
                f"SELECT o.id FROM orders o WHERE o.id IN :ids AND {condition}", {**narrowing, "ids": sorted(ids)}
            )
        }

    def last(self) -> int:
        """The number of the newest record, 0 = there is none."""
        number: int | None = self._store.query("SELECT max(number) FROM events")[0][0]
        return number or 0


def counted(rows: Iterable[Listed]) -> list[Listed]:
    """An order's records in the order they count."""
    return sorted(rows, key=lambda one: (-1 if one.effect is None else one.effect.position, one.row.number))


def _listed(row: tuple[object, ...]) -> Listed:
    own, effect = row[:_WIDTH], row[_WIDTH:]
    return Listed(Row._make(own), None if effect[0] is None else Effect._make(effect))
