"""How the terminal is, said in STATUS and signed in records: what is wrong, what was lost, what it died of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workbench import BADGE, Workbench, label, plain, qr

from plomba.errors import TerminalRefused
from plomba.sim.virtual_terminal import FLASH_BLOCKS, VirtualTerminal
from plomba.trust.records import VerifiedRecord
from plomba_wire.codec import Health
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Action, Check, Engine, Error, ObjectKind, Tlv

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"H-{number}") for number in range(60)]
WATCHDOG, RESET = 3, 2
SMALLEST_JOURNAL = FLASH_BLOCKS - 125
"""Three blocks of it."""
FILES = 96 * 4096


async def health(bench: Workbench) -> Health:
    assert bench.enrolled is not None
    async with bench.session() as session:
        return Health.unpack((await session.status(bench.enrolled.public)).health)


def signed_health(record: VerifiedRecord) -> Health:
    return Health.unpack(record.parts[Tlv.HEALTH])


def starts(bench: Workbench) -> list[VerifiedRecord]:
    return [record for record in bench.records() if record.head.action == Action.BOOT]


def damage_lists(path: Path) -> None:
    """A bit of the content flips in each slot that holds a list."""
    flash = bytearray(path.read_bytes())
    slots = [at for at in range(0, len(flash) - FILES, 4096) if flash.startswith(b"PLBS", at)]
    assert slots
    for at in slots:
        flash[at + 2 * 4096 + 60] ^= 1
    path.write_bytes(flash)


async def dies(bench: Workbench) -> str:
    """A task of the terminal dies, and it starts again; what it printed."""
    terminal = bench.terminal
    terminal.break_keys()
    await terminal.wait(lambda: terminal.resets == 1 and terminal.up, "restart")
    return terminal.take_output()


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Workbench]:
    """Its journal holds 48 pages."""
    bench = Workbench(tmp_path)
    bench.terminal = VirtualTerminal(tmp_path / "terminal", engine_pace=20.0, flash_blocks=SMALLEST_JOURNAL)
    async with bench:
        yield bench
        assert bench.terminal.output == ""


async def test_it_is_in_status_and_in_the_records_of_start_clock_and_shift(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    bench.terminal.charge(64)
    found = await health(bench)
    assert (found.battery, found.reset, found.engine, found.checks) == (64, 1, Engine.READY, 0)
    assert found.free_pages > 1900 and found.broken == found.torn == found.bad_blocks == found.lost_scans == 0
    await bench.terminal.scan(qr("PLB*CLOSE"))
    bench.terminal.charge(9)
    await bench.terminal.restart()
    await bench.sync()
    told = {record.head.action: signed_health(record) for record in bench.records() if Tlv.HEALTH in record.parts}
    assert set(told) == {Action.BOOT, Action.TIME_SET, Action.SHIFT_CLOSE}
    assert (told[Action.SHIFT_CLOSE].battery, told[Action.SHIFT_CLOSE].checks) == (64, 0)
    assert told[Action.BOOT].checks == Check.CLOCK_UNSET | Check.BATTERY_LOW


async def test_every_refused_scan_is_counted_across_the_power(small: Workbench) -> None:
    await small.ready(ORDERS)
    terminal = small.terminal
    numbers = iter(range(59))
    while await terminal.scan(label(f"H-{next(numbers)}")) == "ok":
        pass
    assert await terminal.scan(label("H-59")) == "refused"
    assert (await health(small)).lost_scans == 2
    assert (await health(small)).checks & Check.JOURNAL_FULL
    await terminal.restart()
    assert (await health(small)).lost_scans == 2
    await terminal.engine_ready()
    terminal.press("ok")
    assert await terminal.scan(label("H-59")) == "refused"
    await small.sync()
    assert await terminal.scan(label("H-59")) == "ok"
    await small.sync()
    told = [record for record in small.records() if record.head.action == Action.SCANS_LOST]
    assert [signed_health(record).lost_scans for record in told] == [3]
    stored = [record.parts.get(Tlv.ORDER) for record in small.records() if record.head.action == Action.STORE]
    assert stored[-1] == b"H-59" and len(set(stored)) == len(stored)


async def test_a_task_that_dies_leaves_a_trace_and_the_terminal_starts_again(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.scan(label("H-1"))
    assert "OSError" in await dies(bench)
    assert terminal.tones[-1] == "refused"
    assert (await health(bench)).checks & Check.RESTARTED
    await bench.sync()
    start = starts(bench)[-1]
    assert start.parts[Tlv.TRACE].startswith(b"keys: OSError at ")
    assert signed_health(start).reset == RESET
    terminal.press("ok")
    await terminal.engine_ready()
    await terminal.scan(BADGE)
    assert await terminal.scan(label("H-1")) == "repeat"
    # It is told once.
    await terminal.restart()
    await bench.sync()
    assert Tlv.TRACE not in starts(bench)[-1].parts
    assert not (await health(bench)).checks & Check.RESTARTED


async def test_a_terminal_that_hangs_is_started_by_its_watchdog(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    # 8 s of silence are 800 ms here, and the firmware feeds it five times a second.
    bench.terminal = VirtualTerminal(tmp_path / "terminal", engine_pace=20.0)
    async with bench:
        await bench.ready(ORDERS)
        terminal = bench.terminal
        terminal.watchdog_pace, fed = 10.0, terminal.fed
        await terminal.wait(lambda: terminal.fed > fed + 1, "a fed watchdog")
        assert terminal.resets == 0
        terminal.freeze()
        await terminal.wait(lambda: terminal.resets == 1 and terminal.up, "restart", 30.0)
        terminal.watchdog_pace = None
        found = await health(bench)
        assert found.reset == WATCHDOG and found.checks & Check.RESTARTED
        await bench.sync()
        assert signed_health(starts(bench)[-1]).reset == WATCHDOG


async def test_an_engine_that_falls_silent_is_said_and_looked_for_again(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    terminal.unplug_engine()
    screens = len(terminal.screens)
    terminal.press("scan")
    await terminal.wait(lambda: len(terminal.screens) > screens, "its screen")
    found = await health(bench)
    assert found.engine == Engine.SILENT and found.engine_faults >= 2
    terminal.plug_engine()
    await terminal.scan(label("H-1"))
    assert (await health(bench)).engine == Engine.READY


async def test_damaged_rules_and_lists_have_a_screen_each(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.stop()
    damage_lists(terminal.folder / "flash.bin")
    await terminal.start()
    found = await health(bench)
    assert found.checks == Check.CLOCK_UNSET | Check.MANIFEST_DAMAGED
    shown = terminal.screen
    terminal.press("ok")
    await terminal.wait(lambda: terminal.screen != shown, "the next screen")
    # The dock brings another, and all is well.
    await bench.sync()
    await bench.push_manifest(ORDERS, 2)
    assert (await health(bench)).checks == 0


async def test_what_stops_it_has_a_screen_and_ok_tries_again(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.scan(label("H-1"))
    await terminal.stop()
    path = terminal.folder / "flash.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-FILES] + b"\x55" * FILES)
    shown: list[bytes] = []
    await terminal.start()
    shown.append(terminal.screen)
    assert terminal.tones[-1] == "refused"
    # Nothing was wiped, and another start that finds the same says the same.
    assert path.read_bytes()[:-FILES] == whole[:-FILES]
    terminal.press("ok")
    await terminal.wait(lambda: terminal.resets == 1 and terminal.up, "restart")
    assert terminal.screen == shown[0]
    await terminal.stop()
    path.write_bytes(whole)
    await terminal.start()
    await bench.sync()
    assert b"H-1" in [record.parts.get(Tlv.ORDER) for record in bench.records()]


def test_every_check_has_words_of_its_own_in_every_language() -> None:
    for lang in VOCABULARY["languages"]:
        said = [tuple(entry[lang]) for entry in VOCABULARY["check"].values()]
        assert len(set(said)) == len(said)
        assert all(headline and next_step for headline, next_step in said)


async def test_a_flash_that_stops_erasing_loses_nothing_that_was_heard(small: Workbench) -> None:
    await small.ready(ORDERS)
    terminal = small.terminal
    terminal.wear_out_flash()
    heard = []
    for order in ORDERS:
        if await terminal.scan(label(order.id)) != "ok":
            break
        heard.append(order.id.encode())
    assert 0 < len(heard) < len(ORDERS)
    found = await health(small)
    assert found.bad_blocks and found.checks & Check.MEMORY_WORN and found.lost_scans == 1
    # The dock has them all before it is told that the terminal cannot keep the receipt.
    with pytest.raises(TerminalRefused) as caught:
        await small.sync()
    assert caught.value.link_code == Error.STORAGE_FAULT
    stored = [record.parts.get(Tlv.ORDER) for record in small.records() if record.head.action == Action.STORE]
    assert stored == heard


async def test_a_notice_takes_no_key_that_is_meant_for_a_parcel(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.scan(label("H-1"))
    await dies(bench)
    await terminal.engine_ready()
    notice = terminal.screen
    await terminal.scan(qr("PLB*HANDOUT"))
    assert await terminal.scan(label("H-1")) == "ok"
    assert await terminal.confirm() == "release"
    screens = len(terminal.screens)
    terminal.press("back")
    await terminal.wait(lambda: len(terminal.screens) > screens, "the notice again")
    assert terminal.screen == notice
    terminal.press("ok")
    await terminal.wait(lambda: terminal.screen != notice, "the screen behind it")


async def test_where_the_newest_list_is_damaged_no_older_one_comes_back(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    older = bench.manifest(ORDERS[:1], 3)
    await bench.push_manifest(ORDERS, 5)
    damage_lists(bench.terminal.folder / "flash.bin")
    await bench.terminal.restart()
    assert (await health(bench)).checks & Check.MANIFEST_DAMAGED
    with pytest.raises(TerminalRefused) as caught:
        await bench.push(ObjectKind.MANIFEST, 3, older)
    assert (caught.value.link_code, caught.value.detail) == (Error.ROLLBACK, 5)
    await bench.push_manifest(ORDERS, 5)
    assert not (await health(bench)).checks & Check.MANIFEST_DAMAGED


async def test_a_stop_is_no_hang(tmp_path: Path) -> None:
    """The watchdog has nothing to say while a terminal shows why nothing goes on."""
    terminal = VirtualTerminal(tmp_path / "terminal")
    await terminal.start()
    await terminal.stop()
    path = terminal.folder / "flash.bin"
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:-FILES] + b"\x55" * FILES)
    terminal.watchdog_pace = 2.0
    await terminal.start()
    fed = terminal.fed
    await terminal.wait(lambda: terminal.fed > fed + 5, "five meals", 30.0)
    assert terminal.resets == 0
    await terminal.stop()


async def test_a_receipt_changes_nothing_on_a_screen_that_asks_for_a_step(bench: Workbench) -> None:
    """And makes no sound over a good scan, with a notice waiting."""
    await bench.ready(ORDERS)
    terminal = bench.terminal
    await terminal.scan(label("H-1"))
    await dies(bench)
    await terminal.engine_ready()
    await terminal.scan(qr("PLB*HANDOUT"))
    await terminal.scan(label("H-1"))
    heard, screen = len(terminal.tones), terminal.screen
    await bench.sync()
    assert (terminal.tones[heard:], terminal.screen) == ([], screen)
    assert await terminal.confirm() == "release"


async def test_a_dock_cannot_make_lost_scans(small: Workbench) -> None:
    await small.ready(ORDERS)
    numbers = iter(range(59))
    while await small.terminal.scan(label(f"H-{next(numbers)}")) == "ok":
        pass
    older = small.manifest(ORDERS[:1], 1)
    for _ in range(2):
        with pytest.raises(TerminalRefused):
            await small.push(ObjectKind.MANIFEST, 1, older)
    assert (await health(small)).lost_scans == 1
    # The power goes before there is room: it is told all the same.
    await small.terminal.restart()
    await small.sync()
    await small.sync()
    assert [
        signed_health(record).lost_scans for record in small.records() if record.head.action == Action.SCANS_LOST
    ] == [1]
