"""What an engine still has to do, and when: timers on a clock that only its caller moves."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf

Act = Callable[[], None]


class Agenda:
    """Timers in order of time; those of the same moment in the order they were set. Times are seconds."""

    def __init__(self) -> None:
        self.now = -inf
        self._timers: list[tuple[float, int, Act]] = []
        self._ticket = count()

    def at(self, when: float, act: Act) -> None:
        heappush(self._timers, (max(when, self.now), next(self._ticket), act))

    def after(self, delay: float, act: Act) -> None:
        self.at(self.now + delay, act)

    def advance(self, now: float) -> None:
        """Do what is due by `now`, each thing at its own moment. A time in the past counts as the present."""
        now = max(now, self.now)
        while self._timers and self._timers[0][0] <= now:
            self.now, _, act = heappop(self._timers)
            act()
        self.now = now

    def clear(self) -> None:
        self._timers.clear()

    @property
    def next_at(self) -> float | None:
        return self._timers[0][0] if self._timers else None
