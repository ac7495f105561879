"""From the shop to the customer's door: every hand a parcel passes through, with the records that move it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hands import card, docked, order, play
from workbench import BADGE, HANDOUT, Workbench, label, qr

from plomba.sim.gm65 import SeenCode
from plomba_wire.vocabulary import Action, CodeKind, Flag, State, Tlv, Verdict

pytestmark = pytest.mark.anyio

UIN = "6431000000000017"
TAG = SeenCode("DataMatrix", UIN.encode())


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Workbench]:
    async with Workbench(tmp_path / "other") as bench:
        yield bench
        assert bench.terminal.output == ""


async def test_a_jewel_is_checked_picked_packed_with_tag_and_seal_and_staged(bench: Workbench) -> None:
    await bench.ready([order("RING", State.NEW, uins=[UIN]), order("BOOK", State.NEW)])
    steps = (card("CHECK"), label("RING"), card("PICK"), label("RING"), card("PACK"), label("RING"))
    assert await play(bench, *steps) == [
        *["NOTE OK", "INTAKE_CHECK OK", "NOTE OK", "PICK OK", "NOTE OK", "PACK NEED_ITEM"],
    ]
    assert await play(bench, TAG, qr("SEAL-1")) == ["INSPECT ITEM_OK", "SEAL_APPLY OK", "PACK OK"]
    packed = docked(bench)[-1]
    assert packed.head.action == Action.PACK and packed.head.state_after == State.PACKED
    assert (packed.parts[Tlv.SEAL], packed.parts[Tlv.UIN]) == (b"SEAL-1", bytes.fromhex(UIN))
    assert await play(bench, qr("SEAL-2")) == ["REFUSED_SCAN UNKNOWN"], "nothing is asked for any more"
    assert await play(bench, card("STAGE"), label("RING"), label("BOOK"), label("RING")) == [
        *["NOTE OK", "STAGE OK", "STAGE WRONG_STATE", "STAGE REPEAT"],
    ]


async def test_the_seal_may_come_before_the_tag(bench: Workbench) -> None:
    await bench.ready([order("RING", State.PICKED, uins=[UIN])])
    assert await play(bench, card("PACK"), label("RING"), qr("SEAL-1"), TAG) == [
        *["NOTE OK", "PACK NEED_ITEM", "SEAL_APPLY OK", "PACK NEED_ITEM", "INSPECT ITEM_OK", "PACK OK"],
    ]


async def test_what_was_bound_at_packing_opens_the_gate_at_hand_out(bench: Workbench) -> None:
    await bench.ready([order("RING", State.PICKED, uins=[UIN])])
    await play(bench, card("PACK"), label("RING"), TAG, qr("SEAL-1"), card("STAGE"), label("RING"))
    await play(bench, card("ARRIVAL"), card("ACT*17"), label("RING"), card("STORE"), label("RING"), HANDOUT)
    assert await play(bench, label("RING"), qr("OTHER"), qr("SEAL-1"), "ok") == [
        *["RETRIEVE NEED_SEAL", "SEAL_CHECK WRONG_SEAL", "SEAL_CHECK SEAL_OK", "HANDOUT OK"],
    ]


async def test_a_hand_over_without_the_other_party_is_refused_and_an_act_stands_for_one(bench: Workbench) -> None:
    await bench.ready([order("A", State.STAGED), order("B", State.STAGED)])
    assert await play(bench, card("ARRIVAL"), label("A"), card("ACT*2026/17"), label("A"), label("B")) == [
        *["NOTE OK", "HANDOVER_IN NEED_ACT", "HANDOVER_IN OK", "HANDOVER_IN OK", "HANDOVER_IN OK"],
    ]
    taken = docked(bench)[-1]
    assert taken.parts[Tlv.ACT] == b"2026/17" and taken.head.state_after == State.AT_POINT


async def test_two_terminals_hold_each_others_heads(bench: Workbench, other: Workbench) -> None:
    await bench.ready([order("A", State.STAGED), order("B", State.STAGED)])
    await other.ready([order("A", State.STAGED), order("B", State.STAGED)])
    await play(bench, card("GIVE"), label("A"), label("B"))
    given = await token(bench)
    assert await play(bench, qr(given)) == ["HANDOVER_OUT TOKEN_WRONG"], "its own"
    assert await play(other, card("TAKE"), qr(given), label("A"), label("B")) == [
        *["NOTE OK", "HANDOVER_IN OK", "HANDOVER_IN OK", "HANDOVER_IN OK"],
    ]
    out = [r for r in bench.records() if r.head.action == Action.HANDOVER_OUT and r.head.verdict == Verdict.OK]
    came = [r for r in other.records() if r.head.action == Action.HANDOVER_IN]
    heads = {r.head.terminal + r.head.seq.to_bytes(4, "big") + r.digest[:8]: r.head.seq for r in bench.records()}
    [peer] = {r.parts[Tlv.PEER_HEAD] for r in came}
    assert len(came) == 3 and heads[peer] >= out[-1].head.seq, "it vouches for everything that was given"
    assert all(r.head.flags & Flag.PEER_HEAD for r in came)
    assert await play(bench, card("UNDO")) == ["UNDO OK"], "until the other side has signed, it can be taken back"
    await play(bench, card("GIVE"), label("B"))
    back = await token(other)
    assert await play(bench, qr(back), card("UNDO")) == ["HANDOVER_OUT OK", "REFUSED_SCAN COUNTERSIGNED"]
    [closing] = [r for r in bench.records() if r.head.code_kind == CodeKind.TOKEN and r.head.verdict == Verdict.OK]
    assert closing.parts[Tlv.PEER_HEAD][:8] == other.id


async def test_a_bag_moves_with_all_that_is_in_it(bench: Workbench) -> None:
    await bench.ready([order("A", State.STAGED), order("B", State.STAGED), order("C", State.STAGED)])
    steps = (card("BAG"), label("A"), card("SACK*S-1"), label("A"), label("B"), card("GIVE"))
    assert await play(bench, *steps) == [
        *["NOTE OK", "REFUSED_SCAN NO_BAG", "BAG_ADD OK", "BAG_ADD OK", "BAG_ADD OK", "NOTE OK"],
    ]
    assert await play(bench, card("SACK*S-1"), label("A"), label("C"), card("SACK*S-1"), card("SACK*S-9")) == [
        *["HANDOVER_OUT OK", "HANDOVER_OUT REPEAT", "HANDOVER_OUT OK", "HANDOVER_OUT REPEAT", "HANDOVER_OUT UNKNOWN"],
    ]
    whole = next(r for r in bench.records() if r.head.action == Action.HANDOVER_OUT)
    assert (whole.parts[Tlv.BAG], whole.parts[Tlv.QUANTITY], whole.head.state_after) == (b"S-1", b"\0\2", State.HANDING)
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await play(bench, card("GIVE"), label("B")) == ["NOTE OK", "HANDOVER_OUT REPEAT"], "and it stays moved"


async def test_a_route_is_closed_only_when_nothing_is_open(bench: Workbench) -> None:
    await bench.ready([order(id, State.WITH_COURIER) for id in ("A", "B", "C")])
    steps = (card("ROUTE"), label("A"), card("WAY*12"), label("A"), label("B"), card("ENDROUTE"))
    assert await play(bench, *steps) == [
        *["NOTE OK", "REFUSED_SCAN NO_ROUTE", "ROUTE_OPEN OK", "ROUTE_START OK", "ROUTE_START OK"],
        "ROUTE_CLOSE ORDERS_OPEN",
    ]
    refused = docked(bench)[-1]
    assert refused.parts[Tlv.QUANTITY] == b"\0\2" and refused.head.route == 12
    assert await play(bench, card("CLOSE")) == ["ROUTE_CLOSE ORDERS_OPEN"], "nor is the shift"
    assert await play(bench, card("STOP"), label("A"), HANDOUT, label("A"), "ok") == [
        *["NOTE OK", "ARRIVE OK", "NOTE OK", "RETRIEVE CONFIRM", "HANDOUT OK"],
    ]
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await play(bench, card("STOP"), label("B"), card("FAILED"), card("REASON*1")) == [
        *["NOTE OK", "ARRIVE OK", "ATTEMPT_FAILED NEED_REASON", "ATTEMPT_FAILED OK"],
    ]
    failed = docked(bench)[-1]
    assert failed.parts[Tlv.REASON] == b"\0\1" and failed.head.state_after == State.FAILED
    assert await play(bench, card("ENDROUTE"), card("RETURN"), card("ENDROUTE"), card("GIVE"), label("B")) == [
        *["ROUTE_CLOSE ORDERS_OPEN", "RETURN_OPEN OK", "ROUTE_CLOSE ORDERS_OPEN", "NOTE OK", "HANDOVER_OUT OK"],
    ]
    assert await play(bench, card("ENDROUTE"), card("CLOSE")) == ["ROUTE_CLOSE OK", "SHIFT_CLOSE OK"]


async def test_a_return_is_received_and_inspected(bench: Workbench) -> None:
    await bench.ready([order("A", State.RETURNING), order("B", State.RETURNING)])
    steps = (card("BACK"), label("A"), label("B"), card("LOOK"), label("A"), card("RESULT*1"))
    assert await play(bench, *steps) == [
        *["NOTE OK", "RETURN_IN OK", "RETURN_IN OK", "NOTE OK", "RETURN_INSPECT NEED_RESULT", "RETURN_INSPECT OK"],
    ]
    assert await play(bench, label("B"), card("RESULT*99"), card("RESULT*7")) == [
        *["RETURN_INSPECT NEED_RESULT", "REFUSED_SCAN REFUSED_CODE", "RETURN_INSPECT OK"],
    ]
    assert docked(bench)[-1].parts[Tlv.CONDITION] == b"\7"
    assert await play(bench, card("LOOK"), label("B")) == ["NOTE OK", "RETURN_INSPECT REPEAT"]


async def test_a_part_is_refused_and_the_rest_handed_out(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY)])
    assert await play(bench, HANDOUT, label("A"), card("PART*2"), "ok", card("RETURN")) == [
        *["NOTE OK", "RETRIEVE CONFIRM", "REFUSE OK", "HANDOUT OK", "REFUSED_SCAN NO_VISIT"],
    ]
    handed = next(r for r in bench.records() if r.head.action == Action.HANDOUT)
    assert handed.head.state_after == State.PART_DELIVERED


async def test_what_was_done_without_a_terminal_is_an_entry_and_moves_nothing(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    assert await play(bench, card("STORE"), card("LATE*40"), label("A"), card("STORE"), label("A")) == [
        *["NOTE OK", "LATE_ENTRY NOTED", "LATE_ENTRY OK", "NOTE OK", "STORE OK"],
    ]
    entry = next(r for r in bench.records() if r.head.action == Action.LATE_ENTRY and r.head.verdict == Verdict.OK)
    assert entry.parts[Tlv.LATE] == bytes((Action.STORE, 0, 40))
    assert entry.head.state_before == entry.head.state_after == State.AT_POINT


async def test_the_rest_of_an_intake_is_left_for_tomorrow(bench: Workbench) -> None:
    await bench.ready([order("A", State.HANDING), order("B", State.HANDING)])
    assert await play(bench, card("ARRIVAL"), card("ACT*7"), label("A"), card("DEFER")) == [
        *["NOTE OK", "HANDOVER_IN OK", "HANDOVER_IN OK", "INTAKE_DEFER OK"],
    ]
    assert docked(bench)[-1].parts[Tlv.QUANTITY] == b"\0\1"


async def test_damage_missing_mismatch_hold_and_release(bench: Workbench) -> None:
    await bench.ready([order(id, State.READY) for id in ("A", "B", "C", "D")])
    await play(bench, card("STORE"))
    assert await play(bench, label("A"), card("DAMAGE"), card("REASON*11"), card("PHOTO*cam 3 12:40")) == [
        *["STORE REPEAT", "DAMAGE NEED_REASON", "DAMAGE NEED_PHOTO", "DAMAGE OK"],
    ]
    damage = docked(bench)[-1]
    assert (damage.parts[Tlv.REASON], damage.parts[Tlv.CAMERA]) == (b"\0\x0b", b"cam 3 12:40")
    assert damage.head.state_after == State.READY
    steps = (label("B"), card("MISSING"), card("REASON*99"), label("C"), card("HOLD"), label("C"))
    assert await play(bench, *steps) == [
        *["STORE REPEAT", "MISSING NEED_REASON", "MISSING OK", "STORE REPEAT", "HOLD OK", "STORE HELD"],
    ]
    assert await play(bench, card("RELEASE"), card("REASON*99"), BADGE, card("BADGE*50")) == [
        *["RELEASE NEED_REASON", "RELEASE NEED_SUPERVISOR", "SHIFT_OPEN REPEAT", "RELEASE OK"],
    ]
    released = docked(bench)[-1]
    assert released.parts[Tlv.SUPERVISOR] == (50).to_bytes(4, "big") and released.head.state_after == State.READY


async def token(bench: Workbench) -> str:
    """The text in the QR code that OK brings onto the screen, read from the picture of the screen."""
    import zxingcpp

    from plomba.sim.screen_png import to_png

    screens = len(bench.terminal.screens)
    bench.terminal.press("ok")
    await bench.terminal.wait(lambda: len(bench.terminal.screens) > screens, "screen")
    [found] = zxingcpp.read_barcodes(picture(to_png(bench.terminal.screen)))
    return found.text


def picture(png: bytes):  # type: ignore[no-untyped-def]
    import io

    from PIL import Image, ImageOps

    return ImageOps.expand(Image.open(io.BytesIO(png)).convert("L").resize((768, 384), 0), border=40, fill=0)


async def test_a_parcel_on_its_way_belongs_to_no_place_and_a_point_takes_only_its_own(bench: Workbench) -> None:
    """A courier's list has the orders of all the points on the route."""
    states = {"A": State.STAGED, "B": State.READY, "C": State.HANDING}
    await bench.ready([replace(order(id, state), place=8) for id, state in states.items()])
    steps = (card("TAKE"), card("ACT*1"), label("A"), card("WAY*3"), label("A"), card("STOP"), label("A"))
    assert await play(bench, *steps) == [
        *["NOTE OK", "HANDOVER_IN OK", "HANDOVER_IN OK", "ROUTE_OPEN OK", "ROUTE_START OK", "NOTE OK", "ARRIVE OK"],
    ]
    assert await play(bench, HANDOUT, label("A"), "ok", label("B"), card("ARRIVAL"), card("ACT*1"), label("C")) == [
        *["NOTE OK", "RETRIEVE CONFIRM", "HANDOUT OK", "RETRIEVE KNOWN_NOT_HERE"],
        *["NOTE OK", "HANDOVER_IN OK", "HANDOVER_IN KNOWN_NOT_HERE"],
    ]
    assert await play(bench, label("C"), card("STORE"), label("B"), label("B")) == [
        *["HANDOVER_IN KNOWN_NOT_HERE", "NOTE OK", "STORE KNOWN_NOT_HERE", "STORE KNOWN_NOT_HERE"],
    ]
