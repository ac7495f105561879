"""Personal data of recipients: beside the orders, in no record, log or manifest, and erasable for good.

Evidence does not know them: it stands after an erasure as before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from plomba.desk.accounts.account import NAME_MAX
from plomba.desk.paging import PAGE, pages
from plomba.desk.store import Store
from plomba.errors import UsageError

# Any account's name, UTF-8.
_PERSON_MAX = 4 * NAME_MAX


@dataclass(frozen=True, slots=True)
class Erased:
    """Who erased an order's personal data, and when, s since 1970."""

    order: str
    at: int
    person: str


class Personal:
    """Runs in the store's thread."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def of(self, order_id: str) -> dict[str, str]:
        """Field -> value."""
        rows = self._store.query(
            "SELECT field, value FROM personal WHERE order_id = :id ORDER BY field", {"id": order_id}
        )
        return {field: value for field, value in rows}

    def held(self, ids: Collection[str]) -> dict[str, dict[str, str]]:
        """Order -> field -> value, of those of these orders that have any."""
        found: dict[str, dict[str, str]] = {}
        for page in pages(sorted(ids), PAGE):
            for id, field, value in self._store.query(
                "SELECT order_id, field, value FROM personal WHERE order_id IN :ids", {"ids": page}
            ):
                found.setdefault(id, {})[field] = value
        return found

    def erasures(self, ids: Collection[str]) -> dict[str, Erased]:
        """Those of these orders whose personal data were erased."""
        found = {}
        for page in pages(sorted(ids), PAGE):
            for row in self._store.query(
                "SELECT order_id, at, person FROM personal_erased WHERE order_id IN :ids", {"ids": page}
            ):
                found[row[0]] = Erased(*row)
        return found

    def put(self, told: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        """Keeps what is told of each order's recipient, in a transaction of the caller. A field that is not told
        stays. An erased order must not be among them."""
        rows = [{"id": id, "field": field, "value": value} for id, fields in told for field, value in fields.items()]
        # A longer text in the place of a shorter one would make the database move its neighbours, and leave copies.
        self._store.write_many("DELETE FROM personal WHERE order_id = :id AND field = :field", [_key(r) for r in rows])
        self._store.write_many("INSERT INTO personal (order_id, field, value) VALUES (:id, :field, :value)", rows)

    def erase(self, order_id: str, person: str) -> Erased:
        """Erases what is held of the recipient; `person` is who does it. What is told of them later is not taken.
        Once only: the second time answers as the first. SQLite: when this returns, the bytes are in no file of the
        database; PostgreSQL: after the next VACUUM of the table (docs/orders.md). Raises UsageError
        `desk_order_unknown`, `desk_personal_unerasable`."""
        with self._store.transaction():
            erased = self.forget(order_id, person)
        # Also the second time: the desk may have ended between the two steps of the first.
        self.scour()
        return erased

    def scour(self) -> None:
        """The second step of an erasure, when the first is on disk; outside of a transaction."""
        self._store.database.empty_log()

    def forget(self, order_id: str, person: str) -> Erased:
        """The first step of an erasure: no row holds them any more. Raises as `erase`."""
        who = person.strip()
        if not who or not who.isprintable() or len(who.encode()) > _PERSON_MAX:
            raise UsageError("desk_personal_unerasable")
        with self._store.transaction():
            before = self.erasures([order_id]).get(order_id)
            if before is None:
                if not self._store.count("FROM orders WHERE id = :id", {"id": order_id}):
                    raise UsageError("desk_order_unknown", order=order_id)
                before = Erased(order_id, self._clock(), who)
                self._store.write(
                    "INSERT INTO personal_erased (order_id, at, person) VALUES (:id, :at, :person)",
                    {"id": order_id, "at": before.at, "person": who},
                )
            self._store.write("DELETE FROM personal WHERE order_id = :id", {"id": order_id})
        return before


def _key(row: Mapping[str, str]) -> dict[str, str]:
    return {"id": row["id"], "field": row["field"]}
