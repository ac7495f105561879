"""What people decided at the desk. A decision moves an order only as the lifecycle lets it, on the proof it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from plomba.desk.steps import MOVED
from plomba.desk.store import Store


@dataclass(frozen=True, slots=True)
class Decision:
    """`at` by the desk's clock; `record` is the identity of the record it stands on, "" where it needs none; `source`
    and `external_id` say where it came from, `person` who took it. `known`: the number of the newest record that the
    desk held then; 0 where that was not kept."""

    number: int
    order_id: str
    kind: str
    at: int
    record: str
    person: str
    source: str
    external_id: str
    reason: str
    known: int = 0


_COLUMNS = "number, order_id, kind, at, record, person, source, external_id, reason, known"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision, and what it did to its order as all that is known by now has it; `why`: steps.py, None while it has
    not been placed. `disputed`: a record that was heard later says that the order was elsewhere."""

    decision: Decision
    why: str | None
    before: int | None
    after: int | None
    disputed: bool

    @property
    def moved(self) -> bool:
        return self.why == MOVED


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

    def listed(self, order_id: str, after: int, limit: int) -> list[Outcome]:
        """An order's decisions and what each did, oldest first, from behind the number `after` on."""
        values = {"id": order_id, "after": after, "limit": limit}
        return self._outcomes("d.order_id = :id AND d.number > :after", values)

    def told(self, after: int, limit: int) -> list[Outcome]:
        """Those of all orders, oldest first, from behind the number `after` on."""
        return self._outcomes("d.number > :after", {"after": after, "limit": limit})

    def last(self) -> int:
        """The number of the newest decision, 0 = there is none."""
        number: int | None = self._store.query("SELECT max(number) FROM decisions")[0][0]
        return number or 0

    def _outcomes(self, where: str, values: dict[str, object]) -> list[Outcome]:
        columns = ", ".join(f"d.{name}" for name in _COLUMNS.split(", "))
        rows = self._store.query(
            f"SELECT {columns}, f.why, f.before, f.after, f.disputed FROM decisions d"
            " LEFT JOIN effects f ON f.order_id = d.order_id AND f.decision = d.number"
            f" WHERE {where} ORDER BY d.number LIMIT :limit",
            values,
        )
        return [
            Outcome(Decision(*decision), why, before, state, bool(disputed))
            for *decision, why, before, state, disputed in rows
        ]

    def add(
        self,
        kind: str,
        order_id: str,
        at: int,
        record: str,
        person: str,
        source: str,
        external_id: str,
        reason: str,
        known: int = 0,
    ) -> int:
        """Its number."""
        number = self.last() + 1
        self._store.write(
            f"INSERT INTO decisions ({_COLUMNS}) VALUES (:number, :order_id, :kind, :at, :record, :person, :source,"
            " :external_id, :reason, :known)",
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
                "known": known,
            },
        )
        return number
