"""What people and programs get to see of the order book: reading only, no words, no markup."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plomba.desk.differences import Conflict, Differences, Dispute, Stray
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.orders import MINOR_DIGITS
from plomba.desk.steps import DONE, MOVED
from plomba.desk.store import Store, Terminal
from plomba.desk.words import iso, names
from plomba_wire import tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Tlv

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
    """One order as it stands. `lacks` names the columns that its intake asks for; `mark` changes with every record
    about it; `value` is in minor units; `seals` counts those that hold."""

    id: str
    order_class: int
    state: int
    holder: str
    place: int
    value: int | None
    currency: str
    shop: str
    cell: str
    bag: str
    seals: int
    mark: str
    disputed: int
    last: LastScan | None
    lacks: tuple[str, ...] = ()


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


_ORDERS = """
SELECT o.id, o.class, o.state, o.holder, o.place, o.value, o.currency, o.shop, o.cell, o.bag, o.seals, o.records,
       o.disputed, o.lacks, e.body, e.received, o.last
FROM orders o LEFT JOIN events e ON e.number = o.last
"""
_EVENTS = """
SELECT e.number, e.body, e.previous, e.signature, e.received, t.label, e.bag,
       f.order_id, f.before, f.after, f.why, f.disputed
FROM events e JOIN terminals t ON t.terminal = e.terminal LEFT JOIN effects f ON f.event = e.number
"""


class Views:
    """Runs in the store's thread."""

    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._differences = Differences(store)

    def overview(self) -> Overview:
        """Orders with the newest record first, then those without any in the order of import."""
        states: dict[int, int] = {}
        held: dict[str, tuple[int, dict[str, int]]] = {holder: (0, {}) for holder in self._lifecycle.holders}
        for state, holder, currency, count, worth in self._store.query(
            "SELECT state, holder, currency, count(*), sum(value) FROM orders GROUP BY state, holder, currency"
        ):
            states[state] = states.get(state, 0) + count
            orders, sums = held[holder]
            if currency:
                sums[currency] = sums.get(currency, 0) + worth
            held[holder] = (orders + count, sums)
        return Overview(
            total=sum(states.values()),
            orders=self.orders(LISTED),
            states=states,
            held=[Held(holder, orders, worth) for holder, (orders, worth) in held.items()],
            disputed=self._differences.disputed,
            disputes=self._differences.disputes(TROUBLES),
            strayed=self._differences.strayed,
            strays=self._differences.strays(TROUBLES),
            conflicted=self._differences.conflicted,
            conflicts=self._differences.conflicts(TROUBLES),
            terminals=[
                (terminal, self._store.count("FROM events WHERE terminal = :id", {"id": terminal.id}))
                for terminal in self._store.terminals()
            ],
        )

    def differences(self, limit: int, offset: int) -> dict[str, Any]:
        """JSON of every difference, newest record first."""
        return self._differences.listed(limit, offset)

    def orders(self, limit: int, offset: int = 0) -> list[OrderView]:
        """Newest record first, then by import."""
        rows = self._store.query(
            f"{_ORDERS} ORDER BY o.last IS NULL, o.last DESC, o.number LIMIT :limit OFFSET :offset",
            {"limit": limit, "offset": offset},
        )
        return [self._order(row) for row in rows]

    def order(self, id: str) -> OrderView | None:
        rows = self._store.query(f"{_ORDERS} WHERE o.id = :id", {"id": id})
        return self._order(rows[0]) if rows else None

    def events(self, order_id: str | None, limit: int) -> list[dict[str, Any]]:
        """JSON of an order's records in the order they count, or of the newest records of all."""
        if order_id is None:
            # A record of a whole bag is one record, whatever it did to how many orders.
            named = "AND (e.order_id IS NOT NULL OR e.order_ref <> 0)"
            rows = self._store.query(f"{_EVENTS} {named} ORDER BY e.number DESC LIMIT :limit", {"limit": limit})
        else:
            rows = self._store.query(
                f"{_EVENTS} WHERE f.order_id = :id OR (f.event IS NULL AND e.order_id = :id)"
                " ORDER BY f.position, e.number LIMIT :limit",
                {"id": order_id, "limit": limit},
            )
        return [_event_json(*row) for row in rows]

    def counts(self) -> dict[str, Any]:
        """Sizes of the book; `answers`: what became of every event that ever came."""
        sizes = {table: self._store.count(f"FROM {table}") for table in ("orders", "events", "terminals", "conflicts")}
        return {
            **sizes,
            "answers": {name: value for name, value in self._store.query("SELECT name, value FROM counters")},
        }

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
            "bag": view.bag or None,
            "seals": view.seals,
            "lacks": list(view.lacks),
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
        id, order_class, state, holder, place, value, currency, shop, cell, bag, seals, records, disputed, *rest = row
        lacks, body, received, last = rest
        scan = None
        if body is not None:
            head = RecordHead.read(body, 0)
            scan = LastScan(head.action, head.verdict, head.t_utc, received)
        return OrderView(
            id=id,
            order_class=order_class,
            state=state,
            holder=holder,
            place=place,
            value=value,
            currency=currency,
            shop=shop,
            cell=cell,
            bag=said(bag),
            seals=seals,
            mark=f"{records}-{last or 0}-{state}",
            disputed=disputed,
            last=scan,
            lacks=tuple(lacks.split()),
        )


def decimal(minor: int, currency: str) -> str:
    """Minor units as exact decimal text."""
    digits = MINOR_DIGITS[currency]
    text = str(minor).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


def said(bag: bytes | None) -> str:
    """A bag's id as text; "" for none."""
    return (bag or b"").decode("utf-8", "backslashreplace")


def _entered(head: RecordHead, body: bytes) -> dict[str, Any] | None:
    """What a late entry says: the action, and how many minutes before the record it was done."""
    late = tlv.unpack(body, RecordHead.SIZE).get(Tlv.LATE) if head.action == Action.LATE_ENTRY else None
    if late is None or len(late) != 3:
        return None
    return {"action": names("action").get(late[0]), "minutes": int.from_bytes(late[1:], "big")}


def _event_json(
    number: int,
    body: bytes,
    previous: bytes,
    signature: bytes,
    received: int,
    label: str,
    bag: bytes | None,
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
        "bag": said(bag) or None,
        "entered": _entered(head, body),
        "effect": why in (MOVED, DONE),
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
