"""What is on the labels: other codes of an order, seals of our own, and what nobody printed."""

from __future__ import annotations

import time

import pytest
from hands import card, docked, order, play
from workbench import HANDOUT, Workbench, label, qr

from plomba.sim.gm65 import SeenCode
from plomba.trust import issuing, sealing
from plomba.trust.organisation import Organisation
from plomba.trust.seal_register import Register
from plomba.trust.sealing import Made
from plomba_wire import chain
from plomba_wire.vocabulary import Action, CodeKind, ObjectKind, State, Tlv

pytestmark = pytest.mark.anyio

SSCC = "106141411234567897"
UNIT = SeenCode("Code128", b"00" + SSCC.encode())


async def test_a_parcel_is_one_by_whatever_label_it_was_found(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT, further=((CodeKind.SSCC, SSCC), (CodeKind.S10, "RA473124829RU")))])
    assert await play(bench, UNIT, label("A"), HANDOUT, label("RA473124829RU"), label("A"), "ok") == [
        *["STORE OK", "STORE REPEAT", "NOTE OK", "RETRIEVE CONFIRM", "RETRIEVE REPEAT", "HANDOUT OK"],
    ]
    about = [r for r in docked(bench) if r.head.order_ref]
    assert {r.head.order_ref for r in about} == {chain.order_ref(b"A")}
    assert about[0].parts[Tlv.ORDER] == SSCC.encode() and about[0].parts[Tlv.CODE] == UNIT.data


async def test_a_label_with_a_wrong_check_digit_is_said_to_be_wrong(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT, further=((CodeKind.SSCC, SSCC),))])
    wrong = SeenCode("Code128", b"]C100106141411234567890")
    assert await play(bench, wrong, label("RA473124828RU")) == ["REFUSED_SCAN CHECK_DIGIT"] * 2


async def issued(bench: Workbench, count: int, *, void: int = 0) -> list[Made]:
    """Seals by the bench's own issuer, the last `void` of them void; the terminal has the list."""
    folder = bench.organisation.folder
    now = int(time.time())
    if "seal-issuer" not in Organisation.load(folder).working:
        issuing.issue_working(Organisation.load(folder), "seal-issuer", now=now)
    made = sealing.issue(Organisation.load(folder), count, batch=None, now=now)
    if void:
        sealing.void(Organisation.load(folder), [one.name for one in made[-void:]], "lost", now=now)
    organisation, register = Organisation.load(folder), Register.load(folder)
    signed = sealing.sign(organisation, register, sealing.body(organisation, register), now=now)
    await bench.push(ObjectKind.SEALS, register.version, signed)
    return made


async def test_a_seal_of_our_own_is_verified_before_it_is_compared(bench: Workbench) -> None:
    await bench.ready([])
    right, other, void = await issued(bench, 3, void=1)
    sealed = [order(id, State.READY, seals=[seal.name]) for id, seal in (("RING", right), ("PIN", other))]
    await bench.push_manifest(sealed, 2)
    forged = right.text[:-1] + ("0" if right.text[-1] != "0" else "1")
    steps = (HANDOUT, label("RING"), qr(forged), qr(void.text), qr(other.text), qr(right.name + "9"), qr(right.text))
    assert await play(bench, *steps) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "SEAL_CHECK SEAL_FORGED", "SEAL_CHECK SEAL_VOID"],
        *["SEAL_CHECK WRONG_SEAL", "SEAL_CHECK WRONG_SEAL", "SEAL_CHECK SEAL_OK"],
    ]
    read = docked(bench)[-1]
    assert (read.parts[Tlv.SEAL], read.parts[Tlv.CODE]) == (right.name.encode(), right.text.encode())
    assert await play(bench, "ok") == ["HANDOUT OK"]
    assert docked(bench)[-1].parts[Tlv.SEAL] == right.name.encode()


async def test_a_seal_of_our_own_is_bound_by_its_name(bench: Workbench) -> None:
    await bench.ready([order("RING", State.PICKED, uins=["6431000000000017"])])
    [seal] = await issued(bench, 1)
    tag = SeenCode("DataMatrix", b"6431000000000017")
    assert await play(bench, card("PACK"), label("RING"), tag, qr(seal.text)) == [
        *["NOTE OK", "PACK NEED_ITEM", "INSPECT ITEM_OK", "SEAL_APPLY OK", "PACK OK"],
    ]
    assert docked(bench)[-2].parts[Tlv.SEAL] == seal.name.encode()


HOSTILE = [
    b"\x1b[2J\x1b[31mOK",
    b"A\x00B",
    b"A\rB\nC",
    b"<img src=x onerror=alert(1)>",
    b"'; DROP TABLE records; --",
    b"=cmd|' /C calc'!A0",
    "\u202eГНИР\u202c".encode(),
    b"\xff\xfe\xfd",
    b"PLB*",
    b"PLB*BADGE*",
    b"PLB*BADGE*0",
    b"PLB*BADGE*99999999999",
    b"PLB*SACK*" + b"S" * 40,
    b"PLB*ACT*1",
    b"PLB*REASON*0",
    b"PLB*RESULT*1",
    b"PLB*PART*1",
    b"PLB*WAY*x",
    b"PLB*LATE*0",
    b"PLB*CELL*A",
    b"PLB*UNDO*1",
    b"PLB*__class__",
    b"PLT*",
    b"PLT*" + b"0" * 30,
    b"PLS*",
    b"PLS*" + b"0" * 117,
    b"]d2\x1d\x1d\x1d",
    b"https://id.gs1.org/01/09521234543213/21/%00%1b",
    b"01" * 150,
    b"X" * 301,
]


@pytest.mark.parametrize("mode", ["STORE", "HANDOUT", "PACK", "GIVE", "ARRIVAL", "BAG", "ROUTE", "LOOK"])
async def test_nothing_that_is_printed_opens_anything(bench: Workbench, mode: str) -> None:
    await bench.ready([order("RING", State.READY, seals=["SEAL-1"])])
    said = await play(bench, card(mode), [qr(code) for code in HOSTILE])
    passed = [what for what in said[1:] if what.split()[1] not in REFUSALS and not what.startswith("HANDOVER")]
    assert len(said) == len(HOSTILE) + 1 and passed == [], "one record each, and none of them an OK"
    assert not [r for r in docked(bench) if r.head.state_after != r.head.state_before and r.head.action != Action.STORE]


REFUSALS = {
    *["REFUSED_CODE", "UNKNOWN", "NO_VISIT", "TOKEN_WRONG", "SEAL_FORGED", "SEAL_STRANGER", "CHECK_DIGIT"],
    *["NO_ROUTE", "NO_BAG", "NOTHING_TO_UNDO"],
}
