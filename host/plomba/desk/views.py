"""What people and programs get to see of the order book: reading only, no words, no markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plomba.desk.differences import Conflict, Differences, Dispute, Stray
from plomba.desk.incidents import Incident, newest_open
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.orders import MINOR_DIGITS
from plomba.desk.seen import EVERYTHING, Seen
from plomba.desk.store import Store, Terminal
from plomba_wire.codec import RecordHead

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
    """One order as it stands. `party`: which of the holders; `lacks` names the columns that its intake asks for; `mark`
    changes with every record about it; `value` is in minor units; `seals` counts those that hold; `unheard`: the
    deadline since which a terminal has not reported; `number` is the order of import."""

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
    number: int
    party: str = ""
    lacks: tuple[str, ...] = ()
    unheard: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders; None = any. `begins`: how their ids begin."""

    state: int | None = None
    holder: str | None = None
    place: int | None = None
    shop: str | None = None
    begins: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What one party holds: how many orders, and their worth in minor units by currency."""

    holder: str
    orders: int
    worth: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the live page shows. `total`, `open`, `unheard`, `disputed`, `strayed` and `conflicted` count what is
    cut off too: `open` the incidents that nobody has closed, `unheard` the orders whose terminal has not reported."""

    total: int
    orders: Sequence[OrderView]
    states: Mapping[int, int]
    held: Sequence[Held]
    open: int
    incidents: Sequence[Incident]
    unheard: int
    disputed: int
    disputes: Sequence[Dispute]
    strayed: int
    strays: Sequence[Stray]
    conflicted: int
    conflicts: Sequence[Conflict]
    terminals: Sequence[tuple[Terminal, int]]


_ORDERS = """
SELECT o.id, o.class, o.state, o.holder, o.place, o.value, o.currency, o.shop, o.cell, o.bag, o.seals, o.records,
       o.disputed, e.body, e.received, o.last, o.number, o.party, o.lacks, o.unheard
FROM orders o LEFT JOIN events e ON e.number = o.last
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
                sums[currency] = sums.get(currency, 0) + int(worth)
            held[holder] = (orders + count, sums)
        return Overview(
            total=sum(states.values()),
            orders=self.orders(LISTED),
            states=states,
            held=[Held(holder, orders, worth) for holder, (orders, worth) in held.items()],
            open=self._store.count("FROM incidents WHERE closed IS NULL"),
            incidents=newest_open(self._store, TROUBLES),
            unheard=self._store.count("FROM orders WHERE unheard IS NOT NULL"),
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

    def orders(self, limit: int) -> list[OrderView]:
        """Newest record first, then by import."""
        rows = self._store.query(
            f"{_ORDERS} ORDER BY o.last IS NULL, o.last DESC, o.number LIMIT :limit", {"limit": limit}
        )
        return [self._order(row) for row in rows]

    def imported(self, after: int, limit: int, wanted: Wanted, seen: Seen = EVERYTHING) -> list[OrderView]:
        """Of those that are `seen`, in the order of import, from behind the number `after` on."""
        condition, narrowing = seen
        values: dict[str, object] = {**narrowing, "after": after, "limit": limit}
        where = ["o.number > :after", condition]
        for column, value in (
            ("state", wanted.state),
            ("holder", wanted.holder),
            ("place", wanted.place),
            ("shop", wanted.shop),
        ):
            if value is not None:
                where.append(f"o.{column} = :{column}")
                values[column] = value
        if wanted.begins:
            where.append("substr(o.id, 1, :length) = :begins")
            values |= {"length": len(wanted.begins), "begins": wanted.begins}
        rows = self._store.query(f"{_ORDERS} WHERE {' AND '.join(where)} ORDER BY o.number LIMIT :limit", values)
        return [self._order(row) for row in rows]

    def order(self, id: str) -> OrderView | None:
        rows = self._store.query(f"{_ORDERS} WHERE o.id = :id", {"id": id})
        return self._order(rows[0]) if rows else None

    def counts(self) -> dict[str, Any]:
        """Sizes of the book; `answers`: what became of every event that ever came."""
        sizes = {table: self._store.count(f"FROM {table}") for table in ("orders", "events", "terminals", "conflicts")}
        answers = {name: value for name, value in self._store.query("SELECT name, value FROM counters")}
        return {**sizes, "answers": answers}

    def _order(self, row: tuple[Any, ...]) -> OrderView:
        id, order_class, state, holder, place, value, currency, shop, cell, bag, seals, records, disputed = row[:13]
        body, received, last, number, party, lacks, unheard = row[13:]
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
            number=number,
            party=party,
            lacks=tuple(lacks.split()),
            unheard=unheard,
        )


def decimal(minor: int, currency: str) -> str:
    """Minor units as exact decimal text."""
    digits = MINOR_DIGITS[currency]
    text = str(minor).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


def said(bag: bytes | None) -> str:
    """A bag's id as text; "" for none."""
    return (bag or b"").decode("utf-8", "backslashreplace")
