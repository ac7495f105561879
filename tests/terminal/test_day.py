"""The rest of a day at the counter: shifts, visits, refusals, used seals, undo, the siren, and work without a list."""

from __future__ import annotations

import pytest
from workbench import BADGE, HANDOUT, STORE, Workbench, label, plain, qr, sealed

from plomba.sim.gm65 import SeenCode
from plomba_wire.vocabulary import Action, Tlv, Verdict

pytestmark = pytest.mark.anyio

REFUSE, HOLD, UNDO, SEALED, CLOSE = (qr(f"PLB*{name}") for name in ("REFUSE", "HOLD", "UNDO", "SEALED", "CLOSE"))
ORDERS = [sealed("R-1", ["S-1"]), sealed("R-2", ["S-2"]), plain("B-1"), plain("B-2")]
LATER_MS = 2000


async def at_the_counter(bench: Workbench, *orders: str) -> None:
    """Everything is stored; the orders are on the counter."""
    await bench.ready(ORDERS)
    for order in ORDERS:
        await bench.terminal.scan(label(order.id))
    await bench.terminal.scan(HANDOUT)
    for id in orders:
        await bench.terminal.scan(label(id))


async def last(bench: Workbench, count: int) -> list[tuple[int, int]]:
    await bench.sync()
    heard = [r for r in bench.records() if r.head.action not in (Action.TIME_SET, Action.BOOT, Action.OBJECT_SET)]
    return [(r.head.action, r.head.verdict) for r in heard[-count:]]


async def test_nobody_scans_before_a_badge(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert await bench.terminal.scan(CLOSE) == "ok"
    assert await bench.terminal.scan(label("B-1")) == "refused"
    assert await bench.terminal.scan(BADGE) == "ok"
    await bench.terminal.warp(LATER_MS)
    assert await bench.terminal.scan(label("B-1")) == "ok"
    await bench.sync()
    heard = [r for r in bench.records() if r.head.action != Action.TIME_SET]
    assert [r.head.actor for r in heard][-2:] == [42, 42]
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(label("B-2")) == "ok", "the shift outlives a power cut"


async def test_a_visit_with_several_parcels(bench: Workbench) -> None:
    await at_the_counter(bench, "R-1", "R-2", "B-1")
    terminal = bench.terminal
    assert await terminal.confirm() == "refused"
    assert await terminal.scan(qr("S-2")) == "ok", "each seal finds its own parcel on the counter"
    assert await terminal.confirm() == "refused", "one is still without its seal"
    assert await terminal.scan(qr("S-1")) == "ok"
    tones = len(terminal.tones)
    terminal.press("ok")
    await terminal.wait(lambda: len(terminal.tones) == tones + 3, "three hand-outs")
    assert terminal.tones[tones:] == ["release"] * 3
    assert await last(bench, 3) == [(Action.HANDOUT, Verdict.OK)] * 3
    assert {r.parts.get(Tlv.SEAL) for r in bench.records()[-4:-1]} == {b"S-1", b"S-2", None}


async def test_a_refusal_frees_the_seal_and_a_hand_out_uses_it_up(bench: Workbench) -> None:
    await at_the_counter(bench, "R-1")
    terminal = bench.terminal
    for code in (qr("S-1"), REFUSE):
        assert await terminal.scan(code) == "ok"
    assert await terminal.scan(label("R-1")) == "next", "the customer came back"
    assert await terminal.scan(qr("S-1")) == "ok", "the seal is free again"
    assert await terminal.confirm() == "release"
    await terminal.scan(label("R-2"))
    assert await terminal.scan(qr("S-1")) == "refused"
    assert (await last(bench, 1)) == [(Action.SEAL_CHECK, Verdict.SEAL_USED)]
    await terminal.restart()
    await terminal.engine_ready()
    await terminal.scan(HANDOUT)
    await terminal.scan(label("R-2"))
    await terminal.scan(qr("S-1"))
    assert (await last(bench, 1)) == [(Action.SEAL_CHECK, Verdict.SEAL_USED)], "and it stays used after a restart"


@pytest.mark.parametrize("between", ["nothing", "docking", "restart"])
async def test_undo_takes_back_each_step_of_the_shift_once_the_newest_first(bench: Workbench, between: str) -> None:
    await at_the_counter(bench, "B-1")
    terminal = bench.terminal
    assert await terminal.confirm() == "release"
    if between == "docking":
        await bench.sync()
    elif between == "restart":
        await terminal.restart()
        await terminal.engine_ready()
    tones = []
    for _ in range(len(ORDERS) + 3):
        tones.append(await terminal.scan(UNDO))
        await terminal.warp(LATER_MS)
    assert tones == ["ok"] * (len(ORDERS) + 2) + ["refused"], "the hand-out, the retrieval, and what was stored"
    await bench.sync()
    undone = [r for r in bench.records() if r.head.action == Action.UNDO]
    moved = [r for r in bench.records() if r.head.action in (Action.STORE, Action.RETRIEVE, Action.HANDOUT)]
    assert [int.from_bytes(r.parts[Tlv.REF_SEQ], "big") for r in undone] == [r.head.seq for r in reversed(moved)]
    for took, back in zip(reversed(moved), undone, strict=True):
        assert (back.head.state_before, back.head.state_after) == (took.head.state_after, took.head.state_before)
    for code in (STORE, label("B-1"), HANDOUT, label("B-1")):
        assert await terminal.scan(code) == "ok"
    assert await terminal.confirm() == "release"


async def test_unreadable_three_times_and_held(bench: Workbench) -> None:
    await at_the_counter(bench, "R-1")
    terminal = bench.terminal
    tones = len(terminal.tones)
    for _ in range(3):
        terminal.press("scan")
        await terminal.wait_until(lambda: terminal.engine_reading)
        await terminal.warp(6000)
        await terminal.wait_until(lambda: not terminal.engine_reading)
    await terminal.wait(lambda: len(terminal.tones) > tones, "verdict")
    assert await terminal.scan(HOLD) == "ok"
    assert await terminal.scan(label("R-1")) == "refused"
    assert await last(bench, 3) == [
        (Action.UNREADABLE, Verdict.UNREADABLE),
        (Action.HOLD, Verdict.OK),
        (Action.RETRIEVE, Verdict.HELD),
    ]


async def test_left_unscanned_for_a_minute(bench: Workbench) -> None:
    await at_the_counter(bench, "R-1")
    terminal = bench.terminal
    tones = len(terminal.tones)
    await terminal.warp(59_000)
    assert terminal.tones[tones:] == []
    await terminal.warp(2_000)
    await terminal.wait(lambda: "siren" in terminal.tones[tones:], "siren")
    await terminal.warp(4_500)
    await terminal.wait(lambda: "alarm" in terminal.tones[tones:], "alarm that goes on")
    assert await terminal.scan(qr("S-1")) == "ok"
    heard = len(terminal.tones)
    await terminal.warp(10_000)
    assert terminal.tones[heard:] == [], "an answer silences it"
    assert await last(bench, 2) == [(Action.NOTE, Verdict.LEFT_UNSCANNED), (Action.SEAL_CHECK, Verdict.SEAL_OK)]


@pytest.mark.parametrize("leaves", ["back", "another mode", "another person"])
async def test_who_turns_away_from_a_parcel_is_called_back(bench: Workbench, leaves: str) -> None:
    await at_the_counter(bench, "R-1")
    terminal = bench.terminal
    tones = len(terminal.tones)
    if leaves == "back":
        terminal.press("back")
    else:
        await terminal.scan(STORE if leaves == "another mode" else qr("PLB*BADGE*7"))
    await terminal.warp(61_000)
    await terminal.wait(lambda: "siren" in terminal.tones[tones:], "siren")
    assert await last(bench, 1) == [(Action.NOTE, Verdict.LEFT_UNSCANNED)]


async def test_a_customers_code_is_never_stored(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert await bench.terminal.scan(qr("PLB*CUSTOMER*SECRET-77")) == "ok"
    await bench.sync()
    ident = next(r for r in bench.records() if r.head.action == Action.CUSTOMER_IDENT)
    assert len(ident.parts[Tlv.BEARER]) == 32 and b"SECRET" not in ident.body
    assert b"SECRET" not in (bench.terminal.folder / "flash.bin").read_bytes()
    assert b"SECRET" not in (bench.terminal.folder.parent / "dock.db").read_bytes()


async def without_a_list(bench: Workbench) -> None:
    await bench.enrol()
    await bench.push_rules()
    await bench.terminal.engine_ready()
    await bench.terminal.scan(BADGE)


async def test_without_a_list_what_was_read_at_intake_must_be_read_at_hand_out(bench: Workbench) -> None:
    await without_a_list(bench)
    terminal = bench.terminal
    for code in (STORE, label("X-1"), SEALED, qr("SEAL-X1"), label("X-2")):
        assert await terminal.scan(code) in ("ok", "next"), code
    await terminal.scan(HANDOUT)
    assert await terminal.scan(label("X-9")) == "refused", "never taken in"
    assert await terminal.scan(label("X-1")) == "next"
    assert await terminal.scan(qr("SEAL-OTHER")) == "refused"
    assert await terminal.scan(qr("SEAL-X1")) == "ok"
    assert await terminal.confirm() == "release"
    assert await terminal.scan(label("X-2")) == "ok"
    assert await terminal.confirm() == "release"
    await bench.sync()
    checks = [r.head.verdict for r in bench.records() if r.head.action == Action.SEAL_CHECK]
    assert checks == [Verdict.WRONG_SEAL, Verdict.SEAL_OK]


async def test_without_a_list_a_card_marks_sealed_and_any_seal_opens_as_read(bench: Workbench) -> None:
    await without_a_list(bench)
    terminal = bench.terminal
    for code in (STORE, label("X-1"), HANDOUT, label("X-1")):
        assert await terminal.scan(code) == "ok"
    assert await terminal.scan(SEALED) == "next"
    assert await terminal.confirm() == "refused"
    assert await terminal.scan(qr("ANY-SEAL")) == "ok"
    assert await terminal.confirm() == "release"
    await terminal.restart()
    await terminal.engine_ready()
    await bench.sync()
    verdicts = [r.head.verdict for r in bench.records() if r.head.action in (Action.SEAL_CHECK, Action.HANDOUT)]
    assert verdicts == [Verdict.NEED_SEAL, Verdict.SEAL_READ, Verdict.OK]


async def test_a_seal_cannot_be_bound_twice(bench: Workbench) -> None:
    await without_a_list(bench)
    terminal = bench.terminal
    for code in (STORE, label("X-1"), SEALED, qr("S"), label("X-2"), SEALED):
        await terminal.scan(code)
    assert await terminal.scan(qr("S")) == "refused"
    assert await terminal.scan(SeenCode("QRCode", b"S-NEW")) == "ok"
