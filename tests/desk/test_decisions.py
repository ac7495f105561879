"""What people decide takes its place among the records by time, whatever is heard after it."""

from __future__ import annotations

from itertools import permutations

import pytest
from book_scene import Clock, accept, check_waits, opened, state, take, view
from desk_records import Event, Scanner
from hand_over_scene import BEGAN, VALUED, enrolled, incidents, notes, owner

from plomba.desk import lifecycle
from plomba.desk.book import Book
from plomba.desk.custody import Owner
from plomba.desk.timeline import Timeline
from plomba.desk.words import names
from plomba.errors import UsageError
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, OrderClass, State, Verdict

LIFE = lifecycle.load()
DAY = 86_400


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGAN + 1000)


def decide(book: Book, kind: str, at: int, order: str = "A") -> int:
    """A decision as it is kept, without what the desk asks before it takes one."""
    with book.store.transaction():
        number = book._replay.decisions.add(kind, order, at, "", "anna", "shop", "17", "")
        book._replay.place([order], book.clock())
    check_waits(book)
    return number


def did(book: Book) -> list[tuple[str, bool]]:
    """Of each decision, what it did and whether it is disputed."""
    return [(one.why or "", one.disputed) for one in book._replay.decisions.listed("A", 0, 99)]


def handed_out(counter: Scanner) -> list[Event]:
    counter.time = BEGAN + 100
    return [counter.retrieve("A", Verdict.OK), counter.hand_out("A")]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_was_handed_out_before_is_not_cancelled(
    book: Book, counter: Scanner, clock: Clock, order: tuple[int, ...]
) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    retrieved, handed = handed_out(counter)
    for at in order:
        if at == 2:
            decide(book, "CANCEL", BEGAN + 500)
        else:
            accept(book, (retrieved, handed)[at])
    assert (state(book, "A"), owner(book, clock.now)) == (State.DELIVERED, Owner("customer", ""))
    assert did(book) == [("wrong_state", True)]
    assert view(book, "A").disputed == 1


def test_what_was_handed_out_after_does_not_undo_it(book: Book, counter: Scanner, clock: Clock) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    accept(book, *handed_out(counter))
    decide(book, "CANCEL", BEGAN + 50)
    assert (state(book, "A"), did(book)) == (State.CANCELLED, [("moved", False)])
    assert view(book, "A").disputed == 2, "the terminal says otherwise, twice"
    assert owner(book, clock.now) == Owner("point", "17"), "who had it has it, until it is taken back by a scan"


def test_of_one_second_the_record_counts_first(book: Book, counter: Scanner, clock: Clock) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    decide(book, "CANCEL", BEGAN + 300)
    accept(book, counter.record(Action.HOLD, Verdict.OK, "A", after=State.HELD, time=BEGAN + 300))
    rows = book.store.query("SELECT decision, before, after FROM effects ORDER BY position")
    assert rows == [(None, State.READY, State.HELD), (1, State.HELD, State.CANCELLED)]


def test_decisions_count_in_the_order_they_were_taken_whatever_the_clock_said(book: Book, clock: Clock) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    for at in (BEGAN + 300, BEGAN + 200, BEGAN + 200):
        decide(book, "CANCEL", at)
    assert book.store.query("SELECT decision, why, at FROM effects ORDER BY position") == [
        (1, "moved", BEGAN + 300),
        (2, "wrong_state", BEGAN + 300),
        (3, "wrong_state", BEGAN + 300),
    ]


@pytest.mark.parametrize("kind", LIFE.decisions)
@pytest.mark.parametrize("end", [State.DELIVERED, State.REFUNDED, State.REJECTED, State.LOST])
def test_nothing_leads_out_of_an_end(book: Book, counter: Scanner, clock: Clock, kind: str, end: int) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    counter.time = BEGAN + 100
    if end == State.DELIVERED:
        accept(book, *handed_out(counter))
    elif end == State.LOST:
        accept(book, counter.record(Action.MISSING, Verdict.OK, "A", after=State.HELD))
        decide(book, "LOSS", BEGAN + 300)
    else:
        for action in (Action.RETURN_OPEN, Action.RETURN_IN, Action.RETURN_INSPECT):
            accept(book, counter.record(action, Verdict.OK, "A"))
        decide(book, "REFUND" if end == State.REFUNDED else "REJECT", BEGAN + 300)
    assert state(book, "A") == end
    before = book.custody.spells("A")
    assert not before[-1].owed
    decide(book, kind, BEGAN + 600)
    accept(book, counter.store("A"), counter.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED))
    assert (state(book, "A"), book.custody.spells("A")) == (end, before)
    assert did(book)[-1] == ("wrong_state", True)
    assert book.custody.worth(clock.now) == {}
    clock.now += 900 * DAY
    book.tick()
    assert [one for one in incidents(book) if one.kind != "MISSING"] == [], "nothing is waited for"


@pytest.mark.parametrize("kind", LIFE.decisions)
def test_a_decision_is_taken_only_from_where_it_may_be(kind: str) -> None:
    decided = LIFE.decisions[kind]
    for at in LIFE.states:
        timeline = Timeline(LIFE, OrderClass.SEALED, min(LIFE.entries), [b"S1"], "Rose")
        timeline.standing = timeline.standing._replace(state=at, holder="courier", party="7", proved=True)
        was = timeline.standing
        step = timeline.decide(kind)
        if at not in decided.origins:
            assert (step.now, step.why, step.disputed) == (was, "wrong_state", True), names("state")[at]
            continue
        way = decided.way(was)
        assert way is not None
        assert (step.why, step.now.state, step.now.seals) == ("moved", way.to, {b"S1"})
        assert (step.now.holder, step.now.party) == ((way.holder, "") if way.holder else ("courier", "7"))
        assert (step.now.proved, step.now.pair, timeline.standing) == (False, None, step.now)
    assert not decided.origins & LIFE.ends


def test_what_a_decision_begins_has_a_deadline_and_the_record_ends_it(
    book: Book, counter: Scanner, clock: Clock, organisation: Organisation
) -> None:
    door = enrolled(book, organisation, "Door", 17)
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    decide(book, "CANCEL", BEGAN + 500)
    due = BEGAN + 500 + 3 * DAY
    clock.now = due
    book.tick()
    (one,) = incidents(book)
    assert (one.kind, one.entry, one.due) == ("NOT_RETURNED", "decision-1", due)
    clock.now = due + 5000
    accept(book, counter.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED, time=due + 4000))
    assert (notes(book), incidents(book)[0].outcome) == ([("opened", None), ("late", 4000)], "late")
    accept(book, *handed_out(door))
    assert state(book, "A") == State.DELIVERED
    assert incidents(book)[0].outcome == "taken_back", "as it is known now it was handed out before"


UNPICKED = (State.NEW, State.NEED_DATA, State.ACCEPTED)


@pytest.mark.parametrize("entry", sorted(LIFE.entries))
def test_what_nobody_picked_ends_with_its_cancellation_and_all_else_has_to_come_back(
    book: Book, counter: Scanner, clock: Clock, entry: int
) -> None:
    clock.now = BEGAN
    take(book, f"A,plain,17,{names('state')[entry]},100.00,RUB\n", VALUED)
    had = owner(book, clock.now)
    clock.now = BEGAN + 1000
    for field in ("person", "source", "external_id"):
        said = {"person": "anna", "source": "shop", "external_id": "17"} | {field: " "}
        with pytest.raises(UsageError) as caught:
            book.decide("CANCEL", "A", **said)
        assert caught.value.code == "desk_decision_field"
    assert book.decide("CANCEL", "A", person="anna", source="shop", external_id="17").moved
    ended = entry in UNPICKED
    assert state(book, "A") == (State.CALLED_OFF if ended else State.CANCELLED)
    assert book.custody.worth(clock.now) == ({} if ended else {"RUB": 10_000})
    assert book.custody.spells("A")[-1].owner == had
    check_waits(book)
    clock.now += 30 * DAY
    accept(book, counter.record(Action.NOTE, Verdict.NOTED, time=clock.now))
    book.tick()
    kinds = [one.kind for one in incidents(book) if one.entry == "decision-1"]
    assert kinds == ([] if ended else ["NOT_RETURNED"])
    accept(book, counter.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED, time=clock.now))
    assert state(book, "A") == (State.CALLED_OFF if ended else State.RETURNED)


def test_what_was_picked_before_it_was_called_off_and_is_heard_later_has_to_come_back(
    book: Book, counter: Scanner, clock: Clock
) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,ACCEPTED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    decide(book, "CANCEL", BEGAN + 500)
    assert state(book, "A") == State.CALLED_OFF
    early, late = (counter.record(Action.PICK, Verdict.OK, "A", after=State.PICKED, time=BEGAN + at) for at in (1, 600))
    accept(book, late)
    assert (state(book, "A"), view(book, "A").disputed) == (State.CALLED_OFF, 1), "somebody picks what is cancelled"
    _, (row,), _ = opened(book, counter)
    assert row.state == State.CANCELLED, "no step of a terminal begins there"
    accept(book, early)
    assert (state(book, "A"), owner(book, clock.now)) == (State.CANCELLED, Owner("warehouse", "17"))


@pytest.mark.parametrize(("held", "end"), [("ACCEPTED", State.CALLED_OFF), ("PICKED", State.CANCELLED)])
def test_goods_that_were_short_and_are_cancelled(
    book: Book, counter: Scanner, clock: Clock, held: str, end: int
) -> None:
    clock.now = BEGAN
    take(book, f"A,plain,17,{held},100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    accept(book, counter.record(Action.MISSING, Verdict.OK, "A", after=State.HELD, time=BEGAN + 100))
    decide(book, "CANCEL", BEGAN + 500)
    assert (state(book, "A"), did(book)) == (end, [("moved", False)])


def test_no_refund_but_by_the_inspection(book: Book, counter: Scanner, clock: Clock) -> None:
    clock.now = BEGAN
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 1000
    counter.time = BEGAN + 100
    for action in (Action.RETURN_OPEN, Action.RETURN_IN):
        accept(book, counter.record(action, Verdict.OK, "A"))
    decide(book, "REFUND", BEGAN + 500)
    assert (state(book, "A"), did(book)) == (State.RETURNED, [("wrong_state", True)])
    accept(book, counter.record(Action.RETURN_INSPECT, Verdict.OK, "A", time=BEGAN + 400))
    assert (state(book, "A"), did(book)) == (State.REFUNDED, [("moved", False)]), "it was inspected before, heard later"
    accept(book, counter.undo(3, "A"))
    with pytest.raises(UsageError) as caught:
        book.decide("REFUND", "A", person="anna")
    assert caught.value.code == "desk_decision_record"
