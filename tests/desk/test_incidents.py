"""One incident for each deadline: whichever clock leaps, whoever is silent, whatever is heard late or taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from book_scene import Clock, accept, check_waits, kept, state, take, view
from desk_records import Event, Scanner
from hand_over_scene import BEGAN, HOUR, VALUED, enrolled, incidents, into, notes, out

from plomba.desk import lifecycle
from plomba.desk.book import Book
from plomba.desk.deadlines import Plan, due
from plomba.desk.words import names
from plomba.errors import StoreError, UsageError
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, Condition, Flag, OrderClass, State, Tlv, Verdict

DAY = 24 * HOUR
LIFE = lifecycle.load()


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGAN)


def tick(book: Book, clock: Clock, at: int) -> None:
    clock.now = at
    book.tick()


def silent(*scanners: Scanner, time: int) -> list[Event]:
    """Each reports something else."""
    return [scanner.record(Action.NOTE, Verdict.NOTED, time=time) for scanner in scanners]


# every deadline that there is

Maker = Callable[[Scanner], Event]


def does(action: int, after: int, verdict: int = Verdict.OK) -> Maker:
    return lambda scanner: scanner.record(action, verdict, "A", after=after)


READ: tuple[Maker, ...] = (
    lambda scanner: scanner.retrieve("A"),
    lambda scanner: scanner.seal("A", "X", Verdict.SEAL_READ),
)
BACK = (does(Action.RETURN_OPEN, State.RETURNING), does(Action.RETURN_IN, State.RETURNED))
WAYS: dict[int, tuple[int, tuple[Maker, ...]]] = {
    State.HANDING: (State.STAGED, (does(Action.HANDOVER_OUT, State.HANDING),)),
    State.IDENTIFIED: (State.READY, READ[:1]),
    State.VERIFIED: (State.READY, READ),
    State.PART_DELIVERED: (
        State.READY,
        (*READ, lambda scanner: scanner.refuse_part("A"), does(Action.HANDOUT, State.PART_DELIVERED)),
    ),
    State.REFUSED: (State.READY, (*READ, does(Action.REFUSE, State.REFUSED))),
    State.FAILED: (State.ON_ROUTE, (does(Action.ATTEMPT_FAILED, State.FAILED),)),
    State.HELD: (State.READY, (does(Action.HOLD, State.HELD),)),
    State.RETURNING: (State.READY, BACK[:1]),
    State.RETURNED: (State.READY, BACK),
    State.INSPECTED: (State.READY, (*BACK, does(Action.RETURN_INSPECT, State.INSPECTED))),
    State.CANCELLED: (State.READY, ()),
}
"""From which entry, and how, an order comes where it does not enter."""


@pytest.mark.parametrize(("at", "order_class"), sorted(LIFE.deadlines), ids=str)
def test_each_deadline_is_one_incident_however_the_clocks_leap(
    book: Book, counter: Scanner, clock: Clock, at: int, order_class: int
) -> None:
    deadline = LIFE.deadlines[at, order_class]
    first, way = WAYS.get(at, (at, ()))
    name = "sealed" if order_class == OrderClass.SEALED else "plain"
    take(book, f"A,{name},17,{names('state')[first]},100.00,RUB\n", VALUED)
    counter.time = BEGAN
    clock.now = BEGAN + 100
    sent = [maker(counter) for maker in way]
    accept(book, *sent)
    if at == State.CANCELLED:
        book.decide("CANCEL", "A", person="anna", source="shop", external_id="1")
        counter.time = clock.now
    assert state(book, "A") == at
    moment = due(deadline, counter.time, Plan(), book._replay._calendars.of(17))
    tick(book, clock, moment - 1)
    assert incidents(book) == []
    clock.now = moment + HOUR
    accept(book, *silent(counter, time=moment + 200))
    for step in (0, 1, -400 * DAY, 30, 900 * DAY, -1, 2, 5 * DAY):
        tick(book, clock, moment + step)
        clock.now = moment + HOUR
        assert set(accept(book, *sent)) <= {"duplicate"}
        with book.store.transaction():
            book._replay.place(["A"], clock.now)
        (one,) = incidents(book)
    assert (one.kind, one.due, one.state, one.value) == (deadline.incident, moment, at, 10_000)
    assert one.outcome is None
    assert [what for what, _ in notes(book)].count("opened") == 1
    check_waits(book)


def test_a_deadline_over_the_night_of_the_two_threes(tmp_path: Path, organisation: Organisation, clock: Clock) -> None:
    """Open from 22 to 6: two hours from half past eleven are over at half past one, and the third night has an hour
    twice."""
    zone = ZoneInfo("Europe/Kyiv")
    night = datetime.fromtimestamp(BEGAN, zone).replace(hour=23, minute=30, second=0, microsecond=0)
    while (night + timedelta(hours=12)).utcoffset() == night.utcoffset() or night.month != 10:
        night += timedelta(days=1)
    began = int((night + timedelta(hours=3)).timestamp())  # half past two, before the clocks go back
    folder = tmp_path / "kyiv"
    folder.mkdir()
    (folder / "calendar.toml").write_text('zone = "Europe/Kyiv"\nhours = "Mo-Su 22:00-06:00"\n', encoding="utf-8")
    clock.now = began
    book = Book(folder, organisation, clock)
    try:
        take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
        moment = began + 2 * HOUR
        assert datetime.fromtimestamp(moment, zone).strftime("%H:%M") == "03:30", "one hour on the wall"
        for minutes in range(-26 * 60, 26 * 60, 13):
            tick(book, clock, moment + minutes * 60)
            assert [one.due for one in incidents(book)] == ([moment] if minutes >= 0 else [])
            tick(book, clock, moment - DAY)
        (one,) = incidents(book)
        assert one.kind == "NOT_STORED"
    finally:
        book.close()


# who is silent


@pytest.fixture
def retrieved(book: Book, counter: Scanner, clock: Clock) -> Iterator[int]:
    """By when an order that the counter's terminal has taken out is to go on."""
    counter.time = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 30
    accept(book, counter.retrieve("A"))
    yield counter.time + 600


def test_what_was_done_in_time_and_heard_late_is_no_incident(
    book: Book, counter: Scanner, clock: Clock, retrieved: int
) -> None:
    tick(book, clock, retrieved + HOUR)
    assert view(book, "A").unheard == retrieved
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved - 1))
    accept(book, *silent(counter, time=retrieved + HOUR))
    book.tick()
    assert (incidents(book), view(book, "A").unheard) == ([], None)


@pytest.mark.parametrize(("after", "told"), [(119, 0), (120, 1)])
def test_a_terminal_has_reported_past_it_only_when_its_clock_cannot_be_wrong_about_that(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, after: int, told: int
) -> None:
    clock.now = retrieved + HOUR
    accept(book, *silent(counter, time=retrieved + after))
    book.tick()
    assert len(incidents(book)) == told


def test_a_gap_in_what_was_heard_is_silence(book: Book, counter: Scanner, clock: Clock, retrieved: int) -> None:
    clock.now = retrieved + HOUR
    missing, *further = silent(counter, counter, time=retrieved + 500)
    accept(book, *further)
    book.tick()
    assert (incidents(book), view(book, "A").unheard) == ([], retrieved)
    accept(book, missing)
    book.tick()
    assert len(incidents(book)) == 1


def test_another_terminal_of_the_place_does_not_speak_for_it(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, organisation: Organisation
) -> None:
    other = enrolled(book, organisation, "Other", 17)
    clock.now = retrieved + HOUR
    accept(book, *silent(other, time=retrieved + 500))
    book.tick()
    assert (incidents(book), view(book, "A").unheard) == ([], retrieved)


def test_an_imported_order_waits_for_the_terminals_of_its_place_that_are_in_use(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, organisation: Organisation
) -> None:
    near, idle = (enrolled(book, organisation, label, 17) for label in ("Near", "Drawer"))
    clock.now = BEGAN + 10
    accept(book, *silent(near, giver, time=BEGAN + 5))
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    moment = clock.now - 5 + 2 * HOUR
    tick(book, clock, moment + 20)
    assert (incidents(book), view(book, "A").unheard) == ([], clock.now - 20 + 5)
    accept(book, *silent(near, time=moment + 5 + 120))
    tick(book, clock, moment + 300)
    accept(book, *silent(near, time=moment + 5 + 130))
    book.tick()
    assert [one.kind for one in incidents(book)] == ["NOT_STORED"]
    assert idle.seq == 0


def on_the_way_back(book: Book, giver: Scanner, taker: Scanner, clock: Clock) -> int:
    """Half of a hand-over is open just before the way back itself is over: at what is returned, a minute ago."""
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 100
    accept(book, giver.record(Action.RETURN_OPEN, Verdict.OK, "A", after=State.RETURNING, time=BEGAN + 50))
    back = BEGAN + 50 + 3 * DAY
    clock.now = back
    accept(book, out(giver, taker, back - 1000, State.RETURNING))
    tick(book, clock, back + 60)
    return back


def test_of_two_that_are_waited_for_each_is_looked_at_when_it_reports(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    back = on_the_way_back(book, giver, taker, clock)
    assert (incidents(book), view(book, "A").unheard) == ([], back - 100)
    clock.now = back + 600
    accept(book, *silent(taker, time=back + 300))
    book.tick()
    assert [(one.kind, one.due) for one in incidents(book)] == [("HANDOVER_OPEN", back - 100)]
    accept(book, *silent(giver, time=back + 400))
    book.tick()
    assert [(one.kind, one.due) for one in incidents(book)][1:] == [("RETURN_LATE", back)]
    assert view(book, "A").unheard is None


def test_of_two_that_are_waited_for_the_other_one_may_report_first(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    back = on_the_way_back(book, giver, taker, clock)
    clock.now = back + 600
    accept(book, *silent(giver, time=back + 300))
    book.tick()
    assert [one.kind for one in incidents(book)] == ["RETURN_LATE"]
    accept(book, *silent(taker, time=back + 300))
    book.tick()
    assert [one.kind for one in incidents(book)] == ["RETURN_LATE", "HANDOVER_OPEN"]


def test_silence_that_ends_in_an_incident_names_the_terminal(
    book: Book, counter: Scanner, clock: Clock, retrieved: int
) -> None:
    tick(book, clock, retrieved + DAY - 1)
    assert incidents(book) == []
    tick(book, clock, retrieved + DAY)
    (one,) = incidents(book)
    assert [(note.what, note.text) for note in book._replay.incidents.notes(one.number)] == [
        ("opened", ""),
        ("silent", counter.id),
    ]
    assert view(book, "A").unheard is None
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved - 5))
    assert (incidents(book)[0].outcome, notes(book)[-1]) == ("on_time", ("on_time", None))
    tick(book, clock, retrieved + DAY + 2 * HOUR)
    assert incidents(book)[0].level == 0, "what was done is not called out"


# what is heard late


def test_how_late_it_was_is_corrected_by_what_is_heard_later_still(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, organisation: Organisation
) -> None:
    other = enrolled(book, organisation, "Other", 17)
    clock.now = retrieved + 2 * DAY
    accept(book, other.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved + 9000))
    assert notes(book) == [("opened", None), ("late", 9000)]
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved + 3000))
    assert notes(book) == [("opened", None), ("late", 9000), ("late", 3000)]
    (one, *_) = incidents(book)
    assert (one.kind, one.outcome) == ("VISIT_STUCK", "late")


def test_what_a_clock_that_was_never_set_says_is_neither_late_nor_in_time(
    book: Book, counter: Scanner, clock: Clock, retrieved: int
) -> None:
    tick(book, clock, retrieved + 3 * DAY)
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=0, flags=0))
    assert (incidents(book)[0].outcome, notes(book)[-1]) == ("unproved", ("unproved", None))


def test_another_terminal_of_the_place_may_have_done_it(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, organisation: Organisation
) -> None:
    """Who began the visit has reported; the second counter, in use that day, has not."""
    second = enrolled(book, organisation, "Second counter", 17)
    clock.now = retrieved + 900
    accept(book, *silent(second, time=BEGAN + 1), *silent(counter, time=retrieved + 900))
    tick(book, clock, retrieved + 900)
    assert (incidents(book), view(book, "A").unheard) == ([], retrieved)
    accept(book, *silent(second, time=retrieved + 800))
    book.tick()
    assert [one.kind for one in incidents(book)] == ["VISIT_STUCK"]


def test_what_moves_nothing_does_not_say_when_an_order_began(book: Book, counter: Scanner, clock: Clock) -> None:
    clock.now = BEGAN + 20 * DAY
    early = [
        counter.record(Action.NOTE, Verdict.NOTED, "A", time=BEGAN),
        counter.record(Action.STORE, Verdict.WRONG_STATE, "A", time=BEGAN + 5),
        counter.record(Action.STORE, Verdict.OK, "A", time=BEGAN + 9, flags=Flag.TIME_TRUSTED | Flag.TRAINING),
    ]
    accept(book, *early)
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    book.tick()
    assert incidents(book) == []
    assert [spell.since for spell in book.custody.spells("A")] == [clock.now]


def test_a_store_that_failed_leaves_nothing_of_what_it_did_not_take(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails while the incident of one order is gathered, and that of the other is."""
    take(book, "B,plain,17,READY,100.00,RUB\n", VALUED)
    accept(book, counter.record(Action.RETRIEVE, Verdict.OK, "B", after=State.IDENTIFIED, time=BEGAN + 20))
    clock.now = retrieved + 1000
    accept(book, *silent(counter, time=retrieved + 1000))
    asked = []

    def fails(sql: str, values: object = None) -> list[tuple[object, ...]]:
        asked.append(sql)
        if sum(sql.startswith("SELECT kind, party FROM custody") for sql in asked) == 2:
            raise StoreError("desk_store_failed", path="-", reason="gone")
        return query(sql, values)

    query = book.store.query
    with monkeypatch.context() as patch:
        patch.setattr(book.store, "query", fails)
        with pytest.raises(StoreError):
            book.tick()
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved - 1))
    accept(book, counter.record(Action.DAMAGE, Verdict.OK, "A"))
    assert [one.kind for one in incidents(book) if one.order_id == "A"] == ["DAMAGED"]


def test_other_opening_hours_count_from_the_next_start_on(
    tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    calendar = tmp_path / "calendar.toml"
    dues = []
    for hours in ("24/7", "Mo-Su 00:00-00:30", "24/7"):
        calendar.write_text(f'zone = "UTC"\nhours = "{hours}"\n', encoding="utf-8")
        book = Book(tmp_path, organisation, clock)
        if not dues:
            take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
        dues.append(kept(book)["A"].waits[0].due)
        book.close()
    assert dues[0] == dues[2] == BEGAN + 2 * HOUR
    assert dues[1] > dues[0] + 2 * DAY


def test_an_entry_that_is_taken_back_takes_its_deadline_along(
    book: Book, counter: Scanner, clock: Clock, retrieved: int
) -> None:
    tick(book, clock, retrieved + 3 * DAY)
    accept(book, counter.undo(1, "A", State.READY))
    assert (incidents(book)[0].outcome, notes(book)[-1][0]) == ("taken_back", "taken_back")
    with book.store.transaction():
        book._replay.place(["A"], clock.now)
    book.tick()
    assert [what for what, _ in notes(book)] == ["opened", "silent", "taken_back"]
    assert [one.kind for one in incidents(book)] == ["VISIT_STUCK"]


@pytest.mark.parametrize("late", [False, True])
def test_what_was_taken_back_by_mistake_is_waited_for_as_before(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, late: bool
) -> None:
    """A record that takes something back is taken back itself."""
    clock.now = retrieved + 1000
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved + 300 * late))
    before = kept(book)["A"].waits
    counter.time = retrieved + 400
    accept(book, counter.undo(counter.seq, "A", State.IDENTIFIED))
    check_waits(book)
    accept(book, counter.undo(counter.seq, "A", State.REFUSED))
    assert (state(book, "A"), kept(book)["A"].waits) == (State.REFUSED, before)
    assert [one.outcome for one in incidents(book)] == (["late"] if late else [])
    assert notes(book) == ([("opened", None), ("late", 300), ("again", None), ("late", 300)] if late else [])


def test_a_report_that_was_taken_back_by_mistake_stands(
    book: Book, counter: Scanner, clock: Clock, retrieved: int
) -> None:
    clock.now = retrieved
    accept(book, counter.record(Action.DAMAGE, Verdict.OK, "A"))
    accept(book, counter.undo(counter.seq, "A"))
    accept(book, counter.undo(counter.seq, "A"))
    assert [what for what, _ in notes(book)] == ["opened", "taken_back", "again"]
    assert incidents(book)[0].outcome is None


def test_an_entry_that_was_none_as_it_is_known_later_takes_its_deadline_along(
    book: Book, counter: Scanner, clock: Clock, retrieved: int, organisation: Organisation
) -> None:
    """The parcel was held before: it could not be taken out."""
    tick(book, clock, retrieved + 3 * DAY)
    other = enrolled(book, organisation, "Other", 17)
    accept(book, other.record(Action.HOLD, Verdict.OK, "A", after=State.HELD, time=BEGAN + 1))
    assert incidents(book)[0].outcome == "taken_back"
    assert state(book, "A") == State.HELD
    with book.store.transaction():
        book._replay.place(["A"], clock.now)
    assert [what for what, _ in notes(book)] == ["opened", "silent", "taken_back"]


def test_what_waits_again_is_called_out_again(book: Book, counter: Scanner, clock: Clock, retrieved: int) -> None:
    clock.now = retrieved + 500
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED, time=retrieved + 300))
    tick(book, clock, retrieved + 2 * HOUR)
    assert incidents(book)[0].level == 0, "what was done is not called out"
    accept(book, counter.undo(counter.seq, "A", State.IDENTIFIED))
    assert (incidents(book)[0].outcome, notes(book)[-1]) == (None, ("again", None))
    book.tick()
    assert incidents(book)[0].level == 1
    with book.store.transaction():
        book._replay.incidents.close(1, "anna", "", clock.now)
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A", after=State.REFUSED))
    accept(book, counter.undo(counter.seq, "A", State.IDENTIFIED))
    assert (incidents(book)[0].closed, notes(book)[-1]) == (None, ("again", None)), "it is open again"
    tick(book, clock, retrieved + 9 * DAY)
    assert incidents(book)[0].level == 2


@pytest.mark.parametrize("late", [False, True])
def test_who_answered_at_the_deadline_is_named_though_it_has_passed_on_since(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, late: bool
) -> None:
    """The desk finds out after a hand-over, by its clock or by the scan that comes too late."""
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 100
    accept(book, giver.record(Action.RETURN_OPEN, Verdict.OK, "A", after=State.RETURNING, time=BEGAN + 50))
    back = BEGAN + 50 + 3 * DAY
    clock.now = back + HOUR
    accept(book, out(giver, taker, back + 100, State.RETURNING), into(taker, giver, back + 200, State.RETURNING))
    if late:
        accept(book, taker.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED, time=back + 900))
    else:
        accept(book, *silent(giver, taker, time=back + 500))
        book.tick()
    (one,) = [one for one in incidents(book) if one.kind == "RETURN_LATE"]
    assert (one.holder, one.party, one.outcome) == ("point", "17", "late" if late else None)


def test_half_of_a_hand_over_that_only_the_taker_scanned(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 30
    accept(book, into(taker, giver, BEGAN + 10))
    tick(book, clock, BEGAN + 1000)
    assert (incidents(book), view(book, "A").unheard) == ([], BEGAN + 910), "the giver has not been heard"
    clock.now += 300
    accept(book, *silent(giver, time=BEGAN + 1100))
    for _ in range(3):
        book.tick()
    (one,) = incidents(book)
    assert (one.kind, one.holder, one.party) == ("HANDOVER_OPEN", "warehouse", "17")
    accept(book, out(giver, taker, BEGAN + 1200))
    assert (incidents(book)[0].outcome, notes(book)[-1]) == ("late", ("late", 290))


# what a record reports

REPORTS = sorted(
    {
        (action, verdict, move.incident, min(move.origins & LIFE.entries, default=State.READY))
        for action, verdict, move in LIFE.moves()
        if move.incident
    }
)


@pytest.mark.parametrize(("action", "verdict", "kind", "origin"), REPORTS)
def test_what_a_record_reports_is_an_incident_once_until_it_is_taken_back(
    book: Book, counter: Scanner, clock: Clock, action: int, verdict: int, kind: str, origin: int
) -> None:
    take(book, f"A,plain,17,{names('state')[origin]},100.00,RUB\n", VALUED)
    clock.now = BEGAN + 100
    if action == Action.INSPECT:
        accept(book, counter.retrieve("A"))
    was = view(book, "A")
    report = counter.record(action, verdict, "A", more={Tlv.CONDITION: bytes((Condition.BROKEN,))})
    for _ in range(3):
        accept(book, report)
        with book.store.transaction():
            book._replay.place(["A"], clock.now)
        book.tick()
        (one,) = incidents(book)
    identity = f"{counter.id}-1-{counter.seq}"
    assert (one.kind, one.entry, one.outcome, one.holder) == (kind, identity, None, was.holder)
    back = counter.undo(counter.seq, "A", was.state)
    accept(book, back, back)
    assert (incidents(book)[0].outcome, notes(book)) == ("taken_back", [("opened", None), ("taken_back", None)])


def test_a_report_whose_taking_back_counts_no_more_stands_again(
    book: Book, counter: Scanner, clock: Clock, organisation: Organisation
) -> None:
    """Somebody broke the seal between the report and what takes it back, and was heard last."""
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 500
    counter.time = BEGAN
    other = enrolled(book, organisation, "Other", 17)
    missing = counter.record(Action.MISSING, Verdict.OK, "A", after=State.HELD, time=BEGAN + 10)
    accept(book, missing, counter.record(Action.NOTE, Verdict.NOTED))
    counter.time = BEGAN + 100
    accept(book, counter.undo(1, "A", State.READY))
    assert incidents(book)[0].outcome == "taken_back"
    accept(book, other.record(Action.RELEASE, Verdict.OK, "A", after=State.AT_POINT, time=BEGAN + 50))
    assert [what for what, _ in notes(book)] == ["opened", "taken_back", "again"]
    assert (incidents(book)[0].outcome, state(book, "A")) == (None, State.AT_POINT)


# a person closes it


def test_an_incident_is_closed_once_and_by_somebody(book: Book, clock: Clock) -> None:
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    tick(book, clock, BEGAN + 2 * HOUR)
    register = book._replay.incidents
    with book.store.transaction():
        register.close(1, "anna", "found", clock.now)
    for number, code in ((1, "desk_incident_closed"), (2, "desk_incident_unknown")):
        with pytest.raises(UsageError) as caught, book.store.transaction():
            register.close(number, "boris", "", clock.now)
        assert caught.value.code == code
    assert [(note.what, note.person, note.text) for note in register.notes(1)][1:] == [("closed", "anna", "found")]
    assert (register.listed(open=True), register.get(1).closed) == ([], clock.now)


def test_calling_out_begins_when_it_was_opened_and_has_an_end(book: Book, clock: Clock) -> None:
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    opened = BEGAN + 5 * HOUR
    tick(book, clock, opened)
    levels = []
    for at in (HOUR - 1, HOUR, HOUR, 24 * HOUR - 1, 24 * HOUR, 900 * HOUR):
        tick(book, clock, opened + at)
        levels.append(incidents(book)[0].level)
    assert levels == [0, 1, 1, 1, 2, 2]
    said = [note.text for note in book._replay.incidents.notes(1) if note.what == "escalated"]
    assert said == ["1", "2"]
    assert all(first.number < second.number for first, second in pairwise(book._replay.incidents.notes(1)))
