"""What a day's records do to orders, bags and seals, whatever the order they come in."""

from __future__ import annotations

import random
import sqlite3
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from book_scene import Clock, accept, found, opened, records, state, states, take, view
from desk_process import NOW
from desk_records import Event, Scanner, any_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plomba.desk import lifecycle, replay
from plomba.desk.api.answers import difference_answer, event_answer
from plomba.desk.book import Book
from plomba.desk.differences import Differences
from plomba.desk.listings import Listings
from plomba.desk.orders import ImportRefused
from plomba.desk.steps import Scan, Standing
from plomba.desk.store import FILE
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, CodeKind, Condition, State, Tlv, Verdict

LIFE = lifecycle.load()
STATES = "order,class,place,state,seals\n"
THREE = ("A-1", "A-2", "A-3")


def differences(book: Book) -> list[tuple[str | None, str, str | None, str | None, str]]:
    found = Differences(book.store)
    listed = [difference_answer(one) for one in found.listed(None, 1000)]
    assert found.disputed + found.strayed == len(listed)
    return [(one.order, one.action, one.claim, one.desk, one.why) for one in listed]


def done(book: Book, order: str) -> list[tuple[str, str, bool]]:
    return [(event["action"], event["why"], event["difference"]) for event in records(book, order)]


def test_what_the_sample_rule_pack_does_the_desk_follows() -> None:
    file = resources.files("plomba.desk").joinpath("rules", "sample.toml")
    steps = tomllib.loads(file.read_text(encoding="utf-8"))["step"]
    # An UNDO leads back to where the record it names began: the tests of what is taken back.
    for step in [step for step in steps if step["action"] != "UNDO"]:
        verdict = {"RETRIEVE": Verdict.NEED_SEAL, "SEAL_CHECK": Verdict.SEAL_OK}.get(step["action"], Verdict.OK)
        for origin in [getattr(State, name) for name in step.get("from", ())] or set(LIFE.states) - LIFE.ends:
            for key in {"to", "part", "fail"} & set(step) or {"to"}:
                target = getattr(State, step[key]) if key in step else origin
                scan = Scan(
                    getattr(Action, step["action"]),
                    Verdict.HELD if key == "fail" else verdict,
                    target,
                    seal=b"S-1",
                    bag=b"B-1",
                    condition=Condition.DAMAGED if key == "fail" else 0,
                )
                standing = Standing(origin, "point", seals=frozenset((b"S-1",)), refused=1, held=State.READY)
                made = LIFE.step(0, standing, scan, lambda seal: False)
                assert (made.after, made.counted, made.disputed) == (target, True, False), (step, key)


# the whole way


def test_a_parcel_goes_from_the_shop_to_the_door(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,NEW,\n", STATES)

    def step(action: int, after: int, verdict: int = Verdict.OK, **more: object) -> tuple[int, str]:
        assert accept(book, counter.record(action, verdict, "A-1", after=after, **more)) == ["accepted"]  # type: ignore[arg-type]
        return view(book, "A-1").state, view(book, "A-1").holder

    assert step(Action.INTAKE_CHECK, State.ACCEPTED) == (State.ACCEPTED, "shop")
    assert step(Action.PICK, State.PICKED) == (State.PICKED, "warehouse")
    assert step(Action.PACK, State.PICKED, Verdict.NEED_SEAL) == (State.PICKED, "warehouse")
    assert accept(book, counter.apply("A-1", "S1", State.PICKED)) == ["accepted"]
    assert step(Action.PACK, State.PACKED) == (State.PACKED, "warehouse")
    assert step(Action.STAGE, State.STAGED) == (State.STAGED, "warehouse")
    assert step(Action.HANDOVER_OUT, State.HANDING) == (State.HANDING, "warehouse"), "custody stays with who gives"
    assert step(Action.HANDOVER_IN, State.WITH_COURIER, actor=8) == (State.WITH_COURIER, "courier")
    assert step(Action.ROUTE_START, State.ON_ROUTE) == (State.ON_ROUTE, "courier")
    assert step(Action.ARRIVE, State.AT_STOP) == (State.AT_STOP, "courier")
    assert step(Action.RETRIEVE, State.IDENTIFIED, Verdict.NEED_SEAL) == (State.IDENTIFIED, "courier")
    accept(book, counter.seal("A-1", "S1"))
    assert (state(book, "A-1"), view(book, "A-1").holder) == (State.VERIFIED, "courier")
    assert step(Action.HANDOUT, State.DELIVERED) == (State.DELIVERED, "customer")
    assert differences(book) == []


def test_the_way_back_is_held_by_who_scanned_it(book: Book, counter: Scanner) -> None:
    take(book, "A-1,plain,17,,,\n")
    seen = []
    for action, after in (
        (Action.STORE, State.READY),
        (Action.RETURN_OPEN, State.RETURNING),
        (Action.HANDOVER_OUT, State.RETURNING),
        (Action.HANDOVER_IN, State.RETURNING),
        (Action.RETURN_IN, State.RETURNED),
        (Action.RETURN_INSPECT, State.INSPECTED),
    ):
        actor = 8 if action == Action.HANDOVER_IN else 7
        accept(book, counter.record(action, Verdict.OK, "A-1", after=after, actor=actor))
        seen.append((state(book, "A-1"), view(book, "A-1").holder))
    assert seen == [
        (State.READY, "point"),
        (State.RETURNING, "point"),
        (State.RETURNING, "point"),
        (State.RETURNING, "courier"),
        (State.RETURNED, "warehouse"),
        (State.INSPECTED, "warehouse"),
    ]
    assert done(book, "A-1")[2:4] == [("HANDOVER_OUT", "done", False), ("HANDOVER_IN", "done", False)]
    assert differences(book) == []


# seals that scans bind


def test_a_seal_bound_by_a_scan_counts_as_the_orders_own(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,,\nA-2,sealed,17,,,\n")
    accept(book, counter.store("A-1"), counter.apply("A-1", "S1", State.READY), counter.retrieve("A-1"))
    head, orders, codes = opened(book, counter)
    at = found(head, codes, CodeKind.SEAL, "S1")
    assert at is not None and at == found(head, codes, CodeKind.ORDER, "A-1")
    assert orders[at].seals == 1
    accept(book, counter.seal("A-1", "S1"), counter.hand_out("A-1"))
    assert state(book, "A-1") == State.DELIVERED
    assert differences(book) == []
    with pytest.raises(ImportRefused) as caught:
        take(book, "A-3,sealed,17,,S1,\n")
    assert [bad.error.code for bad in caught.value.bad] == ["desk_row_code_taken"]


def test_a_seal_of_our_own_is_read_as_a_text_and_known_by_its_name(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,01-0001-000001-9,\nA-2,sealed,17,,01-0001-000002-7,\n")
    text = "PLS*" + "7" * 117
    for order in ("A-1", "A-2"):
        more = {Tlv.SEAL: b"01-0001-000001-9"}
        read = (Action.SEAL_CHECK, Verdict.SEAL_OK, order)
        accept(book, counter.store(order), counter.retrieve(order))
        accept(book, counter.record(*read, kind=CodeKind.SEAL, code=text, after=State.VERIFIED, more=more))
        accept(book, counter.hand_out(order))
    assert (state(book, "A-1"), state(book, "A-2")) == (State.DELIVERED, State.IDENTIFIED)
    assert [(order, why) for order, _, _, _, why in differences(book)] == [("A-2", "gate"), ("A-2", "seal")]


def test_any_seal_opens_only_an_order_that_has_none(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,,\nA-2,sealed,17,,S2,\n")
    for order in ("A-1", "A-2"):
        accept(book, counter.store(order), counter.retrieve(order), counter.seal(order, "X", Verdict.SEAL_READ))
        accept(book, counter.hand_out(order))
    assert (state(book, "A-1"), state(book, "A-2")) == (State.DELIVERED, State.IDENTIFIED)
    assert differences(book) == [
        ("A-2", "HANDOUT", "DELIVERED", "IDENTIFIED", "gate"),
        ("A-2", "SEAL_CHECK", "VERIFIED", "IDENTIFIED", "seal"),
    ]


def test_a_seal_is_of_one_order_and_the_first_one_keeps_it(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,,\nA-2,sealed,17,,,\n")
    first, second = counter.apply("A-2", "S1"), counter.apply("A-1", "S1")
    accept(book, second)
    assert view(book, "A-1").seals == 1
    accept(book, first)
    assert (view(book, "A-1").seals, view(book, "A-2").seals) == (0, 1)
    assert [(order, why) for order, _, _, _, why in differences(book)] == [("A-1", "taken")]
    accept(book, counter.undo(1, "A-2"))
    assert (view(book, "A-1").seals, view(book, "A-2").seals) == (0, 0)
    accept(book, counter.apply("A-1", "S1"))
    assert view(book, "A-1").seals == 1


def test_a_broken_seal_opens_nothing_and_is_never_bound_again(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,sealed,17,,,\n")
    accept(book, counter.store("A-1"), counter.retrieve("A-1"), counter.seal("A-1", "S1"))
    accept(book, counter.record(Action.SEAL_BREAK, Verdict.OK, "A-1", after=State.VERIFIED), counter.hand_out("A-1"))
    assert (state(book, "A-1"), view(book, "A-1").seals) == (State.VERIFIED, 0), "what was proved is not any more"
    accept(book, counter.seal("A-1", "S1"), counter.seal("A-1", "X", Verdict.SEAL_READ))
    accept(book, counter.apply("A-1", "S1"), counter.apply("A-2", "S1"))
    assert [why for _, _, _, _, why in differences(book)] == ["taken", "taken", "seal", "seal", "gate"]
    _, orders, codes = opened(book, counter)
    head = opened(book, counter)[0]
    at = found(head, codes, CodeKind.SEAL, "S1")
    assert at is not None and orders[at].seals == 1, "it is the order's, so no other seal lets it go"
    assert [row.flags for row in codes if row.kind == CodeKind.SEAL] == [1]
    accept(book, counter.apply("A-1", "S2"), counter.seal("A-1", "S2"), counter.hand_out("A-1"))
    assert state(book, "A-1") == State.DELIVERED
    accept(book, counter.apply("A-2", "S3"), counter.record(Action.SEAL_BREAK, Verdict.OK, "A-2"))
    assert sorted(row.flags for row in opened(book, counter)[2] if row.kind == CodeKind.SEAL) == [0, 1, 1]


def test_a_seal_known_from_the_import_may_be_applied(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\n")
    accept(book, counter.apply("A-1", "S1"), counter.undo(1, "A-1"))
    assert done(book, "A-1") == [("SEAL_APPLY", "done", False), ("UNDO", "done", False)]
    assert view(book, "A-1").seals == 1
    imported = book.store.order("A-1")
    assert imported is not None and imported.seals == ("S1",)


def test_a_seal_that_is_taken_off_again_proves_nothing(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,,\n")
    accept(book, counter.store("A-1"), counter.apply("A-1", "S1"), counter.retrieve("A-1"), counter.seal("A-1", "S1"))
    accept(book, counter.undo(2, "A-1"), counter.hand_out("A-1"))
    assert state(book, "A-1") == State.VERIFIED
    assert [why for _, _, _, _, why in differences(book)] == ["gate"]


def test_an_import_that_changes_whose_a_seal_is_places_the_others_anew(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,sealed,17,,,\n")
    accept(book, counter.apply("A-2", "S1"))
    assert view(book, "A-2").seals == 0
    take(book, "A-1,sealed,17,,S9,\n")
    assert view(book, "A-2").seals == 1
    assert differences(book) == []


# a supervisor decides


def test_an_override_lets_go_only_with_its_number(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,sealed,17,,S2,\n")
    for order in ("A-1", "A-2"):
        accept(book, counter.store(order), counter.retrieve(order), counter.override(order))
        assert state(book, order) == State.VERIFIED
    accept(book, counter.hand_out("A-1"), counter.hand_out_by("A-1", 6), counter.hand_out_by("A-1", 77))
    assert state(book, "A-1") == State.VERIFIED, "by none, by another order's, by one that is not there"
    accept(book, counter.hand_out_by("A-1", 3))
    assert state(book, "A-1") == State.DELIVERED
    assert [why for _, _, _, _, why in differences(book)] == ["gate"] * 3


@pytest.mark.parametrize(
    ("needs", "seal_read", "goes"),
    [
        ((Verdict.NEED_ITEM,), False, False),
        ((0,), False, False),
        ((Verdict.NEED_ITEM,), True, True),
        ((Verdict.NEED_SEAL, Verdict.NEED_ITEM), False, True),
        ((Verdict.NEED_ITEM, Verdict.NEED_SEAL), False, True),
    ],
)
def test_only_a_decision_about_the_seal_stands_for_the_seal(
    book: Book, counter: Scanner, needs: tuple[int, ...], seal_read: bool, goes: bool
) -> None:
    """The hand-out names the newest decision of the visit."""
    take(book, "A-1,sealed,17,AT_POINT,S1\n", STATES)
    accept(book, counter.store("A-1"), counter.retrieve("A-1"))
    if seal_read:
        accept(book, counter.seal("A-1", "S1"))
    accept(book, *(counter.override("A-1", need) for need in needs))
    accept(book, counter.hand_out_by("A-1", counter.seq))
    assert state(book, "A-1") == (State.DELIVERED if goes else State.VERIFIED)
    assert [one[-1] for one in differences(book)] == ([] if goes else ["gate"])


def test_an_override_of_an_earlier_visit_lets_nothing_go(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\n")
    accept(book, counter.store("A-1"), counter.retrieve("A-1"), counter.override("A-1"))
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A-1", after=State.REFUSED), counter.retrieve("A-1"))
    accept(book, counter.hand_out_by("A-1", 3))
    assert state(book, "A-1") == State.IDENTIFIED


def test_a_seal_read_in_an_earlier_visit_lets_nothing_go(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\n")
    accept(book, counter.store("A-1"), counter.retrieve("A-1"), counter.seal("A-1", "S1"))
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A-1", after=State.REFUSED), counter.retrieve("A-1"))
    accept(book, counter.override("A-1"), counter.hand_out("A-1"))
    assert (state(book, "A-1"), done(book, "A-1")[-1]) == (State.VERIFIED, ("HANDOUT", "gate", True))


def test_an_override_that_was_taken_back_lets_nothing_go(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\n")
    accept(book, counter.store("A-1"), counter.retrieve("A-1"), counter.override("A-1"))
    accept(book, counter.undo(3, "A-1", State.IDENTIFIED), counter.hand_out_by("A-1", 3))
    assert state(book, "A-1") == State.IDENTIFIED


# a part, a condition, a claim


def test_a_part_is_delivered_only_when_a_part_was_refused(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\nA-2,sealed,17,,S2,\nA-3,sealed,17,,S3,\n")
    part: dict[str, Callable[[str], Event]] = {
        order: lambda order: counter.record(Action.HANDOUT, Verdict.OK, order, after=State.PART_DELIVERED)
        for order in ("A-1", "A-2", "A-3")
    }
    for order in part:
        accept(book, counter.store(order), counter.retrieve(order))
        if order != "A-3":
            accept(book, counter.seal(order, f"S{order[-1]}"))
        if order != "A-2":
            accept(book, counter.refuse_part(order))
        accept(book, part[order](order))
    assert (state(book, "A-1"), view(book, "A-1").holder) == (State.PART_DELIVERED, "point"), "who holds the rest"
    assert state(book, "A-2") == State.VERIFIED
    assert state(book, "A-3") == State.IDENTIFIED, "a part of a sealed order needs its seal no less"
    assert [why for _, _, _, _, why in differences(book)] == ["claim", "claim", "claim"]


def test_a_parcel_that_is_not_intact_is_held(book: Book, counter: Scanner) -> None:
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\n")
    for order, condition in (("A-1", Condition.BROKEN), ("A-2", Condition.INTACT)):
        more = {Tlv.CONDITION: bytes((condition,))}
        accept(book, counter.store(order), counter.retrieve(order, Verdict.NEED_RESULT))
        accept(book, counter.record(Action.INSPECT, Verdict.HELD, order, after=State.HELD, more=more))
    assert (state(book, "A-1"), state(book, "A-2")) == (State.HELD, State.IDENTIFIED)
    assert differences(book) == [("A-2", "INSPECT", "HELD", "IDENTIFIED", "incomplete")]
    accept(book, counter.record(Action.RELEASE, Verdict.OK, "A-1", after=State.AT_POINT))
    assert state(book, "A-1") == State.AT_POINT


@pytest.mark.parametrize(
    ("claim", "after", "why"),
    [
        (State.WITH_COURIER, State.WITH_COURIER, "moved"),
        (State.AT_POINT, State.AT_POINT, "moved"),
        (State.READY, State.HANDING, "claim"),
        (State.HANDING, State.HANDING, "claim"),
        (State.NONE, State.HANDING, "claim"),
    ],
)
def test_the_claim_picks_between_two_ways(book: Book, counter: Scanner, claim: int, after: int, why: str) -> None:
    take(book, "A-1,plain,17,STAGED,\n", STATES)
    accept(book, counter.record(Action.HANDOVER_OUT, Verdict.OK, "A-1", after=State.HANDING))
    accept(book, counter.record(Action.HANDOVER_IN, Verdict.OK, "A-1", after=claim, actor=8))
    assert state(book, "A-1") == after
    assert done(book, "A-1")[-1] == ("HANDOVER_IN", why, why == "claim")


def test_what_moves_nothing_is_kept_and_moves_nothing(book: Book, counter: Scanner) -> None:
    take(book, "A-1,sealed,17,,S1,\n")
    late = {Tlv.LATE: bytes((Action.STORE, 1, 4))}
    accept(
        book,
        counter.record(Action.LATE_ENTRY, Verdict.OK, "A-1", after=State.AT_POINT, more=late),
        counter.record(Action.INTAKE_CHECK, Verdict.NEED_SEAL, "A-1", after=State.AT_POINT),
        counter.record(Action.DAMAGE, Verdict.OK, "A-1", after=State.AT_POINT),
        counter.record(Action.DAMAGE, Verdict.NEED_REASON, "A-1", after=State.AT_POINT),
        counter.record(Action.STORE, Verdict.NEED_ACT, "A-1", after=State.AT_POINT),
        *(counter.record(action, Verdict.OK) for action in (Action.ROUTE_OPEN, Action.INTAKE_DEFER, Action.RULES_ACK)),
    )
    assert state(book, "A-1") == State.AT_POINT
    assert [why for _, why, _ in done(book, "A-1")] == ["nothing", "nothing", "done", "nothing", "nothing"]
    assert differences(book) == []
    first = records(book, "A-1")[0]
    assert (first["entered"], first["effect"]) == ({"action": "STORE", "minutes": 260}, False)


# bags


def three_in_a_bag(book: Book, counter: Scanner, first: str = "STAGED") -> None:
    take(book, "".join(f"{order},plain,17,{first if order == 'A-1' else 'STAGED'},\n" for order in THREE), STATES)
    at = {"A-1": getattr(State, first)}
    accept(book, *(counter.bag_add(order, "B-1", at.get(order, State.STAGED)) for order in THREE))


def test_a_bag_stands_for_what_is_in_it_at_that_moment(book: Book, counter: Scanner) -> None:
    three_in_a_bag(book, counter)
    accept(book, counter.undo(3, "A-3"), counter.whole(Action.HANDOVER_OUT, "B-1", State.HANDING))
    accept(
        book,
        counter.bag_add("A-3", "B-1", State.STAGED),
        counter.whole(Action.HANDOVER_IN, "B-1", State.AT_POINT, actor=8),
    )
    assert [state(book, order) for order in THREE] == [State.AT_POINT] * 3
    assert [action for action, _, _ in done(book, "A-1")] == ["BAG_ADD", "HANDOVER_OUT", "HANDOVER_IN"]
    assert [action for action, _, _ in done(book, "A-3")] == ["BAG_ADD", "UNDO", "BAG_ADD", "HANDOVER_IN"]
    accept(book, counter.store("A-1"), counter.whole(Action.HANDOVER_OUT, "B-1", State.HANDING))
    assert done(book, "A-1")[-1] == ("STORE", "moved", False), "what was stored is in the bag no more"
    assert (view(book, "A-1").bag, view(book, "A-2").bag) == ("", "B-1")
    assert sorted(differences(book)) == [
        ("A-2", "HANDOVER_OUT", "HANDING", "AT_POINT", "wrong_state"),
    ], "the giver's half of A-3 was still missing"
    newest = [event_answer(row) for row in Listings(book.store).newest(None, 1)]
    assert [(event.action, event.bag, event.order) for event in newest] == [("HANDOVER_OUT", "B-1", None)]


@pytest.mark.parametrize("clock_set", [True, False])
def test_a_bag_that_is_heard_of_after_what_left_it(
    book: Book, counter: Scanner, organisation: Organisation, clock: Clock, clock_set: bool
) -> None:
    """The record of the bag comes last, in its terminal's line, and counts while the parcel was still in there."""
    other = Scanner(organisation, now=NOW, label="Vehicle", place=3)
    book.enrol(other.certificate, 3)
    clock.now += 10_000
    take(book, "A-1,plain,17,READY,\n", STATES)
    accept(
        book,
        counter.record(Action.RETURN_OPEN, Verdict.OK, "A-1", after=State.RETURNING, time=NOW + 5),
        counter.record(Action.BAG_ADD, Verdict.OK, "A-1", time=NOW + 10, more={Tlv.BAG: b"B-1"}),
    )
    named = {Tlv.BAG: b"B-1", **other.met(counter)}
    counter.time = NOW + 100
    accept(book, counter.record(Action.RETURN_IN, Verdict.OK, "A-1", after=State.RETURNED))
    whole = other.record(
        *(Action.HANDOVER_OUT, Verdict.OK),
        kind=CodeKind.BAG,
        code="PLB*SACK*B-1",
        after=State.HANDING,
        time=NOW + 50 if clock_set else 0,
        flags=1 if clock_set else 0,
        more=named,
    )
    accept(book, whole)
    assert [action for action, _, _ in done(book, "A-1")] == ["RETURN_OPEN", "BAG_ADD", "HANDOVER_OUT", "RETURN_IN"]
    before = states(book)
    with book.store.transaction():
        book._replay.place(["A-1"], clock.now)
    assert states(book) == before


def test_a_bag_is_taken_back_as_a_whole(book: Book, counter: Scanner) -> None:
    three_in_a_bag(book, counter)
    accept(book, counter.whole(Action.HANDOVER_OUT, "B-1", State.HANDING))
    accept(book, counter.undo(4, after=State.AT_POINT))
    assert [state(book, order) for order in THREE] == [State.STAGED] * 3
    assert differences(book) == []


def test_a_bag_of_returns_only_changes_hands(book: Book, counter: Scanner) -> None:
    three_in_a_bag(book, counter, first="READY")
    accept(book, counter.record(Action.RETURN_OPEN, Verdict.OK, "A-1", after=State.RETURNING))
    accept(book, counter.bag_add("A-1", "B-1", State.RETURNING))
    accept(book, counter.whole(Action.HANDOVER_OUT, "B-1", State.HANDING))
    accept(book, counter.whole(Action.HANDOVER_IN, "B-1", State.WITH_COURIER, actor=8))
    assert [(state(book, order), view(book, order).holder) for order in ("A-1", "A-2")] == [
        (State.RETURNING, "courier"),
        (State.WITH_COURIER, "courier"),
    ]
    # READY is no state to be bagged in, and the terminal said it was done.
    assert differences(book) == [("A-1", "BAG_ADD", "READY", "READY", "wrong_state")]


def test_what_is_said_of_a_bag_moves_no_parcel_elsewhere(book: Book, counter: Scanner) -> None:
    three_in_a_bag(book, counter)
    accept(book, counter.record(Action.HANDOVER_IN, Verdict.OK, "A-1", after=State.WITH_COURIER))
    accept(book, counter.record(Action.ROUTE_START, Verdict.OK, "A-1", after=State.ON_ROUTE))
    accept(book, counter.record(Action.HANDOVER_IN, Verdict.OK, "A-2", after=State.WITH_COURIER))
    accept(book, counter.whole(Action.HANDOVER_IN, "B-1", State.WITH_COURIER))
    assert [state(book, order) for order in THREE] == [State.ON_ROUTE, State.WITH_COURIER, State.WITH_COURIER]
    assert done(book, "A-2")[-1] == ("HANDOVER_IN", "already", False)
    assert differences(book) == [("A-1", "HANDOVER_IN", "WITH_COURIER", "ON_ROUTE", "claim")]


def test_a_manifest_numbers_what_is_in_a_bag_without_a_gap(book: Book, counter: Scanner) -> None:
    three_in_a_bag(book, counter)
    accept(book, counter.bag_add("A-2", "B-2", State.STAGED))

    def members(bag: str) -> list[str]:
        head, orders, codes = opened(book, counter)
        names = {found(head, codes, CodeKind.ORDER, order): order for order in THREE}
        listed = []
        while (at := found(head, codes, CodeKind.BAG, bag.encode() + len(listed).to_bytes(2, "big"))) is not None:
            listed.append(names[at])
        assert len([row for row in codes if row.kind == CodeKind.BAG]) <= len(orders)
        return sorted(listed)

    assert (members("B-1"), members("B-2"), members("B-3")) == (["A-1", "A-3"], ["A-2"], [])
    accept(book, counter.undo(4, "A-2"))
    assert (members("B-1"), members("B-2")) == (["A-1", "A-2", "A-3"], [])


# hand-overs


@pytest.mark.parametrize("skew", [0, -2, -3600])
@pytest.mark.parametrize("arrival", [(0, 1, 2, 3), (3, 2, 1, 0), (3, 0, 1, 2), (0, 2, 3, 1)])
def test_a_parcel_is_taken_after_it_was_given_whatever_the_clocks_say(
    book: Book, organisation: Organisation, skew: int, arrival: tuple[int, ...]
) -> None:
    take(book, "A,plain,17,STAGED,\nB,plain,17,STAGED,\n", STATES)
    # Ties go by terminal: here they go the wrong way.
    taker, giver = sorted((Scanner(organisation, now=NOW, label=f"T{n}") for n in range(2)), key=lambda one: one.id)
    for scanner in (taker, giver):
        book.enrol(scanner.certificate, 17)
    given = [giver.record(Action.HANDOVER_OUT, Verdict.OK, id, after=State.HANDING, time=NOW + 100) for id in "AB"]
    named = {Tlv.PEER_HEAD: giver.key.id + giver.seq.to_bytes(4, "big") + giver.head[:8]}
    taken = [
        taker.record(Action.HANDOVER_IN, Verdict.OK, id, after=State.WITH_COURIER, time=NOW + 100 + skew, more=named)
        for id in "AB"
    ]
    for at in arrival:
        assert accept(book, (given + taken)[at]) == ["accepted"]
    # What A's record names is a record of B.
    assert [state(book, id) for id in "AB"] == [State.WITH_COURIER] * 2
    assert differences(book) == []


@pytest.mark.parametrize("head", [bytes(8), b""])
def test_a_head_that_the_other_terminal_never_had_says_nothing(
    book: Book, organisation: Organisation, head: bytes
) -> None:
    take(book, "A,plain,17,STAGED,\n", STATES)
    taker, giver = (Scanner(organisation, now=NOW, label=f"T{n}") for n in range(2))
    for scanner in (taker, giver):
        book.enrol(scanner.certificate, 17)
    named = {Tlv.PEER_HEAD: giver.key.id + (1).to_bytes(4, "big") + head}
    early = taker.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, time=NOW, more=named)
    late = giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING, time=NOW + 9)
    assert accept(book, late, early) == ["accepted"] * 2
    rows = book.store.query("SELECT e.terminal FROM effects f JOIN events e ON e.number = f.event ORDER BY f.position")
    assert [terminal for (terminal,) in rows] == [taker.key.id, giver.key.id]


# any order of arrival


@pytest.mark.parametrize("arrival", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_records_of_an_order_that_shares_a_seal_decide_where_the_others_count(
    book: Book, counter: Scanner, clock: Clock, organisation: Organisation, arrival: tuple[int, ...]
) -> None:
    """A record that is the last of its own order may stand before others of the group: no place can be kept for it."""
    other = Scanner(organisation, now=NOW)
    book.enrol(other.certificate, 17)
    take(book, "A,sealed,17,,S1,\nB,sealed,17,,,\n")
    clock.now = NOW + 2000
    events = [
        counter.record(Action.SEAL_APPLY, Verdict.OK, "B", time=NOW + 1000, more={Tlv.SEAL: b"S1"}),
        counter.record(Action.STORE, Verdict.OK, "A", after=State.READY, time=NOW + 10),
        other.record(Action.RETRIEVE, Verdict.NEED_SEAL, "A", after=State.IDENTIFIED, time=NOW + 500),
    ]
    for at in arrival:
        assert accept(book, events[at]) == ["accepted"]
    assert state(book, "A") == State.READY
    assert done(book, "A") == [("RETRIEVE", "wrong_state", True), ("STORE", "moved", False)]


ORDERS = "A,sealed,17,STAGED,S1\nB,sealed,17,PACKED,\nC,plain,17,AT_POINT,S2\nD,sealed,17,READY,S3\n"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 32))
def test_the_outcome_does_not_depend_on_the_arrival(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, seed: int
) -> None:
    chance = random.Random(seed)
    scanners = [Scanner(organisation, now=NOW + 2 * n, label=f"Counter {n}") for n in range(2)]
    events = [any_record(chance.choice(scanners), scanners, chance) for _ in range(36)]
    shuffled = events + chance.sample(events, 8)
    chance.shuffle(shuffled)

    def outcome(arrival: list[Event], batch: int, orders_after: int) -> list[tuple[object, ...]]:
        clock = Clock()
        clock.now += 10_000
        book = Book(tmp_path_factory.mktemp("book"), organisation, clock)
        try:
            for scanner in scanners:
                book.enrol(scanner.certificate, 17)
            for at in range(0, len(arrival), batch):
                if at >= orders_after and book.store.order("A") is None:
                    take(book, ORDERS, STATES)
                assert set(accept(book, *arrival[at : at + batch])) <= {"accepted", "duplicate"}
            check_every_move_has_its_record(book)
            return states(book)
        finally:
            book.close()

    assert outcome(shuffled, chance.randint(1, 9), chance.randrange(30)) == outcome(events, len(events), 0)


def check_every_move_has_its_record(book: Book) -> None:
    """Each order's states run on from one record to the next, and from none to another but by a record."""
    for id, entered, now in book.store.query("SELECT id, entered, state FROM orders"):
        at = entered
        for before, after, why in book.store.query(
            "SELECT f.before, f.after, f.why FROM effects f JOIN events e ON e.number = f.event"
            " WHERE f.order_id = :id ORDER BY f.position",
            {"id": id},
        ):
            assert before == at
            assert (before != after) == (why == "moved")
            at = after
        assert at == now


# a book from before


def some_day(book: Book, counter: Scanner) -> None:
    take(book, ORDERS, STATES)
    accept(book, counter.bag_add("B", "B-1"), counter.bag_add("A", "B-1", State.STAGED), counter.apply("B", "S7"))
    accept(book, counter.whole(Action.HANDOVER_OUT, "B-1", State.HANDING), counter.undo(4), *counter.way("C", "S2"))


@pytest.mark.book_file
def test_a_book_of_the_first_form_is_placed_anew(
    tmp_path: Path, book: Book, counter: Scanner, organisation: Organisation
) -> None:
    some_day(book, counter)
    wanted = states(book)
    book.close()
    old = tmp_path / "old"
    old.mkdir()
    database = sqlite3.connect(old / FILE)
    database.executescript(Path(__file__).with_name("first_form.sql").read_text("utf-8"))
    database.execute("ATTACH ? AS newer", (str(tmp_path / "book" / FILE),))
    for table in ("terminals", "events", "orders", "order_codes", "marks"):
        columns = ", ".join(row[1] for row in database.execute(f"PRAGMA main.table_info({table})"))
        database.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}")
    database.execute("UPDATE orders SET state = entered, last = NULL")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()
    again = Book(old, organisation, Clock())
    try:
        assert states(again) == wanted
    finally:
        again.close()


@pytest.mark.book_file
def test_another_lifecycle_places_all_orders_anew(
    tmp_path: Path, book: Book, counter: Scanner, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_day(book, counter)
    assert state(book, "C") == State.DELIVERED
    book.close()
    file = resources.files("plomba.desk").joinpath("lifecycle.toml")
    text = file.read_text(encoding="utf-8").replace('to = "READY"\ngiven', 'to = "EXPIRED"\ngiven')
    other = lifecycle.parse(text, "other")
    monkeypatch.setattr(lifecycle, "load", lambda: other)
    again = Book(tmp_path / "book", organisation, Clock())
    try:
        assert (state(again, "C"), done(again, "C")[0]) == (State.EXPIRED, ("STORE", "moved", True))
    finally:
        again.close()


@pytest.mark.book_file
def test_another_meaning_of_records_places_all_orders_anew(
    tmp_path: Path, book: Book, counter: Scanner, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_day(book, counter)
    wanted = states(book)
    with book.store.transaction():
        book.store.write("UPDATE orders SET state = entered")
    book.close()
    for meaning, placed_anew in ((replay.MEANING, False), (replay.MEANING + 1, True)):
        monkeypatch.setattr(replay, "MEANING", meaning)
        again = Book(tmp_path / "book", organisation, Clock())
        try:
            assert (states(again) == wanted) == placed_anew
        finally:
            again.close()


def test_a_terminal_that_is_enrolled_late_makes_no_difference(book: Book, organisation: Organisation) -> None:
    take(book, "A,plain,17,STAGED,\n", STATES)
    giver, taker = (Scanner(organisation, now=NOW - 100, label=f"T{n}") for n in range(2))
    book.enrol(taker.certificate, 17)
    named = {Tlv.PEER_HEAD: giver.key.id + (1).to_bytes(4, "big") + giver.head[:8]}
    accept(book, taker.record(Action.HANDOVER_IN, Verdict.OK, "A", after=State.WITH_COURIER, more=named))
    assert view(book, "A").holder == "courier"  # nobody here knows that it was a terminal
    book.enrol(giver.certificate, 17)
    assert view(book, "A").holder == "warehouse"
    accept(book, giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=State.HANDING))
    assert (view(book, "A").holder, view(book, "A").party) == ("courier", "7")
