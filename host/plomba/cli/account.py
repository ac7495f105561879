"""`plomba desk account`: who may do what at the desk. The desk has to be stopped: its book has one holder."""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from plomba.cli.desk import Database
from plomba.errors import PlombaError, UsageError
from plomba.texts import say

if TYPE_CHECKING:
    from plomba.desk.accounts import Accounts

_HERE = "console"
"""The peer of what was done here, in the audit."""
Days = Annotated[int | None, Parameter(help="The token ends after so many days.")]


def add(
    name: str,
    *,
    role: Annotated[str, Parameter(help="clerk, courier, supervisor, shop, admin or dock.")],
    data: Path,
    database: Database = None,
    place: Annotated[list[int] | None, Parameter(negative="", help="The number of a place; none: all of them.")] = None,
    shop: Annotated[str, Parameter(help="The shop's name as in its orders, for role shop.")] = "",
    badge: Annotated[int | None, Parameter(help="The badge's number; a courier sees what it holds.")] = None,
    days: Days = None,
) -> int:
    """Make an account and print its token, which nothing shows again. With the first one the desk is closed to others.

    Example: plomba desk account add anna --role clerk --place 17 --data desk
    """
    from plomba.desk.accounts.account import new

    account = new(name, role, place or (), shop, badge)
    with _opened(data, database) as accounts:
        accounts.register.add(account)
        token = accounts.register.issue(account.name, days)
        accounts.audit.wrote("", _HERE, "account.add", account.name)
    print(json.dumps({"account": account.name, "role": role, "token": token}, ensure_ascii=False))
    return 0


def token(
    name: str,
    *,
    data: Path,
    database: Database = None,
    days: Days = None,
    only: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Print a further token for NAME; with --only its others end.

    Example: plomba desk account token dock-1 --only --data desk
    """
    with _opened(data, database) as accounts:
        if only:
            accounts.register.revoke_tokens(name)
        made = accounts.register.issue(name, days)
        accounts.audit.wrote("", _HERE, "account.token", name)
    print(json.dumps({"account": name, "token": made}, ensure_ascii=False))
    return 0


def list_(*, data: Path, database: Database = None) -> int:
    """List the accounts, one JSON line each.

    Example: plomba desk account list --data desk
    """
    with _opened(data, database) as accounts:
        entries = accounts.register.listed()
    for entry in entries:
        account = entry.account
        line = {
            "account": account.name,
            "role": account.role,
            "places": sorted(account.places),
            "shop": account.shop,
            "badge": account.badge,
            "password": entry.password,
            "tokens": entry.tokens,
            "made": _day(entry.made),
            "used": _day(entry.used),
            "revoked": _day(entry.revoked),
        }
        print(json.dumps(line, ensure_ascii=False))
    return 0


def revoke(name: str, *, data: Path, database: Database = None) -> int:
    """End an account: its tokens, its password, its sessions. Its name is not given again.

    Example: plomba desk account revoke anna --data desk
    """
    with _opened(data, database) as accounts:
        accounts.register.revoke(name)
        accounts.audit.wrote("", _HERE, "account.revoke", name)
    return 0


def password(name: str, *, data: Path, database: Database = None) -> int:
    """Give NAME a password for the browser, typed twice, or the first line of a pipe. Its sessions end.

    Example: plomba desk account password anna --data desk
    """
    with _opened(data, database) as accounts:
        accounts.register.number(name)
    held = _hashed(name)
    with _opened(data, database) as accounts:
        accounts.register.set_password(name, held)
        accounts.audit.wrote("", _HERE, "account.password", name)
    return 0


def _hashed(name: str) -> str:
    from plomba.desk.accounts.passwords import Passwords

    if not sys.stdin.isatty():
        return Passwords().made(sys.stdin.readline().rstrip("\r\n"))
    found = getpass.getpass(say("desk", "password_new", about=name))
    made = Passwords().made(found)
    if getpass.getpass(say("desk", "password_again")) != found:
        raise UsageError("password_differs")
    return made


@contextmanager
def _opened(data: Path, database: str | None) -> Iterator[Accounts]:
    """All that happens inside, or nothing of it. Raises PlombaError, desk_store_busy while a desk runs."""
    try:
        from plomba.desk.accounts import Accounts
        from plomba.desk.store import Store
    except ModuleNotFoundError as error:
        raise PlombaError("extra_missing", package=(error.name or "").partition(".")[0], extra="desk") from error

    store = Store(data, database)
    try:
        with store.transaction():
            yield Accounts(store, lambda: int(time.time()))
    finally:
        store.close()


def _day(at: int | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
