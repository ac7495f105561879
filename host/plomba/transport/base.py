"""What every transport is."""

from __future__ import annotations

from typing import Protocol

WRITE_PATIENCE_S = 5.0
"""A far end that takes nothing for so long is gone."""


class ByteTransport(Protocol):
    """A stream of bytes to one terminal, used on one event loop. Closed or lost, it stays so; open a new one.

    Both directions are bounded: a `write` waits while the far end is behind, and a far end that sends more than is
    read here has to wait where the line can make it (TCP, USB, a pty); a bare UART loses the excess.
    """

    @property
    def name(self) -> str:
        """What the person typed."""

    @property
    def baud(self) -> int | None:
        """Bits per second; None for a line that has no rate."""

    async def open(self) -> None:
        """Raises TerminalError (`port_missing`, `port_busy`, `port_denied`, `port_failed`, ...)."""

    async def read(self) -> bytes:
        """At least one byte; a cancelled read loses none. Raises TerminalError `link_lost`.

        What had arrived before the far end went is read first. After a failed write or a `close` nothing is.
        """

    async def write(self, data: bytes) -> None:
        """Hands all of `data` on, in order. A cancelled write may have handed on a part.

        Raises TerminalError `link_lost`; nobody can say then how much of the last bytes went out.
        """

    async def set_baud(self, rate: int) -> None:
        """Changes the rate of the open line, in bits per second, after what was written has gone out.

        Raises TerminalError `baud_unsupported` (the old rate holds), `link_lost`.
        """

    async def close(self) -> None:
        """Lets what was written go out, for half a second at most. Never raises; may be called twice."""
