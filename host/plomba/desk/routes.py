"""Couriers' routes: which orders a terminal set out with, and the record that closed the route."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from plomba.desk.store import EVENT, Event, Store
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Flag, Verdict


class _Closing(NamedTuple):
    """`undone`: by an event of this number, 0 = by none."""

    epoch: int
    seq: int
    number: int
    undone: int


class Routes:
    """A terminal has one route at a time: all that set out with it since it closed the one before is of the route that
    it closes next. A closing that was taken back closed nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, events: Iterable[Event]) -> None:
        """Remembers those that close a route."""
        rows = [
            {"terminal": event.head.terminal, "epoch": event.head.epoch, "seq": event.head.seq, "number": event.number}
            for event in events
            if closes(event.head)
        ]
        self._store.write_many(
            "INSERT INTO closings (terminal, epoch, seq, number) VALUES (:terminal, :epoch, :seq, :number)"
            " ON CONFLICT DO NOTHING",
            rows,
        )

    def started(self, closing: Event) -> list[Event]:
        """The records that set out with the route which this one closes."""
        head = closing.head
        closed = self._closings([head.terminal]).get(head.terminal, [])
        here = head.epoch, head.seq
        before = [(one.epoch, one.seq) for one in closed if not one.undone and (one.epoch, one.seq) < here]
        rows = self._store.query(
            f"SELECT {EVENT} FROM events e WHERE e.terminal = :terminal AND (e.epoch, e.seq) > (:from_epoch, :from_seq)"
            " AND (e.epoch, e.seq) < (:epoch, :seq)",
            {
                "terminal": head.terminal,
                "epoch": head.epoch,
                "seq": head.seq,
                **dict(zip(("from_epoch", "from_seq"), before[-1] if before else (0, 0), strict=True)),
            },
        )
        return [event for event in (Event(*row) for row in rows) if sets_out(event.head)]

    def closings(self, starts: Collection[Event]) -> dict[int, list[Event]]:
        """Number of each record that sets out -> what closed its route, and what took such a closing back."""
        if not starts:
            return {}
        closed = self._closings({start.head.terminal for start in starts})
        found: dict[int, list[int]] = {}
        for start in starts:
            for one in closed.get(start.head.terminal, ()):
                if (one.epoch, one.seq) < (start.head.epoch, start.head.seq):
                    continue
                found.setdefault(start.number, []).extend(number for number in (one.number, one.undone) if number)
                if not one.undone:
                    break
        numbers = {number for of in found.values() for number in of}
        rows = self._store.query(
            f"SELECT {EVENT} FROM events e WHERE e.number IN :numbers", {"numbers": sorted(numbers)}
        )
        events = {row[0]: Event(*row) for row in rows}
        return {start: [events[number] for number in of] for start, of in found.items()}

    def _closings(self, terminals: Collection[bytes]) -> dict[bytes, list[_Closing]]:
        """Of each of the terminals, in their order."""
        rows = self._store.query(
            "SELECT c.terminal, c.epoch, c.seq, c.number, (SELECT min(u.number) FROM events u"
            " WHERE u.terminal = c.terminal AND u.epoch = c.epoch AND u.undoes = c.seq"
            # One that names an order is about that order: it does not speak for a route.
            " AND u.order_id IS NULL AND u.order_ref = 0)"
            " FROM closings c WHERE c.terminal IN :terminals ORDER BY c.terminal, c.epoch, c.seq",
            {"terminals": sorted(terminals)},
        )
        found: dict[bytes, list[_Closing]] = {}
        for terminal, epoch, seq, number, undone in rows:
            found.setdefault(terminal, []).append(_Closing(epoch, seq, number, undone or 0))
        return found


def closes(head: RecordHead) -> bool:
    """Whether the record closes a route."""
    return _is(head, Action.ROUTE_CLOSE) and not head.order_ref


def sets_out(head: RecordHead) -> bool:
    """Whether an order, or a whole bag, sets out with the record."""
    return _is(head, Action.ROUTE_START)


def _is(head: RecordHead, action: int) -> bool:
    return (head.action, head.verdict) == (action, Verdict.OK) and not head.flags & Flag.TRAINING
