"""Ways round a gate that were found, and are none."""

from __future__ import annotations

from functools import partial

import pytest
from hands import (
    CLERK,
    COURIER,
    PACKER,
    PIN,
    SUPERVISOR,
    card,
    changed,
    docked,
    give_rules,
    give_staff,
    order,
    play,
    staff,
    typed,
)
from workbench import HANDOUT, STORE, Workbench, label, qr

from plomba.sim.gm65 import SeenCode
from plomba_wire import base45
from plomba_wire.vocabulary import Action, State, Tlv

pytestmark = pytest.mark.anyio

RING = order("RING", State.READY, seals=["SEAL-1"])
SEALED = card("SEALED")
ALLOWED = [card(f"BADGE*{SUPERVISOR}"), *typed(PIN[SUPERVISOR])]


async def at_work(bench: Workbench, *orders: object, rules: str = "") -> None:
    await bench.ready(list(orders))  # type: ignore[arg-type]
    await give_staff(bench, staff())
    if rules:
        await give_rules(bench, rules)
    await play(bench, card("CLOSE"), card(f"BADGE*{CLERK}"), typed(PIN[CLERK]))


async def test_a_second_seal_is_not_bound_beside_one_that_counts(bench: Workbench) -> None:
    await at_work(bench, order("RING", State.AT_POINT, seals=["SEAL-1"]))
    assert await play(bench, label("RING"), SEALED, qr("ANY"), HANDOUT, label("RING"), qr("ANY"), "ok") == [
        *["STORE OK", "INTAKE_CHECK NEED_SEAL", "SEAL_APPLY WRONG_SEAL", "NOTE OK", "RETRIEVE NEED_SEAL"],
        *["SEAL_CHECK WRONG_SEAL", "HANDOUT NEED_SEAL"],
    ]


async def test_a_broken_seal_counts_no_more_and_makes_no_room(bench: Workbench) -> None:
    await at_work(bench, RING)
    broken = (HANDOUT, label("RING"), qr("SEAL-1"), card("BREAK"), card("REASON*22"), ALLOWED)
    assert await play(bench, *broken, "ok", qr("SEAL-1"), qr("ANY")) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "SEAL_CHECK SEAL_OK", "SEAL_BREAK NEED_REASON"],
        *["SEAL_BREAK NEED_SUPERVISOR", "SEAL_BREAK NEED_PIN", "SEAL_BREAK OK", "HANDOUT NEED_SEAL"],
        *["SEAL_CHECK WRONG_SEAL", "SEAL_CHECK WRONG_SEAL"],
    ]
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await play(bench, HANDOUT, label("RING"), qr("ANY"), qr("SEAL-1"), "ok") == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "SEAL_CHECK WRONG_SEAL", "SEAL_CHECK WRONG_SEAL", "HANDOUT NEED_SEAL"],
    ]


async def test_an_undo_unbinds_only_what_it_takes_back(bench: Workbench) -> None:
    await bench.enrol()
    await bench.push_rules()
    await bench.terminal.engine_ready()
    await play(bench, card("BADGE*42"), STORE, label("X-1"), SEALED, qr("S-X"), HANDOUT, label("X-1"), qr("S-X"))
    assert await play(bench, card("REFUSE"), card("UNDO"), label("X-1"), qr("ANY"), qr("S-X"), "ok") == [
        *["REFUSE OK", "UNDO OK", "RETRIEVE NEED_SEAL", "SEAL_CHECK WRONG_SEAL", "SEAL_CHECK SEAL_OK", "HANDOUT OK"],
    ]


async def test_one_seal_is_read_for_one_parcel(bench: Workbench) -> None:
    numbers = {"A": "6431000000000017", "B": "6431000000000025"}
    await at_work(bench, *[order(id, State.READY, uins=[uin]) for id, uin in numbers.items()])
    foreign = qr("https://example.org/?uin=9999999999999999")
    assert await play(bench, HANDOUT, label("A"), foreign, qr("ONE"), label("B"), qr("ONE")) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "REFUSED_SCAN UNKNOWN", "SEAL_CHECK SEAL_READ", "RETRIEVE NEED_SEAL"],
        "SEAL_CHECK WRONG_SEAL",
    ]


async def test_a_supervisors_word_for_one_step_is_for_no_other(bench: Workbench) -> None:
    await at_work(bench, RING)
    steps = (HANDOUT, label("RING"), card("OVERRIDE"), card("REASON*20"), card("PHOTO*x"))
    await play(bench, *steps, card(f"BADGE*{SUPERVISOR}"), card("CANCEL"))
    steps = (card("BREAK"), card("REASON*20"))
    assert await play(bench, *steps) == ["SEAL_BREAK NEED_REASON", "SEAL_BREAK NEED_SUPERVISOR"]
    assert await play(bench, qr("SEAL-1"), "ok") == ["SEAL_CHECK SEAL_OK", "HANDOUT OK"]
    handed = docked(bench)[-1]
    assert not {Tlv.SUPERVISOR, Tlv.REASON} & set(handed.parts)


async def test_overrides_begun_are_counted_when_they_are_done(bench: Workbench) -> None:
    rings = [order(f"R-{at}", State.READY, seals=[f"S-{at}"]) for at in range(3)]
    await at_work(bench, *rings)
    begun = [(label(f"R-{at}"), card("OVERRIDE"), card("REASON*20"), card("PHOTO*x")) for at in range(3)]
    await play(bench, HANDOUT, *[step for steps in begun for step in steps])
    ends = []
    for at in (0, 1, 2):
        ends += (await play(bench, label(f"R-{at}"), ALLOWED))[-1:]
    assert ends == ["OVERRIDE OK", "OVERRIDE OK", "OVERRIDE LIMIT"]


async def test_the_taker_does_not_take_back_alone_what_the_giver_has_proof_of(bench: Workbench) -> None:
    await at_work(bench, order("A", State.HANDING), order("B", State.HANDING))
    peer = qr(b"PLT*" + base45.encode(b"other-id" + (7).to_bytes(4, "big") + b"8 bytes."))
    assert await play(bench, card("ARRIVAL"), peer, label("A"), card("UNDO")) == [
        *["NOTE OK", "HANDOVER_IN OK", "HANDOVER_IN OK", "REFUSED_SCAN COUNTERSIGNED"],
    ]


async def test_what_may_not_be_typed_is_judged_by_its_own_parcel(bench: Workbench) -> None:
    await at_work(bench, RING, order("BOOK", State.READY), rules=changed(('typed = "photo"', 'typed = "no"')))
    seal, label_of_it = [typed("SEAL-1")] * 2, [typed("RING")] * 2
    steps = (HANDOUT, label("RING"), label("BOOK"), card("TYPE"), *seal, "back", card("TYPE"), *label_of_it)
    assert await play(bench, *steps) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "RETRIEVE CONFIRM", "UNREADABLE NEED_DIGITS", "UNREADABLE NOT_ALLOWED"],
        *["UNREADABLE NEED_DIGITS", "UNREADABLE NOT_ALLOWED"],
    ]


async def test_an_inspection_is_not_forgotten(bench: Workbench) -> None:
    loose = ('seal = "always"\n', 'seal = "inspects"\nwaiver = "as the second generation"\n')
    await at_work(bench, RING, order("OTHER", State.READY, seals=["S-2"]), rules=changed(loose))
    steps = (HANDOUT, label("RING"), card("INSPECT"), "back", label("RING"), "ok", card("RESULT*1"), "ok")
    assert await play(bench, *steps) == [
        *["NOTE OK", "RETRIEVE CONFIRM", "INSPECT NEED_RESULT", "RETRIEVE NEED_SEAL", "HANDOUT NEED_SEAL"],
        *["REFUSED_SCAN NO_VISIT", "HANDOUT NEED_SEAL"],
    ]
    assert await play(bench, qr("SEAL-1"), "ok", card("INSPECT"), card("RESULT*1"), "ok") == [
        *["SEAL_CHECK SEAL_OK", "HANDOUT NEED_RESULT", "INSPECT NEED_RESULT", "INSPECT OK", "HANDOUT OK"],
    ]
    assert await play(bench, label("OTHER"), card("INSPECT"), card("RESULT*2"), card("UNDO")) == [
        *["RETRIEVE CONFIRM", "INSPECT NEED_RESULT", "INSPECT HELD", "REFUSED_SCAN NOT_ALLOWED"],
    ]


async def test_a_customers_code_is_in_no_record_whatever_came_of_it(bench: Workbench) -> None:
    await at_work(bench, RING)
    secret = qr("PLB*CUSTOMER*SECRET-77")
    await play(bench, card("CLOSE"), secret, card(f"BADGE*{PACKER}"), secret)
    await play(bench, card(f"BADGE*{COURIER}"), secret)
    assert not [r for r in docked(bench) if b"SECRET" in r.body]
    assert b"SECRET" not in (bench.terminal.folder / "flash.bin").read_bytes()


async def test_a_cell_that_is_no_text_is_refused(bench: Workbench) -> None:
    await at_work(bench, RING)
    assert await play(bench, STORE, label("RING"), SeenCode("QRCode", b"PLB*CELL*\xff\xfe"), card("CELL*A-7")) == [
        *["NOTE OK", "STORE REPEAT", "REFUSED_SCAN REFUSED_CODE", "NOTE NOTED"],
    ]


async def test_a_class_may_need_more_at_the_hand_out(bench: Workbench) -> None:
    more = ("[class.sealed.needs]\n", '[class.plain.needs]\nHANDOUT = ["photo", "reason"]\n\n[class.sealed.needs]\n')
    await at_work(bench, order("BOOK", State.READY), rules=changed(more))
    assert await play(bench, HANDOUT, label("BOOK"), "ok", card("PHOTO*x"), "ok", card("REASON*99"), "ok") == [
        *["NOTE OK", "RETRIEVE NEED_PHOTO", "HANDOUT NEED_PHOTO", "HANDOUT NEED_REASON", "HANDOUT NEED_REASON"],
        *["HANDOUT CONFIRM", "HANDOUT OK"],
    ]


async def test_goods_without_an_item_number_are_packed_with_their_seal(bench: Workbench) -> None:
    await at_work(bench, order("RING", State.PICKED, seals=["SEAL-1"]))
    await play(bench, card("CLOSE"), card(f"BADGE*{PACKER}"))
    assert await play(bench, card("PACK"), label("RING"), qr("SEAL-1")) == [
        *["NOTE OK", "PACK NEED_SEAL", "SEAL_APPLY OK", "PACK OK"],
    ]


async def test_ok_acknowledges_only_the_rule_that_is_on_the_screen(bench: Workbench) -> None:
    dated = "valid_from = 2038-01-01T00:00:00Z\n"
    news = '[news]\nru = "a"\nuk = "b"\nen = "c"\n[title]\n'
    await bench.ready([order("BOOK", State.READY)])
    give = partial(give_rules, bench, changed(("[title]\n", dated + news)))
    assert await play(bench, give, "wait 1", HANDOUT, label("BOOK"), "ok") == [
        *["RULES_ACK NEW_RULE", "NOTE OK", "RETRIEVE CONFIRM", "HANDOUT OK"],
    ]
    assert not [r for r in docked(bench) if r.head.action == Action.RULES_ACK][1:]
