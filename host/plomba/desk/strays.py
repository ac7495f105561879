"""Records about orders that are not in the book, remembered as they come: to find them among all records would be to
read all of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from plomba.desk.orders import Order
from plomba.desk.paging import pages
from plomba.desk.store import Event, Store

_NAMELESS = "e.order_id IS NULL AND e.order_ref IN :refs"


class Strays:
    """Inside a transaction of the store. A ref alone names an order while no other one has it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def came(self, events: Iterable[Event], known: Container[str]) -> None:
        """Records that are new. `known`: orders that are in the book."""
        named: dict[str, list[int]] = {}
        by_ref: dict[int, list[int]] = {}
        for event in events:
            if event.order_id is not None:
                if event.order_id not in known:
                    named.setdefault(event.order_id, []).append(event.number)
            elif event.head.order_ref:
                by_ref.setdefault(event.head.order_ref, []).append(event.number)
        if not named and not by_ref:
            return
        for (id,) in self._store.query("SELECT id FROM orders WHERE id IN :ids", {"ids": sorted(named)}):
            del named[id]
        for ref in self._refs(by_ref, "= 1"):
            del by_ref[ref]
        self._store.write_many(
            "INSERT INTO strays (event) VALUES (:event)",
            [{"event": number} for numbers in (*named.values(), *by_ref.values()) for number in numbers],
        )

    def imported(self, orders: Sequence[Order]) -> None:
        """These are in the book from here on."""
        for page in pages(orders):
            refs = {order.ref for order in page}
            shared = self._refs(refs, "> 1")
            if shared:
                self._store.write(
                    f"INSERT INTO strays (event) SELECT e.number FROM events e WHERE {_NAMELESS}"
                    " ON CONFLICT DO NOTHING",
                    {"refs": shared},
                )
            if not self._store.query("SELECT event FROM strays LIMIT 1"):
                continue
            self._store.write(
                "DELETE FROM strays WHERE event IN (SELECT e.number FROM events e WHERE e.order_id IN :ids)",
                {"ids": sorted(order.id for order in page)},
            )
            self._store.write(
                f"DELETE FROM strays WHERE event IN (SELECT e.number FROM events e WHERE {_NAMELESS})",
                {"refs": sorted(refs - set(shared))},
            )

    def found(self) -> None:
        """Looks for them among all records."""
        self._store.write("DELETE FROM strays")
        self._store.write(
            "INSERT INTO strays (event) SELECT e.number FROM events e LEFT JOIN orders o ON o.id = e.order_id"
            " WHERE e.order_id IS NOT NULL AND o.id IS NULL"
            " UNION ALL SELECT e.number FROM events e WHERE e.order_id IS NULL AND e.order_ref <> 0"
            " AND (SELECT count(*) FROM orders o WHERE o.ref = e.order_ref) <> 1"
        )

    def _refs(self, refs: Iterable[int], orders: str) -> list[int]:
        """Those of these refs that so many orders have."""
        rows = self._store.query(
            f"SELECT ref FROM orders WHERE ref IN :refs GROUP BY ref HAVING count(*) {orders} ORDER BY ref",
            {"refs": sorted(refs)},
        )
        return [ref for (ref,) in rows]
