"""What every transport promises before it holds and when it ends (`transport/base.py`), on each kind of line."""

from __future__ import annotations

import asyncio

import pytest
from far_ends import Line
from line_bench import Bench, lost, noise, read_exactly, read_to_the_end, turns

from plomba.errors import TerminalError
from plomba.transport import ByteTransport


def test_after_close_everything_is_lost_and_close_may_be_called_again(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        await line.send(b"unread")
        reading = asyncio.create_task(near.read())
        await reading
        waiting = asyncio.create_task(near.read())
        await asyncio.sleep(0)
        await asyncio.gather(near.close(), near.close())
        await near.close()
        reasons = {
            await lost(waiting),
            await lost(near.read()),
            await lost(near.write(b"x")),
            await lost(near.set_baud(9600)),
        }
        assert reasons == {"closed"}
        with pytest.raises(TerminalError) as caught:
            await near.open()
        assert caught.value.code in ("port_failed", "link_lost")

    bench.run(scenario)


def test_close_drops_what_was_not_read(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        await line.send(b"unread")
        await turns(20)
        await near.close()
        await lost(near.read())

    bench.run(scenario)


def test_a_line_that_is_not_open(bench: Bench) -> None:
    async def scenario() -> None:
        near, line = bench.line()
        assert await lost(near.read()) == await lost(near.write(b"x")) == "not open"
        await near.close()
        await lost(near.read())
        await line.hang_up()

    asyncio.run(scenario())


def test_a_line_is_opened_once(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        with pytest.raises(TerminalError) as caught:
            await near.open()
        assert caught.value.code == "port_failed"
        await line.send(b"and still works")
        assert await read_exactly(near, 15) == b"and still works"

    bench.run(scenario)


def test_the_far_end_goes_before_any_byte(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        reading = asyncio.create_task(near.read())
        await asyncio.sleep(0)
        await line.hang_up()
        reason = await lost(reading)
        assert await lost(near.read()) == reason
        assert await lost(near.write(b"x")) == reason
        assert await lost(near.set_baud(9600)) == reason
        await near.close()
        assert await lost(near.read()) == reason, "the first reason stays"

    bench.run(scenario)


def test_the_far_end_goes_with_bytes_under_way(bench: Bench) -> None:
    """Memory and TCP deliver them first; a pty's are lost with it, but what comes is a whole beginning of them."""

    async def scenario(near: ByteTransport, line: Line) -> None:
        await line.send(noise(3000))
        await line.hang_up()
        got = await read_to_the_end(near)
        assert got == noise(3000) if line.keeps else noise(3000).startswith(got)
        await lost(near.read())

    bench.run(scenario)


def test_the_far_end_goes_during_a_write(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        writing = asyncio.create_task(near.write(noise(line.roomy)))
        await turns(20)
        await line.hang_up()
        await lost(writing)
        await lost(near.write(b"x"))
        await lost(near.read())

    bench.run(scenario)


def test_a_failed_write_ends_reading_too(bench: Bench) -> None:
    async def scenario(near: ByteTransport, line: Line) -> None:
        await line.send(b"unread")
        await turns(20)
        await line.hang_up()
        with pytest.raises(TerminalError):
            while True:
                await near.write(b"x")
                await turns(1)
        await lost(near.read())

    bench.run(scenario)


def test_a_line_to_nowhere(bench: Bench) -> None:
    async def scenario() -> None:
        near = bench.wrap(await bench.kind.missing(bench.folder))
        with pytest.raises(TerminalError) as caught:
            await near.open()
        assert (caught.value.code, caught.value.exit_status) == ("port_missing", 3)
        await lost(near.read())
        await near.close()

    asyncio.run(scenario())
    assert not bench.capture.exists(), "no capture is begun, nor an old one overwritten"
