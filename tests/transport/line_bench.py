"""What the conformance tests stand on: a line of one kind, plain or with a capture, and ways to look at it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from far_ends import Line

from plomba.errors import TerminalError
from plomba.transport import ByteTransport, CapturedTransport

Scenario = Callable[[ByteTransport, Line], Awaitable[None]]


class Bench:
    """Runs a scenario on an open line of one kind."""

    def __init__(self, kind: Any, captured: bool, folder: Path) -> None:
        self.kind = kind
        self.captured = captured
        self.folder = folder
        self.capture = folder / "line.plcap"

    def line(self) -> tuple[ByteTransport, Line]:
        line = self.kind(self.folder)
        return self.wrap(line.near), line

    def wrap(self, transport: ByteTransport) -> ByteTransport:
        return CapturedTransport(transport, self.capture) if self.captured else transport

    def run(self, scenario: Scenario) -> None:
        async def whole() -> None:
            near, line = self.line()
            await near.open()
            await line.connected()
            try:
                await asyncio.wait_for(scenario(near, line), 60)
            finally:
                await near.close()
                await line.hang_up()

        asyncio.run(whole())
        assert not threads()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("plomba ")]


async def lost(attempt: Awaitable[object]) -> str:
    with pytest.raises(TerminalError) as caught:
        await attempt
    assert caught.value.code == "link_lost"
    return str(caught.value.fields["reason"])


async def read_exactly(near: ByteTransport, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await near.read()
        assert more
        data += more
    return data


async def read_to_the_end(near: ByteTransport) -> bytes:
    """All that comes before `link_lost`."""
    data = b""
    while True:
        try:
            data += await near.read()
        except TerminalError as error:
            assert error.code == "link_lost"
            return data


async def until(condition: Callable[[], bool]) -> None:
    """A thread makes it true."""
    while not condition():
        await asyncio.to_thread(lambda: None)


async def turns(count: int = 200) -> None:
    """Time for everybody else: turns of the loop, and of the threads."""
    for _ in range(count):
        await asyncio.to_thread(lambda: None)


def noise(size: int) -> bytes:
    return Random(size).randbytes(size)
