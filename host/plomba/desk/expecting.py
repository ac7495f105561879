"""Which orders a terminal's manifest lists: as many as fit, those it will meet first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from plomba.desk.manifest import ORDERS_MAX, Expected, fitting
from plomba.desk.paging import pages
from plomba.desk.store import Store, Terminal
from plomba_wire.codec import RecordHead

REMEMBERED = 3 * 86400
"""Seconds a finished order stays on manifests, so that a second scan of it says so."""


class Expecting:
    """Inside the store's thread. Whatever the book holds, one manifest reads no more than it can list."""

    def __init__(self, store: Store, open_states: Collection[int]) -> None:
        self._store = store
        self._open = sorted(open_states)

    def of(self, terminal: Terminal, now: int) -> list[Expected]:
        """Orders of the terminal's own place, then those in the custody of the courier who scanned with it last, then
        the newest of the others; of each those that are open before those that were finished of late. In the order of
        import."""
        values = {
            "place": terminal.place,
            "open": self._open,
            "party": self._courier(terminal),
            "since": self._first_since(now - REMEMBERED),
        }
        held = "id IN (SELECT order_id FROM custody WHERE kind = 'courier' AND party = :party AND until IS NULL)"
        found: dict[str, int] = {}
        for where in (
            "place = :place AND state IN :open",
            f"{held} AND state IN :open",
            "place = :place AND last >= :since",
            "state IN :open",
            "last >= :since",
        ):
            room = ORDERS_MAX - len(found)
            if room:
                self._add(found, where, values, room)
        fit = fitting(self._expected(list(found)))
        return sorted(fit, key=lambda expected: found[expected.order.id])

    def _add(self, found: dict[str, int], where: str, values: dict[str, Any], room: int) -> None:
        """Those that are not there yet, as many as there is room for, the newest first."""
        used = {name: value for name, value in values.items() if f":{name}" in where}
        rows = self._store.query(
            f"SELECT id, number FROM orders WHERE {where} ORDER BY number DESC LIMIT :limit",
            {**used, "limit": room + len(found)},
        )
        for id, number in rows:
            if len(found) == ORDERS_MAX:
                return
            found.setdefault(id, number)

    def _expected(self, ids: list[str]) -> Iterator[Expected]:
        for page in pages(ids):
            values = {"ids": page}
            bindings: dict[str, dict[bytes, int]] = {}
            for id, seal, broken in self._store.query(
                "SELECT order_id, seal, broken FROM bindings WHERE order_id IN :ids", values
            ):
                bindings.setdefault(id, {})[seal] = broken
            stands = {
                id: (state, bag or b"")
                for id, state, bag in self._store.query("SELECT id, state, bag FROM orders WHERE id IN :ids", values)
            }
            orders = self._store.orders_of(page)
            for id in page:
                yield Expected(orders[id], *stands[id], bindings.get(id, {}))

    def _courier(self, terminal: Terminal) -> str:
        """Badge of who scanned with it last; "" where nobody has."""
        rows = self._store.query(
            "SELECT body FROM events WHERE terminal = :terminal ORDER BY epoch DESC, seq DESC LIMIT 1",
            {"terminal": terminal.id},
        )
        return str(RecordHead.read(rows[0][0], 0).actor) if rows else ""

    def _first_since(self, moment: int) -> int:
        """Number of the first record that arrived after `moment`: they arrive in the order of their numbers, so a few
        probes find it among any number of them."""
        low, high = 1, (self._store.query("SELECT max(number) FROM events")[0][0] or 0) + 1
        while low < high:
            middle = (low + high) // 2
            received = self._store.query(
                "SELECT number, received FROM events WHERE number >= :number ORDER BY number LIMIT 1",
                {"number": middle},
            )
            if received[0][1] > moment:
                high = middle
            else:
                low = received[0][0] + 1
        return low
