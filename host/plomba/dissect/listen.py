"""A passive ear on a port: what arrives becomes chunks, and nothing is ever said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from plomba.capture import FROM_DEVICE, Chunk
from plomba.transport import ByteTransport


async def listen(
    transport: ByteTransport, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Chunk]:
    """What arrives on an open transport, for `seconds` or until the line ends. Raises TerminalError `link_lost`."""
    began = clock()
    first: float | None = None
    while True:
        left = None if seconds is None else began + seconds - clock()
        if left is not None and left <= 0:
            return
        try:
            async with asyncio.timeout(left):
                data = await transport.read()
        except TimeoutError:
            return
        now = clock()
        first = now if first is None else first
        yield Chunk(int((now - first) * 1e6), FROM_DEVICE, data)
