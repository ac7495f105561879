"""Custody by the policy `giver`: the scan of who gives is enough, and without it nobody else's passes anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from book_scene import Clock, accept, check_waits, kept, state, take
from desk_records import Scanner
from hand_over_scene import BEGAN, HOUR, VALUED, enrolled, incidents, into, notes, out, owner

from plomba.desk import lifecycle
from plomba.desk.book import Book
from plomba.desk.custody import Owner
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, State, Tlv, Verdict

WAREHOUSE = Owner("warehouse", "17")
COURIER = Owner("courier", "7")


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = BEGAN
    return clock


@pytest.fixture
def book(tmp_path: Path, organisation: Organisation, clock: Clock) -> Iterator[Book]:
    (tmp_path / "lifecycle.toml").write_text(
        lifecycle.load().content.replace('plain = "dual"', 'plain = "giver"'), encoding="utf-8"
    )
    book = Book(tmp_path, organisation, clock)
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    yield book
    check_waits(book)
    book.close()


@pytest.fixture
def giver(book: Book, organisation: Organisation) -> Scanner:
    return enrolled(book, organisation, "Warehouse", 17)


@pytest.fixture
def taker(book: Book, organisation: Organisation) -> Scanner:
    return enrolled(book, organisation, "Courier", 3)


def alone(scanner: Scanner, action: int, after: int, time: int, act: bytes = b"") -> object:
    """Half of a hand-over that names nobody."""
    return scanner.record(action, Verdict.OK, "A", after=after, actor=7, time=time, more={Tlv.ACT: act} if act else {})


def test_the_givers_scan_passes_it_to_the_terminal_that_it_names(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    accept(book, out(giver, taker, BEGAN + 10))
    assert [owner(book, BEGAN + at) for at in (9, 10)] == [WAREHOUSE, Owner("courier", f"terminal {taker.id}")]
    accept(book, into(taker, giver, BEGAN + 70))
    assert [owner(book, BEGAN + at) for at in (69, 70)] == [Owner("courier", f"terminal {taker.id}"), COURIER]


def test_the_givers_scan_is_enough_where_it_names_nobody(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    accept(book, alone(giver, Action.HANDOVER_OUT, State.HANDING, BEGAN + 10))
    assert owner(book, clock.now) == Owner("courier", "terminal ?")
    accept(book, into(taker, giver, BEGAN + 20))
    assert owner(book, clock.now) == COURIER


@pytest.mark.parametrize("named", [True, False])
def test_the_takers_claim_alone_passes_nothing(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, named: bool
) -> None:
    took = alone(taker, Action.HANDOVER_IN, State.WITH_COURIER, BEGAN + 10)
    accept(book, into(taker, giver, BEGAN + 10) if named else took)
    assert (state(book, "A"), owner(book, clock.now)) == (State.WITH_COURIER, WAREHOUSE)
    check_waits(book)
    clock.now = BEGAN + 1200
    accept(book, *(one.record(Action.NOTE, Verdict.NOTED, time=clock.now) for one in (giver, taker)))
    book.tick()
    assert [(one.kind, one.party) for one in incidents(book)] == [("HANDOVER_OPEN", "17")]
    accept(book, out(giver, taker, BEGAN + 1300))
    assert owner(book, clock.now) == COURIER, "it counts when it was heard: a clock may not be ahead"
    assert owner(book, clock.now - 1) == WAREHOUSE
    assert incidents(book)[0].outcome == "late"


def test_an_own_scan_is_not_the_givers(book: Book, giver: Scanner, taker: Scanner, clock: Clock) -> None:
    accept(book, alone(taker, Action.HANDOVER_IN, State.WITH_COURIER, BEGAN + 10))
    accept(book, alone(taker, Action.HANDOVER_OUT, State.WITH_COURIER, BEGAN + 20))
    assert owner(book, clock.now) == WAREHOUSE


def test_an_act_stands_for_the_giver_too(book: Book, taker: Scanner, clock: Clock) -> None:
    accept(book, alone(taker, Action.HANDOVER_IN, State.WITH_COURIER, BEGAN + 10, b"12/7"))
    assert owner(book, clock.now) == COURIER


def test_who_does_not_scan_what_was_given_to_him_is_an_incident(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    accept(book, out(giver, taker, BEGAN + 10))
    (wait,) = kept(book)["A"].waits
    assert (wait.state, wait.due, wait.terminal) == (State.HANDING, BEGAN + 910, taker.key.id)
    clock.now = BEGAN + 1200
    book.tick()
    assert incidents(book) == [], "he has not been heard"
    accept(book, taker.record(Action.NOTE, Verdict.NOTED, time=BEGAN + 1100))
    book.tick()
    assert [(one.kind, one.party) for one in incidents(book)] == [("HANDOVER_OPEN", f"terminal {taker.id}")]
    clock.now += HOUR
    accept(book, into(taker, giver, BEGAN + 2000))
    assert notes(book)[-1] == ("late", 1090)


def test_the_givers_scan_taken_back_gives_it_back(book: Book, giver: Scanner, taker: Scanner, clock: Clock) -> None:
    accept(book, out(giver, taker, BEGAN + 10), giver.undo(1, "A", State.STAGED))
    assert (state(book, "A"), owner(book, clock.now)) == (State.STAGED, WAREHOUSE)
    assert [wait.state for wait in kept(book)["A"].waits] == [State.STAGED]


def test_a_sealed_order_goes_by_its_own_policy(book: Book, giver: Scanner, taker: Scanner, clock: Clock) -> None:
    take(book, "B,sealed,17,STAGED,1.00,RUB\n", VALUED)
    accept(book, giver.record(Action.HANDOVER_OUT, Verdict.OK, "B", after=State.HANDING, more=giver.met(taker)))
    assert book.custody.owner("B", clock.now) == WAREHOUSE
