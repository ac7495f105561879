"""Who asks: an account with its role and its part of the orders, or nobody."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from plomba.desk.accounts import rights
from plomba.errors import UsageError

NAME_MAX = 64
"""Characters of the longest name of an account."""
SHOP_MAX = 200
COURIER = "courier"
SHOP = "shop"
_UNBOUND = ("admin", "dock", COURIER)
"""Roles without places: an admin makes accounts without any, and a courier is bound to what he holds."""
_U32 = 0xFFFFFFFF


class Visible(Protocol):
    """Of an order: its place, its shop, who holds it, and which of these (custody.py)."""

    @property
    def place(self) -> int: ...
    @property
    def shop(self) -> str: ...
    @property
    def holder(self) -> str: ...
    @property
    def party(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Account:
    """`places`: numbers of points, empty = all. `shop` is set for role shop and `badge` for a courier. `peer`: the
    address that the request came from. As text it is its name."""

    name: str
    role: str
    places: frozenset[int] = frozenset()
    shop: str = ""
    badge: int | None = None
    peer: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.name

    @property
    def limited(self) -> bool:
        """Whether it sees a part of the orders only."""
        return bool(self.places) or self.role in (SHOP, COURIER)

    def may(self, right: str) -> bool:
        """Raises KeyError for a right that is not in rights.toml."""
        return rights.allowed(self.role, right)

    def sees(self, order: Visible) -> bool:
        """Whether the order is one of those it has rights for."""
        if self.role == COURIER:
            return self.badge is not None and (order.holder, order.party) == (COURIER, str(self.badge))
        if self.role == SHOP and (not self.shop or order.shop != self.shop):
            return False
        return not self.places or order.place in self.places

    def narrowed(self, orders: str = "orders") -> tuple[str, dict[str, Any]]:
        """The same as `sees` in SQL: a condition on the table `orders` or its alias, and its values."""
        if self.role == COURIER:
            if self.badge is None:
                return "1 = 0", {}
            condition = f"{orders}.holder = :account_holder AND {orders}.party = :account_party"
            return condition, {"account_holder": COURIER, "account_party": str(self.badge)}
        conditions, values = ["1 = 1"], dict[str, Any]()
        if self.role == SHOP:
            conditions.append(f"{orders}.shop = :account_shop AND {orders}.shop <> ''")
            values["account_shop"] = self.shop
        if self.places:
            conditions.append(f"{orders}.place IN :account_places")
            values["account_places"] = sorted(self.places)
        return " AND ".join(conditions), values


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody. `open`: the desk has no account yet, and everybody may do everything."""

    open: bool = False
    peer: str = field(default="", compare=False)
    name = ""

    def __str__(self) -> str:
        return ""

    @property
    def limited(self) -> bool:
        return not self.open

    def may(self, right: str) -> bool:
        """Raises KeyError for a right that is not in rights.toml."""
        return rights.allowed("", right) or self.open

    def sees(self, order: Visible) -> bool:
        return self.open

    def narrowed(self, orders: str = "orders") -> tuple[str, dict[str, Any]]:
        """As `Account.narrowed`."""
        return "1 = 1" if self.open else "1 = 0", {}


Identity = Account | Anonymous


def new(name: str, role: str, places: Iterable[int] = (), shop: str = "", badge: int | None = None) -> Account:
    """An account that says what its role needs and nothing else. Raises UsageError `account_name`, `account_role`,
    `account_unfit`."""
    name = unicodedata.normalize("NFC", name)
    if not sayable(name, NAME_MAX) or not name[0].isalnum() or " " in name:
        raise UsageError("account_name", name=name, longest=NAME_MAX)
    if role not in rights.roles():
        raise UsageError("account_role", role=role, roles=", ".join(rights.roles()))
    account = Account(name, role, frozenset(places), shop, badge)
    unfit = {
        "shop": bool(shop) != (role == SHOP) or (bool(shop) and not sayable(shop, SHOP_MAX)),
        "badge": (badge is None and role == COURIER) or (badge is not None and not 0 < badge <= _U32),
        "place": (bool(account.places) and role in _UNBOUND) or not all(0 <= one <= _U32 for one in account.places),
    }
    for what, is_unfit in unfit.items():
        if is_unfit:
            raise UsageError("account_unfit", what=what, role=role)
    return account


def folded(name: str) -> str:
    """The form in which a name is looked up: two that look alike are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def sayable(text: str, longest: int) -> bool:
    """Whether it is a text that a store, a log and a page can take."""
    return 0 < len(text) <= longest and text.isprintable() and text == text.strip()
