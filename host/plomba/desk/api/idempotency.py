"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a request that comes again is answered, not done again.

The answer is kept in the transaction of what the request did. A desk that dies between the commit and the answer gives
the same answer to the retry; one that dies before has done nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from plomba.desk.problems import Malformed
from plomba.desk.store import Store
from plomba.errors import UsageError

HEADER = "Idempotency-Key"
KEY_MAX = 128
"""Characters of the longest key."""
KEPT_S = 7 * 86400
"""How long an answer is kept."""
REFUSAL_MAX = 65536
"""Bytes of the longest refusal that is kept: it did nothing, and a longer one is worked out again."""

# A structured-header string (RFC 8941 section 3.3.3), which has no escapes here, or the same without its quotes.
_KEY = re.compile(r'"([!#-\[\]-~]{1,128})"|([!#-\[\]-~]{1,128})')


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer. `request` is the SHA-256 of the request that it belongs to."""

    request: bytes
    status: int
    media_type: str
    body: bytes


def key_of(header: str) -> str:
    """Raises Malformed."""
    found = _KEY.fullmatch(header.strip())
    if found is None:
        raise Malformed(HEADER, f"1 to {KEY_MAX} printable ASCII characters without spaces")
    return found[1] or found[2]


class Keys:
    """Runs in the store's thread."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def kept(self, account: str, key: str, request: bytes) -> Kept | None:
        """The answer that this request got. Raises UsageError desk_key_reused when the key was another request's."""
        rows = self._store.query(
            "SELECT request_hash, status, media_type, body FROM idempotency"
            " WHERE account = :account AND key = :key AND made > :since",
            {"account": account, "key": key, "since": self._clock() - KEPT_S},
        )
        if not rows:
            return None
        kept = Kept(*rows[0])
        if kept.request != request:
            raise UsageError("desk_key_reused", key=key)
        return kept

    def keep(self, account: str, key: str, operation: str, answer: Kept) -> None:
        """Inside the transaction of what the request did; drops what is too old."""
        now = self._clock()
        self._store.write("DELETE FROM idempotency WHERE made <= :since", {"since": now - KEPT_S})
        self._store.write(
            "INSERT INTO idempotency (account, key, operation, request_hash, status, media_type, body, made)"
            " VALUES (:account, :key, :operation, :request, :status, :media_type, :body, :now)",
            {
                "account": account,
                "key": key,
                "operation": operation,
                "request": answer.request,
                "status": answer.status,
                "media_type": answer.media_type,
                "body": answer.body,
                "now": now,
            },
        )
