"""Opening a serial port that is given up in the middle: nothing is held."""

from __future__ import annotations

import asyncio
import threading

import pytest
import serial
from line_bench import threads, until
from machine import Machine

from plomba.errors import TerminalError


def test_a_cancelled_open_holds_no_port() -> None:
    machine = Machine()
    port = machine.plug("/dev/ttyX0")
    entered, go_on = threading.Event(), threading.Event()
    unopened = machine.system.unopened

    def slow(device: str) -> serial.SerialBase:
        entered.set()
        go_on.wait()
        return unopened(device)

    object.__setattr__(machine.system, "unopened", slow)

    async def scenario() -> None:
        opening = asyncio.create_task(machine.transport("/dev/ttyX0").open())
        await asyncio.to_thread(entered.wait)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        go_on.set()
        await until(lambda: port.calls[-1:] == ["close"])

    asyncio.run(scenario())
    assert not threads()


def test_closed_while_it_opens() -> None:
    machine = Machine()
    port = machine.plug("/dev/ttyX0")

    async def scenario() -> None:
        transport = machine.transport("/dev/ttyX0")
        opening = asyncio.create_task(transport.open())
        await asyncio.sleep(0)
        await transport.close()
        with pytest.raises(TerminalError) as caught:
            await opening
        assert caught.value.code == "link_lost"

    asyncio.run(scenario())
    assert not threads() and not port.is_open
