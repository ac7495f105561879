"""What every transport promises while it holds (`transport/base.py`), on each kind of line, captured or not."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from far_ends import KINDS, MIB, Line
from line_bench import Bench, lost, noise, read_exactly, threads, turns

import plomba.transport
from plomba import capture
from plomba.errors import TerminalError
from plomba.transport import ByteTransport, CapturedTransport, ReplayTransport

# --- bytes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 63, 64, 65, 4095, 4096, 4097, MIB])
def test_trap_05_bytes_arrive_in_order_whatever_the_size_of_a_chunk(bench: Bench, size: int) -> None:
    down, up = noise(size), noise(size)[::-1]

    async def scenario(near: ByteTransport, line: Line) -> None:
        for _ in range(3):
            writing = asyncio.create_task(near.write(down))
            sending = asyncio.create_task(line.send(up))
            received, read = await asyncio.gather(line.receive(size), read_exactly(near, size))
            assert received == down and read == up
            await asyncio.gather(writing, sending)

    bench.run(scenario)
    if bench.captured:
        chunks = capture.read(bench.capture)
        for direction, data in ((capture.TO_DEVICE, down), (capture.FROM_DEVICE, up)):
            assert b"".join(chunk.data for chunk in chunks if chunk.direction == direction) == data * 3


def test_writes_at_once_stay_whole(bench: Bench) -> None:
    """Writers do not get between each other's bytes, though a write is handed on in pieces."""

    async def scenario(near: ByteTransport, line: Line) -> None:
        large, small = noise(line.roomy), [bytes([number]) * 9 for number in range(99)]
        everything = large + b"".join(small)
        receiving = asyncio.create_task(line.receive(len(everything)))
        writing = [asyncio.create_task(near.write(large))]
        for block in small:
            await asyncio.sleep(0)
            writing.append(asyncio.create_task(near.write(block)))
        await asyncio.gather(*writing)
        assert await receiving == everything

    bench.run(scenario)


def test_what_was_written_before_close_goes_out(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        data = b""
        while True:
            piece = noise(4096 - len(data) % 7)
            writing = asyncio.create_task(near.write(piece))
            await turns(3)
            if not writing.done():
                break
            data += piece
        writing.cancel()
        receiving = asyncio.create_task(line.receive(len(data)))
        await near.close()
        assert await receiving == data, "also what waited here because the line was full"

    bench.run(scenario)


def test_nothing_is_lost_when_a_read_is_cancelled(bench: Bench) -> None:
    """Before a byte comes, and at each turn of the loop around the moment it comes."""

    async def scenario(near: ByteTransport, line: Line) -> None:
        got = b""
        sent = b""
        for number in range(120):
            reading = asyncio.create_task(near.read())
            if number % 3:
                await asyncio.sleep(0)
            data = noise(number + 1)
            await line.send(data)
            sent += data
            for _ in range(number % 8):
                await asyncio.sleep(0)
            reading.cancel()
            (result,) = await asyncio.gather(reading, return_exceptions=True)
            if isinstance(result, bytes):
                got += result
        got += await read_exactly(near, len(sent) - len(got))
        assert got == sent

    bench.run(scenario)


# --- who is behind -------------------------------------------------------------------------------------------------


def test_a_far_end_that_does_not_read_holds_up_the_writer_and_nobody_else(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        data = noise(line.roomy)
        writing = asyncio.create_task(near.write(data))
        await turns()
        assert not writing.done(), "it waits, and this loop goes on"
        await line.send(b"meanwhile")
        assert await read_exactly(near, 9) == b"meanwhile"
        assert await line.receive(len(data)) == data
        await writing

    bench.run(scenario)


def test_a_near_end_that_does_not_read_holds_up_the_far_one(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        data = noise(line.roomy)
        sending = asyncio.create_task(line.send(data))
        await turns()
        assert not sending.done(), "it is not all taken into memory"
        assert await read_exactly(near, len(data)) == data
        await sending

    bench.run(scenario)


def test_close_does_not_wait_for_a_far_end_that_does_not_read(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        writing = asyncio.create_task(near.write(noise(line.roomy)))
        await turns()
        await near.close()
        assert not threads(), "nor does a thread of its own go on waiting"
        await lost(writing)

    bench.run(scenario)


# --- the rest ------------------------------------------------------------------------------------------------------


def test_two_lines_at_once(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        other = bench.kind(bench.folder)
        await other.near.open()
        await other.connected()
        await asyncio.gather(line.send(b"one" * 999), other.send(b"two" * 999))
        assert await asyncio.gather(read_exactly(near, 2997), read_exactly(other.near, 2997)) == [
            b"one" * 999,
            b"two" * 999,
        ]
        await other.near.close()
        await other.hang_up()
        await near.write(b"alive")
        assert await line.receive(5) == b"alive"

    bench.run(scenario)


def test_the_name_is_what_was_typed(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        assert near.name == line.name
        await line.hang_up()
        with pytest.raises(TerminalError) as caught:
            await near.read()
        assert caught.value.fields["port"] == line.name

    bench.run(scenario)


def test_the_rate_of_the_line(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        assert near.baud == line.rate()
        if line.rate() is None:
            with pytest.raises(TerminalError) as caught:
                await near.set_baud(921600)
            assert caught.value.code == "baud_unsupported"
        else:
            await near.write(b"old")
            await near.set_baud(921600)
            assert near.baud == line.rate() == 921600
            assert await line.receive(3) == b"old"
        await near.write(b"new")
        assert await line.receive(3) == b"new"

    bench.run(scenario)


def test_trap_21_every_transport_runs_this_suite() -> None:
    """A transport that is not here is a promise nobody checked. A replay plays, it is no line."""
    tested = {getattr(kind, "values", (kind,))[0].makes for kind in KINDS}
    exported = {getattr(plomba.transport, name) for name in plomba.transport.__all__}
    transports = {thing for thing in exported if inspect.isclass(thing) and hasattr(thing, "set_baud")}
    assert transports - {ByteTransport, CapturedTransport, ReplayTransport} <= tested
    assert len(tested) == len(KINDS) >= 3
