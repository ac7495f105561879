"""Sessions of browsers in the store: by the hash of a secret that only the cookie holds."""

from __future__ import annotations

from collections.abc import Callable

from plomba.desk.accounts import tokens
from plomba.desk.store import Store

LIFE = 12 * 3600
"""Seconds after which a session ends, whatever is done in it."""
IDLE = 3600
"""Seconds without a request after which it ends."""
KEPT = 20
"""Sessions of one account; a further one ends its oldest."""
_STEP = 60
"""Seconds within which a use is not written down again: each costs a commit."""
_BACK = 300
"""Seconds that the desk's clock may go back by without ending what began after."""


class Sessions:
    """In the store's thread. What writes here runs in the caller's transaction, `living` needs none."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def begin(self, account: int, old: str = "") -> tuple[str, int]:
        """A new session of the account with that number, and when it ends. Its secret is always a new one, and the
        session that the browser had before, `old`, ends: nobody can have put it there to share it."""
        now, token = self._clock(), tokens.new(tokens.SESSION)
        self.end(old)
        self._store.write(
            "DELETE FROM account_sessions WHERE made <= :oldest OR seen <= :idle OR made > :late",
            self._limits(now),
        )
        self._store.write(
            "DELETE FROM account_sessions WHERE account = :account AND hash NOT IN"
            " (SELECT hash FROM account_sessions WHERE account = :account ORDER BY made DESC, seen DESC LIMIT :kept)",
            {"account": account, "kept": KEPT - 1},
        )
        self._store.write(
            "INSERT INTO account_sessions (hash, account, made, seen) VALUES (:hash, :account, :now, :now)",
            {"hash": tokens.digest(token), "account": account, "now": now},
        )
        return token, now + LIFE

    def living(self, token: str, note: bool = True) -> bytes | None:
        """The hash of the session, None when there is none or it has ended. Notes the use, unless `note` is false."""
        hash, now = tokens.digest(token), self._clock()
        if hash is None:
            return None
        rows = self._store.query(
            "SELECT seen FROM account_sessions"
            " WHERE hash = :hash AND made > :oldest AND seen > :idle AND made <= :late",
            {"hash": hash, **self._limits(now)},
        )
        if not rows:
            return None
        if note and not 0 <= now - rows[0][0] < _STEP:
            self._store.write("UPDATE account_sessions SET seen = :now WHERE hash = :hash", {"now": now, "hash": hash})
        return hash

    def end(self, token: str) -> None:
        hash = tokens.digest(token)
        if hash is not None:
            self._store.write("DELETE FROM account_sessions WHERE hash = :hash", {"hash": hash})

    def _limits(self, now: int) -> dict[str, int]:
        return {"oldest": now - LIFE, "idle": now - IDLE, "late": now + _BACK}
