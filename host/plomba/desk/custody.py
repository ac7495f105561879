"""Who answers for an order, and for how much money, at any moment that has passed.

Exposure means responsibility for what is in somebody's hands. The desk deducts nothing from anybody's wage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from plomba.desk.lifecycle import Lifecycle
from plomba.desk.seen import EVERYTHING, Seen
from plomba.desk.store import Store


class Owner(NamedTuple):
    """`kind` is shop, warehouse, courier, point or customer; `party` which of them: the shop's name, the number of a
    place, a courier's badge, "act N" or "terminal ID" for one who has not scanned; "" where nobody said."""

    kind: str
    party: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one owner answers for in one currency: `worth` in minor units of the orders that have a value."""

    owner: Owner
    currency: str
    worth: int
    orders: int


@dataclass(frozen=True, slots=True)
class Spell:
    """One owner's time with an order, from `since` until before `until`, s since 1970; None: still."""

    owner: Owner
    since: int
    until: int | None
    owed: bool


def owner(store: Store, order_id: str, at: int) -> Owner | None:
    """Who held an order then; None before it began, and for one that is unknown."""
    rows = store.query(
        "SELECT kind, party FROM custody WHERE order_id = :id AND since <= :at ORDER BY position DESC LIMIT 1",
        {"id": order_id, "at": at},
    )
    return Owner(*rows[0]) if rows else None


_OWED = "c.owed = 1 AND c.since <= :at AND (c.until IS NULL OR c.until > :at)"


class Custody:
    """Reading only, in the store's thread."""

    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        self._store = store
        self._ends = sorted(lifecycle.ends)

    def owner(self, order_id: str, at: int) -> Owner | None:
        """None before the order began, and for one that is unknown."""
        return owner(self._store, order_id, at)

    def spells(self, order_id: str) -> list[Spell]:
        """All of an order's owners, first to last."""
        rows = self._store.query(
            "SELECT kind, party, since, until, owed FROM custody WHERE order_id = :id ORDER BY position",
            {"id": order_id},
        )
        return [Spell(Owner(kind, party), since, until, bool(owed)) for kind, party, since, until, owed in rows]

    def exposures(
        self, at: int, *, kind: str | None = None, party: str | None = None, seen: Seen = EVERYTHING
    ) -> list[Exposure]:
        """Of all owners, or of those of this kind or name; of the orders that are `seen`."""
        condition, narrowing = seen
        where, values = f" AND {condition}", {**narrowing, "at": at}
        for column, wanted in (("kind", kind), ("party", party)):
            if wanted is not None:
                where += f" AND c.{column} = :{column}"
                values[column] = wanted
        rows = self._store.query(
            "SELECT c.kind, c.party, o.currency, coalesce(sum(o.value), 0), count(*) FROM custody c"
            f" JOIN orders o ON o.id = c.order_id WHERE {_OWED}{where}"
            " GROUP BY c.kind, c.party, o.currency ORDER BY c.kind, c.party, o.currency",
            values,
        )
        return [
            Exposure(Owner(kind, party), currency, int(worth), orders) for kind, party, currency, worth, orders in rows
        ]

    def held(self, owner: Owner, at: int, limit: int) -> list[tuple[str, int | None, str, int]]:
        """(order, value in minor units, currency, since) of what the owner answers for, dearest first."""
        rows = self._store.query(
            "SELECT o.id, o.value, o.currency, c.since FROM custody c JOIN orders o ON o.id = c.order_id"
            f" WHERE {_OWED} AND c.kind = :kind AND c.party = :party"
            " ORDER BY coalesce(o.value, 0) DESC, o.number LIMIT :limit",
            {"at": at, "kind": owner.kind, "party": owner.party, "limit": limit},
        )
        return [(id, value, currency, since) for id, value, currency, since in rows]

    def worth(self, at: int) -> dict[str, int]:
        """Currency -> minor units of all orders that were open, by their states and not by who answered for them."""
        rows = self._store.query(
            "SELECT o.currency, sum(o.value) FROM orders o"
            " JOIN custody b ON b.order_id = o.id AND b.position = -1 AND b.since <= :at"
            " LEFT JOIN effects f ON f.order_id = o.id AND f.position ="
            " (SELECT max(x.position) FROM effects x WHERE x.order_id = o.id AND x.at <= :at)"
            " WHERE o.value IS NOT NULL AND coalesce(f.after, o.entered) NOT IN :ends GROUP BY o.currency",
            {"at": at, "ends": self._ends},
        )
        return {currency: int(worth) for currency, worth in rows}
