"""Two ends of a line within one process: for tests of programs that speak to a terminal."""

from __future__ import annotations

import asyncio

from plomba.errors import TerminalError
from plomba.transport.base import ByteTransport
from plomba.transport.incoming import Incoming

_PIECE = 4096


def memory_pair(name: str = "memory") -> tuple[ByteTransport, ByteTransport]:
    """Two ends, each to be opened, on one event loop. Closing one is `link_lost` to the other, after what is under way.

    A `write` waits without a limit of time while the other end does not read.
    """
    near, far = _End(name), _End(f"{name} (far end)")
    near.other, far.other = far, near
    return near, far


class _End:
    other: _End

    def __init__(self, name: str) -> None:
        self.incoming = Incoming(name, self._taken)
        self.room = asyncio.Event()
        self.closed = False
        self._name = name
        self._writing = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def baud(self) -> int | None:
        return None

    async def open(self) -> None:
        """Raises TerminalError `port_missing` when the other end was closed already."""
        if self.other.closed:
            raise TerminalError("port_missing", port=self._name)
        self.incoming.must_be_new()
        self.incoming.begin()

    async def read(self) -> bytes:
        return await self.incoming.take()

    async def write(self, data: bytes) -> None:
        async with self._writing:
            for at in range(0, len(data), _PIECE):
                while self.other.incoming.full and not self.incoming.ended:
                    self.room.clear()
                    await self.room.wait()
                if self.incoming.ended:
                    raise self.incoming.lost_in_write()
                self.other.incoming.put(data[at : at + _PIECE])

    async def set_baud(self, rate: int) -> None:
        if self.incoming.ended:
            raise self.incoming.lost()
        raise TerminalError("baud_unsupported", port=self._name, rate=rate, reason="memory has no rate")

    async def close(self) -> None:
        self.closed = True
        self.incoming.end("closed", drop=True)
        self.other.incoming.end("the other end was closed")
        self.room.set()
        self.other.room.set()

    def _taken(self, size: int) -> None:
        self.other.room.set()
