"""Bags move by the rules of what is in them; a route holds what a courier has; an intake counts what it took."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hands import COURIER, card, changed, docked, give_rules, give_staff, order, play, staff
from test_shift import docks_at
from test_shop import token
from workbench import BADGE, HANDOUT, PLACE, Workbench, label

from plomba.desk import manifest as manifests
from plomba.desk.manifest import Expected
from plomba.desk.orders import Order
from plomba_wire.vocabulary import Action, ObjectKind, State, Tlv, Verdict

pytestmark = pytest.mark.anyio


async def listless(bench: Workbench) -> None:
    await bench.enrol()
    await bench.push_rules()
    await bench.terminal.engine_ready()
    await bench.terminal.scan(BADGE)
    await bench.sync()


async def bagged(bench: Workbench, *orders: Order) -> None:
    """The terminal's list has them all in the bag S-1."""
    await bench.ready(orders)
    expected = [Expected(one, one.state, b"S-1") for one in orders]
    body = manifests.build(bench.id, epoch=1, through=0, place=PLACE, salt=bytes(16), expected=expected)
    await bench.push(ObjectKind.MANIFEST, 2, bench.signed(ObjectKind.MANIFEST, body, 2))


async def test_a_bag_nobody_knows_is_not_taken_over_from_nobody(bench: Workbench) -> None:
    await listless(bench)
    assert await play(bench, card("TAKE"), card("SACK*S-1"), card("ACT*7"), card("SACK*S-1")) == [
        *["NOTE OK", "HANDOVER_IN NEED_ACT", "HANDOVER_IN OK", "HANDOVER_IN OK"],
    ]
    assert await token(bench), "what was taken is vouched for, whatever is in it"


async def test_what_the_class_of_one_needs_holds_the_whole_bag(bench: Workbench) -> None:
    await bench.ready([order("A", State.STAGED), order("RING", State.STAGED, seals=["SEAL-1"])])
    await give_rules(bench, changed(('PACK = ["item", "apply"]', 'PACK = ["item", "apply"]\nHANDOVER_OUT = ["photo"]')))
    await play(bench, card("BAG"), card("SACK*S-1"), label("A"), label("RING"))
    assert await play(bench, card("GIVE"), card("SACK*S-1"), label("A"), label("RING")) == [
        *["NOTE OK", "HANDOVER_OUT NEED_PHOTO", "HANDOVER_OUT OK", "HANDOVER_OUT NEED_PHOTO"],
    ]


async def test_a_bag_goes_on_a_route_as_what_is_in_it_does(bench: Workbench) -> None:
    await bagged(bench, order("A", State.WITH_COURIER), order("B", State.WITH_COURIER))
    steps = (card("ROUTE"), card("SACK*S-1"), card("WAY*12"), card("SACK*S-1"), card("ENDROUTE"))
    assert await play(bench, *steps) == [
        *["NOTE OK", "REFUSED_SCAN NO_ROUTE", "ROUTE_OPEN OK", "ROUTE_START OK", "ROUTE_CLOSE ORDERS_OPEN"],
    ]
    assert docked(bench)[-1].parts[Tlv.QUANTITY] == b"\0\2"
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    steps = (card("ENDROUTE"), card("STOP"), card("SACK*S-1"), HANDOUT, label("A"), "ok", card("ENDROUTE"))
    assert await play(bench, *steps) == [
        *["ROUTE_CLOSE ORDERS_OPEN", "NOTE OK", "ARRIVE OK", "NOTE OK", "RETRIEVE CONFIRM", "HANDOUT OK"],
        "ROUTE_CLOSE ORDERS_OPEN",
    ]
    assert docked(bench)[-1].parts[Tlv.QUANTITY] == b"\0\1"


async def test_a_bag_that_is_handed_over_is_off_the_route(bench: Workbench) -> None:
    await bagged(bench, order("A", State.WITH_COURIER), order("B", State.WITH_COURIER))
    steps = (card("WAY*12"), card("SACK*S-1"), card("GIVE"), card("SACK*S-1"), card("ENDROUTE"))
    assert await play(bench, *steps) == [
        *["ROUTE_OPEN OK", "ROUTE_START OK", "NOTE OK", "HANDOVER_OUT OK", "ROUTE_CLOSE OK"],
    ]


@pytest.mark.parametrize("states", [(State.STAGED, State.RETURNING), (State.RETURNING, State.STAGED)])
async def test_a_bag_whose_parcels_would_part_stays(bench: Workbench, states: tuple[int, int]) -> None:
    await bagged(bench, order("A", states[0]), order("B", states[1]))
    assert await play(bench, card("GIVE"), card("SACK*S-1"), label("A"), label("B")) == [
        *["NOTE OK", "HANDOVER_OUT WRONG_STATE", "HANDOVER_OUT OK", "HANDOVER_OUT OK"],
    ]


async def test_a_bag_of_returns_is_given_once(bench: Workbench) -> None:
    await bagged(bench, order("A", State.RETURNING), order("B", State.RETURNING))
    assert await play(bench, card("GIVE"), card("SACK*S-1"), card("SACK*S-1"), label("A")) == [
        *["NOTE OK", "HANDOVER_OUT OK", "HANDOVER_OUT REPEAT", "HANDOVER_OUT REPEAT"],
    ]


async def test_a_point_takes_no_bag_with_a_parcel_of_another_place(bench: Workbench) -> None:
    await bagged(bench, order("A", State.HANDING), replace(order("B", State.HANDING), place=8))
    assert await play(bench, card("ARRIVAL"), card("ACT*7"), card("SACK*S-1")) == [
        *["NOTE OK", "HANDOVER_IN OK", "HANDOVER_IN KNOWN_NOT_HERE"],
    ]


async def test_a_bag_is_moved_only_by_a_hand_that_may(bench: Workbench) -> None:
    await bagged(bench, order("A", State.STAGED))
    await give_staff(bench, staff())
    await play(bench, card(f"BADGE*{COURIER}"), card("GIVE"))
    # The rules may change under a person who is in a mode.
    hands = ('courier = ["TAKE", "GIVE", "ROUTE", "STOP", "HANDOUT"]', 'courier = ["TAKE", "ROUTE", "STOP", "HANDOUT"]')
    await give_rules(bench, changed(hands))
    assert await play(bench, card("SACK*S-1")) == ["REFUSED_SCAN NOT_ALLOWED"]


@pytest.mark.parametrize(("how", "said"), [("refuse", ["REFUSED_SCAN"]), ("warn", ["NOTE", "HANDOVER_OUT"])])
async def test_an_old_list_holds_bags_as_it_holds_labels(bench: Workbench, how: str, said: list[str]) -> None:
    await bagged(bench, order("A", State.STAGED))
    await give_rules(bench, changed(('stale = "warn"', f'stale = "{how}"')))
    await docks_at(bench, 49 * 3600)()
    await bench.sync()
    heard = await play(bench, card("GIVE"), card("SACK*S-1"))
    assert [one.split()[0] for one in heard[1:]] == said
    assert heard[1].endswith("STALE_LIST")


async def test_a_hand_out_taken_back_is_on_the_route_again(bench: Workbench) -> None:
    await bench.ready([order("A", State.WITH_COURIER)])
    await play(bench, card("WAY*12"), label("A"), card("STOP"), label("A"), HANDOUT, label("A"), "ok")
    assert await play(bench, card("UNDO"), card("ENDROUTE")) == ["UNDO OK", "ROUTE_CLOSE ORDERS_OPEN"]
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await play(bench, card("ENDROUTE")) == ["ROUTE_CLOSE ORDERS_OPEN"]


async def test_what_is_held_at_the_door_is_on_the_route_and_what_is_lost_is_not(bench: Workbench) -> None:
    await bench.ready([order(id, State.WITH_COURIER) for id in ("A", "B", "C")])
    await play(bench, card("WAY*12"), label("A"), label("B"), label("C"), card("STOP"), label("A"))
    assert await play(bench, card("HOLD"), label("B"), card("MISSING"), card("REASON*99"), card("ROUTE")) == [
        *["HOLD OK", "ARRIVE OK", "MISSING NEED_REASON", "MISSING OK", "NOTE OK"],
    ]
    assert await play(bench, label("C"), card("MISSING"), card("REASON*99"), card("ENDROUTE")) == [
        *["ROUTE_START REPEAT", "MISSING NEED_REASON", "MISSING OK", "ROUTE_CLOSE ORDERS_OPEN"],
    ]
    assert docked(bench)[-1].parts[Tlv.QUANTITY] == b"\0\1"
    steps = (label("A"), card("RETURN"), card("GIVE"), label("A"), card("ENDROUTE"))
    assert await play(bench, *steps) == [
        *["ROUTE_START HELD", "RETURN_OPEN OK", "NOTE OK", "HANDOVER_OUT OK", "ROUTE_CLOSE OK"],
    ]


async def test_a_parcel_on_the_way_may_be_held(bench: Workbench) -> None:
    await bench.ready([order("A", State.WITH_COURIER)])
    assert await play(bench, card("WAY*12"), label("A"), card("HOLD"), card("ENDROUTE")) == [
        *["ROUTE_OPEN OK", "ROUTE_START OK", "HOLD OK", "ROUTE_CLOSE ORDERS_OPEN"],
    ]


async def test_the_end_of_a_shift_ends_a_route_that_is_empty(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    steps = (card("WAY*12"), card("CLOSE"), BADGE, card("STORE"), label("A"))
    assert await play(bench, *steps) == [
        *["ROUTE_OPEN OK", "ROUTE_CLOSE OK", "SHIFT_CLOSE OK", "SHIFT_OPEN OK", "NOTE OK", "STORE OK"],
    ]
    assert docked(bench)[-1].head.route == 0


async def test_what_was_handed_over_before_a_restart_is_vouched_for(bench: Workbench) -> None:
    await bench.ready([order("A", State.STAGED), order("B", State.STAGED)])
    await play(bench, card("BAG"), card("SACK*S-1"), label("B"), card("GIVE"), label("A"), card("SACK*S-1"))
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    for scanned in (label("A"), card("SACK*S-1")):
        assert await play(bench, card("GIVE"), scanned) == ["NOTE OK", "HANDOVER_OUT REPEAT"]
        assert (await token(bench)).startswith("PLT*")


async def test_back_turns_the_pages_of_what_is_open(bench: Workbench) -> None:
    ids = [f"N{number:02}" for number in range(10)]
    await bench.ready([order(id, State.WITH_COURIER) for id in ids])
    await play(bench, card("WAY*12"), *(label(id) for id in ids))
    await play(bench, card("ENDROUTE"))
    seen = [bench.terminal.screen]
    for _ in range(4):
        await play(bench, "back")
        seen.append(bench.terminal.screen)
    assert len(set(seen[:4])) == 4 and seen[4] == seen[3], "the verdict, eight, two, and the idle screen"


async def test_one_open_order_is_shown(bench: Workbench) -> None:
    await bench.ready([order("A", State.WITH_COURIER)])
    await play(bench, card("WAY*12"), label("A"), card("ENDROUTE"))
    seen = [bench.terminal.screen]
    for _ in range(2):
        await play(bench, "back")
        seen.append(bench.terminal.screen)
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("mode", "state"), [("STORE", State.AT_POINT), ("TAKE", State.HANDING), ("ARRIVAL", State.HANDING)]
)
async def test_what_an_intake_leaves_says_how_many_it_took(bench: Workbench, mode: str, state: int) -> None:
    await bench.ready([order(id, state) for id in ("A", "B", "C")])
    act = [] if mode == "STORE" else [card("ACT*7")]
    await play(bench, card(mode), *act, label("A"), label("B"), label("A"), label("C"), card("UNDO"), card("DEFER"))
    await play(bench, *act, label("C"), label("A"), card("DEFER"))
    left = [record for record in bench.records() if record.head.action == Action.INTAKE_DEFER]
    assert [record.head.verdict for record in left] == [Verdict.OK, Verdict.OK]
    assert [record.parts[Tlv.QUANTITY] for record in left] == [b"\0\2", b"\0\1"], "the last mode's, not the shift's"
