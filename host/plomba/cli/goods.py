"""Orders for the demo: seeded, so that a run can be repeated."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from random import Random

_SHOPS = ("Аметист", "Книжный угол", "Дім і сад", "Ситцевый двор")
_CHECK = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Order:
    """One order; a jewellery order has a seal and an item number (УИН)."""

    id: str
    shop: str
    value: str
    cell: str
    seal: str = ""
    uin: str = ""
    state: str = "AT_POINT"
    cutoff: str = ""
    place: int = 0

    @property
    def sealed(self) -> bool:
        return bool(self.seal)


STRANGER = Order("99999999-0000-X", "", "0.00", "?")
"""An order that nobody announced."""
FORGOTTEN = Order("88888888-0000-F", _SHOPS[1], "2400.50", "", "", "", "ACCEPTED", "2026-01-12T18:00:00+03:00", 1)
"""An order elsewhere that nobody has picked though its day is over: the desk finds that out by itself."""


def orders(seed: int, count: int, sealed: int) -> list[Order]:
    """`count` orders, the first `sealed` of them jewellery, in a shuffled order."""
    rng = Random(seed)
    made = []
    for index in range(count):
        number = f"{rng.randrange(10**8):08}-{rng.randrange(10**4):04}"
        order_id = f"{number}-{_check_character(number)}"
        cell = f"{rng.choice('ABCD')}-{rng.randrange(1, 60):02}"
        if index < sealed:
            seal = "PL" + "".join(rng.choice(_CHECK) for _ in range(12))
            uin = f"{rng.randrange(10**15, 10**16)}"
            made.append(Order(order_id, _SHOPS[0], f"{rng.randrange(9000, 90000)}.00", cell, seal, uin))
        else:
            made.append(Order(order_id, rng.choice(_SHOPS[1:]), f"{rng.randrange(300, 6000)}.50", cell))
    rng.shuffle(made)
    return made


def order_file(made: list[Order], place: int) -> str:
    """The orders as the CSV that docs/orders.md describes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("order", "class", "state", "place", "value", "currency", "shop", "cell", "seals", "uins", "cutoff")
    )
    for order in made:
        kind = "sealed" if order.sealed else "plain"
        at = order.place or place
        row = (order.id, kind, order.state, at, order.value, "RUB", order.shop, order.cell, order.seal, order.uin)
        writer.writerow((*row, order.cutoff))
    return out.getvalue()


def _check_character(number: str) -> str:
    """A wrong digit or two swapped neighbours change it: 1-D codes are misread in up to 1 % of hard images."""
    return _CHECK[sum((place + 1) * ord(char) for place, char in enumerate(number)) % len(_CHECK)]
