"""In what order and when the records of a day come to the desk. Seeded.

Docks at points and in the warehouse send within seconds, a courier's every half an hour; some docks are silent for
hours. What was sent and not answered is sent again, and some batches overtake each other. One terminal's records are
sent in the order of their numbers; a gap that an overtaking batch leaves is filled by the one behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from plomba.bench.shop_day import Made, ShopDay
from plomba.testing.scanner import Event

BATCH = 500
LATE_S = 900
"""What comes more than so many seconds after it was made is late."""
_DOCK_TERMINALS = 5
_COURIER_S = 1800
_SILENT = 0.15
_DUPLICATES = 0.05
_RUN = 40
_OVERTAKEN = 0.04
_NEVER = (0, 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request brings, and the desk's clock then, s since 1970; that only rises."""

    now: int
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """All batches; how many of their events are sent again, how many records came late."""

    batches: Sequence[Batch]
    duplicates: int
    late: int

    @property
    def end(self) -> int:
        return self.batches[-1].now


def on_time(day: ShopDay, size: int = BATCH) -> Arrivals:
    """Every record once, as it was made."""
    return Arrivals(_batches([(made.time, made) for made in day.records], size), 0, 0)


def as_docks_send(day: ShopDay, seed: int, size: int = BATCH) -> Arrivals:
    random = Random(f"arrivals {seed}")
    sent = _sent(day, random)
    late = sum(at - made.time > LATE_S for at, made in sent)
    again = _again(sent, random)
    batches = _batches(sorted(sent + again, key=lambda one: one[0]), size)
    for number in range(len(batches) - 1):
        if random.random() < _OVERTAKEN:
            batches[number : number + 2] = batches[number + 1], batches[number]
    return Arrivals(_rising(batches), len(again), late)


def _sent(day: ShopDay, random: Random) -> list[tuple[int, Made]]:
    """(arrival, record), by arrival; one terminal's in the order of their numbers."""
    first, last = day.records[0].time, day.records[-1].time
    silences: dict[int, tuple[int, int]] = {}
    arrived: dict[int, int] = {}
    sent = []
    for made in day.records:
        dock = _dock(day, made.terminal)
        if dock not in silences:
            since = random.randrange(first, last)
            silences[dock] = (since, since + random.randrange(7200, 21600)) if random.random() < _SILENT else _NEVER
        if made.terminal in day.staff.couriers:
            at = (made.time // _COURIER_S + 1) * _COURIER_S
        else:
            at = made.time + random.randrange(2, 20)
        since, until = silences[dock]
        if since <= at < until:
            at = until
        at = arrived[made.terminal] = max(at, arrived.get(made.terminal, 0))
        sent.append((at, made))
    # Records that come at once come dock by dock; the sort is stable, so a terminal's stay in order.
    return sorted(sent, key=lambda one: (one[0], _dock(day, one[1].terminal)))


def _dock(day: ShopDay, terminal: int) -> int:
    """The number of the first of its terminals: each courier and each point has a dock of its own."""
    if terminal in day.staff.couriers:
        return terminal
    if terminal in day.staff.warehouse:
        return terminal - terminal % _DOCK_TERMINALS
    return next(terminals[0] for _, terminals in day.staff.points if terminal in terminals)


def _again(sent: Sequence[tuple[int, Made]], random: Random) -> list[tuple[int, Made]]:
    """Runs of records whose answer was lost on the way."""
    again: list[tuple[int, Made]] = []
    while len(again) < len(sent) * _DUPLICATES:
        first = random.randrange(len(sent))
        later = random.randrange(5, 3600)
        again += [(at + later, made) for at, made in sent[first : first + random.randrange(1, _RUN)]]
    return again


def _batches(sent: Sequence[tuple[int, Made]], size: int) -> list[Batch]:
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    return [Batch(piece[-1][0], [made.event for _, made in piece]) for piece in pieces]


def _rising(batches: Sequence[Batch]) -> list[Batch]:
    now = 0
    risen = []
    for batch in batches:
        now = max(now, batch.now)
        risen.append(Batch(now, batch.events))
    return risen
