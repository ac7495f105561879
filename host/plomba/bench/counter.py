"""Days at the counter of a point with a long list: what is scanned and pressed, one after the other. Seeded.

A day's parcels are drawn from the whole list, so that lookups go everywhere on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from random import Random

from plomba.bench import staff
from plomba.desk.orders import Order
from plomba_wire import base45
from plomba_wire.vocabulary import CodeKind, Hand, OrderClass, State, Symbology

Input = tuple[str, list[int | str] | str]
"""What it is, and a code as [symbology, text], the name of a key, or UNREAD."""
UNREAD = "unread"
"""One reading that finds nothing."""

DAY = {
    "shifts": 2,
    "parcels": 60,
    "parcels_a_visit": 2,
    "repeats": 4,
    "unknown": 6,
    "wrong_seals": 2,
    "foreign": 4,
    "typed": 2,
    "overrides": 2,
    "refused": 2,
}
"""A day in numbers. Parcels are stored and handed out, with one seal and every item tag of those that have some. A
repeat is a label read again at intake, unknown are other carriers' labels, foreign are long QR codes: links for
payment and advertisements of 150 to 290 characters, one in four of them over the 300 that count as a code. The label
of `typed` parcels is typed, twice; `overrides` are jewels whose seal cannot be read; `refused` parcels go back with a
courier in the evening. Each shift begins with badge, PIN and news, and the day with what the courier brought."""

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_READINGS = 3
"""That find nothing, before a seal cannot be read."""
_LINK = "https://pay.example/q?t="
_TAG_LINK = "https://hallmark.example/?uin="


def orders(count: int, codes: int, place: int, seed: int) -> list[Order]:
    """So many orders; every sixth pair is still with the courier. Every second order is jewellery, and they share the
    codes, seals and item numbers in turn; but for every eighth code, which is one that a carrier gave another order."""
    random = Random(seed)
    sealed = count // 2
    further = min(codes // 8, (count + 3) // 4)
    shares = [_share(codes - further, sealed, index // 2) for index in range(count)]
    return [_order(random, index, place, shares[index], further) for index in range(count)]


def days(listed: Sequence[Order], seed: int) -> Iterator[Input]:
    """Day after day without an end. When every order had its day they come again."""
    random = Random(seed)
    parcels = DAY["parcels"]
    people = cycle(random.sample(staff.numbers(Hand.CLERK), len(staff.numbers(Hand.CLERK))))
    while True:
        drawn = random.sample(listed, len(listed))
        for first in range(0, max(1, len(drawn) - parcels + 1), parcels):
            yield from _day(random, drawn[first : first + parcels], people)


def _day(random: Random, today: Sequence[Order], people: Iterator[int]) -> Iterator[Input]:
    yield from _shift(next(people))
    yield from _arrivals(random, [order for order in today if order.state == State.HANDING])
    yield "card", _card("STORE")
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
    plain = [order.id for order in today if not order.further and order.order_class == OrderClass.PLAIN]
    jewels = [order.id for order in today if order.seals]
    # Not the first parcel of a visit: a card speaks of what lies on the counter.
    seconds = {order.id for order in today[1 :: DAY["parcels_a_visit"]]}
    typed = [id for id in plain if id in seconds][: DAY["typed"]]
    unread = [*jewels[: DAY["overrides"] // 2], *jewels[-(DAY["overrides"] - DAY["overrides"] // 2) :]]
    refused = [order for order in today if not order.seals][-DAY["refused"] :]
    shift = len(today) // DAY["shifts"]
    for first in range(0, len(today), DAY["parcels_a_visit"]):
        if first and shift and first % shift < DAY["parcels_a_visit"]:
            yield from _shift(next(people))
        visit = today[first : first + DAY["parcels_a_visit"]]
        yield "customer", [Symbology.QR, f"PLB*CUSTOMER*{random.randrange(10**12):012}"]
        for index, order in enumerate(visit, first):
            if order.id in typed:
                yield from _typed(order.id)
            else:
                yield "retrieve", _label(order)
            if index in wrong:
                yield "wrong_seal", [Symbology.QR, _seal(random)]
            if order.id in unread:
                yield from _override(random)
            elif order.seals:
                yield "seal", [Symbology.QR, order.seals[0]]
            for number, uin in enumerate(order.uins):
                tag = uin if number % 2 else _TAG_LINK + uin
                yield "item", [Symbology.DATA_MATRIX, tag]
            if order in refused:
                yield "refuse", _card("REFUSE")
        yield "handout", "ok"
    yield from _back(random, refused)


def _shift(badge: int) -> Iterator[Input]:
    """Whoever comes has a PIN, and reads the rule in force and the one that waits; the second time nothing is shown."""
    yield "badge", _card(f"BADGE*{badge}")
    yield from _digits("pin", staff.pin(badge))
    for _ in (staff.IN_FORCE, staff.WAITING):
        yield "news", "ok"


def _arrivals(random: Random, brought: Sequence[Order]) -> Iterator[Input]:
    """What a courier hands over, each record with the head of his terminal."""
    yield "card", _card("ARRIVAL")
    yield "token", _token(random)
    for order in brought:
        yield "hand_in", _label(order)


def _back(random: Random, refused: Sequence[Order]) -> Iterator[Input]:
    """What nobody took goes with the courier."""
    yield "card", _card("GIVE")
    yield "token", _token(random)
    for order in refused:
        yield "point", _label(order)
        yield "return", _card("RETURN")
        yield "hand_out", _label(order)


def _typed(text: str) -> Iterator[Input]:
    """A label that cannot be read is typed twice, sign by sign, from the card of signs."""
    yield "type", _card("TYPE")
    for _ in range(2):
        yield from _digits("typing", text)


def _override(random: Random) -> Iterator[Input]:
    """A seal that cannot be read: reason, photo and a supervisor, with a PIN."""
    for _ in range(_READINGS):
        yield "unreadable", UNREAD
    supervisor = random.choice(staff.numbers(Hand.SUPERVISOR))
    for card in ("OVERRIDE", "REASON*1", f"PHOTO*{random.randbytes(16).hex()}", f"BADGE*{supervisor}"):
        yield "override", _card(card)
    yield from _digits("override", staff.pin(supervisor))


def _order(random: Random, index: int, place: int, codes: int, further: int) -> Order:
    id = f"{random.randrange(10**8):08}-{random.randrange(10**4):04}-{random.randrange(1, 9)}"
    cell = f"{random.choice('ABCD')}-{random.randrange(1, 60):02}"
    state = State.HANDING if index // 2 % 6 == 5 else State.AT_POINT
    if not index % 2:
        carriers = (_carrier(random, index // 4),) if not index % 4 and index // 4 < further else ()
        return Order(id, OrderClass.PLAIN, state, place, None, "RUB", "shop", cell, (), (), carriers)
    seals = tuple(_seal(random) for _ in range((codes + 1) // 2))
    uins = tuple(f"{random.randrange(10**15, 10**16)}" for _ in range(codes // 2))
    return Order(id, OrderClass.SEALED, state, place, None, "RUB", "jeweller", cell, seals, uins)


def _carrier(random: Random, number: int) -> tuple[int, str]:
    """A logistic unit's number (GS1 SSCC), or every other time a postal item's (UPU S10)."""
    if number % 2:
        digits = f"{random.randrange(10**8):08}"
        total = sum(int(digit) * weight for digit, weight in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
        check = 11 - total % 11
        return CodeKind.S10, f"RA{digits}{ {10: 0, 11: 5}.get(check, check) }RU"
    digits = f"{random.randrange(10**17):017}"
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(digits))
    return CodeKind.SSCC, f"{digits}{-total % 10}"


def _share(codes: int, sealed: int, number: int) -> int:
    """How many of the codes the sealed order of this number gets."""
    return codes // sealed + (number < codes % sealed)


def _label(order: Order) -> list[int | str]:
    """The carrier's, where there is one: a GS1-128 names what its number is."""
    for kind, text in order.further:
        return [Symbology.CODE_128, f"00{text}" if kind == CodeKind.SSCC else text]
    return [Symbology.CODE_128, order.id]


def _card(text: str) -> list[int | str]:
    return [Symbology.QR, f"PLB*{text}"]


def _digits(what: str, signs: str) -> Iterator[Input]:
    for sign in signs:
        yield what, _card(f"DIGIT*{sign}")
    yield what, _card("ENTER")


def _token(random: Random) -> list[int | str]:
    """What another terminal shows of its journal."""
    head = random.randbytes(8) + random.randrange(1, 1 << 31).to_bytes(4, "big") + random.randbytes(8)
    return [Symbology.QR, "PLT*" + base45.encode(head).decode()]


def _seal(random: Random) -> str:
    return "PL" + "".join(random.choice(_ALPHABET) for _ in range(12))


def _unknown(random: Random) -> list[int | str]:
    return [Symbology.CODE_128, f"{random.randrange(10**13):013}"]


def _foreign(random: Random) -> list[int | str]:
    length = random.randrange(301, 400) if random.randrange(4) == 0 else random.randrange(150, 291)
    return [Symbology.QR, _LINK + "".join(random.choice(_ALPHABET) for _ in range(length - len(_LINK)))]
