"""A capture is a fixture: a docking is played again without a terminal, and every signature still fits."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from workbench import Workbench, label, plain

from plomba import capture
from plomba.dock import Dock
from plomba.errors import TerminalError, UsageError
from plomba.ledger import Ledger
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.terminal import Terminal
from plomba.transport import ReplayTransport
from plomba_wire import codec

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_docking_is_replayed_without_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "sync.plcap"
    async with Workbench(tmp_path) as bench:
        await bench.ready([plain(f"C-{number}") for number in range(9)])
        for number in range(9):
            await bench.terminal.scan(label(f"C-{number}"))
        bench.ledger.close()
        shutil.copy(tmp_path / "dock.db", tmp_path / "before.db")
        bench.ledger = Ledger.open(tmp_path / "dock.db")
        began = time.time()
        bench.dock = Dock(bench.ledger, bench.organisation, None, lambda: began)
        report = await bench.dock.sync(bench.terminal.port, capture=path)
        expected = [(r.head.seq, r.body) for r in bench.records()]
        organisation, enrolled = bench.organisation, bench.enrolled
    with Ledger.open(tmp_path / "before.db") as ledger:
        replay = ReplayTransport(path)
        # What a dock asks depends on its clock: it has to show what it showed then.
        again = await Dock(ledger, organisation, None, lambda: began).sync_with(Terminal(replay, replay.entropy))
        assert again.records == report.records
        assert enrolled is not None
        stored = [(row.seq, row.body) for row in ledger.all_records()]
    assert stored == expected


async def test_another_session_is_not_taken_for_the_captured_one(tmp_path: Path) -> None:
    path = tmp_path / "hello.plcap"
    async with Workbench(tmp_path) as bench:
        await bench.enrol()
        await bench.dock.sync(bench.terminal.port, capture=path)
        replay = ReplayTransport(path)
        async with Terminal(replay, replay.entropy) as session:
            with pytest.raises(TerminalError) as caught:
                await session.public_key()
    assert caught.value.code == "link_lost" and "another session" in caught.value.fields["reason"]


async def test_messages_and_times_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "sync.plcap"
    async with Workbench(tmp_path) as bench:
        await bench.enrol()
        await bench.dock.sync(bench.terminal.port, capture=path)
    chunks = capture.read(path)
    names = [type(message).__name__ for _, message in capture.messages(chunks)]
    assert names[:2] == ["Hello", "HelloOk"] and "StatusOk" in names and "ReceiptOk" in names
    assert [chunk.us for chunk in chunks] == sorted(chunk.us for chunk in chunks)
    cut = tmp_path / "cut.plcap"
    cut.write_bytes(path.read_bytes()[:-3])
    assert capture.read(cut) == chunks[:-1]
    assert isinstance(capture.messages(chunks)[0][1], codec.Hello)


async def test_the_engines_talk_is_captured(tmp_path: Path) -> None:
    path = tmp_path / "engine.plcap"
    async with VirtualTerminal(tmp_path / "terminal", engine_pace=20.0, engine_capture=path) as terminal:
        await terminal.engine_ready()
    chunks = capture.read(path)
    assert chunks[0].direction == capture.TO_DEVICE
    assert chunks[0].data.startswith(b"\x7e\x00\x07\x01\x00\xe0"), "it asks for the model first"
    assert any(chunk.direction == capture.FROM_DEVICE for chunk in chunks)


def test_a_file_that_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    for path in (tmp_path / "x", tmp_path / "nothing"):
        with pytest.raises(UsageError) as caught:
            capture.read(path)
        assert caught.value.code == "capture_unreadable"
