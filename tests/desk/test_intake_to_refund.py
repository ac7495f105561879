"""From the shop's list to the money back: what the desk concludes of each record on the way, and what it refuses to."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from book_scene import Clock, accept, kept, records, state, take, view
from desk_records import WRONG, Event, Scanner
from hand_over_scene import BEGAN, HOUR, enrolled, incidents

from plomba.desk import lifecycle
from plomba.desk.book import Book
from plomba.desk.custody import Owner
from plomba.desk.steps import Scan, Standing
from plomba.desk.words import names
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, CodeKind, Condition, OrderClass, State, Tlv, Verdict

SEALED = "order,class,place,state,seals,value,currency\n"

LIFE = lifecycle.load()


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = BEGAN
    return clock


def why(book: Book) -> list[str]:
    """Of each record of the order, what it did to it."""
    return [why for (why,) in book.store.query("SELECT why FROM effects ORDER BY position")]


# packing

MISSED = sorted(
    {state for action, _, move in LIFE.moves() if action == Action.MISSING for state in move.origins & LIFE.entries}
)


def packed(scanner: Scanner, verdict: int = Verdict.OK, condition: int = 0, after: int = State.PACKED) -> Event:
    more = {Tlv.CONDITION: bytes((condition,))} if condition else {}
    return scanner.record(Action.PACK, verdict, "A", after=after, more=more)


def test_a_sealed_order_is_not_packed_before_a_seal_is_bound_to_it(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,sealed,17,PICKED,,100.00,RUB\nB,sealed,17,PICKED,,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, packed(counter), counter.record(Action.STAGE, Verdict.OK, "A", after=State.STAGED))
    assert (state(book, "A"), why(book), view(book, "A").disputed) == (State.PICKED, ["unsealed", "wrong_state"], 2)
    accept(book, counter.apply("A", "S1", State.PICKED), packed(counter))
    assert state(book, "A") == State.PACKED
    accept(
        book, counter.apply("B", "S1", State.PICKED), counter.record(Action.PACK, Verdict.OK, "B", after=State.PACKED)
    )
    assert state(book, "B") == State.PICKED, "the seal is another order's"


def test_a_broken_seal_is_none_that_it_is_packed_with(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,sealed,17,PICKED,S1,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, counter.record(Action.SEAL_BREAK, Verdict.OK, "A", after=State.PICKED), packed(counter))
    assert (state(book, "A"), why(book)) == (State.PICKED, ["done", "unsealed"])
    accept(book, counter.apply("A", "S2", State.PICKED), packed(counter))
    assert state(book, "A") == State.PACKED


@pytest.mark.parametrize("seals", ["", "S1"])
def test_a_plain_order_and_one_whose_seal_the_shop_told_are_packed(
    book: Book, counter: Scanner, clock: Clock, seals: str
) -> None:
    take(book, f"A,{'sealed' if seals else 'plain'},17,PICKED,{seals},100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, packed(counter, condition=Condition.INTACT))
    assert (state(book, "A"), incidents(book)) == (State.PACKED, [])


@pytest.mark.parametrize(("action", "entry"), [(Action.PACK, "PICKED"), (Action.STORE, "AT_POINT")])
@pytest.mark.parametrize(("verdict", "after"), [(Verdict.HELD, State.HELD), (Verdict.OK, State.NONE)])
def test_what_is_found_damaged_when_it_is_packed_or_arrives_is_held(
    book: Book, counter: Scanner, clock: Clock, action: int, entry: str, verdict: int, after: int
) -> None:
    take(book, f"A,plain,17,{entry},,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, counter.record(action, verdict, "A", after=after, more={Tlv.CONDITION: bytes((Condition.DAMAGED,))}))
    assert (state(book, "A"), [one.kind for one in incidents(book)]) == (State.HELD, ["NOT_INTACT"])


@pytest.mark.parametrize(
    ("action", "entry", "after"),
    [(Action.PACK, State.PICKED, State.PACKED), (Action.STORE, State.AT_POINT, State.READY)],
)
def test_what_was_found_damaged_and_went_on_is_a_difference(
    book: Book, counter: Scanner, clock: Clock, action: int, entry: int, after: int
) -> None:
    take(book, f"A,plain,17,{names('state')[entry]},,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(
        book, counter.record(action, Verdict.OK, "A", after=after, more={Tlv.CONDITION: bytes((Condition.DAMAGED,))})
    )
    assert (state(book, "A"), why(book), view(book, "A").disputed) == (entry, ["claim"], 1)


@pytest.mark.parametrize("entry", MISSED)
def test_goods_are_short_until_they_are_packed_and_then_the_parcel_is_missing(
    book: Book, counter: Scanner, clock: Clock, entry: int
) -> None:
    take(book, f"A,plain,17,{names('state')[entry]},,100.00,RUB\n", SEALED)
    clock.now += 100
    accept(book, counter.record(Action.MISSING, Verdict.OK, "A", after=State.HELD))
    kind = "SHORTAGE" if entry in (State.ACCEPTED, State.PICKED) else "MISSING"
    (one,) = incidents(book)
    assert (state(book, "A"), one.kind, one.holder) == (State.HELD, kind, book.lifecycle.holder[entry])


# the rest of an intake, and what was done without a terminal

ORDERS = "A,plain,17,STAGED,,100.00,RUB\nB,plain,17,STAGED,,100.00,RUB\n"


def deferred(scanner: Scanner, other: Scanner, taken: int) -> Event:
    more = {Tlv.QUANTITY: taken.to_bytes(2, "big"), **scanner.met(other)}
    return scanner.record(Action.INTAKE_DEFER, Verdict.OK, kind=CodeKind.COMMAND, code="PLB*DEFER", more=more)


def test_what_an_intake_leaves_for_tomorrow_stays_with_whoever_had_it(
    tmp_path: Path, organisation: Organisation, clock: Clock
) -> None:
    minute = BEGAN - BEGAN % 60
    opens, closes = (datetime.fromtimestamp(minute + hours * HOUR, UTC) for hours in (-5, 1))
    (tmp_path / "calendar.toml").write_text(f'hours = "Mo-Su {opens:%H:%M}-{closes:%H:%M}"\n', encoding="utf-8")
    with closing(Book(tmp_path, organisation, clock)) as book:
        courier, point = (enrolled(book, organisation, label, place) for label, place in (("Car", 0), ("Point", 17)))
        take(book, ORDERS, SEALED)
        clock.now = BEGAN + 60
        out = {Tlv.ACT: b"1"}
        for order in "AB":
            accept(
                book, courier.record(Action.HANDOVER_IN, Verdict.OK, order, after=State.WITH_COURIER, actor=7, more=out)
            )
        for order in "AB":
            accept(
                book,
                courier.record(
                    *(Action.HANDOVER_OUT, Verdict.OK, order), after=State.HANDING, actor=7, more=courier.met(point)
                ),
            )
        point.time = courier.time
        arrived = point.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.AT_POINT, more=point.met(courier))
        accept(book, arrived, deferred(point, courier, 1))
        assert [state(book, order) for order in "AB"] == [State.AT_POINT, State.HANDING]
        owners = [book.custody.owner(order, clock.now) for order in "AB"]
        assert owners == [Owner("point", "17"), Owner("courier", "7")], "of what was not scanned nothing passes"
        (wait,) = kept(book)["A"].waits
        assert wait.due == courier.time + 5 + 20 * HOUR, "what is left of two hours, in the morning"
        clock.now = minute + 20 * HOUR
        point.time = courier.time = clock.now - 60
        accept(book, point.record(Action.HANDOVER_IN, Verdict.OK, "B", after=State.AT_POINT, more=point.met(courier)))
        assert (state(book, "B"), book.custody.owner("B", clock.now)) == (State.AT_POINT, Owner("point", "17"))


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.NOTED])
@pytest.mark.parametrize("at", LIFE.states)
def test_an_entry_is_no_scan_wherever_the_order_is(at: int, verdict: int) -> None:
    standing = Standing(at, "point", seals=frozenset((b"S1",)), proved=True)
    for claim in LIFE.states:
        entry = Scan(Action.LATE_ENTRY, verdict, claim=claim, seal=b"S1")
        step = LIFE.step(OrderClass.PLAIN, standing, entry, lambda seal: False)
        assert (step.now, step.why, step.disputed, step.incident) == (standing, "nothing", claim != at, "")


def test_an_entry_is_seen_beside_the_order_and_ends_no_deadline(book: Book, counter: Scanner, clock: Clock) -> None:
    take(book, "A,plain,17,AT_POINT,,100.00,RUB\n", SEALED)
    clock.now = BEGAN + 3 * HOUR
    late = {Tlv.LATE: bytes((Action.STORE, 0, 100))}
    accept(book, counter.record(Action.LATE_ENTRY, Verdict.OK, "A", more=late, time=BEGAN + HOUR))
    accept(book, counter.record(Action.NOTE, Verdict.NOTED, time=clock.now))
    book.tick()
    (one,) = incidents(book)
    assert (state(book, "A"), one.kind, one.outcome) == (State.AT_POINT, "NOT_STORED", None)
    (seen,) = records(book, "A")
    assert (seen["action"], seen["entered"], seen["effect"]) == (
        *("LATE_ENTRY", {"action": "STORE", "minutes": 100}),
        False,
    )
    counter.time = clock.now
    accept(book, counter.store("A"))
    assert (state(book, "A"), incidents(book)[0].outcome) == (State.READY, "late")


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
