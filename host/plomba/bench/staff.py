"""The people of a point, and the rules they work under: a staff list with PINs, a rule that each has to read, and the
next one, which waits for its date."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from plomba.bench.station import Station
from plomba.desk import rules as rule_packs
from plomba.desk.rules import RulePack
from plomba.desk.staff import Badge, Staff
from plomba_wire.vocabulary import Hand, ObjectKind

COUNT = 100
"""Badges on the list."""
_FIRST = 1001
_HANDS = (*(Hand.CLERK,) * 16, Hand.COURIER, Hand.COURIER, Hand.PACKER, Hand.SUPERVISOR)
IN_FORCE, WAITING = 2, 3
"""Numbers of the rule packs."""

_PACK = """
base = "sample"
number = {number}
{since}
[news]
ru = "{text}"
uk = "{text}"
en = "{text}"
"""


def numbers(hand: int, count: int = COUNT) -> list[int]:
    """The badges of a hand, of a list of so many."""
    return [number for number in range(_FIRST, _FIRST + count) if _HANDS[number % len(_HANDS)] == hand]


def pin(badge: int) -> str:
    """Four digits."""
    return f"{badge * 7919 % 10_000:04}"


def pack(number: int, valid_from: datetime | None = None) -> RulePack:
    """The sample with news of as many signs as there can be."""
    since = f"valid_from = {valid_from.isoformat()}" if valid_from else ""
    return rule_packs.compile_pack(_PACK.format(number=number, since=since, text="Ж" * 84), "bench.toml")


def body(station: Station, badges: int = COUNT) -> bytes:
    """A staff list of so many badges; the desk answers challenges."""
    people = [
        Badge(number, "", hand, 0, pin(number).encode()) for hand in set(_HANDS) for number in numbers(hand, badges)
    ]
    return Staff(1, None, tuple(people)).body(station.organisation.desk.key.public)


async def give_staff(station: Station, badges: int = COUNT) -> None:
    """The terminal gets the staff list, and a pack that is in force from tomorrow on; it has to be off."""
    tomorrow = datetime.fromtimestamp(int(time.time()), UTC) + timedelta(days=1)
    waiting = pack(WAITING, tomorrow)
    async with station.on() as terminal:
        await station.push(terminal, ObjectKind.STAFF, 1, body(station, badges))
        await station.push(terminal, ObjectKind.RULES, waiting.number, waiting.body)
