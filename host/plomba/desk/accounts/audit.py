"""Who wrote what over the API: a row for each, which nothing changes or takes away. What stands in it is data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plomba.desk.store import Store

TEXT_MAX = 300
"""Characters of one field; a longer one is cut."""
LISTED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is s since 1970 by the desk's clock, `account` a name ("" = nobody's), `peer` an address, `request` the
    idempotency key ("" = none)."""

    number: int
    at: int
    account: str
    peer: str
    operation: str
    subject: str
    outcome: str
    request: str


class Audit:
    """In the store's thread, in the caller's transaction: what was done and its row are there together."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def wrote(
        self, account: str, peer: str, operation: str, subject: str = "", outcome: str = "done", request: str = ""
    ) -> None:
        """`outcome`: "done", or the code of the refusal."""
        fields = {
            "account": account,
            "peer": peer,
            "operation": operation,
            "subject": subject,
            "outcome": outcome,
            "request": request,
        }
        self._store.write(
            "INSERT INTO audit (at, account, peer, operation, subject, outcome, request)"
            " VALUES (:at, :account, :peer, :operation, :subject, :outcome, :request)",
            {"at": self._clock(), **{name: _kept(text) for name, text in fields.items()}},
        )

    def listed(self, after: int = 0, limit: int = LISTED_MAX) -> list[Entry]:
        """The rows behind number `after`, oldest first, at most LISTED_MAX."""
        rows = self._store.query(
            "SELECT number, at, account, peer, operation, subject, outcome, request FROM audit"
            " WHERE number > :after ORDER BY number LIMIT :limit",
            {"after": after, "limit": max(0, min(limit, LISTED_MAX))},
        )
        return [Entry(*row) for row in rows]


def _kept(text: str) -> str:
    """What every store takes: no NUL, no half of a surrogate pair, no control characters."""
    return "".join(char if char.isprintable() else "�" for char in text[:TEXT_MAX])
