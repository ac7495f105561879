"""A terminal that stays on its cable: records announced as they are made, the line's rate, the clock, the diary."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from workbench import BADGE, Workbench, label, plain

from plomba.dock import Dock
from plomba.errors import TerminalError, TerminalRefused
from plomba.sim.gm65 import SeenCode
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba.terminal import Terminal
from plomba.transport import ByteTransport, SerialTransport, open_transport
from plomba_wire.codec import Health, TimeBody
from plomba_wire.dock_end import FEATURES
from plomba_wire.vocabulary import Action, Error, Feature, ObjectKind

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"L-{number}") for number in range(8)]
CLOSE = SeenCode("QRCode", b"PLB*CLOSE")
SLOW = 115200
FAST = 921600


class LongCable:
    """A wire on which nothing faster than 115,200 baud arrives whole."""

    def __init__(self, inner: ByteTransport) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def baud(self) -> int | None:
        return self._inner.baud

    async def open(self) -> None:
        await self._inner.open()

    async def set_baud(self, rate: int) -> None:
        await self._inner.set_baud(rate)

    async def read(self) -> bytes:
        return self._carried(await self._inner.read())

    async def write(self, data: bytes) -> None:
        await self._inner.write(self._carried(data))

    async def close(self) -> None:
        await self._inner.close()

    def _carried(self, data: bytes) -> bytes:
        return data if self.baud == SLOW else bytes(byte | 0x80 for byte in data)


async def test_every_record_is_announced_when_it_is_made(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    reports = bench.dock.attend(bench.terminal.port)
    first = await anext(reports)
    assert first.records == 0
    for number in range(5):
        await bench.terminal.scan(label(f"L-{number}"))
        report = await asyncio.wait_for(anext(reports), 10)
        assert report.records == 1 and report.receipted_seq == bench.ledger.counts()["records"]
    await reports.aclose()
    assert [r.parts.get(4) for r in bench.records()][-5:] == [f"L-{number}".encode() for number in range(5)]


async def test_records_made_while_a_docking_runs_are_not_forgotten(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    reports = bench.dock.attend(bench.terminal.port)
    await anext(reports)
    for number in range(8):
        await bench.terminal.scan(label(f"L-{number}"))
    found = 0
    while found < 8:
        found += (await asyncio.wait_for(anext(reports), 10)).records
    await reports.aclose()
    assert found == 8


async def test_a_cable_pulled_ends_a_stay_with_an_error(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    reports = bench.dock.attend(bench.terminal.port)
    await anext(reports)
    waiting = asyncio.ensure_future(anext(reports))
    await asyncio.sleep(0)
    bench.terminal.relay.unplug()
    with pytest.raises(TerminalError) as caught:
        await asyncio.wait_for(waiting, 10)
    assert (caught.value.code, caught.value.blame) == ("link_lost", "link")


async def test_the_line_is_made_faster(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    async with bench.session() as terminal:
        assert terminal.features & Feature.BAUD
        # On a busy machine the ping may come before the terminal has changed; then the old rate holds again.
        assert await terminal.change_baud(FAST) or await terminal.change_baud(FAST)
        assert bench.terminal.link_baud == terminal.transport.baud == FAST
        assert bench.enrolled is not None
        await terminal.status(bench.enrolled.public)
    await bench.terminal.wait(lambda: bench.terminal.link_baud == SLOW, "the old rate after BYE")
    await bench.sync()


async def test_a_line_that_does_not_carry_the_rate_falls_back(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    async with Terminal(LongCable(open_transport(bench.terminal.port))) as terminal:
        assert not await terminal.change_baud(FAST)
        assert bench.terminal.link_baud == terminal.transport.baud == SLOW
        assert bench.enrolled is not None
        await terminal.status(bench.enrolled.public)


async def test_a_rate_the_terminal_does_not_have(bench: Workbench) -> None:
    async with bench.session() as terminal:
        with pytest.raises(TerminalRefused) as caught:
            await terminal.change_baud(1_000_000)
    error = caught.value
    assert (error.code, error.detail, error.blame, error.retry) == ("refused_bad_range", FAST, "ours", False)
    assert error.terminal == terminal.id


async def test_a_line_without_a_rate(tmp_path: Path) -> None:
    async with (
        VirtualTerminal(tmp_path, wire="tcp", engine_pace=20.0) as virtual,
        Terminal(open_transport(virtual.port)) as terminal,
    ):
        assert not terminal.features & Feature.BAUD
        with pytest.raises(TerminalError) as caught:
            await terminal.change_baud(FAST)
    assert caught.value.code == "baud_unsupported"


async def test_a_clock_that_is_right_is_left_alone(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    report = await bench.sync()
    assert report.pushed == [] and report.records == 0
    async with bench.session() as terminal:
        reading = await terminal.clock(time.time)
    assert reading.offset is not None and abs(reading.offset) < 2 and reading.trip < 5
    await bench.terminal.warp(20_000)
    report = await bench.sync()
    assert report.pushed == ["time"] and bench.records()[-1].head.action == Action.TIME_SET


async def test_trap_17_a_nonce_is_good_for_ten_seconds_and_until_the_next(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    async with bench.session() as terminal:

        def sign(nonce: bytes, ahead: int = 0) -> tuple[int, bytes]:
            now = int(time.time()) + ahead
            body = TimeBody(terminal.hello.terminal, nonce, now, 1000).pack()
            return now, bench.signed(ObjectKind.TIME, body, now, signer=bench.organisation.dock)

        async def refused(nonce: bytes, ahead: int = 0) -> int:
            with pytest.raises(TerminalRefused) as caught:
                await terminal.push(ObjectKind.TIME, *sign(nonce, ahead))
            return caught.value.link_code

        old = (await terminal.clock(time.time)).nonce
        fresh = (await terminal.clock(time.time)).nonce
        assert await refused(old) == Error.NONCE_MISMATCH
        await terminal.push(ObjectKind.TIME, *sign(fresh))
        late = (await terminal.clock(time.time)).nonce
        await bench.terminal.warp(10_500)
        assert await refused(late) == Error.NONCE_MISMATCH
        back = (await terminal.clock(time.time)).nonce
        assert await refused(back, ahead=-100_000) == Error.ROLLBACK
        again = (await terminal.clock(time.time)).nonce
        await terminal.push(ObjectKind.TIME, *sign(again, ahead=-1000))


async def test_a_clock_a_day_ahead_does_not_stop_the_docking(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    tomorrow = time.time() + 3 * 86400
    await Dock(bench.ledger, bench.organisation, None, lambda: tomorrow).sync(bench.terminal.port)
    await bench.terminal.scan(label("L-1"))
    report = await bench.sync()
    # The scan, that the list is old by that clock, and that a time was refused.
    assert (report.records, report.refused, report.pushed) == (3, ["time"], [])


async def test_the_diary_tells_what_was_refused_and_nothing_from_paper(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("EVIL-PAPER"))
    async with bench.session() as terminal:
        with pytest.raises(TerminalRefused):
            await terminal.give_receipt(b"no receipt")
        diary = await terminal.diary()
    assert "boot 1" in diary and "refused 24: 04" in diary and "EVIL" not in diary


async def test_the_diary_is_a_ring(bench: Workbench) -> None:
    async with bench.session() as terminal:
        for _ in range(120):
            with pytest.raises(TerminalRefused):
                await terminal.give_receipt(b"")
            await bench.terminal.warp(100)
        diary = await terminal.diary()
    assert 1900 < len(diary) <= 2048 and "boot 1" not in diary


async def test_status_counts_what_was_dropped_and_left_out(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    assert bench.enrolled is not None
    async with bench.session() as terminal:
        await terminal.transport.write(b"\x05garbage\0" * 7)
        with pytest.raises(TerminalRefused):
            await terminal.give_receipt(b"")
        status = await terminal.status(bench.enrolled.public)
    health = Health.unpack(status.health)
    assert health.bad_frames >= 7 and health.errors >= 1 and health.muted == 0


async def test_without_features_it_all_works_as_before(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(CLOSE)
    await bench.terminal.scan(BADGE)
    assert FEATURES
    async with Terminal(open_transport(bench.terminal.port), features=0) as terminal:
        assert terminal.features == 0
    report = await bench.dock.sync_with(Terminal(open_transport(bench.terminal.port), features=0))
    assert report.records == 2


async def test_two_rates_on_one_wire_are_garbage(bench: Workbench) -> None:
    """The model of the line is one that can fail."""
    await bench.ready(ORDERS)
    with pytest.raises(TerminalError) as caught:
        async with Terminal(SerialTransport(bench.terminal.port, FAST)):
            pytest.fail("a session at the wrong rate")
    assert caught.value.code == "terminal_silent"
    await bench.sync()


async def test_something_else_may_be_asked_in_the_middle_of_a_pull(bench: Workbench) -> None:
    """Records that come meanwhile wait for who pulls; seen hanging for ever when they were dropped."""
    await bench.ready(ORDERS)
    for number in range(8):
        await bench.terminal.scan(label(f"L-{number}"))
    assert bench.enrolled is not None
    next_seq, previous = bench.ledger.watermark(bench.enrolled)
    found: list[int] = []
    async with bench.session() as terminal, asyncio.timeout(20):
        async for batch in terminal.pull(1, next_seq, previous):
            found += range(batch.first_seq, batch.first_seq + len(batch.records))
            await terminal.clock(time.time)
            terminal.credit(found[-1] + 1)
        assert await terminal.diary()
    assert found == list(range(next_seq, next_seq + 8))


async def test_a_dock_that_is_busy_elsewhere_keeps_the_session(bench: Workbench) -> None:
    """A desk that takes longer than a minute: the terminal would have closed by then."""
    await bench.ready(ORDERS)
    async with bench.session() as terminal:
        terminal._end.idle = 0.2

        async def slow_desk() -> None:
            for _ in range(8):
                await bench.terminal.warp(15_000)
                await asyncio.sleep(0.3)

        await terminal.meanwhile(slow_desk())
        assert bench.enrolled is not None
        await terminal.status(bench.enrolled.public)


async def test_a_lost_session_stays_lost(bench: Workbench) -> None:
    async with bench.session() as terminal:
        terminal._end.close()
        with pytest.raises(TerminalError) as caught:
            await terminal.diary()
    assert caught.value.code == "terminal_silent"
