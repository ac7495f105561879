"""One way of the cable: bytes come in, and go out paced, late, damaged, or never, by script."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

_CHUNK = 65536
_HIGH_WATER = 1 << 18
STEP_S = 0.005
"""A paced line hands bytes on in steps of so many seconds."""


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
    """One way of the cable.

    `bytes` counts what was put in, `carried` what of it a plugged cable took, lost on the way or not; `turns` how often
    this side began to speak; `frames_lost` what `lose` took. `baud` paces it, ten bits a byte; each byte then takes
    another `latency` seconds. `arrived` hears of what is handed on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_cut: Callable[[], None]) -> None:
        self.bytes = 0
        self.carried = 0
        self.turns = 0
        self.frames_lost = 0
        self.baud: int | None = None
        self.latency = 0.0
        self.arrived: Callable[[bytes], None] | None = None
        self._loop = loop
        self._on_cut = on_cut
        self._faults: list[Fault] = []
        self._chance = 0.0
        self._random = Random()
        self._in_frame = False
        self._losing = False
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

    def lose(self, chance: float, random: Random) -> None:
        """From here on each frame, up to its 00 and with it, is lost with this chance; 0 ends it."""
        self._chance = chance
        self._random = random
        self._in_frame = self._losing = False

    @property
    def crowded(self) -> bool:
        return len(self._pending) + sum(len(data) for _, data in self._line) > _HIGH_WATER

    @property
    def busy_until(self) -> float:
        """When the line has carried all that was put in, by the event loop's clock."""
        return self._free_at

    def attach(self, sink: int | None) -> None:
        """Bytes go to this file descriptor from now on; None loses what is under way, as a pulled plug does."""
        if self._writing and self._sink is not None:
            self._loop.remove_writer(self._sink)
        self._writing = False
        self._sink = sink
        self._pending.clear()
        self._in_frame = self._losing = False
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
                lost = len(data[before : before + fault.size])
                self.bytes += before + lost
                self._count(lost)
                data = data[before + fault.size :]
            else:
                hit = data[before : before + fault.size]
                data = data[:before] + bytes(byte ^ 1 for byte in hit) + data[before + fault.size :]
        self.bytes += len(data)
        self._carry(data)

    def _carry(self, data: bytes) -> None:
        self._count(len(data))
        if self._chance:
            data = self._thinned(data)
        if not data or self._sink is None:
            return
        now = self._loop.time()
        if self.baud is None and not self.latency and self._free_at <= now and not self._line:
            self._write(data)
            return
        rate = self.baud / 10 if self.baud else None
        step = max(1, int(rate * STEP_S)) if rate else len(data)
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            self._free_at = max(self._free_at, now) + (len(piece) / rate if rate else 0)
            self._line.append((self._free_at + self.latency, piece))
        if self._timer is None:
            self._timer = self._loop.call_at(self._line[0][0], self._arrive)

    def _count(self, size: int) -> None:
        if self._sink is not None:
            self.carried += size

    def _thinned(self, data: bytes) -> bytes:
        """Without the frames that get lost. What lies between two frames, a 00 or none, is not one."""
        kept = bytearray()
        at = 0
        while at < len(data):
            zero = data.find(0, at)
            end = zero + 1 if zero >= 0 else len(data)
            if not self._in_frame and at != zero:
                self._losing = self._random.random() < self._chance
                self.frames_lost += self._losing
            if not self._losing:
                kept += data[at:end]
            self._in_frame = zero < 0
            self._losing = self._losing and self._in_frame
            at = end
        return bytes(kept)

    def _arrive(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._line and self._line[0][0] <= now:
            self._write(self._line.pop(0)[1])
        if self._line:
            self._timer = self._loop.call_at(self._line[0][0], self._arrive)

    def _write(self, data: bytes) -> None:
        if self.arrived is not None:
            self.arrived(data)
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
