"""What every transport is."""

from __future__ import annotations

from typing import Protocol


class ByteTransport(Protocol):
    """A stream of bytes to one terminal. Closed or lost, it stays so; open a new one."""

    @property
    def name(self) -> str:
        """What the person typed."""

    async def open(self) -> None:
        """Raises TerminalError (`port_missing`, `port_busy`, `port_denied`, `port_failed`)."""

    async def read(self) -> bytes:
        """At least one byte. Raises TerminalError `link_lost`."""

    async def write(self, data: bytes) -> None:
        """Hands all of `data` on, in order. Raises TerminalError `link_lost`."""

    async def close(self) -> None:
        """Never raises; may be called twice."""
