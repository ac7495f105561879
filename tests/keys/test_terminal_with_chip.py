"""The real firmware on a board with a secure element: from the blank chip to evidence that says so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

from plomba.errors import TerminalError
from plomba.evidence import make_pack, verify_pack
from plomba.evidence.timeline import facts, render
from plomba.sim import atecc608_packets as packets
from plomba.sim.atecc608 import Atecc608, Fault
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.trust.objects import SignedObject
from plomba_wire.codec import Certificate
from plomba_wire.vocabulary import Action, ObjectKind, Protection

pytestmark = pytest.mark.anyio
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HURRY = 20.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def terminal(folder: Path, chip: Atecc608 | bool | None) -> VirtualTerminal:
    return VirtualTerminal(folder / "terminal", engine_pace=20.0, secure_element=chip or None)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    bench = Workbench(tmp_path)
    bench.terminal = terminal(tmp_path, Atecc608(hurry=HURRY))
    async with bench:
        yield bench


async def chip_of(bench: Workbench) -> Atecc608:
    chip = bench.terminal.secure_element
    assert chip is not None
    return chip


async def test_from_a_blank_chip_to_evidence(bench: Workbench) -> None:
    await bench.ready([plain("C-1"), plain("C-2")])
    assert bench.enrolled is not None
    async with bench.session() as session:
        assert (await session.public_key()).protection == Protection.CHIP
    certificate = Certificate.unpack(SignedObject.parse(bench.enrolled.certificate).body)
    assert (certificate.protection, certificate.public) == (Protection.CHIP, bench.enrolled.public)
    for code in ("C-1", "C-2"):
        assert await bench.terminal.scan(label(code)) == "ok"
    await bench.sync()
    records = bench.records()
    assert [record.parts.get(4) for record in records if record.head.action == Action.STORE] == [b"C-1", b"C-2"]
    signatures = [row.signature for row in bench.ledger.all_records()]
    assert len({signature[:32] for signature in signatures}) == len(signatures)
    assert all(int.from_bytes(signature[32:], "big") <= N // 2 for signature in signatures)
    evidence = verify_pack(
        make_pack(bench.ledger, bench.organisation.trust.root, "C-1"), bench.organisation.fingerprint
    )
    assert {fact["protection"] for fact in facts(evidence)["entries"]} == {"CHIP"}
    assert "“bench” was made in a secure element" in render(evidence, "en")
    chip = await chip_of(bench)
    assert chip.done.count(packets.SIGN) >= len(records)
    key = chip.memory.keys[0].to_bytes(32, "big")
    assert key not in (bench.terminal.folder / "flash.bin").read_bytes()
    assert bench.terminal.output == ""


async def test_it_is_the_same_terminal_after_a_restart_and_the_chip_counts_it(tmp_path: Path) -> None:
    """The chip's EEPROM lives in the terminal's folder; its times are those of the data sheet."""
    bench = Workbench(tmp_path)
    bench.terminal = terminal(tmp_path, True)
    async with bench:
        await bench.enrol()
        await bench.terminal.restart()
        async with bench.session() as session:
            assert session.hello.terminal == bench.id
        await bench.sync()
        assert [record.head.action for record in bench.records()][:2] == [Action.BOOT] * 2
        kept = json.loads((bench.terminal.folder / "secure_element.json").read_text())
        assert kept["counters"] == [2, 0]
        assert bench.terminal.output == ""


@pytest.mark.parametrize("fault", [Fault.SIGNATURE_FLIPS, Fault.ABSENT, Fault.STUCK])
async def test_a_record_the_chip_did_not_sign_is_signed_at_the_next_start(bench: Workbench, fault: Fault) -> None:
    await bench.ready([plain("C-1"), plain("C-2")])
    chip = await chip_of(bench)
    async with bench.session():
        pass
    chip.script(fault, inf)
    assert await bench.terminal.scan(label("C-1")) == "ok", "durable before the tone; the signature comes after it"
    done = len(chip.done)
    if fault is not Fault.ABSENT:
        await bench.terminal.wait_until(lambda: len(chip.done) > done)
    await bench.terminal.stop()
    chip.script(fault, 0)
    await bench.terminal.start()
    await bench.sync()
    stored = [record.parts.get(4) for record in bench.records() if record.head.action == Action.STORE]
    assert stored == [b"C-1"]
    await bench.terminal.engine_ready()
    assert await bench.terminal.scan(label("C-2")) == "ok"
    await bench.sync()
    assert len(bench.records()) == bench.records()[-1].head.seq


async def test_a_chip_that_fails_at_work_is_said_and_the_terminal_goes_on_when_it_is_back(bench: Workbench) -> None:
    """The scan that was heard holds; the next one is refused aloud until the one before it is signed."""
    await bench.ready([plain("C-1"), plain("C-2")])
    terminal, chip = bench.terminal, await chip_of(bench)
    async with bench.session():
        pass
    chip.script(Fault.SIGN_FAILS, inf)
    heard, seen = len(terminal.tones), len(terminal.screens)
    await terminal.scan(label("C-1"))
    await terminal.wait(lambda: len(terminal.screens) == seen + 2, "the verdict, then the failure")
    assert terminal.tones[heard:] == ["ok", "refused"]
    failed = terminal.screen
    assert await terminal.scan(label("C-2")) == "refused"
    assert terminal.screen == failed and terminal.resets == 0
    chip.script(Fault.SIGN_FAILS, 0)
    assert await terminal.scan(label("C-2")) == "ok"
    await bench.sync()
    stored = [record.parts.get(4) for record in bench.records() if record.head.action == Action.STORE]
    assert stored == [b"C-1", b"C-2"]
    assert Action.SCANS_LOST in [record.head.action for record in bench.records()]


async def test_a_record_the_chip_did_not_sign_is_signed_before_the_next(bench: Workbench) -> None:
    """The dock sets something, the record of that stays unsigned, and the terminal goes on."""
    await bench.ready([plain("C-1")])
    chip = await chip_of(bench)
    async with bench.session() as session:
        version = 2
        chip.script(Fault.SIGN_FAILS, inf)
        with pytest.raises(TerminalError) as caught:
            await session.push(ObjectKind.MANIFEST, version, bench.manifest([plain("C-1"), plain("C-2")], version))
        assert caught.value.code == "refused_storage_fault"
        chip.script(Fault.SIGN_FAILS, 0)
    assert await bench.terminal.scan(label("C-2")) == "ok"
    await bench.sync()
    actions = [record.head.action for record in bench.records()]
    assert actions[-2:] == [Action.OBJECT_SET, Action.STORE]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Fault.ABSENT, "absent"), (Fault.ALL_FF, "crc"), (Fault.SELF_TEST, "self-test"), (Fault.STUCK, "entropy")],
)
async def test_a_terminal_stands_still_without_its_chip_and_starts_with_it(
    tmp_path: Path, fault: Fault, reason: str
) -> None:
    chip = Atecc608(hurry=HURRY)
    chip.script(fault, inf)
    virtual = terminal(tmp_path, chip)
    try:
        await virtual.start()
        assert f"ChipFailure: [Errno 5] EIO: secure element: {reason}" in virtual.take_output()
        assert chip.memory.keys == {}
        chip.script(fault, 0)
        virtual.press("ok")
        await virtual.wait(lambda: virtual.resets == 1 and virtual.up, "another start")
        assert virtual.output == "" and chip.memory.keys != {}
    finally:
        await virtual.stop()


async def test_a_board_that_gained_or_lost_its_chip_stands_still(tmp_path: Path) -> None:
    for first, second in ((None, True), (True, None)):
        folder = tmp_path / str(first)
        folder.mkdir()
        whole = terminal(folder, Atecc608(hurry=HURRY) if first else None)
        await whole.start()
        await whole.stop()
        changed = terminal(folder, Atecc608(hurry=HURRY) if second else None)
        await changed.start()
        await changed.stop()
        assert "KeyMismatch" in changed.output
        await whole.start()
        await whole.stop()
        assert whole.output == ""


async def test_power_that_goes_while_the_chip_is_made_ready(tmp_path: Path) -> None:
    """Board and chip lose it together, while GenKey writes. Every other write: test_chip_provisioning.py."""
    chip = Atecc608(hurry=HURRY)
    virtual = terminal(tmp_path, chip)
    chip.memory.put_key = _cut_before(chip, chip.memory.put_key)  # type: ignore[method-assign]
    try:
        await virtual.start()
        assert virtual.powered_down
        await virtual.restart()
        assert not virtual.powered_down
        assert chip.memory.config[86:89] == b"\x00\x00\xfe"
    finally:
        await virtual.stop()


def _cut_before(chip: Atecc608, put):  # type: ignore[no-untyped-def]
    def cut_and_put(slot: int, key: int) -> None:
        if not chip.memory.keys:
            chip.memory.cut(0, 1)
        put(slot, key)

    return cut_and_put
