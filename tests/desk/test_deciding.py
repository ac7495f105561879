"""Taking a decision at the desk: what it may stand on, and what an order that was decided about may still become."""

from __future__ import annotations

from pathlib import Path

import pytest
from book_scene import Clock, accept, kept, state, states, take
from desk_records import Scanner
from hand_over_scene import BEGAN, VALUED, enrolled

from plomba.desk.book import Book
from plomba.desk.custody import Owner
from plomba.desk.decisions import Decision
from plomba.desk.orders import ImportRefused
from plomba.errors import UsageError
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, State, Verdict

DAY = 86_400


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = BEGAN + 1000
    return clock


def refund(book: Book, record: str) -> bool:
    return book.decide("REFUND", "A", person="anna", record=record).moved


def cancelled(book: Book, order: str) -> Decision:
    taken = book.decide("CANCEL", order, person="anna", source="shop", external_id="1")
    assert taken.moved
    return taken.decision


def why(book: Book, order: str) -> list[str]:
    rows = book.store.query("SELECT why FROM effects WHERE order_id = :order ORDER BY position", {"order": order})
    return [why for (why,) in rows]


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


AHEAD = 0xFFFFFFFF
"""The last second that a record can tell, in 2106."""


@pytest.mark.parametrize("ahead", [AHEAD, BEGAN + DAY], ids=["for ever", "a day"])
def test_a_clock_that_is_ahead_does_not_carry_a_decision_along(
    book: Book, counter: Scanner, clock: Clock, organisation: Organisation, ahead: int
) -> None:
    other = enrolled(book, organisation, "Ahead", 17)
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\nB,plain,17,READY,1.00,RUB\n", VALUED)
    clock.now = BEGAN + 600
    for scanner, order in ((counter, "A"), (other, "B")):
        accept(book, scanner.record(Action.NOTE, Verdict.NOTED, order, time=ahead))
    for order in "AB":
        assert cancelled(book, order).at == clock.now
        (wait,) = kept(book)[order].waits
        assert wait.due == clock.now + 3 * DAY
    clock.now += 4000
    back = [counter.record(Action.RETURN_IN, Verdict.OK, order, time=clock.now - 5) for order in "AB"]
    accept(book, back[1])
    accept(book, back[0])
    for order in "AB":
        assert state(book, order) == State.RETURNED
        assert book.custody.owner(order, clock.now) == Owner("warehouse", "17")
        assert why(book, order) == ["nothing", "moved", "moved"]


def test_the_desks_clock_may_be_behind_all_that_it_holds(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    accept(book, counter.retrieve("A", Verdict.OK), counter.record(Action.HOLD, Verdict.OK, "A", after=State.HELD))
    clock.now = BEGAN - 300 * DAY
    decision = cancelled(book, "A")
    assert (decision.at, state(book, "A"), why(book, "A")) == (clock.now, State.CANCELLED, ["moved"] * 3)
    clock.now = BEGAN + 900
    accept(book, counter.store("A"))
    assert (state(book, "A"), why(book, "A")) == (State.CANCELLED, ["moved"] * 3 + ["wrong_state"])


@pytest.mark.parametrize("batches", [[[0, 1, 2]], [[2], [1], [0]], [[1, 2], [0]], [[2], [0, 1]]])
def test_what_is_heard_of_a_day_before_it_counts_before_it(
    book: Book, counter: Scanner, clock: Clock, organisation: Organisation, batches: list[list[int]]
) -> None:
    """Though the last that was held of the order then was a record of a clock that is ahead, of that very terminal."""
    door = enrolled(book, organisation, "Door", 17)
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    accept(book, door.record(Action.NOTE, Verdict.NOTED, "A", time=AHEAD))
    cancelled(book, "A")
    late = [
        counter.retrieve("A", Verdict.OK),
        door.record(Action.HOLD, Verdict.OK, "A", after=State.HELD, time=clock.now - 1),
        door.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED, time=clock.now + 1),
    ]
    clock.now += 100
    for batch in batches:
        accept(book, *(late[at] for at in batch))
    rows = book.store.query(
        "SELECT e.seq, f.why FROM effects f LEFT JOIN events e ON e.number = f.event ORDER BY f.position"
    )
    assert rows == [(1, "moved"), (1, "nothing"), (2, "moved"), (None, "moved"), (3, "moved")]


def test_a_decision_of_a_book_of_before_goes_by_its_time(
    tmp_path: Path, book: Book, counter: Scanner, clock: Clock, organisation: Organisation, book_url: str | None
) -> None:
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    accept(book, counter.record(Action.NOTE, Verdict.NOTED, "A", time=clock.now + 500))
    with book.store.transaction():
        book._replay.decisions.add("CANCEL", "A", clock.now + 500, "", "anna", "shop", "1", "")
        book._replay.place("A", clock.now)
    was = states(book)
    book.store.write("DROP TABLE strays")
    book.store.write("ALTER TABLE decisions DROP COLUMN known")
    book.store.write("UPDATE alembic_version SET version_num = '0008'")
    book.close()
    again = Book(tmp_path / "book", organisation, clock, url=book_url)
    try:
        assert [one.decision.known for one in again.decisions.listed("A", 0, 9)] == [0]
        with again.store.transaction():
            again._replay.place("A", clock.now)
        assert states(again) == was
        accept(again, counter.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED, time=clock.now + 501))
        assert why(again, "A") == ["nothing", "moved", "moved"]
    finally:
        again.close()
