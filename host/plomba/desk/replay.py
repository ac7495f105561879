"""Works out from all records where orders stand: what each record counts for, and which orders have to go together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from plomba.desk.lifecycle import Lifecycle
from plomba.desk.links import links, named
from plomba.desk.orders import SEAL_MAX, Order
from plomba.desk.steps import Scan, Step
from plomba.desk.store import Event, Store
from plomba.desk.timeline import Timeline, in_order
from plomba.desk.traces import Traces
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, CodeKind, Flag, Tlv

MEANING = 2
"""Raised with each change of this code, or of what it calls, that may place an order elsewhere by the same records."""


class Replay:
    """Inside a transaction of the store. What it writes follows from imports and records alone."""

    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        self.traces = Traces(store)
        self._store = store
        self._lifecycle = lifecycle

    def place(self, ids: Iterable[str]) -> None:
        """Places these orders anew, and all that are tied to them."""
        done: set[str] = set()
        for id in sorted(ids):
            if id not in done:
                orders = self._tied(id)
                done.update(order.id for order in orders)
                self._together(orders)

    def place_all(self) -> None:
        """Places all orders anew where another lifecycle did it, or another meaning of records, or none."""
        content = hashlib.sha256(b"%d\n" % MEANING + self._lifecycle.content.encode()).digest()
        if self._store.query("SELECT lifecycle FROM replayed") == [(content,)]:
            return
        for event in self.traces.everything():
            values = (*links(event.head, event.parts), event.number)
            self._store.write("UPDATE events SET bag = ?, seal = ?, undoes = ?, peer = ? WHERE number = ?", values)
        orders = self._store.orders()
        for order in orders:
            self._store.relink(order)
        self.place(order.id for order in orders)
        self._store.write("DELETE FROM replayed")
        self._store.write("INSERT INTO replayed VALUES (?)", (content,))

    def concerned(self, head: RecordHead, parts: dict[int, bytes], order_id: str | None) -> set[str]:
        """The orders that a record may change: those it speaks of, and those whose records count after it."""
        found = self._spoken_of(head, parts, order_id)
        for event in self.traces.naming_record(named(head.terminal, head.seq)):
            found |= self._spoken_of(event.head, event.parts, event.order_id)
        return found

    def _spoken_of(self, head: RecordHead, parts: dict[int, bytes], order_id: str | None) -> set[str]:
        """The order a record names, or all that were ever in its bag."""
        if order_id is not None:
            return {order_id}
        if head.order_ref:
            return set(self._store.with_ref(head.order_ref))
        own = links(head, parts)
        undone = None if own.undoes is None else self._store.event(head.terminal, head.epoch, own.undoes)
        bags = {own.bag, None if undone is None else undone.bag} - {None}
        return {id for bag in bags if bag is not None for id in self.traces.ever_in(bag)}

    def tied(self, ids: Iterable[str]) -> set[str]:
        """These orders, and those that cannot be placed without them."""
        return {order.id for id in ids for order in self._tied(id)}

    def _tied(self, id: str) -> list[Order]:
        """A seal is of one order at a time: all orders go together that ever had one and the same."""
        found: dict[str, Order] = {}
        waiting = {id}
        while waiting:
            order = self._store.order(waiting.pop())
            if order is None:
                continue
            found[order.id] = order
            for seal in {seal.encode() for seal in order.seals} | self.traces.seals_applied(order):
                waiting |= self.traces.sealed_with(seal) - found.keys()
        return [found[id] for id in sorted(found)]

    def _together(self, orders: list[Order]) -> None:
        timelines = [
            Timeline(self._lifecycle, order.order_class, order.state, (seal.encode() for seal in order.seals))
            for order in orders
        ]
        events: dict[int, Event] = {}
        places: dict[int, list[int]] = {}
        for at, order in enumerate(orders):
            for event in self.traces.about(order):
                events[event.number] = event
                places.setdefault(event.number, []).append(at)
        done: list[list[tuple[Event, Step]]] = [[] for _ in orders]

        def taken(seal: bytes) -> bool:
            return any(timeline.owns(seal) for timeline in timelines)

        for event in in_order(events.values(), self.traces.behind):
            scan = scan_of(event)
            for at in places[event.number]:
                step = timelines[at].take(scan, taken)
                if step is not None:
                    done[at].append((event, step))
        for order, timeline, steps in zip(orders, timelines, done, strict=True):
            self.traces.put_standing(order, steps, timeline.standing)


def _seal(head: RecordHead, parts: dict[int, bytes]) -> bytes:
    """The seal that was read or bound. One of our own is read as a long text, and known by the name beside it."""
    seal = parts.get(Tlv.SEAL, b"")
    if head.action != Action.SEAL_APPLY:
        seal = (seal or parts.get(Tlv.CODE, b"")) if head.code_kind == CodeKind.SEAL else b""
    return seal if len(seal) <= SEAL_MAX else b""


def scan_of(event: Event) -> Scan:
    """What counts of a record."""
    head, parts = event.head, event.parts
    reference = parts.get(Tlv.REF_SEQ, b"")
    return Scan(
        action=head.action,
        verdict=head.verdict,
        claim=head.state_after,
        training=bool(head.flags & Flag.TRAINING),
        overridden=bool(head.flags & Flag.OVERRIDE),
        seal=_seal(head, parts),
        bag=event.bag or b"",
        whole=event.order_id is None and not head.order_ref,
        condition=_number(parts, Tlv.CONDITION, 1),
        quantity=_number(parts, Tlv.QUANTITY, 2),
        need=_number(parts, Tlv.NEED, 1),
        identity=(head.terminal, head.epoch, head.seq),
        refers=(head.terminal, head.epoch, int.from_bytes(reference, "big")) if len(reference) == 4 else None,
    )


def _number(parts: dict[int, bytes], part: int, size: int) -> int:
    value = parts.get(part, b"")
    return int.from_bytes(value, "big") if len(value) == size else 0
