"""The records of orders, bags and seals as the replay looks them up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from plomba.desk.links import named, peer_head
from plomba.desk.orders import Order
from plomba.desk.routes import Routes, sets_out
from plomba.desk.steps import Identity
from plomba.desk.store import EVENT, Event, Store
from plomba_wire.vocabulary import CodeKind, Flag

_NAMES_NONE = "{0}.order_id IS NULL AND {0}.order_ref = 0"
_PAGE = 5000
_CLOCKS_DIFFER = 86400
"""By so much less, s, clocks that are set differ from each other."""


class Traces:
    def __init__(self, store: Store) -> None:
        self.routes = Routes(store)
        self._store = store

    def naming(self, order: Order) -> list[Event]:
        """Records that name the order, and those that give only a ref that no other order has."""
        return self._naming({order.id: order})[order.id]

    def naming_each(self, orders: Mapping[str, Order]) -> dict[str, list[Event]]:
        """As `naming`, of each of the orders."""
        return self._naming(orders) if orders else {}

    def about(self, orders: Mapping[str, Order]) -> dict[str, list[Event]]:
        """Those of each order, and all of every whole bag that one of them puts the order in, whenever they were made;
        what closed a route that it set out with; and what takes such a one back."""
        found = {id: {event.number: event for event in events} for id, events in self._naming(orders).items()}
        bags = {event.bag for events in found.values() for event in events.values() if event.bag is not None}
        whole = self._of_whole_bags(bags) if bags else {}
        for events in found.values():
            for bag in {event.bag for event in events.values() if event.bag is not None}:
                own = [event for event in events.values() if event.bag == bag]
                events |= {number: event for number, event in whole[bag].items() if _may_count_after(event, own)}
        starts = {id: [event for event in events.values() if sets_out(event.head)] for id, events in found.items()}
        closed = self.routes.closings([event for of in starts.values() for event in of])
        for id, of in starts.items():
            found[id] |= {event.number: event for start in of for event in closed.get(start.number, ())}
        return {id: list(events.values()) for id, events in found.items()}

    def ever_in(self, bag: bytes) -> set[str]:
        """Orders that a record names together with the bag."""
        return {id for _, id in self._named("bag", [bag])}

    def maybe_in(self, bag: bytes, time: int) -> set[str]:
        """Orders that are in the bag, and of those that ever were, the ones of which a record of `time` or later is
        known."""
        rows = self._store.query(
            "SELECT o.id FROM orders o WHERE o.bag = :bag"
            " UNION SELECT o.id FROM events e JOIN orders o ON o.id = e.order_id"
            " WHERE e.bag = :bag AND o.merged_t >= :time"
            " UNION SELECT o.id FROM events e JOIN orders o ON o.ref = e.order_ref"
            " WHERE e.bag = :bag AND e.order_id IS NULL AND o.merged_t >= :time",
            {"bag": bag, "time": time},
        )
        return {id for (id,) in rows}

    def sealed_with(self, seals: Collection[bytes]) -> dict[bytes, set[str]]:
        """The orders that were imported with each of the seals, and those that a record binds it to."""
        found: dict[bytes, set[str]] = {}
        if not seals:
            return found
        of_text = {text: seal for seal in seals if (text := _text(seal))}
        rows = self._store.query(
            "SELECT code, order_id FROM order_codes WHERE kind = :kind AND code IN :codes",
            {"kind": CodeKind.SEAL, "codes": sorted(of_text)},
        )
        for code, id in rows:
            found.setdefault(of_text[code], set()).add(id)
        for seal, id in self._named("seal", sorted(seals)):
            found.setdefault(seal, set()).add(id)
        return found

    def seals_applied(self, orders: Mapping[str, Order]) -> dict[str, set[bytes]]:
        """Seals that records bind to each of the orders, whether it was done or not."""
        found: dict[str, set[bytes]] = {}
        if not orders:
            return found
        of_ref: dict[int, list[str]] = {}
        for order in orders.values():
            of_ref.setdefault(order.ref, []).append(order.id)
        rows = self._store.query(
            "SELECT seal, order_id, order_ref FROM events WHERE seal IS NOT NULL AND order_id IN :ids"
            " UNION SELECT seal, NULL, order_ref FROM events WHERE seal IS NOT NULL AND order_id IS NULL"
            " AND order_ref IN :refs",
            {"ids": sorted(orders), "refs": sorted(of_ref)},
        )
        for seal, id, ref in rows:
            for one in [id] if id is not None else of_ref[ref]:
                found.setdefault(one, set()).add(seal)
        return found

    def naming_records(self, names: Collection[bytes]) -> list[Event]:
        """Records of other terminals that name one of these (links.named)."""
        if not names:
            return []
        rows = self._store.query(f"SELECT {EVENT} FROM events e WHERE e.peer IN :names", {"names": sorted(names)})
        return [Event(*row) for row in rows]

    def naming_terminal(self, terminal: bytes) -> list[Event]:
        """Records that name any record of this terminal."""
        rows = self._store.query(
            f"SELECT {EVENT} FROM events e WHERE e.peer >= :first AND e.peer <= :last",
            {"first": named(terminal, 0), "last": named(terminal, 0xFFFFFFFF)},
        )
        return [Event(*row) for row in rows]

    def behind(self, events: Collection[Event]) -> dict[int, Identity]:
        """Number of each event -> the record of another terminal that was there before it was made: it names its chain
        value. Without those that name none, or none that is held."""
        named: dict[bytes, dict[int, list[tuple[int, bytes]]]] = {}
        for event in events:
            peer = peer_head(event.parts)
            if peer is not None and peer.terminal != event.head.terminal:
                named.setdefault(peer.terminal, {}).setdefault(peer.seq, []).append((event.number, peer.head))
        found: dict[int, Identity] = {}
        for terminal, seqs in named.items():
            rows = self._store.query(
                "SELECT e.epoch, e.seq, e.digest FROM marks m"
                " JOIN events e ON e.terminal = m.terminal AND e.epoch = m.epoch AND e.seq IN :seqs"
                " WHERE m.terminal = :terminal ORDER BY e.epoch DESC",
                {"seqs": sorted(seqs), "terminal": terminal},
            )
            for epoch, seq, digest in rows:
                for number, head in seqs[seq]:
                    if digest[: len(head)] == head:
                        found[number] = terminal, epoch, seq
        return found

    def everything(self) -> Iterator[Event]:
        """Every record, in the order of arrival."""
        last = 0
        while rows := self._store.query(
            f"SELECT {EVENT} FROM events e WHERE e.number > :last ORDER BY e.number LIMIT :page",
            {"last": last, "page": _PAGE},
        ):
            last = rows[-1][0]
            yield from (Event(*row) for row in rows)

    def _naming(self, orders: Mapping[str, Order]) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {id: [] for id in orders}
        rows = self._store.query(f"SELECT {EVENT} FROM events e WHERE e.order_id IN :ids", {"ids": sorted(orders)})
        for row in rows:
            event = Event(*row)
            assert event.order_id is not None
            found[event.order_id].append(event)
        refs = sorted({order.ref for order in orders.values()})
        rows = self._store.query(
            f"SELECT {EVENT}, e.order_ref FROM events e WHERE e.order_ref IN :refs AND e.order_id IS NULL",
            {"refs": refs},
        )
        if rows:
            only = self._store.query(
                "SELECT ref, min(id) FROM orders WHERE ref IN :refs GROUP BY ref HAVING count(*) = 1", {"refs": refs}
            )
            of = {ref: id for ref, id in only if id in found}
            for *columns, ref in rows:
                if ref in of:
                    found[of[ref]].append(Event(*columns))
        return found

    def _of_whole_bags(self, bags: Collection[bytes]) -> dict[bytes, dict[int, Event]]:
        found: dict[bytes, dict[int, Event]] = {bag: {} for bag in bags}
        rows = self._store.query(
            f"SELECT {EVENT}, e.bag FROM events e WHERE e.bag IN :bags AND {_NAMES_NONE.format('e')}"
            f" UNION ALL SELECT {EVENT}, b.bag FROM events e JOIN events b ON b.terminal = e.terminal"
            " AND b.epoch = e.epoch AND b.seq = e.undoes"
            f" WHERE b.bag IN :bags AND {_NAMES_NONE.format('b')} AND {_NAMES_NONE.format('e')}",
            {"bags": sorted(bags)},
        )
        for *row, bag in rows:
            found[bag][row[0]] = Event(*row)
        return found

    def _named(self, column: str, wanted: Collection[bytes]) -> set[tuple[bytes, str]]:
        rows = self._store.query(
            f"SELECT e.{column}, e.order_id FROM events e WHERE e.{column} IN :wanted AND e.order_id IS NOT NULL"
            f" UNION SELECT e.{column}, o.id FROM events e JOIN orders o ON o.ref = e.order_ref"
            f" WHERE e.{column} IN :wanted AND e.order_id IS NULL",
            {"wanted": list(wanted)},
        )
        return {(value, id) for value, id in rows}


def _may_count_after(whole: Event, own: Collection[Event]) -> bool:
    """Whether a record of a whole bag may count after one of those that put an order in there. A bag is used again and
    again, and most of what was done with it came long before."""
    head = whole.head
    if not head.flags & Flag.TIME_TRUSTED:
        return True
    for event in own:
        first = event.head
        if head.terminal == first.terminal and (head.epoch, head.seq) > (first.epoch, first.seq):
            return True
        if head.t_utc >= first.t_utc - _CLOCKS_DIFFER or not first.flags & Flag.TIME_TRUSTED:
            return True
    return False


def _text(code: bytes) -> str:
    """As the list of orders could have it; "" for what no text is."""
    try:
        text = code.decode()
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text
