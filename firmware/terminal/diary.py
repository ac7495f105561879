"""What happened lately, for the person who mends: lines of text in a ring of RAM. No part of any proof.

Nothing that was read from paper is ever written here.
"""

import time

_ROOM = 2048


class Diary:
    """`end` is how many bytes were written since boot; the last 2048 of them can be read."""

    def __init__(self) -> None:
        self.end = 0
        self._ring = bytearray(_ROOM)

    def note(self, text: str) -> None:
        """One line, with the milliseconds of the board's own clock before it."""
        for byte in ("%d %s\n" % (time.ticks_ms(), text)).encode():
            self._ring[self.end % _ROOM] = byte
            self.end += 1

    def read(self, offset: int, most: int) -> "tuple[int, bytes]":
        """At most `most` bytes from `offset` on, or from the oldest that is still there; where they begin, and they."""
        start = min(max(offset, self.end - _ROOM), self.end)
        size = min(most, self.end - start)
        return start, bytes([self._ring[at % _ROOM] for at in range(start, start + size)])
