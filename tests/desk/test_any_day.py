"""Whatever comes, in whatever order, with whatever clocks: nothing counts twice, nothing that was noted goes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import pytest
from book_scene import Clock, accept, check_waits, kept, take
from desk_process import NOW
from desk_records import Event, Scanner, any_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plomba.desk.book import Book
from plomba.desk.custody import Custody
from plomba.trust.organisation import Organisation

ORDERS = """order,class,place,state,seals,value,currency
A,sealed,17,STAGED,S1,100.00,RUB
B,sealed,17,PACKED,,200.00,RUB
C,plain,17,AT_POINT,S2,,
D,sealed,17,READY,S3,7.50,UAH
E,sealed,17,NEW,,30.00,UAH
"""
DAY = 86_400
FAR = NOW + 60 * DAY
"""After all that terminals write."""
LEAPS = (0, 0, 0, 60, 900, 4000, DAY)
"""How long a terminal waits before its next record, s."""
ENDED = ("on_time", "unproved", "taken_back")
"""What settles an incident for good."""
Rows = list[tuple[object, ...]]


class _Undone(Exception):
    pass


@contextmanager
def undone(book: Book) -> Iterator[None]:
    """Everything that is done here is taken back."""
    try:
        with book.store.transaction():
            yield
            raise _Undone
    except _Undone:
        pass


class Day:
    """A book that is watched: what has to be true of it is checked after everything that happens."""

    def __init__(self, book: Book, clock: Clock, scanners: Sequence[Scanner]) -> None:
        self.book = book
        self.clock = clock
        self._noted: Rows = []
        for scanner in scanners:
            book.enrol(scanner.certificate, 17)

    def came(self, *events: Event) -> None:
        assert set(accept(self.book, *events)) <= {"accepted", "duplicate"}
        self.check()

    def tick(self, at: int) -> None:
        was, self.clock.now = self.clock.now, at
        self.book.tick()
        self.clock.now = was
        self.check()

    def imported(self) -> None:
        take(self.book, ORDERS, "")
        self.check()

    def decided(self, kind: str, order: str, at: int, *, known: bool = False) -> None:
        """A decision that is placed as it comes: book.decide would refuse most of them. `known`: behind all that is
        held, as book.decide does, and not by its time alone."""
        with self.book.store.transaction():
            held = self.book.store.next_event() - 1 if known else 0
            self.book._replay.decisions.add(kind, order, at, "", "anna", "shop", "1", "", held)
            self.book._replay.place([order], self.clock.now)
        self.check()

    def check(self) -> None:
        noted = self.book.store.query("SELECT * FROM incident_notes ORDER BY number")
        assert noted[: len(self._noted)] == self._noted, "what was noted stays"
        self._noted = noted
        once = self.book.store.query("SELECT order_id, entry, kind FROM incidents")
        assert len(once) == len(set(once))
        check_waits(self.book)
        check_anew(self.book, self.clock.now)

    def outcome(self, *, times: bool) -> dict[str, Rows]:
        """Where the records and decisions left everything; without what depends on when they were heard."""
        query = self.book.store.query
        moments = "f.at" if times else "0"
        found = {
            "effects": query(
                "SELECT f.order_id, f.position, f.decision, e.terminal, e.seq, f.before, f.after, f.why, f.disputed,"
                f" {moments} FROM effects f LEFT JOIN events e ON e.number = f.event ORDER BY f.order_id, f.position"
            ),
            "custody": query(
                f"SELECT order_id, position, kind, party, owed, {'since, until' if times else '0'} FROM custody"
                " ORDER BY order_id, position"
            ),
            "orders": query("SELECT id, state, holder, party, bag, seals, records, disputed FROM orders ORDER BY id"),
            "bindings": query("SELECT order_id, seal, broken FROM bindings ORDER BY order_id, seal"),
        }
        if times:
            found["incidents"] = sorted(
                row
                for row in query(
                    "SELECT i.order_id, i.entry, i.kind, coalesce(i.outcome, ''),"
                    " (SELECT n.seconds FROM incident_notes n WHERE n.incident = i.number"
                    " AND n.what = 'late' AND i.outcome = 'late'"
                    " ORDER BY n.number DESC LIMIT 1) FROM incidents i"
                )
                if row[3] not in ENDED
            )
        return found


def placed(book: Book) -> dict[str, object]:
    """All that the replay writes, but for what a tick says of it since, and which terminals are waited for."""
    query = book.store.query
    return {
        "effects": query("SELECT * FROM effects ORDER BY order_id, position"),
        "custody": query("SELECT * FROM custody ORDER BY order_id, position"),
        "bindings": query("SELECT * FROM bindings ORDER BY order_id, seal"),
        "orders": query(
            "SELECT id, state, holder, party, bag, last, seals, records, disputed, merged_t, merged_by FROM orders"
            " ORDER BY id"
        ),
        "courses": {id: (one.standing, one.at, one.waits, one.records) for id, one in kept(book).items()},
        "incidents": query("SELECT * FROM incidents ORDER BY number"),
        "notes": query("SELECT * FROM incident_notes ORDER BY number"),
    }


def check_anew(book: Book, now: int) -> None:
    """Record by record or all at once: it is the same."""
    before = placed(book)
    with undone(book):
        book._replay.place([id for (id,) in book.store.query("SELECT id FROM orders")], now)
        after = placed(book)
    for name in before:
        assert after[name] == before[name], name


def check_money(book: Book) -> None:
    """What all owners answer for is what all open orders are worth, at every moment at which something changed."""
    custody = Custody(book.store, book.lifecycle)
    moments = {at for (at,) in book.store.query("SELECT at FROM effects UNION SELECT since FROM custody")}
    for at in sorted({at + step for at in moments for step in (-1, 0, 1)}):
        sums: dict[str, int] = {}
        for exposure in custody.exposures(at):
            if exposure.currency:
                sums[exposure.currency] = sums.get(exposure.currency, 0) + exposure.worth
        assert sums == custody.worth(at), at


def some_day(organisation: Organisation, chance: random.Random) -> tuple[list[Scanner], list[Event]]:
    """Two terminals and their records, each one's in order."""
    scanners = [Scanner(organisation, now=NOW + 2 * n, label=f"Counter {n}") for n in range(2)]
    events = []
    for _ in range(30):
        scanner = chance.choice(scanners)
        scanner.time += chance.choice(LEAPS)
        events.append(any_record(scanner, scanners, chance))
    return scanners, events


def some_decisions(chance: random.Random) -> list[tuple[str, str, int]]:
    kinds = ("CANCEL", "COMPLETE", "REFUND", "REJECT", "LOSS")
    return [(chance.choice(kinds), chance.choice("ABCDE"), NOW + chance.randrange(20 * DAY)) for _ in range(3)]


@pytest.fixture
def clock() -> Clock:
    return Clock(FAR)


@contextmanager
def day(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, scanners: Sequence[Scanner]
) -> Iterator[Day]:
    clock = Clock()
    clock.now = FAR
    book = Book(tmp_path_factory.mktemp("book"), organisation, clock)
    try:
        yield Day(book, clock, scanners)
    finally:
        book.close()


def whole_day(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int, *, leaping: bool
) -> None:
    chance = random.Random(seed)
    scanners, events = some_day(organisation, chance)
    decisions = some_decisions(chance)
    with day(tmp_path_factory, organisation, scanners) as one:
        one.imported()
        one.came(*events)
        for decision in decisions:
            one.decided(*decision)
        one.tick(FAR + 400 * DAY)
        check_money(one.book)
        wanted = one.outcome(times=not leaping)
    with day(tmp_path_factory, organisation, scanners) as one:
        disordered(one, events, decisions, chance, leaping=leaping)
        found = one.outcome(times=not leaping)
    for name in wanted:
        assert found[name] == wanted[name], name


def disordered(
    one: Day, events: list[Event], decisions: list[tuple[str, str, int]], chance: random.Random, *, leaping: bool
) -> None:
    """All of it in some order, some of it twice, with ticks between."""
    late = events + chance.sample(events, 6)
    chance.shuffle(late)
    imports_at = chance.choice((0, 0, chance.randrange(len(late))))
    decisions_at = {chance.randrange(imports_at, len(late) + 1) for _ in decisions}
    left = list(decisions)
    at = 0
    while at < len(late) or left:
        if leaping:
            one.clock.now = FAR + chance.randrange(-90, 90) * DAY * chance.choice((0, 1, 12))
        if at >= imports_at and not kept(one.book):
            one.imported()
        if kept(one.book) and left and (at >= len(late) or at in decisions_at):
            one.decided(*left.pop(0))
        batch = chance.randint(1, 6)
        one.came(*late[at : at + batch])
        at += batch
        for _ in range(chance.choice((0, 1, 1, 2))):
            one.tick(NOW + chance.choice((chance.randrange(30 * DAY), chance.randrange(-900, 900) * DAY)))
    one.tick(FAR + 400 * DAY)
    one.tick(FAR + 800 * DAY)
    check_money(one.book)


ANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(ANY, max_examples=10)
@given(st.integers(0, 1 << 32))
def test_ticks_between_and_late_docks_change_nothing_of_the_outcome(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int
) -> None:
    whole_day(tmp_path_factory, organisation, seed, leaping=False)


@settings(ANY, max_examples=10)
@given(st.integers(0, 1 << 32))
def test_a_desk_clock_that_leaps_by_years_changes_nothing_of_where_orders_are(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int
) -> None:
    whole_day(tmp_path_factory, organisation, seed, leaping=True)


def test_a_day_on_either_store(book: Book, clock: Clock, organisation: Organisation) -> None:
    chance = random.Random(8)
    scanners, events = some_day(organisation, chance)
    disordered(Day(book, clock, scanners), events, some_decisions(chance), chance, leaping=True)
    assert book.store.count("FROM incidents") > 3


def test_what_was_held_when_it_was_decided_stands_before_it_whatever_comes_then(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation
) -> None:
    for seed in range(4):
        decided_between(tmp_path_factory, organisation, seed)


def decided_between(tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int) -> None:
    """Decisions at two moments of a day: what is held then is the same, in whatever order that and the rest comes."""
    chance = random.Random(seed)
    scanners, events = some_day(organisation, chance)
    # What is heard early is not what was made early.
    heard = sorted(events, key=lambda _: chance.random())
    cuts = [0, *sorted(chance.sample(range(1, len(heard)), 2)), len(heard)]
    parts = [heard[first:last] for first, last in pairwise(cuts)]
    decisions = [[(*one, chance.random() < 0.8) for one in some_decisions(chance)] for _ in parts[1:]] + [[]]
    outcomes = []
    for shuffled in range(3):
        with day(tmp_path_factory, organisation, scanners) as one:
            one.imported()
            for part, taken in zip(parts, decisions, strict=True):
                arrival = part + chance.sample(part, len(part) // 4)
                chance.shuffle(arrival)
                size = len(arrival) if not shuffled else chance.randint(1, 6)
                for at in range(0, len(arrival), size):
                    one.came(*arrival[at : at + size])
                for kind, order, moment, known in taken:
                    one.decided(kind, order, moment, known=known)
            # What is overdue is an incident as soon as a late record or a tick says so: in the end in all of them.
            one.tick(FAR + 400 * DAY)
            one.tick(FAR + 800 * DAY)
            check_money(one.book)
            outcomes.append(one.outcome(times=True))
    assert outcomes[1] == outcomes[0] and outcomes[2] == outcomes[0]


@pytest.mark.long
@settings(ANY, max_examples=300)
@given(st.integers(0, 1 << 32))
def test_many_decisions_between(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int
) -> None:
    decided_between(tmp_path_factory, organisation, seed)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(ANY, max_examples=600)
@given(st.integers(0, 1 << 32), st.booleans())
def test_many_days(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int, leaping: bool
) -> None:
    whole_day(tmp_path_factory, organisation, seed, leaping=leaping)
