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
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_CHUNK = 65536
_HIGH_WATER = 1 << 18
_STEP_S = 0.005


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that befalls byte `at` of one direction, counted from the start of the relay.

    `drop` loses `size` bytes, `flip` inverts the lowest bit of `size` bytes, `delay` holds everything for `seconds`,
    `cut` unplugs the cable before that byte.
    """

    kind: Literal["drop", "flip", "delay", "cut"]
    at: int
    size: int = 1
    seconds: float = 0.0


class Direction:
    """One way of the cable. `bytes` counts what was put in, `turns` how often this side began to speak."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_cut: Callable[[], None]) -> None:
        self.bytes = 0
        self.turns = 0
        self.baud: int | None = None
        self._loop = loop
        self._on_cut = on_cut
        self._faults: list[Fault] = []
        self._pending = bytearray()
        self._sink: int | None = None
        self._writing = False
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._line: list[tuple[float, bytes]] = []

    def script(self, *faults: Fault) -> None:
        """Adds faults. Raises ValueError for a kind that is not known."""
        for fault in faults:
            if fault.kind not in ("drop", "flip", "delay", "cut"):
                raise ValueError(f"unknown fault {fault.kind!r}; there are drop, flip, delay, cut")
        self._faults = sorted([*self._faults, *faults], key=lambda fault: fault.at)

    def unscript(self) -> None:
        """Forgets the faults that have not come to pass."""
        self._faults.clear()

    @property
    def crowded(self) -> bool:
        return len(self._pending) + sum(len(data) for _, data in self._line) > _HIGH_WATER

    def attach(self, sink: int | None) -> None:
        """Bytes go to this file descriptor from now on; None loses what is under way, as a pulled plug does."""
        if self._writing and self._sink is not None:
            self._loop.remove_writer(self._sink)
        self._writing = False
        self._sink = sink
        self._pending.clear()
        if sink is None:
            self._line.clear()

    def put(self, data: bytes) -> None:
        """Bytes that one side has sent."""
        while self._faults and self._faults[0].at < self.bytes + len(data):
            fault = self._faults.pop(0)
            before = max(0, fault.at - self.bytes)
            if fault.kind == "cut":
                self._carry(data[:before])
                self.bytes += len(data)
                self._on_cut()
                return
            if fault.kind == "delay":
                self._free_at = max(self._free_at, self._loop.time()) + fault.seconds
            elif fault.kind == "drop":
                self._carry(data[:before])
                self.bytes += before + len(data[before : before + fault.size])
                data = data[before + fault.size :]
            else:
                hit = data[before : before + fault.size]
                data = data[:before] + bytes(byte ^ 1 for byte in hit) + data[before + fault.size :]
        self.bytes += len(data)
        self._carry(data)

    def _carry(self, data: bytes) -> None:
        if not data or self._sink is None:
            return
        now = self._loop.time()
        if self.baud is None and self._free_at <= now and not self._line:
            self._write(data)
            return
        rate = self.baud / 10 if self.baud else None
        step = max(1, int(rate * _STEP_S)) if rate else len(data)
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            self._free_at = max(self._free_at, now) + (len(piece) / rate if rate else 0)
            self._line.append((self._free_at, piece))
        if self._timer is None:
            self._timer = self._loop.call_at(self._line[0][0], self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._line and self._line[0][0] <= now:
            self._write(self._line.pop(0)[1])
        if self._line:
            self._timer = self._loop.call_at(self._line[0][0], self._arrive)

    def _write(self, data: bytes) -> None:
        self._pending += data
        if not self._writing:
            self._flush()

    def _flush(self) -> None:
        if self._sink is None:
            return
        try:
            while self._pending:
                written = os.write(self._sink, self._pending[:_CHUNK])
                del self._pending[:written]
        except BlockingIOError:
            pass
        except OSError:
            self._pending.clear()
        if self._pending and not self._writing:
            self._loop.add_writer(self._sink, self._flush)
            self._writing = True
        elif not self._pending and self._writing:
            self._loop.remove_writer(self._sink)
            self._writing = False


class Relay:
    """Between the terminal's socket and a port. `link` is a path that leads to the pty, or None for TCP."""

    def __init__(self, terminal: socket.socket, link: Path | None) -> None:
        self._loop = asyncio.get_running_loop()
        self.up = Direction(self._loop, self.unplug)
        self.down = Direction(self._loop, self.unplug)
        self.cuts = 0
        self._terminal = terminal
        self._link = link
        self._outer: int | None = None
        self._peer: int | None = None
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._last_speaker: Direction | None = None
        self._address = ""
        terminal.setblocking(False)
        self._loop.add_reader(terminal, self._from_terminal)
        self.down.attach(terminal.fileno())
        self.plug()

    @property
    def port(self) -> str:
        """What the dock opens: the path of the pty, or a `socket://` address."""
        return str(self._link) if self._link is not None else self._address

    @property
    def plugged(self) -> bool:
        return self._outer is not None or self._listener is not None

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
            self._loop.call_later(_STEP_S, self._loop.add_reader, self._terminal, self._from_terminal)
            return
        try:
            data = self._terminal.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._terminal)
            return
        self._speaks(self.up)
        self.up.put(data)

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
        self.down.put(data)

    def _speaks(self, direction: Direction) -> None:
        if self._last_speaker is not direction:
            direction.turns += 1
            self._last_speaker = direction


POSIX = sys.platform != "win32"
"""Whether this system has ptys."""
