"""Somebody answers for every open order at every moment, whatever records come in whatever order, with ticks of any
clock between them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from book_scene import Clock, accept, states, take
from desk_process import NOW
from desk_records import Event, Scanner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_desk_replay import any_record

from plomba.desk.book import Book
from plomba.desk.custody import Custody
from plomba.trust.organisation import Organisation

ORDERS = """A,sealed,17,STAGED,S1,100.00,RUB
B,sealed,17,PACKED,,20.00,RUB
C,plain,17,AT_POINT,S2,3.00,EUR
D,sealed,17,READY,S3,0.50,RUB
"""
COLUMNS = "order,class,place,state,seals,value,currency\n"
_STEPS = (0, 60, 900, 90_000, -50_000, 400 * 86_400, -300 * 86_400)


def settled(book: Book) -> list[tuple[object, ...]]:
    """All that was worked out but when an order is looked at next: a tick puts that off."""
    return [tuple(value for at, value in enumerate(row) if len(row) != 12 or at != 7) for row in states(book)]


def check(book: Book) -> None:
    custody = Custody(book.store, book.lifecycle)
    for (moment,) in book.store.query("SELECT since FROM custody UNION SELECT at FROM effects"):
        for at in (moment - 1, moment, moment + 1):
            exposed: dict[str, int] = {}
            for exposure in custody.exposures(at):
                exposed[exposure.currency] = exposed.get(exposure.currency, 0) + exposure.worth
            assert exposed == custody.worth(at)


@pytest.mark.parametrize("runs", [30, pytest.param(600, marks=pytest.mark.long)])
def test_at_every_moment(tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, runs: int) -> None:
    @settings(max_examples=runs, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 1 << 32))
    def run(seed: int) -> None:
        one_run(tmp_path_factory.mktemp("book"), organisation, random.Random(seed))

    run()


def one_run(folder: Path, organisation: Organisation, chance: random.Random) -> None:
    scanners = [Scanner(organisation, now=NOW - 20_000 + 2 * n, label=f"Counter {n}") for n in range(2)]
    events: list[Event] = []
    for _ in range(36):
        scanner = chance.choice(scanners)
        scanner.time += chance.choice((0, 0, 0, 700, 4000))
        events.append(any_record(scanner, scanners, chance))
    arrival = events + chance.sample(events, 8)
    chance.shuffle(arrival)
    clock = Clock()
    clock.now = NOW - 30_000
    book = Book(folder, organisation, clock)
    try:
        for scanner in scanners:
            book.enrol(scanner.certificate, 17)
        take(book, ORDERS, COLUMNS)
        clock.now = NOW + 60_000
        noted: set[tuple[object, ...]] = set()
        while arrival:
            size = chance.randint(1, 9)
            accept(book, *arrival[:size])
            del arrival[:size]
            if chance.random() < 0.5:
                right = clock.now
                clock.now += chance.choice(_STEPS)
                book.tick()
                clock.now = max(right, NOW + 60_000)
            # An incident has one row for each deadline (the store sees to that), and nothing that was noted goes away.
            notes = set(book.store.query("SELECT number, incident, at, what, record, seconds FROM incident_notes"))
            assert noted <= notes
            noted = notes
            added = settled(book)
            with book.store.transaction():
                book._replay.place("ABCD", clock.now)
            assert settled(book) == added
        check(book)
    finally:
        book.close()
