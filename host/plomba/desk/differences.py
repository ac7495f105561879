"""Where terminals and desk do not agree: what a terminal says of an order, a record or a whole journal, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plomba.desk.store import Store
from plomba_wire.codec import RecordHead

UNKNOWN_ORDER = "unknown_order"
"""Why a record is listed whose order is not in the book."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A record after which the terminal and the desk do not say the same of an order. `state` is where the desk had it
    then; `why`: steps.py."""

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
    """A signed record that is kept apart, and counts for nothing. `code` says why: receiving.KEPT."""

    code: str
    terminal: str
    epoch: int
    seq: int
    received: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A dispute or a stray, as it is listed. `number` is the record's; `after` is where the desk had the order behind
    it and `state` where it has it now, None for an order the book has not; `claim` None: what the record says."""

    number: int
    order_id: str | None
    label: str
    head: RecordHead
    received: int
    claim: int | None
    after: int | None
    why: str
    state: int | None

    @property
    def key(self) -> tuple[int, str]:
        return self.number, self.order_id or ""


_DISPUTES = """
FROM effects f JOIN events e ON e.number = f.event JOIN terminals t ON t.terminal = e.terminal
JOIN orders o ON o.id = f.order_id WHERE f.disputed = 1
"""
_STRAYS = "FROM strays s JOIN events e ON e.number = s.event JOIN terminals t ON t.terminal = e.terminal"
_CONFLICTS = "FROM conflicts c LEFT JOIN terminals t ON t.terminal = c.terminal"
_LISTED = f"""
SELECT e.number AS number, f.order_id AS order_id, t.label, e.body, e.received, f.claim, f.after, f.why, o.state
{_DISPUTES}
UNION ALL
SELECT e.number, e.order_id, t.label, e.body, e.received, NULL, NULL, '{UNKNOWN_ORDER}', NULL {_STRAYS}
"""
_BEHIND = "l.number < :number OR (l.number = :number AND coalesce(l.order_id, '') > :order)"
_ORDERED = "ORDER BY l.number DESC, coalesce(l.order_id, '') LIMIT :limit"


class Differences:
    """Newest records first. Runs in the store's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def disputed(self) -> int:
        # Of a decision there is no record.
        return self._store.count("FROM effects WHERE disputed = 1 AND event IS NOT NULL")

    @property
    def strayed(self) -> int:
        return self._store.count("FROM strays")

    @property
    def conflicted(self) -> int:
        return self._store.count(_CONFLICTS)

    def disputes(self, limit: int) -> Sequence[Dispute]:
        rows = self._store.query(
            "SELECT f.order_id, t.label, e.body, f.claim, f.after, f.why, e.received"
            f" {_DISPUTES} ORDER BY e.number DESC, f.order_id LIMIT :limit",
            {"limit": limit},
        )
        return [
            Dispute(order_id, label, RecordHead.read(body, 0), claim, after, why, received)
            for order_id, label, body, claim, after, why, received in rows
        ]

    def strays(self, limit: int) -> Sequence[Stray]:
        rows = self._store.query(
            f"SELECT e.order_id, t.label, e.body, e.received {_STRAYS} ORDER BY s.event DESC LIMIT :limit",
            {"limit": limit},
        )
        return [
            Stray(order_id or "", label, RecordHead.read(body, 0), received) for order_id, label, body, received in rows
        ]

    def conflicts(self, limit: int) -> Sequence[Conflict]:
        rows = self._store.query(
            f"SELECT c.code, t.label, c.terminal, c.epoch, c.seq, c.received {_CONFLICTS}"
            " ORDER BY c.number DESC LIMIT :limit",
            {"limit": limit},
        )
        return [
            Conflict(code, label or terminal.hex(), epoch, seq, received)
            for code, label, terminal, epoch, seq, received in rows
        ]

    def listed(self, after: tuple[int, str] | None, limit: int) -> list[Difference]:
        """All disputes and strays, the newest record first, from behind the key `after` on."""
        behind = "" if after is None else f"WHERE {_BEHIND}"
        values: dict[str, object] = {"limit": limit}
        if after is not None:
            values |= {"number": after[0], "order": after[1]}
        rows = self._store.query(f"SELECT * FROM ({_LISTED}) l {behind} {_ORDERED}", values)
        return [
            Difference(number, order_id, label, RecordHead.read(body, 0), received, claim, after, why, state)
            for number, order_id, label, body, received, claim, after, why, state in rows
        ]
