"""Accounts in an order book of this process, with passwords that cost next to nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from book_scene import Clock

from plomba.desk.accounts import Accounts, Identity
from plomba.desk.accounts.account import new
from plomba.desk.accounts.logins import Opened
from plomba.desk.accounts.passwords import Cost, Passwords
from plomba.desk.store import Store
from plomba.errors import PlombaError

PASSWORD = "correct horse battery"
PEER = "192.0.2.7"
HERE = "127.0.0.1:8080"
"""A Host header."""


def accounts_in(store: Store, clock: Clock) -> Accounts:
    return Accounts(store, clock, Passwords(Cost(n=16, r=1, p=1)))


def with_token(accounts: Accounts, name: str = "anna", role: str = "clerk", **bound: object) -> str:
    """A new account's token."""
    account = new(name, role, **bound)  # type: ignore[arg-type]
    accounts.register.add(account)
    return accounts.register.issue(account.name)


def with_password(accounts: Accounts, name: str = "anna", role: str = "clerk", **bound: object) -> None:
    with_token(accounts, name, role, **bound)
    accounts.register.set_password(name, accounts.logins.passwords.made(PASSWORD))


def logged_in(accounts: Accounts, name: str = "anna", old: str = "") -> Opened:
    return accounts.logins.login(name, PASSWORD, PEER, old)


def asked(
    accounts: Accounts, token: str = "", method: str = "GET", headers: Mapping[str, str] | None = None
) -> Identity:
    """Who asks, with a bearer token or a session's."""
    found = {"host": HERE, **(headers or {})}
    if token.startswith("plk_"):
        return accounts.identify({**found, "authorization": f"Bearer {token}"}, {}, method, PEER)
    return accounts.identify(found, {"plomba-session": token} if token else {}, method, PEER)


def refused(code: str) -> pytest.RaisesExc[PlombaError]:
    return pytest.RaisesExc(PlombaError, check=lambda error: error.code == code)
