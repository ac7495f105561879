"""A route that is closed has none of its orders left: whatever is heard when, each that is left is one incident."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from book_scene import Clock, accept, check_waits, records, state, states, take, view
from desk_records import Event, Scanner
from hand_over_scene import BEGAN, enrolled, incidents, notes

from plomba.desk.book import Book
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, Flag, State, Tlv, Verdict


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = BEGAN
    return clock


@pytest.fixture
def courier(book: Book, organisation: Organisation, clock: Clock) -> Scanner:
    scanner = enrolled(book, organisation, "Courier", 3)
    take(book, "A,plain,17,STAGED\nB,plain,17,STAGED\n", "order,class,place,state\n")
    clock.now = BEGAN + 3000
    return scanner


def took(courier: Scanner, *orders: str, actor: int = 7) -> list[Event]:
    """By an act, and off with them."""
    act = {Tlv.ACT: b"1"}
    return [
        courier.record(action, Verdict.OK, order, after=after, actor=actor, more=act)
        for action, after in ((Action.HANDOVER_IN, State.WITH_COURIER), (Action.ROUTE_START, State.ON_ROUTE))
        for order in orders
    ]


def delivered(courier: Scanner, order: str) -> list[Event]:
    return [
        courier.record(Action.ARRIVE, Verdict.OK, order, after=State.AT_STOP),
        courier.retrieve(order, Verdict.OK),
        courier.hand_out(order),
    ]


def close(courier: Scanner, verdict: int = Verdict.OK, flags: int = 1) -> Event:
    return courier.record(Action.ROUTE_CLOSE, verdict, flags=flags)


def closed_open(book: Book) -> list[str]:
    return [one.order_id for one in incidents(book) if one.kind == "ROUTE_CLOSED"]


def test_each_order_that_is_left_is_one_incident_of_the_courier(book: Book, courier: Scanner, clock: Clock) -> None:
    came = [*took(courier, "A", "B"), *delivered(courier, "B"), close(courier)]
    accept(book, *came)
    accept(book, *came)
    (one,) = incidents(book)
    assert (one.order_id, one.kind, one.state) == ("A", "ROUTE_CLOSED", State.ON_ROUTE)
    assert (one.holder, one.party) == ("courier", "7")
    assert one.entry == f"{courier.id}-1-{courier.seq}"
    assert (state(book, "A"), records(book, "A")[-1]["action"]) == (State.ON_ROUTE, "ROUTE_CLOSE")
    assert "ROUTE_CLOSE" not in [record["action"] for record in records(book, "B")]
    check_waits(book)


@pytest.mark.parametrize(
    ("what", "after", "left"),
    [
        (Action.ATTEMPT_FAILED, State.FAILED, True),
        (Action.HANDOVER_OUT, State.HANDING, False),
        (Action.HOLD, State.HELD, False),
        (Action.MISSING, State.HELD, False),
    ],
)
def test_what_was_given_away_or_has_an_incident_is_not_left(
    book: Book, courier: Scanner, what: int, after: int, left: bool
) -> None:
    accept(book, *took(courier, "A"), courier.record(what, Verdict.OK, "A", after=after), close(courier))
    assert closed_open(book) == ["A"] * left


def test_what_failed_and_came_back_to_the_warehouse_is_not_left(
    book: Book, courier: Scanner, organisation: Organisation
) -> None:
    warehouse = enrolled(book, organisation, "Warehouse", 17)
    accept(book, *took(courier, "A"), courier.record(Action.ATTEMPT_FAILED, Verdict.OK, "A", after=State.FAILED))
    warehouse.time = courier.time + 10
    back = warehouse.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED)
    courier.time = warehouse.time + 10
    accept(book, close(courier))
    assert closed_open(book) == ["A"]
    accept(book, back)
    assert incidents(book)[0].outcome == "taken_back", "it was back, and that was heard late"


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_it_is_the_same_however_the_records_arrive(
    book: Book, courier: Scanner, organisation: Organisation, clock: Clock, arrival: tuple[int, ...]
) -> None:
    other = enrolled(book, organisation, "Second", 4)
    mine, theirs = ([*took(one, *ids), close(one)] for one, ids in ((courier, "AB"), (other, "C")))
    steps: list[Callable[[], object]] = [
        lambda: accept(book, *mine),
        lambda: accept(book, *theirs),
        lambda: take(book, "C,plain,17,STAGED\n", "order,class,place,state\n"),
    ]
    for at in arrival:
        steps[at]()
    assert sorted(closed_open(book)) == ["A", "B", "C"]
    before = states(book)
    with book.store.transaction():
        book._replay.place(["A", "B", "C"], clock.now)
    assert (states(book), len(incidents(book))) == (before, 3)


def test_a_closing_is_about_what_set_out_since_the_one_before(book: Book, courier: Scanner) -> None:
    accept(book, *took(courier, "A"), close(courier), *took(courier, "B"), close(courier))
    assert closed_open(book) == ["A", "B"]


def test_a_route_closed_for_practice_goes_on(book: Book, courier: Scanner) -> None:
    accept(book, *took(courier, "A"), close(courier, flags=Flag.TIME_TRUSTED | Flag.TRAINING), *took(courier, "B"))
    accept(book, close(courier))
    assert closed_open(book) == ["A", "B"]


def test_what_is_on_its_way_back_and_was_given_away_is_not_left(book: Book, courier: Scanner) -> None:
    accept(book, *took(courier, "A", "B"))
    for order in ("A", "B"):
        accept(book, courier.record(Action.ATTEMPT_FAILED, Verdict.OK, order, after=State.FAILED))
        accept(book, courier.record(Action.RETURN_OPEN, Verdict.OK, order, after=State.RETURNING))
    accept(book, courier.record(Action.HANDOVER_OUT, Verdict.OK, "B", after=State.RETURNING), close(courier))
    assert closed_open(book) == ["A"]


def test_a_closing_that_is_taken_back_closed_nothing(book: Book, courier: Scanner) -> None:
    accept(book, *took(courier, "A", "B"), close(courier))
    accept(book, courier.undo(courier.seq))
    assert [one.outcome for one in incidents(book)] == ["taken_back"] * 2
    accept(book, *delivered(courier, "A"), close(courier))
    assert closed_open(book) == ["A", "B", "B"], "the second closing is of the same route"
    assert [one.outcome for one in incidents(book)] == ["taken_back", "taken_back", None]


@pytest.mark.parametrize("named_first", [False, True])
def test_what_names_another_order_takes_no_closing_back(book: Book, courier: Scanner, named_first: bool) -> None:
    accept(book, *took(courier, "A"))
    closing, named = close(courier), courier.undo(courier.seq, "B")
    for event in (named, closing) if named_first else (closing, named):
        accept(book, event)
    assert closed_open(book) == ["A"]
    added = states(book)
    with book.store.transaction():
        book._replay.place("AB", BEGAN + 3000)
    assert (states(book), closed_open(book)) == (added, ["A"]), "placed anew it is the same"


@pytest.mark.parametrize(
    ("verdict", "flags"), [(Verdict.ORDERS_OPEN, Flag.TIME_TRUSTED), (Verdict.OK, Flag.TIME_TRUSTED | Flag.TRAINING)]
)
def test_a_route_that_was_not_closed_is_no_incident(book: Book, courier: Scanner, verdict: int, flags: int) -> None:
    accept(book, *took(courier, "A"), close(courier, verdict, flags))
    assert incidents(book) == []


def test_a_parcel_that_another_courier_took_over_is_his(
    book: Book, courier: Scanner, organisation: Organisation
) -> None:
    other = enrolled(book, organisation, "Second", 4)
    accept(book, *took(courier, "A"))
    accept(book, courier.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING, more=courier.met(other)))
    other.time = courier.time
    on = other.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, actor=8, more=other.met(courier))
    accept(book, on, other.record(Action.ROUTE_START, Verdict.OK, "A", after=State.ON_ROUTE, actor=8))
    courier.time = other.time + 10
    accept(book, close(courier))
    assert closed_open(book) == []
    other.time = courier.time + 10
    accept(book, other.record(Action.ROUTE_CLOSE, Verdict.OK, actor=8))
    assert [(one.order_id, one.party) for one in incidents(book)] == [("A", "8")]


def test_a_bag_that_set_out_is_all_that_is_in_it(book: Book, courier: Scanner) -> None:
    accept(
        book, courier.bag_add("A", "B-1", State.STAGED), courier.whole(Action.HANDOVER_IN, "B-1", State.WITH_COURIER)
    )
    accept(book, courier.whole(Action.ROUTE_START, "B-1", State.ON_ROUTE), close(courier))
    assert (state(book, "A"), closed_open(book)) == (State.ON_ROUTE, ["A"])


def test_a_closing_that_is_heard_before_what_set_out(book: Book, courier: Scanner) -> None:
    """A gap in the chain that is filled later."""
    came = [*took(courier, "A"), close(courier)]
    accept(book, came[0], came[2])
    assert incidents(book) == []
    accept(book, came[1])
    assert closed_open(book) == ["A"]
    assert view(book, "A").disputed == 0
    assert notes(book) == [("opened", None)]
