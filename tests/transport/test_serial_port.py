"""A serial port that breaks: unplugged in each state, half a write, a rate refused. The session ends, and quietly.

The port is pyserial's base class with a recorder in it; the transport, its threads and its loop are the real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import serial
from line_bench import threads, until
from machine import Machine
from recording_port import RecordingPort

from plomba.errors import TerminalError
from plomba.transport import SerialTransport
from plomba.transport.incoming import LIMIT

Scenario = Callable[[SerialTransport, RecordingPort], Awaitable[None]]


def run(scenario: Scenario, prepare: Callable[[RecordingPort], None] = lambda port: None) -> RecordingPort:
    """Runs it with an open transport; afterwards its threads must have ended and its port must be closed."""
    machine = Machine()
    port = machine.plug("/dev/ttyX0")
    prepare(port)

    async def whole() -> None:
        transport = machine.transport("/dev/ttyX0")
        await transport.open()
        try:
            await asyncio.wait_for(scenario(transport, port), 30)
        finally:
            await transport.close()

    asyncio.run(whole())
    assert not threads() and not port.is_open
    return port


async def must_be_lost(transport: SerialTransport) -> None:
    """Whatever is asked of it."""
    for attempt in (transport.read, lambda: transport.write(b"x"), lambda: transport.set_baud(9600)):
        with pytest.raises(TerminalError) as caught:
            await attempt()
        assert caught.value.code == "link_lost"


async def must_be_quiet(port: RecordingPort) -> None:
    """Without a call of `close`: no thread is left, the port is not held, nothing reads it any more."""
    await until(lambda: not threads())
    assert not port.is_open
    reads = port.reads
    await asyncio.to_thread(lambda: None)
    assert port.reads == reads


def test_trap_10_unplugged_while_idle() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        reading = asyncio.create_task(transport.read())
        await until(lambda: port.reads > 0)
        port.unplug()
        with pytest.raises(TerminalError) as caught:
            await reading
        assert caught.value.code == "link_lost"
        await must_be_lost(transport)
        await must_be_quiet(port)

    run(scenario)


def test_trap_10_unplugged_with_bytes_that_were_not_read_yet() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.say(b"the last words")
        await until(lambda: not port._in)
        port.unplug()
        await until(lambda: not threads())
        got = b""
        with pytest.raises(TerminalError):
            while True:
                got += await transport.read()
        assert got == b"the last words"
        await must_be_quiet(port)

    run(scenario)


def test_trap_10_unplugged_during_a_write() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.holds_writes.clear()
        writing = asyncio.create_task(transport.write(bytes(1 << 20)))
        await until(lambda: transport._backlog >= 65536)
        port.unplug()
        with pytest.raises(TerminalError) as caught:
            await writing
        assert caught.value.code == "link_lost"
        await must_be_lost(transport)
        await must_be_quiet(port)

    run(scenario)


def test_trap_10_unplugged_while_the_rate_changes() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.holds_writes.clear()
        await transport.write(b"first")
        changing = asyncio.create_task(transport.set_baud(921600))
        await until(lambda: transport._changing is not None)
        port.unplug()
        with pytest.raises(TerminalError) as caught:
            await changing
        assert caught.value.code == "link_lost"
        assert transport.baud == 115200
        await must_be_quiet(port)

    run(scenario)


def test_trap_10_unplugged_during_open() -> None:
    machine = Machine()
    port = machine.plug("/dev/ttyX0")
    port.fails_open = [serial.SerialException("could not configure port: (5, 'Input/output error')")]

    async def scenario() -> None:
        transport = machine.transport("/dev/ttyX0")
        with pytest.raises(TerminalError) as caught:
            await transport.open()
        assert caught.value.code == "port_failed"
        await transport.close()

    asyncio.run(scenario())
    assert not threads()


def test_trap_10_a_driver_that_is_always_ready_and_gives_nothing() -> None:
    """The CPU must not spin (home-assistant #170257): a few reads that return nothing at once, and the link is lost."""

    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.ready_for_nothing = True
        with pytest.raises(TerminalError) as caught:
            await transport.read()
        assert caught.value.code == "link_lost"
        await must_be_quiet(port)
        assert port.reads < 20

    run(scenario)


def test_trap_11_a_write_that_went_out_in_part_ends_the_session() -> None:
    def prepare(port: RecordingPort) -> None:
        port.fails_write_after = 10_000

    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.say(b"an answer nobody may trust")
        await until(lambda: not port._in)
        await asyncio.sleep(0)
        sent = bytes(range(251)) * 100
        await transport.write(sent)
        await until(lambda: not threads())
        await must_be_lost(transport)
        assert bytes(port.out) == sent[:10_000], "nothing is sent after the piece that failed, and nothing twice"

    port = run(scenario, prepare)
    assert len(port.out) == 10_000


def test_trap_11_nothing_goes_out_once_the_link_is_lost() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.holds_writes.clear()
        await transport.write(bytes(3 * 4096))
        port.ready_for_nothing = True
        with pytest.raises(TerminalError):
            await transport.read()
        port.holds_writes.set()
        await must_be_quiet(port)
        assert len(port.out) == 4096, "the piece that was on its way"

    run(scenario)


def test_trap_11_a_short_write_without_an_error_is_one() -> None:
    class Short(RecordingPort):
        def write(self, data: bytes) -> int:
            return super().write(data[:3])

    machine = Machine()
    machine.plug("/dev/ttyX0")
    port = machine.ports["/dev/ttyX0"] = Short()

    async def scenario() -> None:
        transport = machine.transport("/dev/ttyX0")
        await transport.open()
        await transport.write(b"12345")
        await transport.write(b"67890")
        with pytest.raises(TerminalError) as caught:
            await transport.read()
        assert caught.value.fields["reason"] == "3 of 5 bytes went out"
        await transport.close()

    asyncio.run(scenario())
    assert bytes(port.out) == b"123"


def test_the_rate_changes_behind_what_was_written() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        assert transport.baud == 115200
        await transport.write(bytes(10_000))
        await transport.set_baud(921600)
        assert transport.baud == 921600
        await transport.write(bytes(5))

    port = run(scenario)
    assert port.calls[-6:-3] == ["rx_size=65536", "flush after 10000 bytes", "baudrate=921600 after 10000 bytes"]
    assert len(port.out) == 10_005


def test_a_rate_the_driver_refuses_leaves_the_old_one() -> None:
    def prepare(port: RecordingPort) -> None:
        port.refused_rates = (12_345_678,)

    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        for rate in (12_345_678, 0, -1):
            with pytest.raises(TerminalError) as caught:
                await transport.set_baud(rate)
            assert caught.value.code == "baud_unsupported"
        assert transport.baud == port.baudrate == 115200
        port.say(b"still here")
        assert await transport.read() == b"still here"

    run(scenario, prepare)


def test_a_reader_that_is_behind_makes_the_port_wait() -> None:
    """Memory stays bounded: the thread stops reading, so that the line's own flow control can act."""

    def prepare(port: RecordingPort) -> None:
        port.endless = True

    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        got = 0

        def unread() -> int:
            return port.given - got

        for _ in range(3):
            await until(lambda: unread() >= LIMIT)
            for _ in range(200):
                await asyncio.to_thread(lambda: None)
            assert unread() <= LIMIT + 4097, "one read more at most"
            got += len(await transport.read())

    run(scenario, prepare)


def test_what_comes_while_it_closes_is_not_read() -> None:
    async def scenario(transport: SerialTransport, port: RecordingPort) -> None:
        port.holds_writes.clear()
        await transport.write(b"the writer is held")
        closing = asyncio.create_task(transport.close())
        await asyncio.sleep(0)
        port.say(b"late")
        await until(lambda: not port._in)
        port.holds_writes.set()
        await closing
        await must_be_lost(transport)

    run(scenario)
