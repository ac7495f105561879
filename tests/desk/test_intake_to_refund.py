"""From the shop's list to the money back: what the desk concludes of each record on the way, and what it refuses to."""

from __future__ import annotations

import pytest
from book_scene import Clock, accept, state, take, view
from desk_records import WRONG, Scanner
from hand_over_scene import BEGAN, incidents

from plomba.desk.book import Book
from plomba_wire.vocabulary import State, Verdict

SEALED = "order,class,place,state,seals,value,currency\n"


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = BEGAN
    return clock


# seals that are not the order's

KINDS = (
    {Verdict.WRONG_SEAL: "WRONG_SEAL"}
    | dict.fromkeys(WRONG[1:4], "SEAL_FORGED")
    | dict.fromkeys(WRONG[4:], "SEAL_VOID")
)


@pytest.mark.parametrize("verdict", WRONG)
def test_a_seal_that_is_not_the_orders_is_an_incident_and_the_right_one_lets_it_go(
    book: Book, counter: Scanner, clock: Clock, verdict: int
) -> None:
    take(book, "A,sealed,17,READY,S1,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, counter.retrieve("A"), counter.seal("A", "S2", verdict, State.IDENTIFIED))
    (one,) = incidents(book)
    assert (one.kind, one.state, one.holder, one.value) == (KINDS[verdict], State.IDENTIFIED, "point", 10_000)
    accept(book, counter.hand_out("A"))
    assert state(book, "A") == State.IDENTIFIED, "the wrong one proves nothing"
    accept(book, counter.seal("A", "S1"), counter.hand_out("A"))
    assert (state(book, "A"), len(incidents(book))) == (State.DELIVERED, 1)
    assert incidents(book)[0].outcome is None, "it was there, and somebody has to deal with it"
    assert view(book, "A").disputed == 1


def test_a_wrong_seal_after_the_right_one_takes_nothing_back(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,sealed,17,READY,S1,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, counter.retrieve("A"), counter.seal("A", "S1"))
    accept(book, counter.seal("A", "S2", Verdict.WRONG_SEAL), counter.hand_out("A"))
    assert (state(book, "A"), [one.kind for one in incidents(book)]) == (State.DELIVERED, ["WRONG_SEAL"])
