"""Custody passes by the pair of scans; a deadline becomes one incident; what is heard late is noted, nothing erased."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from book_scene import Clock, accept, state, take, view
from desk_records import Scanner
from hand_over_scene import BEGAN, HOUR, VALUED, incidents, into, notes, out, owner

from plomba.desk import lifecycle
from plomba.desk.book import Book
from plomba.desk.custody import Owner
from plomba.desk.deadlines import Plan, due
from plomba.desk.words import names
from plomba_wire.vocabulary import Action, Flag, OrderClass, State, Tlv, Verdict


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGAN)


# custody


@pytest.mark.parametrize("heard_first", ["out", "in", "together"])
def test_custody_passes_with_both_scans_whichever_is_heard_first(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, heard_first: str
) -> None:
    take(book, "A,sealed,17,STAGED,100.00,RUB\n", VALUED)
    gave = out(giver, taker, BEGAN + 100)
    took = into(taker, giver, BEGAN + 160)
    clock.now = BEGAN + 300
    for batch in {"out": [[gave], [took]], "in": [[took], [gave]], "together": [[gave, took]]}[heard_first]:
        assert set(accept(book, *batch)) == {"accepted"}
        if batch == [gave]:
            assert (owner(book, clock.now) == Owner("warehouse", "17")) is (heard_first == "out")
    assert [owner(book, BEGAN + at) for at in (-1, 0, 100, 159, 160, 9999)] == [
        *[None, Owner("warehouse", "17"), Owner("warehouse", "17"), Owner("warehouse", "17")],
        *[Owner("courier", "7"), Owner("courier", "7")],
    ]
    kept = book.store.query("SELECT course FROM orders")[0][0]
    assert "HANDOVER_OPEN" not in kept


def test_the_takers_scan_alone_passes_nothing_and_the_givers_completes_it(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 600
    accept(book, into(taker, giver, BEGAN + 10))
    assert (state(book, "A"), owner(book, clock.now)) == (State.WITH_COURIER, Owner("warehouse", "17"))
    accept(book, out(giver, taker, BEGAN + 70))
    assert (state(book, "A"), owner(book, clock.now)) == (State.WITH_COURIER, Owner("courier", "7"))
    assert owner(book, BEGAN + 69) == Owner("warehouse", "17")
    assert "HANDOVER_OPEN" not in book.store.query("SELECT course FROM orders")[0][0]
    assert '"in"' not in book.store.query("SELECT course FROM orders")[0][0]
    gave = giver.seq
    accept(book, giver.undo(gave, "A", State.WITH_COURIER))
    assert owner(book, clock.now) == Owner("courier", "7"), "what both have signed one alone does not take back"
    accept(book, giver.undo(gave, "A", State.WITH_COURIER, Flag.TIME_TRUSTED | Flag.OVERRIDE))
    assert owner(book, clock.now) == Owner("warehouse", "17"), "a supervisor does"


def test_an_act_stands_for_a_side_without_a_terminal(book: Book, giver: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 600
    act = {Tlv.ACT: b"12/7"}
    accept(book, giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING, more=act))
    assert owner(book, clock.now) == Owner("courier", "act 12/7")
    clock.now = BEGAN + 12 * HOUR - 1
    accept(book, giver.record(Action.NOTE, Verdict.NOTED, time=clock.now))
    book.tick()
    assert incidents(book) == []
    clock.now += 1 + HOUR
    accept(book, giver.record(Action.NOTE, Verdict.NOTED, time=clock.now))
    book.tick()
    (one,) = incidents(book)
    assert (one.kind, one.due, one.holder, one.party) == ("LATE", BEGAN + 5 + 12 * HOUR, "courier", "act 12/7")


@pytest.mark.parametrize("number", [b"1\x002", b"\x1b[31m", b"\xff", "Акт 7".encode()])
def test_the_number_of_an_act_is_only_text(book: Book, giver: Scanner, clock: Clock, number: bytes) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    more = {Tlv.ACT: number}
    assert accept(book, giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING, more=more)) == [
        "accepted"
    ]
    one = owner(book, clock.now)
    assert one is not None and one.party.isprintable() and one.party.startswith("act ")


def test_a_seal_of_any_bytes_is_no_ones_text(book: Book, giver: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    for seal in (b"S\x00", b"\xff", b"S\xfe"):
        more = {Tlv.SEAL: seal}
        assert accept(book, giver.record(Action.SEAL_APPLY, Verdict.OK, "A", more=more)) == ["accepted"]
    assert book.store.count("FROM bindings") == 3


# deadlines

_ENTRIES = sorted(lifecycle.load().entries)


@pytest.mark.parametrize("at", _ENTRIES, ids=lambda at: names("state")[at])
@pytest.mark.parametrize("order_class", [OrderClass.PLAIN, OrderClass.SEALED], ids=["plain", "sealed"])
def test_one_incident_for_each_deadline_whatever_the_clock_does(
    book: Book, clock: Clock, at: int, order_class: int
) -> None:
    name = "sealed" if order_class == OrderClass.SEALED else "plain"
    take(book, f"A,{name},17,{names('state')[at]},100.00,RUB\n", VALUED)
    deadline = book.lifecycle.deadlines[at, order_class]
    moment = due(deadline, BEGAN, Plan(), book._replay._calendars.of(17))
    clock.now = moment - 1
    book.tick()
    assert incidents(book) == []
    for step in (0, 1, -400 * 24 * HOUR, 0, 400 * 24 * HOUR, -1, 2):
        clock.now = moment + step
        book.tick()
    (one,) = incidents(book)
    assert (one.kind, one.due, one.order_id, one.value, one.entry) == (deadline.incident, moment, "A", 10_000, "import")
    assert (one.holder, one.party) == (book.lifecycle.holder[at], view(book, "A").party)


@pytest.fixture
def stored(book: Book, counter: Scanner, clock: Clock) -> Iterator[int]:
    """When the order that the counter's terminal took from its cell has to have gone on."""
    counter.time = BEGAN
    take(book, "A,sealed,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 30
    accept(book, counter.retrieve("A"))
    yield counter.time + 600


def test_who_is_silent_is_not_to_blame_until_he_reports(
    book: Book, counter: Scanner, clock: Clock, stored: int
) -> None:
    clock.now = stored + 60
    book.tick()
    assert (incidents(book), view(book, "A").unheard) == ([], stored)
    clock.now = stored + 200
    accept(book, counter.record(Action.NOTE, Verdict.NOTED, time=stored + 130))
    book.tick()
    (one,) = incidents(book)
    assert (one.kind, one.party, one.opened, view(book, "A").unheard) == ("LEFT_UNSCANNED", "17", clock.now, None)
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=stored + 190))
    assert (incidents(book)[0].outcome, notes(book)) == ("late", [("opened", None), ("late", 190)])


def test_silence_has_an_end(book: Book, counter: Scanner, clock: Clock, stored: int) -> None:
    for later in (60, 86_399, 86_400, 86_500, 9 * 86_400):
        clock.now = stored + later
        book.tick()
        assert len(incidents(book)) == (later >= 86_400)
    assert [what for what, _ in notes(book)][:2] == ["opened", "silent"]


@pytest.mark.parametrize(
    ("late", "outcome"), [(-5, "on_time"), (0, "on_time"), (120, "on_time"), (121, "late"), (4000, "late")]
)
def test_what_is_heard_late_says_by_how_much_and_erases_nothing(
    book: Book, counter: Scanner, clock: Clock, stored: int, late: int, outcome: str
) -> None:
    clock.now = stored + 2 * 86_400
    book.tick()
    before = notes(book)
    scan = counter.record(
        *(Action.SEAL_CHECK, Verdict.SEAL_READ, "A"), code="S9", kind=2, after=State.VERIFIED, time=stored + late
    )
    accept(book, scan, scan)
    accept(book, scan)
    (one, *more) = incidents(book)
    assert (one.outcome, one.closed) == (outcome, None)
    assert notes(book) == [*before, (outcome, late if outcome == "late" else None)]
    assert all(other.kind != one.kind for other in more)


def test_a_late_scan_that_is_the_first_to_be_heard_is_an_incident_too(
    book: Book, counter: Scanner, clock: Clock, stored: int
) -> None:
    clock.now = stored + 500
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=stored + 300))
    (one,) = incidents(book)
    assert (one.kind, one.outcome, notes(book)) == ("LEFT_UNSCANNED", "late", [("opened", None), ("late", 300)])
    accept(book, counter.undo(counter.seq, "A", State.IDENTIFIED))
    assert notes(book)[-1] == ("again", None)
    assert incidents(book)[0].outcome is None


def test_half_of_a_hand_over_is_one_incident_and_stays_with_the_giver(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,sealed,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 60
    accept(book, out(giver, taker, BEGAN + 10))
    clock.now = BEGAN + 10 + 899
    book.tick()
    assert (incidents(book), view(book, "A").unheard) == ([], None)
    clock.now += 61
    book.tick()
    assert (incidents(book), view(book, "A").unheard) == ([], BEGAN + 910)
    clock.now = BEGAN + 1200
    accept(book, taker.record(Action.NOTE, Verdict.NOTED, time=BEGAN + 1100))
    book.tick()
    book.tick()
    (one,) = incidents(book)
    assert (one.kind, one.due, one.holder, one.party) == ("HANDOVER_OPEN", BEGAN + 910, "warehouse", "17")
    assert owner(book, clock.now) == Owner("warehouse", "17")
    clock.now += HOUR
    accept(book, into(taker, giver, BEGAN + 2000))
    assert notes(book)[-1] == ("late", 1090)
    assert owner(book, clock.now) == Owner("courier", "7")


def test_what_a_record_reports_is_an_incident_at_once_and_once(
    book: Book, counter: Scanner, clock: Clock, stored: int
) -> None:
    clock.now = stored - 500
    missing = (
        counter.record(Action.HOLD, Verdict.OK, "A", after=State.HELD),
        counter.record(Action.DAMAGE, Verdict.OK, "A"),
    )
    accept(book, *missing)
    accept(book, *missing)
    with book.store.transaction():
        book._replay.place("A", clock.now)
    assert [one.kind for one in incidents(book)] == ["DAMAGED"]


def test_an_incident_is_called_out_again_until_somebody_closes_it(book: Book, clock: Clock) -> None:
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 2 * HOUR
    book.tick()
    for hours, level in ((0.5, 0), (1, 1), (2, 1), (24, 2), (48, 2)):
        clock.now = BEGAN + 2 * HOUR + int(hours * HOUR)
        book.tick()
        assert incidents(book)[0].level == level
    with book.store.transaction():
        book._replay.incidents.close(1, "anna", "found behind the shelf", clock.now)
    assert notes(book)[-1] == ("closed", None)
    assert incidents(book)[0].closed == clock.now


def test_what_somebody_has_closed_is_called_out_no_more(book: Book, clock: Clock) -> None:
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 2 * HOUR
    book.tick()
    with book.store.transaction():
        book._replay.incidents.close(1, "anna", "", clock.now)
    clock.now += 48 * HOUR
    book.tick()
    assert (incidents(book)[0].level, [what for what, _ in notes(book)]) == (0, ["opened", "closed"])
