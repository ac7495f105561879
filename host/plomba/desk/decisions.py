"""What people decided at the desk. A decision moves an order only as the lifecycle lets it, on the proof it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from plomba.desk.store import Store

DESK = b"\xff" * 8
"""Stands for a terminal where decisions are put in order with records: of one second, the record counts first."""


class _Head(NamedTuple):
    terminal: bytes
    epoch: int
    seq: int
    t_utc: int


@dataclass(frozen=True, slots=True)
class Decision:
    """`at` by the desk's clock; `record` is the identity of the record it stands on, "" where it needs none; `source`
    and `external_id` say where it came from, `person` who took it."""

    number: int
    order_id: str
    kind: str
    at: int
    record: str
    person: str
    source: str
    external_id: str
    reason: str

    @property
    def head(self) -> _Head:
        return _Head(DESK, 0, self.number, self.at)


_COLUMNS = "number, order_id, kind, at, record, person, source, external_id, reason"


class Decisions:
    """Runs in the store's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def about(self, ids: Iterable[str]) -> dict[str, list[Decision]]:
        """Decisions of each of these orders, oldest first."""
        found: dict[str, list[Decision]] = {}
        rows = self._store.query(
            f"SELECT {_COLUMNS} FROM decisions WHERE order_id IN :ids ORDER BY number", {"ids": sorted(ids)}
        )
        for row in rows:
            decision = Decision(*row)
            found.setdefault(decision.order_id, []).append(decision)
        return found

    def add(
        self, kind: str, order_id: str, at: int, record: str, person: str, source: str, external_id: str, reason: str
    ) -> int:
        """Its number."""
        number = (self._store.query("SELECT max(number) FROM decisions")[0][0] or 0) + 1
        self._store.write(
            f"INSERT INTO decisions ({_COLUMNS}) VALUES (:number, :order_id, :kind, :at, :record, :person, :source,"
            " :external_id, :reason)",
            {
                "number": number,
                "order_id": order_id,
                "kind": kind,
                "at": at,
                "record": record,
                "person": person,
                "source": source,
                "external_id": external_id,
                "reason": reason,
            },
        )
        return number
