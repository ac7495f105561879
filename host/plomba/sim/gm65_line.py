"""The transmit side of a UART on a virtual clock: one byte after the other, ten bit times each (8N1)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import floor, inf
from typing import Final

_BITS: Final = 10
# A byte counts as sent this part of a byte early: a clock of few digits must not miss its own deadline.
_SLACK: Final = 0.01


@dataclass(slots=True)
class _Burst:
    data: bytes
    baud: int
    start: float
    taken: int = 0

    def end(self, count: int) -> float:
        return self.start + count * _BITS / self.baud

    def sent(self, now: float) -> int:
        elapsed = (now - self.start) * self.baud / _BITS
        return min(len(self.data), max(self.taken, floor(elapsed + _SLACK)))


class Line:
    def __init__(self) -> None:
        self._bursts: deque[_Burst] = deque()
        self._free_at = -inf

    def push(self, data: bytes, baud: int, now: float) -> float:
        """Queue bytes behind those under way; returns when the last stop bit will have been sent."""
        burst = _Burst(data, baud, max(now, self._free_at))
        self._bursts.append(burst)
        self._free_at = burst.end(len(data))
        return self._free_at

    def take(self, now: float) -> tuple[bytes, int] | None:
        """The bytes sent by `now` and not yet taken, of one rate; None when there are none."""
        taken = bytearray()
        baud = 0
        while self._bursts:
            burst = self._bursts[0]
            sent = burst.sent(now)
            if sent == burst.taken or (taken and burst.baud != baud):
                break
            baud = burst.baud
            taken += burst.data[burst.taken : sent]
            burst.taken = sent
            if sent < len(burst.data):
                break
            self._bursts.popleft()
        return (bytes(taken), baud) if taken else None

    def cut(self, now: float) -> None:
        """The transmitter loses power at `now`: what was not sent by then never will be."""
        for burst in self._bursts:
            burst.data = burst.data[: burst.sent(now)]
        self._bursts = deque(burst for burst in self._bursts if len(burst.data) > burst.taken)
        self._free_at = now

    @property
    def next_at(self) -> float | None:
        """When the next byte will have been sent."""
        return self._bursts[0].end(self._bursts[0].taken + 1) if self._bursts else None
