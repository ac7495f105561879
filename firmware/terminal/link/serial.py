"""The link over a UART: one task owns it."""

import asyncio

from plomba_wire.terminal_end import TerminalEnd
from terminal.link.service import Service

_IDLE_MS = 50


async def serve(uart, terminal) -> None:
    """Answers the dock for ever."""
    service = Service(terminal)
    end = TerminalEnd(service)
    service.end = end
    reader = asyncio.StreamReader(uart)
    writer = asyncio.StreamWriter(uart, {})
    buffer = bytearray(1024)
    view = memoryview(buffer)
    while True:
        count = await reader.readinto(buffer)
        if not count:
            # A UART without a partner reads as empty at once on some ports; do not spin on it.
            await asyncio.sleep_ms(_IDLE_MS)
            continue
        out = end.receive(bytes(view[:count])) or end.pump()
        while out:
            writer.write(out)
            await writer.drain()
            out = end.pump()
