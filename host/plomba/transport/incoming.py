"""What has arrived on a line and was not read yet; every transport keeps one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from plomba.errors import TerminalError

LIMIT = 1 << 18
"""Bytes kept for a reader that is behind: far more than a session's window, so only a strange far end meets it."""


class Incoming:
    """Belongs to one event loop. `taken` hears how many bytes were read: who stopped for want of room may go on."""

    def __init__(self, port: str, taken: Callable[[int], None]) -> None:
        self._port = port
        self._taken = taken
        self._data = bytearray()
        self._changed = asyncio.Event()
        self._begun = False
        self._reason = ""

    @property
    def full(self) -> bool:
        """The far end should be made to wait."""
        return len(self._data) >= LIMIT

    @property
    def ended(self) -> bool:
        """The line is not open: not yet, or no more."""
        return not self._begun or bool(self._reason)

    def must_be_new(self) -> None:
        """Raises TerminalError `port_failed` for a line that was open before."""
        if self._begun or self._reason:
            raise TerminalError("port_failed", port=self._port, reason="a transport is opened once; make a new one")

    def begin(self) -> None:
        """The line is open."""
        self._begun = True

    def put(self, data: bytes) -> None:
        """Bytes arrived."""
        if not self._reason:
            self._data += data
            self._changed.set()

    def end(self, reason: str, *, drop: bool = False) -> None:
        """No more bytes will come; the first reason stays. With `drop` those that were not read are not, either."""
        self._reason = self._reason or reason
        if drop:
            self._data.clear()
        self._changed.set()

    async def take(self) -> bytes:
        """All that is there, at least a byte. Raises TerminalError `link_lost`."""
        while not self._data:
            if self.ended:
                raise self.lost()
            self._changed.clear()
            await self._changed.wait()
        data = bytes(self._data)
        self._data.clear()
        self._taken(len(data))
        return data

    def lost(self) -> TerminalError:
        """The error of a line that has ended."""
        return TerminalError("link_lost", port=self._port, reason=self._reason or "not open")

    def lost_in_write(self) -> TerminalError:
        """The same for a writer: it ends reading, too."""
        self._data.clear()
        return self.lost()
