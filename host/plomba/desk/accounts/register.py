"""The accounts and their tokens in the store. A revoked account keeps its name: the audit names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plomba.desk.accounts import tokens
from plomba.desk.accounts.account import Account, folded
from plomba.desk.store import Store
from plomba.errors import UsageError

DAY = 86400
_ACCOUNT = "a.name, a.role, a.places, a.shop, a.badge"
_TOKEN_LIVES = "(t.expires IS NULL OR t.expires > :now)"


@dataclass(frozen=True, slots=True)
class Entry:
    """An account as it is listed, without a secret. `made` and `revoked` are s since 1970; `used`: the day on which one
    of its tokens was used last, as s since 1970 of its beginning; `tokens`: how many it can use."""

    account: Account
    password: bool
    tokens: int
    made: int
    used: int | None
    revoked: int | None


class Register:
    """In the store's thread. What writes here runs in the caller's transaction."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def any(self) -> bool:
        """Whether there ever was an account: a desk whose last one was revoked is not open again."""
        return bool(self._store.query("SELECT 1 FROM accounts LIMIT 1"))

    def add(self, account: Account) -> None:
        """Raises UsageError `account_taken`."""
        if self._store.query("SELECT 1 FROM accounts WHERE folded = :folded", {"folded": folded(account.name)}):
            raise UsageError("account_taken", name=account.name)
        self._store.write(
            "INSERT INTO accounts (folded, name, role, places, shop, badge, made)"
            " VALUES (:folded, :name, :role, :places, :shop, :badge, :made)",
            {
                "folded": folded(account.name),
                "name": account.name,
                "role": account.role,
                "places": json.dumps(sorted(account.places)),
                "shop": account.shop,
                "badge": account.badge,
                "made": self._clock(),
            },
        )

    def issue(self, name: str, days: int | None = None) -> str:
        """A new token, which nothing shows again; it ends after `days`. Raises UsageError `account_unknown`,
        `token_days`."""
        if days is not None and not 1 <= days <= 3650:
            raise UsageError("token_days", days=days)
        number, now, token = self.number(name), self._clock(), tokens.new(tokens.ACCOUNT)
        self._store.write(
            "INSERT INTO account_tokens (hash, account, made, expires) VALUES (:hash, :account, :made, :expires)",
            {
                "hash": tokens.digest(token),
                "account": number,
                "made": now,
                "expires": None if days is None else now + days * DAY,
            },
        )
        return token

    def revoke_tokens(self, name: str) -> None:
        """Ends every token it has. Raises UsageError `account_unknown`."""
        self._store.write("DELETE FROM account_tokens WHERE account = :account", {"account": self.number(name)})

    def revoke(self, name: str) -> None:
        """Ends the account, its tokens, password and sessions. Raises UsageError `account_unknown`."""
        number = self.number(name)
        self._store.write(
            "UPDATE accounts SET revoked = :now, password = NULL WHERE number = :number",
            {"now": self._clock(), "number": number},
        )
        self._store.write("DELETE FROM account_tokens WHERE account = :account", {"account": number})
        self._store.write("DELETE FROM account_sessions WHERE account = :account", {"account": number})

    def set_password(self, name: str, held: str, session: bytes | None = None) -> None:
        """`held`: passwords.py. Ends its sessions but the one with the hash `session`. Raises UsageError
        `account_unknown`."""
        number = self.number(name)
        self._store.write(
            "UPDATE accounts SET password = :held WHERE number = :number", {"held": held, "number": number}
        )
        self._store.write(
            "DELETE FROM account_sessions WHERE account = :account AND hash <> :kept",
            {"account": number, "kept": session or b""},
        )

    def password(self, name: str) -> tuple[Account, str] | None:
        """The account of that name, and what is kept of its password."""
        rows = self._store.query(
            f"SELECT {_ACCOUNT}, a.password FROM accounts a"
            " WHERE a.folded = :folded AND a.revoked IS NULL AND a.password IS NOT NULL",
            {"folded": folded(name)},
        )
        return (_account(rows[0][:-1]), rows[0][-1]) if rows else None

    def bearer(self, token: str, peer: str = "", note: bool = True) -> Account | None:
        """Whose token it is; None for one that is unknown, revoked or has ended. Notes the day if
        `note`."""
        hash, now = tokens.digest(token), self._clock()
        if hash is None:
            return None
        rows = self._store.query(
            f"SELECT {_ACCOUNT}, t.used FROM account_tokens t JOIN accounts a ON a.number = t.account"
            f" WHERE t.hash = :hash AND a.revoked IS NULL AND {_TOKEN_LIVES}",
            {"hash": hash, "now": now},
        )
        if not rows:
            return None
        today = now - now % DAY
        if note and rows[0][-1] != today:
            self._store.write(
                "UPDATE account_tokens SET used = :today WHERE hash = :hash", {"today": today, "hash": hash}
            )
        return _account(rows[0][:-1], peer)

    def session(self, hash: bytes, peer: str = "") -> Account | None:
        """The account that the session with that hash belongs to, whether the session still lives or not."""
        rows = self._store.query(
            f"SELECT {_ACCOUNT} FROM account_sessions s JOIN accounts a ON a.number = s.account"
            " WHERE s.hash = :hash AND a.revoked IS NULL",
            {"hash": hash},
        )
        return _account(rows[0], peer) if rows else None

    def listed(self) -> list[Entry]:
        """All accounts, by name; revoked ones too."""
        rows = self._store.query(
            f"SELECT {_ACCOUNT}, a.password IS NOT NULL, count(t.hash), a.made, max(t.used), a.revoked FROM accounts a"
            f" LEFT JOIN account_tokens t ON t.account = a.number AND {_TOKEN_LIVES}"
            " GROUP BY a.number, a.folded, a.name, a.role, a.places, a.shop, a.badge, a.password, a.made, a.revoked"
            " ORDER BY a.folded",
            {"now": self._clock()},
        )
        return [
            Entry(_account(row[:5]), bool(password), int(count), made, used, revoked)
            for row in rows
            for password, count, made, used, revoked in [row[5:]]
        ]

    def number(self, name: str) -> int:
        """Of an account that was not revoked. Raises UsageError `account_unknown`."""
        rows = self._store.query(
            "SELECT number FROM accounts WHERE folded = :folded AND revoked IS NULL", {"folded": folded(name)}
        )
        if not rows:
            raise UsageError("account_unknown", name=name)
        number: int = rows[0][0]
        return number


def _account(row: tuple[Any, ...], peer: str = "") -> Account:
    name, role, places, shop, badge = row
    return Account(name, role, frozenset(json.loads(places)), shop, badge, peer)
