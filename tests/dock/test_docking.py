"""Verify, insert, commit, receipt, send: and every way a port, a terminal or a desk can fail in between."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

from plomba.dock import Dock
from plomba.errors import NotForwarded, StoreError, TerminalError, VerificationError
from plomba.forward import Desk
from plomba.ledger import Ledger
from plomba.sim.relay import Fault
from plomba.sim.virtual_terminal import FLASH_BLOCKS, VirtualTerminal
from plomba.transport import open_transport

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"D-{number}") for number in range(60)]


async def test_a_second_docking_brings_only_what_is_new(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("D-1"))
    first = await bench.sync()
    second = await bench.sync()
    assert first.records == 1 and second.records == 0, "the scan; a clock that is right is left alone"
    assert second.receipted_seq == bench.ledger.counts()["records"]


async def test_the_same_receipt_when_asked_again(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert bench.enrolled is not None
    next_seq, head = bench.ledger.watermark(bench.enrolled)
    given = bench.dock._receipt(bench.enrolled, next_seq - 1, head)
    assert bench.dock._receipt(bench.enrolled, next_seq - 1, head) == given


async def test_a_cable_cut_anywhere_loses_and_doubles_nothing(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    for number in range(30):
        await bench.terminal.scan(label(f"D-{number}"))
    relay = bench.terminal.relay
    cuts = 0
    for step in (40, 200, 900, 2500, 5000):
        relay.up.script(Fault("cut", relay.up.bytes + step))
        try:
            await bench.sync()
        except TerminalError as error:
            assert error.code in ("link_lost", "terminal_silent"), error
            cuts += 1
        relay.plug()
    await bench.sync()
    orders = [record.parts.get(4) for record in bench.records() if record.parts.get(4)]
    assert orders == [f"D-{number}".encode() for number in range(30)]
    assert cuts >= 3


async def test_bytes_lost_and_changed_on_the_way(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    for number in range(30):
        await bench.terminal.scan(label(f"D-{number}"))
    relay = bench.terminal.relay
    here = relay.up.bytes
    relay.up.script(*(Fault("drop", here + 300 * k, 3) for k in range(1, 8)), Fault("flip", here + 2500, 5))
    report = await bench.sync()
    assert report.records == 30
    assert [r.head.seq for r in bench.records()] == list(range(1, len(bench.records()) + 1))


async def test_over_tcp(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.terminal._wire = "tcp"
    async with bench:
        assert bench.terminal.port.startswith("socket://127.0.0.1:")
        await bench.ready(ORDERS)
        await bench.terminal.scan(label("D-1"))
        assert (await bench.sync()).records == 1


async def test_a_port_that_does_not_exist(bench: Workbench) -> None:
    for port in (str(bench.terminal.folder / "nothing"), "socket://127.0.0.1:1"):
        with pytest.raises(TerminalError) as caught:
            await open_transport(port).open()
        assert (caught.value.code, caught.value.exit_status) == ("port_missing", 3)


async def test_a_port_that_is_taken(bench: Workbench) -> None:
    first = open_transport(bench.terminal.port)
    await first.open()
    try:
        with pytest.raises(TerminalError) as caught:
            await open_transport(bench.terminal.port).open()
        assert (caught.value.code, caught.value.exit_status) == ("port_busy", 3)
    finally:
        await first.close()


async def test_a_port_with_nobody_behind_it(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bench = Workbench(tmp_path)
    try:
        with pytest.raises(TerminalError) as caught:
            await bench.dock.sync(f"socket://127.0.0.1:{port}")
        assert caught.value.code == "terminal_silent"
    finally:
        server.close()
        bench.ledger.close()


async def test_a_terminal_of_another_dock(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready(ORDERS)
    with Ledger.open(tmp_path / "other.db") as ledger, pytest.raises(TerminalError) as caught:
        await Dock(ledger, bench.organisation, None, time.time).sync(bench.terminal.port)
    assert caught.value.code == "terminal_unknown"


async def test_a_rolled_back_terminal_is_noticed(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await bench.terminal.start()
    await bench.terminal.engine_ready()
    for number in range(3):
        await bench.terminal.scan(label(f"D-{number}"))
    await bench.sync()
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await bench.terminal.start()
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code in ("tail_cut", "chain_fork") and caught.value.exit_status == 4


async def test_trap_15_a_copied_terminal_is_noticed(bench: Workbench) -> None:
    """The same flash goes on twice: two different records with one number."""
    await bench.ready(ORDERS)
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await bench.terminal.start()
    await bench.terminal.engine_ready()
    await bench.terminal.scan(label("D-1"))
    await bench.sync()
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await bench.terminal.start()
    await bench.terminal.engine_ready()
    for number in range(10, 20):
        await bench.terminal.scan(label(f"D-{number}"))
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert (caught.value.code, caught.value.exit_status) == ("chain_fork", 4)
    assert b"D-10" not in [r.parts.get(4) for r in bench.records()]
    [(name, proof)] = bench.ledger.forks.proofs()
    certificate, held, found = proof.verify(bench.organisation.fingerprint)
    assert bench.enrolled is not None and certificate.public == bench.enrolled.public
    assert name == held.identity == found.identity and held.digest != found.digest
    with pytest.raises(VerificationError) as again:
        await bench.sync()
    assert (again.value.code, again.value.terminal) == ("terminal_quarantined", bench.id.hex())


async def test_trap_14_a_dock_restored_from_an_old_backup(tmp_path: Path) -> None:
    """What it lost was receipted, so the terminal has erased it. That is said, with the numbers, not passed over."""
    bench = Workbench(tmp_path)
    bench.terminal = VirtualTerminal(tmp_path / "terminal", engine_pace=20.0, flash_blocks=FLASH_BLOCKS - 125)
    async with bench:
        await bench.ready(ORDERS)
        bench.ledger.close()
        shutil.copy(tmp_path / "dock.db", tmp_path / "backup.db")
        bench.ledger = Ledger.open(tmp_path / "dock.db")
        bench.dock = Dock(bench.ledger, bench.organisation, None, time.time)
        held = bench.ledger.counts()["records"]
        for number in range(60):
            await bench.terminal.scan(label(f"D-{number}"))
            if number % 20 == 19:
                await bench.sync()
        newest = bench.ledger.counts()["records"]
        with Ledger.open(tmp_path / "backup.db") as old, pytest.raises(VerificationError) as caught:
            await Dock(old, bench.organisation, None, time.time).sync(bench.terminal.port)
        assert (caught.value.code, caught.value.exit_status) == ("ledger_behind", 4)
        assert caught.value.position == held + 1 and held < int(caught.value.fields["last"]) < newest
        assert caught.value.terminal == bench.id.hex()
        assert (await bench.sync()).records == 0, "and the newer one goes on"


async def test_a_full_disk_gives_no_receipt(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("D-1"))
    before = bench.ledger.counts()["records"]
    bench.ledger.db.execute(f"PRAGMA max_page_count = {bench.ledger.db.execute('PRAGMA page_count').fetchone()[0]}")
    for number in range(2, 40):
        await bench.terminal.scan(label(f"D-{number}"))
    with pytest.raises(StoreError) as caught:
        await bench.sync()
    assert (caught.value.code, caught.value.exit_status) == ("ledger_failed", 1)
    async with bench.session() as session:
        assert bench.enrolled is not None
        assert (await session.status(bench.enrolled.public)).receipted_seq <= bench.ledger.counts()["records"]
    bench.ledger.db.execute("PRAGMA max_page_count = 100000")
    await bench.sync()
    assert bench.ledger.counts()["records"] >= before + 39


async def test_a_desk_that_is_away_leaves_everything_in_the_outbox(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    async with Desk("http://127.0.0.1:1") as desk:
        report = await Dock(bench.ledger, bench.organisation, desk, time.time).sync(bench.terminal.port)
    assert isinstance(report.waiting, NotForwarded) and report.waiting.exit_status == 5
    counts = bench.ledger.counts()
    assert counts["waiting"] == counts["records"] == report.receipted_seq


def test_a_second_dock_cannot_open_the_same_ledger(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "dock.db") as ledger:
        ledger.all_records()
        with pytest.raises(StoreError) as caught:
            Ledger.open(tmp_path / "dock.db")
    assert caught.value.code == "ledger_failed"


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "dock.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError):
        Ledger.open(tmp_path / "dock.db")


def test_the_ledger_is_durable_as_it_says(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "dock.db") as ledger:
        assert ledger.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ledger.db.execute("PRAGMA synchronous").fetchone() == (2,)
