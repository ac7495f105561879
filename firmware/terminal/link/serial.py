"""The link over a UART: one object owns it; a lock keeps what it says in order."""

import asyncio

from plomba_wire.terminal_end import TerminalEnd
from terminal.link.service import Service

_IDLE_MS = 50
_BUFFER = 1024


class SerialLink:
    """`bauds` are the rates that a dock may ask for, the first one is where a session begins; none without a rate."""

    def __init__(self, uart, terminal, bauds: "tuple[int, ...]" = ()) -> None:
        service = Service(terminal, bauds)
        self._end = service.end = terminal.health.end = TerminalEnd(service)
        self._uart = uart
        self._clock = terminal.clock
        self._bauds = bauds
        self._baud = bauds[0] if bauds else 0
        self._writer = asyncio.StreamWriter(uart, {})
        self._speaking = asyncio.Lock()
        self._due = asyncio.Event()
        terminal.on_record = self._due.set

    async def listen(self) -> None:
        """Answers the dock for ever."""
        reader = asyncio.StreamReader(self._uart)
        buffer = bytearray(_BUFFER)
        view = memoryview(buffer)
        while True:
            count = await reader.readinto(buffer)
            if not count:
                # A UART without a partner reads as empty at once on some ports; do not spin on it.
                await asyncio.sleep_ms(_IDLE_MS)
                continue
            async with self._speaking:
                await self._say(self._end.receive(bytes(view[:count]), self._clock.mono_ms()))
            # What came while this terminal was at work has not paused.
            self._end.heard = self._clock.mono_ms()
            self._due.set()

    async def announce(self) -> None:
        """Tells the dock of each record as soon as it is signed, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            out: "bytes | None" = b""
            while out is not None:
                async with self._speaking:
                    out = self._end.pump()
                    await self._say(out)

    @property
    def idle(self) -> bool:
        """Nobody is in a session."""
        return self._end.state == "closed"

    def tick(self) -> None:
        """Does what the link's deadlines ask for."""
        self._end.tick(self._clock.mono_ms())
        if self._baud != self._rate():
            self._due.set()

    async def _say(self, out: "bytes | None") -> None:
        if out:
            self._writer.write(out)
            await self._writer.drain()
        if self._baud != self._rate():
            self._change()

    def _rate(self) -> int:
        return self._end.baud or (self._bauds[0] if self._bauds else 0)

    def _change(self) -> None:
        """The answer has to be off the line before the rate changes."""
        flush = getattr(self._uart, "flush", None)
        if flush is not None:
            flush()
        self._baud = self._rate()
        self._uart.init(self._baud)
