"""Who answers for a parcel, at every second: hand-overs between two terminals, ways back, what is taken back."""

from __future__ import annotations

from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest
from book_scene import Clock, accept, check_waits, kept, records, state, take, view
from desk_records import Event, Scanner
from hand_over_scene import BEGAN, HOUR, VALUED, enrolled, incidents, into, out, owner

from plomba.desk.book import Book
from plomba.desk.course import Wait
from plomba.desk.custody import Owner
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, CodeKind, Flag, State, Tlv, Verdict

WAREHOUSE = Owner("warehouse", "17")
COURIER = Owner("courier", "7")


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGAN)


def owners(book: Book, until: int) -> dict[Owner | None, int]:
    """Each owner of A, second by second, and the first second of theirs after BEGAN."""
    found: dict[Owner | None, int] = {}
    last: object = ...
    for at in range(-2, until):
        one = owner(book, BEGAN + at)
        if one != last:
            assert one not in found, "nobody has it twice here"
            found[one] = at
        last = one
    return found


def both(giver: Scanner, taker: Scanner, gave: int, took: int) -> tuple[Event, Event]:
    """The two halves, made in the order of the clocks: the later one names the other."""
    if took < gave:
        second = into(taker, giver, took)
        return out(giver, taker, gave), second
    return out(giver, taker, gave), into(taker, giver, took)


def why(book: Book) -> list[str]:
    return [event["why"] for event in records(book, "A")]


# the pair


@pytest.mark.parametrize("name", ["plain", "sealed"])
@pytest.mark.parametrize(("gave", "took"), [(100, 160), (100, 100), (160, 100)])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_custody_passes_at_the_second_of_the_later_scan(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, name: str, gave: int, took: int, order: tuple[int, ...]
) -> None:
    take(book, f"A,{name},17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    pair = [*both(giver, taker, BEGAN + gave, BEGAN + took), giver.record(Action.NOTE, Verdict.NOTED)]
    heard: list[Event] = []
    for at in order:
        assert accept(book, pair[at]) == ["accepted"]
        heard.append(pair[at])
        if pair[0] not in heard or pair[1] not in heard:
            assert owner(book, clock.now) == WAREHOUSE, "one half passes nothing"
        check_waits(book)
    assert owners(book, 299) == {None: -2, WAREHOUSE: 0, COURIER: max(gave, took)}
    assert state(book, "A") == State.WITH_COURIER
    assert not view(book, "A").disputed


def test_a_pair_of_a_terminal_that_is_enrolled_later_is_open_from_the_start(
    book: Book, giver: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    stranger = Scanner(organisation, now=BEGAN, label="New", place=4)
    accept(book, giver.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, more=giver.met(stranger)))
    assert owner(book, clock.now) == COURIER, "a side that the desk does not know has no scan to wait for"
    book.enrol(stranger.certificate, 4)
    assert owner(book, clock.now) == WAREHOUSE
    check_waits(book)
    accept(book, out(stranger, giver))
    assert owner(book, clock.now) == COURIER


def test_a_bag_that_was_taken_from_a_terminal_that_is_enrolled_later_is_half_handed_over(
    book: Book, giver: Scanner, organisation: Organisation, clock: Clock
) -> None:
    """The record names no order: it is those in its bag that are placed anew."""
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    stranger = Scanner(organisation, now=BEGAN, label="New", place=4)
    taken = {Tlv.BAG: b"B-1", **giver.met(stranger)}
    accept(book, giver.bag_add("A", "B-1", State.STAGED))
    before = owner(book, clock.now)
    accept(
        book,
        giver.record(
            *(Action.HANDOVER_IN, Verdict.OK),
            kind=CodeKind.BAG,
            code="PLB*SACK*B-1",
            after=State.WITH_COURIER,
            more=taken,
        ),
    )
    assert owner(book, clock.now) == COURIER
    book.enrol(stranger.certificate, 4)
    assert owner(book, clock.now) == before != COURIER
    check_waits(book)


@pytest.mark.parametrize("reads_anew", [False, True])
def test_a_desk_that_begins_again_knows_its_terminals(
    tmp_path: Path, organisation: Organisation, clock: Clock, reads_anew: bool
) -> None:
    with closing(Book(tmp_path, organisation, clock)) as book:
        giver, taker = (enrolled(book, organisation, label, 3) for label in ("Warehouse", "Courier"))
        take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
        clock.now = BEGAN + 300
        if reads_anew:
            accept(book, into(taker, giver, BEGAN + 10))
            book.store.write("DELETE FROM replayed")
    with closing(Book(tmp_path, organisation, clock)) as book:
        if not reads_anew:
            accept(book, into(taker, giver, BEGAN + 10))
        assert owner(book, clock.now) == WAREHOUSE


def test_a_terminal_is_not_the_other_side_of_its_own_hand_over(book: Book, giver: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, into(giver, giver))
    assert owner(book, clock.now) == WAREHOUSE
    check_waits(book)


@pytest.mark.parametrize("badge", [7, 8])
def test_two_people_may_share_a_terminal(book: Book, giver: Scanner, clock: Clock, badge: int) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING, actor=7))
    accept(book, giver.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, actor=badge))
    assert owner(book, clock.now) == (WAREHOUSE if badge == 7 else Owner("courier", "8"))
    assert view(book, "A").disputed == (badge == 7)
    check_waits(book)


def test_given_to_one_and_taken_by_another(
    book: Book, giver: Scanner, taker: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    third = enrolled(book, organisation, "Third", 5)
    clock.now = BEGAN + 300
    took = third.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, actor=9, time=BEGAN + 20)
    accept(book, out(giver, taker, BEGAN + 10), took)
    assert (owner(book, clock.now), view(book, "A").disputed) == (WAREHOUSE, 1)
    check_waits(book)


def test_the_takers_claim_that_names_nobody_passes_nothing(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    took = taker.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, actor=7, time=BEGAN + 10)
    accept(book, took)
    assert (state(book, "A"), owner(book, clock.now)) == (State.WITH_COURIER, WAREHOUSE)
    check_waits(book)
    accept(book, out(giver, taker, BEGAN + 20))
    assert owner(book, clock.now) == COURIER


def test_who_gives_once_more_has_been_waiting_since_the_first_time(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    clock.now = BEGAN + 600
    giver.time = clock.now
    returning(book, giver, "READY")
    clock.now += 4 * HOUR
    first = giver.time + 60
    for again in range(4):
        accept(book, out(giver, taker, first + again * 600, State.RETURNING))
    assert [wait.due for wait in waits(book) if wait.state == State.HANDING] == [first + 900]
    check_waits(book)


def alone(scanner: Scanner, action: int, after: int, time: int, actor: int, **more: bytes) -> Event:
    """Half of a hand-over that names no terminal that the desk knows."""
    tlv = {getattr(Tlv, name): value for name, value in more.items()}
    return scanner.record(action, Verdict.OK, "A", after=after, actor=actor, time=time, more=tlv)


def test_a_taker_who_names_another_giver_than_the_one_who_named_nobody(
    book: Book, giver: Scanner, taker: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    third = enrolled(book, organisation, "Third", 5)
    clock.now = BEGAN + 300
    accept(book, alone(giver, Action.HANDOVER_OUT, State.HANDING, BEGAN + 10, 5), into(taker, third, BEGAN + 20))
    assert (owner(book, clock.now), view(book, "A").disputed) == (WAREHOUSE, 1)
    check_waits(book)


def test_a_taker_who_names_a_terminal_that_nobody_knows(
    book: Book, giver: Scanner, taker: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    stranger = Scanner(organisation, now=BEGAN, label="Stranger", place=4)
    clock.now = BEGAN + 300
    accept(book, alone(giver, Action.HANDOVER_OUT, State.HANDING, BEGAN + 10, 5), into(taker, stranger, BEGAN + 20))
    assert (owner(book, clock.now), view(book, "A").disputed) == (WAREHOUSE, 1)
    check_waits(book)


def test_the_name_of_a_shop_is_no_act(book: Book, taker: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,ACCEPTED,100.00,RUB,act 12\n", VALUED.replace("\n", ",shop\n"))
    clock.now = BEGAN + 300
    accept(book, taker.record(Action.MISSING, Verdict.OK, "A", after=State.HELD))
    accept(book, taker.record(Action.RETURN_OPEN, Verdict.OK, "A", after=State.RETURNING))
    accept(book, alone(taker, Action.HANDOVER_IN, State.RETURNING, BEGAN + 60, 7))
    assert (state(book, "A"), owner(book, clock.now)) == (State.RETURNING, Owner("shop", "act 12"))
    check_waits(book)


# released


@pytest.mark.parametrize("claim", [State.RETURNED, State.READY, State.ACCEPTED])
def test_a_release_leads_nowhere_but_back(book: Book, giver: Scanner, clock: Clock, claim: int) -> None:
    take(book, "A,plain,17,PACKED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, giver.record(Action.HOLD, Verdict.OK, "A", after=State.HELD))
    accept(book, giver.record(Action.RELEASE, Verdict.OK, "A", after=claim))
    assert (state(book, "A"), owner(book, clock.now), view(book, "A").disputed) == (State.HELD, WAREHOUSE, 1)
    accept(book, giver.record(Action.RELEASE, Verdict.OK, "A", after=State.PACKED))
    assert (state(book, "A"), owner(book, clock.now)) == (State.PACKED, WAREHOUSE)
    check_waits(book)


# a visit


def test_what_was_proved_in_another_visit_counts_no_more(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,sealed,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 4 * 24 * HOUR
    accept(book, counter.retrieve("A"), counter.seal("A", "X", Verdict.SEAL_READ))
    counter.time += 3 * 24 * HOUR
    again = counter.record(Action.RETRIEVE, Verdict.NEED_SEAL, "A", after=State.VERIFIED)
    accept(book, again, counter.hand_out("A"))
    assert (state(book, "A"), why(book)[-2:]) == (State.VERIFIED, ["done", "gate"])
    accept(book, counter.seal("A", "X", Verdict.SEAL_READ), counter.hand_out("A"))
    assert state(book, "A") == State.DELIVERED


def test_the_scan_of_another_than_the_one_who_gave_completes_nothing(
    book: Book, giver: Scanner, taker: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    third = enrolled(book, organisation, "Third", 5)
    clock.now = BEGAN + 300
    accept(book, into(taker, giver, BEGAN + 10), out(third, taker, BEGAN + 20))
    assert owner(book, clock.now) == WAREHOUSE
    check_waits(book)


def test_a_taker_who_names_another_giver_completes_nothing_and_is_listed(
    book: Book, giver: Scanner, taker: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    third = enrolled(book, organisation, "Third", 5)
    clock.now = BEGAN + 300
    accept(book, out(giver, taker, BEGAN + 10), into(third, taker, BEGAN + 20, State.AT_POINT))
    assert (state(book, "A"), owner(book, clock.now), view(book, "A").disputed) == (State.AT_POINT, WAREHOUSE, 1)
    check_waits(book)
    clock.now = BEGAN + 1200
    accept(book, *(one.record(Action.NOTE, Verdict.NOTED, time=clock.now) for one in (giver, taker, third)))
    book.tick()
    assert [one.kind for one in incidents(book)] == ["HANDOVER_OPEN"]
    accept(book, into(taker, giver, BEGAN + 15))
    assert owner(book, BEGAN + 15) == COURIER, "what he took is heard late, and counts when it was"
    check_waits(book)


def test_who_took_it_by_an_act_gives_it_on_without_a_scan(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    """He has no terminal: a scan that is waited for would never come."""
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING, more={Tlv.ACT: b"12"}))
    assert owner(book, clock.now) == Owner("courier", "act 12")
    accept(book, into(taker, giver, after=State.AT_POINT))
    assert owner(book, clock.now) == Owner("point", "4")
    check_waits(book)


# which of the holders


def test_each_holder_is_named_by_what_they_scan_with(book: Book, giver: Scanner, taker: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,ACCEPTED,100.00,RUB,Rose\n", VALUED.replace("\n", ",shop\n"))
    clock.now = BEGAN + HOUR
    assert owner(book, clock.now) == Owner("shop", "Rose")
    seen = []
    for event in (
        giver.record(Action.PICK, Verdict.OK, "A", actor=5),
        giver.record(Action.PACK, Verdict.OK, "A", actor=6),
        giver.record(Action.STAGE, Verdict.OK, "A", actor=6),
        out(giver, taker),
        into(taker, giver, actor=41),
        taker.record(Action.ROUTE_START, Verdict.OK, "A", actor=42),
        out(taker, giver),
        into(giver, taker, after=State.AT_POINT, actor=43),
        giver.store("A"),
    ):
        assert accept(book, event) == ["accepted"]
        seen.append(owner(book, clock.now))
    warehouse, courier, point = Owner("warehouse", "3"), Owner("courier", "41"), Owner("point", "3")
    assert seen == [*[warehouse] * 4, *[courier] * 3, point, point]


# what is taken back


def test_the_givers_scan_taken_back_before_the_taker_came(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, out(giver, taker), giver.undo(1, "A", State.STAGED))
    assert (state(book, "A"), owner(book, clock.now), why(book)) == (State.STAGED, WAREHOUSE, ["moved", "moved"])
    check_waits(book)
    clock.now += 24 * HOUR
    accept(book, *(one.record(Action.NOTE, Verdict.NOTED, time=clock.now) for one in (giver, taker)))
    book.tick()
    assert [one.kind for one in incidents(book)] == ["NOT_HANDED"], "no half of a hand-over is left"


@pytest.mark.parametrize("supervisor", [False, True])
def test_the_takers_scan_is_taken_back_by_a_supervisor_only(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, supervisor: bool
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, out(giver, taker, BEGAN + 10), into(taker, giver, BEGAN + 20))
    flags = Flag.TIME_TRUSTED | (Flag.OVERRIDE if supervisor else 0)
    accept(book, taker.undo(1, "A", State.HANDING, flags))
    check_waits(book)
    if not supervisor:
        assert (state(book, "A"), owner(book, clock.now)) == (State.WITH_COURIER, COURIER)
        assert view(book, "A").disputed == 1
        return
    assert (state(book, "A"), owner(book, clock.now)) == (State.HANDING, WAREHOUSE)
    accept(book, into(taker, giver))
    assert owner(book, clock.now) == COURIER


@pytest.mark.parametrize("taker_first", [False, True])
def test_what_the_other_side_has_acknowledged_is_not_taken_back(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock, taker_first: bool
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    gave, took = (20, 10) if taker_first else (10, 20)
    accept(book, *both(giver, taker, BEGAN + gave, BEGAN + took))
    first = taker if taker_first else giver
    first.time = BEGAN + 30
    accept(book, first.undo(1, "A"))
    assert owner(book, clock.now) == COURIER
    assert (why(book)[-1], view(book, "A").disputed) == ("undo", 1)
    check_waits(book)


def test_one_half_after_another_that_is_taken_back_leaves_the_first(
    book: Book, giver: Scanner, taker: Scanner, organisation: Organisation, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    point = enrolled(book, organisation, "Point", 5)
    clock.now = BEGAN + 300
    accept(book, into(taker, giver, BEGAN + 10), into(point, taker, BEGAN + 20, State.AT_POINT))
    assert sorted(wait.state for wait in waits(book)) == [State.HANDING, State.AT_POINT]
    point.time = BEGAN + 30
    accept(book, point.undo(1, "A", State.WITH_COURIER))
    assert (state(book, "A"), owner(book, clock.now)) == (State.WITH_COURIER, WAREHOUSE)
    check_waits(book)
    accept(book, out(giver, taker, BEGAN + 40))
    assert owner(book, clock.now) == COURIER


def test_what_began_with_a_scan_that_is_taken_back_is_waited_for_no_more(
    book: Book, counter: Scanner, clock: Clock
) -> None:
    """Also where the order has gone round and come back since."""
    take(book, "A,plain,17,AT_POINT,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, counter.store("A"), counter.record(Action.HOLD, Verdict.OK, "A", after=State.HELD))
    accept(book, counter.record(Action.RELEASE, Verdict.OK, "A", after=State.READY))
    accept(book, counter.undo(1, "A"))
    check_waits(book)


# the way back


def returning(book: Book, scanner: Scanner, state: str) -> None:
    take(book, f"A,plain,17,{state},100.00,RUB\n", VALUED)
    if state == "STAGED":
        book.decide("CANCEL", "A", person="anna", source="shop", external_id="1")
    accept(book, scanner.record(Action.RETURN_OPEN, Verdict.OK, "A", after=State.RETURNING))


def test_each_leg_of_the_way_back_is_a_pair(book: Book, giver: Scanner, taker: Scanner, clock: Clock) -> None:
    clock.now = BEGAN + 600
    giver.time = taker.time = clock.now
    returning(book, giver, "READY")
    clock.now += 600
    at = clock.now - 500
    accept(book, out(giver, taker, at, State.RETURNING))
    assert (state(book, "A"), owner(book, clock.now)) == (State.RETURNING, Owner("point", "17"))
    check_waits(book)
    accept(book, into(taker, giver, at + 60, State.RETURNING, actor=41))
    accept(book, out(taker, giver, at + 90, State.RETURNING))
    assert owner(book, clock.now) == Owner("courier", "41")
    accept(book, giver.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED, time=at + 120))
    assert owner(book, clock.now) == Owner("warehouse", "3")
    assert [owner(book, at + n) for n in (59, 60, 119, 120)] == [
        *[Owner("point", "17"), Owner("courier", "41"), Owner("courier", "41"), Owner("warehouse", "3")]
    ]
    check_waits(book)


def test_another_warehouse_that_takes_it_back_answers_for_it(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    clock.now = BEGAN + 600
    giver.time = taker.time = clock.now
    returning(book, giver, "STAGED")
    clock.now += 600
    accept(book, out(giver, taker, None, State.RETURNING))
    assert owner(book, clock.now) == WAREHOUSE
    assert sorted(wait.state for wait in waits(book)) == [State.HANDING, State.RETURNING]
    taker.time = giver.time + 60
    accept(book, taker.record(Action.RETURN_IN, Verdict.OK, "A", after=State.RETURNED))
    assert owner(book, clock.now) == Owner("warehouse", "4"), "where it was scanned"
    assert [wait.state for wait in waits(book)] == [State.RETURNED], "who scanned it has it: no half is open"


def waits(book: Book) -> list[Wait]:
    return kept(book)["A"].waits


def test_who_delivers_a_part_answers_for_the_rest(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, counter.retrieve("A"), counter.seal("A", "X", Verdict.SEAL_READ), counter.refuse_part("A"))
    accept(book, counter.record(Action.HANDOUT, Verdict.OK, "A", after=State.PART_DELIVERED))
    assert (state(book, "A"), owner(book, clock.now)) == (State.PART_DELIVERED, Owner("point", "17"))
    assert book.custody.worth(clock.now) == {"RUB": 10_000}
    accept(book, counter.record(Action.RETURN_OPEN, Verdict.OK, "A"), counter.record(Action.RETURN_IN, Verdict.OK, "A"))
    assert owner(book, clock.now) == Owner("warehouse", "17")


def test_what_has_come_to_its_end_is_nobodys_to_pay(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, counter.retrieve("A", Verdict.OK), counter.hand_out("A"))
    ended = counter.time
    assert owner(book, clock.now) == Owner("customer", "")
    assert [book.custody.worth(ended + n) for n in (-1, 0)] == [{"RUB": 10_000}, {}]
    assert [len(book.custody.exposures(ended + n)) for n in (-1, 0)] == [1, 0]


def test_what_is_written_off_is_nobodys_to_pay_though_nobody_else_has_it(
    book: Book, counter: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,READY,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    missing = counter.record(Action.MISSING, Verdict.OK, "A", after=State.HELD)
    accept(book, missing)
    clock.now += 60
    book.decide("LOSS", "A", person="anna", record=missing["id"])
    assert (state(book, "A"), owner(book, clock.now)) == (State.LOST, Owner("point", "17"))
    assert [book.custody.worth(clock.now + n) for n in (-1, 0)] == [{"RUB": 10_000}, {}]
    assert [[one.worth for one in book.custody.exposures(clock.now + n)] for n in (-1, 0)] == [[10_000], []]


# clocks that say nothing


def test_a_scan_of_an_unset_clock_counts_from_what_came_before(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, out(giver, taker, BEGAN + 100))
    more = taker.met(giver)
    accept(
        book, taker.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, time=0, flags=0, more=more)
    )
    assert owner(book, clock.now) == COURIER
    accept(book, giver.record(Action.DAMAGE, Verdict.OK, "A", time=0))
    assert {spell.since for spell in book.custody.spells("A")} == {BEGAN, BEGAN + 100}
    assert [owner(book, BEGAN + n) for n in (99, 100)] == [WAREHOUSE, COURIER]


def test_a_clock_that_is_ahead_passes_nothing_before_the_desk_heard_of_it(
    book: Book, giver: Scanner, taker: Scanner, clock: Clock
) -> None:
    take(book, "A,plain,17,STAGED,100.00,RUB\n", VALUED)
    clock.now = BEGAN + 300
    accept(book, out(giver, taker, BEGAN + 9999), into(taker, giver, BEGAN + 9999))
    assert owners(book, 400) == {None: -2, WAREHOUSE: 0, COURIER: 300}
