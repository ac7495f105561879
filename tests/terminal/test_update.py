"""An application image is tried, and kept only if it stays alive; nothing is lost on the way, and nothing goes back."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from images import BUILT_IN, FLOOR, SECOND, THIRD, broken, content, push, release_signer, signed
from workbench import BADGE, Workbench, label, plain

from plomba.errors import TerminalError, TerminalRefused
from plomba.image import Version
from plomba.sim.interpreter import HEAP
from plomba.sim.virtual_terminal import FLASH_BLOCKS
from plomba_wire.codec import Health
from plomba_wire.vocabulary import Action, Check, Error, ObjectKind, Tlv, Verdict

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

ORDERS = [plain(f"U-{number}") for number in range(9)]
SETTLED_MS = 10_500
SLOT_A = (FLASH_BLOCKS - 96 - 2 * 64) * 4096
TRIES = 3


async def runs(bench: Workbench) -> Version:
    """The version that answers."""
    async with bench.session() as session:
        return Version.of(session.hello.firmware)


async def came_up(bench: Workbench, version: Version, resets: int) -> None:
    terminal = bench.terminal
    await terminal.wait(lambda: terminal.resets >= resets and terminal.up, "restart", 30.0)
    assert await runs(bench) == version


def told(bench: Workbench) -> list[tuple[int, Version]]:
    """What the records say of images that run: verdict and version."""
    return [
        (record.head.verdict, Version.of(struct.unpack(">BI", record.parts[Tlv.OBJECT])[1]))
        for record in bench.records()
        if record.head.action == Action.IMAGE_RUN
    ]


async def checks(bench: Workbench) -> int:
    assert bench.enrolled is not None
    async with bench.session() as session:
        return int(Health.unpack((await session.status(bench.enrolled.public)).health).checks)


def rot(bench: Workbench, slot: int) -> None:
    """A bit of an image flips."""
    with (bench.terminal.folder / "flash.bin").open("r+b") as flash:
        flash.seek(slot + 9 * 4096)
        byte = flash.read(1)[0]
        flash.seek(slot + 9 * 4096)
        flash.write(bytes([byte ^ 4]))


async def test_a_new_image_is_tried_confirmed_and_kept(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.scan(label("U-1"))
    assert await runs(bench) == BUILT_IN
    await push(bench, content(SECOND), SECOND)
    await came_up(bench, SECOND, 1)
    assert 0.95 * HEAP < terminal.free_heap <= HEAP
    await terminal.engine_ready()
    await terminal.warp(SETTLED_MS)
    await terminal.scan(BADGE)
    assert await terminal.scan(label("U-1")) == "repeat"
    await bench.sync()
    assert told(bench) == [(Verdict.OK, SECOND)]
    for _ in range(TRIES + 1):
        await terminal.restart()
        assert await runs(bench) == SECOND


async def test_one_that_dies_is_given_up_and_the_old_one_says_so(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    dies = broken(tmp_path, SECOND, "terminal/notes.py", "or now < _SETTLED_MS", "or nwo < _SETTLED_MS")
    await push(bench, dies, SECOND)
    await came_up(bench, BUILT_IN, 1 + TRIES)
    assert terminal.take_output().count("NameError") == TRIES
    await bench.sync()
    assert told(bench) == [(Verdict.REVERTED, SECOND)]
    trace = [record.parts[Tlv.TRACE] for record in bench.records() if Tlv.TRACE in record.parts]
    assert trace and all(found.startswith(b"time: NameError at notes.") for found in trace)
    assert await checks(bench) & Check.IMAGE_REVERTED
    await terminal.engine_ready()
    await terminal.scan(BADGE)
    assert await terminal.scan(label("U-2")) == "ok"
    # It is not taken again, and the dock can see that; a newer one is.
    await bench.sync()
    with pytest.raises(TerminalRefused) as caught:
        await push(bench, dies, SECOND)
    assert caught.value.link_code == Error.REFUSED_BY_POLICY
    await push(bench, content(THIRD), THIRD)
    await came_up(bench, THIRD, 2 + TRIES)


async def test_one_that_cannot_be_imported_is_given_up(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready(ORDERS)
    without = broken(tmp_path, SECOND, "main.py", "from terminal.link.serial", "from terminal.link.cereal")
    await push(bench, without, SECOND)
    terminal = bench.terminal
    await terminal.wait(lambda: terminal.failed_starts >= TRIES and terminal.up, "the old firmware", 30.0)
    assert await runs(bench) == BUILT_IN
    assert terminal.take_output().count("ImportError") == TRIES
    await bench.sync()
    assert told(bench) == [(Verdict.REVERTED, SECOND)]


async def test_two_cuts_while_it_is_tried_do_not_cost_it_the_trial(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await push(bench, content(SECOND), SECOND)
    await came_up(bench, SECOND, 1)
    for _ in range(TRIES - 1):
        await bench.terminal.restart()
    await bench.terminal.warp(SETTLED_MS)
    await bench.sync()
    assert told(bench) == [(Verdict.OK, SECOND)]


async def test_nothing_is_written_over_what_is_being_tried_or_what_it_falls_back_on(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await push(bench, content(SECOND), SECOND)
    await came_up(bench, SECOND, 1)
    with pytest.raises(TerminalRefused) as caught:
        await push(bench, content(THIRD), THIRD)
    assert caught.value.link_code == Error.BUSY and caught.value.retry
    await bench.terminal.warp(SETTLED_MS)
    await push(bench, content(THIRD), THIRD)
    await came_up(bench, THIRD, 2)


async def test_what_is_refused(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    signer = release_signer(bench)
    good = content(SECOND)
    for error, body, version, by in (
        (Error.WRONG_ROLE, good, SECOND, bench.organisation.desk),
        (Error.ROLLBACK, good, BUILT_IN, signer),
        (Error.WRONG_DEVICE, b"other".ljust(16, b"\0") + good[16:], SECOND, signer),
        (Error.WRONG_DEVICE, good[:16] + b"\x05" + good[17:], SECOND, signer),
        (Error.MALFORMED, good[:21] + struct.pack(">I", THIRD.number) + good[25:], SECOND, signer),
        (Error.MALFORMED, good, THIRD, signer),
        (Error.TOO_BIG, good + bytes(200_000), SECOND, signer),
    ):
        with pytest.raises(TerminalRefused) as caught:
            await push(bench, body, version, by)
        assert caught.value.link_code == error, error
    assert (bench.terminal.resets, await runs(bench)) == (0, BUILT_IN)
    await bench.terminal.scan(label("U-1"))
    with pytest.raises(TerminalRefused) as caught:
        await bench.push(ObjectKind.IMAGE, SECOND.number, signed(bench, good, SECOND))
    assert caught.value.link_code == Error.UNSYNCED_RECORDS
    bench.terminal.charge(20)
    with pytest.raises(TerminalRefused) as caught:
        await push(bench, good, SECOND)
    assert caught.value.link_code == Error.LOW_BATTERY
    bench.terminal.charge(80)
    await push(bench, good, SECOND)
    await came_up(bench, SECOND, 1)


async def test_a_transfer_goes_on_where_a_power_cut_stopped_it(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await bench.sync()
    data = signed(bench, content(SECOND), SECOND)
    await terminal.cut_power(300, 2)
    with pytest.raises(TerminalError):
        await bench.push(ObjectKind.IMAGE, SECOND.number, data)
    await terminal.restart()
    await bench.sync()
    before = terminal.relay.down.bytes
    await bench.push(ObjectKind.IMAGE, SECOND.number, data)
    assert terminal.relay.down.bytes - before < len(data) - 50_000
    await came_up(bench, SECOND, 1)


async def test_the_same_image_again_after_rot_and_then_a_cut(bench: Workbench) -> None:
    """Two slots never bear the title of what runs: the next update would not know which of them it is."""
    await bench.ready(ORDERS)
    terminal = bench.terminal
    for resets in (1, 2):
        await push(bench, content(SECOND), SECOND)
        await came_up(bench, SECOND, resets)
        await terminal.warp(SETTLED_MS)
        if resets == 1:
            await terminal.stop()
            rot(bench, SLOT_A)
            await terminal.start()
            assert await runs(bench) == BUILT_IN
    await bench.sync()
    await terminal.cut_power(100, 1)
    with pytest.raises(TerminalError):
        await bench.push(ObjectKind.IMAGE, THIRD.number, signed(bench, content(THIRD), THIRD))
    await terminal.restart()
    assert await runs(bench) == SECOND


async def test_a_rotten_image_leaves_what_is_built_in_which_may_only_mend(bench: Workbench) -> None:
    """Its floor is above what is built in: an old firmware must not work, and must not lock the terminal out."""
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await push(bench, content(SECOND, SECOND), SECOND)
    await came_up(bench, SECOND, 1)
    await terminal.warp(SETTLED_MS)
    await bench.sync()
    await terminal.stop()
    rot(bench, SLOT_A)
    await terminal.start()
    assert await runs(bench) == BUILT_IN
    assert await checks(bench) & Check.BELOW_FLOOR
    await terminal.engine_ready()
    records = len(bench.records())
    terminal.press("ok")
    assert await terminal.scan(label("U-3")) == "refused"
    await bench.sync()
    assert not any(record.head.action == Action.STORE for record in bench.records()[records:])
    with pytest.raises(TerminalRefused) as caught:
        await push(bench, content(Version(0, 1, 9), FLOOR), Version(0, 1, 9))
    assert caught.value.link_code == Error.ROLLBACK
    await push(bench, content(THIRD), THIRD)
    await came_up(bench, THIRD, 1 + 1)
    await terminal.engine_ready()
    await terminal.scan(BADGE)
    assert await terminal.scan(label("U-3")) == "ok"
