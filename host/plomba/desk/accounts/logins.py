"""Logging in with a name and a password, out again, and a new password.

Each is cut in three: what the store says before (its thread), the slow look at the password (any other
thread), what the store is told after. `login` and `change` do all three where they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plomba.desk.accounts import tokens
from plomba.desk.accounts.account import NAME_MAX, Account
from plomba.desk.accounts.attempts import Attempts, Counted
from plomba.desk.accounts.audit import Audit
from plomba.desk.accounts.passwords import Passwords, check
from plomba.desk.accounts.register import Register
from plomba.desk.accounts.sessions import Sessions
from plomba.desk.store import Store
from plomba.errors import UsageError


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted. `held`: what the password has to fit, None for a name without one."""

    name: str
    peer: str
    counted: Counted
    account: Account | None
    held: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A session: `token` belongs into the cookie and nowhere else, `csrf` into the page; `ends` is s since 1970."""

    token: str
    csrf: str
    account: Account
    ends: int


class Logins:
    """`begin`, `finish`, `changed` and `logout` run in the store's thread, outside of a transaction: what they count
    and note stays when they refuse."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        register: Register,
        sessions: Sessions,
        audit: Audit,
        passwords: Passwords,
    ) -> None:
        self._store = store
        self._register = register
        self._sessions = sessions
        self._audit = audit
        self._attempts = Attempts(store, clock)
        self.passwords = passwords

    def login(self, name: str, password: str, peer: str, old: str = "") -> Opened:
        """A new session; `old` is what the browser's cookie held before. Raises UsageError `desk_login_wrong`, which
        does not say what was wrong, and Wait."""
        attempt = self.begin(name, peer)
        return self.finish(attempt, self.passwords.fits(password, attempt.held), old)

    def change(self, account: Account, old: str, new: str, session: bytes) -> None:
        """Another password for the account of the session with that hash; its other sessions end. Raises UsageError
        `desk_login_wrong`, `password_short`, `password_long`, and Wait."""
        check(new)
        attempt = self.begin(account.name, account.peer)
        right = self.passwords.fits(old, attempt.held)
        self.changed(attempt, self.passwords.made(new) if right else None, session)

    def begin(self, name: str, peer: str) -> Attempt:
        """Raises Wait."""
        counted = self._attempts.count(name, peer)
        found = self._register.password(name) if len(name) <= NAME_MAX and name.isprintable() else None
        return Attempt(name, peer, counted, *(found or (None, None)))

    def finish(self, attempt: Attempt, right: bool, old: str = "") -> Opened:
        """Raises UsageError `desk_login_wrong`."""
        account = self._still(attempt, right, "session.open")
        self._attempts.passed(attempt.name, attempt.peer, attempt.counted)
        with self._store.transaction():
            token, ends = self._sessions.begin(self._register.number(account.name), old)
            self._audit.wrote(account.name, attempt.peer, "session.open")
        return Opened(token, tokens.csrf(token), account, ends)

    def changed(self, attempt: Attempt, held: str | None, session: bytes) -> None:
        """`held`: of the new password, None when the old one was wrong. Raises UsageError `desk_login_wrong`."""
        account = self._still(attempt, held is not None, "password.change")
        self._attempts.passed(attempt.name, attempt.peer, attempt.counted)
        with self._store.transaction():
            self._register.set_password(account.name, held or "", session)
            self._audit.wrote(account.name, attempt.peer, "password.change", account.name)

    def logout(self, token: str, account: Account) -> None:
        with self._store.transaction():
            self._sessions.end(token)
            self._audit.wrote(account.name, account.peer, "session.end")

    def _still(self, attempt: Attempt, right: bool, operation: str) -> Account:
        """The account, if the password was right and has not been taken away meanwhile."""
        account = attempt.account
        if right and account is not None and self._register.password(attempt.name) == (account, attempt.held):
            return account
        # A name that is not there is not noted: it may be a password in the wrong field.
        self._audit.wrote(account.name if account else "", attempt.peer, operation, outcome="desk_login_wrong")
        raise UsageError("desk_login_wrong")
