"""The cable between a virtual terminal and the dock: it counts, paces, cuts, drops, flips and delays, by script.

The terminal holds one end of a socket pair for its whole life; the relay owns the port that the dock opens (a pty, or
TCP), so a cut cable, a new port and a slow line need nothing of either program.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from plomba.capture import FROM_DEVICE, TO_DEVICE
from plomba.sim.direction import STEP_S, Direction, Fault

__all__ = ["POSIX", "Direction", "Fault", "Relay"]

_CHUNK = 65536


class Relay:
    """Between the terminal's end, a socket or a pty's descriptor, and a port. `link` is a path that leads to the port's
    pty, or None for TCP.

    `watch` hears what the terminal says and what reaches it, in the order of its own end: direction (see
    plomba.capture), bytes, and the time by the event loop's clock at which the line is done with them.

    Once `change_rate` has told the terminal's rate, bytes that a pty's two ends send and hear at different rates are
    garbage, as they are on a wire. `before_reading` is called before bytes are taken: what came first is to be known.
    """

    def __init__(self, terminal: socket.socket | int, link: Path | None) -> None:
        self._loop = asyncio.get_running_loop()
        self.up = Direction(self._loop, self.unplug)
        self.down = Direction(self._loop, self.unplug)
        self.cuts = 0
        self.watch: Callable[[int, bytes, float], None] | None = None
        self.before_reading: Callable[[], None] | None = None
        self._rates: list[tuple[int, int]] = []
        self._terminal = terminal if isinstance(terminal, int) else terminal.fileno()
        self._link = link
        self._outer: int | None = None
        self._peer: int | None = None
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._last_speaker: Direction | None = None
        self._address = ""
        os.set_blocking(self._terminal, False)
        self._loop.add_reader(self._terminal, self._from_terminal)
        self.down.attach(self._terminal)
        self.down.arrived = self._reached_terminal
        self.plug()

    @property
    def port(self) -> str:
        """What the dock opens: the path of the pty, or a `socket://` address."""
        return str(self._link) if self._link is not None else self._address

    @property
    def plugged(self) -> bool:
        return self._outer is not None or self._listener is not None

    def change_rate(self, at: int, baud: int) -> None:
        """The terminal's end is at `baud` from byte `at` of what it says; bytes are counted as `up` does."""
        self._rates.append((at, baud))

    def plug(self) -> None:
        """Makes the port."""
        if self.plugged:
            return
        if self._link is None:
            self._listen()
            return
        import pty
        import tty

        self._outer, self._peer = pty.openpty()
        tty.setraw(self._peer)
        os.set_blocking(self._outer, False)
        fresh = self._link.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._peer))
        fresh.replace(self._link)
        self.up.attach(self._outer)
        self._loop.add_reader(self._outer, self._from_dock)

    def unplug(self) -> None:
        """Pulls the cable: the port is gone, and what was under way with it."""
        if not self.plugged:
            return
        self.cuts += 1
        self.up.attach(None)
        if self._outer is not None and self._peer is not None:
            self._loop.remove_reader(self._outer)
            os.close(self._outer)
            os.close(self._peer)
            self._outer = self._peer = None
            if self._link is not None:
                self._link.unlink(missing_ok=True)
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        self._hang_up()

    def close(self) -> None:
        self.unplug()
        self._loop.remove_reader(self._terminal)
        self.down.attach(None)

    def _listen(self) -> None:
        host, _, number = self._address.removeprefix("socket://").rpartition(":")
        self._listener = socket.create_server((host or "127.0.0.1", int(number or 0)), reuse_port=False)
        self._listener.setblocking(False)
        self._address = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        assert self._listener is not None
        connection, _ = self._listener.accept()
        self._hang_up()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self.up.attach(connection.fileno())
        self._loop.add_reader(connection, self._from_dock)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._loop.remove_reader(self._connection)
            self.up.attach(None)
            self._connection.close()
            self._connection = None

    def _from_terminal(self) -> None:
        if self.up.crowded:
            self._loop.remove_reader(self._terminal)
            self._loop.call_later(STEP_S, self._loop.add_reader, self._terminal, self._from_terminal)
            return
        try:
            data = os.read(self._terminal, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._terminal)
            return
        self._speaks(self.up)
        if self.before_reading is not None:
            self.before_reading()
        data = self._heard_by_dock(data)
        self.up.put(data)
        if self.watch is not None:
            self.watch(FROM_DEVICE, data, max(self._loop.time(), self.up.busy_until))

    def _from_dock(self) -> None:
        source = self._connection.fileno() if self._connection is not None else self._outer
        if source is None:
            return
        try:
            data = os.read(source, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        self._speaks(self.down)
        if self.before_reading is not None:
            self.before_reading()
        rate = self._dock_rate()
        if rate is not None and self._rates and self._rates[-1][1] != rate:
            data = _garbage(data)
        self.down.put(data)

    def _dock_rate(self) -> int | None:
        """What the dock has set its end of the pty to; None where there is none."""
        if self._peer is None:
            return None
        import termios

        code = termios.tcgetattr(self._peer)[5]
        rates = {getattr(termios, f"B{rate}", None): rate for rate in (9600, 115200, 230400, 460800, 921600)}
        return rates.get(code)

    def _heard_by_dock(self, data: bytes) -> bytes:
        rate = self._dock_rate()
        if rate is None or not self._rates:
            return data
        start = self.up.bytes
        while len(self._rates) > 1 and self._rates[1][0] <= start:
            self._rates.pop(0)
        heard = b""
        ends = [at - start for at, _ in self._rates[1:]] + [len(data)]
        for (_, baud), end in zip(self._rates, ends, strict=True):
            part = data[len(heard) : max(len(heard), end)]
            heard += part if baud == rate else _garbage(part)
        return heard

    def _reached_terminal(self, data: bytes) -> None:
        if self.watch is not None:
            self.watch(TO_DEVICE, data, self._loop.time())

    def _speaks(self, direction: Direction) -> None:
        if self._last_speaker is not direction:
            direction.turns += 1
            self._last_speaker = direction


def _garbage(data: bytes) -> bytes:
    """What a UART makes of bytes at a rate that is not its own; which bytes exactly, no model knows."""
    return bytes(byte | 0x80 for byte in data)


POSIX = sys.platform != "win32"
"""Whether this system has ptys."""
