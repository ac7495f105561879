"""What a scan means: one tone, one record, and no way past the seal."""

from __future__ import annotations

import pytest
from workbench import HANDOUT, STORE, Workbench, label, plain, qr, sealed

from plomba.sim.gm65 import SeenCode
from plomba_wire.vocabulary import Action, CodeKind, State, Tlv, Verdict

pytestmark = pytest.mark.anyio

RING = sealed("RING-1", ["SEAL-1"], ["1234567890123456"])
OTHER = sealed("RING-2", ["SEAL-2"])
BOOK = plain("BOOK-1")
FAR = plain("FAR-1", place=8)
ORDERS = [RING, OTHER, BOOK, FAR]


async def verdicts(bench: Workbench) -> list[tuple[int, int]]:
    """(action, verdict) of every record that came from a scan or a key."""
    await bench.sync()
    quiet = (Action.BOOT, Action.TIME_SET, Action.OBJECT_SET, Action.SHIFT_OPEN)
    return [(r.head.action, r.head.verdict) for r in bench.records() if r.head.action not in quiet]


async def test_a_sealed_order_leaves_only_with_its_own_seal(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    tones = [await terminal.scan(code) for code in (label("RING-1"), HANDOUT, label("RING-1"))]
    tones += [await terminal.confirm()]
    tones += [await terminal.scan(code) for code in (qr("SEAL-2"), qr("STRANGER"), qr("SEAL-1"))]
    tones += [await terminal.confirm()]
    assert tones == ["ok", "ok", "next", "refused", "refused", "refused", "ok", "release"]
    assert await verdicts(bench) == [
        (Action.STORE, Verdict.OK),
        (Action.NOTE, Verdict.OK),
        (Action.RETRIEVE, Verdict.NEED_SEAL),
        (Action.HANDOUT, Verdict.NEED_SEAL),
        (Action.SEAL_CHECK, Verdict.WRONG_SEAL),
        (Action.SEAL_CHECK, Verdict.WRONG_SEAL),
        (Action.SEAL_CHECK, Verdict.SEAL_OK),
        (Action.HANDOUT, Verdict.OK),
    ]
    last = bench.records()[-3:]
    handed = next(r for r in bench.records() if (r.head.action, r.head.verdict) == (Action.HANDOUT, Verdict.OK))
    assert (handed.head.state_before, handed.head.state_after) == (State.VERIFIED, State.DELIVERED)
    assert handed.parts[Tlv.ORDER] == b"RING-1"
    assert handed.head.rules == 1 and last


async def test_a_plain_order_needs_no_seal(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    tones = [await bench.terminal.scan(code) for code in (label("BOOK-1"), HANDOUT, label("BOOK-1"))]
    tones.append(await bench.terminal.confirm())
    assert tones == ["ok", "ok", "ok", "release"]


async def test_unknown_not_here_and_wrong_step_are_three(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    for code in (label("NOBODY"), label("FAR-1"), HANDOUT, label("BOOK-1")):
        await terminal.scan(code)
    found = await verdicts(bench)
    assert [verdict for _, verdict in found] == [
        Verdict.UNKNOWN,
        Verdict.KNOWN_NOT_HERE,
        Verdict.OK,
        Verdict.WRONG_STATE,
    ]


async def test_a_double_scan_changes_nothing(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert await bench.terminal.scan(label("BOOK-1")) == "ok"
    await bench.terminal.warp(2000)
    assert await bench.terminal.scan(label("BOOK-1")) == "repeat"
    assert [verdict for _, verdict in await verdicts(bench)] == [Verdict.OK, Verdict.REPEAT]


async def test_the_item_number_on_the_tag_is_compared(bench: Workbench) -> None:
    await bench.ready([RING, OTHER, sealed("RING-3", ["S-3"], ["9999999999999999"])])
    terminal = bench.terminal
    for code in (label("RING-1"), HANDOUT, label("RING-1")):
        await terminal.scan(code)
    assert await terminal.scan(SeenCode("DataMatrix", b"9999999999999999")) == "refused"
    address = b"https://example.org/check-uin/?uin=1234567890123456"
    assert await terminal.scan(SeenCode("DataMatrix", address)) == "ok"
    record = (await verdicts(bench))[-2:]
    assert record == [(Action.MISMATCH, Verdict.WRONG_ITEM), (Action.INSPECT, Verdict.ITEM_OK)]
    [inspected] = [r for r in bench.records() if r.head.action == Action.INSPECT]
    assert inspected.parts.get(Tlv.UIN) == bytes.fromhex("1234567890123456")


async def test_a_seal_without_a_parcel_asks_for_the_parcel(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(HANDOUT)
    assert await bench.terminal.scan(qr("SEAL-1")) == "refused"
    assert (await verdicts(bench))[-1] == (Action.REFUSED_SCAN, Verdict.NO_VISIT)


HOSTILE = [
    b"A\x00B",
    b"\x1b[31mred\x1b[0m",
    b"QPLB*HANDOUT\r\njBOOK-1",
    b"BOOK-1\r\n",
    b"<script>alert(1)</script>",
    b"'; DROP TABLE record; --",
    b'=HYPERLINK("http://x")',
    "\u202eKOOB".encode(),
    b"\xff\xfe\x80",
    b"PLB*FORMAT",
    b"ZONE:0003:00",
    b"A" * 301,
    b"B" * 900,
]


async def test_a_hostile_code_is_refused_and_kept_as_data(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    for code in HOSTILE:
        assert await bench.terminal.scan(qr(code)) == "refused", code
    assert await bench.terminal.scan(STORE) == "ok"
    assert await bench.terminal.scan(label("BOOK-1")) == "ok"
    await bench.sync()
    kept = [r for r in bench.records() if r.head.action == Action.REFUSED_SCAN]
    assert len(kept) == len(HOSTILE)
    for code, record in zip(HOSTILE, kept, strict=True):
        if len(code) <= 300:
            assert record.parts[Tlv.CODE] == code
        else:
            assert record.parts[Tlv.LONG_CODE][:2] == len(code).to_bytes(2, "big")
            assert record.parts[Tlv.LONG_CODE][34:] == code[:64]
        assert record.head.code_kind in (CodeKind.UNKNOWN, CodeKind.COMMAND)
        assert record.head.state_after == record.head.state_before == State.NONE


async def test_the_longest_record_there_can_be(bench: Workbench) -> None:
    """A code of 300 bytes, an item number and an order id of 48 bytes, right after a receipt."""
    order = "R" * 48
    await bench.ready([sealed(order, ["SEAL-1"], ["1234567890123456"])])
    for code in (label(order), HANDOUT, label(order)):
        await bench.terminal.scan(code)
    await bench.sync()
    address = b"https://example.org/?uin=1234567890123456&x="
    assert await bench.terminal.scan(SeenCode("DataMatrix", address + b"y" * (300 - len(address)))) == "ok"
    assert await bench.terminal.scan(SeenCode("DataMatrix", b"1234567890123456")) == "ok"
    await bench.sync()
    assert [r.head.verdict for r in bench.records() if r.head.action == Action.INSPECT] == [Verdict.ITEM_OK] * 2


async def test_scans_survive_power_off_and_hold_over_an_older_manifest(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    for code in (label("RING-1"), HANDOUT, label("RING-1"), qr("SEAL-1")):
        await terminal.scan(code)
    await terminal.restart()
    await terminal.engine_ready()
    await terminal.scan(HANDOUT)
    assert await terminal.scan(label("RING-1")) == "next", "the seal that an earlier visit read does not count"
    assert await terminal.confirm() == "refused"
    assert await terminal.scan(qr("SEAL-1")) == "ok"
    assert await terminal.confirm() == "release"
    await bench.push_manifest(ORDERS, 2)
    await terminal.warp(2000)
    assert await terminal.scan(label("RING-1")) == "refused", "a manifest that knows less does not bring it back"
