"""Taking a decision at the desk: what it may stand on, and what an order that was decided about may still become."""

from __future__ import annotations

import pytest
from book_scene import Clock, accept, state, take
from desk_records import Scanner
from hand_over_scene import BEGAN, VALUED

from plomba.desk.book import Book
from plomba.desk.orders import ImportRefused
from plomba.errors import UsageError
from plomba_wire.vocabulary import Action, State, Verdict


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = BEGAN + 1000
    return clock


def refund(book: Book, record: str) -> bool:
    return book.decide("REFUND", "A", person="anna", record=record).moved


def test_an_inspection_that_was_taken_back_by_mistake_stands(book: Book, counter: Scanner) -> None:
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    for action in (Action.RETURN_OPEN, Action.RETURN_IN, Action.RETURN_INSPECT):
        accept(book, counter.record(action, Verdict.OK, "A"))
    inspection = f"{counter.id}-1-{counter.seq}"
    for seq, after in ((3, State.RETURNED), (4, State.INSPECTED), (5, State.RETURNED)):
        accept(book, counter.undo(seq, "A"))
        assert state(book, "A") == after
        if after == State.RETURNED:
            with pytest.raises(UsageError) as caught:
                refund(book, inspection)
            assert caught.value.code == "desk_decision_record"
    accept(book, counter.undo(6, "A"))
    assert state(book, "A") == State.INSPECTED
    assert refund(book, inspection)
    assert state(book, "A") == State.REFUNDED


def test_what_was_decided_about_an_import_does_not_change(book: Book, clock: Clock) -> None:
    rows = "A,plain,17,READY,100.00,RUB\nB,plain,17,READY,7.00,RUB\n"
    take(book, rows, VALUED)
    clock.now += 100
    assert book.decide("CANCEL", "A", person="anna", source="shop", external_id="1").moved
    was = book.custody.worth(clock.now - 50)
    clock.now += 100
    with pytest.raises(ImportRefused) as caught:
        take(book, "A,plain,17,READY,1.00,RUB\n", VALUED)
    assert [(bad.row, bad.error.code) for bad in caught.value.bad] == [(2, "desk_row_changed")]
    assert book.custody.worth(clock.now - 150) == was == {"RUB": 10700}
    assert [version.status for version in book.versions.of("A")] == ["taken", "refused"], "what the shop says is kept"
    take(book, rows, VALUED)
    take(book, "B,plain,17,READY,9.00,RUB\n", VALUED)
