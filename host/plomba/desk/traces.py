"""The records of orders, bags and seals as the replay looks them up, and what it writes about where orders stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plomba.desk.links import peer_head
from plomba.desk.orders import Order
from plomba.desk.steps import Identity, Standing, Step
from plomba.desk.store import EVENT, Event, Store
from plomba_wire.vocabulary import CodeKind

_NAMES_ONE = """
(e.order_id = :id OR (e.order_ref = :ref AND e.order_id IS NULL
    AND (SELECT count(*) FROM orders WHERE ref = :ref) = 1))
"""
_NAMES_NONE = "{0}.order_id IS NULL AND {0}.order_ref = 0"


class Traces:
    def __init__(self, store: Store) -> None:
        self._store = store

    def naming(self, order: Order) -> list[Event]:
        """Records that name the order, and those that give only a ref that no other order has."""
        rows = self._store.query(f"SELECT {EVENT} FROM events e WHERE {_NAMES_ONE}", {"id": order.id, "ref": order.ref})
        return [Event(*row) for row in rows]

    def about(self, order: Order) -> list[Event]:
        """Those, and all of every whole bag that one of them puts the order in, whenever they were made; and what
        takes such a one back."""
        events = self.naming(order)
        found = {event.number: event for event in events}
        for bag in {event.bag for event in events if event.bag is not None}:
            rows = self._store.query(
                f"SELECT {EVENT} FROM events e WHERE e.bag = :bag AND {_NAMES_NONE.format('e')}"
                f" UNION SELECT {EVENT} FROM events e JOIN events b ON b.terminal = e.terminal AND b.epoch = e.epoch"
                f" AND b.seq = e.undoes WHERE b.bag = :bag AND {_NAMES_NONE.format('b')} AND {_NAMES_NONE.format('e')}",
                {"bag": bag},
            )
            found |= {row[0]: Event(*row) for row in rows}
        return list(found.values())

    def ever_in(self, bag: bytes) -> set[str]:
        """Orders that a record names together with the bag."""
        return self._named("bag", bag)

    def sealed_with(self, seal: bytes) -> set[str]:
        """Orders that were imported with the seal, and those that a record binds it to."""
        found = self._named("seal", seal)
        rows = self._store.query(
            "SELECT order_id FROM order_codes WHERE kind = ? AND code = CAST(? AS TEXT)", (CodeKind.SEAL, seal)
        )
        return found | {row[0] for row in rows}

    def seals_applied(self, order: Order) -> set[bytes]:
        """Seals that records bind to the order, whether it was done or not."""
        rows = self._store.query(
            f"SELECT DISTINCT e.seal FROM events e WHERE e.seal IS NOT NULL AND {_NAMES_ONE}",
            {"id": order.id, "ref": order.ref},
        )
        return {row[0] for row in rows}

    def naming_record(self, name: bytes) -> list[Event]:
        """Records of other terminals that name this one (links.named)."""
        return [Event(*row) for row in self._store.query(f"SELECT {EVENT} FROM events e WHERE e.peer = ?", (name,))]

    def behind(self, event: Event) -> Identity | None:
        """The record of another terminal that was there before this one was made: it names its chain value. None where
        it names none, or none that is held."""
        peer = peer_head(event.parts)
        if peer is None or peer.terminal == event.head.terminal:
            return None
        rows = self._store.query(
            "SELECT e.epoch FROM marks m JOIN events e ON e.terminal = m.terminal AND e.epoch = m.epoch AND e.seq = ?"
            " WHERE m.terminal = ? AND substr(e.digest, 1, ?) = ? ORDER BY e.epoch",
            (peer.seq, peer.terminal, len(peer.head), peer.head),
        )
        return (peer.terminal, rows[0][0], peer.seq) if rows else None

    def everything(self) -> Iterator[Event]:
        """Every record, in the order of arrival."""
        for (number,) in self._store.query("SELECT number FROM events ORDER BY number"):
            ((*row,),) = self._store.query(f"SELECT {EVENT} FROM events e WHERE number = ?", (number,))
            yield Event(*row)

    def put_standing(self, order: Order, done: Sequence[tuple[Event, Step]], standing: Standing) -> None:
        """The outcome of a replay: what each record did, in order, and where the order stands now."""
        write = self._store.write
        write("DELETE FROM effects WHERE order_id = ?", (order.id,))
        for position, (event, step) in enumerate(done):
            write(
                "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(event.number, order.id, position, step.before, step.after),
                    *(step.claim, step.why, step.disputed),
                ),
            )
        imported = {seal.encode() for seal in order.seals}
        write("DELETE FROM bindings WHERE order_id = ?", (order.id,))
        for seal in sorted((standing.seals - imported) | standing.broken):
            write("INSERT INTO bindings VALUES (?, ?, ?)", (order.id, seal, seal in standing.broken))
        write(
            "UPDATE orders SET state = ?, holder = ?, bag = ?, last = ? WHERE id = ?",
            (standing.state, standing.holder, standing.bag or None, done[-1][0].number if done else None, order.id),
        )

    def _named(self, column: str, value: bytes) -> set[str]:
        rows = self._store.query(
            f"SELECT e.order_id FROM events e WHERE e.{column} = :value AND e.order_id IS NOT NULL UNION SELECT o.id"
            f" FROM events e JOIN orders o ON o.ref = e.order_ref WHERE e.{column} = :value AND e.order_id IS NULL",
            {"value": value},
        )
        return {row[0] for row in rows}
