"""Days at the counter of a point with a long list: what is scanned and pressed, one after the other. Seeded.

A day's parcels are drawn from the whole list, so that lookups go everywhere on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from plomba.desk.orders import Order
from plomba_wire.vocabulary import OrderClass, State, Symbology

Input = tuple[str, list[int | str] | str]
"""What it is, and a code as [symbology, text] or the name of a key."""

DAY = {
    "shifts": 2,
    "parcels": 60,
    "parcels_a_visit": 2,
    "repeats": 4,
    "unknown": 6,
    "wrong_seals": 2,
    "foreign": 4,
}
"""A day in numbers. Parcels are stored and handed out, with one seal and every item tag of those that have some. A
repeat is a label read again at intake, unknown are other carriers' labels, foreign are long QR codes: links for
payment and advertisements of 150 to 290 characters, one in four of them over the 300 that count as a code."""

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LINK = "https://pay.example/q?t="
_TAG_LINK = "https://hallmark.example/?uin="


def orders(count: int, codes: int, place: int, seed: int) -> list[Order]:
    """So many orders; every second one is jewellery, and they share the codes: seals and item numbers in turn."""
    random = Random(seed)
    sealed = count // 2
    return [_order(random, index, place, _share(codes, sealed, index // 2)) for index in range(count)]


def days(listed: Sequence[Order], seed: int) -> Iterator[Input]:
    """Day after day without an end. When every order had its day they come again."""
    random = Random(seed)
    parcels = DAY["parcels"]
    while True:
        drawn = random.sample(listed, len(listed))
        for first in range(0, max(1, len(drawn) - parcels + 1), parcels):
            yield from _day(random, drawn[first : first + parcels], listed)


def _day(random: Random, today: Sequence[Order], listed: Sequence[Order]) -> Iterator[Input]:
    yield "badge", _badge(random)
    yield "card", [Symbology.QR, "PLB*STORE"]
    repeated = set(random.sample(range(2, len(today)), min(DAY["repeats"], len(today) - 2)))
    strangers = ["unknown"] * DAY["unknown"] + ["foreign"] * DAY["foreign"]
    random.shuffle(strangers)
    stride = max(1, len(today) // len(strangers))
    for index, order in enumerate(today):
        yield "intake", _label(order)
        if index in repeated:
            yield "repeat", _label(today[index - 1])
        if strangers and index % stride == 0:
            what = strangers.pop()
            yield what, _foreign(random) if what == "foreign" else _unknown(random)
    wrong = set(random.sample(range(len(today)), min(DAY["wrong_seals"], len(today))))
    shift = len(today) // DAY["shifts"]
    for first in range(0, len(today), DAY["parcels_a_visit"]):
        if first and shift and first % shift < DAY["parcels_a_visit"]:
            yield "badge", _badge(random)
        visit = today[first : first + DAY["parcels_a_visit"]]
        yield "customer", [Symbology.QR, f"PLB*CUSTOMER*{random.randrange(10**12):012}"]
        for index, order in enumerate(visit, first):
            yield "retrieve", _label(order)
            if index in wrong:
                yield "wrong_seal", [Symbology.QR, _seal(random)]
            if order.seals:
                yield "seal", [Symbology.QR, order.seals[0]]
            for number, uin in enumerate(order.uins):
                tag = uin if number % 2 else _TAG_LINK + uin
                yield "item", [Symbology.DATA_MATRIX, tag]
        yield "handout", "ok"


def _order(random: Random, index: int, place: int, codes: int) -> Order:
    id = f"{random.randrange(10**8):08}-{random.randrange(10**4):04}-{random.randrange(1, 9)}"
    cell = f"{random.choice('ABCD')}-{random.randrange(1, 60):02}"
    if not index % 2:
        return Order(id, OrderClass.PLAIN, State.AT_POINT, place, None, "RUB", "shop", cell, (), ())
    seals = tuple(_seal(random) for _ in range((codes + 1) // 2))
    uins = tuple(f"{random.randrange(10**15, 10**16)}" for _ in range(codes // 2))
    return Order(id, OrderClass.SEALED, State.AT_POINT, place, None, "RUB", "jeweller", cell, seals, uins)


def _share(codes: int, sealed: int, number: int) -> int:
    """How many of the codes the sealed order of this number gets."""
    return codes // sealed + (number < codes % sealed)


def _label(order: Order) -> list[int | str]:
    return [Symbology.CODE_128, order.id]


def _badge(random: Random) -> list[int | str]:
    return [Symbology.QR, f"PLB*BADGE*{random.randrange(1000, 10000)}"]


def _seal(random: Random) -> str:
    return "PL" + "".join(random.choice(_ALPHABET) for _ in range(12))


def _unknown(random: Random) -> list[int | str]:
    return [Symbology.CODE_128, f"{random.randrange(10**13):013}"]


def _foreign(random: Random) -> list[int | str]:
    length = random.randrange(301, 400) if random.randrange(4) == 0 else random.randrange(150, 291)
    return [Symbology.QR, _LINK + "".join(random.choice(_ALPHABET) for _ in range(length - len(_LINK)))]
