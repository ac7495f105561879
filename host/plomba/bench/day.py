"""A long day at a pick-up point: its orders, and everything that is scanned and pressed. Seeded.

Each morning a badge, then 60 parcels are stored and handed out one by one: the customer's code, the order's label, and
for every third one, which is jewellery, the seal and an item tag before the OK key. So 14 records come from three
orders, two of them a day's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from plomba.desk.orders import Order
from plomba_wire.vocabulary import OrderClass, State, Symbology

Input = list[int | str] | str
"""A code as [symbology, text], or the name of a key."""

_A_DAY = 60
_SEALED = 3
_RECORDS_A_DAY = 2 + _A_DAY // _SEALED * 14
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def orders(records: int, place: int, seed: int) -> list[Order]:
    """Enough orders for a journal of so many records."""
    random = Random(seed)
    return [_order(random, index, place) for index in range((records // _RECORDS_A_DAY + 1) * _A_DAY)]


def inputs(orders: list[Order], seed: int) -> Iterator[Input]:
    """What is scanned and pressed for these orders."""
    random = Random(seed)
    for first in range(0, len(orders), _A_DAY):
        today = orders[first : first + _A_DAY]
        yield [Symbology.QR, f"PLB*BADGE*{random.randrange(1000, 10000)}"]
        yield [Symbology.QR, "PLB*STORE"]
        for order in today:
            yield [Symbology.CODE_128, order.id]
        for order in today:
            yield [Symbology.QR, f"PLB*CUSTOMER*{random.randrange(10**12):012}"]
            yield [Symbology.CODE_128, order.id]
            for seal in order.seals:
                yield [Symbology.QR, seal]
            for uin in order.uins:
                yield [Symbology.DATA_MATRIX, uin]
            yield "ok"


def _order(random: Random, index: int, place: int) -> Order:
    id = f"{random.randrange(10**8):08}-{random.randrange(10**4):04}-{random.randrange(1, 9)}"
    cell = f"{random.choice('ABCD')}-{random.randrange(1, 60):02}"
    if index % _SEALED:
        return Order(id, OrderClass.PLAIN, State.AT_POINT, place, None, "RUB", "shop", cell, (), ())
    seal = "PL" + "".join(random.choice(_ALPHABET) for _ in range(12))
    uin = f"{random.randrange(10**15, 10**16)}"
    return Order(id, OrderClass.SEALED, State.AT_POINT, place, None, "RUB", "jeweller", cell, (seal,), (uin,))
