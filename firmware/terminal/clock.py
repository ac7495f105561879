"""Time: milliseconds since boot that never wrap, and UTC that only a signed time object sets."""

import time


class Clock:
    """`utc` counts on from the last time object; 0 until there was one in this boot."""

    def __init__(self) -> None:
        self._last = time.ticks_ms()
        self._mono = 0
        self._utc_at_zero_ms = 0
        self.trusted = False

    def mono_ms(self) -> int:
        """ms since boot. ticks_ms wraps after 12.4 days on a board; this has to be called within half of that."""
        now = time.ticks_ms()
        self._mono += time.ticks_diff(now, self._last)
        self._last = now
        return self._mono

    def utc(self) -> int:
        """s since 1970, or 0."""
        return (self._utc_at_zero_ms + self.mono_ms()) // 1000 if self.trusted else 0

    def set(self, utc: int) -> None:
        """From a verified time object only."""
        self._utc_at_zero_ms = utc * 1000 - self.mono_ms()
        self.trusted = True
