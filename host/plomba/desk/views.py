"""What people and programs get to see of the order book: reading only, no words, no markup."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plomba.desk.lifecycle import MOVED, Lifecycle
from plomba.desk.orders import MINOR_DIGITS
from plomba.desk.store import Store, Terminal
from plomba.desk.words import names
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import CodeKind

LISTED = 500
"""Orders on the page, and rows of one answer unless told otherwise."""
TROUBLES = 50
"""Of each kind on the page, newest first."""


@dataclass(frozen=True, slots=True)
class LastScan:
    """The last record about an order. `time` is the terminal's clock, s since 1970, 0 = not set."""

    action: int
    verdict: int
    time: int
    received: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order as it stands. `mark` changes with every record about it; `value` is in minor units."""

    id: str
    order_class: int
    state: int
    holder: str
    place: int
    value: int | None
    currency: str
    shop: str
    cell: str
    seals: int
    mark: str
    disputed: int
    last: LastScan | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A record by which the terminal put an order elsewhere than the desk did. `why`: lifecycle.py."""

    order_id: str
    terminal: str
    head: RecordHead
    claim: int
    state: int
    why: str
    received: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A record about an order that is not in the book. `order_id` "" when it gave an index only."""

    order_id: str
    terminal: str
    head: RecordHead
    received: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A verified record that contradicts a held one. `code` is record_conflict or desk_record_unlinked."""

    code: str
    terminal: str
    epoch: int
    seq: int
    received: int


@dataclass(frozen=True, slots=True)
class Held:
    """What one party holds: how many orders, and their worth in minor units by currency."""

    holder: str
    orders: int
    worth: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the live page shows. `total`, `disputed`, `strayed` and `conflicted` count what is cut off too."""

    total: int
    orders: Sequence[OrderView]
    states: Mapping[int, int]
    held: Sequence[Held]
    disputed: int
    disputes: Sequence[Dispute]
    strayed: int
    strays: Sequence[Stray]
    conflicted: int
    conflicts: Sequence[Conflict]
    terminals: Sequence[tuple[Terminal, int]]


_ORDERS = f"""
SELECT o.id, o.class, o.state, o.place, o.value, o.currency, o.shop, o.cell,
       (SELECT count(*) FROM order_codes c WHERE c.order_id = o.id AND c.kind = {CodeKind.SEAL}),
       (SELECT count(*) FROM effects f WHERE f.order_id = o.id),
       (SELECT count(*) FROM effects f WHERE f.order_id = o.id AND f.disputed),
       e.body, e.received, o.last
FROM orders o LEFT JOIN events e ON e.number = o.last
"""
_DISPUTES = """
FROM effects f JOIN events e ON e.number = f.event JOIN terminals t ON t.terminal = e.terminal WHERE f.disputed
"""
_STRAYS = """
FROM events e JOIN terminals t ON t.terminal = e.terminal LEFT JOIN effects f ON f.event = e.number
WHERE f.event IS NULL AND (e.order_id IS NOT NULL OR e.order_ref <> 0)
"""
_CONFLICTS = "FROM conflicts c LEFT JOIN terminals t ON t.terminal = c.terminal"
_EVENTS = """
SELECT e.number, e.body, e.previous, e.signature, e.received, t.label, f.order_id, f.before, f.after, f.why, f.disputed
FROM events e JOIN terminals t ON t.terminal = e.terminal LEFT JOIN effects f ON f.event = e.number
"""


class Views:
    """Runs in the store's thread."""

    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        self._store = store
        self._lifecycle = lifecycle

    def overview(self) -> Overview:
        """Orders with the newest record first, then those without any in the order of import."""
        states: dict[int, int] = {}
        held: dict[str, tuple[int, dict[str, int]]] = {holder: (0, {}) for holder in self._lifecycle.holders}
        for state, currency, count, worth in self._store.query(
            "SELECT state, currency, count(*), sum(value) FROM orders GROUP BY state, currency"
        ):
            states[state] = states.get(state, 0) + count
            orders, sums = held[self._lifecycle.holder[state]]
            if currency:
                sums[currency] = sums.get(currency, 0) + worth
            held[self._lifecycle.holder[state]] = (orders + count, sums)
        return Overview(
            total=sum(states.values()),
            orders=self.orders(LISTED),
            states=states,
            held=[Held(holder, orders, worth) for holder, (orders, worth) in held.items()],
            disputed=self._count(_DISPUTES),
            disputes=[
                Dispute(order_id, label, RecordHead.read(body, 0), claim, after, why, received)
                for order_id, label, body, claim, after, why, received in self._store.query(
                    "SELECT f.order_id, t.label, e.body, f.claim, f.after, f.why, e.received"
                    f" {_DISPUTES} ORDER BY e.number DESC LIMIT {TROUBLES}"
                )
            ],
            strayed=self._count(_STRAYS),
            strays=[
                Stray(order_id or "", label, RecordHead.read(body, 0), received)
                for order_id, label, body, received in self._store.query(
                    f"SELECT e.order_id, t.label, e.body, e.received {_STRAYS} ORDER BY e.number DESC LIMIT {TROUBLES}"
                )
            ],
            conflicted=self._count(_CONFLICTS),
            conflicts=[
                Conflict(code, label or terminal.hex(), epoch, seq, received)
                for code, label, terminal, epoch, seq, received in self._store.query(
                    "SELECT c.code, t.label, c.terminal, c.epoch, c.seq, c.received"
                    f" {_CONFLICTS} ORDER BY c.number DESC LIMIT {TROUBLES}"
                )
            ],
            terminals=[
                (terminal, self._count("FROM events WHERE terminal = ?", (terminal.id,)))
                for terminal in self._store.terminals()
            ],
        )

    def orders(self, limit: int, offset: int = 0) -> list[OrderView]:
        """Newest record first, then by import."""
        rows = self._store.query(
            f"{_ORDERS} ORDER BY o.last IS NULL, o.last DESC, o.number LIMIT ? OFFSET ?", (limit, offset)
        )
        return [self._order(row) for row in rows]

    def order(self, id: str) -> OrderView | None:
        rows = self._store.query(f"{_ORDERS} WHERE o.id = ?", (id,))
        return self._order(rows[0]) if rows else None

    def events(self, order_id: str | None, limit: int) -> list[dict[str, Any]]:
        """JSON of an order's records in the order they count, or of the newest records of all."""
        if order_id is None:
            rows = self._store.query(f"{_EVENTS} ORDER BY e.number DESC LIMIT ?", (limit,))
        else:
            rows = self._store.query(
                f"{_EVENTS} WHERE f.order_id = :id OR (f.event IS NULL AND e.order_id = :id)"
                " ORDER BY f.position, e.number LIMIT :limit",
                {"id": order_id, "limit": limit},
            )
        return [_event_json(*row) for row in rows]

    def counts(self) -> dict[str, Any]:
        """Sizes of the book; `answers`: what became of every event that ever came."""
        sizes = {table: self._count(f"FROM {table}") for table in ("orders", "events", "terminals", "conflicts")}
        return {**sizes, "answers": dict(self._store.query("SELECT name, value FROM counters"))}

    def order_json(self, view: OrderView) -> dict[str, Any]:
        """An order for programs: names from the vocabulary, money as exact decimal text."""
        last = view.last
        return {
            "order": view.id,
            "class": names("order_class")[view.order_class].lower(),
            "state": names("state")[view.state],
            "holder": view.holder,
            "place": view.place,
            "value": None if view.value is None else decimal(view.value, view.currency),
            "currency": view.currency,
            "shop": view.shop,
            "cell": view.cell,
            "seals": view.seals,
            "differences": view.disputed,
            "last": last
            and {
                "action": names("action")[last.action],
                "verdict": names("verdict")[last.verdict],
                "time": iso(last.time),
                "received": iso(last.received),
            },
        }

    def _order(self, row: tuple[Any, ...]) -> OrderView:
        id, order_class, state, place, value, currency, shop, cell, seals, records, disputed, body, received, last = row
        scan = None
        if body is not None:
            head = RecordHead.read(body, 0)
            scan = LastScan(head.action, head.verdict, head.t_utc, received)
        return OrderView(
            id=id,
            order_class=order_class,
            state=state,
            holder=self._lifecycle.holder[state],
            place=place,
            value=value,
            currency=currency,
            shop=shop,
            cell=cell,
            seals=seals,
            mark=f"{records}-{last or 0}-{state}",
            disputed=disputed,
            last=scan,
        )

    def _count(self, source: str, values: Sequence[Any] = ()) -> int:
        count: int = self._store.query(f"SELECT count(*) {source}", values)[0][0]
        return count


def decimal(minor: int, currency: str) -> str:
    """Minor units as exact decimal text."""
    digits = MINOR_DIGITS[currency]
    text = str(minor).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


def iso(time: int) -> str | None:
    """RFC 3339, UTC; None for a clock that was not set."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None


def _event_json(
    number: int,
    body: bytes,
    previous: bytes,
    signature: bytes,
    received: int,
    label: str,
    order_id: str | None,
    before: int | None,
    after: int | None,
    why: str | None,
    disputed: int | None,
) -> dict[str, Any]:
    head = RecordHead.read(body, 0)
    states = names("state")
    return {
        "id": f"{head.terminal.hex()}-{head.epoch}-{head.seq}",
        "terminal": head.terminal.hex(),
        "label": label,
        "epoch": head.epoch,
        "seq": head.seq,
        "action": names("action")[head.action],
        "verdict": names("verdict")[head.verdict],
        "code_kind": names("code_kind")[head.code_kind],
        "actor": head.actor,
        "place": head.place,
        "time": iso(head.t_utc),
        "received": iso(received),
        "order": order_id,
        "effect": why == MOVED,
        "why": why,
        "before": None if before is None else states[before],
        "after": None if after is None else states[after],
        "claim": states[head.state_after] if head.state_after else None,
        "difference": bool(disputed),
        "previous": previous.hex(),
        "body": base64.b64encode(body).decode(),
        "signature": base64.b64encode(signature).decode(),
        "number": number,
    }
